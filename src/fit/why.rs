//! Why a chance is what it is: factors that multiply to it.
//!
//! # Formula
//! The parts of the model are put in one after the other, in this order, and each factor is the chance with a part over
//! the chance without it:
//!
//! | | chance of the deal to be won inside the period |
//! |---|---|
//! | base | under the long memory of its stage, averaged over the ages 1 .. A at which a deal of the stage is still there, each weighing the chance to get that old; by A, 99 % of the visits that were won later have ended |
//! | age | the same at its age |
//! | level | with how every move happens now against the long memory |
//! | attributes | with what it was created with, one after the other |
//! | weekdays | with the weekdays until the end of the period |
//! | months | with the months until then |
//! | the rep | with what the rep says: expected close and category |
//! | past forecasts | with the odds all deals of the book need to come to what past forecasts taught |
//! | size | with what its amount changes about that |
//!
//! The order matters for the size of each factor, never for their product. A model of stage percentages has the
//! percentage of the stage as its base, and what the calendar leaves of it as its only factor.

use super::assumed::{Assumed, Timing};
use super::calibration::Calibration;
use super::fitted::{Basis, Expected, FittedModel, Split};
use super::replay::Open;
use super::signals::{Offsets, Signals, lift};
use crate::deals::{OpenDeal, Snapshot};
use crate::history::ages::{N_BINS, STARTS};
use crate::model::attributes::Effects;
use crate::model::calendar::Weekdays;
use crate::model::chain::Standing;
use crate::model::hazard::Table;
use crate::model::process::Process;
use crate::model::season::Seasons;
use crate::num::special::{exp, exp_m1, ln, ln_1p};
use crate::time::{Period, day_number};
use crate::{Amount, Error, ErrorKind, Probability, Result};
use chrono::NaiveDate;
use serde::Serialize;
use std::fmt;

/// Of the visits that were won later, the share that has ended by the last age of the base.
const NOT_STALE: f64 = 0.99;
/// Most ages the base is averaged over.
const MOST_AGES: i32 = 1000;

/// What a factor of a chance stands for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// How long it has been in its stage.
    Age {
        /// Whole days.
        days: i32,
        /// The share of the visits to the stage, of deals that were won later, that had ended by then; `None` where no
        /// such deal is ever won.
        older_than: Option<Probability>,
    },
    /// How deals move now, against the long memory.
    Level,
    /// What it was created with.
    Attribute {
        /// The name.
        name: String,
        /// Its value; `None` where it is none of the values that the model tells apart.
        value: Option<String>,
    },
    /// The weekdays until the end of the period.
    Weekdays,
    /// The months until the end of the period.
    Months,
    /// What the rep says.
    Rep {
        /// The day on which it is expected to close.
        expected_close: Option<NaiveDate>,
        /// Its forecast category.
        category: Option<String>,
    },
    /// What the model's own past forecasts taught about all deals.
    PastForecasts,
    /// What they taught about deals of its size.
    Size,
    /// An assumed model counts a deal in the period of its expected close.
    ExpectedClose,
    /// An assumed model gives a deal the days that are left.
    DaysLeft,
}

/// A factor of a chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Factor {
    /// What it stands for.
    pub reason: Reason,
    /// The chance with it over the chance without it; 1 where both are 0.
    pub ratio: f64,
}

/// Why the chance of an open deal is what it is: a base, and factors whose product with it is the chance.
///
/// # Example: why so low?
/// ```
/// use dealcast::{ForecastModel, FiscalCalendar, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Segments, dealcast::Seed::new(1))?.log()?;
/// let known = log.as_of(date(2023, 8, 15)?);
/// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
/// let fitted = ForecastModel::default().fit(&known, &quarter)?;
/// let book = known.snapshot();
/// let why = fitted.why(&book, &quarter, book.open()[0].id())?;
/// let product: f64 = why.factors().iter().map(|factor| factor.ratio).product();
/// assert!((why.base().get() * product - why.chance().get()).abs() < 1e-12);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    deal: String,
    stage: String,
    amount: Option<Amount>,
    period: Period,
    base: Probability,
    factors: Vec<Factor>,
    chance: Probability,
}

impl Why {
    /// Which deal.
    pub fn deal(&self) -> &str {
        &self.deal
    }

    /// The stage it is in.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The chance of a deal of its stage, at no age in particular; of an assumed model the percentage of the stage.
    pub const fn base(&self) -> Probability {
        self.base
    }

    /// What makes it another one, in order.
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// Its chance to be won inside the period.
    pub const fn chance(&self) -> Probability {
        self.chance
    }
}

impl FittedModel {
    /// Why an open deal has the chance it has.
    ///
    /// # Errors
    /// Those of [`chances`](Self::chances), and [`Missing`](ErrorKind::Missing) for a deal that is not open in the book.
    pub fn why(&self, book: &Snapshot, period: &Period, deal: &str) -> Result<Why> {
        let Ok(place) = book.open().binary_search_by(|open| open.id().cmp(deal)) else {
            let error = Error::new(ErrorKind::Missing, "a deal that is open in the book");
            return Err(error.of_deal(deal).field("deal"));
        };
        let expected = self.expected(book, period, Split::Whole)?;
        let chance = expected.by_place().find(|of| of.0 == place).map_or(0.0, |of| of.1);
        let open = book.open().get(place).ok_or_else(|| Error::new(ErrorKind::Missing, "an open deal"))?;
        let mut steps = match &self.basis {
            Basis::Assumed(assumed) => assumed_steps(assumed, open, chance),
            Basis::Fitted { process, calibration, .. } => {
                let day = day_number(book.as_of().date());
                let ends = [period.start(), period.end()].map(|end| day_number(end).max(day));
                let mut steps = Steps { process, calibration, deal: open, day, ends }.taken();
                let before = steps.last().map_or(0.0, |step| step.1);
                if let Some(odds) = self.odds_of_all(book, (day, ends), &expected) {
                    steps.push((Some(Reason::PastForecasts), lift(before, odds)));
                    steps.push((Some(Reason::Size), chance));
                } else {
                    steps.push((Some(Reason::PastForecasts), chance));
                }
                steps
            }
        };
        settle(&mut steps);
        let base = steps.first().map_or(0.0, |step| step.1);
        let factors = steps.windows(2).filter_map(|pair| match pair {
            [(_, before), (reason, after)] => {
                let ratio = if *before > 0.0 { after / before } else { 1.0 };
                Some(Factor { reason: reason.clone()?, ratio })
            }
            _ => None,
        });
        Ok(Why {
            deal: open.id().to_owned(),
            stage: open.stage().to_owned(),
            amount: open.amount(),
            period: *period,
            base: Probability::rounded(base),
            factors: factors.collect(),
            chance: Probability::rounded(chance),
        })
    }

    /// What the odds of a deal of typical size are multiplied by on account of past forecasts; none where the sizes of
    /// the book do not tell it from what a deal's own size changes.
    ///
    /// The logarithm of the multiplier is a straight line in that of the amount: the two deals furthest apart in size
    /// tell it.
    fn odds_of_all(&self, book: &Snapshot, (day, ends): (i32, [i32; 2]), expected: &Expected) -> Option<f64> {
        let Basis::Fitted { process, calibration, .. } = &self.basis else { return None };
        let mut open: Vec<Open> = self.open_deals((process, calibration), book, day);
        open.sort_by(Open::canonical);
        let [start, end] = ends.map(|end| outlook(process, &open, (day, end)));
        let [from, last] = ends;
        let before = open.iter().zip(start.iter().zip(&end)).map(|(deal, (&start, &end))| {
            calibration.offsets.heed((deal.said, day), (from, start), (last, end))
        });
        let deals = before.zip(expected.chances.iter().flatten()).zip(&expected.amounts);
        let deals: Vec<(f64, f64, f64)> = deals.map(|((p, q), a)| (p, *q, *a)).collect();
        let (n, money) = deals.iter().fold((0.0, 0.0), |sum, (p, _, a)| (sum.0 + p, sum.1 + p * a));
        let inside = |p: f64| p > 1e-6 && p < 1.0 - 1e-6;
        let priced = deals.iter().filter(|(p, q, a)| inside(*p) && inside(*q) && *a > 0.0);
        let points = priced.map(|(p, q, a)| (ln(a * n / money), ln(q / (1.0 - q)) - ln(p / (1.0 - p))));
        let points: Vec<(f64, f64)> = points.collect();
        let (first, last) = points.iter().fold(None, |ends: Option<((f64, f64), (f64, f64))>, &point| {
            let (low, high) = ends.unwrap_or((point, point));
            Some((if point.0 < low.0 { point } else { low }, if point.0 > high.0 { point } else { high }))
        })?;
        let slope = (last.1 - first.1) / (last.0 - first.0);
        let odds = exp(first.1 - slope * first.0);
        (last.0 - first.0 > 1e-6 && odds.is_finite() && odds > 0.0).then_some(odds)
    }
}

fn outlook(process: &Process, open: &[Open], (day, end): (i32, i32)) -> Vec<f64> {
    super::replay::Outlook::of(process, open, (day, usize::try_from(end - day).unwrap_or(0))).chances
}

/// A chance, and what it takes in that the one before leaves out.
type Step = (Option<Reason>, f64);

/// An impossible base of a possible deal is no base: the first chance above 0 is.
fn settle(steps: &mut [Step]) {
    if let Some(first) = steps.iter().map(|step| step.1).find(|chance| *chance > 0.0)
        && steps.last().is_some_and(|last| last.1 > 0.0)
    {
        steps.iter_mut().take_while(|step| !(step.1 > 0.0)).for_each(|step| step.1 = first);
    }
}

fn assumed_steps(assumed: &Assumed, deal: &OpenDeal, chance: f64) -> Vec<Step> {
    let base = assumed.chances.get(deal.stage_id().index()).copied().unwrap_or(0.0);
    let reason = match assumed.timing {
        Timing::ExpectedClose => Reason::ExpectedClose,
        Timing::MeanDays(_) => Reason::DaysLeft,
    };
    vec![(None, base), (Some(reason), chance)]
}

/// The parts of a process, put in one after the other.
struct Steps<'a> {
    process: &'a Process,
    calibration: &'a Calibration,
    deal: &'a OpenDeal,
    day: i32,
    ends: [i32; 2],
}

impl Steps<'_> {
    fn taken(&self) -> Vec<Step> {
        let stage = self.deal.stage_id();
        let age = self.day.saturating_sub(self.deal.entered_day());
        let visits = Visits::of(&self.process.base, stage.index());
        let (last, older_than) = (visits.age_by(NOT_STALE), visits.ended_by(age));
        let bare = self.with((false, 0, 0));
        let ages: Vec<Standing> =
            (1..=last).chain([age]).map(|age| Standing { stage: stage.0, age }).collect();
        let chances = self.inside(&bare, &ages);
        let weights = visits.there.iter().copied();
        let (sum, weight) = weights
            .zip(chances.iter().take(chances.len().saturating_sub(1)))
            .fold((0.0, 0.0), |sum, (w, p)| (sum.0 + w * p, sum.1 + w));
        let base = if weight > 0.0 { sum / weight } else { 0.0 };
        let older_than = older_than.map(Probability::rounded);
        let aged = Reason::Age { days: age, older_than };
        let mut steps = vec![(None, base), (Some(aged), chances.last().copied().unwrap_or(0.0))];
        let mut then = |reason: Reason, process: &Process| {
            let chance = self.inside(process, &[Standing { stage: stage.0, age }]).first().copied();
            steps.push((Some(reason), chance.unwrap_or(0.0)));
        };
        then(Reason::Level, &self.with((true, 0, 0)));
        for (n, effect) in (1..).zip(&self.process.effects.0) {
            let value =
                self.deal.attribute(&effect.name).filter(|_| effect.level(self.deal.attributes()) > 0);
            let (name, value) = (effect.name.clone(), value.map(str::to_owned));
            then(Reason::Attribute { name, value }, &self.with((true, n, 0)));
        }
        then(Reason::Weekdays, &self.with((true, usize::MAX, 1)));
        if self.process.seasons != Seasons::NONE {
            then(Reason::Months, self.process);
        }
        steps.extend(self.said(Standing { stage: stage.0, age }));
        steps
    }

    /// With what the rep says, where anything is said.
    fn said(&self, standing: Standing) -> Option<Step> {
        let (expected_close, category) = (self.deal.expected_close(), self.deal.category());
        let offsets = &self.calibration.offsets;
        if expected_close.is_none() && category.is_none() || *offsets == Offsets::none() {
            return None;
        }
        let said = Signals { close: expected_close.map(day_number), category: offsets.number(category) };
        let [start, end] = self
            .ends
            .map(|end| (end, self.until(self.process, &[standing], end).first().copied().unwrap_or(0.0)));
        let reason = Reason::Rep { expected_close, category: category.map(str::to_owned) };
        Some((Some(reason), offsets.heed((said, self.day), start, end)))
    }

    /// The process with some of its parts: the level, the first attributes, the first of weekdays and months.
    fn with(&self, (level, n_attributes, n_calendars): (bool, usize, usize)) -> Process {
        let Process { base, level: now, effects, weekdays, seasons, arrivals, .. } = self.process;
        Process {
            base: base.clone(),
            level: if level { now.clone() } else { vec![1.0; now.len()] },
            effects: Effects(effects.0.iter().take(n_attributes).cloned().collect()),
            weekdays: if n_calendars > 0 { weekdays.clone() } else { Weekdays::NONE },
            seasons: if n_calendars > 1 { seasons.clone() } else { Seasons::NONE },
            arrivals: arrivals.clone(),
            entries: Vec::new(),
        }
    }

    /// Chances to be won by a day.
    fn until(&self, process: &Process, standing: &[Standing], end: i32) -> Vec<f64> {
        let group = process.effects.group(self.deal.attributes());
        let n_days = usize::try_from(end - self.day).unwrap_or(0);
        process.reached(group, (self.day, n_days), standing).standing
    }

    /// Chances to be won inside the period.
    fn inside(&self, process: &Process, standing: &[Standing]) -> Vec<f64> {
        let [start, end] = self.ends.map(|end| self.until(process, standing, end));
        end.iter().zip(&start).map(|(end, start)| (end - start).max(0.0)).collect()
    }
}

/// The visits to a stage under some hazards: how long they last, and how long those of deals that are won later do.
struct Visits {
    /// Chance to be there still at age 1, 2, ...
    there: Vec<f64>,
    /// By age: the share of the visits won later that has ended by then, from age 0 on.
    ended: Vec<f64>,
}

impl Visits {
    fn of(hazards: &Table, stage: usize) -> Self {
        let won = won_ever(hazards);
        let (mut there, mut ended) = (Vec::new(), vec![0.0]);
        let (mut staying, mut gone) = (1.0, 0.0);
        for age in 0..=MOST_AGES {
            let row = hazards.row(stage, crate::history::ages::bin_of(age));
            gone += staying * row.iter().zip(&won).map(|(h, w)| h * w).sum::<f64>();
            staying *= Table::stay(row);
            there.push(staying);
            ended.push(gone);
        }
        let all = won.get(stage).copied().unwrap_or(0.0);
        if all > 0.0 {
            ended.iter_mut().for_each(|share| *share = (*share / all).min(1.0));
        }
        Self { there, ended: if all > 0.0 { ended } else { Vec::new() } }
    }

    /// The share of the visits won later that ended before this age.
    fn ended_by(&self, age: i32) -> Option<f64> {
        let age = usize::try_from(age).unwrap_or(0);
        self.ended.get(age).or(self.ended.last()).copied()
    }

    /// The age by which this share of them has ended; at least 1.
    fn age_by(&self, share: f64) -> i32 {
        let age = self.ended.iter().position(|ended| *ended >= share).unwrap_or(self.ended.len());
        i32::try_from(age).unwrap_or(MOST_AGES).clamp(1, MOST_AGES)
    }
}

/// The chance to be won ever, by destination: of the open stages on entering them.
fn won_ever(hazards: &Table) -> Vec<f64> {
    let n_open = hazards.n_open();
    let leaves: Vec<Vec<f64>> = (0..n_open).map(|stage| leaving(hazards, stage)).collect();
    let mut won = vec![0.0; n_open + 2];
    won.get_mut(n_open).into_iter().for_each(|won| *won = 1.0);
    // Each round follows one more move; of deals that go in circles what is left falls geometrically.
    for _ in 0..200 {
        let next = leaves.iter().map(|row| row.iter().zip(&won).map(|(q, w)| q * w).sum::<f64>().min(1.0));
        let next: Vec<f64> = next.collect();
        won.iter_mut().zip(next).for_each(|(won, next)| *won = next);
    }
    won
}

/// Where visits to a stage lead in the end.
fn leaving(hazards: &Table, stage: usize) -> Vec<f64> {
    let mut leaves = vec![0.0; hazards.n_open() + 2];
    let mut staying = 1.0;
    for (bin, start) in STARTS.iter().enumerate() {
        let row = hazards.row(stage, bin);
        let exits: f64 = row.iter().sum();
        if !(exits > 0.0) {
            continue;
        }
        // Of a run of days with one hazard; the last one has no end.
        let stay = match STARTS.get(bin + 1).filter(|_| bin + 1 < N_BINS) {
            Some(end) => f64::from(end - start) * ln_1p(-exits),
            None => f64::NEG_INFINITY,
        };
        let gone = -exp_m1(stay);
        leaves.iter_mut().zip(row).for_each(|(sum, h)| *sum += staying * gone * h / exits);
        staying *= 1.0 - gone;
    }
    leaves
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deal, stage, amount, period, base, factors, chance } = self;
        let [deal, stage] = [deal, stage].map(|text| crate::error::shortened(text, 24));
        write!(f, "{deal}")?;
        if let Some(amount) = amount {
            write!(f, ", {amount}")?;
        }
        write!(f, ": {chance} to be won in {period}")?;
        write!(f, "\n  {:<72} {:>9}", format!("a deal in {stage}"), base.to_string())?;
        for Factor { reason, ratio } in factors {
            write!(f, "\n  {:<72} {:>9}", words(reason, &stage), format!("x {ratio:.2}"))?;
        }
        Ok(())
    }
}

fn words(reason: &Reason, stage: &str) -> String {
    match reason {
        Reason::Age { days, older_than } => {
            let unit = if *days == 1 { "day" } else { "days" };
            let older = older_than.map(|share| {
                // Nobody is older than all that will ever win.
                let percent = (100.0 * share.get()).min(99.0);
                format!(", older than {percent:.0} % of those that won")
            });
            format!("has been there for {days} {unit}{}", older.unwrap_or_default())
        }
        Reason::Level => format!("how deals in {stage} move now, against the long memory"),
        Reason::Attribute { name, value } => {
            let name = crate::error::shortened(name, 24);
            let value = value.as_ref().map(|value| crate::error::shortened(value, 24));
            value.map_or_else(
                || format!("{name}: none of the common values"),
                |value| format!("{name}: {value}"),
            )
        }
        Reason::Weekdays => "the weekdays that are left".to_owned(),
        Reason::Months => "the months that are left".to_owned(),
        Reason::Rep { expected_close, category } => {
            let close = expected_close.map(|day| format!("to close on {day}"));
            let category = category.as_ref().map(|name| crate::error::shortened(name, 24));
            let said: Vec<String> = close.into_iter().chain(category).collect();
            format!("what the rep says: {}", said.join(", "))
        }
        Reason::PastForecasts => "what past forecasts taught about all deals".to_owned(),
        Reason::Size => "what they taught about deals of its size".to_owned(),
        Reason::ExpectedClose => "whether it is expected to close in the period".to_owned(),
        Reason::DaysLeft => "the days that are left for it".to_owned(),
    }
}
