//! The environment that a command starts with.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;

use loom_core::{Env, EnvValue, Task, TaskContext};

use crate::command::{Command, Inherit};
use crate::start_error::StartError;

/// The variable in which a command finds the id of its task.
///
/// It is also the mark by which what a dead process left behind is found again.
pub const TASK_ID_VARIABLE: &str = "LOOM_TASK_ID";
/// The variable in which a command finds the number of the attempt, counting from 1.
pub const ATTEMPT_VARIABLE: &str = "LOOM_ATTEMPT";

/// The variable in which a command finds the trace that it belongs to, as a W3C `traceparent`, if it
/// belongs to one.
pub const TRACE_VARIABLE: &str = "TRACEPARENT";

/// Names that begin so tell the system's loader what to load into a program before it runs.
const LOADER_PREFIXES: [&str; 2] = ["LD_", "DYLD_"];

/// The environment that a command starts with: all values looked up.
///
/// `Debug` shows the names and hides the values.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Whether the variables come on top of those of the running process, or are all there are.
    pub inherits: bool,
    /// The variables to set, by name.
    pub variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// Puts together, from the weakest to the strongest: what is taken over from the host, the
    /// command's variables, the task's variables, and what loom tells the command.
    pub(crate) fn of(
        command: &Command,
        task: &Task,
        cx: &TaskContext,
        host: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, StartError> {
        refuse_loader(&task.env)?;
        let mut variables = taken_over(&command.inherit, &host);
        for (name, value) in command.env.iter().chain(task.env.iter()) {
            check_name(name)?;
            let value = look_up(name, value, &host)?;
            variables.insert(name.into(), value);
        }
        variables.insert(TASK_ID_VARIABLE.into(), task.id.as_str().into());
        variables.insert(ATTEMPT_VARIABLE.into(), cx.attempt().to_string().into());
        if let Some(trace) = cx.trace_context() {
            variables.insert(TRACE_VARIABLE.into(), trace.into());
        }
        Ok(Self { inherits: command.inherit == Inherit::All, variables })
    }
}

fn taken_over(
    inherit: &Inherit,
    host: impl Fn(&str) -> Option<OsString>,
) -> BTreeMap<OsString, OsString> {
    let Inherit::Only(names) = inherit else {
        return BTreeMap::new();
    };
    let set = |name: &String| Some((OsString::from(name), host(name)?));
    names.iter().filter_map(set).collect()
}

/// A task is data, often from elsewhere: it must not choose code that the program loads. What the
/// host has set for itself may be handed on.
fn refuse_loader(env: &Env) -> Result<(), StartError> {
    let refused = env.iter().find(|(name, value)| {
        let loads = LOADER_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        loads && matches!(value, EnvValue::Literal(_))
    });
    match refused {
        Some((name, _)) => Err(StartError::Loader(name.to_owned())),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), StartError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(StartError::VariableName(name.to_owned()));
    }
    Ok(())
}

fn look_up(
    name: &str,
    value: &EnvValue,
    host: impl Fn(&str) -> Option<OsString>,
) -> Result<OsString, StartError> {
    let value = match value {
        EnvValue::Literal(text) => text.into(),
        EnvValue::FromHost(source) => host(source).ok_or_else(|| StartError::NotOnHost {
            name: name.to_owned(),
            source_name: source.clone(),
        })?,
        _ => return Err(StartError::VariableKind(name.to_owned())),
    };
    if OsStr::as_bytes(&value).contains(&0) {
        return Err(StartError::Nul("the value of a variable"));
    }
    Ok(value)
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("inherits", &self.inherits)
            .field("variables", &self.variables.keys())
            .finish()
    }
}
