use super::*;

#[test]
fn what_is_not_named_is_refused_whatever_a_client_may_do() {
    let everything = Authority { allow_configure: true, ..Authority::default() };
    for method in ["tasks/update", "tasks/list", "resources/read", "tools/call/", "Tasks/Cancel", ""] {
        assert!(!everything.admits(method, None), "{method}");
        assert!(!everything.admits(method, Some("dispatch")), "{method}");
    }
    for tool in [None, Some(""), Some("Dispatch"), Some("dispatch "), Some("tasks/cancel")] {
        assert!(!everything.admits("tools/call", tool), "{tool:?}");
    }
    assert!(everything.admits("tools/call", Some("dispatch")));
}

#[test]
fn only_looking_outweighs_what_else_is_allowed() {
    let looking = Authority { read_only: true, allow_configure: true, agents: None };
    let granted = |need: &Need| looking.grants(*need);
    let needs = [Need::Connect, Need::Look, Need::Act, Need::Delete, Need::Configure];
    assert_eq!(needs.into_iter().filter(granted).collect::<Vec<_>>(), [Need::Connect, Need::Look]);
}
