//! Which conversation of an agent CLI a run is part of.

use std::fmt;

use uuid::Uuid;

use super::RefusedArgument;
use crate::text::one_line;

/// What of a value that is no session id an error shows, in characters.
const SHOWN: usize = 100;

/// The longest id of a session that is no UUID, in bytes.
const WORD_LIMIT: usize = 128;

/// The id of a conversation of an agent CLI, checked by its backend.
///
/// `claude --resume`, for one, takes more than ids: the path of a file (`../x.jsonl`), which it reads into the conversation
/// *and appends to*, and the title of a session. So nothing becomes an id, and with it an argument, that was not checked
/// for being one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// The id of a session that does not exist yet.
    pub fn fresh() -> Self {
        Self::of(Uuid::new_v4())
    }

    /// An id that is a UUID. It is kept in lower case, as agent CLIs make it: a session has one name, and a file system
    /// that ignores case no second one for it.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for anything else.
    pub fn uuid(text: &str) -> Result<Self, RefusedArgument> {
        // With hyphens and nothing around it: the other forms of a UUID are no session ids to agent CLIs.
        let uuid =
            if text.len() == uuid::fmt::Hyphenated::LENGTH { Uuid::try_parse(text).ok() } else { None };
        uuid.map(Self::of).ok_or_else(|| refused(text, "a UUID such as 6f0c9d0e-7a3b-4c1d-8e2f-00112233aabb"))
    }

    /// An id that is a word of letters, digits, `-` and `_`, beginning with a letter or a digit: neither an option nor a
    /// part of a path.
    ///
    /// # Errors
    ///
    /// [`RefusedArgument`] for anything else.
    pub fn word(text: &str) -> Result<Self, RefusedArgument> {
        let is_word = text.len() <= WORD_LIMIT
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let word = is_word.then(|| Self(text.to_owned()));
        word.ok_or_else(|| refused(text, "a word of letters, digits, '-' and '_'"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(uuid: Uuid) -> Self {
        Self(uuid.as_hyphenated().to_string())
    }
}

fn refused(text: &str, expected: &'static str) -> RefusedArgument {
    if text.trim().is_empty() {
        return RefusedArgument::Empty { field: "session id" };
    }
    RefusedArgument::NotASession { value: one_line(text, SHOWN), expected }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The conversation that a run is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// None: the program keeps none.
    None,
    /// A new one, whose id the program makes up.
    New,
    /// A new one, under an id chosen before the start.
    NewAs(SessionId),
    /// One that exists.
    Resume(SessionId),
}

impl Session {
    /// Its id, as far as that is known before the start.
    pub fn id(&self) -> Option<&SessionId> {
        match self {
            Self::None | Self::New => None,
            Self::NewAs(id) | Self::Resume(id) => Some(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_with_hyphens_is_a_session_id() {
        let id = "0190163d-8694-439b-aea5-966c26f8ad91";
        assert_eq!(SessionId::uuid(id).map(|id| id.to_string()), Ok(id.to_owned()));
        assert_eq!(SessionId::uuid(&id.to_uppercase()), SessionId::uuid(id));
        for text in [
            "",
            " ",
            "bad",
            "--help",
            "../other/secret.jsonl",
            "/var/0190163d-8694-439b-aea5-966c26f8ad91.jsonl",
            "0190163d-8694-439b-aea5-966c26f8ad91.jsonl",
            " 0190163d-8694-439b-aea5-966c26f8ad91",
            "0190163d8694439baea5966c26f8ad91",
            "{0190163d-8694-439b-aea5-966c26f8ad91}",
            "urn:uuid:0190163d-8694-439b-aea5-966c26f8ad91",
            "0190163d-8694-439b-aea5-966c26f8ad9é",
            "../../../../../../../../etc/x1.jsonl",
        ] {
            assert!(SessionId::uuid(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_is_neither_an_option_nor_a_path() {
        for id in ["ses_01", "0190163d-8694-739b-aea5-966c26f8ad91", "A"] {
            assert_eq!(SessionId::word(id).map(|id| id.to_string()), Ok(id.to_owned()));
        }
        for text in ["", " ", "-x", "_x", "a/b", "..", "a b", "a\n", "é", &"x".repeat(200)] {
            assert!(SessionId::word(text).is_err(), "{text}");
        }
    }
}
