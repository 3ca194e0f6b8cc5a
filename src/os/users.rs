//! Who is who on this machine.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

/// The variable in which `sudo` says who called it.
const SUDO_UID: &str = "SUDO_UID";

/// Root, the user of this process, and, for a process of root's, the user who became root by `sudo`: their files are as
/// good as this process's own.
pub(super) fn own_uids() -> Vec<u32> {
    let me = rustix::process::geteuid().as_raw();
    let sudo = || std::env::var(SUDO_UID).ok()?.parse::<u32>().ok();
    let mut uids = vec![0, me];
    uids.extend(if me == 0 { sudo() } else { None });
    uids.dedup();
    uids
}

/// Whether no other user is in a group: it is the own group of one of them, and has no other member.
pub(super) fn is_private_group(gid: u32, uids: &[u32]) -> bool {
    let users: Vec<(u32, Option<User>)> = uids.iter().map(|uid| (*uid, user(*uid))).collect();
    let group = group(gid);
    // A group for each user bears the user's name or number. Many users may have a shared one, such as `staff`, and be
    // listed nowhere as its members.
    let is_own = users.iter().any(|(uid, user)| match user {
        Some(user) => {
            let same_name = group.as_ref().is_some_and(|group| group.name == user.name);
            user.gid == gid && (same_name || gid == *uid)
        }
        // In a container the user often has no name.
        None => gid == *uid,
    });
    let is_known =
        |name: &CString| users.iter().any(|(_, user)| user.as_ref().is_some_and(|u| u.name == *name));
    let members = group.map(|group| group.members).unwrap_or_default();
    is_own && members.iter().all(is_known) && !is_group_of_another(gid, uids)
}

/// Whether the list of users has one of another number whose first group this is.
fn is_group_of_another(gid: u32, uids: &[u32]) -> bool {
    let users = super::reading::read_beginning(std::path::Path::new("/etc/passwd"), 4 * 1024 * 1024)
        .unwrap_or_default();
    String::from_utf8_lossy(&users).lines().any(|line| {
        let mut numbers = line.split(':').skip(2).map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(uid)), Some(Ok(first))) => first == gid && !uids.contains(&uid),
            _ => false,
        }
    })
}

struct User {
    name: CString,
    gid: u32,
}

struct Group {
    name: CString,
    members: Vec<CString>,
}

/// How much room the answers of the user database get, in bytes: a group may have thousands of members.
const ANSWER_BYTES: usize = 1024 * 1024;

#[expect(unsafe_code, reason = "the user database has no safe wrapper")]
fn user(uid: u32) -> Option<User> {
    let mut buffer = vec![0; 64 * 1024];
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut found = std::ptr::null_mut();
    // SAFETY: the entry and the buffer outlive the call, and the buffer is as long as is said.
    let failed = unsafe {
        libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found)
    };
    if failed != 0 || found.is_null() {
        return None;
    }
    // SAFETY: the call has succeeded and found an entry, whose texts lie in the buffer and end with a NUL.
    unsafe {
        let entry = entry.assume_init();
        Some(User { name: CStr::from_ptr(entry.pw_name).to_owned(), gid: entry.pw_gid })
    }
}

#[expect(unsafe_code, reason = "the user database has no safe wrapper")]
fn group(gid: u32) -> Option<Group> {
    let mut buffer = vec![0; ANSWER_BYTES];
    let mut entry = MaybeUninit::<libc::group>::uninit();
    let mut found = std::ptr::null_mut();
    // SAFETY: the entry and the buffer outlive the call, and the buffer is as long as is said.
    let failed = unsafe {
        libc::getgrgid_r(gid, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found)
    };
    if failed != 0 || found.is_null() {
        return None;
    }
    // SAFETY: the call has succeeded and found an entry, whose texts lie in the buffer and end with a NUL; its list of
    // members ends with a null pointer.
    unsafe {
        let entry = entry.assume_init();
        let mut members = Vec::new();
        let mut next = entry.gr_mem;
        while !next.is_null() && !next.read_unaligned().is_null() {
            members.push(CStr::from_ptr(next.read_unaligned()).to_owned());
            next = next.add(1);
        }
        Some(Group { name: CStr::from_ptr(entry.gr_name).to_owned(), members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_its_group_are_found_and_the_group_is_private_to_root() {
        assert_eq!(user(0).map(|user| (user.name, user.gid)), Some((c"root".to_owned(), 0)));
        assert!(group(0).is_some());
        if cfg!(target_os = "linux") && group(0).is_some_and(|group| group.members.is_empty()) {
            assert!(is_private_group(0, &[0]));
        }
    }

    #[test]
    fn the_group_of_another_user_is_not_private() {
        // Numbers that no system gives to a user.
        assert!(!is_private_group(3_999_999_998, &[0, 3_999_999_999]));
        assert!(!is_private_group(0, &[3_999_999_999]));
    }

    #[test]
    fn a_user_without_a_name_has_the_group_of_the_same_number() {
        assert!(is_private_group(3_999_999_999, &[0, 3_999_999_999]));
    }
}
