//! The gap as a sales leader reads it.

use super::GapAnalysis;
use crate::fit::Evidence;
use crate::{Amount, Probability};
use std::fmt;

impl fmt::Display for GapAnalysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, weighted, forecast) = (self.target(), self.weighted(), self.distribution());
        write!(f, "Gap to {target}")?;
        if let Some(asked) = self.asked {
            write!(f, " for {} as of {}", asked.period, asked.as_of.format("%Y-%m-%d %H:%M"))?;
        }
        let (low, high) = forecast.interval(self.confidence());
        writeln!(
            f,
            "\n  {} chance of {target}; q50 {}; {} range {}",
            Percent(self.chance()),
            read(forecast.median()),
            self.confidence(),
            range(low, high)
        )?;
        write!(f, "  booked {}", read(weighted.booked()))?;
        if let Some(attained) = self.attainment() {
            write!(f, " ({} of target)", percent(attained))?;
        }
        write!(f, " + open deals {}", read(weighted.open()))?;
        write!(f, " + new business {}", read(weighted.new_business()))?;
        writeln!(f, " = {} expected", read(weighted.total()))?;
        self.open_deals(f)?;
        self.missing_words(f)?;
        self.coverage_words(f)?;
        if let Some(chance) = self.lose_biggest_chance() {
            writeln!(f, "  without the biggest deal: {} chance", Percent(chance))?;
        }
        self.deciding_words(f)?;
        write!(f, "  noise floor +-{}: nobody can promise less on this book", read(self.noise_floor()))?;
        match self.evidence() {
            Some(evidence) if evidence != Evidence::Enough => write!(f, "\n  {evidence}"),
            _ => Ok(()),
        }
    }
}

impl GapAnalysis {
    fn open_deals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deals = if self.n_open() == 1 { "deal" } else { "deals" };
        write!(f, "  {} open {deals}", self.n_open())?;
        if let Some(n) = self.asked.map(|asked| asked.n_unpriced).filter(|&n| n > 0) {
            write!(f, ", {n} of them without an amount (counted, not priced)")?;
        }
        writeln!(f, "; {} can still close", read(self.can_close()))
    }

    fn missing_words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.remaining() == 0.0 {
            return writeln!(f, "  nothing remaining: the target is met");
        }
        write!(f, "  {} remaining", read(self.remaining()))?;
        if let Some(coverage) = self.pipeline_coverage() {
            write!(f, ", covered {coverage:.1} times by open deals")?;
        }
        writeln!(
            f,
            "\n  short by {} at the mean, {} at q50, {} at {} confidence; {} on average",
            read(self.shortfall_mean()),
            read(self.shortfall_q50()),
            read(self.shortfall_at_confidence()),
            self.confidence(),
            read(self.expected_shortfall())
        )
    }
}

impl GapAnalysis {
    fn coverage_words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(needed) = self.coverage_needed() {
            write!(
                f,
                "  deals like these reach {} confidence at {needed:.1} times remaining",
                self.confidence()
            )?;
            if let Some(chance) = self.chance_at_three_times() {
                write!(f, "; 3 times give {} chance", Percent(chance))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    /// The three deals that decide most, where one decides anything.
    fn deciding_words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for deal in self.deciding(3).into_iter().filter(|deal| deal.swing() > 0.005) {
            let said = |p: Option<Probability>| p.map_or_else(|| "-".to_owned(), |p| Percent(p).to_string());
            let (won, lost) = (said(deal.given_won()), said(deal.given_lost()));
            let name = crate::error::shortened(deal.deal().unwrap_or("a deal"), 40);
            write!(f, "  decides: {name}, {} at {}:", deal.amount(), Percent(deal.chance()))?;
            writeln!(f, " {won} if won, {lost} if not")?;
        }
        Ok(())
    }
}

/// An amount to be read.
pub(crate) fn read(x: f64) -> Amount {
    // Rounding may leave a quantile a hair below 0.
    Amount::new(x.max(0.0)).unwrap_or(Amount::ZERO)
}

/// A share in whole percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// `0.81-1.01 M`: the unit once where both have the same.
pub(super) fn range(low: f64, high: f64) -> String {
    let (low, high) = (read(low).to_string(), read(high).to_string());
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number}-{high}"),
        _ => format!("{low}-{high}"),
    }
}

/// A whole percent, and no certainty that is none.
pub(crate) struct Percent(pub(crate) Probability);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            p if p > 0.0 && p < 0.005 => f.write_str("under 1 %"),
            p if (0.995..1.0).contains(&p) => f.write_str("over 99 %"),
            p => write!(f, "{:.0} %", 100.0 * p),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_said_once() {
        assert_eq!(range(0.81e6, 1.01e6), "0.81-1.01 M");
        assert_eq!(range(450e3, 1.2e6), "450 k-1.20 M");
        assert_eq!(range(-1e-9, 350.0), "0-350");
    }

    #[test]
    fn near_certainty_is_not_certainty() {
        let say = |p: f64| Percent(Probability::new(p).unwrap()).to_string();
        let said = [0.0, 0.004, 0.142, 0.996, 1.0].map(say);
        assert_eq!(said, ["0 %", "under 1 %", "14 %", "over 99 %", "100 %"]);
    }
}
