//! The example git hooks, in real repositories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::examples::{example, set_up};
use super::readme::{installed, which};
use test_support::{Output, TestEnvironment, programs, quoted};

/// A repository with one commit and one of the hooks.
struct Repository {
    environment: TestEnvironment,
    path: PathBuf,
}

impl Repository {
    fn with(hook: &str) -> Self {
        let environment = installed();
        environment.link("git", &which("git"));
        let identity = "[user]\n\tname = Me\n\temail = me@example.com\n[init]\n\tdefaultBranch = main\n";
        fs::write(environment.home().join(".gitconfig"), identity).expect("git's configuration");
        let path = environment.root().join("projects/shop");
        let repository = Self { environment, path };
        repository.init(&repository.path);
        repository.write("README", "The shop.\n");
        repository.git(["add", "README"]).expect_code(0);
        repository.git(["commit", "--quiet", "--message", "Begin"]).expect_code(0);
        fs::copy(example("git-hooks").join(hook), repository.path.join(".git/hooks").join(hook))
            .expect("the hook");
        repository
    }

    fn init(&self, path: &Path) {
        fs::create_dir_all(path).expect("a directory");
        self.git_in(path, ["init", "--quiet"]).expect_code(0);
    }

    fn git_in<const N: usize>(&self, directory: &Path, arguments: [&str; N]) -> Output {
        self.environment.program(&which("git"), arguments).directory(directory).run()
    }

    fn git<const N: usize>(&self, arguments: [&str; N]) -> Output {
        self.git_in(&self.path, arguments)
    }

    fn write(&self, file: &str, content: &str) {
        fs::write(self.path.join(file), content).expect("a file of the repository");
    }

    /// Commits this as the content of a file.
    fn commit(&self, file: &str, content: &str) -> Output {
        self.write(file, content);
        self.git(["add", file]).expect_code(0);
        self.git(["commit", "--quiet", "--message", "Change"])
    }

    fn commits(&self, directory: &Path) -> Vec<String> {
        let log = self.git_in(directory, ["log", "--format=%s", "--name-only"]).expect_code(0).stdout;
        log.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn jobs(&self) -> usize {
        self.environment.job_ids().len()
    }
}

#[test]
fn the_hooks_can_be_executed() {
    for hook in ["pre-commit", "pre-push"] {
        let mode = example("git-hooks").join(hook).metadata().expect("the hook").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{hook}");
    }
}

#[test]
fn a_clean_commit_passes_and_a_blocked_one_does_not() {
    let repository = Repository::with("pre-commit");
    let environment = &repository.environment;
    set_up(environment, &example("git-hooks/pre-commit"), &repository.path);

    environment.script("shop", "answer nothing to say; status done");
    repository.commit("shop.rs", "fn shop() {}\n").expect_code(0);
    assert_eq!(repository.jobs(), 1);

    environment.script("shop", "echo-prompt; status blocked");
    let blocked = repository.commit("shop.rs", "const KEY: &str = \"sk-secret\";\n").expect_code(1);
    for said in
        ["+const KEY: &str = \"sk-secret\";", "the review blocks this commit", "git commit --no-verify"]
    {
        assert!(blocked.stderr.contains(said), "{said} is not in {}", blocked.stderr);
    }
    assert_eq!(repository.commits(&repository.path), ["Change", "shop.rs", "Begin", "README"]);
    let staged = repository.git(["diff", "--cached", "--name-only"]).expect_code(0).stdout;
    assert_eq!(staged, "shop.rs\n", "what was staged still is");

    repository.git(["commit", "--quiet", "--no-verify", "--message", "Anyway"]).expect_code(0);
    assert_eq!(repository.jobs(), 2, "skipping it asks nobody");
}

#[test]
fn a_commit_without_a_change_asks_nobody() {
    let repository = Repository::with("pre-commit");
    repository.git(["commit", "--quiet", "--allow-empty", "--message", "Nothing"]).expect_code(0);
    assert_eq!(repository.jobs(), 0);
}

#[test]
fn a_review_that_fails_is_no_permission() {
    let repository = Repository::with("pre-commit");
    let refused = repository.commit("a", "b\n").expect_code(1);
    assert!(
        refused.stderr.contains("there was no review (exit code 3), so there is no commit"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("error: "), "the tool says why: {}", refused.stderr);
}

/// Stands for the tool on the `PATH`, and notes which of git's variables the hook was given.
fn note_variables(environment: &TestEnvironment) -> PathBuf {
    let noted = environment.root().join("git-variables");
    let tool = environment.bin().join("agent-dispatch");
    fs::remove_file(&tool).expect("the link");
    let script = format!(
        "#!/bin/sh\nenv | grep '^GIT_' >{}\nexec {} \"$@\"\n",
        quoted(&noted),
        quoted(programs::agent_dispatch())
    );
    fs::write(&tool, script).expect("a script");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
    noted
}

#[test]
fn an_agent_that_commits_during_the_hook_commits_to_its_own_repository() {
    let repository = Repository::with("pre-commit");
    let environment = &repository.environment;
    let noted = note_variables(environment);
    // In a linked worktree, and with `--all`, git says by variables which repository and which index are meant.
    let worktree = environment.root().join("projects/worktree");
    repository.git(["worktree", "add", "--quiet", worktree.to_str().unwrap(), "-b", "side"]).expect_code(0);
    let own = environment.project("reviewer");
    repository.init(&own);
    environment.script(
        "reviewer",
        "shell git add --all && git commit --quiet --message 'By the agent' && git rev-parse --show-toplevel
        echo-env GIT_DIR
        echo-env GIT_INDEX_FILE
        status done",
    );

    fs::write(worktree.join("README"), "The new shop.\n").expect("a file");
    repository.git_in(&worktree, ["commit", "--quiet", "--all", "--message", "By me"]).expect_code(0);

    let noted = fs::read_to_string(noted).expect("the hook ran");
    assert!(noted.contains("GIT_DIR=") && noted.contains("GIT_INDEX_FILE="), "the trap is set: {noted}");
    let answer = environment.only_record()["result"]["result"].as_str().expect("an answer").to_owned();
    assert!(answer.starts_with(own.to_str().unwrap()), "{answer}");
    assert!(answer.contains("GIT_DIR is not set\nGIT_INDEX_FILE is not set"), "{answer}");
    assert_eq!(repository.commits(&own), ["By the agent", ".fake-agent"]);
    assert_eq!(repository.commits(&worktree), ["By me", "README", "Begin", "README"]);
    for directory in [&worktree, &repository.path] {
        let status = repository.git_in(directory, ["status", "--porcelain"]).expect_code(0).stdout;
        assert_eq!(status, "", "{}", directory.display());
    }
}

#[test]
fn a_push_is_reviewed_commit_by_commit() {
    let repository = Repository::with("pre-push");
    let environment = &repository.environment;
    let remote = environment.root().join("remote.git");
    repository.git(["init", "--quiet", "--bare", remote.to_str().unwrap()]).expect_code(0);
    repository.git(["remote", "add", "origin", remote.to_str().unwrap()]).expect_code(0);
    set_up(environment, &example("git-hooks/pre-push"), &repository.path);
    let heads = || repository.git_in(&remote, ["log", "--all", "--format=%s"]).expect_code(0).stdout;

    environment.script("shop", "answer nothing to say; status done");
    repository.git(["push", "--quiet", "origin", "main"]).expect_code(0);
    assert_eq!((heads().as_str(), repository.jobs()), ("Begin\n", 1));

    // What the remote has, and what is deleted, needs no review.
    repository.git(["push", "--quiet", "origin", "main:refs/heads/copy"]).expect_code(0);
    repository.git(["push", "--quiet", "origin", ":copy"]).expect_code(0);
    assert_eq!(repository.jobs(), 1);

    environment.script("shop", "echo-prompt; status blocked");
    repository.commit("shop.rs", "const KEY: &str = \"sk-secret\";\n").expect_code(0);
    // Removed again, but it would be published all the same.
    repository.commit("shop.rs", "\n").expect_code(0);
    let blocked = repository.git(["push", "--quiet", "origin", "main"]).expect_code(1);
    for said in ["+const KEY: &str = \"sk-secret\";", "the review blocks this push", "git push --no-verify"] {
        assert!(blocked.stderr.contains(said), "{said} is not in {}", blocked.stderr);
    }
    assert!(!blocked.stderr.contains("The shop."), "what the remote has is not reviewed: {}", blocked.stderr);
    assert_eq!(heads(), "Begin\n");

    repository.git(["push", "--quiet", "--no-verify", "origin", "main"]).expect_code(0);
    assert_eq!(repository.jobs(), 2);
}
