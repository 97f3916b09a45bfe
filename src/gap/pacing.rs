//! Pacing: what is booked so far, against the linear plan and against the same point of past periods.

use super::Target;
use super::display::{percent, read};
use crate::deals::Known;
use crate::fit::within_reach;
use crate::forecast::Forecast;
use crate::time::{FiscalCalendar, Period, day_number};
use crate::{Amount, Error, ErrorKind, Level, Result};
use chrono::NaiveDateTime;
use serde::Serialize;
use std::fmt;

/// Past periods that are looked at unless the caller names them.
const PERIODS: usize = 8;

/// How far one past period was at the same point, and where it ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PastPace {
    period: Period,
    booked: Amount,
    total: Amount,
}

impl PastPace {
    /// Which one.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// What was booked by then, as it was known then.
    pub const fn booked(&self) -> Amount {
        self.booked
    }

    /// What was booked in it in the end, as it is known now.
    pub const fn total(&self) -> Amount {
        self.total
    }

    /// booked / total; `None` for a period in which nothing was booked. Above 1 where wins were undone later.
    pub fn share(&self) -> Option<f64> {
        let share = self.booked.get() / self.total.get();
        Some(share).filter(|share| share.is_finite())
    }
}

/// What is booked so far, against the linear plan and against the same point of past periods.
///
/// # Formula
/// The linear plan is target x elapsed share of the period, to the second. A past period is asked for what was known to
/// be booked in it when the same share of it had passed; divided by what was booked in it in the end, that is its share
/// at this point. What is booked today / the median share is what today implies for the end.
///
/// # Units
/// Amounts in the unit of the log, shares with 1.0 = 100 %.
///
/// # Assumptions
/// No model: a period like the past ones. Today's open deals and the gap to them are asked of
/// [`gap`](crate::FittedModel::gap).
#[derive(Clone, Debug, PartialEq)]
pub struct Pacing {
    as_of: NaiveDateTime,
    period: Period,
    target: Target,
    booked: Amount,
    past: Vec<PastPace>,
    shares: Option<Forecast>,
}

impl Known<'_> {
    /// Pacing against the last eight complete periods of the same kind (month, quarter, year of the calendar, otherwise
    /// as many days) that lie in the history.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where a sum of amounts is no finite number.
    ///
    /// # Example: are we behind?
    /// ```
    /// use dealcast::synthetic::{Company, World};
    /// use dealcast::{FiscalCalendar, Seed, Target, time::date};
    /// let log = Company::named(World::Stationary, Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 8, 15)?);
    /// let calendar = FiscalCalendar::calendar();
    /// let pacing = known.pacing(calendar, &calendar.quarter_at(known.at())?, Target::new(2.0e6)?)?;
    /// assert_eq!((pacing.elapsed() * 92.0).round(), 45.0);
    /// assert_eq!(pacing.ahead_of_plan(), pacing.booked().get() - 2.0e6 * pacing.elapsed());
    /// assert_eq!(pacing.past()[0].period(), calendar.quarter(2023, 2)?);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn pacing(&self, calendar: FiscalCalendar, period: &Period, target: Target) -> Result<Pacing> {
        within_reach(day_number(period.start()).saturating_sub(day_number(self.at().date())))?;
        let first = self.deals().map(|deal| deal.created()).min();
        let begun = |past: &Period| first.is_some_and(|first| first <= past.start().into());
        let earlier = std::iter::successors(calendar.before(period).ok(), |past| calendar.before(past).ok());
        let complete = earlier.skip_while(|past| self.at() < past.end().into());
        self.pacing_against(complete.take_while(begun).take(PERIODS), period, target)
    }

    /// Pacing against these past periods.
    ///
    /// # Errors
    /// As [`pacing`](Self::pacing), and [`LookAhead`](ErrorKind::LookAhead) for a period that is not complete yet.
    pub fn pacing_against(
        &self,
        past: impl IntoIterator<Item = Period>,
        period: &Period,
        target: Target,
    ) -> Result<Pacing> {
        let pace = |past: Period| {
            if self.at() < past.end().into() {
                let expected = format!("periods that are over by {}", self.at());
                return Err(Error::new(ErrorKind::LookAhead, expected).field("past").found(past));
            }
            let then = self.as_of(past.same_point(period, self.at()));
            let [booked, total] = [then, *self].map(|known| known.booked(&past));
            Ok(PastPace { period: past, booked: booked?.amount(), total: total?.amount() })
        };
        let past = past.into_iter().map(pace).collect::<Result<Vec<_>>>()?;
        let shares: Vec<f64> = past.iter().filter_map(PastPace::share).collect();
        let shares = (!shares.is_empty()).then(|| Forecast::from_samples(&shares)).transpose()?;
        let booked = self.booked(period)?.amount();
        Ok(Pacing { as_of: self.at(), period: *period, target, booked, past, shares })
    }
}

impl Pacing {
    /// The goal.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// The period.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// What is booked so far.
    pub const fn booked(&self) -> Amount {
        self.booked
    }

    /// The share of the period that has passed: 0 before it begins, 1 from its end on.
    pub fn elapsed(&self) -> f64 {
        self.period.elapsed_fraction(self.as_of)
    }

    /// What the linear plan wants booked by now: elapsed share x target.
    pub fn plan(&self) -> f64 {
        self.elapsed() * self.target.get()
    }

    /// booked - plan; negative is behind.
    pub fn ahead_of_plan(&self) -> f64 {
        self.booked.get() - self.plan()
    }

    /// Past periods at the same point, latest first.
    pub fn past(&self) -> &[PastPace] {
        &self.past
    }

    /// The distribution, over past periods in which anything was booked, of the share of the final total that was booked
    /// at this point: its mean and quantiles. `None` without such a period.
    pub const fn typical(&self) -> Option<&Forecast> {
        self.shares.as_ref()
    }

    /// booked / median share of past periods: where today leads if the rest comes as usual. `None` where there is no
    /// share above 0, as before the period begins.
    pub fn implied(&self) -> Option<f64> {
        self.implied_at(Level::HALF)
    }

    /// The same if this quantile of the past shares were the share: a low one leads far.
    pub fn implied_at(&self, level: Level) -> Option<f64> {
        let implied = self.booked.get() / self.shares.as_ref()?.quantile(level);
        Some(implied).filter(|implied| implied.is_finite())
    }

    /// The place of what is booked today among today and the past periods at the same point, 1 is the most; past
    /// periods with as much do not count as more.
    pub fn rank(&self) -> usize {
        1 + self.past.iter().filter(|past| past.booked > self.booked).count()
    }

    /// The figures as a plain struct.
    pub fn summary(&self) -> PacingSummary {
        let level = |p: f64| Level::new(p).ok();
        let share = |p: f64| Some(self.shares.as_ref()?.quantile(level(p)?));
        PacingSummary {
            as_of: self.as_of,
            period: self.period,
            target: self.target,
            elapsed: self.elapsed(),
            booked: self.booked,
            plan: self.plan(),
            ahead_of_plan: self.ahead_of_plan(),
            mean_share: self.shares.as_ref().map(Forecast::mean),
            q10_share: share(0.1),
            q50_share: share(0.5),
            q90_share: share(0.9),
            implied: self.implied(),
            rank: self.rank(),
            past: self.past.clone(),
        }
    }
}

/// The figures of [`Pacing`], for a service or a file; what each means is said there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PacingSummary {
    /// When it was asked.
    pub as_of: NaiveDateTime,
    /// What for.
    pub period: Period,
    /// The goal.
    pub target: Target,
    /// The share of the period that has passed.
    pub elapsed: f64,
    /// Booked so far.
    pub booked: Amount,
    /// elapsed x target.
    pub plan: f64,
    /// booked - plan.
    pub ahead_of_plan: f64,
    /// Average share of the final total that past periods had booked by now.
    pub mean_share: Option<f64>,
    /// Its q10.
    pub q10_share: Option<f64>,
    /// Its q50.
    pub q50_share: Option<f64>,
    /// Its q90.
    pub q90_share: Option<f64>,
    /// booked / q50.
    pub implied: Option<f64>,
    /// Place among today and the past periods.
    pub rank: usize,
    /// The past periods, latest first.
    pub past: Vec<PastPace>,
}

impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, period, as_of, booked, .. } = self;
        write!(f, "Pacing to {target} for {period} as of {}", as_of.format("%Y-%m-%d %H:%M"))?;
        let side = if self.ahead_of_plan() < 0.0 { "behind" } else { "ahead" };
        write!(f, "\n  {} of the period gone, {booked} booked; ", percent(self.elapsed()))?;
        write!(f, "linear plan {}: {} {side}", read(self.plan()), read(self.ahead_of_plan().abs()))?;
        let Some(shares) = &self.shares else {
            return f.write_str("\n  no past period to compare with");
        };
        let at = |p: f64| Level::new(p).map_or(f64::NAN, |level| shares.quantile(level));
        write!(f, "\n  past periods had {} of their total by now", percent(at(0.5)))?;
        write!(f, " (q10 {}, q90 {},", percent(at(0.1)), percent(at(0.9)))?;
        write!(f, " mean {})", percent(shares.mean()))?;
        if let Some(implied) = self.implied() {
            write!(f, "\n  today then leads to {}", read(implied))?;
            let ends = [0.9, 0.1].map(|p| Level::new(p).ok().and_then(|level| self.implied_at(level)));
            if let [Some(low), Some(high)] = ends {
                write!(f, ", {} to {} by the spread of the past", read(low), read(high))?;
            }
            write!(f, "; place {} of {}", self.rank(), 1 + self.past.len())?;
        }
        for past in &self.past {
            let PastPace { period, booked, total } = past;
            write!(f, "\n    {period}: {booked} of {total}")?;
            if let Some(share) = past.share() {
                write!(f, " ({})", percent(share))?;
            }
        }
        Ok(())
    }
}
