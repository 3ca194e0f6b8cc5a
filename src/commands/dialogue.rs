//! `dialogue`: two agents work something out.

use std::io::IsTerminal;

use clap::Args;

use super::dispatch::finish_detached;
use super::request::{read_task, warn_of};
use super::verdict::Strictness;
use super::wait_loop::{JobWait, SignalGuard};
use super::{CommandResult, Context, Problem, completions, summary, whole_number};
use crate::config::{BudgetUsd, Timeout};
use crate::engine::{
    Conversation, DialogueLine, DialogueRequest, Dispatch, Ownership, Request, Task, TaskError,
};
use crate::error::{Exit, Failure};
use crate::model::{JobId, Remedy};
use crate::store::{Record, RecordedRemedy};
use crate::ui::human;

/// The longest topic that is repeated in a command, in characters.
const TOPIC_LIMIT: usize = 200;

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
    /// What they are to work out, for all who see the process list; `-`, or nothing and a pipe, reads it from standard
    /// input
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
    /// Do not wait: let it go on as a job of its own, print the job's id and leave
    #[arg(long, conflicts_with = "jsonl")]
    background: bool,
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
        topic: topic(args.topic.as_deref())?,
        max_rounds: args.max_rounds,
        max_budget_usd: args.max_budget_usd,
        timeout: args.timeout,
    };
    let dispatch = context.dispatch()?;
    let dispatch = dispatch.as_ref();
    [&args.requester, &args.responder].iter().for_each(|agent| warn_of(&dispatch.exposures(agent), context));
    if args.background {
        let submitted = dispatch.submit_dialogue(request, Ownership::Detached, context.now())?;
        let printed = if args.json {
            context.ui.json(&serde_json::json!({ "job_id": submitted.id, "status": "pending" }))
        } else {
            context.ui.data(&submitted.id.to_string())
        };
        return finish_detached(printed, submitted.id);
    }
    let signals = SignalGuard::install()?;
    let mut conversation = dispatch.converse(request)?;
    let mut interrupted = None;
    while let Some(request) = conversation.next()
        && interrupted.is_none()
    {
        let record = match turn(context, dispatch, &request, &signals, &mut interrupted)? {
            Some(record) => record,
            // A second interrupt ends the wait.
            None => return Ok(interrupted.unwrap_or(Exit::Interrupted)),
        };
        let turn = conversation.take(dispatch.jobs(), &record)?;
        if args.jsonl {
            context.ui.json_line(&DialogueLine::Turn(turn))?;
        } else if !args.json && !turn.result.trim().is_empty() {
            context.ui.answer(&format!("## {}\n\n{}\n\n", turn.agent, turn.result.trim_end()))?;
        }
    }
    drop(signals);
    conclude(args, context, conversation, interrupted)
}

fn topic(argument: Option<&str>) -> Result<Task, Failure> {
    let nothing = |message| {
        Failure::new(Exit::Usage, message).correct("say what they are to work out: an argument or a pipe")
    };
    if argument.is_none() && std::io::stdin().is_terminal() {
        return Err(nothing("there is no topic"));
    }
    // The line end of a pipe is not part of it, nor of the command that has the dialogue once more.
    Task::new(read_task(argument)?.trim_end()).map_err(|error| match error {
        TaskError::Empty => nothing("the topic is empty"),
        error @ TaskError::TooLong { .. } => error.into(),
    })
}

/// How to have the same dialogue again, as far as its record tells; `last_turn` is a job to go on with instead.
pub(super) fn again(record: &Record, last_turn: Option<JobId>) -> Remedy {
    let topic = &record.task;
    let is_short = topic.lines().count() == 1 && topic.chars().count() <= TOPIC_LIMIT;
    let topic = if is_short { topic } else { "TOPIC" };
    // The first word is the program's own name.
    let words = record.launch.command.iter().skip(1).map(String::as_str);
    let mut command: Vec<String> =
        words.filter(|word| !["--jsonl", "-"].contains(word)).map(str::to_owned).collect();
    if !command.is_empty() {
        // What follows `--` is no option, whatever it looks like.
        command.extend(topic.starts_with('-').then(|| "--".to_owned()));
        command.push(topic.to_owned());
    }
    Remedy::RepeatDialogue { command, last_turn }
}

/// Dispatches one turn and waits for its end; `None` when it was interrupted twice.
fn turn(
    context: &Context,
    dispatch: &dyn Dispatch,
    request: &Request,
    signals: &SignalGuard,
    interrupted: &mut Option<Exit>,
) -> Result<Option<Record>, Problem> {
    let submitted = dispatch.submit(request, Ownership::Caller, context.now())?;
    let watch = JobWait {
        context,
        jobs: dispatch.jobs(),
        signals,
        agent: &request.agent,
        id: submitted.id,
        stops: Some("turn"),
    };
    let ended = watch.until_finished(interrupted, None)?;
    if let Some(record) = &ended {
        context.ui.note(format_args!("{}: {}", record.agent, summary::closing_line(record)));
    }
    Ok(ended)
}

/// Says what it came to.
fn conclude(
    args: &DialogueArgs,
    context: &Context,
    conversation: Conversation,
    interrupted: Option<Exit>,
) -> CommandResult {
    let mut dialogue = conversation.into_dialogue();
    if let Some(RecordedRemedy::Known(remedy)) = &dialogue.remedy {
        dialogue.hint = Some(context.ui.commands().tell(remedy));
    }
    let cost = dialogue.cost_usd.map(|cost| format!(", {}", human::dollars(cost))).unwrap_or_default();
    let rounds = format!("{}{cost}", human::count(dialogue.rounds, "round"));
    if let Some(error) = &dialogue.error {
        context.ui.failure(error, dialogue.hint.as_deref());
    }
    let exit = match (&dialogue.error, dialogue.error_type) {
        _ if interrupted.is_some() => interrupted.unwrap_or(Exit::Interrupted),
        (Some(_), kind) => kind.map_or(Exit::Failure, Exit::from),
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
