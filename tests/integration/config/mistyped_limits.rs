//! Typing mistakes that would switch a protection off: caps that are far too high, patterns of tools that are not closed.

use std::fs;

use serde_json::json;

use test_support::dispatch::{AGENT, submit_and_finish, with_agent};

#[test]
fn a_cap_above_the_ceiling_is_refused_at_every_entrance() {
    let environment = with_agent();
    let items = environment.root().join("items.jsonl");
    let item = json!({ "agent": AGENT, "task": "hi", "max_budget_usd": 5_000 });
    fs::write(&items, item.to_string()).expect("a batch");
    let items = items.display().to_string();
    let id = submit_and_finish(&environment, "fake: answer hi");
    let said = "a spend cap of $5000.00 is above the ceiling of $1000.00";
    let cap = ["--max-budget-usd", "5000"];
    let dialogue = [&["dialogue", AGENT, AGENT, "hi"][..], &cap].concat();
    for command in [
        &[&["run", AGENT, "hi"][..], &cap].concat()[..],
        &[&["submit", AGENT, "hi"][..], &cap].concat(),
        &[&["retry", &id][..], &cap].concat(),
        &[&["resume", &id, "go on"][..], &cap].concat(),
        &[&["agents", "update", AGENT][..], &cap].concat(),
        &[&["agents", "add", "other", "."][..], &cap].concat(),
        &["batch", &items],
        &dialogue,
        &[&dialogue[..], &["--background"]].concat(),
    ] {
        let refused = environment.command(command).run().expect_code(2);
        assert!(refused.stderr.contains(said), "{command:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("settings.max_budget_usd_ceiling"), "{}", refused.stderr);
    }
    // A record is no better than its caller.
    let path = environment.jobs_directory().join(format!("{id}.json"));
    let mut record = environment.record(&id);
    record["max_budget_usd"] = json!(5_000);
    fs::write(&path, record.to_string()).expect("a record");
    let refused = environment.command(["retry", &id]).run().expect_code(2);
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    assert_eq!(environment.job_ids(), [id.as_str()], "nothing was started");

    environment.configure("settings:\n  max_budget_usd_ceiling: 6000\n");
    environment.command(["run", AGENT, "hi"]).args(cap).run().expect_code(0);
    environment.command(["retry", &id]).run().expect_code(0);
}

#[test]
fn a_cap_above_the_ceiling_in_the_config_is_told_with_its_line() {
    let environment = with_agent();
    environment.project_with("web", "max_budget_usd: 2000");
    let line = fs::read_to_string(environment.config()).expect("the config");
    let line = 1 + line.lines().position(|line| line.contains("2000")).expect("the line");
    let refused = environment.command(["agents", "list"]).run().expect_code(2);
    let place = format!("{}:{line}:", environment.config().display());
    for said in [&place, "agents.web.max_budget_usd: a spend cap of $2000.00"] {
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn a_pattern_of_tools_that_is_not_closed_is_refused() {
    let environment = with_agent();
    for option in ["--allowed-tools", "--disallowed-tools"] {
        let refused =
            environment.command(["agents", "update", AGENT, option, "Bash(rm *"]).run().expect_code(2);
        assert!(refused.stderr.contains("its parenthesis is not closed"), "{}", refused.stderr);
    }
    let before = fs::read_to_string(environment.config()).expect("the config");
    for list in ["allowed_tools", "disallowed_tools"] {
        // As YAML takes `[Bash(git add, git rm)]` apart.
        environment.write_config(&before);
        environment.project_with("web", &format!("{list}: [Bash(git add, git rm)]"));
        let refused = environment.command(["run", "web", "hi"]).run().expect_code(2);
        let said = format!("agents.web.{list}[0]: 'Bash(git add' is not the pattern of a tool");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        environment.write_config(&format!("{before}settings:\n  default_{list}: ['Bash)']\n"));
        let refused = environment.command(["run", AGENT, "hi"]).run().expect_code(2);
        assert!(refused.stderr.contains(&format!("settings.default_{list}[0]")), "{}", refused.stderr);
    }
    assert_eq!(environment.job_ids(), [""; 0]);
}
