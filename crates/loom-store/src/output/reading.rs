//! Reading output, in whatever process.

use std::io;
use std::path::Path;

use loom_core::OutputPage;

use super::folder::{self, Segment};
use super::frame::Frame;
use super::tail;

/// What is kept from position `from` on, up to about `max` bytes.
pub(super) fn read(directory: &Path, from: u64, max: usize) -> io::Result<OutputPage> {
    // The latest output goes first: where there is some, the segments grow no more.
    let latest = tail::read(directory)?;
    let segments = folder::segments(directory)?;
    let mut reading = Reading { page: OutputPage { chunks: Vec::new(), next: from }, room: max };
    for segment in since(&segments, from) {
        let bytes = segment.read()?;
        for frame in folder::frames(segment.start, &bytes) {
            if !reading.take(frame) {
                return Ok(reading.page);
            }
        }
    }
    for frame in latest.iter().flat_map(tail::Latest::frames) {
        if !reading.take(frame) {
            break;
        }
    }
    Ok(reading.page)
}

/// The segment that holds position `from`, and those after it.
fn since(segments: &[Segment], from: u64) -> &[Segment] {
    let beyond = segments.partition_point(|segment| segment.start <= from);
    segments.get(beyond.saturating_sub(1)..).unwrap_or_default()
}

struct Reading {
    page: OutputPage,
    room: usize,
}

impl Reading {
    /// Takes what of a frame has not been read. Says whether there is room for more.
    fn take(&mut self, frame: Frame<'_>) -> bool {
        if frame.end() <= self.page.next {
            return true;
        }
        let is_first = self.page.chunks.is_empty();
        if !is_first && frame.len() > self.room {
            return false;
        }
        // What is not as it was written counts as cut.
        if let Some(chunk) = frame.chunk().and_then(|chunk| chunk.since(self.page.next)) {
            self.room = self.room.saturating_sub(chunk.bytes.len());
            self.page.next = chunk.end();
            self.page.chunks.push(chunk);
        }
        self.room > 0
    }
}
