//! How long deals stay in each stage.

use super::axis::{Axis, Unit, bottom_axis, bottom_title, left_axis, left_title};
use super::sheet::{Ink, Point, Sheet, Size, Stroke, Type};
use crate::error::shortened;
use crate::estimate::{KaplanMeier, StageTimes};
use crate::num::count;
use crate::{Error, ErrorKind, Level, Result};

/// Most curves of one picture: more lines cannot be told apart.
const MOST: usize = 8;
/// Lines that differ in colour, lightness and dashes.
const LINES: [Stroke; MOST] = [
    Stroke::solid(Ink::BLACK, 2.5),
    Stroke::solid(Ink::SKY, 4.0),
    Stroke::dashed(Ink::VERMILION, 3.0, (14.0, 6.0)),
    Stroke::dashed(Ink::BLUE, 3.0, (4.0, 4.0)),
    Stroke::solid(Ink::GREEN, 2.0),
    Stroke::dashed(Ink::ORANGE, 4.0, (20.0, 5.0)),
    Stroke::dashed(Ink::BLACK, 1.5, (6.0, 6.0)),
    Stroke::dashed(Ink::SKY, 2.0, (3.0, 5.0)),
];

/// The share of deals still in the stage by the days since they entered it, a curve a stage; open stays count for as long
/// as they were watched. Stages without a stay are left out.
///
/// # Errors
/// [`NoHistory`](ErrorKind::NoHistory) without a stay, [`TooLarge`](ErrorKind::TooLarge) for more than 8 curves.
///
/// # Example
/// ```
/// use dealcast::synthetic::{Company, World};
/// use dealcast::plot;
/// let company = Company::named(World::Stationary, dealcast::Seed::new(7))?;
/// let log = company.log()?;
/// let known = log.as_of(company.history().end());
/// let stages = known.process().open_stages();
/// let times = stages.iter().map(|stage| known.time_in_stage(stage.name())).collect::<dealcast::Result<Vec<_>>>()?;
/// assert!(plot::time_in_stage(&times, plot::Size::default())?.contains("Deals stay longest in"));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn time_in_stage(stages: &[StageTimes], size: Size) -> Result<String> {
    if stages.len() > MOST {
        let error = Error::new(ErrorKind::TooLarge, "at most 8 curves in a picture");
        return Err(error.found(stages.len()).field("stages"));
    }
    let curves: Vec<(&str, KaplanMeier)> =
        stages.iter().filter_map(|times| Some((times.stage(), times.kaplan_meier().ok()?))).collect();
    if curves.is_empty() {
        return Err(Error::new(ErrorKind::NoHistory, "a stay in a stage").field("stages"));
    }
    let n: u64 = curves.iter().map(|(_, curve)| curve.n()).sum();
    let about = format!(
        "Share of deals still in the stage, by days since they entered it; {n} stays, open ones included"
    );
    let mut sheet = Sheet::new(size, &title(&curves), &about);
    let frame = sheet.frame();
    let last = curves.iter().map(|(_, curve)| shown(curve)).collect::<Result<Vec<_>>>()?;
    let last = last.into_iter().fold(1.0, f64::max);
    let (x, y) = (Axis::across(&frame, (0.0, last)), Axis::upwards(&frame, (0.0, 1.0)));
    left_axis(&mut sheet, &frame, (&y, &Unit::Percent));
    bottom_axis(&mut sheet, &frame, (&x, &Unit::Plain));
    for ((k, (name, curve)), stroke) in curves.iter().enumerate().zip(LINES) {
        sheet.line(&steps(curve, (&x, &y), last), stroke);
        // Curves fall, so the corner they fall from is free.
        let line = frame.top + 14.0 + 20.0 * count(k);
        let half = curve
            .median()
            .map_or("half never seen to end".to_owned(), |days| format!("half gone by day {days:.0}"));
        let words = format!("{}: {half}", shortened(name, 20));
        let left = frame.right - 300.0;
        sheet.line(&[(left, line), (left + 44.0, line)], stroke);
        sheet.text((left + 52.0, line), &words, Type::LABEL);
    }
    bottom_title(&mut sheet, &frame, "days in the stage");
    left_title(&mut sheet, &frame, "still in the stage");
    sheet.svg()
}

fn title(curves: &[(&str, KaplanMeier)]) -> String {
    let halves = curves.iter().filter_map(|(name, curve)| Some((curve.median()?, *name)));
    match halves.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((days, name)) => {
            format!("Deals stay longest in {}: half of them more than {days:.0} days", shortened(name, 24))
        }
        None => "No stage has been left by half of its deals yet".to_owned(),
    }
}

/// The day up to which a curve is shown: when 5 in 100 are left, or its end.
fn shown(curve: &KaplanMeier) -> Result<f64> {
    let end = curve.steps().last().map_or(0.0, |(day, _)| day);
    Ok(curve.quantile(Level::new(0.95)?).unwrap_or(end))
}

/// The curve as steps.
fn steps(curve: &KaplanMeier, (x, y): (&Axis, &Axis), last: f64) -> Vec<Point> {
    let mut height = y.at(1.0);
    let mut path = vec![(x.at(0.0), height)];
    for (day, share) in curve.steps().take_while(|(day, _)| *day <= last) {
        path.push((x.at(day), height));
        height = y.at(share.get());
        path.push((x.at(day), height));
    }
    path.push((x.at(last), height));
    path
}
