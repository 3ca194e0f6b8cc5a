//! Noting what gets away from an agent, for the process that recovers the job should this supervisor be killed.

use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::{JOB_VARIABLE, ancestry};
use crate::model::JobId;
use crate::os::{self, Footprint, Identity};
use crate::store::{MOST_STRAYS, Notes};

/// How often is looked for them: more often than is looked at the agent's output would be in vain.
const EVERY: Duration = Duration::from_millis(250);

/// The processes that left the agent's session and do not carry the job's mark: orphans that this process adopted, and
/// that could not be told from others once it is gone.
pub(super) struct Strays {
    agent: Pid,
    job: String,
    noted: Vec<Identity>,
    looked: Instant,
}

impl Strays {
    /// Of an agent that has just been started.
    pub(super) fn new(agent: Pid, job: JobId, notes: &Notes) -> Self {
        if let Some(footprint) = Footprint::of(agent) {
            notes.agent(&footprint);
        }
        Self { agent, job: job.to_string(), noted: Vec::new(), looked: Instant::now() }
    }

    /// Notes what is there now.
    pub(super) fn look(&mut self, notes: &Notes) {
        if self.looked.elapsed() < EVERY {
            return;
        }
        self.looked = Instant::now();
        let found = os::strays(self.agent, JOB_VARIABLE, &self.job, MOST_STRAYS);
        // Supervisors of other jobs are orphans as well, and nothing that this job has to end.
        let found = found.iter().filter(|process| !ancestry::has_arguments_of_supervisor(process));
        let found: Vec<Identity> = found
            .map(|process| Identity { pid: process.pid.as_raw_pid(), started: process.started })
            .collect();
        if found != self.noted {
            notes.strays(&found);
            self.noted = found;
        }
    }
}
