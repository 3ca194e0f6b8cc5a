//! Directories that cannot be written, disks that are full, readers that go away.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use test_support::dispatch::{self, AGENT, submit_and_finish, with_agent};
use test_support::programs::agent_dispatch;
use test_support::{TestEnvironment, quoted, skip};

/// Runs a shell line in which `$tool` is the tool.
fn shell(environment: &TestEnvironment, line: &str) -> test_support::Invocation {
    environment.program("/bin/bash".as_ref(), ["-c", line]).env("tool", agent_dispatch())
}

#[test]
fn a_jobs_directory_that_is_none_is_refused() {
    let environment = with_agent();
    let root = environment.root();
    let (file, link, open) = (root.join("file"), root.join("link"), root.join("it's open"));
    fs::write(&file, "").unwrap();
    symlink(environment.home(), &link).unwrap();
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let elsewhere = "choose another place that you can write to with --jobs-dir or AGENT_DISPATCH_JOBS_DIR";
    for (place, reason, hint) in [
        (&file, "it is not a directory", elsewhere.to_owned()),
        (&link, "it is a symbolic link", elsewhere.to_owned()),
        (
            &open,
            "other users can open it (mode 0755)",
            format!("run `chmod 700 {}`, or choose another directory with --jobs-dir", quoted(&open)),
        ),
    ] {
        let said = format!("error: refused {}: {reason}\nhint: {hint}\n", place.display());
        let place = place.to_str().unwrap();
        for arguments in [&["run", AGENT, "x"][..], &["submit", AGENT, "x"], &["jobs"], &["status", "latest"]]
        {
            let output = environment.command(arguments).args(["--jobs-dir", place]).run().expect_code(2);
            assert_eq!((output.stdout.as_str(), &output.stderr), ("", &said), "{arguments:?}");
        }
    }
}

#[test]
fn a_jobs_directory_that_cannot_be_made_is_refused() {
    let environment = with_agent();
    let file = environment.root().join("file");
    fs::write(&file, "").unwrap();
    for place in ["/proc/agent-dispatch", "/proc/self/jobs", &format!("{}/jobs", file.display())] {
        let output = environment.command(["run", AGENT, "x"]).env("AGENT_DISPATCH_JOBS_DIR", place).run();
        let output = output.expect_code(2);
        assert!(output.stderr.contains(place), "{}", output.stderr);
        assert!(output.stderr.contains("\nhint: choose "), "{}", output.stderr);
    }
}

/// Whether this process may mount things in a namespace of its own.
fn can_mount() -> bool {
    let probe =
        std::process::Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let possible = probe.as_ref().is_ok_and(|output| output.status.success());
    if !possible {
        skip(&format!("a mount namespace cannot be made: {probe:?}"));
    }
    possible
}

#[test]
fn a_read_only_jobs_directory_is_refused() {
    if !can_mount() {
        return;
    }
    let environment = with_agent();
    let line = "mount -t tmpfs -o ro,mode=700 none place && \"$tool\" run infra x --jobs-dir place";
    fs::create_dir(environment.root().join("place")).unwrap();
    let output = shell(&environment, &format!("unshare -m bash -c '{line}'")).run().expect_code(2);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.starts_with("error: failed to create "), "{}", output.stderr);
    let hint =
        "\nhint: choose another place that you can write to with --jobs-dir or AGENT_DISPATCH_JOBS_DIR\n";
    assert!(output.stderr.ends_with(hint), "{}", output.stderr);
}

#[test]
fn a_full_disk_refuses_the_job_before_the_agent_is_paid() {
    if !can_mount() {
        return;
    }
    let environment = with_agent();
    fs::create_dir(environment.root().join("place")).unwrap();
    let log = environment.root().join("log");
    let line = "mount -t tmpfs -o size=64k,mode=700 none place && head -c 100000 /dev/zero >place/fill; \
                \"$tool\" run infra \"fake: log log\" --jobs-dir place";
    let output = shell(&environment, &format!("unshare -m bash -c '{line}'")).run().expect_code(1);
    assert!(output.stderr.contains("No space left on device"), "{}", output.stderr);
    assert!(
        output.stderr.contains("hint: free some space: `agent-dispatch --jobs-dir place gc --older-than 7d`"),
        "{}",
        output.stderr
    );
    assert!(!log.exists(), "the agent was not started");
}

#[test]
fn a_disk_that_fills_up_while_the_agent_works_is_no_success() {
    if !can_mount() {
        return;
    }
    let environment = with_agent();
    fs::create_dir(environment.root().join("place")).unwrap();
    // Room for the record and the beginning of the answer, not for the rest.
    let line = "mount -t tmpfs -o size=512k,mode=700 none place && \
                \"$tool\" run infra \"fake: answer-bytes 2000000\" --jobs-dir place; \
                code=$?; rm -f place/*/stdout.jsonl; sleep 0.1; exit $code";
    let output = shell(&environment, &format!("unshare -m bash -c '{line}'")).run().expect_code(1);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("error: "), "{}", output.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let environment = with_agent();
    for _ in 0..3 {
        submit_and_finish(&environment, "fake: answer-bytes 300000");
    }
    for command in [
        "jobs",
        "jobs --json",
        "result latest",
        "result latest --json",
        "logs latest --raw",
        "status latest",
        "--help",
    ] {
        let line = format!("\"$tool\" {command} | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}");
        let output = shell(&environment, &line).run().expect_code(0);
        assert_eq!(output.stdout, "0\n", "{command}: {}", output.stderr);
        assert!(!output.stderr.contains("panick") && !output.stderr.contains("error"), "{}", output.stderr);
    }
    let line =
        "\"$tool\" run infra 'fake: answer-bytes 1000000' | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}";
    assert_eq!(shell(&environment, line).run().stdout, "0\n");
    let closed = shell(&environment, "\"$tool\" jobs >&-").run();
    assert!(!closed.stderr.contains("panick"), "{}", closed.stderr);
}

#[test]
fn an_output_that_takes_nothing_is_a_failure() {
    let environment = with_agent();
    submit_and_finish(&environment, "fake: answer x");
    let said = "error: failed to write to standard output: No space left on device (os error 28)\n";
    for command in
        ["jobs", "jobs --json", "result latest", "status latest", "logs latest", "logs latest --raw"]
    {
        let output = shell(&environment, &format!("\"$tool\" {command} >/dev/full")).run().expect_code(1);
        assert!(output.stderr.starts_with(said), "{command}: {}", output.stderr);
    }
}

#[test]
fn an_answer_that_could_not_be_written_can_be_fetched() {
    for command in ["run", "submit"] {
        let environment = with_agent();
        let line = format!("\"$tool\" {command} infra 'fake: answer x' >/dev/full");
        let output = shell(&environment, &line).run().expect_code(1);
        let id = environment.only_record()["id"].as_str().unwrap().to_owned();
        let waits = if command == "submit" { " --wait" } else { "" };
        let hint = format!("hint: the job is recorded: `agent-dispatch result {id}{waits}`\n");
        assert!(output.stderr.contains("error: failed to write to standard output: "), "{}", output.stderr);
        assert!(output.stderr.contains(&hint), "{}", output.stderr);
        assert_eq!(environment.command(["result", &id, "--wait"]).run().expect_code(0).stdout, "x\n");
    }
}

#[test]
fn an_error_output_that_takes_nothing_changes_nothing() {
    let environment = with_agent();
    let output = shell(&environment, "\"$tool\" run infra 'fake: answer x' 2>/dev/full").run().expect_code(0);
    assert_eq!(output.stdout, "x\n");
    shell(&environment, "\"$tool\" run nobody x 2>&-").run().expect_code(3);
    assert_eq!(dispatch::run(&environment, "fake: answer x").expect_code(0).stdout, "x\n");
}

#[test]
fn a_jobs_directory_that_is_a_link_is_refused_however_it_is_written() {
    let environment = with_agent();
    let (elsewhere, link) = (environment.root().join("elsewhere"), environment.root().join("link"));
    fs::create_dir(&elsewhere).expect("a directory");
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).expect("a mode");
    symlink("elsewhere", &link).expect("a link");
    let absolute = format!("{}/", link.display());
    for written in ["link", "link/", "link//", "link/.", "link/./", "./link/", &absolute] {
        for arguments in [&["run", AGENT, "x"][..], &["jobs"], &["doctor"]] {
            let output = environment.command(arguments).args(["--jobs-dir", written]).run();
            let said = output.stdout.clone() + &output.stderr;
            assert!(said.contains("it is a symbolic link"), "{written} {arguments:?}: {said}");
        }
        let named = environment.command(["run", AGENT, "x"]).env("AGENT_DISPATCH_JOBS_DIR", written);
        named.run().expect_code(2);
    }
    let journal = environment.root().join("journal");
    symlink("elsewhere/usage.jsonl", &journal).expect("a link");
    for written in ["journal", "journal/", "journal/."] {
        environment
            .command(["run", AGENT, "x"])
            .env("AGENT_DISPATCH_USAGE_LOG", written)
            .run()
            .expect_code(0);
    }
    assert_eq!(fs::read_dir(&elsewhere).expect("the directory").count(), 0, "nothing was written there");
}
