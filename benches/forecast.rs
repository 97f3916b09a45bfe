//! Engines of the period's total on a book of fixed seed: log-normal amounts, stage-like chances.
#![allow(missing_docs, reason = "criterion's macros write undocumented items")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dealcast::forecast::{ForecastOptions, Shock, SimulationOptions, Total};
use dealcast::{Amount, Level, Probability};
use std::hint::black_box;

/// Weyl sequences: even, reproducible, no generator needed. Amounts spread over three decades, in cents.
fn book(n: u32) -> Total {
    let deals = (1..=n).map(|k| {
        let u = (f64::from(k) * 0.618_033_988_749_894_9).fract();
        let v = (f64::from(k) * 0.754_877_666_246_692_7).fract();
        let p = Probability::new(0.35 * u * u + 0.001).unwrap_or(Probability::ZERO);
        let worth = (1e5 / (0.5 + 99.5 * v) * 100.0).round() / 100.0;
        (p, Amount::new(worth).unwrap_or(Amount::ZERO))
    });
    Total::new(Amount::ZERO, deals.collect::<Vec<_>>()).unwrap_or_else(|error| unreachable!("{error}"))
}

fn shock(rho: f64) -> Shock {
    Shock::new(rho).unwrap_or_else(|_| Shock::none())
}

fn exact(c: &mut Criterion) {
    let mut group = c.benchmark_group("exact");
    group.sample_size(20);
    for n in [100, 1_000, 10_000, 100_000] {
        group.throughput(Throughput::Elements(u64::from(n)));
        for rho in [0.0, 0.05] {
            let total = book(n).with_shock(shock(rho));
            group.bench_with_input(BenchmarkId::new(format!("rho {rho}"), n), &total, |b, total| {
                b.iter(|| black_box(total.exact(&ForecastOptions::default())));
            });
        }
    }
    group.finish();
}

fn questions(c: &mut Criterion) {
    let forecast = book(10_000).with_shock(shock(0.05)).exact(&ForecastOptions::default());
    let Ok(forecast) = forecast else { return };
    let target = Amount::new(forecast.mean()).unwrap_or(Amount::ZERO);
    c.bench_function("chance_of_hitting", |b| b.iter(|| forecast.chance_of_hitting(black_box(target))));
    c.bench_function("median", |b| b.iter(|| forecast.quantile(black_box(Level::HALF))));
    c.bench_function("crps", |b| b.iter(|| forecast.crps(black_box(target.get()))));
}

fn simulate(c: &mut Criterion) {
    let mut group = c.benchmark_group("simulate 1e4 scenarios");
    group.sample_size(10);
    for n in [1_000, 10_000] {
        group.throughput(Throughput::Elements(u64::from(n) * 10_000));
        for rho in [0.0, 0.05] {
            let total = book(n).with_shock(shock(rho));
            group.bench_with_input(BenchmarkId::new(format!("rho {rho}"), n), &total, |b, total| {
                b.iter(|| black_box(total.simulate(&SimulationOptions::default())));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, exact, questions, simulate);
criterion_main!(benches);
