//! From a log to a fitted model and its answers: a million events, and the book of one company.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use dealcast::synthetic::{Company, World};
use dealcast::time::date;
use dealcast::{DealLog, ForecastModel, Period, Seed, Split};

/// A company of the stationary world with this many deals a day.
fn log(daily: f64) -> DealLog {
    let mut truth = World::Stationary.truth();
    truth.arrivals.daily = daily;
    let usual = Company::named(World::Stationary, Seed::new(1)).unwrap();
    Company::new(truth, *usual.history(), Seed::new(1)).unwrap().log().unwrap()
}

fn fit(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10);
    let origin = date(2023, 7, 1).unwrap();
    let quarter = Period::new(origin, date(2023, 10, 1).unwrap()).unwrap();
    for (name, daily) in [("1e4 events", 2.0), ("1e5 events", 20.0), ("1e6 events", 200.0)] {
        let log = log(daily);
        let known = log.as_of(origin);
        let model = ForecastModel::default();
        group.bench_function(format!("fit {name}"), |b| b.iter(|| model.fit(&known, &quarter).unwrap()));
        let fitted = model.fit(&known, &quarter).unwrap();
        let book = known.snapshot();
        group.bench_function(format!("weighted {name}, {} open", book.n_open()), |b| {
            b.iter(|| fitted.weighted(&book, &quarter).unwrap());
        });
        group.bench_function(format!("weighted by week {name}"), |b| {
            b.iter(|| fitted.total(&book, &quarter, Split::Weeks).unwrap().weighted());
        });
        group.bench_function(format!("forecast {name}"), |b| {
            b.iter(|| fitted.forecast(&book, &quarter).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, fit);
criterion_main!(benches);
