//! A folder for what may be thrown away.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::failure::{Failure, Result};

static MADE: AtomicU32 = AtomicU32::new(0);

/// A new, empty folder that is removed with its content when this value is dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or something of its name is there already.
    pub fn new() -> Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("loom-xtask-{}-{number}", process::id()));
        let made = fs::create_dir(&path);
        made.map_err(|error| Failure::io(format!("making {}", path.display()), &error))?;
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes `command` live in the folder as in a fresh account: it sees none of the user's
    /// tasks and settings.
    pub fn house(&self, command: &mut Command) {
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("LOOM_") {
                command.env_remove(&name);
            }
        }
        command.current_dir(&self.path).env("TZ", "UTC");
        for home in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(home, &self.path);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that stays behind is in the system's place for such folders.
        let _ = fs::remove_dir_all(&self.path);
    }
}
