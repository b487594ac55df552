//! Text as a row of plain words, so that one grammar reads prose and identifiers alike.

use std::sync::LazyLock;

use regex::Regex;

use crate::pattern::words_pattern;

/// Stems and numbers of which every message that a limit is met holds one, whatever else it says.
static STEMS: LazyLock<Regex> = LazyLock::new(|| {
    words_pattern(
        "(?i)limit|limiet|quota|kontingent|allot|allowance|credit|balance|budget|billing|spent|usage|\
         capacity|demand|overload|busy|unavailable|congest|saturat|queue|\
         throttl|flood|slow|fast|often|frequent|too[ _-]?many|requests|rate|retry|retries|\
         exceed|exhaust|reach|consumed|used|deplet|ran out|run out|out of|maxim|maxed|\
         capped|cap\\b|blocked|back[ -]?off|cool[ -]?down|top[ -]?up|upgrade|reload|reset|\
         again|wait|later|come back|daily|today|tomorrow|hour|minute|429|529|503|402|420|1015",
    )
});

/// Whether `text` may say that a limit is met. Most outputs do not, and are spared a closer look.
/// Of a text in other letters than those of English this is not known ahead.
pub(super) fn may_tell_of_limits(text: &str) -> bool {
    !text.is_ascii() || STEMS.is_match(text)
}

/// `text` in lower case, its words apart by single spaces.
///
/// Identifiers fall into their words (`RateLimitError`, `rate_limit_error` and `rate-limit error`
/// become the same), an apostrophe vanishes (`you've` is `youve`), quotes and brackets too. Of the
/// marks only those stay, as words of their own, that end a thought: `.` for what ends a sentence,
/// `:` for what assigns or introduces, `,` for what separates.
pub(super) fn words(text: &str) -> String {
    let mut row = Row { out: String::with_capacity(text.len() + 8), before: ' ' };
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        row.take(c, rest.peek().copied().unwrap_or(' '));
    }
    row.out.trim_end().to_owned()
}

struct Row {
    out: String,
    /// The character before the one that is taken.
    before: char,
}

impl Row {
    fn take(&mut self, c: char, after: char) {
        let before = std::mem::replace(&mut self.before, c);
        let inside = before.is_alphanumeric() && after.is_alphanumeric();
        match c {
            c if c.is_alphanumeric() => self.letter(before, c, after),
            '\'' | '’' if inside => {}
            '.' if before.is_ascii_digit() && after.is_ascii_digit() => self.out.push('.'),
            '.' if inside || before == '/' || after == '/' => self.space(),
            '.' | '!' | '?' | ';' | '。' | '！' | '？' | '；' => self.mark('.'),
            ':' if before == ':' || after == ':' => self.space(),
            ':' | '=' | '：' => self.mark(':'),
            ',' | '|' | '·' | '∙' | '•' | '—' | '–' | '，' | '、' => self.mark(','),
            '%' => {
                self.space();
                self.out.push_str("percent");
            }
            _ => self.space(),
        }
    }

    fn letter(&mut self, before: char, c: char, after: char) {
        let rises = before.is_lowercase() && c.is_uppercase();
        // The last capital of several belongs to the word that it begins: `HTTPError`.
        let acronym_ends = before.is_uppercase() && c.is_uppercase() && after.is_lowercase();
        if rises || acronym_ends || before == '%' {
            self.space();
        }
        self.out.extend(c.to_lowercase());
    }

    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn mark(&mut self, mark: char) {
        self.space();
        self.out.push(mark);
        self.out.push(' ');
    }
}
