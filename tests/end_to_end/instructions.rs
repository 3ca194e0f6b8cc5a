//! What the agent's configuration tells the model.

use crate::scene::Scene;
use test_support::messages_api::{Reply, Request};
use test_support::namespace::in_namespace;

#[test]
fn protocol_limits_and_instructions_reach_the_system_prompt_of_every_run() {
    in_namespace(|| {
        let yaml = "instructions: Speak like a pirate.\nmax_budget_usd: 2.5\ntimeout: 600";
        let scene = Scene::new(yaml, [Reply::text("aye")]);
        let first = scene.run(["hello", "--json"]).run().expect_code(0).json();
        // Claude keeps none of it with the session.
        scene.run(["again", "--session", first["session_id"].as_str().unwrap()]).run().expect_code(0);
        let turns = scene.api.turns();
        assert_eq!(turns.len(), 2);
        for system in turns.iter().map(Request::system) {
            assert!(system.contains("## Dispatch protocol") && system.contains("STATUS: done"), "{system}");
            assert!(system.contains("You have 10m and $2.5"), "{system}");
            assert!(system.contains("Speak like a pirate."), "{system}");
        }
    });
}

#[test]
fn long_instructions_reach_it_too() {
    in_namespace(|| {
        let rules: Vec<String> =
            (0..1_000).map(|rule| format!("Rule {rule}: never break rule {rule}.")).collect();
        let scene = Scene::new(&format!("instructions: '{}'", rules.join(" ")), [Reply::text("ok")]);
        scene.run(["hello"]).run().expect_code(0);
        let system = scene.api.turns()[0].system();
        for rule in &rules {
            assert!(system.contains(rule.as_str()), "{rule}");
        }
        let command = scene.environment.only_record()["command"].to_string();
        assert!(command.contains("--append-system-prompt-file="), "{command}");
    });
}

#[test]
fn the_model_is_the_one_that_was_asked_for() {
    in_namespace(|| {
        let scene = Scene::new("model: claude-sonnet-4-5", [Reply::text("ok")]);
        let configured = scene.run(["hello", "--json"]).run().expect_code(0).json();
        assert_eq!(scene.api.turns()[0].body["model"], "claude-sonnet-4-5");
        assert_eq!(configured["model"], "claude-sonnet-4-5");
        scene.run(["hello", "--model", "claude-haiku-4-5"]).run().expect_code(0);
        assert_eq!(scene.api.turns()[1].body["model"], "claude-haiku-4-5");
    });
}

#[test]
fn what_the_caller_gives_stands_before_the_task() {
    in_namespace(|| {
        let scene = Scene::new("", [Reply::text("ok")]);
        let arguments =
            ["fix it", "--context", "it fails on Mondays", "--caller", "backend", "--goal", "ship"];
        scene.run(arguments).run().expect_code(0);
        let told = scene.api.turns()[0].conversation();
        let at = |text: &str| told.find(text).unwrap_or_else(|| panic!("{text} is missing in {told}"));
        assert!(at("ship") < at("backend") && at("backend") < at("it fails on Mondays"), "{told}");
        assert!(at("it fails on Mondays") < at("fix it"), "{told}");
    });
}
