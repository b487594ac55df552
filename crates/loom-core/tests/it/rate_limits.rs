//! Messages of rate limits are told from answers that talk about them.

use loom_core::{Case, RateLimit, Rule};

use crate::support::task;

fn is_limit(output: &str) -> bool {
    RateLimit.check(&Case::new(&task(), output, &[])).is_some()
}

#[test]
fn what_providers_write_is_recognised() {
    for output in [
        "Error: 429 Too Many Requests",
        "HTTP 429: too many requests",
        "API Error: Rate limit reached for requests",
        "Rate limit exceeded. Please try again in 20s.",
        "rate-limited",
        "You exceeded your current quota, please check your plan and billing details.",
        "You've hit your usage limit.",
        "You have reached your weekly limit",
        "Claude AI usage limit reached|1767225600",
        "Request was throttled. Expected available in 3 seconds.",
        "Overloaded",
        "Resource has been exhausted (e.g. check quota).",
        "  \n⚠ 429 Too many requests\n",
        "connecting to the server\nerror: too many requests\n",
    ] {
        assert!(is_limit(output), "{output:?}");
    }
}

#[test]
fn error_objects_that_name_a_limit_are_recognised() {
    for output in [
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        r#"{"error":{"message":"You exceeded...","type":"insufficient_quota","code":"x"}}"#,
        r#"{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}"#,
        r#"[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]"#,
        r#"{"error":"rate_limit_exceeded"}"#,
        r#"{"error":"Too many requests"}"#,
        r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
        " {\"error\": {\"code\": 529, \"message\": \"overloaded\"}} \n",
    ] {
        assert!(is_limit(output), "{output}");
    }
}

#[test]
fn objects_that_are_answers_pass() {
    for output in [
        r#"{"result":"rate_limit_error is the type to look for"}"#,
        r#"{"error":{"type":"invalid_request_error","message":"bad"}}"#,
        r#"{"error":null,"answer":"rate limit"}"#,
        r#"{"code":4290,"message":"ok"}"#,
        r#"["rate limit", "too many requests"]"#,
        "[]",
        "{}",
        "{ rate limit }",
    ] {
        assert!(!is_limit(output), "{output}");
    }
}

#[test]
fn answers_that_talk_about_limits_pass() {
    let long =
        format!("Rate limits protect a server.\n{}", "They are counted per key. ".repeat(40));
    let code =
        "```rust\nif response.status() == 429 {\n    return Err(Error::RateLimited);\n}\n```";
    let docs = "# Limits\n\nThe server answers 429 when the rate limit is reached; wait and retry.";
    let list = "Handled cases:\n- the response is a 429\n- the quota is exceeded\n- all others";
    for output in [
        long.as_str(),
        code,
        docs,
        list,
        "I added handling for \"429 Too Many Requests\" to the client.",
        "The function retries when it is throttled.",
        "4290 rows were imported.",
        "The rate limit is 60 requests per minute.",
        "Fixed the overloaded constructor.",
        "error: expected `;`",
        "",
    ] {
        assert!(!is_limit(output), "{output:?}");
    }
}

#[test]
fn a_long_answer_passes_even_if_a_line_reads_like_a_message() {
    let message = "429 Too Many Requests";
    let answer = format!("{}\n{message}\n{}", "Before. ".repeat(60), "After. ".repeat(60));
    assert!(is_limit(message));
    assert!(!is_limit(&answer));
}
