//! Lines of a worker, and who gets them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use loom_core::{
    Account, CrashPolicy, ErrorKind, ProgressSink, QualityGate, Stream, Task, TaskContext, TaskId,
    TaskRequest, Worker, WorkerError, WorkerResult, WorkerType, worker_fn,
};
use loom_deps::{Level, RecordingLogger};
use loom_testkit::{Signal, scripted, within};
use loom_workers::StreamingBase;

use crate::support::{LONG, Progress, Tee, shell, task, worker};

fn any_task() -> Task {
    task(TaskRequest::new("talk", "say something"))
}

/// A worker that reports nothing and returns this.
fn returning(content: &'static str) -> impl Worker {
    worker_fn(move |_, _| async move { Ok(WorkerResult::new(content).with("words", 3)) })
}

/// What a callback got: the ids of the tasks and the lines.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Vec<(TaskId, String)>>>);

impl Heard {
    fn callback(&self) -> impl Fn(&Task, &str) + Send + Sync + 'static {
        let heard = Arc::clone(&self.0);
        move |task, line| heard.lock().unwrap().push((task.id.clone(), line.to_owned()))
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }
}

fn context(progress: &Arc<Progress>) -> TaskContext {
    TaskContext::new().with_progress(Arc::clone(progress) as Arc<dyn ProgressSink>)
}

#[tokio::test]
async fn lines_of_a_result_are_delivered_in_order_and_the_result_is_unchanged() {
    let heard = Heard::default();
    let worker = StreamingBase::new(returning("one\ntwo\r\nthree")).on_line(heard.callback());
    let result = worker.execute(&TaskContext::new(), &any_task()).await.unwrap();
    assert_eq!(heard.lines(), ["one", "two", "three"]);
    assert_eq!(result.content, "one\ntwo\r\nthree");
    assert_eq!(result.metadata["words"], 3);
}

#[tokio::test]
async fn a_callback_that_panics_misses_no_other_line_and_is_logged() {
    let (heard, logger) = (Heard::default(), Arc::new(RecordingLogger::new()));
    let callback = heard.callback();
    let worker = StreamingBase::new(returning("one\ncanary\nthree")).logger(logger.clone());
    let worker = worker.on_line(move |task, line| {
        assert_ne!(line, "canary", "{line}");
        callback(task, line);
    });
    let (progress, task) = (Arc::new(Progress::default()), any_task());
    let result = worker.execute(&context(&progress), &task).await.unwrap();
    assert_eq!(heard.lines(), ["one", "three"]);
    assert_eq!(progress.lines(), ["one", "canary", "three"]);
    assert_eq!(result.content, "one\ncanary\nthree");
    let records = logger.records();
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!(record.level, Level::Error);
    assert_eq!(record.text("task_id").as_deref(), Some(task.id.as_str()));
    assert_eq!(record.text("worker_type").as_deref(), Some("talk"));
    assert!(!format!("{record:?}").contains("canary"), "output is not logged");
}

#[tokio::test]
async fn of_an_empty_output_nothing_is_delivered() {
    let (heard, progress) = (Heard::default(), Arc::new(Progress::default()));
    let worker = StreamingBase::new(returning("")).on_line(heard.callback());
    let result = worker.execute(&context(&progress), &any_task()).await.unwrap();
    assert_eq!(result.content, "");
    assert!(heard.lines().is_empty() && progress.lines().is_empty());
}

#[tokio::test]
async fn without_a_callback_the_result_passes_through() {
    let worker = StreamingBase::new(returning("one\ntwo"));
    let result = worker.execute(&TaskContext::new(), &any_task()).await.unwrap();
    assert_eq!(result.content, "one\ntwo");
}

#[tokio::test]
async fn each_line_goes_to_the_tasks_progress_in_order() {
    let progress = Arc::new(Progress::default());
    let worker = StreamingBase::new(returning("one\ntwo\nthree\n"));
    worker.execute(&context(&progress), &any_task()).await.unwrap();
    assert_eq!(progress.lines(), ["one", "two", "three"]);
}

#[test]
fn there_is_no_task_without_an_id_to_deliver_lines_of() {
    assert!(TaskId::new("").is_err());
}

#[tokio::test]
async fn a_progress_that_fails_on_a_line_still_gets_the_others_and_is_logged() {
    struct Moody(Progress);

    impl ProgressSink for Moody {
        fn report(&self, line: &str) {
            assert_ne!(line, "two");
            self.0.report(line);
        }
    }

    let (moody, logger) = (Arc::new(Moody(Progress::default())), Arc::new(RecordingLogger::new()));
    let cx = TaskContext::new().with_progress(moody.clone());
    let worker = StreamingBase::new(returning("one\ntwo\nthree")).logger(logger.clone());
    let result = worker.execute(&cx, &any_task()).await.unwrap();
    assert_eq!(moody.0.lines(), ["one", "three"]);
    assert_eq!(result.content, "one\ntwo\nthree");
    assert_eq!(logger.records().len(), 1);
}

#[tokio::test]
async fn callback_and_progress_both_get_every_line_with_its_task() {
    let (heard, progress) = (Heard::default(), Arc::new(Progress::default()));
    let worker = StreamingBase::new(returning("one\n\ntwo")).on_line(heard.callback());
    let task = any_task();
    worker.execute(&context(&progress), &task).await.unwrap();
    assert_eq!(heard.lines(), ["one", "", "two"]);
    assert_eq!(progress.lines(), heard.lines());
    assert!(heard.0.lock().unwrap().iter().all(|(id, _)| *id == task.id));
}

#[tokio::test]
async fn lines_are_delivered_as_they_come_and_only_once() {
    let (inner, mut script) = scripted();
    let (heard, progress) = (Heard::default(), Arc::new(Progress::default()));
    let worker = StreamingBase::new(inner).on_line(heard.callback());
    let cx = context(&progress);
    let attempt = tokio::spawn(async move { worker.execute(&cx, &any_task()).await });
    let handle = within(LONG, script.next()).await;
    handle.cx.progress("one");
    assert_eq!(heard.lines(), ["one"], "while the worker is still at it");
    assert_eq!(progress.lines(), ["one"]);
    handle.cx.progress("two");
    handle.finish(Ok("one\ntwo".into()));
    within(LONG, attempt).await.unwrap().unwrap();
    assert_eq!(heard.lines(), ["one", "two"]);
    assert_eq!(progress.lines(), ["one", "two"]);
}

#[tokio::test]
async fn the_lines_of_a_command_come_while_it_runs() {
    let (heard, first) = (Heard::default(), Signal::new());
    let (callback, came, tee) = (heard.callback(), first.clone(), Tee::new());
    let worker = StreamingBase::new(worker().tee(tee.clone())).on_line(move |task, line| {
        callback(task, line);
        came.raise();
    });
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("go");
    let script = format!("mkfifo '{0}'; echo one; read go < '{0}'; echo $go", fifo.display());
    let attempt =
        tokio::spawn(async move { worker.execute(&TaskContext::new(), &shell(&script)).await });
    within(LONG, first.wait()).await;
    assert_eq!(heard.lines(), ["one"]);
    assert_eq!(tee.line(Stream::Stdout).await, "one");
    // The command opens the fifo to read, and lives until it is written to.
    std::fs::write(&fifo, "two\n").unwrap();
    let result = within(LONG, attempt).await.unwrap().unwrap();
    assert_eq!(heard.lines(), ["one", "two"]);
    assert_eq!(result.content, "one\ntwo\n");
}

#[tokio::test]
async fn the_output_of_a_failed_attempt_is_delivered_and_its_error_is_unchanged() {
    let heard = Heard::default();
    let inner = worker_fn(async |_, _| {
        let error = WorkerError::transient("no more").with_output("one\ntwo".into());
        Err::<WorkerResult, _>(error)
    });
    let worker = StreamingBase::new(inner).on_line(heard.callback());
    let error = worker.execute(&TaskContext::new(), &any_task()).await.unwrap_err();
    assert_eq!(heard.lines(), ["one", "two"]);
    assert_eq!((error.kind(), error.message()), (ErrorKind::Transient, "no more"));
    assert_eq!(error.output().unwrap().content, "one\ntwo");
}

#[tokio::test]
async fn everything_else_is_the_inner_workers() {
    struct Choosy(Signal);

    #[async_trait]
    impl Worker for Choosy {
        async fn execute(&self, cx: &TaskContext, _: &Task) -> Result<WorkerResult, WorkerError> {
            Ok(format!("{} {:?}", cx.attempt(), cx.request_id()).into())
        }

        fn worker_type(&self) -> Option<WorkerType> {
            Some(WorkerType::from("choosy"))
        }

        fn gate(&self) -> Option<QualityGate> {
            Some(QualityGate::accept_all())
        }

        fn crash_policy(&self) -> CrashPolicy {
            CrashPolicy::Rerun
        }

        fn accounts(&self) -> Vec<Account> {
            ["ours", "theirs"].map(Account::from).to_vec()
        }

        fn account(&self, task: &Task) -> Option<Account> {
            Some(task.prompt.as_str().into())
        }

        async fn reap(&self, _task: &Task) -> Result<(), WorkerError> {
            self.0.raise();
            Err(WorkerError::transient("something is left"))
        }
    }

    let reaped = Signal::new();
    let worker = StreamingBase::new(Choosy(reaped.clone()));
    assert_eq!(worker.worker_type().unwrap().as_str(), "choosy");
    assert!(worker.gate().is_some());
    assert_eq!(worker.crash_policy(), CrashPolicy::Rerun);
    assert_eq!(worker.accounts(), ["ours", "theirs"].map(Account::from));
    let task = any_task();
    assert_eq!(worker.account(&task), Some(task.prompt.as_str().into()));
    let error = worker.reap(&task).await.unwrap_err();
    assert_eq!((error.message(), reaped.count()), ("something is left", 1));
    let cx = TaskContext::new().with_attempt(3).with_request_id(Some("r-1"));
    let result = worker.execute(&cx, &any_task()).await.unwrap();
    assert_eq!(result.content, r#"3 Some("r-1")"#);
}
