//! Where deals are after a while, over any number of states: skips, moves back and re-entries included.

use super::nelson_aalen::NelsonAalen;
use super::table::{CENSORED, Mass, Row, Table};
use crate::{Error, ErrorKind, Probability, Result};

/// One uninterrupted stay of a deal in a state.
///
/// States are numbered by the caller from 0. `to` is where it went at `exit`, `None` if it was still there.
///
/// # Units
/// `enter` and `exit` on one clock, usually days since the deal was created.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode {
    /// The state it is in.
    pub from: u32,
    /// The state it went to at `exit`.
    pub to: Option<u32>,
    /// When it came in, or under observation.
    pub enter: f64,
    /// When it left, or was last seen.
    pub exit: f64,
}

/// The hazards of all transitions between states, and what they add up to: where a deal is by when.
///
/// # Formula
/// `P(s, t) = product over the times u in (s, t] of (I + dA(u))`, `dA_ij = d_ij / Y_i` of the deals seen in state i
/// just before u, `dA_ii` minus the sum of the row. The variance follows the same product with Greenwood's multinomial
/// covariance of each row, `P_i(u-)^2 (delta_jk a_j - a_j a_k) / Y_i`.
///
/// # Meaning
/// Unlike a product of next-stage rates it knows about time, about deals that skip stages or come back, and about
/// open deals.
///
/// # Assumptions
/// Markov: what happens next depends on the state and the clock, not on how the deal got there. (The occupancy of a
/// process started at its beginning is right without it: Datta & Satten 2001.)
///
/// # Numerics
/// Only states that occur are stored; a jump costs the number of states, and a request that would cost more than
/// about ten seconds is refused.
///
/// # Example: where is a deal 10 days after it was created?
/// ```
/// use dealcast::estimate::{Episode, MultiState};
/// let stay = |from, to, enter, exit| Episode { from, to, enter, exit };
/// let (open, offer, won) = (0, 1, 2);
/// let process = MultiState::forward(&[
///     stay(open, Some(offer), 0.0, 4.0), stay(offer, Some(won), 4.0, 9.0),
///     stay(open, Some(won), 0.0, 6.0),
///     stay(open, None, 0.0, 12.0),
/// ])?;
/// let at_ten = &process.occupancy(open, 0.0, &[10.0])?[0];
/// assert!((at_ten.share(won).get() - 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Aalen & Johansen (1978); Andersen et al. (1993), section 4.4.1; Putter, Fiocco & Geskus (2007).
#[derive(Clone, Debug, PartialEq)]
pub struct MultiState {
    /// The callers' numbers of the states that occur, in increasing order.
    states: Vec<u32>,
    /// Durations in each state by position in `states`; causes are positions + 1.
    tables: Vec<Table>,
}

/// Where a deal is at one time: a share for each state, adding up to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Occupancy {
    states: Vec<u32>,
    shares: Vec<f64>,
    variances: Vec<f64>,
}

/// Jumps times states that one question may cost.
const MOST_WORK: usize = 2_000_000_000;
/// States for which a covariance is held.
const MOST_STATES: usize = 2_000;

impl MultiState {
    /// Time on one clock for all states; a deal is at risk in `(enter, exit]`.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without episodes; [`OutOfRange`](ErrorKind::OutOfRange) with its row for
    /// one whose times are not finite or not in order, or that goes where it is.
    pub fn forward(episodes: &[Episode]) -> Result<Self> {
        Self::new(episodes, |episode| {
            if episode.enter.is_finite() && episode.exit.is_finite() && episode.enter < episode.exit {
                return Ok((episode.enter, episode.exit));
            }
            Err(Error::out_of_range("exit", "a finite number above enter", episode.exit))
        })
    }

    /// Time since the state was entered; stays of length 0 count.
    ///
    /// # Errors
    /// As for [`forward`](Self::forward).
    pub fn reset(episodes: &[Episode]) -> Result<Self> {
        Self::new(episodes, |episode| {
            let length = episode.exit - episode.enter;
            if length >= 0.0 && length.is_finite() {
                return Ok((f64::NEG_INFINITY, length + 0.0));
            }
            Err(Error::out_of_range("exit", "a finite number not below enter", episode.exit))
        })
    }

    fn new(episodes: &[Episode], clock: impl Fn(&Episode) -> Result<(f64, f64)>) -> Result<Self> {
        if episodes.is_empty() {
            return Err(Error::new(ErrorKind::NoHistory, "at least one episode"));
        }
        super::observation::countable(episodes.len())?;
        let mut states: Vec<u32> = episodes.iter().flat_map(|e| [Some(e.from), e.to]).flatten().collect();
        states.sort_unstable();
        states.dedup();
        let mut rows: Vec<Vec<Row>> = vec![Vec::new(); states.len()];
        for (row, episode) in (1..).zip(episodes) {
            if episode.to == Some(episode.from) {
                let expected = "another state than the one it leaves";
                return Err(Error::new(ErrorKind::OutOfRange, expected).field("to").at_row(row));
            }
            let (entry, time) = clock(episode).map_err(|error| error.at_row(row))?;
            let place = |state: u32| states.binary_search(&state).unwrap_or(usize::MAX);
            let cause = episode.to.map_or(Some(CENSORED), |to| u32::try_from(place(to) + 1).ok());
            let cause = cause.ok_or_else(|| Error::new(ErrorKind::TooLarge, "fewer than 2^32 states"))?;
            if let Some(rows) = rows.get_mut(place(episode.from)) {
                rows.push(Row { time, entry, weight: 1.0, cause });
            }
        }
        Ok(Self { states, tables: rows.into_iter().map(Table::from_rows).collect() })
    }

    /// The states that occur, in increasing order.
    pub fn states(&self) -> &[u32] {
        &self.states
    }

    /// The transitions that occur, in increasing (from, to).
    pub fn transitions(&self) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        for (from, table) in self.states.iter().zip(&self.tables) {
            let mut to: Vec<u32> = table.events.iter().map(|event| event.cause).collect();
            to.sort_unstable();
            to.dedup();
            all.extend(to.into_iter().filter_map(|cause| Some((*from, self.state(cause)?))));
        }
        all
    }

    fn state(&self, cause: u32) -> Option<u32> {
        self.states.get(position(cause)?).copied()
    }

    /// The Nelson-Aalen cumulative hazard of going from one state to another, from the beginning of the clock; all 0
    /// for a transition that does not occur.
    pub fn hazard(&self, transition: Transition) -> NelsonAalen {
        let to = self.states.binary_search(&transition.to).ok().and_then(|i| u32::try_from(i + 1).ok());
        let table = self.states.binary_search(&transition.from).ok().and_then(|i| self.tables.get(i));
        NelsonAalen::of(table.unwrap_or(&Table::default()), |cause| Some(cause) == to)
    }

    /// Where a deal is at each of these times that was in `start` at `start_time`: jumps in `(start_time, t]` count.
    /// On the clock that resets it describes the next move only if every other state is final.
    ///
    /// # Errors
    /// [`OutOfRange`](ErrorKind::OutOfRange) for a state that does not occur or a time that is not a number;
    /// [`TooLarge`](ErrorKind::TooLarge) for more work or memory than one question may cost.
    pub fn occupancy(&self, start: u32, start_time: f64, at: &[f64]) -> Result<Vec<Occupancy>> {
        let place = self.states.binary_search(&start);
        let place = place.map_err(|_| {
            Error::new(ErrorKind::OutOfRange, "a state that occurs").field("start").found(start)
        })?;
        if let Some(odd) = at.iter().chain([&start_time]).find(|t| t.is_nan()) {
            return Err(Error::out_of_range("at", "a time", *odd));
        }
        let jumps = self.jumps(start_time);
        let work = jumps.len().saturating_add(at.len()).saturating_mul(self.states.len());
        if self.states.len() > MOST_STATES || work > MOST_WORK {
            let expected = "at most 2000 states, and jumps times states up to 2e9";
            return Err(Error::new(ErrorKind::TooLarge, expected).found(self.states.len()));
        }
        let mut order: Vec<usize> = (0..at.len()).collect();
        order.sort_by(|&a, &b| value(at, a).total_cmp(&value(at, b)));
        let mut walk = Walk::new(place, self.states.len());
        let mut moments = jumps.chunk_by(|a, b| a.time.total_cmp(&b.time).is_eq()).peekable();
        let mut found: Vec<Option<Occupancy>> = vec![None; at.len()];
        for i in order {
            let t = value(at, i);
            while let Some(moment) =
                moments.next_if(|moment| moment.first().is_some_and(|jump| jump.time <= t))
            {
                walk.pass(moment);
            }
            if let Some(answer) = found.get_mut(i) {
                *answer = Some(walk.here(&self.states));
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// All jumps after a time, in increasing (time, from).
    fn jumps(&self, after: f64) -> Vec<Jump> {
        let mut jumps = Vec::new();
        for (from, table) in self.tables.iter().enumerate() {
            for happening in table.happenings().filter(|happening| happening.time > after) {
                let risk = happening.risk.weight;
                let jump = |(cause, left): (u32, Mass)| {
                    let (to, hazard) = (position(cause)?, left.weight / risk);
                    Some(Jump { time: happening.time, from, to, hazard, risk })
                };
                jumps.extend(happening.by_cause().filter_map(jump));
            }
        }
        jumps.sort_by(|a, b| a.time.total_cmp(&b.time));
        jumps
    }
}

/// From one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state that is left.
    pub from: u32,
    /// The state that is entered.
    pub to: u32,
}

impl Occupancy {
    fn at(&self, values: &[f64], state: u32) -> f64 {
        self.states.binary_search(&state).ok().and_then(|i| values.get(i)).copied().unwrap_or(0.0)
    }

    /// P(in this state); 0 for a state that does not occur.
    pub fn share(&self, state: u32) -> Probability {
        Probability::rounded(self.at(&self.shares, state))
    }

    /// Greenwood's standard error of the share.
    pub fn std_err(&self, state: u32) -> f64 {
        self.at(&self.variances, state).max(0.0).sqrt()
    }
}

fn position(cause: u32) -> Option<usize> {
    usize::try_from(cause.checked_sub(1)?).ok()
}

fn value(values: &[f64], i: usize) -> f64 {
    values.get(i).copied().unwrap_or(0.0)
}

#[derive(Clone, Copy, Debug)]
struct Jump {
    time: f64,
    from: usize,
    to: usize,
    hazard: f64,
    risk: f64,
}

/// The row of P that belongs to the start, with its covariance.
struct Walk {
    share: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl Walk {
    fn new(start: usize, states: usize) -> Self {
        let share = (0..states).map(|i| if i == start { 1.0 } else { 0.0 }).collect();
        Self { share, covariance: vec![vec![0.0; states]; states] }
    }

    fn here(&self, states: &[u32]) -> Occupancy {
        let variances = self.covariance.iter().enumerate().map(|(i, row)| value(row, i)).collect();
        Occupancy { states: states.to_vec(), shares: self.share.clone(), variances }
    }

    /// All jumps of one moment at once: `C <- (I + dA)' C (I + dA) + sum over rows of P_i^2 cov(dA_i)`,
    /// `P <- P (I + dA)`.
    fn pass(&mut self, jumps: &[Jump]) {
        for row in &mut self.covariance {
            shift(row, jumps);
        }
        self.shift_rows(jumps);
        for leaving in jumps.chunk_by(|a, b| a.from == b.from) {
            self.add_noise(leaving);
        }
        shift(&mut self.share, jumps);
    }

    fn shift_rows(&mut self, jumps: &[Jump]) {
        let mut sources: Vec<(usize, Vec<f64>)> = Vec::new();
        for jump in jumps {
            if sources.last().is_none_or(|(from, _)| *from != jump.from) {
                sources.push((jump.from, self.covariance.get(jump.from).cloned().unwrap_or_default()));
            }
        }
        let mut source = sources.iter().peekable();
        for jump in jumps {
            while source.next_if(|(from, _)| *from < jump.from).is_some() {}
            let Some((_, old)) = source.peek() else { return };
            for (row, sign) in [(jump.to, 1.0), (jump.from, -1.0)] {
                let row = self.covariance.get_mut(row).into_iter().flatten();
                row.zip(old).for_each(|(cell, old)| *cell += sign * jump.hazard * old);
            }
        }
    }

    fn add_noise(&mut self, leaving: &[Jump]) {
        let Some(first) = leaving.first() else { return };
        let all: f64 = leaving.iter().map(|jump| jump.hazard).sum();
        let scale = value(&self.share, first.from) * value(&self.share, first.from) / first.risk;
        if scale == 0.0 {
            return;
        }
        let stay = (first.from, (1.0 - all).max(0.0));
        let chances = || leaving.iter().map(|jump| (jump.to, jump.hazard)).chain([stay]);
        for (j, a) in chances() {
            for (k, b) in chances() {
                let own = if j == k { a } else { 0.0 };
                if let Some(cell) = self.covariance.get_mut(j).and_then(|row| row.get_mut(k)) {
                    *cell += scale * (own - a * b);
                }
            }
        }
    }
}

/// One row vector times (I + dA), all jumps taking from what was there before.
fn shift(row: &mut [f64], jumps: &[Jump]) {
    let old: Vec<f64> = jumps.iter().map(|jump| value(row, jump.from)).collect();
    for (jump, old) in jumps.iter().zip(old) {
        let moved = old * jump.hazard;
        if moved == 0.0 {
            continue;
        }
        if let Some(cell) = row.get_mut(jump.to) {
            *cell += moved;
        }
        if let Some(cell) = row.get_mut(jump.from) {
            *cell -= moved;
        }
    }
}
