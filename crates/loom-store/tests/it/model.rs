//! Whatever is asked of it, in whatever order: the store does what the model does.
//!
//! The model is the memory store of the testkit, which applies the functions of `loom-core`. Only the
//! numbers for people may differ: SQLite leaves one out where an insert turns out to be a duplicate.
//! So both are compared by the place that a number has among all that were given.

use loom_core::{
    Applied, Batch, Cancel, Claim, ClaimScope, Committed, Ended, FailureCode, Hold, Imported,
    Instance, InstanceId, Kind, Lane, Membership, Metadata, NewTask, Op, Order, Page,
    ProgressReport, Prune, RetryReason, Task, TaskId, TaskQuery, TaskRequest, TaskStatus,
    TaskStore, Transition,
};
use loom_store::SqliteStore;
use loom_testkit::MemoryStore;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Place, at, id};

/// So few, that ops meet each other.
const TASKS: u8 = 9;
const TYPES: [&str; 2] = ["x", "y\0y"];
const ENGINES: [&str; 2] = ["default", "other"];
/// The accounts of a lane, most often none.
const CHARGED: [&[&str]; 5] = [&[], &[], &["a"], &["a\0a"], &["a", "a\0a"]];

/// One op, before it is known what the task is like that it is about.
#[derive(Clone, Debug)]
enum Draw {
    Insert { name: u8, kind: u8, engine: u8, pin: u8, due: i64, created: i64 },
    Import { name: u8, kind: u8, engine: u8, status: u8, due: i64, created: i64 },
    Progress { name: u8, stale: bool, line: &'static str, lines: u64, at: i64 },
    Change { name: u8, stale: bool, kind: Kind, reason: RetryReason, at: i64, due: i64, end: u8 },
    Cancel { name: u8, at: i64 },
    Prune { engine: u8, before: i64, limit: u32 },
    Hold { account: &'static str, until: Option<i64>, at: i64 },
    Claim { engine: u8, scope: ClaimScope, rooms: Vec<Room>, limit: u32, now: i64 },
}

/// A type, how many of its tasks, and who they are charged to.
type Room = (u8, u32, &'static [&'static str]);

/// Who sends a batch, whether it is sent twice, and its ops.
type Sent = (u8, bool, Vec<Draw>);

/// A moment, out of so few that many are equal.
fn time() -> impl Strategy<Value = i64> {
    0..6_i64
}

fn draw() -> impl Strategy<Value = Draw> {
    let name = 0..TASKS;
    let insert = (name.clone(), 0..4_u8, 0..8_u8, 0..8_u8, time(), time()).prop_map(
        |(name, kind, engine, pin, due, created)| Draw::Insert {
            name,
            kind: u8::from(kind == 0),
            engine: u8::from(engine == 0),
            pin,
            due,
            created,
        },
    );
    let import = (name.clone(), 0..2_u8, 0..2_u8, 0..4_u8, time(), time()).prop_map(
        |(name, kind, engine, status, due, created)| Draw::Import {
            name,
            kind,
            engine,
            status,
            due,
            created,
        },
    );
    let lines = select(vec!["", " ", "line", "o\0ther", "ü"]);
    let counts = select(vec![0, 1, 7, 1 << 40]);
    let progress = (name.clone(), any::<bool>(), lines, counts, time())
        .prop_map(|(name, stale, line, lines, at)| Draw::Progress { name, stale, line, lines, at });
    let kinds = Kind::ALL.into_iter().chain([Kind::Retry; 6]).chain([Kind::Complete; 2]);
    let kinds = select(kinds.collect::<Vec<_>>());
    let reasons = select(RetryReason::ALL.to_vec());
    let change = (name.clone(), 0..8_u8, kinds, reasons, time(), time(), 0..6_u8).prop_map(
        |(name, stale, kind, reason, at, due, end)| Draw::Change {
            name,
            stale: stale == 0,
            kind,
            reason,
            at,
            due,
            end,
        },
    );
    let cancel = (name, time()).prop_map(|(name, at)| Draw::Cancel { name, at });
    let prune = (0..3_u8, time(), 0..3_u32).prop_map(|(engine, before, limit)| Draw::Prune {
        engine,
        before,
        limit,
    });
    let until = prop::option::weighted(0.8, time());
    let hold = (select(vec!["a", "a\0a"]), until, time())
        .prop_map(|(account, until, at)| Draw::Hold { account, until, at });
    prop_oneof![
        6 => insert,
        2 => import,
        2 => progress,
        8 => change,
        2 => cancel,
        2 => prune,
        2 => hold,
    ]
}

/// Most claims are for the tasks that most inserts make, and have room for some of them.
fn claim() -> impl Strategy<Value = Draw> {
    let scope = prop::bool::weighted(0.2);
    let other = prop::option::weighted(0.4, 0..3_u32);
    let most = prop::option::weighted(0.9, 0..4_u32);
    let charged = [select(CHARGED.to_vec()), select(CHARGED.to_vec())];
    (0..8_u8, scope, most, other, charged, 0..5_u32, time()).prop_map(
        |(engine, pinned, most, other, charged, limit, now)| Draw::Claim {
            engine: u8::from(engine == 0),
            scope: if pinned { ClaimScope::Pinned } else { ClaimScope::Shared },
            rooms: most
                .map(|room| (0, room, charged[0]))
                .into_iter()
                .chain(other.map(|room| (1, room, charged[1])))
                .collect(),
            limit,
            now,
        },
    )
}

/// A batch has any number of ops and at most one claim, which stands anywhere.
fn sent() -> impl Strategy<Value = Sent> {
    let ops = prop_oneof![
        4 => prop::collection::vec(draw(), 0..6),
        1 => prop::collection::vec(draw(), 0..14),
    ];
    let claim = prop::option::weighted(0.8, (claim(), any::<prop::sample::Index>()));
    (0..2_u8, prop::bool::weighted(0.1), ops, claim).prop_map(|(by, twice, mut ops, claim)| {
        if let Some((claim, place)) = claim {
            ops.insert(place.index(ops.len() + 1), claim);
        }
        (by, twice, ops)
    })
}

fn ended(end: u8) -> Ended {
    let text = |long: bool| if long { "r\0".repeat(50_000) } else { String::new() };
    let metadata = |key: &str| {
        let mut map = Metadata::new();
        map.insert(key.to_owned(), 7.into());
        map
    };
    Ended {
        result: if end == 5 { text(true) } else { format!("result {end}") },
        error: (end % 2 == 1).then(|| format!("error\0{end}")),
        failure: (end > 2).then_some(FailureCode::Timeout),
        metadata: match end {
            0 => None,
            1 => Some(Metadata::new()),
            _ => Some(metadata("key")),
        },
    }
}

fn origin(status: u8) -> Metadata {
    let mut origin = Metadata::new();
    if status > 1 {
        origin.insert("status\0".to_owned(), status.into());
    }
    origin
}

/// A store, and the numbers that it has given, in order.
struct Side<S> {
    store: S,
    numbers: Vec<i64>,
}

impl<S: TaskStore> Side<S> {
    const fn new(store: S) -> Self {
        Self { store, numbers: Vec::new() }
    }

    /// The place that a number has.
    fn place(&self, number: i64) -> i64 {
        let place = self.numbers.iter().position(|&given| given == number);
        i64::try_from(place.unwrap()).unwrap()
    }

    async fn commit(&mut self, batch: &Batch) -> Committed {
        let mut committed = self.store.commit(batch).await.unwrap();
        for applied in &committed.applied {
            match applied {
                Applied::Inserted { seq } if !self.numbers.contains(seq) => self.numbers.push(*seq),
                _ => {}
            }
        }
        for applied in &mut committed.applied {
            match applied {
                Applied::Inserted { seq } | Applied::Duplicate { seq } => *seq = self.place(*seq),
                Applied::Cancelled(summary) => summary.seq = self.place(summary.seq),
                _ => {}
            }
        }
        for task in &mut committed.claimed {
            task.seq = self.place(task.seq);
        }
        committed
    }

    async fn get(&self, ids: &[TaskId]) -> Vec<Task> {
        let mut tasks = self.store.get(ids).await.unwrap();
        for task in &mut tasks {
            task.seq = self.place(task.seq);
        }
        tasks
    }

    async fn list(&self, query: &TaskQuery) -> Page {
        let mut page = self.store.list(query).await.unwrap();
        for task in &mut page.tasks {
            task.seq = self.place(task.seq);
        }
        if let Some(next) = &mut page.next {
            next.seq = self.place(next.seq);
        }
        page
    }

    /// Questions of every kind; one asks for the task of the third number.
    fn queries(&self, instance: &Instance) -> [TaskQuery; 7] {
        let all = TaskQuery::all;
        [
            all(),
            all().project("project 1").order(Order::OldestFirst).limit(2),
            all().instance(instance.id.clone()),
            all().instance(instance.id.clone()).project("project 0").limit(1),
            all().statuses([TaskStatus::Running, TaskStatus::Cancelled]).engine("default"),
            all().worker_type("y\0y").project("project 0"),
            all().seq(self.numbers.get(2).copied().unwrap_or(0)),
        ]
    }
}

/// Both stores, and two instances that have joined both.
struct Pair {
    model: Side<MemoryStore>,
    store: Side<SqliteStore>,
    instances: Vec<Instance>,
    numbers: Vec<u64>,
    _memberships: Vec<Box<dyn Membership>>,
}

impl Pair {
    async fn new(store: SqliteStore) -> Self {
        let model = MemoryStore::new();
        let (mut instances, mut memberships) = (Vec::new(), Vec::new());
        for name in ["one", "two"] {
            let instance = Instance::new(InstanceId::new(name).unwrap(), "default", at(0));
            memberships.push(model.join(&instance).await.unwrap());
            memberships.push(store.join(&instance).await.unwrap());
            instances.push(instance);
        }
        Self {
            model: Side::new(model),
            store: Side::new(store),
            instances,
            numbers: vec![0, 0],
            _memberships: memberships,
        }
    }

    fn name(name: u8) -> TaskId {
        id(&format!("task-{name}"))
    }

    /// The task as the model has it, or one that is not there.
    async fn task(&self, name: u8) -> Task {
        let found = self.model.store.get(&[Self::name(name)]).await.unwrap().pop();
        found.unwrap_or_else(|| new_task(name, 0, 0, None, 0, 0).into_task(0))
    }

    async fn op(&self, draw: &Draw) -> Op {
        match draw.clone() {
            Draw::Insert { name, kind, engine, pin, due, created } => {
                let pin = self.instances.get(usize::from(pin)).map(|pin| pin.id.clone());
                Op::Insert(Box::new(new_task(name, kind, engine, pin, due, created)))
            }
            Draw::Import { name, kind, engine, status, due, created } => {
                let new = new_task(name, kind, engine, None, 0, created);
                let at = at(due);
                let task = match status {
                    0 => Imported::pending(new),
                    1 => Imported::retrying(new, at).left(ended(engine)),
                    2 => Imported::completed(new, at, ended(kind)),
                    _ => Imported::crashed(new, at, ended(3)),
                };
                Op::Import(Box::new(task.counted(1, kind.into()).origin(origin(status))))
            }
            Draw::Progress { name, stale, line, lines, at: seconds } => {
                let task = self.task(name).await;
                Op::Progress(ProgressReport {
                    epoch: task.epoch + u64::from(stale),
                    task: task.id,
                    line: line.to_owned(),
                    lines,
                    at: at(seconds),
                })
            }
            Draw::Change { name, stale, kind, reason, at: seconds, due, end } => {
                let task = self.task(name).await;
                let mut change = transition(&task, kind, reason, seconds, due, end);
                change.epoch = change.epoch.wrapping_sub(u64::from(stale));
                Op::Apply(Box::new(change))
            }
            Draw::Cancel { name, at: seconds } => {
                Op::Cancel(Cancel { task: Self::name(name), at: at(seconds) })
            }
            Draw::Prune { engine, before, limit } => Op::Prune(Prune {
                engine_name: ENGINES.get(usize::from(engine)).map(|&name| name.to_owned()),
                completed_before: at(before),
                limit,
            }),
            Draw::Hold { account, until, at: seconds } => {
                let until = until.map(at);
                Op::Hold(Hold { account: account.into(), until, at: at(seconds) })
            }
            Draw::Claim { engine, scope, rooms, limit, now } => Op::Claim(Claim {
                engine_name: ENGINES[usize::from(engine)].to_owned(),
                scope,
                lanes: rooms.into_iter().map(lane).collect(),
                limit,
                now: at(now),
            }),
        }
    }

    async fn send(&mut self, (by, twice, draws): &Sent) {
        let by = usize::from(*by);
        let mut ops = Vec::new();
        for draw in draws {
            ops.push(self.op(draw).await);
        }
        self.numbers[by] += 1;
        let batch =
            Batch { instance: self.instances[by].id.clone(), number: self.numbers[by], ops };
        for _ in 0..=u8::from(*twice) {
            let expected = self.model.commit(&batch).await;
            let found = self.store.commit(&batch).await;
            compare(&found, &expected);
        }
        self.compare().await;
    }

    async fn compare(&self) {
        let ids: Vec<TaskId> = (0..TASKS).map(Self::name).collect();
        let (expected, found) = (self.model.get(&ids).await, self.store.get(&ids).await);
        assert_eq!(found.len(), expected.len(), "as many tasks as there should be");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found == expected, "a task as it should be:\n{found:#?}\n{expected:#?}");
        }
        for id in &ids {
            let expected = self.model.store.attempts(id).await.unwrap();
            let found = self.store.store.attempts(id).await.unwrap();
            assert_eq!(found, expected, "attempts at {id}");
        }
        let expected = self.model.store.holds().await.unwrap();
        assert_eq!(self.store.store.holds().await.unwrap(), expected, "holds");
        let [one, _] = self.instances.as_slice() else { return };
        for (of_model, query) in self.model.queries(one).iter().zip(self.store.queries(one)) {
            let expected = self.model.list(of_model).await;
            assert_eq!(self.store.list(&query).await, expected, "{query:?}");
            let expected = self.model.store.count(of_model).await.unwrap();
            assert_eq!(self.store.store.count(&query).await.unwrap(), expected, "{query:?}");
        }
    }
}

fn compare(found: &Committed, expected: &Committed) {
    assert_eq!(found.applied, expected.applied, "answers");
    assert_eq!(found.cancels, expected.cancels, "cancels");
    assert_eq!(found.next_due, expected.next_due, "next due");
    assert_eq!(found.unreadable, expected.unreadable, "unreadable");
    assert_eq!(found.held, expected.held, "held");
    assert_eq!(found.claimed, expected.claimed, "claimed");
}

fn new_task(
    name: u8,
    kind: u8,
    engine: u8,
    pinned_to: Option<InstanceId>,
    due: i64,
    created: i64,
) -> NewTask {
    let request = TaskRequest::new(TYPES[usize::from(kind)], format!("prompt\0{name}"))
        .project(format!("project {}", name % 2))
        .metadata("of", "the request")
        .run_at(at(due));
    NewTask {
        id: Pair::name(name),
        engine_name: ENGINES[usize::from(engine)].to_owned(),
        request,
        created_at: at(created),
        pinned_to,
        daemon_id: None,
    }
}

fn lane((kind, limit, accounts): Room) -> Lane {
    Lane::new(TYPES[usize::from(kind)], limit).charged_to(accounts.iter().copied())
}

fn transition(
    task: &Task,
    kind: Kind,
    reason: RetryReason,
    seconds: i64,
    due: i64,
    end: u8,
) -> Transition {
    let (now, ended) = (at(seconds), ended(end));
    match kind {
        Kind::Dispatch => Transition::dispatch(task, now),
        Kind::Start => Transition::start(task, now),
        Kind::Complete => Transition::complete(task, now, ended),
        Kind::Retry => Transition::retry(task, now, at(due), reason, ended),
        Kind::Fail => Transition::fail(task, now, ended),
        Kind::Crash => Transition::crash(task, now, ended),
        Kind::Abandon => Transition::abandon(task, now, ended),
        Kind::Cancel => Transition::cancel(task, now, ended),
        // There is no such change but by an op of its own; whoever makes one gets nowhere.
        kind => {
            let mut change = Transition::start(task, now);
            change.kind = kind;
            change
        }
    }
}

fn follow(store: SqliteStore, batches: &[Sent]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::new(store).await;
        for batch in batches {
            pair.send(batch).await;
        }
    });
}

/// A failure is to be kept as a test of its own, not as a file of seeds.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn the_store_in_memory_follows_the_model(batches in prop::collection::vec(sent(), 1..40)) {
        follow(SqliteStore::in_memory(), &batches);
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn the_store_in_a_file_follows_the_model(batches in prop::collection::vec(sent(), 1..40)) {
        let place = Place::new();
        follow(place.store(), &batches);
    }
}
