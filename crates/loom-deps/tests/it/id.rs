//! Ids do not repeat.

use std::collections::BTreeSet;
use std::sync::Mutex;

use loom_deps::{IdGen, SequentialIds, Timestamp, UuidIds};
use uuid::{Uuid, Variant};

const NOW: Timestamp = Timestamp::from_micros(1_793_867_400_250_000);

#[test]
fn uuids_are_of_version_7_and_hold_the_millisecond() {
    let text = UuidIds::new().next_id(NOW);
    let id: Uuid = text.parse().unwrap();
    assert_eq!((id.get_version_num(), id.get_variant()), (7, Variant::RFC4122));
    let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
    assert_eq!((seconds, nanos / 1_000_000), (1_793_867_400, 250));
    assert_eq!(text, text.to_lowercase());
    assert_eq!(text.len(), 36);
}

#[test]
fn uuids_sort_by_the_time_they_were_made_also_within_a_millisecond() {
    let ids = UuidIds::new();
    let made: Vec<String> = (0..50_000)
        .map(|n| ids.next_id(Timestamp::from_micros(NOW.as_micros() + n / 10_000 * 1_000)))
        .collect();
    assert!(made.is_sorted_by(|one, next| one < next), "they grow and do not repeat");
}

#[test]
fn uuids_of_several_generators_differ() {
    let all: BTreeSet<_> = (0..1000).map(|_| UuidIds::new().next_id(NOW)).collect();
    assert_eq!(all.len(), 1000);
}

#[test]
fn uuids_can_be_made_before_the_epoch_and_at_the_end_of_time() {
    let ids = UuidIds::default();
    for micros in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(ids.next_id(Timestamp::from_micros(micros)).len(), 36);
    }
}

#[test]
fn sequential_ids_count_from_zero() {
    let ids = SequentialIds::new();
    let made = [(); 3].map(|()| ids.next_id(NOW));
    assert_eq!(made, ["id-0", "id-1", "id-2"]);
}

fn ids_of_200_callers(ids: &dyn IdGen) -> BTreeSet<String> {
    let made = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                let mine = [(); 20].map(|()| ids.next_id(NOW));
                made.lock().map(|mut made| made.extend(mine)).is_ok()
            });
        }
    });
    made.into_inner().unwrap_or_default()
}

#[test]
fn many_callers_at_once_never_get_the_same_id() {
    let sequential = ids_of_200_callers(&SequentialIds::new());
    assert_eq!(sequential.len(), 4000);
    assert!((0..4000).all(|n| sequential.contains(&format!("id-{n}"))), "no number is left out");
    assert_eq!(ids_of_200_callers(&UuidIds::new()).len(), 4000);
}
