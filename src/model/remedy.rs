//! What would help after a failure, as data: a layer that knows it names it, and the face that shows it words it.
//!
//! No variant holds a command of this program or the name of a tool. [`crate::remedy`] makes commands for a shell of
//! them, and the MCP server calls of the tools that its client has. As JSON: `{"action": …, "arguments": {…}}`.

#![expect(
    missing_docs,
    reason = "the fields of a remedy are named as the arguments that other programs read"
)]

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{BudgetUsd, JobId, Timeout};

/// What would help.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", content = "arguments", rename_all = "snake_case")]
pub enum Remedy {
    /// Go on in the session of a job.
    Resume {
        job_id: JobId,
        agent: String,
        #[serde(flatten)]
        terms: Terms,
    },
    /// Make the request of a job again, in a new session.
    Retry {
        job_id: JobId,
        agent: String,
        #[serde(flatten)]
        terms: Terms,
    },
    /// Do something, but not before an obstacle outside of this program is gone.
    TryLater { obstacle: Obstacle, then: Box<Self> },
    /// Have less written to the output: into a file, or with a higher limit.
    ShortenOutput {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        then: Option<Box<Self>>,
    },
    /// Have a dialogue again, or go on with one of its agents in the session of the last turn.
    RepeatDialogue {
        /// The words of the command, as far as the record tells.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        command: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_turn: Option<JobId>,
    },
    /// Start a job.
    StartJob {},
    /// Dispatch so that the job does not end with its caller.
    StartInBackground { agent: String },

    /// Dispatch without a session to go on with.
    StartNewSession {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<String>,
    },
    /// Let the run that uses the session finish, or use a new one.
    WaitForSession {},
    /// Dispatch to the agent that the session belongs to.
    ContinueSession { agent: String, session_id: String },
    /// Look up the id of a session.
    FindSession {},

    /// Say what is to be done.
    GiveTask {},
    /// Ask for less, or without what the session remembers.
    ShortenTask {},
    /// Put what the task is about into a file.
    PassAsFile {},
    /// Put the request right.
    CorrectRequest { how: String },
    /// Read how a command is called.
    ReadHelp { command: Vec<String> },
    /// Work with what is known, or raise the setting that limits dispatches within dispatches.
    AnswerHere { setting: String },
    /// Give the variable that says how deep a dispatch is its value back.
    RestoreDepth {},

    /// List the jobs there are.
    ListJobs {},
    /// Write more of a job's id.
    NameJob {},
    /// Look at a job.
    ShowJob { job_id: JobId },
    /// Get the answer of a job that is recorded, whatever could not be printed.
    ReadAnswer { job_id: JobId, wait: bool },
    /// Wait for the answer of a job.
    AwaitAnswer { job_id: JobId },
    /// Look into what a job's agent wrote.
    ReadOutput { job_id: JobId },
    /// Wait for jobs.
    WaitForJobs { job_ids: Vec<JobId> },
    /// Watch jobs without a screen.
    ListOrWait {},
    /// Stop jobs.
    CancelJobs { job_ids: Vec<JobId> },
    /// Wait for the job that has what this one needs, or queue for it.
    WaitForTurn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holder: Option<JobId>,
    },
    /// Let pending jobs finish.
    WaitForQueue {},
    /// Delete old jobs, to have space.
    FreeSpace {},
    /// Say which jobs are to be deleted.
    ChooseAge {},

    /// Name an agent that there is.
    ChooseAgent {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nearest: Option<String>,
    },
    /// Name a group that there is.
    ChooseGroup {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nearest: Option<String>,
    },
    /// Name a member of a group.
    ChooseMember {},
    /// Add an agent.
    AddAgent {},
    /// Make an agent a member of a group.
    AddMember { group: String, agent: String },
    /// Change an agent.
    UpdateAgent {
        agent: String,
        #[serde(flatten)]
        change: AgentChange,
    },
    /// Give the agent another model, which the user has to choose.
    ChooseModel { agent: String },
    /// Change a group that there is already.
    UpdateGroup { group: String },
    /// Have the agent work in another directory, or remove it.
    MoveAgent { agent: String },
    /// Install the program of an agent.
    InstallProgram {
        agent: String,
        /// How, where the backend knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<String>,
    },
    /// Give the agent's program credentials or credit.
    Authenticate { how: String },

    /// Create the config.
    CreateConfig {},
    /// Name another config.
    ChooseConfig {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
    },
    /// Correct the config in an editor.
    EditConfig {
        path: PathBuf,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
    },
    /// Let the process that edits the config finish.
    WaitForEditor { lock: PathBuf },
    /// Name another directory for the jobs.
    ChooseJobsDirectory {},
    /// Give the user access to a file or a directory.
    GrantAccess { path: PathBuf, access: Access },
    /// Take from other users what would let them decide what this program does.
    CloseToOthers {
        /// Commands of the operating system, one after the other.
        commands: Vec<String>,
        /// The assignment of the variable that vouches for the path; absent when it cannot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vouch: Option<String>,
    },
    /// Create a directory.
    CreateDirectory { path: PathBuf },

    /// Run fewer agents at the same time.
    RunFewerAgents {},
    /// Raise the operating system's limit of how large a file may become.
    RaiseFileSizeLimit {},
    /// Run this program outside of a sandbox.
    LeaveSandbox {},
    /// Use the newer version of this program.
    UseNewerVersion {},
    /// Have the installation examined.
    Diagnose {},
}

/// What is to be different the next time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<Timeout>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<Timeout>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_budget_usd: Option<BudgetUsd>,
    /// What to say to the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
}

/// What stands in the way of a run, outside of this program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The account's limit, until its reset.
    AccountLimit,
    /// Too many requests in a short time.
    RateLimit,
    /// An API that does not answer.
    Outage {
        /// What to look at.
        check: String,
    },
}

/// The field of an agent to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentChange {
    /// Tools to allow beside those that are.
    AllowedTools(Vec<String>),
    /// A permission mode.
    PermissionMode(String),
    /// Another directory.
    Directory(PathBuf),
}

/// What a user has to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// To read a file.
    Read,
    /// To read and write a file.
    ReadWrite,
    /// To run a file.
    Execute,
    /// To enter a directory.
    Enter,
    /// To write into a directory.
    WriteInto,
    /// To have a directory to oneself.
    Private,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_remedy_is_read_as_it_is_written() {
        let mut actions = BTreeSet::new();
        for line in include_str!("remedies.jsonl").lines() {
            let written: Value = serde_json::from_str(line).unwrap();
            let remedy: Remedy = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(json!(remedy), written);
            actions.insert(written["action"].as_str().unwrap().to_owned());
        }
        // The only place that has them all is the refusal of another one.
        let refused =
            serde_json::from_str::<Remedy>(r#"{"action":"","arguments":{}}"#).unwrap_err().to_string();
        let known: BTreeSet<String> = refused
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|action| !action.is_empty())
            .map(str::to_owned)
            .collect();
        assert_eq!(actions, known, "each is in remedies.jsonl, which other tests put into words");
    }
}
