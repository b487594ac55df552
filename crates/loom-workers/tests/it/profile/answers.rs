//! Which answers are taken.

use std::sync::Arc;

use loom_core::{
    Account, Case, ErrorKind, FailureCode, ProgressSink, Stream, TaskContext, TaskRequest, Worker,
};
use loom_workers::{Exit, OutputSink, ToolProfile, ToolWorker, keys, profile_keys};

use crate::profile::stage::{execute, play, play_for, request};
use crate::support::{Progress, Tee, task};

const DONE: &str = r#"{"type":"result","is_error":false,"result":"Hello.","session_id":"s2"}"#;

fn profile(more: &str) -> ToolProfile {
    ToolProfile::from_toml(&format!("name = 'x'\nprogram = 'x'\n{more}")).unwrap()
}

#[tokio::test]
async fn one_object_as_a_whole_may_hold_the_answer() {
    let profile = profile(
        "output.format = 'json'\n[[output.events]]\ntext = '/response'\nsession_id = '/id'\n\
         tokens_input = '/stats/models/0/input'\nprogress = '/response'\nerror = '/error/message'",
    );
    let says = "note: new version\n{\n  \"id\": 7,\n  \"response\": \"Hello.\",\n  \
        \"stats\": {\"models\": [{\"input\": 12}]}\n}\n";
    let played = play(profile.clone(), says.as_bytes(), Exit::code(0)).await;
    assert!(played.progress.is_empty());
    let result = played.result();
    assert_eq!(result.content, "Hello.");
    assert_eq!(result.metadata[profile_keys::TOKENS_INPUT], 12);
    assert!(!result.metadata.contains_key(profile_keys::SESSION_ID), "a number is no session");

    let says = r#"{"error": {"message": "no such model"}}"#;
    let error = play(profile, says.as_bytes(), Exit::code(1)).await.error();
    assert_eq!(error.message(), "exit status 1: no such model");
}

#[tokio::test]
async fn the_profile_says_which_status_is_a_success() {
    let some = profile("success.exit_codes = [0, 3]");
    let result = play(some.clone(), b"fine", Exit::code(3)).await.result();
    assert_eq!(result.content, "fine");
    assert_eq!(result.metadata[keys::EXIT_CODE], 3);
    let error = play(some, b"bad", Exit::code(1)).await.error();
    assert_eq!(error.code(), FailureCode::ExitStatus);
    assert_eq!(error.message(), "exit status 1: something went wrong");
    let not_zero = profile("success.exit_codes = [3]");
    let error = play(not_zero, b"bad", Exit::code(0)).await.error();
    assert_eq!((error.code(), error.message()), (FailureCode::ExitStatus, "exit status 0"));
    assert_eq!(error.output().unwrap().content, "bad");
}

#[tokio::test]
async fn the_profile_may_want_words_of_success() {
    let profile = profile("success.patterns = ['(?m)^DONE$', 'all good']");
    assert!(play(profile.clone(), b"well\nDONE\n", Exit::code(0)).await.end.is_ok());
    let error = play(profile, b"well\n", Exit::code(0)).await.error();
    assert_eq!(error.code(), FailureCode::WorkerError);
    assert!(error.message().contains("none of the words of a success"));
    assert_eq!(error.output().unwrap().content, "well\n");
}

#[tokio::test]
async fn a_tool_that_a_signal_ended_has_failed_whatever_it_said() {
    let error = play(ToolProfile::claude(), DONE.as_bytes(), Exit::signal(9)).await.error();
    assert_eq!(error.code(), FailureCode::Signal);
    assert!(error.message().starts_with("ended by SIGKILL"));
    assert_eq!(error.output().unwrap().content, "Hello.");
}

#[tokio::test]
async fn a_stopped_tool_keeps_its_session() {
    let says = r#"{"type":"system","subtype":"init","session_id":"s1","model":"m"}"#;
    let stopped = Exit::signal(15).stopped(true);
    let error = play(ToolProfile::claude(), says.as_bytes(), stopped).await.error();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let output = error.output().unwrap();
    assert_eq!(output.metadata[profile_keys::SESSION_ID], "s1");
    assert_eq!(output.content, says);
}

#[tokio::test]
async fn failures_may_be_repeated() {
    let worker = ToolWorker::new(ToolProfile::generic("false")).retry_failures(true);
    let (end, _) = execute(&worker, &task(request())).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn a_tool_that_is_not_there_is_an_error_that_says_so() {
    let worker = ToolWorker::new(ToolProfile::claude().program("/nowhere/claude"));
    let (end, _) = execute(&worker, &task(request())).await;
    let error = end.unwrap_err();
    assert_eq!(error.code(), FailureCode::SpawnFailed);
    assert!(error.message().contains("/nowhere/claude"), "{}", error.message());
    assert_eq!(error.output().unwrap().metadata[keys::SPAWN_ERROR], "not_found");
}

#[tokio::test]
async fn a_later_attempt_takes_back_what_an_earlier_one_said_but_for_the_session() {
    let mut task = task(request());
    for key in [
        profile_keys::COST_USD,
        profile_keys::RAW_OUTPUT,
        profile_keys::LIMIT_RESETS_AT,
        profile_keys::SESSION_ID,
        keys::OUTPUT_TRUNCATED,
        keys::OUTPUT_BYTES,
    ] {
        task.metadata.insert(key.into(), "old".into());
    }
    let says = r#"{"type":"result","is_error":false,"result":"Hello."}"#;
    let played = play_for(ToolProfile::claude(), &task, says.as_bytes(), Exit::code(0)).await;
    let metadata = played.result().metadata;
    assert!(metadata[profile_keys::COST_USD].is_null());
    assert!(metadata[profile_keys::RAW_OUTPUT].is_null());
    assert!(metadata[profile_keys::LIMIT_RESETS_AT].is_null());
    assert!(metadata[keys::OUTPUT_TRUNCATED].is_null() && metadata[keys::OUTPUT_BYTES].is_null());
    assert!(!metadata.contains_key(profile_keys::SESSION_ID));
    let played = play_for(ToolProfile::claude(), &task, DONE.as_bytes(), Exit::code(0)).await;
    assert_eq!(played.result().metadata[profile_keys::SESSION_ID], "s2");
}

#[tokio::test]
async fn who_else_gets_the_output_gets_all_of_it_as_it_came() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("says");
    std::fs::write(&path, format!("{DONE}\nnot all of it is UTF-8")).unwrap();
    let says = std::fs::read(&path).unwrap();
    let profile = format!(
        "name = 'x'\nprogram = 'cat'\nargs = ['{}']\noutput.format = 'jsonl'\n\
         output.events = [{{ text = '/result' }}]",
        path.display()
    );
    let tee = Tee::new();
    let worker = ToolWorker::new(ToolProfile::from_toml(&profile).unwrap())
        .tee(Arc::clone(&tee) as Arc<dyn OutputSink>);
    let (end, progress) = execute(&worker, &task(request())).await;
    assert_eq!(end.unwrap().content, "Hello.");
    assert_eq!(progress, ["not all of it is UTF-8"]);
    assert_eq!(tee.of(Stream::Stdout), says);
}

#[tokio::test]
async fn signs_of_life_come_also_while_there_is_nothing_to_read() {
    let progress = Arc::new(Progress::default());
    let cx = TaskContext::new().with_progress(Arc::clone(&progress) as Arc<dyn ProgressSink>);
    for format in ["json", "jsonl"] {
        let text = format!(
            "name = 'x'\nprogram = 'printf'\nargs = ['{{{{\"a\": 1}}}}\\n']\noutput.format = '{format}'"
        );
        let worker = ToolWorker::new(ToolProfile::from_toml(&text).unwrap());
        worker.execute(&cx, &task(request())).await.unwrap();
    }
    let lines = progress.lines();
    assert!(lines.len() >= 2 && lines.iter().all(String::is_empty), "{lines:?}");
}

#[test]
fn the_task_picks_its_profile() {
    let worker = ToolWorker::new(ToolProfile::claude())
        .with(ToolProfile::codex())
        .with(ToolProfile::codex().with_name("team").with_account("team@openai"));
    let picked = |request: TaskRequest| {
        let profile = worker.profile(&task(request));
        profile.map(|profile| (profile.name().to_owned(), profile.account().to_owned()))
    };
    let pair = |name: &str, account: &str| Some((name.to_owned(), account.to_owned()));
    assert_eq!(picked(request()), pair("claude", "anthropic"));
    assert_eq!(picked(request().cli("")), pair("claude", "anthropic"));
    assert_eq!(picked(request().cli("codex")), pair("codex", "openai"));
    assert_eq!(picked(request().cli("team")), pair("team", "team@openai"));
    assert_eq!(picked(request().cli("cursor")), None);
}

#[test]
fn a_task_is_charged_to_the_account_of_its_profile() {
    let worker = ToolWorker::new(ToolProfile::codex())
        .with(ToolProfile::claude())
        .with(ToolProfile::codex().with_name("fast"));
    assert_eq!(worker.accounts(), ["anthropic", "openai"].map(Account::from));
    let charged = |cli: &str| worker.account(&task(request().cli(cli)));
    assert_eq!(charged("claude"), Some("anthropic".into()));
    assert_eq!(charged("fast"), Some("openai".into()));
    assert_eq!(charged("cursor"), None);
}

#[tokio::test]
async fn a_tool_without_a_profile_is_not_run_by_another_ones() {
    let worker = ToolWorker::new(ToolProfile::claude()).with(ToolProfile::codex());
    let (end, _) = execute(&worker, &task(request().cli("cursor"))).await;
    let error = end.unwrap_err();
    assert_eq!(error.code(), FailureCode::SpawnFailed);
    let expected = "no profile for the tool \"cursor\"; there are: `claude`, `codex`";
    assert_eq!(error.message(), expected);
}

#[test]
fn answers_go_through_the_full_gate() {
    let worker = ToolWorker::new(ToolProfile::claude());
    let (gate, task) = (Worker::gate(&worker).unwrap(), task(request()));
    let judge = |output: &str| gate.judge(&Case::new(&task, output, &[])).reason;
    assert_eq!(judge("  \n"), "empty_output");
    assert_eq!(judge("Rate limit reached. Try again in 20s."), "rate_limit_error");
    assert_eq!(judge("Hello."), "pass");
}
