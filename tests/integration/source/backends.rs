//! A backend's name stands in its own folder and in the list, and elsewhere only where that is said here.

use std::fs;

use agent_dispatch::backend::{Backends, Executable};
use test_support::programs::checkout;

use super::architecture::sources;

/// Where an agent CLI is named outside of its folder, tests excepted, and why.
const NAMED: [(&str, &str); 24] = [
    ("backend/mod.rs", "its module"),
    ("backend/registry.rs", "the list"),
    ("backend/schema/mod.rs", "a measured fact: why a schema is checked before the run"),
    ("backend/session.rs", "a measured fact: why an id is checked"),
    ("cli.rs", "help: what init does"),
    ("commands/agents/show.rs", "CLAUDE.md describes a project to every caller"),
    ("commands/hook.rs", "the hook, which Claude Code calls as a client"),
    ("commands/init/mod.rs", "help: whom the server is registered with"),
    ("commands/init/settings.rs", "the hook in the settings of Claude Code as a client"),
    ("commands/serve_mcp.rs", "help: an example"),
    ("config/agent.rs", "the default backend, and the documents of the keys"),
    ("config/discover.rs", "CLAUDE.md describes a project to every caller"),
    ("config/mod.rs", "CLAUDE.md describes a project to every caller"),
    ("config/settings.rs", "the documents of the keys"),
    ("config/summary_line.rs", "CLAUDE.md describes a project to every caller"),
    ("mcp/agents.rs", "CLAUDE.md describes a project to every caller"),
    ("mcp/mod.rs", "a measured fact about a client"),
    ("mcp/tools.rs", "measured facts about a client, and CLAUDE.md"),
    ("mcp/waiting.rs", "a client that waits without an end"),
    ("mcp/window.rs", "a measured fact about a client"),
    ("model/tool_pattern.rs", "the patterns of a config are written as Claude Code reads them"),
    ("os/processes/mod.rs", "a measured fact about a sandbox"),
    ("os/programs.rs", "an example of a program"),
    ("supervisor/place.rs", "a measured fact: why agents have a place of their own"),
];

/// A source without its unit tests, which stand at its end.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Whether a text names the program.
fn names(text: &str, program: &str) -> bool {
    without_tests(text).to_lowercase().contains(program)
}

#[test]
fn an_agent_cli_is_named_in_its_folder_and_where_it_is_said_why() {
    for backend in Backends::BUILT_IN.profiles() {
        let Executable::Named { program, .. } = backend.executable else { continue };
        let own = format!("backend/{}/", backend.name);
        let read = |name: &str| fs::read_to_string(checkout().join("src").join(name)).expect("a source");
        let sources = sources();
        let found: Vec<&str> = sources
            .iter()
            .map(|source| source.name.as_str())
            .filter(|name| !name.starts_with(&own) && !name.ends_with("tests.rs"))
            .filter(|name| names(&read(name), program))
            .collect();
        let said: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            found, said,
            "outside of {own}, '{program}' stands in other places than those listed here"
        );
    }
    assert!(
        names("// as Claude Code does", "claude") && !names("#[cfg(test)]\nmod tests { claude }", "claude")
    );
}
