//! One attempt at a task, top to bottom.

use std::sync::Arc;
use std::time::Duration;

use loom_core::{
    CancelReason, Cancellation, Case, FailureCode, GateDecision, Held, Hold, Outcome, QualityGate,
    Task, TaskContext, Transition, WorkerError, WorkerResult, decide,
};
use loom_deps::Timestamp;

use crate::context::Context;
use crate::output::Printing;
use crate::panics::{caught, caught_in};
use crate::progress::Reports;
use crate::registry::Registered;
use crate::seat::Seat;
use crate::slots::Slot;
use crate::trace;
use crate::writer::Ended;

/// Makes one attempt. The task arrives claimed and started: the commit that claimed it said so.
pub(crate) async fn attempt(
    cx: Arc<Context>,
    task: Arc<Task>,
    held: Arc<[Held]>,
    cancellation: Cancellation,
    slot: Slot,
) {
    let registered = cx.registry.get(&task.worker_type);
    let limit = registered.as_ref().and_then(|registered| registered.max_running());
    let reports = Arc::new(Reports::new(Arc::clone(&cx.clock), cx.redactor(&task)));
    let (shared, told) = (Arc::clone(&task), cancellation.clone());
    let seat = Seat::new(Arc::clone(&cx), shared, told, Arc::clone(&reports), limit, slot);
    let printing = Printing::new(Arc::clone(&cx), Arc::clone(&task), Arc::clone(&reports));
    let printing = Arc::new(printing);
    let made = Made { cx: &cx, task: &task, held, cancellation, reports, printing, seat };
    // Whatever a worker or a gate does, the attempt comes to an end and its slot is freed.
    let end = caught_in(made.to_the_end(registered.as_deref())).await;
    let (transition, hold) = end.unwrap_or_else(|panic| made.crashed(panic));
    // What was printed can be read before anybody learns of the end.
    made.printing.end().await;
    let slot = made.seat.vacate();
    cx.writer.end(Ended { task: Some(task), transition, hold, slot }).await;
}

/// What a worker returned, or what its panic said.
type Returned = Result<Result<WorkerResult, WorkerError>, String>;

/// What follows from an attempt: for its task, and for who is charged.
type End = (Transition, Option<Hold>);

/// An attempt in the making.
struct Made<'a> {
    cx: &'a Context,
    task: &'a Arc<Task>,
    /// The accounts that are held and of which the task may be.
    held: Arc<[Held]>,
    cancellation: Cancellation,
    reports: Arc<Reports>,
    printing: Arc<Printing>,
    seat: Arc<Seat>,
}

impl Made<'_> {
    async fn to_the_end(&self, registered: Option<&Registered>) -> End {
        let (cx, task) = (self.cx, self.task);
        // In a box, for room in here is kept from the start, and by all attempts that run at once.
        let outcome = Box::new(match registered {
            Some(registered) => match self.held(registered) {
                Some(held) => Outcome::Held(held),
                None => trace::spanned(&cx.tracer, task, self.run(registered)).await,
            },
            None => Outcome::Failed(unregistered(task)),
        });
        self.reports.send(cx, task).await;
        self.decided(*outcome, registered)
    }

    fn crashed(&self, panic: String) -> End {
        self.decided(Outcome::Panicked(panic), None)
    }

    fn decided(&self, outcome: Outcome, registered: Option<&Registered>) -> End {
        let Self { cx, task, .. } = self;
        let outcome = outcome.redacted(self.reports.redactor());
        if let Outcome::Judged(_, decision) | Outcome::Limited(_, decision) = &outcome {
            cx.recorder.judged(task, decision);
        }
        let now = cx.now();
        let hold = registered.and_then(|registered| self.hold(registered, &outcome, now));
        let retry = registered.and_then(Registered::retry).unwrap_or(cx.settings.retry);
        (decide(task, outcome, &retry, now, cx.rng.unit()), hold)
    }

    /// Whether the account that the task is charged to is held.
    fn held(&self, registered: &Registered) -> Option<Held> {
        if self.held.is_empty() {
            return None;
        }
        let account = registered.account(self.task)?;
        self.held.iter().find(|held| held.account == account).cloned()
    }

    /// Holds the account that the task is charged to, if the attempt has met a limit of it.
    fn hold(&self, registered: &Registered, outcome: &Outcome, now: Timestamp) -> Option<Hold> {
        let until = outcome.limit_resets_at(now).filter(|until| *until > now)?;
        let account = registered.account(self.task).filter(|_| self.cx.can_hold())?;
        Some(Hold { account, until: Some(until), at: now })
    }

    /// Lets the worker work until it returns, panics, or was told to stop and let its grace pass.
    async fn run(&self, registered: &Registered) -> Outcome {
        let Self { cx, task, cancellation, .. } = self;
        let limits = Limits::new(task, registered, cx.now());
        // What is not to run any more does not begin to.
        if task.over_at().is_some_and(|over| over <= cx.now()) {
            cancellation.cancel(CancelReason::Deadline);
        }
        if let Some(reason) = cancellation.reason() {
            return stopped(&limits, registered, reason, WorkerError::cancelled());
        }
        let result = match self.returned(registered, &limits).await {
            Some(Ok(Ok(result))) => result,
            Some(Ok(Err(error))) => match cancellation.reason() {
                Some(reason) => return stopped(&limits, registered, reason, error),
                None => return judge_failure(cx, task, registered, error),
            },
            Some(Err(panic)) => return Outcome::Panicked(panic),
            None => {
                let reason = cancellation.reason().unwrap_or(CancelReason::Requested);
                return stopped(&limits, registered, reason, WorkerError::cancelled());
            }
        };
        judge(cx, task, registered, result).await
    }

    /// What the worker returns; nothing, if it was told to stop and has let its grace pass.
    async fn returned(&self, registered: &Registered, limits: &Limits<'_>) -> Option<Returned> {
        let context = self.context(limits);
        // Made in here, for a worker may panic before there is a future.
        let work = async { registered.worker.execute(&context, self.task).await };
        tokio::select! {
            biased;
            returned = caught_in(work) => Some(returned),
            () = self.told(limits) => None,
            never = self.reports.pump(self.cx, self.task) => match never {},
        }
    }

    /// Returns when the worker was told to stop and has let its grace pass.
    async fn told(&self, limits: &Limits<'_>) {
        let Self { cx, cancellation, reports, .. } = self;
        tokio::select! {
            biased;
            () = cancellation.cancelled() => {}
            reason = limits.reached(cx, reports) => cancellation.cancel(reason),
        }
        cx.sleep(cx.settings.cancel_grace).await;
    }

    /// What the worker is to know.
    fn context(&self, limits: &Limits<'_>) -> TaskContext {
        let task = self.task;
        TaskContext::new()
            .with_cancellation(self.cancellation.clone())
            .with_attempt(task.attempt)
            .with_deadline(limits.ends_at())
            .with_request_id(task.request_id.as_deref())
            .with_trace_context(trace::current().as_deref().or(task.trace_context.as_deref()))
            .with_progress(Arc::clone(&self.reports) as Arc<_>)
            .with_output(Arc::clone(&self.printing) as Arc<_>)
            .with_waiter(Arc::clone(&self.seat) as Arc<_>)
    }
}

/// How long an attempt may take, by each of the limits that it can have.
struct Limits<'a> {
    task: &'a Task,
    timeout: Option<Duration>,
    times_out_at: Option<Timestamp>,
}

impl<'a> Limits<'a> {
    fn new(task: &'a Task, registered: &Registered, now: Timestamp) -> Self {
        let timeout = task.timeout.or_else(|| registered.timeout());
        Self { task, timeout, times_out_at: timeout.map(|timeout| now.saturating_add(timeout)) }
    }

    /// When the attempt will be told to stop, whatever it does.
    fn ends_at(&self) -> Option<Timestamp> {
        [self.times_out_at, self.task.over_at()].into_iter().flatten().min()
    }

    /// Returns when one of the limits is reached, with the reason to stop.
    async fn reached(&self, cx: &Context, reports: &Reports) -> CancelReason {
        if self.ends_at().is_none() && self.task.idle_timeout.is_none() {
            return std::future::pending().await;
        }
        // In a box, for most attempts have no limit, and need no room to wait for one then.
        Box::pin(self.first_reached(cx, reports)).await
    }

    async fn first_reached(&self, cx: &Context, reports: &Reports) -> CancelReason {
        let idle = async {
            match self.task.idle_timeout {
                Some(limit) => reports.silence(cx, limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = cx.passes(self.task.over_at()) => CancelReason::Deadline,
            () = cx.passes(self.times_out_at) => CancelReason::Timeout,
            () = idle => CancelReason::Idle,
        }
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
    let decision = caught(|| gate(cx, registered).judge(&case));
    // What the worker did is kept: it may have been paid for.
    Outcome::Judged(result, decision.unwrap_or_else(|_| GateDecision::reject("gate_panicked")))
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
    match caught(|| gate(cx, registered).judge_failure(&case)) {
        Ok(Some(decision)) => Outcome::Limited(error, decision),
        // A rule that panics has nothing to say; the failure speaks for itself.
        Ok(None) | Err(_) => Outcome::Failed(error),
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
    limits: &Limits<'_>,
    registered: &Registered,
    reason: CancelReason,
    mut error: WorkerError,
) -> Outcome {
    let output = error.take_output();
    match reason {
        CancelReason::Timeout => Outcome::TimedOut(limits.timeout.unwrap_or_default(), output),
        CancelReason::Idle => Outcome::Idled(limits.task.idle_timeout.unwrap_or_default(), output),
        CancelReason::Deadline => {
            Outcome::TooLate(limits.task.deadline.unwrap_or_default(), output)
        }
        CancelReason::Shutdown => Outcome::Interrupted(registered.crash_policy(), output),
        _ => Outcome::Cancelled(output),
    }
}

fn unregistered(task: &Task) -> WorkerError {
    let message = format!("no worker for {:?} any more", task.worker_type);
    WorkerError::permanent(message).with_code(FailureCode::NoWorker)
}
