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
