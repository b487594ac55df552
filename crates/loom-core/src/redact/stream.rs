//! A text in pieces.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::exact_pattern;
use super::{Redactor, assigned};

/// A line is looked at as a whole up to this length, beyond it in windows of this length.
const WINDOW_BYTES: usize = 16 << 10;
/// How much of a window is looked at again with what follows.
const CARRY_BYTES: usize = 4 << 10;
/// How much of a private key without a line of its body is waited for.
const KEY_HEAD_BYTES_MAX: usize = 1 << 10;

/// Redacts a text that comes in pieces; see [`Redactor::stream`].
///
/// It holds back at most a line, of a long line at most 16 KiB.
///
/// ```
/// let mut stream = loom_core::Redactor::new().stream();
/// let mut clean = stream.push("DB_PASS");
/// clean += &stream.push("WORD=hunter22!\nand more");
/// clean += &stream.finish();
/// assert_eq!(clean, "DB_PASSWORD=[REDACTED:assigned]\nand more");
/// ```
#[derive(Clone, Debug)]
pub struct RedactStream {
    redactor: Redactor,
    /// What has come and is not decided.
    pending: String,
    /// How much of `pending` is only there to be looked at with what follows.
    context: usize,
    key: Key,
    /// Whether the line before ends in the name of a secret.
    is_named: bool,
}

/// Whether the text is within a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Outside,
    /// After the first line, which may also stand in a manual: it waits at the start of `pending`.
    Begun,
    /// Within the body, of which nothing is kept.
    Inside,
}

/// The first line of a private key, as the tools around write it.
static BEGIN: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|---- BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY ----|-----BEGIN OpenVPN Static key V\d-----|Private-Lines: \d{1,4}",
    )
});
static END: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|---- END [A-Z0-9 ]{0,40}PRIVATE KEY ----|-----END OpenVPN Static key V\d-----|Private-MAC",
    )
});
static BODY: LazyLock<Regex> = LazyLock::new(|| exact_pattern(r"[A-Za-z0-9+/]{12,}={0,2}"));

impl RedactStream {
    pub(super) const fn new(redactor: Redactor) -> Self {
        Self { redactor, pending: String::new(), context: 0, key: Key::Outside, is_named: false }
    }

    /// Takes the next piece and returns what is decided by now.
    #[must_use]
    pub fn push(&mut self, piece: &str) -> String {
        let mut clean = String::new();
        // Piece by piece, so that what waits stays small, however much comes at once.
        for part in piece.split_inclusive('\n') {
            let mut part = part;
            while !part.is_empty() {
                let room = (WINDOW_BYTES * 2).saturating_sub(self.pending.len()).max(64);
                let (now, later) = part.split_at(part.floor_char_boundary(room));
                self.pending.push_str(now);
                part = later;
                while self.step(&mut clean, false) {}
            }
        }
        clean
    }

    /// Returns the rest. The text has ended.
    #[must_use]
    pub fn finish(mut self) -> String {
        let mut clean = String::new();
        while self.step(&mut clean, true) {}
        clean
    }

    /// Decides about the first part of what waits, if it can be decided.
    fn step(&mut self, clean: &mut String, ended: bool) -> bool {
        if self.pending.len() <= self.context {
            return false;
        }
        match self.key {
            Key::Outside => self.step_line(clean, ended),
            Key::Begun => self.step_begun(clean, ended),
            Key::Inside => self.step_inside(ended),
        }
    }

    fn step_line(&mut self, clean: &mut String, ended: bool) -> bool {
        let line_end = self.pending.find('\n').map(|at| at + 1);
        let full = self.pending.len() >= WINDOW_BYTES + 4;
        let end = match line_end {
            Some(end) if end <= WINDOW_BYTES => end,
            _ if full => self.pending.floor_char_boundary(WINDOW_BYTES),
            _ if ended => self.pending.len(),
            _ => return false,
        };
        let is_whole = line_end == Some(end) || ended && end == self.pending.len();
        if let Some(begin) = BEGIN.find_at(&self.pending[..end], self.context) {
            let start = begin.start();
            clean.push_str(&self.clean(start, start));
            self.forget(start, 0);
            self.key = Key::Begun;
            return true;
        }
        let cut = if is_whole { end } else { self.cut(end) };
        clean.push_str(&self.clean(end, cut));
        let line = &self.pending[..end];
        // What is named may stand after an empty line.
        let stays = self.is_named && line.trim().is_empty();
        self.is_named = is_whole && (stays || assigned::names_next(line));
        let kept = if is_whole { 0 } else { CONTEXT_BYTES };
        self.forget(cut, kept);
        true
    }

    /// Where a window that goes on is cut: before the last part, and not within a secret.
    fn cut(&self, end: usize) -> usize {
        let window = &self.pending[..end];
        let mut cut = window.floor_char_boundary(end.saturating_sub(CARRY_BYTES));
        let spans = self.redactor.spans(window, self.is_named);
        for span in spans.iter().rev() {
            if span.seen.start < cut && span.seen.end > cut {
                let before = window.floor_char_boundary(span.seen.start);
                // A secret as long as the window is taken out as far as it goes.
                cut = if before > self.context + CARRY_BYTES {
                    before
                } else {
                    span.secret.end.max(cut)
                };
            }
        }
        cut
    }

    /// What is decided of the text up to `cut`, looked at up to `end`.
    fn clean(&self, end: usize, cut: usize) -> String {
        let window = &self.pending[..end];
        if cut == end && self.context == 0 {
            return self.redactor.redact_line(window, self.is_named).into_owned();
        }
        let spans = self.redactor.spans(window, self.is_named);
        let inside =
            |span: &&super::Span| span.secret.end > self.context && span.secret.start < cut;
        let shifted: Vec<super::Span> = spans
            .iter()
            .filter(inside)
            .map(|span| {
                let start = span.secret.start.max(self.context) - self.context;
                let secret = start..span.secret.end.min(cut) - self.context;
                super::Span::new(span.rule.clone(), secret.clone(), secret)
            })
            .collect();
        super::replaced(&window[self.context..cut], &shifted)
    }

    /// Drops what is decided, but for the last bytes before it, to be looked at with what follows.
    fn forget(&mut self, decided: usize, kept: usize) {
        let start = self.pending.floor_char_boundary(decided.saturating_sub(kept));
        self.context = decided - start;
        self.pending.drain(..start);
    }

    /// The first line of a key has come: only with a line of a body it is one.
    fn step_begun(&mut self, clean: &mut String, ended: bool) -> bool {
        let head = BEGIN.find(&self.pending).map_or(0, |begin| begin.end());
        let rest = &self.pending[head..];
        let end = END.find(rest);
        let before = end.as_ref().map_or(rest.len(), |end| end.start());
        let looked_at = rest.floor_char_boundary(before.min(KEY_HEAD_BYTES_MAX));
        let complete = ended || end.is_some() || rest.len() >= KEY_HEAD_BYTES_MAX + END_BYTES_MAX;
        if !complete {
            return false;
        }
        if BODY.is_match(&rest[..looked_at]) {
            clean.push_str("[REDACTED:private-key]");
            self.key = Key::Inside;
        } else {
            clean.push_str(&self.pending[..head]);
            self.key = Key::Outside;
        }
        self.forget(head, 0);
        true
    }

    fn step_inside(&mut self, ended: bool) -> bool {
        let end = END.find(&self.pending).map(|end| end.end());
        if let Some(end) = end {
            self.forget(end, 0);
            self.key = Key::Outside;
            return true;
        }
        let kept = if ended { 0 } else { END_BYTES_MAX };
        let done = self.pending.len().saturating_sub(kept);
        let done = self.pending.floor_char_boundary(done);
        self.pending.drain(..done);
        false
    }
}

/// Longer than any line that ends a key.
const END_BYTES_MAX: usize = 128;
/// How much before a window is looked at with it: the name of a value stands there.
const CONTEXT_BYTES: usize = 256;
