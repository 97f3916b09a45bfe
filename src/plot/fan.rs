//! The fan: what may be booked by the end of each week or month.

use super::axis::{Axis, Unit, base, bottom_tick, bottom_title, left_axis};
use super::sheet::{Frame, Ink, Point, Sheet, Size, Stroke, Type};
use crate::fit::Split;
use crate::forecast::Simulation;
use crate::gap::{Percent, Target, read};
use crate::num::count;
use crate::time::{Period, day_number};
use crate::{Error, ErrorKind, Level, Result};
use chrono::NaiveDate;

/// Levels of the quantiles, from the lowest.
const LEVELS: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

/// What is booked by the end of each bucket of the period: the median, the middle half and the middle 80 % of the
/// scenarios, from what is booked now on. The simulation must have been made for this period and split.
///
/// # Errors
/// [`LengthMismatch`](ErrorKind::LengthMismatch) where the period has another number of buckets than the simulation,
/// [`Overflow`](ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::{Amount, Period, Probability, Split, Target, plot, time::date};
/// use dealcast::forecast::{SimulationOptions, Total};
/// let chances = vec![Probability::new(0.2)?; 3];
/// let total = Total::by_bucket(3, Amount::ZERO, vec![(chances, Amount::new(10e3)?); 20])?;
/// let simulation = total.simulate(&SimulationOptions::default())?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let svg = plot::fan(&simulation, (&quarter, Split::Months), Some(Target::new(150e3)?), plot::Size::default())?;
/// assert!(svg.contains("31 Mar"));
/// assert!(plot::fan(&simulation, (&quarter, Split::Weeks), None, plot::Size::default()).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn fan(
    simulation: &Simulation,
    (period, split): (&Period, Split),
    target: Option<Target>,
    size: Size,
) -> Result<String> {
    let ways = ways(simulation, &split.buckets(period))?;
    let end = simulation.forecast()?;
    let (low, high) = end.interval(Level::new(0.8)?);
    let last = day_before(period.end()).format("%-d %B");
    let title = match target {
        Some(goal) => format!(
            "{} of the scenarios reach {goal} by {last}; half of them end past {}",
            Percent(end.chance_of_hitting(goal.amount())),
            read(end.median())
        ),
        None => format!("8 of 10 scenarios end {last} between {} and {}", read(low), read(high)),
    };
    let about =
        format!("Booked in {period}, from what is booked now on; {} scenarios", simulation.n_scenarios());
    let mut sheet = Sheet::new(size, &title, &about);
    let whole = sheet.frame();
    let frame = Frame { right: whole.right - 74.0, ..whole };
    let most = ways.iter().filter_map(|way| way.1.last()).copied().chain(target.map(Target::get));
    let most = most.fold(0.0, f64::max);
    let y = Axis::upwards(&frame, (0.0, 1.06 * most));
    left_axis(&mut sheet, &frame, (&y, &Unit::amounts(most)));
    let day = |day: NaiveDate| f64::from(day_number(day));
    let days = (ways.first().map_or(0.0, |way| day(way.0)), ways.last().map_or(1.0, |way| day(way.0)));
    let x = Axis::across(&frame, days);
    let path = |level: usize| -> Vec<Point> {
        ways.iter().filter_map(|(end, at)| Some((x.at(day(*end)), y.at(*at.get(level)?)))).collect()
    };
    for (from, to, ink) in [(0, 4, Ink::PALE), (1, 3, Ink::SKY)] {
        sheet.area(path(from).into_iter().chain(path(to).into_iter().rev()).collect(), ink);
    }
    sheet.line(&path(2), Stroke::solid(Ink::BLUE, 3.0));
    if let Some(goal) = target {
        let at = y.at(goal.get());
        sheet.line(&[(frame.left, at), (frame.right, at)], Stroke::dashed(Ink::BLACK, 2.0, (7.0, 4.0)));
        sheet.text((frame.left + 8.0, at - 10.0), &format!("target {goal}"), Type::LABEL);
    }
    dates(&mut sheet, &frame, (&x, &ways));
    ends(&mut sheet, (frame.right, &y), ways.last().map_or(&[0.0; 5], |way| &way.1));
    bottom_title(&mut sheet, &frame, "booked by the end of this day");
    base(&mut sheet, &frame);
    sheet.svg()
}

/// The quantiles of what is booked by each day; the first day is the last one before which nothing can come any more.
fn ways(simulation: &Simulation, buckets: &[Period]) -> Result<Vec<(NaiveDate, [f64; 5])>> {
    let draws = simulation.draws();
    if draws.ncols() != buckets.len() {
        let expected = format!("a period of {} buckets", draws.ncols());
        return Err(Error::new(ErrorKind::LengthMismatch, expected).found(buckets.len()).field("period"));
    }
    let over = draws.columns().into_iter().take_while(|column| column.iter().all(|x| *x == 0.0)).count();
    let over = over.min(buckets.len().saturating_sub(1));
    let start = buckets.get(over).map_or(NaiveDate::MIN, Period::start);
    let mut ways = vec![(start, [simulation.weighted().booked(); 5])];
    for (place, bucket) in buckets.iter().enumerate().skip(over) {
        let so_far = simulation.by_end_of_bucket(place)?;
        let mut at = [0.0; 5];
        for (at, level) in at.iter_mut().zip(LEVELS) {
            *at = so_far.quantile(Level::new(level)?);
        }
        ways.push((bucket.end(), at));
    }
    Ok(ways)
}

/// As many ends of buckets as have room for their date.
fn dates(sheet: &mut Sheet, frame: &Frame, (x, ways): (&Axis, &[(NaiveDate, [f64; 5])])) {
    let room = (frame.right - frame.left) / count(ways.len().max(2) - 1);
    let mut free = f64::NEG_INFINITY;
    // From the end backwards: the last day matters most.
    for (end, _) in ways.iter().rev() {
        let at = x.at(f64::from(day_number(*end)));
        if free == f64::NEG_INFINITY || at <= free {
            bottom_tick(sheet, frame, (at, &day_before(*end).format("%-d %b").to_string()));
            free = at - room.max(56.0) + 0.5;
        }
    }
}

/// The quantiles at the end, in words, none on another.
fn ends(sheet: &mut Sheet, (x, y): (f64, &Axis), last: &[f64; 5]) {
    let names = [(0, "q10"), (2, "q50"), (4, "q90")];
    let mut below = f64::INFINITY;
    for (place, name) in names {
        let Some(amount) = last.get(place) else { continue };
        let at = y.at(*amount).min(below - 15.0);
        below = at;
        let set = if place == 2 { Type::LABEL.bold() } else { Type::LABEL };
        sheet.text((x + 6.0, at), &format!("{name} {}", read(*amount)), set);
    }
}

/// The last day of what ends here.
fn day_before(end: NaiveDate) -> NaiveDate {
    end.pred_opt().unwrap_or(end)
}
