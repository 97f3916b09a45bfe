//! A receipt as Markdown.

use super::table::{Table, harmless, page};
use crate::deals::Receipt;

impl Receipt {
    /// What was done with each row, as Markdown: the balance of the rows, what was found, and the first rows that were
    /// refused or lost a cell.
    ///
    /// ```
    /// use dealcast::{Change, DealEvent, DealLog, SalesProcess, time::date};
    /// let row = |stage: &str| DealEvent::new("D-17", date(2026, 3, 2).unwrap(), Change::Entered(stage.into()));
    /// let log = DealLog::from_events(&SalesProcess::open(["qualify"])?, [row("qualify"), row("quality|")])?;
    /// let text = log.receipt().to_markdown();
    /// assert!(text.starts_with("**1 of 2 rows accepted**\n\n| rows"));
    /// assert!(text.contains("quality\\|"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut rows = Table::new(&["rows", "number"]);
        let balance = [
            ("in", self.rows_in()),
            ("accepted", self.accepted()),
            ("quarantined", self.quarantined()),
            ("exact duplicates", self.deduplicated()),
        ];
        balance.into_iter().for_each(|(what, n)| rows.row([&what, &n]));
        let mut found = Table::new(&["found", "times"]);
        self.findings().for_each(|(finding, n)| found.row([&finding.name().replace('_', " "), &n]));
        let mut refused = Table::new(&["reason", "row"]);
        for cell in self.rejected().iter().chain(self.dropped_cells()).take(5) {
            refused.row([&harmless(cell.reason(), 120), &cell.row()]);
        }
        let heading = format!("**{} of {} rows accepted**", self.accepted(), self.rows_in());
        page([heading, rows.part(), found.part(), refused.part()])
    }
}
