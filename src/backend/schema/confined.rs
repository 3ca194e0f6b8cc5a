//! The check in a process of its own.

use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check;
use crate::os::{Bounds, answer_confined, run_confined, this_program};

/// The first argument of the checking process. Internal: not a command for people.
pub const CHECK_ENTRY: &str = "__check";

/// What the checking process may use.
const BOUNDS: Bounds =
    Bounds { time: Duration::from_secs(2), memory_bytes: 512 * 1024 * 1024, output_bytes: 64 * 1024 * 1024 };

/// What is to be checked.
#[derive(Serialize, Deserialize)]
pub(super) enum Question {
    /// Whether a schema can be used.
    Schema { schema: Value },
    /// Whether an answer satisfies it.
    Answer { schema: Value, structured: Option<Value>, text: String },
}

/// The answer as data, if one was to be checked; or what is wrong.
pub(super) type Reply = Result<Option<Value>, String>;

impl Question {
    fn reply(self) -> Reply {
        match self {
            Self::Schema { schema } => check::usable(&schema).map(|()| None),
            Self::Answer { schema, structured, text } => check::parsed(&schema, structured, &text).map(Some),
        }
    }
}

/// Whether this process is the program that knows [`CHECK_ENTRY`], and not a test or another user of this library.
static IS_THE_PROGRAM: AtomicBool = AtomicBool::new(false);

/// From now on checks run in a process of their own: a copy of this program, which must know [`CHECK_ENTRY`].
pub fn confine_checks() {
    IS_THE_PROGRAM.store(true, Ordering::Relaxed);
}

/// Runs a check within its bounds.
///
/// # Errors
///
/// Why nothing is known, as a fragment.
pub(super) fn ask(question: &Question) -> Result<Reply, String> {
    let bytes = serde_json::to_vec(question).map_err(|error| error.to_string())?;
    if !IS_THE_PROGRAM.load(Ordering::Relaxed) {
        let question: Question = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        return Ok(question.reply());
    }
    let mut command = Command::new(this_program().map_err(|error| error.to_string())?);
    command.arg(CHECK_ENTRY).env_clear();
    let output = run_confined(command, bytes, BOUNDS).map_err(|error| error.to_string())?;
    let reply = output.and_then(|output| serde_json::from_slice(&output).ok());
    reply.ok_or_else(|| {
        let (seconds, megabytes) = (BOUNDS.time.as_secs(), BOUNDS.memory_bytes / 1024 / 1024);
        format!("the check takes more than {seconds} s or {megabytes} MB")
    })
}

/// The checking process: the question on standard input, the reply on standard output.
pub fn run_check() -> ExitCode {
    let answered = answer_confined(|question| {
        let question: Question = serde_json::from_slice(question).ok()?;
        serde_json::to_vec(&question.reply()).ok()
    });
    if answered { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
