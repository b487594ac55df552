//! Queries keep their limits.

use loom_core::{Cursor, Order, StatusCounts, TaskQuery, TaskStatus, limits};

#[test]
fn a_query_asks_for_everything_unless_told_otherwise() {
    let query = TaskQuery::all();
    assert_eq!((query.limit, query.order), (limits::PAGE_DEFAULT, Order::NewestFirst));
    assert!(query.engine_name.is_none() && query.project_id.is_none() && query.after.is_none());
    assert!(query.statuses.is_empty() && query.worker_type.is_none() && query.seq.is_none());
}

#[test]
fn a_page_has_at_least_one_task_and_at_most_a_thousand() {
    for (asked, kept) in [(0, 1), (1, 1), (1000, 1000), (1001, 1000), (u32::MAX, 1000)] {
        assert_eq!(TaskQuery::all().limit(asked).limit, kept);
    }
}

#[test]
fn a_query_keeps_what_it_was_told() {
    let instance = crate::support::me();
    let query = TaskQuery::all()
        .engine("e")
        .project("p")
        .statuses([TaskStatus::Failed])
        .worker_type("w")
        .instance(instance.clone())
        .seq(4)
        .order(Order::OldestFirst)
        .after(Some(Cursor { seq: 3 }));
    assert_eq!(query.engine_name.as_deref(), Some("e"));
    assert_eq!(query.project_id.as_deref(), Some("p"));
    assert_eq!(query.statuses, [TaskStatus::Failed]);
    assert_eq!(query.worker_type, Some("w".into()));
    assert_eq!(query.instance, Some(instance));
    assert_eq!((query.seq, query.order), (Some(4), Order::OldestFirst));
    assert_eq!(query.after, Some(Cursor { seq: 3 }));
}

#[test]
fn counts_name_their_statuses() {
    let mut counts = StatusCounts::default();
    counts.add(TaskStatus::FailedCrash, 7);
    let shown = format!("{counts:?}");
    assert!(shown.contains("FailedCrash: 7") && shown.contains("Pending: 0"), "{shown}");
}
