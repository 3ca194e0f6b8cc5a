//! One run: carries out the directives, then ends as the script says.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::process::Child;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::escape;
use crate::script::Directive;
use crate::session::Session;
use crate::signals::{self, Interrupts};
use crate::stream::{Ending, Stream};

/// Stands for the byte 0xff in an answer; a private-use character no prompt contains.
pub(crate) const BAD_BYTE: char = '\u{f8ff}';

/// What one run costs unless the script says otherwise, in US dollars.
const COST_USD: f64 = 0.0125;

/// The state of one run.
pub(crate) struct Run {
    pub(crate) arguments: Arguments,
    pub(crate) argv: Vec<String>,
    pub(crate) prompt: String,
    pub(crate) cwd: String,
    pub(crate) session: Session,
    pub(crate) stream: Stream,
    pub(crate) interrupts: Interrupts,
    pub(crate) answer: Vec<String>,
    pub(crate) status: Option<String>,
    pub(crate) end: End,
    pub(crate) after: Option<Directive>,
    /// News of the background that come after the result.
    pub(crate) afterwards: Vec<Value>,
    pub(crate) structured: Option<Value>,
    pub(crate) cost: f64,
    pub(crate) num_turns: u32,
    pub(crate) log: Option<String>,
    /// What claude takes along when it is interrupted: the process of a tool call.
    pub(crate) tool: Option<Child>,
}

/// How a run ends when no directive stopped it on the way.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) enum End {
    #[default]
    Answer,
    Nothing,
    IsError(Option<u16>, String),
    Denied(Vec<String>),
    Budget,
    MaxTurns,
    Refusal,
    ThenHang,
    Results(u32),
}

/// An early end: the exit code.
pub(crate) struct Stop(pub(crate) i32);

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::saying(&error.to_string())
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::saying(&message)
    }
}

impl Stop {
    fn saying(message: &str) -> Self {
        let _ = writeln!(io::stderr(), "{message}");
        Self(1)
    }
}

impl Run {
    pub(crate) fn new(
        arguments: Arguments,
        argv: Vec<String>,
        prompt: String,
        cwd: String,
        interrupts: Interrupts,
        session: Session,
    ) -> Self {
        let stream = Stream::new(&arguments, &session.id);
        Self {
            arguments,
            argv,
            prompt,
            cwd,
            session,
            stream,
            interrupts,
            answer: Vec::new(),
            status: None,
            end: End::default(),
            after: None,
            afterwards: Vec::new(),
            structured: None,
            cost: COST_USD,
            num_turns: 1,
            log: None,
            tool: None,
        }
    }

    /// Carries the script out; returns the exit code.
    pub(crate) fn perform(mut self, script: &[Directive]) -> i32 {
        // What concerns the whole output counts from its first byte.
        for directive in script {
            match directive {
                Directive::Array => self.stream.as_array(),
                Directive::Noise => self.stream.with_noise(),
                Directive::Cut(bytes) => self.stream.cut_after(*bytes),
                _ => {}
            }
        }
        let silent = script.iter().any(|step| {
            matches!(step, Directive::Nothing | Directive::SessionInUse | Directive::NoConversation)
        });
        let code = match self.steps(script, silent).and_then(|()| self.conclude()) {
            Ok(code) | Err(Stop(code)) => code,
        };
        self.note("end");
        code
    }

    fn steps(&mut self, script: &[Directive], silent: bool) -> Result<(), Stop> {
        if !silent && !self.arguments.plain {
            self.stream.init(&self.arguments, &self.cwd)?;
        }
        script.iter().try_for_each(|directive| self.step(directive))
    }

    fn step(&mut self, directive: &Directive) -> Result<(), Stop> {
        match directive {
            Directive::Answer(text) => self.answer.push(text.clone()),
            Directive::AnswerBytes(bytes) => self.answer.push("x".repeat(*bytes)),
            Directive::EchoPrompt => self.answer.push(self.prompt.clone()),
            Directive::EchoArgs => self.answer.push(self.argv.join("\n")),
            Directive::EchoEnv(name) => self.answer.push(match std::env::var_os(name) {
                Some(value) => format!("{name}={}", value.to_string_lossy()),
                None => format!("{name} is not set"),
            }),
            Directive::Cwd => self.answer.push(self.cwd.clone()),
            Directive::Status(status) => self.status = Some(status.clone()),
            Directive::BadUtf8 => self.answer.push(format!("bad {BAD_BYTE} byte")),
            Directive::Shell(line) => self.shell(line)?,
            Directive::Text(text) => self.text(text)?,
            Directive::Tool { name, input } => {
                self.call(name, input, "ok", false)?;
            }
            Directive::ToolHang(seconds) => self.tool_hang(seconds)?,
            Directive::HugeLine(bytes) => {
                self.call("Read", "huge.txt", &"y".repeat(*bytes), false)?;
            }
            Directive::Sleep(time) => self.sleep(Some(*time))?,
            Directive::Hang => self.sleep(None)?,
            Directive::WriteFile { path, content } => fs::write(path, content)?,
            Directive::Stderr(text) => writeln!(io::stderr(), "{text}")?,
            Directive::Log(file) => {
                self.log = Some(file.clone());
                self.note("start");
            }
            Directive::Retry { error, status, count } => {
                for attempt in 1..=*count {
                    self.stream.retry(attempt, error, *status)?;
                    self.sleep(Some(Duration::from_millis(10)))?;
                }
            }
            Directive::Ignore(names) => signals::ignore(names)?,
            Directive::Spawn { kind, seconds, marker } => {
                escape::spawn(kind, *seconds, marker.as_deref().unwrap_or(&self.cwd))?;
            }
            Directive::OnTurn { turn, directive } => {
                if *turn == self.session.turn {
                    self.step(directive)?;
                }
            }
            Directive::Exit { code, after_result: false } => return Err(Stop(*code)),
            Directive::Die { signal, after_result: false } => signals::die(signal)?,
            Directive::Exit { .. } | Directive::Die { .. } => self.after = Some(directive.clone()),
            Directive::Nothing => self.end = End::Nothing,
            Directive::IsError { status, text } => self.end = End::IsError(*status, text.clone()),
            Directive::Denied(tools) => self.end = End::Denied(tools.clone()),
            Directive::Budget => self.end = End::Budget,
            Directive::MaxTurns => self.end = End::MaxTurns,
            Directive::Refusal => self.end = End::Refusal,
            Directive::ResultThenHang => self.end = End::ThenHang,
            Directive::Results(count) => self.end = End::Results(*count),
            Directive::SessionInUse => return Err(crate::session::in_use(&self.session.id).into()),
            Directive::NoConversation => {
                return Err(format!("No conversation found with session ID: {}", self.session.id).into());
            }
            Directive::Structured(json) => {
                let value = serde_json::from_str(json).map_err(io::Error::other)?;
                if !self.arguments.plain {
                    let id = self.stream.tool_use("StructuredOutput", &value)?;
                    self.stream.tool_result(&id, false, "Structured output provided successfully")?;
                }
                self.answer.push(json.clone());
                self.structured = Some(value);
            }
            Directive::Cost(usd) => self.cost = *usd,
            Directive::Task { event, after_result: false } => self.stream.task(event)?,
            Directive::Task { event, .. } => self.afterwards.push(event.clone()),
            Directive::Array | Directive::Noise | Directive::Cut(_) => {}
        }
        Ok(())
    }

    /// A tool call that has returned.
    fn call(&mut self, name: &str, input: &str, content: &str, is_error: bool) -> io::Result<()> {
        if self.arguments.plain {
            return Ok(());
        }
        self.num_turns += 1;
        let input = match name {
            "Bash" => json!({"command": input, "description": "Run a command"}),
            "Read" | "Write" | "Edit" => json!({"file_path": input}),
            _ => json!({"input": input}),
        };
        let id = self.stream.tool_use(name, &input)?;
        self.stream.tool_result(&id, is_error, content)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        if self.arguments.plain {
            return self.stream.raw(format!("{text}\n").as_bytes());
        }
        self.stream.assistant(&json!({"type": "text", "text": text}))
    }

    fn shell(&mut self, line: &str) -> Result<(), Stop> {
        let output = escape::shell(line).output()?;
        let code = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.call("Bash", line, &text, !output.status.success())?;
        self.answer.push(format!("{}\nexit {code}", text.trim_end()));
        Ok(())
    }

    fn tool_hang(&mut self, seconds: &str) -> Result<(), Stop> {
        let seconds = seconds.parse().map_err(io::Error::other)?;
        if !self.arguments.plain {
            let command = format!("sleep {seconds}");
            self.stream.tool_use("Bash", &json!({"command": command, "description": "Wait"}))?;
        }
        self.tool = escape::spawn("setsid", seconds, &self.cwd)?;
        self.sleep(None)
    }

    /// Sleeps; an interrupt ends the run as it ends claude's.
    fn sleep(&mut self, time: Option<Duration>) -> Result<(), Stop> {
        if !self.interrupts.sleep(time)? {
            return Ok(());
        }
        let (code, reason) = match &mut self.tool {
            Some(child) => {
                child.kill()?;
                (1, "aborted_tools")
            }
            None => (0, "aborted_streaming"),
        };
        self.stream.result(Ending {
            subtype: "error_during_execution",
            is_error: true,
            terminal_reason: Some(reason),
            errors: vec!["[ede_diagnostic] result_type=user".to_owned()],
            ..self.ending()
        })?;
        self.stream.finish()?;
        Err(Stop(code))
    }

    fn ending(&self) -> Ending<'static> {
        Ending {
            subtype: "success",
            terminal_reason: Some("completed"),
            stop_reason: Some("end_turn"),
            total_cost_usd: self.session.spent + self.cost,
            cost_of_this_run_usd: self.cost,
            num_turns: self.num_turns,
            ..Ending::default()
        }
    }

    /// The usual end: the answer and the result event, or what the script put in their place.
    fn conclude(&mut self) -> Result<i32, Stop> {
        if self.end == End::Nothing {
            return Ok(0);
        }
        if self.answer.is_empty() {
            self.answer.push("ok".to_owned());
        }
        if let Some(status) = &self.status {
            self.answer.push(format!("STATUS: {status}"));
        }
        let answer = self.answer.join("\n");
        let code =
            if self.arguments.plain { self.conclude_plain(&answer)? } else { self.conclude_stream(&answer)? };
        match self.after.take() {
            Some(Directive::Exit { code, .. }) => return Ok(code),
            Some(Directive::Die { signal, .. }) => signals::die(&signal)?,
            _ => {}
        }
        if self.end == End::ThenHang {
            self.sleep(None)?;
        }
        Ok(code)
    }

    fn conclude_plain(&mut self, answer: &str) -> Result<i32, Stop> {
        let mut bytes = answer.as_bytes().to_vec();
        if let Some(at) = answer.find(BAD_BYTE) {
            bytes.splice(at..at + BAD_BYTE.len_utf8(), [0xff]);
        }
        bytes.push(b'\n');
        self.stream.raw(&bytes)?;
        Ok(i32::from(matches!(self.end, End::IsError(..))))
    }

    fn conclude_stream(&mut self, answer: &str) -> Result<i32, Stop> {
        let fine = Ending { structured_output: self.structured.clone(), ..self.ending() };
        let code = match self.end.clone() {
            End::IsError(status, text) => {
                self.stream.synthetic(&text)?;
                let ending = Ending { is_error: true, api_error_status: status, text: Some(&text), ..fine };
                self.stream.result(Ending { total_cost_usd: 0.0, ..ending })?;
                1
            }
            End::Budget => {
                self.text(answer)?;
                let errors = vec!["Reached maximum budget ($0.01)".to_owned()];
                self.stream.result(Ending {
                    subtype: "error_max_budget_usd",
                    is_error: true,
                    terminal_reason: Some("budget_exhausted"),
                    errors,
                    ..fine
                })?;
                1
            }
            End::MaxTurns => {
                self.text(answer)?;
                let errors = vec!["Reached maximum number of turns (2)".to_owned()];
                self.stream.result(Ending {
                    subtype: "error_max_turns",
                    is_error: true,
                    terminal_reason: Some("max_turns"),
                    errors,
                    ..fine
                })?;
                1
            }
            End::Refusal => {
                let text = "API Error: the model refused to answer this request";
                self.stream.synthetic(text)?;
                self.stream.result(Ending {
                    is_error: true,
                    stop_reason: Some("refusal"),
                    text: Some(text),
                    ..fine
                })?;
                1
            }
            End::Denied(tools) => {
                self.text(answer)?;
                let permission_denials = tools
                    .iter()
                    .map(|tool| json!({"tool_name": tool, "tool_use_id": "toolu_x", "tool_input": {"command": "touch x"}}))
                    .collect();
                self.stream.result(Ending { permission_denials, text: Some(answer), ..fine })?;
                0
            }
            End::Results(count) => {
                // Each finished background task makes another turn: the cost adds up, the rest starts anew.
                let mut ending = fine;
                for turn in 1..=count {
                    if turn > 1 {
                        self.stream.init(&self.arguments, &self.cwd)?;
                        ending.structured_output = None;
                    }
                    let text = if turn == count { answer.to_owned() } else { format!("turn {turn}") };
                    self.text(&text)?;
                    self.stream.result(Ending {
                        subtype: ending.subtype,
                        terminal_reason: ending.terminal_reason,
                        stop_reason: ending.stop_reason,
                        structured_output: ending.structured_output.clone(),
                        total_cost_usd: self.session.spent + self.cost * f64::from(turn),
                        cost_of_this_run_usd: self.cost,
                        num_turns: 1,
                        text: Some(&text),
                        ..Ending::default()
                    })?;
                }
                self.cost *= f64::from(count);
                0
            }
            End::Answer | End::ThenHang | End::Nothing => {
                self.text(answer)?;
                self.stream.result(Ending { text: Some(answer), ..fine })?;
                0
            }
        };
        for event in std::mem::take(&mut self.afterwards) {
            self.stream.task(&event)?;
        }
        self.stream.finish()?;
        self.session.save(&self.cwd, self.cost);
        Ok(code)
    }

    /// A line in the script's log: `start PID MILLISECONDS` or `end PID MILLISECONDS`.
    fn note(&self, what: &str) {
        let Some(file) = &self.log else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
        let line = format!("{what} {} {now}\n", std::process::id());
        // One write of a short line to a file opened for appending is never torn by another agent's.
        let log = OpenOptions::new().append(true).create(true).open(file);
        if let Err(error) = log.and_then(|mut log| log.write_all(line.as_bytes())) {
            let _ = writeln!(io::stderr(), "fake agent: {file}: {error}");
        }
    }
}
