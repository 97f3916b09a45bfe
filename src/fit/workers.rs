//! Work that is split over threads without changing an answer.
//!
//! Each item is worked on by itself and its result put in its place, so the number of threads, and which of them was
//! faster, cannot be seen in what comes out. Threads exist only while a call runs.

use crate::forecast::{Progress, Watcher};
use crate::{Error, ErrorKind, Result};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Most threads of one call.
const MOST_THREADS: usize = 1024;

/// On how many threads to work, and who is told how far it is.
///
/// Handed to [`forecast_all`](crate::backtest::Forecaster::forecast_all) by a backtest.
///
/// # Example: the squares of many numbers, on two threads
/// ```
/// use dealcast::backtest::Workers;
/// let squares = Workers::threads(2).each(&[1_u32, 2, 3], |x| Ok(x * x))?;
/// assert_eq!(squares, [1, 4, 9]);
/// # Ok::<(), dealcast::Error>(())
/// ```
pub struct Workers {
    threads: usize,
    watcher: Option<Watcher>,
    /// How much there is to do in all, and how much is done.
    of: usize,
    done: AtomicUsize,
}

impl Default for Workers {
    /// One thread, nobody watches.
    fn default() -> Self {
        Self::threads(1)
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads", &self.threads)
            .field("of", &self.of)
            .finish_non_exhaustive()
    }
}

impl Workers {
    /// At most this many threads; 0 counts as 1.
    #[must_use]
    pub fn threads(threads: usize) -> Self {
        Self { threads: threads.clamp(1, MOST_THREADS), watcher: None, of: 0, done: AtomicUsize::new(0) }
    }

    /// With a watcher who is told of each of `of` items that [`each`](Self::each) finishes.
    pub(crate) fn watched(mut self, watcher: Option<Watcher>, of: usize) -> Self {
        (self.watcher, self.of) = (watcher, of);
        self
    }

    /// The result for each item, in the order of the items; each counts as one piece of the progress.
    ///
    /// # Errors
    /// The first error in the order of the items; [`Cancelled`](ErrorKind::Cancelled) where the watcher said so.
    pub fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        self.run(items, work, 1)
    }

    /// As [`each`](Self::each) for work that several items share: the watcher is asked whether to go on, nothing is
    /// counted.
    ///
    /// # Errors
    /// As there.
    pub fn prepare<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        self.run(items, work, 0)
    }

    fn run<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R> + Sync,
        worth: usize,
    ) -> Result<Vec<R>> {
        self.tell(0)?;
        let threads = self.threads.min(items.len());
        if threads > 1 {
            return self.run_on(threads, items, (&work, worth));
        }
        items.iter().map(|item| work(item).and_then(|result| self.tell(worth).map(|()| result))).collect()
    }

    /// Items are taken in their order, so that when one fails all before it are taken already: the first error does not
    /// depend on the threads.
    fn run_on<T: Sync, R: Send>(
        &self,
        threads: usize,
        items: &[T],
        (work, worth): (&(impl Fn(&T) -> Result<R> + Sync), usize),
    ) -> Result<Vec<R>> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let (send, finished) = mpsc::channel();
            for _ in 0..threads {
                let (send, next, stop) = (send.clone(), &next, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(place) else { break };
                        // Nobody listens any longer where the watcher panicked.
                        if send.send((place, work(item))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
            let mut failed: Option<(usize, Error)> = None;
            for (place, result) in finished {
                // Once something failed, nobody is told of the rest.
                let tell = || if failed.is_none() { self.tell(worth) } else { Ok(()) };
                match result.and_then(|result| tell().map(|()| result)) {
                    Ok(result) => {
                        if let Some(slot) = results.get_mut(place) {
                            *slot = Some(result);
                        }
                    }
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        if failed.as_ref().is_none_or(|(first, _)| place < *first) {
                            failed = Some((place, error));
                        }
                    }
                }
            }
            match failed {
                Some((_, error)) => Err(error),
                None => Ok(results.into_iter().flatten().collect()),
            }
        })
    }

    fn tell(&self, worth: usize) -> Result<()> {
        let Some(watcher) = &self.watcher else { return Ok(()) };
        let done = self.done.fetch_add(worth, Ordering::Relaxed) + worth;
        match watcher(Progress { done: done.min(self.of), of: self.of }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(Error::new(ErrorKind::Cancelled, "a progress callback that lets the work go on"))
            }
        }
    }
}
