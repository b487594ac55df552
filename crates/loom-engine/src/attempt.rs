//! One attempt at a task, top to bottom.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use loom_core::{
    CancelReason, Cancellation, Case, FailureCode, GateDecision, Outcome, QualityGate, Task,
    TaskContext, WorkerError, WorkerResult, decide,
};
use loom_deps::Timestamp;

use crate::context::Context;
use crate::progress::Reports;
use crate::registry::Registered;
use crate::slots::Slot;
use crate::trace;
use crate::writer::Ended;

/// Makes one attempt. The task arrives claimed and started: the commit that claimed it said so.
pub(crate) async fn attempt(
    cx: Arc<Context>,
    task: Arc<Task>,
    cancellation: Cancellation,
    slot: Slot,
) {
    let redactor = cx.redactor(&task);
    let reports = Arc::new(Reports::new(Arc::clone(&cx.clock), redactor.clone()));
    let registered = cx.registry.get(&task.worker_type);
    let outcome = match &registered {
        Some(registered) => {
            let run = run(&cx, &task, registered, &cancellation, &reports);
            trace::spanned(&cx.tracer, &task, run).await
        }
        None => Outcome::Failed(unregistered(&task)),
    };
    reports.send(&cx, &task).await;
    let retry = registered.and_then(|registered| registered.retry());
    let retry = retry.unwrap_or(cx.settings.retry);
    let outcome = outcome.redacted(&redactor);
    if let Outcome::Judged(_, decision) | Outcome::Limited(_, decision) = &outcome {
        cx.recorder.judged(&task, decision);
    }
    let transition = decide(&task, outcome, &retry, cx.now(), cx.rng.unit());
    cx.writer.end(Ended { task: Some(task), transition, slot }).await;
}

/// Lets the worker work until it returns, panics, or was told to stop and let its grace pass.
async fn run(
    cx: &Context,
    task: &Arc<Task>,
    registered: &Registered,
    cancellation: &Cancellation,
    reports: &Arc<Reports>,
) -> Outcome {
    let limits = Limits::new(task, registered, cx.now());
    // What is not to run any more does not begin to.
    if limits.over_at.is_some_and(|over| over <= cx.now()) {
        cancellation.cancel(CancelReason::Deadline);
    }
    if let Some(reason) = cancellation.reason() {
        return stopped(&limits, registered, reason, WorkerError::cancelled());
    }
    let context = TaskContext::new()
        .with_cancellation(cancellation.clone())
        .with_attempt(task.attempt)
        .with_deadline(limits.ends_at())
        .with_request_id(task.request_id.as_deref())
        .with_trace_context(trace::current().as_deref().or(task.trace_context.as_deref()))
        .with_progress(Arc::clone(reports) as Arc<_>);
    let work =
        async { AssertUnwindSafe(registered.worker.execute(&context, task)).catch_unwind().await };
    tokio::pin!(work);
    let told = async {
        tokio::select! {
            biased;
            () = cancellation.cancelled() => {}
            reason = limits.reached(cx, reports) => cancellation.cancel(reason),
        }
        cx.sleep(cx.settings.cancel_grace).await;
    };
    let returned = tokio::select! {
        biased;
        returned = &mut work => Some(returned),
        () = told => None,
        never = reports.pump(cx, task) => match never {},
    };
    match returned {
        Some(Ok(Ok(result))) => judge(cx, task, registered, result).await,
        Some(Ok(Err(error))) => match cancellation.reason() {
            Some(reason) => stopped(&limits, registered, reason, error),
            None => judge_failure(cx, task, registered, error),
        },
        Some(Err(panic)) => Outcome::Panicked(text_of(panic)),
        None => {
            let reason = cancellation.reason().unwrap_or(CancelReason::Requested);
            stopped(&limits, registered, reason, WorkerError::cancelled())
        }
    }
}

/// How long an attempt may take, by each of the limits that it can have.
struct Limits {
    timeout: Option<Duration>,
    idle: Option<Duration>,
    deadline: Option<Duration>,
    times_out_at: Option<Timestamp>,
    over_at: Option<Timestamp>,
}

impl Limits {
    fn new(task: &Task, registered: &Registered, now: Timestamp) -> Self {
        let timeout = task.timeout.or_else(|| registered.timeout());
        Self {
            timeout,
            idle: task.idle_timeout,
            deadline: task.deadline,
            times_out_at: timeout.map(|timeout| now.saturating_add(timeout)),
            over_at: task.over_at(),
        }
    }

    /// When the attempt will be told to stop, whatever it does.
    fn ends_at(&self) -> Option<Timestamp> {
        [self.times_out_at, self.over_at].into_iter().flatten().min()
    }

    /// Returns when one of the limits is reached, with the reason to stop.
    async fn reached(&self, cx: &Context, reports: &Reports) -> CancelReason {
        let idle = async {
            match self.idle {
                Some(limit) => reports.silence(cx, limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = passes(cx, self.over_at) => CancelReason::Deadline,
            () = passes(cx, self.times_out_at) => CancelReason::Timeout,
            () = idle => CancelReason::Idle,
        }
    }
}

async fn passes(cx: &Context, at: Option<Timestamp>) {
    match at {
        Some(at) => cx.timer.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn judge(
    cx: &Context,
    task: &Task,
    registered: &Registered,
    result: WorkerResult,
) -> Outcome {
    let previous = previous_outputs(cx, task).await;
    let case = Case::new(task, &result.content, &previous).at(cx.now());
    let decision = catch_unwind(AssertUnwindSafe(|| gate(cx, registered).judge(&case)));
    match decision {
        Ok(decision) => Outcome::Judged(result, decision),
        Err(panic) => {
            drop_quietly(panic);
            Outcome::Judged(result, GateDecision::reject("gate_panicked"))
        }
    }
}

/// Looks whether a failure is the word of a provider that a limit is met.
fn judge_failure(
    cx: &Context,
    task: &Task,
    registered: &Registered,
    error: WorkerError,
) -> Outcome {
    let evidence = error.evidence();
    let case = Case::new(task, &evidence, &[]).at(cx.now());
    let decision = catch_unwind(AssertUnwindSafe(|| gate(cx, registered).judge_failure(&case)));
    match decision {
        Ok(Some(decision)) => Outcome::Limited(error, decision),
        Ok(None) => Outcome::Failed(error),
        // A rule that panics has nothing to say; the failure speaks for itself.
        Err(panic) => {
            drop_quietly(panic);
            Outcome::Failed(error)
        }
    }
}

fn gate(cx: &Context, registered: &Registered) -> QualityGate {
    registered.gate().unwrap_or_else(|| cx.settings.gate.clone())
}

/// What earlier attempts produced. The gate judges without it if it cannot be read: a paid result
/// is worth more than a comparison.
async fn previous_outputs(cx: &Context, task: &Task) -> Vec<String> {
    if task.attempt <= 1 {
        return Vec::new();
    }
    let attempts = cx.store.attempts(&task.id).await.unwrap_or_default();
    let earlier = attempts.into_iter().filter(|attempt| attempt.number < task.attempt);
    earlier.map(|attempt| attempt.output).filter(|output| !output.is_empty()).collect()
}

/// An error of an attempt that was told to stop says less than why it was told.
fn stopped(
    limits: &Limits,
    registered: &Registered,
    reason: CancelReason,
    mut error: WorkerError,
) -> Outcome {
    let output = error.take_output();
    match reason {
        CancelReason::Timeout => Outcome::TimedOut(limits.timeout.unwrap_or_default(), output),
        CancelReason::Idle => Outcome::Idled(limits.idle.unwrap_or_default(), output),
        CancelReason::Deadline => Outcome::TooLate(limits.deadline.unwrap_or_default(), output),
        CancelReason::Shutdown => Outcome::Interrupted(registered.crash_policy(), output),
        _ => Outcome::Cancelled(output),
    }
}

fn unregistered(task: &Task) -> WorkerError {
    let message = format!("no worker for {:?} any more", task.worker_type);
    WorkerError::permanent(message).with_code(FailureCode::NoWorker)
}

/// What a panic said.
fn text_of(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    drop_quietly(panic);
    text.unwrap_or_else(|| "of an unknown kind".to_owned())
}

/// The payload of a panic can panic itself when it is dropped.
pub(crate) fn drop_quietly(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        #[expect(clippy::mem_forget, reason = "dropping it has just been shown to panic")]
        std::mem::forget(again);
    }
}
