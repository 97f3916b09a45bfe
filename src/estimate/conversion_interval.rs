//! How far chance may have moved a conversion rate.

use super::proportion::{Closed, Interval, ShareInterval};
use crate::history::{ConversionMatrix, Next};
use crate::{Level, Result};

impl ConversionMatrix {
    /// The interval of a [`conversion_rate`](Self::conversion_rate), visits taken as independent; 0 to 1 where no visit
    /// has ended.
    ///
    /// # Errors
    /// [`UnknownStage`](crate::ErrorKind::UnknownStage) where either is no open stage of the process.
    ///
    /// # Example: one of two, so anything
    /// ```
    /// use dealcast::deals::{Change, DealEvent, DealLog, SalesProcess};
    /// use dealcast::{Level, estimate::ShareInterval, history::Next, time::date};
    /// let row = |deal: &str, day, stage: &str| DealEvent::new(deal, date(2026, 3, day).unwrap(), Change::Entered(stage.into()));
    /// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [
    ///     row("a", 1, "propose"), row("a", 9, "won"), row("b", 1, "propose"), row("b", 5, "lost"),
    /// ])?;
    /// let conversion = log.as_of(date(2026, 3, 31)?).conversion();
    /// let range = conversion.interval(("propose", Next::Won), ShareInterval::Jeffreys, Level::new(0.95)?)?;
    /// assert_eq!(range.to_string(), "6.1 % to 93.9 %");
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn interval(
        &self,
        (from, to): (&str, Next<'_>),
        method: ShareInterval,
        level: Level,
    ) -> Result<Interval> {
        let whole = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (exits, ended) = (whole(self.n_exits(from, to)?), whole(self.n_ended(from)?));
        Ok(Closed { won: exits, lost: ended.saturating_sub(exits) }.interval(method, level))
    }
}
