//! The scenarios of a total with the sum of each of its parts: the same draws, told apart.
//!
//! # Method
//! Deals are decided by the same words of the same streams as without parts; where a group holds deals of several
//! parts, the words are read once for each with the amounts of the others set to 0. Which part a new deal belongs to is
//! drawn from a stream of its own. So a row sums to the scenario of [`Total::simulate`] with this seed, to rounding.

use super::{BLOCK, NEW_LANE, NewDeals, Plan, Stretch, WinTable, whole};
use crate::forecast::alias::Choice;
use crate::forecast::parts::Parts;
use crate::forecast::{SimulationOptions, Total};
use crate::num::count;
use crate::num::rng::Stream;
use crate::{Error, Result};
use ndarray::Array2;

impl Total {
    /// What deals and new business bring to each part: a row a scenario, a column a part; what is booked is not in it.
    ///
    /// # Errors
    /// Those of [`Self::simulate`].
    pub(crate) fn simulate_apart(&self, parts: &Parts, options: &SimulationOptions) -> Result<Array2<f64>> {
        if options.scenarios == 0 {
            return Err(Error::out_of_range("scenarios", "at least 1 scenario", 0.0));
        }
        let a_scenario = parts.n().checked_mul(24).and_then(|bytes| bytes.checked_add(16));
        let scenarios = a_scenario.and_then(|bytes| bytes.checked_mul(options.scenarios));
        options
            .memory
            .afford(scenarios.and_then(|bytes| bytes.checked_add(self.n_deals().checked_mul(72)?)))?;
        if parts.n() == 0 {
            return Ok(Array2::zeros((options.scenarios, 0)));
        }
        let mut plan = Plan::new(self, options)?;
        let of_deal = self.in_play().into_iter().filter_map(|deal| parts.deal.get(deal).copied()).collect();
        plan.apart = Some((parts, of_deal));
        plan.run(options)
    }
}

impl Plan<'_> {
    pub(super) fn draw_apart(
        &self,
        (parts, of_deal): (&Parts, &[usize]),
        stretch: &Stretch,
        number: u64,
    ) -> Vec<f64> {
        let mut columns = vec![vec![0.0; stretch.n]; parts.n()];
        let chance = self.chances(stretch.stratum.law);
        let size = stretch.group_size();
        let groups = chance.chunks(size).zip(self.amount.chunks(size)).zip(of_deal.chunks(size));
        let mut table = WinTable::default();
        for (lane, ((chance, amount), of_deal)) in (0..).zip(groups) {
            let mut present = of_deal.to_vec();
            present.sort_unstable();
            present.dedup();
            for part in present {
                let own = |(a, of): (&f64, &usize)| if *of == part { *a } else { 0.0 };
                let amount: Vec<f64> = amount.iter().zip(of_deal).map(own).collect();
                table.build(chance, &amount);
                let sums = columns.get_mut(part).map_or(&mut [][..], |column| column);
                for (block, sums) in (number..).zip(sums.chunks_mut(BLOCK)) {
                    let mut stream = Stream::new(self.seed, block, lane);
                    table.add_to(sums, || stream.word());
                }
            }
        }
        let mut rows: Vec<f64> = (0..stretch.n)
            .flat_map(|i| columns.iter().map(move |column| column.get(i).copied().unwrap_or(0.0)))
            .collect();
        if let Some(new) = &self.new {
            let choices: Vec<Choice> = parts.new.iter().map(|shares| Choice::new(shares)).collect();
            for (block, rows) in (number..).zip(rows.chunks_mut(BLOCK * parts.n())) {
                // The first stream draws what it draws without parts.
                let mut streams = [NEW_LANE, NEW_LANE + 1].map(|lane| Stream::new(self.seed, block, lane));
                rows.chunks_exact_mut(parts.n())
                    .for_each(|row| new.add_apart(row, (stretch.stratum.level, &choices), &mut streams));
            }
        }
        rows
    }
}

impl NewDeals {
    fn add_apart(
        &self,
        row: &mut [f64],
        (level, choices): (f64, &[Choice]),
        [numbers, owners]: &mut [Stream; 2],
    ) {
        let mean = self.expected(level, numbers);
        if mean > Self::MANY * count(self.law.amount.len()) {
            for ((amount, weight), choice) in self.law.amount.iter().zip(&self.law.weight).zip(choices) {
                let n = numbers.poisson(mean * weight);
                choice.split(n, owners, |part, n| {
                    row.get_mut(part).into_iter().for_each(|sum| *sum += amount * whole(n));
                });
            }
            return;
        }
        for _ in 0..numbers.poisson(mean) {
            let which = self.which.at(numbers.uniform());
            let amount = self.law.amount.get(which).copied().unwrap_or(0.0);
            let part = choices.get(which).map_or(0, |choice| choice.at(owners.uniform()));
            row.get_mut(part).into_iter().for_each(|sum| *sum += amount);
        }
    }
}
