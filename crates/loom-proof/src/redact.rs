//! Whether redaction takes out every secret, and nothing else.

use std::path::Path;

use loom::Redactor;
use serde::Deserialize;

use crate::corpus::{self, CorpusError};
use crate::report::Report;

const FORM: &str = r#"{"text": "PASSWORD=hunter22!", "secrets": ["hunter22!"]}"#;

#[derive(Deserialize)]
struct Labelled {
    text: String,
    secrets: Vec<String>,
}

/// Redacts every text of the file.
///
/// A secret that is still there afterwards is a leak; a text without secrets that has changed is
/// damaged.
///
/// # Errors
/// If the file cannot be used.
pub fn evaluate(path: &Path) -> Result<Report, CorpusError> {
    let texts: Vec<(usize, Labelled)> = corpus::read(path, FORM)?;
    let redactor = Redactor::new();
    let (mut leaks, mut damaged, mut secrets) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (line, labelled) in &texts {
        let clean = redactor.redact(&labelled.text);
        secrets += labelled.secrets.len();
        for secret in labelled.secrets.iter().filter(|secret| clean.contains(secret.as_str())) {
            leaks += 1;
            wrong.push(format!("line {line} leaks {secret:?}: {clean:?}"));
        }
        if labelled.secrets.is_empty() && clean != labelled.text {
            damaged += 1;
            wrong.push(format!("line {line} is damaged: {:?} became {clean:?}", labelled.text));
        }
    }
    let figures = vec![
        ("redact.leaks", leaks.to_string()),
        ("redact.damaged", damaged.to_string()),
        ("redact.secrets", secrets.to_string()),
        ("redact.texts", texts.len().to_string()),
    ];
    Ok(Report { figures, wrong })
}
