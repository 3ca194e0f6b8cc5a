//! Why a call was refused.

use std::fmt::Display;

use rmcp::model::{CallToolResult, ContentBlock};

use crate::error::Failure;
use crate::text::redact;

/// Why a call did not do what it was asked: a sentence that says how to do it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(String);

impl Refused {
    pub(super) fn new(message: impl Display) -> Self {
        Self(redact(&message.to_string()))
    }

    /// What happened, and what to do about it.
    pub(super) fn with_remedy(message: impl Display, remedy: impl Display) -> Self {
        Self(redact(&format!("{message}. {remedy}")))
    }

    /// Several of them, a line each.
    pub(super) fn all(refusals: &[Self]) -> Self {
        Self(refusals.iter().map(Self::message).collect::<Vec<_>>().join("\n"))
    }

    /// What it says.
    pub(super) fn message(&self) -> &str {
        &self.0
    }
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        let failure = error.into();
        match &failure.hint {
            Some(hint) => Self::with_remedy(&failure.message, hint),
            None => Self(failure.message),
        }
    }
}

impl From<Refused> for CallToolResult {
    fn from(refused: Refused) -> Self {
        Self::error(vec![ContentBlock::text(refused.0)])
    }
}
