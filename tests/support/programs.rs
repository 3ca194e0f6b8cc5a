//! Where the programs of a test are.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The tool under test.
pub(crate) fn agent_dispatch() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_agent-dispatch"))
}

/// The agent that does what it is told.
pub(crate) fn fake_agent() -> PathBuf {
    // target/<profile>/deps/<this test> → target/<profile>/examples/fake-agent
    let this = std::env::current_exe().expect("the path of this test binary");
    let profile = this.ancestors().nth(2).expect("a test binary lies in target/<profile>/deps");
    let agent = profile.join("examples/fake-agent");
    // `cargo test` builds it, but `cargo test --test integration` takes whatever is there.
    let built = modified(&agent);
    assert!(built.is_some(), "{} is missing: run `cargo build --examples`", agent.display());
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-agent");
    let sources = std::fs::read_dir(sources).into_iter().flatten().flatten();
    let changed = sources.filter_map(|source| modified(&source.path())).max();
    assert!(changed <= built, "{} is out of date: run `cargo build --examples`", agent.display());
    agent
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// The real claude, as `tests/install-claude` installs it, or as `AGENT_DISPATCH_TEST_CLAUDE` names it.
pub(crate) fn claude() -> Option<PathBuf> {
    let path = match std::env::var_os("AGENT_DISPATCH_TEST_CLAUDE") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("target/claude/node_modules/.bin/claude"),
    };
    // The link in `.bin` leads to the program; the test's own link must not depend on what lies beside it.
    path.canonicalize().ok()
}
