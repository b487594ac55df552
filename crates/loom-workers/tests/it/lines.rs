//! Splitting into lines.

use loom_workers::{LINE_BYTES_MAX, Lines};
use proptest::prelude::*;

fn split(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
    let (mut lines, mut seen) = (Lines::new(), Vec::new());
    let mut rest = bytes;
    for cut in cuts {
        let (chunk, after) = rest.split_at(cut % (rest.len() + 1));
        lines.push(chunk, |line| seen.push(line.to_owned()));
        rest = after;
    }
    lines.push(rest, |line| seen.push(line.to_owned()));
    lines.finish(|line| seen.push(line.to_owned()));
    seen
}

/// The plain way, for texts that are there as a whole.
fn expected(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.lines().map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn lines_do_not_depend_on_how_they_came(
        text in "[abä\r\n]{0,60}",
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        prop_assert_eq!(split(text.as_bytes(), &cuts), expected(&text));
    }

    #[test]
    fn any_bytes_can_be_split(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(split(&bytes, &[]), expected(&String::from_utf8_lossy(&bytes)));
    }
}

#[test]
fn a_full_line_is_reported_before_its_end_and_its_rest_skipped() {
    let long = "x".repeat(LINE_BYTES_MAX + 1);
    let (mut lines, mut seen) = (Lines::new(), Vec::new());
    lines.push(long.as_bytes(), |line| seen.push(line.to_owned()));
    assert_eq!(seen, ["x".repeat(LINE_BYTES_MAX)]);
    lines.push(b"rest\nnext\n", |line| seen.push(line.to_owned()));
    assert_eq!(seen.split_off(1), ["next"]);
}

#[test]
fn a_line_that_just_fits_is_one_line() {
    let line = "x".repeat(LINE_BYTES_MAX);
    assert_eq!(split(format!("{line}\nnext").as_bytes(), &[7]), [line.as_str(), "next"]);
}

#[test]
fn no_character_is_cut_in_two_where_a_line_is_full() {
    let long = format!("{}\u{20ac}", "x".repeat(LINE_BYTES_MAX - 1));
    assert_eq!(split(long.as_bytes(), &[]), ["x".repeat(LINE_BYTES_MAX - 1)]);
}
