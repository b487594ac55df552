//! Values that are known to be secret, in all the forms in which they may stand.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use regex::Regex;

use super::Span;

/// Shorter values are too common a text to be taken out.
const VALUE_CHARS_MIN: usize = 8;
/// The patterns of so many forms are kept in one, so that no pattern grows too large.
const FORMS_PER_PATTERN: usize = 256;

/// A set of known values. A clone is cheap.
#[derive(Clone, Default)]
pub(super) struct Known {
    forms: Arc<BTreeSet<String>>,
    patterns: Arc<Vec<Regex>>,
}

impl Known {
    pub(super) fn add<'v>(&mut self, values: impl IntoIterator<Item = &'v str>) {
        let forms = Arc::make_mut(&mut self.forms);
        let before = forms.len();
        // Lines are looked at one by one: of a value of several, each line is a value.
        for line in values.into_iter().flat_map(|value| value.lines().map(str::trim)) {
            if line.chars().count() >= VALUE_CHARS_MIN {
                forms.extend(forms_of(line));
            }
        }
        if forms.len() > before {
            self.patterns = Arc::new(patterns(&self.forms));
        }
    }

    pub(super) fn find(&self, line: &str, spans: &mut Vec<Span>) {
        let found = self.patterns.iter().flat_map(|pattern| pattern.find_iter(line));
        spans.extend(found.map(|found| Span::new("known", found.range(), found.range())));
    }
}

/// The longest forms first: where two begin alike, the whole is taken out.
fn patterns(forms: &BTreeSet<String>) -> Vec<Regex> {
    let mut forms: Vec<&String> = forms.iter().collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    let joined = forms.chunks(FORMS_PER_PATTERN).map(|forms| {
        let escaped: Vec<String> = forms.iter().map(|form| regex::escape(form)).collect();
        // Escaped texts are always a pattern, and a limit on its size would let secrets through.
        regex::RegexBuilder::new(&escaped.join("|")).size_limit(usize::MAX).build()
    });
    joined.filter_map(Result::ok).collect()
}

fn forms_of(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned(), percent(value, false), percent(value, true)];
    forms.push(percent(value, false).replace("%20", "+"));
    if let Ok(quoted) = serde_json::to_string(value) {
        let inner = quoted.trim_start_matches('"');
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        forms.push(inner.to_owned());
        forms.push(inner.replace('/', "\\/"));
        forms.push(inner.replace('\\', "\\\\"));
    }
    for shift in 0..3 {
        let encoded = base64(value.as_bytes(), shift);
        forms.push(encoded.replace('+', "-").replace('/', "_"));
        forms.push(encoded);
    }
    forms.retain(|form| form.chars().count() >= VALUE_CHARS_MIN);
    forms
}

/// URL-encoded, with digits in upper or lower case.
fn percent(value: &str, lower: bool) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        // Writing to a string cannot fail.
        let _ = match (plain, lower) {
            (true, _) => write!(encoded, "{}", char::from(byte)),
            (false, true) => write!(encoded, "%{byte:02x}"),
            (false, false) => write!(encoded, "%{byte:02X}"),
        };
    }
    encoded
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The part of the base64 of any text with `bytes` in it, `shift` bytes after a multiple of three,
/// that `bytes` alone decide.
fn base64(bytes: &[u8], shift: usize) -> String {
    let bits = bytes.len() * 8;
    let skipped = (6 - shift * 8 % 6) % 6;
    let mut encoded = String::new();
    let mut at = skipped;
    while at + 6 <= bits {
        let bit = |index: usize| {
            let byte = bytes.get(index / 8).copied().unwrap_or_default();
            usize::from(byte >> (7 - index % 8) & 1)
        };
        let digit = (at..at + 6).fold(0, |digit, index| digit << 1 | bit(index));
        encoded.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'=')));
        at += 6;
    }
    encoded
}
