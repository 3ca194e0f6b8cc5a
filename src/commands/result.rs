//! `result`: a job's answer.

use clap::Args;

use super::verdict::{Strictness, exit_of};
use super::wait::wait_for;
use super::{CommandResult, Context, Problem, completions, summary, whole_number};
use crate::engine::Jobs;
use crate::error::{Exit, Failure};
use crate::model::{JobSelector, Remedy};
use crate::store::Record;

const EXAMPLES: &str = "\
On a terminal an answer that is longer than the screen goes through $AGENT_DISPATCH_PAGER, or $PAGER,
or `less -FRX` where there is less; an empty variable, or --no-pager, switches that off.

Examples:
  agent-dispatch result latest
  agent-dispatch result 01a20916e67173b7 --wait
  agent-dispatch result latest --json | jq -r .session_id
  agent-dispatch result latest --max-chars 30000 --offset 30000

The exit code tells how the job ended: `agent-dispatch help` lists them. It is 1 when the job has
not finished.";

/// Arguments of `result`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResultArgs {
    /// A job: its id, the beginning of one, or `latest`
    #[arg(value_name = "JOB", add = completions::jobs())]
    job: JobSelector,
    /// Wait until the job has finished
    #[arg(long)]
    wait: bool,
    /// Print at most this many characters of the answer
    #[arg(long, value_name = "COUNT", value_parser = whole_number(0_usize..), allow_negative_numbers = true)]
    max_chars: Option<usize>,
    /// Leave out this many characters at the beginning of the answer
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = whole_number(0_usize..),
          allow_negative_numbers = true)]
    offset: usize,
    /// Print a long answer as it is, not through a pager, on a terminal too
    #[arg(long)]
    no_pager: bool,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    strictness: Strictness,
}

pub(crate) fn run(args: &ResultArgs, context: &Context) -> CommandResult {
    let jobs = context.jobs()?;
    let jobs = jobs.as_ref();
    let id = context.job(jobs, &args.job)?;
    let mut record = jobs.get(id)?;
    if args.wait && record.finished().is_none() && !record.is_foreign() {
        let mut waited = wait_for(context, jobs, std::slice::from_ref(&record), None, &|_| {})?;
        if let Some(exit) = waited.interrupted {
            let wait = context.ui.commands().command(["result", &id.to_string(), "--wait"]);
            context.ui.note(format_args!("the job goes on: {wait}"));
            return Ok(exit);
        }
        record = waited.over.pop().unwrap_or(record);
    }
    if record.finished().is_none() {
        let status = record.status();
        return Err(Failure::new(
            Exit::Failure,
            format_args!("job {id} has no answer yet: it is {}", status.name()),
        )
        .remedy(Remedy::AwaitAnswer { job_id: id })
        .into());
    }
    if args.offset > 0 || args.max_chars.is_some() {
        print_part(args, context, jobs, &record)?;
    } else {
        let result = record.conclusion();
        if args.json || args.no_pager || summary::data_of(&record, &result).is_some() {
            summary::print(context, jobs, &record, args.json)?;
        } else {
            let answer = jobs.answer(&result)?;
            context.ui.paged(|print| answer.for_each_piece(print))?;
        }
    }
    summary::report(context, &record, args.strictness);
    Ok(exit_of(&record, args.strictness))
}

/// Prints the part of the answer that was asked for, and says how to get the next one.
fn print_part(args: &ResultArgs, context: &Context, jobs: &dyn Jobs, record: &Record) -> Result<(), Problem> {
    let mut result = summary::result_of(record, context.ui);
    let mut part = String::new();
    let (mut total, mut taken) = (0, 0);
    let wanted = args.max_chars.unwrap_or(usize::MAX);
    jobs.answer(&result)?
        .for_each_piece::<std::io::Error>(|piece| {
            let skipped = args.offset.saturating_sub(total);
            let length = piece.chars().count();
            for character in piece.chars().skip(skipped).take(wanted - taken) {
                part.push(character);
                taken += 1;
            }
            total += length;
            Ok(())
        })
        .map_err(|error| {
            Failure::new(
                Exit::Failure,
                format_args!("failed to read the answer of job {}: {error}", record.id),
            )
        })?;
    result.answer_file = None;
    result.result = part;
    if args.json {
        context.ui.json(&result)?;
    } else if !result.result.is_empty() {
        context.ui.answer(&result.result)?;
    }
    let next = args.offset.saturating_add(taken);
    if next < total {
        let mut words =
            vec!["result".to_owned(), record.id.to_string(), "--offset".to_owned(), next.to_string()];
        words.extend(
            args.max_chars.into_iter().flat_map(|count| ["--max-chars".to_owned(), count.to_string()]),
        );
        let again = context.ui.commands().command(words);
        context.ui.note(format_args!("{} of {total} characters left: {again}", total - next));
    }
    Ok(())
}
