//! Ways of looking at a log that studies and comparisons need.

use super::log::DealLog;
use super::process::StageId;
use super::rates::Rates;
use crate::Result;
use crate::num::Amount;

/// How the rows are looked at. Applied when they are asked for, on what is visible then: a rule applied to the whole
/// log beforehand would let later rows decide about earlier ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rules {
    pub(super) start: Option<StageId>,
    pub(super) cap: Option<Amount>,
    pub(super) rates: Option<Rates>,
    /// Name and value of an attribute.
    pub(super) segment: Option<(String, String)>,
}

impl DealLog {
    /// The same log, seen from a stage on: a deal exists from the moment it first reaches `stage`, which counts as its
    /// creation; its earlier moves do not count, deals that never reach it are not there. Amounts and attributes
    /// stated earlier stay known.
    ///
    /// # Errors
    /// [`UnknownStage`](crate::ErrorKind::UnknownStage).
    ///
    /// # Example: only qualified deals
    /// ```
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::time::date;
    /// let process = SalesProcess::open(["lead", "qualified"])?;
    /// let row = |deal: &str, day, stage: &str| {
    ///     DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()))
    /// };
    /// let log = DealLog::from_events(&process, [row("a", 1, "lead"), row("a", 5, "qualified"), row("b", 2, "lead")])?;
    /// let known = log.starting_at("qualified")?;
    /// let book = known.as_of(date(2026, 3, 9)?).snapshot();
    /// assert_eq!(book.open().len(), 1);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn starting_at(mut self, stage: &str) -> Result<Self> {
        self.rules.start = Some(self.process.find(stage)?);
        Ok(self)
    }

    /// The same log with every amount cut down to at most `cap`, so that a few giants do not hide the rest.
    ///
    /// ```
    /// use dealcast::Amount;
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::time::date;
    /// let row = DealEvent::new("wind farm", date(2026, 3, 1)?, Change::Entered("granted".into()))
    ///     .and(Change::Amount(Some(1_200.0)));
    /// let log = DealLog::from_events(&SalesProcess::open(["granted"])?, [row])?.capped(Amount::new(100.0)?);
    /// assert_eq!(log.as_of(date(2026, 3, 9)?).snapshot().open_book()?.amount(), Amount::new(100.0)?);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    #[must_use]
    pub fn capped(mut self, cap: Amount) -> Self {
        self.rules.cap = Some(cap);
        self
    }

    /// The same log, of the deals that were created with this value of an attribute (name, then value).
    ///
    /// # Example: the north alone
    /// ```
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::time::date;
    /// let row = |deal: &str, region: &str| {
    ///     let region = Change::Attribute { name: "region".into(), value: region.into() };
    ///     DealEvent::new(deal, date(2026, 3, 1).unwrap(), Change::Entered("lead".into())).and(region)
    /// };
    /// let log = DealLog::from_events(&SalesProcess::open(["lead"])?, [row("a", "north"), row("b", "south")])?;
    /// assert_eq!(log.of_segment(("region", "north")).as_of(date(2026, 3, 9)?).snapshot().n_open(), 1);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    #[must_use]
    pub fn of_segment(mut self, (attribute, value): (&str, &str)) -> Self {
        self.rules.segment = Some((attribute.to_owned(), value.to_owned()));
        self
    }
}
