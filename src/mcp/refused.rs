//! Why a call was refused.

use std::fmt::Display;

use crate::error::Failure;
use crate::model::Remedy;
use crate::text::redact;

/// Why a call did not do what it was asked: one reason or several, a line each, that say how to do it right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused(Vec<Reason>);

#[derive(Debug, Clone, PartialEq)]
struct Reason {
    message: String,
    remedy: Option<Box<Remedy>>,
}

impl Refused {
    pub(super) fn new(message: impl Display) -> Self {
        Self(vec![Reason { message: redact(&message.to_string()), remedy: None }])
    }

    /// What happened, and what to do about it in terms of a tool's arguments.
    pub(super) fn with_advice(message: impl Display, advice: impl Display) -> Self {
        Self::new(format_args!("{message}. {advice}"))
    }

    /// What happened, and what would help.
    pub(super) fn with_remedy(message: impl Display, remedy: Remedy) -> Self {
        Self(vec![Reason { message: redact(&message.to_string()), remedy: Some(Box::new(remedy)) }])
    }

    /// Several of them.
    pub(super) fn all(refusals: impl IntoIterator<Item = Self>) -> Self {
        Self(refusals.into_iter().flat_map(|refused| refused.0).collect())
    }

    /// The same with the name of what it is about in front.
    pub(super) fn about(self, what: impl Display) -> Self {
        let about = |reason: Reason| Reason { message: format!("{what}: {}", reason.message), ..reason };
        Self(self.0.into_iter().map(about).collect())
    }

    /// What it says; `tell` puts what would help into words.
    pub(super) fn text(&self, tell: impl Fn(&Remedy) -> String) -> String {
        let line = |reason: &Reason| match &reason.remedy {
            Some(remedy) => format!("{}. {}", reason.message, redact(&tell(remedy))),
            None => reason.message.clone(),
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        let Failure { message, remedy, causes, .. } = error.into();
        let reason = Self(vec![Reason { message, remedy }]);
        Self::all(std::iter::once(reason).chain(causes.into_iter().map(Self::from)))
    }
}
