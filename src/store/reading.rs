//! Reading records, and what is never done to those of another make.
//!
//! A record is data that anything may have written: it is read up to a limit, one that cannot be read concerns its own
//! job only, and one of a format that this version does not know is neither changed nor moved nor deleted.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::{FORMAT, Liveness, Record, Store, StoreError, paths};
use crate::model::JobId;
use crate::os::FileError;

/// The longest record that is read, in bytes: several times what a job with the longest task and answer has.
const LONGEST_RECORD: u64 = 256 * 1024 * 1024;

/// How much of a record's beginning is enough to know it for one of ours.
const HEAD: u64 = 64;

/// What lies in the place of a record.
enum Content {
    Record(Box<Record>),
    /// A record in a format that this version does not know: the word for it.
    Newer(String),
    /// Something else, and why.
    Damaged(String),
}

/// The one thing that is known of a record in any format.
#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: Value,
}

impl Format {
    /// The format, if it is none that this version knows.
    fn newer(&self) -> Option<String> {
        let known = self.format.is_null() || (1..=FORMAT).any(|format| self.format == format);
        (!known).then(|| self.format.to_string())
    }
}

impl Store {
    /// Reads a job's record.
    ///
    /// One that makes no sense is moved aside, so that it is reported once and in no one's way, unless
    /// its job is alive: then its supervisor will write it again.
    pub fn read(&self, id: JobId) -> Result<Record, StoreError> {
        let path = self.record_path(id);
        match self.content(id) {
            Ok(Content::Record(record)) => Ok(*record),
            Ok(Content::Newer(format)) => Err(StoreError::Newer { path, format }),
            Ok(Content::Damaged(reason)) => {
                Err(StoreError::Damaged { path, reason, moved_to: self.quarantine(id) })
            }
            Err(error) if error.is_not_found() => Err(StoreError::NoSuchJob(id)),
            Err(error) if is_out_of_resources(&error) => Err(error.into()),
            Err(error) => Err(StoreError::Unreadable { path, error }),
        }
    }

    /// A job's record if it can be read; otherwise nothing is done about it.
    pub fn glance(&self, id: JobId) -> Option<Record> {
        match self.content(id) {
            Ok(Content::Record(record)) => Some(*record),
            _ => None,
        }
    }

    fn content(&self, id: JobId) -> Result<Content, FileError> {
        let name = paths::record(id);
        let failed = |source| FileError::Io { action: "read", path: self.record_path(id), source };
        let file = match self.jobs.open_file(&name) {
            Ok(file) => file,
            Err(FileError::Refused { reason, .. }) => return Ok(Content::Damaged(reason.to_string())),
            Err(error) => return Err(error),
        };
        let length = file.metadata().map_err(failed)?.len();
        if length > LONGEST_RECORD {
            let head = head(&file).map_err(failed)?;
            return Ok(match newer_at_the_beginning(&head) {
                Some(format) => Content::Newer(format),
                None => Content::Damaged(format!("it has {length} bytes, more than any record")),
            });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
        (&file).take(LONGEST_RECORD).read_to_end(&mut bytes).map_err(failed)?;
        let record = Record::from_json(&bytes);
        // What is read as a record says its format itself; what is not may be one all the same, of another time.
        let newer = match &record {
            Ok(record) if !record.is_newer() => None,
            // It need not be one document for that, nor whole.
            _ => {
                let whole = serde_json::from_slice::<Format>(&bytes).ok().and_then(|format| format.newer());
                whole.or_else(|| newer_at_the_beginning(&bytes))
            }
        };
        Ok(match (record, newer) {
            (Ok(record), _) if record.id == id => Content::Record(Box::new(record)),
            (_, Some(format)) => Content::Newer(format),
            (Ok(record), None) => Content::Damaged(format!("it says it is the record of {}", record.id)),
            (Err(error), None) => Content::Damaged(error.to_string()),
        })
    }

    /// Refuses what this version may not change: a record in a format that it does not know, or that it cannot read.
    pub fn check_ours(&self, id: JobId) -> Result<(), StoreError> {
        let file = match self.jobs.open_file(&paths::record(id)) {
            Ok(file) => file,
            // A link or a directory in its place is no record.
            Err(FileError::Refused { .. }) => return Ok(()),
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(StoreError::Unreadable { path: self.record_path(id), error }),
        };
        // This program writes the format first: the rest need not be read.
        if head(&file).is_ok_and(|head| format_at_the_beginning(&head) == Some(FORMAT.into())) {
            return Ok(());
        }
        match self.content(id) {
            Ok(Content::Record(record)) if record.is_newer() => {
                Err(StoreError::Newer { path: self.record_path(id), format: record.format.to_string() })
            }
            Ok(Content::Newer(format)) => Err(StoreError::Newer { path: self.record_path(id), format }),
            Ok(Content::Record(_) | Content::Damaged(_)) => Ok(()),
            Err(error) => Err(StoreError::Unreadable { path: self.record_path(id), error }),
        }
    }

    /// Whether this version may change and delete a job's record.
    pub fn is_ours(&self, id: JobId) -> bool {
        self.check_ours(id).is_ok()
    }

    fn quarantine(&self, id: JobId) -> Option<PathBuf> {
        if self.liveness(id).ok()? == Liveness::Alive {
            return None;
        }
        let damaged = paths::damaged(id);
        self.jobs.rename(&paths::record(id), &damaged).ok()?;
        Some(self.jobs.path().join(damaged))
    }
}

fn head(file: &File) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// The format of a record that begins with it, as those of this program do, if it is none that this version knows.
fn newer_at_the_beginning(bytes: &[u8]) -> Option<String> {
    let format = format_at_the_beginning(bytes)?;
    (format > u64::from(FORMAT)).then(|| format.to_string())
}

/// The format of a record that begins with it, whatever follows.
fn format_at_the_beginning(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes;
    for token in [&b"{"[..], br#""format""#, b":"] {
        rest = rest.trim_ascii_start().strip_prefix(token)?;
    }
    let digits = rest.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    if !matches!(digits[end], b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n') {
        return None;
    }
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// Whether an error is not about the file that was to be opened but about this process or machine.
fn is_out_of_resources(error: &FileError) -> bool {
    use rustix::io::Errno;
    let FileError::Io { source, .. } = error else { return false };
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOMEM].map(Errno::raw_os_error);
    source.kind() == ErrorKind::OutOfMemory
        || source.raw_os_error().is_some_and(|code| exhausted.contains(&code))
}
