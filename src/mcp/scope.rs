//! What a record tells a client that may know of some agents only.
//!
//! That a job of another agent is not there is decided where jobs are looked up. Here is what a job of an agent that is
//! there says about the others.

use std::collections::HashSet;

use crate::config::{AgentName, Config};
use crate::engine::{DIALOGUE_SIGN, Jobs};
use crate::model::JobId;
use crate::store::{Record, State};

/// In the place of a task that another agent wrote.
const FOREIGN_TASK: &str = "(not shown: it comes from an agent that this server is not for)";

/// In the place of an error that tells about other jobs.
const FOREIGN_ERROR: &str = "a job that it waited for has no answer";

/// In the place of an id.
const FOREIGN_JOB: &str = "of another agent";

/// The agents that a client may know of, and those that there are besides.
#[derive(Debug)]
pub(super) struct Scope(Option<Limited>);

#[derive(Debug)]
struct Limited {
    shown: HashSet<String>,
    hidden: HashSet<String>,
}

impl Scope {
    /// Nothing is hidden.
    pub(super) fn everything() -> Self {
        Self(None)
    }

    /// Only these agents are shown.
    pub(super) fn of(agents: &[AgentName], config: &Config) -> Self {
        let shown: HashSet<String> = agents.iter().map(ToString::to_string).collect();
        let others = config.agents.keys().map(ToString::to_string).filter(|name| !shown.contains(name));
        Self(Some(Limited { hidden: others.collect(), shown }))
    }

    /// The record without what it says about agents and jobs that are not shown. What agents and people wrote stays as
    /// it is, but for the task that another agent gave.
    pub(super) fn limit(&self, mut record: Record, jobs: &dyn Jobs) -> Record {
        let Some(limited) = &self.0 else { return record };
        // A turn of a dialogue is given to each agent in the name of the other one.
        if record.caller.as_ref().is_some_and(|caller| limited.hidden.contains(caller)) {
            record.caller = None;
            FOREIGN_TASK.clone_into(&mut record.task);
        }
        let waited_in_vain = record.started_at().is_none()
            && record.launch.after.iter().any(|job| limited.hides_job(*job, jobs));
        if let State::Finished(finished) = &mut record.state {
            let result = finished.result.as_mut().and_then(|result| result.error.as_mut());
            for error in result.into_iter().chain(&mut finished.error) {
                *error = match waited_in_vain {
                    true => FOREIGN_ERROR.to_owned(),
                    false => limited.without_jobs(error, jobs),
                };
            }
            if let Some(result) = &mut finished.result {
                let named = serde_json::to_string(&(&result.remedy, &result.hint)).unwrap_or_default();
                // What is to be done about another agent's job is not for this client.
                if limited.without_jobs(&named, jobs) != named {
                    (result.remedy, result.hint) = (None, None);
                }
            }
        }
        record
    }
}

impl Limited {
    fn hides_job(&self, job: JobId, jobs: &dyn Jobs) -> bool {
        let shows = |agent: &str| agent.split(DIALOGUE_SIGN).all(|agent| self.shown.contains(agent));
        jobs.glance(job).is_some_and(|record| !shows(&record.agent))
    }

    /// The text without the ids of jobs that are not shown.
    fn without_jobs(&self, text: &str, jobs: &dyn Jobs) -> String {
        let foreign = |word: &&str| word.parse().is_ok_and(|job| self.hides_job(job, jobs));
        let words: HashSet<&str> = text.split(|c: char| !c.is_ascii_hexdigit()).collect();
        words.into_iter().filter(foreign).fold(text.to_owned(), |text, id| text.replace(id, FOREIGN_JOB))
    }
}
