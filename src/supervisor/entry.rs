//! Where a supervisor process begins.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;

use super::gather::{Gathered, gather};
use super::job::{self, Belongings};
use super::start::READY;
use super::summons::Summons;
use super::turn::{Granted, Turn};
use super::{Order, now, on_done};
use crate::os;
use crate::store::{HeldJob, JobId, Record, Store};

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
    let order = adopt(&next("order")?)?;
    let mut prompt = File::from(adopt(&next("prompt")?)?);
    let ready = adopt(&next("readiness pipe")?)?;
    let owner = arguments.next().map(|number| adopt(&number)).transpose()?;

    os::adopt_orphans();
    let order = Order::read(File::from(order))?;
    let journal = order.journal();
    let store = Store::open(&jobs)?.noting_in(move || journal);
    let job = HeldJob::adopt(&store, id, lock);
    let mut summons = Summons::new(owner, job.folder()?, store.notes(id)?)?;
    job.sign(rustix::process::getpid().as_raw_pid())?;
    let record = Record { launch: order.launch.clone(), ..store.read(id)? };
    // A job that waits for others takes nothing before they are over: it must not keep anybody waiting.
    let turn = match record.launch.after.as_slice() {
        [] => Some(Turn::join(&store, &record, &order)?),
        _ => None,
    };
    // From here on the job is this process's, and it has its place in the queue.
    File::from(ready).write_all(READY)?;

    // The submitter has been told that all is well: from here on every end is recorded with its reason.
    let its_turn = || match turn {
        Some(turn) => turn.wait(&mut summons),
        None => match gather(&store, &record, &order, &mut prompt, &mut summons)? {
            Gathered::All => Turn::join(&store, &record, &order)?.wait(&mut summons),
            Gathered::Stopped(stop) => Ok(Granted::Stopped(stop)),
            Gathered::Pointless(reason) => Ok(Granted::Pointless(reason)),
        },
    };
    let granted = its_turn().unwrap_or_else(Granted::Failed);
    let mut belongings = Belongings { order: &order, prompt, summons };
    let record = job::run(job, record.clone(), &mut belongings, granted, now)?;
    on_done::run(&store, &record, &mut belongings);
    Ok(())
}

fn adopt(number: &OsString) -> io::Result<OwnedFd> {
    let number = number.to_str().and_then(|number| number.parse().ok()).unwrap_or(-1);
    os::adopt_descriptor(number)
}
