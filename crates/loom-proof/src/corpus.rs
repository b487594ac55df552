//! Labelled texts, one JSON object a line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Largest corpus that is read.
pub const CORPUS_BYTES_MAX: u64 = 256 << 20;

/// Why a corpus cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; give the path of a file of JSON lines")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is larger than anything meant for this.
    #[error("{0} is larger than 256 MiB")]
    TooLarge(PathBuf),
    /// A line is not of the form that the evaluation asks for.
    #[error("{path}:{line}: {source}; each line is an object such as {form}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the evaluation asks for.
        form: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// There is nothing in it.
    #[error("{0} has no lines")]
    Empty(PathBuf),
}

/// The labelled texts of a file, with the numbers of their lines. Blank lines are passed over.
///
/// # Errors
/// If the file cannot be read, is empty, or has a line that is not of this `form`.
pub fn read<T: DeserializeOwned>(
    path: &Path,
    form: &'static str,
) -> Result<Vec<(usize, T)>, CorpusError> {
    let failed = |source| CorpusError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > CORPUS_BYTES_MAX {
        return Err(CorpusError::TooLarge(path.to_owned()));
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let parsed = lines.map(|(text, line)| {
        let item = serde_json::from_str(text);
        let failed = |source| CorpusError::Line { path: path.to_owned(), line, form, source };
        item.map(|item| (line, item)).map_err(failed)
    });
    let items: Vec<_> = parsed.collect::<Result<_, _>>()?;
    if items.is_empty() { Err(CorpusError::Empty(path.to_owned())) } else { Ok(items) }
}
