//! Processes the agent leaves behind, in every way that gets out of some tool's reach.
//!
//! Each is this binary again, as `fake-agent leftover KIND SECONDS MARKER`: the marker (the agent's directory,
//! unless the script names another) makes it recognisable however empty its environment is.

#![expect(unsafe_code, reason = "fork and setsid between fork and exec")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Leaves a process of this kind running; returns it where it is a direct child.
///
/// - `background`: what `&` makes: same group, same standard output.
/// - `setpgid`: a group of its own.
/// - `setsid`: a session of its own, as each Bash tool command of claude has.
/// - `double-fork`: a session of its own, and its parent has gone.
/// - `daemon-env-i`: the same with an empty environment, in the root directory.
/// - `undumpable`: a daemon whose environment nobody can read, as `ssh-agent` is.
/// - `chain`: processes that fork and exit without end, so no pid stays valid for long.
pub(crate) fn spawn(kind: &str, seconds: u64, marker: &str) -> Result<Option<Child>, String> {
    let mut command = leftover(kind, seconds, marker).map_err(|error| error.to_string())?;
    match kind {
        "background" => {
            command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
        }
        "setpgid" => {
            command.process_group(0);
        }
        "setsid" | "double-fork" | "undumpable" | "chain" => own_session(&mut command),
        "daemon-env-i" => {
            command.env_clear().current_dir("/");
            own_session(&mut command);
        }
        _ => return Err(format!("fake agent: `{kind}` is no known kind of leftover")),
    }
    let lock = lock(kind, &mut command).map_err(|error| format!("fake agent: {kind}: {error}"))?;
    let mut child = command.spawn().map_err(|error| format!("fake agent: {kind}: {error}"))?;
    if let Some(mut lock) = lock.filter(|_| kind != "background") {
        // The leftover's group, for whoever finds the lock held.
        write!(lock, "{}", child.id()).map_err(|error| error.to_string())?;
    }
    if is_daemon(kind) {
        // The first process only starts the one that stays.
        child.wait().map_err(|error| error.to_string())?;
        return Ok(None);
    }
    Ok(Some(child))
}

/// A shell command in a session of its own.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).stdin(Stdio::null());
    own_session(&mut command);
    command
}

/// The body of a leftover process: `KIND SECONDS MARKER`.
pub(crate) fn run_leftover(arguments: &[String]) -> io::Result<()> {
    let [kind, seconds, marker, rest @ ..] = arguments else {
        return Err(io::Error::other("leftover KIND SECONDS MARKER"));
    };
    let lifetime = Duration::from_secs(seconds.parse().map_err(io::Error::other)?);
    if is_daemon(kind) && rest.is_empty() {
        let mut command = leftover(kind, lifetime.as_secs(), marker)?;
        command.arg("stay").spawn()?;
        return Ok(());
    }
    #[cfg(target_os = "linux")]
    if kind == "undumpable" {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    let end = Instant::now() + lifetime;
    while Instant::now() < end {
        if kind == "chain" {
            // SAFETY: single-threaded, and both sides go on with plain code.
            match unsafe { libc::fork() } {
                -1 => return Err(io::Error::last_os_error()),
                0 => std::thread::sleep(Duration::from_millis(1)),
                // SAFETY: ends this link; nothing is buffered.
                _ => unsafe { libc::_exit(0) },
            }
        } else {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
        }
    }
    Ok(())
}

/// A lock that the leftover holds as long as one of its processes lives: in the directory of the test, if there is
/// one, so that its leak check misses none, however fast they replace each other.
fn lock(kind: &str, command: &mut Command) -> io::Result<Option<File>> {
    let Some(root) = std::env::var_os("AGENT_DISPATCH_TEST") else { return Ok(None) };
    let directory = Path::new(&root).join("leftovers");
    fs::create_dir_all(&directory)?;
    let file = File::create(directory.join(format!("{kind}-{}", uuid::Uuid::new_v4())))?;
    file.lock_shared()?;
    let inherited = file.try_clone()?;
    // SAFETY: fcntl is async-signal-safe, and the closure keeps the descriptor open.
    unsafe {
        command.pre_exec(move || {
            rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).map_err(io::Error::from)
        });
    }
    Ok(Some(file))
}

fn is_daemon(kind: &str) -> bool {
    matches!(kind, "double-fork" | "daemon-env-i" | "undumpable" | "chain")
}

fn leftover(kind: &str, seconds: u64, marker: &str) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["leftover", kind, &seconds.to_string(), marker]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command)
}

fn own_session(command: &mut Command) {
    // SAFETY: setsid is async-signal-safe.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(io::Error::from));
    }
}
