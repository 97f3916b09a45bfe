//! Pacing: what is booked by this point, now and in past periods.

use super::axis::{Axis, Unit, base, bottom_title, left_axis};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::gap::{Pacing, PastPace, read};
use crate::num::count;
use crate::{Level, Result};

/// What is booked so far beside what past periods had booked at the same point and where they ended: solid what was
/// booked by then, in stripes what still came, and the target of this period.
///
/// # Errors
/// [`Overflow`](crate::ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::synthetic::{Company, World};
/// use dealcast::{FiscalCalendar, Seed, Target, plot, time::date};
/// let log = Company::named(World::Stationary, Seed::new(1))?.log()?;
/// let known = log.as_of(date(2023, 8, 15)?);
/// let calendar = FiscalCalendar::calendar();
/// let pacing = known.pacing(calendar, &calendar.quarter_at(known.at())?, Target::new(2.0e6)?)?;
/// assert!(plot::pacing(&pacing, plot::Size::default())?.contains("of their total by this point"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn pacing(pacing: &Pacing, size: Size) -> Result<String> {
    let (booked, target) = (pacing.booked().get(), pacing.target().get());
    let elapsed = format!("{:.0} % of the time", 100.0 * pacing.elapsed());
    let title = match pacing.typical() {
        Some(shares) => format!(
            "{} booked after {elapsed}; past periods had {:.0} % of their total by this point",
            pacing.booked(),
            100.0 * shares.quantile(Level::HALF)
        ),
        None => format!("{} booked after {elapsed}", pacing.booked()),
    };
    let plan = pacing.ahead_of_plan();
    let side = if plan < 0.0 { "behind" } else { "ahead of" };
    let leads =
        pacing.implied().map_or(String::new(), |x| format!("; at the usual pace that leads to {}", read(x)));
    let about = format!(
        "{}: {} {side} the linear plan for {}{leads}",
        pacing.period(),
        read(plan.abs()),
        pacing.target()
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let whole = sheet.frame();
    // Room for two lines of names.
    let frame = Frame { bottom: whole.bottom - 14.0, ..whole };
    let most = pacing.past().iter().map(|past| past.total().get().max(past.booked().get()));
    let most = most.fold(target.max(booked), f64::max);
    let y = Axis::upwards(&frame, (0.0, 1.1 * most));
    left_axis(&mut sheet, &frame, (&y, &Unit::amounts(most)));
    let room = (frame.right - frame.left) / count(pacing.past().len() + 1);
    let middle = |k: usize| frame.left + (count(k) + 0.5) * room;
    let column = |k: usize, (low, high): (f64, f64)| {
        let half = (0.33 * room).min(36.0);
        Frame { left: middle(k) - half, right: middle(k) + half, top: y.at(high), bottom: y.at(low) }
    };
    let name = |sheet: &mut Sheet, k: usize, words: &str, set: Type| {
        sheet.lines((middle(k), frame.bottom + 14.0), words, set.centred());
    };
    for (k, past) in pacing.past().iter().rev().enumerate() {
        past_column(&mut sheet, past, |range| column(k, range));
        name(&mut sheet, k, &past.period().start().format("from %-d %b\n%Y").to_string(), Type::TICK);
    }
    let now = pacing.past().len();
    let bar = column(now, (0.0, booked));
    sheet.rectangle(bar, Ink::BLACK);
    sheet.text((middle(now), bar.top - 10.0), &pacing.booked().to_string(), Type::LABEL.centred().bold());
    name(&mut sheet, now, "now", Type::LABEL.bold());
    let goal = y.at(target);
    let stroke = Stroke::dashed(Ink::BLACK, 2.0, (7.0, 4.0));
    sheet.line(&[(middle(now) - 0.45 * room, goal), (frame.right, goal)], stroke);
    sheet.text((frame.right, goal - 10.0), &format!("target {}", pacing.target()), Type::LABEL.ends_here());
    base(&mut sheet, &frame);
    bottom_title(
        &mut sheet,
        &whole,
        "solid: booked by this point, with its share of the total; stripes: what still came",
    );
    sheet.svg()
}

fn past_column(sheet: &mut Sheet, past: &PastPace, column: impl Fn((f64, f64)) -> Frame) {
    let (booked, total) = (past.booked().get(), past.total().get());
    if total > booked {
        sheet.hatched(column((booked, total)), Ink::SKY);
    }
    let bar = column((0.0, booked));
    sheet.rectangle(bar, Ink::BLUE);
    if let Some(share) = past.share() {
        let top = column((0.0, booked.max(total))).top;
        let words = format!("{:.0} %", 100.0 * share);
        sheet.text((0.5 * (bar.left + bar.right), top - 10.0), &words, Type::LABEL.centred());
    }
}
