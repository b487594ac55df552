//! What a command reads.

use std::fs;

use loom_core::{CancelReason, Cancellation, ErrorKind, Task, TaskContext, Worker};
use loom_testkit::within;
use loom_workers::{Command, Stdin, SubprocessBase};

use crate::support::{LONG, command, run, shell};

async fn output(command: Command) -> String {
    let worker = SubprocessBase::new(move |_: &Task| Ok(command.clone()));
    let (cx, task) = (TaskContext::new(), shell("true"));
    within(LONG, worker.execute(&cx, &task)).await.unwrap().content
}

#[tokio::test]
async fn by_default_there_is_nothing_to_read() {
    let result = within(LONG, run(&command(&["cat"]))).await.unwrap();
    assert_eq!(result.content, "");
}

#[tokio::test]
async fn a_text_is_read_to_its_end() {
    let text = "line\n".repeat(100_000);
    let read = output(Command::new("cat").stdin(Stdin::text(text.as_str()))).await;
    assert!(read == text, "{} bytes", read.len());
}

#[tokio::test]
async fn a_file_is_read_from_its_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input");
    fs::write(&path, "from a file").unwrap();
    let read = output(Command::new("cat").stdin(Stdin::file(path))).await;
    assert_eq!(read, "from a file");
}

#[tokio::test]
async fn a_command_need_not_read_its_input() {
    let unread = Stdin::text("x".repeat(10 << 20));
    let read = output(Command::new("echo").arg("done").stdin(unread)).await;
    assert_eq!(read, "done\n");
}

#[tokio::test]
async fn a_command_that_waits_for_its_input_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    run(&command(&["mkfifo", path.to_str().unwrap()])).await.unwrap();
    let waiting = Command::new("cat").stdin(Stdin::file(&path));
    let worker = SubprocessBase::new(move |_: &Task| Ok(waiting.clone()));
    let cancellation = Cancellation::new();
    let cx = TaskContext::new().with_cancellation(cancellation.clone());
    let task = shell("true");
    let tell = async { cancellation.cancel(CancelReason::Requested) };
    let run = async { tokio::join!(worker.execute(&cx, &task), tell) };
    let (end, ()) = within(LONG, run).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Cancelled);
    // Lets go of the thread that waits for a writer.
    fs::File::options().write(true).open(path).unwrap();
}
