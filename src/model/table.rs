//! Tables of fields: all that is known of a field of a mapping stands in one row, whatever the mapping is written in.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{BudgetUsd, Timeout};

/// One field of a `T`: a key of an agent, a setting, an option of a run.
#[derive(Debug)]
pub struct Row<T: 'static> {
    /// Its name; as an option, with dashes.
    pub name: &'static str,
    /// Its name in JSON, where a number carries its unit in its name; empty where it is not written in JSON.
    pub json: &'static str,
    /// What it is for, in full sentences. The first one is short: the help of its option.
    pub doc: &'static str,
    /// Its default as YAML; empty for a field that is unset unless it is given.
    pub default: &'static str,
    /// A value as YAML, for the example; empty for the default.
    pub example: &'static str,
    /// Whether an MCP client may set it.
    pub mcp: bool,
    /// The form of its value, and where that goes.
    pub slot: Slot<T>,
}

/// The form of a value, and where it goes.
#[derive(Debug, Clone, Copy)]
pub enum Slot<T: 'static> {
    /// A path.
    Path(fn(&mut T, PathBuf)),
    /// A text.
    Text(fn(&mut T, String)),
    /// A word that stands beside an option on the agent's command line.
    Word(fn(&mut T, String)),
    /// A permission mode.
    Mode(fn(&mut T, String)),
    /// The name of a backend, which its reader knows.
    Backend,
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
    /// An object of JSON.
    Object(fn(&mut T, Value)),
    /// Something else, which its reader knows.
    Other,
}

/// The value of a field, checked.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// A path.
    Path(PathBuf),
    /// A text or word.
    Text(String),
    /// A length of time.
    Duration(Timeout),
    /// A spend cap.
    Dollars(BudgetUsd),
    /// A list of texts.
    Texts(Vec<String>),
    /// On or off.
    Flag(bool),
    /// A whole number.
    Count(u32),
    /// An object of JSON.
    Object(Value),
}

/// Why a JSON value is not the value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It has another form than this one.
    Form(JsonForm),
    /// It has the form, and cannot be used.
    Value(String),
}

/// A form of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonForm {
    /// A string.
    Text,
    /// An array of strings.
    Texts,
    /// A number.
    Number,
    /// A number without a fraction.
    WholeNumber,
    /// True or false.
    Flag,
    /// An object.
    Object,
    /// None: the value cannot be given in JSON.
    None,
}

impl fmt::Display for JsonForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a string",
            Self::Texts => "an array of strings",
            Self::Number => "a number",
            Self::WholeNumber => "a whole number",
            Self::Flag => "true or false",
            Self::Object => "an object",
            Self::None => "left out",
        })
    }
}

impl<T> Row<T> {
    /// The first sentence of its description, without its end.
    pub fn summary(&self) -> &'static str {
        self.doc.split_once(". ").map_or(self.doc, |(first, _)| first).trim_end_matches('.')
    }

    /// The row of this name.
    pub fn named(table: &'static [Self], name: &str) -> Option<&'static Self> {
        table.iter().find(|row| row.name == name)
    }
}

impl<T> Slot<T> {
    /// Puts a value of this form where it goes. One of another form goes nowhere.
    pub fn put(&self, target: &mut T, value: FieldValue) {
        match (self, value) {
            (Self::Path(put), FieldValue::Path(path)) => put(target, path),
            (Self::Text(put) | Self::Word(put) | Self::Mode(put), FieldValue::Text(text)) => {
                put(target, text);
            }
            (Self::Duration(put), FieldValue::Duration(timeout)) => put(target, timeout),
            (Self::Dollars(put), FieldValue::Dollars(cap)) => put(target, cap),
            (Self::Tools(put) | Self::Texts(put) | Self::Command(put), FieldValue::Texts(texts)) => {
                put(target, texts);
            }
            (Self::Flag(put), FieldValue::Flag(on)) => put(target, on),
            (Self::Count(_, put), FieldValue::Count(count)) => put(target, count),
            (Self::Object(put), FieldValue::Object(object)) => put(target, object),
            (_, value) => debug_assert!(false, "{value:?} has another form"),
        }
    }

    /// The value that a JSON value stands for. Lengths of time are numbers of seconds.
    pub fn of_json(&self, value: &Value) -> Result<FieldValue, Misfit> {
        let text = || value.as_str().ok_or(Misfit::Form(JsonForm::Text));
        let number = || value.as_f64().ok_or(Misfit::Form(JsonForm::Number));
        let texts = || {
            let items = value.as_array().ok_or(Misfit::Form(JsonForm::Texts))?;
            let item = |item: &Value| item.as_str().map(str::to_owned);
            items.iter().map(item).collect::<Option<Vec<_>>>().ok_or(Misfit::Form(JsonForm::Texts))
        };
        Ok(match self {
            Self::Path(_) => FieldValue::Path(text()?.into()),
            Self::Text(_) | Self::Word(_) | Self::Mode(_) | Self::Backend => {
                FieldValue::Text(text()?.to_owned())
            }
            Self::Duration(_) => FieldValue::Duration(number()?.to_string().parse().map_err(Misfit::value)?),
            Self::Dollars(_) => FieldValue::Dollars(BudgetUsd::new(number()?).map_err(Misfit::value)?),
            Self::Tools(_) | Self::Texts(_) | Self::Command(_) => FieldValue::Texts(texts()?),
            Self::Flag(_) => FieldValue::Flag(value.as_bool().ok_or(Misfit::Form(JsonForm::Flag))?),
            Self::Count(least, _) => {
                let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
                let count = count.ok_or(Misfit::Form(JsonForm::WholeNumber))?;
                if count < *least {
                    return Err(Misfit::Value(format!("it must be at least {least}")));
                }
                FieldValue::Count(count)
            }
            Self::Object(_) if value.is_object() => FieldValue::Object(value.clone()),
            Self::Object(_) => return Err(Misfit::Form(JsonForm::Object)),
            Self::Other => return Err(Misfit::Form(JsonForm::None)),
        })
    }

    /// The same for JSON that a person wrote: lengths of time and amounts may be texts, too.
    pub fn of_written_json(&self, value: &Value) -> Result<FieldValue, Misfit> {
        match (self, value) {
            (Self::Duration(_), Value::String(text)) => {
                Ok(FieldValue::Duration(text.parse().map_err(Misfit::value)?))
            }
            (Self::Dollars(_), Value::String(text)) => {
                Ok(FieldValue::Dollars(text.parse().map_err(Misfit::value)?))
            }
            _ => self.of_json(value),
        }
    }

    /// The JSON Schema of what [`Self::of_json`] takes, as far as a caller has to know it.
    pub fn json_schema(&self) -> Value {
        match self {
            Self::Path(_) | Self::Text(_) | Self::Word(_) | Self::Mode(_) | Self::Backend => {
                json!({"type": "string"})
            }
            Self::Duration(_) | Self::Dollars(_) => json!({"type": "number"}),
            Self::Tools(_) | Self::Texts(_) | Self::Command(_) => {
                json!({"type": "array", "items": {"type": "string"}})
            }
            Self::Flag(_) => json!({"type": "boolean"}),
            Self::Count(least, _) => json!({"type": "integer", "minimum": least}),
            Self::Object(_) => json!({"type": "object"}),
            Self::Other => json!({}),
        }
    }
}

impl Misfit {
    fn value(error: impl std::fmt::Display) -> Self {
        Self::Value(error.to_string())
    }
}
