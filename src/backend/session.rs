//! Which conversation of an agent CLI a run is part of.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::RefusedArgument;
use crate::text::one_line;

/// What of a value that is no session id an error shows, in characters.
const SHOWN: usize = 100;

/// The id of one of Claude Code's conversations.
///
/// `claude --resume` takes more than ids: the path of a file (`../x.jsonl`), which it reads into the conversation *and
/// appends to*, and the title of a session. Nothing but a UUID may therefore reach its command line. It is kept in lower
/// case, as Claude Code makes it: a session has one name, and a file system that ignores case no second one for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// The id of a session that does not exist yet.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4())
    }
}

impl FromStr for SessionId {
    type Err = RefusedArgument;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(RefusedArgument::Empty { field: "session id" });
        }
        // With hyphens and nothing around it: the other forms of a UUID are no session ids to Claude Code.
        let uuid =
            if text.len() == uuid::fmt::Hyphenated::LENGTH { Uuid::try_parse(text).ok() } else { None };
        uuid.map(Self).ok_or_else(|| RefusedArgument::NotASession { value: one_line(text, SHOWN) })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(formatter)
    }
}

/// The agent CLI's conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// A new one, under an id chosen before the start, so that it can be resumed whatever happens.
    New(SessionId),
    /// One that exists.
    Resume(SessionId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_with_hyphens_is_a_session_id() {
        let id = "0190163d-8694-439b-aea5-966c26f8ad91";
        assert_eq!(id.parse::<SessionId>().map(|id| id.to_string()), Ok(id.to_owned()));
        assert_eq!(id.to_uppercase().parse(), id.parse::<SessionId>());
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
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
    }
}
