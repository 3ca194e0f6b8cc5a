//! The check itself, which takes as long as the schema and the answer make it take.

use jsonschema::ReferencingError;
use jsonschema::error::ValidationErrorKind;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::store::{DEEPEST_DATA, is_too_deep};
use crate::text::clip;

/// How much of a validation message is kept, in characters.
const MESSAGE_LIMIT: usize = 300;

/// Why data that nests too deep is no answer.
pub(super) fn too_deep() -> String {
    format!("the answer as data nests more than {DEEPEST_DATA} levels deep, the most that is kept")
}

/// Whether a schema can be used at all.
///
/// # Errors
///
/// What is wrong with it, as a fragment that fits after "the response schema is not valid: ".
pub(super) fn usable(schema: &Value) -> Result<(), String> {
    jsonschema::validator_for(schema).map(drop).map_err(|error| describe(&error))
}

/// The answer as data that satisfies the schema: what the CLI returned as structured output, or else what the
/// text holds as JSON.
///
/// # Errors
///
/// Why there is no such data, as a sentence without a full stop.
pub(super) fn parsed(schema: &Value, structured: Option<Value>, text: &str) -> Result<Value, String> {
    let validator = jsonschema::validator_for(schema)
        .map_err(|error| format!("the response schema is not valid: {}", describe(&error)))?;
    let mut complaint = None;
    for candidate in structured.into_iter().map(Candidate::Data).chain(candidates(text)) {
        let candidate = match candidate {
            Candidate::Data(value) if !is_too_deep(&value) => value,
            Candidate::Data(_) | Candidate::TooDeep => {
                complaint.get_or_insert_with(too_deep);
                continue;
            }
        };
        let mut errors = validator.iter_errors(&candidate).take(3).map(|error| describe(&error)).peekable();
        if errors.peek().is_none() {
            drop(errors);
            return Ok(candidate);
        }
        complaint.get_or_insert_with(|| {
            let errors: Vec<_> = errors.collect();
            format!("the answer does not satisfy the response schema: {}", errors.join("; "))
        });
    }
    Err(complaint.unwrap_or_else(|| "the answer is not JSON, but a response schema was given".to_owned()))
}

/// The place and the rule that was broken. The value itself is left out: it can be large or private.
fn describe(error: &jsonschema::ValidationError<'_>) -> String {
    if let ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, .. }) = error.kind() {
        let uri = clip(uri, MESSAGE_LIMIT);
        return format!(
            "it refers to {uri}, and nothing is fetched: put that under $defs, and refer to it there"
        );
    }
    let path = error.instance_path().to_string();
    let message = clip(&error.masked().to_string(), MESSAGE_LIMIT);
    if path.is_empty() { message } else { format!("at {}: {message}", clip(&path, 100)) }
}

/// What could be meant as the answer.
enum Candidate {
    Data(Value),
    /// JSON, as far as it could be read: it nests too deep for a reader's stack.
    TooDeep,
}

impl Candidate {
    fn read(text: &str) -> Option<Self> {
        match serde_json::from_str(text) {
            Ok(value) => Some(Self::Data(value)),
            // The library does not name the reason in another way. Skipping a value takes it no stack.
            Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
                serde_json::from_str::<IgnoredAny>(text).is_ok().then_some(Self::TooDeep)
            }
            Err(_) => None,
        }
    }
}

/// Everything in a text that is JSON and could be meant as the answer, the likeliest first.
fn candidates(text: &str) -> impl Iterator<Item = Candidate> {
    let text = text.trim();
    let fenced = fenced_blocks(text).into_iter().rev();
    // Around it a model likes to say a sentence, and the dispatch protocol asks for a last line.
    let objects = between(text, '{', '}').into_iter().chain(between(text, '[', ']'));
    std::iter::once(text).chain(fenced).chain(objects).filter_map(Candidate::read)
}

fn between(text: &str, open: char, close: char) -> Option<&str> {
    text.get(text.find(open)?..=text.rfind(close)?)
}

/// The contents of Markdown's fenced code blocks.
fn fenced_blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("```") {
        let Some((block, after)) = after.split_once("```") else { break };
        // The first line names the language, or is empty.
        blocks.push(block.split_once('\n').map_or(block, |(_, content)| content).trim());
        rest = after;
    }
    blocks
}
