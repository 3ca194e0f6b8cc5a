//! Two agents that work something out in turns.

use std::ffi::OsString;

use super::jobs::{DIALOGUE_SIGN, Jobs, JobsError};
use super::prepare::JobPlan;
use super::{DispatchError, Engine, Request, Submitted, Task};
use crate::backend::{CommandLine, Dialogue, DialogueTurn, fenced};
use crate::config::{AgentName, BudgetUsd, Timeout};
use crate::model::UnixSeconds;
use crate::os;
use crate::store::{ErrorType, JobKind, JobResult, Launch, Record};
use crate::supervisor::{AdmissionRules, Ownership, StartError};
use crate::text::redact_words;

/// The line with which an agent says that the matter is settled.
pub const RESOLVED: &str = "[RESOLVED]";

/// How much of an answer the other agent is told, in bytes.
const MESSAGE_LIMIT_BYTES: usize = 400_000;

/// A request for a dialogue.
#[derive(Debug, Clone)]
pub struct DialogueRequest {
    /// The agent that begins.
    pub requester: String,
    /// The agent that answers.
    pub responder: String,
    /// What it is about.
    pub topic: Task,
    /// How often each has its turn at the most.
    pub max_rounds: u32,
    /// What all turns together may cost.
    pub max_budget_usd: Option<BudgetUsd>,
    /// How long one turn may take.
    pub timeout: Option<Timeout>,
}

/// A dialogue that goes on: whose turn it is, and what was said.
#[derive(Debug)]
pub struct Conversation {
    request: DialogueRequest,
    /// What a turn of each may cost by its own configuration.
    caps: [Option<BudgetUsd>; 2],
    sessions: [Option<String>; 2],
    dialogue: Dialogue,
}

impl Conversation {
    /// The request for the next turn; `None` when the dialogue has finished.
    pub fn next(&self) -> Option<Request> {
        let turn = self.dialogue.turns.len();
        let is_over = self.dialogue.resolved || self.dialogue.error.is_some();
        if is_over || turn >= 2 * self.request.max_rounds as usize {
            return None;
        }
        let side = turn % 2;
        let (speaker, other) = match side {
            0 => (&self.request.requester, &self.request.responder),
            _ => (&self.request.responder, &self.request.requester),
        };
        let last = self.dialogue.turns.last().map(|turn| turn.result.as_str());
        let text = match (&self.sessions[side], last) {
            (Some(_), Some(last)) => said_by(other, last),
            (_, last) => self.introduction(other, last),
        };
        let task = Task::new(text).ok()?;
        let left =
            self.request.max_budget_usd.map(|cap| cap.dollars() - self.dialogue.cost_usd.unwrap_or(0.0));
        let left = left.and_then(|left| BudgetUsd::new(left).ok());
        Some(Request {
            caller: Some(other.clone()),
            session: self.sessions[side].clone(),
            timeout: self.request.timeout,
            max_budget_usd: match (left, self.caps[side]) {
                (Some(left), Some(cap)) if cap < left => Some(cap),
                (left, cap) => left.or(cap),
            },
            ..Request::new(speaker, task)
        })
    }

    /// What an agent is told at the beginning, or always when it cannot remember.
    fn introduction(&self, other: &str, last: Option<&str>) -> String {
        let rounds = self.request.max_rounds;
        let turns = if rounds == 1 { "turn" } else { "turns" };
        let begin = match last {
            Some(last) => said_by(other, last),
            None => format!("You begin. Say what '{other}' has to know, and what you need from it."),
        };
        format!(
            "You and the agent '{other}', which works in another project, work something out in turns: your answer \
             goes to it, and its answer comes back to you. Each of you has at most {rounds} {turns}. As soon as the \
             matter is settled, say what the result is, and put this on a line of its own: {RESOLVED}\n\n\
             ## Topic\n{}\n\n{begin}",
            self.request.topic.as_str()
        )
    }

    /// Takes note of a turn that has finished, and returns it. One that failed ends the dialogue.
    pub fn take(&mut self, jobs: &dyn Jobs, record: &Record) -> Result<DialogueTurn, JobsError> {
        let side = self.dialogue.turns.len() % 2;
        let result = record.finished().and_then(|finished| finished.result.as_ref());
        let text = match result {
            Some(result) => jobs.answer(result)?.beginning(MESSAGE_LIMIT_BYTES),
            None => Ok((String::new(), false)),
        };
        let (mut text, is_cut) = text.unwrap_or_default();
        let resolved = text.lines().any(|line| line.trim() == RESOLVED);
        if is_cut {
            text.push_str(&format!(
                "\n(Only the beginning; all of it: `agent-dispatch result {}`)",
                record.id
            ));
        }
        let cost_usd = result.and_then(|result| result.cost_usd);
        let turn = DialogueTurn { agent: record.agent.clone(), job_id: record.id, result: text, cost_usd };
        self.sessions[side] = result.and_then(|result| result.session_id.clone());
        let dialogue = &mut self.dialogue;
        dialogue.turns.push(turn.clone());
        dialogue.rounds = dialogue.turns.len().div_ceil(2) as u32;
        dialogue.cost_usd = JobResult::total_usd(dialogue.cost_usd.into_iter().chain(cost_usd));
        let failed = result.filter(|result| !result.success);
        if let Some(result) = failed {
            let error = result.error.as_deref().unwrap_or("it failed without saying why");
            dialogue.error = Some(format!("{}: {error}", record.agent));
            dialogue.error_type = result.error_type;
            (dialogue.hint, dialogue.remedy) = (result.hint.clone(), result.remedy.clone());
            return Ok(turn);
        }
        dialogue.last = Some(turn.result.clone());
        dialogue.resolved = resolved;
        let cap = self.request.max_budget_usd.filter(|cap| dialogue.cost_usd.unwrap_or(0.0) >= cap.dollars());
        if let Some(cap) = cap.filter(|_| !resolved) {
            dialogue.error = Some(format!("the dialogue has cost as much as it may: {cap}"));
            dialogue.error_type = Some(ErrorType::Budget);
        }
        Ok(turn)
    }

    /// What it came to so far.
    pub fn into_dialogue(self) -> Dialogue {
        self.dialogue
    }
}

/// What the other agent said, as the whole of a prompt or the end of one. Fenced: no answer can pass for more than that.
fn said_by(other: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return format!("(The agent '{other}' said nothing.)");
    }
    format!("## What '{other}' says\n{}", fenced(text))
}

impl Engine {
    /// Begins a dialogue, whose turns the caller dispatches one after the other.
    ///
    /// Everything about the two agents that can be refused is refused here.
    pub(super) fn converse(&self, request: DialogueRequest) -> Result<Conversation, DispatchError> {
        let conversation = Conversation {
            caps: [self.cap_of(&request.requester), self.cap_of(&request.responder)],
            sessions: [None, None],
            dialogue: Dialogue {
                topic: request.topic.as_str().to_owned(),
                requester: request.requester.clone(),
                responder: request.responder.clone(),
                turns: Vec::new(),
                resolved: false,
                rounds: 0,
                cost_usd: None,
                last: None,
                error: None,
                error_type: None,
                hint: None,
                remedy: None,
            },
            request,
        };
        if let Some(cap) = conversation.request.max_budget_usd {
            self.config.settings.check_cap(cap)?;
        }
        for agent in [&conversation.request.requester, &conversation.request.responder] {
            self.prepare(&Request::new(agent, conversation.request.topic.clone()))?;
        }
        Ok(conversation)
    }

    fn cap_of(&self, agent: &str) -> Option<BudgetUsd> {
        self.config.effective(&agent.parse::<AgentName>().ok()?)?.max_budget_usd
    }

    /// Starts a job that is a whole dialogue. Its program is this one; its turns are jobs of their own, on its slot.
    pub(super) fn submit_dialogue(
        &self,
        request: DialogueRequest,
        ownership: Ownership,
        now: UnixSeconds,
    ) -> Result<Submitted, DispatchError> {
        let request = self.converse(request)?.request;
        let DialogueRequest { requester, responder, topic, max_rounds, max_budget_usd, timeout } = &request;
        let mut arguments: Vec<OsString> =
            ["dialogue", requester, responder, "-", "--jsonl"].into_iter().map(OsString::from).collect();
        arguments.push(format!("--max-rounds={max_rounds}").into());
        arguments.extend(max_budget_usd.map(|cap| format!("--max-budget-usd={}", cap.dollars()).into()));
        arguments.extend(timeout.map(|limit| format!("--timeout={}s", limit.seconds()).into()));
        let mut shown = vec!["agent-dispatch".to_owned()];
        shown.extend(arguments.iter().map(|argument| argument.to_string_lossy().into_owned()));
        let id = self.next_id()?;
        let program = os::this_program()
            .map_err(|source| DispatchError::Start { id, source: StartError::Io(source) })?;
        let mut argv = vec![program.into_os_string()];
        argv.extend(arguments);

        let mut record =
            Record::pending(id, &format!("{requester}{DIALOGUE_SIGN}{responder}"), topic.as_str(), now);
        let agent = requester.parse::<AgentName>().ok().and_then(|name| self.config.agents.get(&name));
        record.launch = Launch {
            parent: self.caller_context.parent,
            root: self.root().or(Some(record.id)),
            // It is no agent: its turns are as deep as if the caller had dispatched them.
            depth: Some(self.caller_context.depth),
            directory: agent.map(|agent| agent.directory.clone()),
            kind: JobKind::Dialogue,
            max_budget_usd: max_budget_usd.map(|cap| cap.dollars().into()),
            command: redact_words(&shown),
            ..Launch::default()
        };
        let prepared = JobPlan {
            prompt: topic.as_str().to_owned(),
            record,
            command_line: CommandLine { argv, shown, files: Vec::new() },
            rules: AdmissionRules::default(),
            on_done: Vec::new(),
            // Its turns are noted, so it must not be: nothing is to be counted twice.
            journal: None,
        };
        self.start(prepared, ownership, now)
    }
}
