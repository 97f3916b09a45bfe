//! Levers: what a tenth more of each does to the chance.

use super::axis::{Axis, Unit, bottom_axis, bottom_title};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::Result;
use crate::gap::{LeverEffect, LeverTable, Percent, read};
use crate::num::count;

/// What moving each lever by a tenth does to the chance of the target, the strongest on top, and how far each alone
/// would have to be moved.
///
/// # Errors
/// None in practice.
///
/// # Example
/// ```
/// use dealcast::{FittedModel, Level, Period, Probability, SalesProcess, Snapshot, Target, Timing, plot, time::date};
/// let process = SalesProcess::open(["propose"])?;
/// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
/// let empty = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [])?;
/// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
/// let table = model.levers(&empty, &quarter, (Target::new(100.0)?, Level::new(0.8)?))?;
/// assert!(plot::levers(&table, plot::Size::default())?.contains("No lever moves the chance"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn levers(table: &LeverTable, size: Size) -> Result<String> {
    let now = table.chance().get();
    let gain = |lever: &LeverEffect| lever.chance().get() - now;
    let mut levers: Vec<&LeverEffect> = table.levers().iter().collect();
    levers.sort_by(|a, b| gain(b).total_cmp(&gain(a)));
    let title = match levers.first() {
        Some(first) if gain(first) > 0.0005 => {
            format!(
                "A tenth better {} lifts the chance most: {} to {}",
                first.lever(),
                Percent(table.chance()),
                Percent(first.chance())
            )
        }
        _ => "No lever moves the chance".to_owned(),
    };
    let about = format!(
        "Chance of {}, {} as it is; each lever alone, with what it takes alone to reach {}",
        table.target(),
        Percent(table.chance()),
        table.confidence()
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let whole = sheet.frame();
    let frame = Frame { left: whole.left + 62.0, right: whole.right - 190.0, ..whole };
    let ends = levers.iter().map(|lever| lever.chance().get()).chain([now]);
    let (low, high) = ends.fold((1.0_f64, 0.0_f64), |(low, high), p| (low.min(p), high.max(p)));
    let side = (0.08 * (high - low)).max(0.005);
    let x = Axis::across(&frame, ((low - side).max(0.0), (high + side).min(1.0)));
    bottom_axis(&mut sheet, &frame, (&x, &Unit::Percent));
    let room = (frame.bottom - frame.top) / count(levers.len().max(1));
    for (k, lever) in levers.iter().enumerate() {
        let middle = frame.top + (count(k) + 0.5) * room;
        row(&mut sheet, (&frame, &x, middle), (lever, now));
    }
    let line = [(x.at(now), frame.top - 8.0), (x.at(now), frame.bottom)];
    sheet.line(&line, Stroke::dashed(Ink::BLACK, 2.0, (7.0, 4.0)));
    bottom_title(&mut sheet, &frame, "chance of the target");
    sheet.svg()
}

fn row(sheet: &mut Sheet, (frame, x, middle): (&Frame, &Axis, f64), (lever, now): (&LeverEffect, f64)) {
    let (from, to) = (x.at(now), x.at(lever.chance().get()));
    let (top, bottom) = (middle - 16.0, middle + 16.0);
    if to >= from {
        sheet.rectangle(Frame { left: from, right: to, top, bottom }, Ink::BLUE);
    } else {
        sheet.hatched(Frame { left: to, right: from, top, bottom }, Ink::VERMILION);
    }
    let name = format!("{} x {}", lever.lever().multiplies(), lever.changed());
    sheet.text((frame.left - 10.0, middle - 8.0), lever.lever().name(), Type::LABEL.ends_here());
    sheet.text((frame.left - 10.0, middle + 8.0), &name, Type::TICK.ends_here());
    let words = format!("{}, mean {}", Percent(lever.chance()), read(lever.mean()));
    sheet.text((frame.right + 12.0, middle - 8.0), &words, Type::LABEL);
    let alone = lever.reaches().map_or("not enough alone".to_owned(), |x| format!("x {x:.2} alone"));
    sheet.text((frame.right + 12.0, middle + 8.0), &alone, Type::TICK);
}
