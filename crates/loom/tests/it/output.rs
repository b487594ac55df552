//! Output of commands on disk: followed from another engine, kept over a death, removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use loom::workers::{CommandLine, command_request};
use loom::{
    Engine, Follow, OutputChunk, SqliteStore, Stream, SubprocessBase, TaskStatus, TaskStore,
    Timestamp,
};
use tempfile::TempDir;

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn output(&self) -> PathBuf {
        self.file("tasks.db.d").join("output")
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(self.file("tasks.db"))
    }

    async fn engine(&self) -> Engine {
        let worker = SubprocessBase::new(CommandLine);
        Engine::builder("test", self.store()).worker("command", worker).start().await.unwrap()
    }

    /// Runs a script to its end.
    async fn run(&self, engine: &Engine, script: &str) -> loom::Task {
        let request = command_request("command", ["sh", "-c", script]);
        let request = request.cwd(self.directory.path().to_str().unwrap());
        let task = engine.submit(request).await.unwrap();
        engine.wait(&task.id).await.unwrap()
    }
}

async fn all(mut follow: Follow) -> Vec<OutputChunk> {
    let mut chunks = Vec::new();
    while let Some(chunk) = follow.next().await {
        chunks.push(chunk.unwrap());
    }
    chunks
}

fn of(stream: Stream, chunks: &[OutputChunk]) -> Vec<u8> {
    let of_stream = chunks.iter().filter(|chunk| chunk.stream == stream);
    of_stream.flat_map(|chunk| chunk.bytes.clone()).collect()
}

/// The directories of tasks that have printed.
fn directories(output: &Path) -> Vec<PathBuf> {
    let entries = |path: &Path| {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    entries(output).iter().flat_map(|shard| entries(shard)).collect()
}

#[tokio::test]
async fn a_command_is_followed_by_an_engine_of_another_store_while_it_runs() {
    let place = Place::new();
    let (engine, other) = (place.engine().await, place.store());
    let asking = Engine::builder("test", other).submit_only().start().await.unwrap();
    let script = "echo begun; while ! test -e go; do sleep 0.01; done; echo ended >&2";
    let request = command_request("command", ["sh", "-c", script]);
    let request = request.cwd(place.directory.path().to_str().unwrap());
    let task = asking.submit(request).await.unwrap();
    let mut follow = asking.follow(&task.id).unwrap();
    let first = follow.next().await.unwrap().unwrap();
    assert_eq!((first.stream, first.bytes.as_slice()), (Stream::Stdout, &b"begun\n"[..]));
    assert_eq!(asking.get(&task.id).await.unwrap().status, TaskStatus::Running);
    std::fs::write(place.file("go"), "").unwrap();
    assert_eq!(of(Stream::Stderr, &all(follow).await), b"ended\n");
    asking.close().await.unwrap();
    engine.close().await.unwrap();
}

#[tokio::test]
async fn odd_bytes_bars_and_endless_lines_are_kept_as_they_came() {
    let place = Place::new();
    let engine = place.engine().await;
    let script = r"printf '10 %%\r20 %%\r\377\000'; head -c 300000 /dev/zero; printf 'err' >&2";
    let task = place.run(&engine, script).await;
    let chunks = all(engine.follow(&task.id).unwrap()).await;
    let out = of(Stream::Stdout, &chunks);
    assert!(out.starts_with(b"10 %\r20 %\r\xff\0\0") && out.len() == 300_012);
    assert_eq!(of(Stream::Stderr, &chunks), b"err");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn progress_counts_every_line_however_fast_they_come() {
    let place = Place::new();
    let engine = place.engine().await;
    let task = place.run(&engine, "seq 1 300000; printf last").await;
    assert_eq!((task.progress.lines, task.progress.line.as_str()), (300_001, "last"));
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_place_that_takes_no_output_fails_no_task() {
    let place = Place::new();
    let engine = place.engine().await;
    std::fs::write(place.output(), "in the way").unwrap();
    let task = place.run(&engine, "seq 1 100000").await;
    assert_eq!((task.status, task.result.len()), (TaskStatus::Completed, 588_895));
    std::fs::remove_file(place.output()).unwrap();
    let task = place.run(&engine, "echo again").await;
    assert_eq!(of(Stream::Stdout, &all(engine.follow(&task.id).unwrap()).await), b"again\n");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn removed_tasks_leave_no_files_and_strays_are_swept() {
    let place = Place::new();
    let engine = place.engine().await;
    let removed = place.run(&engine, "echo removed").await;
    let later = removed.completed_at.unwrap().saturating_add(std::time::Duration::from_micros(1));
    let store = place.store();
    store.prepare().await.unwrap();
    let stray = loom::TaskId::new("stray").unwrap();
    let output = store.output().unwrap();
    let printed =
        loom::Printed { attempt: 1, stream: Stream::Stdout, at: later, bytes: b"of nobody" };
    output.append(&stray, printed).await.unwrap();
    output.flush(&stray).await.unwrap();
    assert_eq!(directories(&place.output()).len(), 2);
    assert_eq!(engine.prune(later, 100).await.unwrap(), 1);
    let kept = place.run(&engine, "echo kept").await;
    assert_eq!(engine.prune(later, 100).await.unwrap(), 0);
    // Whatever was printed before now is old enough.
    let now = kept.completed_at.unwrap().saturating_add(std::time::Duration::from_secs(3600));
    assert_eq!(engine.prune(now, 0).await.unwrap(), 0);
    let far = Timestamp::from_micros(i64::MAX);
    assert!(output.untouched(far, 100).await.unwrap().contains(&kept.id));
    assert_eq!(engine.prune(now, 100).await.unwrap(), 1);
    assert_eq!(directories(&place.output()), Vec::<PathBuf>::new());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_store_is_followed_without_an_engine_and_output_is_there_after_its_engine() {
    let place = Place::new();
    let engine = place.engine().await;
    let task = place.run(&engine, "echo here").await;
    engine.close().await.unwrap();
    let store = place.store();
    store.prepare().await.unwrap();
    let follow = Follow::in_store(Arc::new(store), task.id, 0);
    assert_eq!(of(Stream::Stdout, &all(follow).await), b"here\n");
}
