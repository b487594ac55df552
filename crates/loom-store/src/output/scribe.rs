//! The thread that writes.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use loom_deps::{Clock, Timestamp};

use super::Sheets;
use super::queue::Queue;
use super::sheet::Sheet;

/// How often the latest output of a task beyond its cap is written down.
const LATEST_INTERVAL: Duration = Duration::from_millis(250);

/// Starts the thread. It ends when the queue is closed and empty.
pub(super) fn start(
    queue: Arc<Queue>,
    sheets: &Arc<Sheets>,
    clock: &Arc<dyn Clock>,
) -> io::Result<()> {
    let mut scribe = Scribe {
        sheets: Arc::clone(sheets),
        clock: Arc::clone(clock),
        overflowing: Vec::new(),
        written_at: Timestamp::default(),
        buffer: Vec::new(),
    };
    let run = move || {
        while let Some(waiting) = queue.take(scribe.wait()) {
            waiting.iter().for_each(|sheet| scribe.serve(sheet));
            scribe.write_latest();
        }
        scribe.overflowing.iter().for_each(|sheet| sheet.write_latest(&mut scribe.buffer));
    };
    thread::Builder::new().name("loom-output".to_owned()).spawn(run).map(|_| ())
}

struct Scribe {
    sheets: Arc<Sheets>,
    clock: Arc<dyn Clock>,
    /// Those beyond their cap that have grown since they were last written down.
    overflowing: Vec<Arc<Sheet>>,
    written_at: Timestamp,
    buffer: Vec<u8>,
}

impl Scribe {
    fn wait(&self) -> Option<Duration> {
        (!self.overflowing.is_empty()).then_some(LATEST_INTERVAL)
    }

    fn serve(&mut self, sheet: &Arc<Sheet>) {
        let done = sheet.write(&mut self.buffer);
        if done.is_empty() {
            if sheet.overflows() {
                self.overflowing.push(Arc::clone(sheet));
            }
            return;
        }
        sheet.write_latest(&mut self.buffer);
        // First the sheet, then the word: the next attempt begins a new one.
        self.sheets.forget(sheet);
        for told in done {
            // Who has stopped waiting need not be told.
            let _ = told.send(sheet.trouble().map_or(Ok(()), Err));
        }
    }

    fn write_latest(&mut self) {
        let now = self.clock.now();
        // A clock that was set back is no reason to wait.
        let is_due = now < self.written_at || now.since(self.written_at) >= LATEST_INTERVAL;
        if is_due && !self.overflowing.is_empty() {
            self.written_at = now;
            for sheet in self.overflowing.drain(..) {
                sheet.write_latest(&mut self.buffer);
            }
        }
    }
}
