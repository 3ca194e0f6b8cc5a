//! What a tool call is about, in one line.

use serde_json::Value;

use crate::text::one_line;

/// How long a summary gets, in characters.
const LIMIT: usize = 120;

/// What a tool is used for: the part of its input a person would ask about first.
pub(super) fn summary(tool: &str, input: &Value) -> String {
    let field = |names: &[&str]| {
        names.iter().find_map(|name| input.get(name).and_then(Value::as_str)).unwrap_or_default()
    };
    let text = match tool {
        "Bash" | "PowerShell" => field(&["command"]).trim().lines().next().unwrap_or_default(),
        "Read" | "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => field(&["file_path", "notebook_path"]),
        "Grep" | "Glob" => field(&["pattern"]),
        "LS" => field(&["path"]),
        "Task" | "Agent" => field(&["description", "subagent_type", "prompt"]),
        "WebFetch" => field(&["url"]),
        "WebSearch" | "ToolSearch" => field(&["query"]),
        "Skill" => field(&["skill", "command"]),
        "BashOutput" | "KillShell" | "TaskStop" | "TaskOutput" => field(&["task_id", "shell_id", "bash_id"]),
        // The answer itself; it is shown as the answer.
        "StructuredOutput" => "",
        _ => return one_line(&compact(input), LIMIT),
    };
    one_line(text, LIMIT)
}

/// Arguments as `name=value`, for unknown tools.
fn compact(input: &Value) -> String {
    let Value::Object(fields) = input else { return String::new() };
    let mut text = String::new();
    for (name, value) in fields {
        if text.len() > LIMIT * 4 {
            break;
        }
        let value = match value {
            Value::String(value) => one_line(value, LIMIT),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(values) => format!("[{}]", values.len()),
            Value::Object(_) => "{…}".to_owned(),
        };
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(&value);
    }
    text
}

#[cfg(test)]
mod tests {
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
}
