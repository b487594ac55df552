//! What an attempt prints, on its way to the disk.

use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use loom_core::{KeptOutput, Printed, Stream, TaskId};
use loom_deps::Timestamp;
use tokio::sync::{Notify, oneshot, watch};

use super::Bounds;
use super::folder::Folder;
use super::frame::{self, HEADER_BYTES};
use super::tail;

/// How much may wait to be written before the one who prints is held up.
const WAITING_BYTES_MAX: usize = 128 << 10;
/// A buffer larger than this is not kept while nothing comes.
const SPARE_BYTES_MAX: usize = 16 << 10;

/// Who is told when all is written.
pub(super) type Told = oneshot::Sender<io::Result<()>>;

pub(super) struct Sheet {
    pub(super) task: TaskId,
    directory: PathBuf,
    bounds: Bounds,
    state: Mutex<State>,
    /// Touched by the thread that writes alone.
    folder: Mutex<Option<Folder>>,
    room: Notify,
    /// Up to where what is kept can be read.
    end: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    waiting: Waiting,
    /// The sheet waits for the thread that writes.
    is_queued: bool,
    /// The thread that writes has what waited in hand.
    is_in_hand: bool,
    /// The latest output, once there is no room for more in segments, or they cannot be written.
    tail: Option<KeptOutput>,
    /// The tail has grown since it was last written down.
    has_grown: bool,
    trouble: Option<io::Error>,
    done: Vec<Told>,
}

/// Bytes that wait, in the order in which they came.
#[derive(Default)]
struct Waiting {
    parts: Vec<Part>,
    bytes: Vec<u8>,
}

struct Part {
    attempt: u32,
    stream: Stream,
    at: Timestamp,
    length: usize,
}

impl Waiting {
    /// What came right after another becomes one with it.
    fn push(&mut self, printed: Printed<'_>) {
        let Printed { attempt, stream, at, bytes } = printed;
        self.bytes.extend_from_slice(bytes);
        match self.parts.last_mut() {
            Some(last)
                if (last.attempt, last.stream) == (attempt, stream)
                    && last.length + bytes.len() <= frame::BYTES_MAX =>
            {
                last.length += bytes.len();
            }
            _ => self.parts.push(Part { attempt, stream, at, length: bytes.len() }),
        }
    }

    /// What waits, without the first so many bytes.
    fn after(&self, mut known: usize) -> impl Iterator<Item = Printed<'_>> {
        let mut rest = self.bytes.as_slice();
        let all = self.parts.iter().map(move |part| {
            let (bytes, after) = rest.split_at(part.length.min(rest.len()));
            let (skipped, bytes) = bytes.split_at(known.min(bytes.len()));
            known -= skipped.len();
            rest = after;
            Printed { attempt: part.attempt, stream: part.stream, at: part.at, bytes }
        });
        all.filter(|printed| !printed.bytes.is_empty())
    }

    const fn is_full(&self) -> bool {
        self.bytes.len() + self.parts.len() * HEADER_BYTES >= WAITING_BYTES_MAX
    }
}

impl State {
    /// Takes what was printed, if there is room. Says whether the sheet must be handed in for it.
    fn take(&mut self, printed: Printed<'_>) -> Option<bool> {
        let is_in_order = self.waiting.parts.is_empty() && !self.is_in_hand;
        if let Some(tail) = self.tail.as_mut().filter(|_| is_in_order) {
            tail.push(printed);
            return Some(!mem::replace(&mut self.has_grown, true));
        }
        if self.waiting.is_full() {
            return None;
        }
        self.waiting.push(printed);
        Some(!mem::replace(&mut self.is_queued, true))
    }
}

impl Sheet {
    pub(super) fn new(task: TaskId, directory: PathBuf, bounds: Bounds) -> Self {
        let (state, folder) = (Mutex::default(), Mutex::default());
        let (room, end) = (Notify::new(), watch::Sender::new(0));
        Self { task, directory, bounds, state, folder, room, end }
    }

    /// Takes what was printed, as soon as there is room. Says whether the sheet must be handed in.
    pub(super) async fn take(&self, printed: Printed<'_>) -> bool {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            // From before it is looked, so that no room is missed.
            room.as_mut().enable();
            if let Some(hand_in) = self.lock().take(printed) {
                return hand_in;
            }
            room.await;
        }
    }

    /// Nobody writes: what waits goes to the tail.
    pub(super) fn give_up(&self, error: io::Error) {
        let mut state = self.lock();
        let waiting = mem::take(&mut state.waiting);
        let mut tail = state.tail.take().unwrap_or_else(|| self.empty_tail(0));
        waiting.after(0).for_each(|printed| tail.push(printed));
        state.tail = Some(tail);
        // So that the next who prints tries again.
        (state.is_queued, state.has_grown) = (false, false);
        state.trouble = Some(error);
    }

    /// What has gone wrong since this was last asked.
    pub(super) fn trouble(&self) -> Option<io::Error> {
        self.lock().trouble.take()
    }

    /// Asks to be told when all that has come is written.
    pub(super) fn finish(&self) -> oneshot::Receiver<io::Result<()>> {
        let (told, done) = oneshot::channel();
        self.lock().done.push(told);
        done
    }

    /// Returns when something at `position` can be read.
    pub(super) async fn grown(&self, position: u64) {
        // The sender that could go away is borrowed here.
        let _ = self.end.subscribe().wait_for(|end| *end > position).await;
    }

    /// Whether there is output beyond the cap that has not been written down.
    pub(super) fn overflows(&self) -> bool {
        self.lock().has_grown
    }

    /// Writes what waits. Returns those who are to be told.
    pub(super) fn write(&self, buffer: &mut Vec<u8>) -> Vec<Told> {
        let (mut waiting, done, is_full) = {
            let mut state = self.lock();
            state.is_queued = false;
            state.is_in_hand = true;
            let (waiting, done) = (mem::take(&mut state.waiting), mem::take(&mut state.done));
            (waiting, done, state.tail.is_some())
        };
        let written = match is_full || waiting.parts.is_empty() {
            true => Ok((0, None)),
            false => self.write_segments(&waiting, buffer),
        };
        let mut guard = self.lock();
        let state = &mut *guard;
        let (bytes, tail) = written.unwrap_or_else(|error| {
            state.trouble = Some(error);
            (0, Some(self.empty_tail(self.written())))
        });
        state.tail = tail.or_else(|| state.tail.take());
        if let Some(tail) = &mut state.tail {
            for printed in waiting.after(bytes) {
                tail.push(printed);
                state.has_grown = true;
            }
        }
        state.is_in_hand = false;
        if state.waiting.parts.is_empty() && waiting.bytes.capacity() <= SPARE_BYTES_MAX {
            waiting.parts.clear();
            waiting.bytes.clear();
            state.waiting = waiting;
        }
        drop(guard);
        self.can_be_read(self.written());
        self.room.notify_waiters();
        done
    }

    /// Writes as much as there is room for. Returns how many bytes that is, and the beginning of the
    /// tail if it is not all.
    fn write_segments(
        &self,
        waiting: &Waiting,
        buffer: &mut Vec<u8>,
    ) -> io::Result<(usize, Option<KeptOutput>)> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_none() {
            let (opened, latest) = Folder::open(&self.directory)?;
            *folder = Some(opened);
            if let Some(latest) = latest {
                return Ok((0, Some(latest.restore(self.bounds.tail))));
            }
        }
        let Some(folder) = folder.as_mut() else { return Ok((0, None)) };
        let start = folder.position;
        let mut position = start;
        buffer.clear();
        for printed in waiting.after(0) {
            let taken = folder.kept.saturating_add((buffer.len() + HEADER_BYTES) as u64);
            let room =
                usize::try_from(self.bounds.head.saturating_sub(taken)).unwrap_or(usize::MAX);
            let bytes = printed.bytes.get(..room).unwrap_or(printed.bytes);
            if bytes.is_empty() {
                break;
            }
            frame::write(buffer, position, Printed { bytes, ..printed });
            position += bytes.len() as u64;
        }
        folder.append(buffer, position)?;
        let written = usize::try_from(position - start).unwrap_or(usize::MAX);
        let is_full = written < waiting.bytes.len();
        Ok((written, is_full.then(|| self.empty_tail(position))))
    }

    /// Writes down the latest output, if it has grown.
    pub(super) fn write_latest(&self, buffer: &mut Vec<u8>) {
        let end = {
            let mut state = self.lock();
            if !mem::take(&mut state.has_grown) {
                return;
            }
            let Some(tail) = &state.tail else { return };
            tail::write(buffer, tail);
            tail.end()
        };
        match self.write_slot(buffer) {
            Ok(()) => self.can_be_read(end),
            Err(error) => self.lock().trouble = Some(error),
        }
    }

    fn write_slot(&self, latest: &[u8]) -> io::Result<()> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if folder.is_none() {
            *folder = Some(Folder::open(&self.directory)?.0);
        }
        folder.as_mut().map_or(Ok(()), |folder| folder.write_latest(latest))
    }

    fn can_be_read(&self, to: u64) {
        self.end.send_if_modified(|end| {
            let is_more = to > *end;
            *end = to.max(*end);
            is_more
        });
    }

    fn empty_tail(&self, position: u64) -> KeptOutput {
        KeptOutput::new(0, self.bounds.tail).starting_at(position)
    }

    /// Up to where segments are written.
    fn written(&self) -> u64 {
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        folder.as_ref().map_or(0, |folder| folder.position)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
