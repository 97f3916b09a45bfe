//! Forecasts as Markdown.

use super::table::{Table, page, several};
use crate::fit::{Evidence, PeriodForecast};
use crate::forecast::Forecast;
use crate::gap::read;
use crate::num::Level;

impl Forecast {
    /// Mean, median, 80 % range and spread as a table of Markdown.
    ///
    /// ```
    /// use dealcast::Forecast;
    /// let table = Forecast::from_samples(&[1e3, 2e3, 6e3])?.to_markdown();
    /// assert!(table.ends_with("| q90  | 6.00 k |\n| sd   | 2.16 k |\n"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["", "total"]);
        table.row([&"mean", &read(self.mean())]);
        quantiles(&mut table, self);
        table.row([&"sd", &read(self.sd())]);
        table.to_string()
    }
}

/// The median and the ends of the 80 % range.
pub(super) fn quantiles(table: &mut Table, total: &Forecast) {
    for (name, level) in [("q10", 0.1), ("q50", 0.5), ("q90", 0.9)] {
        if let Ok(level) = Level::new(level) {
            table.row([&name, &read(total.quantile(level))]);
        }
    }
}

/// What a reader must know of thin evidence.
pub(super) fn caution(evidence: Option<Evidence>) -> String {
    evidence.filter(|of| *of != Evidence::Enough).map_or_else(String::new, |of| of.to_string())
}

impl PeriodForecast {
    /// The forecast as a table of Markdown: its parts, the mean, the 80 % range and the noise floor.
    ///
    /// ```
    /// use dealcast::{FittedModel, Period, Probability, SalesProcess, Snapshot, Timing, time::date};
    /// let process = SalesProcess::open(["propose"])?;
    /// let model = FittedModel::assumed(&process, [Probability::new(0.5)?], Timing::ExpectedClose)?;
    /// let empty = Snapshot::from_rows(&process, date(2026, 1, 5)?.into(), [])?;
    /// let quarter = Period::new(date(2026, 1, 1)?, date(2026, 4, 1)?)?;
    /// let text = model.forecast(&empty, &quarter)?.to_markdown();
    /// assert!(text.starts_with("**Forecast for 2026-01-01 to 2026-03-31 as of 2026-01-05 00:00**\n\n|"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let weighted = self.weighted();
        let figures = self.summary(&[], None);
        let mut table = Table::new(&["", "amount"]);
        table.row([&"booked", &read(weighted.booked())]);
        table.row([&several(figures.n_open, "open deal"), &read(weighted.open())]);
        table.row([&"new business", &read(weighted.new_business())]);
        table.row([&"**expected**", &format!("**{}**", read(self.mean()))]);
        quantiles(&mut table, self.distribution());
        table.row([&"noise floor", &format!("+-{}", read(self.noise_floor()))]);
        let when = self.as_of().format("%Y-%m-%d %H:%M");
        let heading = format!("**Forecast for {} as of {when}**", self.period());
        let unpriced = match figures.n_unpriced {
            0 => String::new(),
            n => format!("{} without an amount: counted, not priced.", several(n, "open deal")),
        };
        page([heading, table.part(), unpriced, caution(Some(self.evidence()))])
    }
}
