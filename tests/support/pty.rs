//! A terminal that only writes down what it is sent: every byte, unchanged.

#![expect(unsafe_code, reason = "openpty(3) has no safe form in the standard library")]

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::PATIENCE;

/// How wide and high it is.
const SIZE: libc::winsize = libc::winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };

/// Runs a program whose standard output and error are a terminal; returns what it wrote to it, and its exit code.
#[track_caller]
pub fn on_a_terminal(mut command: Command) -> (Vec<u8>, i32) {
    let (mut ours, theirs) = open();
    let output = theirs.try_clone().expect("a descriptor");
    command.stdin(Stdio::null()).stdout(Stdio::from(output)).stderr(Stdio::from(theirs));
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // It holds the other end of the terminal.
    let shown = format!("{:?}", command.get_args().collect::<Vec<_>>());
    drop(command);
    let reader = std::thread::spawn(move || {
        let mut written = Vec::new();
        let mut chunk = [0; 65536];
        // The end of a terminal is an error: the other end is closed.
        while let Ok(length @ 1..) = ours.read(&mut chunk) {
            written.extend_from_slice(&chunk[..length]);
        }
        written
    });
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child of this process") {
            break status;
        }
        if Instant::now() >= end {
            let _ = child.kill();
            panic!("{shown} did not end in time");
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let written = reader.join().expect("the reader does not panic");
    (written, status.code().unwrap_or(-1))
}

/// A terminal that changes nothing: this end, and that of the program.
fn open() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let mut size = SIZE;
    // SAFETY: the pointers are to variables of this function or null, which asks for the usual settings.
    let opened = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut size,
        )
    };
    assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
    // SAFETY: both descriptors were just opened and belong to nobody else.
    let (ours, theirs) = unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    // SAFETY: a zeroed `termios` is one to be filled in; the descriptor is open.
    unsafe {
        use std::os::fd::AsRawFd;
        for descriptor in [ours.as_raw_fd(), theirs.as_raw_fd()] {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        let mut settings: libc::termios = std::mem::zeroed();
        libc::tcgetattr(theirs.as_raw_fd(), &raw mut settings);
        libc::cfmakeraw(&raw mut settings);
        libc::tcsetattr(theirs.as_raw_fd(), libc::TCSANOW, &raw const settings);
    }
    (ours, theirs)
}
