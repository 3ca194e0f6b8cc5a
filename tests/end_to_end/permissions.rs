//! What the agent may do.

use serde_json::json;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

#[test]
fn an_allowed_tool_works_in_the_agents_directory() {
    in_namespace(|| {
        let scene =
            Scene::new("allowed_tools: [Bash]", [Reply::bash("pwd > where.txt"), Reply::text("written")]);
        let result = scene.run(["write down where you are", "--json"]).run().expect_code(0).json();
        let written = std::fs::read_to_string(scene.project.join("where.txt")).unwrap();
        assert_eq!(written.trim_end(), scene.project.to_str().unwrap());
        assert_eq!((&result["result"], &result["num_turns"]), (&json!("written"), &json!(2)));
        assert_eq!(result.get("denied_tools"), None);
    });
}

#[test]
fn accepted_edits_write_files_without_an_allowed_tool() {
    in_namespace(|| {
        let scene = Scene::scripted("permission_mode: acceptEdits", |request| {
            if request.conversation().contains("File created") {
                return Reply::text("written");
            }
            // The tool wants an absolute path, and the system prompt tells the directory.
            let system = request.system() + &request.conversation();
            let at = system.find("/projects/worker").expect("the prompt names the working directory");
            // A directory above may have a space in its name.
            let start = system[..at].rfind(" /").map_or(0, |space| space + 1);
            let path = format!("{}/projects/worker/note.txt", &system[start..at]);
            Reply::tool("Write", json!({"file_path": path, "content": "noted\n"}))
        });
        scene.run(["take a note"]).run().expect_code(0);
        assert_eq!(std::fs::read_to_string(scene.project.join("note.txt")).unwrap(), "noted\n");
    });
}

#[test]
fn a_denied_tool_is_listed_and_fails_only_a_strict_run() {
    in_namespace(|| {
        let replies = || [Reply::bash("touch forbidden"), Reply::text("I was not allowed to.")];
        let scene = Scene::new("", replies());
        let output = scene.run(["touch it"]).run().expect_code(0);
        assert_eq!(output.stdout, "I was not allowed to.\n");
        assert!(output.stderr.contains("agents update worker --allowed-tools Bash"), "{}", output.stderr);
        assert!(!scene.project.join("forbidden").exists());
        let record = scene.environment.only_record();
        assert_eq!(record["result"]["denied_tools"], json!(["Bash"]));
        assert_eq!((&record["status"], &record["result"]["success"]), (&json!("done"), &json!(true)));

        let strict = Scene::new("", replies());
        strict.run(["touch it", "--strict"]).run().expect_code(4);
        assert_eq!(strict.environment.only_record()["status"], "done");
    });
}

#[test]
fn the_command_of_the_hint_gives_the_permission() {
    in_namespace(|| {
        let scene = Scene::new(
            "allowed_tools: [Read]",
            [Reply::bash("touch it"), Reply::text("no"), Reply::bash("touch it"), Reply::text("yes")],
        );
        let result = scene.run(["touch it", "--json"]).run().expect_code(0).json();
        let hint = result["hint"].as_str().unwrap();
        let command = hint.split('`').nth(1).and_then(|command| command.strip_prefix("agent-dispatch "));
        scene.environment.command(command.unwrap().split(' ')).run().expect_code(0);
        let again = scene.run(["touch it", "--json"]).run().expect_code(0).json();
        assert_eq!(again.get("denied_tools"), None, "{hint}");
        assert!(scene.project.join("it").exists());
    });
}

#[test]
fn a_disallowed_tool_is_not_offered_to_the_model() {
    in_namespace(|| {
        let scene = Scene::new("disallowed_tools: [Bash, WebFetch]", [Reply::text("ok")]);
        scene.run(["look"]).run().expect_code(0);
        let turns = scene.api.turns();
        let tools = turns[0].tools();
        assert!(
            !tools.contains(&"Bash") && !tools.contains(&"WebFetch") && tools.contains(&"Read"),
            "{tools:?}"
        );
    });
}

#[test]
fn bypassing_permissions_as_root_is_refused_with_a_way_out() {
    in_namespace(|| {
        // Whoever runs the test is root in its namespace.
        let scene = Scene::new("permission_mode: bypassPermissions", [Reply::text("never asked")]);
        let output = scene.run(["anything"]).run().expect_code(4);
        assert_eq!(output.stdout, "");
        assert!(output.stderr.contains("agents update worker --permission-mode"), "{}", output.stderr);
        assert!(scene.api.turns().is_empty());
        let record = scene.environment.only_record();
        assert_eq!(
            (&record["status"], &record["result"]["error_type"]),
            (&json!("failed"), &json!("permission"))
        );
    });
}
