//! What a place on disk and this process's start tell about the machine.

use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::Mode;

use super::FileError;

/// The file system that a path is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// How much of it this user can still fill, in bytes.
    pub free_bytes: u64,
    /// How many files it can hold; 0 when it has no such limit.
    pub files: u64,
    /// How many more of them this user can make.
    pub free_files: u64,
    /// Its kind, when it is one where locks may not hold, or not between machines.
    pub network: Option<&'static str>,
    /// Its kind, when it is one that makes owners and modes up, or may.
    pub without_modes: Option<&'static str>,
}

/// Looks at the file system that `path` is on.
///
/// # Errors
///
/// When there is nothing at `path`, or nothing can be known about it.
pub fn file_system(path: &Path) -> Result<FileSystem, FileError> {
    let failed = |errno: rustix::io::Errno| FileError::Io {
        action: "inspect",
        path: path.to_owned(),
        source: errno.into(),
    };
    let space = rustix::fs::statvfs(path).map_err(failed)?;
    let kind = rustix::fs::statfs(path).map_err(failed)?;
    Ok(FileSystem {
        size_bytes: space.f_blocks.saturating_mul(space.f_frsize),
        free_bytes: space.f_bavail.saturating_mul(space.f_frsize),
        files: space.f_files,
        free_files: space.f_favail,
        network: network(&kind),
        without_modes: without_modes(&kind),
    })
}

/// The numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
fn network(kind: &rustix::fs::StatFs) -> Option<&'static str> {
    const NETWORK: [(u32, &str); 11] = [
        (0x0000_6969, "NFS"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB"),
        (0x0000_517B, "SMB"),
        (0x0102_1997, "9P"),
        (0x5346_414F, "AFS"),
        (0x00C3_6400, "Ceph"),
        (0x0BD0_0BD0, "Lustre"),
        (0x0116_1970, "GFS2"),
        (0x7375_7245, "Coda"),
        (0x786F_4256, "a VirtualBox shared folder"),
    ];
    // The width of the number differs between architectures; the numbers have 32 bits.
    let number = kind.f_type as u32;
    NETWORK.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
fn network(kind: &rustix::fs::StatFs) -> Option<&'static str> {
    const NETWORK: [(&[u8], &str); 4] =
        [(b"nfs", "NFS"), (b"smbfs", "SMB"), (b"afpfs", "AFP"), (b"webdav", "WebDAV")];
    let name: Vec<u8> = kind.f_fstypename.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    NETWORK.iter().find(|(known, _)| *known == name).map(|(_, name)| *name)
}

/// The same for file systems that keep no owners and modes of their own, or need not: what they show is how they were
/// mounted.
#[cfg(target_os = "linux")]
pub(super) fn without_modes(kind: &rustix::fs::StatFs) -> Option<&'static str> {
    const WITHOUT_MODES: [(u32, &str); 11] = [
        (0x0102_1997, "9P"),
        (0x5346_4846, "WSL's"),
        (0x0000_4D44, "FAT"),
        (0x2011_BAB0, "exFAT"),
        (0x5346_544E, "NTFS"),
        (0x7366_746E, "NTFS"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB"),
        (0x0000_517B, "SMB"),
        (0x6573_5546, "FUSE"),
        (0x786F_4256, "a VirtualBox shared folder"),
    ];
    let number = kind.f_type as u32;
    WITHOUT_MODES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn without_modes(kind: &rustix::fs::StatFs) -> Option<&'static str> {
    const WITHOUT_MODES: [(&[u8], &str); 6] = [
        (b"msdos", "FAT"),
        (b"exfat", "exFAT"),
        (b"ntfs", "NTFS"),
        (b"smbfs", "SMB"),
        (b"macfuse", "FUSE"),
        (b"osxfuse", "FUSE"),
    ];
    let name: Vec<u8> = kind.f_fstypename.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    WITHOUT_MODES.iter().find(|(known, _)| *known == name).map(|(_, name)| *name)
}

/// The umask that this process was started with, where it takes rights from the owner.
static OVERRULED_UMASK: OnceLock<u32> = OnceLock::new();

/// Sees to it that the owner of what this process makes can use it: a umask like 0177, which services get that make
/// sockets, would make directories that cannot be entered. To be called before anything is made or a thread begins.
pub fn overrule_umask() {
    const OWNER: Mode = Mode::RWXU;
    let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(mask.difference(OWNER));
    if mask.intersects(OWNER) {
        let _ = OVERRULED_UMASK.set(mask.bits());
    }
}

/// The permissions that files do not get, as in `umask`, in the place where this process was started; `None` when the
/// platform does not tell.
pub fn umask() -> Option<u32> {
    OVERRULED_UMASK.get().copied().or_else(own_umask)
}

#[cfg(target_os = "linux")]
fn own_umask() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(mask.trim(), 8).ok()
}

/// The same, where it can only be asked for by setting it.
#[cfg(not(target_os = "linux"))]
fn own_umask() -> Option<u32> {
    let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(mask);
    Some(u32::from(mask.bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_disk_tells_how_much_room_there_is() {
        let directory = tempfile::tempdir().unwrap();
        let found = file_system(directory.path()).unwrap();
        assert!(found.size_bytes > 0 && found.free_bytes <= found.size_bytes, "{found:?}");
        let missing = file_system(&directory.path().join("missing")).unwrap_err();
        assert!(missing.is_not_found(), "{missing}");
    }

    #[test]
    fn the_umask_is_what_the_shell_says() {
        let output = std::process::Command::new("sh").args(["-c", "umask"]).output().unwrap();
        let shell = String::from_utf8(output.stdout).unwrap();
        assert_eq!(umask(), u32::from_str_radix(shell.trim(), 8).ok());
    }
}
