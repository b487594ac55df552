//! Tasks of another system.

use loom_core::{
    Capability, Ended, FailureCode, Imported, Metadata, NewTask, Op, Redactor, TaskId, TaskRequest,
    TaskStatus,
};
use loom_deps::Timestamp;

fn new() -> NewTask {
    NewTask {
        id: TaskId::new("t").unwrap(),
        engine_name: String::new(),
        request: TaskRequest::new("work", "a secret prompt"),
        created_at: Timestamp::from_micros(1),
        pinned_to: Some(loom_core::InstanceId::new("somebody").unwrap()),
        daemon_id: Some("a daemon".to_owned()),
    }
}

fn ended() -> Ended {
    Ended {
        result: "half".to_owned(),
        error: Some("with Bearer abcdefghijklmnopqrstuvwxyz0123 it broke".to_owned()),
        failure: Some(FailureCode::Crashed),
        metadata: None,
    }
}

fn origin() -> Metadata {
    let mut origin = Metadata::new();
    origin.insert("tenant_id".to_owned(), "a secret tenant".into());
    origin
}

#[test]
fn an_imported_task_waits_or_has_ended_and_is_in_nobodys_hands() {
    let at = Timestamp::from_micros(9);
    let all = [
        (Imported::pending(new()), TaskStatus::Pending, Some(1)),
        (Imported::retrying(new(), at), TaskStatus::Retrying, Some(9)),
        (Imported::completed(new(), at, ended()), TaskStatus::Completed, None),
        (Imported::failed(new(), at, ended()), TaskStatus::Failed, None),
        (Imported::crashed(new(), at, ended()), TaskStatus::FailedCrash, None),
        (Imported::cancelled(new(), at, ended()), TaskStatus::Cancelled, None),
    ];
    for (imported, status, due) in all {
        assert_eq!(imported.status(), status);
        let task = imported.into_task(7);
        assert_eq!((task.seq, task.status), (7, status));
        assert_eq!(task.run_at.map(Timestamp::as_micros), due, "{status}");
        assert_eq!(task.completed_at, status.is_terminal().then_some(at), "{status}");
        assert_eq!((task.instance, task.pinned_to, task.epoch), (None, None, 0), "{status}");
    }
}

#[test]
fn an_error_is_kept_with_any_status_and_without_its_secrets() {
    let imported = Imported::pending(new()).left(ended()).redacted(&Redactor::new());
    let error = imported.as_task().error.as_deref().unwrap();
    assert!(error.starts_with("with ") && error.ends_with(" it broke"), "{error}");
    assert!(!error.contains("abcdef"), "{error}");
    assert_eq!(imported.as_task().result, "half");
}

#[test]
fn where_a_task_came_from_is_in_its_json_and_never_in_its_debug_output() {
    let imported = Imported::pending(new()).origin(origin()).counted(2, 1);
    let json = serde_json::to_value(imported.as_task()).unwrap();
    assert_eq!(json["origin"]["tenant_id"], "a secret tenant");
    assert_eq!(json["daemon_id"], "a daemon");
    assert_eq!((&json["attempt"], &json["retries"]), (&2.into(), &1.into()));
    let shown = format!("{:?}", Op::Import(Box::new(imported)));
    assert!(!shown.contains("secret"), "{shown}");
    let mut plain = new();
    plain.daemon_id = None;
    let json = serde_json::to_value(plain.into_task(1)).unwrap();
    assert!(json.get("origin").is_none() && json.get("daemon_id").is_none(), "{json}");
}

#[test]
fn an_import_needs_a_capability() {
    let import = Op::Import(Box::new(Imported::pending(new())));
    assert_eq!(import.requires(), Some(Capability::Import));
}
