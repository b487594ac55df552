//! Keeping what a command prints, within a bound.

/// Room that the mark between head and tail takes at most.
const MARK_BYTES_MAX: usize = 48;

/// The longest tail. All that comes passes through it, so it is to stay close to the processor: a
/// longer one would slow down commands that print a lot.
const TAIL_BYTES_MAX: usize = 256 << 10;

/// Keeps the bytes it is given: all of them up to a bound, beyond it their head and their tail. The
/// tail is half of what is kept, but at most 256 KiB.
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
    tail: Vec<u8>,
    /// Where the oldest byte of a full tail is, which the next one replaces.
    oldest: usize,
    head_max: usize,
    tail_max: usize,
    total: u64,
}

impl Capture {
    /// Keeps at most `max` bytes, the mark for what is missing included.
    #[must_use]
    pub fn new(max: usize) -> Self {
        let tail_max = (max - max / 2).min(TAIL_BYTES_MAX);
        Self {
            head: Vec::new(),
            tail: Vec::new(),
            oldest: 0,
            head_max: max - tail_max,
            tail_max,
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
        let room = self.tail_max.saturating_sub(self.tail.len());
        let (first, rest) = rest.split_at(room.min(rest.len()));
        self.tail.extend_from_slice(first);
        self.replace_oldest(rest);
    }

    /// Puts bytes in the place of the oldest ones of a full tail, which has room for them.
    fn replace_oldest(&mut self, bytes: &[u8]) {
        let to_the_end = self.tail.len() - self.oldest;
        let (first, rest) = bytes.split_at(to_the_end.min(bytes.len()));
        for (at, bytes) in [(self.oldest, first), (0, rest)] {
            if let Some(place) = self.tail.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
        self.oldest = (self.oldest + bytes.len()).checked_rem(self.tail.len()).unwrap_or(0);
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
        self.tail.rotate_left(self.oldest);
        let mut tail = self.tail.as_slice();
        if is_cut {
            tail = without_split_start(tail.get(MARK_BYTES_MAX..).unwrap_or_default());
            self.head.truncate(without_split_end(&self.head).len());
            let missing = self.total - (self.head.len() + tail.len()) as u64;
            let mark = format!("\n[… {missing} bytes cut …]\n");
            self.head.reserve_exact(mark.len() + tail.len());
            self.head.extend_from_slice(mark.as_bytes());
        }
        self.head.extend_from_slice(tail);
        lossy(self.head)
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
