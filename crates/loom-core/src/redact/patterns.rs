//! Patterns whose classes know ASCII letters only: they are small, and fast on any text.

use regex::Regex;

use crate::pattern;

/// Compiles a constant pattern; letter case does not matter.
pub(super) fn pattern(text: &str) -> Regex {
    pattern::pattern(&ascii(text))
}

/// Compiles a constant pattern to which letter case matters.
pub(super) fn exact_pattern(text: &str) -> Regex {
    pattern::exact_pattern(&ascii(text))
}

fn ascii(text: &str) -> String {
    // A class may stand within a class.
    text.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]").replace(r"\b", r"(?-u:\b)")
}
