//! The backtest: shared work changes nothing, the future leaves no trace, hand-made windows come out.

use dealcast::backtest::{Backtest, Fold, Forecaster, PastWindows, Prediction, RollingOrigin};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{Change, DealEvent, DealLog, ForecastModel, Level, Result, SalesProcess, Seed};

/// The model without what folds share: every window is fitted on its own.
struct Alone(ForecastModel);

impl Forecaster for Alone {
    fn name(&self) -> String {
        "alone".to_owned()
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        self.0.forecast(fold)
    }
}

#[test]
fn sharing_history_and_replay_changes_no_bit() {
    for (world, step) in
        [(World::Stationary, 28), (World::Segments, 28), (World::Reopening, 28), (World::Dirty, 10)]
    {
        let log = Company::named(world, Seed::new(3)).unwrap().log().unwrap();
        let plan =
            RollingOrigin::new((date(2022, 9, 2).unwrap(), date(2023, 1, 6).unwrap()), step, 56).unwrap();
        let backtest = Backtest::new(&log, plan);
        let shared = backtest.run(&ForecastModel::default()).unwrap();
        let alone = backtest.run(&Alone(ForecastModel::default())).unwrap();
        assert!(shared.origins().len() >= 4);
        assert_eq!(shared.origins(), alone.origins(), "{world:?}");
    }
}

#[test]
fn what_happens_after_a_window_leaves_no_trace_in_it() {
    let events = Company::named(World::Seasonal, Seed::new(5)).unwrap().events().unwrap();
    let process = Company::named(World::Seasonal, Seed::new(5)).unwrap().process().clone();
    let cut = date(2022, 12, 2).unwrap();
    let earlier: Vec<DealEvent> = events.iter().filter(|event| event.at < cut.into()).cloned().collect();
    let plan = RollingOrigin::new((date(2022, 7, 1).unwrap(), date(2022, 10, 7).unwrap()), 14, 56).unwrap();
    let run = |events: &[DealEvent]| {
        let log = DealLog::from_events(&process, events).unwrap();
        Backtest::new(&log, plan.clone()).run(&ForecastModel::default()).unwrap()
    };
    assert_eq!(run(&events).origins(), run(&earlier).origins());
}

#[test]
fn past_windows_are_counted_by_hand() {
    let process = SalesProcess::open(["propose"]).unwrap();
    let mut events =
        vec![DealEvent::new("first", date(2026, 1, 1).unwrap(), Change::Entered("propose".into()))];
    // Won on days 5, 6 and 25 of January: 30 in the first ten days, 0 in the second, 40 in the third.
    for (deal, day, amount) in [("a", 5, 10.0), ("b", 6, 20.0), ("c", 25, 40.0)] {
        let won = DealEvent::new(deal, date(2026, 1, day).unwrap(), Change::Entered("won".into()));
        events.push(won.and(Change::Amount(Some(amount))));
    }
    events.push(DealEvent::new("last", date(2026, 2, 20).unwrap(), Change::Entered("propose".into())));
    let log = DealLog::from_events(&process, &events).unwrap();
    let plan = RollingOrigin::new((date(2026, 1, 31).unwrap(), date(2026, 2, 20).unwrap()), 10, 10).unwrap();
    let report = Backtest::new(&log, plan).target_windows(3).run(&PastWindows::last(3).unwrap()).unwrap();
    // The windows from 31 January and 10 February are complete; the one from 20 February is not.
    assert_eq!((report.origins().len(), report.n_incomplete()), (2, 1));
    let first = &report.origins()[0];
    assert!((first.money.mean - 70.0 / 3.0).abs() < 1e-12);
    assert_eq!(first.money.quantile(Level::HALF).unwrap(), 30.0);
    assert_eq!((first.money.actual, first.deals.as_ref().unwrap().mean), (0.0, 1.0));
    // E|X - 0| - E|X - X'| / 2 = 70/3 - (30 + 10 + 40) / 9
    assert!((first.money.crps - (70.0 / 3.0 - 80.0 / 9.0)).abs() < 1e-9);
    assert!((first.targets[1].0 - 70.0 / 3.0).abs() < 1e-12);
    assert!((first.targets[1].1.get() - 2.0 / 3.0).abs() < 1e-14);
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let day = |d| date(2026, 1, d).unwrap();
    assert!(RollingOrigin::new((day(2), day(1)), 7, 28).is_err());
    assert!(RollingOrigin::new((day(1), day(2)), 0, 28).is_err());
    assert!(RollingOrigin::new((day(1), day(2)), 7, 0).is_err());
    assert!(RollingOrigin::new((date(1, 1, 1).unwrap(), day(1)), 1, 28).is_err());
    let plan: std::result::Result<RollingOrigin, _> =
        serde_json::from_str(r#"{"from":"2026-01-01","to":"2025-01-01","step_days":7,"horizon_days":28}"#);
    assert!(plan.is_err());
}
