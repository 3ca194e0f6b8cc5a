//! Files that are kept and must be what the tool makes today.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Rewrites the snapshots when it is set.
pub const UPDATE: &str = "UPDATE_SNAPSHOTS";

/// Panics unless a folder of the repository holds these files, by name, and no others.
#[track_caller]
pub fn assert_kept(folder: &str, made: &BTreeMap<String, String>) {
    let directory = crate::programs::checkout().join(folder);
    let kept = || -> BTreeMap<String, String> {
        let paths =
            fs::read_dir(&directory).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        paths.map(|path| (name(&path), fs::read_to_string(&path).expect("a text"))).collect()
    };
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(&directory).expect("the folder");
        for name in kept().keys().filter(|name| !made.contains_key(*name)) {
            fs::remove_file(directory.join(name)).expect("a file that is no longer made");
        }
        for (name, text) in made {
            fs::write(directory.join(name), text).expect("a snapshot");
        }
    }
    let kept = kept();
    let names: std::collections::BTreeSet<&String> = kept.keys().chain(made.keys()).collect();
    let differences: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (kept.get(name), made.get(name)) {
            (Some(kept), Some(made)) if kept == made => None,
            (Some(kept), Some(made)) => {
                let differs = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
                let line = differs.unwrap_or_else(|| kept.lines().count().min(made.lines().count()));
                let (kept, made) = (kept.lines().nth(line), made.lines().nth(line));
                let (kept, made) = (kept.unwrap_or_default(), made.unwrap_or_default());
                Some(format!("{folder}/{name}:{}\n  - {kept}\n  + {made}", line + 1))
            }
            (None, _) => Some(format!("{folder}/{name} is missing")),
            (_, None) => Some(format!("{folder}/{name} is made no longer")),
        })
        .collect();
    assert!(
        differences.is_empty(),
        "what the tool makes is not what is kept: look at the change with `{UPDATE}=1 cargo test -- snapshots help` and \
         `git diff`, and keep it if it is meant\n{}",
        differences.join("\n")
    );
}

/// Panics unless a file of the repository holds this text.
#[track_caller]
pub fn assert_text_kept(path: &str, made: &str) {
    let file = crate::programs::checkout().join(path);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&file, made).expect("a snapshot");
    }
    let kept = fs::read_to_string(&file).expect("a snapshot");
    let mut lines = kept.lines().zip(made.lines()).enumerate();
    if let Some((line, (kept, made))) = lines.find(|(_, (kept, made))| kept != made) {
        panic!("{path}:{}\n  - {kept}\n  + {made}\n(if that is meant: {UPDATE}=1)", line + 1);
    }
    assert_eq!(kept.len(), made.len(), "{path}: the end differs (if that is meant: {UPDATE}=1)");
}
