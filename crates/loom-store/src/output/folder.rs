//! The directory of one task's output, as its writer sees it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::frame::Frame;
use super::names;
use super::tail::{self, Latest};
use crate::locks::private;

/// A segment that has grown to this is followed by a new one: a reader looks through one of them.
const SEGMENT_BYTES: u64 = 256 << 10;
/// More than a segment ever holds.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// A segment that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    serial: u32,
    pub(super) start: u64,
    path: PathBuf,
}

impl Segment {
    /// What the segment holds; nothing, if it has been removed meanwhile.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Ok(file) => file.take(SEGMENT_BYTES_MAX).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(bytes)
    }
}

/// The frames of a segment, up to where it ends or is torn.
pub(super) fn frames(start: u64, bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let (mut position, mut rest) = (start, bytes);
    std::iter::from_fn(move || {
        let (frame, after) = Frame::first(rest)?;
        let follows = frame.position == position;
        (position, rest) = (frame.end(), after);
        follows.then_some(frame)
    })
}

/// The segments of a directory, in order. A directory that is not there has none.
pub(super) fn segments(directory: &Path) -> io::Result<Vec<Segment>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some((serial, start)) = entry.file_name().to_str().and_then(names::segment_of) {
            segments.push(Segment { serial, start, path: entry.path() });
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Removes a directory and all that is in it, if it is there.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes segments.
#[derive(Debug)]
pub(super) struct Folder {
    directory: PathBuf,
    /// Where the next byte goes.
    pub(super) position: u64,
    /// How much the segments hold.
    pub(super) kept: u64,
    /// The serial number of the next segment.
    serial: u32,
    /// The segment that grows, and how much it holds.
    growing: Option<(PathBuf, u64)>,
    /// Where the latest output is written next.
    slot: usize,
}

impl Folder {
    /// Opens the directory, which is made if need be, to go on after what is there. The end of a
    /// segment whose writer has died may be torn: what comes goes into a new one. Returns the
    /// latest output, too, if there is more than the segments hold.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, Option<Latest>)> {
        let mut folder = Self {
            directory: directory.to_path_buf(),
            position: 0,
            kept: 0,
            serial: 0,
            growing: None,
            slot: 0,
        };
        if make(directory)? {
            return Ok((folder, None));
        }
        let segments = segments(directory)?;
        for segment in &segments {
            folder.kept += fs::metadata(&segment.path)?.len();
        }
        if let Some(last) = segments.last() {
            let bytes = last.read()?;
            folder.position = frames(last.start, &bytes).last().map_or(last.start, |f| f.end());
            folder.serial = last.serial.saturating_add(1);
        }
        let latest = tail::read(directory)?;
        if let Some(latest) = &latest {
            folder.position = folder.position.max(latest.end);
            folder.slot = 1 - latest.slot.min(1);
        }
        Ok((folder, latest))
    }

    /// Adds frames, the last of which ends at `end`.
    pub(super) fn append(&mut self, frames: &[u8], end: u64) -> io::Result<()> {
        if frames.is_empty() {
            return Ok(());
        }
        let (path, held) = match self.growing.take() {
            Some((path, held)) if held < SEGMENT_BYTES => (path, held),
            _ => self.next_segment()?,
        };
        OpenOptions::new().append(true).open(&path)?.write_all(frames)?;
        let added = frames.len() as u64;
        self.growing = Some((path, held + added));
        self.kept += added;
        self.position = end;
        Ok(())
    }

    fn next_segment(&mut self) -> io::Result<(PathBuf, u64)> {
        let path = names::segment(&self.directory, self.serial, self.position);
        self.serial = self.serial.saturating_add(1);
        private().create_new(true).open(&path)?;
        Ok((path, 0))
    }

    /// Writes down the latest output, beside what was written down before: one of the two is whole
    /// whenever the process dies.
    pub(super) fn write_latest(&mut self, latest: &[u8]) -> io::Result<()> {
        let path = names::tail(&self.directory, self.slot);
        private().create(true).truncate(false).open(path)?.write_all(latest)?;
        self.slot = 1 - self.slot;
        Ok(())
    }
}

/// Makes a directory for this user alone. Says whether it is new.
fn make(directory: &Path) -> io::Result<bool> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(directory) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            builder.recursive(true).create(directory)?;
            Ok(true)
        }
        Err(error) => Err(error),
    }
}
