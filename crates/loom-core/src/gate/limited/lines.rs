//! What a line of a text is: the frame of a stack, source code, a heading, an error, good news.

use std::sync::LazyLock;

use regex::Regex;

use crate::pattern::{exact_pattern, pattern};
use crate::text::first_bytes;

/// A line at least this long that ends without a stop goes on in the next.
const WRAPPED_BYTES_MIN: usize = 60;
/// Longest line that is read as a statement.
const LINE_BYTES_MAX: usize = 4096;

/// The lines of a text that say something, a wrapped one with what it goes on in.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(|line| first_bytes(line.trim_end(), LINE_BYTES_MAX)) {
        let last =
            lines.last_mut().filter(|last| open && last.len() < LINE_BYTES_MAX && !line.is_empty());
        open = line.len() >= WRAPPED_BYTES_MIN && !line.ends_with(STOPS);
        match last {
            Some(last) if !starts_anew(line) => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            _ if line.is_empty() => open = false,
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// What a line ends in that does not go on in the next.
const STOPS: [char; 12] = ['.', '!', '?', ':', ';', '}', ')', '"', '|', ',', ']', '>'];

fn starts_anew(line: &str) -> bool {
    is_marked(line) || is_frame(line) || is_source(line) || is_document(line)
}

static FRAME: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^\s+at |^\s*File "|^\s*\^+\s*$|^\s*~*\^|^\s*\.\.\. \d+ more|^npm (?:ERR!|error)(?: *$| +A complete log|\s+/)|^Error: Process completed with exit code|^##\[error\]Process completed|^\s*stack backtrace|^note: run with|^\s*(?:from )?\S+\.rb:\d+:in |^goroutine \d+|^\t\S+\.go:\d+|^\s*-->? |^#\d+ \S+\.php|^\s*\S+\.(?:ex|erl|clj|py|js|ts|java|kt|cs):\d+|^Node\.js v\d|^node:internal/|^\s+trigger\w+\(|^at \S+ \(|^At (?:\S.* char:\d+|line:\d+)|^\s+(?:with|on) \S+.*[,:]$|^[─-╿\s]+$"#,
    )
});

static NUMBERED: LazyLock<Regex> = LazyLock::new(|| exact_pattern(r"^\s+\d+: "));

static HEADER: LazyLock<Regex> =
    LazyLock::new(|| exact_pattern(r"^(?:HTTP/[\d.]+ \d{3}\b|[A-Za-z]+(?:-[A-Za-z]+)+: )"));

/// Whether a line is the status of an answer, or a field of its head.
pub(super) fn is_header(line: &str) -> bool {
    HEADER.is_match(line)
}

/// Lines of a log that are no errors by their level.
static CALM: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^(?:[\d\[({T][\d\]:.,TZ+/ -]*)?(?:\[?(?:INFO|DEBUG|TRACE|NOTICE|info|debug|trace)\]?[:\s]|(?:time|ts)="?\S+ (?:level|lvl)=(?:info|debug|trace)|(?:level|lvl)=(?:info|debug|trace))"#,
    )
});
static HAPPENS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?:429|529)\b(?:\D|$)|exceeded|reached|throttled|too.?many|overloaded|retry")
});
static PREPARES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:config\w*|loaded|initiali[sz]ed|initiali[sz]ing|enabled|disabled|registered|starting|started|allowed|policy|check ok|set to|when exceeded|delaying|replying|replied|responding|answering|answered|rejecting|dropping)\b",
    )
});

/// Whether a line of a log tells of how limits are set, or how much is left.
pub(super) fn is_calm(line: &str) -> bool {
    CALM.is_match(line) && (!HAPPENS.is_match(line) || PREPARES.is_match(line))
}

/// Whether a line is a frame of a stack, or what surrounds one.
pub(super) fn is_frame(line: &str) -> bool {
    FRAME.is_match(line) || NUMBERED.is_match(line) && !is_marked(line)
}

/// Lines of source code and of tests.
static SOURCE: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^\s*(?:fn |pub |def |class |if[ (]|else\b|elif |return\b|raise |throw |const |let |var |val |import |from \S+ import|using |case |match |except\b|catch\b|try[:\s{]|assert|expect\(|print\w*!?\(|console\.|log(?:ger|ging)?\.|echo |SELECT |INSERT |type \w+ =|export |function |func |async |await |app\.|@\w|//|/\*|\*/|\+ |\+\w|-\s{2,}|-\w, --|--\w[\w-]+[ =<\[]|"""|```|~~~|diff --git|@@ |[+-]{3} \S|\w+ :?= |[\w./-]+\.\w+[:-]\d+[:-]|\$ |grep |test \w|test result|ok \d|--- PASS|✓|✔|PASS\b|\w+: Vec|limit_req|iptables |msgid |msgstr |[A-Z_]+\(\d+,|while |for \w+ in |switch |with \w+\(|self\.|this\.|#\[|#!|<\w+\s*/>|static |private |public |render |\[\w+\] public |protected |final |enum |struct |impl |trait |interface |module |package |require|local |set |unless |rescue |end$|resource "|data "|provider "|FROM |RUN |CMD |ENV )|[{;]\s*$|=>|->|\.\.\. ok$| PASSED$|\w\(.*\)\s*[{:]$|\w+\(\w*\)\.\w+\(| === | == | != |&&|\|\||^\s*[a-z]\w*(?:\.[a-z]\w*)*\([\w"']|^\s*[\w.]+\([a-z]\w*,|^[\w.-]+/[\w./-]+\.[a-z]{1,4}: |\w\{\w+=|;\s*\}$|^[a-z][\w-]*(?:\.[\w-]+)+=[A-Z]|^(?:export )?[A-Z][A-Z0-9]*_[A-Z0-9_]*=|^\s*<(?:string|data|entry|item|p|div|span|button|option|label|li|td|trans-unit)\s[\w:]+="#,
    )
});

/// Whether a line is code rather than something said.
pub(super) fn is_source(line: &str) -> bool {
    SOURCE.is_match(line) && !is_data(line) && !line.starts_with("##[")
}

/// A line of an object that is printed, on one line or on several.
fn is_data(line: &str) -> bool {
    let trimmed = line.trim();
    if STATEMENT.is_match(trimmed)
        || trimmed.ends_with("; }")
        || trimmed.starts_with('<') && trimmed.contains("=\"")
    {
        return false;
    }
    if trimmed.starts_with("\"\"\"") || ASSIGNS.is_match(trimmed) || is_place(trimmed) {
        return false;
    }
    trimmed.ends_with("[{")
        || trimmed.ends_with(") {")
        || trimmed.contains("{\"")
        || trimmed.contains("{'")
        || trimmed.contains(" { ")
        || trimmed.starts_with(['"', '{', '}', ']'])
        || is_marked(line)
}

/// Code that is shown with its place in a file.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(r"^(?:\w+: )?[\w./-]*\w\.[a-z]{1,4}:\d+:\s*(?:[a-z/#]|[A-Z]\w*::)")
});

/// Statements that no print of an object begins with.
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"^(?:\[\w+\] )?(?:return|throw new|raise|render|await|yield|export|public|private|static) ",
    )
});

/// The same as searches print it: nothing stands between the place and the line, not even a blank.
static FOUND: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"^[\w./@-]*\w\.[a-zA-Z]{1,10}(?::\d+:(?:\d+:)?|-\d+-)(?:\S|\s{2,}\S|\t)|^[\w./@-]*\w\.(?:md|rst|txt|json|ya?ml|toml|ini|html?|properties|csv|po|xml)(?::\d+)+:",
    )
});

/// Whether a line is one of a file, shown with its place there.
fn is_place(line: &str) -> bool {
    FOUND.is_match(line) || PLACE.is_match(line)
}

/// Code that gives a name to data, or hands text to a function.
static ASSIGNS: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^(?:const |let |var )?[\w.]+ :?= |^[a-z]\w*(?:\.[a-z]\w*)*\(f?[\w"'`]|^[\w.]+\([a-z]\w*,|^[a-z][\w-]*(?:\.[\w-]+)+=[A-Z]|^(?:export )?[A-Z][A-Z0-9]*_[A-Z0-9_]*="#,
    )
});

static DOCUMENT: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"^\s*(?:#{1,6} |#\s*$|#\d+ [A-Z][a-z]|[-+] |\* |\d{1,2}[.)] |> |\||[-=]{3,}\s*$|\[[ x]\] )",
    )
});

/// An item that is named as parts of programs are: tools list their errors so.
static NAMED_ITEM: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"^\s*\* (?:Quota|[\w\[\]"-]*[._][\w.\[\]"-]*:)|^\s+- (?:Quota|API)|^\s*> (?:Could not|Cannot|Failed to)"#,
    )
});

/// Whether a line belongs to a document: a heading, an item of a list, a row of a table, a quote.
pub(super) fn is_document(line: &str) -> bool {
    DOCUMENT.is_match(line) && !NAMED_ITEM.is_match(line)
}

/// What may stand before the word that makes a line an error: signs, times, names of programs.
const HEAD: &str = r"(?:[\s✕✗×✖❌⚠■⎿🛑❗│├└╷╵▲●•›*>{\[\]('\x22<|\u{fe0f}]|\[?\d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d:\d\d[^\s\]]*\]?|\[?\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?\]?\s*-?\s|[\da-f]{8}-[\da-f-]{27}\s|\d+\s|[\w.$/@+\x23-]+(?:\[\d+\])?:\s?|\[[\w.\s:/-]{1,40}\]|(?-i:[A-Z][a-z]+-[A-Z]\w+)\s:\s|(?-i:[A-Z]{3,})\s)";

/// The words that make a line an error.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?x)^{HEAD}*?
        (?: [✕✗×✖❌■🛑❗]
          | (?:[\w$]+(?:\.|::|/|\\))*[\w$]*(?:error|exception|fault|toomanyrequests|(?-i:[a-z]Exceeded|[A-Z]_EXCEEDED|EXHAUSTED|[a-z]Exhausted|Throttl(?:ed|ing)))\]?(?:\s?[:;!\])>,({{<]|\s\d{{3}}\b|\scode\b|\sresponse\s|\s-\s|$|\s[(\[])
          | <?httperror\s | \d{{3}}\s(?:client|server)\serror: | (?:[\w./@-]+\s){{1,4}}(?:error|failed|failure|exception|warn|fatal)(?:\s\(?\d+\)?)?:\s
          | access\s(?:temporarily\s)?(?:blocked|denied)\b | service\s(?:temporarily\s)?unavailable\b
          | curl:\s\(\d+\) | [\w$.]*\$\w+:\s | \w+::\w+\b
          | (?:err|err!|error|errors|fatal|critical|severe|panic|failed|failure|abort(?:ed|ing)?|denied|exception|unhandled|uncaught|unexpected|warn|warning|unable|could\snot|couldn't|cannot|can't|caused\sby|giving\sup|stream\s(?:error|disconnected)|rpc\serror|operation\serror|the\sremote\sserver|invoke-\w+|attempt\s\d+(?:/\d+)?\sfailed|reached\smax\sretries|exceeded\sretry\slimit|max\sretries|retrying\s\S+\sas\sit\sraised|called\s`result|get\s[\x22h]|post\s[\x22h]|npm\s(?:err!|error|warn)|oserror|request\s(?:failed|to\s\S+\sfailed|error)|llm\s(?:call|request)|model\s(?:call\s)?(?:error|failed)|api\serror|provider\serror|[\w-]*\s?error\scode)(?:\b|$|\s|!)
          | (?:level|severity|lvl)\s?[=:]\s?\x22?(?:error|fatal|err|critical) | status(?:_?code)?\s?[=:]\s?(?:429|529|503) | (?:http(?:/[\d.]+)?\s)?(?:429|529|503|402|403|400)(?:\b\s?[:,({{\[\x22-]|\s(?-i:[A-Z]))
        )"
    ))
});

/// Sentences that say of something that it failed.
static FAILING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\b(?:an?|the\sfollowing)\s(?:\w+\s)?error\s(?:\([^)]*\)\s)?(?:has\s)?(?:occurred|response)
        | \b(?:could\snot|couldn['’]?t|cannot|can['’]?t|unable\sto|were\sunable)\s(?:be\s)?(?:process|complete|fulfil|fulfill|handle|serve|accept|access|continue|connect|fetch|get|retrieve|create|generate|reach|download|upload|pull|push|load|send|run|execute|answer|respond)
        | \b(?:was|were|been|is)\s(?:temporarily\s)?(?:rejected|denied|blocked|refused|dropped|terminated|declined|suspended|banned|restricted|cancelled|aborted|not\sprocessed)\b
        | \b(?:request|call|operation|command|job|stage|step|build|upload|download|pull|push|fetch|clone|query|deployment|task|agent|run)\b[^.]{0,60}\b(?:failed|errored|aborted)\b
        | \b(?:giving\sup|gave\sup|aborting|quitting|exiting|stopping)\b | \bresponded\swith\b | \bexited\swith\b
        | \bfailed\swith\b | \breturned\s(?:an?\s)?(?:error|status|http|429|529|code) | :\s(?:http\s|status\s)?(?:429|529):?\s(?:too\smany|overloaded)",
    )
});

/// What looks like an error and is none, or is another one.
static NOT_A_MARK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^\W*(?:how|why|what|where|which|does)\s.*\?|^\s*(?:error\scodes:|errors:\s\d|errors?\sat\sline|(?:error|failure|exception|fault)s?[\s-](?:handling|handler|messages?|budget|pages?|rates?|responses|paths?|classes?|types?|cases?|tests?|log|codes)\b|exceptions:|failed\s(?:tests?|requests|jobs|calls)|fail(?:ed)?\s+[\w/]+\.|get\s/|cannot\sreproduce|npm\s(?:warn\sdeprecated|http)|\S+\spassed|the\serror|warning:\s\d|warning:\s(?:field|unused|variable)|fail:|failed:\s\d)
        | \berror:\sexpected\s|assertion|\b(?:import|modulenotfound|attribute|name|type|syntax|reference|validation|key|index|zerodivision|value)error\b|error\[e?\d|error\sts\d|enoent|no\ssuch\sfile|cannot\s(?:find|import)|classnotfound|noclassdef|unused|never\sused|is\snot\sdefined|undeclared|pathspec|unknown\soption|invalid\svalue|rate_limits?\.(?:py|rs|js|json|md|toml|go|ts)\b|eaddrinuse|must\sbe\s|expected\s\d+,\sgot|got\s(?:status\s)?\d+,\swant|\b(?:429|503|529)\b[a-z\s]{0,30}(?:,|\bor\b|\band\b)\s(?:4(?:0\d|29)|5(?:0\d|29))\b|\(\w+:\s(?:str|int|float|string|number|bool)\b|\bpermission[_\s](?:to\s\S+\s|for\s\S+\s)?denied\b|\bshould\sbe\s(?:<|>|≤|≥|between|at\s(?:most|least))|\bunauthenticated:|\bnot\sauthorized\sto\b",
    )
});

/// Whether a line calls itself an error.
pub(super) fn is_marked(line: &str) -> bool {
    !NOT_A_MARK.is_match(line) && (MARK.is_match(line) || FAILING.is_match(line))
}

/// Whether a line is an error of another kind, or speaks of the kinds of errors.
pub(super) fn is_other_error(line: &str) -> bool {
    NOT_A_MARK.is_match(line)
}

static GOOD_NEWS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^\W*(?:success|done|ok|answer|result|here|all\s(?:\d+\s)?tests|uploaded|saved|wrote|written|created|downloaded|finished|published|resumed|fetched|added|translated|processed|deployed|imported|generated|built|updated|installed|merged|completed|http/?[\d.]*\s?2\d\d|the\sanswer)\b
        | \binfo\b|attempt\s\d+:\sok|\bretry\s\d+:\shttp\s2\d\d|\bsucceeded\b|\bsuccessful\b|\b\w+(?:ed|t)\ssuccessfully|successfully\s\w+(?:ed|t)\b|completed\b|\bpassed\b|complete$|\b(?:http|status)\s(?:code\s)?2\d\d\b|\b200\sok\b|\b(?:report|file|output|result)s?\s(?:written|saved)|✓|✅|\b100\s?%",
    )
});

/// Whether a line says that something went well after all.
pub(super) fn is_good_news(line: &str) -> bool {
    let line = line.replace("completed with exit code", "ended with");
    let line = line.replace("indicate success", "indicate it");
    let line = line.strip_prefix("info If ").unwrap_or(&line);
    let line = line.strip_prefix("info Visit ").unwrap_or(line);
    GOOD_NEWS.is_match(line) && !is_marked(line)
}

/// What may follow a message that is the last thing said: advice, fields, traces, further errors.
static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:\s|[\])}<>({\[\x22'│╵*&`~^]|https?:|(?:[\w.-]+\s){0,3}[\w.-]+\s?[:=]|[-=]{3,}|\W*you\s(?:will|can|may|must|have|are|could)\b|\W*your\s|we\s(?:will|are|have)\b|\d{4}-\d\d-\d\d.*\s(?:error|warn)|npm\s|make|exit|process\s|command\s|time=\x22)
        | \b(?:try|retry|retrying|retries|wait|waiting|please|visit|see|learn|upgrade|upgrading|contact|support|documentation|docs|limits?|quota|request\sid|resets?|reset|renews|minutes|hours|seconds|later|billing|plan|credits|purchase|subscribe|aborting|aborted|exiting|exit\s(?:code|status)|giving\sup|failed|error|errors|exception|caused\sby|status|rate|throttl\w*|switch(?:ing)?\s(?:to|models?)|server|service|api\skey|sleep(?:ing)?|backing\soff|backoff|stopped|no\soutput|requests?|tokens?|backtrace|stack\s?trace|verbose|debug|logs?)\b",
    )
});

/// Words that stand alone are no sentence.
const SENTENCE_WORDS_MIN: usize = 4;

fn is_prose(line: &str) -> bool {
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(char::is_alphabetic);
    line.split([' ', ',', '.']).filter(is_word).count() >= SENTENCE_WORDS_MIN
}

/// Whether a line may follow a message without making it a thing of the past.
pub(super) fn is_tail(line: &str) -> bool {
    let goes_on = TAIL.is_match(line) || !is_prose(line);
    is_frame(line) || goes_on && !is_good_news(line) && !is_source(line)
}
