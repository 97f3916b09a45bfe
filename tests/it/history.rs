//! Facts of a history: next exits and findings, on small logs counted by hand, as laws, on hostile logs, on real ones.

use chrono::{Days, NaiveDate, NaiveDateTime};
use dealcast::deals::{Change, DealEvent, DealLog, Finding, SalesProcess, Stage};
use dealcast::history::{ConversionMatrix, DataQuality, Next};
use dealcast::time::date;
use dealcast::{Amount, ErrorKind, Probability};
use proptest::prelude::*;

use crate::deals::real_log;

const PLACES: [Next<'static>; 5] =
    [Next::Stage("a"), Next::Stage("b"), Next::Stage("c"), Next::Won, Next::Lost];

fn process() -> SalesProcess {
    SalesProcess::open(["a", "b", "c"]).unwrap()
}

fn day(n: u64) -> NaiveDateTime {
    date(2026, 1, 1).unwrap().checked_add_days(Days::new(n)).unwrap().into()
}

fn entered(deal: impl Into<String>, n: u64, stage: &str) -> DealEvent {
    DealEvent::new(deal, day(n), Change::Entered(stage.into()))
}

fn log(rows: impl IntoIterator<Item = DealEvent>) -> DealLog {
    DealLog::from_events(&process(), rows).unwrap()
}

fn exits(conversion: &ConversionMatrix, from: &str) -> [usize; 5] {
    PLACES.map(|to| conversion.n_exits(from, to).unwrap())
}

/// Ended, still open, out of sight.
fn visits(conversion: &ConversionMatrix, from: &str) -> (usize, usize, usize) {
    (
        conversion.n_ended(from).unwrap(),
        conversion.n_still_open(from).unwrap(),
        conversion.n_out_of_sight(from).unwrap(),
    )
}

#[test]
fn every_way_out_of_a_stage_is_counted_as_it_is() {
    let seen = |deal: &str, n, stage: &str| DealEvent::new(deal, day(n), Change::Seen(stage.into()));
    let log = log([
        // a > b > c > won: one exit each.
        entered("straight", 1, "a"),
        entered("straight", 2, "b"),
        entered("straight", 3, "c"),
        entered("straight", 4, "won"),
        // a > c skips b; c > b moves back; b > lost.
        entered("jumps", 1, "a"),
        entered("jumps", 2, "c"),
        entered("jumps", 3, "b"),
        entered("jumps", 4, "lost"),
        // a > lost, reopened in a, which is a second visit to a, still open. Naming a again changes nothing.
        entered("reopened", 1, "a"),
        entered("reopened", 2, "lost"),
        entered("reopened", 5, "a"),
        entered("reopened", 6, "a"),
        // Removed from b: no exit. Back in b: a second visit, still open.
        entered("removed", 1, "b"),
        DealEvent::new("removed", day(2), Change::Removed),
        entered("removed", 4, "b"),
        // Found in a, then found in c: nobody saw it leave a. Then it was seen to be won.
        seen("found", 1, "a"),
        seen("found", 9, "c"),
        entered("found", 12, "won"),
        // Several moves in one second, in process order: a > b > c; c is still open.
        entered("quick", 3, "c"),
        entered("quick", 3, "a"),
        entered("quick", 3, "b"),
        // Created won: no visit to an open stage.
        entered("blue bird", 3, "won"),
    ]);
    let conversion = log.as_of(day(20)).conversion();
    assert_eq!(exits(&conversion, "a"), [0, 2, 1, 0, 1]);
    assert_eq!(visits(&conversion, "a"), (4, 1, 1));
    assert_eq!(exits(&conversion, "b"), [0, 0, 2, 0, 1]);
    assert_eq!(visits(&conversion, "b"), (3, 1, 1));
    assert_eq!(exits(&conversion, "c"), [0, 1, 0, 2, 0]);
    assert_eq!(visits(&conversion, "c"), (3, 1, 0));
    let rate = |from, to| conversion.conversion_rate(from, to).unwrap().map(Probability::get);
    assert_eq!(rate("a", Next::Stage("b")), Some(0.5));
    assert_eq!(rate("c", Next::Won), Some(2.0 / 3.0));
    assert_eq!(conversion.conversion_rate("won", Next::Lost).unwrap_err().kind(), ErrorKind::UnknownStage);
    assert_eq!(conversion.n_exits("a", Next::Stage("d")).unwrap_err().kind(), ErrorKind::UnknownStage);
    // Before anybody left, nothing over nothing.
    let first_day = log.as_of(day(2)).conversion();
    assert_eq!(visits(&first_day, "a"), (0, 4, 0));
    assert_eq!(first_day.conversion_rate("a", Next::Lost).unwrap(), None);
    // Three columns of 12 would hold the open stages; five places share 66 characters.
    let expected = "next exit of each stage, as of 2026-01-21 00:00:00\n\
        from               ended    open           a           b           c         won        lost\n\
        a                      4       2           -        50 %        25 %           -        25 %\n\
        b                      3       2           -           -      66.7 %           -      33.3 %\n\
        c                      3       1           -      33.3 %           -      66.7 %           -";
    assert_eq!(conversion.to_string(), expected);
}

/// Twenty deals that stayed in `a` for 1, 2, .., 20 days and were won from `b` three days later.
fn twenty_wins() -> impl Iterator<Item = DealEvent> {
    (1..=20).flat_map(|n| {
        let id = format!("won {n:02}");
        [entered(id.clone(), 10, "a"), entered(id.clone(), 10 + n, "b"), entered(id, 13 + n, "won")]
    })
}

#[test]
fn stale_is_beyond_the_99th_percentile_of_later_wins() {
    // As of day 100. The rank is ceil(.99 x 20) = 20, so that the limit of `a` is 20 days, that of `b` 3; nobody left `c`
    // and won. Lost deals and a stay that was only found say nothing, however long.
    let rows = twenty_wins().chain([
        entered("lost", 1, "a"),
        entered("lost", 99, "lost"),
        DealEvent::new("found", day(1), Change::Seen("a".into())),
        entered("found", 95, "won"),
        // Age 20: not beyond. Ages 21 and 30: beyond, by 1 and 10; in b, age 40 is beyond by 37.
        entered("at limit", 80, "a"),
        entered("just", 79, "a").and(Change::Amount(Some(5.0))),
        entered("well", 70, "a").and(Change::Amount(Some(7.0))),
        entered("far", 60, "b"),
        entered("in c", 1, "c"),
    ]);
    let log = log(rows);
    let quality = log.as_of(day(100)).data_quality();
    let limits: Vec<_> = quality.stale_limits().iter().map(|l| (l.stage(), l.days(), l.n())).collect();
    assert_eq!(limits, [("a", Some(20), 20), ("b", Some(3), 20), ("c", None, 0)]);
    let stale: Vec<_> =
        quality.stale().iter().map(|d| (d.deal(), d.stage(), d.age_days(), d.limit_days())).collect();
    assert_eq!(stale, [("far", "b", 40, 3), ("well", "a", 30, 20), ("just", "a", 21, 20)]);
    assert_eq!((quality.n_stale(), quality.stale_amount().unwrap().get()), (3, 12.0));
    // On day 33 the last of the twenty is not yet known to be won: 19 are too few.
    let earlier = log.as_of(day(33)).data_quality();
    assert_eq!((earlier.stale_limits()[0].days(), earlier.stale_limits()[0].n()), (None, 19));
    assert_eq!(earlier.n_stale(), 0);
    assert!(earlier.to_string().contains("stale: not known"));
}

#[test]
fn overdue_from_the_day_after_the_expected_close() {
    let close = |n: u64| Change::ExpectedClose(Some(day(n).date()));
    let log = log([
        entered("past", 1, "a").and(close(9)).and(Change::Amount(Some(3.0))),
        entered("long past", 1, "a").and(close(2)),
        entered("today", 1, "a").and(close(10)),
        // Put off; first expected by the end of January (day 30), as the form suggests.
        entered("moved", 1, "a").and(close(30)),
        DealEvent::new("moved", day(2), close(50)),
        entered("cleared", 1, "a").and(close(5)),
        DealEvent::new("cleared", day(2), Change::ExpectedClose(None)),
        entered("closed", 1, "a").and(close(5)),
        entered("closed", 7, "lost"),
        entered("silent", 1, "a"),
    ]);
    let quality = log.as_of(day(10).date().and_hms_opt(15, 0, 0).unwrap()).data_quality();
    let overdue: Vec<_> =
        quality.overdue().iter().map(|d| (d.deal(), d.expected_close(), d.days())).collect();
    assert_eq!(overdue, [("long past", day(2).date(), 8), ("past", day(9).date(), 1)]);
    assert_eq!((quality.n_overdue(), quality.overdue_amount().unwrap().get()), (2, 3.0));
    assert_eq!((quality.n_deals(), quality.n_open()), (7, 6));
    assert_eq!((quality.n_without_amount(), quality.n_open_without_amount()), (6, 5));
    // Of the six deals ever given a close, one had the end of its month of creation.
    assert_eq!(quality.n_with_close(), 6);
    assert_eq!(quality.default_close_share().unwrap().get(), 1.0 / 6.0);
}

#[test]
fn backdated_rows_are_those_known_a_day_late() {
    let log = log([
        entered("d", 1, "a"),
        entered("d", 2, "b").recorded_at(day(2).date().and_hms_opt(23, 59, 59).unwrap()),
        entered("e", 1, "a").recorded_at(day(2)),
        entered("f", 1, "a").recorded_at(day(4)),
        entered("g", 1, "a").recorded_at(day(8)),
        entered("h", 1, "a").recorded_at(day(31)),
    ]);
    // Lags of 1, 3, 7 and 30 days: the lower median is 3. On day 9 the last is still to be recorded: 1, 3, 7.
    let backdated = |n| log.as_of(day(n)).data_quality().backdated().unwrap();
    let figures = |n| (backdated(n).n(), backdated(n).median_days(), backdated(n).largest_days());
    assert_eq!((figures(40), figures(9)), ((4, 3, 30), (3, 3, 7)));
    assert_eq!(log.as_of(day(40)).data_quality().n_rows(), 6);
    assert_eq!(log.as_of(day(2)).data_quality().backdated(), None);
}

/// `n` deals that enter a stage on a day.
fn many(n: usize, on: u64, stage: &str) -> impl Iterator<Item = DealEvent> {
    let stage = stage.to_owned();
    (0..n).map(move |i| entered(format!("{on} {stage} {i}"), on, &stage))
}

/// `n` more of them.
fn more(n: usize, on: u64, stage: &str) -> impl Iterator<Item = DealEvent> {
    many(n, on, stage).map(|row| DealEvent { deal: format!("more {}", row.deal), ..row })
}

#[test]
fn a_heap_stands_out_from_the_days_around_it() {
    let heaps = |rows: Vec<DealEvent>| {
        let quality = log(rows).as_of(day(2000)).data_quality();
        assert_eq!(quality.n_heaps(), quality.heaps().len());
        let figures = |h: &dealcast::history::Heap| (h.date(), h.stage().to_owned(), h.n(), h.usual());
        quality.heaps().iter().map(figures).collect::<Vec<_>>()
    };
    let quiet = || (0..40).flat_map(|n| many(2, n, "a"));
    // Two a day are usual: 21 are more than 20 and more than ten times that, 20 are not.
    let with = |n, on, stage: &str| quiet().chain(more(n, on, stage)).collect::<Vec<_>>();
    assert_eq!(heaps(with(19, 20, "a")), [(day(20).date(), "a".to_owned(), 21, 2)]);
    assert_eq!(heaps(with(18, 20, "a")), []);
    // The first and the last day have neighbours on one side only.
    assert_eq!(heaps(with(98, 0, "a")).len() + heaps(with(98, 39, "a")).len(), 2);
    // Nobody else was ever lost: nothing to compare with.
    assert_eq!(heaps(with(500, 20, "lost")), []);
    // A batch of 60 every Monday, nothing in between, is this company's way.
    assert_eq!(heaps((0..20).flat_map(|week| many(60, 7 * week, "won")).collect()), []);
    // Growth from 1 to 60 a day over 300 days is no heap either, though 60 is 30 times what the first days saw.
    let growth = (0..300u64).flat_map(|n| many(1 + usize::try_from(n / 5).unwrap(), n, "a"));
    assert_eq!(heaps(growth.collect()), []);
    // Deals that were only found carry the day of an import openly.
    let found = (0..500).map(|i| DealEvent::new(format!("found {i}"), day(20), Change::Seen("a".into())));
    assert_eq!(heaps(quiet().chain(found).collect()), []);
    // The larger first.
    let two = quiet().chain(more(40, 5, "a")).chain(more(50, 30, "a"));
    assert_eq!(heaps(two.collect()).iter().map(|h| h.2).collect::<Vec<_>>(), [52, 42]);
}

fn readable(quality: &DataQuality) {
    let text = quality.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert!(text.lines().count() < 40 && !text.contains(['\u{202e}', '\u{0}']), "{text}");
    let json = serde_json::to_string(quality).unwrap();
    assert!(json.contains("\"n_stale\"") && quality.stale().len() <= 100 && quality.overdue().len() <= 100);
}

#[test]
fn hostile_logs() {
    let empty = log([]);
    let quality = empty.as_of(day(1)).data_quality();
    assert_eq!((quality.n_deals(), quality.default_close_share(), quality.backdated()), (0, None, None));
    readable(&quality);
    // Very long names of things, both ends of the calendar, a sum beyond all numbers.
    let stage = "\u{202e}\n".repeat(1000);
    let process = SalesProcess::new((0..197).map(|n| Stage::open(format!("{n:03}"))).chain([
        Stage::open(&stage),
        Stage::won("won"),
        Stage::lost("lost"),
    ]))
    .unwrap();
    let ends = [(NaiveDateTime::MIN, NaiveDate::MAX), (NaiveDateTime::MAX, NaiveDate::MIN)];
    let rows = (0..300).flat_map(|n| {
        let id = format!("{n}{}", "\u{0}\u{202e}x".repeat(1000));
        ends.map(|(at, close)| {
            DealEvent::new(id.clone(), at, Change::Entered(stage.clone()))
                .and(Change::ExpectedClose(Some(close)))
                .and(Change::Amount(Some(f64::MAX)))
                .recorded_at(NaiveDateTime::MAX)
        })
        .into_iter()
        .chain([DealEvent::new(id.clone(), NaiveDateTime::MIN, Change::Entered("000".into()))
            .and(Change::ExpectedClose(Some(NaiveDate::MIN)))
            .and(Change::Amount(Some(f64::MAX)))])
    });
    let log = DealLog::from_events(&process, rows).unwrap();
    for at in [NaiveDateTime::MIN, day(1), NaiveDateTime::MAX] {
        let known = log.as_of(at);
        readable(&known.data_quality());
        let text = known.conversion().to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 100) && !text.contains('\u{202e}'), "{text}");
    }
    let quality = log.as_of(day(1)).data_quality();
    assert_eq!((quality.n_overdue(), quality.overdue_amount(), quality.overdue().len()), (300, None, 100));
}

fn a_row() -> impl Strategy<Value = DealEvent> {
    let stage = prop_oneof![5 => "[abc]", 1 => Just("won".to_owned()), 1 => Just("lost".to_owned())];
    let change = prop_oneof![
        8 => stage.clone().prop_map(Change::Entered),
        1 => stage.prop_map(Change::Seen),
        1 => Just(Change::Removed),
    ];
    let close = proptest::option::of(0u64..60);
    ("[d-i]", 0u64..40, change, 0u64..4, close, proptest::option::of(0.0..9.0)).prop_map(
        |(deal, at, change, late, close, amount)| {
            DealEvent::new(deal, day(at), change)
                .and(Change::ExpectedClose(close.map(|n| day(n).date())))
                .and(Change::Amount(amount))
                .recorded_at(day(at + late))
        },
    )
}

proptest! {
    #[test]
    fn visits_and_deals_balance(rows in proptest::collection::vec(a_row(), 0..60), t in 0u64..50) {
        let log = log(rows);
        let known = log.as_of(day(t));
        let (conversion, quality, book) = (known.conversion(), known.data_quality(), known.snapshot());
        for (stage, n) in ["a", "b", "c"].map(|s| (s, book.open().iter().filter(|d| d.stage() == s).count())) {
            // Each open deal is in exactly one visit that is still open.
            prop_assert_eq!(conversion.n_still_open(stage).unwrap(), n);
            prop_assert_eq!(exits(&conversion, stage).iter().sum::<usize>(), conversion.n_ended(stage).unwrap());
            prop_assert_eq!(conversion.n_exits(stage, Next::Stage(stage)).unwrap(), 0);
            let rates = PLACES.map(|to| conversion.conversion_rate(stage, to).unwrap());
            match conversion.n_ended(stage).unwrap() {
                0 => prop_assert_eq!(rates, [None; 5]),
                // Five correctly rounded quotients and their sum: each within half a unit in the last place of 1.
                _ => prop_assert!((rates.iter().flatten().map(|r| r.get()).sum::<f64>() - 1.0).abs() < 5.0 * f64::EPSILON),
            }
        }
        prop_assert_eq!((quality.n_deals(), quality.n_open()), (known.n_deals(), book.n_open()));
        let late: Vec<_> = book.open().iter().filter(|d| d.expected_close().is_some_and(|c| c < day(t).date())).collect();
        prop_assert_eq!(quality.n_overdue(), late.len());
        let mut amounts: Vec<f64> = late.iter().filter_map(|d| d.amount()).map(Amount::get).collect();
        amounts.sort_by(f64::total_cmp);
        // At most ten terms below 9.
        prop_assert!((quality.overdue_amount().unwrap().get() - amounts.iter().sum::<f64>()).abs() < 1e-12);
        readable(&quality);
    }

    #[test]
    fn order_and_what_comes_later_leave_no_trace(
        rows in proptest::collection::vec(a_row(), 0..60),
        (later, t) in (proptest::collection::vec(a_row(), 0..20), 0u64..50),
    ) {
        let before = log(rows.clone());
        let unknown = later.into_iter().filter(|row| row.recorded_at.is_some_and(|known| known >= day(t)));
        let mut all: Vec<DealEvent> = unknown.chain(rows).collect();
        all.reverse();
        let after = log(all);
        let facts = |log: &DealLog| {
            let known = log.as_of(day(t));
            (known.conversion(), known.data_quality())
        };
        prop_assert_eq!(facts(&before), facts(&after));
    }
}

#[test]
fn real_logs_are_read_to_the_end() {
    let loans = ["submitted", "preaccepted", "accepted", "offer_sent", "offer_returned"];
    let projects = ["submitted", "refused", "appeal", "granted", "construction"];
    for (name, stages, at) in [("bpi2012", loans, date(2012, 2, 13)), ("repd", projects, date(2020, 6, 25))] {
        let Some(log) = real_log(name, &stages) else { continue };
        let known = log.as_of(at.unwrap());
        let (conversion, quality) = (known.conversion(), known.data_quality());
        println!("{name}\n{conversion}\n{quality}");
        readable(&quality);
        let still_open: usize = stages.iter().map(|stage| conversion.n_still_open(stage).unwrap()).sum();
        assert_eq!(still_open, known.snapshot().n_open());
        // Where no deal is removed or only found, every visit has an outcome or is open.
        let seen = [Finding::Removed, Finding::SeenFirst].map(|finding| log.receipt().count(finding));
        if seen == [0, 0] {
            assert!(stages.iter().all(|stage| conversion.n_out_of_sight(stage).unwrap() == 0));
        }
    }
}
