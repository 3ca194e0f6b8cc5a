//! What cannot work is refused before there is a job: one sentence, what to do about it, and the exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use test_support::dispatch::{AGENT, with_agent};
use test_support::{Output, TestEnvironment, quoted};

/// Checks `run` and `submit` with these arguments: the exit code, exactly these words, nothing on stdout, no job.
#[track_caller]
fn refused(environment: &TestEnvironment, arguments: &[&str], code: i32, said: &str) {
    for command in ["run", "submit"] {
        let output = environment.command([command]).args(arguments).run().expect_code(code);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", said), "{command} {arguments:?}");
    }
    assert!(environment.job_ids().is_empty(), "no job was made");
}

#[test]
fn an_unknown_agent_is_3_and_the_nearest_name_is_offered() {
    let environment = with_agent();
    refused(
        &environment,
        &["infar", "x"],
        3,
        "error: there is no agent 'infar'\n\
         hint: did you mean 'infra'? `agent-dispatch agents list` lists the agents\n",
    );
    let list = "hint: `agent-dispatch agents list` lists the agents, `agent-dispatch agents add NAME DIR` adds one\n";
    refused(&environment, &["zzz", "x"], 3, &format!("error: there is no agent 'zzz'\n{list}"));
    refused(&environment, &["../x", "x"], 3, &format!("error: there is no agent '../x'\n{list}"));
}

#[test]
fn without_a_config_no_agent_is_known() {
    let environment = TestEnvironment::new();
    let list = "hint: `agent-dispatch agents list` lists the agents, `agent-dispatch agents add NAME DIR` adds one\n";
    refused(&environment, &[AGENT, "x"], 3, &format!("error: there is no agent 'infra'\n{list}"));
}

#[test]
fn a_directory_that_is_gone_is_3() {
    let environment = TestEnvironment::new();
    let project = environment.project(AGENT);
    let said = |what: &str, directory: &Path| {
        format!(
            "error: the directory of agent 'infra' {what}: {}\n\
             hint: point the agent elsewhere with `agent-dispatch agents update infra --directory DIR`, or drop it \
             with `agent-dispatch agents remove infra`\n",
            directory.display()
        )
    };
    fs::remove_dir(&project).unwrap();
    refused(&environment, &[AGENT, "x"], 3, &said("does not exist", &project));
    fs::write(&project, "a file").unwrap();
    refused(&environment, &[AGENT, "x"], 3, &said("is not a directory", &project));
    environment.write_config("agents:\n  infra:\n    directory: $HOME/infra\n");
    let taken = environment.config().with_file_name("$HOME/infra");
    let unknown = said("does not exist (variables are not replaced in the config; `~` is)", &taken);
    refused(&environment, &[AGENT, "x"], 3, &unknown);
}

#[test]
fn an_agent_cli_that_is_not_installed_is_3() {
    let mut environment = TestEnvironment::without_claude();
    environment.project(AGENT);
    environment.project_with("other", "backend: command\ncommand: [no-such-program]");
    let bin = environment.bin();
    environment.variable("PATH", bin);
    refused(
        &environment,
        &[AGENT, "x"],
        3,
        "error: the program 'claude' of agent 'infra' was not found on PATH\n\
         hint: install Claude Code: `npm install -g @anthropic-ai/claude-code`, then `claude` to log in\n",
    );
    refused(
        &environment,
        &["other", "x"],
        3,
        "error: the program 'no-such-program' of agent 'other' was not found on PATH\n\
         hint: install it, or change the agent's command: `agent-dispatch agents update other --command PROGRAM`\n",
    );
    // There, but nobody may execute it.
    let claude = environment.bin().join("claude");
    fs::write(&claude, "#!/bin/sh\n").unwrap();
    let said = format!(
        "error: the program 'claude' of agent 'infra' is not executable: {}\nhint: make it executable: `chmod +x {}`\n",
        claude.display(),
        quoted(&claude)
    );
    refused(&environment, &[AGENT, "x"], 3, &said);
    let doctor = environment.command(["doctor"]).run();
    let told = format!("claude is not executable: {0}", claude.display());
    assert!(doctor.stdout.contains(&told), "{}", doctor.stdout);
}

#[test]
fn a_script_whose_interpreter_is_missing_is_told_as_that() {
    let environment = TestEnvironment::new();
    let project = environment.project_with("plain", "backend: command\ncommand: [./script]");
    fs::write(project.join("script"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(project.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    let run = environment.command(["run", "plain", "x"]).run().expect_code(3);
    let said = "the interpreter that its first line names is missing";
    assert!(run.stderr.contains(said), "{}", run.stderr);
}

#[test]
fn an_empty_task_is_2() {
    let environment = with_agent();
    let said = "error: the task is empty\nhint: say what to do: an argument, a pipe, or --task-file FILE\n";
    let blank = environment.root().join("blank.txt");
    fs::write(&blank, " \n\t").unwrap();
    for arguments in [
        &[AGENT, ""][..],
        &[AGENT, " \n"],
        &[AGENT],
        &[AGENT, "-"],
        &[AGENT, "--task-file", blank.to_str().unwrap()],
    ] {
        refused(&environment, arguments, 2, said);
    }
}

#[test]
fn a_task_over_10_mb_is_2() {
    let environment = with_agent();
    let long = environment.root().join("long.txt");
    fs::write(&long, "x".repeat(10_000_001)).unwrap();
    let hint = "hint: put the material into a file in the agent's directory and name it in the task\n";
    let path = long.to_str().unwrap();
    let said = format!("error: {path} has more than 10000000 bytes, the most that agents take\n{hint}");
    refused(&environment, &[AGENT, "--task-file", path], 2, &said);
    refused(&environment, &[AGENT, "x", "--context-file", path], 2, &said);
    let output = environment.command(["run", AGENT]).stdin_file(&long).run().expect_code(2);
    let said =
        format!("error: standard input has more than 10000000 bytes, the most that agents take\n{hint}");
    assert_eq!(output.stderr, said);
    fs::write(&long, "x".repeat(9_999_990)).unwrap();
    let output = environment.command(["run", AGENT, "task", "--context-file", path]).run().expect_code(2);
    assert!(output.stderr.starts_with("error: task and context together have 100000"), "{}", output.stderr);
    assert!(environment.job_ids().is_empty());
}

#[test]
fn an_endless_input_is_not_read_to_its_end() {
    let environment = with_agent();
    let output = environment.command(["run", AGENT, "--task-file", "/dev/zero"]).run().expect_code(2);
    assert!(output.stderr.contains("/dev/zero has more than 10000000 bytes"), "{}", output.stderr);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let environment = with_agent();
    let output = environment.command(["run", AGENT, "--task-file", "missing.txt"]).run().expect_code(3);
    assert!(output.stderr.starts_with("error: failed to open missing.txt: "), "{}", output.stderr);
    let output = environment.command(["run", AGENT, "--task-file", "/"]).run().expect_code(2);
    assert!(output.stderr.starts_with("error: failed to read /: "), "{}", output.stderr);
    let output = environment.command(["run", AGENT, "--context-file", "-"]).run().expect_code(2);
    assert!(output.stderr.contains("cannot be both the task and its context"), "{}", output.stderr);
}

#[test]
fn a_mistyped_option_is_not_sent_as_the_task() {
    let environment = with_agent();
    for word in ["--strct", "--jsonn", "-x", "--timeou=5m"] {
        for command in ["run", "submit"] {
            let output = environment.command([command, AGENT, word]).stdin("the task").run().expect_code(2);
            let word = word.split('=').next().unwrap_or(word);
            assert!(output.stderr.contains(&format!("'{word}'")), "{}", output.stderr);
        }
    }
    assert!(environment.job_ids().is_empty());
    environment.command(["run", AGENT, "--", "--strct"]).run().expect_code(0);
    assert_eq!(environment.only_record()["task"], "--strct");
}

#[test]
fn two_tasks_are_one_too_many() {
    let environment = with_agent();
    environment.command(["run", AGENT, "x", "--task-file", "y"]).run().expect_code(2);
    environment.command(["run", AGENT, "x", "y"]).run().expect_code(2);
    environment.command(["run", AGENT, "x", "--json", "--jsonl"]).run().expect_code(2);
    environment.command(["run"]).run().expect_code(2);
}

#[test]
fn budgets_and_time_limits_that_mean_nothing_are_2_at_every_entrance() {
    let environment = with_agent();
    let said = |output: &Output, value: &str, word: &str| {
        assert_eq!(output.stdout, "");
        assert!(
            output.stderr.contains(&format!("'{value}' is ")) && output.stderr.contains(word),
            "{}",
            output.stderr
        );
    };
    for value in ["nan", "NaN", "inf", "-inf", "0", "-1", "-0", "1e999", "ten", ""] {
        for command in ["run", "submit"] {
            for option in
                [vec![format!("--max-budget-usd={value}")], vec!["--max-budget-usd".into(), value.into()]]
            {
                let output = environment.command([command, AGENT, "x"]).args(&option).run().expect_code(2);
                said(&output, value, "budget");
            }
        }
    }
    for value in ["nan", "inf", "0", "-1", "-5m", "0s", "1e999", "soon", "", "366d", "5 parsecs"] {
        for command in ["run", "submit"] {
            let output = environment.command([command, AGENT, "x", "--timeout", value]).run().expect_code(2);
            said(&output, value, "");
        }
        let output = environment.command(["wait", "latest", "--timeout", value]).run().expect_code(2);
        said(&output, value, "");
    }
    for (line, key) in [
        ("max_budget_usd: .nan", "max_budget_usd"),
        ("max_budget_usd: 0", "max_budget_usd"),
        ("max_budget_usd: -1", "max_budget_usd"),
        ("timeout: 0", "timeout"),
        ("timeout: -5", "timeout"),
        ("timeout: .inf", "timeout"),
    ] {
        let environment = TestEnvironment::new();
        environment.project_with(AGENT, line);
        let output = environment.command(["run", AGENT, "x"]).run().expect_code(2);
        let config = environment.config();
        let place = format!("error: {}:5:", config.display());
        assert!(
            output.stderr.starts_with(&place) && output.stderr.contains(key),
            "{line}: {}",
            output.stderr
        );
        assert!(environment.job_ids().is_empty());
    }
    assert!(environment.job_ids().is_empty());
}

#[test]
fn values_that_look_like_options_never_reach_the_agents_command_line() {
    let environment = with_agent();
    let hint = "hint: values that begin with '-' are never passed on\n";
    let value = "--dangerously-skip-permissions";
    let flag_like = format!(
        "error: the model '{value}' begins with '-': the agent CLI could take it for an option\n{hint}"
    );
    let no_id = format!(
        "error: '{value}' is no session id: it must be a UUID such as 6f0c9d0e-7a3b-4c1d-8e2f-00112233aabb\n\
         hint: `agent-dispatch result JOB --json` has the id of a job's session in `session_id`\n"
    );
    for (option, field, said) in [("--model", "model", flag_like), ("--session", "session id", no_id)] {
        refused(&environment, &[AGENT, "x", &format!("{option}={value}")], 2, &said);
        refused(
            &environment,
            &[AGENT, "x", &format!("{option}=")],
            2,
            &format!("error: the {field} is empty\n"),
        );
    }
}

#[test]
fn an_unknown_group_and_a_group_without_the_agent_are_refused() {
    let environment = with_agent();
    environment.project("other");
    environment.configure("groups:\n  shop:\n    members:\n      - agent: other\n");
    refused(
        &environment,
        &[AGENT, "x", "--group=shp"],
        3,
        "error: there is no group 'shp'\n\
         hint: did you mean 'shop'? `agent-dispatch groups list` lists the groups\n",
    );
    refused(
        &environment,
        &[AGENT, "x", "--group=zzz"],
        3,
        "error: there is no group 'zzz'\n\
         hint: `agent-dispatch groups list` lists the groups, `agent-dispatch groups add NAME --member AGENT` makes one\n",
    );
    refused(
        &environment,
        &[AGENT, "x", "--group=shop"],
        2,
        "error: the agent 'infra' is not a member of the group 'shop'\n\
         hint: leave --group out, or make the agent a member: `agent-dispatch groups update shop --member infra`\n",
    );
}

#[test]
fn a_broken_config_is_2_and_its_line_is_told() {
    let environment = with_agent();
    let config = environment.config();
    environment.write_config("agents:\n  infra:\n    directory: [\n");
    let output = environment.command(["run", AGENT, "x"]).run().expect_code(2);
    assert!(output.stderr.starts_with(&format!("error: {}:", config.display())), "{}", output.stderr);
    fs::remove_file(&config).unwrap();
    fs::create_dir(&config).unwrap();
    let output = environment.command(["run", AGENT, "x"]).run().expect_code(2);
    let said = format!("error: failed to read {}: it is a directory\n", config.display());
    assert!(output.stderr.starts_with(&said), "{}", output.stderr);
    // Jobs are found without a config that works.
    environment.command(["jobs"]).run().expect_code(0);
}

#[test]
fn what_is_no_number_is_told_what_is_expected() {
    let environment = with_agent();
    for (arguments, expected) in [
        (&["jobs", "--limit", "x"][..], "0 or more"),
        (&["jobs", "--limit", "-1"], "0 or more"),
        (&["stats", "--days", "0"], "1 or more"),
        (&["result", "latest", "--max-chars", "1.5"], "0 or more"),
        (&["result", "latest", "--offset", "-1"], "0 or more"),
        (&["dialogue", "a", "b", "x", "--max-rounds", "101"], "from 1 to 100"),
    ] {
        let output = environment.command(arguments).run().expect_code(2);
        let line = output.stderr.lines().next().unwrap_or_default();
        assert!(line.contains(": give a whole number") && line.ends_with(expected), "{line}");
    }
}

#[test]
fn who_asks_for_the_jobs_of_nobody_is_told_so() {
    let environment = with_agent();
    for command in ["jobs", "stats"] {
        let output = environment.command([command, "--agent", "infar"]).run().expect_code(0);
        let said = format!(
            "there is no agent 'infar' in {}; did you mean 'infra'?\n",
            environment.config().display()
        );
        assert!(output.stdout.is_empty() && output.stderr.starts_with(&said), "{command}: {}", output.stderr);
        let output = environment.command([command, "--agent", AGENT]).run().expect_code(0);
        assert!(output.stderr.starts_with("no jobs"), "{command}: {}", output.stderr);
    }
    // One that was removed has its history.
    test_support::dispatch::submit_and_finish(&environment, "x");
    environment.command(["agents", "remove", AGENT]).run().expect_code(0);
    for command in ["jobs", "stats"] {
        let output = environment.command([command, "--agent", AGENT]).run().expect_code(0);
        assert_eq!((output.stdout.lines().count(), output.stderr.as_str()), (2, ""), "{command}");
    }
}
