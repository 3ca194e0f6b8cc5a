//! Jobs on disk: the records, who holds them, and their working files.
//!
//! Every dispatch is a record in one owner-only directory (the names in it are in `paths`). Records
//! are written durably and replaced as a whole, so a reader sees one state or the next, never a mixture. A
//! job is alive while its lock is held; that lock travels from the process that creates the job to the
//! supervisor that runs it without ever being free.

mod answer;
mod depth;
mod job_kind;
mod journal;
mod lease;
mod leftovers;
mod limit;
mod lock;
mod notes;
mod paths;
mod queue;
mod read_at;
mod reading;
mod record;
mod result;
mod retention;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::model::{JobId, JobSelector, UnixSeconds};
use crate::os::{FileError, OwnedDir};

pub use answer::{Answer, INLINE_ANSWER_BYTES};
pub use depth::{DEEPEST_DATA, is_too_deep};
pub use job_kind::JobKind;
pub use journal::{Entry, Journal, RunStats};
pub use lease::{Lease, Resource, TryAcquire};
pub use leftovers::Leftovers;
pub use limit::RecordedLimit;
pub use lock::{HeldJob, Liveness, Waiter};
pub use notes::{Halt, MOST_STRAYS, Notes};
pub use queue::{QueueTicket, Slot, SubmitLock};
pub use read_at::{Pieces, ReadAt};
pub use record::{FORMAT, Finished, Launch, Record, State, Status, Verdict};
pub use result::{
    AnswerFile, ErrorType, JobResult, Outcome, RecordedRemedy, Unfinished, UnfinishedState, WorkKind,
};
pub use retention::{Candidate, Plan, Policy, plan};

/// The jobs directory.
#[derive(Debug)]
pub struct Store {
    jobs: OwnedDir,
    run: OwnedDir,
    journal: LazyLock<Option<Journal>, FindJournal>,
}

/// Finds out where the ends of lost jobs are noted: a process that only looks at finished jobs need not know.
type FindJournal = Box<dyn FnOnce() -> Option<Journal> + Send>;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No record has this id.
    #[error("there is no job {0}")]
    NoSuchJob(JobId),
    /// No record's id begins like this.
    #[error("there is no job whose id begins with '{0}'")]
    NoSuchPrefix(String),
    /// Several records' ids begin like this.
    #[error("{} jobs have ids that begin with '{prefix}'", ids.len())]
    AmbiguousPrefix {
        /// What was given.
        prefix: String,
        /// The jobs it names, newest first.
        ids: Vec<JobId>,
    },
    /// There is no job at all.
    #[error("there are no jobs yet in {}", .0.display())]
    Empty(PathBuf),
    /// A record cannot be read as one.
    #[error("the record {} is damaged: {reason}{}", path.display(), moved(.moved_to.as_deref()))]
    Damaged {
        /// Where it was.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// Where it lies now, out of the way.
        moved_to: Option<PathBuf>,
    },
    /// A record cannot be read at all.
    #[error("the record {} cannot be read: {error}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// A newer version of this program wrote the record. This one leaves it as it is.
    #[error(
        "the record {} was written by a newer version of agent-dispatch, in format {format}, and is left as it is",
        path.display()
    )]
    Newer {
        /// Where it is.
        path: PathBuf,
        /// Its format.
        format: String,
    },
    /// A file or directory could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl StoreError {
    /// Whether it is about one job, of which something is gone or cannot be read, and says nothing about the others.
    pub fn is_of_one_job(&self) -> bool {
        matches!(
            self,
            Self::NoSuchJob(_) | Self::Damaged { .. } | Self::Unreadable { .. } | Self::Newer { .. }
        )
    }
}

fn moved(to: Option<&Path>) -> String {
    to.map(|to| format!("; it was moved to {}", to.display())).unwrap_or_default()
}

/// The longest nameless content that is kept in memory, in bytes: thousands of jobs may wait with theirs.
const IN_MEMORY_BYTES: usize = 64 * 1024;

/// The working files of one job.
#[derive(Debug)]
pub struct JobFolder(OwnedDir);

/// A long answer that is being written.
#[derive(Debug)]
pub struct AnswerDraft {
    /// The file.
    pub file: File,
    name: String,
}

impl JobFolder {
    /// Opens a job's folder by its path.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Ok(Self(OwnedDir::open(path)?))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Opens the file for the agent's standard output.
    pub fn append_to_stdout(&self) -> Result<File, FileError> {
        self.0.append_to(paths::STDOUT)
    }

    /// Opens the file for its standard error.
    pub fn append_to_stderr(&self) -> Result<File, FileError> {
        self.0.append_to(paths::STDERR)
    }

    /// Opens the agent's standard output for reading; `None` when nothing has been started yet.
    pub fn open_stdout(&self) -> Result<Option<File>, FileError> {
        missing_is_none(self.0.open_file(paths::STDOUT))
    }

    /// Opens its standard error for reading.
    pub fn open_stderr(&self) -> Result<Option<File>, FileError> {
        missing_is_none(self.0.open_file(paths::STDERR))
    }

    /// Opens the file that holds a long answer.
    pub fn open_answer(&self, file: AnswerFile) -> Result<File, FileError> {
        self.0.open_file(match file {
            AnswerFile::Answer => paths::ANSWER,
            AnswerFile::Stdout => paths::STDOUT,
        })
    }

    /// Starts a file that may become the long answer, by [`Self::keep_answer`].
    pub fn draft_answer(&self) -> Result<AnswerDraft, FileError> {
        let name = OwnedDir::temporary_name(paths::ANSWER);
        Ok(AnswerDraft { file: self.0.create_file(&name)?, name })
    }

    /// Makes a draft the answer, durably.
    pub fn keep_answer(&self, draft: &AnswerDraft) -> Result<(), FileError> {
        let path = self.path().join(&draft.name);
        draft.file.sync_all().map_err(|source| FileError::Io { action: "write", path, source })?;
        self.0.rename(&draft.name, paths::ANSWER)?;
        self.0.sync()
    }

    /// Removes a draft that is not the answer.
    pub fn discard_answer(&self, draft: &AnswerDraft) {
        // What stays goes with the folder.
        let _ = self.0.remove_file(&draft.name);
    }

    /// Puts a file into the folder.
    pub fn put(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        self.0.replace(name, content)
    }

    /// A file without a name, for content that lives as long as a process has it open. What is short is in memory.
    pub fn nameless(&self, content: &[u8]) -> Result<File, FileError> {
        use std::io::{Seek, Write};
        if content.len() <= IN_MEMORY_BYTES
            && let Some(file) = crate::os::anonymous_file(content)
        {
            return Ok(file);
        }
        const NAME: &str = ".tmp-nameless";
        self.0.remove_file(NAME)?;
        let mut file = self.0.create_file(NAME)?;
        let written = file.write_all(content).and_then(|()| file.rewind());
        self.0.remove_file(NAME)?;
        let path = self.path().join(NAME);
        written.map_err(|source| FileError::Io { action: "write", path, source })?;
        Ok(file)
    }

    /// Makes a directory in the folder, for its owner only.
    pub fn make_directory(&self, name: &str) -> Result<OwnedDir, FileError> {
        self.0.open_or_create_child(name)
    }

    /// Removes a directory in the folder with all that is in it; a missing one is fine.
    pub fn remove_directory(&self, name: &str) -> Result<(), FileError> {
        self.0.remove_child(name, &[])
    }

    /// Asks the job's supervisor to stop it. The request survives the supervisor.
    pub fn request_cancel(&self) -> Result<(), FileError> {
        self.0.replace(paths::CANCEL, b"")
    }

    /// Asks the kernel to send this process `signal` when a caller asks to stop the job. Says whether it will.
    pub fn announce_cancel(&self, signal: rustix::process::Signal) -> bool {
        self.0.announce_names(signal)
    }

    /// Whether a caller asked to stop the job.
    pub fn is_cancel_requested(&self) -> bool {
        self.0.open_file(paths::CANCEL).is_ok()
    }
}

fn missing_is_none(opened: Result<File, FileError>) -> Result<Option<File>, FileError> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Store {
    /// Opens the jobs directory, creating it when it is missing.
    ///
    /// Refuses one that is a link, belongs to another user or that others can open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let jobs = OwnedDir::open_or_create(path)?;
        let run = jobs.open_or_create_child(paths::RUN)?;
        Ok(Self { jobs, run, journal: LazyLock::new(Box::new(|| None)) })
    }

    /// The same store for a process that notes the ends of lost jobs in the journal that `find` names. It is asked when that is
    /// needed first. What a record says about it counts for nothing: it would be a path chosen by anyone who can write records.
    #[must_use]
    pub fn noting_in(self, find: impl FnOnce() -> Option<Journal> + Send + 'static) -> Self {
        Self { journal: LazyLock::new(Box::new(find)), ..self }
    }

    /// Where the ends of lost jobs are noted, if anywhere.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Where the jobs are.
    pub fn path(&self) -> &Path {
        self.jobs.path()
    }

    /// Where the record of a job lies, for those who are told about it.
    pub fn record_path(&self, id: JobId) -> PathBuf {
        self.jobs.path().join(paths::record(id))
    }

    /// Creates a job: its lock first, then its folder, then the record, durably. A process that sees the record
    /// sees it held.
    pub fn create(&self, record: &Record) -> Result<HeldJob<'_>, StoreError> {
        let id = record.id;
        let lock = self.run.create_file(&paths::lock(id))?;
        let created = || -> Result<(), StoreError> {
            lock.lock().map_err(|source| FileError::Io {
                action: "lock",
                path: self.run.path().join(paths::lock(id)),
                source,
            })?;
            self.jobs.open_or_create_child(&id.to_string())?;
            self.jobs.replace(&paths::record(id), &record.to_json())?;
            Ok(())
        };
        match created() {
            Ok(()) => Ok(HeldJob::new(self, id, lock)),
            Err(error) => {
                let _ = self.delete(id);
                let _ = self.run.remove_file(&paths::lock(id));
                Err(error)
            }
        }
    }

    /// The working files of a job.
    pub fn folder(&self, id: JobId) -> Result<JobFolder, StoreError> {
        Ok(JobFolder(self.jobs.open_or_create_child(&id.to_string())?))
    }

    /// Counts one more job in the chain that began with `root`, and says how many it has led to now. A chain
    /// whose first job is gone, or lies in another directory, is not counted.
    pub fn count_in_tree(&self, root: JobId) -> Result<u64, StoreError> {
        use std::io::Write;
        let folder = match self.jobs.open_child(&root.to_string()) {
            Ok(folder) => folder,
            Err(error) if error.is_not_found() => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        // Appends of one byte are atomic: each of two at once finds at least its own.
        let mut tree = folder.append_to(paths::TREE)?;
        let counted = tree.write_all(b".").and_then(|()| Ok(tree.metadata()?.len()));
        let path = folder.path().join(paths::TREE);
        Ok(counted.map_err(|source| FileError::Io { action: "write", path, source })?)
    }

    /// How many jobs the chain that began with `root` has led to, as far as they are counted.
    pub fn jobs_in_tree(&self, root: JobId) -> Result<u64, StoreError> {
        let counted =
            self.jobs.open_child(&root.to_string()).and_then(|folder| folder.open_file(paths::TREE));
        match counted {
            Ok(tree) => {
                let path = self.jobs.path().join(root.to_string()).join(paths::TREE);
                let failed = |source| FileError::Io { action: "look at", path, source };
                Ok(tree.metadata().map_err(failed)?.len())
            }
            Err(error) if error.is_not_found() => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// The jobs that have a record, newest first.
    pub fn ids(&self) -> Result<Vec<JobId>, StoreError> {
        let ids = self.unordered_ids()?.into_iter();
        let mut ordered: Vec<(u64, JobId)> = ids.map(|id| (self.order_of(id), id)).collect();
        ordered.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ordered.into_iter().map(|(_, id)| id).collect())
    }

    /// The same as they come, for which no record is read.
    pub fn unordered_ids(&self) -> Result<Vec<JobId>, StoreError> {
        let mut ids = Vec::new();
        self.jobs.for_each_name(|name| {
            ids.extend(std::str::from_utf8(name).ok().and_then(paths::id_of_record));
        })?;
        Ok(ids)
    }

    /// When a job was created, in milliseconds since the epoch, without reading its record if its id tells. A record
    /// that is damaged comes last: the process that reads it is told.
    fn order_of(&self, id: JobId) -> u64 {
        id.created_at_ms()
            .unwrap_or_else(|| self.glance(id).map_or(0, |record| (record.created_at * 1_000.0) as u64))
    }

    /// The jobs that have a lock: those that are alive, and those lost since the last look. Oldest
    /// first. Costs nothing for jobs that have finished.
    pub fn active_ids(&self) -> Result<Vec<JobId>, StoreError> {
        let names = self.run.names()?;
        let mut ids: Vec<JobId> = names.iter().filter_map(|name| paths::id_of_lock(name.to_str()?)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Finds the job a person means.
    pub fn resolve(&self, selector: &JobSelector) -> Result<JobId, StoreError> {
        match selector {
            JobSelector::Id(id) => Ok(*id),
            JobSelector::Latest => {
                self.ids()?.first().copied().ok_or_else(|| StoreError::Empty(self.path().to_owned()))
            }
            JobSelector::Prefix(prefix) => {
                let names = self.jobs.names()?;
                let matching: BTreeSet<JobId> = names
                    .iter()
                    .filter_map(|name| name.to_str())
                    .filter(|name| name.starts_with(prefix.as_str()))
                    .filter_map(paths::id_of_record)
                    .collect();
                match matching.len() {
                    0 => Err(StoreError::NoSuchPrefix(prefix.clone())),
                    1 => Ok(matching.into_iter().next().expect("it has one")),
                    _ => Err(StoreError::AmbiguousPrefix {
                        prefix: prefix.clone(),
                        ids: matching.into_iter().rev().collect(),
                    }),
                }
            }
        }
    }

    /// Deletes a job that has finished: its record and its files. Refuses one whose record is not ours to delete.
    pub fn delete(&self, id: JobId) -> Result<(), StoreError> {
        self.check_ours(id)?;
        self.jobs.remove_file(&paths::record(id))?;
        Ok(self.jobs.remove_child(&id.to_string(), paths::USUAL)?)
    }

    /// When the record of a job was last written, in seconds since the epoch: for a job that has finished, when it ended.
    pub fn recorded_at(&self, id: JobId) -> Result<Option<UnixSeconds>, StoreError> {
        Ok(self.jobs.modified_at(&paths::record(id))?)
    }
}

#[cfg(test)]
mod tests;
