//! What changed, as Markdown.

use super::table::{Table, page};
use crate::deals::Waterfall;
use crate::gap::{Bridge, read};

impl Waterfall {
    /// What changed, as a table of Markdown; bars without a deal are left out.
    ///
    /// ```
    /// use dealcast::{DealEvent, DealLog, SalesProcess, deals::Waterfall, time::date};
    /// let log = DealLog::from_events(&SalesProcess::open(["propose"])?, Vec::<DealEvent>::new())?;
    /// let text = Waterfall::of_log(&log, date(2026, 3, 2)?, date(2026, 3, 9)?)?.to_markdown();
    /// assert!(text.starts_with("**Pipeline from 2026-03-02 to 2026-03-09: 0 to 0**\n\n|"));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["", "amount", "deals"]);
        for (name, bar) in self.bars() {
            let ends = matches!(name, "opening" | "closing");
            let amount = if ends { read(bar.amount).to_string() } else { signed(bar.amount) };
            if bar.n > 0 || ends {
                table.row([&name, &amount, &bar.n]);
            }
        }
        let (from, to) = (self.from().format("%Y-%m-%d"), self.to().format("%Y-%m-%d"));
        let (opening, closing) = (read(self.opening().amount), read(self.closing().amount));
        let scope = self.period().map_or_else(String::new, |period| format!(", expected to close {period}"));
        page([format!("**Pipeline from {from} to {to}{scope}: {opening} to {closing}**"), table.part()])
    }
}

impl Bridge {
    /// Why the forecast moved, as a table of Markdown; bars of nothing are left out.
    pub fn to_markdown(&self) -> String {
        let mut table = Table::new(&["", "amount", "deals"]);
        let (then, now) = (read(self.opening()), read(self.closing()));
        table.row([&"then", &then, &"-"]);
        for (name, bar) in self.bars().into_iter().filter(|(_, bar)| bar.amount != 0.0 || bar.n > 0) {
            table.row([&name, &signed(bar.amount), &bar.n]);
        }
        table.row([&"now", &now, &"-"]);
        let (from, to) = (self.from().format("%Y-%m-%d"), self.to().format("%Y-%m-%d"));
        let heading = format!("**Expected for {}, from {from} to {to}: {then} to {now}**", self.period());
        page([heading, table.part()])
    }
}

fn signed(amount: f64) -> String {
    let sign = match amount {
        x if x < 0.0 => "-",
        x if x > 0.0 => "+",
        _ => "",
    };
    format!("{sign}{}", read(amount.abs()))
}
