//! What another user could have written is not obeyed: configs, the usage journal, agents' directories.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use test_support::dispatch::{AGENT, project, run, with_agent, with_agent_configured};
use test_support::namespace::{in_mount_namespace, with_other_users};
use test_support::{TestEnvironment, quoted};

/// A user who is neither root nor the one of the tests.
const STRANGER: u32 = 65_534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Every way to have a config obeyed.
fn entrances() -> Vec<Vec<&'static str>> {
    [
        "run infra hi",
        "submit infra hi",
        "batch",
        "dialogue infra infra hi",
        "retry latest",
        "resume latest",
        "agents list",
        "agents show infra",
        "agents add other .",
        "agents update infra --timeout 5",
        "agents remove infra",
        "groups list",
        "groups add g --member infra",
        "stats",
        "gc",
        "init --no-register",
    ]
    .map(|line| line.split(' ').collect())
    .into()
}

/// Whether a command is refused because of the config, with everything that has to be said.
#[track_caller]
fn expect_refused(environment: &TestEnvironment, config: &Path, exposed: &str, fix: &str) {
    let items = environment.root().join("items.jsonl");
    fs::write(&items, "{\"agent\": \"infra\", \"task\": \"hi\"}\n").expect("a batch");
    let before = fs::read(config).expect("the config");
    for mut command in entrances() {
        let items = items.display().to_string();
        if command == ["batch"] {
            command.push(&items);
        }
        let output = environment.command(["--config", &config.display().to_string()]).args(&command).run();
        let output = output.expect_code(2);
        for said in [
            format!("refused the config {} as untrusted", config.display()),
            exposed.to_owned(),
            format!("`{fix}`"),
            format!("export AGENT_DISPATCH_TRUST={}", quoted(config)),
        ] {
            assert!(output.stderr.contains(&said), "{command:?}: {said} is missing in {}", output.stderr);
        }
    }
    assert_eq!(fs::read(config).expect("the config"), before, "it was edited");
    assert!(!project(environment).join("ran").exists(), "the agent was started");
    // The one that explains.
    let told = environment.command(["--config", &config.display().to_string(), "doctor", "--json"]).run();
    let told = told.expect_code(1).json();
    let findings = told["findings"].as_array().expect("findings");
    let is_told = |finding: &&Value| {
        finding["level"] == "error"
            && finding["fix"].as_str().is_some_and(|told| told.ends_with(fix_end(fix)))
    };
    assert!(findings.iter().any(|finding| is_told(&finding)), "{told:#}");
    // And the way out that is printed.
    let real = config.canonicalize().expect("the config");
    for vouched in [config, real.parent().expect("a directory")] {
        let output = environment
            .command(["--config", &config.display().to_string(), "agents", "list"])
            .env("AGENT_DISPATCH_TRUST", vouched)
            .run();
        output.expect_code(0);
    }
}

/// The verb and the mode of a command that mends: how a path is written differs.
fn fix_end(fix: &str) -> &str {
    fix.rsplit('/').next().unwrap_or(fix)
}

fn config_of(environment: &TestEnvironment, place: &str) -> PathBuf {
    let config = environment.root().join(place);
    fs::create_dir_all(config.parent().expect("a directory")).expect("a directory");
    set_mode(config.parent().expect("a directory"), 0o700);
    let text = format!(
        "agents:\n  infra:\n    directory: {}\n    backend: command\n    command: [touch, ran]\n",
        project(environment).display()
    );
    fs::write(&config, text).expect("a config");
    set_mode(&config, 0o600);
    config
}

#[test]
fn a_config_that_every_user_can_write_is_refused_at_every_entrance() {
    let environment = with_agent();
    let config = config_of(&environment, "place/agents.yaml");
    set_mode(&config, 0o666);
    let fix = format!("chmod 600 {}", quoted(&config));
    expect_refused(&environment, &config, "it can be written by every user (mode 0666)", &fix);
}

#[test]
fn a_config_of_another_user_is_refused() {
    with_other_users(|| {
        let environment = with_agent();
        let config = config_of(&environment, "place/agents.yaml");
        chown(&config, Some(STRANGER), None).expect("a gift");
        let fix = format!("chown 0 {}", quoted(&config));
        expect_refused(&environment, &config, "it belongs to another user (uid 65534)", &fix);
        // Who became root by sudo has given it to nobody else.
        let sudo = environment.command(["--config", &config.display().to_string(), "agents", "list"]);
        sudo.env("SUDO_UID", STRANGER.to_string()).run().expect_code(0);
    });
}

#[test]
fn a_config_in_a_directory_that_others_can_write_is_refused_and_also_what_a_link_leads_to() {
    let environment = with_agent();
    let config = config_of(&environment, "place/agents.yaml");
    let directory = config.parent().expect("a directory");
    set_mode(directory, 0o777);
    let exposed = format!("{} can be written by every user (mode 0777)", directory.display());
    let fix = format!("chmod go-w {}", quoted(directory));
    expect_refused(&environment, &config, &exposed, &fix);
    let link = environment.root().join("link.yaml");
    symlink(&config, &link).expect("a link");
    let refused = environment.command(["--config", &link.display().to_string(), "agents", "list"]).run();
    assert!(refused.expect_code(2).stderr.contains(&exposed));
    // Where only owners replace files, all is well.
    set_mode(directory, 0o1777);
    environment.command(["--config", &config.display().to_string(), "agents", "list"]).run().expect_code(0);
}

#[test]
fn a_config_that_is_found_by_way_of_a_directory_that_others_can_write_is_refused() {
    let environment = with_agent();
    let root = environment.root().canonicalize().expect("the root");
    let config = config_of(&environment, "safe/agents.yaml");
    let (open, mine) = (root.join("open"), root.join("mine"));
    fs::create_dir_all(open.join("sub")).expect("directories");
    fs::create_dir(&mine).expect("a directory");
    // A link in the middle of a chain, which another user can give another end.
    symlink("../safe", open.join("l")).expect("a link");
    symlink("../open/l/agents.yaml", mine.join("agents.yaml")).expect("a link");
    // And a directory that another user can put in the place of this one.
    fs::copy(&config, open.join("sub/agents.yaml")).expect("a config");
    let list =
        |config: &Path| environment.command(["--config", &config.display().to_string(), "agents", "list"]);
    for config in
        [mine.join("agents.yaml"), open.join("sub/agents.yaml"), open.join("sub/../../safe/agents.yaml")]
    {
        set_mode(&open, 0o777);
        let exposed = format!("{} can be written by every user (mode 0777)", open.display());
        expect_refused(&environment, &config, &exposed, &format!("chmod go-w {}", open.display()));
        set_mode(&open, 0o1777);
        list(&config).run().expect_code(0);
        set_mode(&open, 0o755);
        list(&config).run().expect_code(0);
    }
}

#[test]
fn a_path_that_the_variable_cannot_name_is_refused_without_a_way_out_that_does_not_work() {
    let environment = with_agent();
    let config = config_of(&environment, "a:b/agents.yaml");
    set_mode(&config, 0o666);
    let refused = environment.command(["--config", &config.display().to_string(), "agents", "list"]).run();
    let said = refused.expect_code(2).stderr;
    assert!(said.contains("`chmod 600 ") && said.contains("without ':'"), "{said}");
    assert!(!said.contains("export AGENT_DISPATCH_TRUST"), "{said}");
}

#[test]
fn a_group_with_nobody_else_in_it_may_write_and_another_may_not() {
    with_other_users(|| {
        let environment = with_agent();
        let config = config_of(&environment, "place/agents.yaml");
        set_mode(&config, 0o660);
        let list = || environment.command(["--config", &config.display().to_string(), "agents", "list"]);
        list().run().expect_code(0);
        chown(&config, None, Some(STRANGER)).expect("another group");
        set_mode(&config, 0o660);
        let refused = list().run().expect_code(2);
        assert!(
            refused.stderr.contains("can be written by the group with gid 65534 (mode 0660)"),
            "{}",
            refused.stderr
        );
    });
}

#[test]
fn what_can_be_written_only_where_nothing_can_be_is_fine() {
    in_mount_namespace(|| {
        let environment = with_agent();
        let config = config_of(&environment, "place/agents.yaml");
        set_mode(&config, 0o666);
        let place = config.parent().expect("a directory");
        let mount = |program: &str, options: &[&str]| {
            let mounted = Command::new(program).args(options).arg(place).status().expect("it runs");
            assert!(mounted.success(), "{program} {options:?}");
        };
        mount("mount", &["--bind", &place.display().to_string()]);
        mount("mount", &["-o", "remount,bind,ro"]);
        environment
            .command(["--config", &config.display().to_string(), "agents", "list"])
            .run()
            .expect_code(0);
        mount("umount", &[]);
    });
}

#[test]
fn a_config_from_a_pipe_and_the_empty_one_are_read() {
    let environment = with_agent();
    let program = test_support::programs::agent_dispatch().display().to_string();
    let script = format!(
        "{program} --config <(echo 'agents: {{}}') agents list && {program} --config /dev/null agents list"
    );
    environment.program(Path::new("/bin/bash"), ["-c", &script]).run().expect_code(0);
}

#[test]
fn the_journal_of_another_user_is_neither_written_nor_read() {
    with_other_users(|| {
        let environment = with_agent();
        let journal = environment.root().join("usage.jsonl");
        let with_journal =
            |words: &[&str]| environment.command(words).env("AGENT_DISPATCH_USAGE_LOG", &journal);
        for (owner, mode) in [(STRANGER, 0o600), (STRANGER, 0o666), (0, 0o666)] {
            fs::write(&journal, "").expect("a journal");
            chown(&journal, Some(owner), None).expect("a gift");
            set_mode(&journal, mode);
            for command in [&["run", AGENT, "hi"][..], &["submit", AGENT, "hi"], &["stats"]] {
                let refused = with_journal(command).run().expect_code(2);
                assert!(refused.stderr.contains("refused the usage journal"), "{}", refused.stderr);
                let way_out = format!("AGENT_DISPATCH_TRUST={}", quoted(&journal));
                assert!(refused.stderr.contains(&way_out), "{}", refused.stderr);
            }
        }
        assert_eq!(fs::read_to_string(&journal).expect("the journal"), "");
        with_journal(&["run", AGENT, "hi"]).env("AGENT_DISPATCH_TRUST", &journal).run().expect_code(0);
        assert_eq!(fs::read_to_string(&journal).expect("the journal").lines().count(), 1);
        // One that becomes another's while a job runs is not written either.
        fs::remove_file(&journal).expect("no journal");
        let task = format!("fake: shell touch {0}; chown {STRANGER} {0}\nfake: answer hi", quoted(&journal));
        with_journal(&["run", AGENT, &task]).run();
        assert_eq!(fs::read_to_string(&journal).unwrap_or_default(), "");
    });
}

#[test]
fn a_journal_in_a_directory_that_others_can_write_is_refused() {
    let environment = with_agent();
    let open = environment.root().join("open");
    fs::create_dir_all(open.join("mine")).expect("directories");
    set_mode(&open, 0o777);
    for journal in [open.join("usage.jsonl"), open.join("mine/usage.jsonl")] {
        let with_journal =
            |words: &[&str]| environment.command(words).env("AGENT_DISPATCH_USAGE_LOG", &journal);
        for command in [&["run", AGENT, "hi"][..], &["submit", AGENT, "hi"], &["stats"]] {
            let refused = with_journal(command).run().expect_code(2);
            assert!(refused.stderr.contains("refused the usage journal"), "{}", refused.stderr);
            let said = format!("{} can be written by every user", open.display());
            assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        }
        assert!(!journal.exists());
        with_journal(&["run", AGENT, "hi"]).env("AGENT_DISPATCH_TRUST", &journal).run().expect_code(0);
        assert!(journal.exists());
    }
}

#[test]
fn an_agents_directory_of_another_user_is_warned_of() {
    with_other_users(|| {
        let environment = with_agent();
        chown(project(&environment), Some(STRANGER), None).expect("a gift");
        let belongs = "belongs to another user (uid 65534)";
        for command in [&["run", AGENT, "hi"][..], &["submit", AGENT, "hi"], &["retry", "latest"]] {
            let output = environment.command(command).run().expect_code(0);
            assert!(output.stderr.contains(belongs), "{}", output.stderr);
        }
        let found = environment.command(["doctor"]).run();
        assert!(found.stdout.contains(belongs) && found.stdout.contains("agents update infra --trusted"));
        environment.command(["agents", "update", AGENT, "--trusted"]).run().expect_code(0);
        let output = run(&environment, "hi").expect_code(0);
        assert!(!output.stderr.contains("another user"), "{}", output.stderr);
        assert!(!environment.command(["doctor"]).run().stdout.contains(belongs));
    });
}

#[test]
fn an_agents_directory_that_is_everybodys_is_refused_unless_it_is_trusted() {
    with_other_users(|| {
        let environment = with_agent_configured("");
        let settings = project(&environment).join(".claude");
        fs::create_dir(&settings).expect("a directory");
        for place in [project(&environment), settings] {
            set_mode(&place, 0o777);
            let warned = run(&environment, "hi").expect_code(0);
            assert!(warned.stderr.contains("can be written by every user (mode 0777)"), "{}", warned.stderr);
            chown(&place, Some(STRANGER), None).expect("a gift");
            let refused = run(&environment, "hi").expect_code(2);
            assert!(refused.stderr.contains("refused the agent's directory"), "{}", refused.stderr);
            let vouched = environment.command(["run", AGENT, "hi"]);
            vouched.env("AGENT_DISPATCH_TRUST", project(&environment)).run().expect_code(0);
            chown(&place, Some(0), None).expect("back");
            set_mode(&place, 0o755);
        }
    });
}

#[test]
fn a_jobs_directory_below_one_that_every_user_can_write_is_refused() {
    let environment = with_agent();
    let open = environment.root().join("open");
    fs::create_dir_all(open.join("a")).expect("directories");
    set_mode(&open, 0o777);
    let jobs = open.join("a/jobs");
    let with_jobs = |words: &[&str]| environment.command(words).arg("--jobs-dir").arg(&jobs);
    for command in [&["run", AGENT, "hi"][..], &["jobs"], &["status", "latest"]] {
        let refused = with_jobs(command).run().expect_code(2);
        let said = format!("{} can be written by every user", open.display());
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    }
    assert!(!jobs.exists());
    with_jobs(&["run", AGENT, "hi"]).env("AGENT_DISPATCH_TRUST", &jobs).run().expect_code(0);
    set_mode(&open, 0o1777);
    with_jobs(&["run", AGENT, "hi"]).run().expect_code(0);
}

#[test]
fn a_jobs_directory_that_is_found_by_way_of_a_link_which_others_can_replace_is_refused() {
    let environment = with_agent();
    let root = environment.root();
    for name in ["mine", "open", "safe"] {
        fs::create_dir(root.join(name)).expect("a directory");
    }
    symlink("../safe", root.join("open/sl")).expect("a link");
    symlink("../open/sl", root.join("mine/sl2")).expect("a link");
    let jobs = root.join("mine/sl2/jobs");
    let with_jobs = |words: &[&str]| environment.command(words).arg("--jobs-dir").arg(&jobs);
    with_jobs(&["run", AGENT, "hi"]).run().expect_code(0);
    set_mode(&root.join("open"), 0o777);
    for command in [&["run", AGENT, "hi"][..], &["jobs"], &["status", "latest"]] {
        let refused = with_jobs(command).run().expect_code(2);
        assert!(refused.stderr.contains("open can be written by every user"), "{}", refused.stderr);
    }
    let doctor = with_jobs(&["doctor"]).run().expect_code(1);
    assert!(doctor.stdout.contains("open can be written by every user"), "{}", doctor.stdout);
}
