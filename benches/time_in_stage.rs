//! Parametric fits of the time in stage from durations in memory; the data follow `gen_data.py surv` in law, with a
//! fixed seed: wins Weibull(1.4, 120), losses log-normal(4.6, .8), watched for 5 to 400 days.
//!
//! With `DEALCAST_PEER_DATA` set to the folder that program writes to, its very bytes are fitted.

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark may stop; its counts are small"
)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dealcast::Level;
use dealcast::estimate::{TimeFamily, TimeInStage, TimeLaw, TimesInStage};
use std::hint::black_box;
use std::path::Path;

/// Durations, and whether they ended in a win.
fn stays(n: usize) -> (Vec<f64>, Vec<bool>) {
    if let Some(folder) = std::env::var_os("DEALCAST_PEER_DATA") {
        let read = |name: &str| std::fs::read(Path::new(&folder).join(format!("surv_{n}.{name}")));
        if let (Ok(days), Ok(events)) = (read("dur.f64"), read("event.u8")) {
            let days = days.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
            return (days, events.iter().map(|&e| e == 1).collect());
        }
    }
    let won = TimeInStage::new(TimeLaw::Weibull { shape: 1.4, scale: 120.0 }).expect("valid");
    let lost = TimeInStage::new(TimeLaw::LogNormal { meanlog: 4.6, sdlog: 0.8 }).expect("valid");
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    };
    (0..n)
        .map(|_| {
            let win = won.quantile(Level::new(uniform()).expect("inside"));
            let loss = lost.quantile(Level::new(uniform()).expect("inside"));
            let watched = 5.0 + 395.0 * uniform();
            (win.min(loss).min(watched), win < loss && win < watched)
        })
        .unzip()
}

fn fits(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(20);
    for n in [10_000, 100_000, 1_000_000] {
        let (days, won) = stays(n);
        group.throughput(Throughput::Elements(n as u64));
        for family in TimeFamily::ALL {
            group.bench_with_input(BenchmarkId::new(family.name(), n), &family, |b, &family| {
                b.iter(|| TimesInStage::new(black_box(&days), &won).and_then(|data| data.fit(family)));
            });
        }
        group.bench_function(BenchmarkId::new("data_only", n), |b| {
            b.iter_batched(|| (), |()| TimesInStage::new(black_box(&days), &won), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn laws(c: &mut Criterion) {
    let time = TimeInStage::new(TimeLaw::GeneralizedGamma { mu: 3.8, sigma: 1.1, q: -0.8 }).expect("valid");
    c.bench_function("generalized_gamma_log_survival", |b| b.iter(|| time.log_survival(black_box(40.0))));
    c.bench_function("generalized_gamma_quantile", |b| b.iter(|| time.quantile(black_box(Level::HALF))));
}

criterion_group!(benches, fits, laws);
criterion_main!(benches);
