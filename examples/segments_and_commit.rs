//! The quarter by segment, what the reps' commit is worth, why the biggest deal has its chance, and why the forecast moved
//! since last week. The company is made up.
//!
//! ```text
//! cargo run --release --example segments_and_commit
//! ```
#![allow(clippy::print_stdout, reason = "the answer of a program is what it prints")]

use dealcast::deals::OpenDeal;
use dealcast::gap::Bridge;
use dealcast::synthetic::{Company, World};
use dealcast::{Amount, FiscalCalendar, ForecastModel, Seed, Target, time::date};

fn main() -> dealcast::Result<()> {
    // Three segments, and reps who say what they expect.
    let mut truth = World::RepSignals.truth();
    truth.segments = World::Segments.truth().segments;
    let log = Company::new(truth, *Company::named(World::Segments, Seed::new(1))?.history(), Seed::new(1))?
        .log()?;

    let (last_week, today) = (log.as_of(date(2023, 8, 7)?), log.as_of(date(2023, 8, 14)?));
    let quarter = FiscalCalendar::calendar().quarter_at(today.at())?;
    let (old, new) = (
        ForecastModel::default().fit(&last_week, &quarter)?,
        ForecastModel::default().fit(&today, &quarter)?,
    );
    let book = today.snapshot();

    let segments = new.by_segment(&book, &quarter, "segment")?;
    println!("{}\n", segments.with_target("partner", Target::new(250e3)?)?);

    println!("{}\n", new.roll_up(&book, &quarter)?.with_history(&today));

    let worth = |deal: &OpenDeal| deal.amount().map_or(0.0, Amount::get);
    if let Some(deal) = book.open().iter().max_by(|a, b| worth(a).total_cmp(&worth(b))) {
        println!("{}\n", new.why(&book, &quarter, deal.id())?);
    }

    println!("{}", Bridge::between((&old, &last_week.snapshot()), (&new, &book), &quarter)?);
    Ok(())
}
