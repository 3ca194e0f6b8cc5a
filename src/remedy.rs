//! Remedies as commands for a shell.

use std::path::Path;

use crate::model::{Access, AgentChange, JobId, Obstacle, Remedy, Terms, Timeout};
use crate::text::shell;

/// How this program is called: with the options that make a command be about the same config and jobs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Commands {
    options: &'static str,
}

impl Commands {
    /// For a process that was called with these options. Called once, by each process.
    pub fn with_options(options: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self { options: shell::command(options).leak() }
    }

    /// A command of this program as it has to be typed.
    pub fn command(self, words: impl IntoIterator<Item: AsRef<str>>) -> String {
        let options = if self.options.is_empty() { "" } else { " " };
        format!("agent-dispatch{options}{} {}", self.options, shell::command(words))
    }

    /// The same between backticks, as a part of a sentence.
    pub fn quoted(self, words: impl IntoIterator<Item: AsRef<str>>) -> String {
        format!("`{}`", self.command(words))
    }

    /// What to do, in words.
    pub fn tell(self, remedy: &Remedy) -> String {
        self.tell_with(remedy, &|then| self.tell(then))
    }

    /// The same, with what is to be done then in the words of `then`.
    pub fn tell_with(self, remedy: &Remedy, tell_then: &dyn Fn(&Remedy) -> String) -> String {
        let call = |words: &[&str]| self.quoted(words);
        let ids = |ids: &[JobId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        match remedy {
            Remedy::Resume { job_id, terms, .. } => self.resume(&job_id.to_string(), terms),
            Remedy::Retry { job_id, terms, .. } => self.retry(&job_id.to_string(), terms),
            Remedy::TryLater { obstacle, then } => format!("{}{}", lead(obstacle), tell_then(then)),
            Remedy::ShortenOutput { then } => {
                let lead = then.as_ref().map(|then| format!("{}; or ", tell_then(then)));
                format!(
                    "{}let it write what is long into a file, or raise `settings.output_limit_mb` in the config file",
                    lead.unwrap_or_default()
                )
            }
            Remedy::RepeatDialogue { command, last_turn } => {
                let words = match command.as_slice() {
                    [] => call(&["dialogue", "AGENT", "AGENT", "TOPIC"]),
                    words => self.quoted(words),
                };
                let alone = last_turn
                    .map(|id| format!(", or go on with one of them: {}", call(&["resume", &id.to_string()])));
                format!("have it once more with {words}{}", alone.unwrap_or_default())
            }
            Remedy::StartJob {} => format!("start one with {}", call(&["run", "AGENT", "TASK"])),
            Remedy::StartInBackground { agent } => format!(
                "dispatch work that must outlive its caller with {}",
                call(&["submit", agent, "TASK"])
            ),
            Remedy::StartNewSession { agent } => format!(
                "start anew with {}, without `--session`",
                call(&["run", agent.as_deref().unwrap_or("AGENT"), "TASK"])
            ),
            Remedy::WaitForSession {} => {
                "wait for the run that uses it to end, or dispatch without `--session`: that \
                                          makes a new session"
                    .to_owned()
            }
            Remedy::ContinueSession { agent, session_id } => {
                format!("go on with it there: {}", call(&["run", agent, "TASK", "--session", session_id]))
            }
            Remedy::FindSession {} => format!(
                "{} has the id of a job's session in `session_id`",
                call(&["result", "JOB", "--json"])
            ),
            Remedy::GiveTask {} => "say what to do: an argument, a pipe, or --task-file FILE".to_owned(),
            Remedy::ShortenTask {} => {
                "shorten the task or its context, or dispatch without `--session`: that makes a \
                                       new session"
                    .to_owned()
            }
            Remedy::PassAsFile {} => {
                "put the material into a file in the agent's directory and name it in the task".to_owned()
            }
            Remedy::CorrectRequest { how } | Remedy::Authenticate { how } => how.clone(),
            Remedy::ReadHelp { command } => {
                let words = command.iter().map(String::as_str).chain(["--help"]);
                format!("see {} for how it is called", self.quoted(words))
            }
            Remedy::AnswerHere { setting } => {
                format!("answer with what is known here, or raise `settings.{setting}` in the config file")
            }
            Remedy::RestoreDepth {} => {
                "give it the value that agent-dispatch set for the agent; where no agent calls, \
                                        `unset AGENT_DISPATCH_DEPTH`"
                    .to_owned()
            }
            Remedy::ListJobs {} => format!("{} lists them", call(&["jobs"])),
            Remedy::NameJob {} => format!("give more of the id; {} lists them", call(&["jobs"])),
            Remedy::ShowJob { job_id } => {
                format!("what is known about it: {}", call(&["status", &job_id.to_string()]))
            }
            Remedy::ReadAnswer { job_id, wait } => {
                let words = ["result".to_owned(), job_id.to_string()].into_iter();
                let words = words.chain(wait.then(|| "--wait".to_owned()));
                format!("the job is recorded: {}", self.quoted(words))
            }
            Remedy::AwaitAnswer { job_id } => {
                format!("wait for it with {}", call(&["result", &job_id.to_string(), "--wait"]))
            }
            Remedy::ReadOutput { job_id } => {
                format!("it is in the agent's output: {}", call(&["logs", &job_id.to_string(), "--raw"]))
            }
            Remedy::WaitForJobs { job_ids } => {
                let goes = if job_ids.len() == 1 { "it goes on" } else { "they go on" };
                format!("{goes}: {}", self.quoted(wait(job_ids)))
            }
            Remedy::ListOrWait {} => format!(
                "{} lists them once; {} waits for the end of one",
                call(&["jobs"]),
                call(&["wait", "JOB"])
            ),
            Remedy::CancelJobs { job_ids } => format!(
                "stop those that go on with {}",
                self.quoted(std::iter::once("cancel".to_owned()).chain(ids(job_ids)))
            ),
            Remedy::WaitForTurn { holder } => {
                let wait =
                    holder.map(|id| format!("; {} waits for that one", call(&["wait", &id.to_string()])));
                format!("without --no-wait the job waits for its turn{}", wait.unwrap_or_default())
            }
            Remedy::WaitForQueue {} => format!(
                "{} lists them; `settings.max_queued` in the config file sets the limit",
                call(&["jobs", "--status", "pending"])
            ),
            Remedy::FreeSpace {} => {
                format!("free some space: {} deletes old jobs", call(&["gc", "--older-than", "7d"]))
            }
            Remedy::ChooseAge {} => format!(
                "say {} or {}, or set `settings.job_retention_days` in the config file",
                call(&["gc", "--older-than", "7d"]),
                call(&["gc", "--all"])
            ),
            Remedy::ChooseAgent { nearest } => self.choose(
                "agents",
                nearest.as_deref(),
                |add| format!("{} adds one", call(add)),
                &["agents", "add", "NAME", "DIR"],
            ),
            Remedy::ChooseGroup { nearest } => self.choose(
                "groups",
                nearest.as_deref(),
                |add| format!("{} makes one", call(add)),
                &["groups", "add", "NAME", "--member", "AGENT"],
            ),
            Remedy::ChooseMember {} => format!("{} lists the members", call(&["groups", "list"])),
            Remedy::AddAgent {} => format!("add one with {}", call(&["agents", "add", "NAME", "DIR"])),
            Remedy::AddMember { group, agent } => format!(
                "leave --group out, or make the agent a member: {}",
                call(&["groups", "update", group, "--member", agent])
            ),
            Remedy::UpdateAgent { agent, change } => self.update_agent(agent, change),
            Remedy::ChooseModel { agent } => {
                format!("choose another: {}", call(&["agents", "update", agent, "--model", "MODEL"]))
            }
            Remedy::UpdateGroup { group } => format!(
                "{} shows it; change it: {}",
                call(&["groups", "show", group]),
                call(&["groups", "update", group, "--member", "AGENT"])
            ),
            Remedy::MoveAgent { agent } => format!(
                "point the agent elsewhere with {}, or drop it with {}",
                call(&["agents", "update", agent, "--directory", "DIR"]),
                call(&["agents", "remove", agent])
            ),
            Remedy::InstallProgram { how: Some(how), .. } => how.clone(),
            Remedy::InstallProgram { agent, how: None } => format!(
                "install it, or change the agent's command: {}",
                call(&["agents", "update", agent, "--command", "PROGRAM"])
            ),
            Remedy::CreateConfig {} => format!(
                "{} makes it, and so does {}",
                call(&["agents", "add", "NAME", "DIR"]),
                call(&["init"])
            ),
            Remedy::ChooseConfig { path: Some(path) } => {
                format!("name the file in it: --config {}", shell::path(path))
            }
            Remedy::ChooseConfig { path: None } => {
                "name a config that you can write with --config FILE or AGENT_DISPATCH_CONFIG".to_owned()
            }
            Remedy::EditConfig { path, line: Some(line) } => {
                format!("correct line {line} of {}; nothing was changed", path.display())
            }
            Remedy::EditConfig { path, line: None } => {
                format!("edit {} by hand; anchors and aliases are the usual cause", path.display())
            }
            Remedy::WaitForEditor { lock } => format!(
                "try again when it has finished; see who holds the lock with `fuser {}`",
                shell::path(lock)
            ),
            Remedy::ChooseJobsDirectory {} => {
                "choose another place that you can write to with --jobs-dir or AGENT_DISPATCH_JOBS_DIR"
                    .to_owned()
            }
            Remedy::GrantAccess { path, access } => grant(path, *access),
            Remedy::CloseToOthers { commands, vouch } => {
                let mend = commands.join(" && ");
                match vouch {
                    Some(vouch) => format!(
                        "mend it with `{mend}`; or, if this is meant to be so, vouch for it: `export {vouch}`"
                    ),
                    None => format!(
                        "mend it with `{mend}`; AGENT_DISPATCH_TRUST cannot vouch for it, because it is a list of paths \
                         with ':' between them: if this is meant to be so, move it to a path of UTF-8 without ':'"
                    ),
                }
            }
            Remedy::CreateDirectory { path } => format!("create it first: `mkdir -p {}`", shell::path(path)),
            Remedy::RunFewerAgents {} => {
                "the system kills with signal 9 when memory runs out: run fewer agents at once \
                                          (`max_concurrency`)"
                    .to_owned()
            }
            Remedy::RaiseFileSizeLimit {} => {
                "`ulimit -f` bounds how large a file may become where the job was dispatched: raise it"
                    .to_owned()
            }
            Remedy::LeaveSandbox {} => "run agent-dispatch outside the sandbox".to_owned(),
            Remedy::UseNewerVersion {} => {
                "use the newer version, or install it in the place of this one".to_owned()
            }
            Remedy::Diagnose {} => format!("{} says what is wrong", call(&["doctor"])),
        }
    }

    fn resume(self, id: &str, terms: &Terms) -> String {
        let with = if terms.timeout_seconds.is_some() {
            ", with more time"
        } else if terms.idle_timeout_seconds.is_some() {
            ", with more patience"
        } else if terms.max_budget_usd.is_some() {
            ", with more to spend"
        } else if terms.task.is_some() {
            ", with this task"
        } else {
            ""
        };
        format!("resume it where it stopped{with}: {}", self.again("resume", id, terms))
    }

    fn retry(self, id: &str, terms: &Terms) -> String {
        let again = self.again("retry", id, terms);
        if terms.timeout_seconds.is_some() {
            format!("give it more time ({again}) or a smaller task")
        } else if terms.idle_timeout_seconds.is_some() {
            format!("give it more patience: {again}")
        } else if terms.max_budget_usd.is_some() {
            format!("give it more to spend ({again}) or a smaller task")
        } else {
            format!("make the same request again: {again}")
        }
    }

    fn again(self, verb: &str, id: &str, terms: &Terms) -> String {
        let time = |limit: &Timeout| limit.to_string().replace(' ', "");
        let mut words = vec![verb.to_owned(), id.to_owned()];
        words.extend(terms.task.clone());
        for (option, value) in [
            ("--timeout", terms.timeout_seconds.as_ref().map(time)),
            ("--idle-timeout", terms.idle_timeout_seconds.as_ref().map(time)),
            ("--max-budget-usd", terms.max_budget_usd.map(|cap| cap.to_string().replace('$', ""))),
        ] {
            words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        self.quoted(words)
    }

    /// Names what was probably meant, or says how to add what there is not.
    fn choose(
        self,
        kind: &str,
        nearest: Option<&str>,
        adds: impl Fn(&[&str]) -> String,
        add: &[&str],
    ) -> String {
        let list = format!("{} lists the {kind}", self.quoted([kind, "list"]));
        match nearest {
            Some(name) => format!("did you mean '{name}'? {list}"),
            None => format!("{list}, {}", adds(add)),
        }
    }

    fn update_agent(self, agent: &str, change: &AgentChange) -> String {
        let update = |option: &str, value: &str| self.quoted(["agents", "update", agent, option, value]);
        match change {
            AgentChange::AllowedTools(tools) => format!(
                "the agent was refused {}; to allow it, beside the tools it has: {}",
                tools.join(", "),
                update("--allowed-tools", &tools.join(","))
            ),
            AgentChange::PermissionMode(mode) => {
                format!("choose another permission mode: {}", update("--permission-mode", mode))
            }
            AgentChange::Directory(directory) => format!(
                "{} shows it; change it: {}",
                self.quoted(["agents", "show", agent]),
                update("--directory", &directory.to_string_lossy())
            ),
        }
    }
}

/// How many jobs are named in a command.
const NAMED: usize = 5;

/// The words of the command that waits for jobs, or lists what there is when it would be too long.
pub fn wait(job_ids: &[JobId]) -> Vec<String> {
    if job_ids.len() > NAMED {
        return vec!["jobs".to_owned()];
    }
    std::iter::once("wait".to_owned()).chain(job_ids.iter().map(ToString::to_string)).collect()
}

fn lead(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::AccountLimit => "after the limit's reset: ".to_owned(),
        Obstacle::RateLimit => {
            "wait a while, or run fewer agents at once (`max_concurrency`); then: ".to_owned()
        }
        Obstacle::Outage { check } => format!("{check}; later: "),
    }
}

fn grant(path: &Path, access: Access) -> String {
    let path = shell::path(path);
    match access {
        Access::Read => format!("make it readable for you: `chmod u+r {path}`"),
        Access::ReadWrite => format!("make it readable again: `chmod 600 {path}`"),
        Access::Execute => format!("make it executable: `chmod +x {path}`"),
        Access::Enter => format!("let yourself in: `chmod u+x {path}`, or ask its owner to"),
        Access::WriteInto => format!("make the directory writable for you: `chmod u+rwx {path}`"),
        Access::Private => format!("run `chmod 700 {path}`, or choose another directory with --jobs-dir"),
    }
}
