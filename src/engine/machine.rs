//! Read-only diagnostics: running instances of this program, and facts about the host. Used by `doctor`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::JobId;
use crate::os::{self, Description, Program};
use crate::supervisor::{ENTRY, JOB_VARIABLE};

pub use crate::os::{file_system, in_short_lived_namespace as is_short_lived_sandbox, umask};

/// A running copy of this program that serves others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its process.
    pub pid: i32,
    /// What it does.
    pub role: Role,
    /// Which file it runs.
    pub binary: Binary,
    /// How long ago it started.
    pub age: Option<Duration>,
    /// Whether it does nothing now because it was stopped (SIGSTOP) or frozen.
    pub suspended: bool,
}

/// What a copy of this program does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It looks after a job.
    Supervisor {
        /// The job.
        job: JobId,
        /// Where its record is.
        jobs: PathBuf,
    },
    /// It serves an MCP client.
    McpServer,
}

/// Which file a process runs, as seen from this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binary {
    /// The same as this process.
    This,
    /// Another file.
    Other(PathBuf),
    /// One that has been deleted or replaced since, by an upgrade as a rule.
    Gone(PathBuf),
    /// The platform does not tell.
    Unknown,
}

/// A process that an agent has started, or is: it carries its job's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The process.
    pub pid: i32,
    /// The job.
    pub job: JobId,
    /// What it was started with, for people.
    pub command: String,
}

/// The other copies of this program among this user's processes, and the processes that carry the mark of a job but
/// did not lead to this one.
pub fn census() -> (Vec<Copy>, Vec<Marked>) {
    let this = os::own_program();
    let me = rustix::process::getpid().as_raw_pid();
    let ancestors: Vec<i32> = os::ancestors().iter().map(|process| process.pid.as_raw_pid()).collect();
    let mut copies = Vec::new();
    let mut marked = Vec::new();
    for process in os::processes_of_this_user(JOB_VARIABLE) {
        if process.pid == me {
            continue;
        }
        if let Some(role) = role_of(&process.arguments) {
            let binary = binary_of(process.program.as_ref(), this.as_ref());
            let suspended = os::is_suspended(process.pid);
            copies.push(Copy { pid: process.pid, role, binary, age: process.age, suspended });
        } else if !ancestors.contains(&process.pid)
            && let Some(job) = process.variable.as_deref().and_then(|id| id.parse().ok())
        {
            marked.push(Marked { pid: process.pid, job, command: command_of(&process) });
        }
    }
    (copies, marked)
}

/// What a process with these arguments does, if it is a copy of this program that serves others.
fn role_of(arguments: &[Vec<u8>]) -> Option<Role> {
    use std::os::unix::ffi::OsStrExt;
    let (program, rest) = arguments.split_first()?;
    if !program.ends_with(env!("CARGO_PKG_NAME").as_bytes()) {
        return None;
    }
    if let [entry, jobs, id, ..] = rest
        && entry == ENTRY.as_bytes()
    {
        let job = std::str::from_utf8(id).ok()?.parse().ok()?;
        let jobs = Path::new(std::ffi::OsStr::from_bytes(jobs)).to_owned();
        return Some(Role::Supervisor { job, jobs });
    }
    rest.iter().any(|word| matches!(word.as_slice(), b"serve-mcp" | b"serve")).then_some(Role::McpServer)
}

fn binary_of(program: Option<&Program>, this: Option<&Program>) -> Binary {
    let (Some(program), Some(this)) = (program, this) else { return Binary::Unknown };
    if program.is_same_file(this) {
        Binary::This
    } else if program.is_gone {
        Binary::Gone(program.path.clone())
    } else {
        Binary::Other(program.path.clone())
    }
}

fn command_of(process: &Description) -> String {
    let words: Vec<_> = process.arguments.iter().map(|word| String::from_utf8_lossy(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(line: &str) -> Option<Role> {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        role_of(&words)
    }

    #[test]
    fn a_copy_is_told_by_what_it_was_started_with() {
        let id = JobId::generate();
        let supervisor = role(&format!("agent-dispatch __supervise /jobs {id} 3 4 5 6"));
        assert_eq!(supervisor, Some(Role::Supervisor { job: id, jobs: "/jobs".into() }));
        assert_eq!(role("/usr/bin/agent-dispatch --config x serve-mcp"), Some(Role::McpServer));
        for other in ["agent-dispatch run a b", "vim serve-mcp", "agent-dispatch __supervise /jobs x"] {
            assert_eq!(role(other), None, "{other}");
        }
    }
}
