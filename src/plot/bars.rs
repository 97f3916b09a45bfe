//! Bars that stand on each other's shoulders: what changed, and what is missing.

use super::axis::{Axis, Unit, base, left_axis};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use super::total::scope;
use crate::deals::Waterfall;
use crate::gap::{Bridge, GapAnalysis, read};
use crate::num::count;
use crate::{Level, Result};

/// How a bar is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fill {
    Solid(Ink),
    Striped(Ink),
}

/// A bar from one height to another.
struct Step {
    name: String,
    from: f64,
    to: f64,
    fill: Fill,
    label: String,
}

/// What changed the pipeline from one instant to another, from the opening to the closing amount. What adds is solid,
/// what leaves without a win striped; bars without an amount are told in the line below the title.
///
/// # Errors
/// [`Overflow`](crate::ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::{DealEvent, DealLog, SalesProcess, deals::Waterfall, plot, time::date};
/// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, Vec::<DealEvent>::new())?;
/// let nothing = Waterfall::of_log(&log, date(2026, 3, 2)?, date(2026, 3, 9)?)?;
/// assert!(plot::waterfall(&nothing, plot::Size::default())?.contains("The pipeline stayed at 0"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn waterfall(waterfall: &Waterfall, size: Size) -> Result<String> {
    let (opening, closing) = (waterfall.opening(), waterfall.closing());
    let verdict = moved(opening.amount, closing.amount);
    let [won, lost] = [waterfall.won(), waterfall.lost()].map(|bar| read(bar.amount.abs()));
    let title = format!("The pipeline {verdict}: {won} won, {lost} lost");
    let days = (waterfall.from().format("%Y-%m-%d"), waterfall.to().format("%Y-%m-%d"));
    let scope =
        waterfall.period().map_or("open deals".to_owned(), |period| format!("deals expected in {period}"));
    let about = format!(
        "Amount of {scope}, {} to {}; {} moved forward, {} back",
        days.0,
        days.1,
        waterfall.moved_forward().n,
        waterfall.moved_back().n
    );
    let mut height = 0.0;
    let mut steps = Vec::new();
    for (name, bar) in waterfall.bars() {
        let ends = matches!(name, "opening" | "closing");
        if bar.amount == 0.0 && !ends {
            continue;
        }
        let from = if ends { 0.0 } else { height };
        height = from + bar.amount;
        let fill = match name {
            "opening" | "closing" => Fill::Solid(Ink::GREY),
            "won" => Fill::Solid(Ink::GREEN),
            _ if bar.amount > 0.0 => Fill::Solid(Ink::BLUE),
            _ => Fill::Striped(Ink::VERMILION),
        };
        let label = if ends { read(bar.amount).to_string() } else { signed(bar.amount) };
        let name = format!("{name}\n{} deal{}", bar.n, if bar.n == 1 { "" } else { "s" });
        steps.push(Step { name, from, to: height, fill, label });
    }
    let mut sheet = Sheet::new(size, &title, &about);
    stand(&mut sheet, &steps, None);
    sheet.svg()
}

/// What became of an amount, in words.
fn moved(then: f64, now: f64) -> String {
    match now - then {
        change if change > 0.0 => format!("grew by {} to {}", read(change), read(now)),
        change if change < 0.0 => format!("shrank by {} to {}", read(-change), read(now)),
        _ => format!("stayed at {}", read(now)),
    }
}

fn signed(amount: f64) -> String {
    format!("{}{}", if amount < 0.0 { "-" } else { "+" }, read(amount.abs()))
}

/// What the period's total consists of, and what is missing to the target: booked, open deals and new business on each
/// other's shoulders, the missing part in stripes, and the 80 % range of the total.
///
/// # Errors
/// [`Overflow`](crate::ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::{Amount, GapAnalysis, Level, Target, plot};
/// use dealcast::forecast::{ForecastOptions, Total};
/// let booked = Total::new(Amount::new(300.0)?, [])?;
/// let gap = GapAnalysis::of(&booked, Target::new(400.0)?, Level::new(0.8)?, &ForecastOptions::default())?;
/// assert!(plot::gap(&gap, plot::Size::default())?.contains("100 of 400 missing at the mean"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn gap(gap: &GapAnalysis, size: Size) -> Result<String> {
    let (weighted, target) = (gap.weighted(), gap.target().get());
    let mean = weighted.total();
    let missing = gap.shortfall_mean();
    let title = if missing > 0.0 {
        format!("{} of {} missing at the mean", read(missing), gap.target())
    } else {
        format!("The mean is {} above the target of {}", read(mean - target), gap.target())
    };
    let (low, high) = gap.distribution().interval(Level::new(0.8)?);
    let range = format!("line beside the mean: 80 % range, {} to {}", read(low), read(high));
    let about = format!("{}; {range}", scope("Bookings", gap));
    let parts = [
        ("booked", weighted.booked(), Fill::Solid(Ink::BLUE)),
        ("open deals\nexpected", weighted.open(), Fill::Solid(Ink::SKY)),
        ("new business\nexpected", weighted.new_business(), Fill::Solid(Ink::PALE)),
    ];
    let mut height = 0.0;
    let mut steps: Vec<Step> = Vec::new();
    for (name, amount, fill) in parts {
        let label = read(amount).to_string();
        steps.push(Step { name: name.to_owned(), from: height, to: height + amount, fill, label });
        height += amount;
    }
    let step = |name: &str, (from, to): (f64, f64), fill| Step {
        name: name.to_owned(),
        from,
        to,
        fill,
        label: read((to - from).abs()).to_string(),
    };
    steps.push(step("expected\nin all", (0.0, mean), Fill::Solid(Ink::GREY)));
    if missing > 0.0 {
        steps.push(step("missing\nat the mean", (mean, target), Fill::Striped(Ink::VERMILION)));
    }
    steps.push(step("target", (0.0, target), Fill::Striped(Ink::GREY)));
    let mut sheet = Sheet::new(size, &title, &about);
    stand(&mut sheet, &steps, Some((3, low, high)));
    sheet.svg()
}

/// Why the expected total moved from one forecast to the next: the old mean, a bar a reason, the new mean; the largest
/// reason in the title.
///
/// # Errors
/// [`Overflow`](crate::ErrorKind::Overflow) where amounts leave no finite picture.
///
/// # Example
/// ```
/// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, Timing, plot, time::date};
/// use dealcast::gap::Bridge;
/// let process = SalesProcess::open(["propose"])?;
/// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
/// let book = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [])?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let bridge = Bridge::between((&model, &book), (&model, &book), &quarter)?;
/// assert!(plot::bridge(&bridge, plot::Size::default())?.contains("The forecast stayed at 0"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn bridge(bridge: &Bridge, size: Size) -> Result<String> {
    let (then, now) = (bridge.opening(), bridge.closing());
    let reasons = bridge.bars();
    let largest = reasons.iter().max_by(|a, b| a.1.amount.abs().total_cmp(&b.1.amount.abs()));
    let largest = largest
        .filter(|(_, bar)| bar.amount != 0.0)
        .map_or(String::new(), |(name, bar)| format!("; most by {name}, {}", signed(bar.amount)));
    let title = format!("The forecast {}{largest}", moved(then, now));
    let days = (bridge.from().format("%Y-%m-%d"), bridge.to().format("%Y-%m-%d"));
    let about = format!("Expected bookings of {}, from {} to {}", bridge.period(), days.0, days.1);
    let ends = |name: &str, amount: f64| Step {
        name: name.to_owned(),
        from: 0.0,
        to: amount,
        fill: Fill::Solid(Ink::GREY),
        label: read(amount).to_string(),
    };
    let mut steps = vec![ends("then", then)];
    let mut height = then;
    for (name, bar) in reasons.into_iter().filter(|(_, bar)| bar.amount != 0.0) {
        let from = height;
        height += bar.amount;
        let fill = if bar.amount > 0.0 { Fill::Solid(Ink::BLUE) } else { Fill::Striped(Ink::VERMILION) };
        steps.push(Step { name: name.replace(' ', "\n"), from, to: height, fill, label: signed(bar.amount) });
    }
    steps.push(ends("now", now));
    let mut sheet = Sheet::new(size, &title, &about);
    stand(&mut sheet, &steps, None);
    sheet.svg()
}

/// Draws the bars side by side; a range beside one of them.
fn stand(sheet: &mut Sheet, steps: &[Step], range: Option<(usize, f64, f64)>) {
    let mut frame = sheet.frame();
    frame.bottom += 8.0;
    let tops = steps.iter().flat_map(|step| [step.from, step.to]).chain(range.map(|(_, _, high)| high));
    let most = tops.fold(0.0, f64::max);
    let y = Axis::upwards(&frame, (0.0, 1.1 * most));
    left_axis(sheet, &frame, (&y, &Unit::amounts(most)));
    let room = (frame.right - frame.left) / count(steps.len().max(1));
    let wide = (0.66 * room).min(90.0);
    let middle = |k: usize| frame.left + (count(k) + 0.5) * room;
    for (k, step) in steps.iter().enumerate() {
        let (top, bottom) = (y.at(step.from.max(step.to)), y.at(step.from.min(step.to)));
        let x = middle(k);
        let bar = Frame { left: x - 0.5 * wide, right: x + 0.5 * wide, top, bottom };
        match step.fill {
            Fill::Solid(ink) => sheet.rectangle(bar, ink),
            Fill::Striped(ink) => sheet.hatched(bar, ink),
        }
        if k + 1 < steps.len() {
            let level = y.at(step.to);
            let link = [(bar.right, level), (middle(k + 1) - 0.5 * wide, level)];
            sheet.line(&link, Stroke::solid(Ink::GREY, 1.0));
        }
        sheet.text((x, top - 10.0), &step.label, Type::LABEL.centred().bold());
        sheet.lines((x, frame.bottom + 14.0), &step.name, Type::TICK.ink(Ink::BLACK).centred());
    }
    if let Some((k, low, high)) = range {
        let x = middle(k) + 0.5 * wide + 9.0;
        sheet.whisker(((x, y.at(low)), (x, y.at(high))), Stroke::solid(Ink::BLACK, 2.0));
    }
    base(sheet, &frame);
}
