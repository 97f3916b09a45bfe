//! The hazard of leaving, constant within bands of age, with what is not known about it.

use super::observation::Durations;
use crate::num::rng::Stream;
use crate::num::special::{self, gamma};
use crate::num::sum::sum;
use crate::{Error, ErrorKind, Level, Result, Seed};

/// The hazard in each band of age, as a gamma posterior.
///
/// In the words of sales: how likely is a deal to move today if it is in its first week, its second, its third month?
/// Bands with few deals are drawn towards the average of all.
///
/// # Formula
/// In the bands (0, c1], (c1, c2], .., (ck, inf) with D ends and Y time at risk: hazard ~ Gamma(kappa + D, rate
/// b + Y), prior Gamma(kappa, b), b = kappa / (all ends / all time at risk). Log marginal likelihood, without
/// constants of the data: sum ln Gamma(kappa + D) - ln Gamma(kappa) + kappa ln b - (kappa + D) ln(b + Y).
///
/// # Units
/// Hazards per unit of time (per day, for days).
///
/// # Assumptions
/// Within a band age makes no difference. An end at age 0 belongs to the first band.
///
/// # Example: when do deals move?
/// ```
/// use dealcast::estimate::{Durations, PiecewiseHazard};
/// let stays = Durations::new(&[2.0, 3.0, 4.0, 20.0, 40.0, 60.0], &[1, 1, 1, 0, 1, 0])?;
/// let hazard = PiecewiseHazard::fit(&stays, &[7.0], 0.5)?;
/// assert_eq!(hazard.bands()[0].events(), 3.0);
/// assert!(hazard.bands()[0].posterior_mean() > hazard.bands()[1].posterior_mean());
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Holford (1980); Laird & Olivier (1981); gamma prior as in Kalbfleisch (1978), section 3.
#[derive(Clone, Debug, PartialEq)]
pub struct PiecewiseHazard {
    cuts: Vec<f64>,
    bands: Vec<HazardBand>,
    log_marginal: f64,
}

/// One band of age: what was seen, and the posterior of its hazard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HazardBand {
    events: f64,
    exposure: f64,
    shape: f64,
    rate: f64,
}

impl HazardBand {
    /// Ends seen in it, as weights.
    pub fn events(self) -> f64 {
        self.events
    }

    /// Time at risk in it, summed over stays.
    pub fn exposure(self) -> f64 {
        self.exposure
    }

    /// Ends per time at risk; `None` where nobody was at risk.
    pub fn occurrence_rate(self) -> Option<f64> {
        (self.exposure > 0.0).then(|| self.events / self.exposure)
    }

    /// Mean of the posterior.
    pub fn posterior_mean(self) -> f64 {
        self.shape / self.rate
    }

    /// Quantile of the posterior.
    pub fn quantile(self, p: Level) -> f64 {
        gamma::quantile(self.shape, p.get()) / self.rate
    }
}

impl PiecewiseHazard {
    /// All ends together, whatever their cause; `kappa` is the number of ends the prior is worth in each band.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) unless cuts are finite, above 0 and increasing and kappa is from 1e-6 to
    /// 1e12; [`NoHistory`](ErrorKind::NoHistory) where no end or no time at risk was seen;
    /// [`Overflow`](ErrorKind::Overflow) where time at risk adds up to more than a number can hold.
    pub fn fit(durations: &Durations, cuts: &[f64], kappa: f64) -> Result<Self> {
        let mut below = 0.0;
        for &cut in cuts {
            if !(cut > below && cut.is_finite()) {
                return Err(Error::out_of_range("cuts", "increasing finite numbers above 0", cut));
            }
            below = cut;
        }
        if !(1e-6..=1e12).contains(&kappa) {
            return Err(Error::out_of_range("kappa", "a number from 1e-6 to 1e12", kappa));
        }
        let exposure = exposures(durations, cuts);
        let events = events(durations, cuts);
        let (all, time) = (sum(events.iter().copied()), sum(exposure.iter().copied()));
        if all <= 0.0 || time <= 0.0 {
            return Err(Error::new(ErrorKind::NoHistory, "at least one end and some time at risk"));
        }
        // Sums beyond the range, or a rate below it.
        let prior = kappa * (time / all);
        if !(prior.is_finite() && prior > 0.0 && time.is_finite()) {
            return Err(Error::new(ErrorKind::Overflow, "time at risk that can be added up"));
        }
        let band = |(events, exposure): (f64, f64)| HazardBand {
            events,
            exposure,
            shape: kappa + events,
            rate: prior + exposure,
        };
        let bands: Vec<HazardBand> = events.into_iter().zip(exposure).map(band).collect();
        let log_marginal = sum(bands.iter().map(|band| {
            let gammas = gamma::ln_gamma(band.shape) - gamma::ln_gamma(kappa);
            // kappa ln b - (kappa + D) ln(b + Y), so that a strong prior does not cancel.
            gammas - kappa * special::ln_1p(band.exposure / prior) - band.events * special::ln(band.rate)
        }));
        Ok(Self { cuts: cuts.to_vec(), bands, log_marginal })
    }

    /// The bands, from the youngest on: one more than there are cuts.
    pub fn bands(&self) -> &[HazardBand] {
        &self.bands
    }

    /// The ages at which a band ends.
    pub fn cuts(&self) -> &[f64] {
        &self.cuts
    }

    /// The log marginal likelihood: compares values of kappa and choices of cuts on the same data.
    pub fn log_marginal(&self) -> f64 {
        self.log_marginal
    }

    /// One draw of all hazards from the posterior, a pure function of seed and index.
    ///
    /// ```
    /// # use dealcast::estimate::{Durations, PiecewiseHazard};
    /// # use dealcast::Seed;
    /// # let hazard = PiecewiseHazard::fit(&Durations::new(&[2.0, 3.0], &[1, 1])?, &[7.0], 0.5)?;
    /// assert_eq!(hazard.draw(Seed::new(1), 5), hazard.draw(Seed::new(1), 5));
    /// # Ok::<(), dealcast::Error>(())
    /// ```
    pub fn draw(&self, seed: Seed, index: u64) -> Vec<f64> {
        let draw =
            |(lane, band): (u64, &HazardBand)| Stream::new(seed, index, lane).gamma(band.shape) / band.rate;
        (0..).zip(&self.bands).map(draw).collect()
    }
}

fn events(durations: &Durations, cuts: &[f64]) -> Vec<f64> {
    let mut bands = vec![0.0; cuts.len() + 1];
    for happening in durations.table().happenings() {
        if let Some(band) = bands.get_mut(cuts.partition_point(|cut| *cut < happening.time)) {
            *band += happening.left().weight;
        }
    }
    bands
}

/// Time at risk in each band: the time up to the exits less the time up to the late entries.
fn exposures(durations: &Durations, cuts: &[f64]) -> Vec<f64> {
    let table = durations.table();
    let entries = table.entries.iter().map(|entry| (entry.time.max(0.0), entry.mass.weight));
    let (until_exit, until_entry) = (person_time(table.exits(), cuts), person_time(entries, cuts));
    until_exit.into_iter().zip(until_entry).map(|(exit, entry)| (exit - entry).max(0.0)).collect()
}

/// Time from 0 to the given times, band by band; the times come in increasing order, so one pass does.
fn person_time(times: impl Iterator<Item = (f64, f64)>, cuts: &[f64]) -> Vec<f64> {
    let mut inside = vec![crate::num::sum::Sum::default(); cuts.len() + 1];
    let mut past = vec![crate::num::sum::Sum::default(); cuts.len() + 1];
    for (time, weight) in times {
        let band = cuts.partition_point(|cut| *cut < time);
        let start = band.checked_sub(1).and_then(|before| cuts.get(before)).copied().unwrap_or(0.0);
        if let (Some(inside), Some(past)) = (inside.get_mut(band), past.get_mut(band)) {
            inside.add(weight * (time - start));
            past.add(weight);
        }
    }
    // Whoever went beyond a band spent all of it.
    let mut beyond = crate::num::sum::Sum::default();
    let mut bands = vec![0.0; cuts.len() + 1];
    for (band, total) in bands.iter_mut().enumerate().rev() {
        let start = band.checked_sub(1).and_then(|before| cuts.get(before)).copied().unwrap_or(0.0);
        let whole = cuts.get(band).map_or(0.0, |end| beyond.get() * (end - start));
        *total = inside.get(band).map_or(0.0, |inside| inside.get()) + whole;
        beyond.add(past.get(band).map_or(0.0, |past| past.get()));
    }
    bands
}
