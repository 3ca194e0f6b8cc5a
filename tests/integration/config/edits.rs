//! What edits of the config leave alone: everything else in it, links to it, other edits at the same time.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use test_support::{Output, TestEnvironment, quoted};

fn agents(environment: &TestEnvironment, arguments: &[&str]) -> Output {
    environment.command(["agents"]).args(arguments).run()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

#[test]
fn comments_order_and_unknown_keys_survive_every_kind_of_edit() {
    let environment = TestEnvironment::new();
    let infra = environment.project("infra");
    let directory = infra.display();
    let original = format!(
        "# Mine. Do not sort.\n\nx-anchors: &limits\n  timeout: 5m   # generous\n\nsettings: {{max_concurrency: 2}}  # flow\n\
         agents:\n  zeta:  # the last comes first\n    directory: '{directory}'\n    owner: ops   # unknown, kept\n    \
         model: opus   # dear\n\n  # about alpha\n  alpha:\n    directory: \"{directory}\"\n    <<: *limits\n\
         groups:\n  all:\n    members:\n      - zeta   # first\n\n# the end\n"
    );
    environment.write_config(&original);
    agents(&environment, &["add", "new", "projects/infra", "--description", "d"]).expect_code(0);
    let added = fs::read_to_string(environment.config()).unwrap();
    let kept: Vec<&str> = added.lines().filter(|line| original.lines().any(|old| old == *line)).collect();
    assert_eq!(kept, original.lines().collect::<Vec<_>>(), "every line is there, in order:\n{added}");
    agents(&environment, &["remove", "new"]).expect_code(0);
    assert_eq!(fs::read_to_string(environment.config()).unwrap(), original);

    agents(&environment, &["update", "zeta", "--model", "haiku"]).expect_code(0);
    let updated = fs::read_to_string(environment.config()).unwrap();
    assert_eq!(updated, original.replace("model: opus   # dear", "model: haiku   # dear"));
    agents(&environment, &["update", "zeta", "--model", "opus"]).expect_code(0);
    assert_eq!(fs::read_to_string(environment.config()).unwrap(), original);

    agents(&environment, &["remove", "alpha"]).expect_code(0);
    let removed = fs::read_to_string(environment.config()).unwrap();
    for line in [
        "# Mine. Do not sort.",
        "    owner: ops   # unknown, kept",
        "# the end",
        "  timeout: 5m   # generous",
    ] {
        assert!(removed.lines().any(|kept| kept == line), "{line} is gone:\n{removed}");
    }
}

#[test]
fn a_config_that_is_a_link_stays_one_and_its_target_changes() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let dotfiles = environment.home().join("dotfiles");
    fs::create_dir(&dotfiles).unwrap();
    let target = dotfiles.join("agents.yaml");
    fs::rename(environment.config(), &target).unwrap();
    // By way of a second link, relative to where it lies.
    symlink("agents.yaml", dotfiles.join("link.yaml")).unwrap();
    symlink("../../dotfiles/link.yaml", environment.config()).unwrap();
    agents(&environment, &["update", "infra", "--model", "opus"]).expect_code(0);
    assert!(environment.config().symlink_metadata().unwrap().is_symlink());
    assert!(dotfiles.join("link.yaml").symlink_metadata().unwrap().is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("model: opus"));

    // A link to what is not there yet is filled.
    fs::remove_file(&target).unwrap();
    agents(&environment, &["add", "infra", "projects/infra"]).expect_code(0);
    assert!(target.symlink_metadata().unwrap().is_file());
    assert!(environment.config().symlink_metadata().unwrap().is_symlink());
}

#[test]
fn only_the_owner_can_read_what_is_written_whatever_the_umask() {
    let environment = TestEnvironment::new();
    let infra = environment.project("infra");
    fs::remove_dir_all(environment.home().join(".config")).unwrap();
    let with_umask = |umask: &str, arguments: &[&str]| {
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let program = test_support::programs::agent_dispatch();
        let shell = environment.program(Path::new("/bin/sh"), ["-c", &script]).arg(program);
        shell.args(["agents"]).args(arguments).run().expect_code(0);
    };
    with_umask("000", &["add", "infra", infra.to_str().unwrap()]);
    let folder = environment.config().parent().unwrap().to_owned();
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(folder.parent().unwrap()), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    // An edit closes what somebody opened.
    fs::set_permissions(environment.config(), fs::Permissions::from_mode(0o644)).unwrap();
    with_umask("000", &["update", "infra", "--model", "opus"]);
    assert_eq!(mode(&environment.config()), 0o600);
}

#[test]
fn fifty_edits_at_once_lose_nothing() {
    let environment = TestEnvironment::new();
    environment.project("first");
    let names: Vec<String> = (0..50).map(|number| format!("agent-{number}")).collect();
    let add = |name: &String| environment.command(["agents", "add", name, "projects/first"]).spawn();
    let running: Vec<_> = names.iter().map(add).collect();
    for process in running {
        process.wait().expect_code(0);
    }
    let listed = environment.command(["agents", "list", "--json"]).run().expect_code(0).json();
    let mut listed: Vec<&str> =
        listed.as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap()).collect();
    listed.sort_unstable();
    let mut expected: Vec<&str> = names.iter().map(String::as_str).chain(["first"]).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    let left = fs::read_dir(environment.config().parent().unwrap()).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["agents.yaml", "agents.yaml.lock"], "no unfinished file is left");
}

#[test]
fn a_lock_that_is_never_released_ends_the_wait_and_names_the_cause() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let before = fs::read_to_string(environment.config()).unwrap();
    let lock = environment.config().with_extension("yaml.lock");
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();
    let start = Instant::now();
    let output = agents(&environment, &["update", "infra", "--model", "opus"]).expect_code(1);
    assert!(start.elapsed() >= Duration::from_secs(9), "it waited {:?}", start.elapsed());
    let cause = "another agent-dispatch has been editing the config for 10 s";
    assert!(output.stderr.contains(cause), "{}", output.stderr);
    assert!(output.stderr.contains(&format!("fuser {}", quoted(&lock))), "{}", output.stderr);
    assert_eq!(fs::read_to_string(environment.config()).unwrap(), before);
    // Who only reads does not wait.
    agents(&environment, &["list"]).expect_code(0);
    drop(held);
    agents(&environment, &["update", "infra", "--model", "opus"]).expect_code(0);
}

#[test]
fn an_edit_waits_for_the_one_before_it() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let held = File::create(environment.config().with_extension("yaml.lock")).unwrap();
    held.lock().unwrap();
    let mut waiting = environment.command(["agents", "update", "infra", "--model", "opus"]).spawn();
    // It has the lock's file open once it waits.
    test_support::wait_until(Duration::from_secs(10), "the edit waits for the lock", || {
        let files = fs::read_dir(format!("/proc/{}/fd", waiting.pid())).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|file| file.ends_with("agents.yaml.lock"))
    });
    assert!(waiting.is_running());
    environment.project("web");
    drop(held);
    waiting.wait().expect_code(0);
    let text = fs::read_to_string(environment.config()).unwrap();
    assert!(text.contains("model: opus") && text.contains("  web:"), "both edits are there:\n{text}");
}

#[test]
fn an_edit_that_is_refused_touches_nothing() {
    let environment = TestEnvironment::new();
    environment.project("infra");
    let before = fs::metadata(environment.config()).unwrap();
    agents(&environment, &["add", "infra", "projects/infra"]).expect_code(2);
    agents(&environment, &["update", "infra", "--model", ""]).expect_code(2);
    agents(&environment, &["remove", "web"]).expect_code(3);
    let after = fs::metadata(environment.config()).unwrap();
    assert_eq!((before.ino(), before.modified().unwrap()), (after.ino(), after.modified().unwrap()));
}
