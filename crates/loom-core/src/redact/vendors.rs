//! The shapes of the keys and tokens of many providers.

/// A rule: its name, its pattern, and whether what matches must also look like chance.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) pattern: &'static str,
    pub(super) check: fn(&str) -> bool,
}

const fn shape(name: &'static str, pattern: &'static str) -> Shape {
    Shape { name, pattern, check: always }
}

const fn checked(name: &'static str, pattern: &'static str, check: fn(&str) -> bool) -> Shape {
    Shape { name, pattern, check }
}

pub(super) const SHAPES: &[Shape] = &[
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
    shape("telegram", r"(?:bot)?\d{8,10}:AA[\w-]{33}"),
    shape("resend", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"),
    shape("dynatrace", r"dt0[a-z]\d{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}"),
    shape("sourcegraph", r"sgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}"),
    shape("dropbox", r"sl\.(?:u\.)?[\w-]{60,}"),
    shape("contentful", r"CFPAT-[\w-]{40,}"),
    shape("hubspot", r"pat-(?:na|eu|ap)\d-[a-f0-9-]{36}"),
    shape("posthog", r"ph[xs]_[A-Za-z0-9]{40,}"),
    shape("brevo", r"x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    shape("mapbox", r"sk\.ey[\w-]{20,}\.[\w-]{20,}"),
    shape("cerebras", r"csk-[a-z0-9]{40,}"),
    shape("jina", r"jina_[a-f0-9]{32}[\w-]{28}"),
    shape("adafruit", r"aio_[A-Za-z0-9]{28}"),
    shape("prefect", r"pn[ub]_[A-Za-z0-9]{36}"),
    checked("typeform", r"tfp_[\w-]{40,}", has_digit),
    shape("braintree", r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
    shape("plaid", r"(?:access|link|public)-(?:production|sandbox|development)-[a-f0-9-]{36}"),
    shape("netlify", r"nf[a-z]_[A-Za-z0-9]{36,}"),
    shape("facebook", r"EAA[A-Za-z0-9]{80,}"),
    shape("flutterwave", r"FLWSECK(?:_TEST)?-[a-f0-9]{12,32}-X"),
    shape("stripe", r"(?:pi|seti|cs|src)_[A-Za-z0-9_]{14,80}_secret_[A-Za-z0-9]{20,}"),
    shape("artifactory", r"(?:AKCp[A-Za-z0-9]{50,}|cmVmdGtuO[A-Za-z0-9]{50,})"),
    shape(
        "launchdarkly",
        r"(?:sdk|api)-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    ),
    shape("swarm", r"SWM(?:TKN|KEY)-1-[A-Za-z0-9+/-]{30,}"),
    shape("fernet", r"gAAAAA[\w-]{60,}={0,2}"),
    shape("firebase", r"AAAA[\w-]{7}:APA91b[\w-]{100,}"),
    shape("twitch", r"oauth:[a-z0-9]{30}"),
    shape("easypost", r"EZ[AT]K[A-Za-z0-9]{50,}"),
    shape("duffel", r"duffel_(?:test|live)_[\w-]{40,}"),
    shape("shippo", r"shippo_(?:live|test)_[a-f0-9]{40}"),
    shape("readme", r"rdme_[a-z0-9]{60,}"),
    shape("clojars", r"CLOJARS_[a-z0-9]{60}"),
    shape(
        "yandex",
        r"(?:AQVN[\w-]{35,38}|y0_[\w-]{50,}|t1\.[A-Z0-9a-z_-]+[=]{0,2}\.[A-Z0-9a-z_-]{80,})",
    ),
    shape("wallet", r"[xyz]prv[A-Za-z0-9]{100,112}"),
    shape("nostr", r"nsec1[a-z0-9]{58}"),
    checked("private-key", r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}", is_private),
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

/// The base64 of a PEM that is no certificate, request or public key.
fn is_private(text: &str) -> bool {
    !["BDRVJUSUZJQ0FUR", "BQVUJMSUMg", "BUUlVTVEVE", "BSU0EgUFVCTElD", "BQR1AgUFVCTElD"]
        .iter()
        .any(|open| text["LS0tLS1CRUdJTi".len()..].starts_with(open))
}

/// Digits and letters well mixed, or nothing but hexadecimal digits.
fn is_mixed(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits >= 2
}
