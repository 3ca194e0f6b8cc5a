//! `jobs`: the list, what may be wrong with its records, and the ways to name a job.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use test_support::dispatch::{AGENT, submit_and_finish, submit_endless, with_agent};
use test_support::{Output, TestEnvironment};

const PYTHON: [(&str, &str); 3] = [
    ("5f0c9d0e7a3b4c1d8e2f00112233aabb", include_str!("../fixtures/python-done.json")),
    ("1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed", include_str!("../fixtures/python-failed.json")),
    ("9c5b94b135ad49bbb1189e8fc24abf80", include_str!("../fixtures/python-running.json")),
];

fn jobs(environment: &TestEnvironment, options: &[&str]) -> Output {
    environment.command(["jobs"]).args(options).run().expect_code(0)
}

fn listed(environment: &TestEnvironment, options: &[&str]) -> Vec<String> {
    let output = environment.command(["jobs", "--json"]).args(options).run().expect_code(0);
    let id = |job: &Value| job["id"].as_str().expect("an id").to_owned();
    output.json().as_array().expect("an array").iter().map(id).collect()
}

/// Writes a record as some other program would have left it.
fn leave_record(environment: &TestEnvironment, id: &str, content: &str) {
    let directory = environment.jobs_directory();
    fs::create_dir_all(&directory).expect("the jobs directory");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("the jobs directory");
    fs::write(directory.join(format!("{id}.json")), content).expect("the jobs directory");
}

fn leave_python_records(environment: &TestEnvironment) {
    for (id, content) in PYTHON {
        leave_record(environment, id, content);
    }
}

#[test]
fn no_jobs_are_no_error() {
    let environment = TestEnvironment::new();
    let output = jobs(&environment, &[]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", "no jobs\n"));
    assert_eq!(jobs(&environment, &["--json"]).stdout, "[]\n");
}

#[test]
fn the_newest_comes_first() {
    let environment = with_agent();
    environment.project("other");
    let first = submit_and_finish(&environment, "fake: cost 0.5\nfake: answer the first task");
    let failed = submit_and_finish(&environment, "fake: nothing");
    let running = submit_endless(&environment);
    environment.command(["run", "other", "x"]).run().expect_code(0);
    let all = listed(&environment, &[]);
    assert_eq!(all[1..], [running.clone(), failed.clone(), first.clone()]);
    let other = all[0].clone();

    let output = jobs(&environment, &[]);
    assert_eq!(output.stderr, "");
    let lines: Vec<Vec<&str>> = output.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["JOB", "AGENT", "STATUS", "CREATED", "COST", "TASK"]);
    assert_eq!(lines[1][..3], [other.as_str(), "other", "done"]);
    assert_eq!(lines[2][..3], [running.as_str(), AGENT, "running"]);
    assert_eq!(lines[3][..3], [failed.as_str(), AGENT, "failed"]);
    assert_eq!(lines[4][..3], [first.as_str(), AGENT, "done"]);
    assert!(lines[4].contains(&"$0.5000") || lines[4].contains(&"$0.50"), "{}", output.stdout);

    for (options, expected) in [
        (&["--status", "running"][..], vec![&running]),
        (&["--status", "done"], vec![&other, &first]),
        (&["--status", "failed"], vec![&failed]),
        (&["--status", "pending"], vec![]),
        (&["--agent", "other"], vec![&other]),
        (&["--agent", "nobody"], vec![]),
        (&["--agent", AGENT, "--status", "done"], vec![&first]),
        (&["--limit", "2"], vec![&other, &running]),
        (&["-n", "1", "--agent", AGENT], vec![&running]),
        (&["--limit", "0"], vec![&other, &running, &failed, &first]),
    ] {
        assert_eq!(listed(&environment, options).iter().collect::<Vec<_>>(), expected, "{options:?}");
    }
    environment.command(["cancel", &running]).run().expect_code(0);
    assert_eq!(listed(&environment, &["--status", "cancelled"]), [running]);
}

#[test]
fn watching_needs_a_terminal() {
    let environment = with_agent();
    let output = environment.command(["jobs", "--watch"]).run().expect_code(2);
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        (
            "",
            "error: --watch needs a terminal to show the jobs on\nhint: `agent-dispatch jobs` lists them once; \
             `agent-dispatch wait JOB` waits for the end of one\n"
        )
    );
}

#[test]
fn a_row_stays_a_line_whatever_the_task_is() {
    let environment = with_agent();
    submit_and_finish(&environment, &format!("one\n\ttwo \u{1b}[31m {}", "long ".repeat(100)));
    let output = jobs(&environment, &[]);
    assert_eq!(output.stdout.lines().count(), 2, "{}", output.stdout);
    assert!(output.stdout.contains("one two long") && output.stdout.contains('…'), "{}", output.stdout);
}

#[test]
fn a_row_stays_a_line_on_a_narrow_terminal_too() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, &"a long task ".repeat(10));
    let tool = test_support::programs::agent_dispatch();
    // One that does not know its size, then one of 90 columns.
    for size in ["true", "stty cols 90"] {
        // What was asked for wins over the variable.
        let line = format!("{size}; NO_COLOR=1 {} --color=always jobs", tool.display());
        let output = environment.program("/usr/bin/script".as_ref(), ["-qec", &line, "/dev/null"]).run();
        let lines: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{}", output.stdout);
        assert!(lines[1].starts_with(&format!("{id}  infra  \u{1b}[38;5;2mdone")), "{}", output.stdout);
        assert!(lines[1].contains('…'), "{}", output.stdout);
    }
}

#[test]
fn a_damaged_record_is_reported_once_and_moved_aside() {
    let environment = with_agent();
    let good = submit_and_finish(&environment, "x");
    // One of this tool, and one of the Python original, whose ids do not tell when they were made.
    for bad in ["0190163d8694739baea5966c26f8ad91", "5f0c9d0e7a3b4c1d8e2f00112233aabb"] {
        leave_record(&environment, bad, "{\"id\": ");
        let output = jobs(&environment, &["--json"]);
        let directory = environment.jobs_directory();
        let [from, to] = ["json", "damaged"].map(|end| directory.join(format!("{bad}.{end}")));
        assert!(
            output.stderr.starts_with(&format!("warning: the record {} is damaged: ", from.display()))
                && output.stderr.ends_with(&format!("; it was moved to {}\n", to.display())),
            "{}",
            output.stderr
        );
        assert_eq!(output.json()[0]["id"], good.as_str());
        assert_eq!(fs::read_to_string(to).unwrap(), "{\"id\": ");
        assert_eq!(jobs(&environment, &[]).stderr, "");
        environment.command(["status", bad]).run().expect_code(3);
    }
}

#[test]
fn things_that_are_no_records_hold_nobody_up() {
    let environment = with_agent();
    let good = submit_and_finish(&environment, "x");
    let directory = environment.jobs_directory();
    let name = |last: char| directory.join(format!("0190163d8694739baea5966c26f8ad9{last}.json"));
    std::os::unix::fs::symlink("/etc/passwd", name('1')).unwrap();
    fs::create_dir(name('2')).unwrap();
    environment.program("/usr/bin/mkfifo".as_ref(), [name('3')]).run().expect_code(0);
    fs::write(name('4'), include_str!("../fixtures/python-done.json")).unwrap();
    fs::write(directory.join("notes.json"), "{}").unwrap();
    assert_eq!(listed(&environment, &[]), [good]);
    assert_eq!(jobs(&environment, &[]).stderr, "");
    assert!(fs::read_to_string("/etc/passwd").is_ok());
}

#[test]
fn the_records_of_the_python_original_are_listed_and_read() {
    let environment = with_agent();
    leave_python_records(&environment);
    let [done, failed, running] = PYTHON.map(|(id, _)| id.to_owned());
    assert_eq!(listed(&environment, &[]), [running.clone(), failed.clone(), done.clone()]);

    let answer = environment.command(["result", &done]).run().expect_code(0);
    assert_eq!(answer.stdout, "Only the cache restarts.\nSTATUS: done\n");
    let document = environment.command(["result", &done, "--json"]).run().expect_code(0).json();
    assert_eq!((&document["job_id"], &document["cost_usd"]), (&done.clone().into(), &0.0312.into()));
    environment.command(["result", &failed]).run().expect_code(124);
    environment.command(["wait", &failed]).run().expect_code(124);

    let status = environment.command(["status", &running]).run().expect_code(0);
    assert!(status.stdout.contains("Read syslog"), "{}", status.stdout);
    for command in ["wait", "cancel"] {
        let output = environment.command([command, &running]).run().expect_code(1);
        assert!(output.stderr.contains("belongs to the Python version of this tool"), "{}", output.stderr);
    }
    let log = environment.command(["logs", &done]).run().expect_code(0);
    assert_eq!(
        (log.stdout.as_str(), log.stderr.as_str()),
        ("", "jobs of the Python version of this tool have no log\n")
    );
    for (id, content) in PYTHON {
        assert_eq!(
            fs::read_to_string(environment.jobs_directory().join(format!("{id}.json"))).unwrap(),
            content
        );
        assert!(!environment.jobs_directory().join(id).exists(), "looking at {id} made a folder for it");
    }
}

#[test]
fn a_record_of_a_newer_format_is_read() {
    let environment = with_agent();
    let id = submit_and_finish(&environment, "fake: answer x");
    let mut record = environment.record(&id);
    record["format"] = 99.into();
    record["invented"] = "later".into();
    record["result"]["invented"] = "too".into();
    leave_record(&environment, &id, &record.to_string());
    assert_eq!(environment.command(["result", &id]).run().expect_code(0).stdout, "x\n");
    assert_eq!(
        environment.command(["status", &id, "--json"]).run().expect_code(0).json()["invented"],
        "later"
    );
}

#[test]
fn a_job_is_named_by_its_id_by_a_prefix_or_as_the_latest() {
    let environment = with_agent();
    leave_python_records(&environment);
    let id = submit_and_finish(&environment, "fake: answer mine");
    for name in [&id, &id[..31], "latest"] {
        assert_eq!(environment.command(["result", name]).run().expect_code(0).stdout, "mine\n");
    }
    assert!(environment.command(["result", "5f"]).run().expect_code(0).stdout.contains("cache"));
}

#[test]
fn names_that_fit_no_job_or_several_are_refused() {
    let environment = with_agent();
    let empty = environment.command(["status", "latest"]).run().expect_code(3);
    let directory = environment.jobs_directory();
    assert_eq!(
        empty.stderr,
        format!(
            "error: there are no jobs yet in {}\nhint: start one with `agent-dispatch run AGENT TASK`\n",
            directory.display()
        )
    );
    leave_python_records(&environment);
    let (id, content) = PYTHON[0];
    let twin = "5f0c9d0e7a3b4c1d8e2f00112233aabc";
    leave_record(&environment, twin, &content.replace(id, twin));
    let list = "`agent-dispatch jobs` lists them";
    for (name, code, said) in [
        (
            "0190163d8694739baea5966c26f8ad91",
            3,
            format!("error: there is no job 0190163d8694739baea5966c26f8ad91\nhint: {list}\n"),
        ),
        ("0190", 3, format!("error: there is no job whose id begins with '0190'\nhint: {list}\n")),
    ] {
        for command in ["status", "result", "wait", "logs", "cancel"] {
            let output = environment.command([command, name]).run().expect_code(code);
            assert_eq!((output.stdout.as_str(), &output.stderr), ("", &said), "{command} {name}");
        }
    }
    let ambiguous = "error: 2 jobs have ids that begin with '5f0c':";
    let hint = format!("\nhint: give more of the id; {list}\n");
    for command in ["status", "result", "wait", "logs", "cancel", "retry", "resume"] {
        let output = environment.command([command, "5f0c"]).run().expect_code(2);
        assert!(output.stderr.starts_with(&format!("{ambiguous}\n  {twin}  ")), "{}", output.stderr);
        assert!(output.stderr.contains(&format!("\n  {id}  ")), "{}", output.stderr);
        assert!(output.stderr.ends_with(&hint), "{}", output.stderr);
    }
    for number in 0..5 {
        let another = format!("5f0c9d0e7a3b4c1d8e2f00112233000{number}");
        leave_record(&environment, &another, &content.replace(id, &another));
    }
    let many = environment.command(["status", "5f0c"]).run().expect_code(2);
    assert!(many.stderr.contains("\n  and 2 more\n"), "{}", many.stderr);
    for name in [
        "../../etc/passwd",
        "",
        "Latest",
        "5F0C9D0E7A3B4C1D8E2F00112233AABB",
        "5f0c/../5f0c",
        "5f0c9d0e7a3b4c1d8e2f00112233aabb0",
    ] {
        for command in ["status", "result", "wait", "logs", "cancel"] {
            let output = environment.command([command, name]).run().expect_code(2);
            assert_eq!(output.stdout, "");
            assert!(
                output.stderr.contains("names no job: give a full id"),
                "{command} {name:?}: {}",
                output.stderr
            );
        }
    }
}

/// Puts so many records of finished jobs into the jobs directory, each with an answer of this length.
fn make_history(environment: &TestEnvironment, count: usize, answer_bytes: usize) {
    let id = submit_and_finish(environment, "fake: answer x");
    let record = environment.record(&id);
    std::fs::remove_file(environment.jobs_directory().join(format!("{id}.json"))).expect("the record");
    for number in 0..count {
        let mut record = record.clone();
        let id = format!("01a2{number:08x}7abc8def0123456789ab");
        record["id"] = id.as_str().into();
        record["result"]["job_id"] = id.as_str().into();
        record["result"]["result"] = "x".repeat(answer_bytes).into();
        if number % 2 == 0 && number > 0 {
            record["parent"] = format!("01a2{:08x}7abc8def0123456789ab", number - 1).into();
        }
        let path = environment.jobs_directory().join(format!("{id}.json"));
        std::fs::write(path, record.to_string()).expect("a record");
    }
}

#[test]
fn a_long_table_keeps_its_columns_and_has_one_heading() {
    let environment = with_agent();
    make_history(&environment, 2_300, 10);
    let list = environment.command(["jobs", "--limit", "0"]).run().expect_code(0).stdout;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2_301);
    assert_eq!(lines.iter().filter(|line| line.starts_with("JOB ")).count(), 1);
    let column = lines[0].find("TASK").expect("a heading");
    for line in &lines[1..] {
        assert_eq!(line.find("fake: answer x"), Some(column), "{line}");
    }
    let tree = environment.command(["jobs", "--limit", "0", "--tree"]).run().expect_code(0).stdout;
    assert_eq!(tree.lines().count(), 2_301);
    assert_eq!(tree.lines().filter(|line| line.starts_with("└ ")).count(), 1_149);
    let json = environment.command(["jobs", "--limit", "0", "--json"]).run().expect_code(0).json();
    assert_eq!(json.as_array().expect("an array").len(), 2_300);
}

#[cfg(target_os = "linux")]
#[test]
fn the_memory_of_a_list_does_not_grow_with_the_answers_in_it() {
    let environment = with_agent();
    // 200 MB of answers.
    make_history(&environment, 100, 2_000_000);
    for arguments in ["jobs --limit 0 --json", "jobs --limit 0"] {
        let line = format!("ulimit -v 150000; exec agent-dispatch {arguments} | wc -c");
        environment.link("agent-dispatch", test_support::programs::agent_dispatch());
        let output = environment.program("/bin/sh".as_ref(), ["-c", &line]).run().expect_code(0);
        assert!(output.stderr.is_empty(), "{arguments}: {}", output.stderr);
        let bytes: usize = output.stdout.trim().parse().expect("a number");
        assert!(bytes > 5_000, "{arguments}: {bytes} bytes");
        std::fs::remove_file(environment.bin().join("agent-dispatch")).expect("the link");
    }
}
