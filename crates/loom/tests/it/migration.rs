//! The table of names for those who come from Go.

mod paths;

use std::collections::BTreeSet;

use crate::document::{MIGRATION, code, rows};

/// What the Go library exports, as its index lists it; methods with their types, constants last.
const GO_NAMES: [&str; 74] = [
    "ErrEngineClosed",
    "RequestIDFrom",
    "WithRequestID",
    "EventBus",
    "NewEventBus",
    "EventType",
    "GateDecision",
    "GateDecision.Accept",
    "GateDecision.Reason",
    "GateDecision.Retry",
    "LoomEngine",
    "New",
    "NewEngine",
    "LoomEngine.Cancel",
    "LoomEngine.CancelAllForProject",
    "LoomEngine.Close",
    "LoomEngine.Count",
    "LoomEngine.CountAll",
    "LoomEngine.Events",
    "LoomEngine.Get",
    "LoomEngine.List",
    "LoomEngine.ListAll",
    "LoomEngine.RecoverCrashed",
    "LoomEngine.RegisterWorker",
    "LoomEngine.Submit",
    "Option",
    "WithClock",
    "WithIDGenerator",
    "WithLogger",
    "WithMaxRetries",
    "WithMeter",
    "QualityGate",
    "NewQualityGate",
    "NewQualityGateWithOpts",
    "QualityGate.Check",
    "QualityGate.Clear",
    "QualityGateOption",
    "WithThreshold",
    "WithWindowSize",
    "RequestIDKey",
    "Task",
    "TaskEvent",
    "TaskFilter",
    "TaskRequest",
    "TaskStatus",
    "TaskStatus.CanTransitionTo",
    "TaskStatus.IsTerminal",
    "TaskStore",
    "NewTaskStore",
    "TaskStore.Count",
    "TaskStore.CountAll",
    "TaskStore.Create",
    "TaskStore.Get",
    "TaskStore.IncrementRetries",
    "TaskStore.List",
    "TaskStore.ListAll",
    "TaskStore.MarkCrashed",
    "TaskStore.SetDaemonUUID",
    "TaskStore.SetResult",
    "TaskStore.UpdateStatus",
    "Worker",
    "Worker.Execute",
    "Worker.Type",
    "WorkerResult",
    "WorkerType",
    "WorkerTypeCLI",
    "WorkerTypeThinker",
    "WorkerTypeInvestigator",
    "WorkerTypeOrchestrator",
    "deps.Clock",
    "deps.IDGenerator",
    "deps.Logger",
    "workers.SubprocessBase",
    "workers.HTTPBase",
];

/// The fields of Go's structs, and the constants of its enumerations.
const GO_MEMBERS: [(&str, &str); 8] = [
    (
        "Task.",
        "ID Status WorkerType ProjectID RequestID EngineName Prompt CWD Env CLI Role Model Effort \
         Timeout Metadata Result Error Retries CreatedAt DispatchedAt CompletedAt",
    ),
    ("TaskEvent.", "Type TaskID ProjectID RequestID Status Timestamp"),
    ("TaskFilter.", "ProjectID Statuses"),
    (
        "TaskRequest.",
        "WorkerType ProjectID RequestID Prompt CWD Env CLI Role Model Effort Timeout Metadata",
    ),
    ("WorkerResult.", "Content Metadata DurationMS"),
    ("TaskStatus", "Pending Dispatched Running Completed Failed FailedCrash Retrying"),
    ("EventTask", "Created Dispatched Running Completed Failed FailedCrash Retrying Cancelled"),
    ("GateDecision.", "Accept Reason Retry"),
];

#[test]
fn every_exported_go_name_has_a_row() {
    let members = GO_MEMBERS.iter().flat_map(|(prefix, names)| {
        names.split_whitespace().map(move |name| format!("{prefix}{name}"))
    });
    let expected = GO_NAMES.iter().map(ToString::to_string).chain(members);
    let named: BTreeSet<&str> = rows(MIGRATION).flat_map(|row| code(row[0])).collect();
    let missing: Vec<String> = expected.filter(|name| !named.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "docs/migration-from-go.md has no row for {missing:?}");
}

#[test]
fn every_row_names_its_rust_form_or_says_that_there_is_none() {
    for row in rows(MIGRATION).filter(|row| row[0] != "Go") {
        let form = row[1].trim_end_matches('|').trim();
        let names_one = code(form).all(|path| path.starts_with("loom::")) && form.contains('`');
        assert!(names_one || ["none", "not yet"].contains(&form), "{row:?}");
    }
}

#[test]
fn every_rust_path_of_the_table_exists() {
    let existing = paths::existing();
    let cells = rows(MIGRATION).flat_map(|row| row.into_iter().skip(1));
    let named: BTreeSet<&str> =
        cells.flat_map(code).filter(|text| text.starts_with("loom::")).collect();
    let unproven: Vec<_> = named.symmetric_difference(&existing).collect();
    assert!(
        unproven.is_empty(),
        "only in docs/migration-from-go.md or only in tests/it/migration/paths.rs: {unproven:?}"
    );
}
