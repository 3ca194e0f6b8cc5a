//! What the commands print, to people and as JSON, in one scene with jobs in every state; and their help.

mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use test_support::dispatch::{AGENT, submit, submit_and_finish, submit_endless};
use test_support::{Output, TestEnvironment, programs, snapshots};

/// Fields of JSON documents whose numbers are never the same twice.
const TIMES: [&str; 7] =
    ["created_at", "started_at", "completed_at", "progress_updated_at", "duration_ms", "median_ms", "p90_ms"];

/// Everything a command wrote, with what is different each time replaced.
struct Snapshots {
    environment: TestEnvironment,
    /// Ids of jobs and sessions, in the order in which they were seen first.
    ids: Vec<String>,
    texts: BTreeMap<String, String>,
}

impl Snapshots {
    /// Runs a command and keeps what it wrote under this name, and under `<name>-json` what it writes with `--json`.
    fn both(&mut self, name: &str, arguments: &[&str]) {
        self.take(name, arguments);
        self.take(&format!("{name}-json"), &[arguments, &["--json"]].concat());
    }

    fn take(&mut self, name: &str, arguments: &[&str]) {
        let output = self.environment.command(arguments).run();
        self.keep(name, arguments, &output);
    }

    fn keep(&mut self, name: &str, arguments: &[&str], output: &Output) {
        let typed = arguments
            .iter()
            .map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() });
        let mut text = format!("$ agent-dispatch {}\n", typed.collect::<Vec<_>>().join(" "));
        // A document is easier to read, and to compare, with a line for each field.
        text += &match serde_json::from_str::<Value>(&output.stdout) {
            Ok(document @ (Value::Object(_) | Value::Array(_))) => format!("{document:#}\n"),
            _ => output.stdout.clone(),
        };
        for line in output.stderr.lines() {
            text += &format!("stderr: {line}\n");
        }
        text += &format!("exit code: {}\n", output.code.expect("an exit code"));
        let text = self.normalised(&text);
        assert!(self.texts.insert(format!("{name}.txt"), text).is_none(), "{name} is there already");
    }

    fn normalised(&mut self, text: &str) -> String {
        let root = self.environment.root().display().to_string();
        let text = text.replace(&format!("{root}/home"), "[HOME]").replace(&root, "[ROOT]");
        let mut lines = Vec::new();
        for line in text.lines() {
            lines.push(without_times(&self.with_numbered_ids(line)));
        }
        lines.join("\n") + "\n"
    }

    /// Names jobs and sessions by the order in which they were seen.
    fn with_numbered_ids(&mut self, line: &str) -> String {
        let mut text = String::new();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
            let word = &rest[..length];
            let hex = word.chars().filter(char::is_ascii_hexdigit).count();
            let kind = match (word.len(), hex) {
                (32, 32) => "JOB",
                (36, 32) => "SESSION",
                _ => "",
            };
            if kind.is_empty() {
                text += word;
            } else {
                let position = self.ids.iter().position(|id| id == word).unwrap_or_else(|| {
                    self.ids.push(word.to_owned());
                    self.ids.len() - 1
                });
                text += &format!("[{kind} {}]", position + 1);
            }
            rest = &rest[length..];
        }
        text
    }
}

/// Replaces times, durations and the spaces that depend on how long these are.
fn without_times(line: &str) -> String {
    let field = TIMES.iter().find_map(|name| line.split_once(&format!("\"{name}\": ")).zip(Some(name)));
    if let Some(((before, value), name)) = field {
        let comma = if value.ends_with(',') { "," } else { "" };
        return format!("{before}\"{name}\": [TIME]{comma}");
    }
    let indentation = line.len() - line.trim_start().len();
    let (indentation, rest) = line.split_at(indentation);
    let mut words: Vec<&str> = Vec::new();
    for cell in rest.split("  ").map(str::trim).filter(|cell| !cell.is_empty()) {
        words.extend(cell.split(' '));
        words.push("");
    }
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        let bare = word.trim_end_matches([',', '.', ';', '`']);
        let is_number = |text: &str| !text.is_empty() && text.parse::<f64>().is_ok();
        let last_is_number = kept.last().is_some_and(|last| is_number(last));
        let ago = bare == "ago" && kept.last().is_some_and(|last| last.ends_with('s'));
        if (["s", "ms"].contains(&bare) && last_is_number) || ago {
            kept.pop();
            kept.push(format!("[TIME]{}", &word[bare.len()..]));
        } else if bare == "now" {
            kept.push("[TIME]".to_owned());
        } else {
            kept.push(word.to_owned());
        }
    }
    format!("{indentation}{}", kept.join(" ").trim_end())
}

/// One agent has all a config can say of it, one has the least, and one task runs at a time.
fn scene() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project("web");
    let fields = "timeout: 15m\nmodel: opus\nmax_budget_usd: 2\nallowed_tools: [Read, 'Bash(git log *)']\n\
                  capabilities: [servers]\ninstructions: be brief";
    environment.project_with(AGENT, fields);
    environment.configure(
        "groups:\n  shop:\n    description: what is sold\n    shared_context: prices are in cents\n    members:\n    \
         - web\n    - {agent: infra, use_for: servers}\nsettings:\n  max_concurrency: 1\n",
    );
    environment.link("agent-dispatch", programs::agent_dispatch());
    environment
}

#[test]
fn what_the_commands_print_is_kept() {
    let mut snapshots = Snapshots { environment: scene(), ids: Vec::new(), texts: BTreeMap::new() };
    snapshots.both("jobs-none", &["jobs"]);
    snapshots.both("agents-list", &["agents", "list"]);
    snapshots.both("agents-show", &["agents", "show", AGENT]);
    snapshots.both("groups-list", &["groups", "list"]);
    snapshots.both("groups-show", &["groups", "show", "shop"]);

    let answer = "fake: tool Read src/lib.rs\nfake: answer all is well\nfake: status done\nfake: cost 0.25";
    snapshots.take("run", &["run", AGENT, answer]);
    snapshots.take("run-json", &["run", AGENT, "--json", answer]);
    snapshots.take("run-failed", &["run", AGENT, "fake: exit 3"]);
    snapshots.take("run-denied", &["run", "web", "--strict", "fake: denied Bash\nfake: answer I could not"]);
    snapshots.take("run-timeout", &["run", "web", "fake: text on it\nfake: hang", "--timeout", "2s"]);
    snapshots.take("run-unknown-agent", &["run", "infro", "hi"]);
    snapshots.take("run-no-task", &["run", AGENT]);
    snapshots.take("run-no-member", &["run", AGENT, "hi", "--group", "shap"]);

    let done = submit_and_finish(&snapshots.environment, "fake: answer eins\nfake: cost 0.25");
    let failed = submit_and_finish(&snapshots.environment, "fake: is-error it broke");
    let outer = submit_and_finish(&snapshots.environment, "fake: shell agent-dispatch run web inside");
    let running = submit_endless(&snapshots.environment);
    let pending = submit(&snapshots.environment, "later");
    for (name, id) in [("done", &done), ("failed", &failed), ("running", &running), ("pending", &pending)] {
        snapshots.both(&format!("status-{name}"), &["status", id]);
        snapshots.both(&format!("result-{name}"), &["result", id]);
    }
    snapshots.both("logs", &["logs", &done]);
    snapshots.both("wait", &["wait", &done, &failed]);
    snapshots.take("wait-timeout", &["wait", &running, "--timeout", "10ms"]);
    snapshots.take("jobs", &["jobs"]);
    snapshots.take("jobs-running-json", &["jobs", "--status", "running", "--json"]);
    snapshots.take("jobs-tree", &["jobs", "--tree", "--limit", "4"]);
    snapshots.both("gc-dry-run", &["gc", "--all", "--dry-run"]);
    snapshots.take("gc-nothing-said", &["gc"]);
    snapshots.both("stats", &["stats"]);
    snapshots.take("cancel", &["cancel", &pending, &running]);
    snapshots.both("cancel-over", &["cancel", &outer]);
    snapshots.both("status-cancelled", &["status", &running]);
    snapshots.both("result-cancelled", &["result", &running]);
    for (name, arguments) in [
        ("no-such-job", &["status", "0190163d8694739baea5966c26f8ad91"] as &[&str]),
        ("ambiguous-job", &["status", "0"]),
        ("no-such-agent", &["agents", "show", "infro"]),
        ("no-such-group", &["groups", "show", "shap"]),
        ("no-such-option", &["run", AGENT, "--tiemout", "5"]),
        ("no-such-command", &["rnu"]),
    ] {
        snapshots.take(name, arguments);
    }

    let batch = "- {agent: infra, task: 'fake: answer eins'}\n- {agent: web, task: 'fake: exit 3'}\n";
    for (name, options) in [("batch", &[] as &[&str]), ("batch-json", &["--json"])] {
        let arguments = [&["batch", "-"], options].concat();
        let output = snapshots.environment.command(&arguments).stdin(batch).run();
        snapshots.keep(name, &arguments, &output);
    }
    let environment = &snapshots.environment;
    environment.script(AGENT, "answer how many?");
    environment.script("web", "answer three\\n[RESOLVED]");
    snapshots.both("dialogue", &["dialogue", AGENT, "web", "count them"]);
    snapshots::assert_kept("tests/snapshots/output", &snapshots.texts);
}

#[test]
fn help_is_what_the_snapshots_say_however_it_is_asked_for() {
    let environment = TestEnvironment::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/help");
    for path in fs::read_dir(folder).expect("the help").map(|entry| entry.expect("an entry").path()) {
        let kept = fs::read_to_string(&path).expect("a text");
        let usage =
            kept.lines().find_map(|line| line.strip_prefix("Usage: agent-dispatch")).expect("the usage");
        let command: Vec<&str> =
            usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '-'])).collect();
        for arguments in [[&command[..], &["--help"]].concat(), [&["help"], &command[..]].concat()] {
            let output = environment.command(&arguments).run().expect_code(0);
            assert_eq!(output.stdout, kept, "{arguments:?}");
        }
    }
}
