//! What becomes of the tasks of those who died.

use loom_core::{
    Batch, Cancel, Claim, ClaimScope, CrashPolicy, EventType, FailureCode, Instance, InstanceId,
    Lane, Membership, NewTask, Op, TaskStatus, TaskStore, WorkerError,
};
use loom_deps::{Clock, Level};
use loom_testkit::{CountingWorker, MemoryStore, scripted};

use crate::rig::{Rig, end_of, kinds, soon_enough, until, work};

/// A process that has tasks in hand and dies when it is dropped: its claims stay in the store, its
/// standing does not.
pub(crate) struct Gone<'a> {
    rig: &'a Rig,
    store: MemoryStore,
    instance: Instance,
    number: u64,
    _membership: Box<dyn Membership>,
}

impl<'a> Gone<'a> {
    async fn join(rig: &'a Rig, engine: &str) -> Self {
        let store = rig.store.reopen();
        let id = InstanceId::new(format!("gone-{engine}")).unwrap();
        let instance = Instance::new(id, engine, rig.clock.now());
        let membership = store.join(&instance).await.unwrap();
        Self { rig, store, instance, number: 0, _membership: membership }
    }

    async fn commit(&mut self, ops: Vec<Op>) {
        self.number += 1;
        let batch = Batch { instance: self.instance.id.clone(), number: self.number, ops };
        self.store.commit(&batch).await.unwrap();
    }

    async fn insert(&mut self, tasks: &[&str], pinned: bool) {
        let insert = |task: &&str| {
            Op::Insert(Box::new(NewTask {
                id: task.parse().unwrap(),
                engine_name: self.instance.engine_name.clone(),
                request: work("x").project("p"),
                created_at: self.rig.clock.now(),
                pinned_to: pinned.then(|| self.instance.id.clone()),
                daemon_id: None,
            }))
        };
        self.commit(tasks.iter().map(insert).collect()).await;
    }

    async fn claim(&mut self) {
        let claim = Claim {
            engine_name: self.instance.engine_name.clone(),
            scope: ClaimScope::Shared,
            lanes: vec![Lane::new("work", 100)],
            limit: 100,
            now: self.rig.clock.now(),
        };
        self.commit(vec![Op::Claim(claim)]).await;
    }

    async fn cancel(&mut self, task: &str) {
        let cancel = Cancel { task: task.parse().unwrap(), at: self.rig.clock.now() };
        self.commit(vec![Op::Cancel(cancel)]).await;
    }

    /// Leaves `tasks` running under an instance of `engine` that has died.
    pub(crate) async fn leave(rig: &'a Rig, engine: &str, tasks: &[&str], cancelled: &[&str]) {
        let mut gone = Self::join(rig, engine).await;
        gone.insert(tasks, false).await;
        gone.claim().await;
        for task in cancelled {
            gone.cancel(task).await;
        }
    }
}

#[tokio::test]
async fn tasks_of_a_dead_process_end_as_crashed_with_end_time_error_and_log() {
    let rig = Rig::new();
    Gone::leave(&rig, "test", &["a", "b"], &[]).await;
    let (engine, mut script) = rig.scripted().await;
    for id in ["a", "b"] {
        let task = engine.get(id).await.unwrap();
        assert_eq!(task.status, TaskStatus::FailedCrash);
        assert_eq!(task.failure, Some(FailureCode::Crashed));
        assert!(task.completed_at.is_some() && task.instance.is_none());
        assert!(task.error.unwrap().contains("died"));
    }
    let logged = rig.logger.records();
    let crashed = logged.iter().filter(|record| record.message == "task crashed");
    let crashed: Vec<_> = crashed.collect();
    assert_eq!(crashed.len(), 2);
    assert_eq!(crashed[0].level, Level::Error);
    assert_eq!(crashed[0].text("error_code").as_deref(), Some("crashed"));
    assert_eq!(crashed[0].text("project_id").as_deref(), Some("p"));
    assert_eq!(engine.recover_crashed().await.unwrap(), 0);
    assert!(script.started().is_none());
}

#[tokio::test]
async fn recovery_of_a_running_engine_tells_of_each_task_and_counts_them() {
    let rig = Rig::new();
    let (engine, _script) = rig.scripted().await;
    Gone::leave(&rig, "test", &["a", "b", "c"], &[]).await;
    let mut stream = engine.events().stream();
    assert_eq!(engine.recover_crashed().await.unwrap(), 3);
    for _ in 0..3 {
        let events = until(&mut stream, EventType::FailedCrash).await;
        assert_eq!(kinds(&events), [EventType::FailedCrash]);
        assert_eq!(events[0].reason, Some("crashed"));
    }
}

#[tokio::test]
async fn tasks_of_the_living_are_not_touched_whatever_their_name() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let submitted = engine.submit(work("mine")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let (second, _second) = rig.scripted().await;
    assert_eq!(second.recover_crashed().await.unwrap(), 0);
    assert_eq!(engine.recover_crashed().await.unwrap(), 0);
    attempt.finish(Ok("unharmed".into()));
    assert_eq!(end_of(&engine, submitted.id).await.result, "unharmed");
}

#[tokio::test]
async fn tasks_of_another_engine_name_are_left_to_it() {
    let rig = Rig::new();
    Gone::leave(&rig, "other", &["theirs"], &[]).await;
    let (engine, _script) = rig.scripted().await;
    assert_eq!(engine.get("theirs").await.unwrap().status, TaskStatus::Running);
    let (worker, _s) = scripted();
    let other =
        rig.named("other", rig.store.reopen()).worker("work", worker).start().await.unwrap();
    assert_eq!(other.get("theirs").await.unwrap().status, TaskStatus::FailedCrash);
}

#[tokio::test]
async fn a_recorded_cancel_is_honoured_by_recovery() {
    let rig = Rig::new();
    Gone::leave(&rig, "test", &["a", "b"], &["b"]).await;
    let (engine, _script) = rig.scripted().await;
    assert_eq!(engine.get("a").await.unwrap().status, TaskStatus::FailedCrash);
    assert_eq!(engine.get("b").await.unwrap().status, TaskStatus::Cancelled);
}

#[tokio::test]
async fn a_type_that_may_be_run_again_is_and_the_crash_is_counted() {
    let rig = Rig::new();
    Gone::leave(&rig, "test", &["a"], &[]).await;
    let (worker, mut script) = scripted();
    let worker = worker.with_crash_policy(CrashPolicy::Rerun);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    let attempt = soon_enough(script.next()).await;
    assert_eq!((attempt.task.attempt, attempt.task.crashes, attempt.task.retries), (2, 1, 0));
    attempt.finish(Ok("after all".into()));
    assert_eq!(end_of(&engine, "a").await.result, "after all");
}

#[tokio::test]
async fn what_the_dead_left_running_is_ended_before_its_task_is_closed() {
    let rig = Rig::new();
    Gone::leave(&rig, "test", &["a", "b"], &[]).await;
    let (worker, _script) = scripted();
    let (worker, counts) = CountingWorker::new(worker);
    let engine = rig.builder().worker("work", worker).start().await.unwrap();
    assert_eq!((counts.reaped(), counts.started()), (2, 0));
    engine.close().await.unwrap();
}

#[tokio::test]
async fn leftovers_of_types_without_worker_go_to_the_reaper() {
    struct Notes(std::sync::Arc<std::sync::Mutex<Vec<String>>>);
    #[async_trait::async_trait]
    impl loom_core::Reaper for Notes {
        async fn reap(&self, task: &loom_core::Task) -> Result<(), WorkerError> {
            self.0.lock().unwrap().push(task.id.to_string());
            Err(WorkerError::permanent("it would not die"))
        }
    }
    let rig = Rig::new();
    Gone::leave(&rig, "test", &["a"], &[]).await;
    let notes = std::sync::Arc::default();
    let reaper = Notes(std::sync::Arc::clone(&notes));
    let engine = rig.builder().reaper(reaper).start().await.unwrap();
    assert_eq!(*notes.lock().unwrap(), ["a"]);
    assert_eq!(engine.get("a").await.unwrap().status, TaskStatus::FailedCrash);
    let logged = rig.logger.records();
    assert!(
        logged.iter().any(|record| record.text("error").as_deref() == Some("it would not die"))
    );
}

#[tokio::test]
async fn a_task_that_only_the_dead_might_have_run_ends_as_crashed() {
    let rig = Rig::new();
    let mut gone = Gone::join(&rig, "test").await;
    gone.insert(&["runs"], true).await;
    gone.claim().await;
    gone.insert(&["waits"], true).await;
    gone.insert(&["for-anybody"], false).await;
    drop(gone);
    let (engine, mut script) = rig.scripted().await;
    for id in ["runs", "waits"] {
        assert_eq!(engine.get(id).await.unwrap().status, TaskStatus::FailedCrash, "{id}");
    }
    soon_enough(script.next()).await.finish(Ok("done".into()));
    assert_eq!(end_of(&engine, "for-anybody").await.status, TaskStatus::Completed);
}
