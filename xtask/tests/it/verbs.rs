//! The command line, as a shell sees it.

use std::io;
use std::process::{Command, Output};

fn xtask(words: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(words).output()
}

#[test]
fn the_help_has_a_line_for_each_verb() {
    for words in [&[][..], &["--help"], &["help"]] {
        let answer = xtask(words).unwrap();
        assert_eq!(answer.status.code(), Some(0));
        let help = String::from_utf8(answer.stdout).unwrap();
        for verb in xtask::verbs::VERBS {
            let lines = help.lines().filter(|line| line.starts_with(&format!("  {} ", verb.name)));
            assert_eq!(lines.count(), 1, "{}", verb.name);
        }
    }
}

#[test]
fn an_unknown_verb_ends_with_2() {
    let answer = xtask(&["frobnicate"]).unwrap();
    assert_eq!(answer.status.code(), Some(2));
    let complaint = String::from_utf8(answer.stderr).unwrap();
    assert!(complaint.contains("no verb `frobnicate`"), "{complaint}");
    assert!(answer.stdout.is_empty());
}

#[test]
fn words_that_a_verb_does_not_take_end_with_2() {
    for words in
        [&["tidy", "now"][..], &["test", "name"], &["ci", "--skip", "nothing"], &["gate-eval"]]
    {
        assert_eq!(xtask(words).unwrap().status.code(), Some(2), "{words:?}");
    }
}
