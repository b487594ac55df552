//! An engine whose time, ids and chance are the test's.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{EventType, Task, TaskEvent, TaskRequest, TaskStore};
use loom_deps::{FakeClock, RecordingLogger, Rng, SequentialIds};
use loom_engine::{Engine, EngineBuilder, EventStream};
use loom_testkit::{MemoryStore, Script, scripted, within};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) logger: Arc<RecordingLogger>,
    pub(crate) store: MemoryStore,
    ids: Arc<SequentialIds>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self {
            clock: Arc::new(FakeClock::default()),
            logger: Arc::new(RecordingLogger::new()),
            store: MemoryStore::new(),
            ids: Arc::new(SequentialIds::new()),
        }
    }

    /// An engine called `test` on the rig's place.
    pub(crate) fn builder(&self) -> EngineBuilder {
        self.builder_on(self.store.reopen())
    }

    pub(crate) fn builder_on(&self, store: impl TaskStore) -> EngineBuilder {
        self.named("test", store)
    }

    pub(crate) fn named(&self, name: &str, store: impl TaskStore) -> EngineBuilder {
        Engine::builder(name, store)
            .time(Arc::clone(&self.clock) as Arc<_>, Arc::clone(&self.clock) as Arc<_>)
            .ids(Arc::clone(&self.ids) as Arc<_>)
            .rng(Rng::seeded(7))
            .logger(Arc::clone(&self.logger) as Arc<_>)
    }

    /// A started engine with a scripted worker for the type `work`.
    pub(crate) async fn scripted(&self) -> (Engine, Script) {
        let (worker, script) = scripted();
        (self.builder().worker("work", worker).start().await.unwrap(), script)
    }

    /// Moves the clock to the next moment that anybody waits for.
    pub(crate) fn skip(&self) {
        let next = self.clock.next_wake().unwrap();
        self.clock.set(next);
    }
}

pub(crate) fn work(prompt: &str) -> TaskRequest {
    TaskRequest::new("work", prompt)
}

pub(crate) fn soon_enough<F: Future>(future: F) -> impl Future<Output = F::Output> {
    within(PATIENCE, future)
}

/// Returns when somebody waits for the clock.
pub(crate) async fn sleepers(rig: &Rig) {
    while rig.clock.next_wake().is_none() {
        tokio::task::yield_now().await;
    }
}

/// Lets time pass whenever somebody waits for it, until `future` is done.
pub(crate) fn as_time_passes<F: Future>(rig: &Rig, future: F) -> impl Future<Output = F::Output> {
    soon_enough(loom_testkit::as_time_passes(&rig.clock, future))
}

pub(crate) async fn end_of(engine: &Engine, id: impl AsRef<str>) -> Task {
    soon_enough(engine.wait(id)).await.unwrap()
}

pub(crate) async fn next(stream: &mut EventStream) -> TaskEvent {
    soon_enough(stream.next()).await.unwrap().unwrap()
}

/// Reads events until one of `kind` has come; returns all that were read.
pub(crate) async fn until(stream: &mut EventStream, kind: EventType) -> Vec<TaskEvent> {
    let mut events = Vec::new();
    loop {
        events.push(next(stream).await);
        if events.last().is_some_and(|event| event.kind == kind) {
            return events;
        }
    }
}

pub(crate) fn kinds(events: &[TaskEvent]) -> Vec<EventType> {
    events.iter().map(|event| event.kind).collect()
}
