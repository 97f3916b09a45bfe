//! The likelihood of stays under ln t = mu + sigma w, with its derivatives.
//!
//! Parameters: alpha = mu / sigma and tau = 1 / sigma, in which w = tau y - alpha is linear and the likelihood of
//! Weibull, log-normal and log-logistic laws is concave (without truncation); the log odds v of the share that ever
//! gets there; and the shape q of the log-gamma, whose derivatives are central differences.
//!
//! # Reference
//! Burridge (1981), Empirical Bayes analysis of survival time data, section 3 (concavity).

use super::shape::{Density, Shape, ln_between};
use super::stays::{Node, Span, TimesInStage};
use crate::num::special::{exp, ln, softplus};
use crate::num::sum::Sum;

/// alpha, tau, v, q: the order of every gradient here.
pub(super) const ALPHA: usize = 0;
pub(super) const TAU: usize = 1;
pub(super) const CONVERTED: usize = 2;
pub(super) const Q: usize = 3;
pub(super) const N: usize = 4;

/// Where the likelihood is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) alpha: f64,
    pub(super) tau: f64,
    /// Log odds of the share that ever gets there; infinite: all do.
    pub(super) converted: f64,
    pub(super) base: Base,
}

/// Which standard shape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    Gumbel,
    Normal,
    Logistic,
    LogGamma(f64),
}

impl Base {
    fn shape(self) -> Shape {
        match self {
            Self::Gumbel => Shape::Gumbel,
            Self::Normal => Shape::Normal,
            Self::Logistic => Shape::Logistic,
            Self::LogGamma(q) => Shape::log_gamma(q),
        }
    }
}

/// Log-likelihood, gradient and Hessian, all divided by the total weight.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Score {
    pub(super) value: f64,
    pub(super) gradient: [f64; N],
    pub(super) hessian: [[f64; N]; N],
}

/// Stays with their log times counted from a centre, so that the unit of time changes nothing.
pub(super) struct Likelihood {
    data: TimesInStage,
    per_weight: f64,
    /// Over the rows that ended at a known time: weight, and weight x log time from the centre.
    exact_weight: f64,
    exact_y: f64,
}

impl Likelihood {
    pub(super) fn new(data: &TimesInStage, centre: f64) -> Self {
        let mut data = data.clone();
        let nodes = [&mut data.exact, &mut data.beyond, &mut data.entered, &mut data.by];
        nodes.into_iter().flatten().for_each(|node| node.y -= centre);
        for span in &mut data.between {
            span.low -= centre;
            span.high -= centre;
        }
        let exact_weight = data.exact.iter().map(|node| node.weight).collect::<Sum>().get();
        let exact_y = data.exact.iter().map(|node| node.weight * node.y).collect::<Sum>().get();
        Self { per_weight: 1.0 / data.weight, data, exact_weight, exact_y }
    }

    /// The weight of rows that ended at a known time.
    pub(super) fn exact_weight(&self) -> f64 {
        self.exact_weight
    }

    /// Everything but the derivatives by q.
    pub(super) fn score(&self, at: Point) -> Score {
        // One compiled loop a shape: the choice is made here, not once a row.
        let sums = match at.base.shape() {
            Shape::Gumbel => self.sums(at, Shape::Gumbel),
            Shape::Normal => self.sums(at, Shape::Normal),
            Shape::Logistic => self.sums(at, Shape::Logistic),
            shape @ Shape::LogGamma(_) => self.sums(at, shape),
        };
        let mut score = sums.score();
        score.value += self.exact_weight * ln(at.tau) - self.exact_y;
        score.gradient[TAU] += self.exact_weight / at.tau;
        score.hessian[TAU][TAU] -= self.exact_weight / (at.tau * at.tau);
        score.scaled(self.per_weight)
    }

    /// The derivatives by q too, by central differences around a score already known.
    ///
    /// With a step of 3e-4 the differences are off by about 1e-8 of a third derivative, which moves the estimate by
    /// as little of its standard error for one observation.
    pub(super) fn with_shape(&self, at: Point, here: Score) -> Score {
        let Base::LogGamma(q) = at.base else { return here };
        let h = 3e-4 * q.abs().max(1.0);
        let beside = |q: f64| self.score(Point { base: Base::LogGamma(q), ..at });
        let (low, high) = (beside(q - h), beside(q + h));
        let mut score = here;
        score.gradient[Q] = (high.value - low.value) / (2.0 * h);
        score.hessian[Q][Q] = (high.value - 2.0 * here.value + low.value) / (h * h);
        for (i, (high, low)) in high.gradient.iter().zip(low.gradient).enumerate().take(Q) {
            let cross = (high - low) / (2.0 * h);
            score.put(i, Q, cross);
        }
        score
    }

    #[inline]
    fn sums(&self, at: Point, shape: Shape) -> Sums {
        let mut sums = Sums::default();
        let w = |y: f64| at.tau * y - at.alpha;
        for &Node { y, weight } in &self.data.exact {
            sums.add(y, weight, shape.density(w(y)));
        }
        if at.converted == f64::INFINITY {
            for &Node { y, weight } in &self.data.beyond {
                sums.add(y, weight, shape.survival(w(y)));
            }
            for &Node { y, weight } in &self.data.entered {
                sums.add(y, -weight, shape.survival(w(y)));
            }
        } else {
            self.converting(at, shape, &mut sums);
        }
        for &Node { y, weight } in &self.data.by {
            sums.add(y, weight, by(shape, w(y)));
        }
        for &span in &self.data.between {
            sums.add_span(span, shape, (w(span.low), w(span.high)));
        }
        sums
    }

    /// Open rows when only a share ever gets there, and ln of that share once for every ended row.
    fn converting(&self, at: Point, shape: Shape, sums: &mut Sums) {
        let odds = Odds::new(at.converted);
        for &Node { y, weight } in &self.data.beyond {
            sums.add_open(Node { y, weight }, odds.open(shape, at.tau * y - at.alpha));
        }
        for &Node { y, weight } in &self.data.entered {
            sums.add_open(Node { y, weight: -weight }, odds.open(shape, at.tau * y - at.alpha));
        }
        let ended = self.data.weight_ended;
        sums.value += ended * odds.ln_share;
        sums.converted += ended * odds.rest;
        sums.converted_twice -= ended * odds.share * odds.rest;
    }
}

/// ln P(W <= w) with its derivatives: r and r (slope - r), r the density over the distribution function.
fn by(shape: Shape, w: f64) -> Density {
    let density = shape.density(w);
    let ln_lower = shape.tails(w).ln_lower;
    let ratio = exp(density.ln - ln_lower);
    Density { ln: ln_lower, slope: ratio, curvature: ratio * (density.slope - ratio) }
}

/// The share that ever gets there, from its log odds.
#[derive(Clone, Copy)]
struct Odds {
    share: f64,
    rest: f64,
    ln_share: f64,
}

/// ln(1 - share F(w)) with its derivatives by w and by the log odds of the share.
#[derive(Clone, Copy)]
struct Open {
    w: Density,
    odds: f64,
    odds_twice: f64,
    both: f64,
}

impl Odds {
    fn new(log_odds: f64) -> Self {
        let ln_share = -softplus(-log_odds);
        Self { share: exp(ln_share), rest: exp(-softplus(log_odds)), ln_share }
    }

    fn open(self, shape: Shape, w: f64) -> Open {
        let density = shape.density(w);
        let tails = shape.tails(w);
        let (c, rest) = (self.share, self.rest);
        let (f, lower) = (exp(density.ln), exp(tails.ln_lower));
        let kept = rest + c * exp(tails.ln_upper);
        let slope = -c * f / kept;
        let odds = -c * rest * lower / kept;
        Open {
            w: Density { ln: ln(kept), slope, curvature: slope * density.slope - slope * slope },
            odds,
            odds_twice: odds * (rest - c) - odds * odds,
            both: -c * rest * f / kept - slope * odds,
        }
    }
}

/// Sums over the rows of the derivatives by w, times the powers of y that the chain rule asks for.
#[derive(Clone, Copy, Default)]
struct Sums {
    value: f64,
    slope: f64,
    slope_y: f64,
    curvature: f64,
    curvature_y: f64,
    curvature_yy: f64,
    converted: f64,
    converted_twice: f64,
    both: f64,
    both_y: f64,
}

impl Sums {
    #[inline]
    fn add(&mut self, y: f64, weight: f64, term: Density) {
        let slope = weight * term.slope;
        let curvature = weight * term.curvature;
        self.value += weight * term.ln;
        self.slope += slope;
        self.slope_y += slope * y;
        self.curvature += curvature;
        self.curvature_y += curvature * y;
        self.curvature_yy += curvature * y * y;
    }

    fn add_open(&mut self, node: Node, open: Open) {
        self.add(node.y, node.weight, open.w);
        self.converted += node.weight * open.odds;
        self.converted_twice += node.weight * open.odds_twice;
        self.both += node.weight * open.both;
        self.both_y += node.weight * open.both * node.y;
    }

    /// ln(S(low) - S(high)): two places on the w axis, each with its own y.
    fn add_span(&mut self, span: Span, shape: Shape, w: (f64, f64)) {
        let Span { low, high, weight } = span;
        let (low_density, high_density) = (shape.density(w.0), shape.density(w.1));
        let ln_mass = ln_between(shape.tails(w.0), shape.tails(w.1));
        let a = exp(low_density.ln - ln_mass);
        let b = exp(high_density.ln - ln_mass);
        let (low_twice, high_twice) = (-a * low_density.slope - a * a, b * high_density.slope - b * b);
        self.value += weight * ln_mass;
        self.slope += weight * (b - a);
        self.slope_y += weight * (b * high - a * low);
        self.curvature += weight * (low_twice + 2.0 * a * b + high_twice);
        self.curvature_y += weight * (low * low_twice + (low + high) * a * b + high * high_twice);
        self.curvature_yy +=
            weight * (low * low * low_twice + 2.0 * low * high * a * b + high * high * high_twice);
    }

    /// By alpha and tau, as w = tau y - alpha.
    fn score(self) -> Score {
        let mut score = Score { value: self.value, ..Score::default() };
        score.gradient = [-self.slope, self.slope_y, self.converted, 0.0];
        score.put(ALPHA, ALPHA, self.curvature);
        score.put(ALPHA, TAU, -self.curvature_y);
        score.put(TAU, TAU, self.curvature_yy);
        score.put(CONVERTED, CONVERTED, self.converted_twice);
        score.put(ALPHA, CONVERTED, -self.both);
        score.put(TAU, CONVERTED, self.both_y);
        score
    }
}

impl Score {
    /// A second derivative, on both sides of the diagonal.
    pub(super) fn put(&mut self, i: usize, j: usize, x: f64) {
        for (i, j) in [(i, j), (j, i)] {
            if let Some(cell) = self.hessian.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = x;
            }
        }
    }

    fn scaled(mut self, factor: f64) -> Self {
        self.value *= factor;
        self.gradient.iter_mut().for_each(|g| *g *= factor);
        self.hessian.iter_mut().flatten().for_each(|h| *h *= factor);
        self
    }
}
