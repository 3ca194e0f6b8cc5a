//! What others wrote is data: it is shown, never obeyed.

mod hostile_text;
mod records_are_data;
mod secrets;
mod trust;
