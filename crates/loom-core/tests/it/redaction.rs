//! Secrets are taken out, and nothing else.

use std::borrow::Cow;

use loom_core::{Env, EnvValue, Redactor};
use loom_deps::Rng;
use proptest::prelude::*;
use serde::Deserialize;

/// Secrets are kept as recipes: `[A:12]` stands for 12 letters and digits drawn by a seed, so that
/// no file of the project looks as if it held one.
#[derive(Deserialize)]
struct Labelled {
    text: String,
    secrets: Vec<String>,
}

fn corpus(lines: &str) -> Vec<Labelled> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn alphabet(kind: char) -> &'static [u8] {
    match kind {
        'A' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        'a' => b"abcdefghijklmnopqrstuvwxyz0123456789",
        'b' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        'd' => b"0123456789",
        'h' => b"0123456789abcdef",
        'p' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#%^*_-+.?~",
        'U' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        'u' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        _ => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
    }
}

fn drawn(kind: char, count: usize, rng: &Rng) -> String {
    let letters = alphabet(kind);
    let any = || letters[(rng.unit() * letters.len() as f64) as usize % letters.len()];
    (0..count).map(|_| char::from(any())).collect()
}

fn made(recipe: &str, rng: &Rng) -> String {
    let mut parts = recipe.split('[');
    let mut secret = parts.next().unwrap().to_owned();
    for part in parts {
        let (spec, rest) = part.split_once(']').unwrap();
        let (kind, count) = spec.split_once(':').unwrap();
        secret += &drawn(kind.chars().next().unwrap(), count.parse().unwrap(), rng);
        secret += rest;
    }
    secret
}

/// The text with its secrets in their places, and the secrets.
fn filled(labelled: &Labelled, rng: &Rng) -> (String, Vec<String>) {
    let secrets: Vec<String> = labelled.secrets.iter().map(|recipe| made(recipe, rng)).collect();
    let put =
        |text: String, (at, secret): (usize, &String)| text.replace(&format!("{{{at}}}"), secret);
    (secrets.iter().enumerate().fold(labelled.text.clone(), put), secrets)
}

#[test]
fn no_secret_is_left() {
    let corpus = corpus(include_str!("../data/secrets.jsonl"));
    let redactor = Redactor::new();
    for seed in 0..4 {
        let rng = Rng::seeded(seed);
        for labelled in &corpus {
            let (text, secrets) = filled(labelled, &rng);
            let clean = redactor.redact(&text);
            for secret in secrets {
                assert!(!clean.contains(&secret), "seed {seed}: {secret:?} is left in {clean:?}");
            }
            assert!(clean.contains("[REDACTED:"), "{clean:?}");
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    for labelled in corpus(include_str!("../data/look_alikes.jsonl")) {
        assert!(labelled.secrets.is_empty());
        let clean = Redactor::new().redact(&labelled.text);
        assert!(matches!(clean, Cow::Borrowed(_)), "{:?} became {clean:?}", labelled.text);
    }
}

#[test]
fn the_text_around_a_secret_survives() {
    let redactor = Redactor::new();
    for (text, clean) in [
        ("before PASSWORD=Zq7Kd3f9xx after", "before PASSWORD=[REDACTED:assigned] after"),
        (
            "curl -H 'Authorization: Bearer abc123def456' x",
            "curl -H 'Authorization: Bearer [REDACTED:header]' x",
        ),
        ("redis://:Zq7Kd3f9@cache:6379/0", "redis://:[REDACTED:url]@cache:6379/0"),
        ("{\"password\":\"Zq7Kd3f9xx\",\"a\":1}", "{\"password\":\"[REDACTED:assigned]\",\"a\":1}"),
        ("x?page=2&token=Zq7Kd3f9xx&n=3", "x?page=2&token=[REDACTED:assigned]&n=3"),
        (
            "- name: DB_PASSWORD\n  value: Zq7Kd3f9xx\n",
            "- name: DB_PASSWORD\n  value: [REDACTED:assigned]\n",
        ),
        (
            "admin_token: Some(\"Zq7Kd3f9xxPq82\"), n: 4",
            "admin_token: Some(\"[REDACTED:assigned]\"), n: 4",
        ),
        (
            "['sshpass', '-p', 'Zq7Kd3f9', 'ssh', 'ada@h']",
            "['sshpass', '-p', '[REDACTED:assigned]', 'ssh', 'ada@h']",
        ),
        (
            "token=\u{1b}[33mZq7Kd3f9xx\u{1b}[0m no",
            "token=\u{1b}[33m[REDACTED:assigned]\u{1b}[0m no",
        ),
        ("Authorization: SSWS 00Zq7Kd3f9xxPq82Zq", "Authorization: SSWS [REDACTED:header]"),
        ("mysql://root:a/b#Zq7Kd3@h/x?y=1", "mysql://root:[REDACTED:url]@h/x?y=1"),
        (
            "&quot;pwd&quot;:&quot;Zq7Kd3f9xx&quot;,",
            "&quot;pwd&quot;:&quot;[REDACTED:assigned]&quot;,",
        ),
        (
            "password = \"Zq7Kd3f9\" -> \"Lm4Np5Qr\" #",
            "password = \"[REDACTED:assigned]\" -> \"[REDACTED:assigned]\" #",
        ),
        (
            "Your password to proceed:\n\nZq7Kd3f9xx\n\nbye 12345abc6",
            "Your password to proceed:\n\n[REDACTED:assigned]\n\nbye 12345abc6",
        ),
    ] {
        assert_eq!(redactor.redact(text), clean);
    }
}

#[test]
fn a_private_key_is_taken_out_to_its_end_or_to_the_end_of_the_text() {
    let body = "MIIEowIBAAKCAQEAz7Kd3f9xx\n".repeat(30);
    let key = format!("a\n-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\nb");
    assert_eq!(Redactor::new().redact(&key), "a\n[REDACTED:private-key]\nb");
    let cut = key.split("-----END").next().unwrap();
    assert_eq!(Redactor::new().redact(cut), "a\n[REDACTED:private-key]");
}

#[test]
fn known_values_are_taken_out_in_every_form() {
    let secret = "pä/ss \"word\"+1";
    let redactor = Redactor::new().with_secret(secret);
    let json = serde_json::to_string(secret).unwrap();
    let json = json.trim_matches('"').to_owned();
    for form in [
        secret.to_owned(),
        json,
        "p%C3%A4%2Fss%20%22word%22%2B1".to_owned(),
        "p%c3%a4%2fss%20%22word%22%2b1".to_owned(),
        "cMOkL3NzICJ3b3JkIisx".to_owned(),
    ] {
        let clean = redactor.redact(&format!("<{form}>")).into_owned();
        assert!(clean.starts_with("<[REDACTED:known]") && clean.len() < 24, "{form}: {clean}");
    }
    // The base64 of `user:` and the value, as in basic authentication.
    let basic = redactor.redact("dXNlcjpww6Qvc3MgIndvcmQiKzE=").into_owned();
    assert!(basic.contains("[REDACTED:known]"), "{basic}");
}

#[test]
fn short_values_are_too_common_to_be_known() {
    assert_eq!(Redactor::new().with_secret("short").redact("a short text"), "a short text");
}

#[test]
fn the_values_of_secret_variables_are_known() {
    let mut env = Env::new();
    env.insert("LANG", "value one");
    env.insert("MY_TOKEN", "value two");
    env.insert("MY_KEY", EnvValue::from_host("WORK_KEY"));
    env.insert("SSH_AUTH_SOCK", "/tmp/agent.12");
    let redactor = Redactor::new().with_env(&env, |name| Some(format!("from {name}")));
    let clean = redactor.redact("value one, value two, from WORK_KEY, /tmp/agent.12").into_owned();
    assert_eq!(clean, "value one, [REDACTED:known], [REDACTED:known], /tmp/agent.12");
}

#[test]
fn rules_of_ones_own_are_added_unless_they_are_no_patterns_or_too_large() {
    let redactor = Redactor::new().with_rule("acme", r"\bacme:(\w+)").unwrap();
    assert_eq!(redactor.redact("acme:abc x"), "acme:[REDACTED:acme] x");
    assert!(Redactor::new().with_rule("bad", "(").is_err());
    assert!(Redactor::new().with_rule("huge", r"\w{9999}\w{9999}").is_err());
}

#[test]
fn endless_lines_and_large_texts_are_taken_piece_by_piece() {
    let redactor = Redactor::new();
    let line = format!("{}PASSWORD=Zq7Kd3f9xx {}", "word ".repeat(9000), "x".repeat(300_000));
    let clean = redactor.redact(&line).into_owned();
    assert_eq!(clean, line.replace("Zq7Kd3f9xx", "[REDACTED:assigned]"));
    let mut stream = redactor.stream();
    let held: usize = line.len() - stream.push(&line).len();
    assert!(held <= 32 << 10, "{held} bytes are held back");
}

/// Texts that are full of what matters to redaction.
fn texts() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        r"\PC{0,12}",
        r"[a-zA-Z0-9_:=@/. -]{0,30}",
        Just("password=".to_owned()),
        Just("\"api_key\": \"".to_owned()),
        Just("Zq7Kd3f9xxPq82Zq7K".to_owned()),
        Just("ghp_0123456789abcdefABCDEF0123456789abcd".to_owned()),
        Just("Authorization: Bearer ".to_owned()),
        Just("https://ada:Zq7Kd3f9@x/".to_owned()),
        Just("-----BEGIN RSA PRIVATE KEY-----".to_owned()),
        Just("-----END RSA PRIVATE KEY-----".to_owned()),
        Just("[REDACTED:known]".to_owned()),
        Just("\n".to_owned()),
        Just("- name: TOKEN\n".to_owned()),
        Just("  value: ".to_owned()),
        Just("the password is:\n".to_owned()),
        Just("Private-Lines: 1\n".to_owned()),
        Just("Private-MAC".to_owned()),
        Just("mysql -uroot -p".to_owned()),
        Just("Some(\"".to_owned()),
        Just("\u{1b}[33m".to_owned()),
        Just("&quot;".to_owned()),
        Just("%22".to_owned()),
        Just("\", \"".to_owned()),
        Just("SOME_COOKIE=9LN6o7Wg9aCbdUOAkX_API_KEY=".to_owned()),
        (0usize..9000).prop_map(|count| "lorem, ".repeat(count / 7)),
        (0usize..9000).prop_map(|count| "x".repeat(count)),
    ];
    prop::collection::vec(parts, 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn it_makes_no_difference_where_a_text_is_cut(
        text in texts(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let redactor = Redactor::new().with_secret("lorem, ipsum");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(cut.index(text.len() + 1))).collect();
        cuts.sort_unstable();
        let mut stream = redactor.stream();
        let (mut clean, mut start) = (String::new(), 0);
        for cut in cuts {
            clean += &stream.push(&text[start..cut]);
            start = cut;
        }
        clean += &stream.push(&text[start..]);
        clean += &stream.finish();
        prop_assert_eq!(clean, redactor.redact(&text).into_owned());
    }

    #[test]
    fn what_is_redacted_stays_as_it_is(text in texts()) {
        let redactor = Redactor::new();
        let once = redactor.redact(&text).into_owned();
        prop_assert_eq!(redactor.redact(&once), once.as_str());
    }

    #[test]
    fn a_known_value_is_nowhere_left(before in texts(), after in texts(), secret in "[a-zA-Z0-9]{8,40}") {
        let redactor = Redactor::new().with_secret(&secret);
        let clean = redactor.redact(&format!("{before}{secret}{after}")).into_owned();
        prop_assert!(!clean.contains(&secret));
    }
}
