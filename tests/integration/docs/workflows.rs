//! What runs on GitHub: this project's workflows, and the one for others that is among the examples.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::examples::{example, read, yaml};
use super::readme::{checkout, which};
use test_support::{TestEnvironment, programs};

fn workflows() -> Vec<PathBuf> {
    let own = fs::read_dir(checkout().join(".github/workflows")).expect("the workflows");
    let mut paths: Vec<PathBuf> = own.map(|entry| entry.expect("an entry").path()).collect();
    paths.push(example("github-actions/review.yml"));
    paths.sort();
    paths
}

fn jobs(workflow: &Value) -> &Map<String, Value> {
    workflow["jobs"].as_object().expect("jobs")
}

fn steps(job: &Value) -> &[Value] {
    job["steps"].as_array().expect("steps")
}

#[test]
fn every_action_is_pinned_to_a_commit_and_says_its_version() {
    let mut pins: BTreeMap<String, String> = BTreeMap::new();
    for path in workflows() {
        let text = read(&path);
        // Comments are no data of YAML, so this looks at the lines.
        for line in text.lines().filter(|line| line.trim_start_matches([' ', '-']).starts_with("uses:")) {
            let place = format!("{}: {line}", path.display());
            let (_, used) = line.split_once("uses:").expect("a value");
            let (action, pin) = used.trim().split_once('@').unwrap_or_else(|| panic!("{place}"));
            let (commit, version) =
                pin.split_once(" # v").unwrap_or_else(|| panic!("{place}: a version is missing"));
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| b"0123456789abcdef".contains(&byte)),
                "{place}"
            );
            let numbers: Vec<_> = version.split('.').collect();
            assert!(
                numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok()),
                "{place}"
            );
            let first = pins.entry(action.to_owned()).or_insert_with(|| pin.to_owned());
            assert_eq!(first, pin, "{place}: one version of an action everywhere");
        }
        // None was overlooked, such as one written in another style.
        let used =
            jobs(&yaml(&path)).values().flat_map(steps).filter(|step| step["uses"].is_string()).count();
        assert_eq!(used, text.matches("uses: ").count(), "{}", path.display());
    }
    assert_eq!(pins.len(), 6, "{pins:?}");
}

#[test]
fn a_workflow_may_do_what_it_needs_and_nothing_else() {
    for path in workflows() {
        let place = path.display();
        let workflow = yaml(&path);
        assert_eq!(workflow["permissions"], json!({}), "{place}: nothing, unless a job asks for it");
        assert!(workflow["concurrency"]["group"].is_string(), "{place}");
        assert!(workflow["on"].is_object() && workflow["on"].get("pull_request_target").is_none(), "{place}");
        for (name, job) in jobs(&workflow) {
            let place = format!("{place}: {name}");
            let permissions =
                job["permissions"].as_object().unwrap_or_else(|| panic!("{place}: permissions"));
            let writes: Vec<&str> = permissions
                .iter()
                .filter(|(_, level)| *level != "read")
                .map(|(name, _)| name.as_str())
                .collect();
            let needed: &[&str] = match name.as_str() {
                "release" => &["contents", "id-token", "attestations"],
                "crate" => &["id-token"],
                _ => &[],
            };
            assert_eq!(writes, needed, "{place}");
            assert!(job["timeout-minutes"].is_u64(), "{place}: a timeout");
            for step in steps(job) {
                if step["uses"].as_str().is_some_and(|action| action.starts_with("actions/checkout@")) {
                    assert_eq!(step["with"]["persist-credentials"], false, "{place}");
                }
                // What is put into a script is run by it; a variable is only read.
                let script = step["run"].as_str().unwrap_or_default();
                assert!(!script.contains("${{"), "{place}: {script}");
            }
        }
    }
}

#[test]
fn the_scripts_of_the_workflows_are_shell() {
    let environment = TestEnvironment::new();
    for path in workflows() {
        for step in jobs(&yaml(&path)).values().flat_map(steps) {
            let Some(script) = step["run"].as_str() else { continue };
            environment.program(Path::new("/bin/sh"), ["-n", "-c", script]).run().expect_code(0);
            let own = script.split_whitespace().filter(|word| word.starts_with(".ci/"));
            for program in own {
                assert!(checkout().join(program).is_file(), "{program} is not there");
            }
        }
    }
}

#[test]
fn updates_of_dependencies_come_together_and_not_at_once() {
    let updates = yaml(&checkout().join(".github/dependabot.yml"));
    assert_eq!(updates["version"], 2);
    let updates = updates["updates"].as_array().expect("updates");
    let ecosystems: Vec<&str> =
        updates.iter().filter_map(|update| update["package-ecosystem"].as_str()).collect();
    assert_eq!(ecosystems, ["cargo", "github-actions"]);
    for update in updates {
        assert_eq!(update["schedule"]["interval"], "weekly");
        assert_eq!(update["cooldown"]["default-days"], 7);
        assert!(update["groups"].is_object());
    }
}

#[test]
fn the_oldest_rust_is_found_in_the_manifest() {
    let environment = TestEnvironment::new();
    let workflow = yaml(&checkout().join(".github/workflows/ci.yml"));
    let script = steps(&jobs(&workflow)["oldest-rust"])[1]["run"].as_str().expect("a script").to_owned();
    for program in ["rustup", "cargo"] {
        environment.link(program, &which("echo"));
    }
    let run = environment
        .program(Path::new("/bin/sh"), ["-ec", &script])
        .directory(checkout())
        .run()
        .expect_code(0);
    let version = env!("CARGO_PKG_RUST_VERSION");
    assert_eq!(
        run.stdout,
        format!("toolchain install {version} --profile minimal\n+{version} check --locked\n")
    );
}

#[test]
fn a_packed_release_holds_a_working_binary_and_its_papers() {
    let environment = TestEnvironment::new();
    let target = environment.root().join("target");
    let pack = checkout().join(".ci/pack");
    let arguments = ["some-target".as_ref(), programs::agent_dispatch().as_os_str()];
    let packed = environment.program(&pack, arguments).env("CARGO_TARGET_DIR", &target).run().expect_code(0);
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("agent-dispatch-{version}-some-target");
    let archive = target.join("packed").join(format!("{name}.tar.gz"));
    assert_eq!(packed.stdout.trim_end(), archive.to_str().expect("a path"));

    let extract = ["-xzf".as_ref(), archive.as_os_str()];
    environment.program(&which("tar"), extract).run().expect_code(0);
    let unpacked = environment.root().join(&name);
    for file in ["README.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"] {
        assert!(unpacked.join(file).is_file(), "{file} is missing");
    }
    for directory in ["completions", "man"] {
        assert_eq!(unpacked.join(directory).is_dir(), checkout().join(directory).is_dir(), "{directory}");
    }
    let run = environment.program(&unpacked.join("agent-dispatch"), ["--version"]).run().expect_code(0);
    assert_eq!(run.stdout, format!("agent-dispatch {version}\n"));
}
