//! Cutting texts to a limit without breaking a character.

/// The longest prefix of `text` that has at most `max` bytes and ends between two characters.
///
/// ```
/// assert_eq!(loom_core::first_bytes("grün", 3), "gr");
/// ```
#[must_use]
pub fn first_bytes(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Cuts `text` to at most `max` bytes: its head, a line that says how much is missing, its tail.
///
/// A text within the limit comes back as it is.
///
/// ```
/// let cut = loom_core::head_and_tail("x".repeat(200), 100);
/// assert!(cut.len() <= 100 && cut.contains("bytes cut"));
/// ```
#[must_use]
pub fn head_and_tail(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    // Room for the mark with a number of any length.
    let room = max.saturating_sub(48) / 2;
    let head = first_bytes(&text, room);
    let tail = &text[text.ceil_char_boundary(text.len() - room)..];
    let missing = text.len() - head.len() - tail.len();
    let marked = format!("{head}\n[… {missing} bytes cut …]\n{tail}");
    first_bytes(&marked, max).to_owned()
}
