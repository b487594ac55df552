//! Keys and tokens that are known by their shape.

use std::sync::LazyLock;

use regex::Regex;

use super::Span;
use crate::pattern::exact_pattern;

/// A rule: its name, its pattern, and whether what matches must also look like chance.
struct Shape {
    name: &'static str,
    pattern: &'static str,
    check: fn(&str) -> bool,
}

const fn shape(name: &'static str, pattern: &'static str) -> Shape {
    Shape { name, pattern, check: always }
}

const fn checked(name: &'static str, pattern: &'static str, check: fn(&str) -> bool) -> Shape {
    Shape { name, pattern, check }
}

const SHAPES: &[Shape] = &[
    shape("anthropic", r"sk-ant-[a-z]{3,8}\d{2}-[\w.-]{20,}"),
    shape("openrouter", r"sk-or-v1-[a-f0-9]{32,64}"),
    checked("openai", r"sk-(?:proj|svcacct|admin|None)-[\w-]{20,}", has_digit_and_capital),
    shape("openai", r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    checked("api-key", r"sk-[A-Za-z0-9]{32,64}", is_mixed),
    shape("stripe", r"(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,99}"),
    shape("webhook", r"whsec_[A-Za-z0-9+/=]{24,}"),
    shape("google", r"AIza[\w-]{35}"),
    checked("google", r"AQ\.[\w-]{30,}", has_digit_and_capital),
    shape("google", r"ya29\.[\w.-]{20,}"),
    shape("google", r"GOCSPX-[\w-]{28}"),
    shape("google", r"1//0[\w-]{35,}"),
    shape("github", r"ghs_\d+_ey[\w.-]{20,}"),
    shape("github", r"gh[pousr]_[A-Za-z0-9._]{36,}"),
    shape("github", r"github_pat_\w{60,}"),
    shape("gitlab", r"glpat-[\w-]{20,300}\.[0-9a-z.]{9,}"),
    shape(
        "gitlab",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|oas|imt|ffct|rtr|wt)-(?:t\d_)?[\w.-]{20,}",
    ),
    shape("gitlab", r"GR1348941[\w-]{20,}"),
    checked("aws", r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}", always),
    shape("aws", r"ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    shape("aws", r"bedrock-api-key-[A-Za-z0-9+/=]{20,}"),
    shape("azure", r"[\w~.]{3}\dQ~[\w~.-]{31,34}"),
    shape("azure", r"[A-Za-z0-9]{30,72}JQQJ99[A-Za-z0-9]{6,50}"),
    shape("slack", r"xox[abposre](?:-[A-Za-z0-9]+)*-[A-Za-z0-9-]{8,}"),
    shape("slack", r"xoxe\.xox[bp]-\d-[A-Za-z0-9]{20,}"),
    shape("slack", r"xapp-\d-[A-Za-z0-9-]{20,}"),
    shape("npm", r"npm_[A-Za-z0-9]{36,}"),
    shape("pypi", r"pypi-AgE[\w-]{50,}"),
    shape("crates", r"cio[A-Za-z0-9]{32}"),
    shape("rubygems", r"rubygems_[a-f0-9]{48}"),
    shape("hugging-face", r"(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    shape("xai", r"xai-[A-Za-z0-9]{60,}"),
    shape("groq", r"gsk_[A-Za-z0-9]{48,}"),
    shape("perplexity", r"pplx-[A-Za-z0-9]{40,}"),
    shape("replicate", r"r8_[A-Za-z0-9]{37,}"),
    shape("nvidia", r"nvapi-[\w-]{60,}"),
    shape("langsmith", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}"),
    checked("tavily", r"tvly-[A-Za-z0-9-]{30,}", has_digit),
    shape("sendgrid", r"SG\.[\w-]{16,32}\.[\w-]{30,64}"),
    shape("digitalocean", r"do[opr]_v1_[a-f0-9]{64}"),
    shape("databricks", r"dapi[a-f0-9]{32}(?:-\d)?"),
    shape("vault", r"hv[sbr]\.[\w-]{24,}"),
    shape("terraform", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}"),
    shape("notion", r"ntn_[A-Za-z0-9]{40,}"),
    shape("notion", r"secret_[A-Za-z0-9]{43}"),
    shape("linear", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    shape("sentry", r"sntry[us]_[A-Za-z0-9+/=_-]{40,}"),
    shape("grafana", r"glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    shape("grafana", r"glc_[A-Za-z0-9+/]{32,}={0,2}"),
    shape("fly", r"(?:fo1|fm[12][ar]?)_[\w+/=-]{40,}"),
    shape("pulumi", r"pul-[a-f0-9]{40}"),
    shape("docker", r"dckr_(?:pat|oat)_[\w-]{24,}"),
    shape("atlassian", r"ATATT3[A-Za-z0-9_=-]{100,}"),
    shape("atlassian", r"AT(?:BB|CTT3)[A-Za-z0-9_=-]{28,}"),
    shape("age", r"AGE-SECRET-KEY-1[0-9A-Z]{50,60}"),
    shape("postman", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    shape("shopify", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    shape("supabase", r"sbp_[a-f0-9]{40}"),
    shape("supabase", r"sb_secret_[\w-]{20,}"),
    shape("planetscale", r"pscale_(?:tkn|pw|oauth)_[\w.-]{30,64}"),
    shape("onepassword", r"ops_ey[\w+/=-]{40,}"),
    shape("heroku", r"HRKU-AA[\w-]{50,}"),
    checked("cloudflare", r"cf(?:ut|at|k)_[A-Za-z0-9_-]{36,}", has_digit),
    shape("twilio", r"SK[0-9a-f]{32}"),
    shape("mailgun", r"key-[0-9a-f]{32}"),
    shape("mailchimp", r"[0-9a-f]{32}-us\d{1,2}"),
    shape("telegram", r"\d{8,10}:AA[\w-]{33}"),
    shape("discord", r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}"),
    shape("square", r"(?:EAAA|sq0csp-|sq0atp-)[\w-]{22,60}"),
    shape("newrelic", r"NRAK-[A-Z0-9]{27}"),
    shape("doppler", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]+\.)?[A-Za-z0-9]{40,}"),
    shape("figma", r"figd_[\w-]{36,}"),
    shape("airtable", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    shape("buildkite", r"bkua_[a-f0-9]{40}"),
    shape("circleci", r"CCIPAT_[\w]{20,}"),
    shape("langfuse", r"(?:sk|pk)-lf-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"),
    shape("jwt", r"ey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
];

fn always(_: &str) -> bool {
    true
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

fn has_digit_and_capital(text: &str) -> bool {
    has_digit(text) && text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Digits and letters well mixed, or nothing but hexadecimal digits.
fn is_mixed(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 2
}

/// What stands before a token is no letter or digit, but may be an escape that ends in one.
const BEFORE: &str = r"(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\x1b\[[0-9;]*m)";

/// All shapes in one pattern: the text is passed over once.
static ANY: LazyLock<Regex> = LazyLock::new(|| {
    let groups: Vec<String> = SHAPES
        .iter()
        .map(|shape| {
            format!(
                "({})",
                shape
                    .pattern
                    .replace(r"\w", "[A-Za-z0-9_]")
                    .replace("[[A-Za-z0-9_]", "[A-Za-z0-9_")
            )
        })
        .collect();
    exact_pattern(&format!("{BEFORE}(?:{})", groups.join("|")))
});

/// Shapes of one fixed length: more letters make it something else.
static FIXED: &[&str] =
    &["aws", "crates", "twilio", "mailgun", "databricks", "pulumi", "shopify", "rubygems"];

/// A secret key of AWS has no shape of its own; it stands beside its id.
static BESIDE_ID: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r#"(?:AKIA|ASIA)[A-Z0-9]{16}["']?[\s,;:|/]{1,4}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+]|$)"#,
    )
});
static SLACK_HOOK: LazyLock<Regex> = LazyLock::new(|| {
    exact_pattern(
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/|\.webhook\.office\.com/webhookb2/)([\w/@.-]{20,})",
    )
});

pub(super) fn find(line: &str, spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(found) = ANY.captures_at(line, at) {
        let Some(whole) = found.get(0) else { break };
        let part = (1..found.len()).find_map(|group| Some((group, found.get(group)?)));
        let Some((group, part)) = part else { break };
        let shape = &SHAPES[group - 1];
        let goes_on = line[part.end()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        if (shape.check)(part.as_str()) && !(goes_on && FIXED.contains(&shape.name)) {
            spans.push(Span::new(shape.name, part.range(), whole.range()));
            at = part.end();
        } else {
            at = part.start() + 1;
        }
    }
    for (rule, pattern) in [("aws", &BESIDE_ID), ("webhook", &SLACK_HOOK)] {
        let found =
            pattern.captures_iter(line).filter_map(|found| Some((found.get(0)?, found.get(1)?)));
        spans.extend(found.map(|(whole, part)| Span::new(rule, part.range(), whole.range())));
    }
}
