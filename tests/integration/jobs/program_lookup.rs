//! Which program is run when only its name is said: never one of the directory that an agent works in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use test_support::dispatch::{AGENT, with_agent};
use test_support::{TestEnvironment, programs, quoted};

/// Makes a program that leaves a file behind.
fn trap(environment: &TestEnvironment, path: &Path) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    let mark = environment.root().join("trapped");
    fs::write(path, format!("#!/bin/sh\ntouch '{}'\necho trapped\n", mark.display())).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("an executable");
}

#[test]
fn an_entry_of_path_that_is_not_absolute_is_skipped_for_every_program() {
    let environment = with_agent();
    environment.link("assistant", &programs::fake_agent());
    environment.project_with("tool", "backend: command\ncommand: [assistant, --plain]");
    let path = format!("{}:/usr/bin:/bin", environment.bin().display());
    for project in [AGENT, "tool"] {
        for directory in ["", "node_modules/.bin"] {
            for name in ["claude", "assistant", "tell", "ps"] {
                let project = environment.root().join("projects").join(project);
                trap(&environment, &project.join(directory).join(name));
                trap(&environment, &environment.root().join("tmp").join(directory).join(name));
            }
        }
    }
    for entry in ["", ".", "./", "node_modules/.bin", "node_modules/../."] {
        for agent in [AGENT, "tool"] {
            let run = environment
                .command(["run", agent, "fake: answer fine"])
                .env("PATH", format!("{entry}:{path}"));
            let output = run.directory(environment.root().join("tmp")).run().expect_code(0);
            assert_eq!(output.stdout, "fine\n", "PATH={entry}:…");
            let run = environment.command(["run", agent, "x", "--on-done", "tell"]);
            let refused = run.env("PATH", format!("{entry}:{path}")).run().expect_code(3);
            assert!(refused.stderr.contains("'tell'"), "{}", refused.stderr);
        }
        let only = environment.command(["run", AGENT, "x"]).env("PATH", entry).run().expect_code(3);
        assert!(only.stderr.contains("'claude'"), "{}", only.stderr);
        for command in [&["doctor"][..], &["init", "--no-register"]] {
            let command = environment.command(command).env("PATH", format!("{entry}:{path}"));
            command.directory(environment.root().join("tmp")).run();
        }
    }
    assert!(!environment.root().join("trapped").exists(), "a program of a working directory was run");
}

#[test]
fn the_doctor_names_the_entries_of_path_that_are_not_absolute() {
    let environment = with_agent();
    let path = format!("{}:/usr/bin:/bin", environment.bin().display());
    let doctor = environment.command(["doctor", "--json"]).env("PATH", format!(":node_modules/.bin:{path}"));
    let document = doctor.run().json();
    let findings = document["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["id"] == "path").expect("a finding");
    assert_eq!(finding["level"], "warning");
    assert_eq!(finding["fix"], format!("export PATH={}", quoted(Path::new(&path))).as_str());
    assert!(finding["found"].as_str().unwrap().contains("'', 'node_modules/.bin'"), "{finding}");
}
