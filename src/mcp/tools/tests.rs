use super::*;

#[test]
fn what_a_model_sees_of_the_tools_is_short() {
    let tools = list(&Authority::default());
    let visible: usize = tools
        .iter()
        .map(|tool| {
            let description = tool.description.as_deref().unwrap_or_default();
            tool.name.len()
                + description.len()
                + Value::Object((*tool.input_schema).clone()).to_string().len()
        })
        .sum();
    assert!(visible <= 5_000, "{visible} bytes");
}

#[test]
fn a_client_is_offered_what_it_may_use() {
    let names =
        |authority: &Authority| -> Vec<&'static str> { offered(authority).map(Name::as_str).collect() };
    let read_only = Authority { read_only: true, allow_configure: true, ..Authority::default() };
    assert_eq!(names(&read_only), ["dispatch_result", "dispatch_jobs", "list_agents"]);
    let scoped = Authority { agents: Some(Vec::new()), ..Authority::default() };
    assert!(!names(&scoped).contains(&"dispatch_gc"));
    assert!(!names(&Authority::default()).contains(&"configure_agent"));
    assert!(names(&Authority { allow_configure: true, ..Authority::default() }).contains(&"configure_agent"));
}

#[test]
fn instructions_stay_short_however_many_agents_there_are() {
    let names: Vec<AgentName> = (0..500).map(|n| format!("agent-{n}").parse().expect("a name")).collect();
    let text = instructions(None, names.iter());
    assert!(text.len() <= INSTRUCTIONS_CHARS, "{} characters", text.len());
    assert!(text.contains("Agents: agent-0, agent-1, "));
}
