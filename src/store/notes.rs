//! What a job's supervisor notes in the job's lock, for those who find the job without it.
//!
//! Each note has a line of its own and a fixed length, and all of them are written, blank, when the lock is signed:
//! a full disk takes what only replaces bytes that are there.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::os::{Footprint, Identity};

use super::{HeldJob, Store, StoreError, paths};
use crate::model::JobId;

/// The length of a line, its end included.
const LINE_BYTES: usize = 64;

/// The lines, in their order. Earlier versions wrote the first one only, and read no more than its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Supervisor,
    Halt,
    /// The run of the system, the session, and the agent's process.
    Agent,
    /// A descendant of the agent that got away from it. There are several such lines.
    Stray(usize),
}

/// How many strays have a line.
pub const MOST_STRAYS: usize = 12;

const LINES: usize = 3 + MOST_STRAYS;

impl Line {
    fn start(self) -> u64 {
        let number = match self {
            Self::Supervisor => 0,
            Self::Halt => 1,
            Self::Agent => 2,
            Self::Stray(number) => 3 + number,
        };
        (number * LINE_BYTES) as u64
    }
}

/// Why a job is to stop, where no file says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// It was cancelled.
    Cancelled,
    /// The process that it was tied to has ended.
    OwnerGone,
    /// Its supervisor was told to stop.
    SupervisorStopped,
    /// Its time limit passed.
    Timeout,
    /// Its agent was silent for too long.
    Silence,
    /// Its agent wrote more than it may.
    OutputLimit {
        /// How much that is.
        bytes: u64,
    },
}

impl Halt {
    const PLAIN: [Self; 5] =
        [Self::Cancelled, Self::OwnerGone, Self::SupervisorStopped, Self::Timeout, Self::Silence];

    fn text(self) -> String {
        let word = match self {
            Self::Cancelled => "cancelled",
            Self::OwnerGone => "owner-gone",
            Self::SupervisorStopped => "supervisor-stopped",
            Self::Timeout => "timeout",
            Self::Silence => "silence",
            Self::OutputLimit { bytes } => return format!("{OUTPUT_LIMIT}{bytes}"),
        };
        word.to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let limit = text.strip_prefix(OUTPUT_LIMIT).and_then(|bytes| bytes.parse().ok());
        let limit = limit.map(|bytes| Self::OutputLimit { bytes });
        limit.or_else(|| Self::PLAIN.into_iter().find(|halt| halt.text() == text))
    }
}

/// What a note of [`Halt::OutputLimit`] begins with.
const OUTPUT_LIMIT: &str = "output-limit ";

/// The notes of a job, for its supervisor to write.
#[derive(Debug)]
pub struct Notes(File);

impl Notes {
    /// Notes that the job is to stop. What cannot be noted is known to this process all the same.
    pub fn halt(&self, halt: Halt) {
        let _ = write(&self.0, Line::Halt, &halt.text());
    }

    /// Notes where the agent's process was started.
    pub fn agent(&self, agent: &Footprint) {
        let Footprint { boot, session, first, .. } = agent;
        let _ = write(&self.0, Line::Agent, &format!("{boot} {session} {}", identity(*first)));
    }

    /// Notes which processes got away from the agent, instead of those that were noted before.
    pub fn strays(&self, strays: &[Identity]) {
        for number in 0..MOST_STRAYS {
            let text = strays.get(number).copied().map(identity).unwrap_or_default();
            let _ = write(&self.0, Line::Stray(number), &text);
        }
    }
}

fn identity(process: Identity) -> String {
    format!("{} {}", process.pid, process.started)
}

fn identity_of<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Identity> {
    Some(Identity { pid: words.next()?.parse().ok()?, started: words.next()?.parse().ok()? })
}

impl Store {
    /// The notes of a job that is alive.
    pub fn notes(&self, id: JobId) -> Result<Notes, StoreError> {
        // Opened anew: a copy of the locked descriptor would keep the job alive.
        Ok(Notes(self.run.open_or_create_file(&paths::lock(id))?))
    }

    /// The supervisor's process id, as it wrote it. Informational: no proof of life.
    pub fn supervisor_pid(&self, id: JobId) -> Option<i32> {
        read(&self.open_lock(id).ok()??, Line::Supervisor)?.parse().ok()
    }
}

impl HeldJob<'_> {
    /// Leaves word of which process looks after the job now.
    pub fn write_pid(&self, pid: i32) -> io::Result<()> {
        let mut notes = format!("{pid:<width$}\n", width = LINE_BYTES - 1);
        notes.push_str(&blank().repeat(LINES - 1));
        self.lock.set_len(0)?;
        self.lock.write_all_at(notes.as_bytes(), 0)
    }

    /// Why the job was to stop, if its supervisor knew of a reason.
    pub fn halt(&self) -> Option<Halt> {
        Halt::from_text(&read(&self.lock, Line::Halt)?)
    }
}

impl HeldJob<'_> {
    /// Where to look for what the agent has left, if its supervisor noted that.
    pub fn footprint(&self) -> Option<Footprint> {
        let agent = read(&self.lock, Line::Agent)?;
        let mut words = agent.split(' ');
        let (boot, session) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        let first = identity_of(words)?;
        let strays = (0..MOST_STRAYS).map_while(|number| read(&self.lock, Line::Stray(number)));
        let strays = strays.filter_map(|text| identity_of(text.split(' '))).collect();
        Some(Footprint { boot, session, first, strays })
    }
}

fn blank() -> String {
    " ".repeat(LINE_BYTES - 1) + "\n"
}

fn write(lock: &File, line: Line, text: &str) -> io::Result<()> {
    let text = format!("{text:<width$}\n", width = LINE_BYTES - 1);
    lock.write_all_at(text.as_bytes(), line.start())
}

/// What the line says; `None` when nothing was noted.
fn read(lock: &File, line: Line) -> Option<String> {
    let mut bytes = [0; LINE_BYTES];
    let mut length = 0;
    while length < LINE_BYTES {
        match lock.read_at(&mut bytes[length..], line.start() + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    let text = std::str::from_utf8(&bytes[..length]).ok()?.lines().next()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Record;

    #[test]
    fn what_a_supervisor_notes_is_there_for_the_next_holder_of_the_job() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        let id = JobId::generate();
        let job = store.create(&Record::pending(id, "infra", "look", 1.0)).unwrap();
        assert_eq!((job.halt(), job.footprint(), store.supervisor_pid(id)), (None, None, None));
        job.write_pid(4_194_304).unwrap();
        assert_eq!((job.halt(), job.footprint(), store.supervisor_pid(id)), (None, None, Some(4_194_304)));
        let notes = store.notes(id).unwrap();
        let first = Identity { pid: 4_194_303, started: u64::MAX };
        let mut footprint = Footprint { boot: "0123abcd".into(), session: 7, first, strays: Vec::new() };
        notes.agent(&footprint);
        assert_eq!(job.footprint(), Some(footprint.clone()));
        footprint.strays = vec![first; MOST_STRAYS + 1];
        notes.strays(&footprint.strays);
        assert_eq!(job.footprint().unwrap().strays.len(), MOST_STRAYS);
        notes.strays(&footprint.strays[..2]);
        assert_eq!(job.footprint().unwrap().strays, [first, first]);
        for halt in Halt::PLAIN.into_iter().chain([Halt::OutputLimit { bytes: u64::MAX }]) {
            notes.halt(halt);
            assert_eq!(job.halt(), Some(halt));
        }
        assert_eq!(store.supervisor_pid(id), Some(4_194_304));
    }

    #[test]
    fn the_lock_of_an_earlier_version_has_no_notes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("jobs")).unwrap();
        let id = JobId::generate();
        let job = store.create(&Record::pending(id, "infra", "look", 1.0)).unwrap();
        job.lock.write_all_at(b"123\n", 0).unwrap();
        assert_eq!((job.halt(), job.footprint(), store.supervisor_pid(id)), (None, None, Some(123)));
    }
}
