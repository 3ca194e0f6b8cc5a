//! The tables of keys: all that is known of a key of the config stands in one row. Decoding, edits, `--unset`, the JSON
//! Schema, the example config, the tables of the README, the options of `agents add` and the arguments of MCP's
//! `configure_agent` come from it.

use std::path::PathBuf;

use super::fields::{Decoded, Key, at_least, boolean, flag, parsed, string, strings, text, tools};
use super::syntax::{Kind, Node};
use crate::model::{BudgetUsd, Timeout};

/// One key of the mapping that makes a `T`: of an agent, or of the settings.
#[derive(Debug)]
pub struct Row<T: 'static> {
    /// The key.
    pub key: &'static str,
    /// What it is for, in full sentences. The first one is the help of its option.
    pub doc: &'static str,
    /// Its default as YAML; `None` for a key that is unset unless it is given.
    pub default: Option<&'static str>,
    /// A value as YAML, for the example config.
    pub example: &'static str,
    /// The argument by which an MCP client that may configure agents sets it; `None` where that stays with the user.
    pub mcp: Option<&'static str>,
    /// The form of its value, and where that goes.
    pub slot: Slot<T>,
}

/// The form of a value, and where it goes.
#[derive(Debug, Clone, Copy)]
pub enum Slot<T: 'static> {
    /// A path: absolute, beginning with `~`, or relative to the folder of the config.
    Path(fn(&mut T, PathBuf)),
    /// A text.
    Text(fn(&mut T, String)),
    /// A value that stands beside an option on the agent's command line.
    Word(fn(&mut T, String)),
    /// A permission mode.
    Mode(fn(&mut T, String)),
    /// A length of time.
    Duration(fn(&mut T, Timeout)),
    /// A spend cap.
    Dollars(fn(&mut T, BudgetUsd)),
    /// Patterns of tools.
    Tools(fn(&mut T, Vec<String>)),
    /// A list of texts.
    Texts(fn(&mut T, Vec<String>)),
    /// A program and its arguments.
    Command(fn(&mut T, Vec<String>)),
    /// On or off.
    Flag(fn(&mut T, bool)),
    /// A whole number, at least the first.
    Count(u32, fn(&mut T, u32)),
    /// Something with a reader of its own.
    Own(&'static Own<T>),
}
