//! Tests of the library with inputs and orders of events that nobody thought of.

mod lifecycle;
mod records;
