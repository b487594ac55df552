//! Accounts that are held back until their limits reset.

use std::time::Duration;

use async_trait::async_trait;
use loom_core::limits::{PARKED_MAX, STORE_WAIT_MAX};
use loom_core::{
    Account, Capability, Error, EventType, FailureCode, Held, StoreError, Submitted, Task,
    TaskContext, TaskStatus, Worker, WorkerError, WorkerResult,
};
use loom_deps::{Clock, Level, Timestamp};
use loom_engine::{Engine, WorkerOptions};
use loom_testkit::{AttemptHandle, FaultyStore, Script, ScriptedWorker, scripted};

use crate::rig::{Rig, as_time_passes, end_of, next, soon_enough, until, work};

const HOUR: Duration = Duration::from_secs(3600);

/// An engine with one slot, and a worker that is charged to `ours`.
async fn charged(rig: &Rig) -> (Engine, Script) {
    let (worker, script) = scripted();
    let options = WorkerOptions::new().account("ours");
    let builder = rig.builder().max_running(1).worker_with("work", worker, options);
    (builder.start().await.unwrap(), script)
}

async fn submit_all<const N: usize>(engine: &Engine, prompts: [&str; N]) -> Vec<Submitted> {
    let mut submitted = Vec::new();
    for prompt in prompts {
        submitted.push(engine.submit(work(prompt)).await.unwrap());
    }
    submitted
}

fn limited() -> Result<WorkerResult, WorkerError> {
    Err(WorkerError::retry_after(HOUR, "limit reached"))
}

fn in_an_hour(rig: &Rig) -> Timestamp {
    rig.clock.now().saturating_add(HOUR)
}

fn held(account: &str, until: Timestamp) -> Held {
    Held { account: account.into(), until }
}

/// Has the next attempt meet a limit that resets in an hour; when that is.
async fn meet_limit(rig: &Rig, engine: &Engine, script: &mut Script) -> Timestamp {
    let mut stream = engine.events().stream();
    let resets = in_an_hour(rig);
    soon_enough(script.next()).await.finish(limited());
    until(&mut stream, EventType::Retrying).await;
    resets
}

/// Ends all attempts well as they start, as many as there are tasks.
async fn run_all(engine: &Engine, script: &mut Script, tasks: &[Submitted]) -> Vec<Task> {
    for _ in tasks {
        soon_enough(script.next()).await.finish(Ok("done".into()));
    }
    soon_enough(engine.wait_all(tasks.iter().map(|task| &task.id))).await.unwrap()
}

#[tokio::test]
async fn a_limit_that_one_task_meets_holds_back_all_of_its_account_until_the_reset() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let mut tasks = submit_all(&engine, ["limited", "a", "b", "c", "d", "e"]).await;
    let resets = meet_limit(&rig, &engine, &mut script).await;
    assert_eq!(engine.holds().await.unwrap(), [held("ours", resets)]);
    rig.clock.set(resets.saturating_sub(Duration::from_secs(1)));
    // This one comes with a claim, and waits as well.
    tasks.extend(submit_all(&engine, ["late"]).await);
    for task in &tasks[1..] {
        let task = engine.get(&task.id).await.unwrap();
        assert_eq!((task.status, task.attempt), (TaskStatus::Pending, 0), "{}", task.prompt);
    }
    assert!(script.started().is_none(), "nothing is attempted before the reset");
    rig.clock.set(resets);
    let ended = run_all(&engine, &mut script, &tasks).await;
    for task in &ended[1..] {
        assert_eq!((task.attempt, task.retries, task.parked()), (1, 0, 0), "{}", task.prompt);
    }
    assert_eq!((ended[0].attempt, ended[0].retries, ended[0].parked()), (2, 0, 1));
    assert_eq!(engine.holds().await.unwrap(), []);
}

#[tokio::test]
async fn other_accounts_and_those_without_run_on() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let (theirs, mut their_script) = scripted();
    let (free, mut free_script) = scripted();
    engine.register_with("theirs", theirs, WorkerOptions::new().account("theirs")).unwrap();
    engine.register("free", free).unwrap();
    submit_all(&engine, ["limited", "a"]).await;
    meet_limit(&rig, &engine, &mut script).await;
    let other = engine.submit(loom_core::TaskRequest::new("theirs", "x")).await.unwrap();
    soon_enough(their_script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, other.id).await.status, TaskStatus::Completed);
    let nobodys = engine.submit(loom_core::TaskRequest::new("free", "x")).await.unwrap();
    soon_enough(free_script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, nobodys.id).await.status, TaskStatus::Completed);
    assert!(script.started().is_none());
}

#[tokio::test]
async fn a_hold_outlives_its_engine_and_counts_for_others() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let tasks = submit_all(&engine, ["limited", "a", "b"]).await;
    let resets = meet_limit(&rig, &engine, &mut script).await;
    soon_enough(engine.close()).await.unwrap();
    let (worker, mut others) = scripted();
    let options = WorkerOptions::new().account("ours");
    let other = rig.named("other", rig.store.reopen()).worker_with("work", worker, options);
    let other = other.start().await.unwrap();
    let theirs = other.submit(work("theirs")).await.unwrap();
    assert_eq!(other.get(&theirs.id).await.unwrap().status, TaskStatus::Pending);
    let (engine, mut script) = charged(&rig).await;
    rig.clock.set(resets.saturating_sub(Duration::from_secs(1)));
    let late = engine.submit(work("late")).await.unwrap();
    assert_eq!(engine.get(&late.id).await.unwrap().status, TaskStatus::Pending);
    rig.clock.set(resets);
    soon_enough(others.next()).await.finish(Ok("done".into()));
    run_all(&engine, &mut script, &[tasks, vec![late]].concat()).await;
}

#[tokio::test]
async fn a_release_starts_what_waits_at_once() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let tasks = submit_all(&engine, ["limited", "a", "b"]).await;
    let resets = meet_limit(&rig, &engine, &mut script).await;
    engine.release("ours").await.unwrap();
    assert_eq!(engine.holds().await.unwrap(), []);
    let ended = run_all(&engine, &mut script, &tasks[1..]).await;
    assert!(ended.iter().all(|task| task.completed_at < Some(resets)));
    let limited = engine.get(&tasks[0].id).await.unwrap();
    assert_eq!(limited.run_at, Some(resets), "what met the limit keeps its own time");
}

#[tokio::test]
async fn an_account_can_be_held_by_hand_and_only_for_longer() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let resets = in_an_hour(&rig);
    let week = rig.clock.now().saturating_add(HOUR * 24 * 7);
    assert_eq!(engine.hold("ours", week).await.unwrap(), Some(week));
    assert_eq!(engine.hold("ours", resets).await.unwrap(), Some(week));
    assert_eq!(engine.hold("theirs", rig.clock.now()).await.unwrap(), None);
    let tasks = submit_all(&engine, ["a"]).await;
    assert!(script.started().is_none());
    rig.clock.set(week);
    run_all(&engine, &mut script, &tasks).await;
    let refused = engine.hold("", week).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    let (worker, _script) = scripted();
    let options = WorkerOptions::new().account("a\nb");
    let refused = engine.register_with("more", worker, options).unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused}");
}

#[tokio::test]
async fn a_hold_and_a_release_are_logged() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    submit_all(&engine, ["limited"]).await;
    let resets = meet_limit(&rig, &engine, &mut script).await;
    engine.release("ours").await.unwrap();
    let records = rig.logger.records();
    let of_account = |record: &&_| loom_deps::LogRecord::text(record, "account").is_some();
    let said: Vec<_> = records.iter().filter(of_account).collect();
    let [held, released] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((held.level, held.text("until")), (Level::Warn, Some(resets.to_string())));
    assert_eq!((released.level, released.text("until")), (Level::Info, None));
}

#[tokio::test]
async fn what_is_no_limit_with_a_known_reset_holds_nobody() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let late = WorkerError::retry_after(PARKED_MAX + HOUR, "limit reached");
    let unready = WorkerError::retry_after(HOUR, "not ready").with_code(FailureCode::HttpStatus);
    let ends = [
        Err(late),
        Err(unready),
        Err(WorkerError::permanent("broken")),
        Err(WorkerError::transient("429 Too Many Requests")),
        Ok("done".into()),
    ];
    for end in ends {
        engine.submit(work("x")).await.unwrap();
        soon_enough(script.next()).await.finish(end);
    }
    assert_eq!(engine.holds().await.unwrap(), []);
}

#[tokio::test]
async fn a_limit_holds_back_the_others_even_if_its_own_task_cannot_wait() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let hasty = engine.submit(work("x").deadline(HOUR / 2)).await.unwrap();
    let resets = in_an_hour(&rig);
    soon_enough(script.next()).await.finish(limited());
    assert_eq!(end_of(&engine, hasty.id).await.failure, Some(FailureCode::Deadline));
    assert_eq!(engine.holds().await.unwrap(), [held("ours", resets)]);
}

#[tokio::test]
async fn what_a_gate_reads_of_a_limit_holds_the_account() {
    let rig = Rig::new();
    let (engine, mut script) = charged(&rig).await;
    let said = "Error: 429 Too Many Requests. Please try again in 20s.";
    let failed = WorkerError::permanent("exit status 1").with_output(said.into());
    for end in [Err(failed), Ok(said.into())] {
        let mut stream = engine.events().stream();
        engine.submit(work("x")).await.unwrap();
        let resets = rig.clock.now().saturating_add(Duration::from_secs(20));
        soon_enough(script.next()).await.finish(end);
        until(&mut stream, EventType::Retrying).await;
        assert_eq!(engine.holds().await.unwrap(), [held("ours", resets)]);
        rig.clock.set(resets);
        soon_enough(script.next()).await.finish(Ok("done".into()));
        until(&mut stream, EventType::Completed).await;
    }
}

#[tokio::test]
async fn a_hold_is_stored_with_its_attempt_however_long_the_store_is_away() {
    let rig = Rig::new();
    let (store, faults) = FaultyStore::new(rig.store.reopen());
    let (worker, mut script) = scripted();
    let options = WorkerOptions::new().account("ours");
    let engine = rig.builder_on(store).worker_with("work", worker, options);
    let engine = engine.start().await.unwrap();
    let submitted = engine.submit(work("x")).await.unwrap();
    let begun = rig.clock.now();
    faults.go_away();
    soon_enough(script.next()).await.finish(limited());
    let mut stream = engine.events().stream();
    let stored = async {
        while rig.clock.now().since(begun) < STORE_WAIT_MAX * 2 {
            tokio::task::yield_now().await;
        }
        faults.back();
        until(&mut stream, EventType::Retrying).await;
    };
    as_time_passes(&rig, stored).await;
    let due = engine.get(&submitted.id).await.unwrap().run_at.unwrap();
    assert_eq!(engine.holds().await.unwrap(), [held("ours", due)]);
}

#[tokio::test]
async fn a_store_that_cannot_hold_parks_the_limited_task_alone() {
    let rig = Rig::new();
    let (worker, mut script) = scripted();
    let options = WorkerOptions::new().account("ours");
    let store = rig.store.reopen().without(Capability::Hold);
    let engine = rig.builder_on(store).max_running(1).worker_with("work", worker, options);
    let engine = engine.start().await.unwrap();
    let tasks = submit_all(&engine, ["limited", "a"]).await;
    meet_limit(&rig, &engine, &mut script).await;
    run_all(&engine, &mut script, &tasks[1..]).await;
    let refused = engine.hold("ours", in_an_hour(&rig)).await.unwrap_err();
    let expected = StoreError::Unsupported(Capability::Hold);
    assert!(refused.to_string().contains(&expected.to_string()), "{refused}");
    assert_eq!(engine.holds().await.unwrap(), []);
}

/// Charges a task to its `cli`.
struct Mixed(ScriptedWorker);

#[async_trait]
impl Worker for Mixed {
    async fn execute(&self, cx: &TaskContext, task: &Task) -> Result<WorkerResult, WorkerError> {
        self.0.execute(cx, task).await
    }

    fn accounts(&self) -> Vec<Account> {
        vec!["ours".into(), "theirs".into()]
    }

    fn account(&self, task: &Task) -> Option<Account> {
        assert_ne!(task.prompt, "odd", "a worker that cannot tell");
        task.cli.as_deref().map(Account::from)
    }
}

async fn mixed(rig: &Rig) -> (Engine, Script) {
    let (worker, script) = scripted();
    let builder = rig.builder().max_running(1).worker("work", Mixed(worker));
    (builder.start().await.unwrap(), script)
}

async fn submit_to(engine: &Engine, cli: &str) -> Submitted {
    engine.submit(work("x").cli(cli)).await.unwrap()
}

async fn started(script: &mut Script) -> (Option<String>, AttemptHandle) {
    let attempt = soon_enough(script.next()).await;
    (attempt.task.cli.clone(), attempt)
}

#[tokio::test]
async fn of_a_worker_with_several_accounts_only_what_is_charged_to_the_held_one_is_given_back() {
    let rig = Rig::new();
    let (engine, mut script) = mixed(&rig).await;
    let limited_task = submit_to(&engine, "ours").await;
    let waiting = submit_to(&engine, "ours").await;
    let other = submit_to(&engine, "theirs").await;
    let resets = meet_limit(&rig, &engine, &mut script).await;
    let (cli, attempt) = started(&mut script).await;
    assert_eq!(cli.as_deref(), Some("theirs"), "the worker is not called for who is held");
    attempt.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, other.id).await.status, TaskStatus::Completed);
    let task = engine.get(&waiting.id).await.unwrap();
    assert_eq!((task.status, task.run_at), (TaskStatus::Retrying, Some(resets)));
    assert_eq!((task.retries, task.parked()), (0, 0), "being given back spends no retry");
    let attempts = engine.attempts(&waiting.id).await.unwrap();
    assert!(attempts[0].error.as_deref().unwrap().contains("the account ours is held until"));
    rig.clock.set(resets);
    let ended = run_all(&engine, &mut script, &[limited_task, waiting]).await;
    assert!(ended.iter().all(|task| (task.attempt, task.retries) == (2, 0)));
}

#[tokio::test]
async fn a_worker_all_of_whose_accounts_are_held_is_left_alone() {
    let rig = Rig::new();
    let (engine, mut script) = mixed(&rig).await;
    let first = in_an_hour(&rig);
    engine.hold("ours", first.saturating_add(HOUR)).await.unwrap();
    engine.hold("theirs", first).await.unwrap();
    let tasks = [submit_to(&engine, "theirs").await, submit_to(&engine, "ours").await];
    for task in &tasks {
        assert_eq!(engine.get(&task.id).await.unwrap().attempt, 0);
    }
    rig.clock.set(first);
    let (cli, attempt) = started(&mut script).await;
    assert_eq!(cli.as_deref(), Some("theirs"));
    attempt.finish(Ok("done".into()));
    end_of(&engine, &tasks[0].id).await;
    let mut stream = engine.events().stream();
    rig.clock.set(first.saturating_add(HOUR));
    started(&mut script).await.1.finish(Ok("done".into()));
    while next(&mut stream).await.kind != EventType::Completed {}
}

#[tokio::test]
async fn what_is_given_back_past_its_deadline_fails() {
    let rig = Rig::new();
    let (engine, _script) = mixed(&rig).await;
    engine.hold("ours", in_an_hour(&rig)).await.unwrap();
    let hasty = engine.submit(work("x").cli("ours").deadline(HOUR / 2)).await.unwrap();
    assert_eq!(end_of(&engine, hasty.id).await.failure, Some(FailureCode::Deadline));
}

#[tokio::test]
async fn a_worker_that_panics_over_accounts_charges_nobody() {
    let rig = Rig::new();
    let (engine, mut script) = mixed(&rig).await;
    engine.hold("theirs", in_an_hour(&rig)).await.unwrap();
    let odd = engine.submit(work("odd").cli("theirs")).await.unwrap();
    let resets = meet_limit(&rig, &engine, &mut script).await;
    rig.clock.set(resets);
    soon_enough(script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, odd.id).await.status, TaskStatus::Completed);
}
