//! Jobs on disk.

mod id;
mod record;
mod result;

pub use id::{InvalidJobId, InvalidJobSelector, JobId, JobSelector};
pub use record::{FORMAT, Finished, Launch, Record, State, Status, UnixSeconds, Verdict};
pub use result::{ErrorType, JobResult, Outcome};
