//! Namespaces for single tests: a network with nothing but a loopback, where the real claude can reach the test's own
//! API and nothing else; mounts of the test's own.

#![expect(unsafe_code, reason = "a network interface is brought up by ioctl")]

use std::io;
use std::process::Command;

use super::dispositions::default_signals;
use super::programs;
use super::skip::skip;

/// Set in the test binary that runs inside a namespace.
const MARKER: &str = "AGENT_DISPATCH_TEST_NAMESPACE";

/// Runs the body, which is the whole of the calling test, inside a network namespace with the real claude at hand.
///
/// The test binary is executed again for this one test: namespaces belong to processes. Where no namespace can be
/// made or claude is not installed, the test says so and ends; on a CI (`CI` is set) it fails.
pub fn in_namespace<Body: FnOnce()>(body: Body) {
    if std::env::var_os(MARKER).is_some() {
        bring_loopback_up().expect("the loopback of the namespace");
        return body();
    }
    match programs::claude() {
        None => skip("the real claude is not installed: run tests/install-claude"),
        Some(_) => run_again::<Body>("--net"),
    }
}

/// Runs the body, which is the whole of the calling test, where it can mount what it wants and nobody else sees it.
/// Where that is impossible, the test says so and ends; on a CI it fails.
pub fn in_mount_namespace<Body: FnOnce()>(body: Body) {
    if std::env::var_os(MARKER).is_some() {
        return body();
    }
    run_again::<Body>("--mount");
}

/// The command as the first process of a pid namespace of its own, which ends with it. Where none can be made the test says
/// so, and is to end; on a CI it fails.
pub fn as_first_process(command: &Command) -> Option<Command> {
    const KIND: &str = "--pid --fork --kill-child --mount-proc";
    if let Some(why) = cannot_unshare(KIND) {
        skip(&format!("no namespace can be made with unshare {KIND}: {why}"));
        return None;
    }
    let mut first = unshare(KIND);
    first.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => first.env(name, value),
            None => first.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        first.current_dir(directory);
    }
    Some(first)
}

/// Runs the body, which is the whole of the calling test, where it is root and can give files to other users. Where that is
/// impossible, the test says so and ends; on a CI it fails.
pub fn with_other_users<Body: FnOnce()>(body: Body) {
    if rustix::process::geteuid().is_root() {
        return body();
    }
    // Beside root, the numbers that `/etc/subuid` gives to this user.
    run_again::<Body>("--map-auto");
}

/// Runs the calling test again in a namespace of this kind.
fn run_again<Body: FnOnce()>(kind: &str) {
    if let Some(why) = cannot_unshare(kind) {
        return skip(&format!("no namespace can be made with unshare {kind}: {why}"));
    }
    let name = test_name::<Body>();
    let test = std::env::current_exe().expect("the path of this test binary");
    let output = unshare(kind)
        .arg(test)
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(MARKER, "1")
        .output()
        .expect("unshare runs: it was probed");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed in its namespace:\n{stdout}\n{stderr}");
    assert!(stdout.contains("1 passed"), "{name} is not the name of this test:\n{stdout}");
}

/// The name the test harness knows the calling test by: the path of the function its body was written in.
fn test_name<Body>() -> String {
    let path = std::any::type_name::<Body>();
    let path = path.strip_suffix("::{{closure}}").expect("the body is a closure in the test function");
    path.split_once("::").map_or(path, |(_crate, name)| name).to_owned()
}

/// Why no namespace can be made, if so.
fn cannot_unshare(kind: &str) -> Option<String> {
    match unshare(kind).arg("true").output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare: {error}")),
    }
}

fn unshare(kind: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here =
        std::env::split_paths(&path).map(|directory| directory.join("unshare")).find(|path| path.is_file());
    // By its path: a test's own PATH does not have it.
    default_signals();
    let mut command = Command::new(here.unwrap_or_else(|| "unshare".into()));
    command.args(kind.split(' '));
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--");
    command
}

fn bring_loopback_up() -> io::Result<()> {
    // SAFETY: plain system calls on a socket of our own and a request that lives through them.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        let done = libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request);
        let error = io::Error::last_os_error();
        libc::close(socket);
        if done == 0 { Ok(()) } else { Err(error) }
    }
}
