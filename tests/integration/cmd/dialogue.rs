//! `dialogue`: two agents in turns, watched or as a job of its own.

use serde_json::{Value, json};

use test_support::{Invocation, PATIENCE, TestEnvironment, wait_until};

/// An environment with the agents `infra` and `web`, which do this in their turns.
fn with_scripts(infra: &str, web: &str) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.project("infra");
    environment.project("web");
    environment.script("infra", infra);
    environment.script("web", web);
    environment
}

/// A conversation that `web` settles when it has its second turn.
fn settled_in_two_rounds() -> TestEnvironment {
    with_scripts(
        "on-turn 1 answer frage; on-turn 2 answer nachfrage",
        "on-turn 1 answer antwort; on-turn 2 answer gut\\n[RESOLVED]",
    )
}

fn dialogue(environment: &TestEnvironment, options: &[&str]) -> Invocation {
    environment.command(["dialogue", "infra", "web", "who owns the port?"]).args(options)
}

fn records(environment: &TestEnvironment) -> Vec<Value> {
    environment.job_ids().iter().map(|id| environment.record(id)).collect()
}

#[test]
fn each_agent_goes_on_with_its_own_session_and_hears_what_the_other_said() {
    let environment = settled_in_two_rounds();
    let output = dialogue(&environment, &[]).run().expect_code(0);
    let transcript =
        "## infra\n\nfrage\n\n## web\n\nantwort\n\n## infra\n\nnachfrage\n\n## web\n\ngut\n[RESOLVED]\n";
    assert_eq!(output.stdout.trim_end(), transcript.trim_end());
    assert!(output.stderr.contains("resolved after 2 rounds, $0.0500\n"), "{}", output.stderr);
    let turns = records(&environment);
    assert_eq!(turns.len(), 4);
    assert_eq!(
        (&turns[0]["session_id"], &turns[1]["session_id"]),
        (&turns[2]["session_id"], &turns[3]["session_id"])
    );
    let first = turns[0]["task"].as_str().expect("a task");
    assert!(first.contains("who owns the port?") && first.contains("[RESOLVED]"), "{first}");
    let second = turns[1]["task"].as_str().expect("a task");
    assert!(
        second.contains("who owns the port?") && second.ends_with("## What 'infra' says\n```\nfrage\n```\n"),
        "{second}"
    );
    // Fenced in every turn, so that no answer can pass for instructions of the person's.
    let third = json!("## What 'web' says\n```\nantwort\n```\n");
    assert_eq!((&turns[2]["task"], &turns[2]["caller"]), (&third, &json!("web")));
}

#[test]
fn as_json_there_is_one_document_with_every_turn() {
    let environment = settled_in_two_rounds();
    let document = dialogue(&environment, &["--json"]).run().expect_code(0).json();
    assert_eq!((&document["resolved"], &document["rounds"]), (&json!(true), &json!(2)));
    assert_eq!((&document["cost_usd"], &document["final"]), (&json!(0.05), &json!("gut\n[RESOLVED]")));
    let turns = document["turns"].as_array().expect("turns");
    assert_eq!(turns.len(), 4);
    assert_eq!((&turns[1]["agent"], &turns[1]["result"]), (&json!("web"), &json!("antwort")));
    assert_eq!(turns[1]["job_id"], json!(environment.job_ids()[1]));
    let lines = dialogue(&environment, &["--jsonl"]).run().expect_code(0).events();
    assert_eq!(lines.len(), 5);
    assert_eq!((&lines[0]["event"], &lines[4]["event"]), (&json!("turn"), &json!("finished")));
}

#[test]
fn a_dialogue_that_settles_nothing_ends_with_its_rounds() {
    let environment = with_scripts("answer a", "answer b [RESOLVED] not on its own");
    let output = dialogue(&environment, &["--max-rounds", "2"]).run().expect_code(0);
    assert!(output.stderr.contains("not resolved after 2 rounds"), "{}", output.stderr);
    dialogue(&environment, &["--max-rounds", "1", "--strict"]).run().expect_code(9);
}

#[test]
fn a_turn_that_fails_ends_it_with_its_exit_code() {
    let environment = with_scripts("answer a", "exit 3");
    let output = dialogue(&environment, &["--json"]).run().expect_code(1);
    let document = output.json();
    assert_eq!((&document["resolved"], &document["error_type"]), (&json!(false), &json!("cli_error")));
    assert!(document["error"].as_str().is_some_and(|error| error.starts_with("web: ")));
    assert_eq!(document["final"], "a");
}

#[test]
fn the_spend_cap_is_for_all_turns_together() {
    let environment = with_scripts("answer a; cost 0.25", "answer b; cost 0.25");
    let output = dialogue(&environment, &["--max-budget-usd", "0.6"]).run().expect_code(5);
    assert!(output.stderr.contains("as much as it may: $0.60"), "{}", output.stderr);
    let caps: Vec<f64> =
        records(&environment).iter().filter_map(|turn| turn["max_budget_usd"].as_f64()).collect();
    assert_eq!(caps.len(), 3);
    assert!(
        (caps[0] - 0.6).abs() < 1e-9 && (caps[1] - 0.35).abs() < 1e-9 && (caps[2] - 0.1).abs() < 1e-9,
        "{caps:?}"
    );
}

#[test]
fn what_is_wrong_with_either_agent_is_told_before_anything_starts() {
    let environment = settled_in_two_rounds();
    let output = environment.command(["dialogue", "infra", "weeb", "x"]).run().expect_code(3);
    assert!(output.stderr.contains("did you mean 'web'?"), "{}", output.stderr);
    environment.command(["dialogue", "infra", "weeb", "x", "--background"]).run().expect_code(3);
    environment.command(["dialogue", "infra", "web", " "]).run().expect_code(2);
    assert!(environment.job_ids().is_empty());
}

#[test]
fn a_detached_dialogue_is_one_job_on_one_slot_with_the_cost_of_its_turns() {
    let environment = settled_in_two_rounds();
    environment.configure("settings:\n  max_concurrency: 1\n  max_dispatch_depth: 1\n");
    let output = dialogue(&environment, &["--background"]).run().expect_code(0);
    let id = output.stdout.trim();
    let result = environment.command(["result", id, "--wait", "--json"]).run().expect_code(0).json();
    assert_eq!((&result["agent"], &result["result"]), (&json!("infra ⇄ web"), &json!("gut\n[RESOLVED]")));
    assert_eq!((&result["cost_usd"], &result["outcome"]), (&json!(0.05), &json!("done")));
    assert_eq!(result["parsed_result"]["turns"].as_array().map(Vec::len), Some(4));
    for options in [&["result", id][..], &["result", id, "--no-pager"]] {
        let shown = environment.command(options).run().expect_code(0).stdout;
        assert_eq!(shown, "gut\n[RESOLVED]\n", "the last word is the answer");
    }
    let turns: Vec<Value> = records(&environment).into_iter().filter(|record| record["id"] != id).collect();
    assert!(turns.iter().all(|turn| turn["parent"] == id && turn["root"] == id && turn["depth"] == 1));
    let log = environment.command(["logs", id]).run().expect_code(0).stdout;
    assert!(log.contains("web: antwort"), "{log}");
    let stats = environment.command(["stats", "--json"]).run().expect_code(0).json();
    assert_eq!((&stats["total"]["jobs"], &stats["total"]["cost_usd"]), (&json!(4), &json!(0.05)));
}

#[test]
fn cancelling_a_dialogue_stops_its_turn_and_keeps_what_was_said() {
    let environment = with_scripts("answer a", "text on it; hang");
    let output = dialogue(&environment, &["--background"]).run().expect_code(0);
    let id = output.stdout.trim().to_owned();
    wait_until(PATIENCE, "the second turn runs", || {
        records(&environment).iter().any(|record| record["agent"] == "web" && record["status"] == "running")
    });
    environment.command(["cancel", &id]).run().expect_code(0);
    let record = environment.record(&id);
    assert_eq!((&record["status"], &record["result"]["num_turns"]), (&json!("cancelled"), &json!(2)));
    assert!(records(&environment).iter().all(|record| record["status"] != "running"));
    environment.assert_nothing_running();
}

#[test]
fn the_death_of_a_dialogue_stops_its_turn() {
    let environment = with_scripts("hang", "answer b");
    let output = dialogue(&environment, &["--background"]).run().expect_code(0);
    let id = output.stdout.trim().to_owned();
    wait_until(PATIENCE, "the first turn runs", || {
        records(&environment).iter().any(|record| record["agent"] == "infra" && record["status"] == "running")
    });
    environment.kill_supervisor(&id);
    environment.command(["wait", &id]).run().expect_code(1);
    wait_until(PATIENCE, "the turn is cancelled", || {
        records(&environment)
            .iter()
            .any(|record| record["agent"] == "infra" && record["status"] == "cancelled")
    });
    environment.assert_nothing_running();
}

#[test]
fn an_interrupt_stops_the_turn_and_ends_the_dialogue() {
    let environment = with_scripts("hang", "answer b");
    let running = dialogue(&environment, &["--json"]).spawn();
    wait_until(PATIENCE, "the first turn runs", || {
        records(&environment).iter().any(|record| record["status"] == "running")
    });
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    assert_eq!(output.json()["error_type"], "cancelled");
    assert_eq!(records(&environment).len(), 1);
    environment.assert_nothing_running();
}

#[test]
fn a_turn_without_a_word_has_no_heading_and_a_failed_one_says_what_to_do() {
    let environment = with_scripts("answer a", "is-error 401 Invalid API key");
    let output = dialogue(&environment, &[]).run().expect_code(8);
    assert_eq!(output.stdout, "## infra\n\na\n\n");
    let error = "error: web: the API refused the credentials: Invalid API key\nhint: check ANTHROPIC_API_KEY";
    assert!(output.stderr.contains(error), "{}", output.stderr);
    let document = dialogue(&environment, &["--json"]).run().expect_code(8).json();
    assert!(document["hint"].as_str().is_some_and(|hint| hint.starts_with("check ")), "{document}");
}

#[test]
fn an_interrupted_dialogue_names_the_command_that_goes_on_with_its_turn() {
    let environment = with_scripts("hang", "answer b");
    let running = dialogue(&environment, &[]).spawn();
    wait_until(PATIENCE, "the first turn runs", || {
        records(&environment).iter().any(|record| record["status"] == "running")
    });
    let id = environment.job_ids().remove(0);
    // Once it has a session to go on with.
    wait_until(PATIENCE, "the agent has begun", || {
        environment.command(["logs", &id]).run().stdout.contains("started with")
    });
    running.signal(libc::SIGINT);
    let output = running.wait().expect_code(130);
    assert_eq!(output.stdout, "");
    let said =
        format!("error: infra: cancelled\nhint: resume it where it stopped: `agent-dispatch resume {id}`\n");
    assert!(output.stderr.contains(&said), "{}", output.stderr);
}

#[test]
fn a_dialogue_is_neither_retried_nor_resumed_but_had_once_more() {
    let environment = with_scripts("answer a", "answer b [RESOLVED] not on its own");
    let options = ["--background", "--max-rounds=1", "--timeout=1m"];
    let id = dialogue(&environment, &options).run().expect_code(0).stdout.trim().to_owned();
    environment.command(["wait", &id]).run().expect_code(0);
    let again = "have it once more with `agent-dispatch dialogue infra web --max-rounds=1 --timeout=60s \
                 'who owns the port?'`";
    let last = environment.job_ids().pop().expect("a turn");
    for (command, code) in [("retry", 2), ("resume", 3)] {
        let output = environment.command([command, &id]).run().expect_code(code);
        assert!(output.stderr.contains(again), "{}", output.stderr);
        assert_eq!(output.stderr.contains(&format!("`agent-dispatch resume {last}`")), command == "resume");
    }
}

#[test]
fn a_dialogue_has_a_topic_and_says_so() {
    let environment = with_scripts("answer a", "answer b");
    let output = environment.command(["dialogue", "infra", "web", ""]).run().expect_code(2);
    let said = "error: the topic is empty\nhint: say what they are to work out: an argument or a pipe\n";
    assert_eq!(output.stderr, said);
    dialogue(&environment, &["--max-rounds=1"]).run().expect_code(0);
    assert!(records(&environment)[0]["task"].as_str().is_some_and(|task| task.contains("at most 1 turn. ")));
}
