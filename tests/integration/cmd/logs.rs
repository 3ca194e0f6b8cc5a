//! `logs`: what the agent did, for people, for programs, and as it is.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use serde_json::Value;

use test_support::TestEnvironment;
use test_support::dispatch::{submit, submit_and_finish, submit_endless, with_agent};

const TASK: &str = "fake: text first thoughts\nfake: tool Bash ls -la\nfake: retry server_error 500 1\n\
                    fake: stderr a warning\nfake: answer the end";

fn logs(environment: &TestEnvironment, id: &str, options: &[&str]) -> test_support::Output {
    environment.command(["logs", id]).args(options).run().expect_code(0)
}

#[test]
fn a_person_reads_one_event_after_the_other() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, TASK);
    let output = logs(&environment, &id, &[]);
    assert_eq!(
        output.stdout,
        "started with claude-fake-1, 4 tools\nfirst thoughts\n→ Bash ls -la\n← ok\n\
         the API said server_error 500; retry 1 of 10\nthe end\nturn finished: success $0.0125\n"
    );
    assert!(output.stderr.starts_with("infra: done in "), "{}", output.stderr);
}

#[test]
fn colour_is_there_when_it_is_asked_for_and_only_then() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, TASK);
    assert!(!logs(&environment, &id, &[]).stdout.contains('\u{1b}'));
    assert!(logs(&environment, &id, &["--color=always"]).stdout.contains("\u{1b}[33m→ Bash ls -la\u{1b}[0m"));
}

#[test]
fn raw_is_byte_for_byte_what_the_agent_wrote() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, TASK);
    let written = fs::read_to_string(environment.jobs_directory().join(&id).join("stdout.jsonl")).unwrap();
    let output = logs(&environment, &id, &["--raw"]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (written.as_str(), ""));
    assert_eq!(output.last_result()["result"], "the end");
}

#[test]
fn what_we_say_of_an_agent_cannot_control_the_terminal() {
    let environment = with_agent();
    let task = "fake: text a\u{1b}]0;title\u{7}b\nfake: is-error c\u{1b}[2Jd";
    let id = submit_and_finish(&environment, task);
    assert!(logs(&environment, &id, &[]).stdout.contains("\na\u{1b}]0;title\u{7}b\ncd\n"));
    let result = environment.command(["result", &id]).run().expect_code(1);
    assert!(result.stderr.contains("the agent CLI reported an error: cd\n"), "{:?}", result.stderr);
    assert!(!environment.command(["status", &id]).run().stdout.contains('\u{1b}'));
}

#[test]
fn standard_error_is_kept_apart() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, TASK);
    assert_eq!(logs(&environment, &id, &["--stderr"]).stdout, "a warning\n");
}

#[test]
fn programs_get_one_object_a_line() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, TASK);
    let output = logs(&environment, &id, &["--json"]);
    let kinds: Vec<String> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["started", "text", "tool_call", "tool_result", "retry", "text", "result"]);
}

#[test]
fn following_ends_with_the_job() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let followers: Vec<_> = [&["-f"][..], &["-f", "--raw"], &["-f", "--json"], &["-f", "--stderr"]]
        .iter()
        .map(|options| environment.command(["logs", &id]).args(*options).spawn())
        .collect();
    for follower in &followers[..3] {
        follower.wait_for_stdout("working");
    }
    environment.command(["cancel", &id]).run().expect_code(0);
    let outputs: Vec<_> = followers.into_iter().map(|follower| follower.wait().expect_code(0)).collect();
    assert!(outputs[0].stderr.starts_with("infra: cancelled in "), "{}", outputs[0].stderr);
    assert_eq!(outputs[1].last_result()["terminal_reason"], "aborted_streaming", "to the last line");
    assert!(outputs[2].stdout.lines().last().unwrap().contains("\"event\":\"result\""));
    assert_eq!(outputs[3].stdout, "");
}

#[test]
fn the_lines_of_several_jobs_say_whose_they_are() {
    let environment = with_agent();
    let first = submit_and_finish(&environment, "fake: text one\\ntwo");
    let second = submit_and_finish(&environment, "fake: text three");
    let (one, two) = (format!("infra {} │ ", &first[28..]), format!("infra {} │ ", &second[28..]));
    let output = logs(&environment, &first, &[&second]);
    assert!(output.stdout.contains(&format!("\n{one}one\n{one}two\n")), "{}", output.stdout);
    assert!(output.stdout.contains(&format!("\n{two}three\n")), "{}", output.stdout);
    assert!(output.stdout.lines().all(|line| line.starts_with(&one) || line.starts_with(&two)));
    assert!(output.stderr.contains(&format!("{two}infra: done in ")), "{}", output.stderr);
    let colored = logs(&environment, &first, &[&second, "--color=always"]).stdout;
    assert!(colored.contains("\u{1b}[36minfra") && colored.contains("\u{1b}[35minfra"), "{colored}");

    let output = logs(&environment, &first, &[&second, "--json"]);
    let events = output.events();
    assert!(events.len() > 4 && events.iter().all(|event| event["event"].is_string()), "{}", output.stdout);
    for id in [&first, &second] {
        assert!(events.iter().any(|event| event["job_id"] == id.as_str()), "{}", output.stdout);
    }
    for option in ["--raw", "--stderr"] {
        let refused = environment.command(["logs", &first, &second, option]).run().expect_code(2);
        assert!(refused.stderr.contains("--raw and --stderr are of one job"), "{}", refused.stderr);
    }
    let refused = environment.command(["logs"]).run().expect_code(2);
    assert!(refused.stderr.contains("<JOB>"), "{}", refused.stderr);
}

#[test]
fn names_stay_lined_up_when_the_longest_one_is_done() {
    let environment = with_agent();
    let project = environment.project("frontend");
    let task = "fake: text early\nfake: shell until [ -e go ]; do sleep 0.05; done\nfake: text late";
    let short = submit(&environment, task);
    let long = environment.command(["submit", "frontend", task]).run().expect_code(0).stdout;
    let follower = environment.command(["logs", "-f", &short, long.trim()]).spawn();
    let line = |text: &str| format!("infra    {} │ {text}\n", &short[28..]);
    follower.wait_for_stdout(&line("early"));
    fs::write(project.join("go"), "").expect("a file");
    follower.wait_for_stderr("frontend: done in ");
    fs::write(environment.root().join("projects/infra/go"), "").expect("a file");
    follower.wait_for_stdout(&line("late"));
    assert_eq!(follower.wait().code, Some(0));
}

#[test]
fn why_a_job_failed_is_said_also_where_its_agent_said_nothing() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: exit 3");
    let said = environment.command(["wait", &id]).run().expect_code(1).stderr;
    let error = said.lines().find(|line| line.starts_with("error: infra: ")).expect("an error");
    let output = logs(&environment, &id, &[]);
    assert!(output.stderr.contains(&format!("\n{error}\n")), "{}", output.stderr);
}

#[test]
fn following_without_a_job_shows_what_runs_and_what_begins() {
    let environment = with_agent();
    let over = submit_and_finish(&environment, "fake: text long over");
    let first = submit_endless(&environment);
    let follower = environment.command(["logs", "-f"]).spawn();
    follower.wait_for_stdout(&format!("infra {} │ working\n", &first[28..]));
    let second = submit_endless(&environment);
    follower.wait_for_stdout(&format!("infra {} │ working\n", &second[28..]));
    follower.wait_for_stderr(&format!("infra {}: job {second}\n", &second[28..]));
    for id in [&first, &second] {
        environment.command(["cancel", id]).run().expect_code(0);
        follower.wait_for_stderr(&format!("infra {} │ infra: cancelled in ", &id[28..]));
    }
    assert!(!follower.stdout().contains(&over[28..]));
    follower.signal(libc::SIGINT);
    assert_eq!(follower.wait().signal, Some(libc::SIGINT));
}

#[test]
fn what_begins_and_ends_between_two_looks_is_shown_too_and_once() {
    let environment = with_agent();
    let over = submit_and_finish(&environment, "fake: text long over");
    let running = submit_endless(&environment);
    let follower = environment.command(["logs", "-f"]).spawn();
    follower.wait_for_stdout(&format!("infra {} │ working\n", &running[28..]));
    follower.signal(libc::SIGSTOP);
    let short: Vec<String> =
        (0..3).map(|number| submit_and_finish(&environment, &format!("fake: text short {number}"))).collect();
    // One whose clock was behind.
    let early = format!("{}{}", "0123456789ab7", &over[13..]);
    let folder = environment.jobs_directory();
    let output = fs::read_to_string(folder.join(&over).join("stdout.jsonl")).unwrap();
    put(&folder.join(&early).join("stdout.jsonl"), &output);
    let record = fs::read_to_string(folder.join(format!("{over}.json"))).unwrap().replace(&over, &early);
    put(&folder.join(format!("{early}.json")), &record);
    follower.signal(libc::SIGCONT);
    for (number, id) in short.iter().enumerate() {
        follower.wait_for_stdout(&format!("infra {} │ short {number}\n", &id[28..]));
        follower.wait_for_stderr(&format!("infra {} │ infra: done in ", &id[28..]));
    }
    follower.wait_for_stderr(&format!("job {early}\n"));
    // What comes later is all that comes.
    let last = submit_and_finish(&environment, "fake: text the last");
    follower.wait_for_stderr(&format!("infra {} │ infra: done in ", &last[28..]));
    for id in &short {
        assert_eq!(follower.stderr().matches(&format!("job {id}\n")).count(), 1, "{}", follower.stderr());
    }
    assert!(!follower.stderr().contains(&over), "{}", follower.stderr());
    follower.signal(libc::SIGINT);
    follower.wait();
    environment.command(["cancel", &running]).run().expect_code(0);
}

/// Writes a file as the tool would have.
fn put(path: &Path, text: &str) {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path.parent().expect("a folder"))
        .expect("a folder");
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a new file");
    fs::write(path, text).expect("a file");
}

#[test]
fn looking_at_a_running_job_does_not_wait() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    assert!(logs(&environment, &id, &[]).stdout.ends_with("working\n"));
    assert!(logs(&environment, &id, &["--raw"]).stdout.contains("working"));
    environment.command(["cancel", &id]).run().expect_code(0);
}

#[test]
fn a_program_that_is_not_claude_has_its_lines_as_a_log() {
    let environment = TestEnvironment::new();
    environment.link("assistant", &test_support::programs::fake_agent());
    environment.project_with("infra", "backend: command\ncommand: [assistant, --plain]");
    let id = submit(&environment, "fake: text step one\nfake: answer step two");
    environment.command(["wait", &id]).run().expect_code(0);
    assert_eq!(logs(&environment, &id, &[]).stdout, "step one\nstep two\n");
}

#[test]
fn the_reader_may_go_away_while_following() {
    let environment = with_agent();
    let id = submit_endless(&environment);
    let line = format!(
        "{} logs {id} -f | head -1; echo \"codes ${{PIPESTATUS[@]}}\"",
        test_support::programs::agent_dispatch().display()
    );
    let shell = environment.program("/bin/bash".as_ref(), ["-c", &line]).spawn();
    shell.wait_for_stdout("started with");
    environment.command(["cancel", &id]).run().expect_code(0);
    assert!(shell.wait().stdout.ends_with("codes 0 0\n"));
}
