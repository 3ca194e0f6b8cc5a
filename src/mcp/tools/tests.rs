use super::*;

fn everything() -> Authority {
    Authority { allow_configure: true, ..Authority::default() }
}

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
        |authority: &Authority| -> Vec<&'static str> { Name::offered(authority).map(Name::as_str).collect() };
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
    let text = instructions(&everything(), None, names.iter());
    assert!(text.len() <= INSTRUCTIONS_CHARS, "{} characters", text.len());
    assert!(text.contains("Agents: agent-0, agent-1, "));
}

#[test]
fn instructions_name_no_tool_that_is_not_offered() {
    let read_only = Authority { read_only: true, ..Authority::default() };
    let scoped = Authority { agents: Some(Vec::new()), ..Authority::default() };
    for authority in [Authority::default(), read_only, scoped, everything()] {
        let text = instructions(&authority, None, std::iter::empty());
        let named = |tool: &Name| {
            let mut words = text.split(|c: char| !(c.is_ascii_alphabetic() || c == '_'));
            words.any(|word| word == tool.as_str())
        };
        let hidden: Vec<Name> =
            ALL.into_iter().filter(|tool| named(tool) && !authority.grants(tool.need())).collect();
        assert_eq!(hidden, [], "{authority:?}: {text}");
        assert_eq!(named(&Name::ConfigureAgent), authority.allow_configure);
        assert_eq!(text.contains("Dispatch"), !authority.read_only);
    }
}
