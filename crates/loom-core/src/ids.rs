//! Names: of tasks, of kinds of work, of engine starts.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::limits::{NAME_BYTES_MAX, TASK_ID_BYTES_MAX};

/// A text that cannot be an id: it is empty, too long, or holds a control character.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id; ids have 1 to {max} bytes and no control characters")]
pub struct InvalidId {
    text: String,
    max: usize,
}

fn checked(text: &str, max: usize) -> Result<&str, InvalidId> {
    if text.is_empty() || text.len() > max || text.chars().any(char::is_control) {
        let text = text.chars().take(max).collect();
        return Err(InvalidId { text, max });
    }
    Ok(text)
}

/// Names one task. Opaque, at most 64 bytes; by default a UUID of version 7.
///
/// ```
/// use loom_core::TaskId;
///
/// let id: TaskId = "id-0".parse()?;
/// assert_eq!(id.as_str(), "id-0");
/// # Ok::<(), loom_core::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Arc<str>);

/// Names one start of an engine. Opaque, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Arc<str>);

macro_rules! opaque_id {
    ($name:ident) => {
        impl $name {
            /// The id that `text` spells.
            ///
            /// # Errors
            /// [`InvalidId`] if it is empty, longer than 64 bytes or holds a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                checked(text.as_ref(), TASK_ID_BYTES_MAX).map(|text| Self(text.into()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

opaque_id!(TaskId);
opaque_id!(InstanceId);

/// Names who is charged for work, and so who meets its usage limits: an account, a key, a seat.
///
/// Any text will do; it is checked when a worker is registered or an account held.
///
/// ```
/// use loom_core::Account;
///
/// assert!(Account::from("anthropic").check().is_ok());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(Arc<str>);

impl Account {
    /// The account as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name can be used: 1 to 256 bytes, no control characters.
    ///
    /// # Errors
    /// [`InvalidId`] if it cannot.
    pub fn check(&self) -> Result<(), InvalidId> {
        checked(&self.0, NAME_BYTES_MAX).map(|_| ())
    }
}

impl From<&str> for Account {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Account {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Names a kind of work, and with it the worker that does it.
///
/// Any text will do; it is checked when a task is submitted or a worker registered.
///
/// ```
/// use loom_core::WorkerType;
///
/// assert_eq!(WorkerType::CLI, "cli".into());
/// ```
#[derive(Clone)]
pub struct WorkerType(Name);

/// Every task has one, and it goes wherever the task goes: copies share their text.
#[derive(Clone)]
enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl WorkerType {
    /// Work done by a command-line tool.
    pub const CLI: Self = Self(Name::Static("cli"));
    /// Work done by a model that thinks.
    pub const THINKER: Self = Self(Name::Static("thinker"));
    /// Work that looks into something.
    pub const INVESTIGATOR: Self = Self(Name::Static("investigator"));
    /// Work that directs other work.
    pub const ORCHESTRATOR: Self = Self(Name::Static("orchestrator"));

    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Static(text) => text,
            Name::Shared(text) => text,
        }
    }

    /// Whether the type can be used: 1 to 256 bytes, no control characters.
    ///
    /// # Errors
    /// [`InvalidId`] if it cannot.
    pub fn check(&self) -> Result<(), InvalidId> {
        checked(self.as_str(), NAME_BYTES_MAX).map(|_| ())
    }
}

impl Default for WorkerType {
    fn default() -> Self {
        Self(Name::Static(""))
    }
}

impl From<&str> for WorkerType {
    fn from(text: &str) -> Self {
        Self(Name::Shared(text.into()))
    }
}

impl From<String> for WorkerType {
    fn from(text: String) -> Self {
        Self(Name::Shared(text.into()))
    }
}

/// The text alone counts, however it is held.
impl PartialEq for WorkerType {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for WorkerType {}

impl PartialOrd for WorkerType {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WorkerType {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for WorkerType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for WorkerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for WorkerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for WorkerType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
