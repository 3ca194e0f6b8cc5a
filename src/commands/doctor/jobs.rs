//! The jobs directory: whose it is, whether it can take more, and what lies in it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::finding::{Finding, Fix, Section, shell_path};
use crate::commands::Context;
use crate::config::{check_jobs_directory, home_directory};
use crate::engine::{FileSystem, Jobs, LocalJobs, file_system};
use crate::error::Failure;
use crate::model::{JobId, UnixSeconds};
use crate::store::StoreError;
use crate::ui::human;

const SECTION: Section = Section::Jobs;

/// Less free space than this is too little, in bytes.
const LITTLE_SPACE_BYTES: u64 = 500 * 1024 * 1024;

/// From so many records on, or so many bytes, deleting old jobs is worth a thought.
const MANY_JOBS: usize = 10_000;
const MUCH_SPACE_BYTES: u64 = 1024 * 1024 * 1024;

/// How many jobs are measured to tell how much room all of them take.
const MEASURED: usize = 50;

/// How many of the newest records are read.
const READ: usize = 20;

/// Clocks of two machines may differ by this, in seconds.
const CLOCK_TOLERANCE_SECONDS: f64 = 60.0;

/// The directory, opened if it is there.
pub(super) fn open(path: &Path, context: &Context) -> Option<Result<LocalJobs, StoreError>> {
    let is_missing = path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    (!is_missing).then(|| LocalJobs::open(path, context.journal_finder()))
}

/// Looks at the directory and what is in it, at the time `now`.
pub(super) fn findings(
    path: &Path,
    jobs: Option<&Result<LocalJobs, StoreError>>,
    now: UnixSeconds,
) -> Vec<Finding> {
    let mut findings = match jobs {
        None => missing(path),
        Some(Err(error)) => return vec![refused(path, error)],
        Some(Ok(jobs)) => {
            let mut findings = vec![match check_jobs_directory(path) {
                Ok(()) => SECTION.ok("jobs-directory", path.display().to_string()),
                Err(untrusted) => SECTION
                    .error("jobs-directory", untrusted.to_string())
                    .fix(untrusted.commands(shell_path).join(" && ")),
            }];
            findings.extend(content(jobs, now).unwrap_or_else(|error| {
                vec![SECTION.warning("jobs-records", format!("the records cannot be looked at: {error}"))]
            }));
            findings
        }
    };
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    findings.extend(match file_system(existing) {
        Ok(found) => room(existing, &found),
        Err(error) => vec![SECTION.note("jobs-space", format!("free space is not known: {error}"))],
    });
    findings
}

fn missing(path: &Path) -> Vec<Finding> {
    let parent = path.ancestors().skip(1).find(|path| path.exists()).unwrap_or(Path::new("/"));
    if can_write(parent) {
        vec![SECTION.ok("jobs-directory", format!("no jobs yet: {} will be made", path.display()))]
    } else {
        let found = format!("{} is not there and cannot be made in {}", path.display(), parent.display());
        vec![SECTION.error("jobs-directory", found).fix(elsewhere())]
    }
}

/// Whether this user can put something into a directory.
fn can_write(directory: &Path) -> bool {
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    directory.is_dir() && rustix::fs::access(directory, access).is_ok()
}

/// The command that has the jobs where this user can write.
fn elsewhere() -> String {
    // Unlike the other one, it outlives a restart.
    const SHARED: &str = "/var/tmp";
    let place = if home_directory().is_some_and(|home| can_write(&home)) {
        "$HOME/agent-dispatch-jobs".to_owned()
    } else {
        let shared = if can_write(Path::new(SHARED)) { SHARED } else { "${TMPDIR:-/tmp}" };
        format!("{shared}/agent-dispatch-jobs-$(id -u)")
    };
    format!("export AGENT_DISPATCH_JOBS_DIR=\"{place}\"")
}

fn refused(path: &Path, error: &StoreError) -> Finding {
    let finding = SECTION.error("jobs-directory", Failure::new(crate::error::Exit::Usage, error).message);
    let metadata = path.symlink_metadata().ok();
    let run = path.join(".run");
    let open_to_others = |path: &Path| path.metadata().is_ok_and(|it| it.permissions().mode() & 0o077 != 0);
    match metadata {
        Some(metadata) if metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw() => {
            let directories: Vec<String> =
                [path, &run].into_iter().filter(|path| open_to_others(path)).map(shell_path).collect();
            match directories.as_slice() {
                [] => finding.fix(elsewhere()),
                directories => finding.fix(format!("chmod 700 {}", directories.join(" "))),
            }
        }
        _ => finding.fix(elsewhere()),
    }
}

/// How much the file system can still take, and whether locks hold on it.
fn room(path: &Path, found: &FileSystem) -> Vec<Finding> {
    let clear = || Fix::own(["gc", "--older-than", "7d"]);
    let place = path.display();
    let free = bytes(found.free_bytes);
    let is_little = found.free_bytes < LITTLE_SPACE_BYTES || found.free_bytes < found.size_bytes / 100;
    let mut findings = vec![match is_little {
        true => SECTION.warning("jobs-space", format!("only {free} are free at {place}")).fix(clear()),
        false => SECTION.ok("jobs-space", format!("{free} are free")),
    }];
    if found.files > 0 && found.free_files < found.files / 100 {
        let found = format!("only {} more files can be made at {place}", found.free_files);
        findings.push(SECTION.warning("jobs-inodes", found).fix(clear()));
    }
    if let Some(kind) = found.network {
        let found = format!("{place} is on {kind}: locks may not hold there, and jobs rely on them");
        findings.push(SECTION.warning("jobs-network", found).fix(elsewhere()));
    }
    findings
}

/// A number of bytes for people.
fn bytes(count: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    match count / MIB {
        0 => "less than 1 MiB".to_owned(),
        mib @ ..10_240 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib / 1024),
    }
}

/// What lies in the directory.
fn content(jobs: &LocalJobs, now: UnixSeconds) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let ids = jobs.newest_first()?;
    let size_bytes = estimate(jobs.path(), &ids);
    let found = format!("{}, {}", human::count(ids.len(), "job"), bytes(size_bytes));
    findings.push(match ids.len() >= MANY_JOBS || size_bytes >= MUCH_SPACE_BYTES {
        true => SECTION.note("jobs-records", found).fix(Fix::own(["gc", "--older-than", "30d"])),
        false => SECTION.ok("jobs-records", found),
    });
    findings.extend(from_the_future(&ids, now));
    // A job may have been deleted meanwhile.
    let is_damaged = |id: &&JobId| jobs.glance(**id).is_none() && jobs.record_path(**id).exists();
    let (not_ours, ids): (Vec<JobId>, Vec<JobId>) =
        ids.into_iter().take(READ).partition(|id| jobs.check_ours(*id).is_err());
    findings.extend(not_ours.into_iter().filter_map(|id| {
        let error = jobs.check_ours(id).err()?;
        let finding = SECTION.warning("jobs-unreadable", error.to_string());
        let is_denied = matches!(&error, StoreError::Unreadable { error, .. }
            if error.io_kind() == Some(std::io::ErrorKind::PermissionDenied));
        let readable = || format!("chmod 600 {}", shell_path(&jobs.record_path(id)));
        Some(if is_denied { finding.fix(readable()) } else { finding })
    }));
    findings.extend(ids.iter().filter(is_damaged).map(|id| {
        let path = jobs.record_path(*id);
        let found = format!("{} is damaged; what its agent wrote is in the folder beside it", path.display());
        // Which moves it aside, so that it is told once.
        SECTION.warning("jobs-damaged", found).fix(Fix::own(["status".to_owned(), id.to_string()]))
    }));
    let damaged = jobs.damaged()?;
    if let Some(first) = damaged.first() {
        let found = format!(
            "{}, moved aside in {}: {first}.damaged{}; gc deletes what is damaged",
            human::count(damaged.len(), "damaged record"),
            jobs.path().display(),
            if damaged.len() == 1 { "" } else { " and so on" }
        );
        let fix = format!("rm {}", shell_path(&jobs.path().join(format!("{first}.damaged"))));
        let fix = if damaged.len() == 1 { fix } else { format!("rm {}/*.damaged", shell_path(jobs.path())) };
        findings.push(SECTION.warning("jobs-damaged", found).fix(fix));
    }
    let leftovers = jobs.leftovers(now)?;
    let others = leftovers.len() - leftovers.damaged.len();
    if others > 0 {
        let found = format!("{} that crashes left behind", human::count(others, "file"));
        findings.push(SECTION.note("jobs-leftovers", found).fix(Fix::own(["gc", "--older-than", "30d"])));
    }
    Ok(findings)
}

/// Jobs that were made later than it is now.
fn from_the_future(ids: &[JobId], now: UnixSeconds) -> Option<Finding> {
    let created = |id: &JobId| id.created_at_ms().map(|millis| millis as f64 / 1_000.0);
    let ahead = |id: &&JobId| created(id).is_some_and(|at| at - now > CLOCK_TOLERANCE_SECONDS);
    let newest = ids.iter().find(ahead)?;
    let count = ids.iter().filter(ahead).count();
    let found = format!(
        "{} made later than it is now, such as {newest}: the clock was wrong then, or is wrong now",
        if count == 1 { "1 job was".to_owned() } else { format!("{count} jobs were") }
    );
    Some(SECTION.warning("clock", found))
}

/// How many bytes all jobs take, from a look at some of them.
fn estimate(path: &Path, ids: &[JobId]) -> u64 {
    let step = ids.len().div_ceil(MEASURED).max(1);
    let measured: Vec<u64> = ids.iter().step_by(step).map(|id| size_of(path, *id)).collect();
    let total: u64 = measured.iter().sum();
    total / (measured.len() as u64).max(1) * ids.len() as u64
}

fn size_of(jobs: &Path, id: JobId) -> u64 {
    let length = |path: PathBuf| path.symlink_metadata().map_or(0, |metadata| metadata.len());
    let folder = fs::read_dir(jobs.join(id.to_string())).into_iter().flatten().flatten();
    length(jobs.join(format!("{id}.json"))) + folder.map(|entry| length(entry.path())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Level;

    const MIB: u64 = 1024 * 1024;

    fn judged(
        free_mib: u64,
        files: u64,
        free_files: u64,
        network: Option<&'static str>,
    ) -> Vec<(&'static str, Level)> {
        let found = FileSystem {
            size_bytes: 10_000 * MIB,
            free_bytes: free_mib * MIB,
            files,
            free_files,
            network,
            without_modes: None,
        };
        room(Path::new("/"), &found).iter().map(|finding| (finding.id, finding.level)).collect()
    }

    #[test]
    fn too_little_room_and_unsure_locks_are_warned_of() {
        let fine = ("jobs-space", Level::Ok);
        assert_eq!(judged(5_000, 0, 0, None), [fine]);
        assert_eq!(judged(500, 1_000, 500, None), [fine]);
        assert_eq!(judged(499, 0, 0, None), [("jobs-space", Level::Warning)]);
        assert_eq!(judged(5_000, 1_000, 9, None), [fine, ("jobs-inodes", Level::Warning)]);
        assert_eq!(judged(5_000, 0, 0, Some("NFS")), [fine, ("jobs-network", Level::Warning)]);
    }

    #[test]
    fn a_job_from_the_future_says_that_a_clock_is_wrong() {
        let id = JobId::generate();
        let made = id.created_at_ms().unwrap() as f64 / 1_000.0;
        assert_eq!(from_the_future(&[id], made - 30.0), None);
        let found = from_the_future(&[id], made - 3_600.0).unwrap();
        assert!(found.level == Level::Warning && found.found.contains(&id.to_string()), "{found:?}");
    }
}
