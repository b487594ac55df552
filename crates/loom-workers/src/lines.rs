//! Splitting bytes into lines as they come.

use memchr::memchr2;

use crate::capture::without_split_end;

/// Longest line that is reported; what is beyond it is left out.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// Splits bytes into lines as they come, at `\n`, `\r\n` and the lone `\r` of progress bars.
///
/// Bounded whatever comes: a line without end is reported once it is full, and the rest of it is
/// skipped. What is no UTF-8 is replaced.
///
/// ```
/// use loom_workers::Lines;
///
/// let (mut lines, mut seen) = (Lines::new(), Vec::new());
/// for chunk in ["on", "e\r\ntwo\n10 %\r20", " %"] {
///     lines.push(chunk.as_bytes(), |line| seen.push(line.to_owned()));
/// }
/// lines.finish(|line| seen.push(line.to_owned()));
/// assert_eq!(seen, ["one", "two", "10 %", "20 %"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
    /// The line was full and has been reported; its rest is skipped.
    is_skipping: bool,
    /// The last byte was a `\r`: a `\n` right after it ends no further line.
    after_return: bool,
}

impl Lines {
    /// Nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in more bytes and reports the lines that end with them, without their ends.
    pub fn push(&mut self, bytes: &[u8], mut report: impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(at) = memchr2(b'\n', b'\r', rest) {
            let (line, [end, after @ ..]) = rest.split_at(at) else {
                return;
            };
            let is_second_half = self.after_return && line.is_empty() && *end == b'\n';
            if !is_second_half {
                self.add(line, &mut report);
                self.end(&mut report);
            }
            self.after_return = *end == b'\r';
            rest = after;
        }
        if !rest.is_empty() {
            self.after_return = false;
            self.add(rest, &mut report);
        }
    }

    /// Reports the last line, if it had no end.
    pub fn finish(mut self, mut report: impl FnMut(&str)) {
        if !self.partial.is_empty() {
            self.end(&mut report);
        }
    }

    fn add(&mut self, part: &[u8], report: &mut impl FnMut(&str)) {
        if self.is_skipping {
            return;
        }
        let room = LINE_BYTES_MAX - self.partial.len();
        let (first, beyond) = part.split_at(room.min(part.len()));
        self.partial.extend_from_slice(first);
        if !beyond.is_empty() {
            report(&String::from_utf8_lossy(without_split_end(&self.partial)));
            self.partial.clear();
            self.is_skipping = true;
        }
    }

    fn end(&mut self, report: &mut impl FnMut(&str)) {
        if !self.is_skipping {
            report(&String::from_utf8_lossy(&self.partial));
        }
        self.partial.clear();
        self.is_skipping = false;
    }
}
