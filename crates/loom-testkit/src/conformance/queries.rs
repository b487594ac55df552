//! Cases: reading many tasks.

use std::collections::HashSet;

use loom_core::{Cursor, Order, Task, TaskId, TaskQuery, TaskStatus};

use super::actor::Actor;
use super::harness::Harness;
use super::samples::{id, plain};

/// Tasks of every status, in two engines, three projects and two worker types.
async fn mixed(h: &Harness, actor: &Actor) -> Vec<Task> {
    let mut ids = Vec::new();
    for (n, status) in TaskStatus::ALL.into_iter().cycle().take(24).enumerate() {
        let mut new = plain(&format!("t{n:02}"));
        new.engine_name = if n % 2 < 1 { "default" } else { "other" }.to_owned();
        new.request.project_id = ["", "one", "two"].get(n % 3).copied().unwrap_or("").to_owned();
        new.request.worker_type = if n < 12 { "work" } else { "play" }.into();
        new.pinned_to = (n == 8).then(|| actor.id().clone());
        ids.push(new.id.clone());
        actor.bring(new, status).await;
    }
    h.get(&ids).await
}

fn ids_of(tasks: &[Task], wanted: impl Fn(&Task) -> bool) -> Vec<TaskId> {
    let wanted = tasks.iter().filter(|task| wanted(task));
    wanted.map(|task| task.id.clone()).collect()
}

/// `get` answers in the order of its question.
pub async fn tasks_come_in_the_order_asked_for(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all(["a", "b", "c"].map(plain)).await;
    let asked = ["c", "a", "b"].map(id);
    let found: Vec<_> = h.get(&asked).await.into_iter().map(|task| task.id).collect();
    assert_eq!(found, asked, "tasks come in the order asked for");
}

/// Ids without a task are left out, and disturb nothing.
pub async fn unknown_tasks_are_left_out(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all(["a", "b"].map(plain)).await;
    let asked = ["x", "b", "y", "a"].map(id);
    let found: Vec<_> = h.get(&asked).await.into_iter().map(|task| task.id).collect();
    assert_eq!(found, ["b", "a"].map(id), "ids without a task are left out");
    assert_eq!(h.get(&[]).await, [], "asked for nothing, nothing comes");
    let many: Vec<_> = (0..2000).map(|n| id(&format!("x{n}"))).chain([id("a")]).collect();
    assert_eq!(h.get(&many).await.len(), 1, "many ids can be asked for at once");
}

/// A list has the order that was asked for.
pub async fn a_list_starts_with_the_newest_or_the_oldest(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all(["b", "c", "a"].map(plain)).await;
    let newest = h.ids(&TaskQuery::all()).await;
    assert_eq!(newest, ["a", "c", "b"].map(id), "without a word the newest comes first");
    let oldest = h.ids(&TaskQuery::all().order(Order::OldestFirst)).await;
    assert_eq!(oldest, ["b", "c", "a"].map(id), "asked for, the oldest comes first");
}

/// Follows the pages of a query to the end.
async fn all_pages(h: &Harness, query: &TaskQuery) -> Vec<TaskId> {
    let mut found = Vec::new();
    let mut query = query.clone();
    loop {
        let page = h.list(&query).await;
        assert!(page.tasks.len() <= query.limit as usize, "a page has no more than its limit");
        found.extend(page.tasks.into_iter().map(|task| task.id));
        assert!(found.len() < 1000, "pages come to an end");
        match page.next {
            Some(next) => query = query.after(Some(next)),
            None => return found,
        }
    }
}

/// Pages of any size together are the list.
pub async fn pages_have_no_gaps_and_no_repeats(h: &Harness) {
    let actor = h.join().await;
    mixed(h, &actor).await;
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for query in [TaskQuery::all(), TaskQuery::all().engine("default")] {
            let query = query.order(order);
            let whole = h.ids(&query).await;
            for limit in [1, 5, 12, 24, 25] {
                let paged = all_pages(h, &query.clone().limit(limit)).await;
                assert_eq!(paged, whole, "pages of {limit} ({order:?}) are the whole list");
            }
        }
    }
    let last = h.list(&TaskQuery::all().limit(24)).await;
    assert_eq!(last.next, None, "a page that ends the list says that there is no next one");
}

/// Tasks that come or change between two pages make no gap and no repeat among the others.
pub async fn what_comes_while_paging_disturbs_nothing(h: &Harness) {
    let actor = h.join().await;
    actor.insert_all((0..9).map(|n| plain(&format!("old{n}")))).await;
    let expected = h.ids(&TaskQuery::all()).await;
    let mut query = TaskQuery::all().limit(2);
    let mut found = Vec::new();
    for round in 0..100 {
        let page = h.list(&query).await;
        found.extend(page.tasks.into_iter().map(|task| task.id));
        actor.insert(plain(&format!("new{round}"))).await;
        match page.next {
            Some(next) => query = query.after(Some(next)),
            None => break,
        }
    }
    assert_eq!(found, expected, "paging is not disturbed by what comes meanwhile");
}

/// Each filter alone leaves exactly what fits.
pub async fn every_filter_filters(h: &Harness) {
    let actor = h.join().await;
    let tasks = mixed(h, &actor).await;
    let query = || TaskQuery::all().order(Order::OldestFirst);
    let seq = tasks.get(5).map_or(0, |task| task.seq);
    let me = actor.id();
    let in_hand =
        |task: &Task| task.instance.as_ref() == Some(me) || task.pinned_to.as_ref() == Some(me);
    let some = [TaskStatus::Failed, TaskStatus::Running];
    let cases = [
        ("no filter", query(), ids_of(&tasks, |_| true)),
        ("engine", query().engine("other"), ids_of(&tasks, |t| t.engine_name == "other")),
        ("project", query().project("two"), ids_of(&tasks, |t| t.project_id == "two")),
        ("empty project", query().project(""), ids_of(&tasks, |t| t.project_id.is_empty())),
        ("type", query().worker_type("play"), ids_of(&tasks, |t| t.worker_type == "play".into())),
        ("seq", query().seq(seq), ids_of(&tasks, |t| t.seq == seq)),
        ("unknown seq", query().seq(-1), Vec::new()),
        ("statuses", query().statuses(some), ids_of(&tasks, |t| some.contains(&t.status))),
        ("instance", query().instance(me.clone()), ids_of(&tasks, in_hand)),
        ("unknown engine", query().engine("nobody"), Vec::new()),
    ];
    for (filter, query, expected) in cases {
        assert_eq!(h.ids(&query).await, expected, "the filter leaves what fits: {filter}");
    }
    for status in TaskStatus::ALL {
        let found = h.ids(&query().statuses([status])).await;
        let expected = ids_of(&tasks, |task| task.status == status);
        assert_eq!(found, expected, "the filter leaves what fits: {status}");
    }
}

/// Several filters leave what fits all of them.
pub async fn filters_are_combined(h: &Harness) {
    let actor = h.join().await;
    let tasks = mixed(h, &actor).await;
    let active = TaskStatus::ALL.into_iter().filter(|status| status.is_active());
    let query = TaskQuery::all()
        .order(Order::OldestFirst)
        .engine("default")
        .project("")
        .worker_type("work")
        .statuses(active);
    let expected = ids_of(&tasks, |task| {
        task.engine_name == "default"
            && task.project_id.is_empty()
            && task.worker_type == "work".into()
            && task.status.is_active()
    });
    assert_eq!(h.ids(&query).await, expected, "filters are combined");
    assert!(!expected.is_empty(), "the suite compares something");
}

/// A count is that of the whole list, whatever limit and cursor say.
pub async fn counts_equal_lists(h: &Harness) {
    let actor = h.join().await;
    let empty = h.count(&TaskQuery::all()).await;
    assert_eq!(empty.total(), 0, "an empty store counts nothing");
    let tasks = mixed(h, &actor).await;
    let queries = [
        TaskQuery::all(),
        TaskQuery::all().engine("other").project("one"),
        TaskQuery::all().statuses([TaskStatus::Completed, TaskStatus::Cancelled]),
        TaskQuery::all().instance(actor.id().clone()),
    ];
    for query in queries {
        let listed = h.list(&query).await.tasks;
        let narrow = query.clone().limit(1).after(Some(Cursor { seq: 3 }));
        let (counts, same) = (h.count(&query).await, h.count(&narrow).await);
        assert_eq!(counts, same, "counts ignore limit and cursor");
        for status in TaskStatus::ALL {
            let expected = listed.iter().filter(|task| task.status == status).count() as u64;
            assert_eq!(counts.of(status), expected, "counts equal lists ({status}, {query:?})");
        }
    }
    let distinct: HashSet<_> = tasks.iter().map(|task| task.seq).collect();
    assert_eq!(distinct.len(), 24, "every task has a number of its own");
}

/// A list shows each task as it is.
pub async fn a_list_shows_summaries_of_what_is_stored(h: &Harness) {
    let actor = h.join().await;
    let tasks = mixed(h, &actor).await;
    let page = h.list(&TaskQuery::all().order(Order::OldestFirst)).await;
    let expected: Vec<_> = tasks.iter().map(Task::summary).collect();
    assert_eq!(page.tasks, expected, "a summary equals its task");
    assert_eq!(page.unreadable, [], "what can be read is not called unreadable");
}
