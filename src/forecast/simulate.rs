//! Monte Carlo: scenarios of the period by bucket, for questions about the path.
//!
//! # Method
//! Each scenario belongs to a stratum of the shock, drawn by the strata's weights; within it deals are independent.
//! The strata are those of the exact engine with a step in z whose error is at most a twentieth of the Monte Carlo
//! standard error of a chance; up to that this is plain simulation. Deals are drawn in groups of up to six by one
//! random word (`alias.rs`), groups outside, scenarios inside, so that a table stays in the first cache; there is
//! never a buffer of deals x scenarios. A shock moves the chance to win, not the buckets a win falls into.
//!
//! # Randomness
//! A pure function of (seed, scenario block, deal group): threads change nothing.

use super::alias::{BucketTable, Choice, Group, MOST, WinTable};
use super::answer::{ErrorBound, Forecast, Form, equally_likely};
use super::options::Progress;
use super::parts::Parts;
use super::profile::Model;
use super::shock::{Law, Stratum};
use super::{NewBusiness, SimulationOptions, Total, WeightedForecast};
use crate::num::rng::Stream;
use crate::num::{count, special, sum::sum};
use crate::{Error, ErrorKind, Result, Seed};
use ndarray::{Array2, ArrayView2};
use std::ops::ControlFlow;

mod apart;

/// Scenarios that share a stream for each group.
const BLOCK: usize = 1024;
/// Scenarios drawn with one table before it is built again; their sums stay in the second cache.
const STRETCH: usize = 4096;
/// Lanes of a block's streams above any group's.
const NEW_LANE: u64 = 1 << 60;

/// Scenarios of a period, by bucket.
///
/// # Example: in how many scenarios is the target reached by the second month?
/// ```
/// use dealcast::{Amount, Level, Probability};
/// use dealcast::forecast::{SimulationOptions, Total};
/// let chances = vec![Probability::new(0.2)?; 3];
/// let total = Total::by_bucket(3, Amount::ZERO, vec![(chances, Amount::new(10e3)?); 20])?;
/// let simulation = total.simulate(&SimulationOptions::default().scenarios(4000))?;
/// assert_eq!(simulation.draws().dim(), (4000, 3));
/// let chance = simulation.by_end_of_bucket(1)?.chance_of_hitting(Amount::new(80e3)?);
/// // 8 or more of 20 at .4 each: .584; the standard error is .008.
/// assert!((chance.get() - 0.584).abs() < 0.04);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    draws: Array2<f64>,
    weighted: WeightedForecast,
}

impl Simulation {
    /// What open deals and new business bring, a row a scenario, a column a bucket; what is booked is not in it.
    pub fn draws(&self) -> ArrayView2<'_, f64> {
        self.draws.view()
    }

    /// What is expected, part by part.
    pub fn weighted(&self) -> &WeightedForecast {
        &self.weighted
    }

    /// How many scenarios there are.
    pub fn n_scenarios(&self) -> usize {
        self.draws.nrows()
    }

    /// The distribution of the period's total over the scenarios.
    ///
    /// Its mean is the weighted total: the analytic mean is the control variate of itself, which leaves no error.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow) where the scenarios lie too far apart for a finite spread.
    pub fn forecast(&self) -> Result<Forecast> {
        self.by_end_of_bucket(self.draws.ncols().saturating_sub(1))
    }

    /// The distribution of what is booked by the end of a bucket (0 is the first): one step of a fan chart.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for a bucket that does not exist, [`Overflow`](ErrorKind::Overflow) as
    /// above.
    pub fn by_end_of_bucket(&self, bucket: usize) -> Result<Forecast> {
        if bucket >= self.draws.ncols() {
            return Err(Error::out_of_range("bucket", "a bucket of the period", count(bucket)));
        }
        let booked = self.weighted.booked;
        let totals =
            self.draws.rows().into_iter().map(|row| booked + row.iter().take(bucket + 1).sum::<f64>());
        let atoms = equally_likely(totals.collect());
        let (_, sd) = atoms.moments();
        let mean = if bucket + 1 == self.draws.ncols() {
            self.weighted.total()
        } else {
            booked + self.weighted.by_bucket().iter().take(bucket + 1).sum::<f64>()
        };
        let forecast = Forecast::known(Form::Atoms(atoms), mean, sd, ErrorBound { chance: 0.0, amount: 0.0 });
        forecast.simulated(self.n_scenarios()).finite()
    }
}

impl Total {
    /// Scenarios of the period.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) without scenarios, [`TooLarge`](ErrorKind::TooLarge) where they do not fit
    /// into the memory, [`Cancelled`](ErrorKind::Cancelled) where the progress callback said so,
    /// [`Overflow`](ErrorKind::Overflow) as in [`Self::exact`].
    pub fn simulate(&self, options: &SimulationOptions) -> Result<Simulation> {
        let n_buckets = self.n_buckets();
        if options.scenarios == 0 {
            return Err(Error::out_of_range("scenarios", "at least 1 scenario", 0.0));
        }
        // Draws twice (the blocks' and the caller's), order, stratum; columns of the deals.
        let a_scenario = n_buckets.checked_mul(16).and_then(|bytes| bytes.checked_add(16));
        let scenarios = a_scenario.and_then(|bytes| bytes.checked_mul(options.scenarios));
        let deals = self.n_deals().checked_mul(64 + 8 * n_buckets);
        options.memory.afford(scenarios.zip(deals).and_then(|(a, b)| a.checked_add(b)))?;
        let plan = Plan::new(self, options)?;
        let draws = plan.run(options)?;
        Ok(Simulation { draws, weighted: self.weighted() })
    }
}

/// Deals and strata, and which scenarios go where.
struct Plan<'a> {
    seed: Seed,
    n_buckets: usize,
    /// Whose sums are wanted apart, and the part of every deal.
    apart: Option<(&'a Parts, Vec<usize>)>,
    chance: Vec<f64>,
    score: Vec<f64>,
    amount: Vec<f64>,
    /// Cumulated shares of the buckets given a win, `n_buckets` a deal; empty with one bucket.
    cumulated: Vec<f64>,
    new: Option<NewDeals>,
    strata: Vec<Stratum>,
    /// Scenarios in the order of their strata, and their stretches.
    order: Vec<usize>,
    stretches: Vec<Stretch>,
}

struct NewDeals {
    law: NewBusiness,
    which: Choice,
    bucket: Choice,
}

/// Scenarios `first .. first + n` of the order, all of one stratum.
struct Stretch {
    stratum: Stratum,
    first: usize,
    n: usize,
}

impl Stretch {
    /// How many deals to decide at once: a table of 2^g slots costs about 4 ns a slot, a draw 1 ns.
    const fn group_size(&self) -> usize {
        match self.n {
            0..64 => 3,
            64..256 => 4,
            256..1024 => 5,
            _ => MOST,
        }
    }
}

impl Plan<'_> {
    fn new(total: &Total, options: &SimulationOptions) -> Result<Self> {
        let model = Model::coarse(total, count(options.scenarios))?;
        let n_buckets = total.n_buckets();
        let open = total.in_play();
        let pick =
            |column: &[f64]| -> Vec<f64> { open.iter().filter_map(|i| column.get(*i).copied()).collect() };
        let (chance, amount) = (pick(&total.chance), pick(&total.amount));
        let score = chance.iter().map(|p| special::normal_quantile(*p)).collect();
        let cumulated = cumulated(total, &open);
        let new = total.new_business.as_ref().filter(|new| new.mean > 0.0).map(|law| NewDeals {
            which: Choice::new(&law.weight),
            bucket: Choice::new(&law.share),
            law: law.clone(),
        });
        let mut plan = Self {
            seed: options.seed,
            n_buckets,
            apart: None,
            chance,
            score,
            amount,
            cumulated,
            new,
            strata: model.strata,
            order: Vec::new(),
            stretches: Vec::new(),
        };
        plan.assign(options.scenarios);
        Ok(plan)
    }

    /// Draws each scenario's stratum and sorts the scenarios by it.
    fn assign(&mut self, scenarios: usize) {
        let choice = Choice::new(&self.strata.iter().map(|s| s.weight).collect::<Vec<_>>());
        let mut stream = Stream::new(self.seed, u64::MAX, 0);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.strata.len()];
        for scenario in 0..scenarios {
            if let Some(members) = members.get_mut(choice.at(stream.uniform())) {
                members.push(scenario);
            }
        }
        for (stratum, members) in self.strata.iter().zip(members) {
            for part in members.chunks(STRETCH) {
                self.stretches.push(Stretch { stratum: *stratum, first: self.order.len(), n: part.len() });
                self.order.extend_from_slice(part);
            }
        }
    }

    fn run(&self, options: &SimulationOptions) -> Result<Array2<f64>> {
        let n_columns = self.apart.as_ref().map_or(self.n_buckets, |(parts, _)| parts.n());
        let mut draws = Array2::zeros((options.scenarios, n_columns));
        let threads = options.threads.clamp(1, 1024);
        let mut done = 0;
        // A block's number does not depend on who draws it.
        let mut numbers = Vec::with_capacity(self.stretches.len());
        let mut number = 0_u64;
        for stretch in &self.stretches {
            numbers.push(number);
            number += u64::try_from(stretch.n.div_ceil(BLOCK)).unwrap_or(u64::MAX);
        }
        let work: Vec<_> = self.stretches.iter().zip(numbers).collect();
        // One thread reports after every stretch, several after a round of a few each.
        let round = if threads == 1 { 1 } else { 4 * threads };
        for part in work.chunks(round) {
            for (stretch, sums) in part.iter().zip(self.draw_all(part, threads)) {
                let scenarios = self.order.iter().skip(stretch.0.first).take(stretch.0.n);
                for (scenario, values) in scenarios.zip(sums.chunks_exact(n_columns)) {
                    draws.row_mut(*scenario).iter_mut().zip(values).for_each(|(to, from)| *to = *from);
                }
                done += stretch.0.n;
            }
            if let Some(watcher) = &options.watcher {
                let progress = Progress { done, of: options.scenarios };
                if watcher(progress) == ControlFlow::Break(()) {
                    return Err(Error::new(ErrorKind::Cancelled, "to be let finish").found("a stop"));
                }
            }
        }
        if draws.iter().all(|x: &f64| x.is_finite()) {
            Ok(draws)
        } else {
            Err(Error::new(ErrorKind::Overflow, "scenarios with a finite total"))
        }
    }

    fn draw_all(&self, part: &[(&Stretch, u64)], threads: usize) -> Vec<Vec<f64>> {
        if threads == 1 || part.len() == 1 {
            return part.iter().map(|(stretch, number)| self.draw(stretch, *number)).collect();
        }
        std::thread::scope(|scope| {
            let share = part.len().div_ceil(threads);
            let handles: Vec<_> = part
                .chunks(share)
                .map(|mine| {
                    scope.spawn(move || {
                        mine.iter().map(|(stretch, number)| self.draw(stretch, *number)).collect::<Vec<_>>()
                    })
                })
                .collect();
            handles
                .into_iter()
                .flat_map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    fn draw(&self, stretch: &Stretch, number: u64) -> Vec<f64> {
        if let Some((parts, of_deal)) = &self.apart {
            return self.draw_apart((parts, of_deal), stretch, number);
        }
        let mut sums = vec![0.0; stretch.n * self.n_buckets];
        let chance = self.chances(stretch.stratum.law);
        if self.n_buckets == 1 {
            self.draw_wins(&chance, stretch, number, &mut sums);
        } else {
            self.draw_buckets(&chance, number, &mut sums);
        }
        if let Some(new) = &self.new {
            let rows = BLOCK * self.n_buckets;
            for (block, sums) in (number..).zip(sums.chunks_mut(rows)) {
                let mut stream = Stream::new(self.seed, block, NEW_LANE);
                sums.chunks_exact_mut(self.n_buckets)
                    .for_each(|row| new.add_to(row, stretch.stratum.level, &mut stream));
            }
        }
        sums
    }

    fn chances(&self, law: Law) -> Vec<f64> {
        self.chance.iter().zip(&self.score).map(|(p, score)| law.chance(*p, *score)).collect()
    }

    fn draw_wins(&self, chance: &[f64], stretch: &Stretch, number: u64, sums: &mut [f64]) {
        let size = stretch.group_size();
        let mut table = WinTable::default();
        let groups = chance.chunks(size).zip(self.amount.chunks(size));
        for (lane, (chance, amount)) in (0..).zip(groups) {
            table.build(chance, amount);
            for (block, sums) in (number..).zip(sums.chunks_mut(BLOCK)) {
                let mut stream = Stream::new(self.seed, block, lane);
                table.add_to(sums, || stream.word());
            }
        }
    }

    fn draw_buckets(&self, chance: &[f64], number: u64, sums: &mut [f64]) {
        let size = Group::size(self.n_buckets);
        let mut table = BucketTable::default();
        let groups = chance.chunks(size).zip(self.amount.chunks(size));
        let groups = groups.zip(self.cumulated.chunks(size * self.n_buckets));
        for (lane, ((chance, amount), cumulated)) in (0..).zip(groups) {
            let group = Group { chance, amount, cumulated, n_buckets: self.n_buckets };
            table.build(&group);
            for (block, sums) in (number..).zip(sums.chunks_mut(BLOCK * self.n_buckets)) {
                let mut stream = Stream::new(self.seed, block, lane);
                table.add_to(sums, &group, || stream.word());
            }
        }
    }
}

impl Total {
    /// The deals that can bring something.
    fn in_play(&self) -> Vec<usize> {
        let some = |column: &[f64], i: usize| column.get(i) > Some(&0.0);
        (0..self.n_deals()).filter(|&i| some(&self.chance, i) && some(&self.amount, i)).collect()
    }
}

/// Cumulated shares of the buckets given a win, deal by deal.
fn cumulated(total: &Total, open: &[usize]) -> Vec<f64> {
    if total.buckets.is_empty() {
        return Vec::new();
    }
    let mut cumulated = Vec::with_capacity(open.len() * total.buckets.len());
    for deal in open {
        let chances = || total.buckets.iter().filter_map(|bucket| bucket.get(*deal).copied());
        let all = sum(chances());
        let mut upto = 0.0;
        cumulated.extend(chances().map(|p| {
            upto += p / all;
            upto.min(1.0)
        }));
    }
    cumulated
}

impl NewDeals {
    /// Above this expected number per distinct amount, amounts are counted instead of drawn one by one.
    const MANY: f64 = 8.0;

    /// The expected number of a scenario.
    fn expected(&self, level: f64, stream: &mut Stream) -> f64 {
        let luck = self.law.size.map_or(1.0, |size| stream.gamma(size) / size);
        // No count beyond 1e15 is told apart by a double anyway.
        (self.law.mean * level * luck).min(1e15)
    }

    fn add_to(&self, row: &mut [f64], level: f64, stream: &mut Stream) {
        let mean = self.expected(level, stream);
        let cells = count(self.law.amount.len() * row.len());
        if mean > Self::MANY * cells {
            for (amount, weight) in self.law.amount.iter().zip(&self.law.weight) {
                for (sum, share) in row.iter_mut().zip(&self.law.share) {
                    *sum += amount * whole(stream.poisson(mean * weight * share));
                }
            }
            return;
        }
        for _ in 0..stream.poisson(mean) {
            let amount = self.law.amount.get(self.which.at(stream.uniform())).copied().unwrap_or(0.0);
            let bucket = if row.len() == 1 { 0 } else { self.bucket.at(stream.uniform()) };
            if let Some(sum) = row.get_mut(bucket) {
                *sum += amount;
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts up to 1e15 are exact")]
const fn whole(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    //! Against the exact engine by the Dvoretzky-Kiefer-Wolfowitz bound: a false alarm once in 1e9 a check.
    use super::*;
    use crate::forecast::{Bytes, ForecastOptions, Shock};
    use crate::{Amount, Probability};

    fn book(n: u64) -> Total {
        let mut stream = Stream::new(Seed::new(4), 0, 0);
        let deals: Vec<_> = (0..n)
            .map(|_| {
                let p = Probability::new(0.4 * stream.uniform()).unwrap();
                (p, Amount::new(1e4 * stream.exponential()).unwrap())
            })
            .collect();
        Total::new(Amount::new(1e3).unwrap(), deals).unwrap()
    }

    fn new_business() -> NewBusiness {
        let amounts = [1e3, 4e3, 2e4].map(|a| (Amount::new(a).unwrap(), 1.0));
        NewBusiness::new(12.0, amounts).unwrap().overdispersed(2.0).unwrap()
    }

    #[test]
    fn agrees_with_the_exact_engine() {
        let n = 100_000;
        // sqrt(ln(2 / 1e-9) / 2n), and the strata's own error of a twentieth of .5 / sqrt(n).
        let bound = 0.01035 + 0.025 / count(n).sqrt();
        for (rho, new) in [(0.0, true), (0.05, false), (0.4, true), (1.0, false)] {
            {
                let mut total = book(120).with_shock(Shock::new(rho).unwrap());
                if new {
                    total = total.with_new_business(new_business()).unwrap();
                }
                let exact = total.exact(&ForecastOptions::default()).unwrap();
                let options = SimulationOptions::default().scenarios(n).seed(Seed::new(11));
                let found = total.simulate(&options).unwrap().forecast().unwrap();
                assert_eq!(found.mean(), exact.mean());
                let off = (0..200).map(|k| {
                    let x = exact.mean() * 0.02 * f64::from(k);
                    (found.at_least(x) - exact.at_least(x)).abs()
                });
                let off = off.fold(0.0, f64::max);
                if exact.error_bound().amount() > 1e-3 * exact.sd() {
                    // Rounded so coarsely that the exact engine itself does not claim to know better.
                    continue;
                }
                assert!(off < bound, "rho {rho}, new {new}: {off}");
                assert!((found.sd() / exact.sd() - 1.0).abs() < 0.02, "{} {}", found.sd(), exact.sd());
            }
        }
    }

    #[test]
    fn buckets_have_their_means() {
        let p = |x| Probability::new(x).unwrap();
        let deals: Vec<_> = (1..=50_u32)
            .map(|k| (vec![p(0.1), p(0.0), p(0.3), p(0.05)], Amount::new(f64::from(k)).unwrap()))
            .collect();
        let total = Total::by_bucket(4, Amount::ZERO, deals).unwrap();
        let new = NewBusiness::new(3.0, [(Amount::new(10.0).unwrap(), 1.0)]).unwrap();
        let total = total.with_new_business(new.spread(vec![0.0, 0.5, 0.25, 0.25]).unwrap()).unwrap();
        for rho in [0.0, 0.2] {
            let total = total.clone().with_shock(Shock::new(rho).unwrap());
            let simulation = total.simulate(&SimulationOptions::default().scenarios(40_000)).unwrap();
            for (b, mean) in total.weighted().by_bucket().iter().enumerate() {
                let column = simulation.draws();
                let column = column.column(b);
                let n = count(column.len());
                let found = column.sum() / n;
                let sd = (column.iter().map(|x| (x - found) * (x - found)).sum::<f64>() / n).sqrt();
                // 6 standard errors: 2e-9 each.
                assert!((found - mean).abs() < 6.0 * sd / n.sqrt(), "bucket {b}: {found} {mean}");
            }
        }
    }

    #[test]
    fn threads_change_nothing() {
        for rho in [0.0, 0.1] {
            let total =
                book(100).with_shock(Shock::new(rho).unwrap()).with_new_business(new_business()).unwrap();
            let ask = |threads| {
                total.simulate(&SimulationOptions::default().scenarios(20_001).threads(threads)).unwrap()
            };
            let one = ask(1);
            assert_eq!(one, ask(2));
            assert_eq!(one, ask(5));
        }
    }

    #[test]
    fn refuses_before_allocating() {
        let total = book(3);
        let kind = |n| total.simulate(&SimulationOptions::default().scenarios(n)).unwrap_err().kind();
        assert_eq!(kind(0), ErrorKind::OutOfRange);
        assert_eq!(kind(usize::MAX), ErrorKind::TooLarge);
        let little = SimulationOptions::default().memory(Bytes::new(1000));
        assert_eq!(total.simulate(&little).unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(total.simulate(&SimulationOptions::default().scenarios(1)).unwrap().n_scenarios(), 1);
    }

    #[test]
    fn a_panicking_watcher_breaks_nothing() {
        let total = book(20);
        let options = SimulationOptions::default().threads(3).scenarios(30_000);
        let panics = options.clone().progress(|_| panic!("watcher"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| total.simulate(&panics))).is_err());
        let stops = options
            .clone()
            .progress(|p| if p.done() > 8000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
        assert_eq!(total.simulate(&stops).unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(total.simulate(&options).unwrap(), total.simulate(&options.threads(1)).unwrap());
    }
}
