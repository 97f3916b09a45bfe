//! What the reps say, category by category, beside the model and beside what such words were worth before.

use super::display::{Percent, read};
use crate::deals::{Book, Known, OpenDeal, Position, Snapshot};
use crate::estimate::{Closed, Interval, ShareInterval};
use crate::fit::{FittedModel, Split};
use crate::forecast::{Forecast, ForecastOptions, WeightedForecast};
use crate::num::sum::sum;
use crate::time::{Period, civil, seconds};
use crate::{Amount, Level, Probability, Result};
use chrono::{Datelike, Months, NaiveDate, NaiveDateTime};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most past periods that are looked at.
const MOST_PERIODS: u32 = 12;

/// A forecast category, as CRMs name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Category {
    /// The rep stands in for it: `Commit`, `Committed`, `COMMIT`, and `Forecast`, as Salesforce stores it.
    Commit,
    /// If all goes well: `Best Case`, `BestCase`, `BEST_CASE`.
    BestCase,
    /// Being worked on.
    Pipeline,
    /// Not to be counted: `Omitted`, `OMIT`.
    Omitted,
    /// Another word, as written.
    Other(String),
    /// No word.
    NotStated,
}

impl Category {
    /// What a word of an export means; case, spaces, `_` and `-` do not matter.
    ///
    /// ```
    /// use dealcast::gap::Category;
    /// assert_eq!(Category::of(Some("Best Case")), Category::BestCase);
    /// assert_eq!(Category::of(Some("Most Likely")), Category::Other("Most Likely".into()));
    /// ```
    pub fn of(word: Option<&str>) -> Self {
        let Some(word) = word.map(str::trim).filter(|word| !word.is_empty()) else { return Self::NotStated };
        let letters = word.chars().filter(|c| !matches!(c, ' ' | '_' | '-'));
        match letters.take(20).flat_map(char::to_lowercase).collect::<String>().as_str() {
            "commit" | "committed" | "forecast" => Self::Commit,
            "bestcase" => Self::BestCase,
            "pipeline" => Self::Pipeline,
            "omitted" | "omit" => Self::Omitted,
            _ => Self::Other(word.to_owned()),
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit => f.write_str("commit"),
            Self::BestCase => f.write_str("best case"),
            Self::Pipeline => f.write_str("pipeline"),
            Self::Omitted => f.write_str("omitted"),
            Self::Other(word) => f.write_str(&crate::error::shortened(word, 17)),
            Self::NotStated => f.write_str("(not stated)"),
        }
    }
}

/// What the deals of a category came to in past periods, from the same distance to their ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Converted {
    /// In how many past periods there were any.
    pub n_periods: u32,
    /// How many deals of the category were open and due then; one that was due in two periods counts in both.
    pub n_deals: u64,
    /// How many of them were won by the end.
    pub n_won: u64,
    /// Their amounts then.
    pub open: f64,
    /// What was won of them, at the amounts of the end.
    pub won: f64,
}

impl Converted {
    /// Won / open and due, in deals; `None` without deals.
    pub fn share(&self) -> Option<Probability> {
        self.closed().share()
    }

    /// The range that chance alone leaves to the share, by Wilson's interval; deals of one period share their luck, which
    /// makes it too narrow.
    pub fn interval(&self, level: Level) -> Interval {
        self.closed().interval(ShareInterval::Wilson, level)
    }

    /// Won / open and due, in money; above 1 where deals grew; `None` without an amount.
    pub fn amount_share(&self) -> Option<f64> {
        Some(self.won / self.open).filter(|share| self.open > 0.0 && share.is_finite())
    }

    const fn closed(&self) -> Closed {
        Closed { won: self.n_won, lost: self.n_deals.saturating_sub(self.n_won) }
    }
}

/// One line of a [`RollUp`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CategoryLine {
    /// The word.
    pub category: Category,
    /// How many open deals, and for how much, it is said of.
    pub open: Book,
    /// What the model expects of them inside the period.
    pub expected: f64,
    /// How many of them it expects to be won.
    pub expected_wins: f64,
    /// What such deals came to before; `None` where the history has no such word.
    pub converted: Option<Converted>,
}

/// The roll-up of what reps say, beside the model.
///
/// # Meaning
/// A deal is *due* unless it is expected to close after the period: a commit for next year is none for this quarter.
/// Due deals are summed by their forecast category as last stated; all others are *later*. The rep's call is booked +
/// commit; its level is P(total <= call) under the model: a call at q90 is met one time in ten.
///
/// Nothing is learned from the words here: what they were worth in past periods, as they were stated then, is shown beside
/// them. A log that keeps no history of categories has none to show.
///
/// # Example: is the commit a promise or a hope?
/// ```
/// use dealcast::{ForecastModel, FiscalCalendar, gap::Category, time::date};
/// use dealcast::synthetic::{Company, World};
/// let log = Company::named(World::RepSignals, dealcast::Seed::new(1))?.log()?;
/// let known = log.as_of(date(2023, 8, 15)?);
/// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
/// let fitted = ForecastModel::default().fit(&known, &quarter)?;
/// let roll_up = fitted.roll_up(&known.snapshot(), &quarter)?.with_history(&known);
/// let worth = |category| roll_up.line(&category).unwrap().converted.unwrap().share().unwrap();
/// assert!(worth(Category::Commit).get() > 2.0 * worth(Category::Pipeline).get());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RollUp {
    as_of: NaiveDateTime,
    period: Period,
    lines: Vec<CategoryLine>,
    later: CategoryLine,
    weighted: WeightedForecast,
    forecast: Forecast,
}

/// The figures of a [`RollUp`], for a service or a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RollUpSummary {
    /// When it was made.
    pub as_of: NaiveDateTime,
    /// What it is for.
    pub period: Period,
    /// The categories.
    pub lines: Vec<CategoryLine>,
    /// Deals expected to close after the period, whatever is said of them.
    pub later: CategoryLine,
    /// Won already.
    pub booked: f64,
    /// Booked + commit.
    pub call: f64,
    /// P(total <= call).
    pub level_of_call: Probability,
    /// P(total >= call).
    pub chance_of_call: Probability,
    /// What the model expects in all.
    pub mean: f64,
}

impl FittedModel {
    /// The open deals by forecast category, beside the model; [`RollUp::with_history`] adds what the words were worth.
    ///
    /// # Errors
    /// Those of [`forecast`](Self::forecast).
    pub fn roll_up(&self, book: &Snapshot, period: &Period) -> Result<RollUp> {
        let placed = self.placed(book, period, Split::Whole)?;
        let mut chances = vec![0.0; book.n_open()];
        for (&place, &p) in placed.order.iter().zip(&placed.total.chance) {
            chances.get_mut(place).into_iter().for_each(|chance| *chance = p);
        }
        let mut said: BTreeMap<Category, Vec<(&OpenDeal, f64)>> = BTreeMap::new();
        let mut later = Vec::new();
        for deal in book.open().iter().zip(chances) {
            if is_due(deal.0.expected_close(), period) {
                said.entry(Category::of(deal.0.category())).or_default().push(deal);
            } else {
                later.push(deal);
            }
        }
        let lines = said.into_iter().map(|(category, deals)| line(category, &deals));
        Ok(RollUp {
            as_of: book.as_of(),
            period: *period,
            lines: lines.collect::<Result<_>>()?,
            later: line(Category::NotStated, &later)?,
            weighted: placed.total.weighted(),
            forecast: placed.total.exact(&ForecastOptions::practical())?,
        })
    }
}

fn is_due(expected: Option<NaiveDate>, period: &Period) -> bool {
    expected.is_none_or(|day| day < period.end())
}

fn line(category: Category, deals: &[(&OpenDeal, f64)]) -> Result<CategoryLine> {
    let amount = |deal: &OpenDeal| deal.amount().map_or(0.0, Amount::get);
    Ok(CategoryLine {
        category,
        open: Book::of(deals.iter().map(|(deal, _)| deal.amount()))?,
        expected: sum(deals.iter().map(|(deal, p)| amount(deal) * p)),
        expected_wins: sum(deals.iter().map(|(_, p)| *p)),
        converted: None,
    })
}

/// The same period before, `back` times, and the instant as far from its end.
fn before(period: &Period, at: NaiveDateTime, back: u32) -> Option<(NaiveDateTime, Period)> {
    let (start, end) = (period.start(), period.end());
    let months = 12 * (end.year() - start.year()) + i32::try_from(end.month()).ok()?
        - i32::try_from(start.month()).ok()?;
    let whole = start.day() == end.day() && start.day() <= 28 && months > 0;
    let earlier = |day: NaiveDate| {
        if whole {
            day.checked_sub_months(Months::new(u32::try_from(months).ok()?.checked_mul(back)?))
        } else {
            day.checked_sub_days(chrono::Days::new(u64::from(period.n_days()) * u64::from(back)))
        }
    };
    let past = Period::new(earlier(start)?, earlier(end)?).ok()?;
    let rest = NaiveDateTime::from(end).signed_duration_since(at);
    Some((NaiveDateTime::from(past.end()).checked_sub_signed(rest)?, past))
}

impl RollUp {
    /// With what each category came to in up to twelve past periods that are over: the words as they were stated then, at
    /// the same distance from the end, and what was won by the end.
    #[must_use]
    pub fn with_history(mut self, known: &Known<'_>) -> Self {
        // What became known after the book was made speaks for a later one.
        let known = &known.as_of(self.as_of);
        let mut past: BTreeMap<Category, Converted> = BTreeMap::new();
        for back in 1..=MOST_PERIODS {
            let Some((then, period)) = before(&self.period, self.as_of, back) else { break };
            let end = NaiveDateTime::from(period.end());
            if end <= known.at() && then < end {
                add_period(&mut past, known, (then, &period));
            }
        }
        for line in &mut self.lines {
            line.converted = past.get(&line.category).copied();
        }
        self
    }

    /// When it was made.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// What it is for.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The categories that are said of some due deal, in the order of [`Category`].
    pub fn lines(&self) -> &[CategoryLine] {
        &self.lines
    }

    /// The line of a category.
    pub fn line(&self, category: &Category) -> Option<&CategoryLine> {
        self.lines.iter().find(|line| line.category == *category)
    }

    /// The deals expected to close after the period; what the model expects of them may still be something.
    pub const fn later(&self) -> &CategoryLine {
        &self.later
    }

    /// The three parts of the model's expected total.
    pub const fn weighted(&self) -> &WeightedForecast {
        &self.weighted
    }

    /// The model's distribution of the total.
    pub const fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// The rep's call: booked + commit.
    pub fn call(&self) -> f64 {
        let commit = self.line(&Category::Commit).map_or(0.0, |line| line.open.amount().get());
        self.weighted.booked() + commit
    }

    /// Where the call lies in the forecast: P(total <= call).
    pub fn level_of_call(&self) -> Probability {
        self.forecast.cdf(self.call())
    }

    /// P(total >= call).
    pub fn chance_of_call(&self) -> Probability {
        let target = Amount::new(self.call()).map(super::Target::from);
        target.map_or(Probability::ZERO, |call| {
            super::analysis::hit(&self.forecast, call, self.weighted.booked())
        })
    }

    /// All figures in one plain struct.
    pub fn summary(&self) -> RollUpSummary {
        RollUpSummary {
            as_of: self.as_of,
            period: self.period,
            lines: self.lines.clone(),
            later: self.later.clone(),
            booked: self.weighted.booked(),
            call: self.call(),
            level_of_call: self.level_of_call(),
            chance_of_call: self.chance_of_call(),
            mean: self.forecast.mean(),
        }
    }
}

/// Adds the due deals of a past instant and what had become of them by the end of the period.
fn add_period(
    past: &mut BTreeMap<Category, Converted>,
    known: &Known<'_>,
    (then, period): (NaiveDateTime, &Period),
) {
    let window = seconds(then)..seconds(period.end().into());
    let won: BTreeMap<usize, f64> = known
        .once_known(civil(window.end))
        .deals()
        .filter_map(|deal| match deal.position() {
            Position::Won { at, .. } if window.contains(&at) => {
                Some((deal.place(), deal.amount().map_or(0.0, Amount::get)))
            }
            _ => None,
        })
        .collect();
    let mut seen: BTreeSet<Category> = BTreeSet::new();
    for deal in known.as_of(then).deals() {
        let open = matches!(deal.position(), Position::Open { .. });
        if !open || !is_due(deal.expected_close(), period) {
            continue;
        }
        let category = Category::of(deal.category());
        let sums = past.entry(category.clone()).or_insert(Converted {
            n_periods: 0,
            n_deals: 0,
            n_won: 0,
            open: 0.0,
            won: 0.0,
        });
        if seen.insert(category) {
            sums.n_periods += 1;
        }
        let was = deal.amount().map_or(0.0, Amount::get);
        (sums.n_deals, sums.open) = (sums.n_deals + 1, (sums.open + was).min(f64::MAX));
        if let Some(is) = won.get(&deal.place()) {
            (sums.n_won, sums.won) = (sums.n_won + 1, (sums.won + is).min(f64::MAX));
        }
    }
}

impl fmt::Display for RollUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { as_of, period, weighted, .. } = self;
        writeln!(f, "Roll-up for {period} as of {}", as_of.format("%Y-%m-%d %H:%M"))?;
        write!(f, "  {:<18} {:>5} {:>8} {:>8}", "category", "deals", "open", "model")?;
        let periods = self.lines.iter().filter_map(|line| Some(line.converted?.n_periods)).max();
        match periods {
            Some(1) => writeln!(f, "   won by the end of the period before")?,
            Some(n) => writeln!(f, "   won by the end of {n} past periods")?,
            None => writeln!(f)?,
        }
        for line in &self.lines {
            write_line(f, &line.category.to_string(), line)?;
        }
        if self.later.open.n() > 0 {
            write_line(f, "expected later", &self.later)?;
        }
        let (booked, call) = (read(weighted.booked()), read(self.call()));
        writeln!(f, "  booked {booked} + commit = {call}: {}", Standing(self))?;
        let [open, new, total] = [weighted.open(), weighted.new_business(), weighted.total()].map(read);
        write!(f, "  the model: booked {booked} + open deals {open} + new business {new} = {total}")
    }
}

struct Standing<'a>(&'a RollUp);

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at the model's q{:.0}, ", 100.0 * self.0.level_of_call().get())?;
        write!(f, "reached with {} chance", Percent(self.0.chance_of_call()))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, name: &str, line: &CategoryLine) -> fmt::Result {
    let [open, expected] = [line.open.amount().get(), line.expected].map(|x| read(x).to_string());
    write!(f, "  {name:<18} {:>5} {open:>8} {expected:>8}", line.open.n())?;
    if let Some((converted, share)) = line.converted.and_then(|c| Some((c, c.share()?))) {
        let range = converted.interval(Level::new(0.8).unwrap_or(Level::HALF));
        let [share, low, high] = [share, range.lower(), range.upper()].map(|p| 100.0 * p.get());
        write!(f, "   {share:.0} % of {} deals ({low:.0}-{high:.0} %)", converted.n_deals)?;
        if let Some(share) = converted.amount_share() {
            write!(f, ", {:.0} % of the amount", 100.0 * share)?;
        }
    }
    writeln!(f)
}
