//! Lines of text.

use std::sync::LazyLock;

use regex::Regex;

use super::words;
use crate::pattern::{exact_pattern, pattern};

/// How many lines from its end a long text is looked at.
const LAST_LINES: usize = 3;
/// How many of a text whose work failed.
const LAST_LINES_FAILED: usize = 40;
/// How much of these lines.
const LAST_BYTES: usize = 600;
/// A line at least this long that ends without a stop goes on in the next.
const WRAPPED_BYTES_MIN: usize = 60;
/// Longest line that is read as a statement.
const LINE_BYTES_MAX: usize = 4096;

/// What the headings of a page say of a limit.
pub(super) fn says_title(titles: &str) -> Option<String> {
    let says = |title: &str| {
        let title = title.trim();
        words::refuses(title) || title == "Error 1015" || CODE.is_match(title)
    };
    titles.lines().any(says).then(|| titles.to_owned())
}

/// The codes of errors in XML.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"^(?:Throttling(?:Exception)?|SlowDown|TooManyRequests|RequestLimitExceeded|ServerBusy)$",
    )
});

/// What a text says of a limit, although the work went well.
pub(super) fn says(text: &str, short: bool) -> Option<String> {
    if let Some(said) = http(text) {
        return said;
    }
    if short {
        return says_short(text);
    }
    if let Some(said) = report(text) {
        return said;
    }
    let end = last_lines(text, LAST_LINES)?;
    (end.len() <= LAST_BYTES).then(|| says_at_end(&end))?
}

/// What a text says of a limit, of work that failed: any line near its end may say it.
pub(super) fn says_failing(text: &str) -> Option<String> {
    let said = says(text, true);
    said.or_else(|| {
        let end = last_lines(text, LAST_LINES_FAILED)?;
        let lines = statements(&end);
        let told = |line: &&String| {
            let talks = is_conditional(line) || looks_like_source(line);
            let other = NOT_AN_ERROR.is_match(line);
            !talks && !other && (words::refuses(core(line)) || words::mentions(line))
        };
        lines.iter().rev().find(told).cloned()
    })
}

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^HTTP/\d(?:\.\d)? (\d{3})\b|^\s*HTTP request sent, awaiting response\.\.\. (\d{3})",
    )
});

/// What the last HTTP status of a text that begins with one says; nothing if there is none.
fn http(text: &str) -> Option<Option<String>> {
    let first = STATUS.find(text)?;
    let is_response = first.start() == 0 || text.len() <= LAST_BYTES;
    let found = STATUS.captures_iter(text).last().filter(|_| is_response)?;
    let code = found.get(1).or_else(|| found.get(2))?.as_str();
    let waits = || text.to_ascii_lowercase().contains("retry-after:");
    let limited = matches!(code, "429" | "529") || code == "503" && waits();
    Some(limited.then(|| text.to_owned()))
}

fn says_short(text: &str) -> Option<String> {
    if let Some(Some(said)) = report(text) {
        return Some(said);
    }
    let lines = statements(text);
    if lines.iter().any(|line| looks_like_source(line)) {
        return None;
    }
    let last = lines.iter().rposition(|line| is_refusal(line))?;
    let (said, after) = lines.split_at(last + 1);
    let told = said.last()?;
    let goes_on = after.iter().all(|line| is_tail(line)) && !words::is_over(&strip_exit(told));
    goes_on.then(|| format!("{told}\n{}", after.join("\n")))
}

/// A report of one error and nothing else: its first line says so, the others are its details.
fn report(text: &str) -> Option<Option<String>> {
    let lines = statements(text);
    let (first, rest) = lines.split_first()?;
    if first.starts_with("Traceback (most recent call last)") {
        let last = lines.iter().rev().find(|line| !line.starts_with(char::is_whitespace))?;
        return Some((is_refusal(last)).then(|| last.clone()));
    }
    let is_report = is_headed(first) && rest.iter().all(|line| is_detail(line));
    if !is_report {
        return None;
    }
    let told = std::iter::once(first).chain(rest.iter().filter(|line| !is_frame(line)));
    let told = told.cloned().collect::<Vec<_>>().join("\n");
    Some((words::mentions(&told) && !is_conditional(first)).then_some(told))
}

/// The last lines of a long text: here, a line must call itself an error or be a provider's own.
fn says_at_end(end: &str) -> Option<String> {
    let lines = statements(end);
    let is_told = |line: &String| {
        let core = core(line);
        let own = OWN.is_match(core) && words::refuses(core);
        !looks_like_source(line) && (own || is_headed(line) && is_refusal(line))
    };
    let last = lines.iter().rposition(is_told)?;
    let (said, after) = lines.split_at(last + 1);
    let goes_on =
        after.iter().all(|line| is_tail(line)) && !words::is_over(&strip_exit(said.last()?));
    goes_on.then(|| lines[last..].join("\n"))
}

/// Sentences that nobody but a provider writes at the end of a long text.
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:you['’](?:ve|re) (?:hit|reached|out of)|you have (?:hit|reached|exceeded) your|claude (?:ai )?usage limit|\d+-hour limit reached|(?:opus |sonnet )?weekly limit reached|limit reached . resets|session limit reached|exceeded retry limit|sorry, you['’]ve|rate limit (?:reached for|exceeded[.:]))",
    )
});

/// The lines of a text that say something, a wrapped one with what it goes on in.
fn statements(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(|line| crate::text::first_bytes(line.trim_end(), LINE_BYTES_MAX)) {
        let last =
            lines.last_mut().filter(|last| open && last.len() < LINE_BYTES_MAX && !line.is_empty());
        open = line.len() >= WRAPPED_BYTES_MIN
            && !line.ends_with(['.', '!', '?', ':', ';', '}', ')', '"', '|', ',']);
        let starts_anew = is_headed(line) || is_frame(line) || looks_like_source(line);
        match last {
            Some(last) if !starts_anew => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            _ if line.is_empty() => open = false,
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// The end of a text without the frames of a stack below it.
fn last_lines(text: &str, count: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let end = lines.iter().rposition(|line| !is_frame(line))?;
    let start = (end + 1).saturating_sub(count);
    Some(lines.get(start..=end)?.join("\n"))
}

/// Whether a line tells, as an error or as a provider's word, that a limit is reached.
fn is_refusal(line: &str) -> bool {
    let core = core(line);
    if is_conditional(line) || looks_like_source(line) || NOT_AN_ERROR.is_match(line) {
        return false;
    }
    words::refuses(core)
        || words::is_named(line.trim_start())
        || is_headed(line) && words::mentions(line)
}

/// What may stand before a message: signs, times, levels, names of programs.
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:
            [\s✕✗×✖❌⚠■⎿🛑❗│\u{fe0f}\x22'\[<]+
          | \[?\d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d:\d\d[^\s\]]*\]?\s*(?:-\s)?
          | \[?\d\d:\d\d(?::\d\d)?\]?\s*(?:-\s)?
          | \[?(?:error|err!?|fatal|critical|severe|warn(?:ing)?)\]?(?:[:\s]|$)+
          | (?:api\s|npm\s|uncaught\s|unhandled\s)+
          | (?:the\s)?(?:remote|gh|graphql|wget|curl|yt-dlp|rclone|amp|amazon-q|opencode|http|git|codex|claude|gemini|aider|gitlab|caused\sby|exception|runtimeerror|apierror|response|reason)\s?:\s*
          | http\s\d{3}:\s* | (?:[\w.-]+\s){1,3}(?:error|says|failed|failure):\s*
          | attempt\s\d+(?:/\d+)?(?:\sfailed\swith)?[:\s]\s*
          | (?:[\w$]+\.)+[\w$]+(?:error|exception)?:\s+ | [\w$]*(?:error|exception)(?:\s\[\w+\])?:\s+
          | \w+error\]?:?\s*[\[:]\s*
        )",
    )
});

/// The message on a line, without what stands before it.
fn core(line: &str) -> &str {
    let mut rest = line;
    while let Some(head) = HEAD.find(rest).filter(|head| head.end() > 0) {
        if NO_HEAD.is_match(rest) {
            break;
        }
        rest = &rest[head.end()..];
    }
    rest.trim()
}

static NO_HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:error codes?:? [^:]*\b429 rate|rate|throttl)"));

/// Whether a line calls itself an error.
fn is_headed(line: &str) -> bool {
    ERROR.is_match(line) && !NOT_AN_ERROR.is_match(line) && !looks_like_source(line)
}

static ERROR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:[\s✕✗×✖❌⚠■⎿🛑❗│\u{fe0f}\x22'\[<]|\[?\d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d:\d\d[^\s\]]*\]?|\[?\d\d:\d\d(?::\d\d)?\]?\s*-?\s|\d+\s|[\w.$/@-]+:\s?(?:\w+\.rs:\d+:\s)?|(?-i:[A-Z]{3,})\s)*?
        (?: [✕✗×✖❌■🛑❗]
          | (?:[\w$]+(?:\.|::|/))*[\w$]*(?:error|exception)\]?(?:\s?[:!\])>]|\s\d{3}\b|\scode\b|\sresponse\s|\s-\s|$|\s\()
          | <httperror\s | \d{3}\s(?:client|server)\serror: | (?:[\w.-]+\s){1,2}error:\s | (?:the|your|this)\s(?:request|call|operation)\s(?:was|has\sbeen|could\snot)\s(?:be\s)?(?:rejected|denied|blocked|refused|processed|completed|dropped)\b | access\s(?:temporarily\s)?(?:blocked|denied)\b | service\s(?:temporarily\s)?unavailable: | request\sto\s\S+\sfailed | we\s(?:could\snot|couldn't|can't|cannot|were\sunable\sto)\s | curl:\s\(\d+\) | (?:[\w$.]+)?feign\w*\$\w+: | \w+::toomanyrequests\b | [\w$.]+\$toomanyrequests:
          | an\s(?:unexpected\s)?error\soccurred
          | (?:(?:unhandled|uncaught|unexpected|failed|fatal|error|err!|panic|unable|could\snot|cannot|exception|upload\sfailed|download\sfailed|stream\s(?:error|disconnected)|request\sfailed|execution\sfailed|model\scall\sfailed|giving\sup|get\s|operation\serror|rpc\serror|caused\sby|called\s`result|the\sremote\sserver|invoke-\w+|attempt\s\d+\sfailed|reached\smax\sretries|exceeded\sretry\slimit|retrying\s\S+\sas\sit\sraised)\b|err!|npm\s(?:err!|error|warn))
          | \d{3}\s\{ | toomanyrequests: | [\w.]+error\b.*\[ | oserror | (?:level=(?:error|fatal)|status=429)
        )",
    )
});

static NOT_AN_ERROR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*(?:error codes:|errors: \d|errors? at line|failed tests|fail(?:ed)?\s+[\w/]+\.|get /|cannot reproduce|npm (?:warn|http)|\S+ passed)|\berror: expected |assertion|\b(?:import|modulenotfound|attribute|name|type|syntax|reference|validation|key|index)error\b|error\[e?\d|error ts\d|enoent|no such file|cannot (?:find|import)|undeclared|pathspec|unknown option|invalid value|rate_limits?\.|^error handling",
    )
});

/// What speaks of limits as of something that may happen.
static CONDITIONAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(?:if|when|whenever|once|unless|to avoid|approaching|warning: \d|no|there were|we (?:did not|never))\b|^\W*(?:note|tip|hint|title|subject|question|answer|q|a|re|example|summary|docs?|feat|fix|chore|tests?|refactor|perf|ci|build|style|usage|options|verse)\s?(?:\([\w-]+\))?!?:|^in short|\b(?:explained|means that)\b|when you exceed",
    )
});

fn is_conditional(line: &str) -> bool {
    CONDITIONAL.is_match(line)
}

/// Lines of source code, of tests, of lists and tables.
static SOURCE: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^\s*(?:fn |pub |def |class |if[ (]|else\b|elif |return\b|raise |throw |const |let |var |import |case |match |except\b|catch\b|try[:\s{]|assert|expect\(|print\w*!?\(|console\.|log(?:ger|ging)?\.|echo |SELECT |type \w+ =|export |function |async |await |@\w|#|//|/\*|\*|- |\+ |\+\w|-\s{2,}|>|"""|```|\d+\. |diff --git|@@ |\w+ :?= |[\w./-]+\.\w+:\d+:|grep |\||test \w|test result|ok \d|--- PASS|✓|✔|PASS|\w+: Vec|limit_req|iptables )|[{;]\s*$|=>|\.\.\. ok$| PASSED$"#,
    )
});

fn looks_like_source(line: &str) -> bool {
    SOURCE.is_match(line) && !is_json_like(line) && !line.starts_with("##[")
}

/// The first line of an object that is printed over several lines, or one of its lines.
fn is_json_like(line: &str) -> bool {
    let line = line.trim();
    line.ends_with("[{")
        || line.contains("{\"")
        || line.contains("{'")
        || line.ends_with(") {")
        || line.starts_with(['"', '{', '}', ']'])
        || line.contains(" { kind:")
        || line.starts_with("- Quota")
        || line.starts_with("* Quota")
}

static FRAME: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^\s+at |^\s*File "|^\s*\^+\s*$|^\s*~*\^|^\s*\.\.\. \d+ more|^npm (?:ERR!|error)(?: *$| +A complete log|\s+/)|^Error: Process completed with exit code|^##\[error\]Process completed|^\s*stack backtrace|^\s+\d+: |^note: run with"#,
    )
});

fn is_frame(line: &str) -> bool {
    FRAME.is_match(line)
}

/// Lines that belong to an error above them: frames, fields, indented text.
fn is_detail(line: &str) -> bool {
    is_frame(line)
        || line.starts_with([' ', '\t', '}', ']', ')', '{', '[', '"', '\'', '<'])
        || is_headed(line)
        || is_tail(line)
}

/// What may follow a message that is the last thing said: advice, fields, further errors.
static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\s|please|try|retry|retrying|visit|see\b|wait|upgrade|to |you |your |we |if |this |the (?:api|input|server|provider|above|remote)|contact|possible|switching|request|\(|https?:|status|minutes|limit|resets?|add |get |\*|learn|for more|during handling|note:|caused|current|expected|more|enable|purchase|server:|date:|content|x-|hours?\b|\d+ (?:minutes|hours|seconds)|\}|\]|\)|\{|<|sleep|too many new|requests,|service|resource|error|\[?error|fatal|npm|quota|rate|http|failed|\d{4}-\d\d-\d\d.* error|[\w-]+: )",
    )
});
static GOOD_NEWS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(?:success|done|ok|answer|result|here|http/?[\d. ]* ?2\d\d|uploaded|saved|wrote|written|created|the answer)\b|attempt \d+: ok|\bretry \d+: http 2\d\d|\bsucceeded\b|completed\b",
    )
});

fn is_tail(line: &str) -> bool {
    let line = strip_exit(line);
    TAIL.is_match(&line) && !GOOD_NEWS.is_match(&line) && !looks_like_source(&line)
        || is_refusal(&line)
        || is_frame(&line)
}

/// Good words that tell of nothing good: a program that completed with an exit code has not
/// completed well.
fn strip_exit(line: &str) -> String {
    let line = line.replace("completed with exit code", "ended with");
    line.replace("indicate success", "indicate it").replace("state=finished", "")
}
