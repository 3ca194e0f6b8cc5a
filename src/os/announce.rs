//! Signals for changes of a directory, from the kernel itself.

use std::os::fd::BorrowedFd;

use rustix::process::Signal;

/// Which signal comes instead of SIGIO: `F_SETSIG` of `fcntl.h`, which the libc crate lacks.
#[cfg(target_os = "linux")]
const F_SETSIG: libc::c_int = 10;

/// `DN_CREATE | DN_RENAME | DN_MULTISHOT` of `fcntl.h`: each name that is created, or moved here or within.
#[cfg(target_os = "linux")]
const NEW_NAMES: libc::c_ulong = 0x4 | 0x10 | 0x8000_0000;

/// Asks the kernel to send `signal` to this process whenever a name appears in `directory`, as long as that is open.
/// Says whether it will: only Linux can, and not in every sandbox.
///
/// `fcntl(F_NOTIFY)` rather than inotify: a user may have 128 inotify instances, and a thousand processes wait here.
/// What processes in other PID namespaces do is announced as well, which a signal of theirs could not do.
pub(super) fn announce_names(directory: BorrowedFd<'_>, signal: Signal) -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let descriptor = directory.as_raw_fd();
        #[expect(unsafe_code, reason = "calls without safe wrappers")]
        // SAFETY: both change only how this process is told of changes of an open directory.
        unsafe {
            libc::fcntl(descriptor, F_SETSIG, signal.as_raw()) == 0
                && libc::fcntl(descriptor, libc::F_NOTIFY, NEW_NAMES) == 0
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (directory, signal);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::os::{OwnedDir, SignalWatch, wait_readable};

    #[test]
    fn a_name_that_appears_in_the_directory_is_announced() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let signal = Signal::URG;
        let signals = SignalWatch::new(&[signal.as_raw()]).unwrap();
        let came = |patience| {
            wait_readable(&[signals.descriptor()], Duration::from_secs(patience));
            !signals.take().is_empty()
        };
        let directory = OwnedDir::open(root.path()).unwrap();
        assert_eq!(directory.announce_names(signal), cfg!(target_os = "linux"));
        if !cfg!(target_os = "linux") {
            return;
        }
        for change in [0, 1, 2] {
            match change {
                0 => directory.replace("cancel", b"").unwrap(),
                1 => fs::write(root.path().join("other"), "").unwrap(),
                _ => fs::rename(root.path().join("other"), root.path().join("third")).unwrap(),
            }
            assert!(came(30), "{change}");
            while came(0) {}
        }
        drop(directory);
        fs::write(root.path().join("last"), "").unwrap();
        assert!(!came(0), "a directory that is closed announces nothing");
    }
}
