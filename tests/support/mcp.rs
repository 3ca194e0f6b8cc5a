//! An MCP client that hides nothing: what a test says goes over the pipe, and everything that comes back is kept.

#![expect(unsafe_code, reason = "kill(2) has no safe form in the standard library")]
#![expect(clippy::needless_pass_by_value, reason = "what is sent is written where it is sent: `json!({…})`")]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{PATIENCE, TestEnvironment};

/// How a client and a server agree on what they speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Once, by `initialize`, on this revision.
    Session(&'static str),
    /// With each request: revision 2026-07-28.
    Stateless,
}

/// The newest revision with sessions.
pub const SESSION: Era = Era::Session("2025-11-25");

/// A server and the only client it has. Dropped, it checks that nothing but well-formed messages came.
pub struct McpClient {
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Arc<Heard>,
    reader: Option<JoinHandle<()>>,
    stderr: Option<JoinHandle<String>>,
    /// Whether requests carry what a session would have agreed on.
    meta: Option<Value>,
    last_id: u64,
}

/// What came from the server.
#[derive(Default)]
struct Heard {
    messages: Mutex<Messages>,
    news: Condvar,
}

#[derive(Default)]
struct Messages {
    /// Answers, by the JSON of their id.
    replies: HashMap<String, Value>,
    /// Errors that could not name the request they are about.
    refusals: Vec<Value>,
    notifications: Vec<Notification>,
    /// What no server may say.
    wrong: Vec<String>,
    is_over: bool,
}

/// A notification and when it came.
#[derive(Debug, Clone)]
pub struct Notification {
    pub at: Instant,
    pub method: String,
    pub params: Value,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    pub text: String,
    /// Null when there is none.
    pub structured: Value,
    pub is_error: bool,
}

impl Called {
    /// Reads the result of `tools/call`.
    #[track_caller]
    pub fn read(result: &Value) -> Self {
        let content = result["content"].as_array().unwrap_or_else(|| panic!("no tool's result: {result}"));
        assert_eq!(content.len(), 1, "one text is enough: {result}");
        assert_eq!(content[0]["type"], "text", "{result}");
        Self {
            text: content[0]["text"].as_str().expect("a text").to_owned(),
            structured: result.get("structuredContent").cloned().unwrap_or_default(),
            is_error: result["isError"] == true,
        }
    }

    /// Panics unless it is a success.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert!(!self.is_error, "{self:?}");
        self
    }

    /// Panics unless it is an error.
    #[track_caller]
    pub fn expect_error(self) -> Self {
        assert!(self.is_error, "{self:?}");
        self
    }

    /// A text of the structured part.
    #[track_caller]
    pub fn field(&self, name: &str) -> &str {
        self.structured[name].as_str().unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// The job it is about.
    #[track_caller]
    pub fn job(&self) -> String {
        self.field("job_id").to_owned()
    }
}

impl McpClient {
    /// A server in this environment, ready to be called.
    #[track_caller]
    pub fn connect(environment: &TestEnvironment) -> Self {
        Self::connect_as(environment, [""; 0], SESSION, "test")
    }

    /// The same with arguments of `serve-mcp`.
    #[track_caller]
    pub fn connect_with<I: IntoIterator<Item: AsRef<OsStr>>>(
        environment: &TestEnvironment,
        arguments: I,
    ) -> Self {
        Self::connect_as(environment, arguments, SESSION, "test")
    }

    /// The same for a client of this era and name.
    #[track_caller]
    pub fn connect_as<I: IntoIterator<Item: AsRef<OsStr>>>(
        environment: &TestEnvironment,
        arguments: I,
        era: Era,
        name: &str,
    ) -> Self {
        let mut client = Self::spawn(environment, arguments);
        match era {
            Era::Session(revision) => drop(client.initialize(revision, name, json!({}))),
            Era::Stateless => client.be_stateless(name, json!({})),
        }
        client
    }

    /// A server that nobody has said anything to.
    #[track_caller]
    pub fn spawn<I: IntoIterator<Item: AsRef<OsStr>>>(environment: &TestEnvironment, arguments: I) -> Self {
        Self::of(environment.command(["serve-mcp"]).args(arguments).into_command())
    }

    /// The same for a server that is started by this command.
    #[track_caller]
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let stdout = child.stdout.take().expect("a pipe was asked for");
        let mut stderr = child.stderr.take().expect("a pipe was asked for");
        let heard = Arc::new(Heard::default());
        let listener = Arc::clone(&heard);
        Self {
            stdin: child.stdin.take(),
            child,
            heard,
            reader: Some(std::thread::spawn(move || listener.listen(BufReader::new(stdout)))),
            stderr: Some(std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = stderr.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })),
            meta: None,
            last_id: 0,
        }
    }

    /// Opens a session; returns what the server says about itself.
    #[track_caller]
    pub fn initialize(&mut self, revision: &str, name: &str, capabilities: Value) -> Value {
        let about = self.ask(
            "initialize",
            json!({
                "protocolVersion": revision,
                "clientInfo": {"name": name, "version": "1"},
                "capabilities": capabilities,
            }),
        );
        self.notify("notifications/initialized", json!({}));
        about
    }

    /// Says with each request from now on who asks and what it can do.
    pub fn be_stateless(&mut self, name: &str, capabilities: Value) {
        self.meta = Some(json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        }));
    }

    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Sends a signal to the server alone.
    pub fn signal(&self, signal: i32) {
        // SAFETY: the child was not waited for, so its pid is still its own.
        unsafe { libc::kill(self.pid(), signal) };
    }

    /// Writes bytes and a line feed.
    #[track_caller]
    pub fn write_line(&mut self, line: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        let mut bytes = line.as_ref().to_vec();
        bytes.push(b'\n');
        stdin.write_all(&bytes).expect("the server reads");
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a notification.
    #[track_caller]
    pub fn notify(&mut self, method: &str, params: Value) {
        self.write_line(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
    }

    /// Sends a request; returns its id.
    #[track_caller]
    pub fn request(&mut self, method: &str, mut params: Value) -> u64 {
        self.last_id += 1;
        if let Some(meta) = &self.meta {
            let own = params["_meta"].take();
            let mut merged = meta.as_object().cloned().unwrap_or_default();
            merged.extend(own.as_object().cloned().unwrap_or_default());
            params["_meta"] = merged.into();
        }
        let message = json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params});
        self.write_line(message.to_string());
        self.last_id
    }

    /// Sends a call of a tool; returns the request's id.
    #[track_caller]
    pub fn request_call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.request("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// The whole answer to a request, once it is there.
    #[track_caller]
    pub fn reply(&self, id: impl Into<Value>) -> Value {
        let key = id.into().to_string();
        self.wait_for(&format!("an answer to {key}"), |messages| messages.replies.get(&key).cloned())
    }

    /// The whole answer to a request, if it is there.
    pub fn reply_so_far(&self, id: impl Into<Value>) -> Option<Value> {
        self.heard.lock().replies.get(&id.into().to_string()).cloned()
    }

    /// The result of a request.
    #[track_caller]
    pub fn result(&self, id: u64) -> Value {
        let reply = self.reply(id);
        reply.get("result").cloned().unwrap_or_else(|| panic!("no result: {reply}"))
    }

    /// Asks and waits for the result.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        self.result(id)
    }

    /// Asks and waits for the error: its code and message.
    #[track_caller]
    pub fn ask_in_vain(&mut self, method: &str, params: Value) -> (i64, String) {
        let id = self.request(method, params);
        let reply = self.reply(id);
        let error = reply.get("error").unwrap_or_else(|| panic!("no error: {reply}"));
        (error["code"].as_i64().expect("a code"), error["message"].as_str().expect("a text").to_owned())
    }

    /// Calls a tool and waits for what it says.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Called {
        Called::read(&self.ask("tools/call", json!({"name": tool, "arguments": arguments})))
    }

    /// What a call said.
    #[track_caller]
    pub fn called(&self, id: u64) -> Called {
        Called::read(&self.result(id))
    }

    /// Errors so far that could not name their request, the answers with `"id": null` or without.
    pub fn refusals(&self) -> Vec<Value> {
        self.heard.lock().refusals.clone()
    }

    /// Waits for the next such error.
    #[track_caller]
    pub fn refusal(&self, number: usize) -> Value {
        self.wait_for("an error without an id", |messages| messages.refusals.get(number).cloned())
    }

    /// Notifications so far.
    pub fn notifications(&self) -> Vec<Notification> {
        self.heard.lock().notifications.clone()
    }

    /// Waits until so many notifications have come.
    #[track_caller]
    pub fn wait_for_notifications(&self, count: usize) -> Vec<Notification> {
        self.wait_for("notifications", |messages| {
            (messages.notifications.len() >= count).then(|| messages.notifications.clone())
        })
    }

    /// Waits for the server's end by itself, and until all it said is read.
    #[track_caller]
    pub fn end(&mut self, within: Duration) -> ExitStatus {
        let end = Instant::now() + within;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child of this process") {
                break status;
            }
            assert!(Instant::now() < end, "the server did not end within {within:?}");
            std::thread::sleep(Duration::from_micros(500));
        };
        self.wait_for("the end of standard output", |messages| messages.is_over.then_some(()));
        status
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&Messages) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut messages = self.heard.lock();
        loop {
            if let Some(found) = look(&messages) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited {PATIENCE:?} in vain for {what}");
            assert!(!messages.is_over, "the server has gone without {what}");
            let woken = self.heard.news.wait_timeout(messages, left);
            messages = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for McpClient {
    fn drop(&mut self) {
        self.stdin = None;
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        let hung = matches!(self.child.try_wait(), Ok(None));
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().map(JoinHandle::join);
        let stderr = self.stderr.take().and_then(|stderr| stderr.join().ok()).unwrap_or_default();
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "the server's standard error: {stderr}");
            return;
        }
        assert!(!hung, "the server stays when its client has gone");
        assert_eq!(stderr, "", "the server has nothing to say on standard error");
        assert_eq!(self.heard.lock().wrong, [""; 0], "only well-formed messages come");
    }
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, mut stdout: impl BufRead) {
        let mut line = Vec::new();
        while let Ok(1..) = stdout.read_until(b'\n', &mut line) {
            self.lock().take(&line);
            self.news.notify_all();
            line.clear();
        }
        self.lock().is_over = true;
        self.news.notify_all();
    }
}

impl Messages {
    fn take(&mut self, line: &[u8]) {
        let shown = || String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned();
        let message: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(message) if line.ends_with(b"\n") => message,
            _ => return self.wrong.push(format!("not a JSON object on a line: {}", shown())),
        };
        let text = |name: &str| message.get(name).and_then(Value::as_str);
        let is_answer = message.contains_key("result") != message.contains_key("error");
        let id = message.get("id").filter(|id| !id.is_null());
        if text("jsonrpc") != Some("2.0") {
            self.wrong.push(format!("not JSON-RPC 2.0: {}", shown()));
        } else if let (Some(method), None) = (text("method"), id) {
            self.notifications.push(Notification {
                at: Instant::now(),
                method: method.to_owned(),
                params: message.get("params").cloned().unwrap_or_default(),
            });
        } else if let (Some(id), true, None) = (id, is_answer, text("method")) {
            if self.replies.insert(id.to_string(), Value::Object(message.clone())).is_some() {
                self.wrong.push(format!("a second answer to {id}: {}", shown()));
            }
        } else if message.contains_key("error") {
            self.refusals.push(Value::Object(message));
        } else {
            self.wrong.push(format!("neither an answer nor a notification: {}", shown()));
        }
    }
}
