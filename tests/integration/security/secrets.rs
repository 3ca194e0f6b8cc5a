//! Secrets in what the tool writes, and what it leaves alone.

use std::fs;

use test_support::TestEnvironment;
use test_support::dispatch::{AGENT, run_json, with_agent};

/// The value of a variable that `doctor` takes for a secret.
const VALUE: &str = "correct-horse-battery";
/// A token by its form, in pieces so that no scanner takes this file for a leak.
const TOKEN: &str = concat!("ghp", "_", "0123456789abcdefghijABCDEFGHIJ012345");

fn environment() -> TestEnvironment {
    let mut environment = with_agent();
    environment.variable("DEPLOY_TOKEN", VALUE);
    environment
}

#[test]
fn errors_and_what_they_quote_have_no_secrets() {
    let environment = environment();
    let task = format!("fake: stderr login with {VALUE} and {TOKEN} failed\nfake: exit 3");
    let result = run_json(&environment, &task).json();
    let error = result["error"].as_str().expect("an error");
    assert!(error.contains("login with … and ghp_… failed"), "{error}");
    let record = environment.only_record();
    assert!(
        !record["result"].to_string().contains(VALUE) && !record["error"].to_string().contains(TOKEN),
        "{record}"
    );

    let denied =
        run_json(&environment, &format!("fake: denied Bash(curl -u me:{VALUE})\nfake: answer hi")).json();
    let hint = denied["hint"].as_str().expect("a hint");
    assert!(hint.contains("Bash(curl -u me:…)"), "{hint}");

    for arguments in [
        vec!["run", VALUE, "x"],
        vec!["run", AGENT, "--task-file", VALUE],
        vec!["run", AGENT, "--correct-horse-battery"],
        vec!["jobs", "--status", VALUE],
        vec!["--config", VALUE, "agents", "list"],
    ] {
        let output = environment.command(&arguments).run();
        assert!(
            output.stderr.contains('…') && !output.stderr.contains(VALUE),
            "{arguments:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn what_was_said_and_answered_is_never_altered() {
    let environment = environment();
    let task = format!(
        "use {VALUE} and {TOKEN}\nfake: text {VALUE}\nfake: stderr {TOKEN}\nfake: answer {VALUE} {TOKEN}"
    );
    let output = environment.command(["run", AGENT, &task, "--context", VALUE]).run().expect_code(0);
    assert_eq!(output.stdout, format!("{VALUE} {TOKEN}\n"));
    let record = environment.only_record();
    assert_eq!((&record["task"], &record["context"]), (&task.as_str().into(), &VALUE.into()));
    let id = record["id"].as_str().expect("an id");
    assert!(environment.command(["logs", id]).run().stdout.contains(&format!("\n{VALUE}\n")));
    assert_eq!(environment.command(["logs", id, "--stderr"]).run().stdout, format!("{TOKEN}\n"));
}

#[test]
fn a_recorded_command_line_has_no_secrets_and_what_is_run_has_them() {
    let environment = environment();
    let told = environment.root().join("told");
    // In the agent's directory, which is the same.
    let on_done = format!("sh -c 'echo \"$@\" > told' sh --password short {VALUE} https://me:{TOKEN}@host/");
    environment.configure(&format!(
        "  plain:\n    backend: command\n    directory: {}\n    command: [echo, --api-key={VALUE}, --token, short, {TOKEN}]\n",
        environment.root().display()
    ));
    let output = environment.command(["run", "plain", "x", "--on-done", &on_done]).run().expect_code(0);
    assert_eq!(output.stdout, format!("--api-key={VALUE} --token short {TOKEN}\n"));
    let record = environment.only_record();
    let words =
        |field: &str| -> Vec<String> { serde_json::from_value(record[field].clone()).expect("words") };
    assert_eq!(words("command")[1..], ["--api-key=…", "--token", "…", "ghp_…"]);
    assert_eq!(words("on_done")[3..], ["sh", "--password", "…", "…", "https://me:…@host/"]);
    test_support::wait_until(test_support::PATIENCE, "the command has been run", || {
        fs::read_to_string(&told).is_ok_and(|told| told.ends_with('\n'))
    });
    let told = fs::read_to_string(told).expect("what was told");
    assert_eq!(told, format!("--password short {VALUE} https://me:{TOKEN}@host/\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_task_from_standard_input_is_in_no_process_list() {
    let environment = environment();
    let begun = test_support::dispatch::project(&environment).join("begun");
    let context = environment.root().join("context");
    fs::write(&context, "background that is private").expect("a file");
    let task = "a task that is private\nfake: write-file begun x\nfake: hang";
    let command = environment.command(["run", AGENT, "-", "--context-file"]).arg(&context);
    let running = command.stdin(task).spawn();
    test_support::wait_until(test_support::PATIENCE, "the agent begins", || begun.exists());
    let processes = environment.processes();
    assert!(processes.len() >= 3, "the command, its supervisor and the agent: {processes:?}");
    let lines = processes.iter().map(|line| {
        let pid = line.split(':').next().unwrap_or_default();
        String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
    });
    let telling: Vec<String> = lines.filter(|line| line.contains("private")).collect();
    assert!(telling.is_empty(), "{telling:?}");
    running.signal(libc::SIGINT);
    running.wait().expect_code(130);
}
