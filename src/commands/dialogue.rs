//! `dialogue`: two agents work something out.

use std::time::Duration;

use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::dispatch::exit_of_signal;
use super::request::read_task;
use super::verdict::Strictness;
use super::{CommandResult, Context, Problem, completions, summary, whole_number};
use crate::config::{BudgetUsd, Timeout};
use crate::engine::{
    Activity, Conversation, DialogueLine, DialogueRequest, Engine, Followers, Ownership, Request, Task,
    cancel,
};
use crate::error::{Exit, Failure};
use crate::os::{SignalWatch, wait_readable};
use crate::store::Record;
use crate::ui::{Progress, human};

/// How often the spinner turns.
const SPIN: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  agent-dispatch dialogue web api \"agree on the fields of an order\" --max-rounds 3
  agent-dispatch dialogue web api - --max-budget-usd 2 < topic.md

They end when one of them says [RESOLVED]. With --strict the exit code is 9 when none did.";

/// Arguments of `dialogue`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DialogueArgs {
    /// The agent that begins
    #[arg(value_name = "REQUESTER", add = completions::agents())]
    requester: String,
    /// The agent that answers
    #[arg(value_name = "RESPONDER", add = completions::agents())]
    responder: String,
    /// What they are to work out; `-`, or nothing and a pipe, reads it from standard input
    #[arg(value_name = "TOPIC", allow_hyphen_values = true)]
    topic: Option<String>,
    /// How often each of them has its turn at the most
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = whole_number(1_u32..=100),
          allow_negative_numbers = true)]
    max_rounds: u32,
    /// What all turns together may cost, in US dollars
    #[arg(long, value_name = "DOLLARS", allow_hyphen_values = true)]
    max_budget_usd: Option<BudgetUsd>,
    /// How long one turn may take: 90, 90s, 15m, 2h
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    timeout: Option<Timeout>,
    /// Let it go on as a job of its own, print the job's id and leave
    #[arg(long, conflicts_with = "jsonl")]
    detach: bool,
    /// Print all of it as one JSON document, at the end
    #[arg(long)]
    json: bool,
    /// Print each turn as it ends, and all of it last: one JSON object a line
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
    #[command(flatten)]
    strictness: Strictness,
}

pub(crate) fn run(args: &DialogueArgs, context: &Context) -> CommandResult {
    let request = DialogueRequest {
        requester: args.requester.clone(),
        responder: args.responder.clone(),
        topic: Task::new(read_task(args.topic.as_deref())?)?,
        max_rounds: args.max_rounds,
        max_budget_usd: args.max_budget_usd,
        timeout: args.timeout,
    };
    let engine = context.engine()?;
    if args.detach {
        let submitted = engine.submit_dialogue(request, Ownership::Nobody, context.now())?;
        if args.json {
            context.ui.json(&serde_json::json!({ "job_id": submitted.id, "status": "pending" }))?;
        } else {
            context.ui.data(&submitted.id.to_string())?;
        }
        return Ok(Exit::Success);
    }
    let signals = SignalWatch::new(&[SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::new(Exit::Failure, format_args!("failed to watch for signals: {error}")))?;
    let mut conversation = engine.converse(request)?;
    let mut interrupted = None;
    while let Some(request) = conversation.next()
        && interrupted.is_none()
    {
        let record = match turn(context, &engine, &request, &signals, &mut interrupted)? {
            Some(record) => record,
            // Whoever interrupts twice does not wait.
            None => return Ok(interrupted.unwrap_or(Exit::Interrupted)),
        };
        let turn = conversation.take(&engine, &record)?;
        if args.jsonl {
            context.ui.json_line(&DialogueLine::Turn(turn))?;
        } else if !args.json {
            context.ui.data(&format!("## {}\n\n{}\n\n", turn.agent, turn.result.trim_end()))?;
        }
    }
    conclude(args, context, conversation, interrupted)
}

/// Dispatches one turn and waits for its end; `None` when it was interrupted twice.
fn turn(
    context: &Context,
    engine: &Engine,
    request: &Request,
    signals: &SignalWatch,
    interrupted: &mut Option<Exit>,
) -> Result<Option<Record>, Problem> {
    let store = engine.store();
    let submitted = engine.submit(request, Ownership::Caller, context.now())?;
    let mut progress = Progress::start(context.ui, &request.agent);
    progress.note(&format!("{}: job {}", request.agent, submitted.id));
    let mut followers = Followers::new(store, [submitted.id])?;
    let mut activity = Activity::default();
    loop {
        let pause = if context.ui.is_interactive() { SPIN } else { followers.pause() };
        let mut descriptors = vec![signals.descriptor()];
        descriptors.extend(followers.descriptors());
        wait_readable(&descriptors, pause);
        if let Some(exit) = signals.take().into_iter().map(exit_of_signal).next_back() {
            if interrupted.replace(exit).is_some() {
                progress.finish();
                return Ok(None);
            }
            progress.note("stopping the turn; once more to leave at once");
            cancel(store, submitted.id)?;
        }
        let over = followers.catch_up(&mut |_, event| activity.observe(&event))?;
        progress.doing(activity.line().unwrap_or_default().to_owned());
        progress.tick();
        if let Some((_, record)) = over.into_iter().next() {
            progress.finish();
            context.ui.note(format_args!("{}: {}", record.agent, summary::closing_line(&record)));
            return Ok(Some(record));
        }
    }
}

/// Says what it came to.
fn conclude(
    args: &DialogueArgs,
    context: &Context,
    conversation: Conversation,
    interrupted: Option<Exit>,
) -> CommandResult {
    let dialogue = conversation.into_dialogue();
    let cost = dialogue.cost_usd.map(|cost| format!(", {}", human::dollars(cost))).unwrap_or_default();
    let rounds = format!("{}{cost}", human::count(dialogue.rounds, "round"));
    let exit = match (&dialogue.error, dialogue.error_type) {
        _ if interrupted.is_some() => interrupted.unwrap_or(Exit::Interrupted),
        (Some(error), kind) => {
            context.ui.failure(error, None);
            kind.map_or(Exit::Failure, Exit::from)
        }
        (None, _) if dialogue.resolved || !args.strictness.strict => Exit::Success,
        (None, _) => Exit::Unsatisfactory,
    };
    let end = if dialogue.resolved { "resolved" } else { "not resolved" };
    context.ui.note(format_args!("{end} after {rounds}"));
    if args.jsonl {
        context.ui.json_line(&DialogueLine::Finished { dialogue })?;
    } else if args.json {
        context.ui.json(&dialogue)?;
    }
    Ok(exit)
}
