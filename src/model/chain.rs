//! The chance to be won by a day, backward over the days: a semi-Markov chain on (stage, age in stage).
//!
//! # Formula
//! `F_t(s, a)` is the chance to be won before the end for a deal that is in stage `s` at age `a` at the start of day
//! `t`: `F_t(s, a) = sum_d h_sd(a) V_t(d) + stay F_{t+1}(s, a + 1)`. Here `V_t` is 1 for won, 0 for lost, and for another
//! stage the chance on entering it that day, `G_t(d) = sum_e h_de(0) V_t(e) + stay F_{t+1}(d, 1)`: moves on the day of
//! entry are a linear system over the stages, solved once a day. Conditioning on age is the chain itself: no division,
//! no convolution, no midpoint rule.
//!
//! # Reference
//! Asanjarani, Liquet & Nazarathy (2021), Estimation of semi-Markov multi-state models, section 2 (discrete time);
//! Howard (1971), Dynamic Probabilistic Systems II, chapter 10.

use super::hazard::Table;
use crate::history::ages::{N_BINS, bin_of, end_of};

/// The hazards of one kind of day, ready for the chain.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    hazards: Table,
    /// By stage, the destinations deals leave for, each with its hazards over the bins.
    exits: Vec<Vec<(usize, [f64; N_BINS])>>,
    staying: Vec<[f64; N_BINS]>,
    /// Inverse of `1 - h(0)` over the open stages, by rows.
    at_once: Vec<Vec<f64>>,
}

impl Day {
    pub(crate) fn new(hazards: Table) -> Self {
        let n_open = hazards.n_open();
        let mut stay = vec![[0.0; N_BINS]; n_open];
        for (stage, bin, row) in hazards.rows() {
            if let Some(slot) = stay.get_mut(stage).and_then(|bins| bins.get_mut(bin)) {
                *slot = Table::stay(row);
            }
        }
        let moves: Vec<Vec<f64>> =
            (0..n_open).map(|stage| hazards.row(stage, 0).iter().take(n_open).copied().collect()).collect();
        let exits = (0..n_open).map(|stage| exits(&hazards, stage)).collect();
        Self { hazards, exits, staying: stay, at_once: inverse_of_one_minus(&moves) }
    }
}

/// The hazards of a stage over the bins, by destination; most pairs of stages never see a move.
fn exits(hazards: &Table, stage: usize) -> Vec<(usize, [f64; N_BINS])> {
    let to = |to: usize| -> [f64; N_BINS] {
        std::array::from_fn(|bin| hazards.row(stage, bin).get(to).copied().unwrap_or(0.0))
    };
    (0..hazards.n_open() + 2).map(|d| (d, to(d))).filter(|(_, h)| h.iter().any(|&h| h > 0.0)).collect()
}

/// `(1 - A)^-1` for a matrix of moves whose rows sum to less than 1: by Gauss-Jordan; the diagonal dominates, so no
/// pivoting is needed.
fn inverse_of_one_minus(moves: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = moves.len();
    let unit = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let left = moves.get(i).into_iter().flatten().enumerate().map(|(j, m)| unit(i, j) - m);
            left.chain((0..n).map(|j| unit(i, j))).collect()
        })
        .collect();
    for i in 0..n {
        let Some(pivot_row) = rows.get_mut(i) else { continue };
        let pivot = pivot_row.get(i).copied().unwrap_or(1.0);
        pivot_row.iter_mut().for_each(|x| *x /= pivot);
        let pivot_row = pivot_row.clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|&(j, _)| j != i) {
            let factor = row.get(i).copied().unwrap_or(0.0);
            row.iter_mut().zip(&pivot_row).for_each(|(x, p)| *x -= factor * p);
        }
    }
    rows.into_iter().map(|row| row.into_iter().skip(n).collect()).collect()
}

/// An open deal at the start of the first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    pub stage: u8,
    pub age: i32,
}

/// What the chain is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course<'a> {
    /// The hazards of every day, first to last.
    pub days: &'a [&'a Day],
    /// The destination that counts, `n_open` for won.
    pub goal: usize,
}

/// Chances to reach the goal by the end.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    /// For each standing asked about.
    pub standing: Vec<f64>,
    /// By day of entry, then stage entered.
    pub entering: Vec<Vec<f64>>,
}

impl Course<'_> {
    /// One backward pass over the days.
    pub(crate) fn run(&self, standing: &[Standing]) -> Reached {
        let n_open = self.days.first().map_or(0, |day| day.hazards.n_open());
        let mut values = vec![0.0; n_open + 2];
        if let Some(goal) = values.get_mut(self.goal) {
            *goal = 1.0;
        }
        let mut pass = Pass {
            later: vec![vec![0.0; self.days.len()]; n_open],
            leaving: vec![[0.0; N_BINS]; n_open],
            values,
        };
        let mut reached =
            Reached { standing: vec![0.0; standing.len()], entering: vec![Vec::new(); self.days.len()] };
        let days = self.days.iter().zip(reached.entering.iter_mut()).enumerate().rev();
        for (t, (day, entering)) in days {
            pass.enter(day, t);
            entering.extend_from_slice(pass.values.get(..n_open).unwrap_or_default());
            pass.leave(day);
            pass.stay(day, t);
            let elapsed = i32::try_from(t).unwrap_or(i32::MAX);
            for (chance, deal) in reached.standing.iter_mut().zip(standing) {
                let (stage, bin) = (usize::from(deal.stage), bin_of(deal.age.saturating_add(elapsed)));
                *chance = pass.at(day, stage, bin, *chance);
            }
        }
        reached
    }
}

/// The state of a backward pass.
struct Pass {
    /// `F_{t+1}(s, a)` by stage and day of entry, so that growing older moves nothing.
    later: Vec<Vec<f64>>,
    /// `sum_d h_sd(b) V_t(d)` by stage and bin.
    leaving: Vec<[f64; N_BINS]>,
    /// `V_t` by destination.
    values: Vec<f64>,
}

impl Pass {
    /// The chance on entering each stage today.
    fn enter(&mut self, day: &Day, t: usize) {
        let n_open = self.later.len();
        let settled: Vec<f64> = (0..n_open)
            .map(|stage| {
                let closing = day.hazards.row(stage, 0).iter().zip(&self.values).skip(n_open);
                let later = self.later.get(stage).and_then(|entered| entered.get(t)).copied().unwrap_or(0.0);
                let stay = day.staying.get(stage).and_then(|bins| bins.first()).copied().unwrap_or(0.0);
                closing.map(|(h, v)| h * v).sum::<f64>() + stay * later
            })
            .collect();
        for (value, row) in self.values.iter_mut().zip(&day.at_once) {
            *value = row.iter().zip(&settled).map(|(a, g)| a * g).sum();
        }
    }

    fn leave(&mut self, day: &Day) {
        for (leaving, exits) in self.leaving.iter_mut().zip(&day.exits) {
            leaving.fill(0.0);
            for (to, hazards) in exits {
                let value = self.values.get(*to).copied().unwrap_or(0.0);
                leaving.iter_mut().zip(hazards).for_each(|(sum, h)| *sum += h * value);
            }
        }
    }

    /// Steps `F` from tomorrow to today for deals that entered on one of the `t` days before: a bin of ages is a run of
    /// days of entry.
    fn stay(&mut self, day: &Day, t: usize) {
        let bins = self.leaving.iter().zip(&day.staying);
        for (entered, (leaving, stay)) in self.later.iter_mut().zip(bins) {
            let mut rest = entered.get_mut(..t).unwrap_or_default();
            for (bin, (leaving, stay)) in leaving.iter().zip(stay).enumerate().skip(1) {
                let end = end_of(bin).and_then(|end| usize::try_from(end).ok()).unwrap_or(usize::MAX);
                let (older, run) = rest.split_at_mut((t + 1).saturating_sub(end).min(rest.len()));
                run.iter_mut().for_each(|f| *f = leaving + stay * *f);
                rest = older;
                if rest.is_empty() {
                    break;
                }
            }
        }
    }

    fn at(&self, day: &Day, stage: usize, bin: usize, tomorrow: f64) -> f64 {
        let leaving = self.leaving.get(stage).and_then(|bins| bins.get(bin)).copied().unwrap_or(0.0);
        let stay = day.staying.get(stage).and_then(|bins| bins.get(bin)).copied().unwrap_or(0.0);
        leaving + stay * tomorrow
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::num::rng::Stream;
    use proptest::prelude::*;

    /// Two ways of adding up at most 60 days of four stages: rounding stays far below.
    const SAME: f64 = 1e-12;

    fn random_day(n_open: usize, stream: &mut Stream) -> Day {
        let mut table = Table::filled(n_open, 0.0);
        for stage in 0..n_open {
            for bin in 0..N_BINS {
                let row = table.row_mut(stage, bin);
                row.iter_mut().for_each(|h| *h = stream.uniform());
                let scale = 0.8 * stream.uniform() / row.iter().sum::<f64>();
                row.iter_mut().for_each(|h| *h *= scale);
            }
        }
        Day::new(table)
    }

    /// Where one deal can be: everybody is followed forward, day by day, by stage and age.
    struct Followed {
        /// Entered after the first day, by stage and age.
        entered: Vec<Vec<f64>>,
        /// Still where it stood at the start.
        stayed: f64,
        /// Won, lost.
        closed: [f64; 2],
    }

    impl Followed {
        fn new(n_open: usize, n_days: usize) -> Self {
            Self { entered: vec![vec![0.0; n_days + 1]; n_open], stayed: 0.0, closed: [0.0; 2] }
        }

        /// Splits a mass over the destinations; what opens is added to `arriving`.
        fn split(&mut self, mass: f64, row: &[f64], arriving: &mut [f64]) -> f64 {
            let n_open = arriving.len();
            for (to, hazard) in row.iter().enumerate() {
                match to.checked_sub(n_open) {
                    Some(closed) => self.closed[closed] += mass * hazard,
                    None => arriving[to] += mass * hazard,
                }
            }
            mass * (1.0 - row.iter().sum::<f64>())
        }

        /// Moves of the day of entry, one round after the other, until nobody moves any more.
        fn settle(&mut self, day: &Day, mut arriving: Vec<f64>) {
            while arriving.iter().sum::<f64>() > 1e-30 {
                let mut next = vec![0.0; arriving.len()];
                for (stage, mass) in arriving.into_iter().enumerate() {
                    self.entered[stage][1] += self.split(mass, day.hazards.row(stage, 0), &mut next);
                }
                arriving = next;
            }
        }

        fn live(&mut self, day: &Day, standing: Standing) {
            let n_open = self.entered.len();
            let mut arriving = vec![0.0; n_open];
            let row = day.hazards.row(usize::from(standing.stage), bin_of(standing.age));
            self.stayed = self.split(self.stayed, row, &mut arriving);
            for stage in 0..n_open {
                let ages = self.entered[stage].clone();
                for (age, &mass) in ages.iter().enumerate().skip(1).rev().filter(|(_, mass)| **mass > 0.0) {
                    let row = day.hazards.row(stage, bin_of(i32::try_from(age).unwrap()));
                    let stays = self.split(mass, row, &mut arriving);
                    self.entered[stage][age] = 0.0;
                    if let Some(older) = self.entered[stage].get_mut(age + 1) {
                        *older = stays;
                    } else {
                        assert_eq!(stays, 0.0, "nobody entered before the first day");
                    }
                }
            }
            self.settle(day, arriving);
        }

        fn open(&self) -> f64 {
            self.stayed + self.entered.iter().flatten().sum::<f64>()
        }
    }

    fn stood(days: &[&Day], standing: Standing) -> Followed {
        let mut deal = Followed::new(days[0].hazards.n_open(), days.len() + 1);
        deal.stayed = 1.0;
        for (t, day) in days.iter().enumerate() {
            let age = standing.age + i32::try_from(t).unwrap();
            deal.live(day, Standing { age, ..standing });
        }
        deal
    }

    fn entered(days: &[&Day], stage: usize) -> Followed {
        let n_open = days[0].hazards.n_open();
        let mut deal = Followed::new(n_open, days.len() + 1);
        let mut arriving = vec![0.0; n_open];
        arriving[stage] = 1.0;
        deal.settle(days[0], arriving);
        for day in &days[1..] {
            deal.live(day, Standing { stage: 0, age: 0 });
        }
        deal
    }

    #[derive(Debug)]
    struct World {
        kinds: [Day; 2],
        n_open: usize,
        horizon: usize,
        standing: Vec<Standing>,
    }

    impl World {
        fn days(&self) -> Vec<&Day> {
            (0..self.horizon).map(|t| &self.kinds[t % 2]).collect()
        }

        fn run(&self, days: &[&Day], goal: usize) -> Reached {
            Course { days, goal: self.n_open + goal }.run(&self.standing)
        }
    }

    fn world() -> impl Strategy<Value = World> {
        let deals = proptest::collection::vec((0..4_u8, 0..400_i32), 1..6);
        (1..=4_usize, 1..=60_usize, any::<u64>(), deals).prop_map(|(n_open, horizon, seed, deals)| {
            let mut stream = Stream::new(Seed::new(seed), 0, 0);
            let stage = |stage: u8| stage % u8::try_from(n_open).unwrap();
            let kinds = [random_day(n_open, &mut stream), random_day(n_open, &mut stream)];
            let standing = deals.into_iter().map(|(s, age)| Standing { stage: stage(s), age }).collect();
            World { kinds, n_open, horizon, standing }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn backward_agrees_with_following_everybody_forward(world in world()) {
            let days = world.days();
            for goal in 0..2 {
                let reached = world.run(&days, goal);
                for (deal, chance) in world.standing.iter().zip(&reached.standing) {
                    let followed = stood(&days, *deal);
                    prop_assert!((followed.closed[goal] - chance).abs() < SAME, "{deal:?}");
                    prop_assert!((followed.closed.iter().sum::<f64>() + followed.open() - 1.0).abs() < SAME);
                }
                for t in [0, world.horizon / 2, world.horizon - 1] {
                    for stage in 0..world.n_open {
                        let followed = entered(&days[t..], stage).closed[goal];
                        prop_assert!((followed - reached.entering[t][stage]).abs() < SAME, "day {t}");
                    }
                }
            }
        }

        #[test]
        fn won_lost_and_open_make_one_and_chances_never_fall(world in world()) {
            let days = world.days();
            let mut before = vec![[0.0; 2]; world.standing.len()];
            for horizon in 1..=world.horizon {
                let [won, lost] = [0, 1].map(|goal| world.run(&days[..horizon], goal).standing);
                for ((won, lost), before) in won.iter().zip(&lost).zip(&mut before) {
                    prop_assert!(*won >= before[0] - SAME && *lost >= before[1] - SAME);
                    *before = [*won, *lost];
                }
            }
            for (deal, [won, lost]) in world.standing.iter().zip(&before) {
                prop_assert!((won + lost + stood(&days, *deal).open() - 1.0).abs() < SAME);
            }
        }
    }
}
