//! `result`: a job's answer.

use clap::Args;

use super::verdict::{Strictness, exit_of};
use super::{CommandResult, Context, summary};
use crate::engine::{Follower, look};
use crate::error::{Exit, Failure};
use crate::store::JobSelector;

/// Arguments of `result`.
#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// A job: its id, the beginning of one, or `latest`
    #[arg(value_name = "JOB")]
    job: JobSelector,
    /// Wait until the job is over
    #[arg(long)]
    wait: bool,
    /// Print at most this many characters of the answer
    #[arg(long, value_name = "COUNT")]
    max_chars: Option<usize>,
    /// Leave out this many characters at the beginning of the answer
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    offset: usize,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    strictness: Strictness,
}

pub(crate) fn run(args: &ResultArgs, context: &Context) -> CommandResult {
    let store = context.store()?;
    let id = store.resolve(&args.job)?;
    let mut record = look(&store, id)?;
    if args.wait && record.finished().is_none() && !record.is_foreign() {
        record = Follower::new(&store, &record)?.wait()?;
    }
    if record.finished().is_none() {
        let status = record.status();
        return Err(Failure::new(
            Exit::Failure,
            format_args!("job {id} has no answer yet: it is {}", status.name()),
        )
        .hint(format!("wait for it with `agent-dispatch result {id} --wait`"))
        .into());
    }
    if args.offset > 0 || args.max_chars.is_some() {
        let mut result = summary::result_of(&record);
        let total = result.result.chars().count();
        let shown: String =
            result.result.chars().skip(args.offset).take(args.max_chars.unwrap_or(usize::MAX)).collect();
        let next = args.offset.saturating_add(shown.chars().count());
        result.result = shown;
        if args.json {
            context.ui.json(&result)?;
        } else if !result.result.is_empty() {
            context.ui.data(&result.result)?;
        }
        if next < total {
            context.ui.note(format_args!(
                "{} of {total} characters left: agent-dispatch result {id} --offset {next}",
                total - next
            ));
        }
    } else {
        summary::print(context, &record, args.json)?;
    }
    summary::report(context, &record, args.strictness);
    Ok(exit_of(&record, args.strictness))
}
