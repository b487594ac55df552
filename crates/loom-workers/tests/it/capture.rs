//! Keeping head and tail.

use loom_workers::Capture;
use proptest::prelude::*;

fn captured(bytes: &[u8], cuts: &[usize], max: usize) -> (String, bool) {
    let mut capture = Capture::new(max);
    let mut rest = bytes;
    for cut in cuts {
        let (chunk, after) = rest.split_at(cut % (rest.len() + 1));
        capture.push(chunk);
        rest = after;
    }
    capture.push(rest);
    assert_eq!(capture.total(), bytes.len() as u64);
    let is_cut = capture.is_cut();
    (capture.into_text(), is_cut)
}

proptest! {
    #[test]
    fn what_is_kept_does_not_depend_on_how_it_came(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
        max in 0usize..400,
    ) {
        prop_assert_eq!(captured(&bytes, &cuts, max), captured(&bytes, &[], max));
    }

    #[test]
    fn what_is_within_the_bound_is_kept_whole(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let (text, is_cut) = captured(&bytes, &cuts, 300);
        prop_assert!(!is_cut);
        prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn beyond_the_bound_head_and_tail_stay_and_no_character_is_cut_in_two(
        text in "[a-zäß€😀]{200,400}",
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
        max in 100usize..190,
    ) {
        let (kept, is_cut) = captured(text.as_bytes(), &cuts, max);
        prop_assert!(is_cut);
        prop_assert!(kept.len() <= max);
        let (head, rest) = kept.split_once("\n[… ").unwrap();
        let (missing, tail) = rest.split_once(" bytes cut …]\n").unwrap();
        prop_assert!(text.starts_with(head) && text.ends_with(tail));
        let missing: usize = missing.parse().unwrap();
        prop_assert_eq!(head.len() + missing + tail.len(), text.len());
        let is_whole = !kept.contains(char::REPLACEMENT_CHARACTER);
        prop_assert!(is_whole);
    }
}
