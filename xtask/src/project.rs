//! Where the project is and what belongs to it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

use crate::failure::{Failure, Result};

/// The project on disk.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
}

/// A text file of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the project's root, with `/` between its parts.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl Project {
    /// The project that this program was built from, wherever it is started.
    ///
    /// # Errors
    ///
    /// If the folder of the crate has none above it.
    pub fn find() -> Result<Self> {
        let built_from = env!("CARGO_MANIFEST_DIR").into();
        let own = env::var_os("CARGO_MANIFEST_DIR").unwrap_or(built_from);
        let parent = Path::new(&own).parent().map(Path::to_path_buf);
        let root = parent.ok_or_else(|| Failure::Failed("the project has no root".to_owned()))?;
        Ok(Self { root })
    }

    /// The folder that holds everything.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A `cargo` that works on the project.
    ///
    /// What the `cargo run` around us has told us about ourselves is taken out: build scripts
    /// that look at it would run anew.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        cargo.current_dir(&self.root);
        cargo
    }

    /// What cargo knows of the project's own packages.
    ///
    /// # Errors
    ///
    /// If a manifest cannot be read.
    pub fn metadata(&self) -> Result<Metadata> {
        let mut command = MetadataCommand::new();
        command.manifest_path(self.root.join("Cargo.toml"));
        let answer = command.no_deps().exec();
        answer.map_err(|error| Failure::Failed(format!("reading the manifests: {error}")))
    }

    /// The text files that git has, or would have if they were added, by path.
    ///
    /// # Errors
    ///
    /// If git cannot be asked.
    pub fn files(&self) -> Result<Vec<File>> {
        let paths = self.paths()?;
        let files = paths.into_iter().filter_map(|path| {
            // Files that are not text, or that are about to be removed, say nothing to read.
            let text = fs::read_to_string(self.root.join(&path)).ok()?;
            Some(File { path, text })
        });
        Ok(files.collect())
    }

    fn paths(&self) -> Result<Vec<String>> {
        let mut git = Command::new("git");
        git.current_dir(&self.root);
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let doing = "asking git for the files of the project";
        let answer = git.output().map_err(|error| Failure::io(doing, &error))?;
        if !answer.status.success() {
            let why = String::from_utf8_lossy(&answer.stderr);
            return Err(Failure::Failed(format!("{doing}: {}", why.trim())));
        }
        let listed = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut paths: Vec<String> =
            listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}
