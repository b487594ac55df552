//! The latest output of a task beyond its cap, as it stands in a file.
//!
//! Two files take turns and are written in place: a file that replaces another one by its name
//! would be brought to the disk each time, and this happens several times a second.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use loom_core::{KeptOutput, Printed};

use super::frame::{self, Frame, HEADER_BYTES};
use super::names;

const MAGIC: &[u8; 8] = b"loomtail";
/// More than such a file ever holds.
const BYTES_MAX: u64 = 4 << 20;

/// The latest output, as it was read.
#[derive(Clone, Debug)]
pub(super) struct Latest {
    /// Which of the two files.
    pub(super) slot: usize,
    /// How much the task has printed.
    pub(super) end: u64,
    frames: Vec<u8>,
}

impl Latest {
    pub(super) fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut rest = self.frames.as_slice();
        std::iter::from_fn(move || {
            let (frame, after) = Frame::first(rest)?;
            rest = after;
            Some(frame)
        })
    }

    /// The same in memory, to go on from.
    pub(super) fn restore(&self, tail_max: usize) -> KeptOutput {
        let start = self.frames().next().map_or(self.end, |frame| frame.position);
        let mut kept = KeptOutput::new(0, tail_max).starting_at(start);
        self.frames().filter_map(|frame| frame.chunk()).for_each(|chunk| kept.restore(&chunk));
        kept
    }
}

/// Writes the latest output to `to`, which is emptied first.
pub(super) fn write(to: &mut Vec<u8>, kept: &KeptOutput) {
    to.clear();
    to.resize(HEADER_BYTES, 0);
    for chunk in kept.tail() {
        let (attempt, stream, at) = (chunk.attempt, chunk.stream, chunk.at);
        frame::write(to, chunk.position, Printed { attempt, stream, at, bytes: &chunk.bytes });
    }
    let Some((header, frames)) = to.split_first_chunk_mut::<HEADER_BYTES>() else { return };
    let length = frames.len() as u64;
    let (fields, _) = header.as_chunks_mut::<8>();
    let values = [*MAGIC, kept.end().to_le_bytes(), length.to_le_bytes()];
    fields.iter_mut().zip(values).for_each(|(field, value)| *field = value);
    let check = u64::from(frame::check(header, frames)).to_le_bytes();
    if let [.., last] = header.as_chunks_mut::<8>().0 {
        *last = check;
    }
}

/// The latest output that was written down whole, if any was.
pub(super) fn read(directory: &Path) -> io::Result<Option<Latest>> {
    let mut latest: Option<Latest> = None;
    for slot in 0..2 {
        let found = read_slot(directory, slot)?;
        latest = [latest, found].into_iter().flatten().max_by_key(|latest| latest.end);
    }
    Ok(latest)
}

fn read_slot(directory: &Path, slot: usize) -> io::Result<Option<Latest>> {
    let file = match File::open(names::tail(directory, slot)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(parse(&bytes).map(|(end, frames)| Latest { slot, end, frames }))
}

/// `None` of what is not whole: its writer is at it, or has died over it.
fn parse(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (header, frames) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let (&[magic, end, length, written], _) = header.as_chunks::<8>().0.split_first_chunk::<4>()?;
    let frames = frames.get(..usize::try_from(u64::from_le_bytes(length)).ok()?)?;
    let mut header = *header;
    if let [.., last] = header.as_chunks_mut::<8>().0 {
        *last = [0; 8];
    }
    let check = u64::from(frame::check(&header, frames)).to_le_bytes();
    (magic == *MAGIC && check == written).then(|| (u64::from_le_bytes(end), frames.to_vec()))
}
