//! Cases: the calls that read and write a row at a time.

use std::sync::Arc;

use loom_core::{
    CallError, FailureCode, Instance, InstanceId, StoreCalls, StoreSession, Task, TaskId,
    TaskQuery, TaskRequest, TaskStatus, TaskStore,
};
use loom_deps::FakeClock;

use super::harness::{Harness, broken, must};
use super::samples::{at, cancel, id, new_task, plain, request};
use TaskStatus::{
    Cancelled, Completed, Dispatched, Failed, FailedCrash, Pending, Retrying, Running,
};

type Session<'h> = StoreSession<'h, dyn TaskStore>;

/// A session of the instance `name` of `engine`, at second 10.
async fn session<'h>(h: &'h Harness, name: &str, engine: &str) -> Session<'h> {
    let clock = Arc::new(FakeClock::at(at(10)));
    must(h.store().session(instance(name, engine), clock).await, "an instance has a session")
}

fn instance(name: &str, engine: &str) -> Instance {
    Instance::new(must(InstanceId::new(name), "an id of the suite is an id"), engine, at(0))
}

/// Creates a task and takes it along `path`.
async fn bring(calls: &mut Session<'_>, name: &str, path: &[TaskStatus]) -> TaskId {
    bring_of(calls, name, request(), path).await
}

async fn bring_of(
    calls: &mut Session<'_>,
    name: &str,
    request: TaskRequest,
    path: &[TaskStatus],
) -> TaskId {
    let task = id(name);
    must(calls.create(new_task(name, request)).await, "a task can be created");
    let mut from = Pending;
    for &to in path {
        let now = must(calls.update_status(&task, from, to).await, "a task goes along an edge");
        assert_eq!(now, to, "and is told to be where it was to go");
        from = to;
    }
    task
}

async fn read(calls: &Session<'_>, task: &TaskId) -> Task {
    must(calls.get(task).await, "a task that was created can be read")
}

/// The error of a call that must not be done.
#[track_caller]
fn refused<T>(answer: Result<T, CallError>, guarantee: &str) -> CallError {
    match answer {
        Ok(_) => broken(guarantee),
        Err(error) => error,
    }
}

/// The ways to each status, by single steps.
fn path_to(status: TaskStatus) -> &'static [TaskStatus] {
    match status {
        Dispatched => &[Dispatched],
        Running => &[Dispatched, Running],
        Retrying => &[Dispatched, Running, Retrying],
        Completed => &[Dispatched, Running, Completed],
        Failed => &[Failed],
        FailedCrash => &[Dispatched, FailedCrash],
        Cancelled => &[Cancelled],
        _ => &[],
    }
}

/// An engine has a name.
pub async fn a_session_of_an_engine_without_a_name_is_refused(h: &Harness) {
    let clock = Arc::new(FakeClock::at(at(10)));
    let answer = h.store().session(instance("me", ""), clock).await;
    let error = refused(answer, "a session of an engine without a name is refused");
    assert!(matches!(error, CallError::Invalid(_)), "{error}");
}

/// A created task belongs to the engine of its session, whatever its maker thought.
pub async fn a_created_task_belongs_to_the_engine_of_its_session(h: &Harness) {
    let mut calls = session(h, "me", "ours").await;
    let submitted = must(calls.create(plain("a")).await, "a task can be created");
    let task = read(&calls, &submitted.id).await;
    assert_eq!((task.engine_name.as_str(), task.seq), ("ours", submitted.seq));
    assert_eq!((task.status, task.created_at), (Pending, at(0)));
}

/// A task names the daemon that created it, or none.
pub async fn a_created_task_names_its_daemon_or_none(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let mut named = plain("named");
    named.daemon_id = Some("daemon-1".to_owned());
    must(calls.create(named).await, "a task of a daemon can be created");
    must(calls.create(plain("plain")).await, "a task of no daemon can be created");
    assert_eq!(read(&calls, &id("named")).await.daemon_id.as_deref(), Some("daemon-1"));
    assert_eq!(read(&calls, &id("plain")).await.daemon_id, None);
}

/// A second task of the same id is refused, and the first stays as it is.
pub async fn an_id_is_created_once(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let task = bring(&mut calls, "a", &[]).await;
    let again = calls.create(new_task("a", TaskRequest::new("other", "else"))).await;
    let error = refused(again, "an id is created once");
    assert!(matches!(&error, CallError::Exists(taken) if *taken == task), "{error}");
    assert_eq!(read(&calls, &task).await.worker_type, "work".into());
}

/// A request that cannot be taken leaves no row.
pub async fn a_request_that_cannot_be_taken_leaves_no_row(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let answer = calls.create(new_task("a", TaskRequest::new("", "for nobody"))).await;
    let error = refused(answer, "a task without a worker type is refused");
    assert!(matches!(error, CallError::Invalid(_)), "{error}");
    let error = refused(calls.get(&id("a")).await, "and has no row");
    assert!(matches!(error, CallError::NotFound(_)), "{error}");
}

/// Every call about an unknown task says that there is none.
pub async fn a_call_about_an_unknown_task_says_so(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let nobody = id("nobody");
    let answers = [
        calls.get(&nobody).await.map(|_| ()),
        calls.update_status(&nobody, Pending, Dispatched).await.map(|_| ()),
        calls.set_result(&nobody, "done", None).await.map(|_| ()),
    ];
    for answer in answers {
        let error = refused(answer, "a call about an unknown task is refused");
        assert!(matches!(&error, CallError::NotFound(task) if *task == nobody), "{error}");
    }
}

async fn listed(calls: &Session<'_>, project: &str, statuses: &[TaskStatus]) -> Vec<String> {
    let page = must(calls.list(project, statuses).await, "a project can be listed");
    page.tasks.iter().map(|task| task.id.to_string()).collect()
}

/// Two tasks of project `p` and one of `q` of the engine `ours`, one of `p` of `theirs`.
async fn two_engines(h: &Harness) -> (Session<'_>, Session<'_>) {
    let (mut ours, mut theirs) =
        (session(h, "me", "ours").await, session(h, "you", "theirs").await);
    bring_of(&mut ours, "p1", request().project("p"), &[]).await;
    bring_of(&mut ours, "p2", request().project("p"), &[Dispatched]).await;
    bring_of(&mut ours, "q1", request().project("q"), &[Dispatched, Running]).await;
    bring_of(&mut theirs, "t1", request().project("p"), &[Dispatched]).await;
    (ours, theirs)
}

/// A list is of one project of the session's engine; an unknown project has an empty one.
pub async fn a_list_is_of_one_project_and_one_engine(h: &Harness) {
    let (ours, theirs) = two_engines(h).await;
    assert_eq!(listed(&ours, "p", &[]).await, ["p2", "p1"]);
    assert_eq!(listed(&ours, "q", &[]).await, ["q1"]);
    assert_eq!(listed(&theirs, "p", &[]).await, ["t1"]);
    assert!(listed(&ours, "nothing", &[]).await.is_empty());
}

/// A list by statuses has the tasks of any of them.
pub async fn a_list_by_statuses_has_the_tasks_of_any_of_them(h: &Harness) {
    let (ours, theirs) = two_engines(h).await;
    assert_eq!(listed(&ours, "p", &[Dispatched]).await, ["p2"]);
    assert_eq!(listed(&ours, "p", &[Pending, Dispatched]).await, ["p2", "p1"]);
    assert_eq!(listed(&theirs, "p", &[Pending, Dispatched]).await, ["t1"]);
    assert!(listed(&ours, "p", &[Running]).await.is_empty());
}

/// A list of everything has the tasks of all engines, each with its engine's name.
pub async fn a_list_of_everything_has_the_tasks_of_all_engines(h: &Harness) {
    let (ours, theirs) = two_engines(h).await;
    for calls in [&ours, &theirs] {
        let page = must(calls.list_all(&[]).await, "everything can be listed");
        let names = page.tasks.iter().map(|task| task.engine_name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["theirs", "ours", "ours", "ours"]);
        let page = must(calls.list_all(&[Running]).await, "everything of a status can be listed");
        assert_eq!(page.tasks.len(), 1);
    }
    let task = read(&theirs, &id("p1")).await;
    assert_eq!(task.engine_name, "ours", "a task is read through any engine's session");
}

/// Counts are of the session's engine, unless all are asked for.
pub async fn counts_are_of_one_engine_unless_all_are_asked_for(h: &Harness) {
    let (ours, theirs) = two_engines(h).await;
    let count = async |calls: &Session<'_>, query: TaskQuery| {
        must(calls.count(query).await, "tasks can be counted").total()
    };
    assert_eq!(count(&ours, TaskQuery::all()).await, 3);
    assert_eq!(count(&theirs, TaskQuery::all()).await, 1);
    assert_eq!(count(&ours, TaskQuery::all().engine("theirs")).await, 3);
    assert_eq!(count(&ours, TaskQuery::all().project("p")).await, 2);
    assert_eq!(count(&ours, TaskQuery::all().project("p").statuses([Pending])).await, 1);
    assert_eq!(count(&ours, TaskQuery::all().statuses([Dispatched, Running])).await, 2);
    let all = must(theirs.count_all(TaskQuery::all()).await, "all tasks can be counted");
    assert_eq!((all.total(), all.of(Dispatched)), (4, 2));
}

/// A task goes its way by single steps, each of which sets its time.
pub async fn a_task_goes_its_way_step_by_step(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let task = bring(&mut calls, "a", &[Dispatched]).await;
    let dispatched = read(&calls, &task).await;
    assert_eq!((dispatched.status, dispatched.dispatched_at), (Dispatched, Some(at(10))));
    assert_eq!(dispatched.instance, InstanceId::new("me").ok(), "it is in the session's hands");

    for (from, to) in [(Dispatched, Running), (Running, Retrying)] {
        must(calls.update_status(&task, from, to).await, "a task goes along an edge");
    }
    let retrying = read(&calls, &task).await;
    assert_eq!((retrying.retries, retrying.run_at), (1, Some(at(10))), "a retry is counted");

    for (from, to) in [(Retrying, Dispatched), (Dispatched, Running), (Running, Completed)] {
        must(calls.update_status(&task, from, to).await, "a task goes along an edge");
    }
    let completed = read(&calls, &task).await;
    assert_eq!((completed.status, completed.attempt), (Completed, 2));
    assert_eq!((completed.completed_at, completed.error), (Some(at(10)), None));
}

/// Whatever the table forbids is refused, and nothing is written.
pub async fn what_no_task_may_do_is_refused(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    for from in TaskStatus::ALL {
        let task = bring(&mut calls, from.as_str(), path_to(from)).await;
        let before = read(&calls, &task).await;
        for to in TaskStatus::ALL.into_iter().filter(|to| !from.can_transition_to(*to)) {
            let error = refused(calls.update_status(&task, from, to).await, "it is forbidden");
            assert!(matches!(error, CallError::Forbidden { .. }), "{from} to {to}: {error}");
        }
        assert!(read(&calls, &task).await == before, "a {from} task is as it was");
    }
}

/// A call that expects another status than the task has changes nothing.
pub async fn a_stale_expectation_changes_nothing(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let task = bring(&mut calls, "a", &[Dispatched]).await;
    let before = read(&calls, &task).await;
    let error = refused(calls.update_status(&task, Pending, Dispatched).await, "it is stale");
    let told = matches!(error, CallError::Stale { expected: Pending, found: Dispatched, .. });
    assert!(told, "{error}");
    assert!(read(&calls, &task).await == before, "the task is as it was");
}

/// Every end has a time; failed and crashed tasks say something, completed and cancelled ones not.
pub async fn every_end_by_hand_leaves_a_sound_task(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let active = TaskStatus::ALL.into_iter().filter(|status| status.is_active());
    for from in active {
        let ends = TaskStatus::ALL.into_iter().filter(|to| to.is_terminal());
        for to in ends.filter(|to| from.can_transition_to(*to)) {
            let task = bring(&mut calls, &format!("{from}-{to}"), path_to(from)).await;
            let now = calls.update_status(&task, from, to).await;
            assert_eq!(must(now, "a task can be ended by hand"), to);
            let task = read(&calls, &task).await;
            assert_eq!((task.status, task.completed_at), (to, Some(at(10))), "{from}");
            let bad = matches!(to, Failed | FailedCrash);
            assert_eq!((task.error.is_some(), task.failure.is_some()), (bad, bad), "{from}, {to}");
        }
    }
}

/// A result ends its running task as completed, in one step.
pub async fn a_result_ends_its_task(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let task = bring(&mut calls, "a", &[Dispatched, Running]).await;
    let now = must(calls.set_result(&task, "done", None).await, "a running task takes a result");
    assert_eq!(now, Completed);
    let task = read(&calls, &task).await;
    assert_eq!((task.status, task.result.as_str(), task.error), (Completed, "done", None));
    assert_eq!(task.completed_at, Some(at(10)));
}

/// An error ends its task as failed, with what was produced; secrets do not reach the store.
pub async fn an_error_ends_its_task_and_tells_no_secret(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let request = request().env("DB_PASSWORD", "swordfish-42");
    let task = bring_of(&mut calls, "a", request, &[Dispatched, Running]).await;
    let said = "cannot log in with swordfish-42, nor by API_KEY=hunter22-hunter22";
    let now = must(calls.set_result(&task, "half", Some(said)).await, "a task takes an error");
    assert_eq!(now, Failed);
    let task = read(&calls, &task).await;
    let error = task.error.unwrap_or_default();
    assert!(error.starts_with("cannot log in with [REDACTED"), "{error}");
    assert!(!error.contains("swordfish") && !error.contains("hunter"), "{error}");
    assert_eq!((task.status, task.result.as_str()), (Failed, "half"));
    assert_eq!(task.failure, Some(FailureCode::WorkerError));
    assert_eq!(task.completed_at, Some(at(10)));
}

/// A waiting task takes an error but no result, and an ended one neither.
pub async fn only_a_running_task_takes_a_result(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let task = bring(&mut calls, "a", &[]).await;
    let error = refused(calls.set_result(&task, "done", None).await, "nobody did it");
    assert!(matches!(error, CallError::Forbidden { from: Pending, to: Completed }), "{error}");
    must(calls.set_result(&task, "", Some("")).await, "a waiting task takes an error");
    let failed = read(&calls, &task).await;
    assert_eq!(failed.error.as_deref(), Some("worker_error"), "it always says something");
    let error = refused(calls.set_result(&task, "", Some("again")).await, "it has ended");
    assert!(matches!(error, CallError::Forbidden { from: Failed, to: Failed }), "{error}");
}

/// The report of a session that has lost a task changes nothing.
pub async fn only_whoever_has_a_task_in_hand_reports_of_it(h: &Harness) {
    let mut lost = session(h, "lost", "default").await;
    let mut owner = session(h, "owner", "default").await;
    let task = bring(&mut lost, "a", &[Dispatched, Running, Retrying]).await;
    for (from, to) in [(Retrying, Dispatched), (Dispatched, Running)] {
        must(owner.update_status(&task, from, to).await, "a waiting task is for all");
    }
    let late = refused(lost.set_result(&task, "late", None).await, "it is another's task");
    assert!(matches!(late, CallError::NotYours { .. }), "{late}");
    let late = refused(lost.update_status(&task, Running, Failed).await, "it is another's task");
    assert!(matches!(late, CallError::NotYours { .. }), "{late}");
    assert_eq!(must(owner.set_result(&task, "done", None).await, "it is the owner's"), Completed);
    assert_eq!(read(&owner, &task).await.result, "done");
}

/// A cancel that was asked for wins over whatever a call asks for later.
pub async fn a_cancel_that_was_asked_for_wins_over_a_call(h: &Harness) {
    let mut calls = session(h, "me", "default").await;
    let other = h.join().await;
    for (name, by_status) in [("a", true), ("b", false)] {
        let task = bring(&mut calls, name, &[Dispatched, Running]).await;
        other.commit(vec![cancel(&task, 5)]).await;
        let now = match by_status {
            true => calls.update_status(&task, Running, Failed).await,
            false => calls.set_result(&task, "done", None).await,
        };
        assert_eq!(must(now, "the task is ended"), Cancelled);
        assert_eq!(read(&calls, &task).await.status, Cancelled);
    }
}

/// Of a dead instance the tasks in hand end as crashed; what waits or has ended stays.
pub async fn only_what_the_dead_had_in_hand_is_marked_as_crashed(h: &Harness) {
    let mut died = session(h, "died", "default").await;
    for status in [Pending, Dispatched, Running, Retrying, Completed] {
        bring(&mut died, status.as_str(), path_to(status)).await;
    }
    must(died.leave().await, "a session can be left");
    let mut calls = session(h, "me", "default").await;
    assert_eq!(must(calls.mark_crashed().await, "the dead can be taken care of"), 2);
    for status in [Pending, Retrying, Completed] {
        let task = read(&calls, &id(status.as_str())).await;
        assert_eq!(task.status, status, "it is not touched");
    }
    for status in [Dispatched, Running] {
        let task = read(&calls, &id(status.as_str())).await;
        assert_eq!((task.status, task.failure), (FailedCrash, Some(FailureCode::Crashed)));
        assert!(task.error.is_some() && task.completed_at == Some(at(10)));
    }
    assert_eq!(must(calls.mark_crashed().await, "and once more"), 0, "nobody is left");
    let other = h.join().await;
    let dead = must(other.membership.dead().await, "an instance can ask for the dead");
    assert!(dead.is_empty(), "who was taken care of is buried");
}

/// A cancel that was asked for before its task's owner died is kept, and is no crash.
pub async fn a_cancel_that_was_asked_for_outlives_the_tasks_owner(h: &Harness) {
    let mut died = session(h, "died", "default").await;
    let task = bring(&mut died, "a", &[Dispatched, Running]).await;
    h.join().await.commit(vec![cancel(&task, 5)]).await;
    drop(died);
    let mut calls = session(h, "me", "default").await;
    assert_eq!(must(calls.mark_crashed().await, "the dead can be taken care of"), 0);
    assert_eq!(read(&calls, &task).await.status, Cancelled);
}

/// What the living have in hand is theirs, and the dead of another engine are that engine's.
pub async fn the_living_and_other_engines_keep_their_tasks(h: &Harness) {
    let (mut ours, mut theirs) =
        (session(h, "me", "ours").await, session(h, "you", "theirs").await);
    let mut colleague = session(h, "colleague", "ours").await;
    bring(&mut colleague, "alive", &[Dispatched, Running]).await;
    bring(&mut theirs, "elsewhere", &[Dispatched, Running]).await;
    must(theirs.leave().await, "a session can be left");
    assert_eq!(must(ours.mark_crashed().await, "there is nobody to take care of"), 0);
    for task in ["alive", "elsewhere"] {
        assert_eq!(read(&ours, &id(task)).await.status, Running, "{task}");
    }
    drop(colleague);
    assert_eq!(must(ours.mark_crashed().await, "now there is"), 1);
}

/// A task that only a dead instance might have run ends as crashed, too.
pub async fn what_only_the_dead_might_have_run_is_marked_as_crashed(h: &Harness) {
    let mut died = session(h, "died", "default").await;
    let mut pinned = plain("pinned");
    pinned.pinned_to = InstanceId::new("died").ok();
    must(died.create(pinned).await, "a task can be created");
    drop(died);
    let mut calls = session(h, "me", "default").await;
    assert_eq!(must(calls.mark_crashed().await, "the dead can be taken care of"), 1);
    assert_eq!(read(&calls, &id("pinned")).await.status, FailedCrash);
}
