//! Patterns that are constants of this crate.

use regex::Regex;

/// Compiles a constant pattern; letter case does not matter.
#[expect(clippy::expect_used, reason = "every caller passes a constant, and tests use them all")]
pub(crate) fn pattern(text: &str) -> Regex {
    let built = regex::RegexBuilder::new(text).case_insensitive(true).build();
    built.expect("a constant pattern compiles")
}

/// Compiles a constant pattern over rows of plain English words: letters are those of ASCII, which
/// keeps a pattern of many words small and fast.
#[expect(clippy::expect_used, reason = "every caller passes a constant, and tests use them all")]
pub(crate) fn words_pattern(text: &str) -> Regex {
    let built = regex::RegexBuilder::new(text).unicode(false).build();
    built.expect("a constant pattern compiles")
}

/// Compiles a constant pattern to which letter case matters.
#[expect(clippy::expect_used, reason = "every caller passes a constant, and tests use them all")]
pub(crate) fn exact_pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}
