//! The built-in rules of the quality gate, and rules of one's own.

use loom_core::{
    Case, EmptyOutput, GateDecision, QualityGate, Rule, Thrashing, jaccard_word_similarity,
};

use crate::support::task;

/// What the default gate makes of the last of these outputs.
fn judged(outputs: &[&str]) -> GateDecision {
    let (output, previous) = outputs.split_last().unwrap();
    let previous: Vec<String> = previous.iter().map(ToString::to_string).collect();
    QualityGate::default().judge(&Case::new(&task(), output, &previous))
}

#[test]
fn an_empty_output_is_rejected_and_may_be_retried() {
    for output in ["", " ", "\n\t \r\n", "\u{a0}\u{2003}"] {
        assert_eq!(judged(&[output]), GateDecision::retry("empty_output"), "{output:?}");
    }
}

#[test]
fn an_output_that_says_that_a_limit_is_met_is_rejected_and_may_be_retried() {
    for output in ["rate limit", "429 too many requests", "quota exceeded", "throttled"] {
        assert_eq!(judged(&[output]), GateDecision::retry("rate_limit_error"), "{output:?}");
    }
}

#[test]
fn an_ordinary_output_passes() {
    let decision = judged(&["The tests are fixed: the clock was read twice."]);
    assert_eq!(decision, GateDecision::pass());
    assert_eq!((decision.accept, &*decision.reason, decision.retry), (true, "pass", false));
}

#[test]
fn the_third_time_the_same_output_is_rejected_for_good() {
    let text = "I could not find the file you asked about";
    assert_eq!(judged(&[text]), GateDecision::pass());
    assert_eq!(judged(&[text, text]), GateDecision::pass());
    assert_eq!(judged(&[text, text, text]), GateDecision::reject("thrashing"));
    let nearly = "i could NOT find the file you asked about again";
    assert_eq!(judged(&[text, nearly, text]), GateDecision::reject("thrashing"));
}

#[test]
fn different_outputs_are_no_thrashing() {
    let outputs = ["apples and pears", "the train left at nine", "blue paint dries slowly"];
    assert_eq!(judged(&outputs), GateDecision::pass());
    let text = "the same words";
    assert_eq!(judged(&[text, "something else", text]), GateDecision::pass());
    assert_eq!(judged(&["something else", text, text]), GateDecision::pass());
    let back = ["something else", text, text, text];
    assert_eq!(judged(&back), GateDecision::reject("thrashing"), "only the latest count");
}

#[test]
fn an_empty_output_followed_by_a_good_one_is_retried_and_accepted() {
    assert!(judged(&[""]).retry);
    assert!(judged(&["", "here is your answer"]).accept);
}

#[test]
fn thrashing_looks_at_its_window_and_threshold() {
    let case = |output, previous: &[&str], rule: Thrashing| {
        let previous: Vec<String> = previous.iter().map(ToString::to_string).collect();
        rule.check(&Case::new(&task(), output, &previous)).is_some()
    };
    let rule = |window, threshold| Thrashing { window, threshold };
    assert!(case("a b", &["a b"], rule(2, 1.0)));
    assert!(case("a b", &["a b"], rule(0, 1.0)), "a window has room for two at least");
    assert!(!case("a b", &[], rule(0, 0.0)));
    assert!(case("a b c d", &["a b c e"], rule(2, 0.6)), "the threshold itself is alike");
    assert!(!case("a b c d", &["a b c e"], rule(2, 0.61)));
    assert!(!case("x", &["x"; 3], rule(5, 0.8)));
    assert!(case("x", &["x"; 4], rule(5, 0.8)));
}

#[test]
fn word_similarity_is_the_share_of_common_words() {
    for (one, other, expected) in [
        ("the same words", "the same words", 1.0),
        ("apples pears", "trains ships", 0.0),
        ("a b c", "b c d", 0.5),
        ("", "", 1.0),
        (" \n", "\t", 1.0),
        ("", "words", 0.0),
        ("words", "", 0.0),
        ("Upper CASE", "upper case", 1.0),
        ("a a a b", "a b", 1.0),
    ] {
        let found = jaccard_word_similarity(one, other);
        assert!((found - expected).abs() < 1e-9, "{one:?} and {other:?}: {found}");
    }
}

#[test]
fn the_first_rule_that_objects_decides() {
    let gate = QualityGate::accept_all()
        .with_rule(EmptyOutput)
        .with_rule(|_: &Case<'_>| Some(GateDecision::reject("first")))
        .with_rule(|_: &Case<'_>| Some(GateDecision::retry("second")));
    let task = task();
    assert_eq!(gate.judge(&Case::new(&task, "", &[])).reason, "empty_output");
    assert_eq!(gate.judge(&Case::new(&task, "x", &[])), GateDecision::reject("first"));
}

#[test]
fn a_gate_without_rules_accepts_everything() {
    let gate = QualityGate::accept_all();
    assert!(gate.judge(&Case::new(&task(), "", &[])).accept);
}

#[test]
fn a_rule_of_ones_own_sees_the_task() {
    let gate = QualityGate::default().with_rule(|case: &Case<'_>| {
        (case.task.prompt == "do it").then(|| GateDecision::retry("no"))
    });
    assert_eq!(gate.judge(&Case::new(&task(), "fine", &[])).reason, "no");
}

#[test]
fn a_decision_is_written_as_the_go_library_writes_it() {
    let json = serde_json::to_string(&GateDecision::retry("empty_output")).unwrap();
    assert_eq!(json, r#"{"accept":false,"reason":"empty_output","retry":true}"#);
}
