//! Suggestions for names that do not exist.

use super::refused::Refused;
use super::server_state::ServerState;
use crate::config::{AgentName, Config};
use crate::engine::DispatchError;
use crate::model::Remedy;

/// How long a list of names in a refusal may be, in characters.
const NAMES_CHARS: usize = 500;

/// As many of the names as there is room for, on one line.
pub(super) fn as_many_as_fit<'a>(names: impl Iterator<Item = &'a str>, room: usize) -> String {
    let mut line = String::new();
    for name in names {
        let fits = line.len() + name.len() <= room;
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(if fits { name } else { "…" });
        if !fits {
            break;
        }
    }
    line
}

/// Says that there is no such agent, and which there are.
pub(super) fn no_such_agent(
    state: &ServerState,
    config: &Config,
    error: &DispatchError,
    nearest: Option<&AgentName>,
) -> Refused {
    let meant = nearest.map(|nearest| format!("Did you mean {nearest}? ")).unwrap_or_default();
    let names = as_many_as_fit(state.agents(config).map(|(name, _)| name.as_str()), NAMES_CHARS);
    if names.is_empty() {
        return Refused::with_remedy(format_args!("{error}: there are no agents"), Remedy::AddAgent {});
    }
    Refused::with_advice(error, format_args!("{meant}The agents are {names}; list_agents tells about them"))
}
