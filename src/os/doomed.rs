//! Process groups that end with this process, whichever signal ends it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use rustix::process::Pid;

use super::signals::is_ignored;

/// The groups there are now; 0 is a place for another.
static GROUPS: [AtomicI32; 16] = [const { AtomicI32::new(0) }; 16];

/// The signals that end this process, and these groups with it.
const SIGNALS: [libc::c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// How many threads have started a program whose group is not noted yet.
static STARTING: AtomicUsize = AtomicUsize::new(0);

/// How long a signal waits for them, in milliseconds.
const STARTS_WITHIN_MS: u32 = 500;

/// A process group that is killed when a signal from a terminal or a request to end ends this process.
///
/// To be dropped before its leader is reaped: as long as it is not, the number is that of no other group.
#[derive(Debug)]
pub struct DoomedGroup(Option<&'static AtomicI32>);

impl DoomedGroup {
    /// Starts a program as the leader of such a group. The group is not watched over where too many are already.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn start(command: &mut Command) -> io::Result<(Child, Self)> {
        listen();
        end_with_starter(command.process_group(0));
        // A signal that comes now is handled when the group is known: by this thread afterwards, or by another one,
        // which waits for that.
        let mask = block_signals();
        STARTING.fetch_add(1, Ordering::AcqRel);
        let started = command.spawn().map(|child| {
            let group = Self::of(Pid::from_child(&child));
            (child, group)
        });
        STARTING.fetch_sub(1, Ordering::AcqRel);
        restore_signals(&mask);
        started
    }

    fn of(leader: Pid) -> Self {
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
        for signal in SIGNALS {
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

/// Blocks the signals in this thread; what was blocked before.
#[expect(unsafe_code, reason = "the mask of a thread has no safe wrapper")]
fn block_signals() -> libc::sigset_t {
    // SAFETY: the sets are of this function, and initialized before they are used.
    unsafe {
        let (mut set, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigemptyset(&raw mut set);
        for signal in SIGNALS {
            libc::sigaddset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before);
        before
    }
}

#[expect(unsafe_code, reason = "the mask of a thread has no safe wrapper")]
fn restore_signals(before: &libc::sigset_t) {
    // SAFETY: only reads the set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
}

#[expect(unsafe_code, reason = "system calls that are safe in a signal handler")]
fn kill_groups() {
    // Another thread is about to say which group it has started; a start takes a millisecond.
    for _ in 0..STARTS_WITHIN_MS {
        if STARTING.load(Ordering::Acquire) == 0 {
            break;
        }
        // SAFETY: waits a millisecond on nothing.
        unsafe { libc::poll(std::ptr::null_mut(), 0, 1) };
    }
    for place in &GROUPS {
        let number = place.load(Ordering::Acquire);
        if number > 1 {
            // SAFETY: only sends a signal.
            unsafe { libc::kill(-number, libc::SIGKILL) };
        }
    }
}

/// Lets what `command` starts have no signal blocked, and the kernel kill it when the thread that starts it ends: also by
/// SIGKILL. The latter on Linux only.
#[expect(unsafe_code, reason = "settings that can only be made between fork and exec")]
fn end_with_starter(command: &mut Command) {
    // SAFETY: async-signal-safe system calls on a set of this function, no allocation.
    unsafe {
        command.pre_exec(|| {
            let mut none = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            #[cfg(target_os = "linux")]
            let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            Ok(())
        });
    }
}
