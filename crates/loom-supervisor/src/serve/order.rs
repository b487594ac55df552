//! The command that a client asks for.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, getrlimit, setrlimit};

use super::Failed;
use super::keeper::Keeper;
use crate::identity::Identity;
use crate::protocol::{Outline, Step};

#[derive(Debug)]
pub(super) struct Order {
    program: OsString,
    name: OsString,
    args: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    cwd: PathBuf,
    /// Those that are not there are null.
    files: [Option<OwnedFd>; 3],
    /// Where what it prints is kept, and how much of each stream.
    survival: Option<(PathBuf, u64)>,
    pub(super) grace_ms: u64,
}

impl Order {
    /// Nothing, if there are fewer texts or files than the outline says.
    pub(super) fn new(outline: &Outline, texts: &[u8], files: Vec<OwnedFd>) -> Option<Self> {
        let mut texts = texts
            .split_inclusive(|byte| *byte == 0)
            .filter_map(|text| text.strip_suffix(&[0]))
            .map(|text| OsString::from_vec(text.to_vec()));
        let program = texts.next()?;
        let name = texts.next()?;
        let args = texts.by_ref().take(outline.args.checked_sub(2)?).collect();
        let variables =
            texts.by_ref().take(outline.variables).map(|entry| variable(&entry)).collect();
        let cwd = texts.next()?.into();
        let survival = match outline.cap_bytes {
            Some(cap) => Some((texts.next()?.into(), cap)),
            None => None,
        };
        let mut files = files.into_iter();
        let mut file = |is_there: bool| if is_there { files.next().map(Some) } else { Some(None) };
        let [stdin, stdout, stderr] = outline.files;
        let files = [file(stdin)?, file(stdout)?, file(stderr)?];
        let grace_ms = outline.grace_ms;
        Some(Self { program, name, args, variables, cwd, files, survival, grace_ms })
    }

    /// Makes ready the directory of a command that is to survive.
    pub(super) fn keep(&self, own: &Identity) -> Result<Option<Keeper>, Failed> {
        let survival = self.survival.as_ref();
        let keeper = survival.map(|(path, cap)| Keeper::claim(path, *cap, own)).transpose();
        keeper.map_err(Failed::at(Step::Directory))
    }

    /// Starts the command.
    pub(super) fn run(self, mut keeper: Option<Keeper>) -> Result<(Pid, Option<Keeper>), Failed> {
        // Checked before the start, whose error would not say that it is the directory.
        let found = fs::metadata(&self.cwd).map_err(Failed::at(Step::Cwd))?;
        if !found.is_dir() {
            return Err(Failed::at(Step::Cwd)(io::ErrorKind::NotADirectory.into()));
        }
        let [stdin, mut stdout, mut stderr] = self.files;
        if let Some(keeper) = &mut keeper {
            let pipes = keeper.pipes().map_err(Failed::at(Step::Kernel))?;
            (stdout, stderr) = (Some(pipes.0), Some(pipes.1));
        }
        let mut command = Command::new(&self.program);
        command
            .arg0(&self.name)
            .args(&self.args)
            .env_clear()
            .envs(self.variables)
            .current_dir(&self.cwd)
            .process_group(0)
            .stdin(stdio(stdin))
            .stdout(stdio(stdout))
            .stderr(stdio(stderr));
        let child = command.spawn().map_err(Failed::at(Step::Command))?;
        allow_files();
        let pid = child.id().try_into().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("it has no process id"));
        Ok((pid.map_err(Failed::at(Step::Command))?, keeper))
    }
}

fn stdio(file: Option<OwnedFd>) -> Stdio {
    file.map_or_else(Stdio::null, Stdio::from)
}

fn variable(entry: &OsStr) -> (OsString, OsString) {
    let mut parts = entry.as_bytes().splitn(2, |byte| *byte == b'=');
    let mut part = || OsString::from_vec(parts.next().unwrap_or_default().to_vec());
    (part(), part())
}

/// Allows as many open files as there may be, for the handles of the processes to be ended. After
/// the start, so that the command keeps the limit that was given.
fn allow_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If it may not be, more rounds are needed to end what has many processes.
    let _ = setrlimit(Resource::Nofile, limit);
}
