//! What an agent writes to its standard output, read while it grows and at the end.

#![no_main]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use agent_dispatch::backend::{
    CLAUDE, COMMAND, Ending, Event, EventReader, Evidence, Output, Program, Stop,
};
use agent_dispatch::model::JobId;
use agent_dispatch::store::{ErrorType, JobFolder, Record};
use libfuzzer_sys::fuzz_target;

/// The events of the output, read in pieces of this length.
fn events(program: &dyn Program, output: &[u8], piece: usize) -> Vec<Event> {
    let mut reader = EventReader::of(program, 0);
    let mut events = Vec::new();
    for bytes in output.chunks(piece) {
        reader.feed(bytes, &mut |event| events.push(event));
    }
    reader.finish(&mut |event| events.push(event));
    events
}

fuzz_target!(|input: &[u8]| {
    let Some((first, output)) = input.split_first() else { return };
    let program: &dyn Program = if first & 1 == 0 { CLAUDE } else { COMMAND };
    let piece = usize::from(first >> 1) + 1;
    assert_eq!(events(program, output, piece), events(program, output, output.len().max(1)));

    let private = fs::Permissions::from_mode(0o700);
    let directory = tempfile::Builder::new().permissions(private).tempdir().expect("a directory");
    let folder = JobFolder::open(directory.path()).expect("the folder");
    folder.append_to_stdout().expect("a file").write_all(output).expect("room");
    folder.append_to_stderr().expect("a file").write_all(output).expect("room");
    let stdout = folder.open_stdout().expect("a file").expect("it was just written");
    let stdout = Output::File(&stdout);
    let record = Record::pending(JobId::generate(), "infra", "look", 0.0);
    let endings = [Some(Ending::Exited(0)), Some(Ending::Exited(1)), Some(Ending::Signalled(9)), None];
    let stops = [None, Some(Stop::Cancelled), Some(Stop::Timeout { limit_seconds: 1.0, usual: None }), Some(Stop::Lost)];
    for (ending, stop) in endings.into_iter().zip(stops) {
        let evidence = Evidence { folder: &folder, stdout, ending, stop, duration_ms: Some(1) };
        let result = program.conclude(&record, &evidence);
        assert_eq!(result.success, result.error_type.is_none(), "{result:?}");
        assert_eq!(result.success, result.error.is_none(), "{result:?}");
        let cancelled = stop == Some(Stop::Cancelled);
        assert_eq!(result.error_type == Some(ErrorType::Cancelled), cancelled, "{result:?}");
    }
});
