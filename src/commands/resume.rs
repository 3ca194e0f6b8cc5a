//! `resume`: go on with the conversation of a job.

use clap::Args;

use super::dispatch::{WaitMode, submit_or_wait};
use super::request::{RunOptions, read_task};
use super::{CommandResult, Context, completions, dialogue};
use crate::engine::{Request, Task, TaskError};
use crate::error::{Exit, Failure};
use crate::model::{JobSelector, Remedy, Terms};

/// The default task of `resume`.
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
    /// What to do next, for all who see the process list; `-` reads it from standard input [default: continue where you left off]
    #[arg(value_name = "TASK", allow_hyphen_values = true)]
    task: Option<String>,
    #[command(flatten)]
    options: RunOptions,
    #[command(flatten)]
    mode: WaitMode,
}

pub(crate) fn run(args: &ResumeArgs, context: &Context) -> CommandResult {
    let dispatch = context.dispatch()?;
    let jobs = dispatch.jobs();
    let record = jobs.get(context.job(jobs, &args.job)?)?;
    if record.is_dialogue() {
        let turns = record.conclusion().parsed_result.map(|data| data["turns"].clone()).unwrap_or_default();
        let last = turns.as_array().and_then(|turns| turns.last()?["job_id"].as_str()?.parse().ok());
        let message = format_args!("job {} is a dialogue: each of its turns is a job of its own", record.id);
        return Err(Failure::new(Exit::NotFound, message).remedy(dialogue::again(&record, last)).into());
    }
    // Without a task nothing is read: a user who says nothing means to go on.
    let task = match &args.task {
        None => GO_ON.to_owned(),
        task => read_task(task.as_deref())?,
    };
    let task = Task::new(task).map_err(|error| match error {
        TaskError::Empty => {
            Failure::from(error).correct("say what to do next, or nothing at all to let it go on")
        }
        TaskError::TooLong { .. } => error.into(),
    })?;
    let Some(session) = record.session() else {
        let id = record.id;
        return Err(Failure::new(Exit::NotFound, format_args!("job {id} has no session to go on with"))
            .remedy(Remedy::Retry { job_id: id, agent: record.agent, terms: Terms::default() })
            .into());
    };
    let request = args.options.apply(Request::go_on(&record, session, task)?);
    submit_or_wait(&request, &args.mode, dispatch.as_ref(), context)
}
