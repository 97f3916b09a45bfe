//! The outlook: where the period stands, why, and where to step up.

use super::display::{Percent, read};
use super::{
    DealSwing, GapAnalysis, GapSummary, Lever, LeverEffect, LeverTable, Pacing, RequiredInStage,
    RequiredPipeline, Target,
};
use crate::deals::Snapshot;
use crate::error::shortened;
use crate::fit::{Evidence, FittedModel};
use crate::history::{DataQuality, OverdueDeal, StaleDeal};
use crate::time::Period;
use crate::{Level, Probability, Result};
use serde::Serialize;
use std::fmt;

/// Deals of a list that are named.
const NAMED: usize = 3;
/// Characters of an id that are printed.
const NAME: usize = 24;
/// A swing below which a deal decides nothing worth saying.
const DECIDES: f64 = 0.02;
/// A chance below which a new deal no longer counts.
const SLIM: f64 = 0.05;
/// Characters of a line.
const WIDTH: usize = 100;

/// Where a period stands. With c the confidence asked for, 80 % unless said otherwise:
///
/// | status | from | at c = 80 % |
/// |---|---|---|
/// | met | booked >= target | |
/// | ahead | chance >= (1 + c) / 2 | 90 % |
/// | on track | chance >= c | 80 % |
/// | at risk | chance >= 1 - c | 20 % |
/// | off track | below: the miss is as sure as the goal was to be | |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// The target is booked.
    Met,
    /// Half of the doubt that was allowed is gone.
    Ahead,
    /// As likely as was asked for.
    OnTrack,
    /// Possible, but not as likely as was asked for.
    AtRisk,
    /// Missing it is as likely as reaching it was to be.
    OffTrack,
}

impl Status {
    fn of(gap: &GapAnalysis) -> Self {
        let (chance, confidence) = (gap.chance().get(), gap.confidence().get());
        if gap.remaining() == 0.0 {
            Self::Met
        } else if chance >= 0.5 + 0.5 * confidence {
            Self::Ahead
        } else if chance >= confidence {
            Self::OnTrack
        } else if chance >= 1.0 - confidence {
            Self::AtRisk
        } else {
            Self::OffTrack
        }
    }

    /// Whether the goal is not as likely as was asked for.
    pub const fn is_miss(self) -> bool {
        matches!(self, Self::AtRisk | Self::OffTrack)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::Ahead => "ahead",
            Self::OnTrack => "on track",
            Self::AtRisk => "at risk",
            Self::OffTrack => "off track",
        })
    }
}

/// Where a period stands and why; where to step up if it shows a miss, what keeps the momentum if it is steady.
///
/// # Meaning
/// If it shows a miss: the lever that has to be moved least, the new pipeline that would do (the stage in which the
/// least amount has to be created today, and the last day on which a new deal there has a 5 % chance to count), and the
/// deals that decide. If it is steady: the lever with the least room before the chance falls below the confidence, and
/// what hangs on the biggest deal. In both cases the open deals that are past their expected close; with
/// [`with_quality`](Self::with_quality) the stale ones, with [`with_pacing`](Self::with_pacing) how the bookings pace.
#[derive(Clone, Debug)]
pub struct Outlook {
    status: Status,
    gap: GapAnalysis,
    levers: LeverTable,
    required: Option<RequiredPipeline>,
    overdue: Vec<OverdueDeal>,
    stale: Option<(usize, Vec<StaleDeal>)>,
    pacing: Option<Pacing>,
}

impl FittedModel {
    /// Where the period stands against a target at a confidence, why, and what to do.
    ///
    /// # Errors
    /// Those of [`gap`](Self::gap).
    ///
    /// # Example: where to step up?
    /// ```
    /// use dealcast::gap::Status;
    /// use dealcast::synthetic::{Company, World};
    /// use dealcast::{FiscalCalendar, ForecastModel, Level, Seed, Target, time::date};
    /// let log = Company::named(World::Stationary, Seed::new(1))?.log()?;
    /// let known = log.as_of(date(2023, 8, 15)?);
    /// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
    /// let fitted = ForecastModel::default().fit(&known, &quarter)?;
    /// let book = known.snapshot();
    /// let target = Target::new(1.1 * fitted.forecast(&book, &quarter)?.mean())?;
    /// let outlook = fitted.outlook(&book, &quarter, (target, Level::new(0.8)?))?.with_quality(&known.data_quality());
    /// assert_eq!(outlook.status(), Status::AtRisk);
    /// assert!(outlook.to_string().starts_with("At risk: "));
    /// assert!(outlook.reasons().iter().any(|reason| reason.starts_with("Step up")));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn outlook(&self, book: &Snapshot, period: &Period, goal: (Target, Level)) -> Result<Outlook> {
        let gap = self.gap_with(book, period, goal.0, goal.1)?;
        let status = Status::of(&gap);
        let required = status.is_miss().then(|| self.required_pipeline(book, period, goal)).transpose()?;
        let levers = self.levers(book, period, goal)?;
        Ok(Outlook { status, gap, levers, required, overdue: book.overdue(), stale: None, pacing: None })
    }
}

impl Outlook {
    /// With the stale deals that a look at the log has found.
    #[must_use]
    pub fn with_quality(mut self, quality: &DataQuality) -> Self {
        self.stale = Some((quality.n_stale(), quality.stale().to_vec()));
        self
    }

    /// With how the bookings pace.
    #[must_use]
    pub fn with_pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = Some(pacing);
        self
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The gap behind it.
    pub const fn gap(&self) -> &GapAnalysis {
        &self.gap
    }

    /// What each lever alone does.
    pub const fn levers(&self) -> &LeverTable {
        &self.levers
    }

    /// The new pipeline that would do, where it shows a miss.
    pub const fn required(&self) -> Option<&RequiredPipeline> {
        self.required.as_ref()
    }

    /// The stage in which the least has to be created on the day of the book, where new deals of one stage can do it.
    pub fn step_up(&self) -> Option<&RequiredInStage> {
        let amount = |of: &RequiredInStage| of.days().first()?.required().amount();
        let able = self.required.as_ref()?.stages().iter().filter_map(|of| Some((of, amount(of)?)));
        able.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(of, _)| of)
    }

    /// Open deals past their expected close, the longest overdue first.
    pub fn overdue(&self) -> &[OverdueDeal] {
        &self.overdue
    }

    /// Stale deals, where [asked for](Self::with_quality), at most 100 of them.
    pub fn stale(&self) -> &[StaleDeal] {
        self.stale.as_ref().map_or(&[], |(_, stale)| stale)
    }

    /// The reasons, each a sentence or two.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = vec![self.standing()];
        reasons.extend(self.pace());
        if self.status.is_miss() {
            reasons.push(self.lever());
            reasons.extend(self.creation());
        } else {
            reasons.extend(self.momentum());
        }
        reasons.extend(self.decisive());
        reasons.extend(self.late());
        reasons.extend(self.resting());
        reasons.extend(
            self.gap.evidence().filter(|of| *of != Evidence::Enough).map(|of| sentence(&of.to_string())),
        );
        reasons
    }

    /// All figures in one plain struct.
    pub fn summary(&self) -> OutlookSummary {
        OutlookSummary {
            status: self.status,
            gap: self.gap.summary(),
            reasons: self.reasons(),
            levers: self.levers.levers().to_vec(),
            overdue: self.overdue.clone(),
            stale: self.stale().to_vec(),
        }
    }
}

/// The figures of an [`Outlook`], for a service or a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OutlookSummary {
    /// Where it stands.
    pub status: Status,
    /// The gap.
    pub gap: GapSummary,
    /// Why, and what to do.
    pub reasons: Vec<String>,
    /// What each lever alone does.
    pub levers: Vec<LeverEffect>,
    /// Open deals past their expected close.
    pub overdue: Vec<OverdueDeal>,
    /// Stale deals.
    pub stale: Vec<StaleDeal>,
}

/// The sentences.
impl Outlook {
    fn standing(&self) -> String {
        let gap = &self.gap;
        let booked = read(gap.weighted().booked());
        let expected = read(gap.weighted().total());
        if self.status == Status::Met {
            return format!("{booked} is booked; {expected} is expected in the end.");
        }
        let (remaining, short) = (read(gap.remaining()), gap.shortfall_mean());
        let end = if short > 0.0 {
            format!("{} short", read(short))
        } else {
            format!("{} more than the target", read(gap.weighted().total() - gap.target().get()))
        };
        format!("{booked} is booked and {remaining} remains; {expected} is expected, {end}.")
    }

    fn pace(&self) -> Option<String> {
        let pacing = self.pacing.as_ref()?;
        let ahead = pacing.ahead_of_plan();
        let side = if ahead < 0.0 { "behind" } else { "ahead of" };
        let past = pacing.implied().map_or_else(String::new, |implied| {
            format!("; at the pace of past periods it leads to {}", read(implied))
        });
        Some(format!("What is booked is {} {side} the linear plan{past}.", read(ahead.abs())))
    }

    fn lever(&self) -> String {
        let confidence = self.gap.confidence();
        if let Some(of) = self.levers.least() {
            let (lever, x) = (of.lever(), of.reaches().unwrap_or(1.0));
            let chance = Percent(of.chance());
            return format!(
                "Step up the {lever}: {} x {x:.2} alone reach {confidence}; x {:.1} gives {chance}.",
                lever.multiplies(),
                of.changed()
            );
        }
        let best = self.levers.levers().iter().max_by(|a, b| a.chance().get().total_cmp(&b.chance().get()));
        let most = best.filter(|of| of.chance() > self.gap.chance()).map_or_else(String::new, |of| {
            format!(
                "; {} {} x {:.1} helps most, to {}",
                of.lever(),
                of.lever().multiplies(),
                of.changed(),
                Percent(of.chance())
            )
        });
        format!("Step up more than one lever: none alone reaches {confidence}{most}.")
    }

    fn creation(&self) -> Option<String> {
        let Some(of) = self.step_up() else {
            return Some("New deals alone no longer reach it in time.".to_owned());
        };
        let required = of.days().first()?.required();
        let (n, amount) = (required.n_deals()?, read(required.amount()?));
        let deals = if n == 1 { "deal" } else { "deals" };
        let stage = shortened(of.stage(), NAME);
        let last = of
            .last_date(Probability::rounded(SLIM))
            .map_or_else(String::new, |(day, _)| format!(", a new one counts until {day}"));
        Some(format!(
            "Or create {n} {deals} of {} in {stage}, {amount} in all{last}.",
            required.deal().amount()
        ))
    }

    /// The lever with the least room, and what hangs on the biggest deal.
    fn momentum(&self) -> Vec<String> {
        if self.status == Status::Met {
            return Vec::new();
        }
        let confidence = self.gap.confidence();
        let room = |of: &&LeverEffect| of.reaches().filter(|_| !of.is_indifferent());
        let room =
            |of: &LeverEffect| room(&of).map(|x| if of.lever() == Lever::CycleTime { 1.0 / x } else { x });
        let levers = self.levers.levers().iter().filter_map(|of| Some((of, room(of)?)));
        let mut said = Vec::new();
        if let Some((of, _)) = levers.max_by(|a, b| a.1.total_cmp(&b.1)) {
            let (lever, x) = (of.lever(), of.reaches().unwrap_or(1.0));
            let change = if lever == Lever::CycleTime { "rise" } else { "fall" };
            said.push(format!(
                "Keep the momentum: the {lever} matters most, {} may {change} to x {x:.2} before the chance is below {confidence}.",
                lever.multiplies()
            ));
        }
        if let Some(chance) = self.gap.lose_biggest_chance() {
            said.push(format!("Without the biggest deal the chance is {}.", Percent(chance)));
        }
        said
    }

    fn decisive(&self) -> Option<String> {
        let deals = self.gap.deciding(NAMED);
        let said = |deal: &&DealSwing| {
            let name = shortened(deal.deal().unwrap_or("a deal"), NAME);
            let chance =
                |p: Option<Probability>| p.map_or_else(|| "-".to_owned(), |p| Percent(p).to_string());
            let (won, lost) = (chance(deal.given_won()), chance(deal.given_lost()));
            format!("{name} ({} at {}: {won} if won, {lost} if not)", deal.amount(), Percent(deal.chance()))
        };
        let deals: Vec<String> = deals.iter().filter(|deal| deal.swing() >= DECIDES).map(said).collect();
        (!deals.is_empty()).then(|| format!("Decisive: {}.", deals.join(", ")))
    }

    fn late(&self) -> Option<String> {
        let named = self
            .overdue
            .iter()
            .map(|deal| format!("{} ({} days)", shortened(deal.deal(), NAME), deal.days()));
        listed(self.overdue.len(), "past their expected close", "past its expected close", named)
    }

    fn resting(&self) -> Option<String> {
        let (n, stale) = self.stale.as_ref()?;
        let named = stale.iter().map(|deal| {
            format!(
                "{} ({} days in {})",
                shortened(deal.deal(), NAME),
                deal.age_days(),
                shortened(deal.stage(), NAME)
            )
        });
        let than = "older in their stage than 99 % of wins";
        listed(*n, than, "older in its stage than 99 % of wins", named)
    }
}

/// `3 open deals are ..: a, b, c.`
fn listed(n: usize, many: &str, one: &str, named: impl Iterator<Item = String>) -> Option<String> {
    let rest = if n > NAMED { format!(" and {} more", n - NAMED) } else { String::new() };
    let names = named.take(NAMED).collect::<Vec<_>>().join(", ");
    match n {
        0 => None,
        1 => Some(format!("1 open deal is {one}: {names}.")),
        _ => Some(format!("{n} open deals are {many}: {names}{rest}.")),
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = &self.gap;
        let status = sentence(&self.status.to_string());
        let (chance, target) = (Percent(gap.chance()), gap.target());
        let asked = gap.period().zip(gap.as_of());
        let asked = asked.map_or_else(String::new, |(period, as_of)| {
            format!(" for {period} as of {}", as_of.format("%Y-%m-%d"))
        });
        let first = format!("{}: {chance} chance of {target}{asked}.", status.trim_end_matches('.'));
        let text = std::iter::once(first).chain(self.reasons()).collect::<Vec<_>>().join(" ");
        let mut column = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > WIDTH {
                f.write_str("\n")?;
                column = 0;
            }
            f.write_str(if column > 0 { " " } else { "" })?;
            f.write_str(word)?;
            column += length + usize::from(column > 0);
        }
        Ok(())
    }
}
