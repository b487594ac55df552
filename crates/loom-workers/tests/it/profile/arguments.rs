//! What becomes of a task's values.

use std::fs;
use std::path::Path;

use loom_core::{ErrorKind, FailureCode, TaskRequest};
use loom_workers::{ToolProfile, keys};
use proptest::prelude::*;

use crate::profile::stage::{request, stand_in, start};

/// A profile with these arguments and a way to hand over the prompt.
fn profile(prompt: &str, args: &str) -> ToolProfile {
    let text = format!("name = 'x'\nprogram = 'x'\nprompt = '{prompt}'\nargs = {args}");
    ToolProfile::from_toml(&text).unwrap()
}

fn arguments(profile: &ToolProfile, request: TaskRequest) -> Vec<String> {
    start(profile, request).unwrap().arguments
}

fn refusal(profile: &ToolProfile, request: TaskRequest) -> String {
    let error = start(profile, request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert_eq!(error.code(), FailureCode::SpawnFailed);
    assert_eq!(error.output().unwrap().metadata[keys::SPAWN_ERROR], "cannot_run");
    error.message().to_owned()
}

#[test]
fn holes_are_filled_and_groups_with_an_empty_hole_are_left_out() {
    let args = "['run', ['-m', '{model}'], ['--as', '{role}', '--for={meta.team}'], \
        'dir:{cwd}', '{{{effort}}}', '{meta.flag}', '{meta.number}', '{meta.none}']";
    let profile = profile("stdin", args);
    let request = request()
        .role("judge")
        .cwd("/srv")
        .effort("hard")
        .metadata("flag", true)
        .metadata("number", 7)
        .metadata("none", serde_json::Value::Null);
    let expected = ["run", "dir:/srv", "{hard}", "true", "7"];
    assert_eq!(arguments(&profile, request.clone()), expected);
    let full = request.model("m").metadata("team", "--blue");
    let expected =
        ["run", "-m", "m", "--as", "judge", "--for=--blue", "dir:/srv", "{hard}", "true", "7"];
    assert_eq!(arguments(&profile, full), expected);
}

#[test]
fn the_prompt_goes_in_as_the_profile_says() {
    let prompt = || TaskRequest::new("agent", "--help me");
    let started = start(&profile("stdin", "['a']"), prompt()).unwrap();
    assert_eq!((started.arguments, started.stdin), (vec!["a".to_owned()], b"--help me".to_vec()));

    let started = start(&profile("argument", "['a']"), prompt()).unwrap();
    assert_eq!(started.arguments, ["a", "--", "--help me"]);
    assert!(started.stdin.is_empty());

    let behind = profile("argument", "['a', '--', 'b']");
    assert_eq!(arguments(&behind, prompt()), ["a", "--", "b", "--help me"]);
    let glued = profile("argument", "['--prompt={prompt}', 'a']");
    assert_eq!(arguments(&glued, prompt()), ["--prompt=--help me", "a"]);
    let empty = TaskRequest::new("agent", "");
    assert_eq!(arguments(&glued, empty), ["--prompt=", "a"]);
}

#[tokio::test]
async fn a_prompt_in_a_file_is_for_the_tool_alone_and_removed_afterwards() {
    let profile = profile("file", "['--file={prompt_file}']");
    let long = "long ".repeat(100_000);
    let request = TaskRequest::new("agent", long.as_str());
    let played = stand_in(profile, request, b"done", 0).await;
    let file = &played.report["files"][0];
    assert_eq!(file["content"], long.as_str());
    assert_eq!(file["mode"], 0o600);
    assert!(!Path::new(file["path"].as_str().unwrap()).exists());
    assert_eq!(played.report["stdin"], "");
    assert_eq!(played.result().content, "done");
}

#[tokio::test]
async fn the_tool_works_in_the_directory_of_the_task() {
    let home = tempfile::tempdir().unwrap();
    let home = fs::canonicalize(&home).unwrap();
    let request = request().cwd(home.to_str().unwrap());
    let played = stand_in(ToolProfile::codex(), request, b"", 0).await;
    assert_eq!(played.report["cwd"], home.to_str().unwrap());
}

#[test]
fn an_added_argument_stands_where_it_can_be_an_option() {
    let profile = profile("argument", "['a', ['--', '{model}'], 'c']").arg("--{x}").arg("d");
    let started = arguments(&profile, request().model("m"));
    assert_eq!(started, ["a", "--{x}", "d", "--", "m", "c", "say hello"]);
}

#[test]
fn a_value_that_would_pass_for_an_option_is_refused_with_a_hint() {
    let claude = ToolProfile::claude();
    let message = refusal(&claude, request().model("--dangerous"));
    assert!(message.contains("model begins with `-`"), "{message}");
    assert!(message.contains("--name={model}"), "{message}");
    assert!(!message.contains("dangerous"), "values are not shown: {message}");
    let prompt = profile("argument", "['{prompt}']");
    assert!(start(&prompt, TaskRequest::new("agent", "-x")).is_err());
}

#[test]
fn dashes_that_are_left_out_protect_nothing() {
    let profile = profile("stdin", "[['--', '{model}'], '{role}']");
    let asked = request().role("-x");
    assert_eq!(arguments(&profile, asked.clone().model("m")), ["--", "m", "-x"]);
    assert!(refusal(&profile, asked).contains("role begins with `-`"));
}

#[test]
fn a_value_that_the_tool_has_no_place_for_is_refused() {
    let message = refusal(&ToolProfile::gemini(), request().effort("high"));
    assert!(message.contains("`gemini` has no place for the task's effort"), "{message}");
    let ignoring = "name = 'x'\nprogram = 'x'\nignores = ['role', 'effort', 'model']";
    let ignoring = ToolProfile::from_toml(ignoring).unwrap();
    let asking = request().role("r").effort("e").model("m");
    assert!(arguments(&ignoring, asking).is_empty());
}

#[test]
fn what_no_argument_can_hold_is_refused() {
    let claude = ToolProfile::claude();
    let message = refusal(&claude, request().model("a\0b"));
    assert!(message.contains("model holds a NUL byte"), "{message}");
    let meta = profile("stdin", "['{meta.list}']");
    let message = refusal(&meta, request().metadata("list", serde_json::json!(["a"])));
    assert!(message.contains("meta.list is neither text"), "{message}");
}

#[test]
fn what_is_too_long_for_the_system_is_refused_with_a_hint() {
    let argument = profile("argument", "[]");
    let fits = TaskRequest::new("agent", "x".repeat((128 << 10) - 1));
    assert!(start(&argument, fits).is_ok());
    let message = refusal(&argument, TaskRequest::new("agent", "x".repeat(128 << 10)));
    assert!(message.contains("131072 bytes") && message.contains("at most 131071"), "{message}");
    assert!(message.contains("prompt = \"stdin\""), "{message}");

    let prompt = "x".repeat(1 << 20);
    let stdin = profile("stdin", "[]");
    assert_eq!(start(&stdin, TaskRequest::new("agent", prompt)).unwrap().stdin.len(), 1 << 20);

    let value = "x".repeat(120 << 10);
    let names = (0..20).map(|at| format!("'{{meta.value}}{at}'")).collect::<Vec<_>>().join(", ");
    let many = profile("stdin", &format!("[{names}]"));
    let message = refusal(&many, request().metadata("value", value.as_str()));
    assert!(message.contains("together"), "{message}");

    let message = refusal(&stdin, request().env("BIG", "x".repeat(128 << 10)));
    assert!(message.contains("the variable BIG"), "{message}");
}

#[tokio::test]
async fn what_is_let_through_the_system_takes() {
    let args = (0..15).map(|at| format!("'{{meta.value}}{at}'")).collect::<Vec<_>>().join(", ");
    let many = profile("stdin", &format!("[{args}]"));
    let request = request().metadata("value", "x".repeat(130_000));
    let played = stand_in(many, request, b"done", 0).await;
    assert_eq!(played.arguments().len(), 15);
    assert_eq!(played.result().content, "done");
}

/// Every way in which a value can stand among arguments; the bare ones must not be options.
const BARE: [&str; 4] = ["model", "role", "cwd", "meta.free"];

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "-{1,3}[a-z-]{0,12}(=[a-z]{0,4})?",
        "[ -]{0,4}[a-z\0-]{0,4}",
        Just("--".to_owned()),
        Just("-".to_owned()),
    ]
}

fn asking(hole: &str, value: &str) -> TaskRequest {
    match hole {
        "model" => request().model(value),
        "role" => request().role(value),
        "effort" => request().effort(value),
        "cwd" => request().cwd(value),
        "prompt" => TaskRequest::new("agent", value),
        _ => request().metadata("free", value),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bare_value_is_no_option(hole in prop::sample::select(&BARE[..]), value in any_value()) {
        let profile = profile("stdin", &format!("[['--value', '{{{hole}}}'], '{{{hole}}}end', 'last']"));
        match start(&profile, asking(hole, &value)) {
            Ok(started) if value.is_empty() => prop_assert_eq!(started.arguments, ["last"]),
            Ok(started) => {
                prop_assert!(!value.starts_with('-') && !value.contains('\0'));
                let end = format!("{value}end");
                let expected = ["--value", value.as_str(), end.as_str(), "last"];
                prop_assert_eq!(started.arguments, expected);
            }
            Err(_) => prop_assert!(value.starts_with('-') || value.contains('\0')),
        }
    }

    #[test]
    fn a_value_that_is_glued_or_behind_dashes_is_taken_as_it_is(
        hole in prop::sample::select(&["model", "role", "effort", "prompt", "meta.free"][..]),
        value in any_value(),
    ) {
        let (prompt, args) = match hole {
            "prompt" => ("argument", "['--value={prompt}', '--', '{prompt}']".to_owned()),
            _ => ("stdin", format!("['--value={{{hole}}}', '--', '{{{hole}}}']")),
        };
        let profile = profile(prompt, &args);
        match start(&profile, asking(hole, &value)) {
            Ok(started) if value.is_empty() && hole != "prompt" => {
                prop_assert_eq!(started.arguments, ["--"]);
            }
            Ok(started) => {
                let glued = format!("--value={value}");
                prop_assert_eq!(started.arguments, [glued.as_str(), "--", value.as_str()]);
            }
            Err(_) => prop_assert!(value.contains('\0')),
        }
    }

    #[test]
    fn no_value_becomes_an_option_of_a_builtin_profile(
        model in any_value(),
        effort in any_value(),
        role in any_value(),
        prompt in any_value(),
    ) {
        const KNOWN: [&str; 9] = [
            "--print", "--output-format", "--verbose", "--model", "--effort", "--agent", "exec",
            "--json", "-c",
        ];
        let asked = TaskRequest::new("agent", prompt).model(model).effort(effort);
        for (profile, request) in [
            (ToolProfile::claude(), asked.clone().role(role)),
            (ToolProfile::codex(), asked.clone()),
            (ToolProfile::gemini(), asked.effort("")),
        ] {
            let Ok(started) = start(&profile, request) else { continue };
            let mut options = started.arguments.iter().filter(|it| it.starts_with('-'));
            prop_assert!(options.all(|it| KNOWN.contains(&it.as_str())), "{:?}", started.arguments);
        }
    }
}
