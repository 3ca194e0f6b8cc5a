//! Process groups that end with this process, whichever signal ends it.

use std::process::Command;
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use rustix::process::Pid;

use super::signals::is_ignored;

/// The groups there are now; 0 is a place for another.
static GROUPS: [AtomicI32; 16] = [const { AtomicI32::new(0) }; 16];

/// A process group that is killed when a signal from a terminal or a request to end ends this process.
///
/// To be dropped before its leader is reaped: as long as it is not, the number is that of no other group.
#[derive(Debug)]
pub struct DoomedGroup(Option<&'static AtomicI32>);

impl DoomedGroup {
    /// The group `leader` leads. It is not watched over where too many are already.
    pub fn of(leader: Pid) -> Self {
        listen();
        let number = leader.as_raw_pid();
        Self(
            GROUPS
                .iter()
                .find(|place| place.compare_exchange(0, number, Ordering::AcqRel, Ordering::Relaxed).is_ok()),
        )
    }
}

impl Drop for DoomedGroup {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.store(0, Ordering::Release);
        }
    }
}

/// Makes the signals that end this process kill the groups first. What is ignored, as under `nohup`, stays ignored.
#[expect(unsafe_code, reason = "a signal handler")]
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let always = Arc::new(AtomicBool::new(true));
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
            if is_ignored(signal) {
                continue;
            }
            // SAFETY: loads atomics and calls kill, both async-signal-safe.
            let heard = unsafe { signal_hook::low_level::register(signal, kill_groups) };
            if heard.is_ok() {
                // Registered second, so it comes second.
                let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&always));
            }
        }
    });
}

#[expect(unsafe_code, reason = "a system call that is safe in a signal handler")]
fn kill_groups() {
    for place in &GROUPS {
        let number = place.load(Ordering::Acquire);
        if number > 1 {
            // SAFETY: only sends a signal.
            unsafe { libc::kill(-number, libc::SIGKILL) };
        }
    }
}

/// Lets the kernel kill the process that `command` starts when the thread that starts it ends: also by SIGKILL. Linux
/// only.
#[cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "a setting that can only be made between fork and exec")
)]
pub fn end_with_starter(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        // SAFETY: one async-signal-safe system call, no allocation.
        unsafe {
            command.pre_exec(|| {
                let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
                Ok(())
            });
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}
