//! What tasks print, on the disk and in memory.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loom_core::{
    OutputChunk, OutputError, OutputPage, OutputStore, Printed, Stream, TaskId, TaskStore,
};
use loom_deps::Timestamp;
use loom_store::SqliteStore;
use proptest::prelude::*;

use crate::support::{Place, at, id};

const TASK: &str = "task";
/// Later than anything.
const FAR: Timestamp = Timestamp::from_micros(i64::MAX);

fn out(bytes: &[u8]) -> Printed<'_> {
    Printed { attempt: 1, stream: Stream::Stdout, at: at(1), bytes }
}

fn err(bytes: &[u8]) -> Printed<'_> {
    Printed { stream: Stream::Stderr, ..out(bytes) }
}

/// A place with a store whose tasks may print so much.
async fn place(cap: usize) -> (Place, Arc<dyn OutputStore>) {
    let place = Place::new();
    let output = another(&place, cap).await;
    (place, output)
}

/// The output of one more store at a place, as another process has it.
async fn another(place: &Place, cap: usize) -> Arc<dyn OutputStore> {
    let store = SqliteStore::builder(&place.path).output_max(cap).build();
    store.prepare().await.unwrap();
    store.output().unwrap()
}

async fn print(output: &Arc<dyn OutputStore>, all: &[Printed<'_>]) {
    for printed in all {
        output.append(&id(TASK), *printed).await.unwrap();
    }
    output.flush(&id(TASK)).await.unwrap();
}

async fn all(output: &Arc<dyn OutputStore>) -> OutputPage {
    output.read(&id(TASK), 0, usize::MAX).await.unwrap()
}

fn text(chunks: &[OutputChunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect()
}

/// The directory of the one task that has printed.
fn directory(place: &Place) -> PathBuf {
    let only = |directory: &Path| {
        let mut entries = fs::read_dir(directory).unwrap();
        let only = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none(), "{}", directory.display());
        only
    };
    only(&only(&place.path.with_extension("db.d").join("output")))
}

/// The segments of the one task that has printed, in order.
fn segments(place: &Place) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory(place)).unwrap().map(|entry| entry.unwrap().path());
    let is_tail = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("tail");
    let mut segments: Vec<PathBuf> = entries.filter(|path| !is_tail(path)).collect();
    segments.sort();
    segments
}

#[tokio::test]
async fn both_outputs_come_back_apart_in_order_and_byte_for_byte() {
    let (_place, output) = place(1 << 20).await;
    let printed = [out(b"one\n"), err(b"\xff\0\r"), out(b"two"), out(b" and\n"), err(b"no end")];
    print(&output, &printed).await;
    let page = all(&output).await;
    let seen: Vec<(Stream, &[u8])> =
        page.chunks.iter().map(|chunk| (chunk.stream, &*chunk.bytes)).collect();
    assert_eq!(
        seen.concat_neighbours(),
        [
            (Stream::Stdout, b"one\n".to_vec()),
            (Stream::Stderr, b"\xff\0\r".to_vec()),
            (Stream::Stdout, b"two and\n".to_vec()),
            (Stream::Stderr, b"no end".to_vec()),
        ]
    );
    assert_eq!((page.cut(), page.next), (0, 21));
    assert!(page.chunks.iter().all(|chunk| chunk.attempt == 1 && chunk.at == at(1)));
}

/// What is one chunk and what are two is up to the store.
trait ConcatNeighbours {
    fn concat_neighbours(&self) -> Vec<(Stream, Vec<u8>)>;
}

impl ConcatNeighbours for Vec<(Stream, &[u8])> {
    fn concat_neighbours(&self) -> Vec<(Stream, Vec<u8>)> {
        let mut all: Vec<(Stream, Vec<u8>)> = Vec::new();
        for (stream, bytes) in self {
            match all.last_mut() {
                Some((last, kept)) if last == stream => kept.extend_from_slice(bytes),
                _ => all.push((*stream, bytes.to_vec())),
            }
        }
        all
    }
}

#[tokio::test]
async fn output_is_read_in_parts_from_any_position() {
    let (_place, output) = place(4 << 20).await;
    let bytes: Vec<u8> = (0..900_000_u32).flat_map(|number| number.to_le_bytes()).collect();
    print(&output, &[out(&bytes)]).await;
    for (from, max) in [(0, 1), (0, 100_000), (1, 65_536), (777_777, 1 << 20), (3_599_999, 9)] {
        let page = output.read(&id(TASK), from, max).await.unwrap();
        let seen = text(&page.chunks);
        let start = usize::try_from(from).unwrap();
        assert_eq!(page.chunks[0].position, from);
        assert_eq!(page.next, from + seen.len() as u64);
        assert!(!seen.is_empty() && seen.len() <= max.max(65_536), "{from} {max} {}", seen.len());
        assert!(bytes[start..].starts_with(&seen));
    }
    let end = output.read(&id(TASK), 3_600_000, 100).await.unwrap();
    assert_eq!((end.chunks.len(), end.next), (0, 3_600_000));
}

#[tokio::test]
async fn a_task_that_has_printed_nothing_has_an_empty_page_and_no_files() {
    let (place, output) = place(1 << 20).await;
    assert_eq!(all(&output).await, OutputPage::default());
    output.flush(&id(TASK)).await.unwrap();
    output.remove(&id(TASK)).await.unwrap();
    assert!(!place.path.with_extension("db.d").join("output").exists());
}

#[tokio::test]
async fn a_store_that_is_to_keep_nothing_keeps_nothing() {
    let place = Place::new();
    let store = SqliteStore::builder(&place.path).output_max(0).build();
    assert!(store.output().is_none(), "before it is prepared");
    store.prepare().await.unwrap();
    assert!(store.output().is_none());
}

#[tokio::test]
async fn another_process_reads_what_was_printed() {
    let (place, output) = place(1 << 20).await;
    print(&output, &[out(b"hello")]).await;
    let other = another(&place, 1 << 20).await;
    assert_eq!(text(&all(&other).await.chunks), b"hello");
}

#[tokio::test]
async fn a_reader_is_told_when_there_is_more() {
    let (_place, output) = place(1 << 20).await;
    let task = id(TASK);
    output.append(&task, out(b"one")).await.unwrap();
    output.grown(&task, 0).await;
    assert_eq!(text(&all(&output).await.chunks), b"one");
    let more = async { output.append(&task, out(b"two")).await.unwrap() };
    tokio::join!(output.grown(&task, 3), more);
    assert_eq!(text(&all(&output).await.chunks), b"onetwo");
}

#[tokio::test]
async fn the_next_attempt_goes_on_where_the_one_before_has_ended() {
    let (place, output) = place(1 << 20).await;
    print(&output, &[out(b"first ")]).await;
    print(&output, &[Printed { attempt: 2, ..out(b"second ") }]).await;
    let other = another(&place, 1 << 20).await;
    print(&other, &[Printed { attempt: 3, ..err(b"third") }]).await;
    let page = all(&output).await;
    assert_eq!(text(&page.chunks), b"first second third");
    let attempts: Vec<(u32, u64)> =
        page.chunks.iter().map(|chunk| (chunk.attempt, chunk.position)).collect();
    assert_eq!(attempts, [(1, 0), (2, 6), (3, 13)]);
}

#[tokio::test]
async fn a_torn_end_is_left_out_and_the_next_process_goes_on_behind_it() {
    let (place, output) = place(1 << 20).await;
    print(&output, &[out(b"whole\n"), err(b"torn by a death\n")]).await;
    let segment = segments(&place).pop().unwrap();
    let length = fs::metadata(&segment).unwrap().len();
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(length - 3).unwrap();
    assert_eq!(text(&all(&output).await.chunks), b"whole\n");
    let next = another(&place, 1 << 20).await;
    print(&next, &[Printed { attempt: 2, ..out(b"again\n") }]).await;
    let page = all(&output).await;
    assert_eq!((text(&page.chunks), page.cut()), (b"whole\nagain\n".to_vec(), 0));
    assert_eq!(segments(&place).len(), 2, "what is torn is not written to");
}

#[tokio::test]
async fn a_file_that_a_power_cut_has_filled_with_zeros_ends_where_they_begin() {
    let (place, output) = place(1 << 20).await;
    print(&output, &[out(b"whole\n")]).await;
    let segment = segments(&place).pop().unwrap();
    OpenOptions::new().append(true).open(&segment).unwrap().write_all(&[0; 5000]).unwrap();
    assert_eq!(text(&all(&output).await.chunks), b"whole\n");
}

#[tokio::test]
async fn beyond_the_cap_beginning_and_end_are_kept_and_what_is_missing_is_counted() {
    let cap = 400_000;
    let (place, output) = place(cap).await;
    let lines: Vec<u8> = (0..300_000).flat_map(|n| format!("{n:09}\n").into_bytes()).collect();
    for chunk in lines.chunks(50_000) {
        output.append(&id(TASK), out(chunk)).await.unwrap();
    }
    output.flush(&id(TASK)).await.unwrap();
    for reader in [&output, &another(&place, cap).await] {
        let page = all(reader).await;
        assert_eq!(page.next, lines.len() as u64);
        let kept = text(&page.chunks);
        assert_eq!(kept.len() as u64 + page.cut(), lines.len() as u64);
        assert_eq!(page.chunks.iter().filter(|chunk| chunk.cut > 0).count(), 1);
        let gap = page.chunks.iter().position(|chunk| chunk.cut > 0).unwrap();
        let (head, tail) = page.chunks.split_at(gap);
        assert!(lines.starts_with(&text(head)) && text(head).len() > 100_000);
        assert!(lines.ends_with(&text(tail)) && text(tail).len() > 50_000);
    }
    let files = fs::read_dir(directory(&place)).unwrap();
    let used: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(used <= cap as u64 + 1000, "{used}");
}

#[tokio::test]
async fn beyond_the_cap_the_last_words_of_every_attempt_so_far_go_on() {
    let cap = 100_000;
    let (place, output) = place(cap).await;
    print(&output, &[out(&[b'x'; 300_000]), out(b"first attempt ends\n")]).await;
    let other = another(&place, cap).await;
    print(&other, &[Printed { attempt: 2, ..out(b"second attempt\n") }]).await;
    let page = all(&output).await;
    let kept = text(&page.chunks);
    assert!(kept.ends_with(b"first attempt ends\nsecond attempt\n"));
    assert_eq!((page.chunks.last().unwrap().attempt, page.next), (2, 300_034));
    assert_eq!(kept.len() as u64 + page.cut(), page.next);
}

#[tokio::test]
async fn a_death_beyond_the_cap_leaves_last_words_though_nobody_has_flushed() {
    let (place, output) = place(100_000).await;
    let task = id(TASK);
    output.append(&task, out(&[b'x'; 300_000])).await.unwrap();
    output.append(&task, out(b"last words")).await.unwrap();
    output.grown(&task, 300_009).await;
    let other = another(&place, 100_000).await;
    assert!(text(&all(&other).await.chunks).ends_with(b"last words"));
    // Whichever of the two files is torn, the other one is whole.
    output.append(&task, out(b" and more")).await.unwrap();
    output.flush(&task).await.unwrap();
    let mut tails = ["tail.0", "tail.1"].map(|name| directory(&place).join(name)).into_iter();
    let torn_at =
        |path: &PathBuf| fs::read(path).unwrap().windows(9).position(|bytes| bytes == b" and more");
    let (newer, at) = tails.find_map(|path| torn_at(&path).map(|at| (path, at))).unwrap();
    OpenOptions::new().write(true).open(&newer).unwrap().set_len(at as u64).unwrap();
    let left = text(&all(&other).await.chunks);
    let end = String::from_utf8_lossy(&left[left.len().saturating_sub(40)..]).into_owned();
    assert!(end.ends_with("last words"), "{end:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn output_is_for_its_user_alone_under_any_umask() {
    use std::os::unix::fs::PermissionsExt;

    // For the whole process, which harms no other test: none asks for less than what is asked here.
    rustix::process::umask(rustix::fs::Mode::empty());
    let (place, output) = place(100_000).await;
    print(&output, &[out(&[b'x'; 300_000])]).await;
    let mut left = vec![place.path.with_extension("db.d").join("output")];
    let mut files = 0;
    while let Some(path) = left.pop() {
        let metadata = fs::metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        files += usize::from(metadata.is_file());
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(files >= 2, "segments and the latest output: {files}");
}

#[tokio::test]
async fn no_id_leads_out_of_the_directory() {
    let (place, output) = place(1 << 20).await;
    let ids = ["../../../escaped", "..", "a/b", "UPPER", "upper", "\u{20ac} %2f"].map(id);
    for task in &ids {
        output.append(task, out(task.as_str().as_bytes())).await.unwrap();
        output.flush(task).await.unwrap();
    }
    for task in &ids {
        let page = output.read(task, 0, 1000).await.unwrap();
        assert_eq!(text(&page.chunks), task.as_str().as_bytes());
    }
    let escaped: Vec<String> =
        place.entries().into_iter().filter(|name| !name.starts_with("tasks.db")).collect();
    assert_eq!(escaped, [""; 0]);
    let mut found = output.untouched(FAR, 100).await.unwrap();
    found.sort();
    let mut expected = ids.to_vec();
    expected.sort();
    assert_eq!(found, expected, "and each is found again by its name");
}

#[tokio::test]
async fn what_is_removed_is_gone_with_all_its_files() {
    let (place, output) = place(100_000).await;
    print(&output, &[out(&[b'x'; 300_000])]).await;
    let directory = directory(&place);
    output.remove(&id(TASK)).await.unwrap();
    output.remove(&id(TASK)).await.unwrap();
    assert!(!directory.exists());
    assert_eq!(all(&output).await, OutputPage::default());
}

#[tokio::test]
async fn only_what_has_not_been_touched_since_is_named() {
    let (_place, output) = place(1 << 20).await;
    print(&output, &[out(b"x")]).await;
    assert_eq!(output.untouched(at(0), 100).await.unwrap(), Vec::<TaskId>::new());
    let untouched = output.untouched(FAR, 100).await.unwrap();
    assert_eq!(untouched, [id(TASK)]);
    assert_eq!(output.untouched(FAR, 0).await.unwrap(), []);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_is_told_and_the_rest_goes_on_in_memory() {
    let (place, output) = place(100_000).await;
    let task = id(TASK);
    let blocked = place.path.with_extension("db.d").join("output");
    File::create(&blocked).unwrap();
    let told = [output.append(&task, out(b"lost\n")).await, output.flush(&task).await];
    let is_named = |told| matches!(told, Err(OutputError::Io { task, .. }) if task == id(TASK));
    assert!(told.into_iter().any(is_named));
    fs::remove_file(&blocked).unwrap();
    print(&output, &[out(b"kept\n")]).await;
    assert_eq!(text(&all(&output).await.chunks), b"kept\n");
}

#[tokio::test]
async fn what_could_not_be_written_for_a_while_is_written_at_the_end_as_far_as_it_is_kept() {
    let (place, output) = place(100_000).await;
    let task = id(TASK);
    let blocked = place.path.with_extension("db.d").join("output");
    File::create(&blocked).unwrap();
    // More than may wait: so the first has been tried by then. That it failed is told in between.
    for _ in 0..9 {
        let _ = output.append(&task, out(&[b'y'; 60_000])).await;
    }
    fs::remove_file(&blocked).unwrap();
    let _ = output.append(&task, out(b"end")).await;
    let _ = output.flush(&task).await;
    let page = all(&output).await;
    assert!(text(&page.chunks).ends_with(b"yend"));
    assert_eq!((page.next, page.cut() > 400_000), (540_003, true), "what is lost is counted");
}

#[tokio::test]
async fn in_memory_output_is_kept_as_long_as_its_store() {
    let store = SqliteStore::in_memory();
    store.prepare().await.unwrap();
    let output = store.output().unwrap();
    let lines = vec![b'x'; 3 << 20];
    for chunk in lines.chunks(10_000) {
        output.append(&id(TASK), out(chunk)).await.unwrap();
    }
    output.append(&id(TASK), err(b"end")).await.unwrap();
    output.grown(&id(TASK), 0).await;
    let page = all(&output).await;
    let kept = text(&page.chunks);
    assert!(kept.len() <= 1 << 20 && kept.len() > 900_000, "{}", kept.len());
    assert_eq!(kept.len() as u64 + page.cut(), page.next);
    assert_eq!(page.chunks.last().unwrap().bytes, b"end");
    output.remove(&id(TASK)).await.unwrap();
    assert_eq!(all(&output).await, OutputPage::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_kept_is_what_was_printed_wherever_it_was_cut(
        sizes in proptest::collection::vec((0usize..9000, any::<bool>(), 1u32..4), 0..40),
        cap in 2000usize..200_000,
        step in 1usize..20_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_place, output) = place(cap).await;
            let mut all: Vec<(u8, Stream)> = Vec::new();
            for (number, (size, is_error, attempt)) in sizes.into_iter().enumerate() {
                let bytes = vec![u8::try_from(number).unwrap(); size];
                let stream = if is_error { Stream::Stderr } else { Stream::Stdout };
                let printed = Printed { attempt, stream, at: at(1), bytes: &bytes };
                output.append(&id(TASK), printed).await.unwrap();
                all.extend(bytes.iter().map(|byte| (*byte, stream)));
                if number % 7 == 6 {
                    output.flush(&id(TASK)).await.unwrap();
                }
            }
            output.flush(&id(TASK)).await.unwrap();
            let (mut position, mut seen) = (0, 0);
            loop {
                let page = output.read(&id(TASK), position, step).await.unwrap();
                if page.chunks.is_empty() {
                    break;
                }
                for chunk in &page.chunks {
                    assert_eq!(chunk.position, position + chunk.cut);
                    let start = usize::try_from(chunk.position).unwrap();
                    let printed = &all[start..start + chunk.bytes.len()];
                    assert!(printed.iter().map(|(byte, _)| byte).eq(&chunk.bytes));
                    assert!(printed.iter().all(|(_, stream)| *stream == chunk.stream));
                    position = chunk.end();
                    seen += chunk.bytes.len();
                }
                assert_eq!(page.next, position);
            }
            assert_eq!(usize::try_from(position).unwrap(), all.len(), "the end is always kept");
            assert!(seen <= cap);
        });
    }
}
