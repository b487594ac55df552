//! A store that breaks one guarantee: the suite can fail, and fails where it should.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use loom_core::{
    Applied, Attempt, Batch, Capability, Committed, Cursor, Dead, Held, Instance, Membership, Op,
    Page, StatusCounts, StoreError, Task, TaskId, TaskQuery, TaskStatus, TaskStore, WorkerType,
};
use loom_testkit::{MemoryStore, StoreFactory};

/// What a store does wrong: each part spoils one thing on its way.
#[derive(Clone, Copy)]
struct Flaw {
    batch: fn(&mut Batch),
    answer: fn(&mut Committed),
    query: fn(&mut TaskQuery),
    page: fn(&mut Page),
    tasks: fn(&mut Vec<Task>),
    attempts: fn(&mut Vec<Attempt>),
    ignores_epochs: bool,
    lets_go_of_the_dead: bool,
    takes_strangers: bool,
}

const SOUND: Flaw = Flaw {
    batch: |_| {},
    answer: |_| {},
    query: |_| {},
    page: |_| {},
    tasks: |_| {},
    attempts: |_| {},
    ignores_epochs: false,
    lets_go_of_the_dead: false,
    takes_strangers: false,
};

struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
}

impl Flawed {
    async fn with_present_epochs(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for op in &mut batch.ops {
            if let Op::Apply(transition) = op
                && let Some(task) =
                    self.inner.get(std::slice::from_ref(&transition.task)).await?.pop()
            {
                transition.epoch = task.epoch;
            }
        }
        Ok(())
    }

    /// Does the inserts of a batch that is about to be refused.
    async fn welcome(&self, batch: &Batch) -> Result<(), StoreError> {
        let is_insert = |op: &&Op| matches!(op, Op::Insert(_));
        let instance = Instance::new(batch.instance.clone(), "default", Default::default());
        let _member = self.inner.join(&instance).await?;
        let ops = batch.ops.iter().filter(is_insert).cloned().collect();
        let batch = Batch { ops, ..batch.clone() };
        self.inner.commit(&batch).await.map(|_| ())
    }
}

#[async_trait]
impl TaskStore for Flawed {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.inner.prepare().await
    }

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    async fn join(&self, instance: &Instance) -> Result<Box<dyn Membership>, StoreError> {
        let inner = self.inner.join(instance).await?;
        if self.flaw.lets_go_of_the_dead {
            return Ok(Box::new(Careless(inner)));
        }
        Ok(inner)
    }

    async fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let mut batch = batch.clone();
        (self.flaw.batch)(&mut batch);
        if self.flaw.ignores_epochs {
            self.with_present_epochs(&mut batch).await?;
        }
        let result = self.inner.commit(&batch).await;
        if self.flaw.takes_strangers && matches!(result, Err(StoreError::NotJoined(_))) {
            self.welcome(&batch).await?;
        }
        let mut committed = result?;
        (self.flaw.answer)(&mut committed);
        Ok(committed)
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Task>, StoreError> {
        let mut tasks = self.inner.get(ids).await?;
        (self.flaw.tasks)(&mut tasks);
        Ok(tasks)
    }

    async fn list(&self, query: &TaskQuery) -> Result<Page, StoreError> {
        let mut query = query.clone();
        (self.flaw.query)(&mut query);
        let mut page = self.inner.list(&query).await?;
        (self.flaw.page)(&mut page);
        Ok(page)
    }

    async fn count(&self, query: &TaskQuery) -> Result<StatusCounts, StoreError> {
        self.inner.count(query).await
    }

    async fn attempts(&self, task: &TaskId) -> Result<Vec<Attempt>, StoreError> {
        let mut attempts = self.inner.attempts(task).await?;
        (self.flaw.attempts)(&mut attempts);
        Ok(attempts)
    }

    async fn holds(&self) -> Result<Vec<Held>, StoreError> {
        self.inner.holds().await
    }

    async fn changed(&self) -> Result<(), StoreError> {
        self.inner.changed().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

/// Tells of the dead without keeping others away.
struct Careless(Box<dyn Membership>);

#[async_trait]
impl Membership for Careless {
    async fn announce(&self, worker_types: &[WorkerType]) -> Result<(), StoreError> {
        self.0.announce(worker_types).await
    }

    async fn elsewhere(&self, worker_type: &WorkerType) -> Result<bool, StoreError> {
        self.0.elsewhere(worker_type).await
    }

    async fn dead(&self) -> Result<Vec<Dead>, StoreError> {
        let dead = self.0.dead().await?;
        let let_go = |dead: Dead| Dead::new(dead.instance, ());
        Ok(dead.into_iter().map(let_go).collect())
    }

    async fn bury(&self, dead: Dead) -> Result<(), StoreError> {
        self.0.bury(dead).await
    }

    async fn leave(self: Box<Self>) -> Result<(), StoreError> {
        self.0.leave().await
    }
}

struct Factory(Flaw);

impl Factory {
    fn on(&self, inner: MemoryStore) -> Flawed {
        Flawed { inner, flaw: self.0 }
    }
}

#[async_trait]
impl StoreFactory for Factory {
    type Store = Flawed;

    async fn create(&self) -> Flawed {
        self.on(MemoryStore::new())
    }

    async fn reopen(&self, store: &Flawed) -> Option<Flawed> {
        Some(self.on(store.inner.reopen()))
    }
}

/// Without a flaw the wrapper passes: it is the flaw that makes a case fail.
mod sound {
    use super::{Factory, SOUND};

    loom_testkit::store_conformance!(Factory(SOUND));
}

/// The message with which a case fails.
fn complaint(case: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(case)).err()?;
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
}

macro_rules! fails {
    ($($name:ident: $module:ident :: $case:ident, $flaw:expr, $says:literal;)+) => {
        $(
            #[test]
            fn $name() {
                let flaw: Flaw = $flaw;
                let said = complaint(|| {
                    loom_testkit::conformance::run(async {
                        let harness = loom_testkit::conformance::Harness::new(Factory(flaw)).await;
                        loom_testkit::conformance::$module::$case(&harness).await;
                    });
                });
                let said = said.expect("the case fails");
                assert!(said.contains($says), "the case names what is broken: {said}");
            }
        )+
    };
}

/// Has every batch count as new.
fn forget_numbers(batch: &mut Batch) {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    batch.number = LATEST.fetch_add(1, Ordering::Relaxed) + 1;
}

fn drop_progress(batch: &mut Batch) {
    for op in &mut batch.ops {
        if let Op::Progress(report) = op {
            report.line.clear();
            report.lines = 0;
        }
    }
}

fn cancels_first(batch: &mut Batch) {
    batch.ops.sort_by_key(|op| !matches!(op, Op::Cancel(_)));
}

fn ends_first(batch: &mut Batch) {
    batch.ops.sort_by_key(|op| !matches!(op, Op::Apply(_)));
}

fn call_stale_changed(committed: &mut Committed) {
    for applied in &mut committed.applied {
        if *applied == Applied::Stale {
            let (from, to) = (TaskStatus::Running, TaskStatus::Completed);
            *applied = Applied::Changed { from, to };
        }
    }
}

fn call_duplicates_new(committed: &mut Committed) {
    for applied in &mut committed.applied {
        if let Applied::Duplicate { seq } = *applied {
            *applied = Applied::Inserted { seq };
        }
    }
}

fn on_claims(batch: &mut Batch, spoil: impl Fn(&mut loom_core::Claim)) {
    for op in &mut batch.ops {
        if let Op::Claim(claim) = op {
            spoil(claim);
        }
    }
}

fn on_inserts(batch: &mut Batch, spoil: impl Fn(&mut loom_core::NewTask)) {
    for op in &mut batch.ops {
        if let Op::Insert(new) = op {
            spoil(new);
        }
    }
}

/// Takes releases for holds that are over.
fn forget_releases(batch: &mut Batch) {
    for op in &mut batch.ops {
        if let Op::Hold(hold) = op {
            hold.until = hold.until.or(Some(hold.at));
        }
    }
}

fn round_timeout(new: &mut loom_core::NewTask) {
    let rounded = |timeout: Duration| Duration::from_millis(timeout.as_millis() as u64);
    new.request.timeout = new.request.timeout.map(rounded);
}

fn cut_at_nul(new: &mut loom_core::NewTask) {
    if let Some(end) = new.request.prompt.find('\0') {
        new.request.prompt.truncate(end);
    }
}

fn repeat_last_of_page(query: &mut TaskQuery) {
    query.after = query.after.map(|after| Cursor { seq: after.seq + 1 });
}

fails! {
    a_store_that_ignores_epochs: changes::a_change_of_an_older_claim_is_stale,
        Flaw { ignores_epochs: true, ..SOUND }, "under another epoch is stale";
    a_store_that_lets_late_reports_in: changes::a_change_of_an_older_claim_is_stale,
        Flaw { answer: call_stale_changed, ..SOUND }, "is stale";
    a_store_that_calls_stale_changed:
        changes::what_the_table_does_not_allow_is_stale_and_changes_nothing,
        Flaw { answer: call_stale_changed, ..SOUND }, "is stale";
    a_store_that_loses_progress: changes::progress_is_added_up_and_keeps_the_last_line,
        Flaw { batch: drop_progress, ..SOUND }, "progress is added up";
    a_store_that_loses_inserts: batches::numbers_for_people_grow_and_do_not_repeat,
        Flaw { batch: |batch| batch.ops.truncate(1), ..SOUND }, "every op of a batch has an answer";
    a_store_that_is_not_atomic: batches::a_refused_batch_leaves_nothing,
        Flaw { takes_strangers: true, ..SOUND }, "a refused batch inserts nothing";
    a_store_that_forgets_batch_numbers:
        batches::a_repeated_number_answers_as_before_and_changes_nothing,
        Flaw { batch: forget_numbers, ..SOUND }, "a repeated number answers as before";
    a_store_that_mixes_up_answers: batches::answers_stand_in_the_order_of_their_ops,
        Flaw { answer: |committed| committed.applied.reverse(), ..SOUND }, "in the order of their ops";
    a_store_that_cancels_before_it_ends: cancels::an_end_before_a_cancel_in_one_batch_is_kept,
        Flaw { batch: cancels_first, ..SOUND }, "an end that arrived before a cancel is kept";
    a_store_that_ends_before_it_cancels: cancels::a_cancel_before_an_end_in_one_batch_wins,
        Flaw { batch: ends_first, ..SOUND }, "a cancel that arrived before an end wins";
    a_store_that_keeps_cancels_to_itself: cancels::the_owner_learns_of_cancels_with_its_next_claim,
        Flaw { answer: |committed| committed.cancels.clear(), ..SOUND }, "the owner is told";
    a_store_that_claims_ahead_of_time: claims::what_is_due_later_stays,
        Flaw {
            batch: |batch| on_claims(batch, |claim| {
                claim.now = claim.now.saturating_add(Duration::from_secs(60));
            }),
            ..SOUND
        }, "before its time a task is not taken";
    a_store_that_claims_too_much: claims::a_claim_takes_no_more_than_its_limit,
        Flaw { batch: |batch| on_claims(batch, |claim| claim.limit += 1), ..SOUND }, "up to its limit";
    a_store_that_ignores_pins: claims::a_pinned_task_is_only_for_its_instance,
        Flaw { batch: |batch| on_inserts(batch, |new| new.pinned_to = None), ..SOUND },
        "nobody else takes a pinned task";
    a_store_that_forgets_the_next_due_time: claims::the_next_due_time_is_that_of_the_first_not_due_yet,
        Flaw { answer: |committed| committed.next_due = None, ..SOUND }, "does not hide the next";
    a_store_that_does_not_heed_holds: holds::a_held_account_is_left_out_until_its_end,
        Flaw {
            batch: |batch| on_claims(batch, |claim| {
                claim.lanes.iter_mut().for_each(|lane| lane.accounts = [].into());
            }),
            ..SOUND
        }, "a held account is left out";
    a_store_that_forgets_releases: holds::a_release_ends_the_hold_at_once,
        Flaw { batch: forget_releases, ..SOUND }, "a release leaves nothing held";
    a_store_that_keeps_the_end_of_a_hold_to_itself: holds::the_end_of_a_hold_is_told_as_due,
        Flaw { answer: |committed| committed.next_due = None, ..SOUND }, "falls due";
    a_store_that_calls_what_it_had_imported: imports::an_import_never_overwrites,
        Flaw { answer: call_duplicates_new, ..SOUND }, "a task of the same id is in the way";
    a_store_that_hands_the_dead_to_many: instances::a_dead_instance_is_handed_to_one_at_a_time,
        Flaw { lets_go_of_the_dead: true, ..SOUND }, "while it is held, nobody else is told";
    a_store_that_rounds_timeouts: records::a_timeout_below_a_millisecond_comes_back,
        Flaw { batch: |batch| on_inserts(batch, round_timeout), ..SOUND }, "a timeout is not rounded";
    a_store_that_cuts_at_nul: records::strange_texts_come_back,
        Flaw { batch: |batch| on_inserts(batch, cut_at_nul), ..SOUND }, "a prompt comes back";
    a_store_that_forgets_attempts: attempts::earlier_attempts_stay_readable_in_order,
        Flaw { attempts: |attempts| attempts.truncate(1), ..SOUND }, "attempts are listed in order";
    a_store_whose_pages_overlap: queries::pages_have_no_gaps_and_no_repeats,
        Flaw { query: repeat_last_of_page, ..SOUND }, "pages come to an end";
    a_store_whose_pages_never_end: queries::pages_have_no_gaps_and_no_repeats,
        Flaw {
            page: |page| page.next = page.next.or(page.tasks.last().map(|t| Cursor { seq: t.seq })),
            ..SOUND
        }, "there is no next one";
    a_store_that_sorts_what_is_asked_for: queries::tasks_come_in_the_order_asked_for,
        Flaw { tasks: |tasks| tasks.sort_by_key(|task| task.seq), ..SOUND },
        "tasks come in the order asked for";
    a_store_that_does_not_filter: queries::every_filter_filters,
        Flaw { query: |query| query.project_id = None, ..SOUND }, "leaves what fits: project";
}
