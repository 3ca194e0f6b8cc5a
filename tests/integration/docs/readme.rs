//! What the README prints works as printed, and so do the examples.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::{TestEnvironment, programs, skip};

pub(crate) fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// An environment like a user's after installing: the tool and `claude` are on the `PATH`.
pub(crate) fn installed() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.link("agent-dispatch", programs::agent_dispatch());
    let python = which("python3");
    environment.link("python3", &python);
    environment
}

pub(crate) fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{program} is needed")).canonicalize().expect("a file")
}

/// The blocks of the README that are to be run as they are.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(checkout().join("README.md")).expect("the README");
    let blocks = readme.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    blocks.map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_readme_works_in_the_order_it_is_printed() {
    let blocks = commands();
    // Installing and testing are what led here.
    let (setup, tour): (Vec<String>, Vec<String>) = blocks
        .into_iter()
        .partition(|block| ["sh examples/first-run.sh", "tests/run"].contains(&block.as_str()));
    assert_eq!(setup.len(), 2, "one command installs, one runs the tests");
    assert!(tour.len() > 5, "the tour is there");
    let environment = installed();
    let script = environment.root().join("tour.sh");
    fs::write(&script, format!("set -eu\n{}\n", tour.join("\n"))).expect("a script");
    let run = environment.program(Path::new("/bin/sh"), [script.as_os_str()]).directory(checkout()).run();
    let output = run.expect_code(0);
    assert!(output.stdout.contains("AGENT     DIRECTORY"), "{}", output.stdout);
}

/// The lines of a picture of a terminal, without the spinner, and with a mark for each number or id.
fn lines_of(picture: &str) -> Vec<String> {
    let texts = picture.lines().filter_map(|line| line.strip_suffix("</text>")?.rsplit('>').next());
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_hexdigit() || "-.$s,".contains(c));
    let plain = |word: &str| if is_number(word) { "#".to_owned() } else { word.to_owned() };
    let line = |text: &str| text.split(' ').map(plain).collect::<Vec<_>>().join(" ");
    texts.map(|text| line(text.trim_start_matches(|c| !char::is_ascii(&c)).trim())).collect()
}

#[test]
fn the_picture_shows_what_the_program_prints_and_no_place_of_this_machine() {
    if !Path::new("/usr/bin/tmux").exists() {
        return skip("there is no tmux: install it to make the picture of the README");
    }
    let environment = installed();
    let made = environment.root().join("terminal.svg");
    let programs = programs::agent_dispatch().parent().expect("a folder");
    let script = checkout().join("tests/record-terminal");
    let arguments = [script.as_os_str(), made.as_os_str(), programs.as_os_str()];
    environment.program(&which("python3"), arguments).run().expect_code(0);
    let made = fs::read_to_string(made).expect("a picture");
    let kept = fs::read_to_string(checkout().join("examples/terminal.svg")).expect("the picture");
    assert_eq!(lines_of(&made), lines_of(&kept), "`tests/record-terminal` makes the picture again");
    assert!(lines_of(&kept).len() > 20, "{kept}");
    assert!(kept.len() < 40_000 && !kept.contains("<script"), "{} bytes", kept.len());
    let place = ["home", "root", "tmp", "Users"].iter().find(|place| kept.contains(&format!("/{place}")));
    assert_eq!(place, None);
}

/// Runs the first-run script, for which `cargo install` has been done already.
fn first_run(environment: &TestEnvironment) -> String {
    let root = environment.root().join("installed");
    fs::create_dir_all(root.join("bin")).expect("a directory");
    let tool = root.join("bin/agent-dispatch");
    if !tool.exists() {
        std::os::unix::fs::symlink(programs::agent_dispatch(), &tool).expect("a link");
        // Building takes minutes; that it works is shown by these tests being there.
        environment.link("cargo", Path::new("/bin/true"));
    }
    let script = checkout().join("examples/first-run.sh");
    let run =
        environment.program(Path::new("/bin/sh"), [script.as_os_str()]).env("CARGO_INSTALL_ROOT", &root);
    run.run().expect_code(0).stderr
}

#[test]
fn the_first_run_uses_claude_where_there_is_one_and_can_be_repeated() {
    let environment = TestEnvironment::new();
    for _ in 0..2 {
        let said = first_run(&environment);
        assert!(said.contains("agent kind used: claude"), "{said}");
    }
    assert!(environment.job_ids().iter().all(|id| environment.record(id)["status"] == "done"));
}

#[test]
fn the_first_run_works_without_claude_and_says_so() {
    let environment = TestEnvironment::without_claude();
    let said = first_run(&environment);
    assert!(said.contains("claude is not installed: using a command agent"), "{said}");
    assert!(said.contains("agent kind used: command"), "{said}");
    assert_eq!(environment.only_record()["backend"], "command");
}
