//! The names of the tools, and what a client has to be allowed to do to use each.

/// What a client has to be allowed to do for a request to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// To be connected: the request is about the protocol only.
    Connect,
    /// To see agents and jobs.
    Look,
    /// To start and stop jobs.
    Act,
    /// To delete jobs, whose ever they are.
    Delete,
    /// To change agents.
    Configure,
}

/// The tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Dispatch,
    DispatchParallel,
    DispatchDialogue,
    DispatchResult,
    DispatchJobs,
    DispatchCancel,
    DispatchGc,
    ListAgents,
    ConfigureAgent,
}

/// All tools, in the order in which they are listed.
pub(super) const ALL: [Name; 9] = [
    Name::Dispatch,
    Name::DispatchParallel,
    Name::DispatchDialogue,
    Name::DispatchResult,
    Name::DispatchJobs,
    Name::DispatchCancel,
    Name::DispatchGc,
    Name::ListAgents,
    Name::ConfigureAgent,
];

impl Name {
    /// The tool of this name. Whether a client may use it is decided at the door.
    pub(super) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|tool| tool.as_str() == name)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::DispatchParallel => "dispatch_parallel",
            Self::DispatchDialogue => "dispatch_dialogue",
            Self::DispatchResult => "dispatch_result",
            Self::DispatchJobs => "dispatch_jobs",
            Self::DispatchCancel => "dispatch_cancel",
            Self::DispatchGc => "dispatch_gc",
            Self::ListAgents => "list_agents",
            Self::ConfigureAgent => "configure_agent",
        }
    }

    /// What a client has to be allowed to do to use it.
    pub(super) fn need(self) -> Need {
        match self {
            Self::DispatchResult | Self::DispatchJobs | Self::ListAgents => Need::Look,
            Self::Dispatch | Self::DispatchParallel | Self::DispatchDialogue | Self::DispatchCancel => {
                Need::Act
            }
            Self::DispatchGc => Need::Delete,
            Self::ConfigureAgent => Need::Configure,
        }
    }
}

impl Need {
    /// What a request of this method needs, and of this tool if it calls one. `None` for what is not offered: a method
    /// that is not named here is refused.
    pub(super) fn of(method: &str, tool: Option<&str>) -> Option<Self> {
        Some(match method {
            "initialize" | "ping" | "server/discover" | "tools/list" => Self::Connect,
            "tools/call" => Name::named(tool?)?.need(),
            "tasks/get" => Self::Look,
            "tasks/cancel" => Self::Act,
            _ => return None,
        })
    }
}
