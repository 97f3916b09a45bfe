//! What the engines may spend, and where a simulation starts.

use crate::num::Seed;
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// An amount of memory.
///
/// # Example
/// ```
/// use dealcast::forecast::Bytes;
/// assert_eq!(Bytes::mib(2).get(), 2_097_152);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(usize);

impl Bytes {
    /// This many bytes.
    pub const fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// This many times 2^20 bytes.
    pub const fn mib(mib: usize) -> Self {
        Self(mib.saturating_mul(1 << 20))
    }

    /// The number of bytes.
    pub const fn get(self) -> usize {
        self.0
    }

    /// Refuses what needs more than this, before it is allocated.
    pub(crate) fn afford(self, needed: Option<usize>) -> Result<()> {
        match needed {
            Some(needed) if needed <= self.0 => Ok(()),
            _ => {
                let found =
                    needed.map_or_else(|| "more than any memory".to_owned(), |n| format!("{n} bytes"));
                Err(Error::new(ErrorKind::TooLarge, format!("a need of at most {} bytes", self.0))
                    .field("memory")
                    .found(found))
            }
        }
    }
}

/// Limits of the exact engine: memory, 256 MiB unless said otherwise.
///
/// The answer does not depend on them; what does not fit is refused with
/// [`TooLarge`](crate::ErrorKind::TooLarge).
///
/// # Example
/// ```
/// use dealcast::forecast::{Bytes, ForecastOptions};
/// let options = ForecastOptions::default().memory(Bytes::mib(64));
/// ```
#[derive(Clone, Debug)]
pub struct ForecastOptions {
    pub(crate) memory: Bytes,
    pub(crate) tolerance: f64,
}

impl Default for ForecastOptions {
    fn default() -> Self {
        Self { memory: Bytes::mib(256), tolerance: 0.0 }
    }
}

impl ForecastOptions {
    /// At most this much memory at a time.
    #[must_use]
    pub const fn memory(mut self, memory: Bytes) -> Self {
        self.memory = memory;
        self
    }

    /// How far a chance may be off where the exact way is long: amounts with a common structure, such as mostly
    /// multiples of 1,000, make the distribution a fine staircase, and a smooth curve through it is a thousand times
    /// cheaper. 0 unless said otherwise; what was given up is in the error bound of the answer.
    ///
    /// # Errors
    /// [`OutOfRange`](crate::ErrorKind::OutOfRange) unless the tolerance is from 0 to 0.1.
    pub fn tolerance(mut self, tolerance: f64) -> Result<Self> {
        if !(0.0..=0.1).contains(&tolerance) {
            return Err(Error::out_of_range("tolerance", "a number from 0 to 0.1", tolerance));
        }
        self.tolerance = tolerance;
        Ok(self)
    }

    /// What a forecast of a fitted model asks for: far below what its chances are known to.
    pub(crate) const fn practical() -> Self {
        Self { memory: Bytes::mib(256), tolerance: 2e-3 }
    }
}

/// How far a simulation or a backtest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub(crate) done: usize,
    pub(crate) of: usize,
}

impl Progress {
    /// Scenarios, or windows of a backtest, finished.
    pub const fn done(self) -> usize {
        self.done
    }

    /// Scenarios, or windows of a backtest, in all.
    pub const fn of(self) -> usize {
        self.of
    }
}

pub(crate) type Watcher = Arc<dyn Fn(Progress) -> ControlFlow<()> + Send + Sync>;

/// How many scenarios, from which seed, on how many threads, in how much memory, and who watches.
///
/// 10,000 scenarios, seed 0, one thread and 256 MiB unless said otherwise. The number of threads changes the time
/// it takes and nothing else.
///
/// # Example: stop when nobody waits any longer
/// ```
/// use dealcast::{Amount, ErrorKind, Probability};
/// use dealcast::forecast::{SimulationOptions, Total};
/// use std::ops::ControlFlow;
/// let total = Total::new(Amount::ZERO, [(Probability::new(0.5)?, Amount::new(1e3)?)])?;
/// let options = SimulationOptions::default().scenarios(50_000).progress(|_| ControlFlow::Break(()));
/// assert_eq!(total.simulate(&options).unwrap_err().kind(), ErrorKind::Cancelled);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone)]
pub struct SimulationOptions {
    pub(crate) scenarios: usize,
    pub(crate) seed: Seed,
    pub(crate) threads: usize,
    pub(crate) memory: Bytes,
    pub(crate) watcher: Option<Watcher>,
}

impl Default for SimulationOptions {
    fn default() -> Self {
        Self { scenarios: 10_000, seed: Seed::default(), threads: 1, memory: Bytes::mib(256), watcher: None }
    }
}

impl fmt::Debug for SimulationOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulationOptions")
            .field("scenarios", &self.scenarios)
            .field("seed", &self.seed)
            .field("threads", &self.threads)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl SimulationOptions {
    /// How many scenarios to draw.
    #[must_use]
    pub const fn scenarios(mut self, scenarios: usize) -> Self {
        self.scenarios = scenarios;
        self
    }

    /// Where the random numbers start.
    #[must_use]
    pub const fn seed(mut self, seed: Seed) -> Self {
        self.seed = seed;
        self
    }

    /// On how many threads at most; 0 counts as 1.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// At most this much memory at a time.
    #[must_use]
    pub const fn memory(mut self, memory: Bytes) -> Self {
        self.memory = memory;
        self
    }

    /// Told now and then, on the calling thread, how far the simulation is; `Break` stops it with
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    #[must_use]
    pub fn progress(mut self, watcher: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(watcher));
        self
    }
}
