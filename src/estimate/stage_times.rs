//! How long deals stay in a stage, straight from a log.

use super::aalen_johansen::AalenJohansen;
use super::kaplan_meier::KaplanMeier;
use super::log_rank::LogRank;
use super::observation::{Durations, Spell};
use super::time_in_stage::{StayTable, TimeFamily, TimeFit, TimesInStage};
use crate::deals::{DealView, Known, SalesProcess, StageId};
use crate::history::lives::open_stage;
use crate::history::visits::{CENSORED, STILL_OPEN};
use crate::history::{History, Next};
use crate::time::{Period, day_number};
use crate::{Error, ErrorKind, Level, Result};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::fmt;

/// All stays in one stage, as known at an instant: ready for every estimator of the time in stage.
///
/// # Meaning
/// A stay is one uninterrupted visit; who comes again stays again. Its length is in whole civil days, 0 for a stay that
/// ended on the day on which it began. A stay that is open, or whose deal was removed or next found somewhere else, is
/// censored. Stays whose beginning nobody saw have no known length and are left out, counted by
/// [`n_entry_unknown`](Self::n_entry_unknown).
///
/// # Assumptions
/// Stays are independent, and being still open says nothing about how long a stay will last.
///
/// # Example: how long does qualifying take, and has it changed?
/// ```
/// use dealcast::synthetic::{Company, World};
/// use dealcast::{Level, Seed, time::date};
/// use dealcast::estimate::TimeFamily;
/// let company = Company::named(World::Stationary, Seed::new(7))?;
/// let log = company.log()?;
/// let known = log.as_of(company.history().end());
/// let stage = known.process().open_stages()[0].name();
/// let times = known.time_in_stage(stage)?;
/// let median = times.kaplan_meier()?.median().unwrap();
/// let fitted = times.fit(TimeFamily::LogNormal)?.time().quantile(Level::HALF);
/// assert!((fitted / median - 1.0).abs() < 0.2, "{fitted} {median}");
/// // Nothing changes in this world.
/// let change = times.changed_since(date(2021, 7, 1)?)?;
/// assert!(change.p_value().get() > 0.001);
/// println!("{times}\n{change}");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StageTimes {
    stage: String,
    process: SalesProcess,
    stays: Vec<Stay>,
    n_entry_unknown: usize,
    watched_from: Option<i32>,
}

/// More groups than this no [`LogRank`] compares.
const MOST_GROUPS: usize = 1_000;

/// One stay whose beginning is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stay {
    entered: i32,
    days: u32,
    /// 0 where the end was not seen, else the place it went to and 1.
    cause: u8,
}

impl Known<'_> {
    /// All stays in an open stage; one pass over the log.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) unless it is an open stage.
    pub fn time_in_stage(&self, stage: &str) -> Result<StageTimes> {
        let mut times = StageTimes::none(stage, self.process())?;
        gather(&History::of(self), open_stage(self.process(), stage)?, |_, stay| times.take(stay));
        Ok(times)
    }

    /// The stays in an open stage by an attribute that deals were created with; deals without it first.
    ///
    /// # Errors
    /// As [`time_in_stage`](Self::time_in_stage); [`TooLarge`](ErrorKind::TooLarge) beyond 1,000 values, more than a
    /// [`LogRank`] compares.
    ///
    /// # Example: do regions move at another pace?
    /// ```
    /// use dealcast::estimate::StageTimes;
    /// use dealcast::synthetic::{Company, World};
    /// let company = Company::named(World::Stationary, dealcast::Seed::new(7))?;
    /// let log = company.log()?;
    /// let known = log.as_of(company.history().end());
    /// let by = known.time_in_stage_by(known.process().open_stages()[0].name(), "no such attribute")?;
    /// assert_eq!((by.len(), by[0].0.as_deref()), (1, None));
    /// // One group leaves nothing to compare.
    /// assert!(StageTimes::compare(by.iter().map(|(_, times)| times)).is_err());
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn time_in_stage_by(
        &self,
        stage: &str,
        attribute: &str,
    ) -> Result<Vec<(Option<String>, StageTimes)>> {
        let none = StageTimes::none(stage, self.process())?;
        let value = |deal: DealView<'_>| {
            let named = deal.born_with().filter(|&(name, _)| name == attribute);
            named.last().map(|(_, value)| value.to_owned())
        };
        let of_deal: Vec<Option<String>> = self.deals().map(value).collect();
        let mut groups: BTreeMap<Option<String>, StageTimes> = BTreeMap::new();
        for value in &of_deal {
            if groups.len() > MOST_GROUPS {
                let expected = "an attribute of at most 1,000 values";
                return Err(Error::new(ErrorKind::TooLarge, expected).field("attribute"));
            }
            if !groups.contains_key(value) {
                groups.insert(value.clone(), none.clone());
            }
        }
        gather(&History::of(self), open_stage(self.process(), stage)?, |deal, stay| {
            if let Some(times) = of_deal.get(deal).and_then(|value| groups.get_mut(value)) {
                times.take(stay);
            }
        });
        Ok(groups.into_iter().collect())
    }
}

/// Hands on every stay in a stage with its deal; `None` for one of unknown beginning.
fn gather(history: &History, stage: StageId, mut hand: impl FnMut(usize, Option<Stay>)) {
    for visit in history.visits.iter().filter(|visit| usize::from(visit.stage) == stage.index()) {
        let Ok(deal) = usize::try_from(visit.deal) else { continue };
        let until = if visit.left == STILL_OPEN { history.day } else { visit.left };
        let cause = if visit.left == STILL_OPEN || visit.to == CENSORED { 0 } else { visit.to + 1 };
        let days = u32::try_from(until.saturating_sub(visit.entered)).unwrap_or(0);
        hand(deal, visit.entry_known.then_some(Stay { entered: visit.entered, days, cause }));
    }
}

impl StageTimes {
    fn none(stage: &str, process: &SalesProcess) -> Result<Self> {
        open_stage(process, stage)?;
        Ok(Self {
            stage: stage.to_owned(),
            process: process.clone(),
            stays: Vec::new(),
            n_entry_unknown: 0,
            watched_from: None,
        })
    }

    fn take(&mut self, stay: Option<Stay>) {
        match stay {
            Some(stay) => self.stays.push(stay),
            None => self.n_entry_unknown += 1,
        }
    }

    /// The stays that began inside a period.
    #[must_use]
    pub fn entered_in(&self, period: &Period) -> Self {
        let days = day_number(period.start())..day_number(period.end());
        self.filtered(|stay| days.contains(&stay.entered))
    }

    fn filtered(&self, keep: impl Fn(&Stay) -> bool) -> Self {
        Self { stays: self.stays.iter().copied().filter(keep).collect(), ..self.clone() }
    }

    /// The same stays, known to be in the log only because they lasted until this day: the log begins there, and what
    /// had ended before is not in it (left truncation). Stays that began earlier count from the age they had then, those
    /// that ended earlier not at all.
    ///
    /// Where a log holds the open deals of its first day with their true dates of entry, leaving this out makes stays
    /// look longer than they are.
    ///
    /// # Example
    /// ```
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::time::date;
    /// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
    /// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [
    ///     row("old", 1, "propose"), row("old", 29, "won"), // others of its age were over when the log began
    ///     row("a", 20, "propose"), row("a", 24, "lost"), row("b", 20, "propose"), row("b", 26, "won"),
    /// ])?;
    /// let times = log.as_of(date(2026, 3, 31)?).time_in_stage("propose")?;
    /// let naive = times.kaplan_meier()?.survival(5.0).get();
    /// let right = times.watched_from(date(2026, 3, 20)?).kaplan_meier()?.survival(5.0).get();
    /// assert!((naive - 2.0 / 3.0).abs() < 1e-12 && (right - 0.5).abs() < 1e-12);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    #[must_use]
    pub fn watched_from(mut self, day: NaiveDate) -> Self {
        self.watched_from = Some(day_number(day));
        self
    }

    /// The stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// How many stays there are.
    pub fn n(&self) -> usize {
        self.stays.len()
    }

    /// How many of them have ended.
    pub fn n_ended(&self) -> usize {
        self.stays.iter().filter(|stay| stay.cause > 0).count()
    }

    /// Stays that are left out because nobody saw them begin.
    pub const fn n_entry_unknown(&self) -> usize {
        self.n_entry_unknown
    }

    /// The stays as any estimator takes them; causes as [`cause`](Self::cause) numbers them.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without a stay.
    pub fn durations(&self) -> Result<Durations> {
        if self.watched_from.is_none() {
            let (days, causes): (Vec<u32>, Vec<u8>) = self.stays.iter().map(|s| (s.days, s.cause)).unzip();
            return Durations::from_days(&days, &causes);
        }
        Durations::from_spells(self.stays.iter().filter_map(|stay| {
            let spell = Spell::new(f64::from(stay.days), stay.cause);
            match self.entry(stay) {
                Some(age) if age >= f64::from(stay.days) => None,
                Some(age) => Some(spell.entry(age)),
                None => Some(spell),
            }
        }))
    }

    /// The age at which a stay came under watch; between two days, so that an exit on that very day was seen.
    fn entry(&self, stay: &Stay) -> Option<f64> {
        let age = self.watched_from?.saturating_sub(stay.entered);
        (age > 0).then(|| f64::from(age) - 0.5)
    }

    /// The number of a destination among the causes.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) for a stage that is not an open one.
    pub fn cause(&self, to: Next<'_>) -> Result<u8> {
        let n_open = u8::try_from(self.process.open_stages().len()).unwrap_or(u8::MAX);
        Ok(match to {
            Next::Stage(name) => open_stage(&self.process, name)?.0 + 1,
            Next::Won => n_open.saturating_add(1),
            Next::Lost => n_open.saturating_add(2),
        })
    }

    /// The share that stays longer than each age, whatever way it leaves.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without a stay.
    pub fn kaplan_meier(&self) -> Result<KaplanMeier> {
        Ok(KaplanMeier::fit(&self.durations()?))
    }

    /// The share that has left each way by each age; ways by [`cause`](Self::cause).
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without a stay.
    pub fn aalen_johansen(&self) -> Result<AalenJohansen> {
        Ok(AalenJohansen::fit(&self.durations()?))
    }

    /// The law of a family that fits the stays best. A stay of 0 days counts as one that ended within the first day.
    ///
    /// # Errors
    /// As [`TimesInStage::fit`]; [`NoHistory`](ErrorKind::NoHistory) without a stay.
    pub fn fit(&self, family: TimeFamily) -> Result<TimeFit> {
        self.times()?.fit(family)
    }

    /// The family with the smallest AIC of all.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn best(&self) -> Result<TimeFit> {
        self.times()?.best(&TimeFamily::ALL)
    }

    fn times(&self) -> Result<TimesInStage> {
        let (mut lower, mut upper, mut entry) = (Vec::new(), Vec::new(), Vec::new());
        for stay in &self.stays {
            let (days, from) = (f64::from(stay.days), self.entry(stay).unwrap_or(0.0));
            if from > 0.0 && from >= days {
                continue;
            }
            entry.push(from);
            lower.push(days);
            upper.push(match (stay.cause, stay.days) {
                (0, _) => f64::INFINITY,
                (_, 0) => 1.0,
                _ => days,
            });
        }
        TimesInStage::from_table(StayTable {
            lower: &lower,
            upper: &upper,
            entry: Some(&entry),
            weight: None,
        })
    }

    /// Did the time in stage change on this day, or is it noise? Compares the stays that began before with those since.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub fn changed_since(&self, day: NaiveDate) -> Result<LogRank> {
        let day = day_number(day);
        Self::compare([&self.filtered(|stay| stay.entered < day), &self.filtered(|stay| stay.entered >= day)])
    }

    /// Do these groups of stays differ, or is it noise? Groups without a stay are left out.
    ///
    /// # Errors
    /// As [`LogRank::test`].
    pub fn compare<'a>(groups: impl IntoIterator<Item = &'a Self>) -> Result<LogRank> {
        let groups = groups.into_iter().filter(|times| !times.stays.is_empty());
        let durations = groups.map(Self::durations).collect::<Result<Vec<_>>>()?;
        LogRank::test(&durations.iter().collect::<Vec<_>>())
    }
}

/// `propose: 1204 stays, 1100 ended; 25 % last longer than 31 days, 50 % than 12, 75 % than 5`.
impl fmt::Display for StageTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} stays, {} ended", self.stage, self.n(), self.n_ended())?;
        if let Ok(curve) = self.kaplan_meier() {
            let quantile = |level: f64| Level::new(level).ok().and_then(|level| curve.quantile(level));
            for (text, level) in
                [("; 25 % last longer than", 0.75), (", 50 % than", 0.5), (", 75 % than", 0.25)]
            {
                match quantile(level) {
                    Some(days) => write!(f, "{text} {days:.0}")?,
                    None => write!(f, "{text} anybody knows")?,
                }
            }
            write!(f, " days")?;
        }
        match self.n_entry_unknown {
            0 => Ok(()),
            n => write!(f, "; {n} of unknown beginning left out"),
        }
    }
}
