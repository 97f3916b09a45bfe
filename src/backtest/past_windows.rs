//! What a forecast has to beat.

use super::forecaster::{Fold, Forecaster, Prediction};
use crate::deals::State;
use crate::forecast::Forecast;
use crate::time::{civil_date, day_number};
use crate::{Error, ErrorKind, Result};

/// The past windows of the same length, each as likely as the other: no model at all.
///
/// # Example
/// ```
/// use dealcast::backtest::PastWindows;
/// assert_eq!(PastWindows::last(6)?, PastWindows::last(6)?);
/// assert!(PastWindows::last(0).is_err());
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastWindows {
    n: u16,
}

impl PastWindows {
    /// The last `n` windows, side by side, ending at the origin.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless `n` is at least 1.
    pub fn last(n: u16) -> Result<Self> {
        if n == 0 { Err(Error::out_of_range("windows", "at least 1", 0.0)) } else { Ok(Self { n }) }
    }
}

impl Forecaster for PastWindows {
    fn name(&self) -> String {
        format!("past_windows_{}", self.n)
    }

    fn forecast(&self, fold: &Fold<'_>) -> Result<Prediction> {
        let origin = day_number(fold.period.start());
        let length = day_number(fold.period.end()) - origin;
        let mut money = vec![0.0; usize::from(self.n)];
        let mut deals = money.clone();
        let mut first = origin;
        for deal in fold.known.deals() {
            first = first.min(day_number(deal.created().date()));
            let State::Won { at, .. } = deal.state() else { continue };
            let back = (origin - 1 - day_number(at.date())) / length;
            let window = usize::try_from(back).unwrap_or(usize::MAX);
            if let (Some(money), Some(deals)) = (money.get_mut(window), deals.get_mut(window)) {
                *money += deal.amount().map_or(0.0, crate::Amount::get);
                *deals += 1.0;
            }
        }
        let complete = usize::try_from((origin - first) / length).unwrap_or(0);
        if complete == 0 {
            return Err(Error::new(ErrorKind::NoHistory, format!("a past window of {length} days"))
                .found(format!("a history since {}", civil_date(first))));
        }
        money.truncate(complete);
        deals.truncate(complete);
        Ok(Prediction::new(Forecast::from_samples(&money)?).with_deals(Forecast::from_samples(&deals)?))
    }
}
