//! A run that may only cost so much.

use serde_json::json;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

#[test]
fn a_run_that_reaches_its_cap_keeps_what_it_said() {
    in_namespace(|| {
        let work = json!({"command": "true", "description": "Work"});
        let costly = Reply::text("Half of it is done.").and_tool("Bash", work).usage(1_000_000, 100_000);
        let scene = Scene::new("allowed_tools: [Bash]", [costly, Reply::text("never said")]);
        let output = scene.run(["do it", "--max-budget-usd", "0.5"]).run().expect_code(5);
        assert_eq!(output.stdout, "Half of it is done.\n");
        let hint = output.stderr;
        assert!(hint.contains("spend cap of $0.50") && hint.contains("--max-budget-usd 1.00"), "{hint}");
        assert_eq!(scene.api.turns().len(), 1);
        let record = scene.environment.only_record();
        let result = &record["result"];
        assert_eq!((&record["status"], &result["error_type"]), (&json!("failed"), &json!("budget")));
        assert_eq!(result["budget_exceeded"], true);
        assert!(result["cost_usd"].as_f64().unwrap() > 0.5, "{result}");
    });
}
