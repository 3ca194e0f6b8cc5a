//! The JSON Schema of a config.

/// The JSON Schema (2020-12) of a config, for editors: what satisfies it is read without a warning.
///
/// It is stricter than the reader in what a person should not write: numbers, booleans and texts are not taken for
/// one another. It cannot know that a group's member exists, or that units add up to more than the longest time.
pub const SCHEMA: &str = include_str!("../../examples/agents.schema.json");

#[cfg(test)]
mod tests;
