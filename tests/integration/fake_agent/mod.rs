//! The fake agent: the other tests are worth what it is worth.

mod escapes;
mod language;
