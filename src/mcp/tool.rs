//! The tools: a row each.

use rmcp::model::JsonObject;

use super::inputs;

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

/// All that a client learns of a tool, and what it needs. Every byte of it is in a model's context.
pub(super) struct ToolSpec {
    pub(super) name: Name,
    /// The name in the protocol.
    pub(super) word: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// What a client has to be allowed to do to use it.
    pub(super) need: Need,
    pub(super) effect: Effect,
    /// The JSON Schema of its arguments.
    pub(super) input: fn() -> JsonObject,
    pub(super) output: Output,
    /// Whether a client should show it to a model that has not asked for it.
    pub(super) is_always_loaded: bool,
}

/// What a tool does to the world, as clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    Looks,
    /// It starts agents, which do anything.
    Starts,
    /// It stops or deletes.
    Removes,
    /// It changes the config.
    Changes,
}

/// What a tool answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Job,
    Jobs,
    Object,
}

/// All tools, in the order in which they are listed.
pub(super) static TOOLS: [ToolSpec; 9] = [
    ToolSpec {
        name: Name::Dispatch,
        word: "dispatch",
        title: "Dispatch a task",
        description: "Hand a task to an agent in another project directory and get its answer. If it takes longer than \
                      wait_seconds the answer is status running and a job_id for dispatch_result; the job goes on.",
        need: Need::Act,
        effect: Effect::Starts,
        input: inputs::dispatch,
        output: Output::Job,
        is_always_loaded: true,
    },
    ToolSpec {
        name: Name::DispatchParallel,
        word: "dispatch_parallel",
        title: "Dispatch several tasks",
        description: "Hand tasks to several agents at once. Nothing starts unless all are valid. aggregate names an agent \
                      that gets all answers and sums them up.",
        need: Need::Act,
        effect: Effect::Starts,
        input: inputs::parallel,
        output: Output::Jobs,
        is_always_loaded: false,
    },
    ToolSpec {
        name: Name::DispatchDialogue,
        word: "dispatch_dialogue",
        title: "Let two agents talk",
        description: "Two agents work out a topic in turns until they call it resolved.",
        need: Need::Act,
        effect: Effect::Starts,
        input: inputs::dialogue,
        output: Output::Job,
        is_always_loaded: false,
    },
    ToolSpec {
        name: Name::DispatchResult,
        word: "dispatch_result",
        title: "Get a job's result",
        description: "Wait for a job and get its answer, or a later part of it (offset). One job a call; several calls can wait \
                      at once.",
        need: Need::Look,
        effect: Effect::Looks,
        input: inputs::result,
        output: Output::Job,
        is_always_loaded: true,
    },
    ToolSpec {
        name: Name::DispatchJobs,
        word: "dispatch_jobs",
        title: "List jobs",
        description: "The newest jobs.",
        need: Need::Look,
        effect: Effect::Looks,
        input: inputs::jobs,
        output: Output::Jobs,
        is_always_loaded: false,
    },
    ToolSpec {
        name: Name::DispatchCancel,
        word: "dispatch_cancel",
        title: "Stop a job",
        description: "Stop a job and all jobs it led to. Its session can be resumed.",
        need: Need::Act,
        effect: Effect::Removes,
        input: inputs::cancel,
        output: Output::Job,
        is_always_loaded: false,
    },
    ToolSpec {
        name: Name::DispatchGc,
        word: "dispatch_gc",
        title: "Delete old jobs",
        description: "Delete jobs that ended more than max_age_days ago.",
        need: Need::Delete,
        effect: Effect::Removes,
        input: inputs::gc,
        output: Output::Object,
        is_always_loaded: false,
    },
    ToolSpec {
        name: Name::ListAgents,
        word: "list_agents",
        title: "List agents",
        description: "The agents and what they know, can do, usually take and cost. name: one in full.",
        need: Need::Look,
        effect: Effect::Looks,
        input: inputs::agents,
        output: Output::Object,
        is_always_loaded: false,
    },
    ToolSpec {
        name: Name::ConfigureAgent,
        word: "configure_agent",
        title: "Change an agent",
        description: "Add, update or remove an agent. unset: fields to remove.",
        need: Need::Configure,
        effect: Effect::Changes,
        input: inputs::configure,
        output: Output::Object,
        is_always_loaded: false,
    },
];

impl Name {
    /// The tool of this name. Whether a client may use it is decided at the door.
    pub(super) fn named(name: &str) -> Option<Self> {
        TOOLS.iter().find(|tool| tool.word == name).map(|tool| tool.name)
    }

    pub(super) fn as_str(self) -> &'static str {
        self.spec().word
    }

    /// What a client has to be allowed to do to use it.
    pub(super) fn need(self) -> Need {
        self.spec().need
    }

    pub(super) fn spec(self) -> &'static ToolSpec {
        // The rows stand in the order of the names, which a test holds.
        &TOOLS[self as usize]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_stand_in_the_order_of_the_names() {
        assert!(TOOLS.iter().all(|tool| tool.name.spec().word == tool.word));
    }
}
