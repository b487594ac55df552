//! W6: what it costs to be looked at.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kit::{Asked, report};
use loom::{Engine, EngineBuilder};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

const STREAMS: usize = 10;

/// Who looks on.
pub struct Onlookers {
    streams: usize,
    missed: Arc<AtomicU64>,
    _metrics: Option<SdkMeterProvider>,
}

impl Onlookers {
    /// Those that were asked for by `with=events`, `with=metrics` or `with=logs`.
    pub fn of(asked: &Asked, builder: EngineBuilder) -> (EngineBuilder, Self) {
        let streams = if asked.is("with", "events") { STREAMS } else { 0 };
        if asked.is("with", "logs") {
            tracing_subscriber::fmt().with_writer(io::sink).init();
        }
        if !asked.is("with", "metrics") {
            return (builder, Self { streams, missed: Arc::default(), _metrics: None });
        }
        let exporter = InMemoryMetricExporter::default();
        let metrics = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
        (
            builder.meter(metrics.meter("loom")),
            Self { streams, missed: Arc::default(), _metrics: Some(metrics) },
        )
    }

    /// Begins to read the streams of events.
    pub fn listen(&self, engine: &Engine) {
        for _ in 0..self.streams {
            let mut events = engine.events().stream();
            let missed = Arc::clone(&self.missed);
            tokio::spawn(async move {
                while let Some(event) = events.next().await {
                    if let Err(lagged) = event {
                        missed.fetch_add(lagged.0, Ordering::Relaxed);
                    }
                }
            });
        }
    }

    /// Tells how many events came faster than they were read.
    pub fn report(&self) {
        if self.streams > 0 {
            #[expect(clippy::cast_precision_loss, reason = "far fewer events than 2^52")]
            report::value("missed", self.missed.load(Ordering::Relaxed) as f64);
        }
    }
}
