//! Secrets taken out of texts that are kept or shown.

mod assigned;
mod known;
mod located;
mod names;
mod options;
mod patterns;
mod shapes;
mod stream;
mod urls;
mod values;
mod vendors;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::{Regex, RegexBuilder};

use crate::env::{Env, EnvValue};
use known::Known;
use patterns::exact_pattern;

pub use stream::RedactStream;

/// Largest pattern of a rule of one's own, compiled.
const RULE_BYTES_MAX: usize = 1 << 20;
/// How often a line is looked at anew after something was taken out of it.
const PASSES_MAX: usize = 4;

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the redaction rule {name:?} cannot be used: {source}")]
pub struct InvalidRule {
    name: String,
    source: Box<regex::Error>,
}

/// Takes secrets out of texts and leaves everything else as it is.
///
/// It knows the values it was told, the shapes of the keys and tokens of many providers, private
/// keys, values that are assigned to names such as `DB_PASSWORD` or `api_key`, the values of headers
/// that authenticate, and passwords in URLs. Each is replaced by `[REDACTED:rule]`. What is already
/// redacted stays as it is; placeholders, variables, hashes and ids are no secrets.
///
/// A clone is cheap. The time is linear in the text.
///
/// ```
/// use loom_core::Redactor;
///
/// let redactor = Redactor::new().with_secret("correct horse");
/// assert_eq!(redactor.redact("said correct horse"), "said [REDACTED:known]");
/// assert_eq!(redactor.redact("DB_PASSWORD=hunter22!"), "DB_PASSWORD=[REDACTED:assigned]");
/// assert_eq!(redactor.redact("task-0193 is done"), "task-0193 is done");
/// ```
#[derive(Clone, Default)]
pub struct Redactor {
    known: Known,
    own: Arc<Vec<(String, Regex)>>,
}

impl Redactor {
    /// A redactor that knows the shapes of secrets, and no value yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes this value out wherever it stands, also in base64, URL-encoded or escaped as in JSON.
    /// A value of less than 8 characters is too common a text and is passed over.
    #[must_use]
    pub fn with_secret(mut self, value: &str) -> Self {
        self.known.add([value]);
        self
    }

    /// Takes out the values of all variables whose names say that they are secret. What an
    /// environment takes from the host is asked of `lookup`, by its name there.
    ///
    /// ```
    /// use loom_core::{Env, EnvValue, Redactor};
    ///
    /// let mut env = Env::new();
    /// env.insert("API_KEY", EnvValue::from_host("WORK_KEY"));
    /// let redactor = Redactor::new().with_env(&env, |name| Some(format!("value of {name}")));
    /// assert_eq!(redactor.redact("<value of WORK_KEY>"), "<[REDACTED:known]>");
    /// ```
    #[must_use]
    pub fn with_env(mut self, env: &Env, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let secret = env.iter().filter_map(|(name, value)| {
            let (source, value) = match value {
                EnvValue::Literal(value) => (name, Some(value.clone())),
                EnvValue::FromHost(host) => (host.as_str(), lookup(host)),
            };
            value.filter(|_| names::holds_secrets(name) || names::holds_secrets(source))
        });
        let secret: Vec<String> = secret.collect();
        self.known.add(secret.iter().map(String::as_str));
        self
    }

    /// Takes out what this pattern matches, or its first group if it has one, within a line.
    ///
    /// # Errors
    /// If the pattern is no regular expression, or a very large one.
    ///
    /// ```
    /// let redactor = loom_core::Redactor::new().with_rule("acme", r"\bacme_[0-9a-z]{12}\b")?;
    /// assert_eq!(redactor.redact("by acme_0123456789ab"), "by [REDACTED:acme]");
    /// # Ok::<(), loom_core::InvalidRule>(())
    /// ```
    pub fn with_rule(mut self, name: &str, pattern: &str) -> Result<Self, InvalidRule> {
        let built = RegexBuilder::new(pattern).size_limit(RULE_BYTES_MAX).build();
        let failed = |source| InvalidRule { name: name.to_owned(), source: Box::new(source) };
        // The name stands in a mark, which must be recognised again.
        let word: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        Arc::make_mut(&mut self.own).push((word, built.map_err(failed)?));
        Ok(self)
    }

    /// The text without its secrets; borrowed if it has none.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut stream = self.stream();
        let mut clean = stream.push(text);
        clean.push_str(&stream.finish());
        if clean == text { Cow::Borrowed(text) } else { Cow::Owned(clean) }
    }

    /// Redacts a text that comes in pieces. Where it is cut makes no difference.
    #[must_use]
    pub fn stream(&self) -> RedactStream {
        RedactStream::new(self.clone())
    }

    /// What is to be taken out of a line, or of a window of a very long one. `is_named` says that
    /// the line before ends in the name of a secret.
    ///
    /// A line is looked at anew after something was taken out, as that may show where another
    /// value ends: a text that is redacted again stays as it is.
    fn spans(&self, line: &str, is_named: bool) -> Vec<Span> {
        let mut spans = self.found(line, is_named);
        for _ in 1..PASSES_MAX {
            if spans.is_empty() {
                break;
            }
            let more = self.found(&replaced(line, &spans), is_named);
            if more.is_empty() {
                break;
            }
            let more: Vec<Span> = more.into_iter().map(|span| span.before(&spans)).collect();
            spans.extend(more);
            spans.sort_by_key(|span| span.secret.start);
        }
        spans
    }

    /// What one look at a line finds.
    fn found(&self, line: &str, is_named: bool) -> Vec<Span> {
        let mut spans = Vec::new();
        if is_named {
            assigned::find_next(line, &mut spans);
        }
        self.known.find(line, &mut spans);
        for (name, rule) in self.own.iter() {
            let found = rule.captures_iter(line).filter_map(|found| found.get(1).or(found.get(0)));
            let found = found.filter(|part| !part.is_empty());
            spans.extend(found.map(|part| Span::new(name.clone(), part.range(), part.range())));
        }
        shapes::find(line, &mut spans);
        if assigned::is_hinted(line) {
            located::find(line, &mut spans);
            assigned::find(line, &mut spans);
            options::find_named(line, &mut spans);
        }
        options::find(line, &mut spans);
        urls::find(line, &mut spans);
        merged(spans, line)
    }

    /// A line without its secrets.
    fn redact_line<'t>(&self, line: &'t str, is_named: bool) -> Cow<'t, str> {
        let spans = self.spans(line, is_named);
        if spans.is_empty() { Cow::Borrowed(line) } else { Cow::Owned(replaced(line, &spans)) }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Something to be taken out.
#[derive(Clone, Debug)]
struct Span {
    rule: Cow<'static, str>,
    /// What is taken out.
    secret: Range<usize>,
    /// What was looked at to tell: a text must not be cut within.
    seen: Range<usize>,
}

impl Span {
    fn new(rule: impl Into<Cow<'static, str>>, secret: Range<usize>, seen: Range<usize>) -> Self {
        Self { rule: rule.into(), secret, seen }
    }

    /// The length of what stands for it.
    fn mark_len(&self) -> usize {
        MARK_OPEN.len() + self.rule.len() + 1
    }

    /// This span of a text from which `taken` was taken out, as a span of that text before.
    fn before(self, taken: &[Self]) -> Self {
        let place =
            |range: Range<usize>| place_before(range.start, taken)..place_before(range.end, taken);
        Self { rule: self.rule, secret: place(self.secret), seen: place(self.seen) }
    }
}

/// Where a place of a text was before `taken` was taken out of it.
fn place_before(place: usize, taken: &[Span]) -> usize {
    // How much of the text before, and of the text after, the spans passed by make up.
    let (mut was, mut is) = (0, 0);
    for span in taken {
        let start = span.secret.start - was + is;
        if place <= start {
            break;
        }
        if place < start + span.mark_len() {
            return span.secret.end;
        }
        was += span.secret.len();
        is += span.mark_len();
    }
    place + was - is
}

/// Takes the group `value` of whatever the pattern finds, where it is a secret.
fn take(
    rule: &'static str,
    pattern: &Regex,
    is_secret: impl Fn(&str) -> bool,
    line: &str,
    spans: &mut Vec<Span>,
) {
    for found in pattern.captures_iter(line) {
        let value = found.name("value").filter(|value| is_secret(value.as_str()));
        spans.extend(
            value
                .zip(found.get(0))
                .map(|(value, whole)| Span::new(rule, value.range(), whole.range())),
        );
    }
}

/// What a mark begins with; the rule and a bracket follow.
const MARK_OPEN: &str = "[REDACTED:";
static MARK: LazyLock<Regex> = LazyLock::new(|| exact_pattern(r"\[REDACTED:[A-Za-z0-9-]*\]"));

/// The spans in order and apart. What touches a mark is left alone.
fn merged(mut spans: Vec<Span>, line: &str) -> Vec<Span> {
    let marks: Vec<Range<usize>> = MARK.find_iter(line).map(|mark| mark.range()).collect();
    let meets = |span: &Span| {
        let at = marks.partition_point(|mark| mark.end <= span.secret.start);
        marks.get(at).is_some_and(|mark| mark.start < span.secret.end)
    };
    spans.retain(|span| !span.secret.is_empty() && !meets(span));
    spans.sort_by_key(|span| (span.secret.start, std::cmp::Reverse(span.secret.end)));
    let mut apart: Vec<Span> = Vec::new();
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.secret.start < last.secret.end => {
                last.secret.end = last.secret.end.max(span.secret.end);
                last.seen.start = last.seen.start.min(span.seen.start);
                last.seen.end = last.seen.end.max(span.seen.end);
            }
            _ => apart.push(span),
        }
    }
    apart
}

fn replaced(line: &str, spans: &[Span]) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut end = 0;
    for span in spans {
        clean.push_str(&line[end..span.secret.start]);
        clean.push_str(MARK_OPEN);
        clean.push_str(&span.rule);
        clean.push(']');
        end = span.secret.end;
    }
    clean.push_str(&line[end..]);
    clean
}
