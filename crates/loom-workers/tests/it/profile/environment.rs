//! Which variables tools find.

use loom_core::{EnvValue, FailureCode};
use loom_workers::ToolProfile;

use crate::profile::stage::{host_names, request, stand_in, start};

const BASE: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "TZ"];

#[tokio::test]
async fn nothing_of_the_host_is_passed_on_but_what_is_on_the_list() {
    let played = stand_in(ToolProfile::generic("tool"), request(), b"hi", 0).await;
    let found = played.report["variables"].as_object().unwrap();
    assert!(
        host_names().iter().any(|name| name.starts_with("CARGO")),
        "there is something to hide"
    );
    for name in found.keys() {
        let is_base = BASE.contains(&name.as_str())
            || ["LC_", "LANGUAGE", "SSL_CERT_"].iter().any(|start| name.starts_with(start));
        let is_told = name.starts_with("LOOM_") || name.starts_with("STAND_IN_");
        assert!(is_base || is_told, "{name}");
    }
    assert_eq!(found["PATH"], std::env::var("PATH").unwrap());
}

#[test]
fn neither_secrets_nor_loaders_nor_marks_are_passed_on() {
    let profiles = [ToolProfile::claude(), ToolProfile::codex(), ToolProfile::gemini()];
    for name in [
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "LOOM_TOKEN",
        "LD_PRELOAD",
        "DYLD_INSERT_LIBRARIES",
        "NODE_OPTIONS",
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "BASH_ENV",
        "BASH_FUNC_ls%%",
        "GIT_DIR",
        "GIT_SSH_COMMAND",
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SSE_PORT",
    ] {
        assert!(profiles.iter().all(|profile| !profile.passes(name)), "{name}");
    }
    for (profile, own) in
        profiles.iter().zip(["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"])
    {
        assert!(profile.passes(own) && profile.passes("PATH") && profile.passes("LC_ALL"));
        let getting = profiles.iter().filter(|profile| profile.passes(own)).count();
        assert_eq!(getting, 1, "{own} is for one provider");
    }
    assert!(ToolProfile::claude().passes("CLAUDE_CODE_OAUTH_TOKEN"), "named in full");
}

#[test]
fn a_rest_of_a_name_brings_neither_loaders_nor_marks() {
    let profile = "name = 'x'\nprogram = 'x'\nenv.pass = ['LD*', 'CLAUDE*', 'CLAUDE_CODE_KEY']";
    let profile = ToolProfile::from_toml(profile).unwrap();
    assert!(profile.passes("LDAP_URL") && profile.passes("CLAUDE_CONFIG_DIR"));
    assert!(profile.passes("CLAUDE_CODE_KEY"));
    for name in ["LD_PRELOAD", "CLAUDECODE", "CLAUDE_CODE_OTHER"] {
        assert!(!profile.passes(name), "{name}");
    }
}

#[tokio::test]
async fn the_task_wins_over_the_profile_and_the_profile_over_the_host() {
    let profile = "name = 'x'\nprogram = 'x'\nenv.pass = ['CARGO_PKG_NAME']\n\
        env.set = { HOME = '/profile', LANG = 'profile', FOUND = { from_host = 'PATH' } }";
    let profile = ToolProfile::from_toml(profile).unwrap();
    let request = request().env("LANG", "task").env("KEY", EnvValue::from_host("PATH"));
    let played = stand_in(profile, request, b"hi", 0).await;
    let found = &played.report["variables"];
    let path = std::env::var("PATH").unwrap();
    assert_eq!((&found["HOME"], &found["LANG"]), (&"/profile".into(), &"task".into()));
    assert_eq!((&found["FOUND"], &found["KEY"]), (&path.as_str().into(), &path.as_str().into()));
    assert_eq!(found["CARGO_PKG_NAME"], "loom-workers");
}

#[test]
fn a_task_sets_neither_loaders_nor_marks() {
    for name in ["LD_PRELOAD", "NODE_OPTIONS", "PYTHONPATH", "GIT_DIR", "CLAUDECODE", "LOOM_RUN"] {
        for value in [EnvValue::from("x"), EnvValue::from_host("PATH")] {
            let request = request().env(name, value);
            let error = start(&ToolProfile::claude(), request).unwrap_err();
            assert_eq!(error.code(), FailureCode::SpawnFailed);
            assert!(error.message().contains(name), "{}", error.message());
        }
    }
    let request = request().env("CLAUDE_CODE_OAUTH_TOKEN", EnvValue::from_host("PATH"));
    assert!(start(&ToolProfile::claude(), request).is_ok(), "the profile names it");
}
