//! Amounts in several currencies, read in one: each deal at the rate that its view of the world knows.

use super::known::{Known, Position};
use super::log::DealLog;
use crate::time::{civil_date, civil_day, day_number};
use crate::{Error, ErrorKind, Result};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::fmt;

/// The name of the attribute that says in which currency a deal's amounts are.
pub(crate) const CURRENCY: &str = "currency";

/// Exchange rates by currency and first day: what one unit of a currency is worth in the home currency, from that day
/// until the next rate of the same currency.
///
/// # Meaning
/// A closed deal counts at the rate of the day of its close, an open one at the latest rate known on the day of the
/// question. So a view of the past uses no later rate, and a deal keeps one rate in a view: a moving exchange rate never
/// looks like a moving amount. A deal that states no currency is in the home currency.
///
/// # Example: what is a deal of 1000 dollars worth in euros?
/// ```
/// use dealcast::deals::Rates;
/// use dealcast::time::date;
/// let rates = Rates::home("EUR")?.and("USD", date(2025, 1, 1)?, 0.96)?.and("USD", date(2026, 1, 1)?, 0.90)?;
/// assert_eq!(rates.on("USD", date(2025, 12, 31)?), Some(0.96));
/// assert_eq!((rates.on("USD", date(2024, 12, 31)?), rates.on("EUR", date(2024, 12, 31)?)), (None, Some(1.0)));
/// assert!(rates.and("GBP", date(2025, 1, 1)?, 0.0).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    home: String,
    /// By currency: first day and rate, in order of the days.
    table: BTreeMap<String, BTreeMap<i32, f64>>,
}

impl Rates {
    /// A table in which only the home currency is known.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) for an empty name.
    pub fn home(currency: impl Into<String>) -> Result<Self> {
        let home = currency.into();
        if home.trim().is_empty() {
            return Err(Error::new(ErrorKind::Missing, "the name of a currency").field(CURRENCY));
        }
        Ok(Self { home, table: BTreeMap::new() })
    }

    /// The table with one more rate: from `first` on, one unit of `currency` is worth `rate` of the home currency.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless the rate is finite and above 0; also for another rate on the same
    /// day, or one of the home currency that is not 1.
    pub fn and(mut self, currency: impl Into<String>, first: NaiveDate, rate: f64) -> Result<Self> {
        let currency = currency.into();
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(Error::out_of_range("rate", "a finite rate above 0", rate).found(rate));
        }
        if currency == self.home {
            let one = rate.total_cmp(&1.0).is_eq();
            let expected = "the rate 1 for the home currency";
            return if one { Ok(self) } else { Err(Error::out_of_range("rate", expected, rate)) };
        }
        let other = self.table.entry(currency).or_default().insert(day_number(first), rate);
        if other.is_some_and(|other| other.total_cmp(&rate).is_ne()) {
            return Err(Error::out_of_range("rate", "one rate a currency and day", rate));
        }
        Ok(self)
    }

    /// The name of the home currency.
    pub fn home_currency(&self) -> &str {
        &self.home
    }

    /// The rate of a currency on a day; `None` before its first one.
    pub fn on(&self, currency: &str, day: NaiveDate) -> Option<f64> {
        self.at(currency, day_number(day)).map(|(_, rate)| rate)
    }

    /// The rate on a day and since when it holds, `None` for the home currency's.
    pub(crate) fn at(&self, currency: &str, day: i32) -> Option<(Option<i32>, f64)> {
        if currency == self.home {
            return Some((None, 1.0));
        }
        let (&first, &rate) = self.table.get(currency)?.range(..=day).next_back()?;
        Some((Some(first), rate))
    }

    /// Whether there is any rate of a currency.
    pub(crate) fn knows(&self, currency: &str) -> bool {
        currency == self.home || self.table.contains_key(currency)
    }
}

/// Which rates were used, of which dates, for how many deals; see [`Known::rates_used`].
#[derive(Clone, Debug, PartialEq)]
pub struct RatesUsed {
    home: String,
    used: BTreeMap<(String, i32), RateUse>,
    n_without_rate: usize,
}

/// A rate that was used.
#[derive(Clone, Debug, PartialEq)]
pub struct RateUse {
    currency: String,
    since: NaiveDate,
    rate: f64,
    n_deals: usize,
}

impl RateUse {
    /// The currency.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The day from which the rate holds.
    pub const fn since(&self) -> NaiveDate {
        self.since
    }

    /// What one unit is worth in the home currency.
    pub const fn rate(&self) -> f64 {
        self.rate
    }

    /// How many deals were converted with it.
    pub const fn n_deals(&self) -> usize {
        self.n_deals
    }
}

impl RatesUsed {
    pub(crate) fn to(rates: &Rates) -> Self {
        Self { home: rates.home.clone(), used: BTreeMap::new(), n_without_rate: 0 }
    }

    /// Notes one deal, converted or not.
    pub(crate) fn add(&mut self, currency: &str, found: Option<(Option<i32>, f64)>) {
        match found {
            Some((Some(first), rate)) => {
                let unused =
                    || RateUse { currency: currency.to_owned(), since: civil_date(first), rate, n_deals: 0 };
                self.used.entry((currency.to_owned(), first)).or_insert_with(unused).n_deals += 1;
            }
            Some((None, _)) => {}
            None => self.n_without_rate += 1,
        }
    }

    /// The rates, by currency and date; the home currency needs none.
    pub fn used(&self) -> impl Iterator<Item = &RateUse> {
        self.used.values()
    }

    /// Deals without a price in this view, because their currency had no rate yet.
    pub const fn n_without_rate(&self) -> usize {
        self.n_without_rate
    }
}

impl fmt::Display for RatesUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "amounts in {}", self.home)?;
        for RateUse { currency, since, rate, n_deals } in self.used() {
            let deals = if *n_deals == 1 { "deal" } else { "deals" };
            write!(f, "\n  1 {currency} = {rate} since {since}: {n_deals} {deals}")?;
        }
        match self.n_without_rate {
            0 => Ok(()),
            n => write!(f, "\n  no rate yet: {n} without a price"),
        }
    }
}

impl DealLog {
    /// The same log with every amount in the home currency of `rates`; a deal's currency is its attribute `currency`.
    ///
    /// # Errors
    /// [`MissingRate`](ErrorKind::MissingRate) where some deal is in a currency that the table does not know at all. (A
    /// currency whose first rate is later than a view leaves its deals without a price in that view, counted by
    /// [`Known::rates_used`].)
    ///
    /// # Example: which rate was used?
    /// ```
    /// use dealcast::deals::{Change, DealEvent, DealLog, Rates, SalesProcess};
    /// use dealcast::time::date;
    /// let row = DealEvent::new("D-17", date(2026, 1, 7)?, Change::Entered("qualify".into()))
    ///     .and(Change::Amount(Some(1_000.0)))
    ///     .and(Change::Attribute { name: "currency".into(), value: "USD".into() });
    /// let rates = Rates::home("EUR")?.and("USD", date(2026, 1, 1)?, 0.90)?.and("USD", date(2026, 2, 1)?, 0.85)?;
    /// let log = DealLog::from_events(&SalesProcess::open(["qualify"])?, [row])?.converted(rates)?;
    /// let book_on = |day| log.as_of(date(2026, day, 5).unwrap()).snapshot().open_book().unwrap().amount().get();
    /// assert_eq!((book_on(2), log.as_of(date(2026, 1, 31)?).snapshot().open_book()?.amount().get()), (850.0, 900.0));
    /// let said = log.as_of(date(2026, 3, 1)?).rates_used().unwrap().to_string();
    /// assert_eq!(said, "amounts in EUR\n  1 USD = 0.85 since 2026-02-01: 1 deal");
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn converted(mut self, rates: Rates) -> Result<Self> {
        for currency in self.currencies() {
            if !rates.knows(currency) {
                let error = Error::new(ErrorKind::MissingRate, "a rate for every currency").field(CURRENCY);
                return Err(error.found(currency));
            }
        }
        self.rules.rates = Some(rates);
        Ok(self)
    }

    /// The rates that turn its amounts into one currency.
    pub(crate) const fn rates(&self) -> Option<&Rates> {
        self.rules.rates.as_ref()
    }

    /// The currencies that some deal states, in byte order.
    pub(crate) fn currencies(&self) -> Vec<&str> {
        let columns = &self.columns;
        let Some(name) = columns.names.find(CURRENCY) else { return Vec::new() };
        let stated = columns.tags.iter().map(|tag| tag.tag).filter(|tag| super::names::index(tag.0) == name);
        let mut words: Vec<u32> = stated.map(|tag| tag.1).collect();
        words.sort_unstable();
        words.dedup();
        words.into_iter().map(|word| columns.words.get(super::names::index(word))).collect()
    }
}

impl Known<'_> {
    /// Which rates turn the amounts of this view into the home currency; `None` where the log needs none.
    pub fn rates_used(&self) -> Option<RatesUsed> {
        let rates = self.rates()?;
        let mut used = RatesUsed::to(rates);
        for deal in self.deals() {
            let (currency, day) = (deal.attribute(CURRENCY).unwrap_or(rates.home.as_str()), deal.price_day());
            used.add(currency, rates.at(currency, day));
        }
        Some(used)
    }
}

impl super::DealView<'_> {
    /// What one unit of its amounts is worth; `None` where no rate was known yet.
    pub(super) fn rate(&self, rates: Option<&Rates>) -> Option<f64> {
        let Some(rates) = rates else { return Some(1.0) };
        let Some(currency) = self.attribute(CURRENCY) else { return Some(1.0) };
        rates.at(currency, self.price_day()).map(|(_, rate)| rate)
    }

    /// The day whose rate counts: that of its close, or the last one before the question.
    fn price_day(&self) -> i32 {
        match self.position() {
            Position::Won { at, .. } | Position::Lost { at, .. } | Position::Removed { at } => civil_day(at),
            Position::Open { .. } => civil_day(self.until().saturating_sub(1)),
        }
    }
}
