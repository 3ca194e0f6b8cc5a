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

#[test]
fn commands_get_the_options_and_prose_does_not() {
    let told = |text: &str| with_options(text, "--config a.yaml").into_owned();
    assert_eq!(told("agent-dispatch agents list"), "agent-dispatch --config a.yaml agents list");
    assert_eq!(
        told("stop it: `agent-dispatch cancel 1`, or agent-dispatch goes on: agent-dispatch wait 1"),
        "stop it: `agent-dispatch --config a.yaml cancel 1`, or agent-dispatch goes on: \
         agent-dispatch --config a.yaml wait 1"
    );
    assert_eq!(told("claude x && agent-dispatch init"), "claude x && agent-dispatch --config a.yaml init");
    for prose in ["run agent-dispatch outside the sandbox", "`agent-dispatch --jobs-dir j jobs`", ""] {
        assert_eq!(told(prose), prose);
    }
    assert_eq!(with_options("`agent-dispatch jobs`", ""), "`agent-dispatch jobs`");
}
