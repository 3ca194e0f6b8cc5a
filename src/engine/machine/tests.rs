use super::*;

fn role(line: &str) -> Option<Role> {
    let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    role_of(&words)
}

#[test]
fn a_copy_is_told_by_what_it_was_started_with() {
    let id = JobId::generate();
    let supervisor = role(&format!("agent-dispatch __supervise /jobs {id} 3 4 5 6"));
    assert_eq!(supervisor, Some(Role::Supervisor { job: id, jobs: "/jobs".into() }));
    assert_eq!(role("/usr/bin/agent-dispatch --config x serve-mcp"), Some(Role::McpServer));
    for other in ["agent-dispatch run a b", "vim serve-mcp", "agent-dispatch __supervise /jobs x"] {
        assert_eq!(role(other), None, "{other}");
    }
}
