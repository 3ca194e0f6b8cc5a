//! `run`: the task arrives whole, however it is given, and the answer is all there is on standard output.

use std::fs;

use test_support::TestEnvironment;
use test_support::dispatch::{self, AGENT, with_agent};

/// What the agent was told, by its own account: a script in the project makes it repeat its prompt.
fn prompt_of(environment: &TestEnvironment, arguments: &[&str], stdin: &[u8]) -> String {
    environment.script(AGENT, "echo-prompt");
    let output = environment.command(["run", AGENT]).args(arguments).stdin(stdin).run().expect_code(0);
    output.stdout.strip_suffix('\n').expect("the answer ends its line").to_owned()
}

#[test]
fn the_answer_is_on_stdout_and_everything_else_on_stderr() {
    let environment = with_agent();
    let output = dispatch::run(&environment, "fake: answer two\\nlines").expect_code(0);
    assert_eq!(output.stdout, "two\nlines\n");
    let id = environment.only_record()["id"].as_str().unwrap().to_owned();
    let said: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(said[0], format!("infra: job {id}"));
    assert!(said[1].starts_with("infra: done in "), "{}", output.stderr);
    assert!(said[1].contains(", $0.0125, 1 turn, session "), "{}", output.stderr);
    assert_eq!(said.len(), 2, "{}", output.stderr);
}

#[test]
fn a_quiet_run_says_nothing_but_the_answer() {
    let environment = with_agent();
    let output = environment.command(["--quiet", "run", AGENT, "fake: answer x"]).run().expect_code(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("x\n", ""));
}

#[test]
fn the_line_end_of_an_answer_is_not_doubled() {
    let environment = with_agent();
    assert_eq!(dispatch::run(&environment, "fake: answer x\\n").expect_code(0).stdout, "x\n");
}

#[test]
fn a_bare_task_is_the_whole_prompt_wherever_it_comes_from() {
    let environment = with_agent();
    let task = "look at the logs,\n\tall of them: äöü 🦀 \\n \"quoted\" $HOME";
    let file = environment.root().join("task.txt");
    fs::write(&file, task).unwrap();
    assert_eq!(prompt_of(&environment, &[task], b""), task);
    assert_eq!(prompt_of(&environment, &["-"], task.as_bytes()), task);
    assert_eq!(prompt_of(&environment, &[], task.as_bytes()), task);
    assert_eq!(prompt_of(&environment, &["--task-file", file.to_str().unwrap()], b""), task);
}

#[test]
fn a_task_may_begin_with_a_dash_or_a_slash() {
    let environment = with_agent();
    assert_eq!(prompt_of(&environment, &["-p is broken, fix it"], b""), "-p is broken, fix it");
    assert_eq!(prompt_of(&environment, &["--force does nothing"], b""), "--force does nothing");
    assert_eq!(prompt_of(&environment, &["-"], b"--version"), "--version");
    // claude would take the slash for a command of its own.
    assert_eq!(prompt_of(&environment, &["/fix the bug"], b""), "Task:\n\n/fix the bug");
}

#[test]
fn what_goes_with_a_task_stands_before_it_under_headings() {
    let environment = with_agent();
    environment.configure(
        "groups:\n  shop:\n    shared_context: the shop runs on port 80\n    members:\n      - agent: infra\n",
    );
    let context = environment.root().join("context.txt");
    fs::write(&context, "TypeError\n").unwrap();
    let arguments = [
        "look",
        "--goal=ship it",
        "--caller=backend",
        "--group=shop",
        "--context-file",
        context.to_str().unwrap(),
    ];
    assert_eq!(
        prompt_of(&environment, &arguments, b""),
        "## Goal\nship it\n\n## Dispatched by\nbackend\n\n## Shared context\n```\nthe shop runs on port 80\n```\n\n\
         ## Context\n```\nTypeError\n```\n\n## Task\nlook"
    );
    let from_stdin = prompt_of(&environment, &["look", "--context-file", "-"], b"-1 is wrong");
    assert_eq!(from_stdin, "## Context\n```\n-1 is wrong\n```\n\n## Task\nlook");
    let in_words = prompt_of(&environment, &["look", "--context", "-1 is wrong"], b"");
    assert_eq!(in_words, from_stdin);
}

#[test]
fn bytes_that_are_no_utf8_in_a_task_are_replaced() {
    let environment = with_agent();
    assert_eq!(prompt_of(&environment, &["-"], b"a \xff b"), "a \u{fffd} b");
}

#[test]
fn a_task_of_nearly_10_mb_arrives_whole() {
    let environment = with_agent();
    let task = format!("fake: shell wc -c < /proc/$PPID/fd/0\n{}", "x".repeat(9_900_000));
    let output = environment.command(["run", AGENT]).stdin(task.as_bytes()).run().expect_code(0);
    assert_eq!(output.stdout, format!("{}\nexit 0\n", task.len()));
}

#[test]
fn an_answer_of_several_megabytes_passes_whole() {
    let environment = with_agent();
    let output = dispatch::run(&environment, "fake: answer-bytes 8000000").expect_code(0);
    assert_eq!(output.stdout.len(), 8_000_001);
    assert!(output.stdout.trim_end().bytes().all(|byte| byte == b'x'));
}

#[test]
fn the_agent_works_in_its_own_directory() {
    let environment = with_agent();
    let project = dispatch::project(&environment);
    let output = dispatch::run(&environment, "fake: cwd\nfake: echo-env PWD").expect_code(0);
    assert_eq!(output.stdout, format!("{0}\nPWD={0}\n", project.display()));
}

#[test]
fn any_program_can_be_an_agent() {
    let environment = TestEnvironment::new();
    environment.link("assistant", &test_support::programs::fake_agent());
    environment.project_with("other", "backend: command\ncommand: [assistant, --plain, --fast]");
    let run = |task: &str| environment.command(["run", "other", task]).run();
    assert_eq!(run("fake: answer from a program").expect_code(0).stdout, "from a program\n");
    assert_eq!(run("fake: echo-args").expect_code(0).stdout, "--plain\n--fast\n");
    let failed = run("fake: text half\nfake: stderr it broke\nfake: exit 7").expect_code(1);
    assert_eq!(failed.stdout, "half\n");
    assert!(
        failed.stderr.contains("error: other: the agent exited with code 7: it broke\n"),
        "{}",
        failed.stderr
    );
}

#[test]
fn a_run_that_cost_more_than_its_cap_says_so() {
    let environment = with_agent();
    let output = environment
        .command(["run", AGENT, "fake: cost 5\nfake: answer hi", "--max-budget-usd", "0.01"])
        .run()
        .expect_code(0);
    let said = "it cost $5.00, and its cap is $0.0100";
    assert!(output.stderr.contains(&format!("warning: {AGENT}: {said}\n")), "{}", output.stderr);
    let status = environment.command(["status", "latest"]).run().expect_code(0).stdout;
    assert!(status.contains(said), "{status}");
}
