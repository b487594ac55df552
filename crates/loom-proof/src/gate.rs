//! How well the quality gate tells messages of rate limits from other texts.

use std::path::Path;

use loom::{Timestamp, find_limit};
use serde::Deserialize;

use crate::corpus::{self, CorpusError};
use crate::report::Report;

const FORM: &str = r#"{"text": "429 Too Many Requests", "rate_limited": true}"#;

/// From this length on, a text that is wrongly taken for a message is counted apart.
const LONG_CHARS: usize = 600;

#[derive(Deserialize)]
struct Labelled {
    text: String,
    rate_limited: bool,
    /// Whether the text was left by work that failed.
    #[serde(default)]
    failed: bool,
}

/// Judges every text of the file.
///
/// # Errors
/// If the file cannot be used.
pub fn evaluate(path: &Path) -> Result<Report, CorpusError> {
    let texts: Vec<(usize, Labelled)> = corpus::read(path, FORM)?;
    let (mut hits, mut false_hits, mut long_false_hits) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (line, labelled) in &texts {
        // No moment is needed to tell whether, only when.
        let found = find_limit(&labelled.text, labelled.failed, Timestamp::default()).is_some();
        hits += usize::from(found && labelled.rate_limited);
        false_hits += usize::from(found && !labelled.rate_limited);
        let is_long = labelled.text.chars().count() > LONG_CHARS;
        long_false_hits += usize::from(found && !labelled.rate_limited && is_long);
        if found != labelled.rate_limited {
            let what = if found { "is no message" } else { "is a message" };
            wrong.push(format!("line {line} {what}: {:?}", labelled.text));
        }
    }
    let messages = texts.iter().filter(|(_, labelled)| labelled.rate_limited).count();
    let others = texts.len() - messages;
    let figures = vec![
        ("gate.recall", share(hits, messages, 1.0)),
        ("gate.false_positive_rate", share(false_hits, others, 0.0)),
        ("gate.false_positives_long", long_false_hits.to_string()),
        ("gate.messages", messages.to_string()),
        ("gate.others", others.to_string()),
    ];
    Ok(Report { figures, wrong })
}

fn share(part: usize, whole: usize, of_none: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts of lines are far below 2^52")]
    let share = if whole == 0 { of_none } else { part as f64 / whole as f64 };
    format!("{share:.4}")
}
