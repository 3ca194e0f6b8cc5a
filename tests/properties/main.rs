//! Tests of the library with inputs and orders of events that nobody thought of. None starts a process: a fork would hold
//! copies of the locks of the others.

mod lifecycle;
mod records;
