//! Taking in what a command prints.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use loom_core::limits::RESULT_BYTES_MAX;
use loom_core::{CancelReason, Cancellation, ErrorKind, Stream, Task, TaskContext, Worker};
use loom_testkit::{Signal, within};
use loom_workers::{OutputSink, STDERR_BYTES_MAX, keys};
use rustix::process;

use crate::support::{LONG, Progress, Tee, pid, run, shell, signal, state, until, worker};

#[tokio::test]
async fn a_hundred_megabytes_on_both_outputs_stay_bounded() {
    let script = "echo start; echo start >&2; \
                  head -c 50000000 /dev/zero & head -c 50000000 /dev/zero >&2; wait; \
                  echo end; echo end >&2";
    let result = within(LONG, run(&shell(script))).await.unwrap();
    let said = result.metadata[keys::STDERR].as_str().unwrap();
    for (text, max) in [(result.content.as_str(), RESULT_BYTES_MAX), (said, STDERR_BYTES_MAX)] {
        assert!(text.len() <= max, "{}", text.len());
        assert!(text.len() > max - 100, "{}", text.len());
        assert!(text.starts_with("start\n\0") && text.ends_with("\0end\n"));
        assert!(text.contains("bytes cut"));
    }
    assert_eq!(result.metadata[keys::OUTPUT_TRUNCATED], true);
    assert_eq!(result.metadata[keys::OUTPUT_BYTES], 50_000_010);
}

#[tokio::test]
async fn many_lines_are_all_reported() {
    let progress = Arc::new(Progress::default());
    let cx = TaskContext::new().with_progress(Arc::clone(&progress) as _);
    let task = shell("seq 1 200000");
    let result = within(LONG, worker().execute(&cx, &task)).await.unwrap();
    let lines = progress.lines();
    assert_eq!(lines.len(), 200_000);
    assert!(result.content.lines().eq(lines.iter()));
}

#[tokio::test]
async fn lines_of_both_outputs_are_reported_also_the_last_one_without_an_end() {
    let progress = Arc::new(Progress::default());
    let cx = TaskContext::new().with_progress(Arc::clone(&progress) as _);
    let task = shell(r"printf '10 %%\r20 %%\r\nlast'; printf 'oh\n\377' >&2");
    worker().execute(&cx, &task).await.unwrap();
    let mut lines = progress.lines();
    lines.sort();
    assert_eq!(lines, ["10 %", "20 %", "last", "oh", "\u{fffd}"]);
}

#[tokio::test]
async fn what_is_no_utf8_is_replaced_and_the_rest_kept() {
    let result = run(&shell(r"printf 'a\377b\0c\303'")).await.unwrap();
    assert_eq!(result.content, "a\u{fffd}b\0c\u{fffd}");
}

#[tokio::test]
async fn a_character_that_comes_in_two_pieces_stays_whole() {
    let tee = Tee::new();
    let worker = worker().tee(Arc::clone(&tee) as _);
    let (cx, task) =
        (TaskContext::new(), shell(r"echo $$ >&2; printf 'gr\303'; kill -STOP $$; printf '\274n'"));
    let go_on = async {
        let command = pid(&tee.line(Stream::Stderr).await);
        tee.bytes(Stream::Stdout, 3).await;
        until(|| state(command) == Some('T')).await;
        signal(command, process::Signal::CONT);
    };
    let run = async { tokio::join!(worker.execute(&cx, &task), go_on) };
    let (end, ()) = within(LONG, run).await;
    assert_eq!(end.unwrap().content, "gr\u{fc}n");
}

#[tokio::test]
async fn output_is_handed_on_byte_for_byte_and_apart() {
    let tee = Tee::new();
    let worker = worker().tee(Arc::clone(&tee) as _);
    let task = shell(r"printf '\377\0\r\n'; printf 'err\376' >&2");
    worker.execute(&TaskContext::new(), &task).await.unwrap();
    assert_eq!(tee.of(Stream::Stdout), b"\xff\0\r\n");
    assert_eq!(tee.of(Stream::Stderr), b"err\xfe");
}

#[tokio::test]
async fn output_is_handed_on_while_the_command_runs() {
    let tee = Tee::new();
    let worker = worker().tee(Arc::clone(&tee) as _);
    let (cx, task) = (TaskContext::new(), shell("echo $$; kill -STOP $$"));
    let go_on = async {
        let command = tee.pid().await;
        until(|| state(command) == Some('T')).await;
        signal(command, process::Signal::CONT);
    };
    let run = async { tokio::join!(worker.execute(&cx, &task), go_on) };
    within(LONG, run).await.0.unwrap();
}

/// Fails on standard output, always.
struct Broken(Arc<Tee>);

#[async_trait]
impl OutputSink for Broken {
    async fn write(&self, task: &Task, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self.0.write(task, stream, bytes).await?;
        match stream {
            Stream::Stdout => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_sink_that_fails_gets_no_more_and_the_command_goes_on() {
    let tee = Tee::new();
    let worker = worker().tee(Arc::new(Broken(Arc::clone(&tee))));
    let task = shell("seq 1 100000; seq 1 100000 >&2");
    let (cx, all) = (TaskContext::new(), 588_895);
    let result = within(LONG, worker.execute(&cx, &task)).await.unwrap();
    assert_eq!(result.content.len(), all);
    assert!(tee.of(Stream::Stdout).len() <= 64 << 10, "one chunk at most");
    assert_eq!(tee.of(Stream::Stderr).len(), all, "the other output is not concerned");
}

/// Takes nothing of standard output until it is told.
struct Slow {
    tee: Arc<Tee>,
    go: Signal,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self { tee: Tee::new(), go: Signal::new() })
    }
}

#[async_trait]
impl OutputSink for Slow {
    async fn write(&self, task: &Task, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if stream == Stream::Stdout {
            self.go.wait().await;
        }
        self.tee.write(task, stream, bytes).await
    }
}

#[tokio::test]
async fn a_slow_sink_loses_nothing_and_holds_up_only_its_own_output() {
    let slow = Slow::new();
    let worker = worker().tee(Arc::clone(&slow) as _);
    let (cx, task) = (TaskContext::new(), shell("seq 1 8000; echo $$ >&2"));
    let watch = async {
        let command = pid(&slow.tee.line(Stream::Stderr).await);
        until(|| state(command) == Some('Z') || state(command).is_none()).await;
        slow.go.raise();
    };
    let run = async { tokio::join!(worker.execute(&cx, &task), watch) };
    let result = within(LONG, run).await.0.unwrap();
    let all: String = (1..=8000).map(|number| format!("{number}\n")).collect();
    assert_eq!(result.content, all);
    assert_eq!(slow.tee.of(Stream::Stdout), all.as_bytes());
}

#[tokio::test]
async fn a_sink_that_takes_nothing_does_not_hold_up_the_end() {
    let slow = Slow::new();
    let worker = worker().tee(Arc::clone(&slow) as _);
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let task = shell("echo out; echo err >&2; exec yes");
    let tell = async {
        slow.tee.line(Stream::Stderr).await;
        cancellation.cancel(CancelReason::Requested);
    };
    let run = async { tokio::join!(worker.execute(&cx, &task), tell) };
    let error = within(LONG, run).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.output().unwrap().content.starts_with("out\n"));
}
