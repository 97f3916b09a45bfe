//! What a forecast has to beat: the numbers that sales teams use already, each with an honest spread.
//!
//! Each method names one number for the window to come. How far it has been off before is known: the same number is
//! made at past origins whose windows are complete, and today's number is spread by those errors, as shares of the
//! number. So each baseline is as good a distribution as its method allows, and says how sure it is. The mean stays the
//! method's number, but for percentages of what is open, which are corrected by what came over what was said before.

mod landmark;
mod stages;
mod windows;

use super::forecaster::{Fold, Forecaster, Prediction};
use super::truth::{Actual, Wins};
use crate::deals::{Known, SalesProcess};
use crate::fit::Workers;
use crate::forecast::Forecast;
use crate::history::History;
use crate::num::{count, sum::sum};
use crate::time::{civil_date, day_number};
use crate::{Error, ErrorKind, Probability, Result};
use landmark::Landmarks;
use std::collections::{BTreeMap, BTreeSet};

/// Errors that are assumed where fewer than this many are known: 30 %.
const FEW: usize = 3;
const ASSUMED: [f64; 3] = [0.7, 1.0, 1.3];
/// What came over what was said is taken for at most this many times what it usually is, and at least that part of it:
/// beyond is a history that has hardly begun.
const FARTHEST: f64 = 4.0;
/// Most past errors that spread a number, a quarter of the horizon apart: six horizons.
const MOST_ERRORS: i32 = 24;

/// A method that a forecast has to beat.
///
/// | method | its number |
/// |---|---|
/// | [`last_period`](Self::last_period) | what was won in the last window |
/// | [`same_period_last_year`](Self::same_period_last_year) | what was won in the same window 52 weeks ago |
/// | [`run_rate`](Self::run_rate) | what was won a day over the last two windows, times the days of the window |
/// | [`crm_stages`](Self::crm_stages) | open amounts times the percentage of their stage |
/// | [`closed_only`](Self::closed_only) | open amounts times won / (won + lost) of the closed deals that passed their stage |
/// | [`landmark`](Self::landmark) | open amounts times the share won in time, by stage and age, of past open deals; and new business |
///
/// # Example: the same window, six methods
/// ```
/// use dealcast::backtest::{Backtest, Baseline, RollingOrigin};
/// use dealcast::time::date;
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::Stationary, dealcast::Seed::new(1))?.log()?;
/// let plan = RollingOrigin::new((date(2022, 1, 7)?, date(2023, 9, 1)?), 91, 91)?;
/// let backtest = Backtest::new(&log, plan);
/// for baseline in Baseline::all(log.process()) {
///     let money = backtest.run(&baseline)?.money().cloned().unwrap();
///     assert!(money.ncrps.unwrap() < 1.0 && money.coverage_95.unwrap() > 0.6, "{baseline:?}");
/// }
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline(Method);

#[derive(Clone, Debug, PartialEq)]
enum Method {
    LastPeriod,
    SamePeriodLastYear,
    RunRate,
    CrmStages(Vec<Probability>),
    ClosedOnly,
    Landmark,
}

impl Baseline {
    /// What was won in the window of the same length that ends at the origin.
    pub const fn last_period() -> Self {
        Self(Method::LastPeriod)
    }

    /// What was won in the window that began 52 weeks before the origin, weekdays kept; for windows longer than that,
    /// and before there is a year of history, in the last window.
    pub const fn same_period_last_year() -> Self {
        Self(Method::SamePeriodLastYear)
    }

    /// The mean won a day over the last two windows, or since the first event, times the days of the window.
    pub const fn run_rate() -> Self {
        Self(Method::RunRate)
    }

    /// The percentages that are set in a CRM, one for every open stage: open amounts times percentage, of the deals whose
    /// expected close date lies in the window; of all open deals where none has such a date. No new business.
    ///
    /// # Errors
    /// [`LengthMismatch`](ErrorKind::LengthMismatch) unless there is a percentage for every open stage.
    pub fn crm_stages(
        process: &SalesProcess,
        percentages: impl IntoIterator<Item = Probability>,
    ) -> Result<Self> {
        let percentages: Vec<Probability> = percentages.into_iter().collect();
        let n_open = process.open_stages().len();
        if percentages.len() == n_open {
            return Ok(Self(Method::CrmStages(percentages)));
        }
        let expected = format!("one percentage for each of {n_open} open stages");
        Err(Error::new(ErrorKind::LengthMismatch, expected).found(percentages.len()))
    }

    /// Won / (won + lost) of the closed deals that passed through a stage, as spreadsheets have it: open deals are not
    /// in it, so it is too high while slow deals are still open. Times the share of those wins that came within the
    /// length of the window. No new business.
    pub const fn closed_only() -> Self {
        Self(Method::ClosedOnly)
    }

    /// The share of deals that stood in the same stage for about as long, at weekly landmarks of the past, and were won
    /// within the length of the window; shrunk to the share of the stage. New business: what such windows brought from
    /// deals that did not stand at their beginning.
    ///
    /// # Reference
    /// Van Houwelingen (2007), Dynamic prediction by landmarking in event history analysis.
    pub const fn landmark() -> Self {
        Self(Method::Landmark)
    }

    /// Every method; the CRM's percentages rise evenly from stage to stage.
    pub fn all(process: &SalesProcess) -> Vec<Self> {
        let n_open = process.open_stages().len();
        let rising = (1..=n_open).map(|stage| Probability::rounded(count(stage) / count(n_open + 1)));
        vec![
            Self::last_period(),
            Self::same_period_last_year(),
            Self::run_rate(),
            Self(Method::CrmStages(rising.collect())),
            Self::closed_only(),
            Self::landmark(),
        ]
    }

    /// The one of [`all`](Self::all) with this name.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for another name.
    pub fn named(name: &str, process: &SalesProcess) -> Result<Self> {
        let found = Self::all(process).into_iter().find(|baseline| baseline.name().replace(' ', "_") == name);
        found.ok_or_else(|| {
            let names: Vec<String> =
                Self::all(process).iter().map(|baseline| baseline.name().replace(' ', "_")).collect();
            Error::new(ErrorKind::OutOfRange, format!("one of {}", names.join(", ")))
                .field("baseline")
                .found(name)
        })
    }

    /// Its number for the window that begins on a day; `None` where there is no history for one.
    fn number(&self, source: &Source<'_>, (day, horizon): (i32, i32)) -> Option<Actual> {
        match &self.0 {
            Method::LastPeriod => windows::last_period(&source.wins, (day, horizon)),
            Method::SamePeriodLastYear => windows::same_period_last_year(&source.wins, (day, horizon)),
            Method::RunRate => windows::run_rate(&source.wins, (day, horizon)),
            Method::CrmStages(percentages) => stages::crm(&source.known, percentages, (day, horizon)),
            Method::ClosedOnly => stages::closed_only(&source.wins, (day, horizon)),
            Method::Landmark => source.landmarks((day, horizon))?.number(&source.wins, day),
        }
    }

    /// Chances of the open deals, for the methods that look at single deals.
    fn chances(&self, source: &Source<'_>, fold: &Fold<'_>) -> Vec<(String, Probability)> {
        let (day, horizon) = window(fold);
        match &self.0 {
            Method::LastPeriod | Method::SamePeriodLastYear | Method::RunRate => Vec::new(),
            Method::CrmStages(percentages) => stages::crm_chances(&fold.known, percentages, (day, horizon)),
            Method::ClosedOnly => stages::closed_only_chances(&source.wins, &fold.known, (day, horizon)),
            Method::Landmark => source
                .landmarks((day, horizon))
                .map_or_else(Vec::new, |landmarks| landmarks.chances(&source.wins.history, &fold.known, day)),
        }
    }

    fn all_from(
        &self,
        source: &Source<'_>,
        folds: &[Fold<'_>],
        workers: &Workers,
    ) -> Result<Vec<Prediction>> {
        let wanted: BTreeSet<(i32, i32)> =
            folds.iter().flat_map(|fold| origins(window(fold), source.wins.first)).collect();
        let wanted: Vec<(i32, i32)> = wanted.into_iter().collect();
        // The number of each window, and what came of it by the end of the history.
        let tried = |&(day, horizon): &(i32, i32)| {
            Ok(self.number(source, (day, horizon)).map(|said| (said, source.wins.won((day, day + horizon)))))
        };
        let tried = workers.prepare(&wanted, tried)?;
        let tried: BTreeMap<(i32, i32), Option<(Actual, Actual)>> = wanted.into_iter().zip(tried).collect();
        workers.each(folds, |fold| {
            let asked = window(fold);
            let number = |at: (i32, i32)| tried.get(&at).copied().flatten();
            let (today, _) = number(asked).ok_or_else(|| {
                let needed = "a history long enough for this method";
                Error::new(ErrorKind::NoHistory, needed)
                    .found(format!("a history since {}", civil_date(source.wins.first)))
            })?;
            // Their windows are over at this origin, so what came of them was known.
            let pasts: Vec<(Actual, Actual)> =
                origins(asked, source.wins.first).skip(1).filter_map(number).collect();
            let of = |part: fn(&Actual) -> f64| {
                let pasts: Vec<(f64, f64)> =
                    pasts.iter().map(|(said, came)| (part(said), part(came))).collect();
                spread(part(&today), &pasts, self.0.errors())
            };
            let said = Prediction::new(of(|x| x.money)?).with_deals(of(|x| x.deals)?);
            Ok(said.with_chances(self.chances(source, fold)))
        })
    }
}

impl Forecaster for Baseline {
    fn name(&self) -> String {
        match self.0 {
            Method::LastPeriod => "last period",
            Method::SamePeriodLastYear => "same period last year",
            Method::RunRate => "run rate",
            Method::CrmStages(_) => "crm stages",
            Method::ClosedOnly => "closed only",
            Method::Landmark => "landmark",
        }
        .to_owned()
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        let source = Source::of(&fold.known, std::slice::from_ref(fold), &self.0);
        let mut answers = self.all_from(&source, std::slice::from_ref(fold), &Workers::default())?;
        answers.pop().ok_or_else(|| Error::new(ErrorKind::NoHistory, "an answer"))
    }

    fn forecast_all(&self, folds: &[Fold<'_>], workers: &Workers) -> Result<Vec<Prediction>> {
        let Some(last) = folds.iter().max_by_key(|fold| fold.known.at()) else { return Ok(Vec::new()) };
        let midnight = |fold: &Fold<'_>| fold.known.at() == fold.period.start().into();
        if last.known.has_late_facts() || !folds.iter().all(midnight) {
            return workers.each(folds, |fold| self.forecast(fold));
        }
        self.all_from(&Source::of(&last.known, folds, &self.0), folds, workers)
    }
}

/// What a baseline looks at: one history for all origins.
struct Source<'a> {
    known: Known<'a>,
    wins: Wins,
    /// By weekday of the origins, and horizon.
    landmarks: BTreeMap<(i32, i32), Landmarks>,
}

impl<'a> Source<'a> {
    fn of(known: &Known<'a>, folds: &[Fold<'_>], method: &Method) -> Self {
        let wins = Wins::of(History::of(known));
        let mut landmarks = BTreeMap::new();
        if *method == Method::Landmark {
            let mut origins: BTreeMap<(i32, i32), Vec<i32>> = BTreeMap::new();
            for (day, horizon) in folds.iter().map(window) {
                origins.entry((day.rem_euclid(7), horizon)).or_default().push(day);
            }
            for (at, days) in origins {
                landmarks.insert(at, Landmarks::of(&wins, &days, at.1));
            }
        }
        Self { known: *known, wins, landmarks }
    }

    fn landmarks(&self, (day, horizon): (i32, i32)) -> Option<&Landmarks> {
        self.landmarks.get(&(day.rem_euclid(7), horizon))
    }
}

/// First day and number of days of a window.
fn window(fold: &Fold<'_>) -> (i32, i32) {
    let day = day_number(fold.period.start());
    (day, day_number(fold.period.end()) - day)
}

/// The origin, and those before it whose windows are complete and that have a horizon of history, a quarter of the
/// horizon apart in whole weeks.
fn origins((day, horizon): (i32, i32), first: i32) -> impl Iterator<Item = (i32, i32)> {
    let weeks = (horizon + 6) / 7;
    let step = (horizon / 28 * 7).max(7);
    let past = (0..MOST_ERRORS).map(move |back| day - 7 * weeks - back * step);
    let earliest = first.saturating_add(horizon);
    std::iter::once(day).chain(past.take_while(move |&past| past > earliest)).map(move |day| (day, horizon))
}

/// What past errors do to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errors {
    /// They spread it; its mean stays.
    Spread,
    /// They also correct it, by what came over what was said in all.
    Correct,
}

impl Method {
    const fn errors(&self) -> Errors {
        match self {
            Self::LastPeriod | Self::SamePeriodLastYear | Self::RunRate | Self::Landmark => Errors::Spread,
            // A percentage of what is open is no forecast of a window by itself.
            Self::CrmStages(_) | Self::ClosedOnly => Errors::Correct,
        }
    }
}

/// A number, spread by what came of the same number in the past (said, came): each past error, as a share of the number,
/// is as likely as the other.
fn spread(number: f64, pasts: &[(f64, f64)], errors: Errors) -> Result<Forecast> {
    let total = |part: fn(&(f64, f64)) -> f64| sum(pasts.iter().map(part));
    let usual = total(|past| past.1) / total(|past| past.0);
    let usual = if usual > 0.0 && usual.is_finite() { usual } else { 1.0 };
    let number = if errors == Errors::Correct { number * usual } else { number };
    let share = |&(said, came): &(f64, f64)| (came / said / usual).clamp(1.0 / FARTHEST, FARTHEST);
    let mut shares: Vec<f64> = pasts.iter().filter(|past| past.0 > 0.0).map(share).collect();
    if shares.len() < FEW {
        shares.extend(ASSUMED);
    }
    let mean = sum(shares.iter().copied()) / count(shares.len());
    let samples: Vec<f64> = shares.iter().map(|share| number * (share / mean)).collect();
    Forecast::from_samples(&samples)
}
