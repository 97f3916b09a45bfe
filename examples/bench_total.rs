//! Times of the engines on the peers' book, one JSON line a path.
//!
//! `cargo run --release --example bench_total -- <folder of peer data> [deals] [scenarios]`; the folder holds
//! `deals_N.p.f64` and `deals_N.amount.f64`, little-endian columns.

#![allow(clippy::print_stdout, reason = "a program that prints its answer")]

use dealcast::forecast::{ForecastOptions, Shock, SimulationOptions, Total};
use dealcast::{Amount, Probability};
use std::time::Instant;

fn column(path: &str) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.chunks_exact(8).filter_map(|b| b.try_into().ok().map(f64::from_le_bytes)).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("a folder of peer data")?;
    let n: usize = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let scenarios: usize = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let p = column(&format!("{folder}/deals_{n}.p.f64"))?;
    let amount = column(&format!("{folder}/deals_{n}.amount.f64"))?;
    let worth = amount.iter().map(|a| Amount::new(*a)).collect::<Result<Vec<_>, _>>()?;
    let chance = p.iter().map(|p| Probability::new(*p)).collect::<Result<Vec<_>, _>>()?;
    let plain = Total::new(Amount::ZERO, chance.iter().copied().zip(worth.iter().copied()))?;
    // Twelve equal months.
    let monthly = chance.iter().map(|p| Probability::new(p.get() / 12.0)).collect::<Result<Vec<_>, _>>()?;
    let monthly = Total::by_bucket(12, Amount::ZERO, monthly.iter().map(|p| vec![*p; 12]).zip(worth))?;
    let shocked = plain.clone().with_shock(Shock::new(0.05)?);
    let options = SimulationOptions::default().scenarios(scenarios);
    for (name, total) in [("exact", &plain), ("exact, shock .05", &shocked)] {
        let forecast = timed(name, 40, || total.exact(&ForecastOptions::default()))?;
        println!("{{\"bound\": {:e}, \"answer\": \"{forecast}\"}}", forecast.error_bound().chance());
    }
    for (name, total) in
        [("monte carlo", &plain), ("monte carlo, 12 months", &monthly), ("monte carlo, shock .05", &shocked)]
    {
        let simulation = timed(name, 6, || total.simulate(&options))?;
        println!("{{\"answer\": \"{}\"}}", simulation.forecast()?);
    }
    Ok(())
}

/// Seconds this thread has computed so far, where the system tells; seconds passed otherwise.
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed().as_secs_f64();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()));
    told.map_or(passed, |ns| ns * 1e-9)
}

/// The mean time of a few runs.
fn timed<T>(name: &str, runs: u32, run: impl Fn() -> dealcast::Result<T>) -> dealcast::Result<T> {
    let mut last = run()?;
    let start = cpu_seconds();
    for _ in 0..runs {
        last = run()?;
    }
    let mean = (cpu_seconds() - start) / f64::from(runs);
    println!("{{\"path\": \"{name}\", \"cpu_s\": {mean:.6}}}");
    Ok(last)
}
