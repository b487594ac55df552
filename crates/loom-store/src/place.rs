//! Whether a place can hold a database, before anything is written there.
//!
//! Everything is found out by `stat`: a process that opens and closes a database file by itself
//! takes away the locks that SQLite holds on it in the same process.

mod network;

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use loom_core::StoreError;

use crate::error::{refused, refused_by_system};

/// A place that a database can be at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Absolute, and the same whatever name led to it.
    pub(crate) database: PathBuf,
    /// Where locks are, beside the database.
    pub(crate) directory: PathBuf,
    /// Whether there is a file, if only an empty one.
    pub(crate) exists: bool,
}

/// What is wrong with a place, and what to do.
type Problem = (&'static str, &'static str);

/// What is known of a file that is to be a database.
#[derive(Clone, Copy, Debug)]
struct Facts {
    is_directory: bool,
    is_file: bool,
    links: u64,
    is_mount_point: bool,
    is_writable: bool,
}

/// Finds out whether `path` can be used.
pub(crate) fn check(path: &Path) -> Result<Place, StoreError> {
    let absolute = std::path::absolute(path)
        .map_err(|error| refused_by_system(path, "it is not a path to a file", error))?;
    let name = absolute.file_name().ok_or_else(|| {
        refused(path, "it names no file", "name the file that is to hold the tasks")
    })?;
    let parent = absolute.parent().unwrap_or(&absolute);
    check_parent(path, parent)?;
    let existing = existing(path, &absolute)?;
    let database = match &existing {
        Some(_) => absolute.canonicalize(),
        None => parent.canonicalize().map(|parent| parent.join(name)),
    };
    let database = database.map_err(|e| refused_by_system(path, "it cannot be resolved", e))?;
    let parent = database.parent().unwrap_or(&database);
    if let Some(meta) = &existing {
        let facts = facts(&database, parent, meta);
        if let Some((problem, hint)) = problem(facts) {
            return Err(refused(path, problem, hint));
        }
    }
    check_file_system(path, if existing.is_some() { &database } else { parent })?;
    if database.to_str().is_none() {
        let hint = "choose a path that is UTF-8";
        return Err(refused(path, "SQLite cannot open a path that is not UTF-8", hint));
    }
    let directory = beside(&database, ".d");
    Ok(Place { database, directory, exists: existing.is_some() })
}

fn check_parent(path: &Path, parent: &Path) -> Result<(), StoreError> {
    match fs::metadata(parent) {
        Ok(meta) if !meta.is_dir() => {
            let problem = format!("{} is not a directory", parent.display());
            Err(refused(path, problem, "choose a path in a directory"))
        }
        Ok(_) if !is_writable(parent) => {
            let problem = format!("the directory {} cannot be written to", parent.display());
            let hint = "let this user write there: SQLite keeps its log beside the database";
            Err(refused(path, problem, hint))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let problem = format!("the directory {} does not exist", parent.display());
            Err(refused(path, problem, "create the directory first"))
        }
        Err(error) => Err(refused_by_system(path, "its directory cannot be looked at", error)),
    }
}

/// What is at the place, if anything is.
fn existing(path: &Path, absolute: &Path) -> Result<Option<Metadata>, StoreError> {
    match fs::metadata(absolute) {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if absolute.symlink_metadata().is_ok() {
                let problem = "it is a symbolic link that leads nowhere";
                return Err(refused(path, problem, "remove the link, or create what it leads to"));
            }
            Ok(None)
        }
        Err(error) => Err(refused_by_system(path, "it cannot be looked at", error)),
    }
}

fn problem(facts: Facts) -> Option<Problem> {
    if facts.is_directory {
        return Some(("it is a directory", "name a file in it, such as tasks.db"));
    }
    if !facts.is_file {
        return Some(("it is not a plain file", "choose the path of a plain file"));
    }
    if facts.is_mount_point {
        let problem = "the file itself is a mount point, so its log cannot be beside it";
        return Some((problem, "mount the directory that holds the file instead"));
    }
    if facts.links > 1 {
        let problem = "the file has several hard links, and under each name SQLite keeps a \
                       different log, which destroys it";
        return Some((problem, "keep one name and remove the others, or copy the file"));
    }
    if !facts.is_writable {
        let problem = "the file cannot be written to";
        return Some((problem, "let this user write to it, for example with chmod u+w"));
    }
    None
}

#[cfg(unix)]
fn facts(database: &Path, parent: &Path, meta: &Metadata) -> Facts {
    use std::os::unix::fs::MetadataExt;

    Facts {
        is_directory: meta.is_dir(),
        is_file: meta.is_file(),
        links: meta.nlink(),
        is_mount_point: fs::metadata(parent).is_ok_and(|parent| parent.dev() != meta.dev()),
        is_writable: is_writable(database),
    }
}

#[cfg(not(unix))]
fn facts(_database: &Path, _parent: &Path, meta: &Metadata) -> Facts {
    Facts {
        is_directory: meta.is_dir(),
        is_file: meta.is_file(),
        links: 1,
        is_mount_point: false,
        is_writable: !meta.permissions().readonly(),
    }
}

/// What is named as the database is, with a suffix.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}

/// The first file of a database, or of what SQLite keeps beside it, with which this user may not do
/// what has to be done.
pub(crate) fn denied(database: &Path, may: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let files = ["", "-wal", "-shm"].map(|suffix| beside(database, suffix));
    files.into_iter().find(|file| file.exists() && !may(file))
}

#[cfg(unix)]
pub(crate) fn is_readable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
}

#[cfg(not(unix))]
pub(crate) fn is_readable(_path: &Path) -> bool {
    true
}

#[cfg(unix)]
pub(crate) fn is_writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
pub(crate) fn is_writable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_dir() || !meta.permissions().readonly())
}

/// `there` exists: it is the database, or the directory that it is to be in.
fn check_file_system(path: &Path, there: &Path) -> Result<(), StoreError> {
    let Some(name) = network::file_system(there) else { return Ok(()) };
    let problem =
        format!("it is on a network file system ({name}), where SQLite's log is not safe");
    Err(refused(path, problem, "choose a path on a disk of this machine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Facts = Facts {
        is_directory: false,
        is_file: true,
        links: 1,
        is_mount_point: false,
        is_writable: true,
    };

    #[test]
    fn a_plain_file_is_fine() {
        assert_eq!(problem(SOUND), None);
    }

    #[test]
    fn every_fault_is_named() {
        let faults = [
            (Facts { is_directory: true, is_file: false, ..SOUND }, "it is a directory"),
            (Facts { is_file: false, ..SOUND }, "not a plain file"),
            (Facts { links: 2, ..SOUND }, "hard links"),
            (Facts { is_mount_point: true, ..SOUND }, "mount point"),
            (Facts { is_writable: false, ..SOUND }, "cannot be written to"),
        ];
        for (facts, expected) in faults {
            let (found, hint) = problem(facts).unwrap();
            assert!(found.contains(expected), "{facts:?}: {found}");
            assert!(!hint.is_empty(), "{facts:?} has a hint");
        }
    }
}
