//! Several totals under one shock: new business and renewals, two brands, two countries.

use super::{Forecast, ForecastOptions, Total};
use crate::{Error, ErrorKind, Result};

/// Totals that feel one state of the market, each as strongly as its own shock says.
///
/// # Formula
/// In P(won | z) every total has its own rho and tau, z is the same for all: a bad quarter is bad for each. Where the
/// strength of a shock is uncertain, these uncertainties are independent between totals. Given z all deals and all new
/// business are independent, so that the mean is the sum of the totals' means, in their order.
///
/// # Example: two businesses that fall together
/// ```
/// use dealcast::{Amount, Probability};
/// use dealcast::forecast::{ForecastOptions, Joint, Shock, Total};
/// let deals = |rho| {
///     let total = Total::new(Amount::ZERO, vec![(Probability::new(0.5)?, Amount::new(1e3)?); 100])?;
///     Ok::<_, dealcast::Error>(total.with_shock(Shock::new(rho)?))
/// };
/// let options = ForecastOptions::default();
/// let both = Joint::new([deals(0.2)?, deals(0.1)?])?.exact(&options)?;
/// let (first, second) = (deals(0.2)?.exact(&options)?, deals(0.1)?.exact(&options)?);
/// assert_eq!(both.mean(), first.mean() + second.mean());
/// // Far from independent: their spreads nearly add.
/// assert!(both.sd() > 0.95 * (first.sd() + second.sd()));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    totals: Vec<Total>,
}

impl Joint {
    /// From totals of one period; how they are split into buckets does not matter.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without a total, [`OutOfRange`](ErrorKind::OutOfRange) for a shock of rho = 1 beside
    /// another total.
    pub fn new(totals: impl IntoIterator<Item = Total>) -> Result<Self> {
        let totals: Vec<Total> = totals.into_iter().collect();
        if totals.is_empty() {
            return Err(Error::new(ErrorKind::Missing, "at least one total").field("totals"));
        }
        let sure = totals.iter().flat_map(|total| total.shock.nodes()).find(|node| node.rho >= 1.0);
        match sure {
            Some(node) if totals.len() > 1 => {
                Err(Error::out_of_range("rho", "a number below 1 for totals together", node.rho))
            }
            _ => Ok(Self { totals }),
        }
    }

    /// The totals.
    pub fn totals(&self) -> &[Total] {
        &self.totals
    }

    /// The expected sum: the totals' means, added in their order.
    pub fn mean(&self) -> f64 {
        self.totals.iter().map(|total| total.weighted().total()).sum()
    }

    /// The distribution of the sum of all totals, without noise.
    ///
    /// # Errors
    /// Those of [`Total::exact`], and [`TooLarge`](ErrorKind::TooLarge) for more than 1,024 combinations of the shocks'
    /// possible strengths: those of fitted models have three each.
    pub fn exact(&self, options: &ForecastOptions) -> Result<Forecast> {
        match self.totals.as_slice() {
            [only] => only.exact(options),
            totals => Total::together(totals, options),
        }
    }
}
