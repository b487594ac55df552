//! The table of transitions is the contract's.

use std::collections::BTreeSet;

use loom_core::TaskStatus::{
    self, Cancelled, Completed, Dispatched, Failed, FailedCrash, Pending, Retrying, Running,
};
use loom_core::{Kind, table};

/// The contract's single edges.
const EDGES: [(TaskStatus, TaskStatus); 15] = [
    (Pending, Dispatched),
    (Pending, Failed),
    (Pending, Cancelled),
    (Dispatched, Running),
    (Dispatched, Failed),
    (Dispatched, FailedCrash),
    (Dispatched, Cancelled),
    (Running, Completed),
    (Running, Failed),
    (Running, Retrying),
    (Running, FailedCrash),
    (Running, Cancelled),
    (Retrying, Dispatched),
    (Retrying, Failed),
    (Retrying, Cancelled),
];

#[test]
fn the_single_edges_are_exactly_those_of_the_contract() {
    let edges: BTreeSet<_> = table().iter().flat_map(|row| row.edges()).collect();
    assert_eq!(edges, BTreeSet::from(EDGES));
    for from in TaskStatus::ALL {
        for to in TaskStatus::ALL {
            let allowed = EDGES.contains(&(from, to));
            assert_eq!(from.can_transition_to(to), allowed, "{from} to {to}");
        }
    }
}

#[test]
fn every_path_starts_where_its_row_starts_and_ends_in_the_target_of_its_kind() {
    for row in table() {
        let edges: Vec<_> = row.edges().collect();
        assert_eq!(edges.len(), row.path.len(), "{row:?}");
        assert_eq!(edges.first().map(|edge| edge.0), Some(row.from), "{row:?}");
        assert_eq!(row.path.last().copied(), Some(row.kind.target()), "{row:?}");
        assert!(edges.windows(2).all(|pair| pair[0].1 == pair[1].0), "{row:?}");
        assert!(edges.iter().all(|edge| EDGES.contains(edge)), "{row:?}");
    }
}

#[test]
fn ended_tasks_go_nowhere() {
    let ended = [Completed, Failed, FailedCrash, Cancelled];
    for status in TaskStatus::ALL {
        assert_eq!(status.is_terminal(), ended.contains(&status), "{status}");
        assert_eq!(status.is_active(), !status.is_terminal(), "{status}");
        if status.is_terminal() {
            assert!(table().iter().all(|row| row.from != status), "{status}");
            assert!(Kind::ALL.into_iter().all(|kind| kind.from(status).is_none()), "{status}");
        }
    }
}

#[test]
fn every_active_status_can_be_cancelled() {
    let cancels: BTreeSet<_> = Kind::Cancel.sources().collect();
    let active: BTreeSet<_> = TaskStatus::ALL.into_iter().filter(|s| s.is_active()).collect();
    assert_eq!(cancels, active);
}

#[test]
fn waiting_and_owned_statuses_are_the_active_ones() {
    for status in TaskStatus::ALL {
        let waiting = matches!(status, Pending | Retrying);
        let owned = matches!(status, Dispatched | Running);
        assert_eq!((status.is_waiting(), status.is_owned()), (waiting, owned), "{status}");
        assert_eq!(status.is_active(), waiting || owned, "{status}");
    }
}

#[test]
fn a_kind_finds_its_row_and_no_row_stands_twice() {
    let mut seen = BTreeSet::new();
    for row in table() {
        assert!(seen.insert((row.kind, row.from)), "{row:?} stands twice");
        assert_eq!(row.kind.from(row.from), Some(row));
    }
    for kind in Kind::ALL {
        let sources: Vec<_> = kind.sources().collect();
        assert!(!sources.is_empty(), "{kind:?} leaves some status");
        for from in TaskStatus::ALL {
            assert_eq!(kind.from(from).is_some(), sources.contains(&from), "{kind:?} from {from}");
        }
    }
}
