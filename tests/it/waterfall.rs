//! Waterfalls lead from the opening to the closing: on made-up logs, by hand, and on real ones between any two dates.

use dealcast::deals::{Bar, DealView, State, Waterfall};
use dealcast::tidy::StageRow;
use dealcast::time::date;
use dealcast::{Change, DealEvent, DealLog, Period, SalesProcess, Snapshot};
use flate2::read::MultiGzDecoder;
use proptest::prelude::*;
use std::path::PathBuf;

const STAGES: [&str; 5] = ["qualify", "propose", "negotiate", "won", "lost"];

fn day(n: u32) -> chrono::NaiveDate {
    date(2026, 1, 1).unwrap() + chrono::Days::new(n.into())
}

fn process() -> SalesProcess {
    SalesProcess::open(STAGES.into_iter().take(3)).unwrap()
}

/// Sums of up to a few thousand amounts, each rounded once.
const ROUNDING: f64 = 1e-12;

fn balances(waterfall: &Waterfall) {
    let bars = waterfall.bars();
    let scale = 1.0 + bars.iter().map(|(_, bar)| bar.amount.abs()).sum::<f64>();
    let changes: f64 = bars[..12].iter().map(|(_, bar)| bar.amount).sum();
    assert!((changes - waterfall.closing().amount).abs() <= ROUNDING * scale, "{waterfall}");
    let n = |bar: Bar| i64::try_from(bar.n).unwrap();
    let come = n(waterfall.created()) + n(waterfall.pulled_in()) + n(waterfall.reopened());
    let gone = [waterfall.pushed_out(), waterfall.won(), waterfall.lost(), waterfall.removed()].map(n);
    let deals = n(waterfall.opening()) + come - gone.into_iter().sum::<i64>();
    assert_eq!(deals, n(waterfall.closing()), "{waterfall}");
    let moves = [waterfall.moved_forward(), waterfall.moved_back()].map(|bar| bar.amount);
    assert_eq!(moves, [0.0, 0.0]);
}

/// A row: deal, day, stage or another change, amount, days to the expected close, days until it was recorded.
type Row = (u8, u32, u8, Option<u32>, Option<u32>, Option<u32>);

fn events(rows: &[Row]) -> Vec<DealEvent> {
    let event = |&(deal, at, stage, amount, close, late): &Row| {
        let at = day(at);
        let what = match usize::from(stage) {
            place @ 0..5 => Change::Entered(STAGES[place].into()),
            5 => Change::Removed,
            _ => Change::Amount(amount.map(|a| 0.1 * f64::from(a))),
        };
        let mut event = DealEvent::new(format!("D-{deal}"), at, what);
        if let Some(amount) = amount {
            event = event.and(Change::Amount(Some(0.1 * f64::from(amount))));
        }
        if let Some(close) = close {
            event = event.and(Change::ExpectedClose(Some(at + chrono::Days::new(close.into()))));
        }
        match late {
            Some(days) => event.recorded_at(at + chrono::Days::new(days.into())),
            None => event,
        }
    };
    rows.iter().map(event).collect()
}

/// What the bars show, in deals: created, pulled in, reopened, pushed out, won, lost, removed, up, down, forward, back.
fn shown(waterfall: &Waterfall) -> [usize; 11] {
    let w = waterfall;
    let come = [w.created(), w.pulled_in(), w.reopened()];
    let gone = [w.pushed_out(), w.won(), w.lost(), w.removed()];
    let changed = [w.amount_up(), w.amount_down(), w.moved_forward(), w.moved_back()];
    let all: Vec<usize> = come.iter().chain(&gone).chain(&changed).map(|bar| bar.n).collect();
    all.try_into().unwrap()
}

/// The same, deal by deal from what was known of each at the two instants.
fn counted(
    log: &DealLog,
    (from, to): (chrono::NaiveDate, chrono::NaiveDate),
    period: Option<&Period>,
) -> [usize; 11] {
    let (then, now) = (log.as_of(from), log.as_of(to));
    let mut n = [0; 11];
    for i in 0..12 {
        let [was, is] = [&then, &now].map(|known| known.deal(&format!("D-{i}")));
        let place = |deal: &Option<DealView<'_>>| match deal.as_ref().map(DealView::state) {
            Some(State::Open { stage, .. }) => STAGES.iter().position(|name| *name == stage),
            _ => None,
        };
        let inside = |deal: &Option<DealView<'_>>| {
            let close = deal.as_ref().and_then(DealView::expected_close);
            place(deal).filter(|_| period.is_none_or(|p| close.is_some_and(|day| p.contains(day.into()))))
        };
        let amount = |deal: &Option<DealView<'_>>| {
            deal.as_ref().and_then(DealView::amount).map_or(0.0, dealcast::Amount::get)
        };
        match (inside(&was), inside(&is)) {
            (None, Some(_)) if was.is_none() => n[0] += 1,
            (None, Some(_)) if place(&was).is_some() => n[1] += 1,
            (None, Some(_)) => n[2] += 1,
            (Some(_), None) => match is.as_ref().map(DealView::state) {
                Some(State::Open { .. }) => n[3] += 1,
                Some(State::Won { .. }) => n[4] += 1,
                Some(State::Lost { .. }) => n[5] += 1,
                _ => n[6] += 1,
            },
            (Some(before), Some(after)) => {
                n[7] += usize::from(amount(&is) > amount(&was));
                n[8] += usize::from(amount(&is) < amount(&was));
                n[9] += usize::from(after > before);
                n[10] += usize::from(after < before);
            }
            (None, None) => {}
        }
    }
    n
}

proptest! {
    #[test]
    fn every_log_balances(
        rows in proptest::collection::vec(
            (
                0_u8..12, 0_u32..60, 0_u8..7, proptest::option::of(0_u32..10_000), proptest::option::of(0_u32..90),
                proptest::option::weighted(0.2, 0_u32..20),
            ),
            0..80,
        ),
        from in 0_u32..70, length in 0_u32..40,
    ) {
        let log = DealLog::from_events(&process(), events(&rows)).unwrap();
        let (from, to) = (day(from), day(from + length));
        let quarter = Period::new(day(20), day(70)).unwrap();
        let all = Waterfall::of_log(&log, from, to).unwrap();
        let within = Waterfall::of_log_in(&log, from, to, &quarter).unwrap();
        balances(&all);
        balances(&within);
        prop_assert_eq!((all.pulled_in().n, all.pushed_out().n), (0, 0));
        let [opening, closing] = [from, to].map(|at| log.as_of(at).snapshot());
        prop_assert_eq!(all.opening().n, opening.n_open());
        prop_assert_eq!(all.closing().n, closing.n_open());
        // Two stored snapshots tell the same, except of removed deals.
        let stored = |s: &Snapshot| {
            serde_json::from_str::<Snapshot>(&serde_json::to_string(s).unwrap()).unwrap()
        };
        let between = Waterfall::between(&stored(&opening), &stored(&closing)).unwrap();
        balances(&between);
        balances(&Waterfall::between_in(&stored(&opening), &stored(&closing), &quarter).unwrap());
        prop_assert_eq!((between.opening(), between.closing()), (all.opening(), all.closing()));
        prop_assert_eq!((between.won(), between.lost(), between.removed()), (all.won(), all.lost(), all.removed()));
        prop_assert_eq!((between.amount_up(), between.moved_back()), (all.amount_up(), all.moved_back()));
        prop_assert_eq!(between.created().n + between.reopened().n, all.created().n + all.reopened().n);
        prop_assert_eq!(counted(&log, (from, to), None), shown(&all));
        prop_assert_eq!(counted(&log, (from, to), Some(&quarter)), shown(&within));
        // Nothing happens in no time.
        let still = Waterfall::of_log(&log, from, from).unwrap();
        prop_assert!(still.bars()[1..12].iter().all(|(_, bar)| bar.n == 0));
    }
}

#[test]
fn each_bar_by_hand() {
    let entered = |deal: &str, stage: &str, at: u32, amount: f64, close: u32| {
        DealEvent::new(deal, day(at), Change::Entered(stage.into()))
            .and(Change::Amount(Some(amount)))
            .and(Change::ExpectedClose(Some(day(close))))
    };
    let log = DealLog::from_events(
        &process(),
        [
            entered("up", "qualify", 1, 10.0, 50),
            entered("up", "propose", 12, 15.0, 51),
            entered("down", "negotiate", 1, 20.0, 50),
            entered("down", "propose", 12, 14.0, 50),
            entered("won", "propose", 1, 30.0, 50),
            entered("won", "won", 13, 33.0, 50),
            entered("lost", "propose", 1, 40.0, 50),
            entered("lost", "lost", 13, 40.0, 50),
            entered("removed", "propose", 1, 50.0, 50),
            DealEvent::new("removed", day(14), Change::Removed),
            entered("pushed", "propose", 1, 60.0, 50),
            DealEvent::new("pushed", day(14), Change::ExpectedClose(Some(day(120)))),
            entered("pulled", "propose", 1, 70.0, 120),
            DealEvent::new("pulled", day(14), Change::ExpectedClose(Some(day(50)))),
            entered("created", "qualify", 15, 80.0, 50),
            entered("reopened", "lost", 2, 90.0, 50),
            entered("reopened", "qualify", 15, 91.0, 50),
            // Comes and goes unseen.
            entered("blink", "qualify", 12, 1e6, 50),
            entered("blink", "lost", 13, 1e6, 50),
        ],
    )
    .unwrap();
    let quarter = Period::new(day(0), day(90)).unwrap();
    let week = Waterfall::of_log_in(&log, day(10), day(17), &quarter).unwrap();
    balances(&week);
    let bars: Vec<(f64, usize)> = week.bars().iter().map(|(_, bar)| (bar.amount, bar.n)).collect();
    let expected = [
        (210.0, 6), // opening
        (80.0, 1),
        (70.0, 1),
        (91.0, 1),
        (5.0, 1),
        (-6.0, 1),
        (0.0, 1),
        (0.0, 1),
        (-60.0, 1),
        (-30.0, 1),
        (-40.0, 1),
        (-50.0, 1),
        (270.0, 5),
    ];
    assert_eq!(bars, expected);
    let text = week.to_string();
    assert!(
        text.contains("pushed out         -60.0      1 deal") && text.ends_with("does not show"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100));
    let backward = Waterfall::of_log(&log, day(17), day(10)).unwrap_err();
    assert_eq!(backward.kind(), dealcast::ErrorKind::InvalidPeriod);
    let other = SalesProcess::open(["a"]).unwrap();
    let foreign = Snapshot::from_rows(&other, day(20).into(), []).unwrap();
    let refused = Waterfall::between(&log.as_of(day(10)).snapshot(), &foreign).unwrap_err();
    assert_eq!(refused.kind(), dealcast::ErrorKind::InvalidProcess);
}

#[test]
fn real_logs_balance_between_any_two_dates() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("DEALCAST_DATA").map_or_else(beside, PathBuf::from);
    let logs = [
        ("bpi2012", ["submitted", "preaccepted", "accepted", "offer_sent", "offer_returned"]),
        ("repd", ["submitted", "refused", "appeal", "granted", "construction"]),
    ];
    for (name, stages) in logs {
        let path = folder.join(name).join("events.csv.gz");
        let Ok(file) = std::fs::File::open(&path) else {
            println!("skipped: no {}", path.display());
            continue;
        };
        let rows = csv::Reader::from_reader(MultiGzDecoder::new(file)).into_deserialize::<StageRow>();
        let log = DealLog::from_rows(&SalesProcess::open(stages).unwrap(), rows).unwrap();
        let known = log.as_of(date(2200, 1, 1).unwrap());
        let created = known.deals().map(|deal| deal.created());
        let (first, last) = created
            .fold(None, |ends: Option<(_, _)>, at| {
                Some(ends.map_or((at, at), |(a, b)| (at.min(a), at.max(b))))
            })
            .unwrap();
        // Nine instants of no round hour, the last of them after everything; and the year in the middle.
        let span = (last - first) / 7;
        let instants: Vec<chrono::NaiveDateTime> = (0..9).map(|i| first + span * i).collect();
        let year = Period::days(instants[4].date(), 365).unwrap();
        let snapshots: Vec<Snapshot> = instants.iter().map(|at| log.as_of(*at).snapshot()).collect();
        for (i, from) in instants.iter().enumerate() {
            for (j, to) in instants.iter().enumerate().skip(i) {
                let all = Waterfall::of_log(&log, *from, *to).unwrap();
                balances(&all);
                balances(&Waterfall::of_log_in(&log, *from, *to, &year).unwrap());
                assert_eq!(
                    (all.opening().n, all.closing().n),
                    (snapshots[i].n_open(), snapshots[j].n_open())
                );
                let stored = Waterfall::between(&snapshots[i], &snapshots[j]).unwrap();
                balances(&stored);
                assert_eq!(
                    (stored.won(), stored.lost(), stored.closing()),
                    (all.won(), all.lost(), all.closing())
                );
            }
        }
    }
}
