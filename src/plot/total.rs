//! The distribution of the period's total, and what of it reaches the target.

use super::axis::{Axis, Unit, base, bottom_axis, bottom_title, left_axis, left_title, round_step};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::fit::PeriodForecast;
use crate::forecast::Forecast;
use crate::gap::{GapAnalysis, Percent, read};
use crate::num::count;
use crate::{Level, Result};

/// Bars of the histogram, about.
const BARS: f64 = 40.0;

/// Where the period will land: the chance that its total falls into each slice of amounts, with the median and the 80 %
/// range below.
///
/// # Errors
/// [`Overflow`](crate::ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, Timing, plot, time::date};
/// let process = SalesProcess::open(["propose"])?;
/// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
/// let empty = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [])?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let svg = plot::forecast(&model.forecast(&empty, &quarter)?, plot::Size::default())?;
/// assert!(svg.contains("Nothing but what is booked can come: 0"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn forecast(forecast: &PeriodForecast, size: Size) -> Result<String> {
    let total = forecast.distribution();
    let (low, high) = total.interval(Level::new(0.8)?);
    let title = if low < high {
        format!(
            "{} at the median, 8 times in 10 between {} and {}",
            read(total.median()),
            read(low),
            read(high)
        )
    } else {
        format!("Nothing but what is booked can come: {}", read(total.median()))
    };
    let about = format!(
        "Bookings of {} as of {}: {}",
        forecast.period(),
        forecast.as_of().format("%Y-%m-%d"),
        forecast.weighted()
    );
    draw(Sheet::new(size, &title, &about), total, None)
}

/// How likely the target is: the distribution of the total, what misses the target in stripes, what reaches it solid.
///
/// # Errors
/// [`Overflow`](crate::ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::{Amount, GapAnalysis, Level, Probability, Target, plot};
/// use dealcast::forecast::{ForecastOptions, Total};
/// let deal = |p, amount| Ok::<_, dealcast::Error>((Probability::new(p)?, Amount::new(amount)?));
/// let total = Total::new(Amount::new(40e3)?, [deal(0.5, 60e3)?, deal(0.25, 30e3)?])?;
/// let gap = GapAnalysis::of(&total, Target::new(120e3)?, Level::new(0.8)?, &ForecastOptions::default())?;
/// let svg = plot::chance(&gap, plot::Size::new(1600, 900)?)?;
/// assert!(svg.contains("12 % chance of 120 k: 50.0 k short at the median"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn chance(gap: &GapAnalysis, size: Size) -> Result<String> {
    let target = gap.target().get();
    let median = gap.distribution().median();
    let title = if gap.remaining() == 0.0 {
        format!("{} is met: {} are booked", gap.target(), read(gap.weighted().booked()))
    } else if gap.shortfall_q50() > 0.0 {
        let short = read(gap.shortfall_q50());
        format!("{} chance of {}: {short} short at the median", Percent(gap.chance()), gap.target())
    } else {
        let over = read(median - target);
        format!("{} chance of {}: the median is {over} above it", Percent(gap.chance()), gap.target())
    };
    let about = format!("{}: {}", scope("Bookings", gap), gap.weighted());
    draw(Sheet::new(size, &title, &about), gap.distribution(), Some((target, gap)))
}

/// What a picture of a gap is about.
pub(super) fn scope(what: &str, gap: &GapAnalysis) -> String {
    match (gap.period(), gap.as_of()) {
        (Some(period), Some(as_of)) => format!("{what} of {period} as of {}", as_of.format("%Y-%m-%d")),
        _ => what.to_owned(),
    }
}

fn draw(mut sheet: Sheet, total: &Forecast, target: Option<(f64, &GapAnalysis)>) -> Result<String> {
    let whole = sheet.frame();
    // Room for the words beside the target, and for the range below the axis.
    let top = if target.is_some() { whole.top + 18.0 } else { whole.top };
    let frame = Frame { bottom: whole.bottom - 34.0, top, ..whole };
    let (low, high) = reach(total, target.map(|(target, _)| target))?;
    let width = round_step((high - low) / BARS);
    let start = target.map_or(0.0, |(target, _)| target);
    // Slices begin at the target, so that each is on one side of it.
    let first = ((low - start) / width).floor();
    let n_slices =
        (1..=4 * 40_u32).take_while(|n| start + (first + f64::from(*n)) * width <= high).count() + 1;
    let edge = |k: usize| start + (first + count(k)) * width;
    let slices: Vec<(f64, f64, f64)> = (0..n_slices)
        .map(|k| (edge(k), edge(k + 1), (total.at_least(edge(k)) - total.at_least(edge(k + 1))).max(0.0)))
        .collect();
    let most = slices.iter().map(|slice| slice.2).fold(0.0, f64::max);
    let x = Axis::across(&frame, (edge(0), edge(n_slices)));
    let y = Axis::upwards(&frame, (0.0, 1.08 * most));
    let unit = Unit::amounts(edge(n_slices));
    left_axis(&mut sheet, &frame, (&y, &Unit::Percent));
    for (from, to, share) in slices {
        let bar =
            Frame { left: x.at(from) + 0.5, right: x.at(to) - 0.5, top: y.at(share), bottom: frame.bottom };
        match target {
            _ if share < 1e-9 => {}
            Some((target, _)) if from < target - 0.5 * width => sheet.hatched(bar, Ink::ORANGE),
            _ => sheet.rectangle(bar, Ink::BLUE),
        }
    }
    bottom_axis(&mut sheet, &frame, (&x, &unit));
    base(&mut sheet, &frame);
    left_title(&mut sheet, &frame, &format!("chance of each slice of {}", read(width)));
    if let Some((target, gap)) = target {
        goal(&mut sheet, &frame, (x.at(target), gap));
    }
    summary(&mut sheet, (&x, frame.bottom + 38.0), total)?;
    bottom_title(&mut sheet, &whole, "total of the period");
    sheet.svg()
}

/// The amounts that are shown: all but one in a thousand on either side, and the target not at the edge.
fn reach(total: &Forecast, target: Option<f64>) -> Result<(f64, f64)> {
    let (low, high) = total.interval(Level::new(0.998)?);
    let room = |x: f64| 0.05 * x.abs().max(1.0);
    let (low, high) =
        if high - low > 1e-9 * high.abs() { (low, high) } else { (low - room(low), high + room(high)) };
    let Some(target) = target else { return Ok((low, high)) };
    let side = 0.25 * (high - low);
    Ok((low.min(target - side), high.max(target + side)))
}

/// The target's line, and the chances on both sides of it.
fn goal(sheet: &mut Sheet, frame: &Frame, (x, gap): (f64, &GapAnalysis)) {
    let top = frame.top - 12.0;
    sheet.line(&[(x, top), (x, frame.bottom)], Stroke::dashed(Ink::BLACK, 2.0, (7.0, 4.0)));
    let hit = gap.chance();
    let below = format!("{} below {}", Percent(hit.complement()), gap.target());
    sheet.text((x - 10.0, top + 2.0), &below, Type::LABEL.ends_here());
    sheet.text((x + 10.0, top + 2.0), &format!("{} at or above", Percent(hit)), Type::LABEL.bold());
}

/// The median and the 80 % range, below the axis.
fn summary(sheet: &mut Sheet, (x, y): (&Axis, f64), total: &Forecast) -> Result<()> {
    let (low, high) = total.interval(Level::new(0.8)?);
    let (left, right, middle) = (x.at(low), x.at(high), x.at(total.median()));
    sheet.whisker(((left, y), (right, y)), Stroke::solid(Ink::BLACK, 2.0));
    sheet.dot((middle, y), 5.0, Ink::BLACK);
    let words = format!("median {}, 80 % range {} to {}", read(total.median()), read(low), read(high));
    let set = Type::LABEL;
    let frame = sheet.frame();
    if right + 14.0 + set.width(&words) < frame.right {
        sheet.text((right + 14.0, y), &words, set);
    } else {
        sheet.text((left - 14.0, y), &words, set.ends_here());
    }
    Ok(())
}
