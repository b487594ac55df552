//! Paths into events.

use serde_json::Value;

use super::error::ProfileError;

/// A JSON pointer (RFC 6901) in which `*` stands for every entry of a list.
#[derive(Clone, Debug)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Each,
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self, ProfileError> {
        if text.is_empty() {
            return Ok(Self { steps: Vec::new() });
        }
        let steps = text.strip_prefix('/').ok_or_else(|| ProfileError::Path(text.to_owned()))?;
        let steps = steps.split('/').map(|step| match step {
            "*" => Step::Each,
            key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
        });
        Ok(Self { steps: steps.collect() })
    }

    /// What stands at the path, in order.
    pub(super) fn find<'v>(&self, event: &'v Value) -> Vec<&'v Value> {
        self.steps.iter().fold(vec![event], |found, step| {
            found.into_iter().flat_map(|value| step.take(value)).collect()
        })
    }
}

impl Step {
    fn take<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Self::Each, Value::Array(list)) => list.iter().collect(),
            (Self::Key(key), Value::Object(object)) => object.get(key).into_iter().collect(),
            (Self::Key(key), Value::Array(list)) => {
                key.parse().ok().and_then(|at: usize| list.get(at)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}
