//! How profiles are written down, and what is no profile.

use std::error::Error;
use std::fs;

use loom_workers::{ProfileError, ToolProfile};

/// Why a profile with these lines is none, with all that stands behind it.
fn refusal(lines: &str) -> String {
    let text = format!("name = 'x'\nprogram = 'x'\n{lines}");
    let error = ToolProfile::from_toml(&text).unwrap_err();
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push_str(": ");
        said.push_str(&error.to_string());
        cause = error.source();
    }
    said
}

#[test]
fn little_is_needed() {
    let profile = ToolProfile::from_toml("name = 'x'\nprogram = '/bin/cat'").unwrap();
    assert_eq!((profile.name(), profile.account()), ("x", "x"));
}

#[test]
fn a_profile_may_stand_in_a_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("tool.toml");
    fs::write(&path, "name = 'x'\nprogram = 'x'\naccount = 'team'").unwrap();
    assert_eq!(ToolProfile::from_file(&path).unwrap().account(), "team");
    let error = ToolProfile::from_file(home.path().join("none.toml")).unwrap_err();
    assert!(matches!(error, ProfileError::File { .. }));
    assert!(error.to_string().contains("none.toml"));
}

#[test]
fn what_is_wrong_is_said() {
    for (lines, said) in [
        ("colour = 'red'", "colour"),
        ("output.format = 'yaml'", "yaml"),
        ("prompt = 'shout'", "shout"),
        ("args = ['{modell}']", "a hole that profiles do not know"),
        ("args = ['{meta.}']", "a hole that profiles do not know"),
        ("args = ['{model']", "not closed"),
        ("args = ['model}']", "too many"),
        ("args = [\"a\\u0000b\"]", "NUL"),
        ("args = ['--{model}']", "would let a value choose an option"),
        ("args = ['-m{model}']", "would let a value choose an option"),
        ("args = [['a', '-{role}={model}']]", "would let a value choose an option"),
        ("prompt = 'file'", "wants `{prompt_file}`"),
        ("args = ['{prompt_file}']", "wants `prompt = \"file\"`"),
        ("args = ['{prompt}']", "wants `prompt = \"argument\"`"),
        ("env.pass = ['*']", "pass on everything"),
        ("env.pass = ['A*B']", "at the end only"),
        ("env.pass = ['LD_PRELOAD']", "chooses what programs load"),
        ("env.pass = ['PYTHON*']", "chooses what programs load"),
        ("env.set = { 'A=B' = 'x' }", "is no name"),
        ("limit.patterns = ['(']", "unclosed group"),
        ("limit.patterns = ['(\\w{1000}){1000}']", "size limit"),
        ("output.events = [{ text = 'result' }]", "must begin with `/`"),
    ] {
        let refusal = refusal(lines);
        assert!(refusal.contains(said), "{lines}: {refusal}");
    }
}

#[test]
fn a_profile_names_its_program() {
    for text in ["name = 'x'", "name = 'x'\nprogram = ''"] {
        let error = ToolProfile::from_toml(text).unwrap_err();
        assert!(matches!(error, ProfileError::NoProgram(_)), "{error}");
    }
    let error = ToolProfile::from_toml("program = 'x'").unwrap_err();
    assert!(matches!(error, ProfileError::Toml { .. }) && error.to_string().contains("name"));
}

#[test]
fn what_cannot_be_understood_is_named_by_its_line_and_not_repeated() {
    let text = "name = 'x'\nprogram = 'x'\n\nenv.set = { KEY = 'canary }\n";
    let error = ToolProfile::from_toml(text).unwrap_err();
    assert!(matches!(error, ProfileError::Toml { line: 4, .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}

#[test]
fn a_builtin_profile_may_pass_on_more() {
    let profile = ToolProfile::codex().pass("AZURE_*").unwrap();
    assert!(profile.passes("AZURE_OPENAI_API_KEY") && !profile.passes("AWS_REGION"));
    for name in ["*", "LD_PRELOAD", "NODE_OPTIONS"] {
        let error = ToolProfile::codex().pass(name).unwrap_err();
        assert!(matches!(error, ProfileError::Variable { .. }), "{error}");
    }
}

#[test]
fn debug_shows_neither_arguments_nor_values() {
    let text = "name = 'x'\nprogram = 'x'\nargs = ['canary']\nenv.set = { KEY = 'canary' }";
    let shown = format!("{:?}", ToolProfile::from_toml(text).unwrap().arg("canary"));
    assert!(shown.contains("account") && !shown.contains("canary"), "{shown}");
}
