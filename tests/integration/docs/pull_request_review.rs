//! The example review of pull requests: the workflow's own step, run as a runner does.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::examples::{copy, example, read, yaml};
use super::readme::{checkout, installed, which};
use test_support::{Output, TestEnvironment};

/// A repository with a base commit, a commit on top of it, and the review set up as the example says.
struct PullRequest {
    environment: TestEnvironment,
    path: PathBuf,
    base: String,
    head: String,
}

impl PullRequest {
    fn new() -> Self {
        let environment = installed();
        for program in ["git", "jq"] {
            environment.link(program, &which(program));
        }
        let path = environment.root().join("projects/shop");
        let review = path.join(".github/review");
        copy(&example("github-actions"), &review);
        fs::remove_file(review.join("review.yml")).expect("the workflow, whose place is another");
        let mut request = Self { environment, path, base: String::new(), head: String::new() };
        request.git(&["init", "--quiet"]);
        request.base = request.commit("fn shop() {}\n");
        request.head = request.commit("fn shop() { panic!() }\n");
        // As the workflow checks it out.
        request.git(&["checkout", "--quiet", "--detach", &request.base]);
        request
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Me", "-c", "user.email=me@example.com"];
        let run =
            self.environment.program(&which("git"), identity.iter().chain(arguments)).directory(&self.path);
        run.run().expect_code(0).stdout.trim_end().to_owned()
    }

    fn commit(&self, content: &str) -> String {
        fs::write(self.path.join("shop.rs"), content).expect("a file");
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the workflow's step as a runner does.
    fn review(&self, from: &str, to: &str) -> Output {
        let workflow = yaml(&example("github-actions/review.yml"));
        let step =
            workflow["jobs"]["review"]["steps"].as_array().and_then(|steps| steps.last()).expect("a step");
        let script = self.environment.root().join("step.sh");
        fs::write(&script, step["run"].as_str().expect("a script")).expect("a file");
        let mut run = self.environment.program(&which("bash"), ["-e".as_ref(), script.as_os_str()]);
        for (name, value) in step["env"].as_object().expect("variables") {
            let value = match value.as_str().expect("a text") {
                "${{ github.event.pull_request.base.sha }}" => from,
                "${{ github.event.pull_request.head.sha }}" => to,
                "${{ secrets.ANTHROPIC_API_KEY }}" => "sk-fake",
                other => panic!("what is {other}?"),
            };
            run = run.env(name, value);
        }
        run.env("RUNNER_TEMP", self.environment.root().join("tmp")).directory(&self.path).run()
    }

    fn jobs(&self) -> Vec<Value> {
        let jobs = self.environment.root().join("tmp/jobs");
        let listed = self.environment.command(["--jobs-dir".as_ref(), jobs.as_os_str()]);
        let listed = listed.args(["jobs", "--json"]).run().expect_code(0).json();
        let ids =
            listed.as_array().expect("jobs").iter().map(|job| job["id"].as_str().expect("an id").to_owned());
        ids.map(|id| serde_json::from_str(&read(&jobs.join(format!("{id}.json")))).expect("a record"))
            .collect()
    }
}

#[test]
fn a_pull_request_without_findings_passes() {
    let request = PullRequest::new();
    request.environment.script("shop", "structured {\"findings\": []}");
    let passed = request.review(&request.base, &request.head).expect_code(0);
    assert_eq!(passed.stdout, "review: 0 findings\n");
    let context = request.jobs()[0]["context"].as_str().expect("a context").to_owned();
    assert!(context.contains("+fn shop() { panic!() }"), "the agent saw the change: {context}");
}

#[test]
fn findings_fail_the_check_and_cannot_give_the_runner_orders() {
    let request = PullRequest::new();
    request.environment.script(
        "shop",
        r#"structured {"findings": [{"file": "a,b.rs", "line": 3, "problem": "100% wrong\n::add-mask::x"}]}"#,
    );
    let failed = request.review(&request.base, &request.head).expect_code(9);
    assert_eq!(
        failed.stdout,
        "::error file=a%2Cb.rs,line=3::100%25 wrong%0A::add-mask::x\nreview: 1 findings\n"
    );
}

#[test]
fn a_review_that_did_not_happen_is_not_passed() {
    let request = PullRequest::new();
    for (script, code) in
        [("answer looks fine", 1), ("structured {\"findings\": \"none\"}", 1), ("is-error 401 no", 8)]
    {
        request.environment.script("shop", script);
        let failed = request.review(&request.base, &request.head);
        assert_eq!(failed.code, Some(code), "{script}: {failed:?}");
        assert!(!failed.stdout.contains("findings"), "{script}: {failed:?}");
    }
}

#[test]
fn a_pull_request_that_changes_nothing_asks_nobody() {
    let request = PullRequest::new();
    request.review(&request.base, &request.base).expect_code(0);
    assert_eq!(request.jobs(), [Value::Null; 0]);
}

#[test]
fn the_review_installs_the_versions_that_are_tested() {
    let workflow = read(&example("github-actions/review.yml"));
    let install = read(&checkout().join("tests/install-claude"));
    let claude = install.lines().find_map(|line| line.strip_prefix("version=")).expect("a version");
    assert!(workflow.contains(&format!("@anthropic-ai/claude-code@{claude}\n")), "{claude}");
    assert!(workflow.contains(&format!("agent-dispatch@{}\n", env!("CARGO_PKG_VERSION"))));
}
