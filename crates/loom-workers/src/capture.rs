//! Keeping what a command prints, within a bound.

use std::collections::VecDeque;

/// Room that the mark between head and tail takes at most.
const MARK_BYTES_MAX: usize = 48;

/// Keeps the bytes it is given: all of them up to a bound, beyond it their head and their tail.
///
/// They become text at the very end, so that a character whose bytes come in pieces stays whole.
/// What is no UTF-8 is replaced then.
///
/// ```
/// use loom_workers::Capture;
///
/// let mut capture = Capture::new(100);
/// capture.push("gr\u{fc}n".as_bytes());
/// assert_eq!(capture.into_text(), "gr\u{fc}n");
///
/// let mut capture = Capture::new(100);
/// capture.push(&[b'x'; 1000]);
/// assert!(capture.is_cut());
/// let text = capture.into_text();
/// assert!(text.len() <= 100 && text.contains("bytes cut"));
/// ```
#[derive(Clone, Debug)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    head_max: usize,
    tail_max: usize,
    total: u64,
}

impl Capture {
    /// Keeps at most `max` bytes, the mark for what is missing included.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let head_max = max / 2;
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            head_max,
            tail_max: max - head_max,
            total: 0,
        }
    }

    /// Takes in more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total = self.total.saturating_add(bytes.len() as u64);
        let room = self.head_max.saturating_sub(self.head.len());
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        let (_, rest) = rest.split_at(rest.len().saturating_sub(self.tail_max));
        let over = (self.tail.len() + rest.len()).saturating_sub(self.tail_max);
        self.tail.drain(..over.min(self.tail.len()));
        self.tail.extend(rest);
    }

    /// How many bytes came, kept or not.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Whether bytes are missing.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.total > (self.head.len() + self.tail.len()) as u64
    }

    /// What was kept, as text.
    ///
    /// A mark says how many bytes are missing, if any are, and no character is cut in two there.
    #[must_use]
    pub fn into_text(mut self) -> String {
        let is_cut = self.is_cut();
        let tail = self.tail.make_contiguous();
        if !is_cut {
            self.head.extend_from_slice(tail);
            return lossy(self.head);
        }
        let (_, tail) = tail.split_at(MARK_BYTES_MAX.min(tail.len()));
        let (head, tail) = (without_split_end(&self.head), without_split_start(tail));
        let missing = self.total - (head.len() + tail.len()) as u64;
        let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
        format!("{head}\n[… {missing} bytes cut …]\n{tail}")
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// `bytes` without the beginning of a character at its end.
pub(crate) fn without_split_end(bytes: &[u8]) -> &[u8] {
    let is_beginning = |end: &[u8]| {
        str::from_utf8(end).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
    };
    // The longest character has four bytes, so at most three of it can stand here.
    (1..=3)
        .filter_map(|back| bytes.split_at_checked(bytes.len().checked_sub(back)?))
        .find(|(_, end)| is_beginning(end))
        .map_or(bytes, |(whole, _)| whole)
}

/// `bytes` without the rest of a character at its start.
fn without_split_start(bytes: &[u8]) -> &[u8] {
    let is_rest = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let rest = bytes.iter().take(3).take_while(is_rest).count();
    bytes.split_at(rest).1
}
