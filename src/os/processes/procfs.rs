//! Processes as Linux shows them in `/proc`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::{Description, Process, Program};

pub(super) fn for_each(mut visit: impl FnMut(Pid)) {
    let Ok(entries) = fs::read_dir("/proc") else { return };
    for entry in entries.flatten() {
        if let Some(pid) =
            entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        {
            visit(pid);
        }
    }
}

/// The kernel gives out numbers in ascending order and names the last one it gave.
pub(super) fn for_each_newborn(patience: Duration, mut visit: impl FnMut(Pid)) {
    let newest = || -> Option<i32> {
        let load = fs::read_to_string("/proc/loadavg").ok()?;
        load.trim_end().rsplit(' ').next()?.parse().ok()
    };
    let end = Instant::now() + patience;
    let mut seen = newest();
    while Instant::now() < end {
        let now = newest();
        if let (Some(seen), Some(now)) = (seen, now) {
            (seen + 1..=now).filter_map(Pid::from_raw).for_each(&mut visit);
        }
        seen = now;
        std::thread::sleep(Duration::from_micros(100));
    }
}

pub(super) fn snapshot() -> Vec<Process> {
    let mut all = Vec::new();
    for_each(|pid| all.extend(look(pid)));
    all
}

/// Reads what the kernel lists for each thread, which is far quicker than a look at every process. Kernels built
/// without `CONFIG_PROC_CHILDREN` have no such list.
pub(super) fn children() -> Vec<Process> {
    let listed = || -> Option<Vec<Process>> {
        let mut children = Vec::new();
        for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
            let list = fs::read_to_string(thread.path().join("children")).ok()?;
            let pids =
                list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw));
            children.extend(pids.filter_map(look));
        }
        Some(children)
    };
    listed().unwrap_or_else(|| {
        let me = Some(rustix::process::getpid());
        snapshot().into_iter().filter(|process| process.parent == me).collect()
    })
}

/// Reads a file of a process. The kernel does not tell how long it is, and makes it anew for each piece: with room from
/// the start, most take one.
fn read(pid: Pid, name: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(4096);
    File::open(format!("/proc/{}/{name}", pid.as_raw_nonzero()))?.read_to_end(&mut content)?;
    Ok(content)
}

pub(super) fn look(pid: Pid) -> Option<Process> {
    let stat = read(pid, "stat").ok()?;
    // The second field is the program's name in parentheses and may hold anything, parentheses included.
    let rest = &stat[stat.iter().rposition(|&byte| byte == b')')? + 1..];
    let mut fields = std::str::from_utf8(rest).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Field 22 of the line; `group` was field 5.
    let started = fields.nth(16)?.parse().ok()?;
    Some(Process {
        pid,
        parent: Pid::from_raw(parent),
        group,
        started,
        zombie: matches!(state, "Z" | "X" | "x"),
    })
}

pub(super) fn is_suspended(pid: Pid) -> bool {
    let stat = read(pid, "stat").unwrap_or_default();
    let rest = stat.iter().rposition(|&byte| byte == b')').map_or(&[][..], |end| &stat[end + 1..]);
    matches!(rest, [b' ', b'T' | b't', ..]) || is_frozen(pid)
}

/// Whether the cgroup of a process is frozen, in version 1 or 2 of these: nothing else of the process shows it.
fn is_frozen(pid: Pid) -> bool {
    const ROOT: &str = "/sys/fs/cgroup";
    let says = |path: String, line: &str| {
        fs::read_to_string(path).is_ok_and(|text| text.lines().any(|found| found == line))
    };
    let cgroups = String::from_utf8(read(pid, "cgroup").unwrap_or_default()).unwrap_or_default();
    cgroups.lines().any(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        match (fields.next(), fields.next().map(|path| path.trim_end_matches('/'))) {
            (Some(""), Some(path)) => ["", "/unified"]
                .iter()
                .any(|mount| says(format!("{ROOT}{mount}{path}/cgroup.events"), "frozen 1")),
            (Some("freezer"), Some(path)) => says(format!("{ROOT}/freezer{path}/freezer.state"), "FROZEN"),
            _ => false,
        }
    })
}

pub(super) fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.chars().take(BOOT_LENGTH).collect()
}

/// How much of the kernel's random number is enough to tell two runs of one system apart.
const BOOT_LENGTH: usize = 8;

pub(super) fn arguments(pid: Pid) -> Vec<Vec<u8>> {
    let line = read(pid, "cmdline").unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    line.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

pub(super) fn has_variable(pid: Pid, assignment: &[u8]) -> bool {
    read(pid, "environ")
        .is_ok_and(|environ| environ.split(|&byte| byte == 0).any(|variable| variable == assignment))
}

pub(super) fn of_this_user(variable: &str) -> Vec<Description> {
    let me = rustix::process::geteuid().as_raw();
    let prefix = format!("{variable}=").into_bytes();
    let uptime = uptime();
    let mut found = Vec::new();
    for_each(|pid| {
        let directory = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        if !fs::metadata(&directory).is_ok_and(|metadata| metadata.uid() == me) {
            return;
        }
        let Some(process) = look(pid).filter(|process| !process.zombie) else { return };
        let environ = fs::read(directory.join("environ")).unwrap_or_default();
        let value = environ.split(|&byte| byte == 0).find_map(|entry| entry.strip_prefix(prefix.as_slice()));
        let started = Duration::from_secs_f64(process.started as f64 / TICKS_A_SECOND);
        found.push(Description {
            pid: pid.as_raw_pid(),
            arguments: arguments(pid),
            variable: value.map(|value| String::from_utf8_lossy(value).into_owned()),
            program: program(pid),
            age: uptime.map(|uptime| uptime.saturating_sub(started)),
        });
    });
    found
}

/// The unit of times in `/proc`, which the kernel fixes for what it shows to programs (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

fn uptime() -> Option<Duration> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(text.split(' ').next()?.parse().ok()?).ok()
}

pub(super) fn program(pid: Pid) -> Option<Program> {
    const GONE: &[u8] = b" (deleted)";
    let link = PathBuf::from(format!("/proc/{}/exe", pid.as_raw_nonzero()));
    // The link itself leads to the file, also when no name does any more.
    let metadata = fs::metadata(&link).ok()?;
    let path = fs::read_link(&link).ok()?;
    let identity = (metadata.dev(), metadata.ino());
    // A name may end like that by itself, and then it exists.
    match path.as_os_str().as_bytes().strip_suffix(GONE).filter(|_| !path.exists()) {
        Some(name) => {
            Some(Program { path: OsString::from_vec(name.to_vec()).into(), is_gone: true, identity })
        }
        None => Some(Program { path, is_gone: false, identity }),
    }
}

/// The inode of the system's first pid namespace: a constant of the kernel (`PROC_PID_INIT_INO`).
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

pub(super) fn in_short_lived_namespace() -> bool {
    fs::metadata("/proc/self/ns/pid").is_ok_and(|namespace| namespace.ino() != FIRST_PID_NAMESPACE)
        && fs::read_to_string("/proc/1/comm").is_ok_and(|name| name.trim_end() == "bwrap")
}

/// Signals through a pidfd: once it is open it means one process for good, so a look after opening it
/// tells whether that is the right one.
///
/// Where there are no pidfds (kernels before 5.3, WSL 1, gVisor) or a seccomp filter forbids them, the signal goes to the
/// number right after the look. The number can only mean another process if all others were used in between.
pub(super) fn signal(process: Process, signal: Signal, still: impl Fn(&Process) -> bool) -> bool {
    let is_right = || look(process.pid).is_some_and(|now| still(&now));
    match pidfd_open(process.pid, PidfdFlags::empty()) {
        Ok(pidfd) => match is_right().then(|| pidfd_send_signal(&pidfd, signal)) {
            Some(Err(errno)) if is_unavailable(errno) => kill_process(process.pid, signal).is_ok(),
            sent => sent.is_some_and(|sent| sent.is_ok()),
        },
        Err(Errno::SRCH) => false,
        Err(_) => is_right() && kill_process(process.pid, signal).is_ok(),
    }
}

/// Whether a system call failed because it does not exist or a filter forbids it, as far as its error can tell.
fn is_unavailable(errno: Errno) -> bool {
    matches!(errno, Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP)
}
