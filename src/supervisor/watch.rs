//! Reading along in the agent's output, for what cannot wait until it ends.

use std::fs::File;

use crate::backend::{Backend, EventReader, Watch};
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

    /// Reads what is new and tells whether the stream shows a failure that waiting cannot mend.
    pub(super) fn hopeless(&mut self) -> Option<ErrorType> {
        let Self { file, reader, watch } = self;
        let mut verdict = None;
        let read = reader.read_from(file.as_mut()?, &mut |event| {
            if verdict.is_none() {
                verdict = watch.observe(&event);
            }
        });
        read.ok()?;
        verdict
    }
}
