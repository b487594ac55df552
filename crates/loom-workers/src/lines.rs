//! Splitting bytes into lines as they come.

use std::borrow::Cow;

use loom_core::limits::PROGRESS_SEEN_BYTES_MAX;
use memchr::{memchr, memchr_iter, memchr2, memrchr};

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
                self.line(line, &mut report);
            }
            self.after_return = *end == b'\r';
            rest = after;
        }
        if !rest.is_empty() {
            self.after_return = false;
            self.add(rest, &mut report);
        }
    }

    /// Takes in more bytes and reports how many lines end with them, and the last of these, each with
    /// `\n` at its end: all of them if there are few. For those to whom not each line matters.
    ///
    /// ```
    /// use loom_workers::Lines;
    ///
    /// let (mut lines, mut count, mut last) = (Lines::new(), 0, String::new());
    /// for chunk in ["one\ntw", "o\n3 of 4\r4 of 4\r"] {
    ///     lines.push_many(chunk.as_bytes(), |more, latest| {
    ///         count += more;
    ///         last = latest.lines().last().unwrap_or_default().to_owned();
    ///     });
    /// }
    /// assert_eq!((count, last.as_str()), (4, "4 of 4"));
    /// ```
    pub fn push_many(&mut self, bytes: &[u8], mut report: impl FnMut(u64, &str)) {
        let is_plain = !self.after_return && memchr(b'\r', bytes).is_none();
        let Some(first) = memchr(b'\n', bytes).filter(|_| is_plain) else {
            return self.push_gathered(bytes, report);
        };
        let (first, rest) = bytes.split_at(first + 1);
        self.push_gathered(first, &mut report);
        let (lines, part) = rest.split_at(memrchr(b'\n', rest).map_or(0, |end| end + 1));
        let ends = memchr_iter(b'\n', lines).count() as u64;
        if ends > 0 {
            report(ends, &last_lines(lines));
        }
        self.push_gathered(part, report);
    }

    /// The same, line by line.
    fn push_gathered(&mut self, bytes: &[u8], mut report: impl FnMut(u64, &str)) {
        let (mut count, mut last) = (0, String::new());
        self.push(bytes, |line| {
            count += 1;
            if last.len() > 2 * PROGRESS_SEEN_BYTES_MAX {
                last = last_lines(last.as_bytes()).into_owned();
            }
            last.push_str(line);
            last.push('\n');
        });
        if count > 0 {
            report(count, &last);
        }
    }

    /// Reports the last line, if it had no end.
    pub fn finish(mut self, mut report: impl FnMut(&str)) {
        if !self.partial.is_empty() {
            self.end(&mut report);
        }
    }

    /// Takes in what completes a line.
    fn line(&mut self, part: &[u8], report: &mut impl FnMut(&str)) {
        let is_whole = self.partial.is_empty() && !self.is_skipping;
        if is_whole && part.len() <= LINE_BYTES_MAX {
            return report(&String::from_utf8_lossy(part));
        }
        self.add(part, report);
        self.end(report);
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

/// The last lines of many, as many as are worth looking at.
fn last_lines(lines: &[u8]) -> Cow<'_, str> {
    let older = lines.len().saturating_sub(PROGRESS_SEEN_BYTES_MAX);
    let start = lines.get(..older).and_then(|older| memrchr(b'\n', older)).map_or(0, |end| end + 1);
    let lines = lines.get(start..).unwrap_or_default();
    // Most texts are sound, which is found out faster by itself.
    str::from_utf8(lines).map_or_else(|_| String::from_utf8_lossy(lines), Cow::Borrowed)
}
