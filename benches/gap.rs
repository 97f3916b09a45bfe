//! A full gap analysis with the swing of every deal, and the required pipeline over 90 days of creation.
#![allow(missing_docs, reason = "criterion's macros write undocumented items")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dealcast::forecast::{ForecastOptions, NewBusiness, Shock, Total};
use dealcast::gap::RequiredDeals;
use dealcast::{Amount, GapAnalysis, Level, Probability, Result, Target};
use std::hint::black_box;

/// Weyl sequences: even, reproducible, no generator needed. Amounts spread over three decades, in cents.
fn book(n: u32, rho: f64) -> Result<Total> {
    let deals = (1..=n).map(|k| {
        let u = (f64::from(k) * 0.618_033_988_749_894_9).fract();
        let v = (f64::from(k) * 0.754_877_666_246_692_7).fract();
        let worth = (1e5 / (0.5 + 99.5 * v) * 100.0).round() / 100.0;
        Ok((Probability::new(0.35 * u * u + 0.001)?, Amount::new(worth)?))
    });
    let total = Total::new(Amount::ZERO, deals.collect::<Result<Vec<_>>>()?)?;
    let severity = (1..=50_u32).map(|k| Ok((Amount::new(1e3 * f64::from(k))?, 1.0 / f64::from(k))));
    let new = NewBusiness::new(0.01 * f64::from(n), severity.collect::<Result<Vec<_>>>()?)?;
    total
        .with_new_business(new.overdispersed(30.0)?)
        .map(|total| total.with_shock(Shock::new(rho).unwrap_or(Shock::none())))
}

fn gap(c: &mut Criterion) {
    let options = ForecastOptions::default();
    let mut group = c.benchmark_group("gap with swing");
    group.sample_size(10);
    for n in [100, 1_000, 10_000] {
        for rho in [0.0, 0.02, 0.05] {
            let Ok(total) = book(n, rho) else { continue };
            let target = Target::from(Amount::new(1.05 * total.weighted().total()).unwrap_or(Amount::ZERO));
            let Ok(confidence) = Level::new(0.8) else { continue };
            group.bench_with_input(BenchmarkId::new(format!("rho {rho}"), n), &total, |b, total| {
                b.iter(|| black_box(GapAnalysis::of(total, target, confidence, &options)));
            });
        }
    }
    group.finish();
}

fn required(c: &mut Criterion) {
    let options = ForecastOptions::default();
    let mut group = c.benchmark_group("required pipeline over 90 days");
    group.sample_size(10);
    // A new deal counts less and less, until it does not count at all.
    let chances: Vec<Probability> = (0..90_u32)
        .map(|day| 1.0 - f64::from(day) / 90.0)
        .filter_map(|left| Probability::new(0.3 * left * left).ok())
        .collect();
    for n in [1_000, 10_000] {
        for rho in [0.0, 0.05] {
            let Ok(total) = book(n, rho) else { continue };
            let target = Target::from(Amount::new(1.05 * total.weighted().total()).unwrap_or(Amount::ZERO));
            let (Ok(confidence), Ok(amount)) = (Level::new(0.8), Amount::new(30e3)) else { continue };
            group.bench_with_input(BenchmarkId::new(format!("rho {rho}"), n), &total, |b, total| {
                let goal = (target, confidence);
                b.iter(|| black_box(RequiredDeals::curve(total, goal, (amount, &chances), &options)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, gap, required);
criterion_main!(benches);
