//! Which names hold secrets, and which values are secret.

use std::sync::LazyLock;

use regex::Regex;

use crate::pattern::{exact_pattern, pattern};

/// Shorter values are not taken for secrets on the word of a name.
const VALUE_CHARS_MIN: usize = 8;
/// A word of letters up to this length may stand in a dictionary.
const WORD_CHARS_MAX: usize = 14;

static LOUD: LazyLock<Regex> = LazyLock::new(|| pattern("KEY|TOKEN|SECRET|PASS|AUTH|CRED|PWD"));

/// Whether a variable of this name is taken to hold a secret: rather one too many.
pub(super) fn holds_secrets(name: &str) -> bool {
    LOUD.is_match(name) && !PLACE.is_match(name)
}

/// Names of where or what a secret is, not of the secret.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[_.-])(?:sock|socket|path|file|dir|url|uri|endpoint|name|host|port|user|username|type|count|limit|length|size|expiry|expires(?:_in|_at)?|ttl|author|method|provider|mode|enabled|required|policy)$|author|askpass$",
    )
});

static SECRET_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)(?:password|passwd|passphrase|secret|token|apikey|accesskey|secretkey|privatekey|accountkey|sharedkey|authkey|licensekey|masterkey|credentials?|pwd)$
          | (?:^|[_.-])(?:pass|pat|creds?)$
          | (?:^|[_.-])(?:api|app|access|secret|private|auth|account|encryption|encrypt|signing|signature|master|ssh|session|storage|shared|service|deploy|license|admin|write|ingest|webhook|hmac|jwt|crypto|cookie|client|subscription|webpush|openai|anthropic|gemini|mistral|cohere|together|datadog|dd|newrelic|heroku|stripe|sendgrid|mailgun|twilio|algolia|azure|aws|gcp|groq|deepseek|fireworks|cloudflare|pinecone|tavily|serpapi)[_.-]?(?:\w+[_.-])?key$
          | connection[_.-]?string$",
    )
});
static SUFFIX: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:[_.-]?\d+|[_.-](?:value|string|prod|production|dev|staging|test|live|base|base64|b64|default|old|new|admin|root|main|primary|secondary|v\d+|plain|raw|hex))$",
    )
});
static HUMP: LazyLock<Regex> = LazyLock::new(|| exact_pattern("([a-z0-9])([A-Z])"));

/// Whether what is assigned to this name is a secret, if it looks like one.
pub(super) fn is_secret_name(name: &str) -> bool {
    let split = HUMP.replace_all(name, "${1}_$2").replace(' ', "_");
    let mut name = split.trim_end_matches(['_', '-', '.']);
    if SECRET_WORD.is_match(name) {
        return true;
    }
    while let Some(found) = SUFFIX.find(name) {
        name = &name[..found.start()];
        if SECRET_WORD.is_match(name) {
            return true;
        }
    }
    false
}

/// References, patterns to be filled in, types and calls.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"(?x)^(?: \$ | % [A-Za-z_]+ % | < | \{\{? | \[[A-Z]+\] | \[REDACTED | \[hidden | \[redacted | \[FILTERED | \*+$ | [xX]{3,} | [*•.\#_xX0-]+$ | !(?:Ref|Sub|Get) | \\\$ | ~/ | \.{1,2}/ | [A-Za-z]:\\ | /(?:run|etc|var|usr|home|root|tmp|opt|mnt|srv|proc|dev|sys|app|data|secrets|Users|private|workspace|vault|keys|certs|config)/ | https?:// | file: | arn:aws: | op:// | vault: | projects/ | ref\+ | sha(?:256|512|1): | [(),;|] )
        | process\.env | import\.meta | os\.environ | os\.getenv | getenv | ENV\[ | env\. | env:: | env\( | secrets?\. | secretKeyRef | \$\{ | \{\{ | var\. | config\. | self\. | this\. | settings\. | args\. | opts\. | options\.
        | (?i:\b(?:your|my|our|the|some|any)[_-]? (?:\w+[_-])* (?:key|token|secret|password|value|api)) | (?i:place-?holder|change[_-]?me|replace[_-]?(?:me|with|this)|redacted|insert[_-]|xxxx|todo|dummy|goes[_-]?here|key[_-]here|token[_-]here|(?:^|[_-])here$|not[_-]?set|not[_-]?a[_-]?(?:real|secret)|unset|hidden|omitted|\.\.\.|…)
        | (?:^|[_-])(?:example|sample|fake)(?:[_-]|$) | ^(?:YOUR|MY|THE|SOME|INSERT|EXAMPLE)_
        ",
    )
});

/// Whether a value is a secret, given that its name says so.
pub(super) fn is_secret(value: &str) -> bool {
    let value = value.trim();
    let long = value.chars().count() >= VALUE_CHARS_MIN;
    long && !PLACEHOLDER.is_match(value) && !is_prose(value) && !is_words(value)
}

/// Whether a value is a secret even where no sign assigns it: digits and letters by turns.
pub(super) fn is_strong(value: &str) -> bool {
    let kinds: Vec<bool> =
        value.chars().filter(|c| c.is_alphanumeric()).map(|c| c.is_ascii_digit()).collect();
    let turns = kinds.windows(2).filter(|pair| pair.first() != pair.last()).count();
    let plain = !value.contains(['/', ':', '(', '<', ',', '@', '=']) || value.ends_with('=');
    turns >= 2 && plain && !value.contains(char::is_whitespace) && is_secret(value)
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
fn is_words(value: &str) -> bool {
    let mut words =
        value.split(['_', '-', '.', '/', ':', '|', ',']).filter(|word| !word.is_empty());
    words.all(is_word)
}

fn is_word(word: &str) -> bool {
    let is_known = [
        "sha256", "sha1", "md5", "oauth2", "base64", "utf8", "ed25519", "x509", "es256", "rs256",
        "hs256", "v1", "v2", "v3", "s3", "ec2", "k8s", "u8", "u64", "i64", "u32", "f64",
    ]
    .contains(&word.to_ascii_lowercase().as_str());
    if is_known {
        return true;
    }
    if !word.chars().all(char::is_alphabetic) {
        return false;
    }
    let split = HUMP.replace_all(word, "${1} $2");
    let humps: Vec<&str> = split.split(' ').collect();
    let natural = |hump: &&str| {
        let vowel = hump.chars().any(|c| "aeiouyAEIOUY".contains(c) || !c.is_ascii());
        let caps = hump.chars().filter(|c| c.is_uppercase()).count();
        let cased = caps <= 1 || caps == hump.chars().count();
        hump.chars().count() <= WORD_CHARS_MAX && cased && (vowel || hump.len() <= 3)
    };
    let short_ones = humps.iter().filter(|hump| hump.len() <= 2).count();
    humps.iter().all(natural) && (humps.len() == 1 || short_ones * 2 < humps.len())
}
