//! Laws of the fitted model on small companies whose truth is known.

use chrono::{Days, NaiveDate};
use dealcast::deals::{Change, DealEvent, DealLog};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{
    ErrorKind, FittedModel, ForecastModel, Period, SalesProcess, Seed, Snapshot, SnapshotRow, Split,
};
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    date(year, month, day).unwrap()
}

fn origin() -> NaiveDate {
    day(2020, 3, 2)
}

fn window() -> Period {
    Period::days(origin(), 28).unwrap()
}

/// Fourteen months of about one deal every other day.
fn company(world: World, seed: u64) -> Company {
    let mut truth = world.truth();
    truth.arrivals.daily *= 0.3;
    let history = Period::new(day(2019, 3, 1), day(2020, 5, 1)).unwrap();
    Company::new(truth, history, Seed::new(seed)).unwrap()
}

fn world() -> impl Strategy<Value = World> {
    prop_oneof![Just(World::Stationary), Just(World::Reopening), Just(World::Segments), Just(World::Dirty)]
}

/// The stored model and every figure of its forecast, as bytes.
fn bytes(log: &DealLog) -> (String, String) {
    let known = log.as_of(origin());
    let model = ForecastModel::default().fit(&known, &window()).unwrap();
    (serde_json::to_string(&model).unwrap(), figures(&model, &known.snapshot()))
}

fn figures(model: &FittedModel, book: &Snapshot) -> String {
    let forecast = model.forecast(book, &window()).unwrap();
    let levels = [0.05, 0.5, 0.9].map(|x| dealcast::Level::new(x).unwrap());
    let summary = serde_json::to_string(&forecast.summary(&levels, None)).unwrap();
    let chances = serde_json::to_string(&model.chances(book, &window()).unwrap()).unwrap();
    format!("{summary}\n{chances}\n{forecast}")
}

fn log_of(company: &Company, rows: &[DealEvent]) -> DealLog {
    DealLog::from_events(company.process(), rows).unwrap()
}

/// Whether a row is known at the origin.
fn known(row: &DealEvent) -> bool {
    row.at < origin().into() && row.recorded_at.is_none_or(|at| at < origin().into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Adding, deleting and altering what becomes known after the origin.
    #[test]
    fn the_future_changes_no_byte(world in world(), seed in 0_u64..1000, kind in 0_u8..4) {
        let company = company(world, seed);
        let rows = company.events().unwrap();
        let before = bytes(&log_of(&company, &rows));
        let mut changed: Vec<DealEvent> = match kind {
            0 => rows.iter().filter(|row| known(row)).cloned().collect(),
            _ => rows.clone(),
        };
        for row in changed.iter_mut().filter(|row| !known(row)) {
            match kind {
                1 => row.changes = vec![Change::Entered("won".into()), Change::Amount(Some(1e9))],
                2 => row.deal = format!("new-{}", row.deal),
                _ => {}
            }
        }
        // An old fact that becomes known only now, about every tenth deal, and deals nobody has heard of.
        let late: Vec<DealEvent> = rows.iter().filter(|row| known(row)).step_by(10).cloned().collect();
        for (i, row) in late.into_iter().enumerate() {
            let at = origin().checked_add_days(Days::new(3)).unwrap();
            changed.push(DealEvent::new(row.deal, row.at, Change::Entered("won".into())).recorded_at(at));
            changed.push(DealEvent::new(format!("A{i}"), at, Change::Entered("propose".into())));
        }
        prop_assert_eq!(before, bytes(&log_of(&company, &changed)));
    }

    #[test]
    fn rows_in_any_order_are_the_same_bytes(world in world(), seed in 0_u64..1000, by in 1_usize..1000) {
        let company = company(world, seed);
        let mut rows = company.events().unwrap();
        let before = bytes(&log_of(&company, &rows));
        let middle = by % rows.len();
        rows.rotate_left(middle);
        rows[..middle].reverse();
        prop_assert_eq!(before, bytes(&log_of(&company, &rows)));
    }

    /// Other ids in another order: no figure changes, to rounding of sums in another order.
    #[test]
    fn ids_mean_nothing(seed in 0_u64..1000) {
        let company = company(World::Stationary, seed);
        let rows = company.events().unwrap();
        let mut renamed = rows.clone();
        for row in &mut renamed {
            row.deal = row.deal.chars().rev().collect();
        }
        let ask = |rows: &[DealEvent]| {
            let log = log_of(&company, rows);
            let known = log.as_of(origin());
            let model = ForecastModel::default().fit(&known, &window()).unwrap();
            let forecast = model.forecast(&known.snapshot(), &window()).unwrap();
            (serde_json::to_string(&model).unwrap(), forecast.mean().to_bits(), forecast.quantile(dealcast::Level::HALF).to_bits())
        };
        prop_assert_eq!(ask(&rows), ask(&renamed));
    }

    /// Amounts in another unit, a power of two: every weighted figure scales to the last bit.
    #[test]
    fn amounts_scale(seed in 0_u64..1000, power in -20_i32..20) {
        let company = company(World::Stationary, seed);
        let rows = company.events().unwrap();
        let factor = 2.0_f64.powi(power);
        let mut scaled = rows.clone();
        for change in scaled.iter_mut().flat_map(|row| &mut row.changes) {
            if let Change::Amount(Some(amount)) = change {
                *amount *= factor;
            }
        }
        let ask = |rows: &[DealEvent]| {
            let log = log_of(&company, rows);
            let known = log.as_of(origin());
            let model = ForecastModel::default().fit(&known, &window()).unwrap();
            let weighted = model.weighted(&known.snapshot(), &window()).unwrap();
            [weighted.booked(), weighted.open(), weighted.new_business(), weighted.total()]
        };
        prop_assert_eq!(ask(&rows).map(|x| x * factor), ask(&scaled));
    }
}

fn fitted() -> (FittedModel, Snapshot) {
    let company = company(World::Segments, 5);
    let log = company.log().unwrap();
    let known = log.as_of(origin());
    (ForecastModel::default().fit(&known, &window()).unwrap(), known.snapshot())
}

#[test]
fn saved_and_reloaded_answers_the_same() {
    let (model, book) = fitted();
    let text = serde_json::to_string(&model).unwrap();
    let loaded: FittedModel = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&loaded).unwrap(), text);
    assert_eq!(figures(&loaded, &book), figures(&model, &book));
}

#[test]
fn a_hostile_model_is_refused_or_harmless() {
    let (model, book) = fitted();
    let text = serde_json::to_string(&model).unwrap();
    let mut refused = 0;
    // A walk over the text by a step that shares no factor with powers of two.
    let edits: [&[u8]; 6] = [b"f", b"7", b"0", b"-1", b"null", b"\""];
    for i in 0..400_usize {
        let mut hostile = text.clone().into_bytes();
        let place = i * 7919 % hostile.len();
        hostile.splice(place..=place, edits[i % edits.len()].iter().copied());
        let Ok(loaded) = serde_json::from_slice::<FittedModel>(&hostile) else {
            refused += 1;
            continue;
        };
        // Harmless: finite figures or a typed refusal. Every tenth is asked; each costs a forecast.
        if i % 10 == 0
            && let Ok(forecast) = loaded.forecast(&book, &window())
        {
            assert!(forecast.mean().is_finite() && forecast.noise_floor().is_finite(), "edit {i}");
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn more_time_never_lowers_a_chance() {
    let (model, book) = fitted();
    let chances = |days: u32| model.chances(&book, &Period::days(origin(), days).unwrap()).unwrap();
    for (short, long) in [(14, 15), (15, 28), (28, 40), (40, 56)] {
        for (now, later) in chances(short).iter().zip(chances(long)) {
            assert!(
                later.chance >= now.chance,
                "{} in {short} and {long} days: {} {}",
                now.deal,
                now.chance.get(),
                later.chance.get()
            );
        }
    }
}

#[test]
fn what_cannot_be_asked_is_a_typed_error() {
    let company = company(World::Stationary, 1);
    let log = company.log().unwrap();
    let known = log.as_of(origin());
    let default = ForecastModel::default();
    let fit = |start, days| default.fit(&known, &Period::days(start, days).unwrap()).map_err(|e| e.kind());
    assert_eq!(fit(day(2020, 1, 1), 30).unwrap_err(), ErrorKind::InvalidPeriod);
    assert_eq!(fit(origin(), 4000).unwrap_err(), ErrorKind::TooLarge);
    let model = fit(origin(), 28).unwrap();
    let book = known.snapshot();
    let ask = |book: &Snapshot, days| {
        model.forecast(book, &Period::days(origin(), days).unwrap()).map_err(|e| e.kind()).map(|_| ())
    };
    assert_eq!(ask(&book, 13), Err(ErrorKind::PeriodMismatch));
    assert_eq!(ask(&book, 14), Ok(()));
    assert_eq!(ask(&book, 56), Ok(()));
    assert_eq!(ask(&book, 57), Err(ErrorKind::PeriodMismatch));
    assert_eq!(ask(&log.as_of(day(2020, 2, 1)).snapshot(), 28), Err(ErrorKind::LookAhead));
    let other = SalesProcess::open(["a"]).unwrap();
    let other = Snapshot::from_rows(&other, origin().into(), []).unwrap();
    assert_eq!(ask(&other, 28), Err(ErrorKind::InvalidProcess));
    let none = DealLog::new(company.process());
    let error = default.fit(&none.as_of(origin()), &window()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoHistory);
}

/// One deal, all lost, all open: defined answers.
#[test]
fn little_history_is_an_answer() {
    let process = SalesProcess::open(["qualify", "propose"]).unwrap();
    let entered = |deal: usize, stage: &str, at: NaiveDate| {
        DealEvent::new(format!("D{deal}"), at, Change::Entered(stage.into())).and(Change::Amount(Some(1e3)))
    };
    let at = |i: usize| day(2019, 6, 1).checked_add_days(Days::new(3 * i as u64)).unwrap();
    let one = vec![entered(0, "qualify", at(0))];
    let open: Vec<_> = (0..40).map(|i| entered(i, "qualify", at(i))).collect();
    let closed = |stage: &str| -> Vec<DealEvent> {
        (0..40).flat_map(|i| [entered(i, "qualify", at(i)), entered(i, stage, at(i + 4))]).collect()
    };
    for (rows, evidence) in [(one, "low"), (open, "low"), (closed("lost"), "low"), (closed("won"), "enough")]
    {
        let log = DealLog::from_events(&process, &rows).unwrap();
        let known = log.as_of(origin());
        let model = ForecastModel::default().fit(&known, &window()).unwrap();
        // Whatever the history, a book of one deal has an answer.
        let deal = SnapshotRow {
            deal_id: "x".into(),
            stage: "propose".into(),
            amount: Some(5e3),
            ..SnapshotRow::default()
        };
        for book in [known.snapshot(), Snapshot::from_rows(&process, origin().into(), [deal]).unwrap()] {
            let forecast = model.forecast(&book, &window()).unwrap();
            let summary = serde_json::to_value(forecast.summary(&[], None)).unwrap();
            assert_eq!(summary["evidence"], evidence);
            assert!(
                ["mean", "sd", "n_won", "noise_floor"].iter().all(|name| summary[name].is_f64()),
                "{summary}"
            );
        }
    }
}

#[test]
fn deals_found_on_the_day_of_the_sync_are_no_arrivals() {
    // 300 deals are found when the history begins; from then on one is created each day, and won after a week.
    let process = SalesProcess::open(["offer"]).unwrap();
    let sync = date(2022, 1, 3).unwrap();
    let mut events: Vec<DealEvent> =
        (0..300).map(|n| DealEvent::new(format!("old {n:03}"), sync, Change::Seen("offer".into()))).collect();
    for (n, day) in sync.iter_days().skip(1).take(89).enumerate() {
        events.push(DealEvent::new(format!("new {n:03}"), day, Change::Entered("offer".into())));
        let won = day + Days::new(7);
        events.push(DealEvent::new(format!("new {n:03}"), won, Change::Entered("won".into())));
    }
    let log = DealLog::from_events(&process, events).unwrap();
    let known = log.as_of(date(2022, 4, 3).unwrap());
    let month = Period::new(date(2022, 4, 3).unwrap(), date(2022, 5, 1).unwrap()).unwrap();
    let model = ForecastModel::default().fit(&known, &month).unwrap();
    let deals = model.total_deals(&known.snapshot(), &month, Split::Whole).unwrap().weighted();
    // 28 are created, those of the last week are not won in time.
    assert!((deals.new_business() - 21.0).abs() < 3.0, "{}", deals.new_business());
}

/// Fifty deals of a year at these prices, some won, some lost.
fn priced(amount: impl Fn(u64) -> f64) -> DealLog {
    let process = SalesProcess::open(["offer"]).unwrap();
    let mut events = Vec::new();
    for n in 0..50_u64 {
        let created = day(2025, 1, 1) + Days::new(n * 21 % 360);
        let deal = |at, to: &str| DealEvent::new(format!("deal {n}"), at, Change::Entered(to.into()));
        events.push(deal(created, "offer").and(Change::Amount(Some(amount(n)))));
        if n % 2 == 0 {
            events.push(deal(created + Days::new(5 + n % 20), if n % 4 == 0 { "won" } else { "lost" }));
        }
    }
    DealLog::from_events(&process, events).unwrap()
}

#[test]
fn models_of_any_amounts_reload() {
    let year = day(2026, 1, 1);
    let prices: [&dyn Fn(u64) -> f64; 5] = [
        &|_| 99.0,
        &|n| f64::from(u8::try_from(n % 7 + 1).unwrap()) * 1e-300,
        &|_| 1e154,
        &|_| 5e-324,
        &|_| 0.0,
    ];
    for amount in prices {
        let log = priced(amount);
        let quarter = Period::days(year, 91).unwrap();
        let known = log.as_of(year);
        let model = ForecastModel::default().fit(&known, &quarter).unwrap();
        let text = serde_json::to_string(&model).unwrap();
        let again: FittedModel = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        assert!(model.forecast(&known.snapshot(), &quarter).is_ok_and(|said| said.mean().is_finite()));
    }
}

#[test]
fn a_period_without_end_is_not_laid_out() {
    let model = FittedModel::assumed(
        &SalesProcess::open(["offer"]).unwrap(),
        [dealcast::Probability::new(0.5).unwrap()],
        dealcast::Timing::ExpectedClose,
    )
    .unwrap();
    let row = |n: u32| SnapshotRow {
        deal_id: format!("deal {n}"),
        stage: "offer".into(),
        amount: Some(1.0),
        ..SnapshotRow::default()
    };
    let book = Snapshot::from_rows(model.process(), day(2026, 1, 1).into(), (0..2000).map(row)).unwrap();
    let ever = Period::new(day(2026, 1, 1), day(250_000, 1, 1)).unwrap();
    for split in [Split::Weeks, Split::Months] {
        let refused = model.total(&book, &ever, split).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TooLarge, "{refused}");
    }
}
