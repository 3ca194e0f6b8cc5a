//! Orphans: processes that the kernel gives to this one when their parents end, because it is the first of its namespace
//! or was made the adopter of orphans before it was started. So every supervisor becomes the child of the process that started it
//! again, and in a container also of a server that did not. No process waits for these, so they would stay as zombies.

use std::collections::HashMap;
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions, getpid, waitpid};
use signal_hook::consts::SIGCHLD;

use super::processes;
use super::signals::{SignalWatch, wait_readable};

/// How long a dead child is left to a parent that may wait for it: one that has started it does so at once.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(5);

/// How long nothing is looked for after a look, however many children end.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// How often the dead are looked for after the last end of a child: a list that changes while it is read can lack one.
const LOOKS: u32 = 3;

/// How long a look is waited for when no child has ended.
const LONG: Duration = Duration::from_secs(3_600);

/// Whether this is the first process of its namespace. What else is in there is killed when it ends.
pub fn is_first_process() -> bool {
    cfg!(target_os = "linux") && getpid() == Pid::INIT
}

/// Whether orphans of this process's descendants become its children.
fn is_given_orphans() -> bool {
    #[cfg(target_os = "linux")]
    let adopts = rustix::process::child_subreaper().is_ok_and(|adopts| adopts.is_some());
    #[cfg(not(target_os = "linux"))]
    let adopts = false;
    adopts || is_first_process()
}

/// Buries from now on the orphans that this process is given, if it is given any. Children that it has started itself are
/// left to the parent that waits for them.
pub fn bury_orphans() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        // Where no thread can be started they stay as they are, which does no harm at once.
        if is_given_orphans()
            && let Ok(watch) = SignalWatch::new(&[SIGCHLD])
        {
            let _ = std::thread::Builder::new().name("orphans".to_owned()).spawn(move || bury(&watch));
        }
    });
}

fn bury(watch: &SignalWatch) {
    // When each dead child was first seen. With its number goes when it started: the number can be given away.
    let mut dead: HashMap<(Pid, u64), Instant> = HashMap::new();
    // Some may have ended before.
    let mut looks = LOOKS;
    loop {
        let patience = if looks > 0 { LEFT_TO_OTHERS } else { LONG };
        wait_readable(&[watch.descriptor()], patience);
        looks = if watch.take().is_empty() { looks.saturating_sub(1) } else { LOOKS };
        let now = Instant::now();
        let zombies: Vec<(Pid, u64)> = processes::children()
            .into_iter()
            .filter(|child| child.zombie)
            .map(|child| (child.pid, child.started))
            .collect();
        dead.retain(|child, _| zombies.contains(child));
        for child in zombies {
            // Not `wait`, which takes whichever it finds: one that has just ended may be waited for elsewhere.
            if now.duration_since(*dead.entry(child).or_insert(now)) >= LEFT_TO_OTHERS {
                let _ = waitpid(Some(child.0), WaitOptions::NOHANG);
            }
        }
        if !dead.is_empty() {
            looks = looks.max(1);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
