use super::*;

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
