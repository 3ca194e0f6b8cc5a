//! The README's tour with the real claude.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;
use test_support::programs;

#[test]
fn the_readmes_tour_works_with_the_real_claude() {
    in_namespace(|| {
        let checkout = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let readme = fs::read_to_string(checkout.join("README.md")).expect("the README");
        let blocks = readme.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
        let setup = ["sh examples/first-run.sh", "tests/run"];
        let tour: Vec<&str> = blocks.filter(|block| !setup.contains(block)).collect();
        let scene = Scene::new("", [Reply::text("In its record.\n\nSTATUS: done")]);
        let environment = &scene.environment;
        environment.link("agent-dispatch", programs::agent_dispatch());
        let path = std::env::var_os("PATH").expect("a PATH");
        let python = std::env::split_paths(&path).map(|directory| directory.join("python3"));
        let python = python.into_iter().find(|path| path.exists()).expect("python3 is needed");
        environment.link("python3", &python.canonicalize().expect("a file"));
        let script = environment.root().join("tour.sh");
        fs::write(&script, format!("set -eu\n{}\n", tour.join("\n"))).expect("a script");
        let run = environment.program(Path::new("/bin/sh"), [script.as_os_str()]).directory(checkout);
        let output = run.deadline(Duration::from_secs(120)).run().expect_code(0);
        assert!(output.stdout.matches("In its record.").count() >= 5, "{}", output.stdout);
        assert!(scene.api.turns().len() >= 5, "the real claude asked the API");
    });
}
