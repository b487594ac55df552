//! The builtin profiles, from the task to the answer, with a stand-in that writes what the vendors'
//! documentation says their tools write. Where, each profile names at its head.

use loom_core::{ErrorKind, FailureCode};
use loom_workers::{ToolProfile, keys, profile_keys};
use serde_json::json;

use crate::profile::stage::{request, stand_in};

const CLAUDE: &str = concat!(
    r#"{"type":"system","subtype":"init","cwd":"/srv","session_id":"0b1c","tools":["Bash"],"model":"claude-opus-4-6"}"#,
    "\n",
    r#"{"type":"assistant","message":{"model":"claude-opus-4-6","content":[{"type":"text","text":"I look first."},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]},"parent_tool_use_id":null,"session_id":"0b1c"}"#,
    "\n",
    r#"{"type":"user","message":{"role":"user","content":[{"tool_use_id":"t1","type":"tool_result","content":"README.md"}]},"session_id":"0b1c"}"#,
    "\n",
    r#"{"type":"rate_limit_event","rate_limit_info":{"status":"allowed","resetsAt":1795366800},"session_id":"0b1c"}"#,
    "\n",
    r#"{"type":"result","subtype":"success","is_error":false,"duration_ms":1200,"duration_api_ms":900,"num_turns":2,"result":"Hello.\nThere is a README.","session_id":"0b1c","total_cost_usd":0.0175,"usage":{"input_tokens":9,"cache_creation_input_tokens":100,"cache_read_input_tokens":2000,"output_tokens":36}}"#,
    "\n",
);

const CODEX: &str = concat!(
    r#"{"type":"thread.started","thread_id":"019c-1"}"#,
    "\n",
    r#"{"type":"turn.started"}"#,
    "\n",
    r#"{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Looking around**"}}"#,
    "\n",
    r#"{"type":"item.started","item":{"id":"item_1","type":"command_execution","command":"bash -lc ls","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
    "\n",
    r#"{"type":"item.completed","item":{"id":"item_1","type":"command_execution","command":"bash -lc ls","aggregated_output":"README.md\n","exit_code":0,"status":"completed"}}"#,
    "\n",
    r#"{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"One moment."}}"#,
    "\n",
    r#"{"type":"item.completed","item":{"id":"item_3","type":"agent_message","text":"Hello."}}"#,
    "\n",
    r#"{"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}}"#,
    "\n",
);

const GEMINI: &str = concat!(
    r#"{"type":"init","timestamp":"2026-11-22T10:00:00Z","session_id":"7d96","model":"gemini-2.5-pro"}"#,
    "\n",
    r#"{"type":"message","timestamp":"2026-11-22T10:00:00Z","role":"user","content":"say hello"}"#,
    "\n",
    r#"{"type":"tool_use","timestamp":"2026-11-22T10:00:01Z","tool_name":"list_directory","tool_id":"l1","parameters":{"path":"."}}"#,
    "\n",
    r#"{"type":"tool_result","timestamp":"2026-11-22T10:00:01Z","tool_id":"l1","status":"success","output":"README.md"}"#,
    "\n",
    r#"{"type":"message","timestamp":"2026-11-22T10:00:02Z","role":"assistant","content":"Hel","delta":true}"#,
    "\n",
    r#"{"type":"message","timestamp":"2026-11-22T10:00:02Z","role":"assistant","content":"lo.\nBye","delta":true}"#,
    "\n",
    r#"{"type":"message","timestamp":"2026-11-22T10:00:02Z","role":"assistant","content":".","delta":true}"#,
    "\n",
    r#"{"type":"result","timestamp":"2026-11-22T10:00:03Z","status":"success","stats":{"total_tokens":150,"input_tokens":120,"output_tokens":30,"cached":20,"input":100,"duration_ms":3000,"tool_calls":1,"models":{}}}"#,
    "\n",
);

#[tokio::test]
async fn claude_is_run_and_understood() {
    let request = request().model("opus").effort("high").role("reviewer");
    let played = stand_in(ToolProfile::claude(), request, CLAUDE.as_bytes(), 0).await;
    assert_eq!(
        played.arguments(),
        [
            "--print",
            "--output-format",
            "stream-json",
            "--verbose",
            "--model",
            "opus",
            "--effort",
            "high",
            "--agent",
            "reviewer"
        ]
    );
    assert_eq!(played.report["stdin"], "say hello");
    assert_eq!(played.progress, ["I look first.", "Bash"]);
    let result = played.result();
    assert_eq!(result.content, "Hello.\nThere is a README.");
    let metadata = &result.metadata;
    assert_eq!(metadata[profile_keys::PROFILE], "claude");
    assert_eq!(metadata[profile_keys::ACCOUNT], "anthropic");
    assert_eq!(metadata[profile_keys::SESSION_ID], "0b1c");
    assert_eq!(metadata[profile_keys::MODEL], "claude-opus-4-6");
    assert_eq!(metadata[profile_keys::TOKENS_INPUT], 2109);
    assert_eq!(metadata[profile_keys::TOKENS_OUTPUT], 36);
    assert_eq!(metadata[profile_keys::TOKENS_CACHED], 2000);
    assert_eq!(metadata[profile_keys::COST_USD], json!(0.0175));
    assert_eq!(metadata[keys::EXIT_CODE], 0);
    assert!(!metadata.contains_key(profile_keys::RAW_OUTPUT));
}

#[tokio::test]
async fn codex_is_run_and_understood() {
    let request = request().model("gpt-5").effort("low");
    let played = stand_in(ToolProfile::codex(), request, CODEX.as_bytes(), 0).await;
    let expected = ["exec", "--json", "--model", "gpt-5", "-c", "model_reasoning_effort=low"];
    assert_eq!(played.arguments(), expected);
    assert_eq!(played.report["stdin"], "say hello");
    assert_eq!(played.report["variables"]["TZ"], "UTC");
    assert_eq!(played.progress, ["**Looking around**", "bash -lc ls", "One moment.", "Hello."]);
    let result = played.result();
    assert_eq!(result.content, "Hello.");
    let metadata = &result.metadata;
    assert_eq!(metadata[profile_keys::ACCOUNT], "openai");
    assert_eq!(metadata[profile_keys::SESSION_ID], "019c-1");
    assert_eq!(metadata[profile_keys::TOKENS_INPUT], 24763);
    assert_eq!(metadata[profile_keys::TOKENS_OUTPUT], 122);
    assert_eq!(metadata[profile_keys::TOKENS_CACHED], 24448);
    assert!(!metadata.contains_key(profile_keys::COST_USD));
}

#[tokio::test]
async fn gemini_is_run_and_understood() {
    let request = request().model("pro");
    let played = stand_in(ToolProfile::gemini(), request, GEMINI.as_bytes(), 0).await;
    assert_eq!(played.arguments(), ["--output-format", "stream-json", "--model", "pro"]);
    assert_eq!(played.report["stdin"], "say hello");
    assert_eq!(played.progress, ["list_directory", "Hello.", "Bye."]);
    let result = played.result();
    assert_eq!(result.content, "Hello.\nBye.");
    let metadata = &result.metadata;
    assert_eq!(metadata[profile_keys::ACCOUNT], "google");
    assert_eq!(metadata[profile_keys::SESSION_ID], "7d96");
    assert_eq!(metadata[profile_keys::MODEL], "gemini-2.5-pro");
    assert_eq!(metadata[profile_keys::TOKENS_INPUT], 120);
    assert_eq!(metadata[profile_keys::TOKENS_OUTPUT], 30);
    assert_eq!(metadata[profile_keys::TOKENS_CACHED], 20);
}

#[tokio::test]
async fn any_tool_may_read_a_prompt_and_write_an_answer() {
    let profile = ToolProfile::generic("/opt/bin/scribe");
    assert_eq!((profile.name(), profile.account()), ("scribe", "scribe"));
    let played = stand_in(profile.arg("--terse"), request(), b"half\nwhole\n", 0).await;
    assert_eq!(played.arguments(), ["--terse"]);
    assert_eq!(played.report["stdin"], "say hello");
    assert_eq!(played.progress, ["half", "whole"]);
    let result = played.result();
    assert_eq!(result.content, "half\nwhole\n");
    assert_eq!(result.metadata[profile_keys::ACCOUNT], "scribe");
    assert!(!result.metadata.contains_key(profile_keys::RAW_OUTPUT));
}

#[tokio::test]
async fn what_is_not_asked_for_is_left_out() {
    for (profile, bare) in [
        (ToolProfile::claude(), vec!["--print", "--output-format", "stream-json", "--verbose"]),
        (ToolProfile::codex(), vec!["exec", "--json"]),
        (ToolProfile::gemini(), vec!["--output-format", "stream-json"]),
    ] {
        let played = stand_in(profile, request().model(""), b"", 0).await;
        assert_eq!(played.arguments(), bare);
    }
}

#[tokio::test]
async fn the_errors_of_tools_are_failures_that_say_what_was_wrong() {
    let claude = r#"{"type":"result","subtype":"error_max_turns","is_error":true,"session_id":"0b1c","errors":["Reached maximum number of turns (3)"],"total_cost_usd":0.5}"#;
    let codex = concat!(
        r#"{"type":"thread.started","thread_id":"0b1c"}"#,
        "\n",
        r#"{"type":"turn.failed","error":{"message":"Reached maximum number of turns (3)"}}"#,
    );
    let gemini = concat!(
        r#"{"type":"init","session_id":"0b1c","model":"m"}"#,
        "\n",
        r#"{"type":"result","status":"error","error":{"type":"FatalTurnLimitedError","message":"Reached maximum number of turns (3)"}}"#,
    );
    for (profile, says) in [
        (ToolProfile::claude(), claude),
        (ToolProfile::codex(), codex),
        (ToolProfile::gemini(), gemini),
    ] {
        let name = profile.name().to_owned();
        let error = stand_in(profile.clone(), request(), says.as_bytes(), 0).await.error();
        assert_eq!(error.kind(), ErrorKind::Permanent);
        assert_eq!(error.code(), FailureCode::WorkerError);
        let expected = format!("{name} reports an error: Reached maximum number of turns (3)");
        assert_eq!(error.message(), expected);
        let output = error.output().unwrap();
        assert_eq!(output.content, "Reached maximum number of turns (3)");
        assert_eq!(output.metadata[profile_keys::SESSION_ID], "0b1c");

        let error = stand_in(profile, request(), says.as_bytes(), 53).await.error();
        assert_eq!(error.code(), FailureCode::ExitStatus);
        assert_eq!(error.message(), "exit status 53: Reached maximum number of turns (3)");
        assert_eq!(error.output().unwrap().metadata[keys::EXIT_CODE], 53);
    }
}

#[tokio::test]
async fn an_error_that_the_tool_got_over_is_none() {
    let says = concat!(
        r#"{"type":"error","message":"Reconnecting... 1/5"}"#,
        "\n",
        r#"{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Hello."}}"#,
        "\n",
        r#"{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":1}}"#,
    );
    let played = stand_in(ToolProfile::codex(), request(), says.as_bytes(), 0).await;
    assert_eq!(played.progress, ["Reconnecting... 1/5", "Hello."]);
    assert_eq!(played.result().content, "Hello.");
}
