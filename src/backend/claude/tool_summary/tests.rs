use super::*;
use serde_json::json;

#[test]
fn the_part_of_the_input_that_says_most_is_shown() {
    for (tool, input, expected) in [
        ("Bash", json!({"command": "\ncargo test \\\n  --all"}), "cargo test \\"),
        ("Read", json!({"file_path": "/a/b.rs", "limit": 3}), "/a/b.rs"),
        ("Write", json!({"content": "x", "file_path": "/a/c.rs"}), "/a/c.rs"),
        ("NotebookEdit", json!({"notebook_path": "n.ipynb"}), "n.ipynb"),
        ("Grep", json!({"pattern": "fn main", "path": "src"}), "fn main"),
        ("Task", json!({"description": "look around", "prompt": "…"}), "look around"),
        (
            "mcp__db__query",
            json!({"sql": "select\n1", "limit": 5, "deep": {"a": 1}, "list": [1, 2]}),
            "sql=select 1 limit=5 deep={…} list=[2]",
        ),
        ("Bash", json!(null), ""),
        ("Bash", json!({"command": 7}), ""),
        ("Unknown", json!([1]), ""),
    ] {
        assert_eq!(summary(tool, &input), expected, "{tool}");
    }
}

#[test]
fn a_summary_is_short_and_safe_to_print() {
    let text = summary("Bash", &json!({"command": format!("\u{1b}]0;x\u{7}{}", "y".repeat(9_999))}));
    assert!(text.chars().count() <= LIMIT && !text.contains('\u{1b}'), "{text}");
    let many: serde_json::Map<_, _> = (0..9_999).map(|n| (n.to_string(), json!("z"))).collect();
    assert!(summary("mcp__a__b", &many.into()).chars().count() <= LIMIT);
}
