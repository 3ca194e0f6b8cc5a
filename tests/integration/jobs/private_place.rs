//! The place of its own that each agent CLI gets for its sockets and its tools' outputs.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::dispatch::{AGENT, with_agent};
use test_support::{PATIENCE, TestEnvironment, signal, wait_until};

/// What the agent does with its place, and then says where it is.
const USE_IT: &str = "fake: shell test $(stat -c %a \"$CLAUDE_CODE_TMPDIR\") = 700 && mkdir -p -m 755 \"$CLAUDE_CODE_TMPDIR/a/b\" && touch \"$CLAUDE_CODE_TMPDIR/a/b/c\"";
const NAME_IT: &str = "fake: echo-env CLAUDE_CODE_TMPDIR";

fn place(answer: &str) -> PathBuf {
    let line = answer.lines().find_map(|line| line.strip_prefix("CLAUDE_CODE_TMPDIR="));
    PathBuf::from(line.unwrap_or_else(|| panic!("no place: {answer}")))
}

/// An agent whose jobs lie where a socket fits into the path.
fn with_short_paths() -> TestEnvironment {
    let mut environment = with_agent();
    environment.variable("AGENT_DISPATCH_JOBS_DIR", environment.root().join("j"));
    environment
}

/// The place of a job of such an agent, if the directory of the test lies high enough itself.
fn place_of(environment: &TestEnvironment, id: &str) -> PathBuf {
    let inside = environment.root().join("j").join(id).join("tmp");
    match inside.join("cc-socks/4194304.sock").as_os_str().len() {
        ..=103 => inside,
        _ => Path::new("/tmp").join(format!("agent-dispatch-{id}")),
    }
}

/// Runs an agent that uses its place; where that was, and the job.
fn used(environment: &TestEnvironment, more: &[&str]) -> (PathBuf, String) {
    let task = format!("{USE_IT}\n{NAME_IT}\nfake: echo-env AGENT_DISPATCH_JOB");
    let output = environment.command(more).args(["run", AGENT, &task]).run().expect_code(0);
    assert!(output.stdout.contains("exit 0"), "{}", output.stdout);
    let id = output.stdout.lines().find_map(|line| line.strip_prefix("AGENT_DISPATCH_JOB="));
    (place(&output.stdout), id.expect("a job").to_owned())
}

#[test]
fn a_place_in_the_jobs_folder_is_the_agents_and_goes_with_it() {
    let mut environment = with_short_paths();
    // Not that of a job around it, which may end before.
    environment.variable("CLAUDE_CODE_TMPDIR", "/nowhere");
    let (first, id) = used(&environment, &[]);
    assert_eq!(first, place_of(&environment, &id));
    assert!(!first.exists(), "it is gone");
    assert_ne!(used(&environment, &[]).0, first, "each job has its own");
    environment.command(["gc", "--all"]).run().expect_code(0);
}

#[test]
fn a_socket_fits_into_the_place_however_long_the_path_of_the_jobs_is() {
    let environment = with_agent();
    let long = environment.root().join("tmp").join("x".repeat(80));
    let (found, id) = used(&environment, &["--jobs-dir", long.to_str().expect("a path")]);
    assert!(found.join("cc-socks/4194304.sock").as_os_str().len() < 104, "{}", found.display());
    assert!(!found.starts_with(&long) && !found.exists(), "{}", found.display());
    // A name that no other user can have taken before.
    assert_eq!(found, Path::new("/tmp").join(format!("agent-dispatch-{id}")));
}

#[test]
fn what_a_killed_supervisor_left_goes_when_the_job_is_found_lost() {
    let environment = with_short_paths();
    let task = format!("{USE_IT}\nfake: text ready\nfake: hang");
    let submitted = environment.command(["submit", AGENT, &task]).run().expect_code(0);
    let id = submitted.stdout.trim_end().to_owned();
    let left = place_of(&environment, &id).join("a/b/c");
    wait_until(PATIENCE, "the agent uses its place", || left.exists());
    let lock = environment.root().join("j/.run").join(format!("{id}.lock"));
    let lock = fs::read_to_string(lock).expect("a lock");
    let pid = lock.lines().next().and_then(|pid| pid.trim().parse().ok()).expect("a pid");
    signal(pid, libc::SIGKILL);
    assert!(left.exists());
    environment.command(["wait", &id]).run().expect_code(1);
    assert!(!left.parent().is_some_and(Path::exists));
    // And one that could not be removed goes with the job's folder, open to others as directories in it may be.
    let folder = environment.root().join("j").join(&id);
    fs::create_dir_all(folder.join("tmp/a/b")).expect("a directory");
    fs::write(folder.join("tmp/a/b/c"), "").expect("a file");
    environment.command(["gc", "--all"]).run().expect_code(0);
    assert!(!folder.exists());
}
