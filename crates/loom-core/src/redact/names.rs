//! Which names say that what they name is secret.

use std::sync::LazyLock;

use regex::Regex;

use super::patterns::pattern;

/// How sure a name makes it that its value is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It names a secret: any value that is no placeholder and no plain word is one.
    Secret,
    /// It may name one: only a value that chance has made is one.
    Perhaps,
}

static LOUD: LazyLock<Regex> = LazyLock::new(|| pattern("KEY|TOKEN|SECRET|PASS|AUTH|CRED|PWD"));
/// Names of where or what a secret is, not of the secret.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[_.-])(?:sock|socket|path|file|dir|url|uri|endpoint|name|host|port|user|username|type|count|limit|length|size|expiry|expires(?:_in|_at)?|ttl|author|method|provider|mode|enabled|required|policy)$|author|askpass$",
    )
});

/// Whether a variable of this name is taken to hold a secret: rather one too many.
pub(super) fn holds_secrets(name: &str) -> bool {
    LOUD.is_match(name) && !PLACE.is_match(name)
}

/// Words that name a secret, alone or at the end of a longer word.
const SECRETS: [&str; 30] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "wachtwoord",
    "hasło",
    "contraseña",
    "senha",
    "пароль",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
    "passe",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "sharedkey",
    "authkey",
    "licensekey",
    "masterkey",
    "credential",
    "credentials",
];
/// Words that name a secret only where they stand alone.
const SECRET_ALONE: [&str; 13] = [
    "pass",
    "pat",
    "cred",
    "creds",
    "pw",
    "psk",
    "jwt",
    "bearer",
    "requirepass",
    "masterauth",
    "keypass",
    "apitoken",
    "secretid",
];
/// Words that end like the name of a secret.
const NO_PASSES: [&str; 7] =
    ["bypass", "compass", "trespass", "surpass", "overpass", "underpass", "encompass"];
/// What a key is for, if it is a secret one.
const KEYS: [&str; 74] = [
    "api",
    "app",
    "application",
    "access",
    "secret",
    "private",
    "auth",
    "account",
    "encryption",
    "encrypt",
    "signing",
    "signature",
    "master",
    "ssh",
    "session",
    "storage",
    "shared",
    "preshared",
    "service",
    "deploy",
    "license",
    "admin",
    "write",
    "ingest",
    "webhook",
    "hmac",
    "jwt",
    "crypto",
    "cookie",
    "client",
    "subscription",
    "webpush",
    "sdk",
    "unseal",
    "recovery",
    "root",
    "rest",
    "server",
    "wallet",
    "tls",
    "ssl",
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "cohere",
    "together",
    "datadog",
    "dd",
    "newrelic",
    "heroku",
    "stripe",
    "sendgrid",
    "mailgun",
    "twilio",
    "algolia",
    "azure",
    "aws",
    "gcp",
    "groq",
    "deepseek",
    "fireworks",
    "cloudflare",
    "pinecone",
    "tavily",
    "serpapi",
    "developer",
    "integration",
    "org",
    "team",
    "bot",
    "maps",
    "fernet",
    "xi",
];
/// What a key is for, if anybody may know it.
const OPEN_KEYS: [&str; 52] = [
    "public",
    "pub",
    "publishable",
    "primary",
    "foreign",
    "partition",
    "sort",
    "cache",
    "routing",
    "row",
    "object",
    "hash",
    "range",
    "unique",
    "composite",
    "lookup",
    "map",
    "group",
    "shard",
    "index",
    "idempotency",
    "dedupe",
    "dedup",
    "deduplication",
    "lock",
    "message",
    "record",
    "config",
    "translation",
    "registry",
    "host",
    "hot",
    "order",
    "job",
    "task",
    "queue",
    "event",
    "id",
    "redis",
    "s3",
    "file",
    "image",
    "data",
    "metric",
    "rate",
    "limit",
    "tag",
    "trace",
    "issue",
    "project",
    "build",
    "react",
];
/// Tokens that are parts of a text or of a list, not of a login.
const OPEN_TOKENS: [&str; 38] = [
    "next",
    "page",
    "pagination",
    "continuation",
    "continue",
    "cursor",
    "sync",
    "resume",
    "eos",
    "bos",
    "pad",
    "unk",
    "mask",
    "sep",
    "cls",
    "stop",
    "special",
    "cancellation",
    "cancel",
    "ct",
    "fencing",
    "image",
    "audio",
    "start",
    "end",
    "max",
    "min",
    "num",
    "total",
    "prompt",
    "unexpected",
    "expected",
    "current",
    "previous",
    "first",
    "last",
    "each",
    "per",
];
/// Words after the name that leave it a name of the same.
const SUFFIXES: [&str; 27] = [
    "value",
    "string",
    "prod",
    "production",
    "dev",
    "staging",
    "test",
    "live",
    "base",
    "base64",
    "b64",
    "default",
    "old",
    "new",
    "admin",
    "root",
    "main",
    "primary",
    "secondary",
    "plain",
    "raw",
    "hex",
    "data",
    "text",
    "current",
    "previous",
    "encoded",
];

/// What a name claims of its value.
pub(super) fn claim(name: &str) -> Option<Claim> {
    let words = words(name);
    let mut words: &[String] = &words;
    // Of words with spaces between them, as in prose, only those of a known kind of key count.
    if name.contains(' ') && words.first().is_none_or(|word| !KEYS.contains(&word.as_str())) {
        return None;
    }
    loop {
        if let Some(claim) = claim_of(words) {
            return Some(claim);
        }
        let (last, before) = words.split_last()?;
        let is_version = last.trim_start_matches('v').chars().all(|c| c.is_ascii_digit());
        if before.is_empty() || !is_version && !SUFFIXES.contains(&last.as_str()) {
            return None;
        }
        words = before;
    }
}

fn claim_of(words: &[String]) -> Option<Claim> {
    let (head, before) = words.split_last()?;
    let last = before.last().map(String::as_str);
    let is = |list: &[&str]| last.is_some_and(|word| list.contains(&word));
    let head = head.trim_end_matches(|c: char| c.is_ascii_digit());
    if head.ends_with("token") && (is(&OPEN_TOKENS) || head == "nexttoken") {
        return None;
    }
    let is_pass = head.ends_with("pass") && !NO_PASSES.contains(&head);
    if SECRETS.iter().any(|word| head.ends_with(word))
        || SECRET_ALONE.contains(&head)
        || head.ends_with("pw")
        || is_pass
    {
        return Some(Claim::Secret);
    }
    match head {
        "id" if last == Some("secret") => Some(Claim::Secret),
        "string" if last == Some("connection") => Some(Claim::Secret),
        "connectionstring" => Some(Claim::Secret),
        "key" | "keys" => key(before, head == "keys"),
        "auth" | "cookie" => Some(Claim::Perhaps),
        "session" | "api" if !before.is_empty() => Some(Claim::Perhaps),
        "tokens" | "secrets" | "passwords" if !is(&OPEN_TOKENS) => Some(Claim::Perhaps),
        _ => None,
    }
}

fn key(before: &[String], is_many: bool) -> Option<Claim> {
    let sure = if is_many { Claim::Perhaps } else { Claim::Secret };
    // The nearest word that tells decides: an `s3_secret_key` is secret, an `s3_key` a path.
    let told = before.iter().rev().take(3).find_map(|word| match word.as_str() {
        word if KEYS.contains(&word) => Some(Some(sure)),
        word if OPEN_KEYS.contains(&word) => Some(None),
        _ => None,
    });
    told.unwrap_or_else(|| (!before.is_empty()).then_some(Claim::Perhaps))
}

/// The words of a name, in lower case: `openAIKey_2` is `open`, `ai`, `key`, `2`.
fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_alphanumeric()).flat_map(humps);
    parts.filter(|word| !word.is_empty()).map(|word| word.to_lowercase()).collect()
}

/// The parts of a word that capitals begin: of `CFStringRef`, `CF`, `String` and `Ref`.
pub(super) fn humps(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut humps = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let next_is_low = chars.get(at + 1).is_some_and(|c| c.is_lowercase());
        let follows =
            |b: &char| b.is_lowercase() || b.is_ascii_digit() || b.is_uppercase() && next_is_low;
        if c.is_uppercase() && before.is_some_and(follows) {
            humps.push(String::new());
        }
        if let Some(hump) = humps.last_mut() {
            hump.push(*c);
        }
    }
    humps
}
