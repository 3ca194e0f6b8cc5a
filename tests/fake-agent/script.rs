//! The language a test scripts the agent with: one directive a line, each carried out in order.

use std::time::Duration;

use serde_json::{Value, json};

/// One thing to do. The name in a script is the variant's name in kebab case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Directive {
    // The answer: each adds a line.
    Answer(String),
    AnswerBytes(usize),
    EchoPrompt,
    EchoArgs,
    EchoEnv(String),
    Cwd,
    Status(String),
    BadUtf8,
    /// A shell command, run for real in a session of its own, whose output joins the answer.
    Shell(String),

    // What happens on the way.
    Text(String),
    Tool {
        name: String,
        input: String,
    },
    /// A tool call that never returns; its process sleeps in a session of its own, as a Bash tool's does.
    ToolHang(String),
    HugeLine(usize),
    Sleep(Duration),
    WriteFile {
        path: String,
        content: String,
    },
    Stderr(String),
    Log(String),
    Retry {
        error: String,
        status: u16,
        count: u32,
    },
    Ignore(Vec<String>),
    Spawn {
        kind: String,
        seconds: u64,
        marker: Option<String>,
    },
    OnTurn {
        turn: u32,
        directive: Box<Directive>,
    },
    Hang,
    Exit {
        code: i32,
        after_result: bool,
    },
    Die {
        signal: String,
        after_result: bool,
    },

    // How the run ends.
    Nothing,
    IsError {
        status: Option<u16>,
        text: String,
    },
    Denied(Vec<String>),
    Budget,
    MaxTurns,
    Refusal,
    SessionInUse,
    NoConversation,
    ResultThenHang,
    Results(u32),
    Structured(String),
    Cost(f64),

    // What goes on in the background: `task start agent|command ID WHAT`, `task end ID`, `task stop ID [after-result]`.
    Task {
        event: Value,
        after_result: bool,
    },

    // What the stream looks like.
    Array,
    Cut(usize),
    Noise,
}

/// What marks a directive in a prompt, where other text surrounds it.
const MARK: &str = "fake: ";

/// The directives of a prompt: its lines that start with the mark, however they are indented.
pub(crate) fn in_prompt(prompt: &str) -> Result<Vec<Directive>, String> {
    prompt.lines().filter_map(|line| line.trim_start().strip_prefix(MARK)).map(parse).collect()
}

/// The directives of a script of their own (a variable, a file): separated by `;` or lines, the mark optional.
pub(crate) fn in_script(script: &str) -> Result<Vec<Directive>, String> {
    script
        .split([';', '\n'])
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| parse(line.strip_prefix(MARK).unwrap_or(line)))
        .collect()
}

/// One directive. `\n` in a text stands for a line break.
pub(crate) fn parse(line: &str) -> Result<Directive, String> {
    let (name, rest) = split_word(line.trim());
    let wrong = |what: &str| format!("fake agent: {what} in the directive `{line}`");
    let number = |text: &str| text.parse::<usize>().map_err(|_| wrong("a number is missing"));
    let text = || rest.replace("\\n", "\n");
    let words = || rest.split(',').map(|word| word.trim().to_owned()).collect();
    Ok(match name {
        "answer" => Directive::Answer(text()),
        "answer-bytes" => Directive::AnswerBytes(number(rest)?),
        "echo-prompt" => Directive::EchoPrompt,
        "echo-args" => Directive::EchoArgs,
        "echo-env" => Directive::EchoEnv(rest.to_owned()),
        "cwd" => Directive::Cwd,
        "status" => Directive::Status(rest.to_owned()),
        "bad-utf8" => Directive::BadUtf8,
        "shell" => Directive::Shell(rest.to_owned()),
        "text" => Directive::Text(text()),
        "tool" => {
            let (name, input) = split_word(rest);
            Directive::Tool { name: name.to_owned(), input: input.to_owned() }
        }
        "tool-hang" => Directive::ToolHang(rest.to_owned()),
        "huge-line" => Directive::HugeLine(number(rest)?),
        "sleep" => Directive::Sleep(duration(rest).ok_or_else(|| wrong("a duration is missing"))?),
        "write-file" => {
            let (path, content) = split_word(rest);
            Directive::WriteFile { path: path.to_owned(), content: content.replace("\\n", "\n") }
        }
        "stderr" => Directive::Stderr(text()),
        "log" => Directive::Log(rest.to_owned()),
        "retry" => {
            let (error, numbers) = split_word(rest);
            let (status, count) = split_word(numbers);
            Directive::Retry {
                error: error.to_owned(),
                status: u16::try_from(number(status)?).map_err(|_| wrong("no such status"))?,
                count: u32::try_from(number(count)?).map_err(|_| wrong("too many"))?,
            }
        }
        "ignore" => Directive::Ignore(words()),
        "spawn" => {
            let (kind, rest) = split_word(rest);
            let (seconds, marker) = split_word(rest);
            Directive::Spawn {
                kind: kind.to_owned(),
                seconds: number(seconds)? as u64,
                marker: (!marker.is_empty()).then(|| marker.to_owned()),
            }
        }
        "on-turn" => {
            let (turn, directive) = split_word(rest);
            Directive::OnTurn {
                turn: u32::try_from(number(turn)?).map_err(|_| wrong("too many"))?,
                directive: Box::new(parse(directive)?),
            }
        }
        "hang" => Directive::Hang,
        "exit" => {
            let (code, when) = split_word(rest);
            let code = code.parse().map_err(|_| wrong("an exit code is missing"))?;
            Directive::Exit { code, after_result: after_result(when).map_err(wrong)? }
        }
        "die" => {
            let (signal, when) = split_word(rest);
            Directive::Die { signal: signal.to_owned(), after_result: after_result(when).map_err(wrong)? }
        }
        "nothing" => Directive::Nothing,
        "is-error" => {
            let (first, others) = split_word(rest);
            match first.parse() {
                Ok(status) => Directive::IsError { status: Some(status), text: others.to_owned() },
                Err(_) => Directive::IsError { status: None, text: rest.to_owned() },
            }
        }
        "denied" => Directive::Denied(words()),
        "budget" => Directive::Budget,
        "max-turns" => Directive::MaxTurns,
        "refusal" => Directive::Refusal,
        "session-in-use" => Directive::SessionInUse,
        "no-conversation" => Directive::NoConversation,
        "result-then-hang" => Directive::ResultThenHang,
        "results" => Directive::Results(u32::try_from(number(rest)?).map_err(|_| wrong("too many"))?),
        "structured" => Directive::Structured(rest.to_owned()),
        "task" => task(rest).map_err(wrong)?,
        "cost" => Directive::Cost(rest.parse().map_err(|_| wrong("an amount is missing"))?),
        "array" => Directive::Array,
        "cut" => Directive::Cut(number(rest)?),
        "noise" => Directive::Noise,
        _ => return Err(wrong("no such word")),
    })
}

/// News of something in the background, in the words of 2.1.197.
fn task(rest: &str) -> Result<Directive, &'static str> {
    let (verb, rest) = split_word(rest);
    let event = |subtype: &str, id: &str, more: Value| {
        let mut event = json!({"type": "system", "subtype": subtype, "task_id": id});
        event
            .as_object_mut()
            .into_iter()
            .for_each(|event| event.extend(more.as_object().cloned().unwrap_or_default()));
        event
    };
    Ok(match verb {
        "start" => {
            let (kind, rest) = split_word(rest);
            let (id, what) = split_word(rest);
            let kind = if kind == "agent" { "local_agent" } else { "local_bash" };
            let more = json!({"task_type": kind, "description": what});
            Directive::Task { event: event("task_started", id, more), after_result: false }
        }
        "end" | "stop" => {
            let (id, when) = split_word(rest);
            let status = if verb == "end" { "completed" } else { "stopped" };
            let event = event("task_notification", id, json!({"status": status}));
            Directive::Task { event, after_result: after_result(when)? }
        }
        _ => return Err("start, end or stop is missing"),
    })
}

fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start())
}

fn after_result(when: &str) -> Result<bool, &'static str> {
    match when {
        "" => Ok(false),
        "after-result" => Ok(true),
        _ => Err("only `after-result` may follow"),
    }
}

/// `300ms`, `2s` or `2`.
fn duration(text: &str) -> Option<Duration> {
    if let Some(milliseconds) = text.strip_suffix("ms") {
        return milliseconds.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s').unwrap_or(text).parse().ok().map(Duration::from_secs)
}
