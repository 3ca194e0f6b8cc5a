//! Running a program that may take too long or need too much: with bounds on both.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{signals, spawn};

/// What a program may use.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// How much memory it may have, in bytes, where the system can bound that.
    pub memory_bytes: u64,
    /// How much it may write to standard output, in bytes.
    pub output_bytes: u64,
}

/// Runs `command` with this standard input and returns what it wrote to standard output; `None` when it went beyond its
/// bounds or failed. Nothing of it is left running.
///
/// # Errors
///
/// When it cannot be started.
#[expect(unsafe_code, reason = "some settings of a process can only be made between fork and exec")]
pub fn run_confined(mut command: Command, input: Vec<u8>, bounds: Bounds) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + bounds.time;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let cpu_seconds = bounds.time.as_secs() + 1;
    // SAFETY: only async-signal-safe calls, no allocation.
    unsafe {
        command.pre_exec(move || {
            spawn::close_on_exec_from(3);
            signals::restore_all_defaults();
            limit(libc::RLIMIT_AS, bounds.memory_bytes);
            // In case this process dies and cannot end it.
            limit(libc::RLIMIT_CPU, cpu_seconds);
            limit(libc::RLIMIT_CORE, 0);
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take();
    // On a thread, because a program that does not read would hold the writer up. It ends with the program.
    let writer =
        std::thread::Builder::new().spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(&input)));
    let output = child.stdout.take().map(|pipe| read_until(pipe, deadline, bounds.output_bytes));
    // Its group is its own, and its number is not reused before it is reaped.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let _ = child.wait();
    writer.map(std::thread::JoinHandle::join)?.ok();
    Ok(output.flatten())
}

/// The other side: passes what stands on standard input to `reply` and writes what it returns to standard output, which is
/// the pipe of the process that asked. Returns whether there was a reply.
pub fn answer_confined(reply: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> bool {
    let mut question = Vec::new();
    if io::stdin().lock().read_to_end(&mut question).is_err() {
        return false;
    }
    let Some(reply) = reply(&question) else { return false };
    let mut rest = reply.as_slice();
    while !rest.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), rest) {
            Ok(count) => rest = &rest[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// What comes out of a pipe until its end; `None` when that is not reached in time or is too much.
fn read_until(mut pipe: impl Read + AsFd, deadline: Instant, most: u64) -> Option<Vec<u8>> {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        if !signals::wait_readable(&[pipe.as_fd()], left)[0] {
            continue;
        }
        match pipe.read(&mut chunk) {
            Ok(0) => return Some(bytes),
            Ok(count) if (bytes.len() + count) as u64 <= most => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return None,
        }
    }
}

/// Lowers a limit of the calling process. Async-signal-safe.
///
/// # Safety
///
/// To be called between fork and exec: it cannot be undone.
#[expect(unsafe_code, reason = "system calls without safe wrappers in this place")]
unsafe fn limit(resource: Resource, value: u64) {
    // SAFETY: reads and writes one structure of this frame.
    unsafe {
        let mut limits: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(resource, &raw mut limits) == 0 {
            let value = (value as libc::rlim_t).min(limits.rlim_max);
            limits = libc::rlimit { rlim_cur: value, rlim_max: value };
            // A system that cannot bound this, such as macOS the memory, runs it without.
            libc::setrlimit(resource, &raw const limits);
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Resource = libc::c_int;

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str, time: Duration) -> Option<Vec<u8>> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]);
        let bounds = Bounds { time, memory_bytes: 1 << 30, output_bytes: 1_000_000 };
        run_confined(command, b"asked".to_vec(), bounds).expect("a shell")
    }

    #[test]
    fn what_a_program_writes_is_returned() {
        assert_eq!(shell("cat; echo here", Duration::from_secs(20)).as_deref(), Some(&b"askedhere\n"[..]));
    }

    #[test]
    fn a_program_that_takes_too_long_or_writes_too_much_is_ended() {
        let start = Instant::now();
        assert_eq!(shell("sleep 60", Duration::from_millis(200)), None);
        assert_eq!(shell("yes", Duration::from_secs(20)), None);
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    }
}
