//! What to run, and what it finds when it starts.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::error::StartError;
use crate::limits::{COMMAND_BYTES_MAX, TERM_GRACE};
use crate::protocol::Outline;

/// What a command reads from standard input.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Input {
    /// Nothing.
    #[default]
    Null,
    /// These bytes. They are handed over in memory and reach no disk, and the command has them all
    /// whatever becomes of this process.
    Text(Vec<u8>),
    /// What comes from this file, pipe or socket.
    File(OwnedFd),
}

/// A command, and how it is run.
///
/// There is no shell. `Debug` shows neither arguments nor variables.
#[must_use]
pub struct Spec {
    pub(crate) program: OsString,
    name: Option<OsString>,
    args: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    pub(crate) cwd: Option<PathBuf>,
    stdin: Input,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    grace: Duration,
    pub(crate) survival: Option<Survival>,
}

/// How a command survives the end of its starter.
#[derive(Clone, Debug)]
pub(crate) struct Survival {
    pub(crate) directory: PathBuf,
    cap_bytes: u64,
}

impl Spec {
    /// Runs `program`: a path, or a name that is looked for in the `PATH` that the command gets.
    ///
    /// Without arguments, with an empty environment, in the working directory of this process, with
    /// nothing on standard input, its output thrown away.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            name: None,
            args: Vec::new(),
            variables: Vec::new(),
            cwd: None,
            stdin: Input::Null,
            stdout: None,
            stderr: None,
            grace: TERM_GRACE,
            survival: None,
        }
    }

    /// Sets the name that the program is told to have. Default: as it was given to
    /// [`new`](Self::new).
    pub fn arg0(mut self, name: impl Into<OsString>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable. What was set last holds.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sets all variables of this process.
    pub fn inherit_env(mut self) -> Self {
        self.variables.extend(env::vars_os());
        self
    }

    /// Sets the directory to work in, seen from the working directory of this process.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Says what there is to read on standard input.
    pub fn stdin(mut self, stdin: Input) -> Self {
        self.stdin = stdin;
        self
    }

    /// Says where standard output goes. The supervisor keeps no copy: the reader of a pipe is told
    /// of its end when all processes of the command are gone.
    pub fn stdout(mut self, stdout: impl Into<OwnedFd>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Says where standard error goes, as [`stdout`](Self::stdout) does.
    pub fn stderr(mut self, stderr: impl Into<OwnedFd>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// How long processes may take to end after they were asked to, when the leader has exited by
    /// itself, or the holder of [`Supervised`](crate::Supervised) is gone. Default: 10 seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Lets the command go on when this process ends, and keeps what it prints in `directory`, at
    /// most `cap_bytes` of each stream. The directory must exist, belong to this command alone, and
    /// be closed to other users.
    pub fn survive(mut self, directory: impl Into<PathBuf>, cap_bytes: u64) -> Self {
        self.survival = Some(Survival { directory: directory.into(), cap_bytes });
        self
    }

    pub(crate) fn into_parcel(self) -> Result<Parcel, StartError> {
        self.check()?;
        let cwd = absolute(self.cwd.as_deref().unwrap_or(Path::new(".")))
            .map_err(|source| StartError::Cwd { path: PathBuf::from("."), source })?;
        let variables = self.variables.iter().map(|(name, value)| variable(name, value));
        let name = self.name.as_ref().unwrap_or(&self.program);
        let program_and_args = [&self.program, name].into_iter().chain(&self.args);
        let mut texts: Vec<OsString> = program_and_args.cloned().chain(variables).collect();
        texts.push(cwd.into());
        if let Some(survival) = &self.survival {
            let directory = &survival.directory;
            let path = absolute(directory)
                .map_err(|source| StartError::Directory { path: directory.clone(), source })?;
            texts.push(path.into());
        }
        let files = [input(self.stdin)?, self.stdout, self.stderr];
        let outline = Outline {
            args: 2 + self.args.len(),
            variables: self.variables.len(),
            files: files.each_ref().map(Option::is_some),
            grace_ms: millis(self.grace),
            cap_bytes: self.survival.map(|survival| survival.cap_bytes),
        };
        let texts = join(&texts)?;
        Ok(Parcel { outline, texts, files: files.into_iter().flatten().collect() })
    }

    fn check(&self) -> Result<(), StartError> {
        if self.program.is_empty() {
            return Err(StartError::Invalid("it has no program"));
        }
        let wrong = |name: &OsStr| name.is_empty() || name.as_bytes().contains(&b'=');
        if self.variables.iter().any(|(name, _)| wrong(name)) {
            return Err(StartError::Invalid("a variable's name is empty or holds a `=`"));
        }
        if self.survival.is_some() && (self.stdout.is_some() || self.stderr.is_some()) {
            return Err(StartError::Invalid("what is to survive prints into its directory alone"));
        }
        Ok(())
    }
}

/// A command as it is sent to a supervisor.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) outline: Outline,
    pub(crate) texts: Vec<u8>,
    pub(crate) files: Vec<OwnedFd>,
}

/// The supervisor has a working directory of its own.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    env::current_dir().map(|cwd| cwd.join(path))
}

fn variable(name: &OsStr, value: &OsStr) -> OsString {
    let mut entry = name.to_owned();
    entry.push("=");
    entry.push(value);
    entry
}

fn join(texts: &[OsString]) -> Result<Vec<u8>, StartError> {
    if texts.iter().any(|text| text.as_bytes().contains(&0)) {
        return Err(StartError::Invalid("a NUL byte is in it, which no command can take"));
    }
    let texts: Vec<u8> =
        texts.iter().flat_map(|text| text.as_bytes().iter().copied().chain([0])).collect();
    if texts.len() > COMMAND_BYTES_MAX {
        return Err(StartError::Invalid("arguments and variables are longer than 8 MiB"));
    }
    Ok(texts)
}

fn input(stdin: Input) -> Result<Option<OwnedFd>, StartError> {
    match stdin {
        Input::Null => Ok(None),
        Input::File(file) => Ok(Some(file)),
        Input::Text(text) => in_memory(&text).map(Some).map_err(StartError::Kernel),
    }
}

/// A file without a name that holds `text`, read from its start.
fn in_memory(text: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create("stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(text)?;
    file.rewind()?;
    Ok(file.into())
}

pub(crate) fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("variables", &self.variables.len())
            .field("cwd", &self.cwd)
            .field("grace", &self.grace)
            .field("survival", &self.survival)
            .finish_non_exhaustive()
    }
}
