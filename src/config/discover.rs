//! What a project directory tells about itself, without running anything in it.
//!
//! Everything here is a guess for a person to correct, so nothing is an error: what is missing, garbled,
//! too large or no regular file is passed over.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::summary_line::{first_paragraph, one_line};
use crate::os::read_beginning;
use crate::text::plain;

/// How much of a file is read, in bytes.
const READ_BYTES: u64 = 64 * 1024;

/// How many names in the directory are looked at.
const MAX_NAMES: usize = 10_000;

/// What a project directory tells about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ProjectFacts {
    /// What the project is, in one line of at most 300 characters; empty when nothing says so.
    pub description: String,
    /// The MCP servers that `.mcp.json` names.
    pub mcp_servers: Vec<String>,
    /// Languages, frameworks and tools, such as `Rust` or `Docker`.
    pub stacks: Vec<&'static str>,
    /// Databases and the tools for them, such as `PostgreSQL` or `Prisma`.
    pub databases: Vec<&'static str>,
    /// Whether there is a `CLAUDE.md`.
    pub has_claude_md: bool,
}

/// Files whose presence tells what a project is made with.
const STACK_FILES: [(&str, &str); 26] = [
    ("Cargo.toml", "Rust"),
    ("go.mod", "Go"),
    ("pyproject.toml", "Python"),
    ("requirements.txt", "Python"),
    ("setup.py", "Python"),
    ("Pipfile", "Python"),
    ("manage.py", "Django"),
    ("tsconfig.json", "TypeScript"),
    ("deno.json", "Deno"),
    ("Gemfile", "Ruby"),
    ("pom.xml", "Java"),
    ("build.gradle", "Java"),
    ("build.gradle.kts", "Kotlin"),
    ("composer.json", "PHP"),
    ("mix.exs", "Elixir"),
    ("Package.swift", "Swift"),
    ("pubspec.yaml", "Dart"),
    ("CMakeLists.txt", "C/C++"),
    ("Dockerfile", "Docker"),
    ("docker-compose.yml", "Docker"),
    ("docker-compose.yaml", "Docker"),
    ("compose.yml", "Docker"),
    ("compose.yaml", "Docker"),
    ("Chart.yaml", "Helm"),
    ("kustomization.yaml", "Kubernetes"),
    ("ansible.cfg", "Ansible"),
];

/// Endings of file names that tell the same.
const STACK_ENDINGS: [(&str, &str); 3] = [(".tf", "Terraform"), (".csproj", "C#"), (".sln", "C#")];

/// Dependencies in `package.json` that tell what a project is made with.
const NODE_FRAMEWORKS: [(&str, &str); 9] = [
    ("typescript", "TypeScript"),
    ("next", "Next.js"),
    ("react", "React"),
    ("vue", "Vue"),
    ("svelte", "Svelte"),
    ("@angular/core", "Angular"),
    ("express", "Express"),
    ("@nestjs/core", "NestJS"),
    ("electron", "Electron"),
];

/// Names that tell which database a project has.
const DATABASE_NAMES: [(&str, &str); 6] = [
    ("prisma", "Prisma"),
    ("alembic.ini", "Alembic"),
    ("migrations", "SQL migrations"),
    ("diesel.toml", "Diesel"),
    ("drizzle.config.ts", "Drizzle"),
    ("supabase", "Supabase"),
];

/// Words in a compose file that tell the same.
const DATABASE_IMAGES: [(&str, &str); 8] = [
    ("postgres", "PostgreSQL"),
    ("mysql", "MySQL"),
    ("mariadb", "MariaDB"),
    ("mongo", "MongoDB"),
    ("redis", "Redis"),
    ("clickhouse", "ClickHouse"),
    ("elasticsearch", "Elasticsearch"),
    ("cassandra", "Cassandra"),
];

/// The beginning of a project's `CLAUDE.md`, at most `chars` characters; `None` when there is none.
pub fn claude_md(directory: &Path, chars: usize) -> Option<String> {
    let bytes = read_beginning(&directory.join("CLAUDE.md"), READ_BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    let preview: String = plain(text.trim()).chars().take(chars).collect();
    (!preview.is_empty()).then_some(preview)
}

/// Looks at the project in `directory`.
pub fn describe(directory: &Path) -> ProjectFacts {
    let mut facts = ProjectFacts::default();
    let names: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .take(MAX_NAMES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let read = |name: &str| {
        let bytes = read_beginning(&directory.join(name), READ_BYTES)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };

    let claude_md = read("CLAUDE.md");
    facts.has_claude_md = claude_md.is_some();
    // A file of 64 KiB and more is cut off, and then no JSON any more: it counts as garbled.
    let package: Option<Value> = read("package.json").and_then(|text| serde_json::from_str(&text).ok());
    facts.mcp_servers = read(".mcp.json").map(|text| mcp_servers(&text)).unwrap_or_default();

    for (name, stack) in STACK_FILES {
        if names.iter().any(|present| present == name) {
            add(&mut facts.stacks, stack);
        }
    }
    for (ending, stack) in STACK_ENDINGS {
        if names.iter().any(|present| present.ends_with(ending)) {
            add(&mut facts.stacks, stack);
        }
    }
    if names.iter().any(|present| present == "package.json") {
        add(&mut facts.stacks, "Node.js");
    }
    for (dependency, framework) in NODE_FRAMEWORKS {
        let section =
            |section: &str| package.as_ref().and_then(|p| p.get(section)?.get(dependency)).is_some();
        if section("dependencies") || section("devDependencies") {
            add(&mut facts.stacks, framework);
        }
    }
    for (name, database) in DATABASE_NAMES {
        if names.iter().any(|present| present == name) {
            add(&mut facts.databases, database);
        }
    }
    for compose in ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"] {
        let text = read(compose).unwrap_or_default();
        for (image, database) in DATABASE_IMAGES {
            if text.lines().any(|line| line.contains("image:") && line.contains(image)) {
                add(&mut facts.databases, database);
            }
        }
    }

    facts.description = claude_md
        .and_then(|text| first_paragraph(&text))
        .or_else(|| {
            let readmes = ["README.md", "README.rst", "README.txt", "README", "readme.md"];
            readmes.iter().find_map(|name| first_paragraph(&read(name)?))
        })
        .or_else(|| description_in_toml(&read("pyproject.toml")?, &["project", "tool.poetry"]))
        .or_else(|| one_line(package.as_ref()?.get("description")?.as_str()?))
        .or_else(|| description_in_toml(&read("Cargo.toml")?, &["package"]))
        .unwrap_or_default();
    facts
}

fn add(list: &mut Vec<&'static str>, item: &'static str) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn mcp_servers(text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let servers = value.get("mcpServers").and_then(Value::as_object);
    servers.into_iter().flatten().filter_map(|(name, _)| one_line(name)).collect()
}

/// The value of `description` in one of `sections` of a TOML text.
fn description_in_toml(text: &str, sections: &[&str]) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            inside = sections.iter().any(|section| header.split(']').next() == Some(section));
        } else if inside && let Some(value) = line.strip_prefix("description") {
            let value = value.trim_start().strip_prefix('=')?.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let end = value.rfind(quote).filter(|end| *end > 0)?;
            return one_line(&value[1..end].replace("\\\"", "\""));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::summary_line::LINE_CHARS;

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
        let readme =
            ("README.md", "<h1>x</h1>\n\n[![badge](x)](y)\n\n# Title\n\nFrom the\nreadme.\n\nMore.\n");
        let claude = (
            "CLAUDE.md",
            "---\na: b\n---\n# CLAUDE\n\n<!-- no\nno -->\n```\nno\n```\nFrom CLAUDE.md\n## x\n",
        );
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
}
