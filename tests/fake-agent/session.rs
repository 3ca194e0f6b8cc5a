//! Conversations, kept in the home directory as claude keeps its transcripts: an id is used once, resumed in the
//! same directory only, and its cost adds up over all its runs.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::arguments::Arguments;

/// The conversation of this run.
pub(crate) struct Session {
    pub(crate) id: String,
    /// How many runs it has had, this one included.
    pub(crate) turn: u32,
    /// What the runs before this one cost together, in US dollars.
    pub(crate) spent: f64,
    pub(crate) file: Option<PathBuf>,
}

impl Session {
    /// Starts or resumes; the error is what claude says on stderr.
    pub(crate) fn open(arguments: &Arguments, cwd: &str) -> Result<Self, String> {
        let directory = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".fake-agent/sessions"));
        let file = |id: &str| directory.as_ref().map(|directory| directory.join(id));
        let mut session = Self { id: String::new(), turn: 1, spent: 0.0, file: None };
        if let Some(resumed) = &arguments.resume {
            let known = file(resumed).and_then(|path| fs::read(path).ok());
            let known: Option<Value> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let Some(known) = known.filter(|known| known["cwd"] == cwd) else {
                return Err(format!("No conversation found with session ID: {resumed}"));
            };
            session.turn = 1 + known["turns"].as_u64().unwrap_or(0) as u32;
            session.spent = known["cost"].as_f64().unwrap_or(0.0);
            session.id.clone_from(resumed);
            if arguments.fork_session {
                session.id = arguments.session_id.clone().unwrap_or_else(fresh_id);
            }
        } else {
            session.id = arguments.session_id.clone().unwrap_or_else(fresh_id);
        }
        session.file = file(&session.id);
        if arguments.resume.is_none() && session.file.as_ref().is_some_and(|file| file.exists()) {
            return Err(in_use(&session.id));
        }
        session.save(cwd, 0.0);
        Ok(session)
    }

    /// Remembers this run and its cost.
    pub(crate) fn save(&self, cwd: &str, cost: f64) {
        if let Some(file) = &self.file {
            let content = json!({"cwd": cwd, "turns": self.turn, "cost": self.spent + cost});
            // A home that cannot be written is a session that cannot be resumed, as with claude.
            let _ = file.parent().map(fs::create_dir_all);
            let _ = fs::write(file, content.to_string());
        }
    }
}

/// claude's complaint about an id that has had its run.
pub(crate) fn in_use(id: &str) -> String {
    format!("Error: Session ID {id} is already in use.")
}

fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
