//! A disk that is full for real, and one that cannot be written.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use test_support::aftermath;
use test_support::{PATIENCE, TestEnvironment, namespace, quoted, wait_until};

/// Makes the jobs directory a file system of its own, of this size.
fn small_disk(environment: &TestEnvironment, kibibytes: u32) {
    let jobs = environment.jobs_directory();
    fs::DirBuilder::new().mode(0o700).create(&jobs).expect("the jobs directory");
    mount(&["-t", "tmpfs", "-o", &format!("size={kibibytes}k,nr_inodes=200,mode=700"), "none"], &jobs);
}

fn mount(options: &[&str], on: &Path) {
    let mounted = Command::new("mount").args(options).arg(on).output().expect("mount runs");
    assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
}

/// Fills the disk to the last byte; removing the file makes room.
fn fill(environment: &TestEnvironment) -> PathBuf {
    let path = environment.jobs_directory().join("ballast");
    let mut file = File::create(&path).expect("a file");
    for size in [4096, 1] {
        let chunk = vec![0; size];
        while file.write_all(&chunk).is_ok() {}
    }
    path
}

fn lifted(mut environment: TestEnvironment) {
    environment.leak_grace(Duration::from_secs(5));
    environment.assert_nothing_running();
    Command::new("umount").arg(environment.jobs_directory()).status().expect("umount runs");
}

#[test]
fn a_full_disk_is_said_before_anything_starts() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 64);
        let first = aftermath::task(&environment, "before", 0);
        environment.command(["run", "infra", &first]).run().expect_code(0);
        let ballast = fill(&environment);
        let task = aftermath::task(&environment, "during", 0);
        for verb in ["run", "submit"] {
            let refused = environment.command([verb, "infra", &task]).run().expect_code(1);
            assert!(refused.stderr.contains("No space left on device"), "{}", refused.stderr);
            assert!(refused.stderr.contains("agent-dispatch gc"), "{}", refused.stderr);
        }
        assert!(!aftermath::log(&environment, "during").exists(), "nothing was started");
        assert_eq!(environment.command(["result", "latest"]).run().expect_code(0).stdout, "before\n");
        fs::remove_file(ballast).expect("room");
        environment.command(["run", "infra", &task]).run().expect_code(0);
        let tally = aftermath::check(&environment, "after a full disk");
        assert_eq!((tally.done, tally.total()), (2, 2));
        lifted(environment);
    });
}

/// Starts a job that answers when the returned file exists.
fn waiting_job(environment: &TestEnvironment) -> (String, PathBuf) {
    let gate = environment.root().join("gate");
    let wait = format!("shell until [ -e {} ]; do sleep 0.01; done", quoted(&gate));
    (running_job(environment, &wait), gate)
}

/// Starts a job whose agent does this.
fn running_job(environment: &TestEnvironment, directive: &str) -> String {
    let log = aftermath::log(environment, "answer");
    // The page that the prompt's end sets free is too little for the record, which holds the task and more.
    let padding = "x".repeat(3_500);
    let task = format!("fake: log {}\nfake: {directive}\n{padding}", log.display());
    let id = environment.command(["submit", "infra", &task]).run().expect_code(0).stdout.trim().to_owned();
    wait_until(PATIENCE, "the agent runs", || log.exists());
    wait_until(PATIENCE, "it says that it runs", || environment.record(&id)["status"] == "running");
    id
}

fn has_ended(environment: &TestEnvironment) -> bool {
    let log = aftermath::log(environment, "answer");
    fs::read_to_string(log).is_ok_and(|log| log.contains("end"))
}

#[test]
fn an_end_on_a_full_disk_is_recorded_as_soon_as_there_is_room() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 64);
        let (id, gate) = waiting_job(&environment);
        let ballast = fill(&environment);
        fs::write(gate, "").expect("the gate opens");
        wait_until(PATIENCE, "the agent ends", || has_ended(&environment));
        let status = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
        assert_eq!(status["status"], "running", "nothing else can have been recorded");
        fs::remove_file(ballast).expect("room");
        environment.command(["wait", &id]).run();
        let tally = aftermath::check(&environment, "after a disk that was full at the end");
        assert_eq!(tally.total(), 1);
        lifted(environment);
    });
}

#[test]
fn a_supervisor_that_dies_on_a_full_disk_loses_no_answer() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 64);
        let (id, gate) = waiting_job(&environment);
        let ballast = fill(&environment);
        fs::write(gate, "").expect("the gate opens");
        wait_until(PATIENCE, "the agent ends", || has_ended(&environment));
        environment.kill_supervisor(&id);
        environment.assert_nothing_running();
        // The conclusion can be drawn, though not be written yet.
        let told = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
        assert_ne!(told["status"], "running");
        assert_eq!(environment.record(&id)["status"], "running");
        fs::remove_file(ballast).expect("room");
        aftermath::check(&environment, "after a supervisor died on a full disk");
        assert_eq!(environment.record(&id)["status"], told["status"]);
        lifted(environment);
    });
}

#[test]
fn jobs_that_cannot_be_written_can_still_be_read() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 256);
        let task = aftermath::task(&environment, "before", 0);
        environment.command(["run", "infra", &task]).run().expect_code(0);
        let lost = running_job(&environment, "hang");
        environment.kill_supervisor(&lost);
        environment.assert_nothing_running();
        mount(&["-o", "remount,bind,ro"], &environment.jobs_directory());
        let ids = environment.job_ids();
        for verb in ["status", "logs", "result"] {
            environment.command([verb, &ids[0]]).run().expect_code(0);
        }
        let told = environment.command(["status", &lost, "--json"]).run().expect_code(0).json();
        assert_eq!(told["result"]["error_type"], "lost");
        environment.command(["jobs"]).run().expect_code(0);
        let refused = environment.command(["run", "infra", &task]).run().expect_code(2);
        assert!(refused.stderr.contains("Read-only file system"), "{}", refused.stderr);
        assert!(refused.stderr.contains("--jobs-dir"), "{}", refused.stderr);
        mount(&["-o", "remount,bind,rw"], &environment.jobs_directory());
        let tally = aftermath::check(&environment, "after a read-only disk");
        assert_eq!((tally.done, tally.failed), (1, 1));
        lifted(environment);
    });
}

/// Takes the last inode that the disk has.
fn take_all_inodes(environment: &TestEnvironment) -> PathBuf {
    let directory = environment.jobs_directory().join("many");
    fs::create_dir(&directory).expect("a directory");
    let mut number = 0;
    while File::create(directory.join(number.to_string())).is_ok() {
        number += 1;
    }
    directory
}

/// Stops the jobs that these arguments name while the request can be written nowhere.
fn cancel_unwritten(environment: &TestEnvironment, arguments: &[&str]) {
    let output = environment.command(["cancel"]).args(arguments).run().expect_code(0);
    assert!(output.stderr.contains("its supervisor was told by a signal"), "{}", output.stderr);
    assert!(output.stdout.contains("cancelled"), "{}", output.stdout);
    environment.assert_nothing_running();
}

#[test]
fn a_job_is_cancelled_where_nothing_can_be_written_and_its_record_says_so_later() {
    namespace::in_mount_namespace(|| {
        // An empty file can be made on a disk without a free byte: there the request is written, and the record is not.
        for (fill_up, is_written) in [(fill as fn(&_) -> _, true), (take_all_inodes, false)] {
            let environment = aftermath::environment();
            small_disk(&environment, 64);
            let id = running_job(&environment, "hang");
            let ballast = fill_up(&environment);
            if is_written {
                environment.command(["cancel", &id]).run().expect_code(0);
            } else {
                cancel_unwritten(&environment, &["--all"]);
            }
            assert_eq!(environment.record(&id)["status"], "running", "it cannot have been written");
            let told = environment.command(["status", &id, "--json"]).run().expect_code(0).json();
            assert_eq!(told["status"], "cancelled");
            fs::remove_dir_all(&ballast).or_else(|_| fs::remove_file(&ballast)).expect("room");
            let tally = aftermath::check(&environment, "after a cancel on a full disk");
            assert_eq!((tally.cancelled, tally.total()), (1, 1));
            lifted(environment);
        }
    });
}

#[test]
fn a_job_that_waits_is_cancelled_where_nothing_can_be_written() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        environment.configure("settings:\n  max_concurrency: 1\n");
        small_disk(&environment, 96);
        running_job(&environment, "hang");
        let task = aftermath::task(&environment, "never", 0);
        let waiting = environment.command(["submit", "infra", &task]).run().expect_code(0);
        let waiting = waiting.stdout.trim();
        let ballast = take_all_inodes(&environment);
        // All at once, so that the supervisors wait for room at the same time.
        cancel_unwritten(&environment, &["--all"]);
        fs::remove_dir_all(ballast).expect("room");
        let tally = aftermath::check(&environment, "after a cancel on a full disk");
        assert_eq!((tally.cancelled, tally.total()), (2, 2));
        let error = "it was cancelled before its agent was started";
        assert_eq!(environment.record(waiting)["error"], error);
        lifted(environment);
    });
}

#[test]
fn a_caller_that_dies_while_the_disk_is_full_leaves_a_cancelled_job() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 64);
        let log = aftermath::log(&environment, "answer");
        let task = format!("fake: log {}\nfake: hang\n{}", log.display(), "x".repeat(3_500));
        let run = environment.command(["run", "infra", &task]).spawn();
        wait_until(PATIENCE, "the agent runs", || log.exists());
        let ballast = fill(&environment);
        run.signal(libc::SIGKILL);
        run.wait();
        wait_until(PATIENCE, "the supervisor gives up", || environment.processes().is_empty());
        fs::remove_file(ballast).expect("room");
        let tally = aftermath::check(&environment, "after a caller died on a full disk");
        assert_eq!((tally.cancelled, tally.total()), (1, 1));
        let error = "stopped, because the process that waited for it went away";
        assert_eq!(environment.only_record()["error"], error);
        lifted(environment);
    });
}

#[test]
fn who_sees_the_jobs_read_only_can_cancel_them() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 256);
        let id = running_job(&environment, "hang");
        // The same directory under another name, as a container has it, where nothing can be written.
        let view = environment.root().join("view");
        fs::create_dir(&view).expect("a mount point");
        mount(&["--bind", environment.jobs_directory().to_str().expect("UTF-8")], &view);
        mount(&["-o", "remount,ro,bind"], &view);
        let view_path = view.to_str().expect("UTF-8");
        cancel_unwritten(&environment, &["--jobs-dir", view_path, &id]);
        assert_eq!(environment.record(&id)["status"], "cancelled");
        Command::new("umount").arg(&view).status().expect("umount runs");
        lifted(environment);
    });
}

#[test]
fn a_time_limit_that_passed_on_a_full_disk_is_told_as_such_later() {
    namespace::in_mount_namespace(|| {
        let environment = aftermath::environment();
        small_disk(&environment, 64);
        let log = aftermath::log(&environment, "answer");
        let task = format!("fake: log {}\nfake: hang\n{}", log.display(), "x".repeat(3_500));
        let submit = ["submit", "infra", "--timeout", "2s", &task];
        let id = environment.command(submit).run().expect_code(0).stdout.trim().to_owned();
        wait_until(PATIENCE, "the agent runs", || log.exists());
        let ballast = fill(&environment);
        wait_until(PATIENCE, "the supervisor gives up", || environment.processes().is_empty());
        fs::remove_file(ballast).expect("room");
        aftermath::check(&environment, "after a time limit on a full disk");
        assert_eq!(environment.record(&id)["error"], "timed out after 2s");
        lifted(environment);
    });
}
