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

/// How many lines there are, and the last that were told of.
fn many(bytes: &[u8], cuts: &[usize]) -> (u64, Vec<String>) {
    let (mut lines, mut count, mut seen) = (Lines::new(), 0, Vec::new());
    let mut rest = bytes;
    let mut take = |more: u64, latest: &str| {
        count += more;
        assert!(latest.ends_with('\n'));
        let latest: Vec<&str> = latest.lines().collect();
        assert!(latest.len() as u64 <= more, "{more} lines, and {latest:?}");
        seen.extend(latest.into_iter().map(str::to_owned));
    };
    for cut in cuts {
        let (chunk, after) = rest.split_at(cut % (rest.len() + 1));
        lines.push_many(chunk, &mut take);
        rest = after;
    }
    lines.push_many(rest, &mut take);
    lines.finish(|line| take(1, &format!("{line}\n")));
    (count, seen)
}

proptest! {
    #[test]
    fn of_many_lines_all_are_counted_and_few_are_all_told(
        text in "[abä\r\n]{0,60}",
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        let all = split(text.as_bytes(), &[]);
        prop_assert_eq!(many(text.as_bytes(), &cuts), (all.len() as u64, all));
    }

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

#[test]
fn of_very_many_lines_the_last_are_told_and_whole() {
    for end in ["\n", "\r\n", "\r"] {
        let text: String = (0..50_000).map(|number| format!("line {number}{end}")).collect();
        let (count, seen) = many(text.as_bytes(), &[300_001, 65_536]);
        assert_eq!(count, 50_000);
        let last: Vec<String> = (49_500..50_000).map(|number| format!("line {number}")).collect();
        assert!(seen.ends_with(&last), "{:?}", seen.last());
        assert!(seen.len() < 10_000, "{}", seen.len());
        assert!(seen.iter().all(|line| line.starts_with("line ")));
    }
}

#[test]
fn a_long_line_among_many_is_told_from_its_beginning() {
    let long = "x".repeat(20_000);
    let (count, seen) = many(format!("one\ntwo\n{long}\n").as_bytes(), &[]);
    assert_eq!((count, seen.last()), (3, Some(&long)));
}
