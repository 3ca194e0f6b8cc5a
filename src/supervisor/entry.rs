//! Where a supervisor process begins.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;

use super::admission::{Admission, Granted};
use super::dependencies::{DependencyOutcome, gather};
use super::job::{self, JobResources};
use super::start::READY;
use super::stop_sources::StopSources;
use super::{LaunchSpec, on_done};
use crate::backend::{Backends, LONGEST_TASK_BYTES};
use crate::model::{JobId, now};
use crate::os;
use crate::store::{HeldJob, Record, Store};

/// Runs a job to its end. `arguments` are those after [`ENTRY`](super::ENTRY).
pub fn enter(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match supervise(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the job's stderr.log.
            let _ = writeln!(io::stderr(), "agent-dispatch: supervisor: {error}");
            ExitCode::FAILURE
        }
    }
}

fn supervise(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Box<dyn std::error::Error>> {
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("no {what} was handed over"));
    let jobs = PathBuf::from(next("jobs directory")?);
    let id: JobId = next("job id")?.to_string_lossy().parse()?;
    // Adopted before anything is opened, so that no number can mean anything else.
    let lock = adopt(&next("lock")?)?;
    let spec = adopt(&next("spec")?)?;
    let mut prompt = File::from(adopt(&next("prompt")?)?);
    let ready = adopt(&next("readiness pipe")?)?;
    let owner = arguments.next().map(|number| adopt(&number)).transpose()?;

    os::adopt_orphans();
    let spec = LaunchSpec::read(File::from(spec))?;
    let journal = spec.journal();
    let store = Store::open(&jobs)?.noting_in(move || journal);
    let job = HeldJob::adopt(&store, id, lock);
    let mut stop_sources = StopSources::new(owner, job.folder()?, store.notes(id)?)?;
    job.write_pid(rustix::process::getpid().as_raw_pid())?;
    let record = Record { launch: spec.launch.clone(), ..store.read(id)? };
    let backends = Backends::of_this_program();
    let program = backends.program_of(&record)?;
    let longest_prompt = backends
        .of_agent(&record)?
        .map_or(LONGEST_TASK_BYTES, |backend| backend.profile().prompt_limit_bytes);
    // A job that waits for others takes nothing before they have finished: it must not keep anybody waiting.
    let admission = match record.launch.after.as_slice() {
        [] => Some(Admission::join(&store, &record, &spec)?),
        _ => None,
    };
    // From here on the job is this process's, and it has its place in the queue.
    File::from(ready).write_all(READY)?;

    // The submitter has been told that all is well: from here on every end is recorded with its reason.
    let admit = || match admission {
        Some(admission) => admission.wait(&mut stop_sources),
        None => match gather(&store, &record, &spec, &mut prompt, longest_prompt, &mut stop_sources)? {
            DependencyOutcome::All => Admission::join(&store, &record, &spec)?.wait(&mut stop_sources),
            DependencyOutcome::Stopped(stop) => Ok(Granted::Stopped(stop)),
            DependencyOutcome::Pointless(reason, remedy) => Ok(Granted::Pointless(reason, remedy)),
        },
    };
    let granted = admit().unwrap_or_else(Granted::Failed);
    let mut resources = JobResources { spec: &spec, program, prompt, stop_sources };
    let record = job::run(job, record.clone(), &mut resources, granted, now)?;
    on_done::run(&store, &record, &mut resources);
    Ok(())
}

fn adopt(number: &OsString) -> io::Result<OwnedFd> {
    let number = number.to_str().and_then(|number| number.parse().ok()).unwrap_or(-1);
    os::adopt_descriptor(number)
}
