//! Where the tasks are.

use std::env;
use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use loom::SqliteStore;

use crate::failure::Failure;

/// A database file, and whether somebody asked for it by name.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    chosen: bool,
}

/// The database that is asked for, else the one where the platform keeps state.
pub(crate) fn locate(asked: Option<PathBuf>) -> Result<Database, Failure> {
    if let Some(path) = asked {
        return Ok(Database { path, chosen: true });
    }
    let state = state_directory().ok_or_else(|| {
        Failure::new("no_home", "there is no home directory to keep the database in")
            .hint("name a file with --db FILE or $LOOM_DB")
    })?;
    Ok(Database { path: state.join("loom").join("loom.db"), chosen: false })
}

/// `$XDG_STATE_HOME`, as the XDG base directory specification says, else what the platform uses.
fn state_directory() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            absolute("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            absolute("HOME").map(|home| home.join(".local/state"))
        }
    })
}

impl Database {
    /// The store, to be written. The directory of the database of the platform is made if need be;
    /// that of a file which was named must be there.
    pub(crate) fn writable(&self) -> Result<SqliteStore, Failure> {
        if let (false, Some(directory)) = (self.chosen, self.path.parent()) {
            make_private(directory).map_err(|error| {
                let what = format!("cannot make the directory {}: {error}", directory.display());
                Failure::new("store_refused", what).hint("name a file with --db FILE or $LOOM_DB")
            })?;
        }
        Ok(SqliteStore::open(&self.path))
    }

    /// The store, to be looked at; `None` if there is no database yet.
    pub(crate) fn readable(&self) -> Option<SqliteStore> {
        self.path.exists().then(|| SqliteStore::open(&self.path))
    }
}

fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
