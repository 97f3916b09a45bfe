//! Promises of the whole crate that no single room can keep: the main types cross threads, and the data of the examples
//! are what their page says.

use dealcast::synthetic::{
    Arrivals, Company, Destination, Exit, Market, Signals, StageTruth, Stay, Truth, World,
};
use dealcast::time::date;
use dealcast::{
    DealEvent, DealLog, Error, FiscalCalendar, FittedModel, Forecast, ForecastModel, ForecastOptions,
    GapAnalysis, Known, Period, PeriodForecast, Probability, SalesProcess, Seed, Snapshot, WeightedForecast,
};

#[allow(dead_code, reason = "what the measurement of speed writes is not committed")]
#[path = "../../examples/exports/write.rs"]
mod exports;

/// A service shares one model between its threads and moves books and answers among them.
#[test]
fn the_main_types_are_send_and_sync() {
    const fn crosses_threads<T: Send + Sync>() {}
    const {
        crosses_threads::<SalesProcess>();
        crosses_threads::<DealEvent>();
        crosses_threads::<DealLog>();
        crosses_threads::<Known<'_>>();
        crosses_threads::<Snapshot>();
        crosses_threads::<ForecastModel>();
        crosses_threads::<FittedModel>();
        crosses_threads::<ForecastOptions>();
        crosses_threads::<Forecast>();
        crosses_threads::<PeriodForecast>();
        crosses_threads::<GapAnalysis>();
        crosses_threads::<WeightedForecast>();
        crosses_threads::<FiscalCalendar>();
        crosses_threads::<Period>();
        crosses_threads::<Error>();
    }
}

/// The company behind `examples/data/pipeline.csv`.
fn example_company() -> Company {
    use Destination::{Lost, Stage, Won};
    let about = |median_days| Stay::LogNormal { median_days, spread: 0.8 };
    let stage = |name: &str, (to, onward, days): (Destination, f64, f64), lost_days: f64| StageTruth {
        name: name.to_owned(),
        exits: vec![
            Exit { to, weight: onward, stay: about(days) },
            Exit { to: Lost, weight: 1.0 - onward, stay: about(lost_days) },
        ],
        stale: Probability::new(0.02).unwrap(),
    };
    let base = World::Stationary.truth();
    let truth = Truth {
        stages: vec![
            stage("qualify", (Stage(1), 0.62, 10.0), 18.0),
            stage("demo", (Stage(2), 0.7, 12.0), 25.0),
            stage("propose", (Stage(3), 0.75, 16.0), 30.0),
            stage("negotiate", (Won, 0.8, 14.0), 25.0),
        ],
        arrivals: Arrivals { daily: 0.45, growth: 1.1, ..base.arrivals },
        market: Market { drift: 1.0, shock: 0.25 },
        signals: Signals::None,
        ..base
    };
    let history = Period::new(date(2023, 7, 1).unwrap(), date(2026, 3, 10).unwrap()).unwrap();
    Company::new(truth, history, Seed::new(2026)).unwrap()
}

/// The exports of the examples are what their generator writes.
#[test]
fn the_exports_of_the_examples_are_those_of_their_company() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let files = exports::files().unwrap();
    for (path, text) in &files {
        let stored = std::fs::read_to_string(folder.join(path)).unwrap();
        assert!(stored == *text, "examples/data/{path} is not what this company exports");
    }
    let n_weeks = files.iter().filter(|(path, _)| path.starts_with("dynamics/")).count();
    assert_eq!(std::fs::read_dir(folder.join("dynamics")).unwrap().count(), n_weeks);
}

#[test]
fn the_example_data_are_what_their_page_says() {
    let mut table = String::from("deal_id,stage,entered_at,amount\n");
    for row in example_company().rows().unwrap() {
        let cells = [row.deal_id, row.stage, row.entered_at, row.amount].map(Option::unwrap_or_default);
        table.push_str(&(cells.join(",") + "\n"));
    }
    let stored = include_str!("../../examples/data/pipeline.csv");
    assert!(table == stored, "examples/data/pipeline.csv is not what this company exports");
}
