//! Taking care of what dead instances left in their hands.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join;
use futures_util::stream::FuturesUnordered;
use loom_core::limits::{PAGE_MAX, UNCOUNTED_MAX};
use loom_core::{
    Applied, CrashPolicy, Dead, Ended, FailureCode, Result, Task, TaskStatus, Transition,
};

use crate::context::Context;
use crate::panics::{caught, caught_in};
use crate::registry::Registered;

/// Ends or re-runs the tasks of dead instances of this engine's name. Returns how many ended as
/// failed_crash.
///
/// Nobody else takes care of the same instance meanwhile, and if this process dies on the way,
/// the next one goes on.
pub(crate) async fn recover(cx: &Arc<Context>) -> Result<u64> {
    let mut crashed = 0;
    // Not within the loop's head: the membership would be held for as long as the loop lasts.
    let found = cx.membership().await?.dead().await?;
    for dead in found {
        crashed += recover_from(cx, &dead).await?;
        cx.membership().await?.bury(dead).await?;
    }
    Ok(crashed)
}

async fn recover_from(cx: &Arc<Context>, dead: &Dead) -> Result<u64> {
    let mut crashed = 0;
    let mut ends = FuturesUnordered::new();
    let mut after = None;
    loop {
        // The next tasks are read while those before them are ended, of which a page may still wait
        // when they join it: neither the readers nor the writer wait for each other.
        let reading = cx.store.left_by(&dead.instance.id, after);
        let (ended, page) = join(settle(&mut ends, PAGE_MAX as usize), reading).await;
        crashed += ended?;
        let page = page?;
        for unreadable in &page.unreadable {
            cx.writer.apply(None, Transition::unreadable(unreadable, cx.now())).await?;
        }
        ends.extend(page.tasks.into_iter().map(|task| end(cx, dead, task)));
        after = page.next;
        if after.is_none() {
            return Ok(crashed + settle(&mut ends, 0).await?);
        }
    }
}

/// Waits until at most so many of `ends` are left. Returns how many of the others ended as
/// failed_crash.
async fn settle(
    ends: &mut FuturesUnordered<impl Future<Output = Result<bool>>>,
    left_max: usize,
) -> Result<u64> {
    let mut crashed = 0;
    while ends.len() > left_max
        && let Some(ended) = ends.next().await
    {
        crashed += u64::from(ended?);
    }
    Ok(crashed)
}

/// Ends what is left of one task, then the task. Says whether it ended as failed_crash.
async fn end(cx: &Arc<Context>, dead: &Dead, task: Task) -> Result<bool> {
    let registered = cx.registry.get(&task.worker_type);
    if task.status.is_owned()
        && let Err(error) = reap(cx, registered.as_deref(), &task).await
    {
        let error = cx.redactor(&task).redact(&error).into_owned();
        cx.recorder.not_reaped(&task, &error);
    }
    // A worker that cannot say has not asked for a repetition.
    let policy = registered.and_then(|registered| caught(|| registered.crash_policy()).ok());
    let policy = policy.unwrap_or(CrashPolicy::Fail);
    let task = Arc::new(task);
    let transition = close(cx, dead, &task, policy);
    let receipt = cx.writer.apply(Some(task), transition).await?;
    Ok(matches!(receipt.applied, Applied::Changed { to: TaskStatus::FailedCrash, .. }))
}

/// Ends what a dead process left running. Says why that could not be done.
async fn reap(cx: &Context, registered: Option<&Registered>, task: &Task) -> Result<(), String> {
    let reaped = caught_in(async {
        match (registered, &cx.reaper) {
            (Some(registered), _) => registered.worker.reap(task).await,
            (None, Some(reaper)) => reaper.reap(task).await,
            (None, None) => Ok(()),
        }
    });
    match reaped.await {
        Ok(reaped) => reaped.map_err(|error| error.message().to_owned()),
        Err(panic) => Err(format!("it panicked: {panic}")),
    }
}

fn close(cx: &Context, dead: &Dead, task: &Task, policy: CrashPolicy) -> Transition {
    let instance = &dead.instance;
    let ended = Ended {
        error: Some(format!("the process that had the task in hand died (pid {})", instance.pid)),
        failure: Some(FailureCode::Crashed),
        ..Ended::default()
    };
    let may_rerun = policy == CrashPolicy::Rerun && task.crashes < UNCOUNTED_MAX;
    match task.status {
        status if status.is_waiting() => Transition::abandon(task, cx.now(), ended),
        TaskStatus::Running if may_rerun => Transition::rerun(task, cx.now(), ended),
        _ => Transition::crash(task, cx.now(), ended),
    }
}
