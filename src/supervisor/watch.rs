//! Reading along in the agent's output, for what cannot wait until it ends.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::stop_sources::TICK;
use crate::backend::{EventReader, Look, Output, Program, Watch};
use crate::store::{ErrorType, JobFolder};

/// Reads along in an agent's output on a thread of its own: whatever the agent writes, and however much, keeps the
/// supervisor from nothing else.
pub(super) struct StreamWatch {
    shared: Arc<Shared>,
    reader: Option<Thread>,
}

#[derive(Default)]
struct Shared {
    /// A failure that waiting cannot mend, once the output shows one.
    hopeless: OnceLock<ErrorType>,
    /// Whether the supervisor has stopped watching.
    done: AtomicBool,
}

impl StreamWatch {
    /// Starts reading, if there can be anything to see.
    pub(super) fn start(program: &dyn Program, folder: &JobFolder) -> Self {
        let shared = Arc::<Shared>::default();
        let reader = program.watch().and_then(|watch| {
            // Without the file there is nothing to see, and the agent's end comes all the same.
            let file = folder.open_stdout().ok().flatten()?;
            let (reader, shared) = (EventReader::of(program, 0), Arc::clone(&shared));
            // Without a thread a failure is seen at the end of the run instead of in the middle.
            let thread = std::thread::Builder::new().name("stream".to_owned());
            let started = thread.spawn(move || read_along(file, reader, watch, &shared)).ok()?;
            Some(started.thread().clone())
        });
        Self { shared, reader }
    }

    /// The failure that waiting cannot mend, if the output has shown one.
    pub(super) fn hopeless(&self) -> Option<ErrorType> {
        self.shared.hopeless.get().copied()
    }
}

impl Drop for StreamWatch {
    /// Ends the thread at its next look. Does not wait for it: it may hang in a read.
    fn drop(&mut self) {
        self.shared.done.store(true, Ordering::Relaxed);
        self.reader.iter().for_each(Thread::unpark);
    }
}

fn read_along(mut file: File, mut reader: EventReader, mut watch: Box<dyn Watch>, shared: &Shared) {
    while !shared.done.load(Ordering::Relaxed) && shared.hopeless.get().is_none() {
        let look = reader.read_from(&mut file, &mut |event| {
            if let Some(kind) = watch.observe(&event) {
                let _ = shared.hopeless.set(kind);
            }
        });
        if !matches!(look, Ok(Look::Behind)) {
            std::thread::park_timeout(TICK);
        }
    }
}

/// How much a program has written.
#[derive(Debug)]
pub(super) struct OutputGauge {
    stdout: Option<File>,
    stderr: File,
    /// How much it may write, in bytes.
    limit: u64,
    /// When it was looked at last, and how much there was then.
    last: (Instant, u64),
}

/// How often at most the size of an output that grows fast is looked at.
const GAUGE_AT_MOST: Duration = Duration::from_millis(5);

impl OutputGauge {
    /// A gauge of a program's standard output, if that is kept, and standard error.
    pub(super) fn new(stdout: Option<File>, stderr: File, limit: u64) -> Self {
        let mut gauge = Self { stdout, stderr, limit, last: (Instant::now(), 0) };
        // What was there before is not this program's.
        gauge.limit = limit.saturating_add(gauge.bytes());
        gauge.last.1 = gauge.bytes();
        gauge
    }

    /// How much it has written to standard output, in bytes.
    pub(super) fn stdout_bytes(&self) -> u64 {
        self.stdout.as_ref().map_or(0, length)
    }

    fn bytes(&self) -> u64 {
        self.stdout_bytes().saturating_add(length(&self.stderr))
    }

    /// Whether it has written more than it may.
    pub(super) fn is_over(&self) -> bool {
        self.bytes() > self.limit
    }

    /// Whether it has written so much more that it gets no grace.
    pub(super) fn is_far_over(&self) -> bool {
        self.bytes() > self.most()
    }

    /// How much a program can have written that was stopped in time.
    fn most(&self) -> u64 {
        self.limit.saturating_add(self.limit / 4)
    }

    /// Cuts off what lies beyond that: a program can write much, or make its output long, between two looks. To be
    /// called when nothing writes any more.
    pub(super) fn cut(&self) {
        for file in self.stdout.iter().chain([&self.stderr]).filter(|file| length(file) > self.most()) {
            // What cannot be cut stays as it is: that is no reason to lose the outcome.
            let _ = file.set_len(self.most());
        }
    }

    /// When to look again, at the pace at which it has been writing since this was asked last.
    pub(super) fn pause(&mut self) -> Duration {
        let (now, bytes) = (Instant::now(), self.bytes());
        let (before, had) = std::mem::replace(&mut self.last, (now, bytes));
        let grown = bytes.saturating_sub(had) as f64;
        let left = self.limit.saturating_sub(bytes) as f64;
        // At half the time it takes to the limit at this pace.
        let pause = (now - before).as_secs_f64() * left / (2.0 * grown.max(1.0));
        Duration::try_from_secs_f64(pause).unwrap_or(TICK).clamp(GAUGE_AT_MOST, TICK)
    }
}

fn length(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
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
