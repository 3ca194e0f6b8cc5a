//! A place of its own for what an agent CLI keeps while it runs: sockets, the outputs of its tools.
//!
//! Claude Code 2.1.330, for one, listens on a unix socket while it works, and whatever process of the user writes a line
//! into it talks to the running agent; without a place of their own the sockets of all jobs and of all sessions lie side
//! by side in one directory. The place is for its owner only, and goes with the job's agent. Which variables name it,
//! the backends say; the `TMPDIR` of an agent's tools stays as it is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::backend::Backends;
use crate::model::JobId;
use crate::os::{FileError, OwnedDir};
use crate::store::JobFolder;

/// The place in the job's folder.
const NAME: &str = "tmp";

/// The longest path a socket can have, in bytes: one less than `sun_path` holds.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Where the places are of jobs whose own folder has too long a path for a socket. An agent CLI would then fall back to a
/// directory that all sessions share.
const ELSEWHERE: &str = "/tmp";

/// The variables that name the place: a plain program may start an agent CLI of any backend.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    Backends::of_this_program().private_places().map(|place| place.variable)
}

/// Makes the place; the value for the variable.
pub(super) fn make(folder: &JobFolder, id: JobId) -> Result<OsString, FileError> {
    // What a run that was cut off has left there.
    clear(folder, id);
    let place = match fits(folder) {
        true => folder.make_directory(NAME)?,
        false => OwnedDir::open_or_create(&elsewhere(id))?,
    };
    Ok(place.path().as_os_str().to_owned())
}

/// Removes the place with all that is in it.
pub(super) fn clear(folder: &JobFolder, id: JobId) {
    // What cannot be removed goes with the job's folder, or with the next start of the machine.
    if fits(folder) {
        let _ = folder.remove_directory(NAME);
    } else if OwnedDir::open(&elsewhere(id)).is_ok() {
        let _ = std::fs::remove_dir_all(elsewhere(id));
    }
}

fn fits(folder: &JobFolder) -> bool {
    let socket = Backends::of_this_program().private_places().map(|place| place.socket.len()).max();
    folder.path().join(NAME).as_os_str().as_bytes().len() + socket.unwrap_or(0) <= SOCKET_PATH_LIMIT
}

/// A directory that no other user can have made before: its name is that of the job, which is random.
fn elsewhere(id: JobId) -> PathBuf {
    Path::new(ELSEWHERE).join(format!("agent-dispatch-{id}"))
}
