//! Sheets that wait to be written.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::sheet::Sheet;

/// Sheets that wait for the thread that writes. Each stands here at most a few times, so that there
/// are never many more of them than attempts.
#[derive(Default)]
pub(super) struct Queue {
    line: Mutex<Line>,
    come: Condvar,
}

#[derive(Default)]
struct Line {
    sheets: VecDeque<Arc<Sheet>>,
    is_served: bool,
    is_closed: bool,
}

impl Queue {
    /// Has the queue served, unless it is.
    pub(super) fn start(
        self: &Arc<Self>,
        serve: impl FnOnce(Arc<Self>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut line = self.lock();
        if !line.is_served {
            serve(Arc::clone(self))?;
            line.is_served = true;
        }
        Ok(())
    }

    pub(super) fn push(&self, sheet: Arc<Sheet>) {
        self.lock().sheets.push_back(sheet);
        self.come.notify_one();
    }

    /// All that waits, as soon as there is any, at the latest after `wait`. `None` once the queue is
    /// closed and empty.
    pub(super) fn take(&self, wait: Option<Duration>) -> Option<VecDeque<Arc<Sheet>>> {
        let idle = |line: &mut Line| line.sheets.is_empty() && !line.is_closed;
        let line = self.lock();
        let mut line = match wait {
            Some(wait) => {
                let waited = self.come.wait_timeout_while(line, wait, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.come.wait_while(line, idle).unwrap_or_else(PoisonError::into_inner),
        };
        let sheets = mem::take(&mut line.sheets);
        (!sheets.is_empty() || !line.is_closed).then_some(sheets)
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.come.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
