//! Snapshots in a row: what they say is kept, and what vanishes is counted.

use chrono::{NaiveDate, NaiveDateTime};
use dealcast::deals::{Finding, Mode, Vanished};
use dealcast::{ErrorKind, SalesProcess, Snapshot, SnapshotRow, SnapshotSeries};
use proptest::prelude::*;

fn process() -> SalesProcess {
    SalesProcess::open(["qualify", "propose"]).unwrap()
}

fn day(day: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap().into()
}

fn row(at: u32, deal: &str, stage: &str) -> (NaiveDateTime, SnapshotRow) {
    (day(at), SnapshotRow { deal_id: deal.into(), stage: stage.into(), ..SnapshotRow::default() })
}

#[test]
fn vanished_deals_are_what_the_caller_says() {
    let rows = [row(2, "a", "qualify"), row(2, "b", "won"), row(9, "c", "qualify")];
    let lost = SnapshotSeries::from_rows(&process(), Vanished::Lost, rows.clone()).unwrap();
    // A closed deal that is not exported any more has not vanished.
    assert_eq!((lost.n_vanished(), lost.receipt().count(Finding::Vanished), lost.n_deals()), (1, 1, 3));
    let refused = SnapshotSeries::from_rows(&process(), Vanished::Refused, rows).unwrap_err();
    assert_eq!((refused.kind(), refused.deal()), (ErrorKind::OutOfRange, Some("a")));
}

#[test]
fn rows_are_conserved_and_the_further_of_two_counts() {
    let rows = [
        row(9, "a", "propose"),
        row(2, "a", "qualify"),
        row(2, "a", "qualify"),
        row(9, "a", "qualify"),
        row(9, "", "qualify"),
        row(9, "b", "quality"),
        (day(9), SnapshotRow { amount: Some(f64::NAN), ..row(9, "c", "won").1 }),
    ];
    let series = SnapshotSeries::from_rows(&process(), Vanished::Removed, rows.clone()).unwrap();
    let receipt = series.receipt();
    assert_eq!(
        (receipt.rows_in(), receipt.accepted(), receipt.quarantined(), receipt.deduplicated()),
        (7, 2, 4, 1)
    );
    assert_eq!(
        receipt.rejected().iter().map(dealcast::deals::Rejected::row).collect::<Vec<_>>(),
        [4, 5, 6, 7]
    );
    assert_eq!(series.snapshot(1).unwrap().open()[0].stage(), "propose");
    let strict = SnapshotSeries::from_rows_with(&process(), (Vanished::Removed, Mode::Strict), rows);
    assert_eq!(strict.unwrap_err().row(), Some(4));
}

#[test]
fn snapshots_come_later_and_of_one_process() {
    let at = |on: u32| Snapshot::from_rows(&process(), day(on), [row(on, "a", "qualify").1]).unwrap();
    let mut series = SnapshotSeries::from_snapshots(Vanished::Lost, [at(9), at(2)]).unwrap();
    assert_eq!((series.n_snapshots(), series.instants()[0], series.receipt().accepted()), (2, day(2), 2));
    let before = series.clone();
    assert_eq!(series.push(at(9)).unwrap_err().field_name(), Some("as_of"));
    let other = Snapshot::from_rows(&SalesProcess::open(["x"]).unwrap(), day(20), []).unwrap();
    assert_eq!(series.push(other).unwrap_err().kind(), ErrorKind::InvalidProcess);
    assert_eq!(series, before);
    let none = SnapshotSeries::from_snapshots(Vanished::Lost, []).unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NoHistory);
}

#[test]
fn a_deal_found_closed_is_closed_when_it_was_first_found() {
    let rows = [row(2, "a", "qualify"), row(9, "a", "won"), row(16, "a", "won")];
    let series = SnapshotSeries::from_rows(&process(), Vanished::Lost, rows).unwrap();
    assert_eq!(series.snapshot(2).unwrap().won()[0].closed(), day(9));
    assert_eq!(series.snapshot(3), None);
}

proptest! {
    #[test]
    fn the_order_of_rows_leaves_no_trace(
        (rows, shuffled) in prop::collection::vec((2..6_u32, 0..4_u8, 0..4_u8), 0..40)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let of = |rows: &[(u32, u8, u8)]| {
            let stage = |i: u8| ["qualify", "propose", "won", "lost"][usize::from(i)];
            let rows = rows.iter().map(|&(at, deal, s)| row(at, &deal.to_string(), stage(s)));
            SnapshotSeries::from_rows(&process(), Vanished::Lost, rows).unwrap()
        };
        let (one, other) = (of(&rows), of(&shuffled));
        prop_assert_eq!((0..9).map(|k| one.snapshot(k)).collect::<Vec<_>>(), (0..9).map(|k| other.snapshot(k)).collect::<Vec<_>>());
        prop_assert_eq!(one.receipt().rows_in(), one.receipt().accepted() + one.receipt().quarantined() + one.receipt().deduplicated());
        prop_assert_eq!(one.n_vanished(), other.n_vanished());
    }
}
