//! Making up a company: a million rows.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]
#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dealcast::Seed;
use dealcast::synthetic::{Company, World};

fn events(c: &mut Criterion) {
    let mut truth = World::Stationary.truth();
    truth.arrivals.daily = 210.0;
    let usual = Company::named(World::Stationary, Seed::new(1)).unwrap();
    let company = Company::new(truth, *usual.history(), Seed::new(1)).unwrap();
    let n = company.events().unwrap().len();
    let mut group = c.benchmark_group("synthetic");
    group.sample_size(10).throughput(Throughput::Elements(u64::try_from(n).unwrap()));
    group.bench_function(format!("{n} events"), |b| b.iter(|| company.events().unwrap()));
    group.finish();
}

criterion_group!(benches, events);
criterion_main!(benches);
