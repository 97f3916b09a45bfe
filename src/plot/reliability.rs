//! Are chances what they say?

use super::axis::{Axis, Unit, bottom_axis, bottom_title, left_axis, left_title};
use super::sheet::{Frame, Ink, Sheet, Size, Stroke, Type};
use crate::backtest::ChanceAccuracy;
use crate::estimate::{Closed, ShareInterval};
use crate::{Level, Result};

/// The chances given to deals against what became of them: a line a step of the reliability curve, with the 80 %
/// interval of its share, and the diagonal on which honest chances lie.
///
/// # Errors
/// None in practice.
///
/// # Example
/// ```
/// use dealcast::backtest::{Backtest, RollingOrigin};
/// use dealcast::{ForecastModel, plot, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 7, 1)?, date(2023, 6, 30)?), 91, 91)?;
/// let report = Backtest::new(&log, plan).run(&ForecastModel::default())?;
/// let svg = plot::reliability(report.chances().unwrap(), plot::Size::default())?;
/// assert!(svg.contains("wins were expected"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn reliability(chances: &ChanceAccuracy, size: Size) -> Result<String> {
    let won = chances.n_won;
    let title = match chances.expected_over_won {
        Some(ratio) => format!("{:.0} wins were expected, {won} came", ratio * crate::num::count(won)),
        None => "None of the deals was won".to_owned(),
    };
    let about = format!(
        "{} chances of open deals: Brier {:.4}, of which {:.4} would go if each said what it turned out to be",
        chances.n, chances.brier, chances.miscalibration
    );
    let mut sheet = Sheet::new(size, &title, &about);
    let frame = sheet.frame();
    let top = chances.curve.iter().map(|step| step.to.get()).fold(0.1, f64::max);
    let shares = chances.curve.iter().filter(|step| step.n >= FEW).map(|step| share(step.n_won, step.n));
    let top = shares.fold(top, f64::max).min(1.0);
    let (x, y) = (Axis::across(&frame, (0.0, top)), Axis::upwards(&frame, (0.0, top)));
    left_axis(&mut sheet, &frame, (&y, &Unit::Percent));
    bottom_axis(&mut sheet, &frame, (&x, &Unit::Percent));
    let diagonal = [(x.at(0.0), y.at(0.0)), (x.at(top), y.at(top))];
    sheet.line(&diagonal, Stroke::dashed(Ink::GREY, 2.0, (7.0, 4.0)));
    let mut free = f64::NEG_INFINITY;
    for step in &chances.curve {
        let height = y.at(share(step.n_won, step.n));
        let (left, right) = (x.at(step.from.get()), x.at(step.to.get()));
        let middle = 0.5 * (left + right);
        let closed = Closed {
            won: u64::try_from(step.n_won).unwrap_or(u64::MAX),
            lost: u64::try_from(step.n.saturating_sub(step.n_won)).unwrap_or(u64::MAX),
        };
        let range = closed.interval(ShareInterval::Wilson, Level::new(0.8)?);
        let (low, high) = (y.at(range.lower().get()), y.at(range.upper().get()));
        let band =
            Frame { left: left.min(middle - 1.5), right: right.max(middle + 1.5), top: high, bottom: low };
        sheet.rectangle(band, Ink::PALE);
        sheet.line(&[(band.left, height), (band.right, height)], Stroke::solid(Ink::BLUE, 4.0));
        let words = step.n.to_string();
        if middle > free {
            sheet.text((middle, high - 9.0), &words, Type::TICK.centred());
            free = middle + Type::TICK.width(&words) + 4.0;
        }
    }
    bottom_title(&mut sheet, &frame, "chance that was given");
    left_title(&mut sheet, &frame, "share that was won");
    legend(&mut sheet, &frame);
    sheet.svg()
}

/// Steps of fewer deals do not stretch the picture.
const FEW: usize = 5;

fn share(n_won: usize, n: usize) -> f64 {
    crate::num::count(n_won) / crate::num::count(n.max(1))
}

fn legend(sheet: &mut Sheet, frame: &Frame) {
    let (left, top) = (frame.left + 14.0, frame.top + 12.0);
    sheet.line(&[(left, top), (left + 36.0, top)], Stroke::dashed(Ink::GREY, 2.0, (7.0, 4.0)));
    sheet.text((left + 44.0, top), "honest chances", Type::LABEL);
    let swatch = Frame { left, right: left + 36.0, top: top + 14.0, bottom: top + 28.0 };
    sheet.rectangle(swatch, Ink::PALE);
    sheet.line(&[(left, top + 21.0), (left + 36.0, top + 21.0)], Stroke::solid(Ink::BLUE, 4.0));
    sheet.text((left + 44.0, top + 21.0), "share won and its 80 % interval; number of chances", Type::LABEL);
}
