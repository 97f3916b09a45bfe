//! A waterfall as Markdown.

use super::table::{Table, page};
use crate::deals::Waterfall;
use crate::gap::read;

impl Waterfall {
    /// What changed, as a table of Markdown; bars without a deal are left out.
    ///
    /// ```
    /// use dealcast::{DealLog, SalesProcess, deals::Waterfall, time::date};
    /// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, [])?;
    /// let text = Waterfall::of_log(&log, date(2026, 3, 2)?, date(2026, 3, 9)?)?.to_markdown();
    /// assert!(text.starts_with("**Pipeline from 2026-03-02 to 2026-03-09: 0 to 0**\n\n|"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["", "amount", "deals"]);
        for (name, bar) in self.bars() {
            let ends = matches!(name, "opening" | "closing");
            if bar.n == 0 && !ends {
                continue;
            }
            let sign = match bar.amount {
                x if x < 0.0 => "-",
                x if x > 0.0 && !ends => "+",
                _ => "",
            };
            table.row([&name, &format!("{sign}{}", read(bar.amount.abs())), &bar.n]);
        }
        let (from, to) = (self.from().format("%Y-%m-%d"), self.to().format("%Y-%m-%d"));
        let (opening, closing) = (read(self.opening().amount), read(self.closing().amount));
        let scope = self.period().map_or_else(String::new, |period| format!(", expected to close {period}"));
        page([format!("**Pipeline from {from} to {to}{scope}: {opening} to {closing}**"), table.part()])
    }
}
