//! What flows between a command and this process while it runs, and what is left in the pipes then.

use std::os::fd::AsFd;
use std::time::Duration;

use loom_core::TaskContext;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Sender;
use tokio::select;
use tokio::sync::watch;
use tokio::task::yield_now;

use crate::intake::Intake;
use crate::launch::Ends;
use crate::os;
use crate::time::Time;

/// How much is read at once. The size of a pipe on Linux.
const CHUNK_BYTES: usize = 64 << 10;
/// How much is read at once of a command that fills its pipe faster than it is emptied.
const FLOOD_CHUNK_BYTES: usize = 256 << 10;
/// What the pipe of such a command is to hold. The most that anybody may ask for on Linux.
const FLOOD_PIPE_BYTES: usize = 1 << 20;
/// How long a pipe must be silent after the end of the tree before it is given up.
const SILENCE: Duration = Duration::from_millis(250);
/// How long a pipe that is not closed is waited for after the end of the tree.
const DRAIN_WAIT_MAX: Duration = Duration::from_secs(5);
/// How much is read after the end of the tree. The most that a pipe can hold on Linux.
const DRAIN_BYTES_MAX: usize = 1 << 20;
/// How long a command that was told to stop waits for whoever takes its output.
const STOPPED_WAIT_MAX: Duration = Duration::from_secs(1);

/// What flows between a command and this process.
#[derive(Debug)]
pub(crate) struct Pipes(Ends);

impl Pipes {
    pub(crate) const fn of(ends: Ends) -> Self {
        Self(ends)
    }

    /// Writes `input` and takes in both outputs, until both are closed or the tree has `ended` and
    /// nothing more is to be expected.
    ///
    /// Both outputs are read at the same time: a command that fills one of them is not held up
    /// because nobody reads it. The end of the tree does not close the pipes if somebody outside it
    /// holds them, so that their end cannot be waited for.
    pub(crate) async fn flow(
        self,
        input: &[u8],
        stdout: &mut Intake<'_>,
        stderr: &mut Intake<'_>,
        cx: &TaskContext,
        (ended, time): (&watch::Receiver<bool>, &Time),
    ) {
        let flows = async {
            tokio::join!(
                pump(self.0.stdout, stdout, ended.clone(), time),
                pump(self.0.stderr, stderr, ended.clone(), time),
                feed(self.0.stdin, input, ended.clone()),
            )
        };
        select! {
            biased;
            _ = flows => {}
            () = patience(cx, ended.clone(), time) => {}
        }
    }
}

/// Ends when a command that was told to stop has waited long enough for whoever takes its output.
async fn patience(cx: &TaskContext, mut ended: watch::Receiver<bool>, time: &Time) {
    over(&mut ended).await;
    cx.cancellation().cancelled().await;
    time.sleep(STOPPED_WAIT_MAX).await;
}

/// Returns when the tree has ended.
async fn over(ended: &mut watch::Receiver<bool>) {
    // Fails if the one who would tell is gone; then nothing more will come either.
    let _ = ended.wait_for(|ended| *ended).await;
}

async fn pump(
    mut pipe: impl AsyncRead + AsFd + Unpin,
    intake: &mut Intake<'_>,
    mut ended: watch::Receiver<bool>,
    time: &Time,
) {
    let mut buffer = Vec::with_capacity(CHUNK_BYTES);
    while !*ended.borrow() {
        let Some(chunk) = next(&mut pipe, &mut buffer, over(&mut ended)).await else { break };
        intake.take(chunk).await;
        if buffer.len() < buffer.capacity() {
            continue;
        }
        if buffer.capacity() < FLOOD_CHUNK_BYTES {
            // Writer and reader would wake each other for every chunk.
            os::widen(&pipe, FLOOD_PIPE_BYTES);
            buffer = Vec::with_capacity(FLOOD_CHUNK_BYTES);
        }
        // A pipe that is never empty must not keep the attempt from hearing that its time is over.
        yield_now().await;
    }
    drain(pipe, &mut buffer, intake, time).await;
}

/// Takes in what is left in a pipe after the end of the tree. The waits for more are bounded, each
/// and all together; the time that the intake takes is not, so that a slow reader loses nothing.
async fn drain(
    mut pipe: impl AsyncRead + Unpin,
    buffer: &mut Vec<u8>,
    intake: &mut Intake<'_>,
    time: &Time,
) {
    let mut wait = DRAIN_WAIT_MAX;
    let mut bytes = DRAIN_BYTES_MAX;
    while bytes > 0 && !wait.is_zero() {
        let before = time.now();
        let Some(chunk) = next(&mut pipe, buffer, time.sleep(SILENCE.min(wait))).await else {
            return;
        };
        wait = wait.saturating_sub(time.now().since(before));
        bytes = bytes.saturating_sub(chunk.len());
        intake.take(chunk).await;
    }
}

/// The next bytes of a pipe. `None` when it is closed, or `given_up` comes first.
async fn next<'b>(
    pipe: &mut (impl AsyncRead + Unpin),
    buffer: &'b mut Vec<u8>,
    given_up: impl Future<Output = ()>,
) -> Option<&'b [u8]> {
    buffer.clear();
    select! {
        biased;
        // A pipe that cannot be read has nothing more to give.
        _ = pipe.read_buf(buffer) => {}
        () = given_up => {}
    }
    Some(buffer.as_slice()).filter(|chunk| !chunk.is_empty())
}

/// Writes all input and closes the pipe.
async fn feed(pipe: Option<Sender>, input: &[u8], mut ended: watch::Receiver<bool>) {
    let Some(mut pipe) = pipe else { return };
    select! {
        biased;
        // A command need not read its input to the end.
        _ = pipe.write_all(input) => {}
        () = over(&mut ended) => {}
    }
}
