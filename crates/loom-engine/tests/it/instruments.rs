//! Metrics and log records.

use std::collections::{BTreeMap, BTreeSet};

use loom_core::{TaskRequest, WorkerError};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

use crate::recovery::Gone;
use crate::rig::{Rig, end_of, sleepers, soon_enough, work};

struct Meters {
    exporter: InMemoryMetricExporter,
    provider: SdkMeterProvider,
}

impl Meters {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        Self { exporter, provider }
    }

    /// The sum of each counter and gauge, and the number of values of each histogram, by name.
    fn read(&self) -> BTreeMap<String, u64> {
        self.provider.force_flush().unwrap();
        let mut read = BTreeMap::new();
        let Some(last) = self.exporter.get_finished_metrics().unwrap().pop() else { return read };
        for metric in last.scope_metrics().flat_map(|scope| scope.metrics()) {
            let value = match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    sum.data_points().map(|point| point.value()).sum()
                }
                AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                    let sum: i64 = sum.data_points().map(|point| point.value()).sum();
                    u64::try_from(sum).unwrap()
                }
                AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                    gauge.data_points().map(|point| point.value()).sum()
                }
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    histogram.data_points().map(|point| point.count()).sum()
                }
                _ => continue,
            };
            read.insert(metric.name().to_owned(), value);
        }
        read
    }

    /// Reads until a gauge has this value.
    async fn until(&self, name: &str, value: Option<u64>) {
        while self.read().get(name).copied() != value {
            tokio::task::yield_now().await;
        }
    }

    /// The names of all attributes, by metric.
    fn attributes(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.provider.force_flush().unwrap();
        let last = self.exporter.get_finished_metrics().unwrap().pop().unwrap();
        let mut found = BTreeMap::<String, BTreeSet<String>>::new();
        for metric in last.scope_metrics().flat_map(|scope| scope.metrics()) {
            let names = found.entry(metric.name().to_owned()).or_default();
            let mut add = |attribute: &KeyValue| {
                names.insert(attribute.key.to_string());
            };
            match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    sum.data_points().flat_map(|point| point.attributes()).for_each(&mut add);
                }
                AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                    sum.data_points().flat_map(|point| point.attributes()).for_each(&mut add);
                }
                AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                    gauge.data_points().flat_map(|point| point.attributes()).for_each(&mut add);
                }
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    let points = histogram.data_points();
                    points.flat_map(|point| point.attributes()).for_each(&mut add);
                }
                _ => {}
            }
        }
        found
    }
}

#[tokio::test]
async fn running_counts_the_attempts_that_have_a_slot() {
    const RUNNING: &str = "loom.tasks.running";
    let rig = Rig::new();
    let meters = Meters::new();
    let (worker, mut script) = loom_testkit::scripted();
    let builder = rig.builder().worker("work", worker).meter(meters.provider.meter("loom"));
    let engine = builder.start().await.unwrap();
    engine.submit(work("parent")).await.unwrap();
    let child = engine.submit(work("child")).await.unwrap();
    let (parent, attempt) = (soon_enough(script.next()).await, soon_enough(script.next()).await);
    assert_eq!(meters.read().get(RUNNING), Some(&2));
    let waiting = tokio::spawn({
        let cx = parent.cx.clone();
        async move { cx.wait(child.id).await }
    });
    soon_enough(meters.until(RUNNING, Some(1))).await;
    attempt.finish(Ok("done".into()));
    soon_enough(waiting).await.unwrap().unwrap();
    soon_enough(meters.until(RUNNING, Some(1))).await;
    parent.finish(Ok("done".into()));
    soon_enough(engine.close()).await.unwrap();
    assert_eq!(meters.read().get(RUNNING), Some(&0));
}

#[tokio::test]
async fn queued_tells_what_waits_in_the_store_whoever_put_it_there() {
    const QUEUED: &str = "loom.tasks.queued";
    let rig = Rig::new();
    let other = rig.builder().submit_only().start().await.unwrap();
    other.submit(work("early")).await.unwrap();
    let meters = Meters::new();
    let engine = rig.builder().meter(meters.provider.meter("loom")).start().await.unwrap();
    soon_enough(meters.until(QUEUED, Some(1))).await;
    engine.submit(work("mine")).await.unwrap();
    let cancelled = other.submit(work("theirs")).await.unwrap();
    assert_eq!(meters.read().get(QUEUED), Some(&1), "it is counted only now and then");
    rig.skip();
    soon_enough(meters.until(QUEUED, Some(3))).await;
    other.cancel(cancelled.id).await.unwrap();
    soon_enough(sleepers(&rig)).await;
    rig.skip();
    soon_enough(meters.until(QUEUED, Some(2))).await;
    soon_enough(engine.close()).await.unwrap();
    soon_enough(meters.until(QUEUED, None)).await;
}

#[tokio::test]
async fn metrics_can_do_without_the_project() {
    for by_project in [true, false] {
        let rig = Rig::new();
        let meters = Meters::new();
        let (worker, mut script) = loom_testkit::scripted();
        let builder = rig.builder().worker("work", worker).meter(meters.provider.meter("loom"));
        let builder = if by_project { builder } else { builder.metrics_project_id(false) };
        let engine = builder.start().await.unwrap();
        let submitted = engine.submit(work("x").project("p")).await.unwrap();
        soon_enough(script.next()).await.finish(Ok("done".into()));
        end_of(&engine, submitted.id).await;
        soon_enough(meters.until("loom.tasks.queued", Some(0))).await;
        let found = meters.attributes();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (metric, attributes) in &found {
            let expected: BTreeSet<String> = match metric.as_str() {
                "loom.tasks.queued" => names(&["engine_name"]),
                "loom.tasks.running" => names(&["worker_type"]),
                _ if by_project => names(&["project_id", "worker_type"]),
                _ => names(&["worker_type"]),
            };
            assert_eq!(*attributes, expected, "{metric}");
        }
        assert_eq!(found.len(), 8, "{found:?}");
    }
}

#[tokio::test]
async fn each_step_of_a_task_is_counted_once() {
    let rig = Rig::new();
    let meters = Meters::new();
    let (worker, mut script) = loom_testkit::scripted();
    let builder = rig.builder().worker("work", worker).meter(meters.provider.meter("loom"));
    let engine = builder.start().await.unwrap();

    let good = engine.submit(work("good")).await.unwrap();
    soon_enough(script.next()).await.finish(Ok("done".into()));
    end_of(&engine, good.id).await;
    let bad = engine.submit(work("bad")).await.unwrap();
    soon_enough(script.next()).await.finish(Err(WorkerError::permanent("no")));
    end_of(&engine, bad.id).await;
    let none = engine.submit(TaskRequest::new("unknown", "x")).await.unwrap();
    end_of(&engine, none.id).await;
    let stopped = engine.submit(work("stopped")).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    engine.cancel(&stopped.id).await.unwrap();
    attempt.finish(Err(WorkerError::cancelled()));
    end_of(&engine, stopped.id).await;
    engine.close().await.unwrap();

    let read = meters.read();
    let expected = [
        ("loom.tasks.submitted", 4),
        ("loom.tasks.completed", 1),
        ("loom.tasks.failed", 2),
        ("loom.tasks.cancelled", 1),
        ("loom.gate.pass", 1),
        ("loom.submit.duration_ms", 4),
        ("loom.task.duration_ms", 3),
        ("loom.task.wait_ms", 3),
    ];
    for (name, value) in expected {
        assert_eq!(read.get(name), Some(&value), "{name} in {read:?}");
    }
    assert!(!read.contains_key("loom.tasks.crashed"));
}

#[tokio::test]
async fn a_crash_that_recovery_finds_is_counted() {
    let rig = Rig::new();
    Gone::leave(&rig, "test", &["a", "b"], &[]).await;
    let meters = Meters::new();
    let engine = rig.builder().meter(meters.provider.meter("loom")).start().await.unwrap();
    engine.close().await.unwrap();
    assert_eq!(meters.read().get("loom.tasks.crashed"), Some(&2));
}

#[tokio::test]
async fn log_records_carry_the_canonical_fields_and_no_content() {
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let request = work("my secret prompt").project("p").request_id("r");
    let submitted = engine.submit(request).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    attempt.finish(Err(WorkerError::permanent("it broke").with_output("the output".into())));
    end_of(&engine, &submitted.id).await;
    let records = rig.logger.records();
    for message in ["task submitted", "task running", "task failed"] {
        let record = records.iter().find(|record| record.message == message).unwrap();
        let text = |field| record.text(field);
        assert_eq!(text("module").as_deref(), Some("loom"));
        assert_eq!(text("task_id").as_deref(), Some(submitted.id.as_str()));
        assert_eq!(text("project_id").as_deref(), Some("p"));
        assert_eq!(text("worker_type").as_deref(), Some("work"));
        assert_eq!(text("request_id").as_deref(), Some("r"));
        assert!(text("task_status").is_some());
    }
    let failed = records.iter().find(|record| record.message == "task failed").unwrap();
    assert_eq!(failed.text("error_code").as_deref(), Some("worker_error"));
    assert_eq!(failed.text("error").as_deref(), Some("it broke"));
    assert!(failed.field("duration_ms").is_some());
    let everything = format!("{records:?}");
    assert!(!everything.contains("secret prompt") && !everything.contains("the output"));
}

#[tokio::test]
async fn each_attempt_is_a_span_in_the_trace_of_its_submission() {
    use opentelemetry::global::BoxedTracer;
    use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};

    let rig = Rig::new();
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let (worker, mut script) = loom_testkit::scripted();
    let tracer = BoxedTracer::new(Box::new(provider.tracer("loom")));
    let engine = rig.builder().worker("work", worker).tracer(tracer).start().await.unwrap();

    let caller = provider.tracer("caller");
    let context = opentelemetry::Context::new().with_span(caller.start("request"));
    let trace = context.span().span_context().trace_id();
    let submitted = engine.submit(work("x")).with_context(context.clone()).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    let handed_on = attempt.cx.trace_context().unwrap().to_owned();
    assert!(handed_on.contains(&trace.to_string()));
    attempt.finish(Err(WorkerError::permanent("no")));
    end_of(&engine, submitted.id).await;

    let spans = exporter.get_finished_spans().unwrap();
    let span = spans.iter().find(|span| span.name == "loom.attempt").unwrap();
    assert_eq!(span.span_context.trace_id(), trace);
    assert_eq!(span.parent_span_id, context.span().span_context().span_id());
    assert!(handed_on.contains(&span.span_context.span_id().to_string()));
    let error = span.attributes.iter().find(|attribute| attribute.key.as_str() == "error.type");
    assert_eq!(error.unwrap().value.as_str(), "worker_error");
}

#[tokio::test]
async fn secrets_reach_neither_errors_nor_progress_nor_events_nor_logs() {
    const CANARY: &str = "correct-horse-battery-staple";
    const KEY: &str = "sk-ant-api03-Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg-AA";
    let rig = Rig::new();
    let (engine, mut script) = rig.scripted().await;
    let mut stream = engine.events().stream();
    let request = work("x").env("DEPLOY_TOKEN", CANARY);
    let submitted = engine.submit(request).await.unwrap();
    let attempt = soon_enough(script.next()).await;
    attempt.cx.progress(&format!("using {CANARY} and {KEY}"));
    engine.append_progress(&submitted.id, &format!("from outside: {CANARY}")).await.unwrap();
    let lines = ["-----BEGIN PRIVATE KEY-----", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"];
    for line in lines {
        attempt.cx.progress(line);
    }
    let error = format!("401: bad token {CANARY}, bad key {KEY}");
    attempt.finish(Err(WorkerError::permanent(error)));
    let task = end_of(&engine, &submitted.id).await;
    assert!(task.error.as_deref().unwrap().starts_with("401: bad token [REDACTED"));
    let told = crate::rig::until(&mut stream, loom_core::EventType::Failed).await;
    let everything = format!("{task:?} {:?} {told:?} {:?}", task.progress, rig.logger.records());
    for secret in [CANARY, KEY, "c2VjcmV0"] {
        assert!(!everything.contains(secret), "{secret} is in {everything}");
    }
}
