//! Claude Code: `claude -p`.

mod causes;
mod command_line;
mod finder;
mod health;
mod home;
mod installation;
mod large;
mod login;
mod mcp_client;
mod profile;
mod prompt;
mod sessions;
mod stream;
mod surrogates;
mod tasks;
mod tool_summary;
mod transcript;
mod verdict;
mod watch;

use crate::backend::{
    Assignment, Backend, CommandLine, Decoder, Environment, Evidence, Examination, McpClient, Profile,
    Program, RefusedArgument, SessionId, SessionSearch, Surroundings, Watch,
};
use crate::store::{JobResult, Record};

/// The backend.
pub const CLAUDE: &dyn Backend = &Claude;

/// Claude Code.
#[derive(Debug)]
struct Claude;

impl Program for Claude {
    fn decoder(&self, limit: usize) -> Box<dyn Decoder> {
        Box::new(stream::Decoder::new(limit))
    }

    fn watch(&self) -> Option<Box<dyn Watch>> {
        Some(Box::<watch::Watch>::default())
    }

    // It answers an interrupt with its costs and its session, in under 250 ms: the default farewell.

    fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        verdict::conclude(record, evidence)
    }
}

impl Backend for Claude {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn command_line(&self, assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
        command_line::command_line(assignment)
    }

    fn prompt(&self, prompt: &str) -> String {
        prompt::safe_prompt(prompt)
    }

    fn session_id(&self, id: &str) -> Result<SessionId, RefusedArgument> {
        SessionId::uuid(id)
    }

    fn find_session(&self, session: &SessionId, environment: Environment<'_>) -> SessionSearch {
        sessions::find(session, environment)
    }

    fn examine<'a>(&self, surroundings: Surroundings<'a>) -> Option<Box<dyn Examination + 'a>> {
        Some(Box::new(health::ClaudeExamination::new(surroundings)))
    }

    fn mcp_client<'a>(&self, surroundings: Surroundings<'a>) -> Option<Box<dyn McpClient + 'a>> {
        Some(Box::new(mcp_client::ClaudeClient::new(surroundings)))
    }
}
