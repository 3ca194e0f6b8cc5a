//! The file of a batch: YAML, JSON, or one JSON object a line.

use std::path::Path;

use serde_json::{Map, Value};

use crate::config::{check_yaml_depth, nearest};
use crate::engine::{RUN_OPTIONS, Request, Task};
use crate::model::{FieldValue, JsonForm, Misfit, Row, Slot};

/// What can stand beside the items.
const DOCUMENT_FIELDS: [&str; 3] = ["dispatches", "aggregate", "aggregate_task"];

/// How the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml,
    Json,
    JsonLines,
}

/// A batch as it was written down.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) items: Vec<Item>,
    /// The agent that puts the results together.
    pub(super) aggregate: Option<String>,
    /// What that agent is told.
    pub(super) aggregate_task: Option<String>,
}

/// One dispatch.
#[derive(Debug)]
pub(super) struct Item {
    /// Where it stands, if every line is an item.
    pub(super) line: Option<usize>,
    /// The request, as far as it can be read: if there is none, something is wrong.
    pub(super) request: Option<Request>,
    /// Everything that is wrong with how it is written.
    pub(super) problems: Vec<String>,
}

/// Reads a batch. The extension of `path` says how it is written; without one that is known, the text does, and also
/// where it has an item on its first line, which no other format begins with.
///
/// # Errors
///
/// What keeps the items from being read at all, as a message that may begin with a line. What is wrong with
/// single items is in them.
pub(super) fn read(text: &str, path: &Path) -> Result<Document, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format_of(text, path) {
        Format::JsonLines => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let items = lines.map(|(number, line)| {
                let item = match serde_json::from_str(line) {
                    Ok(value) => item(&value),
                    Err(error) => Item::wrong(without_line(&error)),
                };
                Item { line: Some(number + 1), ..item }
            });
            Ok(Document { items: items.collect(), ..Document::default() })
        }
        Format::Json => document(serde_json::from_str(text).map_err(|error| error.to_string())?),
        Format::Yaml => {
            check_yaml_depth(text)?;
            let mut value: serde_yaml::Value =
                serde_yaml::from_str(text).map_err(|error| error.to_string())?;
            value.apply_merge().map_err(|error| error.to_string())?;
            document(serde_json::to_value(value).map_err(|error| error.to_string())?)
        }
    }
}

fn format_of(text: &str, path: &Path) -> Format {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let fields: Result<Map<String, Value>, _> = serde_json::from_str(first);
    if fields.is_ok_and(|fields| fields.contains_key("agent")) {
        return Format::JsonLines;
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("yaml" | "yml") => Format::Yaml,
        Some("json") => Format::Json,
        Some("jsonl" | "ndjson") => Format::JsonLines,
        _ if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => Format::Json,
        _ => Format::Yaml,
    }
}

/// What is wrong with a line, which is line 1 to the parser.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace("line 1 column", "column")
}

fn document(value: Value) -> Result<Document, String> {
    let mut document = Document::default();
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut fields) => {
            fields.retain(|_, value| !value.is_null());
            for (name, value) in &fields {
                if !DOCUMENT_FIELDS.contains(&name.as_str()) {
                    return Err(unknown(name, &DOCUMENT_FIELDS));
                }
                match (name.as_str(), value) {
                    ("dispatches", _) => {}
                    ("aggregate", Value::String(agent)) => document.aggregate = Some(agent.clone()),
                    ("aggregate_task", Value::String(task)) => document.aggregate_task = Some(task.clone()),
                    (name, value) => return Err(expected(name, "a text", value)),
                }
            }
            match fields.shift_remove("dispatches") {
                Some(Value::Array(items)) => items,
                Some(other) => return Err(expected("dispatches", "a list", &other)),
                None => return Err("the list 'dispatches' is missing".to_owned()),
            }
        }
        Value::Null => return Ok(document),
        other => return Err(format!("expected a list of dispatches, found {}", called(&other))),
    };
    document.items = items.iter().map(item).collect();
    Ok(document)
}

impl Item {
    fn wrong(problem: String) -> Self {
        Self { line: None, request: None, problems: vec![problem] }
    }
}

/// Reads an item, and collects everything that is wrong with it.
fn item(value: &Value) -> Item {
    let Value::Object(fields) = value else {
        let found = called(value);
        return Item::wrong(format!("expected a mapping with the keys agent and task, found {found}"));
    };
    let mut problems = Vec::new();
    let options = || RUN_OPTIONS.iter().filter(|row| !row.json.is_empty());
    let known: Vec<&str> = ["agent", "task"].into_iter().chain(options().map(|row| row.json)).collect();
    for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
        problems.push(unknown(name, &known));
    }
    let mut fields = Fields { fields, problems };
    let agent = fields.required("agent");
    let task = fields.required("task").and_then(|text| {
        let task = Task::new(text);
        task.map_err(|error| fields.problems.push(error.to_string())).ok()
    });
    // Also without agent and task the rest is read, and with an agent its directory can say what is wrong with it.
    let readable = agent.is_some();
    let task = task.or_else(|| Task::new("?").ok());
    let request = task.map(|task| Request::new(agent.unwrap_or_default(), task));
    let request = request.map(|mut request| {
        for row in options() {
            if let Some(value) = fields.value(row) {
                row.slot.put(&mut request, value);
            }
        }
        request
    });
    Item { line: None, request: request.filter(|_| readable), problems: fields.problems }
}

/// The fields of an item, and what is wrong with them. A null is as good as no field.
struct Fields<'a> {
    fields: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl<'a> Fields<'a> {
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.given(name)? {
            Value::String(text) => Some(text.clone()),
            other => {
                self.problems.push(expected(name, "a text", other));
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> Option<String> {
        if self.given(name).is_none() {
            self.problems.push(format!("'{name}' is missing"));
        }
        self.text(name)
    }

    /// The value of an option of a run.
    fn value(&mut self, row: &Row<Request>) -> Option<FieldValue> {
        let given = self.given(row.json)?;
        let misfit = match row.slot.of_written_json(given) {
            Ok(value) => return Some(value),
            Err(misfit) => misfit,
        };
        self.problems.push(match misfit {
            Misfit::Value(problem) => format!("'{}': {problem}", row.json),
            Misfit::Form(form) => expected(row.json, wanted(&row.slot, form), given),
        });
        None
    }
}

/// What a person would call what is wanted.
fn wanted(slot: &Slot<Request>, form: JsonForm) -> &'static str {
    match (slot, form) {
        (Slot::Duration(_), _) => "a duration: seconds, or a text such as 15m",
        (Slot::Dollars(_), _) => "an amount of US dollars",
        (_, JsonForm::Text) => "a text",
        (_, JsonForm::Flag) => "true or false",
        (_, JsonForm::Object) => "a mapping",
        (_, JsonForm::Texts) => "a list of texts",
        (_, JsonForm::Number | JsonForm::WholeNumber) => "a number",
        (_, JsonForm::None) => "nothing",
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    let meant = nearest(name, known).map(|near| format!("; did you mean '{near}'?"));
    format!("'{}' is not a known field{}", name.escape_debug(), meant.unwrap_or_default())
}

fn expected(name: &str, what: &str, found: &Value) -> String {
    format!("'{name}': expected {what}, found {}", called(found))
}

/// What a person would call it.
fn called(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str, name: &str) -> Vec<Result<Request, Vec<String>>> {
        let document = read(text, Path::new(name)).expect("a document");
        let checked = |item: Item| match item.request {
            Some(request) if item.problems.is_empty() => Ok(request),
            _ => Err(item.problems),
        };
        document.items.into_iter().map(checked).collect()
    }

    const YAML: &str = "dispatches:\n  - &base {agent: infra, task: look, timeout_seconds: 1m}\n  \
                        - {<<: *base, timeout_seconds: 90, max_budget_usd: 0.5}\naggregate: web\n";

    #[test]
    fn the_three_ways_to_write_it_mean_the_same() {
        let json = r#"[{"agent": "infra", "task": "look", "model": null}, {"agent": "web", "task": "too"}]"#;
        let lines = "{\"agent\": \"infra\", \"task\": \"look\"}\n\n{\"agent\": \"web\", \"task\": \"too\"}\n";
        let yaml = "# two\n- agent: infra\n  task: look\n- {agent: web, task: too}\n";
        let marked = format!("\u{feff}{lines}");
        for (text, name) in [
            (&marked[..], "a.jsonl"),
            (&marked, "-"),
            (json, "a.json"),
            (json, "-"),
            (lines, "a.jsonl"),
            (lines, "-"),
            (lines, "a.yaml"),
            (yaml, "a.yml"),
            (yaml, "-"),
        ] {
            let requests = items(text, name);
            let told: Vec<(&str, &str)> = requests
                .iter()
                .map(|request| request.as_ref().map(|r| (r.agent.as_str(), r.task.as_str())).expect(name))
                .collect();
            assert_eq!(told, [("infra", "look"), ("web", "too")], "{name}");
        }
        let whole = r#"{"dispatches": [{"agent": "infra", "task": "look"}], "aggregate": "web"}"#;
        assert_eq!(read(whole, Path::new("-")).expect("a document").aggregate.as_deref(), Some("web"));
    }

    #[test]
    fn times_are_numbers_or_texts_and_anchors_are_resolved() {
        let requests = items(YAML, "a.yaml");
        let seconds = |at: usize| requests[at].as_ref().unwrap().timeout.unwrap().seconds();
        assert_eq!((seconds(0), seconds(1)), (60.0, 90.0));
        assert_eq!(requests[1].as_ref().unwrap().max_budget_usd.unwrap().dollars(), 0.5);
    }

    #[test]
    fn everything_that_is_wrong_with_an_item_is_told() {
        let wrong =
            "- {agent: infra, tsk: look, timeout: 5, goal: [a], max_budget_usd: -1, no_wait: maybe}\n- 7\n";
        let problems: Vec<Vec<String>> = items(wrong, "a.yaml").into_iter().map(Result::unwrap_err).collect();
        assert_eq!(
            problems,
            [
                vec![
                    "'tsk' is not a known field; did you mean 'task'?",
                    "'timeout' is not a known field; did you mean 'timeout_seconds'?",
                    "'task' is missing",
                    "'goal': expected a text, found a list",
                    "'max_budget_usd': '-1' is not a budget: give US dollars above zero, such as 0.5 or 20",
                    "'no_wait': expected true or false, found a text",
                ],
                vec!["expected a mapping with the keys agent and task, found 7"],
            ]
        );
    }

    #[test]
    fn a_text_that_nests_without_end_is_refused_at_once() {
        let start = std::time::Instant::now();
        for part in ["{a: ", "[", "- ", "? ", "- a: "] {
            let error = read(&part.repeat(1_000_000 / part.len()), Path::new("a.yaml")).unwrap_err();
            // The last is no YAML at all.
            assert!(error.contains("levels deep") || part == "- a: ", "{part}: {error}");
        }
        let schema = format!("{}1{}", "{a: ".repeat(100), "}".repeat(100));
        let fine = format!("dispatches: [{{agent: a, task: b, response_schema: {schema}}}]");
        assert!(items(&fine, "a.yaml")[0].is_ok());
        assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    }

    #[test]
    fn what_is_no_batch_is_refused_with_its_line() {
        for (text, name, part) in [
            ("- agent: a\n  task: [\n", "a.yaml", "line"),
            ("[{]", "a.json", "line 1 column 3"),
            ("{dispatch: []}", "a.yaml", "did you mean 'dispatches'?"),
            ("{aggregate: x}", "a.yaml", "'dispatches' is missing"),
            ("just words", "-", "expected a list"),
        ] {
            let error = read(text, Path::new(name)).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        let lines = read("{\"agent\": 1}\n{x\n", Path::new("a.jsonl")).expect("lines");
        assert_eq!(lines.items[1].line, Some(2));
        assert!(lines.items[1].problems[0].contains("column 2"));
    }
}
