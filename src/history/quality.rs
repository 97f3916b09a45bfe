//! What in a log should be looked at before its forecast is believed.

use super::heaps::{Entries, Heap};
use super::past::History;
use super::stale::{StaleDeal, StaleLimit};
use crate::deals::{Book, DealView, Known, OpenDeal, Position, Snapshot, StageId};
use crate::error::shortened;
use crate::num::{Amount, Probability, count};
use crate::time::{DAY, civil_date, civil_day, day_number};
use chrono::{Datelike, NaiveDate, NaiveDateTime};
use serde::Serialize;
use std::cmp::Reverse;
use std::fmt;

/// Most entries of each list; the counts beside them cover everything.
const LISTED: usize = 100;

/// What a log shows that people get wrong, as known at an instant. Facts only: nothing is left out of a forecast for it.
///
/// | finding | meaning |
/// |---|---|
/// | stale | open for longer in its stage than 99 % of the visits to it that were won in the end |
/// | overdue | open, though it was expected to close before the day of the instant |
/// | backdated | recorded a day or more after it is said to have happened: recent history still fills up |
/// | heaps | far more deals entered a stage on one day than around it: an import or a clean-up, not sales |
/// | default closes | first expected to close on the last day of the month of creation, as some CRMs fill it in |
/// | left-truncated | first found in a stage: it entered it, and perhaps others, before the history begins |
/// | without an amount | counted, not priced |
///
/// Each list holds at most 100 entries, the worst first; the counts cover all. One pass over the log.
///
/// # Example: which deals are past their date?
/// ```
/// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
/// use dealcast::time::date;
/// let row = DealEvent::new("D-17", date(2026, 3, 2)?, Change::Entered("qualify".into()))
///     .and(Change::ExpectedClose(Some(date(2026, 3, 31)?)));
/// let log = DealLog::from_events(&SalesProcess::open(["qualify"])?, [row])?;
/// let quality = log.as_of(date(2026, 4, 10)?).data_quality();
/// assert_eq!((quality.overdue()[0].deal(), quality.overdue()[0].days()), ("D-17", 10));
/// assert_eq!(quality.default_close_share().map(|share| share.get()), Some(1.0));
/// assert_eq!(quality.n_without_amount(), 1);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataQuality {
    as_of: NaiveDateTime,
    n_deals: usize,
    n_open: usize,
    stale_limits: Vec<StaleLimit>,
    n_stale: usize,
    stale_amount: Option<Amount>,
    stale: Vec<StaleDeal>,
    n_overdue: usize,
    overdue_amount: Option<Amount>,
    overdue: Vec<OverdueDeal>,
    n_rows: usize,
    backdated: Option<Backdated>,
    n_heaps: usize,
    heaps: Vec<Heap>,
    n_with_close: usize,
    n_default_close: usize,
    n_left_truncated: usize,
    n_without_amount: usize,
    n_open_without_amount: usize,
}

/// An open deal that was expected to close before the day of the instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OverdueDeal {
    deal: String,
    stage: String,
    expected_close: NaiveDate,
    days: u32,
}

impl OverdueDeal {
    /// Its id.
    pub fn deal(&self) -> &str {
        &self.deal
    }

    /// The stage it is in.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// When it was expected to close, as last stated.
    pub const fn expected_close(&self) -> NaiveDate {
        self.expected_close
    }

    /// Civil days from then to the day of the instant.
    pub const fn days(&self) -> u32 {
        self.days
    }
}

/// Rows recorded a day (24 hours) or more after they are said to have happened. Those still to be recorded are not
/// among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Backdated {
    n: usize,
    median_days: u32,
    largest_days: u32,
}

impl Backdated {
    fn of(mut lags: Vec<u32>) -> Option<Self> {
        let largest_days = *lags.iter().max()?;
        let middle = (lags.len() - 1) / 2;
        Some(Self { n: lags.len(), median_days: *lags.select_nth_unstable(middle).1, largest_days })
    }

    /// How many rows.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// Their lower median lag in whole days.
    pub const fn median_days(&self) -> u32 {
        self.median_days
    }

    /// The largest lag in whole days.
    pub const fn largest_days(&self) -> u32 {
        self.largest_days
    }
}

impl Snapshot {
    /// The open deals that were expected to close before the day of the snapshot, those longest overdue first, then by
    /// id.
    pub fn overdue(&self) -> Vec<OverdueDeal> {
        let today = day_number(self.as_of().date());
        let overdue = |deal: &OpenDeal| {
            let expected_close = deal.expected_close()?;
            let days = days_between(day_number(expected_close), today);
            let (deal, stage) = (deal.id().to_owned(), deal.stage().to_owned());
            (days > 0).then_some(OverdueDeal { deal, stage, expected_close, days })
        };
        let mut overdue: Vec<OverdueDeal> = self.open().iter().filter_map(overdue).collect();
        overdue.sort_by_key(|deal| Reverse(deal.days));
        overdue
    }
}

impl Known<'_> {
    /// What should be looked at before a forecast from this log is believed.
    pub fn data_quality(&self) -> DataQuality {
        let limits = StaleLimit::of(self.process(), &History::of(self));
        let mut inspection = Inspection { today: civil_day(self.until()), ..Inspection::default() };
        for view in self.deals() {
            inspection.deal(&view, &limits);
        }
        inspection.report(self, limits)
    }
}

/// An open deal found stale or overdue.
struct Flagged<'a> {
    /// Days beyond the limit, or beyond the expected close.
    excess: u32,
    id: &'a str,
    stage: StageId,
    amount: Option<Amount>,
}

/// What the walk over the deals has found.
#[derive(Default)]
struct Inspection<'a> {
    today: i32,
    n_deals: usize,
    n_open: usize,
    stale: Vec<Flagged<'a>>,
    overdue: Vec<Flagged<'a>>,
    n_rows: usize,
    lags: Vec<u32>,
    entries: Entries,
    n_with_close: usize,
    n_default_close: usize,
    n_left_truncated: usize,
    n_without_amount: usize,
    n_open_without_amount: usize,
}

impl<'a> Inspection<'a> {
    fn deal(&mut self, view: &DealView<'a>, limits: &[StaleLimit]) {
        self.n_deals += 1;
        self.n_left_truncated += usize::from(view.is_left_truncated());
        for lag in view.lags() {
            self.n_rows += 1;
            if lag >= DAY {
                self.lags.push(u32::try_from(lag / DAY).unwrap_or(u32::MAX));
            }
        }
        self.entries.add(view);
        if let Some(close) = view.first_expected_close() {
            self.n_with_close += 1;
            self.n_default_close += usize::from(is_end_of_month(close, view.created().date()));
        }
        let amount = view.amount();
        self.n_without_amount += usize::from(amount.is_none());
        let Position::Open { stage, since, .. } = view.position() else { return };
        self.n_open += 1;
        self.n_open_without_amount += usize::from(amount.is_none());
        let flag = |excess| Flagged { excess, id: view.id(), stage, amount };
        let limit = limits.get(stage.index()).and_then(StaleLimit::days);
        let beyond = limit.and_then(|limit| days_between(civil_day(since), self.today).checked_sub(limit));
        self.stale.extend(beyond.filter(|&days| days > 0).map(flag));
        let late = view.expected_close().map_or(0, |close| days_between(day_number(close), self.today));
        self.overdue.extend((late > 0).then(|| flag(late)));
    }

    fn report(mut self, known: &Known<'_>, stale_limits: Vec<StaleLimit>) -> DataQuality {
        let process = known.process();
        let heaps = self.entries.heaps(process);
        let limit = |stage: StageId| stale_limits.get(stage.index()).and_then(StaleLimit::days).unwrap_or(0);
        let stale = |flagged: &Flagged<'_>| StaleDeal {
            deal: flagged.id.to_owned(),
            stage: process.name(flagged.stage).to_owned(),
            age_days: limit(flagged.stage).saturating_add(flagged.excess),
            limit_days: limit(flagged.stage),
        };
        let overdue = |flagged: &Flagged<'_>| OverdueDeal {
            deal: flagged.id.to_owned(),
            stage: process.name(flagged.stage).to_owned(),
            expected_close: civil_date(before(self.today, flagged.excess)),
            days: flagged.excess,
        };
        DataQuality {
            as_of: known.at(),
            n_deals: self.n_deals,
            n_open: self.n_open,
            n_stale: self.stale.len(),
            stale_amount: amount_of(&self.stale),
            stale: worst(&mut self.stale).iter().map(stale).collect(),
            n_overdue: self.overdue.len(),
            overdue_amount: amount_of(&self.overdue),
            overdue: worst(&mut self.overdue).iter().map(overdue).collect(),
            n_rows: self.n_rows,
            backdated: Backdated::of(self.lags),
            n_heaps: heaps.len(),
            heaps: heaps.into_iter().take(LISTED).collect(),
            n_with_close: self.n_with_close,
            n_default_close: self.n_default_close,
            n_left_truncated: self.n_left_truncated,
            n_without_amount: self.n_without_amount,
            n_open_without_amount: self.n_open_without_amount,
            stale_limits,
        }
    }
}

/// The largest excess first, then by id.
fn worst<'f, 'a>(flagged: &'f mut [Flagged<'a>]) -> &'f [Flagged<'a>] {
    flagged.sort_unstable_by_key(|flagged| (Reverse(flagged.excess), flagged.id));
    flagged.get(..LISTED).unwrap_or(flagged)
}

/// `None` where the sum leaves the range of finite numbers.
fn amount_of(flagged: &[Flagged<'_>]) -> Option<Amount> {
    Book::of(flagged.iter().map(|flagged| flagged.amount)).ok().map(|book| book.amount())
}

/// Whole days from one day to another, 0 where it is not later. Civil days of chrono's range lie well inside an i32.
fn days_between(from: i32, to: i32) -> u32 {
    u32::try_from(i64::from(to) - i64::from(from)).unwrap_or(0)
}

fn before(day: i32, days: u32) -> i32 {
    day.saturating_sub_unsigned(days)
}

/// Whether a day is the last one of the month that `of` lies in.
fn is_end_of_month(day: NaiveDate, of: NaiveDate) -> bool {
    let next = civil_date(day_number(day).saturating_add(1));
    (day.year(), day.month()) == (of.year(), of.month()) && next.month() != day.month()
}

impl DataQuality {
    /// The instant as of which it was found.
    pub const fn as_of(&self) -> NaiveDateTime {
        self.as_of
    }

    /// Deals known to exist.
    pub const fn n_deals(&self) -> usize {
        self.n_deals
    }

    /// Those of them that are open.
    pub const fn n_open(&self) -> usize {
        self.n_open
    }

    /// From which age deals are stale, by open stage in process order.
    pub fn stale_limits(&self) -> &[StaleLimit] {
        &self.stale_limits
    }

    /// How many open deals are stale.
    pub const fn n_stale(&self) -> usize {
        self.n_stale
    }

    /// Their stated amounts; `None` where the sum is no finite number.
    pub const fn stale_amount(&self) -> Option<Amount> {
        self.stale_amount
    }

    /// Stale deals, those furthest beyond their limit first.
    pub fn stale(&self) -> &[StaleDeal] {
        &self.stale
    }

    /// How many open deals were expected to close before the day of the instant.
    pub const fn n_overdue(&self) -> usize {
        self.n_overdue
    }

    /// Their stated amounts; `None` where the sum is no finite number.
    pub const fn overdue_amount(&self) -> Option<Amount> {
        self.overdue_amount
    }

    /// Overdue deals, those longest overdue first.
    pub fn overdue(&self) -> &[OverdueDeal] {
        &self.overdue
    }

    /// Rows of known deals that were visible.
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The rows among them that were recorded a day or more late; `None` where there is none.
    pub const fn backdated(&self) -> Option<Backdated> {
        self.backdated
    }

    /// How many heaps of dates there are.
    pub const fn n_heaps(&self) -> usize {
        self.n_heaps
    }

    /// Heaps of dates, the largest first.
    pub fn heaps(&self) -> &[Heap] {
        &self.heaps
    }

    /// Deals that were ever given an expected close.
    pub const fn n_with_close(&self) -> usize {
        self.n_with_close
    }

    /// The share of them whose first expected close was the last day of the month of their creation.
    pub fn default_close_share(&self) -> Option<Probability> {
        if self.n_with_close == 0 {
            return None;
        }
        Probability::new(count(self.n_default_close) / count(self.n_with_close)).ok()
    }

    /// Deals first found in a stage, so that their history begins late.
    pub const fn n_left_truncated(&self) -> usize {
        self.n_left_truncated
    }

    /// Deals without a stated amount.
    pub const fn n_without_amount(&self) -> usize {
        self.n_without_amount
    }

    /// Open deals without a stated amount.
    pub const fn n_open_without_amount(&self) -> usize {
        self.n_open_without_amount
    }
}

/// Entries of a list that a report prints.
const PRINTED: usize = 5;
/// Characters of an id or the name of a stage that it prints.
const NAME: usize = 24;

impl fmt::Display for DataQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "data quality as of {}: {} deals, {} open", self.as_of, self.n_deals, self.n_open)?;
        self.write_stale(f)?;
        self.write_overdue(f)?;
        match self.backdated {
            None => write!(f, "\n  backdated: none of {} rows", self.n_rows)?,
            Some(Backdated { n, median_days, largest_days }) => write!(
                f,
                "\n  backdated: {n} of {} rows recorded late, median {median_days} days, largest {largest_days}",
                self.n_rows
            )?,
        }
        write!(f, "\n  heaps of dates: {}", self.n_heaps)?;
        for heap in self.heaps.iter().take(PRINTED) {
            let stage = shortened(heap.stage(), NAME);
            write!(f, "\n    {}: {} deals entered {stage}, usual {}", heap.date(), heap.n(), heap.usual())?;
        }
        write_rest(f, self.n_heaps)?;
        if let Some(share) = self.default_close_share() {
            let n = self.n_with_close;
            write!(
                f,
                "\n  expected closes: {share} of {n} were first set to the end of the month of creation"
            )?;
        }
        write!(f, "\n  history begins late: {} deals", self.n_left_truncated)?;
        let open = self.n_open_without_amount;
        write!(f, "\n  without an amount: {} deals, {open} of them open", self.n_without_amount)
    }
}

impl DataQuality {
    fn write_stale(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_limit = self.stale_limits.iter().filter(|limit| limit.days().is_some()).count();
        if with_limit == 0 {
            return write!(f, "\n  stale: not known, too few deals were won");
        }
        write!(f, "\n  stale: {} open deals{}", self.n_stale, worth(self.stale_amount))?;
        if with_limit < self.stale_limits.len() {
            let n = self.stale_limits.len() - with_limit;
            write!(f, "; {n} of {} stages saw too few wins to tell", self.stale_limits.len())?;
        }
        for deal in self.stale.iter().take(PRINTED) {
            let (id, stage) = (shortened(&deal.deal, NAME), shortened(&deal.stage, NAME));
            write!(f, "\n    {id} in {stage} for {} days, limit {}", deal.age_days, deal.limit_days)?;
        }
        write_rest(f, self.n_stale)
    }

    fn write_overdue(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.n_with_close == 0 {
            return write!(f, "\n  overdue: not known, no expected close is stated");
        }
        write!(f, "\n  overdue: {} open deals{}", self.n_overdue, worth(self.overdue_amount))?;
        for deal in self.overdue.iter().take(PRINTED) {
            let (id, stage) = (shortened(&deal.deal, NAME), shortened(&deal.stage, NAME));
            write!(f, "\n    {id} in {stage}, expected {}, {} days ago", deal.expected_close, deal.days)?;
        }
        write_rest(f, self.n_overdue)
    }
}

fn worth(amount: Option<Amount>) -> String {
    amount.filter(|&amount| amount > Amount::ZERO).map_or(String::new(), |amount| format!(" worth {amount}"))
}

fn write_rest(f: &mut fmt::Formatter<'_>, n: usize) -> fmt::Result {
    if n > PRINTED { write!(f, "\n    and {} more", n - PRINTED) } else { Ok(()) }
}
