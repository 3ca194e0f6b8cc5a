//! What may import what, and what stands only in one place: read from the source itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::rust::{self as source, Source, Token};

/// A module and what may be named of it.
type Allowed = (&'static str, &'static [&'static str]);

/// What the faces name of the store: what records and answers say. The jobs themselves they have from `engine::Jobs`,
/// which may be anywhere.
const RECORDS: &[&str] = &[
    "Answer",
    "ErrorType",
    "Finished",
    "JobKind",
    "JobResult",
    "Journal",
    "Outcome",
    "Pieces",
    "Policy",
    "Record",
    "RecordedLimit",
    "RecordedRemedy",
    "RunStats",
    "State",
    "Status",
    "StoreError",
    "Unfinished",
    "UnfinishedState",
    "UnixSeconds",
    "Verdict",
    "WorkKind",
];

/// Which of our modules each of our modules may name. `*` is everything in it; otherwise the items are listed.
///
/// `commands` turns results into words, so it names the types of the config and of records. What runs a job is
/// behind `engine`, except for waiting: only a command knows which descriptors end its wait.
const ALLOWED: &[(&str, &[Allowed])] = &[
    (
        "lib",
        &[
            ("cli", &["Cli"]),
            ("commands", &["completions"]),
            ("supervisor", &["ENTRY", "enter"]),
            ("backend", &["Backends", "CHECK_ENTRY", "confine_checks", "run_check"]),
            ("os", &["overrule_umask", "reset_inherited_signals"]),
        ],
    ),
    (
        "cli",
        &[
            ("commands", &["*"]),
            ("engine", &["bury_orphans", "see_off"]),
            ("error", &["Exit"]),
            ("config", &["nearest"]),
            ("model", &["Remedy"]),
            ("ui", &["ColorChoice", "Ui", "Verbosity", "human"]),
        ],
    ),
    (
        "commands",
        &[
            ("mcp", &["*"]),
            ("engine", &["*"]),
            // What the list of backends says, and what each says about its program.
            (
                "backend",
                &[
                    "AgentSetup",
                    "BackendRef",
                    "Backends",
                    "Check",
                    "Cure",
                    "Examination",
                    "Executable",
                    "Level",
                    "McpClient",
                    "Registered",
                    "Registration",
                    "Scope",
                    "ServerCommand",
                    "Surroundings",
                ],
            ),
            ("config", &["*"]),
            ("store", RECORDS),
            ("error", &["*"]),
            ("text", &["*"]),
            ("model", &["*"]),
            ("remedy", &["*"]),
            ("ui", &["*"]),
            (
                "os",
                &[
                    "Patient",
                    "Probe",
                    "ProbeError",
                    "ProgramError",
                    "SignalWatch",
                    "absolute_entries",
                    "ask",
                    "create_private_parents",
                    "find_program",
                    "find_programs",
                    "is_ignored",
                    "read_all",
                    "read_whole",
                    "read_within",
                    "relative_entries",
                    "replace_file_keeping_mode",
                    "wait_readable",
                    "wait_readable_while_read",
                ],
            ),
        ],
    ),
    // The other face of the engine: like `commands` it puts what it hears of the config and of records into words.
    (
        "mcp",
        &[
            ("engine", &["*"]),
            ("config", &["*"]),
            ("store", RECORDS),
            ("error", &["Failure"]),
            ("text", &["*"]),
            ("model", &["*"]),
            ("remedy", &["*"]),
            ("ui", &["human"]),
        ],
    ),
    (
        "engine",
        &[
            ("supervisor", &["*"]),
            ("backend", &["*"]),
            ("store", &["*"]),
            ("config", &["*"]),
            ("os", &["*"]),
            ("text", &["*"]),
            ("model", &["*"]),
        ],
    ),
    (
        "supervisor",
        &[
            ("backend", &["*"]),
            ("store", &["*"]),
            ("config", &["*"]),
            ("os", &["*"]),
            ("text", &["*"]),
            ("model", &["*"]),
            ("remedy", &["Commands"]),
        ],
    ),
    // Of the store only what a record says, how a run ended, and the folder with what the program wrote, into
    // which an answer too long for the record goes: a backend touches no record and no lock.
    (
        "backend",
        &[
            ("text", &["*"]),
            ("model", &["*"]),
            // A check of an answer runs in a process of its own.
            (
                "os",
                &[
                    "Bounds",
                    "ProbeError",
                    "ProgramError",
                    "answer_confined",
                    "ask",
                    "find_program",
                    "find_programs",
                    "read_beginning",
                    "read_whole",
                    "run_confined",
                    "this_program",
                ],
            ),
            (
                "store",
                &[
                    "AnswerDraft",
                    "AnswerFile",
                    "DEEPEST_DATA",
                    "ErrorType",
                    "INLINE_ANSWER_BYTES",
                    "JobFolder",
                    "JobKind",
                    "JobResult",
                    "Outcome",
                    "Record",
                    "RecordedRemedy",
                    "Unfinished",
                    "UnfinishedState",
                    "WorkKind",
                    "is_too_deep",
                ],
            ),
        ],
    ),
    ("store", &[("os", &["*"]), ("text", &["*"]), ("model", &["*"])]),
    // An agent has a backend.
    (
        "config",
        &[
            ("backend", &["BackendRef", "Backends", "Executable"]),
            ("os", &["*"]),
            ("text", &["*"]),
            ("model", &["*"]),
        ],
    ),
    ("os", &[]),
    ("text", &[]),
    ("model", &[]),
    // Remedies in words: what the faces print, and records keep for readers that do not know them.
    ("remedy", &[("model", &["*"]), ("text", &["*"])]),
    (
        "ui",
        &[
            ("os", &["Patient", "find_program", "group_of", "own_group", "session_of"]),
            ("text", &["*"]),
            ("remedy", &["Commands"]),
        ],
    ),
    // One error for people out of those of every layer; only the layers above see it.
    (
        "error",
        &[
            ("engine", &["*"]),
            ("supervisor", &["*"]),
            ("backend", &["*"]),
            ("store", &["*"]),
            ("config", &["*"]),
            ("os", &["*"]),
            ("text", &["*"]),
            ("model", &["*"]),
        ],
    ),
];

/// What in a file of the module `module` names what it may not.
fn forbidden_imports(source: &Source) -> Vec<String> {
    let Some(module) = source.module.first().map(String::as_str).or(Some("lib")) else { return Vec::new() };
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{}: the module {module} has no row in the table", source.name)];
    };
    let is_ours = |name: &str| ALLOWED.iter().any(|(module, _)| *module == name);
    let paths = source::paths(source);
    let outside = paths.into_iter().filter(|path| path[0] != module && is_ours(&path[0]));
    let wrong = outside.filter(|path| {
        let Some((_, items)) = allowed.iter().find(|(name, _)| *name == path[0]) else { return true };
        !(items.contains(&"*") || path.get(1).is_some_and(|item| items.contains(&item.as_str())))
    });
    wrong.map(|path| format!("{}: {module} must not name {}", source.name, path.join("::"))).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source of the program.
pub(crate) fn sources() -> Vec<Source> {
    let directory = root().join("src");
    let mut sources: Vec<Source> = files(&directory)
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.strip_prefix(&directory).ok().and_then(Path::to_str).expect("a path below src");
            Source::new(name, &fs::read_to_string(path).expect("a source"))
        })
        .collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(sources.len() > 50, "the sources are in {}", directory.display());
    sources
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The sources in whose tokens `find` finds something, as `file: what`.
fn found(sources: &[Source], find: impl Fn(&[Token]) -> Option<&'static str>) -> Vec<String> {
    let found = sources.iter().flat_map(|source| {
        let tokens = source.without_tests();
        let hits = (0..tokens.len()).filter_map(|at| find(&tokens[at..]));
        hits.map(|what| format!("{}: {what}", source.name)).collect::<Vec<_>>()
    });
    found.collect()
}

/// Whether the tokens begin with these.
fn begins(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.text == *word)
}

fn is_in(source: &Source, module: &str) -> bool {
    source.module.first().is_some_and(|first| first == module)
}

#[test]
fn modules_name_only_what_lies_below_them() {
    let wrong: Vec<String> =
        sources().iter().filter(|s| s.name != "main.rs").flat_map(forbidden_imports).collect();
    assert_none(&wrong);
}

#[test]
fn the_table_has_a_row_for_every_module() {
    let present: BTreeSet<String> = sources()
        .iter()
        .filter(|source| source.name != "main.rs")
        .map(|source| source.module.first().cloned().unwrap_or_else(|| "lib".to_owned()))
        .collect();
    let rows: BTreeSet<String> = ALLOWED.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(present.difference(&rows).collect::<Vec<_>>(), [""; 0]);
    for (module, allowed) in ALLOWED {
        for (named, _) in *allowed {
            assert!(rows.contains(*named), "{module} may name {named}, which has no row");
        }
    }
}

#[test]
fn an_import_against_the_direction_is_found_however_it_is_written() {
    let wrong = |name: &str, text: &str| forbidden_imports(&Source::new(name, text));
    for (name, text) in [
        ("store/mod.rs", "use crate::engine::Engine;"),
        ("store/mod.rs", "use crate::{os::OwnedDir, engine::{self, Engine}};"),
        ("store/mod.rs", "use crate ::\n engine as e;"),
        ("store/mod.rs", "fn f() -> crate::engine::Engine { loop {} }"),
        ("store/mod.rs", "use super::engine;"),
        ("store/lock.rs", "use super::super::engine::Engine;"),
        ("store/lock.rs", "use super::{paths, super::engine};"),
        ("store/lock.rs", "mod inner { use super::super::super::engine; }"),
        ("store/lock.rs", "pub(in crate::engine) fn f() {}"),
        ("store/lock.rs", "macro_rules! m { () => { $crate::engine::f() } }"),
        ("ui/table.rs", "fn f(_: &crate::config::Config) {}"),
        ("os/files.rs", "impl From<crate::store::JobId> for u8 {}"),
        ("backend/mod.rs", "use crate::store::Store;"),
        ("backend/mod.rs", "use crate::store::*;"),
        ("commands/run.rs", "use crate::os::{wait_readable, spawn_owned};"),
        ("commands/run.rs", "use crate::supervisor::load_and_recover;"),
        ("error.rs", "use crate::ui::Ui;"),
        ("engine/mod.rs", "use crate::error::Exit;"),
        ("novelty/mod.rs", ""),
    ] {
        assert!(!wrong(name, text).is_empty(), "{name}: {text}");
    }
    for (name, text) in [
        ("store/mod.rs", "use crate::os::OwnedDir; use crate::store::id::JobId; use std::engine::X;"),
        ("store/lock.rs", "mod tests { use super::super::paths; use super::*; }"),
        ("store/lock.rs", "// use crate::engine;\n/* crate::engine /* crate::ui */ crate::cli */"),
        (
            "store/lock.rs",
            r####"const A: &str = "use crate::engine;\" crate::ui"; const B: &str = r#"crate::ui"#;"####,
        ),
        (
            "store/lock.rs",
            "const A: char = '\"'; const B: char = '\\''; fn f<'a>(_: &'a str) {} // \"crate::ui\"",
        ),
        ("commands/run.rs", "use crate::os::{SignalWatch, wait_readable};"),
        ("backend/mod.rs", "use crate::store::{ErrorType, Outcome}; mod engine {} use self::engine::x;"),
    ] {
        assert_none(&wrong(name, text));
    }
}

/// Where the faces decide that the jobs are those of this machine: where each of them gets its jobs from, and `doctor`, which
/// looks at this machine.
const OF_THIS_MACHINE: [&str; 4] =
    ["commands/context.rs", "commands/doctor/jobs.rs", "commands/doctor/processes.rs", "mcp/server_state.rs"];

#[test]
fn faces_see_jobs_that_may_be_anywhere() {
    let of_this_machine = |source: &Source| -> Vec<String> {
        let is_face = is_in(source, "commands") || is_in(source, "mcp");
        let is_local = |path: &Vec<String>| matches!(path.as_slice(), [engine, item, ..] if engine == "engine" && (item == "LocalJobs" || item == "Engine"));
        let paths = if is_face { source::paths(source) } else { Vec::new() };
        let named = paths.iter().filter(|path| is_local(path));
        named.map(|path| format!("{} names {}", source.name, path.join("::"))).collect()
    };
    let others = sources().into_iter().filter(|source| !OF_THIS_MACHINE.contains(&source.name.as_str()));
    assert_none(&others.flat_map(|source| of_this_machine(&source)).collect::<Vec<_>>());
    let planted = Source::new("commands/run.rs", "use crate::engine::{Jobs, LocalJobs};");
    assert_eq!(of_this_machine(&planted).len(), 1);
    assert!(!forbidden_imports(&Source::new("commands/run.rs", "use crate::store::Store;")).is_empty());
    assert!(!forbidden_imports(&Source::new("mcp/jobs.rs", "use crate::store::{Record, Store};")).is_empty());
}

#[test]
fn the_program_only_enters_the_library() {
    let text = fs::read_to_string(root().join("src/main.rs")).unwrap();
    let source = Source::new("main.rs", &text);
    let used: BTreeSet<&str> = source
        .tokens
        .windows(3)
        .filter(|window| begins(window, &["agent_dispatch", "::"]))
        .map(|window| window[2].text.as_str())
        .collect();
    assert_eq!(used, BTreeSet::from(["run"]));
}

#[test]
fn unsafe_code_is_only_in_os() {
    let others: Vec<Source> = sources().into_iter().filter(|source| !is_in(source, "os")).collect();
    assert_none(&found(&others, |tokens| begins(tokens, &["unsafe"]).then_some("unsafe")));
    let planted = Source::new("ui/mod.rs", "// unsafe\nfn f() { unsafe { g() } }");
    assert_eq!(found(&[planted], |tokens| begins(tokens, &["unsafe"]).then_some("unsafe")).len(), 1);
}

/// Ways to write to the terminal.
fn prints(tokens: &[Token]) -> Option<&'static str> {
    const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
    let a_macro = MACROS.iter().any(|name| begins(tokens, &[name, "!"]));
    const HANDLES: [&str; 2] = ["stdout", "stderr"];
    let a_handle = HANDLES.iter().any(|name| {
        ["io", "stdio"].iter().any(|module| {
            begins(tokens, &[module, "::", name, "("]) || begins(tokens, &[module, "::", name, ";"])
        })
    });
    let imported = || {
        let names = tokens[3..].iter().map(|token| token.text.as_str()).take_while(|name| *name != "}");
        names.into_iter().any(|name| HANDLES.contains(&name))
    };
    let an_import = begins(tokens, &["io", "::", "{"]) && imported();
    (a_macro || a_handle || an_import).then_some("writes to the terminal")
}

/// What writes to standard output or error and to no terminal: a supervisor's are files of its job, or nothing; MCP
/// is spoken over them; a process that only checks a schema answers its parent through a pipe.
fn has_no_terminal(source: &Source) -> bool {
    is_in(source, "supervisor") || ["mcp/streams.rs", "os/confined.rs"].contains(&source.name.as_str())
}

#[test]
fn only_ui_writes_to_the_terminal() {
    let others: Vec<Source> =
        sources().into_iter().filter(|source| !is_in(source, "ui") && !has_no_terminal(source)).collect();
    assert_none(&found(&others, prints));
    for planted in [
        "println!(\"x\")",
        "dbg! (x)",
        "let _ = std::io::stderr();",
        "io::stdout().lock()",
        "use std::io::stdout;",
        "use std::io::{self, Write, stderr};",
        "rustix::stdio::stdout()",
    ] {
        let source = Source::new("store/mod.rs", &format!("fn f() {{ {planted} }}"));
        assert_eq!(found(&[source], prints).len(), 1, "{planted}");
    }
}

/// What stands for work that is not done or thought that was spared.
fn unfinished(tokens: &[Token]) -> Option<&'static str> {
    const FORBIDDEN: [(&[&str], &str); 6] = [
        (&["todo", "!"], "todo!"),
        (&["unimplemented", "!"], "unimplemented!"),
        (&[".", "unwrap", "(", ")"], "unwrap()"),
        (&["#", "[", "allow", "("], "#[allow(…)]: use #[expect(…, reason = …)]"),
        (&["#", "!", "[", "allow", "("], "#![allow(…)]: use #[expect(…, reason = …)]"),
        (&["#", "[", "ignore"], "#[ignore]"),
    ];
    FORBIDDEN.iter().find(|(words, _)| begins(tokens, words)).map(|(_, what)| *what)
}

#[test]
fn nothing_is_left_undone_unwrapped_or_allowed() {
    assert_none(&found(&sources(), unfinished));
    for planted in ["todo!()", "x\n    .unwrap()", "#[allow(dead_code)] let x = 1;"] {
        let source = Source::new("store/mod.rs", &format!("fn f() {{ {planted} }}"));
        assert_eq!(found(&[source], unfinished).len(), 1, "{planted}");
    }
    let tests = "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); { y.unwrap(); } } }\nfn g() {}";
    assert_none(&found(&[Source::new("store/mod.rs", tests)], unfinished));
    let after = "#[cfg(test)]\nmod tests;\nfn g() { x.unwrap() }";
    assert_eq!(found(&[Source::new("store/mod.rs", after)], unfinished).len(), 1);
}

#[test]
fn no_file_is_longer_than_can_be_taken_in() {
    const LINES: usize = 450;
    let long = sources().into_iter().filter(|source| source.lines_without_tests() > LINES);
    let long: Vec<String> =
        long.map(|source| format!("{}: {} lines", source.name, source.lines_without_tests())).collect();
    assert_none(&long);
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    // In pieces, so that this file does not name them either.
    let in_pieces = |text: &str| text.replace('~', "");
    let places = ["/ro~ot/", "/wo~rk/", "/ho~me/", "/Us~ers/", "/t~mp/"].map(in_pieces);
    // What others write: an agent's own directory, its stack trace, a home that is nobody's.
    let fine = ["/$bunfs/ro~ot/", "/ho~me/me", "\"cwd\":\"/wo~rk/api\""].map(in_pieces);
    let names_a_place = |text: &str| {
        let text = fine.iter().fold(text.to_owned(), |text, fine| text.replace(fine.as_str(), ""));
        places.iter().find(|place| text.contains(place.as_str())).cloned()
    };
    let directories = ["src", "tests", "benches", "examples", "completions", "man", ".ci", ".github"]
        .map(|name| root().join(name));
    let mut paths: Vec<PathBuf> =
        directories.iter().filter(|path| path.is_dir()).flat_map(|path| files(path)).collect();
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(top.filter(|path| path.is_file() && path.file_name().is_some_and(|name| name != ".git")));
    let named: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let place = names_a_place(&String::from_utf8_lossy(&fs::read(path).unwrap()))?;
            Some(format!("{}: {place}", path.strip_prefix(root()).unwrap().display()))
        })
        .collect();
    assert_none(&named);
    assert!(names_a_place(&format!("open({}x)", places[0])).is_some());
}

#[test]
fn sources_name_who_acts() {
    // The supervisor, the caller, the user, another process: a reader has to know which.
    const VAGUE: [&str; 3] = ["whoever", "nobody", "somebody"];
    let vague = |text: &str| {
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
        words.find(|word| VAGUE.iter().any(|vague| word.eq_ignore_ascii_case(vague))).map(str::to_owned)
    };
    let found: Vec<String> = files(&root().join("src"))
        .iter()
        .filter_map(|path| {
            let text = fs::read_to_string(path).ok()?;
            let lines = text.lines().enumerate();
            let found = lines.filter_map(|(line, text)| Some(format!("{}: {}", line + 1, vague(text)?)));
            Some(found.map(|found| format!("{}:{found}", path.display())).collect::<Vec<_>>())
        })
        .flatten()
        .collect();
    assert_none(&found);
    assert_eq!(vague("// Whoever reads it").as_deref(), Some("Whoever"));
}
