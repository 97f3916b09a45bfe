//! What a backtest promises: the same bytes on any number of threads, no future in an answer, figures that can be made by
//! hand, parts that sum to the whole, and no claim that luck explains.

use chrono::{Days, NaiveDate, NaiveDateTime};
use dealcast::backtest::{
    AccuracyReport, Backtest, Baseline, Comparison, Fold, Forecaster, PastWindows, Prediction, RollingOrigin,
    Workers,
};
use dealcast::deals::State;
use dealcast::score::PairedErrors;
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{
    Change, DealEvent, DealLog, ErrorKind, Forecast, ForecastModel, Known, Level, Period, Probability,
    Result, SalesProcess, Seed,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    date(year, month, day).unwrap()
}

/// Three years of about one deal every other day.
fn small(world: World) -> DealLog {
    let mut truth = world.truth();
    truth.arrivals.daily *= 0.3;
    let history = Period::new(day(2021, 1, 4), day(2024, 1, 1)).unwrap();
    Company::new(truth, history, Seed::new(11)).unwrap().log().unwrap()
}

/// Eight origins four weeks apart.
fn plan() -> RollingOrigin {
    RollingOrigin::new((day(2023, 1, 2), day(2023, 7, 17)), 28, 56).unwrap()
}

fn text(report: &AccuracyReport) -> String {
    serde_json::to_string(report).unwrap()
}

#[test]
fn threads_change_no_byte() {
    let log = small(World::Segments);
    let plan = plan().with_horizons([28, 56]).unwrap();
    let run = |forecaster: &dyn Forecaster, threads| {
        let backtest = Backtest::new(&log, plan.clone()).by_segment("segment").threads(threads);
        text(&backtest.run(forecaster).unwrap())
    };
    let forecasters: [&dyn Forecaster; 2] = [&ForecastModel::default(), &Baseline::landmark()];
    for forecaster in forecasters {
        let alone = run(forecaster, 1);
        assert!(alone.len() > 10_000);
        for threads in [0, 2, 3] {
            assert_eq!(run(forecaster, threads), alone, "{} on {threads} threads", forecaster.name());
        }
    }
}

/// The progress of a run that is told to stop once so many windows are done, and how it ended.
fn watched(log: &DealLog, threads: usize, stop_at: usize) -> (Vec<(usize, usize)>, Result<AccuracyReport>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&told);
    let backtest = Backtest::new(log, plan()).threads(threads).progress(move |progress| {
        notes.lock().unwrap().push((progress.done(), progress.of()));
        if progress.done() >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = backtest.run(&Baseline::run_rate());
    let told = told.lock().unwrap().clone();
    (told, report)
}

#[test]
fn progress_counts_every_window_and_can_stop_the_run() {
    let log = small(World::Stationary);
    for threads in [1, 3] {
        let (told, report) = watched(&log, threads, usize::MAX);
        assert!(report.is_ok());
        assert!(told.is_sorted() && told.iter().all(|&(_, of)| of == 8), "{told:?}");
        let counted: BTreeSet<usize> = told.iter().map(|&(done, _)| done).collect();
        assert!(counted.into_iter().eq(0..=8), "{told:?}");
        // Stopped before the first window, after the third, and with the last.
        for stop_at in [0, 3, 8] {
            let (told, report) = watched(&log, threads, stop_at);
            assert_eq!(report.unwrap_err().kind(), ErrorKind::Cancelled);
            let beyond = told.iter().filter(|&&(done, _)| done >= stop_at).count();
            assert_eq!(beyond, 1, "told again after it said stop: {told:?}");
        }
    }
    let cancelled = Backtest::new(&log, plan())
        .progress(|_| ControlFlow::Break(()))
        .audit(|_| Box::new(Baseline::run_rate()));
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
}

/// Answers 1, and breaks at one origin. Quietly: no hook prints.
struct Breaks(NaiveDate);

impl Forecaster for Breaks {
    fn name(&self) -> String {
        "breaks".to_owned()
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        if fold.period.start() == self.0 {
            resume_unwind(Box::new("broken"));
        }
        Ok(Prediction::new(Forecast::from_samples(&[1.0])?))
    }
}

/// What a closure returns, unless it panics; the test fails if it takes a minute.
fn caught<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::thread::Result<T> {
    let (send, done) = mpsc::channel();
    std::thread::spawn(move || send.send(catch_unwind(AssertUnwindSafe(work))));
    done.recv_timeout(Duration::from_secs(60)).expect("hangs")
}

#[test]
fn a_panic_of_the_caller_ends_the_run_and_nothing_else() {
    let log = Arc::new(small(World::Stationary));
    for threads in [1, 2, 3] {
        for origin in [day(2023, 1, 2), day(2023, 3, 27), day(2023, 7, 17)] {
            let log = Arc::clone(&log);
            let run = move || Backtest::new(&log, plan()).threads(threads).run(&Breaks(origin)).map(|_| ());
            assert!(caught(run).is_err(), "a panic got lost on {threads} threads");
        }
        let watched = Arc::clone(&log);
        let run = move || {
            let backtest = Backtest::new(&watched, plan()).threads(threads);
            backtest.progress(|_| resume_unwind(Box::new("broken"))).run(&Baseline::run_rate()).map(|_| ())
        };
        assert!(caught(run).is_err());
        let sound = Arc::clone(&log);
        let run = move || Backtest::new(&sound, plan()).threads(threads).run(&Breaks(day(2020, 1, 1)));
        assert_eq!(caught(run).unwrap().unwrap().origins().len(), 8);
    }
}

/// What was won in a window, as far as a view of the log shows it.
fn won(known: &Known<'_>, window: &Period) -> BTreeMap<String, f64> {
    let inside = |at: NaiveDateTime| window.start() <= at.date() && at.date() < window.end();
    let deals = known.deals().filter(|deal| matches!(deal.state(), State::Won { at, .. } if inside(at)));
    deals.map(|deal| (deal.id().to_owned(), deal.amount().map_or(0.0, dealcast::Amount::get))).collect()
}

/// Ways to know the future, and one that only tries.
enum Spy<'l> {
    /// Keeps the whole log it was made from.
    Keeps(&'l DealLog),
    /// Looks at the latest window for every window.
    Ahead,
    /// Remembers what it has seen in any call.
    Remembers(Arc<Mutex<BTreeMap<String, (NaiveDate, f64)>>>),
    /// Knocks at every door of what was known.
    Knocks,
}

impl Forecaster for Spy<'_> {
    fn name(&self) -> String {
        "spy".to_owned()
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        let total = match self {
            Self::Keeps(log) => won(&log.as_of(NaiveDateTime::MAX), &fold.period).values().sum(),
            Self::Ahead => won(&fold.known, &fold.period).values().sum(),
            Self::Remembers(seen) => {
                let mut seen = seen.lock().unwrap();
                for deal in fold.known.deals() {
                    if let State::Won { at, .. } = deal.state() {
                        let amount = deal.amount().map_or(0.0, dealcast::Amount::get);
                        seen.insert(deal.id().to_owned(), (at.date(), amount));
                    }
                }
                let inside = |at: NaiveDate| fold.period.start() <= at && at < fold.period.end();
                seen.values().filter(|won| inside(won.0)).map(|won| won.1).sum()
            }
            Self::Knocks => knock(&fold.known, &fold.period),
        };
        Ok(Prediction::new(Forecast::from_samples(&[total])?))
    }

    fn forecast_all(&self, folds: &[Fold<'_>], workers: &Workers) -> Result<Vec<Prediction>> {
        let (Self::Ahead, Some(last)) = (self, folds.last()) else {
            return workers.each(folds, |fold| self.forecast(fold));
        };
        workers.each(folds, |fold| self.forecast(&Fold { known: last.known, ..*fold }))
    }
}

/// Everything that later instants could add, were they within reach.
fn knock(known: &Known<'_>, window: &Period) -> f64 {
    let later = known.as_of(window.end()).as_of(NaiveDateTime::MAX);
    let book = later.snapshot();
    let ids: Vec<&str> = later.deals().map(|deal| deal.id()).collect();
    let stages = later.deals().filter_map(|deal| Some(deal.stage()?.name().len()));
    let placed: usize = stages.sum();
    let amounts: f64 = ids.iter().filter_map(|id| later.deal(id)?.amount()).map(dealcast::Amount::get).sum();
    let rates = later.conversion().to_string().len();
    let booked = book.booked(window).unwrap().amount().get();
    amounts + booked + placed as f64 + rates as f64 + book.n_open() as f64 + later.attributes().len() as f64
}

#[test]
fn a_planted_leak_is_caught_and_the_honest_are_not_accused() {
    let log = small(World::Dirty);
    let backtest = Backtest::new(&log, plan());
    let keeps = backtest.audit(|log| Box::new(Spy::Keeps(log))).unwrap();
    // Every window, whichever way the future is changed.
    assert_eq!((keeps.n(), keeps.leaks().len()), (8, 16));
    let ahead = backtest.audit(|_| Box::new(Spy::Ahead)).unwrap();
    assert!(!ahead.is_clean(), "{ahead}");
    let seen = Arc::default();
    let remembers = backtest.audit(|_| Box::new(Spy::Remembers(Arc::clone(&seen)))).unwrap();
    assert!(!remembers.is_clean(), "{remembers}");
    for (name, leaky) in [("keeps", keeps), ("ahead", ahead), ("remembers", remembers)] {
        assert!(leaky.to_string().contains("LOOK-AHEAD"), "{name}");
        assert!(leaky.leaks().iter().any(|leak| leak.moved_by.abs() > 0.0), "{name}");
    }
    let knocks = backtest.audit(|_| Box::new(Spy::Knocks)).unwrap();
    assert!(knocks.is_clean(), "{knocks}");
    for baseline in Baseline::all(log.process()) {
        let audit = backtest.audit(|_| Box::new(baseline.clone())).unwrap();
        assert!(audit.is_clean(), "{audit}");
    }
    let model = backtest.audit(|_| Box::new(ForecastModel::default())).unwrap();
    assert!(model.is_clean(), "{model}");
    let windows = backtest.audit(|_| Box::new(PastWindows::last(4).unwrap())).unwrap();
    assert!(windows.is_clean(), "{windows}");
}

/// The origin of the hand-made logs, and days before it.
fn origin() -> NaiveDate {
    day(2026, 3, 30)
}

fn before(days: i64) -> NaiveDate {
    if days >= 0 {
        origin().checked_sub_days(Days::new(days.unsigned_abs())).unwrap()
    } else {
        origin().checked_add_days(Days::new(days.unsigned_abs())).unwrap()
    }
}

/// A log of deals: an amount, and the stages entered with the day before the origin.
fn by_hand(deals: &[(f64, &[(&str, i64)])]) -> DealLog {
    let process = SalesProcess::open(["a", "b"]).unwrap();
    let mut events = Vec::new();
    for (number, (amount, moves)) in deals.iter().enumerate() {
        for (stage, days) in *moves {
            let entered =
                DealEvent::new(format!("D{number}"), before(*days), Change::Entered((*stage).into()));
            events.push(entered.and(Change::Amount(Some(*amount))));
        }
    }
    DealLog::from_events(&process, &events).unwrap()
}

fn only_window(log: &DealLog, horizon: u32, baseline: &Baseline) -> AccuracyReport {
    let plan = RollingOrigin::new((origin(), origin()), 7, horizon).unwrap();
    let until = before(-i64::from(horizon));
    Backtest::new(log, plan).until(until).run(baseline).unwrap()
}

fn close(found: f64, expected: f64, what: &str) {
    // A few operations on numbers of three digits.
    assert!((found - expected).abs() < 1e-11, "{what}: {found}, not {expected}");
}

/// Fifty days of history: too short for past errors, so that each number is spread by 30 %.
#[test]
fn every_baseline_by_hand() {
    let log = by_hand(&[
        (100.0, &[("a", 50), ("b", 40), ("won", 20)]),
        (40.0, &[("a", 48), ("lost", 30)]),
        (60.0, &[("a", 45), ("won", 33)]),
        (200.0, &[("a", 30), ("b", 15), ("won", -5)]),
        (50.0, &[("a", 12)]),
        (30.0, &[("b", 10), ("lost", 5)]),
        (70.0, &[("a", -3), ("won", -9)]),
    ]);
    let percent = [0.25, 0.5].map(|p| Probability::new(p).unwrap());
    // Landmarks 28, 35, 42 and 49 days before: in the first stage 7 deals stood there, 3 of them won in time, in the
    // second 2 and 2; between 8 and 14 days in the first stage it was 3 and 2. Ten deals more count as the stage.
    let landmark_deals = 1.0 + (2.0 + 10.0 * 3.0 / 7.0) / 13.0 + 0.25;
    // In money 600 stood and 220 were won, 200 and 160 at that age; one of four windows won 60 of deals that came later.
    let prior = 10.0 * 600.0 / 7.0;
    let landmark_money = 200.0 + 50.0 * (160.0 + prior * 220.0 / 600.0) / (200.0 + prior) + 60.0 / 4.0;
    let cases = [
        (Baseline::last_period(), 100.0, 1.0, None),
        // A year of history is missing.
        (Baseline::same_period_last_year(), 100.0, 1.0, None),
        (Baseline::run_rate(), 160.0 * 28.0 / 50.0, 2.0 * 28.0 / 50.0, None),
        (
            Baseline::crm_stages(log.process(), percent).unwrap(),
            200.0 * 0.5 + 50.0 * 0.25,
            0.75,
            Some((0.5, 0.25)),
        ),
        // First stage: two won, one of them within 28 days of entering it, one lost. Second: one and one.
        (Baseline::closed_only(), 200.0 / 2.0 + 50.0 / 3.0, 0.5 + 1.0 / 3.0, Some((0.5, 1.0 / 3.0))),
        (Baseline::landmark(), landmark_money, landmark_deals, Some((1.0, (2.0 + 10.0 * 3.0 / 7.0) / 13.0))),
    ];
    for (baseline, money, deals, chances) in cases {
        let name = baseline.name();
        let report = only_window(&log, 28, &baseline);
        let [window] = report.origins() else { panic!("{name}: {} windows", report.origins().len()) };
        close(window.money.mean, money, &name);
        close(window.deals.as_ref().unwrap().mean, deals, &name);
        close(window.money.actual, 270.0, &name);
        close(window.deals.as_ref().unwrap().actual, 2.0, &name);
        // .7, 1 and 1.3 times the number, equally likely.
        close(window.money.quantile(Level::new(0.025).unwrap()).unwrap(), 0.7 * money, &name);
        close(window.money.quantile(Level::HALF).unwrap(), money, &name);
        close(window.money.quantile(Level::new(0.975).unwrap()).unwrap(), 1.3 * money, &name);
        let stated = report.chances().map(|of| (of.curve.iter().map(|step| step.n).sum::<usize>(), of.brier));
        // D3 is won, D4 is not.
        let brier = chances.map(|(won, open): (f64, f64)| f64::midpoint((1.0 - won).powi(2), open.powi(2)));
        assert_eq!(stated.map(|of| of.0), brier.map(|_| 2), "{name}");
        close(stated.map_or(0.0, |of| of.1), brier.unwrap_or(0.0), &name);
    }
}

#[test]
fn last_year_and_past_errors_by_hand() {
    let year = by_hand(&[
        (1.0, &[("a", 370)]),
        (80.0, &[("a", 365), ("won", 364)]),
        (20.0, &[("a", 365), ("won", 337)]),
        (7.0, &[("a", 365), ("won", 336)]),
    ]);
    let window = &only_window(&year, 28, &Baseline::same_period_last_year()).origins()[0].money.clone();
    close(window.mean, 100.0, "last year");
    // Weeks that won 10, 20, 10 and 40: last week's number was 10 when 40 came, 20 when 10 came, 10 when 20 came.
    // Those errors, 4, 1/2 and 2 times the number, spread today's 40 around itself.
    let weeks = by_hand(&[
        (1.0, &[("a", 29)]),
        (10.0, &[("a", 29), ("won", 24)]),
        (20.0, &[("a", 29), ("won", 17)]),
        (10.0, &[("a", 29), ("won", 10)]),
        (40.0, &[("a", 29), ("won", 3)]),
    ]);
    let window = &only_window(&weeks, 7, &Baseline::last_period()).origins()[0].money.clone();
    close(window.mean, 40.0, "last week");
    for (level, share) in [(0.025, 0.5), (0.5, 2.0), (0.975, 4.0)] {
        let expected = 40.0 * share / ((4.0 + 0.5 + 2.0) / 3.0);
        close(window.quantile(Level::new(level).unwrap()).unwrap(), expected, "last week");
    }
}

/// Sums of some dozen windows, in another order.
fn same(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

#[test]
fn segments_and_horizons_sum_to_the_whole() {
    let log = small(World::Segments);
    let plan = plan().with_horizons([14, 28, 56]).unwrap();
    let report = Backtest::new(&log, plan).by_segment("segment").run(&Baseline::run_rate()).unwrap();
    assert_eq!((report.segments().len(), report.origins().len()), (3, 24));
    for (place, whole) in report.origins().iter().enumerate() {
        let parts = || report.segments().iter().map(|(_, segment)| &segment.origins()[place]);
        assert!(parts().all(|part| (part.origin, part.horizon_days) == (whole.origin, whole.horizon_days)));
        assert!(same(parts().map(|part| part.money.actual).sum(), whole.money.actual));
        // A run rate is linear in what was won.
        assert!(same(parts().map(|part| part.money.mean).sum(), whole.money.mean));
        let wins = |of: &dealcast::backtest::OriginScore| of.deals.as_ref().unwrap().actual;
        assert!(same(parts().map(wins).sum(), wins(whole)));
    }
    let money = report.money().unwrap();
    let horizons = report.by_horizon();
    assert_eq!(horizons.iter().map(|horizon| horizon.money.n).sum::<usize>(), money.n);
    let of_length = |days: u32| report.origins().iter().filter(move |origin| origin.horizon_days == days);
    let total = |score: fn(&dealcast::backtest::Scored) -> f64| -> f64 {
        report.origins().iter().map(|origin| score(&origin.money)).sum()
    };
    let weighted: f64 = horizons
        .iter()
        .map(|of| of.money.ncrps.unwrap() * of_length(of.horizon_days).map(|o| o.money.actual).sum::<f64>())
        .sum();
    assert!(same(weighted, total(|money| money.crps)));
    assert!(same(money.ncrps.unwrap(), total(|money| money.crps) / total(|money| money.actual)));
    for (whole, i) in money.held().iter().zip(0..) {
        let inside: usize = horizons.iter().map(|of| of.money.held()[i].coverage().n_inside()).sum();
        assert_eq!(whole.coverage().n_inside(), inside);
    }
}

#[test]
fn a_stored_report_is_the_same_report() {
    let log = small(World::Segments);
    let plan = plan().with_horizons([28, 56]).unwrap();
    for forecaster in [&ForecastModel::default() as &dyn Forecaster, &Baseline::run_rate()] {
        let backtest = Backtest::new(&log, plan.clone()).by_segment("segment");
        let report = backtest.run(forecaster).unwrap();
        let stored = text(&report);
        let mut loaded: AccuracyReport = serde_json::from_str(&stored).unwrap();
        for _ in 0..3 {
            assert_eq!(text(&loaded), stored);
            assert_eq!(loaded, report);
            loaded = serde_json::from_str(&text(&loaded)).unwrap();
        }
        assert_eq!(loaded.against(&report).unwrap().ratio(), Some(1.0));
    }
}

#[test]
fn a_report_of_another_version_or_of_nonsense_is_refused() {
    let log = small(World::Stationary);
    let report = Backtest::new(&log, plan()).run(&Baseline::landmark()).unwrap();
    let stored: Value = serde_json::from_str(&text(&report)).unwrap();
    let read = |value: Value| serde_json::from_value::<AccuracyReport>(value).map_err(|e| e.to_string());
    assert!(read(stored.clone()).is_ok());
    let with = |path: &str, value: Value| {
        let mut changed = stored.clone();
        *changed.pointer_mut(path).unwrap() = value;
        read(changed)
    };
    for version in [0, 2, 4_000_000_000_u32] {
        let error = with("/version", json!(version)).unwrap_err();
        assert!(
            error.contains("version 1 of a stored report") && error.contains(&version.to_string()),
            "{error}"
        );
    }
    for (path, value) in [
        ("/step_days", json!(0)),
        ("/origins/0/horizon_days", json!(0)),
        ("/origins/0/money/crps", json!(-1.0)),
        ("/origins/0/money/mean", Value::Null),
        ("/origins/0/money/pit", json!(1.5)),
        ("/origins/0/money/quantiles/0", json!(1e300)),
        ("/origins/0/origin", json!("2024-01-01")),
        ("/origins/0/noise_floor", json!(-1.0)),
        ("/chances/brier", json!(-0.1)),
        ("/chances/n_won", json!(u64::from(u32::MAX))),
    ] {
        assert!(with(path, value.clone()).is_err(), "{path} = {value} was accepted");
    }
    let mut typo = stored.clone();
    typo["forcaster"] = json!("x");
    assert!(read(typo).is_err());
}

fn fields(of: &Value) -> Vec<&str> {
    of.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn charts_have_the_fields_that_ci_reads_and_no_others() {
    let log = small(World::Stationary);
    let report = Backtest::new(&log, plan()).run(&ForecastModel::default()).unwrap();
    let charts = report.charts("sales").unwrap();
    let nested = serde_json::to_value(&charts).unwrap();
    assert_eq!(fields(&nested), ["sales"]);
    let measures = [
        "bias_distance",
        "brier",
        "coverage_80_distance",
        "deals_bias_distance",
        "deals_coverage_80_distance",
        "deals_ncrps",
        "deals_wape",
        "miscalibration",
        "ncrps",
        "wape",
    ];
    assert_eq!(fields(&nested["sales"]), measures);
    let array = serde_json::to_value(charts.points()).unwrap();
    let array = array.as_array().unwrap();
    let names: Vec<&str> = array.iter().map(|point| point["name"].as_str().unwrap()).collect();
    assert_eq!(names, measures.map(|name| format!("sales: {name}")));
    let mut with_range = 0;
    for (point, measure) in array.iter().zip(nested["sales"].as_object().unwrap().values()) {
        let value = measure["value"].as_f64().unwrap();
        assert!(value >= 0.0 && value.is_finite() && point["value"] == measure["value"]);
        assert_eq!(point["unit"], "ratio");
        if measure.get("lower_value").is_some() {
            with_range += 1;
            assert_eq!(fields(measure), ["lower_value", "upper_value", "value"]);
            assert_eq!(fields(point), ["name", "range", "unit", "value"]);
        } else {
            assert_eq!((fields(measure), fields(point)), (vec!["value"], vec!["name", "unit", "value"]));
        }
    }
    assert_eq!(with_range, 2);
}

#[test]
fn under_ten_windows_nothing_is_significant() {
    let log = small(World::Stationary);
    let compared = |n: u64| {
        let from = day(2022, 1, 3);
        let to = from.checked_add_days(Days::new(28 * (n - 1))).unwrap();
        let backtest = Backtest::new(&log, RollingOrigin::new((from, to), 28, 28).unwrap());
        let landmark = backtest.run(&Baseline::landmark()).unwrap();
        landmark.against(&backtest.run(&Baseline::last_period()).unwrap()).unwrap()
    };
    for n in [1, 9] {
        let few = compared(n);
        assert!(few.p_value().is_none() && !few.is_closer() && !few.is_further(), "{few}");
    }
    let enough = compared(10);
    assert_eq!(enough.n(), 10);
    assert!(enough.p_value().is_some(), "{enough}");
}

/// What is true of a world, learned from a century of it that no tested company has lived.
struct Truth(Forecast);

impl Forecaster for Truth {
    fn name(&self) -> String {
        "the truth".to_owned()
    }

    fn forecast(&self, _: &Fold<'_>) -> Result<Prediction> {
        Ok(Prediction::new(self.0.clone()))
    }
}

/// Deals that are decided the moment they are created tell nothing: nobody can be closer than the distribution that is
/// true of every window. Sixteen companies, four windows each; one comparison accuses an honest method less than one time
/// in forty, and the seeds are fixed.
#[test]
fn where_nothing_can_be_known_no_skill_is_claimed() {
    let company = |history, seed| Company::new(World::NullSignal.truth(), history, Seed::new(seed)).unwrap();
    let century = Period::new(day(1924, 1, 1), day(2024, 1, 1)).unwrap();
    let log = company(century, 2026).log().unwrap();
    let windows = RollingOrigin::new((day(1924, 1, 1), day(2023, 9, 1)), 91, 91).unwrap();
    let lived = log.as_of(NaiveDateTime::MAX);
    let samples: Vec<f64> = windows.windows().map(|window| won(&lived, &window).values().sum()).collect();
    let truth = Truth(Forecast::from_samples(&samples).unwrap());

    let history = Period::new(day(2021, 1, 4), day(2024, 1, 1)).unwrap();
    let plan = RollingOrigin::new((day(2023, 1, 2), day(2023, 10, 2)), 91, 91).unwrap();
    let logs: Vec<DealLog> = (0..16).map(|seed| company(history, seed).log().unwrap()).collect();
    let losses = |forecaster: &dyn Forecaster| -> Vec<f64> {
        let loss = |log: &DealLog| {
            let report = Backtest::new(log, plan.clone()).until(history.end()).run(forecaster).unwrap();
            assert!(report.chances().is_none(), "no deal is ever open");
            report.origins().iter().map(|origin| origin.money.crps).sum()
        };
        logs.iter().map(loss).collect()
    };
    let best = losses(&truth);
    for forecaster in
        [&ForecastModel::default() as &dyn Forecaster, &Baseline::last_period(), &Baseline::run_rate()]
    {
        let pairs = losses(forecaster).into_iter().zip(&best).map(|(a, &b)| PairedErrors { a, b });
        let pairs: Vec<PairedErrors> = pairs.collect();
        let comparison =
            Comparison::of((&forecaster.name(), "the truth"), &pairs, NonZeroUsize::MIN).unwrap();
        println!("{comparison}");
        assert!(!comparison.is_closer(), "{comparison}");
    }
}

#[test]
fn grids_without_a_complete_window() {
    let process = SalesProcess::open(["a", "b"]).unwrap();
    let empty = DealLog::from_events(&process, Vec::<DealEvent>::new()).unwrap();
    let log = small(World::Stationary);
    let long = RollingOrigin::new((day(2022, 1, 3), day(2022, 2, 28)), 28, 3000).unwrap();
    for (log, plan, n) in [(&empty, plan(), 8), (&log, long, 3)] {
        let backtest = Backtest::new(log, plan).by_segment("segment");
        for forecaster in [&ForecastModel::default() as &dyn Forecaster, &Baseline::landmark()] {
            let report = backtest.run(forecaster).unwrap();
            assert_eq!((report.origins().len(), report.n_incomplete()), (0, n));
            assert!(report.money().is_none() && report.brier().is_none() && report.segments().is_empty());
            assert!(report.to_string().contains("0 windows"), "{report}");
            assert_eq!(serde_json::to_string(&report.charts("x").unwrap()).unwrap(), "{}");
            assert_eq!(report.against(&report).unwrap_err().kind(), ErrorKind::Missing);
            let loaded: AccuracyReport = serde_json::from_str(&text(&report)).unwrap();
            assert_eq!(text(&loaded), text(&report));
        }
        let audit = backtest.audit(|_| Box::new(Baseline::landmark()));
        assert_eq!(audit.unwrap_err().kind(), ErrorKind::Missing);
    }
    // Said to be complete, but nothing was known.
    let nothing = Backtest::new(&empty, plan()).until(day(2024, 1, 1));
    for baseline in Baseline::all(&process) {
        assert_eq!(nothing.run(&baseline).unwrap_err().kind(), ErrorKind::NoHistory, "{baseline:?}");
    }
    assert_eq!(nothing.run(&ForecastModel::default()).unwrap_err().kind(), ErrorKind::NoHistory);
}

#[test]
fn one_origin_is_a_report() {
    let log = small(World::Stationary);
    let plan = RollingOrigin::new((day(2023, 1, 2), day(2023, 1, 2)), 1, 1).unwrap();
    let report = Backtest::new(&log, plan).run(&ForecastModel::default()).unwrap();
    assert_eq!((report.origins().len(), report.n_incomplete()), (1, 0));
    assert_eq!(report.money().unwrap().n, 1);
    assert!(report.charts("x").is_ok());
    let alone = report.against(&report).unwrap();
    assert_eq!((alone.n(), alone.n_closer(), alone.interval(), alone.p_value()), (1, 0, None, None));
}
