//! What `doctor` says of the real claude, compared with what claude itself says and does.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use test_support::messages_api::{MessagesApi, Reply};
use test_support::namespace::in_namespace;
use test_support::{Invocation, TestEnvironment, programs};

fn environment() -> TestEnvironment {
    TestEnvironment::with_claude(&programs::claude().expect("in_namespace made sure of it"))
}

/// claude itself, without anything it could do beside what it is asked.
fn claude(environment: &TestEnvironment, arguments: &[&str]) -> Invocation {
    let program = programs::claude().expect("in_namespace made sure of it");
    let quiet = ["DISABLE_AUTOUPDATER", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"];
    quiet.iter().fold(environment.program(&program, arguments), |invocation, name| invocation.env(name, "1"))
}

/// The findings with this id.
fn findings(invocation: Invocation, id: &str) -> Vec<Value> {
    let document = invocation.args(["doctor", "--json"]).run().json();
    let findings = document["findings"].as_array().expect("findings").iter();
    findings.filter(|finding| finding["id"] == id).cloned().collect()
}

#[track_caller]
fn finding(invocation: Invocation, id: &str) -> Value {
    let found = findings(invocation, id);
    assert_eq!(found.len(), 1, "{id}: {found:?}");
    found[0].clone()
}

fn doctor(environment: &TestEnvironment) -> Invocation {
    environment.command([""; 0])
}

#[test]
fn the_real_claude_has_a_version_and_every_option() {
    in_namespace(|| {
        let environment = environment();
        let version = finding(doctor(&environment), "claude-version");
        assert_eq!(version["level"], "ok");
        let newest = programs::pins().pop().expect("a pin");
        let told = format!("claude {newest} (Claude Code): ");
        assert!(version["found"].as_str().unwrap().starts_with(&told), "{version}");
        assert_eq!(finding(doctor(&environment), "claude-options")["level"], "ok");
        // And what the fixes tell to run is there.
        for command in [&["auth", "login"][..], &["update"], &["mcp", "remove"]] {
            let help = claude(&environment, command).arg("--help").run().expect_code(0).stdout;
            assert!(help.contains(&format!("Usage: claude {}", command[0])), "{command:?}: {help}");
        }
        assert!(!environment.home().join(".claude").exists(), "nothing was written");
    });
}

#[test]
fn who_is_logged_in_is_what_claude_says_itself() {
    let settings = (".claude/settings.json", json!({"apiKeyHelper": "echo key"}));
    let credentials = (
        ".claude/.credentials.json",
        json!({"claudeAiOauth": {"accessToken": "sk-ant-oat01-x", "refreshToken": "sk-ant-ort01-x",
            "expiresAt": 4_102_444_800_000_u64, "scopes": ["user:inference"], "subscriptionType": "max"}}),
    );
    let account = (".claude.json", json!({"oauthAccount": {"emailAddress": "me@example.org"}}));
    let managed = (".claude.json", json!({"primaryApiKey": "sk-ant-x"}));
    let key = ("ANTHROPIC_API_KEY", "sk-ant-x");
    let token = ("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-x");
    /// Files of the home, variables, and claude's own word for the way.
    type Case<'a> = (&'a [&'a (&'a str, Value)], &'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: &[Case<'_>] = &[
        (&[], &[], "none", "no user is logged in"),
        (&[&account], &[], "none", "no user is logged in"),
        (&[], &[key], "api_key", "by ANTHROPIC_API_KEY, which bills the API"),
        (&[], &[token], "oauth_token", "with a subscription, by CLAUDE_CODE_OAUTH_TOKEN"),
        (&[], &[token, key], "api_key", "by ANTHROPIC_API_KEY"),
        (&[], &[("ANTHROPIC_AUTH_TOKEN", "x"), key], "oauth_token", "by ANTHROPIC_AUTH_TOKEN"),
        (&[&credentials], &[], "claude.ai", "with a subscription (max)"),
        (&[&credentials], &[key], "api_key", "the subscription you are logged in with is not used"),
        (&[&credentials, &settings], &[], "api_key_helper", "by apiKeyHelper in "),
        (&[&managed], &[], "api_key", "by primaryApiKey in "),
        (&[&credentials], &[("CLAUDE_CODE_USE_BEDROCK", "1"), key], "third_party", "Amazon Bedrock"),
        (&[], &[("CLAUDE_CODE_USE_VERTEX", "1")], "third_party", "Google Vertex AI"),
    ];
    in_namespace(|| {
        for (files, variables, method, said) in cases {
            let environment = environment();
            fs::create_dir(environment.home().join(".claude")).unwrap();
            for (name, content) in *files {
                fs::write(environment.home().join(name), content.to_string()).unwrap();
            }
            let with = |invocation: Invocation| {
                variables.iter().fold(invocation, |invocation, (name, value)| invocation.env(name, value))
            };
            let login = finding(with(doctor(&environment)), "claude-login");
            let status = with(claude(&environment, &["auth", "status"])).run().json();
            assert_eq!(status["authMethod"], *method, "{files:?} {variables:?}: {status}");
            assert_eq!(status["loggedIn"], login["level"] != "error", "{files:?} {variables:?}: {login}");
            assert!(login["found"].as_str().unwrap().contains(said), "{files:?} {variables:?}: {login}");
        }
    });
}

#[test]
fn a_server_that_claude_registers_is_found_in_its_scope() {
    in_namespace(|| {
        let environment = environment();
        let server = json!({"command": programs::agent_dispatch(), "args": ["serve-mcp"]}).to_string();
        for scope in ["user", "local", "project"] {
            let add = ["mcp", "add-json", "agent-dispatch", &server, "-s", scope];
            claude(&environment, &add).directory(environment.root()).run().expect_code(0);
            let found = finding(doctor(&environment), "mcp-registered");
            assert_eq!(found["level"], "ok");
            assert!(found["found"].as_str().unwrap().contains(&format!("({scope} scope)")), "{found}");
            assert_eq!(finding(doctor(&environment), "mcp-server")["level"], "ok");
            let remove = ["mcp", "remove", "agent-dispatch", "-s", scope];
            claude(&environment, &remove).directory(environment.root()).run().expect_code(0);
            assert_eq!(finding(doctor(&environment), "mcp-registered")["level"], "note");
        }
    });
}

#[test]
fn rules_are_ignored_without_trust_exactly_where_it_is_said() {
    in_namespace(|| {
        let api = MessagesApi::start(|_| Reply::text("ok"));
        let mut environment = environment();
        environment.messages_api(&api);
        let project = environment.project_with("api", "");
        let inner = project.join("inner");
        for directory in [&project, &inner] {
            fs::create_dir_all(directory.join(".claude")).unwrap();
            let rules = json!({"permissions": {"allow": ["Bash(touch *)"]}}).to_string();
            fs::write(directory.join(".claude/settings.json"), rules).unwrap();
        }
        environment.project("inner");
        let config = fs::read_to_string(environment.config()).unwrap();
        let elsewhere = environment.root().join("projects/inner");
        environment.write_config(&config.replace(elsewhere.to_str().unwrap(), inner.to_str().unwrap()));

        let trust = |path: &Path| {
            let state = json!({"projects": {path.to_str().unwrap(): {"hasTrustDialogAccepted": true}}});
            fs::write(environment.home().join(".claude.json"), state.to_string()).unwrap();
        };
        let check = |directory: &Path, agent: &str, expected: bool| {
            let run = claude(&environment, &["-p"]).stdin("hello").directory(directory).run().expect_code(0);
            assert_eq!(run.stderr.contains("Ignoring 1 permissions.allow entry"), expected, "{}", run.stderr);
            let found = findings(doctor(&environment), "agent-trust");
            let warned = found.iter().any(|one| one["agent"] == agent && one["level"] == "warning");
            assert_eq!(warned, expected, "{agent}: {found:?}");
        };
        // Without a repository it is the directory. Where the tests themselves lie in one, that would be meant.
        if !environment.root().ancestors().any(|above| above.join(".git").exists()) {
            trust(&project);
            check(&project, "api", false);
            check(&inner, "inner", true);
        }
        // In a repository it is the repository that is trusted.
        environment
            .program(Path::new("/usr/bin/git"), ["init", "-q"])
            .directory(&project)
            .run()
            .expect_code(0);
        trust(&project);
        check(&inner, "inner", false);
        trust(&inner);
        check(&inner, "inner", true);
    });
}

#[test]
fn the_mode_that_allows_everything_is_refused_to_root_as_it_is_said() {
    in_namespace(|| {
        let api = MessagesApi::start(|_| Reply::text("ok"));
        let mut environment = environment();
        environment.messages_api(&api);
        let project = environment.project_with("api", "permission_mode: bypassPermissions");
        for (variable, value, is_refused) in
            [("NOTHING", "1", true), ("IS_SANDBOX", "0", true), ("IS_SANDBOX", "1", false)]
        {
            let arguments = ["-p", "--permission-mode=bypassPermissions"];
            let run =
                claude(&environment, &arguments).env(variable, value).stdin("hello").directory(&project);
            run.run().expect_code(i32::from(is_refused));
            let found = findings(doctor(&environment).env(variable, value), "agent-permission-mode");
            assert_eq!(found.len(), usize::from(is_refused), "{variable}={value}: {found:?}");
        }
    });
}
