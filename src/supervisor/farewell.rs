//! The end of the first process of a namespace, with which everything else in there is killed.

use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::ancestry;
use crate::os::{self, SignalWatch};

/// How long supervisors are waited for: the command after a job's end has a minute.
const PATIENCE: Duration = Duration::from_secs(70);

/// How often they are looked for.
const LOOK: Duration = Duration::from_millis(20);

/// How often in a row none must be there: a list that changes while it is read can lack one.
const LOOKS: u32 = 3;

/// Waits, if this is the first process of its namespace, for the supervisors of jobs that are finished: these may still
/// run what is to be run after a job's end. `tell` is called when the wait is long. A signal ends it.
///
/// Returns how many supervisors of jobs that are not finished will be killed.
pub fn see_off(tell: impl FnOnce()) -> usize {
    if !os::is_first_process() {
        return 0;
    }
    wait_for_the_finished(tell);
    os::living_children().iter().filter(|process| ancestry::is_supervisor(process)).count()
}

fn wait_for_the_finished(tell: impl FnOnce()) {
    let supervises_finished_job = |process: &os::Process| ancestry::finished_job(process).is_some();
    let is_needed = || os::living_children().iter().any(supervises_finished_job);
    let end = Instant::now() + PATIENCE;
    // Most have nothing more to do and are gone in a moment.
    let told = Instant::now() + Duration::from_secs(1);
    let mut tell = Some(tell);
    // What would end another process is ignored by the first one unless it says something else.
    let Ok(signals) = SignalWatch::new(&[SIGINT, SIGTERM, SIGHUP]) else { return };
    let mut clean_looks = 0;
    while Instant::now() < end {
        clean_looks = if is_needed() { 0 } else { clean_looks + 1 };
        if clean_looks == LOOKS {
            return;
        }
        if clean_looks == 0
            && Instant::now() >= told
            && let Some(tell) = tell.take()
        {
            tell();
        }
        os::wait_readable(&[signals.descriptor()], LOOK);
        if !signals.take().is_empty() {
            return;
        }
    }
}
