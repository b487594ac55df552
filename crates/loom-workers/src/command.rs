//! What to run.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use loom_core::{Env, EnvValue, Task, WorkerError};

use crate::start_error::StartError;

/// What a command takes over of the environment of the process that runs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inherit {
    /// Every variable.
    #[default]
    All,
    /// The variables of these names, as far as they are set.
    Only(Vec<String>),
}

impl Inherit {
    /// The variables of these names, as far as they are set.
    pub fn only(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }
}

/// What a command reads from standard input.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stdin {
    /// Nothing.
    #[default]
    Null,
    /// These bytes.
    Text(Vec<u8>),
    /// The content of a file.
    File(PathBuf),
}

impl Stdin {
    /// This text, or these bytes.
    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(text.into())
    }

    /// The content of the file at `path`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }
}

/// What is read may be a prompt: it is never shown.
impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Text(bytes) => write!(f, "Text({} bytes)", bytes.len()),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// A program with its arguments, and what it finds when it starts.
///
/// There is no shell: arguments reach the program as they are. `Debug` shows neither the arguments
/// nor the values of variables.
///
/// ```
/// use loom_workers::{Command, Inherit, Stdin};
///
/// let command = Command::new("sort")
///     .arg("--numeric-sort")
///     .env("LC_ALL", "C")
///     .inherit(Inherit::only(["PATH", "HOME"]))
///     .stdin(Stdin::text("10\n9\n"));
/// assert_eq!(command.args, ["--numeric-sort"]);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// The program: a path, or a name that is looked for in the `PATH` that the command gets.
    pub program: OsString,
    /// The arguments after the program's name.
    pub args: Vec<OsString>,
    /// The directory to work in. Default: the task's, or else that of the running process.
    pub cwd: Option<PathBuf>,
    /// Variables to set. Those of the task come on top.
    pub env: Env,
    /// What is taken over of the environment of the running process. Default: everything.
    pub inherit: Inherit,
    /// What there is to read on standard input. Default: nothing.
    pub stdin: Stdin,
}

impl Command {
    /// Runs `program` without arguments.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: None,
            env: Env::new(),
            inherit: Inherit::default(),
            stdin: Stdin::default(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets the directory to work in.
    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Sets a variable. One of the same name that the task sets wins.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<EnvValue>) -> Self {
        self.env.insert(name, value);
        self
    }

    /// Says what is taken over of the environment of the running process.
    #[must_use]
    pub fn inherit(mut self, inherit: Inherit) -> Self {
        self.inherit = inherit;
        self
    }

    /// Says what there is to read on standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Whether the system can take the command at all.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        if self.program.is_empty() {
            return Err(StartError::NoProgram);
        }
        without_nul("the program's name", &self.program)?;
        for arg in &self.args {
            without_nul("an argument", arg)?;
        }
        let cwd = self.cwd.as_deref().unwrap_or(Path::new(""));
        without_nul("the working directory", cwd.as_os_str())
    }
}

fn without_nul(part: &'static str, text: &OsStr) -> Result<(), StartError> {
    if text.as_bytes().contains(&0) {
        return Err(StartError::Nul(part));
    }
    Ok(())
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("cwd", &self.cwd)
            .field("env", &self.env)
            .field("inherit", &self.inherit)
            .field("stdin", &self.stdin)
            .finish()
    }
}

/// Says which command a task stands for. Closures will do.
pub trait Resolver: Send + Sync + 'static {
    /// The command for `task`.
    ///
    /// Its working directory and its variables need no care: what the command leaves open is taken
    /// from the task.
    ///
    /// # Errors
    /// The error becomes the attempt's.
    fn resolve(&self, task: &Task) -> Result<Command, WorkerError>;
}

impl<F> Resolver for F
where
    F: Fn(&Task) -> Result<Command, WorkerError> + Send + Sync + 'static,
{
    fn resolve(&self, task: &Task) -> Result<Command, WorkerError> {
        self(task)
    }
}
