//! The distribution of a period's total, and the questions one asks it.

use super::atoms::Atoms;
use super::knots::Knots;
use super::series::Series;
use crate::num::{Amount, Level, Probability, count};
use crate::{Error, ErrorKind, Result};
use std::fmt;

/// How far an answer can be from the truth of its own assumptions.
///
/// Each stated P(total >= x) is within `chance` of a true P(total >= x') with x' within `amount` of x.
///
/// # Example
/// ```
/// use dealcast::{Amount, Probability};
/// use dealcast::forecast::{ForecastOptions, Total};
/// let deal = (Probability::new(0.5)?, Amount::new(1e3)?);
/// let forecast = Total::new(Amount::ZERO, vec![deal; 12])?.exact(&ForecastOptions::default())?;
/// assert!(forecast.error_bound().chance() < 1e-12);
/// assert_eq!(forecast.error_bound().amount(), 0.0);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBound {
    pub(crate) chance: f64,
    pub(crate) amount: f64,
}

impl ErrorBound {
    /// In the probability.
    pub fn chance(self) -> f64 {
        self.chance
    }

    /// In the amount that the probability belongs to; 0 where amounts were not rounded and no fine structure of them
    /// was left unexamined.
    pub fn amount(self) -> f64 {
        self.amount
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Atoms(Atoms),
    Series(Series),
    Knots(Knots),
}

/// The distribution of the period's total: a point is asked of it, never stored in it.
///
/// Comes from the exact engine, from a simulation, or from outside (samples or quantiles of another method).
///
/// # Example: what do I tell the board?
/// ```
/// use dealcast::{Amount, Level, Probability};
/// use dealcast::forecast::{ForecastOptions, Total};
/// let deals = (1..=40_u32).map(|k| Ok((Probability::new(0.3)?, Amount::new(1e3 * f64::from(k))?)));
/// let deals = deals.collect::<dealcast::Result<Vec<_>>>()?;
/// let forecast = Total::new(Amount::new(100e3)?, deals)?.exact(&ForecastOptions::default())?;
/// let (low, high) = forecast.interval(Level::new(0.8)?);
/// assert!(low < forecast.median() && forecast.median() < high);
/// assert_eq!(forecast.to_string(), "mean 346 k, q50 344 k, 80 % range 260 k to 435 k");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    form: Form,
    mean: f64,
    sd: f64,
    half_distance: f64,
    bound: ErrorBound,
    n_scenarios: Option<usize>,
}

impl Forecast {
    /// With the moments that are known, as the engines do.
    pub(crate) fn known(form: Form, mean: f64, sd: f64, bound: ErrorBound) -> Self {
        let half_distance = match &form {
            Form::Atoms(atoms) => atoms.half_distance(),
            Form::Series(series) => series.half_distance(),
            Form::Knots(knots) => knots.half_distance(),
        };
        Self { form, mean, sd, half_distance, bound, n_scenarios: None }
    }

    pub(crate) fn simulated(mut self, n_scenarios: usize) -> Self {
        self.n_scenarios = Some(n_scenarios);
        self
    }

    /// From equally likely samples of another method.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without samples, [`OutOfRange`](ErrorKind::OutOfRange) where one is not finite,
    /// [`Overflow`](ErrorKind::Overflow) where they lie too far apart for a finite spread.
    ///
    /// # Example
    /// ```
    /// use dealcast::{Amount, forecast::Forecast};
    /// let forecast = Forecast::from_samples(&[3.0, 1.0, 2.0, 6.0])?;
    /// assert_eq!((forecast.mean(), forecast.median()), (3.0, 2.0));
    /// assert_eq!(forecast.chance_of_hitting(Amount::new(3.0)?).get(), 0.5);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn from_samples(samples: &[f64]) -> Result<Self> {
        if samples.is_empty() {
            return Err(Error::new(ErrorKind::Missing, "at least one sample").field("samples"));
        }
        if let Some(bad) = samples.iter().find(|x| !x.is_finite()) {
            return Err(Error::out_of_range("samples", "finite numbers", *bad));
        }
        let atoms = equally_likely(samples.to_vec());
        let (mean, sd) = atoms.moments();
        Self::known(Form::Atoms(atoms), mean, sd, ErrorBound { chance: 0.0, amount: 0.0 }).finite()
    }

    /// From quantiles of another method: straight lines between them, the mass beyond the outermost put on them.
    ///
    /// # Errors
    /// [`Missing`](ErrorKind::Missing) without quantiles, [`OutOfRange`](ErrorKind::OutOfRange) where a value is not
    /// finite, or levels do not increase or values decrease; [`Overflow`](ErrorKind::Overflow) as for samples.
    ///
    /// # Example
    /// ```
    /// use dealcast::{Level, forecast::Forecast};
    /// let quantiles = [(Level::new(0.1)?, 80.0), (Level::HALF, 100.0), (Level::new(0.9)?, 140.0)];
    /// let forecast = Forecast::from_quantiles(&quantiles)?;
    /// assert_eq!(forecast.median(), 100.0);
    /// assert!((forecast.cdf(120.0).get() - 0.7).abs() < 1e-12);
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn from_quantiles(quantiles: &[(Level, f64)]) -> Result<Self> {
        if quantiles.is_empty() {
            return Err(Error::new(ErrorKind::Missing, "at least one quantile").field("quantiles"));
        }
        if let Some((_, bad)) = quantiles.iter().find(|(_, x)| !x.is_finite()) {
            return Err(Error::out_of_range("quantiles", "finite numbers", *bad));
        }
        for ((p, a), (q, b)) in quantiles.iter().zip(quantiles.iter().skip(1)) {
            if q <= p {
                return Err(Error::out_of_range("levels", "increasing levels", q.get()));
            }
            if b < a {
                return Err(Error::out_of_range("quantiles", "values that do not decrease", *b));
            }
        }
        let knots = Knots::new(quantiles.iter().map(|(level, x)| (level.get(), *x)).collect());
        let (mean, sd) = knots.moments();
        Self::known(Form::Knots(knots), mean, sd, ErrorBound { chance: 0.0, amount: 0.0 }).finite()
    }

    pub(crate) fn finite(self) -> Result<Self> {
        if self.mean.is_finite() && self.sd.is_finite() && self.half_distance.is_finite() {
            Ok(self)
        } else {
            Err(Error::new(ErrorKind::Overflow, "values with a finite spread"))
        }
    }

    /// The expected total; of an engine's forecast, the weighted total to the last bit.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of the total.
    pub fn sd(&self) -> f64 {
        self.sd
    }

    /// The smallest x with P(total <= x) >= level.
    pub fn quantile(&self, level: Level) -> f64 {
        match &self.form {
            Form::Atoms(atoms) => atoms.quantile(level),
            Form::Series(series) => series.quantile(level),
            Form::Knots(knots) => knots.quantile(level),
        }
    }

    /// The quantile of level .5.
    pub fn median(&self) -> f64 {
        self.quantile(Level::HALF)
    }

    /// The central interval: quantiles (1 - level) / 2 and (1 + level) / 2.
    pub fn interval(&self, level: Level) -> (f64, f64) {
        let (low, high) = level.tails();
        (self.quantile(low), self.quantile(high))
    }

    /// P(total >= target); a total that meets the target exactly hits it.
    pub fn chance_of_hitting(&self, target: Amount) -> Probability {
        Probability::rounded(self.at_least(target.get()))
    }

    pub(crate) fn at_least(&self, x: f64) -> f64 {
        match &self.form {
            Form::Atoms(atoms) => atoms.at_least(x),
            Form::Series(series) => series.at_least(x),
            Form::Knots(knots) => knots.at_least(x),
        }
    }

    /// P(total <= x); 0 for NaN.
    pub fn cdf(&self, x: f64) -> Probability {
        if x == f64::INFINITY {
            return Probability::ONE;
        }
        Probability::rounded(match &self.form {
            Form::Atoms(atoms) => atoms.cdf(x),
            Form::Series(series) => series.cdf(x),
            Form::Knots(knots) => knots.cdf(x),
        })
    }

    /// E max(0, target - total): by how much the target is missed on average, hits counting 0.
    pub fn expected_shortfall(&self, target: Amount) -> f64 {
        self.shortfall(target.get())
    }

    pub(crate) fn shortfall(&self, x: f64) -> f64 {
        match &self.form {
            Form::Atoms(atoms) => atoms.shortfall(x),
            Form::Series(series) => series.shortfall(x),
            Form::Knots(knots) => knots.shortfall(x),
        }
    }

    /// The continuous ranked probability score against what happened, in the unit of the amounts; smaller is better.
    ///
    /// # Formula
    /// Integral of (F(x) - 1{x >= actual})^2 = E|T - actual| - E|T - T'| / 2, computed as
    /// 2 E max(0, actual - T) + E T - actual - integral of F (1 - F): no sampling.
    ///
    /// # Reference
    /// Gneiting & Raftery (2007), equations 20 and 21.
    pub fn crps(&self, actual: f64) -> f64 {
        let distance = 2.0 * self.shortfall(actual) + self.mean - actual;
        (distance - self.half_distance).max(0.0)
    }

    /// What the computation itself may have got wrong; sampling error is apart.
    pub fn error_bound(&self) -> ErrorBound {
        self.bound
    }

    /// How many scenarios the distribution was simulated with; none for an exact one.
    pub fn n_scenarios(&self) -> Option<usize> {
        self.n_scenarios
    }

    /// Monte Carlo standard error of [`Self::chance_of_hitting`]; 0 for an exact forecast.
    ///
    /// Never below what 1 hit in n scenarios would give, since none in n is not proof of a chance of 0.
    pub fn chance_standard_error(&self, target: Amount) -> f64 {
        self.n_scenarios.map_or(0.0, |n| {
            let n = count(n);
            let p = self.at_least(target.get()).clamp(1.0 / (n + 1.0), n / (n + 1.0));
            (p * (1.0 - p) / n).sqrt()
        })
    }

    /// Monte Carlo standard error of [`Self::quantile`], from the order statistics one standard error of the level
    /// away on both sides; 0 for an exact forecast.
    pub fn quantile_standard_error(&self, level: Level) -> f64 {
        self.n_scenarios.map_or(0.0, |n| {
            let p = level.get();
            let step = (p * (1.0 - p) / count(n)).sqrt();
            let side = |p: f64| Level::new(p.clamp(1e-12, 1.0 - 1e-12)).map_or(0.0, |p| self.quantile(p));
            0.5 * (side(p + step) - side(p - step))
        })
    }

    /// Monte Carlo standard error of a mean over the scenarios, sd / sqrt(n); 0 for an exact forecast.
    ///
    /// [`Self::mean`] itself is the weighted total in every engine (the simulation takes it as its control variate),
    /// so this is how far the plain average of the draws is expected to be from it.
    pub fn mean_standard_error(&self) -> f64 {
        self.n_scenarios.map_or(0.0, |n| self.sd / count(n).sqrt())
    }
}

/// Samples as points of mass 1/n.
pub(crate) fn equally_likely(mut samples: Vec<f64>) -> Atoms {
    samples.sort_unstable_by(f64::total_cmp);
    let n = count(samples.len());
    Atoms::counted(&samples, n)
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = |x: f64| Amount::new(x).map_or_else(|_| format!("{x:.4e}"), |amount| amount.to_string());
        let (low, high) =
            Level::new(0.8).map_or((self.median(), self.median()), |level| self.interval(level));
        write!(
            f,
            "mean {}, q50 {}, 80 % range {} to {}",
            read(self.mean),
            read(self.median()),
            read(low),
            read(high)
        )?;
        match self.n_scenarios {
            Some(n) => write!(f, " ({n} scenarios: mean +-{})", read(self.mean_standard_error())),
            None => Ok(()),
        }
    }
}
