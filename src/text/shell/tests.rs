use super::*;

#[test]
fn a_shell_reads_every_word_as_it_was() {
    let words =
        ["plain-./=", "/a/b-c_1.yaml", "", "two words", "it's", "~/x", "$(x) `y` \\ \" \n *", "{\"a\": [1]}"];
    let command = format!("printf '%s\\0' {}", command(words));
    let output = std::process::Command::new("/bin/sh").args(["-c", &command]).output().unwrap();
    let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert_eq!(word("/a/b-c_1.yaml"), "/a/b-c_1.yaml");
}
