use super::*;
use crate::config::AgentName;

fn member(agent: &AgentName, use_for: &str) -> MemberArg {
    MemberArg(Member { agent: agent.clone(), use_for: use_for.to_owned() })
}

#[test]
fn a_member_is_an_agent_and_what_to_use_it_for() {
    let api: AgentName = "api".parse().unwrap();
    assert_eq!("api".parse(), Ok(member(&api, "")));
    assert_eq!("api = routes=all ".parse(), Ok(member(&api, "routes=all")));
    assert!("=x".parse::<MemberArg>().is_err());
}
