//! Which variables a tool gets.

use loom_core::{Env, Task};

use super::error::{ProfileError, Unfit};
use super::spec::EnvSpec;

/// What every tool gets of the host. A `*` at the end stands for any rest.
const BASE: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TERM",
    "TMPDIR",
    "TZ",
    "SSL_CERT_*",
];

/// Variables that choose what programs load or run before they do what they are asked to.
const LOADING: [&str; 23] = [
    "LD_*",
    "DYLD_*",
    "GCONV_PATH",
    "BASH_ENV",
    "BASH_FUNC_*",
    "BASHOPTS",
    "SHELLOPTS",
    "ENV",
    "ZDOTDIR",
    "IFS",
    "PS4",
    "PROMPT_COMMAND",
    "GIT_*",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PYTHON*",
    "PERL5*",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
];

/// Variables by which an agent tells what it starts that it is its child, and loom's own.
const MARKERS: [&str; 5] =
    ["CLAUDECODE", "CLAUDE_CODE_*", "CODEX_SANDBOX*", "GEMINI_CLI", "LOOM_*"];

/// The variables that a profile passes on, and those that it sets.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    pass: Vec<String>,
    set: Env,
}

impl Variables {
    pub(super) fn parse(spec: EnvSpec) -> Result<Self, ProfileError> {
        spec.pass.iter().try_for_each(|name| check_passed(name))?;
        spec.set.keys().try_for_each(|name| check_set(name))?;
        Ok(Self { pass: spec.pass, set: spec.set.into_iter().collect() })
    }

    pub(super) fn pass(&mut self, name: String) -> Result<(), ProfileError> {
        check_passed(&name)?;
        self.pass.push(name);
        Ok(())
    }

    pub(super) const fn set(&self) -> &Env {
        &self.set
    }

    /// Whether a variable of the host is passed on.
    pub(super) fn passes(&self, name: &str) -> bool {
        let patterns = BASE.into_iter().chain(self.pass.iter().map(String::as_str));
        is_one_of(name, patterns) && !self.denies(name)
    }

    /// A task is data, often from elsewhere: it must not choose what the tool loads, nor tell the
    /// tool that somebody else has started it.
    pub(super) fn check_task(&self, task: &Task) -> Result<(), Unfit> {
        match task.env.iter().map(|(name, _)| name).find(|name| self.denies(name)) {
            Some(name) => Err(Unfit::Variable(name.to_owned())),
            None => Ok(()),
        }
    }

    /// A marker that the profile names itself, in full, is a setting of its tool.
    fn denies(&self, name: &str) -> bool {
        let is_named = || self.pass.iter().any(|pass| pass == name);
        is_one_of(name, LOADING) || is_one_of(name, MARKERS) && !is_named()
    }
}

fn is_one_of<'p>(name: &str, patterns: impl IntoIterator<Item = &'p str>) -> bool {
    patterns.into_iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    })
}

fn check_passed(name: &str) -> Result<(), ProfileError> {
    let stem = name.strip_suffix('*').unwrap_or(name);
    let problem = if stem.is_empty() {
        "would pass on everything; name what the tool needs"
    } else if stem.contains(['*', '=', '\0']) {
        "is no name; a `*` may stand at the end only"
    } else if is_one_of(stem, LOADING) {
        "chooses what programs load, and is not taken over; give it a value under `env.set` if it \
         must be"
    } else {
        return Ok(());
    };
    Err(ProfileError::Variable { name: name.to_owned(), problem })
}

fn check_set(name: &str) -> Result<(), ProfileError> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let problem = "is no name";
        return Err(ProfileError::Variable { name: name.to_owned(), problem });
    }
    Ok(())
}
