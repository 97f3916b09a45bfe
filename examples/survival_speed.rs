//! How long does an estimator of the time in stage take? One JSON line: seconds of one run on one thread (on the
//! processor, where the system tells, and by the clock), and what came out.
//!
//! `survival_speed km|aj|weibull|lognormal|gengamma N dur|day [FOLDER]`: N stays from `FOLDER/surv_N.{dur.f64,
//! day.i32,event.u8}` (raw little-endian columns; event 0 open, 1 won, 2 lost), or made up where no folder is given. `km` and
//! the fits count only wins as ends. Reading is not timed.

#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use dealcast::Level;
use dealcast::estimate::{
    AalenJohansen, Durations, KaplanMeier, TimeFamily, TimeInStage, TimeLaw, TimesInStage,
};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

struct Stays {
    time: Vec<f64>,
    days: Vec<u32>,
    event: Vec<u8>,
}

fn read(folder: &Path, n: usize) -> Result<Stays, Box<dyn Error>> {
    let column = |name: &str| std::fs::read(folder.join(format!("surv_{n}.{name}")));
    let (time, days) = (column("dur.f64")?, column("day.i32")?);
    Ok(Stays {
        time: time.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
        days: days.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect(),
        event: column("event.u8")?,
    })
}

/// Wins Weibull(1.4, 120), losses log-normal(4.6, 0.8), watched for 5 to 400 days.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "days"
)]
fn made_up(n: usize) -> dealcast::Result<Stays> {
    let won = TimeInStage::new(TimeLaw::Weibull { shape: 1.4, scale: 120.0 })?;
    let lost = TimeInStage::new(TimeLaw::LogNormal { meanlog: 4.6, sdlog: 0.8 })?;
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    };
    let mut stays = Stays { time: Vec::new(), days: Vec::new(), event: Vec::new() };
    for _ in 0..n {
        let (won, lost) = (won.quantile(Level::new(uniform())?), lost.quantile(Level::new(uniform())?));
        let open = 5.0 + 395.0 * uniform();
        let time = won.min(lost).min(open);
        stays.time.push(time);
        stays.days.push(time.ceil().max(1.0) as u32);
        stays.event.push(if open <= time { 0 } else { 1 + u8::from(lost < won) });
    }
    Ok(stays)
}

/// Seconds this thread has run on a processor, where the system says.
#[allow(clippy::cast_precision_loss, reason = "fewer than 2^53 nanoseconds")]
fn cpu_seconds() -> Option<f64> {
    // Giving way once makes the system settle its accounts.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<u64>().ok().map(|nanoseconds| nanoseconds as f64 * 1e-9)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, n, clock, folder @ ..] = arguments.as_slice() else {
        return Err("what, how many and dur or day".into());
    };
    let size: usize = n.parse()?;
    let stays = match folder.first() {
        Some(folder) => read(Path::new(folder), size)?,
        None => made_up(size)?,
    };
    let wins: Vec<u8> = stays.event.iter().map(|&event| u8::from(event == 1)).collect();
    let won: Vec<bool> = wins.iter().map(|&win| win == 1).collect();
    let causes = if what == "aj" { &stays.event } else { &wins };
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let durations = || match clock.as_str() {
        "day" => Durations::from_days(&stays.days, causes),
        _ => Durations::new(&stays.time, causes),
    };
    let fit = |family| TimesInStage::new(&stays.time, &won)?.fit(family);
    let found = match what.as_str() {
        "km" => vec![KaplanMeier::fit(&durations()?).survival(100.0).get()],
        "aj" => vec![AalenJohansen::fit(&durations()?).incidence(1, 100.0).get()],
        "weibull" => fit(TimeFamily::Weibull)?.time().parameters(),
        "lognormal" => fit(TimeFamily::LogNormal)?.time().parameters(),
        "gengamma" => fit(TimeFamily::GeneralizedGamma)?.time().parameters(),
        _ => return Err("km, aj, weibull, lognormal or gengamma".into()),
    };
    let wall = start.elapsed().as_secs_f64();
    let cpu = cpu.zip(cpu_seconds()).map_or(wall, |(before, after)| after - before);
    println!(
        r#"{{"what":"{what}","n":{n},"time":"{clock}","cpu_s":{cpu},"wall_s":{wall},"found":{found:?}}}"#
    );
    Ok(())
}
