//! What a contender is asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Result;

/// What a commit that was answered has to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: `synchronous = FULL`.
    Full,
    /// The death of the process: `synchronous = NORMAL`.
    Normal,
}

/// The words of the command line.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which workload.
    pub workload: String,
    values: BTreeMap<String, String>,
}

impl Asked {
    /// Reads the words that this program was started with.
    ///
    /// # Errors
    /// If there is no workload, or a word is not `name=value`.
    pub fn of_this_program() -> Result<Self> {
        Self::of(std::env::args().skip(1))
    }

    fn of(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let workload = words.next().ok_or("usage: WORKLOAD name=value…")?;
        let mut values = BTreeMap::new();
        for word in words {
            let (name, value) = word.split_once('=').ok_or(format!("{word:?} has no `=`"))?;
            values.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self { workload, values })
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// If it was not given or is not of this type.
    pub fn value<T: FromStr>(&self, name: &str) -> Result<T> {
        let value = self.values.get(name).ok_or(format!("`{name}=` is missing"))?;
        value.parse().map_err(|_| format!("`{name}={value}` cannot be used").into())
    }

    /// Whether `name=value` was given.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.values.get(name).is_some_and(|given| given == value)
    }

    /// The folder to work in.
    ///
    /// # Errors
    /// If it was not given.
    pub fn dir(&self) -> Result<PathBuf> {
        self.value("dir")
    }

    /// What a commit has to survive.
    ///
    /// # Errors
    /// If it was not given, or is neither `full` nor `normal`.
    pub fn durability(&self) -> Result<Durability> {
        match self.value::<String>("durability")?.as_str() {
            "full" => Ok(Durability::Full),
            "normal" => Ok(Durability::Normal),
            other => Err(format!("no durability is called {other:?}").into()),
        }
    }
}
