//! Reading along in the agent's output, for what cannot wait until it ends.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::backend::{Backend, EventReader, Output, Watch};
use crate::store::{ErrorType, JobFolder};

/// A reader of an agent's growing output.
pub(super) struct StreamWatch {
    file: Option<File>,
    reader: EventReader,
    watch: Watch,
}

impl StreamWatch {
    pub(super) fn new(backend: Backend, folder: &JobFolder) -> Self {
        Self {
            // Without the file there is nothing to see, and the agent's end comes all the same.
            file: folder.open_stdout().ok().flatten(),
            reader: EventReader::new(backend, 0),
            watch: Watch::default(),
        }
    }

    /// Reads what is new.
    pub(super) fn look(&mut self) -> Seen {
        let Self { file, reader, watch } = self;
        let mut seen = Seen::default();
        let Some(file) = file else { return seen };
        let read = reader.read_from(file, &mut |event| {
            if seen.hopeless.is_none() {
                seen.hopeless = watch.observe(&event);
            }
        });
        seen.grew = read.is_ok_and(|bytes| bytes > 0);
        seen
    }
}

/// What a look at the stream shows.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Whether there was anything new.
    pub(super) grew: bool,
    /// A failure that waiting cannot mend.
    pub(super) hopeless: Option<ErrorType>,
}

/// What the agent wrote, opened to be read from the beginning. An error that may pass is waited out for `patience`.
pub(super) fn open_output(folder: &JobFolder, patience: Duration) -> Result<Option<File>, String> {
    let deadline = Instant::now() + patience;
    loop {
        match folder.open_stdout() {
            Ok(file) => return Ok(file),
            Err(error) if error.io_kind().is_none() || Instant::now() >= deadline => {
                return Err(error.to_string());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The same as evidence.
pub(super) fn as_evidence(opened: &Result<Option<File>, String>) -> Output<'_> {
    match opened {
        Ok(Some(file)) => Output::File(file),
        Ok(None) => Output::Missing,
        Err(reason) => Output::Unreadable(reason),
    }
}
