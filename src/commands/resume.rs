//! `resume`: go on with the conversation of a job.

use clap::Args;

use super::dispatch::{Manner, hand_over};
use super::request::{Conditions, read_task};
use super::{CommandResult, Context, completions};
use crate::engine::{Request, Task, look};
use crate::error::{Exit, Failure};
use crate::store::JobSelector;

/// What an agent is told that nobody tells anything else.
const GO_ON: &str = "continue where you left off";

const EXAMPLES: &str = "\
The agent goes on in the same session, with the model, the limits and the schema of the job; options
take their place.

Examples:
  agent-dispatch resume latest
  agent-dispatch resume 01a20916e67173b7 \"now write the tests\" --timeout 30m";

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResumeArgs {
    /// A job: its id, the beginning of one, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs())]
    job: JobSelector,
    /// What to do next; `-` reads it from standard input [default: continue where you left off]
    #[arg(value_name = "TASK", allow_hyphen_values = true)]
    task: Option<String>,
    #[command(flatten)]
    conditions: Conditions,
    #[command(flatten)]
    manner: Manner,
}

pub(crate) fn run(args: &ResumeArgs, context: &Context) -> CommandResult {
    let engine = context.engine()?;
    let record = look(engine.store(), context.job(engine.store(), &args.job)?)?;
    // Without a task nothing is read: whoever says nothing means to go on.
    let task = match &args.task {
        None => GO_ON.to_owned(),
        task => read_task(task.as_deref())?,
    };
    // A job that is over says whether there is a conversation; one that is not will have it.
    let session = match record.finished() {
        Some(_) => record.conclusion().session_id,
        None => record.launch.session_id.clone(),
    };
    let Some(session) = session else {
        let id = record.id;
        return Err(Failure::new(Exit::NotFound, format_args!("job {id} has no session to go on with"))
            .hint(format!("`agent-dispatch retry {id}` makes the same request in a new one"))
            .into());
    };
    let request = args.conditions.apply(Request::go_on(&record, session, Task::new(task)?)?);
    hand_over(&request, &args.manner, &engine, context)
}
