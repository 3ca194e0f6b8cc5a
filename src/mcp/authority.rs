//! What a client may do: the one place that decides it, for every request.

use super::tool::{Name, Need, TOOLS};
use crate::config::AgentName;
use crate::engine::is_of_only;

/// What a client may do.
#[derive(Debug, Clone, Default)]
pub struct Authority {
    /// The agents it may see and dispatch to; all of them when it is not said.
    pub agents: Option<Vec<AgentName>>,
    /// Whether it may only look.
    pub read_only: bool,
    /// Whether it may change agents.
    pub allow_configure: bool,
}

impl Authority {
    /// The tools a client may use.
    pub(super) fn tools(&self) -> impl Iterator<Item = Name> {
        TOOLS.iter().map(|tool| tool.name).filter(|tool| self.grants(tool.need()))
    }

    /// Whether a client may do what needs this.
    pub(super) fn grants(&self, need: Need) -> bool {
        match need {
            Need::Connect | Need::Look => true,
            Need::Act => !self.read_only,
            Need::Delete => !self.read_only && self.agents.is_none(),
            Need::Configure => !self.read_only && self.allow_configure,
        }
    }

    /// Whether a client may know of this agent, or of both that have a dialogue.
    pub(super) fn shows(&self, agent: &str) -> bool {
        self.agents.as_ref().is_none_or(|agents| is_of_only(agent, agents))
    }

    /// Whether a client may make a request of this method, and of this tool if it calls one.
    pub(super) fn admits(&self, method: &str, tool: Option<&str>) -> bool {
        Need::of(method, tool).is_some_and(|need| self.grants(need))
    }
}

#[cfg(test)]
mod tests {
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
}
