//! Following a command to its end.

use std::io;
use std::time::Duration;

use tokio::select;
use tokio::sync::watch;

use crate::child::{Child, has_exited};
use crate::leader::Leader;
use crate::os::Supervised;
use crate::runner::{Exit, Run};
use crate::sweep::{Mark, Sweep};
use crate::tree::Tree;

/// How long a supervisor may take to tell of the end when the grace is over. Longer than it tries to
/// kill what cannot be killed.
const REPORT_WAIT: Duration = Duration::from_secs(15);

/// Follows a child of this process, and ends what it has started. Tells when nothing is left.
pub(crate) async fn child(
    (mut leader, mut child): (Leader, Child),
    run: &Run<'_>,
    tell: &watch::Sender<bool>,
) -> io::Result<Exit> {
    let stopped = exited_or_told(&mut child, run).await;
    leader.tree().end(run.grace, run.time).await;
    tell.send_replace(true);
    // Reaped last: until then its id cannot pass to a stranger.
    let exit = child.reap(run.time).await;
    leader.is_reaped();
    exit.map(|exit| exit.stopped(stopped))
}

/// Whether the attempt was told to stop before the leader exited.
async fn exited_or_told(leader: &mut Child, run: &Run<'_>) -> bool {
    select! {
        biased;
        () = leader.exited(run.time) => false,
        // The leader may have exited before that, and the news be on its way.
        () = run.cx.cancellation().cancelled() => !has_exited(leader.pid()),
    }
}

/// Follows a command whose supervisor ends what it has started, and tells when nothing is left. If
/// the supervisor is lost, all is ended that carries `mark`.
pub(crate) async fn supervised(
    mut held: Supervised,
    mark: Mark,
    run: &Run<'_>,
    tell: &watch::Sender<bool>,
) -> io::Result<Exit> {
    let cancellation = run.cx.cancellation();
    let by_itself = select! {
        biased;
        exit = held.ended() => Some(exit),
        () = cancellation.cancelled() => None,
    };
    let exit = match by_itself {
        Some(exit) => exit,
        None => end(&mut held, run).await,
    };
    if exit.is_err() {
        Tree::Sweep(Sweep::orphaned(mark)).end(run.grace, run.time).await;
    }
    tell.send_replace(true);
    // Others, too, can have told the supervisor.
    exit.map(|exit| exit.stopped(exit.stopped && cancellation.is_cancelled()))
}

async fn end(held: &mut Supervised, run: &Run<'_>) -> io::Result<Exit> {
    held.end(run.grace);
    let in_vain = run.time.sleep(run.grace.saturating_add(REPORT_WAIT));
    select! {
        biased;
        exit = held.ended() => exit,
        () = in_vain => {
            held.abandon();
            Err(io::Error::other("the supervisor of the command does not answer"))
        }
    }
}
