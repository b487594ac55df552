//! Arguments with holes.

use std::fmt;

use super::error::ProfileError;

/// A value of the task that an argument may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    Prompt,
    PromptFile,
    Cwd,
    Model,
    Role,
    Effort,
    Meta(String),
}

impl Hole {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "prompt" => Self::Prompt,
            "prompt_file" => Self::PromptFile,
            "cwd" => Self::Cwd,
            "model" => Self::Model,
            "role" => Self::Role,
            "effort" => Self::Effort,
            _ => Self::Meta(name.strip_prefix("meta.").filter(|name| !name.is_empty())?.to_owned()),
        })
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prompt => "prompt",
            Self::PromptFile => "prompt_file",
            Self::Cwd => "cwd",
            Self::Model => "model",
            Self::Role => "role",
            Self::Effort => "effort",
            Self::Meta(name) => return write!(f, "meta.{name}"),
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Hole),
}

/// One argument, with or without holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

/// The argument after which nothing is an option any more.
pub(super) const NO_MORE_OPTIONS: &str = "--";

impl Template {
    /// Reads an argument. `{name}` is a hole; `{{` and `}}` are braces.
    pub(super) fn parse(argument: &str) -> Result<Self, ProfileError> {
        let wrong = |problem| ProfileError::Argument { argument: argument.to_owned(), problem };
        if argument.contains('\0') {
            return Err(wrong("holds a NUL byte, which no argument can hold"));
        }
        let parts = parts(argument).map_err(wrong)?;
        let template = Self { parts };
        if template.may_name_option() {
            return Err(wrong(
                "would let a value choose an option; write it as `--name={hole}`, or the option and \
                 the hole as two arguments",
            ));
        }
        Ok(template)
    }

    /// An argument without holes, which stands for itself.
    pub(super) fn literal(argument: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text(argument.into())] }
    }

    /// An argument that is one value.
    pub(super) fn hole(hole: Hole) -> Self {
        Self { parts: vec![Part::Hole(hole)] }
    }

    pub(super) fn is_end_of_options(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Text(text)] if text == NO_MORE_OPTIONS)
    }

    pub(super) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Text(_) => None,
        })
    }

    /// The first hole, if nothing of the profile's stands before it.
    pub(super) fn open_hole(&self) -> Option<&Hole> {
        match self.parts.first() {
            Some(Part::Hole(hole)) => Some(hole),
            _ => None,
        }
    }

    /// The argument with its holes filled.
    pub(super) fn fill<E>(&self, value: impl Fn(&Hole) -> Result<String, E>) -> Result<String, E> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Hole(hole) => filled.push_str(&value(hole)?),
            }
        }
        Ok(filled)
    }

    /// Whether it begins as an option whose name is not complete where the first hole stands.
    fn may_name_option(&self) -> bool {
        match self.parts.as_slice() {
            [Part::Text(text), _, ..] => text.starts_with('-') && !text.contains('='),
            _ => false,
        }
    }
}

fn parts(argument: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
            text.push_str(brace.get(..1).unwrap_or_default());
            rest = after;
            continue;
        }
        let inside = brace.strip_prefix('{').ok_or("has a `}` too many; write `}}` for a brace")?;
        let (name, after) =
            inside.split_once('}').ok_or("has a `{` that is not closed; write `{{` for a brace")?;
        let hole = Hole::named(name).ok_or(
            "has a hole that profiles do not know; they know {prompt}, {prompt_file}, {cwd}, \
             {model}, {role}, {effort} and {meta.NAME}",
        )?;
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Hole(hole));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}
