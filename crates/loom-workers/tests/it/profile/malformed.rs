//! Outputs that are not as they should be: nothing of them is lost.

use loom_workers::{EVENT_BYTES_MAX, Exit, ToolProfile, keys, profile_keys};

use crate::profile::stage::{Played, play};

const TEXT: &str =
    r#"{"type":"assistant","message":{"content":[{"type":"text","text":"So far."}]}}"#;
const DONE: &str = r#"{"type":"result","is_error":false,"result":"Hello."}"#;

async fn claude(says: &str) -> Played {
    play(ToolProfile::claude(), says.as_bytes(), Exit::code(0)).await
}

/// That all that was written is the result, for this reason.
fn check_raw(played: Played, says: &str, why: &str, malformed: Option<u64>) {
    let result = played.result();
    assert_eq!(result.content, says);
    assert_eq!(result.metadata[profile_keys::RAW_OUTPUT], why);
    let count = result.metadata.get(profile_keys::MALFORMED_EVENTS);
    assert_eq!(count.and_then(serde_json::Value::as_u64), malformed);
}

#[tokio::test]
async fn half_an_event_at_the_end_leaves_all_that_was_written() {
    let (half, _) = DONE.split_at(DONE.len() - 9);
    let says = format!("{TEXT}\n{half}");
    let played = claude(&says).await;
    assert_eq!(played.progress, ["So far."]);
    check_raw(played, &says, "malformed", Some(1));
}

#[tokio::test]
async fn without_a_final_event_all_that_was_written_is_the_result() {
    let says = format!("{TEXT}\n");
    check_raw(claude(&says).await, &says, "no_end", None);
    check_raw(claude("").await, "", "no_end", None);
}

#[tokio::test]
async fn a_final_event_without_an_answer_leaves_all_that_was_written() {
    let says = r#"{"type":"result","is_error":false}"#;
    check_raw(claude(says).await, says, "no_text", None);
}

#[tokio::test]
async fn a_final_event_without_the_end_of_its_line_counts() {
    let result = claude(&format!("{TEXT}\n{DONE}")).await.result();
    assert_eq!(result.content, "Hello.");
}

#[tokio::test]
async fn a_broken_event_on_the_way_costs_nothing_of_an_answer_that_comes_whole() {
    let result = claude(&format!("{{\"type\":\"assis\n{DONE}\n")).await.result();
    assert_eq!(result.content, "Hello.");
    assert_eq!(result.metadata[profile_keys::MALFORMED_EVENTS], 1);
    assert!(!result.metadata.contains_key(profile_keys::RAW_OUTPUT));
}

#[tokio::test]
async fn a_broken_event_among_the_pieces_of_an_answer_leaves_all_that_was_written() {
    let says = concat!(
        r#"{"type":"message","role":"assistant","content":"Hel","delta":true}"#,
        "\n",
        r#"{"type":"message","role":"assistant","con"#,
        "\n",
        r#"{"type":"message","role":"assistant","content":"!","delta":true}"#,
        "\n",
        r#"{"type":"result","status":"success","stats":{}}"#,
        "\n",
    );
    let played = play(ToolProfile::gemini(), says.as_bytes(), Exit::code(0)).await;
    check_raw(played, says, "malformed", Some(1));
}

#[tokio::test]
async fn what_is_no_event_is_for_people_to_read() {
    let played = claude(&format!("Loading …\n\n[1, 2]\n42\r\n{DONE}\r\n")).await;
    assert_eq!(played.progress, ["Loading …", "[1, 2]", "42"]);
    let result = played.result();
    assert_eq!(result.content, "Hello.");
    assert!(!result.metadata.contains_key(profile_keys::MALFORMED_EVENTS));
}

#[tokio::test]
async fn what_is_no_utf_8_is_replaced_and_the_event_read_all_the_same() {
    let mut says = Vec::new();
    says.extend(br#"{"type":"result","is_error":false,"result":"gr"#);
    says.extend([0xff, 0xc3]);
    says.extend(b"n\"}\n");
    let result = play(ToolProfile::claude(), &says, Exit::code(0)).await.result();
    assert_eq!(result.content, "gr\u{fffd}\u{fffd}n");
}

#[tokio::test]
async fn an_event_may_be_long_but_not_endless() {
    let answer = |length: usize| {
        let result = "x".repeat(length);
        serde_json::json!({ "type": "result", "is_error": false, "result": result }).to_string()
    };
    let played = claude(&answer(EVENT_BYTES_MAX - 100)).await;
    assert_eq!(played.result().content.len(), EVENT_BYTES_MAX - 100);
    let says = answer(EVENT_BYTES_MAX);
    check_raw(claude(&says).await, &says, "malformed", Some(1));

    let user = serde_json::json!({ "type": "user", "data": "x".repeat(3 * EVENT_BYTES_MAX) });
    let result = claude(&format!("{user}\n{DONE}\n")).await.result();
    assert_eq!(result.content, "Hello.");
    assert_eq!(result.metadata[profile_keys::MALFORMED_EVENTS], 1);
}

#[tokio::test]
async fn an_answer_is_whole_though_all_that_was_written_is_cut() {
    let noise = format!("{}\n", "x".repeat(99)).repeat(100_000);
    let result = claude(&format!("{noise}{DONE}")).await.result();
    assert_eq!(result.content, "Hello.");
    assert!(!result.metadata.contains_key(keys::OUTPUT_TRUNCATED));
    assert!(!result.metadata.contains_key(keys::OUTPUT_BYTES));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_and_says_so() {
    let message = serde_json::json!({
        "type": "message", "role": "assistant", "content": "x".repeat(900_000),
    });
    let says = format!(
        "{}{}\n",
        format!("{message}\n").repeat(10),
        r#"{"type":"result","status":"success"}"#
    );
    let result = play(ToolProfile::gemini(), says.as_bytes(), Exit::code(0)).await.result();
    assert_eq!(result.metadata[keys::OUTPUT_TRUNCATED], true);
    assert_eq!(result.metadata[keys::OUTPUT_BYTES], 9_000_000);
    assert!(result.content.len() <= 8 << 20 && result.content.contains("bytes cut"));
}

#[tokio::test]
async fn one_object_as_a_whole_that_cannot_be_read_is_the_result() {
    let profile =
        "name = 'x'\nprogram = 'x'\noutput.format = 'json'\n[[output.events]]\ntext = '/a'";
    let profile = ToolProfile::from_toml(profile).unwrap();
    for says in ["{\"a\": \"Hel", "words", ""] {
        let played = play(profile.clone(), says.as_bytes(), Exit::code(0)).await;
        check_raw(played, says, "malformed", Some(1));
    }
    let played = play(profile, b"{\"b\": 1}", Exit::code(0)).await;
    check_raw(played, "{\"b\": 1}", "no_text", None);
}
