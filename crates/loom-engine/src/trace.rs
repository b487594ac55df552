//! Traces: where a submission came from, and a span for each attempt.

use futures_util::FutureExt as _;
use loom_core::{Outcome, Task};
use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{
    FutureExt as _, Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue};

/// The span that is active here, as a W3C `traceparent` (Trace Context, section 3.2), if there is one.
pub(crate) fn current() -> Option<String> {
    let context = Context::current();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| {
        let flags = span.trace_flags().to_u8();
        format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
    })
}

/// What a `traceparent` says; nothing, if it is none of version 00.
fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = [version.len(), trace.len(), span.len(), flags.len()];
    if version != "00" || lengths != [2, 32, 16, 2] || parts.next().is_some() {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok()?;
    let span = SpanId::from_hex(span).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// Makes the attempt at `task` within a span of its own, in the trace of its submission.
///
/// No `async fn`: that would keep room for the attempt twice, as an argument and while it runs.
pub(crate) fn spanned<F: Future<Output = Outcome>>(
    tracer: &BoxedTracer,
    task: &Task,
    attempt: F,
) -> impl Future<Output = Outcome> + use<F> {
    let context = begun(tracer, task);
    attempt.with_context(context.clone()).inspect(move |outcome| end(&context, outcome))
}

/// The context of an attempt that begins now.
fn begun(tracer: &BoxedTracer, task: &Task) -> Context {
    let parent = match task.trace_context.as_deref().and_then(parse) {
        Some(parent) => Context::new().with_remote_span_context(parent),
        None => Context::new(),
    };
    let span = tracer
        .span_builder("loom.attempt")
        .with_kind(SpanKind::Consumer)
        .with_attributes([
            KeyValue::new("loom.task.id", task.id.to_string()),
            KeyValue::new("loom.task.worker_type", task.worker_type.to_string()),
            KeyValue::new("loom.task.project_id", task.project_id.clone()),
            KeyValue::new("loom.task.attempt", i64::from(task.attempt)),
        ])
        .start_with_context(tracer, &parent);
    // A span that belongs to no trace says nothing to anybody, so the attempt need not keep it.
    if span.span_context().is_valid() { parent.with_span(span) } else { Context::new() }
}

fn end(context: &Context, outcome: &Outcome) {
    if let Some(failure) = failure(outcome) {
        context.span().set_attribute(KeyValue::new("error.type", failure));
        context.span().set_status(Status::error(failure));
    }
    context.span().end();
}

/// What went wrong, as a word; the text of an error may say too much.
fn failure(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Judged(_, decision) => (!decision.accept).then_some("gate_rejected"),
        Outcome::Failed(error) => Some(error.code().as_str()),
        Outcome::Limited(..) => Some("rate_limited"),
        Outcome::Panicked(_) => Some("panic"),
        Outcome::TimedOut(..) => Some("timeout"),
        Outcome::Idled(..) => Some("idle_timeout"),
        Outcome::TooLate(..) => Some("deadline"),
        Outcome::Cancelled(_) => Some("cancelled"),
        _ => Some("interrupted"),
    }
}
