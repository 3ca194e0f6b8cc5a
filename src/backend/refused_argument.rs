//! Why a value cannot stand on the command line of an agent CLI.

use crate::model::InvalidTool;

/// Why a value cannot stand on a command line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RefusedArgument {
    /// It begins with a dash, so the program could take it for an option.
    #[error("the {field} '{value}' begins with '-': the agent CLI could take it for an option")]
    FlagLike {
        /// Which value it is.
        field: &'static str,
        /// The value.
        value: String,
    },
    /// There is nothing in it.
    #[error("the {field} is empty")]
    Empty {
        /// Which value it is.
        field: &'static str,
    },
    /// It contains a NUL character, which ends an argument.
    #[error("the {field} contains a NUL character")]
    ContainsNul {
        /// Which value it is.
        field: &'static str,
    },
    /// The operating system takes no argument of this length.
    #[error("the {field} has {bytes} bytes; {limit} are the most that fit on a command line")]
    TooLong {
        /// Which value it is.
        field: &'static str,
        /// Its length, in bytes.
        bytes: usize,
        /// The longest that fits, in bytes.
        limit: usize,
    },
    /// It is not the id of a session. The program could take it for a file to read and to write, or for a title.
    #[error("'{value}' is no session id: it must be {expected}")]
    NotASession {
        /// The value.
        value: String,
        /// What an id is.
        expected: &'static str,
    },
    /// It is not a pattern that names tools: the program would take it for the name of one that does not exist.
    #[error("the {field}: {problem}")]
    NotATool {
        /// Which value it is.
        field: &'static str,
        /// What is wrong with it.
        problem: InvalidTool,
    },
    /// It is not a positive number.
    #[error("the {field} is {value}: it must be a number above 0")]
    NotPositive {
        /// Which value it is.
        field: &'static str,
        /// The value.
        value: f64,
    },
}

impl RefusedArgument {
    /// Which value it is.
    pub fn field(&self) -> &'static str {
        match self {
            Self::FlagLike { field, .. }
            | Self::Empty { field }
            | Self::ContainsNul { field }
            | Self::TooLong { field, .. }
            | Self::NotATool { field, .. }
            | Self::NotPositive { field, .. } => field,
            Self::NotASession { .. } => "session id",
        }
    }
}
