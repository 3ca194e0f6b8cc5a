use super::*;
use crate::config::prose::LINE_CHARS;

fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, ProjectFacts) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let facts = describe(directory.path());
    (directory, facts)
}

fn description(files: &[(&str, &str)]) -> String {
    project(files).1.description
}

#[test]
fn the_description_is_the_first_that_says_something() {
    let cargo =
        ("Cargo.toml", "[dependencies]\n[package]\nname = \"x\"\ndescription = \"From \\\"Cargo\\\"\"\n");
    let package = ("package.json", r#"{"description": "From npm"}"#);
    let python = ("pyproject.toml", "[project]\ndescription = 'From Python'\n");
    let readme = ("README.md", "<h1>x</h1>\n\n[![badge](x)](y)\n\n# Title\n\nFrom the\nreadme.\n\nMore.\n");
    let claude =
        ("CLAUDE.md", "---\na: b\n---\n# CLAUDE\n\n<!-- no\nno -->\n```\nno\n```\nFrom CLAUDE.md\n## x\n");
    assert_eq!(description(&[cargo]), "From \"Cargo\"");
    assert_eq!(description(&[cargo, package]), "From npm");
    assert_eq!(description(&[cargo, package, python]), "From Python");
    assert_eq!(description(&[cargo, package, python, readme]), "From the readme.");
    assert_eq!(description(&[cargo, package, python, readme, claude]), "From CLAUDE.md");
    assert_eq!(description(&[("README.md", "# Only a title\n")]), "Only a title");
    assert_eq!(description(&[("README.md", "Title\n=====\n\nText\n")]), "Title");
    assert_eq!(description(&[]), "");
}

#[test]
fn what_every_claude_md_says_is_passed_over() {
    let text = "# CLAUDE.md\n\nThis file provides guidance to Claude Code (claude.ai/code) when working\n\
                    with code in this repository.\n\n## Overview\n\nBilling service.\n";
    assert_eq!(description(&[("CLAUDE.md", text)]), "Billing service.");
    let (head, _) = text.split_once("## Overview").unwrap();
    assert_eq!(description(&[("CLAUDE.md", head), ("README.md", "Billing.")]), "Billing.");
}

#[test]
fn a_description_is_one_clean_line_of_bounded_length() {
    let long = "wörd ".repeat(200);
    let found = description(&[("README.md", &long)]);
    assert!(found.chars().count() <= LINE_CHARS && found.ends_with("wörd…"), "{found}");
    let found = description(&[("README.md", "a\u{1b}[31mred\u{7}\tb\u{202e}c\0d")]);
    assert_eq!(found, "ared bcd");
}

#[test]
fn stacks_databases_and_servers_are_recognised_by_their_files() {
    let (_directory, facts) = project(&[
        ("Cargo.toml", ""),
        ("main.tf", ""),
        ("package.json", r#"{"dependencies": {"react": "1"}, "devDependencies": {"typescript": "5"}}"#),
        ("compose.yaml", "services:\n  db:\n    image: postgres:16\n  cache:\n    image: redis\n"),
        ("alembic.ini", ""),
        (".mcp.json", r#"{"mcpServers": {"github": {}, "a\nb": {}}}"#),
    ]);
    assert_eq!(facts.stacks, ["Rust", "Docker", "Terraform", "Node.js", "TypeScript", "React"]);
    assert_eq!(facts.databases, ["Alembic", "PostgreSQL", "Redis"]);
    assert_eq!(facts.mcp_servers, ["github", "a b"]);
    assert!(!facts.has_claude_md);
}

#[test]
fn garbled_missing_huge_and_special_files_are_passed_over() {
    let (directory, facts) = project(&[
        ("package.json", "{"),
        (".mcp.json", "[1]"),
        ("pyproject.toml", "[project]\ndescription = \"\ndescription = \"\n"),
        ("CLAUDE.md", &"\u{0}".repeat(1_000_000)),
    ]);
    assert_eq!(facts.description, "");
    assert_eq!(facts.mcp_servers, [""; 0]);
    let path = directory.path();
    fs::create_dir(path.join("README.md")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path.join("README"), rustix::fs::Mode::RUSR).unwrap();
    std::os::unix::fs::symlink("README", path.join("Cargo.toml")).unwrap();
    assert_eq!(describe(path).description, "");
    assert_eq!(describe(&path.join("missing")), ProjectFacts::default());
}
