//! Agents that dispatch to agents: how deep, on whose slot, how many, and what belongs to whom.

use std::fs;
use std::path::Path;

use serde_json::Value;

use test_support::{PATIENCE, TestEnvironment, programs, quoted, skip, wait_until};

/// An agent `outer` whose every run executes this shell line, in which `$tool` is the tool.
fn nesting(settings: &str, line: &str) -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.configure(&format!("settings:\n{settings}"));
    let tool = programs::agent_dispatch();
    let outer = environment.project("outer");
    environment.project("inner");
    let script = environment.root().join("nest.sh");
    fs::write(&script, line.replace("$tool", &quoted(tool))).expect("a script");
    fs::write(outer.join(".fake-agent"), format!("shell sh {}", quoted(&script))).expect("a fake's script");
    environment
}

fn record_of(environment: &TestEnvironment, agent: &str) -> Value {
    let records = environment.job_ids().into_iter().map(|id| environment.record(&id));
    records.into_iter().find(|record| record["agent"] == agent).expect("a job of the agent")
}

#[test]
fn a_nested_job_knows_its_parent_and_the_first_of_the_chain() {
    let environment = nesting("  max_concurrency: 5\n", "$tool run inner hi");
    environment.command(["run", "outer", "go"]).run().expect_code(0);
    let (outer, inner) = (record_of(&environment, "outer"), record_of(&environment, "inner"));
    assert_eq!((&inner["parent"], &inner["root"]), (&outer["id"], &outer["id"]));
    assert_eq!((&outer["depth"], &inner["depth"]), (&1.into(), &2.into()));
    assert_eq!((outer.get("parent"), &outer["root"]), (None, &outer["id"]));
    let tree = environment.command(["jobs", "--tree"]).run().expect_code(0).stdout;
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[1].starts_with(outer["id"].as_str().unwrap()), "{tree}");
    assert!(lines[2].starts_with(&format!("└ {}", inner["id"].as_str().unwrap())), "{tree}");
}

#[test]
fn clearing_the_environment_does_not_reset_the_depth() {
    for escape in ["", "setsid -f"] {
        let environment = nesting("  max_dispatch_depth: 1\n", "");
        let root = environment.root();
        // The leak check's variable is set again, so that nothing gets lost if this goes wrong.
        let clean = r#"env -i PATH="$PATH" HOME="$HOME" AGENT_DISPATCH_TEST="$AGENT_DISPATCH_TEST""#;
        let tool = programs::agent_dispatch();
        let inner = format!("{} run inner hi\necho $? > {}/code\n", quoted(tool), quoted(root));
        fs::write(root.join("inner.sh"), inner).expect("a script");
        let outer = format!(
            "{clean} {escape} sh {0}/inner.sh\nuntil [ -s {0}/code ]\ndo sleep 0.01\ndone\n",
            quoted(root)
        );
        fs::write(root.join("nest.sh"), outer).expect("a script");
        environment.command(["run", "outer", "go"]).run().expect_code(0);
        let code = fs::read_to_string(root.join("code")).expect("an exit code");
        assert_eq!(code.trim(), "7", "{escape}");
        assert_eq!(environment.job_ids().len(), 1);
    }
}

#[test]
fn a_job_that_waits_for_its_own_does_so_on_one_slot() {
    // Two nested ones at once share the parent's slot, one after the other.
    let line = "$tool run inner one & $tool run inner two & wait";
    let environment = nesting("  max_concurrency: 1\n", line);
    environment.command(["run", "outer", "go"]).run().expect_code(0);
    assert_eq!(environment.job_ids().len(), 3);
}

#[test]
fn a_job_that_waits_for_what_it_has_submitted_lends_its_slot() {
    for wait in ["wait $id", "result $id --wait", "logs $id -f"] {
        let line = format!("id=$($tool submit inner hi) && $tool {wait}");
        let environment = nesting("  max_concurrency: 1\n  default_timeout: 20\n", &line);
        environment.command(["run", "outer", "go"]).run().expect_code(0);
        assert_eq!(record_of(&environment, "inner")["status"], "done", "{wait}");
    }
}

#[test]
fn a_chain_of_dispatches_can_make_only_so_many_jobs() {
    let line = "for n in 1 2 3 4; do $tool run inner hi; echo code $?; done";
    let environment = nesting("  max_tree_jobs: 2\n", line);
    let answer = environment.command(["run", "outer", "go"]).run().expect_code(0).stdout;
    assert_eq!(answer.matches("code 0").count(), 2, "{answer}");
    assert_eq!(answer.matches("code 7").count(), 2, "{answer}");
    assert_eq!(environment.job_ids().len(), 3);
}

#[test]
fn a_nested_background_job_outlives_its_parent_unless_the_cancel_cascades() {
    let line = "$tool submit inner 'fake: hang'; sleep 600";
    for cascade in [false, true] {
        let environment = nesting("  max_concurrency: 5\n", line);
        let outer = environment.command(["submit", "outer", "go"]).run().expect_code(0).stdout;
        let outer = outer.trim();
        let inner_runs = || {
            let mut ids = environment.job_ids();
            ids.retain(|id| id != outer);
            ids.pop().filter(|id| environment.record(id)["status"] == "running")
        };
        let mut inner = None;
        wait_until(PATIENCE, "the nested job runs", || {
            inner = inner_runs();
            inner.is_some()
        });
        let inner = inner.expect("it was just found");
        let mut cancel = environment.command(["cancel", outer]);
        if cascade {
            cancel = cancel.arg("--cascade");
        }
        cancel.run().expect_code(0);
        assert_eq!(environment.record(outer)["status"], "cancelled");
        let expected = if cascade { "cancelled" } else { "running" };
        assert_eq!(environment.record(&inner)["status"], expected);
        environment.command(["cancel", &inner]).run().expect_code(0);
        environment.assert_nothing_running();
    }
}

#[test]
fn a_nested_job_that_is_waited_for_ends_with_its_parent() {
    let environment = nesting("  max_concurrency: 5\n", "$tool run inner 'fake: hang'");
    let outer = environment.command(["submit", "outer", "go"]).run().expect_code(0).stdout;
    wait_until(PATIENCE, "the nested job runs", || {
        environment.job_ids().len() == 2 && record_of(&environment, "inner")["status"] == "running"
    });
    environment.command(["cancel", outer.trim()]).run().expect_code(0);
    let inner = record_of(&environment, "inner")["id"].as_str().expect("an id").to_owned();
    environment.command(["wait", &inner]).run().expect_code(130);
    environment.assert_nothing_running();
}

#[test]
fn where_everything_ends_with_one_command_nothing_is_dispatched() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    // What tells such a sandbox is the name of the first process of its process namespace.
    let first = environment.root().join("bwrap");
    programs::copy("/bin/sh".as_ref(), &first);
    let mut options = vec!["--pid", "--fork", "--mount-proc"];
    if !rustix::process::geteuid().is_root() {
        options.extend(["--user", "--map-root-user"]);
    }
    let unshare = || environment.program(Path::new("unshare"), &options);
    let probe = unshare().arg("true").run();
    if probe.code != Some(0) {
        return skip(&format!("no process namespace can be made: {}", probe.stderr.trim()));
    }
    let script = "\"$0\" run infra hi; exit $?";
    let refused = unshare().arg(&first).args(["-c", script]).arg(programs::agent_dispatch()).run();
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("a sandbox that kills every process"), "{}", refused.stderr);
    assert_ne!(environment.only_record()["status"], "done");
}
