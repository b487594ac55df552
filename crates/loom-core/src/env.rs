//! The environment that a task adds to its command's.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The value of a variable.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EnvValue {
    /// The value itself. It is stored with the task.
    Literal(String),
    /// The name of a variable of the host. Only the name is stored; the value is looked up when an
    /// attempt starts.
    FromHost(String),
}

impl EnvValue {
    /// A reference to the variable `name` of the process that runs the task.
    #[must_use]
    pub fn from_host(name: impl Into<String>) -> Self {
        Self::FromHost(name.into())
    }
}

impl<T: Into<String>> From<T> for EnvValue {
    fn from(value: T) -> Self {
        Self::Literal(value.into())
    }
}

/// A value may be a secret: it is never shown.
impl fmt::Debug for EnvValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str(HIDDEN),
            Self::FromHost(name) => write!(f, "from_host({name})"),
        }
    }
}

const HIDDEN: &str = "[hidden]";

/// The variables that a task adds to its command's environment, by name.
///
/// `Debug` and `Serialize` show the names and hide the values; [`iter`](Env::iter) gives them.
///
/// ```
/// use loom_core::{Env, EnvValue};
///
/// let mut env = Env::new();
/// env.insert("LANG", "C");
/// env.insert("API_KEY", EnvValue::from_host("WORK_API_KEY"));
/// assert_eq!(format!("{env:?}"), r#"{"API_KEY": from_host(WORK_API_KEY), "LANG": [hidden]}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Env(BTreeMap<String, EnvValue>);

impl Env {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable; the last value set wins.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<EnvValue>) {
        self.0.insert(name.into(), value.into());
    }

    /// Whether no variable is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many variables are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&EnvValue> {
        self.0.get(name)
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &EnvValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

impl Serialize for Env {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, &format!("{value:?}"))?;
        }
        map.end()
    }
}

impl<N: Into<String>, V: Into<EnvValue>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
