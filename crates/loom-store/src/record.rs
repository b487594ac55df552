//! How a request is kept: what queries need in columns, the rest as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use loom_core::{Env, EnvValue, Metadata, NewTask, Task};
use serde::{Deserialize, Serialize};

/// The parts of a task that no query needs and that are hardly ever long.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, Variable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cli: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<String>,
    /// Times are whole seconds, and the nanoseconds beyond them.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<(u64, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_timeout: Option<(u64, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<(u64, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon_id: Option<String>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    origin: Metadata,
}

/// A variable: its value, or where the host has it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Variable {
    Literal(String),
    FromHost { from_host: String },
}

impl Record {
    pub(crate) fn of(new: &NewTask) -> Self {
        let request = &new.request;
        Self {
            request_id: request.request_id.clone(),
            cwd: request.cwd.clone(),
            env: variables(&request.env),
            cli: request.cli.clone(),
            role: request.role.clone(),
            model: request.model.clone(),
            effort: request.effort.clone(),
            timeout: request.timeout.map(parts),
            idle_timeout: request.idle_timeout.map(parts),
            deadline: request.deadline.map(parts),
            trace_context: request.trace_context.clone(),
            max_retries: request.max_retries,
            daemon_id: new.daemon_id.clone(),
            origin: Metadata::new(),
        }
    }

    /// What is kept of a task that was not made of a request here.
    pub(crate) fn of_task(task: &Task) -> Self {
        Self {
            request_id: task.request_id.clone(),
            cwd: task.cwd.clone(),
            env: variables(&task.env),
            cli: task.cli.clone(),
            role: task.role.clone(),
            model: task.model.clone(),
            effort: task.effort.clone(),
            timeout: task.timeout.map(parts),
            idle_timeout: task.idle_timeout.map(parts),
            deadline: task.deadline.map(parts),
            trace_context: task.trace_context.clone(),
            max_retries: task.max_retries,
            daemon_id: task.daemon_id.clone(),
            origin: task.origin.clone(),
        }
    }

    /// Puts back what was kept.
    pub(crate) fn restore(self, task: &mut Task) {
        task.request_id = self.request_id;
        task.cwd = self.cwd;
        task.env = self.env.into_iter().collect::<Env>();
        task.cli = self.cli;
        task.role = self.role;
        task.model = self.model;
        task.effort = self.effort;
        task.timeout = self.timeout.map(whole);
        task.idle_timeout = self.idle_timeout.map(whole);
        task.deadline = self.deadline.map(whole);
        task.trace_context = self.trace_context;
        task.max_retries = self.max_retries;
        task.daemon_id = self.daemon_id;
        task.origin = self.origin;
    }
}

fn variables(env: &Env) -> BTreeMap<String, Variable> {
    env.iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

const fn parts(time: Duration) -> (u64, u32) {
    (time.as_secs(), time.subsec_nanos())
}

/// Never panics, whatever stands in the file.
fn whole((seconds, nanos): (u64, u32)) -> Duration {
    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into()))
}

impl From<&EnvValue> for Variable {
    fn from(value: &EnvValue) -> Self {
        match value {
            EnvValue::FromHost(name) => Self::FromHost { from_host: name.clone() },
            EnvValue::Literal(text) => Self::Literal(text.clone()),
            // Kinds that are added later come with a way of keeping them.
            _ => Self::Literal(String::new()),
        }
    }
}

impl From<Variable> for EnvValue {
    fn from(variable: Variable) -> Self {
        match variable {
            Variable::Literal(text) => Self::Literal(text),
            Variable::FromHost { from_host } => Self::FromHost(from_host),
        }
    }
}
