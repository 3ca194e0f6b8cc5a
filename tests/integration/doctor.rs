//! `doctor`: a healthy environment has nothing to say, and each thing that is broken gets its finding and its fix.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use agent_dispatch::store::{Finished, JobId, JobResult, Record, State, Store, Verdict};
use serde_json::{Value, json};

use crate::support::{PATIENCE, TestEnvironment, namespace, programs, wait_until};

/// An environment in which everything is as it should be, with the agent `api`.
fn healthy() -> TestEnvironment {
    let environment = TestEnvironment::new();
    let project = environment.project_with("api", "max_budget_usd: 1\npermission_mode: acceptEdits");
    fs::write(project.join("CLAUDE.md"), "# API\n").expect("a file of the test");
    fs::create_dir(environment.home().join(".claude")).expect("a file of the test");
    let credentials = json!({"claudeAiOauth": {"accessToken": "x", "subscriptionType": "max"}});
    write(&environment.home().join(".claude/.credentials.json"), &credentials);
    write(&state(&environment), &registered(programs::agent_dispatch()));
    environment
}

fn state(environment: &TestEnvironment) -> PathBuf {
    environment.home().join(".claude.json")
}

/// Claude Code's state with this program as the MCP server.
fn registered(program: &Path) -> Value {
    json!({"mcpServers": {"agent-dispatch": {"type": "stdio", "command": program, "args": ["serve-mcp"]}}})
}

fn write(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).expect("a file of the test");
}

/// Puts a shell script in the place of claude.
fn replace_claude(environment: &TestEnvironment, script: &str) {
    let claude = environment.bin().join("claude");
    fs::remove_file(&claude).expect("a file of the test");
    fs::write(&claude, format!("#!/bin/sh\n{script}\n")).expect("a file of the test");
    fs::set_permissions(&claude, Permissions::from_mode(0o755)).expect("a file of the test");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of the test");
}

/// The document of `doctor --json`.
fn document(environment: &TestEnvironment) -> Value {
    environment.command(["doctor", "--json"]).run().json()
}

/// What is not as it should be: id, level and fix. Other servers of this user on this machine are nobody's business.
fn problems(environment: &TestEnvironment) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let document = document(environment);
    let findings = document["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["level"] != "ok" && finding["id"] != "mcp-running")
        .inspect(|finding| {
            if let Some(fix) = finding["fix"].as_str() {
                assert_exists(environment, fix);
            }
        })
        .map(|finding| (text(&finding["id"]), text(&finding["level"]), text(&finding["fix"])))
        .collect()
}

/// Programs that a fix may name, besides this tool: there, or to be installed by the fix before.
const ORDINARY: [&str; 11] =
    ["${EDITOR:-vi}", "cd", "chmod", "claude", "export", "kill", "npm", "rm", "sudo", "umask", "unset"];

/// Panics unless every command in a fix exists.
#[track_caller]
fn assert_exists(environment: &TestEnvironment, fix: &str) {
    for command in fix.split(" && ") {
        let words: Vec<&str> = command.split(' ').collect();
        if words[0] != "agent-dispatch" {
            assert!(ORDINARY.contains(&words[0]), "no ordinary program: {fix}");
        } else {
            // Groups of commands take two words.
            let length = if ["agents", "groups"].contains(&words[1]) { 2 } else { 1 };
            environment.command(&words[1..=length]).arg("--help").run().expect_code(0);
        }
    }
}

/// A job of `api` that is over.
fn finished_job(environment: &TestEnvironment) -> JobId {
    let store = Store::open(&environment.jobs_directory()).expect("a store");
    let mut record = Record::pending(JobId::generate(), "api", "look", 1_700_000_000.0);
    let held = store.create(&record).expect("a job");
    record.state = State::Finished(Box::new(Finished {
        started_at: None,
        completed_at: 1_700_000_001.0,
        verdict: Verdict::Done,
        result: Some(JobResult::answer(record.id, "api", "hi")),
        error: None,
    }));
    held.finish(&record).map_err(|(_, error)| error).expect("a record");
    record.id
}

#[test]
fn a_healthy_environment_has_nothing_to_say() {
    let environment = healthy();
    finished_job(&environment);
    assert_eq!(problems(&environment), []);
    let output = environment.command(["doctor", "--strict"]).run().expect_code(0);
    for said in [
        "✓       claude 9.9.9 (Claude Code): ",
        "✓       logged in with a subscription (max), by ",
        "✓       the MCP server answers: agent-dispatch ",
        "✓       api: ",
        "✓       1 jobs, less than 1 MiB",
        "0 errors, 0 warnings, ",
    ] {
        assert!(output.stdout.contains(said), "{said:?}:\n{}", output.stdout);
    }
    assert_eq!(output.stderr, "");
}

#[test]
fn nothing_is_made_or_changed() {
    let environment = TestEnvironment::without_claude();
    let files = || {
        let listed = environment.program(Path::new("/usr/bin/find"), ["home", "projects"]).run().stdout;
        let mut files: Vec<String> = listed.lines().map(str::to_owned).collect();
        files.sort();
        files
    };
    let before = files();
    environment.command(["doctor"]).run().expect_code(1);
    assert_eq!(files(), before);
}

/// A way to break something, and the findings that tell of it.
type Case = (fn(&TestEnvironment), &'static [(&'static str, &'static str, &'static str)]);

/// Breaks one thing at a time. `HOME` stands for its home, `~` for the test's own directory.
#[track_caller]
fn check(cases: &[Case]) {
    for (number, (break_it, expected)) in cases.iter().enumerate() {
        let environment = healthy();
        break_it(&environment);
        let (root, home) = (environment.root().to_string_lossy(), environment.home());
        let shown = |fix: &str| fix.replace(&*home.to_string_lossy(), "HOME").replace(&*root, "~");
        let found = problems(&environment);
        let found: Vec<(&str, &str, String)> =
            found.iter().map(|(id, level, fix)| (id.as_str(), level.as_str(), shown(fix))).collect();
        let found: Vec<(&str, &str, &str)> =
            found.iter().map(|(id, level, fix)| (*id, *level, fix.as_str())).collect();
        assert_eq!(found, *expected, "case {number}");
    }
}

#[test]
fn what_is_wrong_with_claude_is_told() {
    const INSTALL: &str = "npm install -g @anthropic-ai/claude-code";
    check(&[
        (
            |environment| fs::remove_file(environment.bin().join("claude")).unwrap(),
            &[("claude-found", "error", INSTALL)],
        ),
        (
            |environment| replace_claude(environment, "echo 'Cannot find module' >&2; exit 1"),
            &[("claude-version", "error", INSTALL)],
        ),
        (
            |environment| replace_claude(environment, "echo '1.0.0 (Claude Code)'"),
            &[("claude-options", "error", "claude update")],
        ),
        (
            |environment| fs::remove_file(environment.home().join(".claude/.credentials.json")).unwrap(),
            &[("claude-login", "error", "claude auth login")],
        ),
        (
            |environment| fs::write(environment.home().join(".claude/settings.json"), "{").unwrap(),
            &[("claude-files", "warning", "${EDITOR:-vi} HOME/.claude/settings.json")],
        ),
    ]);
}

#[test]
fn a_key_that_is_billed_instead_of_the_subscription_is_told() {
    let mut environment = healthy();
    environment.variable("ANTHROPIC_API_KEY", "sk-not-shown");
    let fix = "unset ANTHROPIC_API_KEY".to_owned();
    assert_eq!(problems(&environment), [("claude-login".to_owned(), "note".to_owned(), fix)]);
    let output = environment.command(["doctor"]).run().expect_code(0);
    assert!(output.stdout.contains("which bills the API"), "{}", output.stdout);
    assert!(!output.stdout.contains("sk-not-shown"));
}

#[test]
fn without_an_agent_that_needs_it_claude_may_be_missing() {
    let environment = TestEnvironment::without_claude();
    environment.project_with("tool", "backend: command\ncommand: [cat]");
    let levels: Vec<(String, String)> =
        problems(&environment).into_iter().map(|(id, level, _)| (id, level)).collect();
    let note = |id: &str| (id.to_owned(), "note".to_owned());
    assert_eq!(levels, [note("claude-found"), note("claude-login"), note("mcp-registered")]);
}

#[test]
fn what_is_wrong_with_the_mcp_server_is_told() {
    const AGAIN: &str = "claude mcp remove agent-dispatch -s user && agent-dispatch init";
    check(&[
        (
            |environment| fs::remove_file(state(environment)).unwrap(),
            &[("mcp-registered", "note", "agent-dispatch init")],
        ),
        (
            |environment| write(&state(environment), &registered(Path::new("/missing/agent-dispatch"))),
            &[("mcp-command", "error", AGAIN)],
        ),
        (
            |environment| {
                let mut state_now = registered(programs::agent_dispatch());
                state_now["mcpServers"]["agent-dispatch"]["args"] = json!([]);
                write(&state(environment), &state_now);
            },
            &[("mcp-command", "error", AGAIN)],
        ),
        (
            |environment| {
                let broken = environment.root().join("agent-dispatch");
                fs::write(&broken, "#!/bin/sh\necho no >&2\nexit 1\n").unwrap();
                set_mode(&broken, 0o755);
                write(&state(environment), &registered(&broken));
            },
            &[("mcp-binary", "note", AGAIN), ("mcp-server", "error", AGAIN)],
        ),
        (
            |environment| {
                let old = environment.root().join("agent-dispatch");
                let answer =
                    r#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"x","version":"0.0.1"}}}"#;
                fs::write(&old, format!("#!/bin/sh\nread request\necho '{answer}'\nread end\n")).unwrap();
                set_mode(&old, 0o755);
                write(&state(environment), &registered(&old));
            },
            &[("mcp-binary", "warning", AGAIN)],
        ),
    ]);
}

#[test]
fn a_program_that_a_project_names_is_not_started() {
    let environment = healthy();
    let planted = environment.root().join("agent-dispatch");
    fs::write(&planted, "#!/bin/sh\ntouch \"$HOME/started\"\n").unwrap();
    set_mode(&planted, 0o755);
    write(&environment.root().join(".mcp.json"), &registered(&planted));
    assert_eq!(problems(&environment), [("mcp-command".to_owned(), "note".to_owned(), String::new())]);
    assert!(!environment.home().join("started").exists());
}

#[test]
fn what_is_wrong_with_the_config_is_told() {
    const EDIT: &str = "${EDITOR:-vi} HOME/.config/agent-dispatch/agents.yaml";
    check(&[
        (
            |environment| environment.write_config("agents: [\n"),
            &[("config", "error", EDIT), ("agents", "note", "")],
        ),
        (
            |environment| {
                fs::remove_file(environment.config()).unwrap();
            },
            &[
                ("config", "note", "agent-dispatch init"),
                ("agents", "note", "agent-dispatch agents add NAME DIR"),
            ],
        ),
        (
            |environment| {
                environment.configure("setings: {}\n");
            },
            &[("config-warning", "warning", EDIT)],
        ),
        (
            |environment| {
                environment.configure("groups:\n  shop:\n    members: [api, wep]\n");
            },
            &[("group-member", "warning", "agent-dispatch groups update shop --remove-member wep")],
        ),
        (
            |environment| set_mode(&environment.config(), 0o644),
            &[("config-access", "note", "chmod 600 HOME/.config/agent-dispatch/agents.yaml")],
        ),
        (
            |environment| set_mode(&environment.config(), 0o666),
            &[("config-access", "error", "chmod 600 HOME/.config/agent-dispatch/agents.yaml")],
        ),
        (
            |environment| set_mode(environment.config().parent().unwrap(), 0o770),
            &[("config-directory", "error", "chmod go-w HOME/.config/agent-dispatch")],
        ),
        (
            |environment| {
                let elsewhere = environment.root().join("tmp/agents.yaml");
                fs::rename(environment.config(), &elsewhere).unwrap();
                symlink(&elsewhere, environment.config()).unwrap();
                set_mode(&environment.root().join("tmp"), 0o777);
            },
            &[("config-directory", "error", "chmod go-w ~/tmp")],
        ),
    ]);
}

#[test]
fn what_is_wrong_with_an_agent_is_told() {
    check(&[
        (
            |environment| fs::remove_dir_all(environment.root().join("projects/api")).unwrap(),
            &[("agent-directory", "error", "agent-dispatch agents update api --directory DIR")],
        ),
        (
            |environment| fs::remove_file(environment.root().join("projects/api/CLAUDE.md")).unwrap(),
            &[("agent-claude-md", "note", "cd ~/projects/api && claude /init")],
        ),
        (
            |environment| {
                environment
                    .command(["agents", "update", "api", "--unset", "description,max_budget_usd"])
                    .run();
            },
            &[
                ("agent-description", "note", "agent-dispatch agents update api --description TEXT"),
                ("agent-budget", "note", "agent-dispatch agents update api --max-budget-usd 2"),
            ],
        ),
        (
            |environment| {
                environment.command(["agents", "update", "api", "--unset", "permission_mode"]).run();
            },
            &[("agent-read-only", "note", "agent-dispatch agents update api --permission-mode acceptEdits")],
        ),
        (
            |environment| {
                let tools = ["--allowed-tools", "Read,Bash", "--disallowed-tools", "Bash"];
                environment.command(["agents", "update", "api"]).args(tools).run().expect_code(0);
            },
            &[("agent-tools", "warning", "agent-dispatch agents update api --allowed-tools Read")],
        ),
        (
            |environment| {
                environment.project_with("tool", "backend: command\ncommand: [missing-program]");
            },
            &[("agent-program", "error", "agent-dispatch agents update tool --command PROGRAM")],
        ),
        (
            |environment| {
                let settings = environment.root().join("projects/api/.claude");
                fs::create_dir(&settings).unwrap();
                write(&settings.join("settings.json"), &json!({"permissions": {"allow": ["Bash(ls *)"]}}));
            },
            &[("agent-trust", "warning", "cd ~/projects/api && claude")],
        ),
    ]);
}

#[test]
fn what_can_be_mended_by_its_command_alone_is_mended_by_it() {
    let update = |environment: &TestEnvironment, arguments: &[&str]| {
        environment.command(["agents", "update", "api"]).args(arguments).run().expect_code(0);
    };
    let breakages: [&dyn Fn(&TestEnvironment); 9] = [
        &|environment| set_mode(&environment.config(), 0o666),
        &|environment| set_mode(&environment.config(), 0o640),
        &|environment| set_mode(environment.config().parent().unwrap(), 0o777),
        &|environment| {
            environment.configure("groups:\n  shop:\n    members: [api, wep]\n");
        },
        &|environment| update(environment, &["--unset", "max_budget_usd,permission_mode,description"]),
        &|environment| {
            update(environment, &["--allowed-tools", "Bash(a b),Read", "--disallowed-tools", "Bash(a b)"]);
        },
        &|environment| update(environment, &["--allowed-tools", "Bash", "--disallowed-tools", "Bash"]),
        &|environment| {
            finished_job(environment);
            set_mode(&environment.jobs_directory(), 0o755);
            set_mode(&environment.jobs_directory().join(".run"), 0o750);
        },
        &|environment| {
            for _ in 0..2 {
                let id = finished_job(environment);
                fs::write(environment.jobs_directory().join(format!("{id}.json")), "{").unwrap();
            }
        },
    ];
    for (number, break_it) in breakages.iter().enumerate() {
        let environment = healthy();
        environment.link("agent-dispatch", programs::agent_dispatch());
        break_it(&environment);
        let found = problems(&environment);
        assert!(!found.is_empty(), "case {number} is noticed");
        for (_, _, fix) in found {
            environment.program(Path::new("/bin/sh"), ["-c", &fix]).run().expect_code(0);
        }
        assert_eq!(problems(&environment), [], "case {number}");
    }
}

#[test]
fn a_trusted_folder_has_its_permissions() {
    let environment = healthy();
    let project = environment.root().join("projects/api");
    fs::create_dir(project.join(".claude")).unwrap();
    write(&project.join(".claude/settings.json"), &json!({"permissions": {"allow": ["Bash(ls *)"]}}));
    let mut state_now = registered(programs::agent_dispatch());
    state_now["projects"] = json!({project.to_str().unwrap(): {"hasTrustDialogAccepted": true}});
    write(&state(&environment), &state_now);
    assert_eq!(problems(&environment), []);
}

#[test]
fn the_mode_that_allows_everything_is_refused_to_root_only() {
    let mut environment = healthy();
    environment.command(["agents", "update", "api", "--permission-mode", "bypassPermissions"]).run();
    let fix = "agent-dispatch agents update api --permission-mode acceptEdits".to_owned();
    let refused = vec![("agent-permission-mode".to_owned(), "error".to_owned(), fix)];
    let expected = if rustix::process::getuid().is_root() { refused } else { Vec::new() };
    assert_eq!(problems(&environment), expected);
    environment.variable("IS_SANDBOX", "1");
    assert_eq!(problems(&environment), []);
}

#[test]
fn what_is_wrong_with_the_jobs_directory_is_told() {
    check(&[
        (
            |environment| {
                finished_job(environment);
                set_mode(&environment.jobs_directory(), 0o755);
            },
            &[("jobs-directory", "error", "chmod 700 HOME/.config/agent-dispatch/jobs")],
        ),
        (
            |environment| fs::write(environment.jobs_directory(), "").unwrap(),
            &[("jobs-directory", "error", "export AGENT_DISPATCH_JOBS_DIR=\"$HOME/agent-dispatch-jobs\"")],
        ),
        (
            |environment| {
                let id = finished_job(environment);
                let from = environment.jobs_directory().join(format!("{id}.json"));
                let damaged = "01a20916e462778892cbf6e859f467af";
                fs::rename(from, environment.jobs_directory().join(format!("{damaged}.damaged"))).unwrap();
                fs::remove_dir(environment.jobs_directory().join(id.to_string())).unwrap();
            },
            &[(
                "jobs-damaged",
                "warning",
                "rm HOME/.config/agent-dispatch/jobs/01a20916e462778892cbf6e859f467af.damaged",
            )],
        ),
        (
            |environment| {
                finished_job(environment);
                // 2126.
                let id = "0479c1a6f40077889acbf6e859f467af";
                let record = environment.jobs_directory().join(format!("{id}.json"));
                fs::write(
                    record,
                    json!({"id": id, "agent": "api", "task": "x", "status": "done",
                    "created_at": 4_923_000_000_u64, "completed_at": 4_923_000_001_u64})
                    .to_string(),
                )
                .unwrap();
            },
            &[("clock", "warning", "")],
        ),
    ]);
}

#[test]
fn a_record_that_is_damaged_now_is_found() {
    let environment = healthy();
    let id = finished_job(&environment);
    fs::write(environment.jobs_directory().join(format!("{id}.json")), "{").unwrap();
    let found = problems(&environment);
    assert_eq!(found[0].0, "jobs-damaged", "{found:?}");
}

#[test]
fn too_little_room_for_jobs_is_told() {
    namespace::in_mount_namespace(|| {
        let environment = healthy();
        let jobs = environment.root().join("small");
        fs::create_dir(&jobs).unwrap();
        set_mode(&jobs, 0o700);
        let options = ["-t", "tmpfs", "-o", "size=1m,mode=700", "none"];
        let mounted = std::process::Command::new("mount").args(options).arg(&jobs).output().unwrap();
        assert!(mounted.status.success(), "{mounted:?}");
        let output =
            environment.command(["doctor", "--strict", "--jobs-dir"]).arg(&jobs).run().expect_code(1);
        assert!(output.stdout.contains("are free at"), "{}", output.stdout);
        assert!(output.stdout.contains("fix: agent-dispatch gc --older-than 7d"), "{}", output.stdout);
        std::process::Command::new("umount").arg(&jobs).status().unwrap();
    });
}

#[test]
fn a_job_without_its_supervisor_is_told_and_recorded() {
    let environment = healthy();
    let id = environment.command(["submit", "api", "fake: hang"]).run().expect_code(0).stdout;
    let id = id.trim_end();
    wait_until(PATIENCE, "the job runs", || environment.record(id)["status"] == "running");
    let alive = environment.command(["doctor"]).run().expect_code(0);
    assert!(alive.stdout.contains(&format!("✓       job {id}: supervisor ")), "{}", alive.stdout);
    environment.kill_supervisor(id);
    let fix = format!("agent-dispatch status {id}");
    wait_until(PATIENCE, "the supervisor is gone", || {
        problems(&environment) == [("job-lost".to_owned(), "warning".to_owned(), fix.clone())]
    });
    assert_eq!(environment.record(id)["status"], "failed");
    assert_eq!(problems(&environment), []);
}

#[test]
fn a_supervisor_of_a_program_that_was_replaced_is_told() {
    let environment = healthy();
    let old = environment.root().join("old-agent-dispatch");
    fs::copy(programs::agent_dispatch(), &old).unwrap();
    let submitted = environment.program(&old, ["submit", "api", "fake: hang"]).run().expect_code(0).stdout;
    let id = submitted.trim_end();
    fs::remove_file(&old).unwrap();
    let document = document(&environment);
    let findings = document["findings"].as_array().unwrap();
    let supervisor = findings.iter().find(|finding| finding["id"] == "supervisor").expect("it is listed");
    let found = supervisor["found"].as_str().unwrap();
    assert_eq!(
        (&supervisor["level"], &supervisor["fix"]),
        (&json!("note"), &json!(format!("agent-dispatch wait {id}")))
    );
    assert!(found.contains("deleted or replaced: ") && found.contains("/old-agent-dispatch; "), "{found}");
    environment.command(["cancel", id]).run();
}

#[test]
fn a_process_that_outlived_its_job_is_told() {
    let environment = healthy();
    let id = finished_job(&environment);
    let orphan = environment
        .program(Path::new("/bin/sleep"), ["60"])
        .env("AGENT_DISPATCH_JOB", id.to_string())
        .spawn();
    let fix = format!("kill {}", orphan.pid());
    wait_until(PATIENCE, "the orphan is found", || {
        problems(&environment) == [("orphan".to_owned(), "warning".to_owned(), fix.clone())]
    });
}

#[test]
fn secrets_and_an_agent_around_are_told_without_their_values() {
    let mut environment = healthy();
    environment.variable("GITHUB_TOKEN", "hush").variable("AGENT_DISPATCH_DEPTH", "1");
    let note = ("nested".to_owned(), "note".to_owned(), String::new());
    let warning = ("secrets".to_owned(), "warning".to_owned(), "unset GITHUB_TOKEN".to_owned());
    assert_eq!(problems(&environment), [note, warning]);
    let output = environment.command(["doctor"]).run().expect_code(0);
    assert!(!output.stdout.contains("hush"));
}

#[test]
fn warnings_fail_a_strict_look_only_and_errors_fail_every_one() {
    let mut environment = healthy();
    environment.variable("GITHUB_TOKEN", "hush");
    let document = environment.command(["doctor", "--json"]).run().expect_code(0).json();
    assert_eq!((&document["ok"], &document["summary"]["warnings"]), (&json!(true), &json!(1)));
    let strict = environment.command(["doctor", "--json", "--strict"]).run().expect_code(1).json();
    assert_eq!(strict["ok"], false);
    fs::remove_file(environment.bin().join("claude")).unwrap();
    let document = environment.command(["doctor", "--json"]).run().expect_code(1).json();
    assert_eq!((&document["ok"], &document["summary"]["errors"]), (&json!(false), &json!(1)));
}

#[test]
fn when_quiet_only_problems_are_said() {
    let mut environment = healthy();
    let quiet = environment.command(["doctor", "--quiet"]).run().expect_code(0).stdout;
    assert_eq!(quiet.lines().count(), 1, "only the counts:\n{quiet}");
    environment.variable("GITHUB_TOKEN", "hush");
    let quiet = environment.command(["doctor", "--quiet"]).run().expect_code(0).stdout;
    let lines: Vec<&str> = quiet.lines().collect();
    assert_eq!(lines.len(), 4, "{quiet}");
    assert_eq!((lines[0], lines[2]), ("Environment", "          fix: unset GITHUB_TOKEN"));
}

#[test]
fn a_finding_is_coloured_by_its_level() {
    let environment = healthy();
    let output = environment.command(["doctor", "--color", "always"]).run().expect_code(0);
    assert!(output.stdout.contains("  \u{1b}[32m✓\u{1b}[0m       claude 9.9.9"), "{}", output.stdout);
}
