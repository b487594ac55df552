//! A profile as it is written down.

use std::collections::BTreeMap;

use loom_core::{EnvValue, Task};
use serde::Deserialize;
use serde_json::Value;

use super::template::Hole;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) program: Option<String>,
    pub(super) account: Option<String>,
    #[serde(default)]
    pub(super) args: Vec<Group>,
    #[serde(default)]
    pub(super) prompt: PromptBy,
    #[serde(default)]
    pub(super) ignores: Vec<Field>,
    #[serde(default)]
    pub(super) env: EnvSpec,
    #[serde(default)]
    pub(super) success: SuccessSpec,
    #[serde(default)]
    pub(super) limit: LimitSpec,
    #[serde(default)]
    pub(super) output: OutputSpec,
}

/// One argument, or several that go together.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Group {
    One(String),
    Together(Vec<String>),
}

impl Group {
    pub(super) fn into_arguments(self) -> Vec<String> {
        match self {
            Self::One(argument) => vec![argument],
            Self::Together(arguments) => arguments,
        }
    }
}

/// How the prompt reaches the tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PromptBy {
    #[default]
    Stdin,
    Argument,
    File,
}

/// What a task may ask of a tool beside its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Field {
    Model,
    Role,
    Effort,
}

impl Field {
    pub(super) const ALL: [Self; 3] = [Self::Model, Self::Role, Self::Effort];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Role => "role",
            Self::Effort => "effort",
        }
    }

    pub(super) const fn hole(self) -> Hole {
        match self {
            Self::Model => Hole::Model,
            Self::Role => Hole::Role,
            Self::Effort => Hole::Effort,
        }
    }

    pub(super) fn of(self, task: &Task) -> Option<&str> {
        match self {
            Self::Model => task.model.as_deref(),
            Self::Role => task.role.as_deref(),
            Self::Effort => task.effort.as_deref(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvSpec {
    #[serde(default)]
    pub(super) pass: Vec<String>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, ValueSpec>,
}

/// The value of a variable, or the variable of the host that has it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ValueSpec {
    Literal(String),
    Host { from_host: String },
}

impl From<ValueSpec> for EnvValue {
    fn from(value: ValueSpec) -> Self {
        match value {
            ValueSpec::Literal(text) => Self::Literal(text),
            ValueSpec::Host { from_host } => Self::FromHost(from_host),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SuccessSpec {
    #[serde(default = "zero")]
    pub(super) exit_codes: Vec<i64>,
    #[serde(default)]
    pub(super) patterns: Vec<String>,
}

impl Default for SuccessSpec {
    fn default() -> Self {
        Self { exit_codes: zero(), patterns: Vec::new() }
    }
}

fn zero() -> Vec<i64> {
    vec![0]
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitSpec {
    #[serde(default)]
    pub(super) patterns: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputSpec {
    #[serde(default)]
    pub(super) format: Format,
    #[serde(default)]
    pub(super) events: Vec<EventSpec>,
}

/// What the tool writes to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    #[default]
    Text,
    Json,
    Jsonl,
}

/// What to take of an event, if it is of this kind.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventSpec {
    pub(super) when: BTreeMap<String, Value>,
    pub(super) text: Paths,
    pub(super) append: bool,
    pub(super) progress: Paths,
    pub(super) session_id: Paths,
    pub(super) model: Paths,
    pub(super) tokens_input: Paths,
    pub(super) tokens_output: Paths,
    pub(super) tokens_cached: Paths,
    pub(super) cost_usd: Paths,
    pub(super) error: Paths,
    pub(super) limit: Option<bool>,
    pub(super) resets_at: Paths,
    pub(super) ends: Option<End>,
}

/// One path, or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Paths {
    One(String),
    Several(Vec<String>),
}

impl Default for Paths {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Paths {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(path) => vec![path],
            Self::Several(paths) => paths,
        }
    }
}

/// How the tool says that it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    Success,
    Failure,
}
