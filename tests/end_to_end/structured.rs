//! Answers as data.

use serde_json::json;

use crate::scene::Scene;
use test_support::messages_api::Reply;
use test_support::namespace::in_namespace;

const SCHEMA: &str =
    r#"{"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}"#;

fn scene(replies: impl IntoIterator<Item = Reply>) -> Scene {
    let scene = Scene::new("", replies);
    std::fs::write(scene.environment.root().join("schema.json"), SCHEMA).expect("the schema");
    scene
}

#[test]
fn a_structured_answer_is_printed_as_json() {
    in_namespace(|| {
        let scene = scene([Reply::tool("StructuredOutput", json!({"count": 3})), Reply::text("Three.")]);
        let output = scene.run(["count", "--json-schema", "schema.json"]).run().expect_code(0);
        assert_eq!(output.json(), json!({"count": 3}));
        assert!(scene.api.turns()[0].tools().contains(&"StructuredOutput"));
        assert_eq!(scene.environment.only_record()["result"]["parsed_result"], json!({"count": 3}));
    });
}

#[test]
fn an_answer_that_fits_the_schema_counts_without_the_tool() {
    in_namespace(|| {
        let scene = scene([Reply::text("Here:\n```json\n{\"count\": 4}\n```")]);
        let output = scene.run(["count", "--json-schema", "schema.json"]).run().expect_code(0);
        assert_eq!(output.json(), json!({"count": 4}));
    });
}

#[test]
fn prose_where_data_was_wanted_is_incomplete() {
    in_namespace(|| {
        let scene = scene([Reply::text("There are three.")]);
        let arguments = ["count", "--json-schema", "schema.json", "--json"];
        let result = scene.run(arguments).run().expect_code(1).json();
        assert_eq!((&result["error_type"], result.get("parsed_result")), (&json!("incomplete"), None));
        assert_eq!(result["result"], "There are three.", "what it said is kept");
        let id = result["job_id"].as_str().unwrap();
        assert!(result["hint"].as_str().unwrap().contains(&format!("agent-dispatch resume {id}")));
    });
}

#[test]
fn data_that_does_not_fit_the_schema_is_sent_back_to_the_model() {
    in_namespace(|| {
        let wrong = Reply::tool("StructuredOutput", json!({"count": "three"}));
        let right = Reply::tool("StructuredOutput", json!({"count": 3}));
        let scene = scene([wrong, right, Reply::text("Three.")]);
        let output = scene.run(["count", "--json-schema", "schema.json"]).run().expect_code(0);
        assert_eq!(output.json(), json!({"count": 3}));
    });
}
