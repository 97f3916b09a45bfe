//! The weighted pipeline: what is expected, part by part.

use std::fmt;

/// Booked + the sum of amount x chance over the open deals + expected new business.
///
/// The total is *defined* as that ordered sum, and it is the mean of every engine's forecast.
///
/// # Example
/// ```
/// use dealcast::{Amount, Probability};
/// use dealcast::forecast::Total;
/// let total = Total::new(Amount::new(10e3)?, [(Probability::new(0.25)?, Amount::new(40e3)?)])?;
/// let weighted = total.weighted();
/// assert_eq!((weighted.booked(), weighted.open(), weighted.total()), (10e3, 10e3, 20e3));
/// assert_eq!(weighted.to_string(), "20.0 k expected = 10.0 k booked + 10.0 k open + 0 new business");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedForecast {
    pub(crate) booked: f64,
    pub(crate) open: Vec<f64>,
    pub(crate) new_business: Vec<f64>,
}

impl WeightedForecast {
    /// What is won already.
    pub fn booked(&self) -> f64 {
        self.booked
    }

    /// Expected from the open deals.
    pub fn open(&self) -> f64 {
        self.open.iter().sum()
    }

    /// Expected from deals not created yet.
    pub fn new_business(&self) -> f64 {
        self.new_business.iter().sum()
    }

    /// Booked, open and new business, added in this order.
    pub fn total(&self) -> f64 {
        self.booked + self.open() + self.new_business()
    }

    /// Expected from open deals and new business, by bucket of the period; what is booked belongs to none.
    pub fn by_bucket(&self) -> Vec<f64> {
        self.open.iter().zip(&self.new_business).map(|(open, new)| open + new).collect()
    }
}

impl fmt::Display for WeightedForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |x: f64| crate::Amount::new(x).unwrap_or(crate::Amount::ZERO);
        write!(
            f,
            "{} expected = {} booked + {} open + {} new business",
            read(self.total()),
            read(self.booked),
            read(self.open()),
            read(self.new_business())
        )
    }
}
