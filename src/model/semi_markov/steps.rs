//! Where a deal goes in each short step of its stay, given that it was still there at an age.
//!
//! # Formula
//! Steps of `w` days from age `a`. With stated hazards `h_d` and `H = sum_d` of their integrals, the share that goes to
//! `d` in step `j` is the integral of `h_d(t) exp(-(H(t) - H(a)))` over the step; with stated shares `p_d` of sojourns
//! `S_d` it is `p_d (S_d(start) - S_d(end)) / sum_e p_e S_e(a)`. Beside the mass of a step its first moment is kept:
//! how late in the step deals leave, as a share of the step.
//!
//! # Numerics
//! Eight Gauss-Legendre nodes; where they miss the exact `S(start) - S(end)` the step is halved until both halves agree
//! with the whole to 1e-12 (hazards that are infinite at age 0 are halved towards 0). Then scaled to the exact total.

use super::families::Sojourn;
use crate::num::count;
use crate::num::special::exp;

/// A destination: an open stage by its position, then won, then lost.
pub(super) type Goal = usize;

/// How deals leave one stage.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clock {
    /// Competing hazards.
    Hazards(Vec<(Goal, Sojourn)>),
    /// Destination by lot, then its sojourn.
    Shares(Vec<(Goal, f64, Sojourn)>),
    /// Chances by completed days of age, the last one going on; one move a day.
    Daily(Vec<(Goal, Vec<f64>)>),
}

/// What leaves towards one destination, step by step; steps after the last have nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exits {
    pub(super) to: Goal,
    /// Chance of leaving in the step.
    pub(super) mass: Vec<f64>,
    /// The same, weighted with the share of the step that had passed.
    pub(super) late: Vec<f64>,
}

/// Steps asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Age at the start of the first step, in days.
    pub(super) age: f64,
    pub(super) per_day: usize,
    pub(super) n_steps: usize,
}

/// Eight nodes and weights of Gauss & Legendre on (0, 1), the first four; the others mirror them.
const HALF_RULE: [(f64, f64); 4] = [
    (0.019_855_071_751_231_85, 0.050_614_268_145_188_15),
    (0.101_666_761_293_186_65, 0.111_190_517_226_687_25),
    (0.237_233_795_041_835_5, 0.156_853_322_938_943_65),
    (0.408_282_678_752_175_1, 0.181_341_891_689_181),
];
/// Nobody is left.
const NOBODY: f64 = 1e-18;
/// The rule is as good as the total it should find.
const EXACT: f64 = 1e-13;
/// Halves and whole are.
const AGREED: f64 = 1e-12;

impl Clock {
    pub(super) fn goals(&self) -> Vec<Goal> {
        match self {
            Self::Hazards(moves) => moves.iter().map(|(to, _)| *to).collect(),
            Self::Shares(moves) => moves.iter().map(|(to, ..)| *to).collect(),
            Self::Daily(moves) => moves.iter().map(|(to, _)| *to).collect(),
        }
    }

    pub(super) const fn is_daily(&self) -> bool {
        matches!(self, Self::Daily(_))
    }

    /// `None` where no deal can reach the age.
    pub(super) fn exits(&self, grid: Grid) -> Option<Vec<Exits>> {
        let goals = self.goals();
        let mut exits: Vec<Exits> =
            goals.iter().map(|&to| Exits { to, mass: Vec::new(), late: Vec::new() }).collect();
        if let Self::Daily(moves) = self {
            daily(moves, grid, &mut exits);
            return Some(exits);
        }
        let stay = Stay::new(self, grid.age)?;
        let time = |step: usize| grid.age + count(step) / count(grid.per_day);
        for step in 0..grid.n_steps {
            let span = Span { from: time(step), to: time(step + 1) };
            if stay.left(span.from) < NOBODY {
                break;
            }
            for (exits, moments) in exits.iter_mut().zip(stay.step(span)) {
                exits.mass.push(moments.mass);
                exits.late.push(moments.late);
            }
        }
        Some(exits)
    }
}

/// One move a day: the steps are days.
fn daily(moves: &[(Goal, Vec<f64>)], grid: Grid, exits: &mut [Exits]) {
    let mut left = 1.0;
    for day in 0..grid.n_steps {
        let age = grid.age.floor() + count(day);
        let mut leaving = 0.0;
        for ((_, chances), exits) in moves.iter().zip(exits.iter_mut()) {
            let chance = chances.get(whole(age)).or(chances.last()).copied().unwrap_or(0.0);
            leaving += chance;
            exits.mass.push(left * chance);
        }
        left *= (1.0 - leaving).max(0.0);
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ages are whole, 0 to 1e5 days")]
const fn whole(age: f64) -> usize {
    age as usize
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from: f64,
    to: f64,
}

impl Span {
    fn at(self, share: f64) -> f64 {
        self.from + share * (self.to - self.from)
    }
}

/// Mass and first moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Moments {
    mass: f64,
    late: f64,
}

/// A stay that has reached an age.
struct Stay<'a> {
    clock: &'a Clock,
    /// `ln S(age)`.
    log_reached: f64,
}

impl<'a> Stay<'a> {
    fn new(clock: &'a Clock, age: f64) -> Option<Self> {
        let log_reached = match clock {
            Clock::Hazards(moves) => moves.iter().map(|(_, h)| h.log_survival(age)).sum(),
            Clock::Shares(moves) => log_mixed(moves, age),
            Clock::Daily(_) => 0.0,
        };
        log_reached.is_finite().then_some(Self { clock, log_reached })
    }

    /// Share of those who reached the age that is still there at `t`.
    fn left(&self, t: f64) -> f64 {
        match self.clock {
            Clock::Hazards(moves) => {
                exp(moves.iter().map(|(_, h)| h.log_survival(t)).sum::<f64>() - self.log_reached).min(1.0)
            }
            Clock::Shares(moves) => moves.iter().map(|(_, p, s)| self.waiting(*p, s, t)).sum(),
            Clock::Daily(_) => 1.0,
        }
    }

    /// Share that is bound for one destination and still there at `t`.
    fn waiting(&self, p: f64, sojourn: &Sojourn, t: f64) -> f64 {
        p * exp(sojourn.log_survival(t) - self.log_reached)
    }

    fn step(&self, span: Span) -> Vec<Moments> {
        match self.clock {
            Clock::Shares(moves) => moves
                .iter()
                .map(|(_, p, s)| {
                    let end = self.waiting(*p, s, span.to);
                    let mass = self.waiting(*p, s, span.from) - end;
                    let later = rule().map(|(x, w)| w * (self.waiting(*p, s, span.at(x)) - end)).sum::<f64>();
                    Moments { mass: mass.max(0.0), late: later.clamp(0.0, mass.max(0.0)) }
                })
                .collect(),
            Clock::Hazards(moves) => {
                let exact = self.left(span.from) - self.left(span.to);
                let whole = self.rule(moves, span);
                let total: f64 = whole.iter().map(|m| m.mass).sum();
                let depth = if span.from > 0.0 { 5 } else { 200 };
                let found = if (total - exact).abs() <= EXACT {
                    whole
                } else {
                    self.halved(moves, Piece { span, whole, depth })
                };
                split(moves, span, &found, exact)
            }
            Clock::Daily(_) => Vec::new(),
        }
    }

    /// The moments of leaving within the span by competing hazards, each destination in turn.
    fn rule(&self, moves: &[(Goal, Sojourn)], span: Span) -> Vec<Moments> {
        let mut moments = vec![Moments::default(); moves.len()];
        for (x, w) in rule() {
            let t = span.at(x);
            let log_left = moves.iter().map(|(_, h)| h.log_survival(t)).sum::<f64>() - self.log_reached;
            for (moments, (_, hazard)) in moments.iter_mut().zip(moves) {
                let mass = w * (span.to - span.from) * exp(hazard.log_hazard(t) + log_left);
                moments.mass += mass;
                moments.late += x * mass;
            }
        }
        moments
    }

    fn halved(&self, moves: &[(Goal, Sojourn)], piece: Piece) -> Vec<Moments> {
        let Piece { span, whole, depth } = piece;
        let middle = span.at(0.5);
        let spans = [Span { from: span.from, to: middle }, Span { from: middle, to: span.to }];
        let [first, second] = spans.map(|span| self.rule(moves, span));
        let joined = join(&first, &second);
        let apart = whole.iter().zip(&joined).map(|(a, b)| (a.mass - b.mass).abs()).fold(0.0, f64::max);
        if depth == 0 || apart <= AGREED {
            return joined;
        }
        // Only a hazard that is infinite at age 0 needs more than a few halvings, and only towards 0.
        let [near, far] = spans;
        let first = self.halved(moves, Piece { span: near, whole: first, depth: depth - 1 });
        let second = self.halved(moves, Piece { span: far, whole: second, depth: (depth - 1).min(5) });
        join(&first, &second)
    }
}

/// A part of a step, with what the rule finds for it at once.
struct Piece {
    span: Span,
    whole: Vec<Moments>,
    depth: u32,
}

/// Two halves of a step: what leaves in the second leaves half a step later.
fn join(first: &[Moments], second: &[Moments]) -> Vec<Moments> {
    let both = first.iter().zip(second);
    both.map(|(a, b)| Moments { mass: a.mass + b.mass, late: 0.5 * (a.late + b.late + b.mass) }).collect()
}

/// Scales the parts to the exact total; where quadrature found nothing, splits it by the hazards' increments.
fn split(moves: &[(Goal, Sojourn)], span: Span, found: &[Moments], exact: f64) -> Vec<Moments> {
    let exact = exact.max(0.0);
    let total: f64 = found.iter().map(|m| m.mass).sum();
    let scale = exact / total;
    if scale.is_finite() {
        return found.iter().map(|m| Moments { mass: scale * m.mass, late: scale * m.late }).collect();
    }
    let risen = |h: &Sojourn| h.log_survival(span.from) - h.log_survival(span.to);
    let total: f64 = moves.iter().map(|(_, h)| risen(h)).sum();
    let share =
        |h| if total > 0.0 && total < f64::INFINITY { risen(h) / total } else { 1.0 / count(moves.len()) };
    moves.iter().map(|(_, h)| exact * share(h)).map(|mass| Moments { mass, late: 0.5 * mass }).collect()
}

/// `ln sum p S(t)`.
fn log_mixed(moves: &[(Goal, f64, Sojourn)], t: f64) -> f64 {
    let logs = || moves.iter().filter(|(_, p, _)| *p > 0.0).map(|(_, p, s)| (p, s.log_survival(t)));
    let top = logs().map(|(_, log)| log).fold(f64::NEG_INFINITY, f64::max);
    top + crate::num::special::ln(logs().map(|(p, log)| p * exp(log - top)).sum())
}

fn rule() -> impl Iterator<Item = (f64, f64)> {
    HALF_RULE.into_iter().chain(HALF_RULE.into_iter().rev().map(|(x, w)| (1.0 - x, w)))
}
