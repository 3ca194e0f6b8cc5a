//! Where the programs of a test are.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

/// Copies a program, so that it can be run at once: a file that this process has written may still be open for writing
/// in a child that another test is about to start.
#[track_caller]
pub fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").args([from, to]).status();
    assert!(copied.is_ok_and(|status| status.success()), "cp to {}", to.display());
}

/// The root of the checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// Where Cargo has put what it built together with this test: `target/<profile>`, above `deps/<this test>`.
fn built() -> PathBuf {
    let this = std::env::current_exe().expect("the path of this test binary");
    this.ancestors().nth(2).expect("a test binary lies in target/<profile>/deps").to_owned()
}

/// The tool under test. Cargo builds it before it runs a test of the whole program.
pub fn agent_dispatch() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| built().join("agent-dispatch"));
    &PATH
}

/// The agent that does what it is told.
pub fn fake_agent() -> PathBuf {
    example("fake-agent")
}

/// The tool with one more backend.
pub fn small_backend() -> PathBuf {
    example("small-backend")
}

/// An example, whose sources are in the folder of `tests` that has its name.
fn example(name: &str) -> PathBuf {
    let program = built().join("examples").join(name);
    // `cargo test` builds it, but `cargo test --test integration` takes whatever is there.
    let built = modified(&program);
    assert!(built.is_some(), "{} is missing: run `cargo build --examples`", program.display());
    let sources = std::fs::read_dir(checkout().join("tests").join(name)).into_iter().flatten().flatten();
    let changed = sources.filter_map(|source| modified(&source.path())).max();
    assert!(changed <= built, "{} is out of date: run `cargo build --examples`", program.display());
    program
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// The newest of the real claudes, as `tests/install-claude` installs them, or the one `AGENT_DISPATCH_TEST_CLAUDE` names.
pub fn claude() -> Option<PathBuf> {
    claudes().pop()
}

/// The real claudes, the newest last: for what depends on the version. None unless all of them are installed.
pub fn claudes() -> Vec<PathBuf> {
    let paths = match std::env::var_os("AGENT_DISPATCH_TEST_CLAUDE") {
        Some(path) => vec![PathBuf::from(path)],
        None => pins().iter().map(|pin| installed(pin)).collect(),
    };
    // The link in `.bin` leads to the program; the test's own link must not depend on what lies beside it.
    let found: Option<Vec<PathBuf>> = paths.iter().map(|path| path.canonicalize().ok()).collect();
    found.unwrap_or_default()
}

/// The versions that `tests/install-claude` installs, the newest last.
pub fn pins() -> Vec<String> {
    let script = checkout().join("tests/install-claude");
    let script = std::fs::read_to_string(&script).expect("tests/install-claude");
    let pin = |name: &str| script.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    ["oldest", "version"].into_iter().map(|name| pin(name).expect("a version").to_owned()).collect()
}

fn installed(pin: &str) -> PathBuf {
    checkout().join("target/claude").join(pin).join("node_modules/.bin/claude")
}
