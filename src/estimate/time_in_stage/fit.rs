//! Maximum-likelihood fits of the families, with standard errors and information criteria.

use super::law::Rounded;
use super::likelihood::{ALPHA, Base, CONVERTED, Likelihood, N, Point, Q, TAU};
use super::newton::{Maximum, Moving, climb, not_identified};
use super::stays::{TimesInStage, spread};
use super::{TimeFamily, TimeInStage, TimeLaw};
use crate::num::count;
use crate::num::special::{exp, ln, softplus};
use crate::{Error, ErrorKind, Level, Probability, Result};
use std::fmt;

/// A fitted law of the time in stage, with what it rests on.
///
/// # Formula
/// Log-likelihood = sum of weight x ln f(t) over stays that ended at t, ln S(t) over those open at t,
/// ln(S(lower) - S(upper)) over those that ended between two looks, less ln S(entry) for those first seen late. Standard
/// errors from the inverse of the observed information, by the delta method. With weights other than counts they are
/// those of the weighted likelihood, not of sampling.
///
/// # Numerics
/// Newton's method in (mu / sigma, 1 / sigma, q), log times counted from their mean: the unit of time changes nothing.
///
/// # Reference
/// Lawless (2003), Statistical models and methods for lifetime data, chapter 5; Prentice (1974).
#[derive(Clone, Debug, PartialEq)]
pub struct TimeFit {
    time: TimeInStage,
    converted: Option<Probability>,
    std_errors: Vec<Option<f64>>,
    converted_std_error: Option<f64>,
    log_likelihood: f64,
    n_parameters: usize,
    n: usize,
    n_ended: usize,
}

impl TimeFit {
    pub(super) fn of(data: &TimesInStage, family: TimeFamily) -> Result<Self> {
        Self::climbed(data, family, f64::INFINITY)
    }

    pub(super) fn of_converting(data: &TimesInStage, family: TimeFamily) -> Result<Self> {
        let everyone = Self::of(data, family);
        match Self::climbed(data, family, 0.0) {
            Ok(fit) if everyone.as_ref().is_ok_and(|all| all.log_likelihood >= fit.log_likelihood) => {
                everyone
            }
            Ok(fit) => Ok(fit),
            // The share climbs towards 1: there the maximum is the plain fit.
            Err(_) => everyone,
        }
        .map(|fit| match fit.converted {
            Some(_) => fit,
            // The share counts as a parameter also where its estimate is the bound.
            None => Self { converted: Some(Probability::ONE), n_parameters: fit.n_parameters + 1, ..fit },
        })
    }

    /// The fit, starting from this log odds of the share that gets there (infinite: everyone does).
    fn climbed(data: &TimesInStage, family: TimeFamily, converted: f64) -> Result<Self> {
        check(data, family)?;
        let (centre, sd) = spread(data);
        let tau = if sd > 0.0 { 1.25 / sd } else { 1.0 };
        let start = Point { alpha: 0.0, tau, converted, base: Base::Gumbel };
        let likelihood = Likelihood::new(data, centre);
        let maximum = match family {
            TimeFamily::Exponential => {
                climb(&likelihood, finite(&likelihood, Point { tau: 1.0, ..start }, true)?, Moving::Place)?
            }
            TimeFamily::Weibull | TimeFamily::LogNormal | TimeFamily::LogLogistic => {
                let start = Point { base: base(family), ..start };
                climb(&likelihood, finite(&likelihood, start, false)?, Moving::PlaceAndSpread)?
            }
            TimeFamily::Gamma | TimeFamily::GeneralizedGamma => {
                shaped(data, &likelihood, (start, centre, family))?
            }
        };
        Self::from_maximum(data, family, (maximum, centre, likelihood.exact_weight()))
    }

    fn from_maximum(
        data: &TimesInStage,
        family: TimeFamily,
        (maximum, centre, exact_weight): (Maximum, f64, f64),
    ) -> Result<Self> {
        let Maximum { at, value, information } = maximum;
        let (law, gradients) = natural(family, at, centre);
        let time = TimeInStage::new(law)?;
        let error = |gradient: &[f64; N]| {
            let error = (information.variance(gradient) / data.weight).sqrt();
            error.is_finite().then_some(error)
        };
        let log_likelihood = value * data.weight - exact_weight * centre;
        if !log_likelihood.is_finite() {
            return Err(Error::new(ErrorKind::Overflow, "a finite log-likelihood").found(log_likelihood));
        }
        let share = exp(-softplus(-at.converted));
        let mixed = at.converted.is_finite();
        Ok(Self {
            time,
            converted: mixed.then(|| Probability::rounded(share)),
            std_errors: gradients.iter().map(error).collect(),
            converted_std_error: mixed
                .then(|| {
                    let mut gradient = [0.0; N];
                    gradient[CONVERTED] = share * (1.0 - share);
                    error(&gradient)
                })
                .flatten(),
            log_likelihood,
            n_parameters: gradients.len() + usize::from(mixed),
            n: data.n,
            n_ended: data.n_ended,
        })
    }

    /// The fitted law: of all stays, or of those that ever get there when the share of those was fitted too.
    pub const fn time(&self) -> &TimeInStage {
        &self.time
    }

    /// The share that ever gets there, where that was asked for; 1 where the data know of nobody who does not.
    pub const fn converted(&self) -> Option<Probability> {
        self.converted
    }

    /// Standard errors, in the order of [`TimeInStage::parameters`]; `None` where it leaves the doubles.
    pub fn std_errors(&self) -> &[Option<f64>] {
        &self.std_errors
    }

    /// Standard error of the share that ever gets there; `None` at the boundary 1.
    pub const fn converted_std_error(&self) -> Option<f64> {
        self.converted_std_error
    }

    /// The share of all deals still there at `t`: 1 - converted F(t).
    ///
    /// ```
    /// use dealcast::estimate::{TimeFamily, TimesInStage};
    /// let days = [2.0, 3.0, 4.0, 5.0, 7.0, 90.0, 90.0, 90.0, 90.0, 90.0];
    /// let won = [true, true, true, true, true, false, false, false, false, false];
    /// let fit = TimesInStage::new(&days, &won)?.fit_converting(TimeFamily::Weibull)?;
    /// assert!((fit.survival(90.0) - 0.5).abs() < 0.01); // half of them never get there
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn survival(&self, t: f64) -> f64 {
        let survival = self.time.survival(t);
        self.converted.map_or(survival, |c| c.complement().get() + c.get() * survival)
    }

    /// The log-likelihood at its maximum, densities per unit of time.
    pub const fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// Akaike's criterion: -2 log-likelihood + 2 parameters. Smaller is better.
    pub fn aic(&self) -> f64 {
        2.0 * (count(self.n_parameters) - self.log_likelihood)
    }

    /// Schwarz's criterion: -2 log-likelihood + ln(n) parameters, n the rows.
    pub fn bic(&self) -> f64 {
        ln(count(self.n)) * count(self.n_parameters) - 2.0 * self.log_likelihood
    }

    /// How many stays it rests on.
    pub const fn n(&self) -> usize {
        self.n
    }

    /// How many of them have ended.
    pub const fn n_ended(&self) -> usize {
        self.n_ended
    }
}

/// `half of the stays last longer than 31.2`, and below it `Weibull (shape 1.11, scale 43.4) from 26 stays, 12 ended`.
impl fmt::Display for TimeFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = Rounded(self.time.quantile(Level::HALF));
        match self.converted {
            Some(share) => write!(f, "{share} ever get there, half of those within {median}")?,
            None => write!(f, "half of the stays last longer than {median}")?,
        }
        write!(f, "\n  {} from {} stays, {} ended", self.time, self.n, self.n_ended)
    }
}

/// What can be told before climbing.
fn check(data: &TimesInStage, family: TimeFamily) -> Result<()> {
    if data.weight_ended <= 0.0 {
        return Err(not_identified("at least one stay that has ended"));
    }
    if data.latest_lower <= 0.0 {
        return Err(not_identified("at least one stay that is known to have lasted"));
    }
    if family != TimeFamily::Exponential && data.agree_with_one_time() {
        return Err(not_identified("stays that do not all agree with one single time"));
    }
    Ok(())
}

const fn base(family: TimeFamily) -> Base {
    match family {
        TimeFamily::LogNormal => Base::Normal,
        TimeFamily::LogLogistic => Base::Logistic,
        TimeFamily::Gamma | TimeFamily::GeneralizedGamma => Base::LogGamma(1.0),
        TimeFamily::Exponential | TimeFamily::Weibull => Base::Gumbel,
    }
}

/// A start at which the likelihood is a number: widened, or (`tau` kept) moved up, until it is.
fn finite(likelihood: &Likelihood, start: Point, keep_spread: bool) -> Result<Point> {
    let mut at = start;
    for _ in 0..64 {
        if likelihood.score(at).value.is_finite() {
            return Ok(at);
        }
        if keep_spread {
            at.alpha += 16.0;
        } else {
            at.tau *= 0.5;
        }
    }
    Err(not_identified("times within the range of numbers"))
}

/// Families with a shape: first on a sketch of the data, then from there on all of it.
fn shaped(
    data: &TimesInStage,
    likelihood: &Likelihood,
    (start, centre, family): (Point, f64, TimeFamily),
) -> Result<Maximum> {
    let sketch = (data.n_nodes() > 1_024).then(|| Likelihood::new(&data.sketch(), centre));
    let first = sketch.as_ref().unwrap_or(likelihood);
    let (starts, moving): (Vec<Base>, _) = if family == TimeFamily::Gamma {
        (vec![Base::Gumbel], Moving::Tied)
    } else {
        (vec![Base::Normal, Base::Gumbel, Base::LogGamma(-1.0)], Moving::All)
    };
    // The best fit with the shape held, then the shape let go.
    let mut held: Vec<Maximum> = starts
        .into_iter()
        .filter_map(|base| {
            let start = finite(first, Point { base, ..start }, false).ok()?;
            climb(first, start, Moving::PlaceAndSpread).ok()
        })
        .collect();
    held.sort_by(|a, b| b.value.total_cmp(&a.value));
    let mut at = held.first().map_or(start, |maximum| maximum.at);
    at.base = match at.base {
        Base::Normal => Base::LogGamma(0.0),
        Base::LogGamma(q) => Base::LogGamma(q),
        Base::Gumbel | Base::Logistic => Base::LogGamma(1.0),
    };
    if moving == Moving::Tied {
        at.base = Base::LogGamma(1.0 / at.tau);
    }
    let at = match &sketch {
        Some(sketch) => climb(sketch, at, moving).map_or(at, |maximum| maximum.at),
        None => at,
    };
    climb(likelihood, at, moving)
}

/// The law at a point, and the gradient of each of its parameters by (alpha, tau, converted, q).
fn natural(family: TimeFamily, at: Point, centre: f64) -> (TimeLaw, Vec<[f64; N]>) {
    let Point { alpha, tau, .. } = at;
    let mu = centre + alpha / tau;
    let by = |by_alpha: f64, by_tau: f64| {
        let mut gradient = [0.0; N];
        gradient[ALPHA] = by_alpha;
        gradient[TAU] = by_tau;
        gradient
    };
    let (mu_alpha, mu_tau) = (1.0 / tau, -alpha / (tau * tau));
    match family {
        TimeFamily::Exponential => {
            let rate = exp(-mu);
            (TimeLaw::Exponential { rate }, vec![by(-rate * mu_alpha, 0.0)])
        }
        TimeFamily::Weibull | TimeFamily::LogLogistic => {
            let scale = exp(mu);
            let gradients = vec![by(0.0, 1.0), by(scale * mu_alpha, scale * mu_tau)];
            let law = if family == TimeFamily::Weibull {
                TimeLaw::Weibull { shape: tau, scale }
            } else {
                TimeLaw::LogLogistic { shape: tau, scale }
            };
            (law, gradients)
        }
        TimeFamily::LogNormal => {
            let sdlog = 1.0 / tau;
            (TimeLaw::LogNormal { meanlog: mu, sdlog }, vec![by(mu_alpha, mu_tau), by(0.0, -sdlog * sdlog)])
        }
        TimeFamily::Gamma => {
            let (shape, rate) = (tau * tau, tau * tau * exp(-mu));
            let gradients = vec![by(0.0, 2.0 * tau), by(-rate * mu_alpha, 2.0 * rate / tau - rate * mu_tau)];
            (TimeLaw::Gamma { shape, rate }, gradients)
        }
        TimeFamily::GeneralizedGamma => {
            let q = if let Base::LogGamma(q) = at.base { q } else { 0.0 };
            let mut by_q = [0.0; N];
            by_q[Q] = 1.0;
            let sigma = 1.0 / tau;
            let gradients = vec![by(mu_alpha, mu_tau), by(0.0, -sigma * sigma), by_q];
            (TimeLaw::GeneralizedGamma { mu, sigma, q }, gradients)
        }
    }
}
