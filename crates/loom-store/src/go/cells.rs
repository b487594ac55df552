//! The values of a row, by the names of their columns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use loom_core::Metadata;
use loom_deps::Timestamp;
use serde_json::{Value as Json, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};

use super::exact::keeps_its_numbers;
use super::time::{self, Moment};

/// Why a row cannot be understood. Never holds what stands in it: that may be a secret.
pub(super) type Why = String;

/// A row, and what of it is to be kept as it stands there.
#[derive(Debug, Default)]
pub(super) struct Cells {
    values: BTreeMap<String, Value>,
    kept: Metadata,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Integer(i64),
    Real(f64),
    /// Go does not see to it that a text is UTF-8.
    Bytes(Vec<u8>),
}

/// The number of a row, and its cells.
pub(super) fn read(row: &SqliteRow) -> Result<(i64, Cells), sqlx::Error> {
    let number = row.try_get(0)?;
    let mut cells = Cells::default();
    for (index, column) in row.columns().iter().enumerate().skip(1) {
        cells.values.insert(column.name().to_owned(), value(row, index)?);
    }
    Ok((number, cells))
}

fn value(row: &SqliteRow, index: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match raw.type_info().name() {
        "INTEGER" => Value::Integer(row.try_get_unchecked(index)?),
        "REAL" => Value::Real(row.try_get_unchecked(index)?),
        _ => Value::Bytes(row.try_get_unchecked(index)?),
    })
}

impl Value {
    fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Integer(_) | Self::Real(_) => false,
        }
    }

    /// The value as it stands there. What is no UTF-8 is written in hexadecimal.
    fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Integer(number) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Bytes(bytes) => match str::from_utf8(bytes) {
                Ok(text) => text.into(),
                Err(_) => json!({ "hex": hex(bytes) }),
            },
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

impl Cells {
    /// About how much text they hold.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |value: &Value| if let Value::Bytes(bytes) = value { bytes.len() } else { 0 };
        self.values.values().map(bytes).sum()
    }

    fn get(&self, name: &str) -> &Value {
        self.values.get(name).unwrap_or(&Value::Null)
    }

    /// Keeps a value as it stands there.
    pub(super) fn keep(&mut self, name: &str) {
        self.kept.insert(name.to_owned(), self.get(name).to_json());
    }

    /// All that was to be kept, and every column but those that are `known`.
    pub(super) fn into_kept(self, known: &[&str]) -> Metadata {
        let mut kept = self.kept;
        for (name, value) in self.values {
            if !known.contains(&name.as_str()) && !value.is_empty() {
                kept.insert(name, value.to_json());
            }
        }
        kept
    }

    /// A text, empty if there is none; and whether it is UTF-8, which it then is made.
    fn lossy(&self, name: &str) -> (String, bool) {
        match self.get(name) {
            Value::Null => (String::new(), true),
            Value::Integer(number) => (number.to_string(), true),
            Value::Real(number) => (number.to_string(), true),
            Value::Bytes(bytes) => match String::from_utf8_lossy(bytes) {
                Cow::Borrowed(text) => (text.to_owned(), true),
                Cow::Owned(text) => (text, false),
            },
        }
    }

    /// A text, empty if there is none. If it is no UTF-8, its bytes are kept beside it.
    pub(super) fn text(&mut self, name: &str) -> String {
        let (text, is_sound) = self.lossy(name);
        if !is_sound {
            self.keep(name);
        }
        text
    }

    /// A text that may hold secrets: nothing of it is kept elsewhere.
    pub(super) fn secret(&self, name: &str) -> Option<String> {
        Some(self.lossy(name).0).filter(|text| !text.is_empty())
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A text that must be what it is.
    pub(super) fn word(&self, name: &str) -> Result<String, Why> {
        match self.lossy(name) {
            (text, true) => Ok(text),
            (_, false) => Err(format!("its {name} is not UTF-8")),
        }
    }

    /// A number, 0 if there is none.
    pub(super) fn number<T: TryFrom<i64>>(&self, name: &str) -> Result<T, Why> {
        let number = match self.get(name) {
            Value::Null => 0,
            Value::Integer(number) => *number,
            Value::Real(_) => return Err(format!("its {name} is no whole number")),
            Value::Bytes(bytes) if bytes.is_empty() => 0,
            Value::Bytes(_) => return Err(format!("its {name} is no number")),
        };
        T::try_from(number).map_err(|_| format!("its {name} is {number}"))
    }

    /// A moment. What of it microseconds in UTC do not say is kept as it stands there.
    pub(super) fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Why> {
        let value = self.get(name);
        if value.is_empty() {
            return Ok(None);
        }
        let moment = match value {
            Value::Bytes(bytes) => str::from_utf8(bytes).ok().and_then(time::parse),
            Value::Integer(number) => {
                Some(Moment { at: time::from_number(*number), is_whole: false })
            }
            Value::Null | Value::Real(_) => None,
        };
        let moment = moment.ok_or_else(|| format!("its {name} is no time"))?;
        if !moment.is_whole {
            self.keep(name);
        }
        Ok(Some(moment.at))
    }

    /// An object in JSON, empty if there is none.
    pub(super) fn object<T>(&mut self, name: &str) -> Result<T, Why>
    where
        T: serde::de::DeserializeOwned + Default,
    {
        let text = self.word(name)?;
        if text.is_empty() {
            return Ok(T::default());
        }
        let object: Option<T> = serde_json::from_str(&text).map_err(|error| {
            let column = error.column();
            format!("its {name} is no JSON of the kind it should be, at column {column}")
        })?;
        if !keeps_its_numbers(&text) {
            self.keep(name);
        }
        Ok(object.unwrap_or_default())
    }
}
