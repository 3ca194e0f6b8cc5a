//! Answers as data: the check of a schema before a run, and of the answer after it.
//!
//! How long a check takes is up to the schema, which any caller can give, and to the answer, which the agent gives: a
//! pattern can backtrack for years, and a schema of 2 KB can ask for 2^30 steps. So `unfolding` refuses what
//! multiplies by its references, and `confined` runs the check in a process of its own with a limit on time and memory.

mod check;
mod confined;
mod unfolding;

use serde_json::Value;

pub use confined::{CHECK_ENTRY, confine_checks, run_check};
use confined::{Question, ask};

/// Whether a response schema can be used at all.
///
/// Claude Code silently ignores an invalid schema, and the run is paid for by then, so this comes before it.
///
/// # Errors
///
/// What is wrong with the schema, as a fragment that fits after "the response schema is not valid: ".
pub fn check_schema(schema: &Value) -> Result<(), String> {
    if !schema.is_object() {
        return Err("it is not a JSON object".to_owned());
    }
    unfolding::check(schema)?;
    ask(&Question::Schema { schema: schema.clone() })?.map(drop)
}

/// The answer as data that satisfies the schema: what the CLI returned as structured output, or else what the
/// text holds as JSON.
///
/// # Errors
///
/// Why there is no such data, as a sentence without a full stop.
pub(super) fn parsed(schema: &Value, structured: Option<Value>, text: &str) -> Result<Value, String> {
    let question = Question::Answer { schema: schema.clone(), structured, text: text.to_owned() };
    let checked = ask(&question)
        .map_err(|why| format!("the answer could not be checked by the response schema: {why}"))?;
    checked?.ok_or_else(|| "the answer could not be checked by the response schema".to_owned())
}

#[cfg(test)]
mod tests;
