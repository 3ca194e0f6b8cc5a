//! The config and the agents in it.

use super::*;

#[test]
fn what_is_wrong_with_the_config_is_told() {
    const EDIT: &str = "${EDITOR:-vi} HOME/.config/agent-dispatch/agents.yaml";
    check(&[
        (
            |environment| environment.write_config("agents: [\n"),
            &[("config", "error", EDIT), ("agents", "note", "")],
        ),
        (
            |environment| {
                fs::remove_file(environment.config()).unwrap();
            },
            &[
                ("config", "note", "agent-dispatch init"),
                ("agents", "note", "agent-dispatch agents add NAME DIR"),
            ],
        ),
        (
            |environment| {
                environment.configure("setings: {}\n");
            },
            &[("config-warning", "warning", EDIT)],
        ),
        (
            |environment| {
                environment.configure("groups:\n  shop:\n    members: [api, wep]\n");
            },
            &[("group-member", "warning", "agent-dispatch groups update shop --remove-member wep")],
        ),
        (
            |environment| set_mode(&environment.config(), 0o644),
            &[("config-access", "note", "chmod 600 HOME/.config/agent-dispatch/agents.yaml")],
        ),
        (
            |environment| set_mode(&environment.config(), 0o666),
            &[("config-access", "error", "chmod 600 HOME/.config/agent-dispatch/agents.yaml")],
        ),
        (
            |environment| set_mode(environment.config().parent().unwrap(), 0o777),
            &[("config-directory", "error", "chmod go-w HOME/.config/agent-dispatch")],
        ),
        (
            |environment| {
                let elsewhere = environment.root().join("tmp/agents.yaml");
                fs::rename(environment.config(), &elsewhere).unwrap();
                symlink(&elsewhere, environment.config()).unwrap();
                set_mode(&environment.root().join("tmp"), 0o777);
            },
            &[("config-directory", "error", "chmod go-w ~/tmp")],
        ),
    ]);
}

#[test]
fn what_is_wrong_with_an_agent_is_told() {
    check(&[
        (
            |environment| fs::remove_dir_all(environment.root().join("projects/api")).unwrap(),
            &[("agent-directory", "error", "agent-dispatch agents update api --directory DIR")],
        ),
        (
            |environment| fs::remove_file(environment.root().join("projects/api/CLAUDE.md")).unwrap(),
            &[("agent-claude-md", "note", "cd ~/projects/api && claude /init")],
        ),
        (
            |environment| {
                environment
                    .command(["agents", "update", "api", "--unset", "description,max_budget_usd"])
                    .run();
            },
            &[
                ("agent-description", "note", "agent-dispatch agents update api --description TEXT"),
                ("agent-budget", "note", "agent-dispatch agents update api --max-budget-usd 2"),
            ],
        ),
        (
            |environment| {
                environment.command(["agents", "update", "api", "--unset", "permission_mode"]).run();
            },
            &[("agent-read-only", "note", "agent-dispatch agents update api --permission-mode acceptEdits")],
        ),
        (
            |environment| {
                let tools = ["--allowed-tools", "Read,Bash", "--disallowed-tools", "Bash"];
                environment.command(["agents", "update", "api"]).args(tools).run().expect_code(0);
            },
            &[("agent-tools", "warning", "agent-dispatch agents update api --allowed-tools Read")],
        ),
        (
            |environment| {
                environment.project_with("tool", "backend: command\ncommand: [missing-program]");
            },
            &[("agent-program", "error", "agent-dispatch agents update tool --command PROGRAM")],
        ),
        (
            |environment| {
                let settings = environment.root().join("projects/api/.claude");
                fs::create_dir(&settings).unwrap();
                write(&settings.join("settings.json"), &json!({"permissions": {"allow": ["Bash(ls *)"]}}));
            },
            &[("agent-trust", "warning", "cd ~/projects/api && claude")],
        ),
        (
            |environment| {
                let settings = environment.root().join("projects/api/.claude");
                fs::create_dir(&settings).unwrap();
                write(&settings.join("settings.local.json"), &json!({"sandbox": {"enabled": true}}));
            },
            &[("agent-sandbox", "warning", "${EDITOR:-vi} ~/projects/api/.claude/settings.local.json")],
        ),
    ]);
}

#[test]
fn what_can_be_mended_by_its_command_alone_is_mended_by_it() {
    let update = |environment: &TestEnvironment, arguments: &[&str]| {
        environment.command(["agents", "update", "api"]).args(arguments).run().expect_code(0);
    };
    let breakages: [&dyn Fn(&TestEnvironment); 9] = [
        &|environment| set_mode(&environment.config(), 0o666),
        &|environment| set_mode(&environment.config(), 0o640),
        &|environment| set_mode(environment.config().parent().unwrap(), 0o777),
        &|environment| {
            environment.configure("groups:\n  shop:\n    members: [api, wep]\n");
        },
        &|environment| update(environment, &["--unset", "max_budget_usd,permission_mode,description"]),
        &|environment| {
            update(environment, &["--allowed-tools", "Bash(a b),Read", "--disallowed-tools", "Bash(a b)"]);
        },
        &|environment| update(environment, &["--allowed-tools", "Bash", "--disallowed-tools", "Bash"]),
        &|environment| {
            finished_job(environment);
            set_mode(&environment.jobs_directory(), 0o755);
            set_mode(&environment.jobs_directory().join(".run"), 0o750);
        },
        &|environment| {
            for _ in 0..2 {
                let id = finished_job(environment);
                fs::write(environment.jobs_directory().join(format!("{id}.json")), "{").unwrap();
            }
            // Which moves them aside.
            environment.command(["jobs"]).run().expect_code(0);
        },
    ];
    for (number, break_it) in breakages.iter().enumerate() {
        let environment = healthy();
        environment.link("agent-dispatch", programs::agent_dispatch());
        break_it(&environment);
        let found = problems(&environment);
        assert!(!found.is_empty(), "case {number} is noticed");
        for (_, _, fix) in found {
            environment.program(Path::new("/bin/sh"), ["-c", &fix]).run().expect_code(0);
        }
        assert_eq!(problems(&environment), [], "case {number}");
    }
}

#[test]
fn a_trusted_folder_has_its_permissions() {
    let environment = healthy();
    let project = environment.root().join("projects/api");
    fs::create_dir(project.join(".claude")).unwrap();
    // A repository of its own: trust in one that the temporary directory lies in would be looked for there.
    fs::create_dir(project.join(".git")).unwrap();
    write(&project.join(".claude/settings.json"), &json!({"permissions": {"allow": ["Bash(ls *)"]}}));
    let mut state_now = registered(programs::agent_dispatch());
    state_now["projects"] = json!({project.to_str().unwrap(): {"hasTrustDialogAccepted": true}});
    write(&state(&environment), &state_now);
    assert_eq!(problems(&environment), []);
}

#[test]
fn the_mode_that_allows_everything_is_refused_to_root_only() {
    let mut environment = healthy();
    environment.command(["agents", "update", "api", "--permission-mode", "bypassPermissions"]).run();
    let fix = "agent-dispatch agents update api --permission-mode acceptEdits".to_owned();
    let refused = vec![("agent-permission-mode".to_owned(), "error".to_owned(), fix)];
    let expected = if rustix::process::getuid().is_root() { refused } else { Vec::new() };
    assert_eq!(problems(&environment), expected);
    environment.variable("IS_SANDBOX", "1");
    assert_eq!(problems(&environment), []);
}
