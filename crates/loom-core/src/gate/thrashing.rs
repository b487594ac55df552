//! Attempts that produce the same again and again.

use std::collections::HashSet;

use super::{Case, GateDecision, Rule};
use crate::limits::ATTEMPT_OUTPUT_BYTES_MAX;
use crate::text::first_bytes;

/// Objects when the last outputs of a task are nearly the same; another attempt would be, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thrashing {
    /// How many outputs are compared, this one included; at least 2. Default 3.
    pub window: usize,
    /// How alike they must be, from 0 to 1. Default 0.8.
    pub threshold: f64,
}

impl Default for Thrashing {
    fn default() -> Self {
        Self { window: 3, threshold: 0.8 }
    }
}

impl Rule for Thrashing {
    fn check(&self, case: &Case<'_>) -> Option<GateDecision> {
        let others = self.window.max(2) - 1;
        let first = case.previous.len().checked_sub(others)?;
        // As much as is kept of the earlier ones.
        let output = first_bytes(case.output, ATTEMPT_OUTPUT_BYTES_MAX);
        let alike = case.previous[first..]
            .iter()
            .all(|previous| jaccard_word_similarity(previous, output) >= self.threshold);
        alike.then(|| GateDecision::reject("thrashing"))
    }
}

/// How many of the words of two texts they share: 1 if all, 0 if none. Case does not matter.
///
/// ```
/// use loom_core::jaccard_word_similarity;
///
/// assert_eq!(jaccard_word_similarity("a b c", "B c d"), 0.5);
/// assert_eq!(jaccard_word_similarity("", ""), 1.0);
/// ```
#[must_use]
pub fn jaccard_word_similarity(one: &str, other: &str) -> f64 {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect();
    let (one, other): (HashSet<String>, HashSet<String>) = (words(one), words(other));
    let union = one.union(&other).count();
    if union == 0 {
        return 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of words are far below 2^52")]
    let similarity = one.intersection(&other).count() as f64 / union as f64;
    similarity
}
