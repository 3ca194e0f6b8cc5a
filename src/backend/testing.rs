//! A finished run, made up: for the tests of the conclusions.

use std::fs;

use super::{Ending, Evidence, Output, Program, Stop};
use crate::model::JobId;
use crate::remedy::Commands;
use crate::store::{FORMAT, JobFolder, JobResult, Launch, Record, State};

/// The session the made-up jobs are started with.
pub(super) const SESSION: &str = "3abbf4ad-968f-47c9-bc85-8f73282df7b5";

/// A record of an agent called `api`.
pub(super) fn record() -> Record {
    Record {
        id: JobId::generate(),
        agent: "api".into(),
        task: "fix it".into(),
        context: None,
        caller: None,
        goal: None,
        created_at: 0.0,
        state: State::Running { started_at: 0.0 },
        launch: Launch { session_id: Some(SESSION.into()), ..Launch::default() },
        progress: None,
        format: FORMAT,
        unknown: serde_json::Map::new(),
    }
}

/// An empty job's folder.
pub(super) fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let owner_only = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(owner_only).tempdir().unwrap()
}

/// What is left of a run.
pub(super) struct Run {
    program: &'static dyn Program,
    directory: tempfile::TempDir,
    record: Record,
    ending: Option<Ending>,
    stop: Option<Stop>,
}

impl Run {
    /// A run that ended with exit code 0 and wrote nothing.
    pub(super) fn new(program: &'static dyn Program) -> Self {
        Self { program, directory: folder(), record: record(), ending: Some(Ending::Exited(0)), stop: None }
    }

    pub(super) fn stdout(self, text: &str) -> Self {
        self.stdout_bytes(text.as_bytes())
    }

    pub(super) fn stdout_bytes(self, bytes: &[u8]) -> Self {
        fs::write(self.directory.path().join("stdout.jsonl"), bytes).unwrap();
        self
    }

    pub(super) fn stdout_is_a_directory(self) -> Self {
        fs::create_dir(self.directory.path().join("stdout.jsonl")).unwrap();
        self
    }

    pub(super) fn stderr(self, text: &str) -> Self {
        fs::write(self.directory.path().join("stderr.log"), text).unwrap();
        self
    }

    pub(super) fn record(self, record: Record) -> Self {
        Self { record, ..self }
    }

    pub(super) fn exit(self, code: i32) -> Self {
        Self { ending: Some(Ending::Exited(code)), ..self }
    }

    pub(super) fn signal(self, signal: i32) -> Self {
        Self { ending: Some(Ending::Signalled(signal)), ..self }
    }

    /// Ended from outside, with an unknown exit status.
    pub(super) fn stop(self, stop: Stop) -> Self {
        Self { ending: None, stop: Some(stop), ..self }
    }

    pub(super) fn folder(&self) -> JobFolder {
        JobFolder::open(self.directory.path()).unwrap()
    }

    /// The long answer that a result names, read back.
    pub(super) fn long_answer(&self, result: &JobResult) -> String {
        use std::io::Read;
        let mut file = self.folder().open_answer(result.answer_file.expect("a long answer")).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    pub(super) fn conclude(&self) -> JobResult {
        let folder = self.folder();
        let opened = folder.open_stdout().map_err(|error| error.to_string());
        let stdout = match &opened {
            Ok(Some(file)) => Output::File(file),
            Ok(None) => Output::Missing,
            Err(reason) => Output::Unreadable(reason),
        };
        let evidence =
            Evidence { folder: &folder, stdout, ending: self.ending, stop: self.stop, duration_ms: None };
        let mut result = self.program.conclude(&self.record, &evidence);
        result.hint = result.advice(|remedy| Commands::default().tell(remedy));
        result
    }
}
