//! What is kept of one task's output, as a value.

use std::collections::VecDeque;
use std::fmt;

use super::{OutputChunk, OutputPage, Printed};

/// What a chunk takes beside its bytes, so that many small ones are bounded, too.
const CHUNK_OVERHEAD_BYTES: usize = 32;
/// The most that is put into one chunk.
const CHUNK_BYTES_MAX: usize = 32 << 10;

/// Keeps what a task prints, within two bounds: everything up to the first, beyond that the latest
/// up to the second.
///
/// ```
/// use loom_core::{KeptOutput, Printed, Stream};
/// # let at = loom_deps::Timestamp::from_micros(0);
///
/// let mut kept = KeptOutput::new(100, 100);
/// for _ in 0..30 {
///     let line = Printed { attempt: 1, stream: Stream::Stdout, at, bytes: b"ten bytes\n" };
///     kept.push(line);
/// }
/// let page = kept.read(0, 1000);
/// assert_eq!(page.next, 300);
/// assert!(page.cut() > 0 && page.chunks.iter().any(|chunk| chunk.cut > 0));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeptOutput {
    head: Vec<OutputChunk>,
    tail: VecDeque<OutputChunk>,
    head_max: usize,
    tail_max: usize,
    head_taken: usize,
    tail_taken: usize,
    end: u64,
    is_full: bool,
}

impl KeptOutput {
    /// Keeps the first `head_max` bytes, and then the latest `tail_max`. Small chunks count for
    /// more than their bytes.
    #[must_use]
    pub const fn new(head_max: usize, tail_max: usize) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            head_max,
            tail_max,
            head_taken: 0,
            tail_taken: 0,
            end: 0,
            is_full: false,
        }
    }

    /// The same, but the task had printed so much before.
    #[must_use]
    pub const fn starting_at(mut self, position: u64) -> Self {
        self.end = position;
        self
    }

    /// How many bytes the task has printed.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Takes what comes next.
    pub fn push(&mut self, printed: Printed<'_>) {
        let room = match self.is_full {
            true => 0,
            false => self.head_max.saturating_sub(self.head_taken + CHUNK_OVERHEAD_BYTES),
        };
        let (first, rest) = printed.bytes.split_at(room.min(printed.bytes.len()));
        self.push_head(Printed { bytes: first, ..printed });
        self.is_full |= !rest.is_empty();
        for bytes in rest.chunks(self.piece_max()) {
            self.push_tail(Printed { bytes, ..printed });
        }
    }

    fn push_head(&mut self, printed: Printed<'_>) {
        if printed.bytes.is_empty() {
            return;
        }
        let last = self.head.last_mut();
        let fresh = append(last, CHUNK_BYTES_MAX, printed, self.end, |_| Vec::new());
        let overhead = if fresh.is_some() { CHUNK_OVERHEAD_BYTES } else { 0 };
        self.head.extend(fresh);
        self.head_taken += printed.bytes.len() + overhead;
        self.advance(printed.bytes.len());
    }

    /// Puts a chunk to the tail that was kept before. It comes after all that is there.
    pub fn restore(&mut self, chunk: &OutputChunk) {
        self.is_full = true;
        self.end = chunk.position.max(self.end);
        let OutputChunk { attempt, stream, at, .. } = *chunk;
        self.push(Printed { attempt, stream, at, bytes: &chunk.bytes });
    }

    /// What is kept beyond the first bound, in order.
    pub fn tail(&self) -> impl Iterator<Item = &OutputChunk> {
        self.tail.iter()
    }

    /// Reads from position `from`, at most about `max` bytes, but at least one chunk.
    #[must_use]
    pub fn read(&self, from: u64, max: usize) -> OutputPage {
        let mut page = OutputPage { chunks: Vec::new(), next: from };
        let mut room = max;
        for chunk in self.head.iter().chain(&self.tail).filter(|chunk| chunk.end() > from) {
            let Some(chunk) = chunk.since(page.next) else { continue };
            let bytes = chunk.bytes.len();
            page.next = chunk.end();
            page.chunks.push(chunk);
            room = room.saturating_sub(bytes);
            if room == 0 {
                break;
            }
        }
        page
    }

    fn push_tail(&mut self, printed: Printed<'_>) {
        let mut spare = None;
        let needed = printed.bytes.len() + CHUNK_OVERHEAD_BYTES;
        while self.tail_taken.saturating_add(needed) > self.tail_max {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.tail_taken -= oldest.bytes.len() + CHUNK_OVERHEAD_BYTES;
            spare = Some(oldest.bytes);
        }
        if self.tail_max == 0 {
            return self.advance(printed.bytes.len());
        }
        // What has room once is not asked for again: this is where a flood of output ends up.
        let buffer = |bytes: usize| {
            let mut buffer = spare.unwrap_or_default();
            buffer.clear();
            buffer.reserve(bytes);
            buffer
        };
        let piece_max = self.piece_max();
        let fresh = append(self.tail.back_mut(), piece_max, printed, self.end, buffer);
        let overhead = if fresh.is_some() { CHUNK_OVERHEAD_BYTES } else { 0 };
        self.tail.extend(fresh);
        self.tail_taken += printed.bytes.len() + overhead;
        self.advance(printed.bytes.len());
    }

    /// The most in one chunk of the tail, from which whole chunks are dropped.
    fn piece_max(&self) -> usize {
        (self.tail_max / 4).clamp(1, CHUNK_BYTES_MAX)
    }

    const fn advance(&mut self, bytes: usize) {
        self.end = self.end.saturating_add(bytes as u64);
    }
}

/// Adds to the last chunk what belongs there, or makes a new one of it.
fn append(
    last: Option<&mut OutputChunk>,
    max: usize,
    printed: Printed<'_>,
    position: u64,
    buffer: impl FnOnce(usize) -> Vec<u8>,
) -> Option<OutputChunk> {
    let Printed { attempt, stream, at, bytes } = printed;
    let belongs = |last: &OutputChunk| {
        (last.attempt, last.stream, last.end()) == (attempt, stream, position)
            && last.bytes.len() + bytes.len() <= max
    };
    match last {
        Some(last) if belongs(last) => {
            last.bytes.extend_from_slice(bytes);
            None
        }
        _ => {
            let mut kept = buffer(bytes.len());
            kept.extend_from_slice(bytes);
            Some(OutputChunk { attempt, stream, at, position, cut: 0, bytes: kept })
        }
    }
}

impl OutputChunk {
    /// What of the chunk comes at or after `position`, and how much is missing between. `None` if
    /// all of it comes before.
    #[must_use]
    pub fn since(&self, position: u64) -> Option<Self> {
        let known = position.saturating_sub(self.position);
        let bytes = self.bytes.get(usize::try_from(known).ok()?..)?;
        if bytes.is_empty() {
            return None;
        }
        let start = self.position.max(position);
        let cut = self.position.saturating_sub(position);
        Some(Self { position: start, cut, bytes: bytes.to_vec(), ..*self })
    }
}

impl fmt::Debug for KeptOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptOutput").field("end", &self.end).finish_non_exhaustive()
    }
}
