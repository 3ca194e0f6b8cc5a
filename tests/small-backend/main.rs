//! agent-dispatch with one more backend, as the shortest example of one: all that is needed is in this file.
//!
//! Its program, `small-agent`, takes the task on standard input and writes a line for each thing that happens: a word that
//! says what, and a text. It makes up the ids of its sessions.

use std::borrow::Cow;
use std::process::ExitCode;

use agent_dispatch::backend::{
    Assignment, Backend, Backends, CLAUDE, COMMAND, CommandLine, Decoder, Event, EventKind, Evidence,
    Executable, Installation, Profile, Program, RefusedArgument, Session, Sessions, Started, Takes,
    TurnResult, conclude_by_events,
};
use agent_dispatch::store::{JobResult, Record};

fn main() -> ExitCode {
    agent_dispatch::run_with(Backends::new(CLAUDE, &[COMMAND, &Small]))
}

/// The backend.
#[derive(Debug)]
struct Small;

const PROFILE: Profile = Profile {
    executable: Executable::Named {
        program: "small-agent",
        installation: Installation { title: "Small", command: "small-install", login: "small-login" },
    },
    sessions: Sessions::Assigned,
    takes: Takes { model: true, ..Takes::NOTHING },
    permission_modes: &["careful", "bold"],
    ..Profile::plain("small", "a small agent CLI", "An agent CLI of a few lines")
};

impl Backend for Small {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn command_line(&self, assignment: &Assignment<'_>) -> Result<CommandLine, RefusedArgument> {
        let mut line = CommandLine::of(assignment.program);
        if let Session::Resume(id) = assignment.session {
            line.option("--resume", "session id", id.as_str())?;
        }
        if let Some(model) = assignment.model {
            line.option("--model", "model", model)?;
        }
        if let Some(mode) = assignment.permission_mode {
            line.option("--mode", "permission mode", mode)?;
        }
        Ok(line)
    }
}

impl Program for Small {
    fn decoder(&self, _limit: usize) -> Box<dyn Decoder> {
        Box::<Lines>::default()
    }

    fn conclude(&self, record: &Record, evidence: &Evidence<'_>) -> JobResult {
        conclude_by_events(self, record, evidence)
    }
}

/// The lines of its output, and what of them belongs to the result.
#[derive(Debug, Default)]
struct Lines {
    turn: TurnResult,
}

impl Decoder for Lines {
    fn line(&mut self, line: Cow<'_, str>, deliver: &mut dyn FnMut(Event)) {
        let (word, text) = line.split_once(' ').unwrap_or((&line, ""));
        let text = text.to_owned();
        deliver(Event::from(match word {
            "session" => EventKind::Started(Started { session_id: Some(text), ..Started::default() }),
            "says" => EventKind::Text { text },
            "denied" => {
                self.turn.denied_tools.push(text.clone());
                EventKind::ToolResult { is_error: true, text }
            }
            "cost" => return self.turn.cost_usd = text.parse().ok(),
            "answer" | "error" => {
                let (result, is_error) = (Some(text), word == "error");
                let turn = std::mem::take(&mut self.turn);
                EventKind::Result(Box::new(TurnResult { result, is_error, ..turn }))
            }
            _ => EventKind::Unparsed { text: line.into_owned() },
        }));
    }
}
