//! What the agent's process gets: its arguments, its environment, its descriptors, its session.

use serde_json::json;

use test_support::dispatch::{self, AGENT, run_json, with_agent, with_agent_configured};
use test_support::programs::agent_dispatch;
use test_support::{TestEnvironment, quoted};

/// The arguments the agent was started with, by its own account.
fn arguments(environment: &TestEnvironment, options: &[&str]) -> Vec<String> {
    let output = environment.command(["run", AGENT, "fake: echo-args"]).args(options).run().expect_code(0);
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn every_option_of_the_agent_is_one_argument() {
    let environment = with_agent_configured(
        "model: haiku\npermission_mode: acceptEdits\nmax_budget_usd: 2\nallowed_tools: [\"Bash(git log *)\", Read]\n\
         disallowed_tools: [WebFetch]",
    );
    environment.configure("settings:\n  dispatch_protocol: false\n");
    let session = |arguments: &[String]| arguments[3].clone();
    let found = arguments(&environment, &[]);
    assert!(session(&found).starts_with("--session-id="), "{found:?}");
    let expected = |model: &str, budget: &str, session: String| {
        [
            "-p",
            "--output-format=stream-json",
            "--verbose",
            &session,
            &format!("--model={model}"),
            "--permission-mode=acceptEdits",
            "--allowed-tools=Bash(git log *)",
            "--allowed-tools=Read",
            "--disallowed-tools=WebFetch",
            &format!("--max-budget-usd={budget}"),
        ]
        .map(str::to_owned)
    };
    assert_eq!(found, expected("haiku", "2", session(&found)));
    let asked = arguments(&environment, &["--model=opus", "--max-budget-usd", "0.5"]);
    assert_eq!(asked, expected("opus", "0.5", session(&asked)), "what the caller says counts");
    assert_ne!(session(&found), session(&asked));
}

#[test]
fn the_settings_hold_where_an_agent_says_nothing() {
    let environment = with_agent();
    environment.configure(
        "settings:\n  dispatch_protocol: false\n  default_permission_mode: plan\n  default_max_budget_usd: 3\n  \
         default_allowed_tools: [Read]\n",
    );
    let found = arguments(&environment, &[]);
    assert_eq!(found[4..], ["--permission-mode=plan", "--allowed-tools=Read", "--max-budget-usd=3"]);
}

#[test]
fn the_protocol_and_the_instructions_go_into_the_system_prompt_and_not_into_the_record() {
    let environment = with_agent_configured("instructions: Be brief.");
    let output = environment.command(["run", AGENT, "--timeout=90s", "fake: echo-args"]).run().expect_code(0);
    let prompt = output.stdout.split_once("--append-system-prompt=").expect("a system prompt").1;
    assert!(prompt.starts_with("## Dispatch protocol\n"), "{prompt}");
    assert!(prompt.contains("You have 1m 30s."), "{prompt}");
    assert!(prompt.contains("## Instructions\nBe brief.\n"), "{prompt}");
    let command = environment.only_record()["command"].to_string();
    assert!(!command.contains("Be brief"), "{command}");
    assert!(command.contains("--append-system-prompt=<"), "{command}");
}

#[test]
fn a_session_is_resumed_by_its_id_and_costs_only_its_own_run() {
    let environment = with_agent();
    let first = run_json(&environment, "fake: answer first").expect_code(0).json();
    let session = first["session_id"].as_str().unwrap();
    let task = "fake: on-turn 1 answer anew\nfake: on-turn 2 answer again\nfake: on-turn 2 echo-args";
    let resumed =
        environment.command(["run", AGENT, "--json", "--session", session, task]).run().expect_code(0);
    let resumed = resumed.json();
    let answer = resumed["result"].as_str().unwrap();
    assert!(answer.starts_with("again\n"), "{answer}");
    assert!(answer.contains(&format!("--resume={session}")), "{answer}");
    assert!(!answer.contains("--session-id"), "{answer}");
    assert_eq!(resumed["session_id"], session);
    assert_eq!((&first["cost_usd"], &resumed["cost_usd"]), (&json!(0.0125), &json!(0.0125)));
}

#[test]
fn a_timed_out_session_can_be_resumed() {
    let environment = with_agent();
    let stopped =
        environment.command(["run", AGENT, "--json", "--timeout=500ms", "fake: hang"]).run().expect_code(124);
    let session = stopped.json()["session_id"].as_str().unwrap().to_owned();
    let resumed =
        environment.command(["run", AGENT, "--session", &session, "fake: on-turn 2 answer on"]).run();
    assert_eq!(resumed.expect_code(0).stdout, "on\n");
}

#[test]
fn a_session_of_another_agent_is_not_gone_on_with() {
    let environment = with_agent();
    environment.project("other");
    let first = run_json(&environment, "x").expect_code(0).json();
    let session = first["session_id"].as_str().unwrap();
    let refused = environment.command(["run", "other", "--session", session, "x"]).run().expect_code(3);
    assert!(refused.stderr.contains(&format!("session {session} belongs to the agent 'infra'")));
    assert!(refused.stderr.contains(&format!("`agent-dispatch run infra TASK --session {session}`")));
    assert_eq!(environment.job_ids().len(), 1, "nothing was started");
}

#[test]
fn the_callers_session_and_repository_stay_behind() {
    let environment = with_agent();
    let stripped = [
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_PROJECT_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_WORK_TREE",
        "GIT_PREFIX",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_KEY_0",
        "GIT_CONFIG_VALUE_0",
    ];
    let kept = ["ANTHROPIC_API_KEY", "CLAUDE_CONFIG_DIR", "GIT_AUTHOR_NAME", "HTTPS_PROXY", "MY_OWN"];
    let mut task = String::new();
    let mut expected = String::new();
    for name in stripped {
        task += &format!("fake: echo-env {name}\n");
        expected += &format!("{name} is not set\n");
    }
    for name in kept {
        task += &format!("fake: echo-env {name}\n");
        expected += &format!("{name}=1\n");
    }
    let mut command = environment.command(["run", AGENT, &task]);
    for name in stripped.iter().chain(&kept) {
        command = command.env(name, "1");
    }
    assert_eq!(command.run().expect_code(0).stdout, expected);
}

#[test]
fn the_agent_learns_its_job_and_its_depth() {
    let environment = with_agent();
    let task = "fake: echo-env AGENT_DISPATCH_JOB\nfake: echo-env AGENT_DISPATCH_DEPTH";
    let output = dispatch::run(&environment, task).expect_code(0);
    let first = environment.only_record();
    let id = first["id"].as_str().unwrap();
    assert_eq!(output.stdout, format!("AGENT_DISPATCH_JOB={id}\nAGENT_DISPATCH_DEPTH=1\n"));
    assert_eq!((&first["depth"], &first["root"]), (&json!(1), &json!(id)));
    assert_eq!(first.get("parent"), None);
}

#[test]
fn nothing_the_caller_has_open_reaches_the_agent() {
    let environment = TestEnvironment::new();
    // The agent is a shell that lists its own descriptors.
    let list = "ls -l /proc/$$/fd; true";
    environment.project_with(AGENT, &format!("backend: command\ncommand: [/bin/sh, -c, '{list}']"));
    for command in ["run", "submit"] {
        let line = format!("exec {} {command} {AGENT} x 9<secret 8>other", quoted(agent_dispatch()));
        std::fs::write(environment.root().join("secret"), "x").unwrap();
        environment.program("/bin/sh".as_ref(), ["-c", &line]).run().expect_code(0);
        let output = environment.command(["result", "latest", "--wait"]).run().expect_code(0);
        let number_and_target = |line: &str| {
            let (head, target) = line.split_once(" -> ").expect("a link");
            format!("{} {target}", head.rsplit(' ').next().expect("a name"))
        };
        let descriptors: Vec<String> = output.stdout.lines().skip(1).map(number_and_target).collect();
        let id = environment.job_ids().pop().unwrap();
        let folder = environment.jobs_directory().join(id);
        // The prompt's file has no name any more.
        assert!(
            descriptors[0].starts_with("0 /") && descriptors[0].ends_with("(deleted)"),
            "{}",
            output.stdout
        );
        let expected =
            [format!("1 {}/stdout.jsonl", folder.display()), format!("2 {}/stderr.log", folder.display())];
        assert_eq!(descriptors[1..], expected, "nothing else is open");
    }
}

#[test]
fn an_open_silent_input_does_not_hold_the_agent_up() {
    let environment = with_agent();
    let mut running = environment.command(["run", AGENT, "fake: answer x"]).stdin_open().spawn();
    test_support::wait_until(test_support::PATIENCE, "run ends", || !running.is_running());
    assert_eq!(running.wait().expect_code(0).stdout, "x\n");
}

#[test]
fn no_value_of_the_callers_environment_is_in_the_jobs_directory() {
    let environment = TestEnvironment::new();
    let directory = environment.project("infra");
    environment.project_with("plain", "backend: command\ncommand: [sh, -c, 'cat; echo answered']");
    let secret = "only-in-the-environment-4711";
    for agent in ["infra", "plain"] {
        let run = environment.command(["run", agent, "fake: answer done", "--on-done", "true"]);
        run.env("DEPLOY_TOKEN", secret).env("ANTHROPIC_API_KEY", secret).run().expect_code(0);
    }
    let mut open = vec![environment.jobs_directory(), directory];
    let mut files = 0;
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let content = std::fs::read(&path).expect("a file");
                files += 1;
                let has_it = content.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!has_it, "{} holds the value", path.display());
            }
        }
    }
    assert!(files >= 6, "{files} files were looked at");
}
