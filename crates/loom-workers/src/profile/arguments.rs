//! The arguments of a command, made of a task's values.

use loom_core::Task;
use serde_json::Value;

use super::error::{ProfileError, Unfit};
use super::spec::{Field, Group, PromptBy};
use super::template::{Hole, NO_MORE_OPTIONS, Template};

/// Arguments that go together: if a hole of one of them stays empty, none of them is given.
type Together = Vec<Template>;

/// What a command is started with, as a profile has it.
#[derive(Clone, Debug)]
pub(super) struct Arguments {
    groups: Vec<Together>,
    prompt: PromptBy,
    ignores: Vec<Field>,
}

impl Arguments {
    pub(super) fn parse(
        groups: Vec<Group>,
        prompt: PromptBy,
        ignores: Vec<Field>,
    ) -> Result<Self, ProfileError> {
        let groups = groups.into_iter().map(|group| {
            let arguments = group.into_arguments();
            arguments.iter().map(|argument| Template::parse(argument)).collect()
        });
        let arguments = Self { groups: groups.collect::<Result<_, _>>()?, prompt, ignores };
        arguments.check_prompt()?;
        Ok(arguments)
    }

    pub(super) const fn prompt(&self) -> PromptBy {
        self.prompt
    }

    /// Adds an argument that stands for itself, where it can still be an option.
    pub(super) fn push(&mut self, argument: String) {
        let ends = |group: &Together| group.iter().any(Template::is_end_of_options);
        let place = self.groups.iter().position(ends).unwrap_or(self.groups.len());
        self.groups.insert(place, vec![Template::literal(argument)]);
    }

    /// The arguments for `task`, whose prompt stands in the file at `prompt_file` if it is handed
    /// over that way. `profile` is named in errors.
    pub(super) fn fill(
        &self,
        task: &Task,
        prompt_file: Option<&str>,
        profile: &str,
    ) -> Result<Vec<String>, Unfit> {
        self.check_fields(task, profile)?;
        let value = |hole: &Hole| value(hole, task, prompt_file);
        let mut filled = Filled::default();
        for group in &self.groups {
            if !has_empty(group, value)? {
                group.iter().try_for_each(|template| filled.add(template, value))?;
            }
        }
        if self.prompt == PromptBy::Argument && !self.has(&Hole::Prompt) {
            if !filled.is_past_options {
                filled.add(&Template::literal(NO_MORE_OPTIONS), value)?;
            }
            filled.add(&Template::hole(Hole::Prompt), value)?;
        }
        Ok(filled.arguments)
    }

    /// A value that the task asks for must reach the tool, or its answer is one to another question.
    fn check_fields(&self, task: &Task, profile: &str) -> Result<(), Unfit> {
        let asked = Field::ALL.into_iter().find(|field| {
            let is_asked = field.of(task).is_some_and(|value| !value.is_empty());
            is_asked && !self.ignores.contains(field) && !self.has(&field.hole())
        });
        match asked {
            Some(field) => Err(Unfit::NoPlace { profile: profile.to_owned(), field: field.name() }),
            None => Ok(()),
        }
    }

    fn check_prompt(&self) -> Result<(), ProfileError> {
        let problem = match self.prompt {
            PromptBy::File if !self.has(&Hole::PromptFile) => {
                "`prompt = \"file\"` wants `{prompt_file}` in the arguments"
            }
            PromptBy::Stdin | PromptBy::Argument if self.has(&Hole::PromptFile) => {
                "`{prompt_file}` in the arguments wants `prompt = \"file\"`"
            }
            PromptBy::Stdin | PromptBy::File if self.has(&Hole::Prompt) => {
                "`{prompt}` in the arguments wants `prompt = \"argument\"`"
            }
            _ => return Ok(()),
        };
        Err(ProfileError::Prompt(problem))
    }

    fn has(&self, hole: &Hole) -> bool {
        self.groups.iter().flatten().flat_map(Template::holes).any(|it| it == hole)
    }
}

/// The arguments so far.
#[derive(Default)]
struct Filled {
    arguments: Vec<String>,
    is_past_options: bool,
}

impl Filled {
    fn add(
        &mut self,
        template: &Template,
        value: impl Fn(&Hole) -> Result<String, Unfit>,
    ) -> Result<(), Unfit> {
        let argument = template.fill(value)?;
        let open = template.open_hole().filter(|_| !self.is_past_options);
        if let Some(hole) = open.filter(|_| argument.starts_with('-')) {
            return Err(Unfit::LooksLikeOption { hole: hole.to_string() });
        }
        if let Some(hole) = template.holes().last().filter(|_| argument.len() >= ARGUMENT_BYTES_MAX)
        {
            let (hole, bytes) = (hole.to_string(), argument.len());
            return Err(Unfit::ArgumentTooLong { hole, bytes, max: ARGUMENT_BYTES_MAX - 1 });
        }
        self.is_past_options |= template.is_end_of_options();
        self.arguments.push(argument);
        Ok(())
    }
}

/// The longest argument or variable on Linux, the NUL at its end included.
pub(super) const ARGUMENT_BYTES_MAX: usize = 128 << 10;

fn has_empty(
    group: &[Template],
    value: impl Fn(&Hole) -> Result<String, Unfit>,
) -> Result<bool, Unfit> {
    for hole in group.iter().flat_map(Template::holes) {
        // An empty prompt is one all the same.
        if *hole != Hole::Prompt && value(hole)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn value(hole: &Hole, task: &Task, prompt_file: Option<&str>) -> Result<String, Unfit> {
    let text = match hole {
        Hole::Prompt => Some(task.prompt.clone()),
        Hole::PromptFile => prompt_file.map(str::to_owned),
        Hole::Cwd => task.cwd.clone(),
        Hole::Model => task.model.clone(),
        Hole::Role => task.role.clone(),
        Hole::Effort => task.effort.clone(),
        Hole::Meta(name) => match task.metadata.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err(Unfit::NoText(hole.to_string()));
            }
        },
    };
    let text = text.unwrap_or_default();
    if text.contains('\0') {
        return Err(Unfit::Nul(hole.to_string()));
    }
    Ok(text)
}
