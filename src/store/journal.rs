//! The usage journal: one line for each job that has finished, for statistics that outlive the jobs.
//!
//! Each line is one JSON object, appended by one write, so lines of jobs that end at the same moment never mix. A
//! journal that has grown large becomes `<name>.1`, in the place of the one before; a writer that has it open just
//! then adds its line there.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ErrorType, Outcome, Record, Status};
use crate::model::{JobId, UnixSeconds};
use crate::os::{FileError, open_log, open_log_to_read};

/// How long a journal becomes before another one is begun, in bytes: some 15,000 jobs.
const FULL_BYTES: u64 = 5_000_000;

/// How much of the end is read where only recent jobs count, in bytes: some 800 jobs.
const RECENT_BYTES: u64 = 256 * 1024;

/// What the journal says of a job. Absent fields are left out of the JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When the job ended.
    pub time: UnixSeconds,
    /// The job.
    pub job_id: JobId,
    /// Its agent.
    pub agent: String,
    /// Whether the run ended as it should, with an answer.
    pub success: bool,
    /// The status of its record.
    pub status: Status,
    /// The agent's own verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What kind of failure it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<ErrorType>,
    /// What the run cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// From the agent's start to its end, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How many turns the agent took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_turns: Option<u64>,
    /// The model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many dispatches deep it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
    /// The agent CLI's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

impl Entry {
    /// What there is to say of a job, once it has finished.
    fn of(record: &Record) -> Option<Self> {
        let finished = record.finished()?;
        let result = finished.result.as_ref();
        Some(Self {
            time: finished.completed_at,
            job_id: record.id,
            agent: record.agent.clone(),
            success: result.is_some_and(|result| result.success),
            status: record.status(),
            outcome: result.and_then(|result| result.outcome),
            error_type: result.and_then(|result| result.error_type),
            cost_usd: result.and_then(|result| result.cost_usd),
            duration_ms: result.and_then(|result| result.duration_ms),
            num_turns: result.and_then(|result| result.num_turns),
            model: result.and_then(|result| result.model.clone()),
            depth: record.launch.depth,
            session_id: result.and_then(|result| result.session_id.clone()),
        })
    }
}

/// A usage journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    path: PathBuf,
    /// Whether it is used although other users own it or can write to it.
    is_vouched_for: bool,
}

impl Journal {
    /// The journal at this path, whether it exists or not.
    pub fn at(path: PathBuf) -> Self {
        Self { path, is_vouched_for: false }
    }

    /// The same journal, used even if another user owns it or can write to it.
    #[must_use]
    pub fn vouched_for(self) -> Self {
        Self { is_vouched_for: true, ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes a job that has finished, with mode 0600. A job that has not finished is not noted.
    pub fn note(&self, record: &Record) -> Result<(), FileError> {
        let Some(entry) = Entry::of(record) else { return Ok(()) };
        let mut line = serde_json::to_vec(&entry).expect("strings and numbers always serialise");
        line.push(b'\n');
        if self.is_torn() {
            line.insert(0, b'\n');
        }
        let failed = |source| FileError::Io { action: "write", path: self.path.clone(), source };
        let open = || open_log(&self.path, self.is_vouched_for);
        let mut file = open()?;
        if file.metadata().map_err(failed)?.len() >= FULL_BYTES {
            self.begin_another(&file);
            file = open()?;
        }
        file.write_all(&line).map_err(failed)
    }

    /// Notes a job that has finished unless it has been noted already: for those who find that its supervisor may not have
    /// come to that.
    pub fn note_once(&self, record: &Record) -> Result<(), FileError> {
        match Entry::of(record) {
            Some(entry) if self.has(&entry)? => Ok(()),
            _ => self.note(record),
        }
    }

    /// Whether there is a line of the same job. Lines stand in the order of the ends as a rule, so that only those are
    /// read that are not much older.
    fn has(&self, entry: &Entry) -> Result<bool, FileError> {
        const TOLERANCE_SECONDS: f64 = 3_600.0;
        let id = entry.job_id.to_string();
        for path in [self.path.clone(), self.before()] {
            let Some(mut file) = self.open(&path)? else { continue };
            let failed = |source| FileError::Io { action: "read", path: path.clone(), source };
            let length = file.metadata().map_err(failed)?.len();
            let mut window = RECENT_BYTES;
            loop {
                let skipped = length.saturating_sub(window);
                let (mut is_part, mut oldest, mut found) = (skipped > 0, None, false);
                file.seek(SeekFrom::Start(skipped)).map_err(failed)?;
                read_lines(file.try_clone().map_err(failed)?, |line| {
                    let is_named = || line.windows(id.len()).any(|part| part == id.as_bytes());
                    if std::mem::take(&mut is_part) || (oldest.is_some() && !is_named()) {
                        return;
                    }
                    if let Ok(other) = serde_json::from_slice::<Entry>(line) {
                        oldest = oldest.or(Some(other.time));
                        found |= other.job_id == entry.job_id;
                    }
                })
                .map_err(failed)?;
                if found || oldest.is_some_and(|oldest| oldest < entry.time - TOLERANCE_SECONDS) {
                    return Ok(found);
                }
                if skipped == 0 {
                    break;
                }
                window *= 4;
            }
        }
        Ok(false)
    }

    /// Whether the last line has no end: a disk that was full took only a part of it.
    fn is_torn(&self) -> bool {
        let mut last = [0];
        let ends_well = self.open(&self.path).ok().flatten().is_none_or(|mut file| {
            file.seek(SeekFrom::End(-1)).is_err() || file.read_exact(&mut last).is_err() || last == *b"\n"
        });
        !ends_well
    }

    /// Puts the full journal aside, unless another process is doing that or has done it.
    fn begin_another(&self, full: &File) {
        use std::os::unix::fs::MetadataExt;
        if full.try_lock().is_err() {
            return;
        }
        let same = |a: std::fs::Metadata, b: std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        let is_current =
            full.metadata().ok().zip(self.path.symlink_metadata().ok()).is_some_and(|(a, b)| same(a, b));
        if is_current {
            // What cannot be renamed goes on growing.
            let _ = std::fs::rename(&self.path, self.before());
        }
    }

    /// Opens this journal, or the one before it, to be read.
    fn open(&self, path: &Path) -> Result<Option<File>, FileError> {
        match open_log_to_read(path, self.is_vouched_for) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where the journal before this one is.
    fn before(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".1");
        path.into()
    }

    /// Calls `take` with each entry, the oldest first, and with `None` for a line that cannot be read.
    pub fn for_each(&self, mut take: impl FnMut(Option<Entry>)) -> Result<(), FileError> {
        for path in [self.before(), self.path.clone()] {
            if let Some(file) = self.open(&path)? {
                read_lines(file, |line| take(serde_json::from_slice(line).ok()))
                    .map_err(|source| FileError::Io { action: "read", path, source })?;
            }
        }
        Ok(())
    }

    /// Calls `take` with the most recent entries, the oldest first: of one agent, if one is named.
    pub fn for_each_recent(&self, agent: Option<&str>, mut take: impl FnMut(Entry)) -> Result<(), FileError> {
        let current = self.open(&self.path)?;
        let length =
            |file: &Option<File>| file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |m| m.len());
        let missing = RECENT_BYTES.saturating_sub(length(&current));
        let before = if missing > 0 { self.open(&self.before())? } else { None };
        // Most lines are of other agents: looking for the name spares reading them.
        let name = agent.map(|agent| serde_json::to_string(agent).unwrap_or_default());
        let named = |line: &[u8]| {
            name.as_ref().is_none_or(|name| line.windows(name.len()).any(|part| part == name.as_bytes()))
        };
        for (file, bytes) in [(before, missing), (current, RECENT_BYTES)] {
            let Some(mut file) = file else { continue };
            let failed = |source| FileError::Io { action: "read", path: self.path.clone(), source };
            let skipped = length(&Some(file.try_clone().map_err(failed)?)).saturating_sub(bytes);
            file.seek(SeekFrom::Start(skipped.saturating_sub(1))).map_err(failed)?;
            let mut is_part = skipped > 0;
            read_lines(file, |line| {
                if !std::mem::take(&mut is_part)
                    && named(line)
                    && let Ok(entry) = serde_json::from_slice::<Entry>(line)
                    && agent.is_none_or(|agent| agent == entry.agent)
                {
                    take(entry);
                }
            })
            .map_err(failed)?;
        }
        Ok(())
    }

    /// What recent successful runs of an agent took and cost; `None` when there were none, or they cannot be read.
    pub fn usual(&self, agent: &str) -> Option<RunStats> {
        let (mut durations_ms, mut costs_usd) = (Vec::new(), Vec::new());
        self.for_each_recent(Some(agent), |entry| {
            if entry.success {
                durations_ms.extend(entry.duration_ms);
                costs_usd.extend(entry.cost_usd);
            }
        })
        .ok()?;
        RunStats::of(durations_ms, costs_usd)
    }
}

fn read_lines(file: File, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    // Nothing here is longer than a journal gets before another one is begun.
    let mut reader = BufReader::with_capacity(64 * 1024, file).take(4 * FULL_BYTES);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line.ends_with(b"\n") {
            line.pop();
        }
        if !line.is_empty() {
            take(&line);
        }
        line.clear();
    }
    Ok(())
}

/// What the successful runs of an agent usually take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunStats {
    /// How many runs this rests on.
    pub runs: usize,
    /// Half of them took no longer, in milliseconds.
    pub median_ms: u64,
    /// Nine of ten took no longer, in milliseconds.
    pub p90_ms: u64,
    /// Half of them cost no more, in US dollars; `None` when no cost is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_cost_usd: Option<f64>,
}

impl RunStats {
    /// Summarises successful runs; `None` when there are none.
    pub fn of(mut durations_ms: Vec<u64>, mut costs_usd: Vec<f64>) -> Option<Self> {
        durations_ms.sort_unstable();
        costs_usd.sort_unstable_by(f64::total_cmp);
        Some(Self {
            runs: durations_ms.len(),
            median_ms: percentile(&durations_ms, 50)?,
            p90_ms: percentile(&durations_ms, 90)?,
            median_cost_usd: percentile(&costs_usd, 50),
        })
    }
}

/// The smallest of the sorted values that so many percent do not exceed.
fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Finished, JobResult, State, Verdict};

    fn record(agent: &str, duration_ms: u64) -> Record {
        let mut record = Record::pending(JobId::generate(), agent, "look", 1.0);
        let result =
            JobResult { duration_ms: Some(duration_ms), ..JobResult::answer(record.id, agent, "hi") };
        record.state = State::Finished(Box::new(Finished {
            started_at: Some(1.0),
            completed_at: 2.0,
            verdict: Verdict::Done,
            result: Some(result),
            error: None,
        }));
        record
    }

    fn journal() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::at(dir.path().join("new/usage.jsonl"));
        (dir, journal)
    }

    #[test]
    fn a_job_that_is_over_is_one_line_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_dir, journal) = journal();
        journal.for_each(|_| panic!("there is nothing yet")).unwrap();
        let record = record("infra", 5);
        journal.note(&record).unwrap();
        journal.note(&Record::pending(JobId::generate(), "infra", "look", 1.0)).unwrap();
        let mut entries = Vec::new();
        journal.for_each(|entry| entries.push(entry)).unwrap();
        assert_eq!(entries, [Entry::of(&record)]);
        assert_eq!(journal.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!std::fs::read_to_string(journal.path()).unwrap().contains("null"));
    }

    #[test]
    fn a_job_is_noted_once_however_far_back_its_line_stands() {
        let (_dir, journal) = journal();
        let (noted, missing) = (record("infra", 5), record("infra", 6));
        journal.note_once(&noted).unwrap();
        // More than is read at first, of the same hour.
        let mut line = serde_json::to_vec(&Entry::of(&record("web", 1)).unwrap()).unwrap();
        line.push(b'\n');
        let mut file = std::fs::OpenOptions::new().append(true).open(journal.path()).unwrap();
        file.write_all(&line.repeat(3 * RECENT_BYTES as usize / line.len())).unwrap();
        let length = || journal.path().metadata().unwrap().len();
        let before = length();
        journal.note_once(&noted).unwrap();
        assert_eq!(length(), before);
        journal.note_once(&missing).unwrap();
        let after = length();
        assert!(after > before);
        journal.note_once(&missing).unwrap();
        assert_eq!(length(), after);
        std::fs::rename(journal.path(), journal.before()).unwrap();
        journal.note_once(&noted).unwrap();
        assert!(!journal.path().exists());
    }

    #[test]
    fn a_line_that_a_full_disk_tore_takes_no_other_with_it() {
        let (_dir, journal) = journal();
        journal.note(&record("infra", 5)).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(journal.path()).unwrap();
        file.write_all(b"{\"time\":1.0,\"job").unwrap();
        journal.note(&record("infra", 6)).unwrap();
        let mut entries = Vec::new();
        journal.for_each(|entry| entries.push(entry.is_some())).unwrap();
        assert_eq!(entries, [true, false, true]);
    }

    #[test]
    fn a_full_journal_is_put_aside_and_read_on() {
        let (_dir, journal) = journal();
        journal.note(&record("infra", 1)).unwrap();
        let mut line = std::fs::read(journal.path()).unwrap();
        let (first, second) = (FULL_BYTES as usize / line.len() + 1, 3);
        line = line.repeat(first);
        line.extend(b"what is this\n");
        std::fs::write(journal.path(), line).unwrap();
        (0..second).for_each(|_| journal.note(&record("web", 2)).unwrap());
        let (mut entries, mut unreadable) = (0, 0);
        journal
            .for_each(|entry| *(if entry.is_some() { &mut entries } else { &mut unreadable }) += 1)
            .unwrap();
        assert_eq!((entries, unreadable), (first + second, 1));
        assert!(journal.path().metadata().unwrap().len() < 1_000);
        let mut recent = 0;
        journal.for_each_recent(Some("web"), |entry| recent += entry.duration_ms.unwrap()).unwrap();
        assert_eq!(recent, 6);
        let mut recent = 0;
        journal.for_each_recent(None, |_| recent += 1).unwrap();
        assert!((1_000..4_000).contains(&recent), "{recent}");
    }

    #[test]
    fn what_stands_in_the_way_of_the_journal_is_left_alone() {
        let (dir, _) = journal();
        let target = dir.path().join("target");
        std::os::unix::fs::symlink(&target, dir.path().join("link")).unwrap();
        assert!(Journal::at(dir.path().join("link")).note(&record("infra", 1)).is_err());
        assert!(Journal::at(dir.path().to_owned()).note(&record("infra", 1)).is_err());
        assert!(!target.exists());
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(RunStats::of(Vec::new(), Vec::new()), None);
        let usual = RunStats::of((1..=10).rev().collect(), vec![0.5, 0.25]).unwrap();
        assert_eq!(usual, RunStats { runs: 10, median_ms: 5, p90_ms: 9, median_cost_usd: Some(0.25) });
        assert_eq!(RunStats::of(vec![7], Vec::new()).map(|usual| usual.p90_ms), Some(7));
    }
}
