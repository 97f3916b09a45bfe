//! Laws of the log: rows are conserved, order and chunking leave no trace, nothing later is visible; hostile rows; and
//! two real logs against counts made by another program.

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};
use dealcast::deals::{
    Change, DealEvent, DealLog, Finding, Known, Mode, SalesProcess, Snapshot, SnapshotRow, State,
};
use dealcast::time::{Period, date};
use dealcast::{Amount, ErrorKind, tidy};
use proptest::prelude::*;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::PathBuf;

fn process() -> SalesProcess {
    SalesProcess::open(["a", "b", "c"]).unwrap()
}

fn day(n: u64) -> NaiveDateTime {
    date(2026, 1, 1).unwrap().checked_add_days(Days::new(n)).unwrap().into()
}

/// Everything that can be asked of what was known, as text.
fn all_answers(known: &Known<'_>) -> String {
    let mut text = String::new();
    for deal in known.deals() {
        let facts = (deal.index(), deal.id(), deal.created(), deal.state(), deal.amount());
        let said = (deal.expected_close(), deal.category(), deal.attributes());
        writeln!(text, "{facts:?} {said:?}").unwrap();
    }
    let snapshot = known.snapshot();
    let stored = serde_json::to_string(&snapshot).unwrap();
    write!(text, "{} {:?} {snapshot} {stored}", known.n_deals(), known.attributes()).unwrap();
    text
}

fn a_change() -> impl Strategy<Value = Change> {
    let stage = prop_oneof![4 => "[abc]", 1 => Just("won".to_owned()), 1 => Just("lost".to_owned())];
    prop_oneof![
        6 => stage.clone().prop_map(Change::Entered),
        1 => stage.prop_map(Change::Seen),
        1 => "[x-z]".prop_map(Change::Entered),
        3 => prop_oneof![Just(None), (0u32..4).prop_map(|n| Some(f64::from(n))), Just(Some(f64::NAN)), Just(Some(-1.0))]
            .prop_map(Change::Amount),
        1 => proptest::option::of((0u64..5).prop_map(|n| day(n).date())).prop_map(Change::ExpectedClose),
        1 => "[AB]".prop_map(Change::Category),
        1 => ("[mn]", "[uv]").prop_map(|(name, value)| Change::Attribute { name, value }),
        1 => Just(Change::Removed),
    ]
}

fn a_row() -> impl Strategy<Value = DealEvent> {
    let changes = proptest::collection::vec(a_change(), 0..3);
    let late = prop_oneof![3 => Just(None), 1 => (0u64..12).prop_map(Some)];
    let sequence = prop_oneof![3 => Just(None), 1 => (0i64..2).prop_map(Some)];
    ("[p-s]|", 0u64..10, changes, late, sequence).prop_map(|(deal, at, changes, late, sequence)| DealEvent {
        deal,
        at: day(at),
        changes,
        recorded_at: late.map(day),
        sequence,
    })
}

fn rows() -> impl Strategy<Value = Vec<DealEvent>> {
    proptest::collection::vec(a_row(), 0..40)
}

fn known_from(row: &DealEvent) -> NaiveDateTime {
    row.recorded_at.unwrap_or(row.at).max(row.at)
}

/// The receipt without row numbers and without which of the many bad rows are listed.
fn counts(log: &DealLog) -> Vec<u64> {
    let receipt = log.receipt();
    let rows = [receipt.rows_in(), receipt.accepted(), receipt.quarantined(), receipt.deduplicated()];
    rows.into_iter().chain(receipt.findings().flat_map(|(what, n)| [what as u64, n])).collect()
}

proptest! {
    #[test]
    fn rows_are_conserved(rows in rows()) {
        let log = DealLog::from_events(&process(), &rows).unwrap();
        let receipt = log.receipt();
        prop_assert_eq!(receipt.rows_in(), rows.len() as u64);
        prop_assert_eq!(receipt.rows_in(), receipt.accepted() + receipt.quarantined() + receipt.deduplicated());
        prop_assert_eq!(receipt.rejected().len() as u64, receipt.quarantined());
    }

    #[test]
    fn a_row_is_judged_alone(rows in rows()) {
        let alone = rows.iter().filter(|row| DealLog::from_events_with(&process(), [*row], Mode::Collect)
            .unwrap().receipt().quarantined() == 1).count();
        let log = DealLog::from_events(&process(), &rows).unwrap();
        prop_assert_eq!(log.receipt().quarantined(), alone as u64);
    }

    #[test]
    fn order_chunks_and_duplicates_leave_no_trace(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        cut in 0usize..40, t in 0u64..14,
    ) {
        let whole = DealLog::from_events(&process(), &rows).unwrap();
        let cut = cut.min(rows.len());
        let mut chunked = DealLog::from_events(&process(), &rows[..cut]).unwrap();
        chunked.append(&rows[cut..]).unwrap();
        prop_assert_eq!(&chunked, &whole);
        let permuted = DealLog::from_events(&process(), &shuffled).unwrap();
        prop_assert_eq!(all_answers(&permuted.as_of(day(t))), all_answers(&whole.as_of(day(t))));
        prop_assert_eq!(counts(&permuted), counts(&whole));
        let twice = DealLog::from_events(&process(), rows.iter().chain(&shuffled)).unwrap();
        prop_assert_eq!(all_answers(&twice.as_of(day(t))), all_answers(&whole.as_of(day(t))));
        prop_assert_eq!(twice.receipt().accepted(), whole.receipt().accepted());
    }

    #[test]
    fn an_earlier_view_of_a_view_is_the_earlier_view(rows in rows(), t1 in 0u64..14, t2 in 0u64..14) {
        let log = DealLog::from_events(&process(), &rows).unwrap();
        let earlier = log.as_of(day(t1.min(t2)));
        prop_assert_eq!(all_answers(&log.as_of(day(t2)).as_of(day(t1))), all_answers(&earlier));
    }

    /// Adding, deleting or altering what is known only later changes no byte; also seen from a later start stage.
    #[test]
    fn nothing_later_is_visible(rows in rows(), others in rows(), t in 0u64..14) {
        let past = rows.iter().filter(|row| known_from(row) < day(t));
        let later = others.iter().filter(|row| known_from(row) >= day(t));
        let log = DealLog::from_events(&process(), &rows).unwrap();
        let other = DealLog::from_events(&process(), past.chain(later)).unwrap();
        prop_assert_eq!(all_answers(&log.as_of(day(t))), all_answers(&other.as_of(day(t))));
        let (log, other) = (log.starting_at("b").unwrap(), other.starting_at("b").unwrap());
        prop_assert_eq!(all_answers(&log.as_of(day(t))), all_answers(&other.as_of(day(t))));
    }

    /// The state against a plain walk through the visible rows, the way the specification words it.
    #[test]
    fn the_state_is_that_of_a_plain_walk(rows in rows(), t in 0u64..14) {
        let log = DealLog::from_events(&process(), &rows).unwrap();
        for id in ["p", "q", "r", "s"] {
            let expected = plain_walk(&rows, id, day(t));
            prop_assert_eq!(log.as_of(day(t)).deal(id).map(|deal| (deal.created(), owned(deal.state()))), expected);
        }
    }

    #[test]
    fn a_stored_snapshot_reloads(rows in rows(), t in 0u64..14) {
        let log = DealLog::from_events(&process(), &rows).unwrap();
        let snapshot = log.as_of(day(t)).snapshot();
        let stored = serde_json::to_string(&snapshot).unwrap();
        let reloaded: Snapshot = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&reloaded, &snapshot);
        prop_assert_eq!(serde_json::to_string(&reloaded).unwrap(), stored);
    }

    #[test]
    fn arbitrary_cells_never_panic(cells in proptest::collection::vec(proptest::option::of(".{0,12}"), 10)) {
        let mut cells = cells.into_iter();
        let mut next = || cells.next().flatten();
        let row = tidy::StageRow {
            deal_id: next(), stage: next(), entered_at: next(), amount: next(), recorded_at: next(),
            sequence: next(), expected_close: next(), category: next(), seen: next(), removed: next(), ..tidy::StageRow::default()
        };
        let log = DealLog::from_rows(&process(), [Ok::<_, Infallible>(row)]).unwrap();
        prop_assert_eq!(log.receipt().accepted() + log.receipt().quarantined(), 1);
    }
}

type Walked = (NaiveDateTime, (String, NaiveDateTime, bool));

fn owned(state: State<'_>) -> (String, NaiveDateTime, bool) {
    match state {
        State::Open { stage, since, exact } => (stage.into(), since, exact),
        State::Won { stage, at } | State::Lost { stage, at } => (stage.into(), at, true),
        State::Removed { at } => ("removed".into(), at, true),
    }
}

fn plain_walk(rows: &[DealEvent], id: &str, t: NaiveDateTime) -> Option<Walked> {
    let order = ["a", "b", "c", "won", "lost", "removed"];
    let mut moves = Vec::new();
    for row in rows.iter().filter(|row| row.deal == id && known_from(row) < t) {
        let mut place = None;
        let mut good = true;
        for change in &row.changes {
            match change {
                Change::Entered(stage) | Change::Seen(stage) => {
                    good &= order.contains(&stage.as_str());
                    let rank = order.iter().position(|name| name == stage).unwrap_or(0);
                    place = Some((rank, matches!(change, Change::Seen(_))));
                }
                Change::Removed => place = Some((5, false)),
                _ => {}
            }
        }
        if let (Some((rank, seen)), true) = (place, good) {
            moves.push((row.at, row.sequence, rank, seen));
        }
    }
    moves.sort_unstable();
    // What was never placed cannot leave.
    let placed = moves.iter().position(|&(_, _, rank, _)| rank < 5)?;
    let created = moves[placed].0;
    let mut state: Option<(String, NaiveDateTime, bool)> = None;
    for (at, _, rank, seen) in moves.drain(placed..) {
        if state.as_ref().is_none_or(|(name, _, _)| name != order[rank]) {
            state = Some((order[rank].into(), at, !seen || rank >= 3));
        }
    }
    state.map(|state| (created, state))
}

fn entered(deal: &str, at: NaiveDateTime, stage: &str) -> DealEvent {
    DealEvent::new(deal, at, Change::Entered(stage.into()))
}

#[test]
fn the_life_of_a_troublesome_deal() {
    let rows = [
        DealEvent::new("d", day(1), Change::Seen("a".into())).and(Change::Amount(Some(10.0))),
        entered("d", day(3), "a"),
        entered("d", day(4), "c"),
        entered("d", day(5), "b"),
        entered("d", day(6), "won").and(Change::Amount(Some(f64::INFINITY))),
        entered("d", day(7), "won").and(Change::Amount(Some(12.0))),
        entered("d", day(9), "lost"),
        entered("d", day(11), "a"),
        DealEvent::new("d", day(12), Change::Removed),
        entered("d", day(14), "a").recorded_at(day(20)),
        entered("e", day(2), "won"),
    ];
    let log = DealLog::from_events(&process(), &rows).unwrap();
    let state_at = |t| {
        let known = log.as_of(day(t));
        known.deal("d").map(|deal| (owned(deal.state()), deal.amount().map(Amount::get)))
    };
    let open = |stage: &str, since, exact| (stage.to_owned(), day(since), exact);
    assert_eq!(state_at(1), None);
    assert_eq!(state_at(2), Some((open("a", 1, false), Some(10.0))));
    assert_eq!(state_at(4), Some((open("a", 1, false), Some(10.0))));
    assert_eq!(state_at(6), Some((open("b", 5, true), Some(10.0))));
    assert_eq!(state_at(7), Some((open("won", 6, true), Some(10.0))));
    assert_eq!(state_at(8), Some((open("won", 6, true), Some(12.0))));
    assert_eq!(state_at(10), Some((open("lost", 9, true), Some(12.0))));
    assert_eq!(state_at(12), Some((open("a", 11, true), Some(12.0))));
    assert_eq!(state_at(15), Some((open("removed", 12, true), Some(12.0))));
    assert_eq!(state_at(21), Some((open("a", 14, true), Some(12.0))));
    for (finding, n) in [
        (Finding::SeenFirst, 1),
        (Finding::RepeatedStage, 2),
        (Finding::SkippedStage, 2),
        (Finding::MovedBack, 1),
        (Finding::ChangedOutcome, 1),
        (Finding::Reopened, 1),
        (Finding::Removed, 1),
        (Finding::Restored, 1),
        (Finding::RecordedLate, 1),
        (Finding::CreatedClosed, 1),
        (Finding::MissingAmount, 1),
    ] {
        assert_eq!(log.receipt().count(finding), n, "{finding:?}");
    }
    assert_eq!(log.receipt().amount_dropped(), 1);
}

#[test]
fn a_rejected_row_says_where_and_why() {
    let text = "deal_id,stage,entered_at,amount,recorded_at,extra\n\
                D-1,a,2026-01-05,12,,x\n\
                ,a,2026-01-05,12,,\n\
                D-2,z,2026-01-05,12,,\n\
                D-3,a,2026-02-30,12,,\n\
                D-4,a,2026-01-05,12,soon,\n\
                D-5,a,2026-01-05\n\
                D-6,a,2026-01-05,1e999,,\n\
                D-7,,2026-01-05,twelve,,\n\
                D-8,a,2026-01-05T00:00:00+01:00,7,,\n";
    let rows = || csv::Reader::from_reader(text.as_bytes()).into_deserialize::<tidy::StageRow>();
    let log = DealLog::from_rows(&process(), rows()).unwrap();
    let rejected: Vec<_> = log.receipt().rejected().iter().map(|r| (r.row(), r.field(), r.kind())).collect();
    assert_eq!(
        rejected,
        [
            (2, "deal_id", ErrorKind::Missing),
            (3, "stage", ErrorKind::UnknownStage),
            (4, "entered_at", ErrorKind::Unreadable),
            (5, "recorded_at", ErrorKind::Unreadable),
            (6, "row", ErrorKind::Unreadable),
            (8, "amount", ErrorKind::Unreadable),
        ]
    );
    assert_eq!((log.receipt().accepted(), log.receipt().amount_dropped()), (3, 1));
    let eve = log.as_of(date(2026, 1, 5).unwrap());
    assert_eq!(eve.deals().map(|deal| deal.id()).collect::<Vec<_>>(), ["D-8"]);
    let error = DealLog::from_rows_with(&process(), rows(), tidy::Reading::default().strict()).unwrap_err();
    assert_eq!((error.row(), error.field_name()), (Some(2), Some("deal_id")));
    assert!(log.receipt().to_string().contains("6 quarantined"));
}

#[test]
fn a_strict_append_that_fails_changes_nothing() {
    let mut log = DealLog::from_events(&process(), [entered("d", day(1), "a")]).unwrap();
    let before = log.clone();
    let rows = [entered("e", day(1), "a"), entered("f", day(1), "a").and(Change::Amount(Some(-1.0)))];
    let error = log.append_with(&rows, Mode::Strict).unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::OutOfRange, Some(3)));
    assert_eq!(log, before);
}

#[test]
fn hostile_rows() {
    let ends = [NaiveDateTime::MIN, NaiveDateTime::MAX];
    let odd = ["d\u{0}", "\u{202e}d", "d\u{200d}", "d ", "d", "\u{7f}", "日本"];
    let mut rows: Vec<DealEvent> = odd.iter().map(|id| entered(id, day(1), "a")).collect();
    for at in ends {
        for id in ["min", "max"] {
            let close =
                Change::ExpectedClose(Some(if id == "min" { NaiveDate::MIN } else { NaiveDate::MAX }));
            rows.push(entered(id, at, "a").and(close).sequence(i64::MIN).recorded_at(NaiveDateTime::MIN));
        }
    }
    for amount in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 0.0, f64::NAN, f64::INFINITY, -1.0] {
        rows.push(entered(&format!("{amount:e}"), day(1), "won").and(Change::Amount(Some(amount))));
        rows.push(entered("f64::MAX again", day(1), "won").and(Change::Amount(Some(f64::MAX))));
    }
    rows.push(entered(&"x".repeat(100 << 20), day(1), "a"));
    rows.push(entered("ok", day(1), &"x".repeat(1 << 24)));
    let log = DealLog::from_events(&process(), &rows).unwrap();
    assert_eq!((log.receipt().quarantined(), log.receipt().amount_dropped()), (2, 3));
    assert_eq!(log.receipt().count(Finding::OddId), 5);
    for at in [NaiveDateTime::MIN, day(1), day(2), NaiveDateTime::MAX] {
        let known = log.as_of(at);
        let snapshot = known.snapshot();
        let stored = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&stored).unwrap(), snapshot);
        assert!(!all_answers(&known).is_empty());
    }
    let all = log.as_of(NaiveDateTime::MAX).snapshot();
    assert_eq!(all.won_book().unwrap_err().kind(), ErrorKind::Overflow);
    assert!(all.open_book().is_ok());
    assert!(log.receipt().to_string().len() < 4_000);
}

#[test]
fn empty_and_one() {
    let none: [DealEvent; 0] = [];
    let log = DealLog::from_events(&process(), none).unwrap();
    let snapshot = log.as_of(day(3)).snapshot();
    assert_eq!((log.as_of(day(3)).n_deals(), snapshot.n_open(), log.receipt().rows_in()), (0, 0, 0));
    let month = Period::days(date(2026, 1, 1).unwrap(), 31).unwrap();
    assert_eq!(snapshot.booked(&month).unwrap().amount(), Amount::ZERO);
    let one = DealLog::from_events(&process(), [entered("d", day(1), "won")]).unwrap();
    let booked = one.as_of(day(2)).snapshot().booked(&month).unwrap();
    assert_eq!((booked.n(), booked.n_unpriced()), (1, 1));
}

#[test]
fn a_long_cycle_and_very_many_owners() {
    let cycle = (0..100_000u32).map(|n| {
        let at = day(1).checked_add_signed(TimeDelta::seconds(i64::from(n))).unwrap();
        entered("d", at, if n % 2 == 0 { "a" } else { "b" })
    });
    let log = DealLog::from_events(&process(), cycle).unwrap();
    assert_eq!(log.receipt().count(Finding::MovedBack), 49_999);
    assert_eq!(log.as_of(day(9)).snapshot().open()[0].stage(), "b");
    let owners = (0..1_000_000u32).map(|n| {
        let owner = Change::Attribute { name: "owner".into(), value: format!("owner {n}") };
        entered(&format!("{}", n % 1_000), day(u64::from(n / 1_000) % 50), "a").and(owner)
    });
    let log = DealLog::from_events(&process(), owners).unwrap();
    assert_eq!(log.as_of(day(60)).n_deals(), 1_000);
}

#[test]
fn snapshot_rows_that_cannot_be() {
    let row =
        |stage: &str| SnapshotRow { deal_id: "d".into(), stage: stage.into(), ..SnapshotRow::default() };
    let refused = |rows: Vec<SnapshotRow>| Snapshot::from_rows(&process(), day(3), rows).unwrap_err();
    assert_eq!(refused(vec![row("z")]).kind(), ErrorKind::UnknownStage);
    assert_eq!(refused(vec![row("a"), row("b")]).row(), Some(2));
    assert_eq!(refused(vec![row("won")]).field_name(), Some("entered"));
    assert_eq!(
        refused(vec![SnapshotRow { entered: Some(day(4)), ..row("a") }]).field_name(),
        Some("entered")
    );
    assert_eq!(refused(vec![SnapshotRow { amount: Some(-1.0), ..row("a") }]).kind(), ErrorKind::OutOfRange);
    assert!(
        Snapshot::from_rows(&process(), NaiveDateTime::MIN, [SnapshotRow { age_days: Some(1), ..row("a") }])
            .is_err()
    );
    assert_eq!(refused(vec![SnapshotRow { deal_id: " ".into(), ..row("a") }]).kind(), ErrorKind::Missing);
    let fresh = Snapshot::from_rows(&process(), day(3), [row("a")]).unwrap();
    assert_eq!((fresh.open()[0].age_days(), fresh.open()[0].is_exact()), (0, false));
    let text = serde_json::to_string(&fresh).unwrap().replace("\"version\":1", "\"version\":2");
    assert!(serde_json::from_str::<Snapshot>(&text).unwrap_err().to_string().contains("version 1"));
}

/// The folder of real logs, by environment variable or beside the crate.
fn data() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    std::env::var_os("DEALCAST_DATA").map_or(beside, PathBuf::from)
}

pub(crate) fn real_log(name: &str, stages: &[&str]) -> Option<DealLog> {
    let Ok(file) = std::fs::File::open(data().join(name).join("events.csv.gz")) else {
        println!("skipped: no {name} in {}", data().display());
        return None;
    };
    let reader = csv::Reader::from_reader(flate2::read::MultiGzDecoder::new(file));
    let process = SalesProcess::open(stages.iter().copied()).unwrap();
    Some(DealLog::from_rows(&process, reader.into_deserialize::<tidy::StageRow>()).unwrap())
}

/// As of a date: open, won, lost, the sum of the open deals' ages, open amount, won amount; won in the window before.
type Counted = (&'static str, usize, usize, usize, u64, f64, f64, (f64, usize));

/// Expected values by a separate Python 3 program (csv and gzip modules only): the last row of each deal with
/// `entered_at` < T after sorting by (deal, time, process order), ages as differences of dates.
fn agrees(log: &DealLog, window: u32, expected: &[Counted]) {
    for &(at, open, won, lost, ages, open_amount, won_amount, (booked, n_booked)) in expected {
        let at: NaiveDate = at.parse().unwrap();
        let book = log.as_of(at).snapshot();
        assert_eq!((book.open().len(), book.won().len(), book.lost().len()), (open, won, lost), "{at}");
        assert_eq!(book.open().iter().map(|deal| u64::from(deal.age_days())).sum::<u64>(), ages, "{at}");
        let period = Period::new(at.checked_sub_days(Days::new(window.into())).unwrap(), at).unwrap();
        let in_window = book.booked(&period).unwrap();
        assert_eq!(in_window.n(), n_booked);
        // The expected sums are rounded to six decimals.
        let sums = [
            (book.open_book().unwrap(), open_amount),
            (book.won_book().unwrap(), won_amount),
            (in_window, booked),
        ];
        for (book, expected) in sums {
            assert!((book.amount().get() - expected).abs() < 1e-6, "{at}: {book} for {expected}");
        }
    }
}

#[test]
fn loan_applications_as_counted_elsewhere() {
    let stages = ["submitted", "preaccepted", "accepted", "offer_sent", "offer_returned"];
    let Some(log) = real_log("bpi2012", &stages) else { return };
    assert_eq!((log.receipt().rows_in(), log.receipt().accepted()), (47_092, 47_092));
    agrees(
        &log,
        28,
        &[
            ("2011-11-12", 730, 434, 2371, 6648, 11_426_360.0, 6_320_266.0, (5_722_666.0, 389)),
            ("2012-01-15", 840, 1277, 6649, 9045, 13_484_282.0, 19_196_750.0, (5_462_838.0, 343)),
            ("2012-02-13", 903, 1716, 8609, 10_483, 14_838_846.0, 26_246_899.0, (7_050_149.0, 439)),
        ],
    );
}

#[test]
fn energy_projects_as_counted_elsewhere() {
    let Some(log) = real_log("repd", &["submitted", "refused", "appeal", "granted", "construction"]) else {
        return;
    };
    assert_eq!((log.receipt().rows_in(), log.receipt().accepted()), (17_780, 17_780));
    agrees(
        &log,
        365,
        &[
            ("2003-01-01", 195, 151, 54, 93_750, 3507.2, 723.5, (173.0, 28)),
            ("2012-04-01", 954, 587, 470, 528_345, 25_407.7, 7401.2, (1337.1, 100)),
            ("2020-06-25", 966, 2314, 2159, 706_103, 45_581.75, 33_680.9, (2239.4, 43)),
        ],
    );
}
