//! The config: where it is, what it may say, how it is edited.

mod edits;
mod errors;
mod mistyped_limits;
mod original;
mod places;
