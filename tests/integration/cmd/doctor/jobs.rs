//! The jobs directory, what runs, and what is around.

use super::*;

#[test]
fn what_is_wrong_with_the_jobs_directory_is_told() {
    check(&[
        (
            |environment| {
                finished_job(environment);
                set_mode(&environment.jobs_directory(), 0o755);
            },
            &[("jobs-directory", "error", "chmod 700 HOME/.config/agent-dispatch/jobs")],
        ),
        (
            |environment| fs::write(environment.jobs_directory(), "").unwrap(),
            &[("jobs-directory", "error", "export AGENT_DISPATCH_JOBS_DIR=\"$HOME/agent-dispatch-jobs\"")],
        ),
        (
            |environment| {
                let id = finished_job(environment);
                let from = environment.jobs_directory().join(format!("{id}.json"));
                let damaged = "01a20916e462778892cbf6e859f467af";
                fs::rename(from, environment.jobs_directory().join(format!("{damaged}.damaged"))).unwrap();
                fs::remove_dir(environment.jobs_directory().join(id.to_string())).unwrap();
            },
            &[(
                "jobs-damaged",
                "warning",
                "rm HOME/.config/agent-dispatch/jobs/01a20916e462778892cbf6e859f467af.damaged",
            )],
        ),
        (
            |environment| {
                finished_job(environment);
                // 2126.
                let id = "0479c1a6f40077889acbf6e859f467af";
                let record = environment.jobs_directory().join(format!("{id}.json"));
                fs::write(
                    record,
                    json!({"id": id, "agent": "api", "task": "x", "status": "done",
                    "created_at": 4_923_000_000_u64, "completed_at": 4_923_000_001_u64})
                    .to_string(),
                )
                .unwrap();
            },
            &[("clock", "warning", "")],
        ),
    ]);
}

#[test]
fn a_record_that_is_damaged_now_is_found_and_stays() {
    let environment = healthy();
    let id = finished_job(&environment);
    let record = environment.jobs_directory().join(format!("{id}.json"));
    fs::write(&record, "{").unwrap();
    let fix = format!("agent-dispatch status {id}");
    for _ in 0..2 {
        assert_eq!(problems(&environment), [("jobs-damaged".to_owned(), "warning".to_owned(), fix.clone())]);
    }
    assert_eq!(fs::read(&record).unwrap(), b"{");
    environment.command(["status", &id.to_string()]).run().expect_code(1);
    let aside = environment.jobs_directory().join(format!("{id}.damaged"));
    assert!(!record.exists());
    assert_eq!(problems(&environment)[0].2, format!("rm {}", quoted(&aside)));
    let shown = environment.command(["doctor"]).run().stdout;
    assert!(shown.contains("1 damaged record, moved aside in "), "{shown}");
    assert!(shown.contains(&format!("{id}.damaged; gc deletes")), "{shown}");
}

#[test]
fn where_the_home_directory_cannot_be_written_another_place_is_proposed() {
    namespace::in_mount_namespace(|| {
        let environment = healthy();
        let mount = |words: &[&str]| {
            let home = environment.home();
            let mounted = std::process::Command::new("mount").args(words).arg(&home).output().unwrap();
            assert!(mounted.status.success(), "{mounted:?}");
        };
        mount(&["--bind", environment.home().to_str().unwrap()]);
        mount(&["-o", "remount,ro,bind"]);
        let document = document(&environment);
        let findings = document["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["id"] == "jobs-directory").expect("it is listed");
        let shared = "/var/tmp";
        let fix = format!("export AGENT_DISPATCH_JOBS_DIR=\"{shared}/agent-dispatch-jobs-$(id -u)\"");
        assert_eq!((&found["level"], &found["fix"]), (&json!("error"), &json!(fix)));
        std::process::Command::new("umount").arg(environment.home()).status().unwrap();
    });
}

#[test]
fn too_little_room_for_jobs_is_told() {
    namespace::in_mount_namespace(|| {
        let environment = healthy();
        let jobs = environment.root().join("small");
        fs::create_dir(&jobs).unwrap();
        set_mode(&jobs, 0o700);
        let options = ["-t", "tmpfs", "-o", "size=1m,mode=700", "none"];
        let mounted = std::process::Command::new("mount").args(options).arg(&jobs).output().unwrap();
        assert!(mounted.status.success(), "{mounted:?}");
        let output =
            environment.command(["doctor", "--strict", "--jobs-dir"]).arg(&jobs).run().expect_code(1);
        assert!(output.stdout.contains("are free at"), "{}", output.stdout);
        let fix = format!("fix: agent-dispatch --jobs-dir {} gc --older-than 7d", quoted(&jobs));
        assert!(output.stdout.contains(&fix), "{}", output.stdout);
        std::process::Command::new("umount").arg(&jobs).status().unwrap();
    });
}

#[test]
fn a_job_without_its_supervisor_is_told_and_recorded() {
    let environment = healthy();
    let id = environment.command(["submit", "api", "fake: hang"]).run().expect_code(0).stdout;
    let id = id.trim_end();
    wait_until(PATIENCE, "the job runs", || environment.record(id)["status"] == "running");
    let alive = environment.command(["doctor"]).run().expect_code(0);
    let supervisor =
        alive.stdout.lines().find(|line| line.contains(&format!("✓       job {id}: supervisor ")));
    let version = concat!(", version ", env!("CARGO_PKG_VERSION"));
    assert!(supervisor.is_some_and(|line| line.ends_with(version)), "{}", alive.stdout);
    environment.kill_supervisor(id);
    let fix = format!("agent-dispatch status {id}");
    wait_until(PATIENCE, "the supervisor is gone", || {
        problems(&environment) == [("job-lost".to_owned(), "warning".to_owned(), fix.clone())]
    });
    assert_eq!(environment.record(id)["status"], "failed");
    assert_eq!(problems(&environment), []);
}

#[test]
fn a_supervisor_of_a_program_that_was_replaced_is_told() {
    let environment = healthy();
    let old = environment.root().join("old-agent-dispatch");
    programs::copy(programs::agent_dispatch(), &old);
    let submitted = environment.program(&old, ["submit", "api", "fake: hang"]).run().expect_code(0).stdout;
    let id = submitted.trim_end();
    let said = concat!(", runs another agent-dispatch, version ", env!("CARGO_PKG_VERSION"), ": ");
    let output = environment.command(["doctor"]).run();
    assert!(output.stdout.contains(said), "{}", output.stdout);
    fs::remove_file(&old).unwrap();
    let document = document(&environment);
    let findings = document["findings"].as_array().unwrap();
    let supervisor = findings.iter().find(|finding| finding["id"] == "supervisor").expect("it is listed");
    let found = supervisor["found"].as_str().unwrap();
    assert_eq!(
        (&supervisor["level"], &supervisor["fix"]),
        (&json!("note"), &json!(format!("agent-dispatch wait {id}")))
    );
    assert!(found.contains("deleted or replaced: ") && found.contains("/old-agent-dispatch; "), "{found}");
    environment.command(["cancel", id]).run();
}

#[test]
fn a_process_that_outlived_its_job_is_told() {
    let environment = healthy();
    let id = finished_job(&environment);
    let orphan = environment
        .program(Path::new("/bin/sleep"), ["60"])
        .env("AGENT_DISPATCH_JOB", id.to_string())
        .spawn();
    let fix = format!("kill {}", orphan.pid());
    wait_until(PATIENCE, "the orphan is found", || {
        problems(&environment) == [("orphan".to_owned(), "warning".to_owned(), fix.clone())]
    });
}

#[test]
fn secrets_and_an_agent_around_are_told_without_their_values() {
    let mut environment = healthy();
    environment.variable("GITHUB_TOKEN", "hush").variable("AGENT_DISPATCH_DEPTH", "1");
    let note = ("nested".to_owned(), "note".to_owned(), String::new());
    let warning = ("secrets".to_owned(), "warning".to_owned(), "unset GITHUB_TOKEN".to_owned());
    assert_eq!(problems(&environment), [note, warning]);
    let output = environment.command(["doctor"]).run().expect_code(0);
    assert!(!output.stdout.contains("hush"));
}
