//! Words of a command for a shell, in what people are told: it works as it is printed.

use std::path::Path;

/// A text as one word of a command.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A path as one word of a command.
pub fn path(path: &Path) -> String {
    word(&path.to_string_lossy())
}

/// Words as a command.
pub fn command(words: impl IntoIterator<Item: AsRef<str>>) -> String {
    words.into_iter().map(|text| word(text.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_every_word_as_it_was() {
        let words = [
            "plain-./=",
            "/a/b-c_1.yaml",
            "",
            "two words",
            "it's",
            "~/x",
            "$(x) `y` \\ \" \n *",
            "{\"a\": [1]}",
        ];
        let command = format!("printf '%s\\0' {}", command(words));
        let output = std::process::Command::new("/bin/sh").args(["-c", &command]).output().unwrap();
        let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        assert_eq!(word("/a/b-c_1.yaml"), "/a/b-c_1.yaml");
    }
}
