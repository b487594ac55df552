//! What `…` stands for.

use xtask::pattern::{in_order, line_matches, matches};

#[test]
fn without_dots_a_line_is_itself() {
    assert!(line_matches("task 12", "task 12  "));
    assert!(!line_matches("task 12", "task 123"));
    assert!(!line_matches("task 12", " task 12"));
}

#[test]
fn dots_stand_for_any_text() {
    assert!(line_matches("took …", "took 3 ms"));
    assert!(line_matches("… ms", "took 3 ms"));
    assert!(line_matches("took … ms of … s", "took 3 ms of 4 ms of 5 s"));
    assert!(!line_matches("took … ms", "took 3 s"));
    assert!(!line_matches("ab…ba", "aba"));
}

#[test]
fn all_lines_must_come() {
    assert!(matches(&["a", "b"], &["a", "b", ""]));
    assert!(!matches(&["a", "b"], &["a"]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(matches(&[], &[]));
    assert!(!matches(&[], &["a"]));
}

#[test]
fn dots_alone_stand_for_any_lines() {
    assert!(matches(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(matches(&["a", "…", "d"], &["a", "d"]));
    assert!(matches(&["…"], &[]));
    assert!(!matches(&["…", "d"], &["d", "e"]));
}

#[test]
fn lines_in_order_may_have_others_between_them() {
    assert_eq!(in_order(&["a", "c"], &["a", "b", "c"]), Ok(()));
    assert_eq!(in_order(&["c", "a"], &["a", "b", "c"]), Err("a"));
    assert_eq!(in_order(&["a", "a"], &["a"]), Err("a"));
    assert_eq!(in_order(&["a", "…", "c"], &["a", "c"]), Ok(()));
}
