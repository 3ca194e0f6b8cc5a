//! What calls are given, read strictly: an unknown argument is an error, not a wish that is ignored.

use std::fmt::Display;
use std::time::Duration;

use rmcp::model::JsonObject;
use serde_json::Value;

use super::refused::Refused;
use super::window::{PART_CHARS, Window};
use crate::config::{AGENT_KEYS, Agent};
use crate::engine::{DialogueRequest, RUN_OPTIONS, Request, Task};
use crate::model::{FieldValue, JobId, Misfit, Row};

/// How much of an answer is given when only a reference is wanted and nothing else is said, in characters.
const SUMMARY_CHARS: usize = 500;

/// The most jobs that are listed.
pub(super) const MOST_JOBS: usize = 100;

/// The oldest a job can have to be to be deleted, in days.
pub(super) const MOST_DAYS: u32 = 36_500;

/// The longest a call can be told to wait, in seconds.
const LONGEST_WAIT_SECONDS: f64 = 86_400.0;

/// How much alike two names are when one was meant for the other (Jaro-Winkler, at most 1).
const LIKENESS: f64 = 0.8;

/// The arguments of one call, or one object within them. What is taken is gone; what is left in the end is unknown.
#[derive(Debug)]
pub(super) struct Arguments {
    /// Where they stand, for messages: `dispatch`, `dispatch_parallel: dispatches[2]`.
    place: String,
    fields: JsonObject,
    taken: Vec<&'static str>,
}

impl Arguments {
    pub(super) fn new(place: impl Into<String>, fields: JsonObject) -> Self {
        // Models write null for what they leave out.
        let fields = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
        Self { place: place.into(), fields, taken: Vec::new() }
    }

    /// A refusal that says where.
    pub(super) fn refuse(&self, problem: impl Display) -> Refused {
        Refused::new(format_args!("{}: {problem}", self.place))
    }

    /// Refuses that something is not there, or is there under another name.
    pub(super) fn missing(&self, name: &str) -> Refused {
        let alike = |given: &&String| strsim::jaro_winkler(given, name) >= LIKENESS;
        match self.fields.keys().find(alike) {
            Some(given) => self.refuse(format_args!("there is no argument {given}; did you mean {name}?")),
            None => self.refuse(format_args!("{name} is missing")),
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.taken.push(name);
        self.fields.remove(name)
    }

    fn wrong(&self, name: &str, expected: impl Display, value: &Value) -> Refused {
        let shown: String = value.to_string().chars().take(60).collect();
        self.refuse(format_args!("{name} must be {expected}, not {shown}"))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => Err(self.wrong(name, "a string", &value)),
        }
    }

    /// A text that must be there.
    pub(super) fn required_text(&mut self, name: &'static str) -> Result<String, Refused> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text that has a meaning of its own.
    pub(super) fn parsed<T: std::str::FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Refused> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| self.refuse(format_args!("{name}: {error}")))
    }

    /// A job, by its full id.
    pub(super) fn job(&mut self) -> Result<JobId, Refused> {
        self.parsed("job_id")?.ok_or_else(|| self.missing("job_id"))
    }

    /// Whether something is switched on.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, Refused> {
        Ok(self.optional_flag(name)?.unwrap_or(false))
    }

    /// Whether something is switched on or off, or left as it is.
    pub(super) fn optional_flag(&mut self, name: &'static str) -> Result<Option<bool>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(on)),
            Some(value) => Err(self.wrong(name, "true or false", &value)),
        }
    }

    /// A whole number from zero.
    pub(super) fn count(&mut self, name: &'static str) -> Result<Option<usize>, Refused> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| self.wrong(name, "a whole number, 0 or more", &value))
    }

    /// A number.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<f64>, Refused> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| self.wrong(name, "a number", &value))
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Refused> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let texts = value.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
        });
        texts.map(Some).ok_or_else(|| self.wrong(name, "an array of strings", &value))
    }

    /// The value of a field of a table.
    pub(super) fn field<T>(&mut self, row: &'static Row<T>) -> Result<Option<FieldValue>, Refused> {
        let Some(value) = self.take(row.json) else { return Ok(None) };
        row.slot.of_json(&value).map(Some).map_err(|misfit| match misfit {
            Misfit::Form(form) => self.wrong(row.json, form, &value),
            Misfit::Value(problem) => self.refuse(format_args!("{}: {problem}", row.json)),
        })
    }

    /// A list of objects that must be there, each to be read on its own.
    pub(super) fn objects(&mut self, name: &'static str) -> Result<Vec<Self>, Refused> {
        let value = self.take(name).ok_or_else(|| self.missing(name))?;
        let Value::Array(items) = value else { return Err(self.wrong(name, "an array", &value)) };
        let read = |(position, item)| match item {
            Value::Object(fields) => Ok(Self::new(format!("{}: {name}[{position}]", self.place), fields)),
            other => Err(self.wrong(&format!("{name}[{position}]"), "an object", &other)),
        };
        items.into_iter().enumerate().map(read).collect()
    }

    /// How long to wait, in seconds.
    fn wait(&mut self) -> Result<Option<Duration>, Refused> {
        let Some(seconds) = self.number("wait_seconds")? else { return Ok(None) };
        if (0.0..=LONGEST_WAIT_SECONDS).contains(&seconds) {
            return Ok(Some(Duration::from_secs_f64(seconds)));
        }
        Err(self.refuse(format_args!("wait_seconds must be a number from 0 to {LONGEST_WAIT_SECONDS}")))
    }

    /// Refuses arguments that were not taken.
    pub(super) fn end(&self) -> Result<(), Refused> {
        let Some(name) = self.fields.keys().next() else { return Ok(()) };
        let likeness = |known: &&&str| strsim::jaro_winkler(name, known);
        let nearest = self.taken.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let meant = match nearest.filter(|nearest| likeness(nearest) >= LIKENESS) {
            Some(nearest) => format!("; did you mean {nearest}?"),
            None => ".".to_owned(),
        };
        Err(self.refuse(format_args!(
            "there is no argument {name}{meant} The arguments are {}",
            self.taken.join(", ")
        )))
    }
}

/// How a dispatch is waited for and how much of its answer is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Whether not to wait at all.
    pub(super) background: bool,
    /// How long to wait; when it is not said, that depends on the client.
    pub(super) wait: Option<Duration>,
    /// How much of an answer is wanted.
    pub(super) max_chars: usize,
}

impl Manner {
    /// Reads `background` and `wait_seconds`.
    pub(super) fn waiting(arguments: &mut Arguments) -> Result<Self, Refused> {
        let wait = arguments.wait()?;
        let background = arguments.flag("background")? || wait.is_some_and(|wait| wait.is_zero());
        Ok(Self { background, wait, ..Self::whole() })
    }

    /// Reads these, `return_ref` and `summary_chars`.
    pub(super) fn read(arguments: &mut Arguments) -> Result<Self, Refused> {
        let waiting = Self::waiting(arguments)?;
        let by_reference = arguments.flag("return_ref")?;
        let summary = arguments.count("summary_chars")?;
        let usual = if by_reference { SUMMARY_CHARS } else { PART_CHARS };
        Ok(Self { max_chars: summary.unwrap_or(usual).min(PART_CHARS), ..waiting })
    }

    /// As much of an answer as fits.
    pub(super) fn whole() -> Self {
        Self { background: false, wait: None, max_chars: PART_CHARS }
    }

    /// The beginning of an answer.
    pub(super) fn window(self) -> Window {
        Window { offset: 0, max_chars: self.max_chars }
    }
}

/// Reads who gets what task.
pub(super) fn request(arguments: &mut Arguments) -> Result<Request, Refused> {
    let agent = arguments.required_text("agent")?;
    let task = arguments.required_text("task")?;
    let task = Task::new(task).map_err(|error| arguments.refuse(error))?;
    let mut request = Request::new(agent, task);
    for row in RUN_OPTIONS.iter().filter(|row| row.mcp) {
        if let Some(value) = arguments.field(row)? {
            row.slot.put(&mut request, value);
        }
    }
    Ok(request)
}

/// The keys that a client may set. Which program an agent is stays with the user: it would be any program; and so does
/// whom to trust.
pub(super) fn settable() -> impl Iterator<Item = &'static Row<Agent>> {
    AGENT_KEYS.iter().filter(|row| row.mcp)
}

/// How often each agent of a dialogue has its turn by default.
const USUAL_ROUNDS: u32 = 5;

/// And at the most.
const MOST_ROUNDS: u32 = 100;

/// Reads who is to work out what.
pub(super) fn dialogue(arguments: &mut Arguments) -> Result<DialogueRequest, Refused> {
    let requester = arguments.required_text("requester")?;
    let responder = arguments.required_text("responder")?;
    let topic = arguments.required_text("topic")?;
    let topic = Task::new(topic).map_err(|error| arguments.refuse(error))?;
    let rounds = arguments.count("max_rounds")?;
    let rounds = rounds.map_or(Some(USUAL_ROUNDS), |rounds| u32::try_from(rounds).ok());
    let Some(max_rounds) = rounds.filter(|rounds| (1..=MOST_ROUNDS).contains(rounds)) else {
        return Err(
            arguments.refuse(format_args!("max_rounds must be a whole number from 1 to {MOST_ROUNDS}"))
        );
    };
    Ok(DialogueRequest { requester, responder, topic, max_rounds, max_budget_usd: None, timeout: None })
}

/// Which part of a job is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer.
    Answer,
    /// What the agent did.
    Log,
    /// What its program wrote to standard error.
    Stderr,
}

impl Kind {
    /// The word of the arguments.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Log => "log",
            Self::Stderr => "stderr",
        }
    }
}

/// What `dispatch_result` is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) id: JobId,
    pub(super) kind: Kind,
    pub(super) window: Window,
    pub(super) wait: Option<Duration>,
}

impl Wanted {
    pub(super) fn read(arguments: &mut Arguments) -> Result<Self, Refused> {
        let id = arguments.job()?;
        let kind = match arguments.text("part")?.as_deref() {
            None | Some("answer") => Kind::Answer,
            Some("log") => Kind::Log,
            Some("stderr") => Kind::Stderr,
            Some(other) => {
                return Err(
                    arguments.refuse(format_args!("part must be answer, log or stderr, not {other:?}"))
                );
            }
        };
        let offset = arguments.count("offset")?.unwrap_or(0);
        let max_chars = arguments.count("max_chars")?.unwrap_or(PART_CHARS).min(PART_CHARS);
        Ok(Self { id, kind, window: Window { offset, max_chars }, wait: arguments.wait()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(fields: Value) -> Arguments {
        let Value::Object(fields) = fields else { panic!("an object") };
        Arguments::new("dispatch", fields)
    }

    fn refusal(fields: Value) -> String {
        let mut arguments = arguments(fields);
        let read =
            request(&mut arguments).and_then(|_| Manner::read(&mut arguments)).and_then(|_| arguments.end());
        read.expect_err("it is refused").text(|_| String::new())
    }

    #[test]
    fn an_unknown_argument_is_named_with_the_one_that_was_meant() {
        let text = refusal(json!({"agent": "infra", "task": "look", "timeout": 5}));
        assert!(
            text.starts_with("dispatch: there is no argument timeout; did you mean timeout_seconds?"),
            "{text}"
        );
        let text = refusal(json!({"agent": "infra", "task": "look", "xyz": 5}));
        assert!(text.contains("there is no argument xyz. The arguments are agent, task, context"), "{text}");
    }

    #[test]
    fn a_wrong_value_is_named_with_what_it_must_be() {
        for (fields, message) in [
            (json!({"task": "x"}), "dispatch: agent is missing"),
            (json!({"agnt": "a"}), "dispatch: there is no argument agnt; did you mean agent?"),
            (json!({"agent": "a", "task": ["x"]}), "dispatch: task must be a string, not [\"x\"]"),
            (json!({"agent": "a", "task": " "}), "dispatch: the task is empty"),
            (
                json!({"agent": "a", "task": "x", "timeout_seconds": "5"}),
                "dispatch: timeout_seconds must be a number, not \"5\"",
            ),
            (
                json!({"agent": "a", "task": "x", "timeout_seconds": -1}),
                "dispatch: timeout_seconds: '-1' is not a time limit: it must be above zero",
            ),
            (
                json!({"agent": "a", "task": "x", "wait_seconds": -1}),
                "dispatch: wait_seconds must be a number from 0 to 86400",
            ),
            (
                json!({"agent": "a", "task": "x", "response_schema": true}),
                "dispatch: response_schema must be an object, not true",
            ),
        ] {
            assert_eq!(refusal(fields), message);
        }
    }

    #[test]
    fn null_is_as_good_as_nothing() {
        let mut arguments =
            arguments(json!({"agent": "a", "task": "x", "context": null, "wait_seconds": null}));
        let request = request(&mut arguments).expect("a request");
        assert_eq!(request.context, None);
        assert!(!Manner::read(&mut arguments).expect("a manner").background);
        arguments.end().expect("nothing is left");
    }
}
