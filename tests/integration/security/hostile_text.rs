//! Nothing that others wrote controls a terminal: the same poison at every entrance, every command on a terminal.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use serde_json::{Value, json};

use test_support::dispatch::submit_and_finish;
use test_support::{TestEnvironment, on_a_terminal};

/// Each way there is to control a terminal, to hide text and to reorder it, between words that are to be seen.
const POISON: &str = "see\x1b]0;PWNED\x07this\x1b]52;c;ZWNobw==\x1b\\\x1b]8;;http://x\x1b\\\x1b[2J\x1b[3A\x1b[?1049h\x1b[6n\
    \x1b[31mred\u{9b}2J\u{9d}0;PWNED\u{9c}\x1bP1$r\x1b\\\x1b_x\x1b\\\x1bc\x1b(0\x1b\x07\x08\x7f\u{8}\
    \u{202e}txt\u{2066}\u{200b}\u{200d}\u{e0041}\u{feff}\u{ad}and that";

/// The same with what overwrites a line.
fn overwriting() -> String {
    format!("{POISON}\rover")
}

/// What of a terminal's bytes is no plain text, tabs, line ends and colours apart.
fn controls(bytes: &[u8], is_allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return vec!["bytes that are no UTF-8".to_owned()] };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let sequence = rest.strip_prefix("\x1b[").map_or(character.len_utf8(), |parameters| {
            2 + parameters.find(|c: char| ('@'..='~').contains(&c)).map_or(parameters.len(), |end| end + 1)
        });
        let (sequence, after) = rest.split_at(sequence);
        let is_color = sequence.starts_with("\x1b[")
            && sequence
                .strip_suffix('m')
                .is_some_and(|it| it[2..].bytes().all(|b| b.is_ascii_digit() || b == b';'));
        let is_plain = matches!(character, '\n' | '\t')
            || !character.is_control()
                && !matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        if !(is_plain || is_color || is_allowed(sequence)) {
            found.push(sequence.escape_debug().to_string());
        }
        rest = after;
    }
    found
}

/// What a spinner is drawn with.
fn draws_a_spinner(sequence: &str) -> bool {
    matches!(sequence, "\r" | "\x1b[?25l" | "\x1b[?25h")
        || sequence.strip_prefix("\x1b[").is_some_and(|rest| {
            rest.len() <= 4
                && rest != "2J"
                && rest.ends_with(['A', 'B', 'C', 'D', 'K'])
                && rest[..rest.len() - 1].bytes().all(|byte| byte.is_ascii_digit())
        })
}

struct Scene {
    environment: TestEnvironment,
    done: String,
    failed: String,
    /// One whose record was written by hand.
    forged: String,
}

fn scene() -> Scene {
    let mut environment = TestEnvironment::new();
    environment.variable("TERM", "xterm-256color").variable("AGENT_DISPATCH_PAGER", "cat");
    let bad = yaml(POISON);
    let directory = environment.root().join("projects").join(POISON.replace('/', ""));
    fs::create_dir_all(&directory).expect("a directory with any name");
    let named = yaml(directory.to_str().expect("UTF-8"));
    environment.project("infra");
    environment.configure(&format!(
        "  evil:\n    directory: \"{named}\"\n    description: \"{bad}\"\n    instructions: \"{bad}\"\n    \
         allowed_tools: [\"Bash(x\u{202e}y:*)\"]\n    strange\u{202e}key: 1\n\
         groups:\n  gang:\n    members: [infra, evil]\n    description: \"{bad}\"\n    context: \"{bad}\"\n"
    ));
    let files = environment.root();
    fs::write(files.join(name("task")), "look").expect("a file");
    fs::write(files.join(name("broken.yaml")), format!("agents: [\"{bad}\"\n\u{202e}: {{")).expect("a file");
    fs::write(
        files.join(name("batch.yaml")),
        format!("- {{agent: infra, task: \"{bad}\"}}\n- {{agent: evil, task: \"fake: answer {bad}\"}}\n"),
    )
    .expect("a file");
    fs::write(files.join("wrong.yaml"), format!("- {{agent: \"{bad}\", task: \"{bad}\", \"{bad}\": 1}}\n"))
        .expect("a file");

    let bad = overwriting();
    let done = submit_and_finish(
        &environment,
        &format!(
            "{POISON}\nfake: text {bad}\nfake: tool Bash {bad}\nfake: tool {POISON} x\nfake: retry {} 500 1\n\
             fake: stderr {bad}\nfake: answer {bad}\\n{bad}\nfake: denied {POISON}",
            POISON.replace(' ', "_")
        ),
    );
    let failed = submit_and_finish(&environment, &format!("fake: stderr {bad}\nfake: is-error {bad}"));
    let stderr = environment.jobs_directory().join(&failed).join("stderr.log");
    let mut bytes = fs::read(&stderr).unwrap_or_default();
    bytes.extend_from_slice(b"eight bits: \x9b2J \xff\n");
    fs::write(&stderr, bytes).expect("standard error");

    let forged = submit_and_finish(&environment, "fake: answer fine");
    let mut record = environment.record(&forged);
    for field in [
        "agent",
        "task",
        "context",
        "goal",
        "caller",
        "session_id",
        "model",
        "group",
        "directory",
        "progress",
    ] {
        record[field] = json!(format!("{bad}\nstatus  done"));
    }
    for field in ["result", "error", "hint", "session_id", "model"] {
        record["result"][field] = json!(bad);
    }
    record["result"]["denied_tools"] = json!([bad]);
    record["result"]["agent"] = json!(bad);
    write_record(&environment, &forged, &record);
    Scene { environment, done, failed, forged }
}

/// The poison as it stands between the double quotes of YAML.
fn yaml(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\".contains(c) || c == ' ' {
                c.to_string()
            } else {
                format!("\\U{:08x}", c as u32)
            }
        })
        .collect()
}

/// A file's name with poison in it.
fn name(end: &str) -> String {
    format!("{}{end}", POISON.replace('/', ""))
}

fn write_record(environment: &TestEnvironment, id: &str, record: &Value) {
    let path = environment.jobs_directory().join(format!("{id}.json"));
    fs::write(path, serde_json::to_vec(record).expect("JSON")).expect("the record");
}

/// Every command that has something to say, and whether agents' words are its output.
fn commands(scene: &Scene) -> Vec<(Vec<String>, bool)> {
    let Scene { done, failed, forged, .. } = scene;
    let (bad, task, broken) = (POISON, name("task"), name("broken.yaml"));
    let answer = format!("fake: answer {}", overwriting());
    let mut lines: Vec<(Vec<&str>, bool)> = Vec::new();
    for id in [done, failed, forged] {
        lines.extend([
            (vec!["status", id], false),
            (vec!["status", id, "--json"], true),
            (vec!["wait", id], true),
            (vec!["wait", id, "--json"], true),
            (vec!["result", id], true),
            (vec!["result", id, "--no-pager"], true),
            (vec!["result", id, "--json"], true),
            (vec!["result", id, "--max-chars", "40"], true),
            (vec!["logs", id], true),
            (vec!["logs", id, done], true),
            (vec!["logs", id, "--raw"], true),
            (vec!["logs", id, "--stderr"], true),
            (vec!["logs", id, "--json"], true),
            (vec!["cancel", id], false),
            (vec!["cancel", id, "--json"], true),
        ]);
    }
    lines.extend([
        (vec!["jobs"], false),
        (vec!["jobs", "--json"], true),
        (vec!["stats"], false),
        (vec!["doctor"], false),
        (vec!["doctor", "--json"], true),
        (vec!["agents", "list"], false),
        (vec!["agents", "list", "--json"], true),
        (vec!["agents", "show", "evil"], false),
        (vec!["agents", "show", "evil", "--json"], true),
        (vec!["agents", "show", bad], false),
        (vec!["agents", "add", bad, "."], false),
        (vec!["agents", "add", "other", bad], false),
        (vec!["agents", "update", "evil", "--description", bad], false),
        (vec!["agents", "update", "evil", "--model", bad], true),
        (vec!["groups", "list"], false),
        (vec!["groups", "show", "gang"], false),
        (vec!["groups", "show", bad], false),
        (vec!["groups", "update", "gang", "--description", bad], false),
        (vec!["__complete", "agent-dispatch", "run", ""], false),
        (vec!["__complete", "agent-dispatch", "run", "--group", ""], false),
        (vec!["__complete", "agent-dispatch", "status", ""], false),
        (vec!["__complete", "agent-dispatch", "run", "x", "--task-file", "see"], false),
        (
            vec![
                "run",
                "infra",
                &answer,
                "--context",
                bad,
                "--caller",
                bad,
                "--goal",
                bad,
                "--group",
                "gang",
            ],
            true,
        ),
        (vec!["run", "infra", &answer, "-v"], true),
        (vec!["run", "infra", &answer, "--json"], true),
        (vec!["run", "infra", &answer, "--jsonl"], true),
        (vec!["run", "evil", &answer], true),
        (vec!["run", "infra", &answer, "--model", bad], true),
        (vec!["run", "infra", &answer, "--session", bad], false),
        (vec!["run", "infra", &answer, "--group", bad], false),
        (vec!["run", "infra", &answer, "--on-done", bad], true),
        (vec!["run", "infra", "--task-file", &task], true),
        (vec!["run", "infra", "--task-file", bad], false),
        (vec!["run", bad, "x"], false),
        (vec!["submit", "evil", &answer, "--timeout", bad], false),
        (vec!["retry", forged], true),
        (vec!["resume", forged, "on"], true),
        (vec!["dialogue", "infra", "evil", &answer, "--max-rounds", "1"], true),
        (vec!["batch", "wrong.yaml"], true),
        (vec!["batch", bad], true),
        (vec!["--config", &broken, "agents", "list"], false),
        (vec!["--config", bad, "agents", "list"], false),
        (vec!["--config", bad, "run", "infra", "x"], false),
        (vec!["--jobs-dir", bad, "jobs"], false),
        (vec!["--jobs-dir", bad, "result", "latest"], false),
        (vec!["status", bad], false),
        (vec!["gc", "--older-than", bad], false),
        (vec!["run", "infra", "--no\u{202e}such\x1b]0;PWNED\x07"], false),
        (vec![bad], false),
        (vec!["jobs", "--status", bad], false),
        (vec!["--color", bad, "jobs"], false),
        (vec!["init", "--config", bad], false),
    ]);
    let batch = name("batch.yaml");
    let mut lines: Vec<(Vec<String>, bool)> = lines
        .into_iter()
        .map(|(words, foreign)| (words.into_iter().map(str::to_owned).collect(), foreign))
        .collect();
    lines.push((vec!["batch".to_owned(), batch], true));
    lines
}

#[test]
fn no_command_lets_what_others_wrote_control_a_terminal() {
    let scene = scene();
    let mut wrong = Vec::new();
    for (words, _) in commands(&scene) {
        // What waits draws a spinner unless it is to be quiet.
        for quiet in [false, true] {
            let mut arguments = words.clone();
            arguments.extend(quiet.then(|| "-q".to_owned()).filter(|_| words[0] != "__complete"));
            let command =
                scene.environment.command(arguments.iter().map(|it| OsStr::from_bytes(it.as_bytes())));
            let (written, _) = on_a_terminal(command.into_command());
            let found = controls(&written, |sequence| !quiet && draws_a_spinner(sequence));
            if !found.is_empty() {
                wrong.push(format!("{words:?} quiet {quiet}: {found:?}\n  {}", written.escape_ascii()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} commands:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_watched_table_shows_nothing_that_controls_the_terminal() {
    let scene = scene();
    let watch = ["-s", "INT", "1", "agent-dispatch", "jobs", "--watch"];
    scene.environment.link("agent-dispatch", test_support::programs::agent_dispatch());
    let command = scene.environment.program("/usr/bin/timeout".as_ref(), watch);
    let (written, _) = on_a_terminal(command.into_command());
    // It takes the screen over, draws line after line, and gives the screen back.
    let draws = [
        "\r",
        "\x1b[?1049h",
        "\x1b[?25l",
        "\x1b[?7l",
        "\x1b[?7h",
        "\x1b[?25h",
        "\x1b[?1049l",
        "\x1b[H",
        "\x1b[K",
        "\x1b[J",
    ];
    let found = controls(&written, |sequence| draws.contains(&sequence));
    assert!(found.is_empty(), "{found:?}\n{}", written.escape_ascii());
    let text = String::from_utf8_lossy(&written);
    assert_eq!(text.matches("\x1b[?1049h").count(), 1, "{}", written.escape_ascii());
    assert!(text.contains("seethis"), "{}", written.escape_ascii());
}

#[test]
fn what_we_say_has_one_clean_form_in_a_pipe_too() {
    let scene = scene();
    let mut wrong = Vec::new();
    for (words, is_foreign) in commands(&scene) {
        let output = scene.environment.command(&words).run();
        let mut written = output.stderr.clone();
        if !is_foreign {
            written += &output.stdout;
        }
        let found = controls(written.as_bytes(), |_| false);
        if !found.is_empty() || written.contains("\x1b[") {
            wrong.push(format!("{words:?}: {found:?}\n  {}", written.escape_debug()));
        }
    }
    assert!(wrong.is_empty(), "{} commands:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_pipe_gets_an_answer_and_a_log_as_they_are() {
    let scene = scene();
    let stdout = |words: &[&str]| scene.environment.command(words).run().stdout;
    let answer = format!("{0}\n{0}\n", overwriting());
    assert_eq!(stdout(&["result", &scene.done]), answer);
    assert_eq!(
        stdout(&["run", "infra", &format!("fake: answer {}", overwriting()), "-q"]),
        format!("{}\n", overwriting())
    );
    assert_eq!(
        scene.environment.command(["result", &scene.done, "--json"]).run().json()["result"],
        answer.trim_end()
    );
    assert_eq!(stdout(&["logs", &scene.done, "--stderr"]), format!("{}\n", overwriting()));
    assert!(stdout(&["logs", &scene.done]).contains(&overwriting()));
}

#[test]
fn a_terminal_shows_the_words_and_the_colours_of_an_answer_and_closes_them() {
    let scene = scene();
    let on = |words: &[&str]| {
        let (written, _) = on_a_terminal(scene.environment.command(words).into_command());
        String::from_utf8(written).expect("UTF-8")
    };
    let seen = "seethis\x1b[31mredtxtand that\nover";
    let shown = on(&["result", &scene.done, "-q"]);
    assert!(shown.starts_with(&format!("{seen}\n{seen}\x1b[0m\n")), "{shown:?}");
    let shown = on(&["result", &scene.done, "-q", "--color=never"]);
    let plain = "seethisredtxtand that\nover";
    assert!(shown.starts_with(&format!("{plain}\n{plain}\n")), "{shown:?}");
    let told = on(&["status", &scene.done, "--json"]);
    assert!(
        told.contains(r"\u001b]0;PWNED\u0007this")
            && told.contains(r"\u009b2J")
            && told.contains(r"\u202etxt"),
        "{told}"
    );
    let task = serde_json::from_str::<Value>(&told).expect("JSON")["task"].clone();
    assert_eq!(task, scene.environment.record(&scene.done)["task"], "the same document");
}

#[test]
fn no_value_of_a_record_passes_for_another_line_of_its_status() {
    let scene = scene();
    let shown = scene.environment.command(["status", &scene.forged]).run().expect_code(0).stdout;
    assert_eq!(shown.lines().filter(|line| line.starts_with("status ")).count(), 1, "{shown}");
}
