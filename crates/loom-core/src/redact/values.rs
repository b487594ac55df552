//! Which values are secret.

use std::sync::LazyLock;

use regex::Regex;

use super::names::{Claim, humps};
use super::patterns::{exact_pattern, pattern};

/// Shorter values are not taken for secrets on the word of a name.
const VALUE_CHARS_MIN: usize = 8;
/// Shorter values are not taken for chance on the word of a name that may mean something else.
const RANDOM_BYTES_MIN: usize = 16;
/// In shorter values, a capital may stand anywhere.
const CHANCE_BYTES_MIN: usize = 12;
/// Words are longer than this, on an average.
const HUMP_BYTES: usize = 3;
/// The longest part of a name that is an id, as clusters and builds add them.
const ID_BYTES_MAX: usize = 5;
/// No word begins with so many consonants.
const CONSONANTS_MAX: usize = 3;
/// A word of letters up to this length may stand in a dictionary.
const WORD_CHARS_MAX: usize = 14;

/// References, patterns to be filled in, types and calls.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"(?x)^(?: \$ | % [A-Za-z_]+ % | < | \{\{? | \[[A-Z]+\] | \[REDACTED | \[hidden | \[redacted | \[FILTERED | \*+$ | [xX]{3,} | [*•.\#_xX0-]+$ | !(?:Ref|Sub|Get) | @\w+[:.(] | \\\$ | ~/ | \.{1,2}/ | [A-Za-z]:\\ | /(?:run|etc|var|usr|home|root|tmp|opt|mnt|srv|proc|dev|sys|app|data|secrets|Users|private|workspace|vault|keys|certs|config)/ | https?:// | file: | arn:aws: | op:// | vault: | projects/ | ref\+ | sha(?:256|512|1): | [(),;|] )
        | process\.env | import\.meta | os\.environ | os\.getenv | getenv | ENV\[ | env\. | env:: | env\( | secrets?\. | secretKeyRef | \$\{ | \{\{ | var\. | config\. | self\. | this\. | settings\. | args\. | opts\. | options\.
        | (?i:\b(?:your|my|our|the|some|any)[_-]? (?:\w+[_-])* (?:key|token|secret|password|value|api)) | \*{4} | •{3} | (?i:place-?holder|change[_-]?me|replace[_-]?(?:me|with|this)|redacted|insert[_-]|xxxx|\btodo\b|dummy|goes[_-]?here|key[_-]here|token[_-]here|(?:^|[_-])here$|not[_-]?set|not[_-]?a[_-]?(?:real|secret)|unset|hidden|omitted|\.\.\.|…)
        | (?:^|[_-])(?:example|sample|fake)(?:[_-]|$) | ^(?:YOUR|MY|THE|SOME|INSERT|EXAMPLE)_
        ",
    )
});

/// Paths, and names of files, of things in clusters, and of hosts.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:
            [\w.@/-]*\.(?:pem|key|crt|cer|csr|txt|json|ya?ml|toml|jks|p12|pfx|md|rs|py|[jt]sx?|go|java|rb|env|sock|log|gpg|asc|pub|ppk|cfg|conf|ini|sh|html?|png|jpe?g|gz|zip)
          | \d+(?:[.,]\d+){2,} | (?:\w+\.)+\w+@[0-9a-f]{5,8} | (?:[a-z]+\.){2,}[a-z]+(?:/\d+)?:? | --?[a-z]+(?:-[a-z]+)*=?
        )$",
    )
});
static UUID: LazyLock<Regex> =
    LazyLock::new(|| pattern("^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"));

/// Whether a value is a secret, given what its name claims.
pub(super) fn is_claimed(claim: Claim, value: &str) -> bool {
    match claim {
        Claim::Secret => is_secret(value),
        Claim::Perhaps => is_random(value),
    }
}

/// Whether a value is a secret, given that its name says so.
pub(super) fn is_secret(value: &str) -> bool {
    let value = value.trim();
    let long = value.chars().count() >= VALUE_CHARS_MIN;
    long && !is_reference(value) && !is_prose(value) && !is_words(value)
}

/// A variable, a path, or something to be filled in.
pub(super) fn is_reference(value: &str) -> bool {
    PLACEHOLDER.is_match(value) || PLACE.is_match(value) || is_path(value)
}

/// A path from the root. As base64 may look like one, a word must be in it.
fn is_path(value: &str) -> bool {
    let is_step = |step: &str| {
        step.starts_with(|c: char| c.is_ascii_alphabetic())
            && step.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let steps = value.strip_prefix('/').map(|rest| rest.trim_end_matches('/'));
    steps.is_some_and(|steps| {
        steps.contains('/')
            && steps.split('/').all(is_step)
            && steps.split('/').any(|step| step.len() > 2 && is_word(step))
    })
}

/// Whether a value is a secret even where no sign assigns it: one that looks made by chance.
pub(super) fn is_strong(value: &str) -> bool {
    let is_marked = value.contains(|c: char| c.is_uppercase() || !c.is_alphanumeric());
    let is_plain = !value.contains(['/', ':', '(', '<', ',', '@', '=']) || value.ends_with('=');
    let many = |kind: fn(char) -> bool| value.chars().filter(|c| kind(*c)).count() > 2;
    let is_cased = many(char::is_uppercase) && many(char::is_lowercase);
    let is_chance = is_chance(value) || turns(value) == 2 && is_marked || is_cased;
    is_chance
        && (is_plain || is_base64(value))
        && !is_label(value)
        && !value.contains(char::is_whitespace)
        && is_secret(value)
}

/// Whether a value can only be made by chance.
pub(super) fn is_random(value: &str) -> bool {
    let body = value.trim_end_matches('=');
    let is_plain = body.chars().all(|c| c.is_ascii_alphanumeric() || "+/_.~-%".contains(c));
    let is_long = body.len() >= RANDOM_BYTES_MIN;
    is_plain
        && is_long
        && is_chance(body)
        && !UUID.is_match(body)
        && !is_label(body)
        && is_secret(value)
}

/// Letters and digits by turns, or capitals where no word begins.
fn is_chance(value: &str) -> bool {
    let humps: usize =
        value.split(|c: char| !c.is_alphanumeric()).map(|part| humps(part).len()).sum();
    let length = value.len();
    let has_digit = value.contains(|c: char| c.is_ascii_digit());
    turns(value) > 2
        || length >= CHANCE_BYTES_MIN && humps * HUMP_BYTES >= length
        || length >= RANDOM_BYTES_MIN && has_digit && humps * (HUMP_BYTES + 1) >= length
}

/// How often letters and digits take turns.
fn turns(value: &str) -> usize {
    let kinds: Vec<bool> =
        value.chars().filter(|c| c.is_alphanumeric()).map(|c| c.is_ascii_digit()).collect();
    kinds.windows(2).filter(|pair| pair.first() != pair.last()).count()
}

/// Many letters of both cases, digits, and signs of base64 among them.
fn is_base64(value: &str) -> bool {
    let has = |kind: fn(&char) -> bool| value.chars().filter(kind).count() > 2;
    value.len() > 2 * RANDOM_BYTES_MIN
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && value.contains(|c: char| c.is_ascii_digit())
}

fn is_hex(value: &str) -> bool {
    value.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// Words and short ids, or hashes, with something between them, as in `db-credentials-v3-7f9c2`.
fn is_label(value: &str) -> bool {
    let mut parts = value.split(['-', '_', '.', '/', ':']);
    let is_long_word = |part: &str| part.len() > 3 && is_word(part);
    value.split(['-', '_', '.', '/', ':']).filter(|part| is_long_word(part)).count() > 0
        && value.contains(['-', '_', '.', '/', ':'])
        && parts.all(|part| part.len() <= ID_BYTES_MAX || is_word(part) || is_hex(part))
}

/// Several words: only if one of them alone would be a secret.
fn is_prose(value: &str) -> bool {
    value.contains(char::is_whitespace)
        && !value.split_whitespace().any(|word| {
            let word = word.trim_matches(|c: char| ",.;:!?()\"'".contains(c));
            is_secret(word) && word.chars().any(|c| c.is_ascii_digit())
        })
}

/// Words as they stand in dictionaries and in code: no digits, no mixture that only chance makes.
pub(super) fn is_words(value: &str) -> bool {
    let mut words =
        value.split(['_', '-', '.', '/', ':', '|', ',']).filter(|word| !word.is_empty());
    words.all(is_word) || is_identifier(value)
}

/// A name as programs have them, with digits in it: `caching_sha2_password`.
fn is_identifier(value: &str) -> bool {
    let parts: Vec<&str> = value.split(['_', '.']).filter(|part| !part.is_empty()).collect();
    let words = parts.iter().filter(|part| part.len() > 3 && is_word(part)).count();
    let is_plain = |part: &&str| is_word(part) || part.len() < 5 && part.is_ascii();
    parts.len() > 2 && words * 2 >= parts.len() && parts.iter().all(is_plain)
}

fn is_word(word: &str) -> bool {
    let is_known = [
        "sha256", "sha1", "md5", "oauth2", "base64", "utf8", "ed25519", "x509", "es256", "rs256",
        "hs256", "v1", "v2", "v3", "s3", "ec2", "k8s", "u8", "u64", "i64", "u32", "f64",
        "argon2id", "pbkdf2", "saml2", "oidc2", "utf16", "aes256", "p256",
    ]
    .contains(&word.to_ascii_lowercase().as_str());
    if is_known {
        return true;
    }
    if !word.chars().all(char::is_alphabetic) {
        return false;
    }
    let humps = humps(word);
    let natural = |hump: &String| {
        let is_vowel = |c: char| "aeiouyAEIOUY".contains(c) || !c.is_ascii();
        let vowel = hump.chars().take(CONSONANTS_MAX + 1).any(is_vowel);
        let caps = hump.chars().filter(|c| c.is_uppercase()).count();
        let cased = caps <= 1 || caps == hump.chars().count();
        hump.chars().count() <= WORD_CHARS_MAX && cased && (vowel || hump.len() <= 3)
    };
    let short_ones = humps.iter().filter(|hump| hump.len() <= 2).count();
    humps.iter().all(natural) && (humps.len() == 1 || short_ones * 2 <= humps.len())
}
