//! Values that are assigned to a name which says that they are secret.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::names::{self, Claim};
use super::patterns::{exact_pattern, pattern};
use super::{MARK, MARK_OPEN, Span, values};

/// A longer name is none.
const NAME_BYTES_MAX: usize = 128;

/// What every name of a secret has in it.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"(?i-u:pass|pwd|psk|secret|token|key|cred|auth|cookie|session|bearer|jwt|kennwort|wachtwoord|senha|contrase|connection|-api|-team|(?:\b|_)pat\b|pw\b)|[Пп]ароль|密码|密碼|パスワード|비밀번호|hasło",
    )
});

/// A quote in any of its spellings, and the colours of a terminal.
const QUOTE: &str = r#"(?:\\*["'`]|&(?:quot|apos|\#0?3[49]|\#x2[27]);|%(?:25)?2[27]|\\+u002[27])"#;
const COLOUR: &str = r"(?:(?:\x1b|\\+(?:x1b|u001b|033|e))\[[0-9;]*m)";

/// What stands between a name and its value.
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"(?x)^(?:\ \d{{1,2}})?(?P<shut>(?:{QUOTE}|{COLOUR}|\]|\[\w*\])*)
        (?: (?P<typed> [\ \t]*:[\ \t]* &?(?:'static[\ ])?[a-z][\w.\[\]<>]{{0,40}}(?:\ ?\|\ ?\w+){{0,3}} | [\ \t]+ [*\[\]]*[a-z][\w.]{{0,40}} ) [\ \t]* :?= [\ \t]* (?P<told>{QUOTE})
          | [\ \t]* (?P<sign> => | -> | ::[\ \t] | := | \?= | === | == | != | = | : | ： | , | \| | \( | %3[ad] | \\+u003[ad] ) (?P<blank>[\ \t]*)
            (?P<wraps> (?: {COLOUR} | !!\w+[\ \t]+ | &\w+[\ \t]+ | <!\[CDATA\[ | << | \[ | \( | < | \{{
              | (?-i:[A-Z])[\w:.]*[({{] | (?:str|string|bytes|bytearray|\w*decode|from)\( | string\(\d+\)[\ ]* )* )
            (?P<open> [brufn]{{1,2}}["'] | {QUOTE}? )
          | (?:[\ \t]+(?:is|was|has[\ ]been))? (?:[\ \t]+[a-z]+ed)? (?:[\ \t]+for[\ \t]+ (?:the[\ ]+)? [\w@.'-]+ (?:[\ ]\w+)? (?:[\ ]?\([^()]*\))?)? (?:[\ \t]*:|[\ \t]+is)[\ \t]+ (?P<prose>{QUOTE}?)
          | [\ \t]+ (?:(?:is|was|of|to|with|value|it|ist|est)[\ \t]+)? (?P<words>{QUOTE}|<)?
        )"#
    ))
});
/// What stands between a value and a further one: of a list, or of a change.
static FURTHER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"^{QUOTE}[ \t]*(?:(?P<change>->)|,)[ \t]*(?P<open>{QUOTE})"))
});

/// A name and its value as two fields of one object.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b\w{0,20}(?:key|name|id)\\*["']?\s*[=:]\s*\\*["']?(?P<name>[\w.-]+)\\*["']?(?:\s+[\w-]+=["'][^"'<>]*["']){0,4}(?:[\s,]*\\*["']?(?:\w{0,20}value|content)\\*["']?\s*[=:]\s*\\*["']?|[^<>\n]*>\s*)(?P<value>[^\s"'\\<>,}]{8,})"#,
    )
});
/// The same, the value first.
static PAIR_REVERSED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?:value|content)\s*[=:]\s*["'](?P<value>[^\s"'\\<>,}]{8,})["'],?\s+(?:key|name|id)\s*[=:]\s*["'](?P<name>[\w.-]+)"#,
    )
});
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"<(?:\w+:)?(?P<name>[\w.-]+)(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[)?(?P<value>[^<>\s\]]{8,})\s*(?:\]\]>)?</",
    )
});
static PLIST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"<key>(?P<name>[\w.-]+)</key>\s*<string>(?P<value>[^<>\s]{8,})</string>")
});

/// The end of a line whose secret stands in the next.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:\b(?:name|key|id|path)["']?\s*[:=]\s*["']?(?P<field>[\w./-]+)["']?,?|<key>(?P<plist>[\w.-]+)</key>|["']?(?P<name>[\w.-]+)["'\]]*\s*(?:=>|[:=])\s*[|>\\]?[-+]?)\s*$"#,
    )
});
/// The end of a sentence that announces one.
static ANNOUNCED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^\w])(?P<name>(?:(?:api|access|secret|root|unseal)[ ])?(?:password|passphrase|token|secret|key))\b[^:=\x00]{0,80}:\s*$",
    )
});
static NEXT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^[\s+>-]*(?P<value_of>["']?value["']?\s*[:=]\s*|string\(\d+\)\s*|<string>)?["']?(?P<value>[^\s"'\\,<>]{8,})["']?(?:</string>)?,?\s*$"#,
    )
});

/// Whether anything in a line may name a secret. Most lines end here.
pub(super) fn is_hinted(line: &str) -> bool {
    HINT.is_match(line)
}

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(hint) = HINT.find_at(line, at) {
        let name = name_around(line, at, hint.start(), hint.end());
        at = name.end.max(hint.end());
        if let Some(end) = end_of_place(line, name.start) {
            at = at.max(end);
            continue;
        }
        let text = &line[name.clone()];
        let claim = Some(text).filter(|text| text.len() <= NAME_BYTES_MAX).and_then(names::claim);
        let between = claim.and_then(|claim| Some((claim, BETWEEN.captures(&line[name.end..])?)));
        if let Some((claim, between)) = between {
            at = at.max(assignment(line, &name, claim, &between, spans));
        }
    }
    for pattern in [&PAIR, &PAIR_REVERSED, &ELEMENT, &PLIST] {
        for found in pattern.captures_iter(line) {
            let claim = found.name("name").and_then(|name| names::claim(name.as_str()));
            let value = found.name("value").zip(claim);
            let value = value.filter(|(value, claim)| values::is_claimed(*claim, value.as_str()));
            spans.extend(
                value
                    .zip(found.get(0))
                    .map(|((value, _), whole)| Span::new("assigned", value.range(), whole.range())),
            );
        }
    }
}

/// The name that a hint is in: all letters around it, and the word before a `key`.
fn name_around(line: &str, from: usize, start: usize, end: usize) -> std::ops::Range<usize> {
    let is_part = |c: char| c.is_alphanumeric() || "_-.$".contains(c);
    let left = |until: usize| {
        let rest = line[from..until].char_indices().rev().take_while(|(_, c)| is_part(*c));
        rest.last().map_or(until, |(at, _)| from + at)
    };
    let after = line[end..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    let end = after.map_or(line.len(), |length| end + length);
    let mut start = left(start);
    let bare = line[start..end].trim_matches(['-', '_', '.']);
    if bare.eq_ignore_ascii_case("key") && line[from..start].ends_with(' ') {
        start = left(start - 1);
    }
    start..end
}

/// The end of an ARN or of a mark that goes on at `at`: what stands in it names no value.
fn end_of_place(line: &str, at: usize) -> Option<usize> {
    let mark = line[..at].ends_with(MARK_OPEN);
    let word = line[..at].rfind(|c: char| c.is_whitespace() || "\"'`,=(".contains(c));
    let word = word.map_or(0, |before| before + 1);
    let arn = line.get(word..).is_some_and(|rest| rest.starts_with("arn:"));
    (mark || arn).then(|| {
        let ends = |c: char| c.is_whitespace() || "\"'`,]".contains(c);
        line[at..].find(ends).map_or(line.len(), |length| at + length)
    })
}

/// Takes the value, or values, of a name. Returns up to where the line is done with.
fn assignment(
    line: &str,
    name: &std::ops::Range<usize>,
    claim: Claim,
    between: &Captures<'_>,
    spans: &mut Vec<Span>,
) -> usize {
    let mut start = name.end + between.get(0).map_or(0, |whole| whole.end());
    let Some((length, is_done)) = value_of(&line[start..], claim, between) else {
        return name.end;
    };
    if is_done {
        return start + length;
    }
    let mut end = start + length;
    spans.push(Span::new("assigned", start..end, name.start..end));
    let is_list = between.name("wraps").is_some_and(|wraps| wraps.as_str().contains(['[', '(']));
    while let Some(further) = FURTHER.captures(&line[end..]) {
        let changes = further.name("change").is_some();
        if !changes && !is_list {
            break;
        }
        start = end + further.get(0).map_or(0, |whole| whole.end());
        let open = further.name("open").map_or("", |open| open.as_str());
        let value = &line[start..start + quoted(&line[start..], open)];
        end = start + value.len();
        if values::is_strong(value) || changes && values::is_secret(value) {
            spans.push(Span::new("assigned", start..end, name.start..end));
        }
    }
    end
}

/// The length of the value that follows, if it is a secret; or of a reference, which holds none.
fn value_of(rest: &str, claim: Claim, between: &Captures<'_>) -> Option<(usize, bool)> {
    let group = |name: &str| between.name(name).map_or("", |found| found.as_str());
    let open = [group("told"), group("open"), group("prose"), group("words")].concat();
    let is_bare = open.is_empty() || open == "<";
    let length = if is_bare { bare(rest) } else { quoted(rest, &open) };
    let value = rest[..length].trim_end();
    if !is_bare && (value.starts_with("{{") || value.starts_with("${")) {
        return Some((length, true));
    }
    let wraps = group("wraps");
    if wraps.ends_with("{{") || wraps.ends_with('{') && !is_bare {
        return None;
    }
    let is_shut = !group("shut").is_empty();
    let is_secret = match group("sign") {
        _ if !group("typed").is_empty() => !is_shut && values::is_claimed(claim, value),
        // Without a sign that assigns, it is prose, or one of many words in a list.
        "" | "->" if claim == Claim::Perhaps => false,
        "" | "->" => values::is_strong(value),
        "|" => values::is_strong(value) && claim == Claim::Secret && !group("blank").is_empty(),
        "," => {
            (group("shut").contains(['"', '\'']) || group("wraps") == "<<")
                && !is_bare
                && values::is_strong(value)
        }
        "(" => !is_bare && values::is_strong(value),
        "==" | "===" | "!=" if is_bare => false,
        _ if is_bare && group("wraps").ends_with(['[', '(', '<', '{']) => {
            claim == Claim::Secret && values::is_strong(value)
        }
        _ => !(is_bare && is_code(value, &rest[length..])) && values::is_claimed(claim, value),
    };
    is_secret.then_some((value.len(), false))
}

/// Whether a line ends in a name whose value stands in the next.
pub(super) fn names_next(line: &str) -> bool {
    if !is_hinted(line) {
        return false;
    }
    let line = MARK.replace_all(line, "\0");
    let found = NAMED.captures(&line);
    let group = |name: &str| found.as_ref().and_then(|found| found.name(name));
    let name = group("field").or_else(|| group("plist")).or_else(|| group("name"));
    name.is_some_and(|name| names::claim(name.as_str()) == Some(Claim::Secret))
        || ANNOUNCED.captures(&line).is_some_and(|found| {
            found.name("name").is_some_and(|name| names::claim(name.as_str()).is_some())
        })
}

/// The value of a name that the line before has told.
pub(super) fn find_next(line: &str, spans: &mut Vec<Span>) {
    let Some(found) = NEXT.captures(line) else { return };
    let is_secret = match found.name("value_of") {
        Some(_) => values::is_secret,
        None => values::is_strong,
    };
    let value = found.name("value").filter(|value| is_secret(value.as_str()));
    spans.extend(value.map(|value| Span::new("assigned", value.range(), 0..line.len())));
}

/// The length of a value without quotes.
fn bare(rest: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'`,;&|<>(){}[]\\".contains(c);
    // A reference goes to its end, so that it is seen as one.
    if rest.starts_with(['$', '<', '{', '[']) {
        return rest.find(char::is_whitespace).unwrap_or(rest.len());
    }
    rest.find(ends).unwrap_or(rest.len())
}

/// The length of a value in quotes: up to a quote with as many backslashes as the one that opened.
fn quoted(rest: &str, open: &str) -> usize {
    let slashes = open.chars().filter(|c| *c == '\\').count();
    let Some(quote) = open.chars().next_back() else { return 0 };
    if !"\"'`".contains(quote) {
        return rest.find(open).unwrap_or_else(|| bare(rest));
    }
    let mut run = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '\\' => run += 1,
            c if c == quote && run <= slashes => return at - run,
            // In the text of a text, an inner quote has more backslashes than the outer.
            _ => run = 0,
        }
    }
    rest.trim_end().len()
}

/// Calls, paths of names, types, small numbers.
fn is_code(value: &str, after: &str) -> bool {
    let is_name = value.chars().all(|c| c.is_alphanumeric() || "_.:@!".contains(c));
    let is_part = |part: &str| {
        part.len() <= NAME_BYTES_MAX / 3 && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_path = value.contains("::") && value.split("::").all(is_part);
    after.starts_with(['(', '[', '<', '{']) && is_name || is_path
}
