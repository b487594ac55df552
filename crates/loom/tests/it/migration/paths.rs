//! Every Rust path that the table names, used once, so that this compiles only if all exist.
//!
//! Nothing in the closures is ever called.

use std::collections::BTreeSet;

use loom::StoreCalls;
use loom::testing::MemoryStore;

/// A value of whatever type is asked for.
fn any<T>() -> T {
    unreachable!("nothing here is called")
}

fn used<T>(_: T) {}

macro_rules! types {
    ($paths:ident: $($name:ident)+) => {$(
        let _ = |it: &loom::$name| used(it);
        $paths.insert(concat!("loom::", stringify!($name)));
    )+};
}

macro_rules! traits {
    ($paths:ident: $($name:ident)+) => {$(
        let _ = |it: &dyn loom::$name| used(it);
        $paths.insert(concat!("loom::", stringify!($name)));
    )+};
}

macro_rules! fields {
    ($paths:ident: $($of:ident { $($name:ident)+ })+) => {$($(
        let _ = |it: loom::$of| used(it.$name);
        $paths.insert(concat!("loom::", stringify!($of), "::", stringify!($name)));
    )+)+};
}

macro_rules! variants {
    ($paths:ident: $($of:ident { $($name:ident)+ })+) => {$($(
        let _ = |it: &loom::$of| matches!(it, loom::$of::$name { .. });
        $paths.insert(concat!("loom::", stringify!($of), "::", stringify!($name)));
    )+)+};
}

macro_rules! methods {
    ($paths:ident: $($of:ident as $it:ty { $($name:ident ( $($arg:expr),* ))+ })+) => {$($(
        let _ = |it: $it| used(it.$name($($arg),*));
        $paths.insert(concat!("loom::", stringify!($of), "::", stringify!($name)));
    )+)+};
}

macro_rules! makers {
    ($paths:ident: $($of:ident { $($name:ident ( $($arg:expr),* ))+ })+) => {$($(
        let _ = || used(loom::$of::$name($($arg),*));
        $paths.insert(concat!("loom::", stringify!($of), "::", stringify!($name)));
    )+)+};
}

macro_rules! functions {
    ($paths:ident: $($name:ident ( $($arg:expr),* ))+) => {$(
        let _ = || used(loom::$name($($arg),*));
        $paths.insert(concat!("loom::", stringify!($name)));
    )+};
}

macro_rules! constants {
    ($paths:ident: $($of:ident { $($name:ident)+ })+) => {$($(
        let _ = || used(loom::$of::$name);
        $paths.insert(concat!("loom::", stringify!($of), "::", stringify!($name)));
    )+)+};
}

pub(super) fn existing() -> BTreeSet<&'static str> {
    let mut paths = BTreeSet::new();
    named(&mut paths);
    engine(&mut paths);
    tasks(&mut paths);
    values(&mut paths);
    stores(&mut paths);
    paths
}

fn named(paths: &mut BTreeSet<&'static str>) {
    types! { paths:
        Engine EngineBuilder EventType Events FakeClock GateDecision GoDatabase HttpBase Instance
        NoopLogger QualityGate SequentialIds SqliteStore StreamingBase SubprocessBase SystemClock Task
        TaskContext TaskEvent TaskId TaskQuery TaskRequest TaskStatus Thrashing
        UuidIds WorkerError WorkerResult WorkerType
    }
    let _ = |it: &loom::Case<'_>| used(it);
    paths.insert("loom::Case");
    traits! { paths: Clock IdGen Logger TaskStore Timer Worker }
    functions! { paths:
        current_request_id()
        import_go(any(), "")
        open("")
        with_request_id("", async {})
        worker_fn(async |_, task: loom::Task| Ok(task.prompt))
    }
}

fn engine(paths: &mut BTreeSet<&'static str>) {
    makers! { paths: Engine { builder("", MemoryStore::new()) } }
    methods! { paths:
        Engine as loom::Engine {
            attempts("") cancel("") cancel_all_for_project("") cancel_and_wait("")
            cancel_matching(any()) close() close_within(any()) count(any()) count_all(any())
            events() get("") instance() list(any()) list_all(any()) recover_crashed()
            register("", any::<loom::SubprocessBase>())
            register_with("", any::<loom::SubprocessBase>(), any())
            replace("", any::<loom::SubprocessBase>())
            shutdown(any()) submit(any()) wait("")
        }
        EngineBuilder as loom::EngineBuilder {
            daemon_id("") ids(any()) logger(any()) max_retries(0) meter(any()) start() time(any(), any())
        }
        Events as loom::Events { stream() subscribe(|_: &loom::TaskEvent| {}) }
        StatusCounts as loom::StatusCounts { total() }
    }
    variants! { paths:
        Error { AlreadyEnded Closed StillRunning }
        EventType {
            Cancelled Completed Created Dispatched Failed FailedCrash Retrying Running
        }
    }
}

fn tasks(paths: &mut BTreeSet<&'static str>) {
    fields! { paths:
        Task {
            cli completed_at created_at cwd daemon_id dispatched_at effort engine_name env error failure id
            metadata model project_id prompt request_id result retries role started_at status
            timeout worker_type
        }
        TaskRequest {
            cli cwd effort env metadata model project_id prompt request_id role timeout
            worker_type
        }
        NewTask { daemon_id }
        TaskEvent { kind project_id request_id status task_id timestamp }
        TaskQuery { project_id statuses }
    }
    variants! { paths:
        TaskStatus { Completed Dispatched Failed FailedCrash Pending Retrying Running }
    }
    methods! { paths:
        TaskStatus as loom::TaskStatus { can_transition_to(any()) is_terminal() }
        TaskContext as loom::TaskContext { request_id() }
    }
    makers! { paths: EnvValue { from_host("") } TaskRequest { new("", "") } }
}

fn values(paths: &mut BTreeSet<&'static str>) {
    fields! { paths:
        GateDecision { accept reason retry retry_after }
        Thrashing { threshold window }
        WorkerResult { content metadata }
    }
    makers! { paths: QualityGate { accept_all() default() } }
    methods! { paths:
        QualityGate as loom::QualityGate { judge(any()) with_rule(loom::EmptyOutput) }
        Worker as &dyn loom::Worker { execute(any(), any()) worker_type() }
    }
    constants! { paths: WorkerType { CLI INVESTIGATOR ORCHESTRATOR THINKER } }
}

fn stores(paths: &mut BTreeSet<&'static str>) {
    types! { paths: Op }
    makers! { paths:
        SqliteStore { builder("") open("") }
        Transition { retry(any(), any(), any(), any(), any()) }
    }
    methods! { paths:
        TaskStore as &dyn loom::TaskStore { get(any()) list(any()) }
        StoreCalls as &MemoryStore { session(any(), any()) }
        StoreSession as &mut loom::StoreSession<'_, MemoryStore> {
            count(any()) count_all(any()) create(any()) get(any()) list("", any())
            list_all(any()) mark_crashed() set_result(any(), "", any())
            update_status(any(), any(), any())
        }
    }
    let _ = |it: &loom::StoreSession<'_, MemoryStore>| used(it);
    paths.insert("loom::StoreSession");
}
