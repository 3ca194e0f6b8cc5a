//! The conversations that Claude Code keeps, each in a file below the folder of the directory it was had in.
//!
//! Version 2.1.197 goes on with a session in that directory only, 2.1.332 from anywhere: so the folders are not told
//! apart here.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::home;
use crate::backend::{Environment, SessionId, SessionSearch};

/// How many folders are looked through; in more it would take too long.
const FOLDERS_LOOKED_AT: usize = 10_000;

/// Where the conversations of this user are; `environment` looks up a variable.
fn transcripts(environment: Environment<'_>) -> Option<PathBuf> {
    let user = environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let directory = home::configured(environment).or_else(|| Some(user?.join(".claude")))?;
    // One that is relative is meant from the directory of each agent.
    directory.is_absolute().then(|| directory.join("projects"))
}

/// Looks for a conversation.
pub(super) fn find(session: &SessionId, environment: Environment<'_>) -> SessionSearch {
    let Some(transcripts) = transcripts(environment) else { return SessionSearch::Unknown };
    match is_kept(session, &transcripts) {
        Some(true) => SessionSearch::Kept,
        Some(false) => SessionSearch::Missing(transcripts),
        None => SessionSearch::Unknown,
    }
}

/// Whether there is a conversation with this id; `None` when the files do not tell.
fn is_kept(session: &SessionId, transcripts: &Path) -> Option<bool> {
    let name = format!("{session}.jsonl");
    let mut folders = 0;
    for folder in fs::read_dir(transcripts).ok()? {
        let file = folder.ok()?.path().join(&name);
        match file.symlink_metadata() {
            Ok(_) => return Some(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(_) => return None,
        }
        folders += 1;
        if folders == FOLDERS_LOOKED_AT {
            return None;
        }
    }
    // Where there is none at all, they may be elsewhere.
    (folders > 0).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_where_any_folder_has_its_file() {
        let transcripts = tempfile::tempdir().unwrap();
        let session = SessionId::fresh();
        assert_eq!(is_kept(&session, &transcripts.path().join("nowhere")), None);
        assert_eq!(is_kept(&session, transcripts.path()), None, "an empty directory tells nothing");
        let folder = transcripts.path().join("-home-me-api");
        fs::create_dir(&folder).unwrap();
        fs::write(transcripts.path().join("a file"), "").unwrap();
        assert_eq!(is_kept(&session, transcripts.path()), Some(false));
        fs::write(folder.join(format!("{session}.jsonl")), "").unwrap();
        assert_eq!(is_kept(&session, transcripts.path()), Some(true));
        assert_eq!(is_kept(&SessionId::fresh(), transcripts.path()), Some(false));
    }

    #[test]
    fn the_sessions_are_where_the_environment_says() {
        let with = |known: &'static [(&str, &str)]| {
            transcripts(&move |name: &str| Some(known.iter().find(|(key, _)| *key == name)?.1.into()))
        };
        assert_eq!(with(&[("HOME", "/me")]), Some("/me/.claude/projects".into()));
        let both = with(&[("HOME", "/me"), ("CLAUDE_CONFIG_DIR", "/other")]);
        assert_eq!(both, Some("/other/projects".into()));
        assert_eq!(with(&[("HOME", "")]), None);
    }
}
