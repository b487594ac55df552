//! Texts are cut to their limits between two characters.

use loom_core::{first_bytes, head_and_tail};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_first_bytes_are_the_longest_prefix_within_the_limit(text in ".*", max in 0..200_usize) {
        let cut = first_bytes(&text, max);
        prop_assert!(cut.len() <= max && text.starts_with(cut));
        let next = text[cut.len()..].chars().next();
        prop_assert!(next.is_none_or(|next| cut.len() + next.len_utf8() > max));
    }

    #[test]
    fn head_and_tail_stay_within_the_limit(text in "\\PC{0,400}", max in 0..300_usize) {
        let cut = head_and_tail(text.clone(), max);
        prop_assert!(cut.len() <= max, "{} bytes", cut.len());
        prop_assert_eq!(text.len() <= max, cut == text);
    }

    #[test]
    fn head_and_tail_are_those_of_the_text(text in "[a-zü漢𝄞]{100,400}", max in 60..100_usize) {
        let cut = head_and_tail(text.clone(), max);
        let (head, rest) = cut.split_once("\n[… ").unwrap();
        let (missing, tail) = rest.split_once(" bytes cut …]\n").unwrap();
        prop_assert!(text.starts_with(head) && text.ends_with(tail));
        let missing: usize = missing.parse().unwrap();
        prop_assert_eq!(head.len() + missing + tail.len(), text.len());
        prop_assert!(cut.len() + 40 > max, "the room is used: {} of {}", cut.len(), max);
    }
}

#[test]
fn a_text_of_exactly_the_limit_stays_whole() {
    assert_eq!(first_bytes("grün", 5), "grün");
    assert_eq!(head_and_tail("grün".to_owned(), 5), "grün");
    assert_eq!(first_bytes("", 0), "");
    assert_eq!(head_and_tail("x".to_owned(), 0), "");
}
