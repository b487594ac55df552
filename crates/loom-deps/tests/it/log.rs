//! Log records arrive where they should, with their fields.

use std::io;
use std::sync::{Arc, Mutex};

use loom_deps::{Level, LogRecord, LogValue, Logger, NoopLogger, RecordingLogger, TracingLogger};
use tracing_subscriber::fmt::MakeWriter;

fn record() -> LogRecord<'static> {
    LogRecord::new(Level::Warn, "task failed")
        .with("module", "attempt")
        .with("task_id", "id-0".to_owned())
        .with("duration_ms", 1500)
        .with("retries", 2)
}

#[test]
fn a_record_keeps_its_fields_in_order() {
    let record = record();
    let names: Vec<_> = record.fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["module", "task_id", "duration_ms", "retries"]);
    assert_eq!(record.field("duration_ms"), Some(&LogValue::Number(1500)));
    assert_eq!(record.text("duration_ms").as_deref(), Some("1500"));
    assert_eq!(record.text("task_id").as_deref(), Some("id-0"));
    assert_eq!(record.field("absent"), None);
}

#[test]
fn a_recording_logger_keeps_every_record_in_order() {
    let logger = RecordingLogger::new();
    assert!(logger.records().is_empty());
    assert!(logger.wants(Level::Debug));
    logger.log(record());
    logger.log(LogRecord::new(Level::Info, "next"));
    let records = logger.records();
    assert_eq!(records, [record(), LogRecord::new(Level::Info, "next")]);
}

#[test]
fn a_noop_logger_wants_nothing_and_takes_everything() {
    let levels = [Level::Debug, Level::Info, Level::Warn, Level::Error];
    assert!(levels.into_iter().all(|level| !NoopLogger.wants(level)));
    NoopLogger.log(record());
}

#[test]
fn levels_are_ordered_by_how_much_they_matter() {
    assert!([Level::Debug, Level::Info, Level::Warn, Level::Error].is_sorted());
}

/// Where a subscriber writes to.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a subscriber of this level writes when `log` is called.
fn written(level: tracing::Level, log: impl FnOnce()) -> String {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(written.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, log);
    let bytes = written.0.lock().map(|bytes| bytes.clone()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_subscriber_sees_the_record_with_its_fields_under_their_names() {
    let line = written(tracing::Level::DEBUG, || TracingLogger.log(record()));
    for part in ["WARN loom: task failed", "module=attempt", "task_id=id-0", "duration_ms=1500"] {
        assert!(line.contains(part), "{part:?} in {line:?}");
    }
    assert!(line.contains("retries=2"), "a field without a name of its own is told, too: {line:?}");
    assert!(!line.contains("project_id"), "a field that is not there is not told: {line:?}");
}

#[test]
fn every_level_and_every_named_field_arrives() {
    let levels = [
        (Level::Debug, "DEBUG"),
        (Level::Info, "INFO"),
        (Level::Warn, "WARN"),
        (Level::Error, "ERROR"),
    ];
    for (level, name) in levels {
        let record = ["project_id", "request_id", "worker_type", "task_status", "error_code"]
            .into_iter()
            .chain(["reason", "error"])
            .fold(LogRecord::new(level, "said"), |record, field| record.with(field, "value"));
        let line = written(tracing::Level::DEBUG, || TracingLogger.log(record.clone()));
        assert!(line.contains(name), "{line:?}");
        for (field, _) in record.fields {
            assert!(line.contains(&format!("{field}=value")), "{field} in {line:?}");
        }
    }
}

#[test]
fn the_tracing_logger_wants_what_its_subscriber_wants() {
    let line = written(tracing::Level::WARN, || {
        assert!(TracingLogger.wants(Level::Error) && TracingLogger.wants(Level::Warn));
        assert!(!TracingLogger.wants(Level::Info) && !TracingLogger.wants(Level::Debug));
        TracingLogger.log(LogRecord::new(Level::Info, "quiet"));
    });
    assert_eq!(line, "");
}
