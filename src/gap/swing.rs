//! The deals that decide: what each outcome says about the target.

use super::Target;
use crate::forecast::{Solved, Total};
use crate::{Amount, Probability, Result};
use serde::Serialize;
use std::fmt;

/// What the outcome of one open deal says about a target, exactly.
///
/// # Meaning
/// *Given won* and *given lost* are conditional chances: where deals share their luck, a deal that is won is a good sign
/// for all others. `chance x given_won + (1 - chance) x given_lost` is the chance of the target. *Without* leaves the deal
/// out for good, which is no sign of anything; *if won for sure* makes it certain in the same way.
///
/// # Example: which deal decides?
/// ```
/// use dealcast::{Amount, GapAnalysis, Level, Probability, Target};
/// use dealcast::forecast::{ForecastOptions, Total};
/// let deal = |p, amount| Ok::<_, dealcast::Error>((Probability::new(p)?, Amount::new(amount)?));
/// let total = Total::new(Amount::ZERO, [deal(0.5, 60e3)?, deal(0.5, 20e3)?, deal(0.5, 20e3)?])?;
/// let gap = GapAnalysis::of(&total, Target::new(80e3)?, Level::new(0.8)?, &ForecastOptions::default())?;
/// assert_eq!(gap.swing().iter().map(|deal| deal.swing()).collect::<Vec<_>>(), [0.75, 0.25, 0.25]);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DealSwing {
    pub(super) deal: Option<String>,
    pub(super) amount: Amount,
    pub(super) chance: Probability,
    pub(super) given_won: Option<Probability>,
    pub(super) given_lost: Option<Probability>,
    pub(super) without: Probability,
    pub(super) if_won: Probability,
}

impl DealSwing {
    /// Its id; `None` where the total came without ids.
    pub fn deal(&self) -> Option<&str> {
        self.deal.as_deref()
    }

    /// Its amount; 0 where none is stated.
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// Its chance to be won inside the period.
    pub const fn chance(&self) -> Probability {
        self.chance
    }

    /// P(total >= target), given that it is won inside the period; `None` where it cannot be.
    pub const fn given_won(&self) -> Option<Probability> {
        self.given_won
    }

    /// P(total >= target), given that it is not won inside the period; `None` where it is won for sure.
    pub const fn given_lost(&self) -> Option<Probability> {
        self.given_lost
    }

    /// P(total >= target) with the deal left out for good.
    pub const fn without(&self) -> Probability {
        self.without
    }

    /// P(total >= target) with the deal won for sure.
    pub const fn if_won(&self) -> Probability {
        self.if_won
    }

    /// Given won less given lost: by how much the chance hangs on it; 0 where its outcome is known.
    pub fn swing(&self) -> f64 {
        self.given_won.zip(self.given_lost).map_or(0.0, |(won, lost)| won.get() - lost.get())
    }
}

impl fmt::Display for DealSwing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |p: Option<Probability>| p.map_or_else(|| "-".to_owned(), |p| p.to_string());
        let name = self.deal.as_deref().unwrap_or("a deal");
        write!(f, "{name}: {} at {}", self.amount, self.chance)?;
        write!(f, "; target {} if won, {} if not", said(self.given_won), said(self.given_lost))
    }
}

/// For every deal of a total, in its order.
pub(super) fn swings(total: &Total, solved: &Solved, target: Target) -> Result<Vec<DealSwing>> {
    let deals = total.chance.iter().zip(&total.amount);
    deals
        .zip(solved.decided(total, target.get()))
        .map(|((p, amount), decides)| {
            Ok(DealSwing {
                deal: None,
                amount: Amount::new(*amount)?,
                chance: Probability::rounded(*p),
                given_won: decides.given_won.map(Probability::rounded),
                given_lost: decides.given_lost.map(Probability::rounded),
                without: Probability::rounded(decides.without),
                if_won: Probability::rounded(decides.forced),
            })
        })
        .collect()
}
