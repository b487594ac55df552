//! Builds the contenders and has them take their turns.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::process;
use crate::project::Project;

/// Longer than any one measurement should take, by far.
const TIME_MAX: Duration = Duration::from_secs(600);

/// A program that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    Loom,
    /// SQLite without a queue.
    Raw,
    /// Processes without a queue.
    Bare,
    Effectum,
    Apalis,
}

impl Contender {
    const fn program(self) -> &'static str {
        match self {
            Self::Loom => "bench-loom",
            Self::Raw => "bench-raw",
            Self::Bare => "bench-bare",
            Self::Effectum => "bench-effectum",
            Self::Apalis => "bench-apalis",
        }
    }
}

/// What a contender has answered, by name.
pub(super) type Answer = BTreeMap<String, f64>;

/// Where the contenders are, and where they work.
pub(super) struct Arena {
    programs: PathBuf,
    data: PathBuf,
    folders: Cell<u32>,
}

impl Arena {
    /// Builds the contenders, all with the same profile: with the peers or without.
    pub(super) fn build(project: &Project, peers: bool) -> Result<Self> {
        let benches = project.root().join("benches");
        let target = benches.join("target");
        let build = |manifest: &str, package: &str| {
            let mut cargo = project.cargo();
            cargo.args(["build", "--release", "--manifest-path", manifest]);
            process::run(cargo.args(["--package", package, "--target-dir"]).arg(&target))
        };
        build("benches/Cargo.toml", "benches")?;
        if peers {
            // Each alone: built together they would share features that loom does not ask for.
            build("benches/Cargo.toml", "apalis-peer")?;
            build("benches/peers/effectum-peer/Cargo.toml", "effectum-peer")?;
        }
        Self::new(target.join("release"), &target)
    }

    /// On the disk that the project is on: where temporary files live there may be none, and then
    /// nothing to sync.
    pub(super) fn new(programs: PathBuf, target: &Path) -> Result<Self> {
        let data = target.join("bench-data");
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).map_err(|error| Failure::io("making a folder", &error))?;
        Ok(Self { programs, data, folders: Cell::new(0) })
    }

    /// A new, empty folder.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        let number = self.folders.replace(self.folders.get() + 1);
        let folder = self.data.join(number.to_string());
        fs::create_dir(&folder).map_err(|error| Failure::io("making a folder", &error))?;
        Ok(folder)
    }

    /// Has a contender do what `words` ask for, in a folder of its own.
    pub(super) fn turn(&self, contender: Contender, words: &[&str]) -> Result<Answer> {
        let folder = self.folder()?;
        let answer = self.turn_in(&folder, contender, words);
        remove(&folder)?;
        answer
    }

    /// Has a contender do what `words` ask for, in a folder that is there and stays.
    pub(super) fn turn_in(
        &self,
        folder: &Path,
        contender: Contender,
        words: &[&str],
    ) -> Result<Answer> {
        let mut command = Command::new(self.programs.join(contender.program()));
        command.args(words).arg(format!("dir={}", folder.display()));
        let ended = process::capture(&mut command, TIME_MAX)?;
        if ended.status.success() {
            return answer(&ended.stdout);
        }
        let (program, asked) = (contender.program(), words.join(" "));
        Err(Failure::Failed(format!("`{program} {asked}` failed: {}", ended.stderr.trim())))
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // What stays behind is removed before the next run.
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Reads one `name value` a line.
fn answer(text: &str) -> Result<Answer> {
    let read = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    let lines = text.lines().map(|line| {
        read(line).ok_or_else(|| Failure::Failed(format!("a contender answered {line:?}")))
    });
    lines.collect()
}

pub(super) fn remove(folder: &Path) -> Result {
    let doing = || format!("removing {}", folder.display());
    fs::remove_dir_all(folder).map_err(|error| Failure::io(doing(), &error))
}

/// Copies a folder with all that is in it, to where nothing is yet, and onto the disk.
pub(super) fn copy(from: &Path, to: &Path) -> Result {
    let failed = |error| Failure::io(format!("copying {}", from.display()), &error);
    fs::create_dir(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(failed)?;
            // What is measured next is not to wait for the copy.
            File::open(&target).and_then(|copy| copy.sync_all()).map_err(failed)?;
        }
    }
    Ok(())
}
