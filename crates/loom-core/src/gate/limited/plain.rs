//! Lines of text.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::claim::{self, Claim, Needs};
use super::lines::{
    is_calm, is_document, is_frame, is_good_news, is_header, is_marked, is_other_error, is_source,
    is_tail, statements,
};
use super::shape::is_short;
use super::stance::{
    Stance, announces, is_labelled, is_narrated, is_of_machine, is_over, is_reference, stance,
};
use super::tongues;
use crate::pattern::pattern;

/// How many lines from its end a long text is looked at.
const LAST_LINES: usize = 4;
/// How many of a text whose work failed.
const LAST_LINES_FAILED: usize = 20;
/// How much of these lines.
const LAST_BYTES: usize = 900;
/// Longest report of one error, and how much of the end of failed work is looked at.
const REPORT_BYTES_MAX: usize = 8 << 10;
/// A claim that stands further into its sentence than this many words is no message without a mark.
const WORDS_BEFORE_MAX: usize = 20;
/// A short text of more words than this is no message unless more than the claim speaks for it.
const WORDS_BARE_MAX: usize = 45;

/// What the headings of a page say of a limit.
pub(super) fn says_title(titles: &str) -> Option<String> {
    let says = |title: &str| {
        let title = title.trim();
        title == "Error 1015" || claim::names(title) || told(title, false, Needs::Support)
    };
    titles.lines().any(says).then(|| titles.to_owned())
}

/// What a text says of a limit, although the work went well.
pub(super) fn says(text: &str, short: bool) -> Option<String> {
    if let Some(said) = http(text) {
        return said;
    }
    if short {
        let is_prose = |line: &str| !is_source(line) && !SETTING.is_match(line);
        let foreign = || text.lines().all(is_prose).then(|| tongues::says(text)).flatten();
        return says_short(text).or_else(foreign);
    }
    if let Some(said) = report(text) {
        return Some(said);
    }
    let end = last_lines(text, LAST_LINES)?;
    (end.len() <= LAST_BYTES).then(|| says_at_end(&end))?
}

/// What a text says of a limit, of work that failed: any line near its end may say it.
pub(super) fn says_failing(text: &str) -> Option<String> {
    let said = says(text, is_short(text));
    said.or_else(|| {
        let end = last_lines(text, LAST_LINES_FAILED)?;
        let end = last_bytes(&end, REPORT_BYTES_MAX);
        let lines = statements(end);
        let supported = claim::is_supported(&claim::row(end));
        let told = |line: &String| {
            let marked = is_marked(line) && !is_teaching(line);
            let counts = (marked || is_short(text)) && !is_document(line);
            counts && told(line, marked, given(marked, supported))
        };
        let last = lines.iter().rposition(told)?;
        let (said, after) = lines.split_at(last + 1);
        let overcome = after.iter().any(|line| is_good_news(line));
        said.last().filter(|_| !overcome).cloned()
    })
}

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^(?:[<*]\s+)?HTTP/\d(?:\.\d)? (\d{3})\b|^\s*HTTP request sent, awaiting response\.\.\. (\d{3})",
    )
});
static DUMP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?:[<>*] |(?:GET|POST|PUT|PATCH|DELETE|HEAD) \S+ HTTP/|Trying |--\d{4}-)")
});

/// What the last HTTP status of a text that begins with one says; nothing if there is none.
fn http(text: &str) -> Option<Option<String>> {
    let first = STATUS.find(text)?;
    let is_document = text.contains("```") || text.lines().any(|line| line.starts_with("##"));
    let is_brief = text.len() <= LAST_BYTES && !is_document;
    let is_dump = first.start() == 0 || is_brief || DUMP.is_match(text);
    let found = STATUS.captures_iter(text).last().filter(|_| is_dump)?;
    let code = found.get(1).or_else(|| found.get(2))?.as_str();
    let waits = || text.to_ascii_lowercase().contains("retry-after:");
    let limited = match code {
        "429" | "529" => true,
        "503" => waits() || claim::mentions(body(text)),
        "403" | "400" | "402" => claim::mentions(body(text)),
        _ => false,
    };
    Some(limited.then(|| text.to_owned()))
}

/// What follows the header fields.
fn body(text: &str) -> &str {
    text.split_once("\n\n").map_or(text, |(_, body)| body)
}

/// The end of `text`, at most `max` bytes of it.
fn last_bytes(text: &str, max: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(max))..]
}

fn says_short(text: &str) -> Option<String> {
    let lines = statements(text);
    if are_settings(&lines) || are_names(&lines) {
        return None;
    }
    if let Some(said) = report(text) {
        return Some(said);
    }
    let row = claim::row(text);
    let supported = claim::is_supported(&row);
    // Where somebody tells of work or a document goes on, only an error is a message.
    let is_answer = lines.iter().any(|line| is_document(line) || is_source(line))
        || row.split(" . ").any(|sentence| is_narrated(sentence.trim_start()));
    let is_bare = !is_answer && (supported || row.split(' ').count() <= WORDS_BARE_MAX);
    let is_message = |line: &String| {
        is_marked(line) && !is_document(line) && told(line, true, given(true, supported))
            || OWN.is_match(line.trim_start()) && told(line, false, Needs::Support)
            || is_bare && told(line, false, given(false, supported))
    };
    let last = lines.iter().rposition(is_message)?;
    ends_with(&lines, last, &is_message)
}

/// Whether the lines are the settings of a program: names and plain values, none of them of an error.
fn are_settings(lines: &[String]) -> bool {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*[\w.-]+:(?: \S+)?$"));
    static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"error|message|detail|reason|retry"));
    let is_setting = |line: &String| PAIR.is_match(line) && !WORDS.is_match(line);
    lines.len() >= 3 && lines.iter().all(is_setting)
}

/// Whether the lines are a list of names, of statuses, or of the entries of a dictionary.
fn are_names(lines: &[String]) -> bool {
    let is_name = |line: &String| !line.trim().contains([' ', ':']);
    let is_entry = |line: &String| line.starts_with('"') && line.contains("\": ");
    static STATUS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*([1-9]\d{2,4})(?::|\s+[a-z])"));
    let statuses: HashSet<&str> =
        lines.iter().filter_map(|line| Some(STATUS.captures(line)?.get(1)?.as_str())).collect();
    let is_list = lines.iter().all(is_name) || lines.iter().all(is_entry);
    lines.len() >= 2 && is_list || statuses.len() >= 2
}

/// The message on line `last` and what follows, if nothing that follows is an answer.
fn ends_with(
    lines: &[String],
    last: usize,
    is_message: &dyn Fn(&String) -> bool,
) -> Option<String> {
    let (said, after) = lines.split_at(last + 1);
    let goes_on = after.iter().all(|line| is_tail(line) || is_message(line));
    goes_on.then(|| format!("{}\n{}", said.last().map_or("", String::as_str), after.join("\n")))
}

/// A report of one error and nothing else: its first line says so, the others are its details.
fn report(text: &str) -> Option<String> {
    if text.len() > REPORT_BYTES_MAX {
        return None;
    }
    let lines = statements(text);
    let (first, rest) = lines.split_first()?;
    if first.starts_with("Traceback (most recent call last)") {
        let last = lines.iter().rev().find(|line| !line.starts_with(char::is_whitespace))?;
        return (is_marked(last) && told(last, true, Needs::Mark)).then(|| last.clone());
    }
    if !is_marked(first) || is_document(first) || rest.iter().any(|line| is_good_news(line)) {
        return None;
    }
    // What tells of the limit at once may go on as it likes, but not as an answer.
    let goes_on = |line: &String| is_detail(line) || is_source(line) && !line.contains("```");
    let is_report = match told(first, true, Needs::Mark) {
        true => rest.iter().all(goes_on),
        false => rest.iter().all(|line| is_detail(line)),
    };
    if !is_report {
        return None;
    }
    let told = std::iter::once(first).chain(rest.iter().filter(|line| !is_frame(line)));
    let told = told.cloned().collect::<Vec<_>>().join("\n");
    let supported = claim::is_supported(&claim::row(&told));
    self::told(&told.replace('\n', " "), true, given(true, supported)).then_some(told)
}

/// The last lines of a long text: here, a line must call itself an error or be a provider's own.
fn says_at_end(end: &str) -> Option<String> {
    let lines = statements(end);
    let is_message = |line: &String| {
        let own = OWN.is_match(line.trim_start()) && told(line, false, Needs::Support);
        own || is_marked(line)
            && !is_document(line)
            && !is_teaching(line)
            && told(line, true, Needs::Nothing)
    };
    let last = lines.iter().rposition(is_message)?;
    if are_names(&lines) || is_announced(lines.get(..last)?) {
        return None;
    }
    ends_with(&lines, last, &is_message)
}

/// Whether the last line of prose before a message makes an example of it.
fn is_announced(before: &[String]) -> bool {
    let is_said = |line: &&String| {
        let is_trace = is_frame(line) || line.starts_with("Traceback");
        !is_trace && !is_header(line) && !line.starts_with([' ', '\t'])
    };
    before.iter().rev().find(is_said).is_some_and(|line| announces(line))
}

/// Whether a marked line is prose all the same.
fn is_teaching(line: &str) -> bool {
    let row = claim::row(line);
    is_narrated(&row)
}

/// Sentences that nobody but a provider writes at the end of a long text.
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[^\w#>|`*+-]*(?:you['’](?:ve|re) (?:hit|reached|out of|run out|used|exceeded)|you have (?:hit|reached|exceeded|run out|used)|you (?:hit|exceeded|ran out)|claude (?:ai )?usage limit|(?:\d+-hour|opus|sonnet|weekly|daily|monthly|session|usage|message|rate) (?:weekly )?limit (?:reached|exceeded|hit)|limit reached . resets|exceeded retry limit|sorry, you['’]ve|quota exceeded|too many requests[.,]|429 too many|http 429|rate limited[.,])",
    )
});

/// What is given to the claims of a line, by what surrounds them.
const fn given(marked: bool, supported: bool) -> Needs {
    match (supported, marked) {
        (true, _) => Needs::Support,
        (false, true) => Needs::Mark,
        (false, false) => Needs::Nothing,
    }
}

/// A name or a number given to a key, as in settings.
static SETTING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?x)^\s*\W?(?:\w*code|\w*status|type|name|value|key|kind|action):\s[\w.-]+,?$
        | ^\s*(?:\w+_\w+:|\d+:|"\w+":?)\s*(?:'[^']*'|"[^"]*"),?$
        | ^\s*[a-z]+:\s(?:'[^']*'|"[^"]*"),$
        | ^\s*["']?(?:rate|quota|too|limit|usage|throttl|daily|over)\w*["']?\s*(?:=>|[:=])\s*["'`].*["'`],?$"#,
    )
});

/// Whether a line tells, as an error or as a provider's word, that a limit is reached.
/// It may need at most what is `given`.
fn told(line: &str, marked: bool, given: Needs) -> bool {
    let is_braced = !marked && line.trim_start().starts_with('{') && !line.contains(['"', '\'']);
    if is_braced
        || is_calm(line)
        || is_source(line)
        || is_other_error(line)
        || SETTING.is_match(line)
    {
        return false;
    }
    let line = without_places(line);
    let line = if marked { line } else { without_quotes(&line) };
    let row = claim::row(&line);
    if is_over(&row) || is_of_machine(&row) || is_labelled(&row) || is_reference(&row) {
        return false;
    }
    row.split(" . ").any(|sentence| {
        let stated = |claim: &Claim| {
            claim.needs <= given
                && stance(sentence, claim, marked) == Stance::States
                && (marked || is_near(sentence, claim))
        };
        let claims = claim::claims(sentence);
        let discusses = |claim: &Claim| marked && stance(sentence, claim, true) == Stance::Talks;
        claims.iter().any(stated) && !claims.iter().any(discusses)
    })
}

/// Whether a claim stands where its sentence begins.
fn is_near(sentence: &str, claim: &Claim) -> bool {
    let before = sentence.get(..claim.at.start).unwrap_or_default();
    before.split(' ').count() <= WORDS_BEFORE_MAX
}

static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([\w,]\s*)(?:"[^"]*"|`[^`]*`|“[^”]*”|«[^»]*»|„[^“”]*[“”])"#));

/// A line without what it quotes from somewhere else.
fn without_quotes(line: &str) -> String {
    QUOTED.replace_all(line, "$1 quoted ").into_owned()
}

static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"https?://[^\s'\x22<>)\]},]+[\w/]|\b[\w.-]+(?:/[\w.-]+)+\.[a-z]{1,5}\b|(?:^|\s)~?/[\w.-]+/[\w./-]+\w",
    )
});

/// A line without the addresses and paths in it: the words of a name claim nothing.
fn without_places(line: &str) -> String {
    PLACE.replace_all(line, " place").into_owned()
}

/// The end of a text without the frames of a stack below it.
fn last_lines(text: &str, count: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let is_below = |line: &str| is_frame(line) || line.starts_with([' ', '\t', '}', ']', ')']);
    let end = lines.iter().rposition(|line| !is_below(line)).or(lines.len().checked_sub(1))?;
    let start = (end + 1).saturating_sub(count);
    Some(lines.get(start..=end)?.join("\n"))
}

/// Lines that belong to an error above them: frames, fields, indented text.
fn is_detail(line: &str) -> bool {
    is_frame(line)
        || line.starts_with([' ', '\t', '}', ']', ')', '{', '[', '"', '\'', '<', '│', '╵'])
        || is_marked(line)
        || is_tail(line)
}
