//! From a command to a child of this process.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::{fcntl_dupfd_cloexec, ioctl_fionbio};
use rustix::process::Pid;
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::command::Command;
use crate::environment::Environment;
use crate::os;
use crate::process::RUN_VARIABLE;

/// Where programs are looked for if the command has no `PATH`.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";
/// The first file that is not one of the three that every program has.
const FIRST_OTHER: i32 = 3;

/// Everything that a child needs to become the program.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) path: CString,
    pub(crate) argv: Vec<CString>,
    pub(crate) envp: Vec<CString>,
    pub(crate) cwd: Option<CString>,
    /// What it finds as its standard input, output and error. None of them is numbered so here.
    pub(crate) files: [OwnedFd; 3],
}

/// What a command reads: from a file, or from a pipe that this process writes to.
#[derive(Debug)]
pub(crate) enum Input {
    File(OwnedFd),
    Pipe,
}

/// This process's ends of the pipes of a child.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) stdin: Option<Sender>,
    pub(crate) stdout: Receiver,
    pub(crate) stderr: Receiver,
}

impl Image {
    /// Prepares a command to be started, with the pipes that it needs.
    ///
    /// # Errors
    /// What stands against it.
    pub(crate) fn of(
        command: &Command,
        environment: &Environment,
        run_id: &str,
        input: Input,
    ) -> io::Result<(Self, Ends)> {
        let variables = variables(environment, run_id);
        let cwd = command.cwd.as_deref();
        let path = find(&command.program, cwd, variables_path(&variables))?;
        let argv = [&command.program].into_iter().chain(&command.args);
        let (stdin, our_stdin) = match input {
            Input::File(file) => (file, None),
            Input::Pipe => {
                let (theirs, ours) = io::pipe()?;
                (theirs.into(), Some(ours.into()))
            }
        };
        let (our_stdout, stdout) = io::pipe()?;
        let (our_stderr, stderr) = io::pipe()?;
        let ends = Ends {
            stdin: our_stdin.map(sender).transpose()?,
            stdout: receiver(our_stdout.into())?,
            stderr: receiver(our_stderr.into())?,
        };
        let image = Self {
            path: CString::new(path.into_os_string().into_vec())?,
            argv: argv.map(|arg| CString::new(arg.as_bytes())).collect::<Result<_, _>>()?,
            envp: variables.into_iter().map(entry).collect::<Result<_, _>>()?,
            cwd: cwd.map(|cwd| CString::new(cwd.as_os_str().as_bytes())).transpose()?,
            files: [
                above_standard(stdin)?,
                above_standard(stdout.into())?,
                above_standard(stderr.into())?,
            ],
        };
        Ok((image, ends))
    }

    /// Starts it as a child of this process that leads a process group of its own. Blocks until the
    /// child has become the program, which takes as long as the machine is busy.
    ///
    /// It finds three open files, and signals that do what they do by default. `place` is the
    /// directory of the cgroup to start it in.
    ///
    /// # Errors
    /// What stood against it. Nothing of it runs then.
    pub(crate) fn launch(&self, place: Option<BorrowedFd<'_>>) -> io::Result<Pid> {
        os::launch(self, place)
    }
}

/// All variables that the command finds, each once.
fn variables(environment: &Environment, run_id: &str) -> Vec<(OsString, OsString)> {
    let own = &environment.variables;
    let is_taken_over = |(name, _): &(OsString, OsString)| {
        environment.inherits && name != RUN_VARIABLE && !own.contains_key(name)
    };
    let taken_over = env::vars_os().filter(is_taken_over);
    let own = own.iter().filter(|(name, _)| *name != RUN_VARIABLE);
    let own = own.map(|(name, value)| (name.clone(), value.clone()));
    taken_over.chain(own).chain([(RUN_VARIABLE.into(), run_id.into())]).collect()
}

fn variables_path(variables: &[(OsString, OsString)]) -> &OsStr {
    let path = variables.iter().find(|(name, _)| name == "PATH");
    path.map_or(OsStr::new(PATH_DEFAULT), |(_, value)| value)
}

fn entry((name, value): (OsString, OsString)) -> io::Result<CString> {
    let mut entry = name.into_vec();
    entry.push(b'=');
    entry.extend_from_slice(value.as_bytes());
    Ok(CString::new(entry)?)
}

/// The file of the program: a path as it is, a name as it is found in `search`.
fn find(program: &OsStr, cwd: Option<&Path>, search: &OsStr) -> io::Result<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Ok(program.into());
    }
    let mut error = io::ErrorKind::NotFound;
    for directory in env::split_paths(search) {
        let file = if directory.as_os_str().is_empty() {
            Path::new(".").join(program)
        } else {
            directory.join(program)
        };
        // What is relative is so to the directory that the command works in.
        let from_here = cwd.map_or_else(|| file.clone(), |cwd| cwd.join(&file));
        if !fs::metadata(&from_here).is_ok_and(|found| found.is_file()) {
            continue;
        }
        if access(&from_here, Access::EXEC_OK).is_ok() {
            return Ok(file);
        }
        error = io::ErrorKind::PermissionDenied;
    }
    Err(error.into())
}

/// The same file under a number that a child can put in no other's place.
fn above_standard(file: OwnedFd) -> io::Result<OwnedFd> {
    if file.as_raw_fd() >= FIRST_OTHER {
        return Ok(file);
    }
    Ok(fcntl_dupfd_cloexec(&file, FIRST_OTHER)?)
}

fn receiver(end: OwnedFd) -> io::Result<Receiver> {
    ioctl_fionbio(&end, true)?;
    Receiver::from_owned_fd_unchecked(end)
}

fn sender(end: OwnedFd) -> io::Result<Sender> {
    ioctl_fionbio(&end, true)?;
    Sender::from_owned_fd_unchecked(end)
}
