//! The life of one job, in a process of its own.
//!
//! The process that submits a job creates its record with the lock held, then starts this program again as the job's
//! supervisor and hands the locked descriptor on ([`start`]). The supervisor ([`enter`]) waits for its turn,
//! runs the agent, enforces the time limit and requests to stop, ends whatever the agent left running and
//! writes the outcome, exactly once. If it dies, the kernel kills the agent and frees the lock, and the process that
//! looks at the job next draws the conclusion ([`load_and_recover`]).

mod admission;
mod admission_rules;
mod ancestry;
mod dependencies;
mod entry;
mod farewell;
mod job;
mod launch_spec;
mod on_done;
mod place;
mod recover;
mod silence;
mod start;
mod stop_sources;
mod strays;
mod watch;

pub use admission_rules::AdmissionRules;
pub use ancestry::{call_off, enclosing_job, suspended_supervisor, wake};
pub use entry::enter;
pub use farewell::see_off;
pub use launch_spec::{LaunchSpec, journal_at};
pub use recover::load_and_recover;
pub use start::{OwnerPipe, Ownership, StartError, start};

/// The first argument of a supervisor. Internal: not a command for people.
pub const ENTRY: &str = "__supervise";

/// The environment variable that names the job an agent works on.
pub const JOB_VARIABLE: &str = "AGENT_DISPATCH_JOB";

/// The environment variable that tells how many dispatches deep an agent is.
pub const DEPTH_VARIABLE: &str = "AGENT_DISPATCH_DEPTH";
