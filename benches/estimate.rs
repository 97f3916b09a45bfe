//! Time in stage from a million visits: durations and causes in memory, a curve out.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "made-up data of a benchmark")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dealcast::estimate::{AalenJohansen, Brackets, Durations, KaplanMeier, Turnbull};
use std::hint::black_box;

/// A reproducible stream of numbers in (0, 1).
struct Uniform(u64);

impl Uniform {
    #[allow(clippy::cast_precision_loss)]
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

struct Visits {
    time: Vec<f64>,
    days: Vec<u32>,
    cause: Vec<u8>,
}

/// Weibull(1.4, 120) to won, log-logistic to lost, uniform censoring on 5..400.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn visits(n: usize) -> Visits {
    let mut u = Uniform(20_261_125);
    let mut visits = Visits { time: Vec::new(), days: Vec::new(), cause: Vec::new() };
    for _ in 0..n {
        let won = 120.0 * (-(1.0 - u.next()).ln()).powf(1.0 / 1.4);
        let odds = u.next();
        let lost = 100.0 * (odds / (1.0 - odds + 1e-12)).powf(0.45);
        let open = 5.0 + 395.0 * u.next();
        let time = won.min(lost).min(open);
        visits.time.push(time);
        visits.days.push(time.ceil().max(1.0) as u32);
        visits.cause.push(if time >= open {
            0
        } else if time >= lost {
            2
        } else {
            1
        });
    }
    visits
}

fn curves(c: &mut Criterion) {
    for n in [100_000, 1_000_000] {
        let Visits { time, days, cause } = visits(n);
        let whole: Vec<f64> = days.iter().map(|&day| f64::from(day)).collect();
        let mut group = c.benchmark_group(format!("estimate {n}"));
        group.sample_size(20).throughput(Throughput::Elements(u64::try_from(n).unwrap()));
        group.bench_function("kaplan-meier, days", |b| {
            b.iter(|| KaplanMeier::fit(&Durations::from_days(black_box(&days), &cause).unwrap()));
        });
        group.bench_function("kaplan-meier, whole times", |b| {
            b.iter(|| KaplanMeier::fit(&Durations::new(black_box(&whole), &cause).unwrap()));
        });
        group.bench_function("kaplan-meier, any times", |b| {
            b.iter(|| KaplanMeier::fit(&Durations::new(black_box(&time), &cause).unwrap()));
        });
        group.bench_function("aalen-johansen, any times", |b| {
            b.iter(|| AalenJohansen::fit(&Durations::new(black_box(&time), &cause).unwrap()));
        });
        group.bench_function("aalen-johansen, days", |b| {
            b.iter(|| AalenJohansen::fit(&Durations::from_days(black_box(&days), &cause).unwrap()));
        });
        group.finish();
    }
    let Visits { time, cause, .. } = visits(10_000);
    let week = |t: f64| (t / 7.0).floor() * 7.0;
    let lower: Vec<f64> = time.iter().map(|&t| week(t)).collect();
    let upper: Vec<Option<f64>> =
        time.iter().zip(&cause).map(|(&t, &c)| (c > 0).then(|| week(t) + 7.0)).collect();
    c.bench_function("estimate/turnbull, 10000 weekly", |b| {
        let brackets = || Brackets::new(&lower, &upper).unwrap();
        b.iter_batched(brackets, |brackets| Turnbull::fit(&brackets), BatchSize::LargeInput);
    });
}

criterion_group!(benches, curves);
criterion_main!(benches);
