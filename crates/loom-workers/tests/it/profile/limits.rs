//! Usage limits.

use std::time::Duration;

use loom_core::{ErrorKind, FailureCode, WorkerError};
use loom_workers::{Exit, ToolProfile, profile_keys};

use crate::profile::stage::{now, play};

const HOUR: Duration = Duration::from_secs(3600);

async fn error(profile: ToolProfile, says: &str, exit: i32) -> WorkerError {
    play(profile, says.as_bytes(), Exit::code(exit)).await.error()
}

/// That the attempt is to be repeated when the limit resets, so long from now.
fn check(error: &WorkerError, wait: Duration, account: &str) {
    assert_eq!(error.kind(), ErrorKind::RetryAfter(wait), "{}", error.message());
    assert_eq!(error.code(), FailureCode::RateLimited);
    let start = format!("a limit of the account {account} is met: ");
    assert!(error.message().starts_with(&start), "{}", error.message());
    let at = &error.output().unwrap().metadata[profile_keys::LIMIT_RESETS_AT];
    assert_eq!(*at, now().saturating_add(wait).to_string());
}

fn claude(result: &str) -> String {
    let result = serde_json::json!({
        "type": "result", "subtype": "success", "is_error": true, "result": result,
        "session_id": "s",
    });
    result.to_string()
}

#[tokio::test]
async fn claude_says_when_its_limit_resets() {
    for (says, wait) in [
        ("You've hit your limit · resets 3pm (Europe/Berlin)", 4 * HOUR),
        ("You\u{2019}ve hit your weekly limit · resets Nov 23, 10am (UTC)", 24 * HOUR),
        ("Claude AI usage limit reached|1795348800", 2 * HOUR),
        ("5-hour limit reached ∙ resets 1pm (UTC)", 3 * HOUR),
    ] {
        let error = error(ToolProfile::claude(), &claude(says), 1).await;
        check(&error, wait, "anthropic");
        assert!(error.message().contains(says), "{}", error.message());
        assert_eq!(error.output().unwrap().metadata[profile_keys::SESSION_ID], "s");
    }
}

#[tokio::test]
async fn a_limit_that_is_said_in_an_event_is_one_if_the_tool_failed() {
    let rejected = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1795345200,"rateLimitType":"five_hour"}}"#;
    let failed = format!("{rejected}\n{}", claude("something in other words"));
    check(&error(ToolProfile::claude(), &failed, 1).await, HOUR, "anthropic");
    check(&error(ToolProfile::claude(), &failed, 0).await, HOUR, "anthropic");

    let done = r#"{"type":"result","is_error":false,"result":"Hello."}"#;
    let went_on = format!("{rejected}\n{done}");
    let result = play(ToolProfile::claude(), went_on.as_bytes(), Exit::code(0)).await.result();
    assert_eq!(result.content, "Hello.");

    let paid = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1795345200,"overageStatus":"allowed"}}"#;
    let failed = format!("{paid}\n{}", claude("no such file"));
    let error = error(ToolProfile::claude(), &failed, 1).await;
    assert_eq!(error.kind(), ErrorKind::Permanent);
}

#[tokio::test]
async fn a_limit_without_a_reset_is_left_to_the_usual_waits() {
    let status = r#"{"type":"result","is_error":true,"api_error_status":429,"result":"API Error"}"#;
    let past = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1763802000}}"#;
    for says in [
        status.to_owned(),
        claude("You've hit your limit"),
        format!("{past}\n{}", claude("in other words")),
    ] {
        let error = error(ToolProfile::claude(), &says, 1).await;
        assert_eq!(error.kind(), ErrorKind::Transient, "{}", error.message());
        assert_eq!(error.code(), FailureCode::RateLimited);
        let metadata = &error.output().unwrap().metadata;
        assert!(!metadata.contains_key(profile_keys::LIMIT_RESETS_AT));
    }
}

#[tokio::test]
async fn codex_says_when_its_limit_resets() {
    for (again, wait) in [
        ("at Nov 23rd, 2026 3:45 PM.", 29 * HOUR + HOUR * 3 / 4),
        ("at 4:05 PM.", 6 * HOUR + HOUR / 12),
        ("in 4 days 20 hours 9 minutes.", 116 * HOUR + HOUR * 3 / 20),
    ] {
        let message = format!(
            "You've hit your usage limit. Upgrade to Pro (https://openai.com/chatgpt/pricing) or \
             try again {again}"
        );
        let says = format!(
            "{}\n{}\n",
            serde_json::json!({ "type": "error", "message": message }),
            serde_json::json!({ "type": "turn.failed", "error": { "message": message } }),
        );
        check(&error(ToolProfile::codex(), &says, 1).await, wait, "openai");
    }
}

#[tokio::test]
async fn gemini_says_when_its_quota_resets() {
    let message = "[API Error: You have exhausted your capacity on this model. Your quota will \
        reset after 19h14m47s.]";
    let error_object = serde_json::json!({ "type": "TerminalQuotaError", "message": message });
    let says = serde_json::json!({ "type": "result", "status": "error", "error": error_object });
    let error = error(ToolProfile::gemini(), &says.to_string(), 1).await;
    check(&error, Duration::from_secs(19 * 3600 + 14 * 60 + 47), "google");
}

#[tokio::test]
async fn a_profile_says_itself_how_its_tool_speaks_of_limits() {
    for (pattern, says, wait) in [
        (r"come back in (?<seconds>\d+) s", "busy, come back in 90 s", 90),
        (r"^wait until (?<reset>.+)$", "wait until 12:00 UTC", 7200),
        (r"^wait until (?<reset>.+)$", "wait until 2026-11-22T11:00:00Z", 3600),
        (r"^back:(?<epoch>\d+)$", "back:1795345200000", 3600),
    ] {
        let text =
            format!("name = 'x'\nprogram = 'x'\naccount = 'a'\nlimit.patterns = ['{pattern}']");
        let profile = ToolProfile::from_toml(&text).unwrap();
        for exit in [0, 1] {
            let error = error(profile.clone(), &format!("{says}\n"), exit).await;
            check(&error, Duration::from_secs(wait), "a");
        }
    }
}

#[tokio::test]
async fn a_long_answer_about_limits_is_an_answer() {
    let says =
        format!("You've hit your limit · resets 3pm (UTC)\n{}", "is what it says. ".repeat(50));
    let result = serde_json::json!({ "type": "result", "is_error": false, "result": says });
    let played = play(ToolProfile::claude(), result.to_string().as_bytes(), Exit::code(0)).await;
    assert_eq!(played.result().content, says);
}

#[tokio::test]
async fn an_answer_that_is_the_message_of_a_limit_is_none() {
    let says = "Claude AI usage limit reached|1795348800";
    let result = serde_json::json!({ "type": "result", "is_error": false, "result": says });
    check(&error(ToolProfile::claude(), &result.to_string(), 0).await, 2 * HOUR, "anthropic");
}
