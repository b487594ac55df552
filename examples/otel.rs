//! Metrics and spans go to whatever OpenTelemetry providers the program sets; loom needs no setting
//! of its own. An attempt belongs to the trace that its task was submitted in.
//!
//! Here they are kept in memory, to be looked at. To send them to a collector, add the crate
//! `opentelemetry-otlp` and put its exporters in place of the two below:
//!
//! ```text
//! let spans = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
//! let metrics = opentelemetry_otlp::MetricExporter::builder().with_http().build()?;
//! SdkTracerProvider::builder().with_batch_exporter(spans)
//! SdkMeterProvider::builder().with_periodic_exporter(metrics)
//! ```
//!
//! Prints:
//! ```text
//! loom.tasks.submitted 2
//! loom.tasks.completed 1
//! loom.tasks.failed 1
//! loom.attempt after "request", in the same trace: true
//! ```

use std::error::Error;

use loom::{Task, TaskRequest, worker_fn};
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer};
use opentelemetry::{Context, global};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (spans, metrics) = (InMemorySpanExporter::default(), InMemoryMetricExporter::default());
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
    global::set_tracer_provider(tracers);
    global::set_meter_provider(meters.clone());

    // After the providers are set: an engine asks for them when it starts.
    let engine = loom::open("tasks.db").await?;
    let halve = worker_fn(async |_, task: Task| Ok((task.prompt.parse::<u32>()? / 2).to_string()));
    engine.register("halve", halve)?;

    let request = Context::new().with_span(global::tracer("shop").start("request"));
    let in_trace = engine.submit(TaskRequest::new("halve", "14")).with_context(request.clone());
    let inside = in_trace.await?;
    let outside = engine.submit(TaskRequest::new("halve", "a loaf")).await?;
    engine.wait_all([inside.id, outside.id]).await?;
    engine.close().await?;

    meters.force_flush()?;
    for name in ["loom.tasks.submitted", "loom.tasks.completed", "loom.tasks.failed"] {
        println!("{name} {}", count(&metrics, name)?);
    }
    let request = request.span().span_context().clone();
    let finished = spans.get_finished_spans()?;
    let attempt = finished.iter().find(|span| span.parent_span_id == request.span_id());
    let attempt = attempt.ok_or("the request was not followed")?;
    let same = attempt.span_context.trace_id() == request.trace_id();
    println!("{} after \"request\", in the same trace: {same}", attempt.name);
    Ok(())
}

/// The sum of a counter in the last metrics that were exported.
fn count(metrics: &InMemoryMetricExporter, name: &str) -> Result<u64, Box<dyn Error>> {
    let exported = metrics.get_finished_metrics()?;
    let scopes = exported.last().into_iter().flat_map(|last| last.scope_metrics());
    let mut named = scopes.flat_map(|scope| scope.metrics()).filter(|found| found.name() == name);
    match named.next().map(|metric| metric.data()) {
        Some(AggregatedMetrics::U64(MetricData::Sum(sum))) => {
            Ok(sum.data_points().map(|point| point.value()).sum())
        }
        _ => Err(format!("nothing was counted as {name}").into()),
    }
}
