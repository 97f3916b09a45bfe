//! Leaving out one deal after the other, where the distribution is made of atoms.
//!
//! # Method
//! On even points: the deals are halved again and again; the distribution without one half is the distribution
//! without both, convolved with the other half. So each of n deals is left out for about log2(n) convolutions, and
//! nothing is ever divided or subtracted. Outcome by outcome: the mass of the outcomes that reach the target, summed
//! with and without each deal by folding the list of outcomes, one bit after the other.
#![expect(clippy::indexing_slicing, reason = "kernels on slices whose lengths are powers of two or the span")]

use super::lattice::{Step, Sums};

/// P(the others, and this deal if it is won, reach the target), within a stratum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Given {
    pub(crate) won: f64,
    pub(crate) without: f64,
}

/// Deals whose others are enumerated instead of convolved.
const FEW: usize = 5;

/// For every deal, from the others' distribution on the points up to `span`; `reach` is the first point that hits.
pub(crate) fn on_points(deals: &[(f64, Step)], (span, reach): (usize, usize)) -> Vec<Given> {
    let mut given = vec![Given::default(); deals.len()];
    descend(deals, reach, Sums::nothing(span), &mut given);
    given
}

fn descend(deals: &[(f64, Step)], reach: usize, others: Sums, given: &mut [Given]) {
    if deals.len() <= FEW {
        let mut beyond = others.mass;
        let mut sum = 0.0;
        for mass in beyond.iter_mut().rev() {
            sum += *mass;
            *mass = sum;
        }
        // Point 0 is always reached, whatever is missing.
        let tail = |won: usize| beyond.get(reach.saturating_sub(won)).copied().unwrap_or(0.0);
        for (i, given) in given.iter_mut().enumerate() {
            let rest = combinations(deals.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, deal)| *deal));
            let Step { at, share } = deals[i].1;
            let hit = |more: usize| rest.iter().map(|(won, m)| m * tail(won + more)).sum::<f64>();
            given.without = hit(0);
            given.won = (1.0 - share) * hit(at) + if share > 0.0 { share * hit(at + 1) } else { 0.0 };
        }
        return;
    }
    let (left, right) = deals.split_at(deals.len() / 2);
    let (given_left, given_right) = given.split_at_mut(left.len());
    descend(left, reach, others.clone().with(right.iter().copied()), given_left);
    descend(right, reach, others.with(left.iter().copied()), given_right);
}

/// What a few deals bring together, with probabilities.
fn combinations(deals: impl Iterator<Item = (f64, Step)>) -> Vec<(usize, f64)> {
    let mut all = vec![(0, 1.0)];
    for (p, Step { at, share }) in deals {
        let mut next = Vec::with_capacity(3 * all.len());
        for (won, m) in all {
            next.push((won, m * (1.0 - p)));
            next.push((won + at, m * p * (1.0 - share)));
            if share > 0.0 {
                next.push((won + at + 1, m * p * share));
            }
        }
        all = next;
    }
    all
}

/// For every deal from all outcomes: outcome o has the deals won whose bits it has. `mass` is left in pieces.
pub(crate) fn by_outcome(chances: &[f64], hits: &[bool], mass: &mut [f64]) -> Vec<Given> {
    mass.iter_mut().zip(hits).for_each(|(mass, hit)| *mass *= f64::from(*hit));
    let mut given = vec![Given::default(); chances.len()];
    let mut rest = mass;
    for (p, given) in chances.iter().zip(&mut given).rev() {
        let (without, with) = rest.split_at_mut(rest.len() / 2);
        given.won = with.iter().sum::<f64>() / p;
        given.without = without.iter().sum::<f64>() / (1.0 - p);
        without.iter_mut().zip(with).for_each(|(sum, m)| *sum += *m);
        rest = without;
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, over all outcomes of the others.
    fn brute(deals: &[(f64, usize)], reach: usize) -> Vec<Given> {
        let tail = |i: usize, more: usize| {
            (0..1_u32 << deals.len())
                .filter(|o| o >> i & 1 == 0)
                .map(|o| {
                    let (mut won, mut m) = (more, 1.0);
                    for (k, (p, a)) in deals.iter().enumerate().filter(|(k, _)| *k != i) {
                        let wins = o >> k & 1 == 1;
                        m *= if wins { *p } else { 1.0 - p };
                        won += if wins { *a } else { 0 };
                    }
                    if won >= reach { m } else { 0.0 }
                })
                .sum::<f64>()
        };
        (0..deals.len()).map(|i| Given { won: tail(i, deals[i].1), without: tail(i, 0) }).collect()
    }

    #[test]
    fn both_ways_are_the_definition() {
        for n in [1_usize, 2, 5, 6, 11, 13] {
            let deals: Vec<(f64, usize)> =
                (0..n).map(|k| (0.07 * (crate::num::count(k) + 0.5), 3 + 5 * k % 17)).collect();
            let span: usize = deals.iter().map(|deal| deal.1).sum();
            for reach in [0, 1, span / 3, span / 2, span, span + 1] {
                let exact = brute(&deals, reach);
                let steps: Vec<_> = deals.iter().map(|(p, a)| (*p, Step { at: *a, share: 0.0 })).collect();
                let chances: Vec<f64> = deals.iter().map(|deal| deal.0).collect();
                let (mut mass, mut won) = (vec![1.0], vec![0]);
                for (p, a) in &deals {
                    let more: Vec<f64> = mass.iter().map(|m| m * p).collect();
                    mass.iter_mut().for_each(|m| *m *= 1.0 - p);
                    mass.extend(more);
                    let more: Vec<usize> = won.iter().map(|w| w + a).collect();
                    won.extend(more);
                }
                let hits: Vec<bool> = won.iter().map(|w| *w >= reach).collect();
                let on_points = on_points(&steps, (span, reach));
                let by_outcome = by_outcome(&chances, &hits, &mut mass);
                for ((exact, a), b) in exact.iter().zip(on_points).zip(by_outcome) {
                    for found in [a, b] {
                        // Sums of up to 2^13 products of 13 rounded factors.
                        assert!((exact.won - found.won).abs() < 1e-13, "{n} {reach}: {exact:?} {found:?}");
                        assert!((exact.without - found.without).abs() < 1e-13);
                    }
                }
            }
        }
    }
}
