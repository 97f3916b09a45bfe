//! From snapshots alone to a log: daily hazards by expectation-maximisation, and moves put on days between snapshots.

mod ahead;
mod events;
mod learn;

use crate::deals::{DealLog, Finding, Sighting, SnapshotSeries, StageId, StageKind, Vanished};
use crate::error::shortened;
use crate::history::Next;
use crate::history::ages;
use crate::history::lives::open_stage;
use crate::history::visits::Place;
use crate::num::Probability;
use crate::time::{DAY, civil_day, seconds};
use crate::{Error, ErrorKind, Result, SalesProcess};
use ahead::Interval;
use events::{Pen, Scribe};
use learn::{From, Learned, Passage};
use std::fmt;

/// Longest gap between two snapshots through which moves are followed, in days. Beyond it a deal is only found.
const LONGEST_GAP: i32 = 400;
/// Share of a stage's stays that no snapshot may have seen before the stage counts as too quick for them.
const MOST_UNSEEN: f64 = 0.25;

/// What a series of snapshots lets one know: a log whose moves lie on days between the snapshots that show them, the
/// daily hazards behind it, and the stages that are too quick for the snapshots.
///
/// In the words of sales: a company with nothing but weekly exports gets the same forecast, by the same way, as one with a
/// full history; how much worse it is depends on how many moves a week hides.
///
/// # Meaning
/// * Everything that two snapshots show between them becomes known just before the later one. So as of the instant of a
///   snapshot the log shows what the snapshot shows, and later snapshots change nothing that was known before: a
///   backtest on this log sees no future.
/// * As of an instant between two snapshots nothing is known of the days since the earlier one: the log answers as of that
///   one, and a forecast starts there.
/// * A date in a row (`entered`, `created`) is taken as it is. Else the days of a deal's moves are drawn from their chances
///   under the hazards known by then, spread evenly over the deals that moved: no single day is a fact, their
///   numbers are. The [receipt](DealLog::receipt) counts them ([`Finding::BetweenSnapshots`]) and what vanished.
/// * A stage that a deal can only have passed between two snapshots is passed where that is likely.
/// * Who is in the same stage in two snapshots in a row has stayed. Who comes back after being away, or after more than 400
///   days without a snapshot, is only found.
///
/// # Formula
/// The daily chain on (stage, age) of the forecast model. E step: expected exits and days at risk between snapshots,
/// given both ends; M step: the smoothed hazards of those sums. After every snapshot one step on what is new, on everything
/// each time that the number of moves has doubled.
///
/// # Assumptions
/// The times of the snapshots have nothing to do with when deals move. A move is drawn from what is known by the snapshot
/// that shows it, so how hazards change with age shows at the scale of the interval, not finer.
///
/// # Example: a forecast from weekly exports
/// ```
/// use dealcast::deals::{SnapshotSeries, Vanished};
/// use dealcast::synthetic::{Company, World};
/// use dealcast::{FiscalCalendar, ForecastModel, Seed, time::date};
/// let full = Company::named(World::Stationary, Seed::new(7))?.log()?;
/// let mondays = (0..80).map(|week| date(2022, 1, 3).unwrap() + chrono::Days::new(7 * week));
/// let exports = mondays.map(|monday| full.as_of(monday).snapshot());
/// let series = SnapshotSeries::from_snapshots(Vanished::Lost, exports)?;
///
/// let reconstruction = series.reconstruct()?;
/// let known = reconstruction.log().as_of(date(2023, 7, 10)?);
/// let quarter = FiscalCalendar::calendar().quarter_at(known.at())?;
/// let fitted = ForecastModel::default().fit(&known, &quarter)?;
/// let forecast = fitted.forecast(&known.snapshot(), &quarter)?;
/// assert!(forecast.mean() > 0.0);
/// println!("{reconstruction}\n{forecast}");
/// # Ok::<(), dealcast::Error>(())
/// ```
///
/// # Reference
/// Kalbfleisch & Lawless (1985), The analysis of panel data under a Markov assumption; Asanjarani, Liquet & Nazarathy
/// (2021) on the semi-Markov case.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    process: SalesProcess,
    log: DealLog,
    hazards: super::hazard::Table,
    coarse: Vec<CoarseStage>,
    interval_days: Option<u32>,
}

/// A stage that deals pass too quickly for the snapshots: many stays are never seen.
#[derive(Clone, Debug, PartialEq)]
pub struct CoarseStage {
    stage: String,
    unseen: Probability,
}

impl CoarseStage {
    /// The stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The share of its stays that began and ended between the same two snapshots, as far as can be told.
    pub const fn unseen(&self) -> Probability {
        self.unseen
    }
}

impl SnapshotSeries {
    /// The log that the snapshots amount to.
    ///
    /// # Errors
    /// [`NoHistory`](ErrorKind::NoHistory) without a snapshot.
    pub fn reconstruct(&self) -> Result<Reconstruction> {
        let boundaries = self.instants().iter().map(|&at| nearest_midnight(seconds(at)));
        let boundaries: Vec<i32> = boundaries.collect();
        if boundaries.is_empty() {
            return Err(Error::new(ErrorKind::NoHistory, "a snapshot"));
        }
        let mut learned = Learned::new(self.process().open_stages().len());
        let mut scribe = Scribe::new(self);
        let mut deals: Vec<Follower<'_>> =
            self.tracks().map(|(id, track)| Follower::new(id, track)).collect();
        for now in 0..boundaries.len() {
            scribe.turn_to(now);
            let step = Step { series: self, boundaries: &boundaries, now };
            let mut passages = Vec::new();
            for (number, deal) in deals.iter_mut().enumerate() {
                match deal.step(&step, (&mut learned, &mut scribe)) {
                    Some(passage) => passages.push((passage, number)),
                    None => scribe.rest(&mut deal.pen),
                }
            }
            passages.sort_unstable();
            learned.learn(&passages.iter().map(|&(passage, _)| passage).collect::<Vec<_>>());
            let drawn: Vec<(Passage, f64)> =
                passages.iter().map(|&(passage, _)| (passage, scribe.spread())).collect();
            for (moves, (passage, number)) in learned.draw(&drawn).into_iter().zip(&passages) {
                if let Some(deal) = deals.get_mut(*number) {
                    deal.moved(&step, (&moves, passage.interval.end), &mut scribe);
                }
            }
        }
        let coarse = self.coarse(&learned);
        let log = scribe.finish()?.noting(Finding::Vanished, self.n_vanished());
        let log = log.looked_at(self.instants().iter().copied());
        let interval_days = median_gap(&boundaries);
        Ok(Reconstruction {
            process: self.process().clone(),
            log,
            hazards: learned.hazards,
            coarse,
            interval_days,
        })
    }

    fn coarse(&self, learned: &Learned) -> Vec<CoarseStage> {
        let stages = self.process().open_stages().iter().zip(learned.unseen_shares());
        let coarse = stages.filter(|(_, share)| *share > MOST_UNSEEN);
        coarse
            .map(|(stage, share)| CoarseStage {
                stage: stage.name().to_owned(),
                unseen: Probability::rounded(share),
            })
            .collect()
    }
}

/// The day whose start is nearest to an instant: an export of the evening shows the day, one of the morning the day before.
fn nearest_midnight(at: i64) -> i32 {
    civil_day(at.saturating_add(DAY / 2))
}

fn median_gap(boundaries: &[i32]) -> Option<u32> {
    let mut gaps: Vec<u32> = boundaries
        .windows(2)
        .filter_map(|pair| if let [a, b] = pair { u32::try_from(b - a).ok() } else { None })
        .collect();
    let middle = gaps.len().checked_sub(1)? / 2;
    Some(*gaps.select_nth_unstable(middle).1)
}

/// A deal on its way through the snapshots.
struct Follower<'s> {
    track: &'s [Sighting],
    /// The sighting to come.
    next: usize,
    at: Option<Standing>,
    pen: Pen<'s>,
}

/// Where a deal stands.
#[derive(Clone, Copy)]
struct Standing {
    place: Place,
    entered: i32,
    entry_known: bool,
}

/// The step to a snapshot.
struct Step<'s> {
    series: &'s SnapshotSeries,
    boundaries: &'s [i32],
    now: usize,
}

impl Step<'_> {
    /// The boundary before, and the whole days since; `None` where moves are not followed.
    fn days(&self) -> Option<(i32, usize)> {
        let before = *self.boundaries.get(self.now.checked_sub(1)?)?;
        let n_days = self.boundaries.get(self.now)?.checked_sub(before)?;
        let n_days = usize::try_from(n_days).ok().filter(|_| (1..=LONGEST_GAP).contains(&n_days))?;
        Some((before, n_days))
    }

    /// Whether this snapshot is of the same day as the one before.
    fn is_same_day(&self) -> bool {
        self.now
            .checked_sub(1)
            .is_some_and(|before| self.boundaries.get(before) == self.boundaries.get(self.now))
    }

    fn n_open(&self) -> Place {
        u8::try_from(self.series.process().open_stages().len()).unwrap_or(u8::MAX)
    }

    /// The place of a stage in the daily chain.
    fn place(&self, stage: StageId) -> Place {
        match self.series.process().kind(stage) {
            StageKind::Open => stage.0,
            StageKind::Won => self.n_open(),
            StageKind::Lost => self.n_open() + 1,
        }
    }
}

impl<'s> Follower<'s> {
    const fn new(id: &'s str, track: &'s [Sighting]) -> Self {
        Self { track, next: 0, at: None, pen: Pen::new(id) }
    }

    /// What the next snapshot shows of the deal: written down at once where its day is known, else a passage.
    fn step(
        &mut self,
        step: &Step<'s>,
        (learned, scribe): (&mut Learned, &mut Scribe<'s>),
    ) -> Option<Passage> {
        let before = self.next.checked_sub(1).and_then(|i| self.track.get(i));
        let Some(here) = self.track.get(self.next).filter(|sighting| sighting.first == step.now) else {
            return match before {
                Some(before) if step.now <= before.last => self.stay(step, learned),
                Some(before) if step.now == before.last + 1 => self.vanish(step, scribe),
                _ => None,
            };
        };
        self.next += 1;
        self.pen.note(before, here);
        let adjacent = before.is_some_and(|before| before.last + 1 == step.now);
        if adjacent && before.is_some_and(|before| before.stage == here.stage) {
            return self.stay(step, learned);
        }
        let from = match self.at {
            None if before.is_none() && step.now > 0 => Some(From::Nowhere { created: created(step, here) }),
            Some(standing) if adjacent && standing.place < step.n_open() => Some(left(step, standing)),
            _ => None,
        };
        match (here.row.entered.filter(|_| !here.row.seen), from, step.days()) {
            (Some(entered), from, _) => {
                self.enter(step, (here.stage, seconds(entered)), from.is_some().then_some(learned), scribe);
                None
            }
            (None, Some(from), Some((_, n_days))) => {
                let interval = Interval { n_days, end: step.place(here.stage) };
                Some(Passage { interval, from })
            }
            (None, from, _) => {
                self.find(step, (here.stage, from.is_some() && step.is_same_day()), scribe);
                None
            }
        }
    }

    /// It entered a stage at a stated instant.
    fn enter(
        &mut self,
        step: &Step<'s>,
        (stage, at): (StageId, i64),
        learned: Option<&mut Learned>,
        scribe: &mut Scribe<'s>,
    ) {
        let (day, place) = (civil_day(at), step.place(stage));
        let from = self.at.filter(|from| from.entry_known && from.place < step.n_open());
        if let (Some(learned), Some(from), Some((first, _))) = (learned, from, step.days()) {
            let stayed = usize::try_from(day.saturating_sub(first)).unwrap_or(0);
            learned.stayed(from.place, (first.saturating_sub(from.entered), stayed));
            learned.moved(from.place, day.saturating_sub(from.entered), place);
        }
        self.at = Some(Standing { place, entered: day, entry_known: true });
        scribe.entered(&mut self.pen, stage, at);
    }

    /// It is somewhere, since an unknown day unless both snapshots are of one day.
    fn find(&mut self, step: &Step<'s>, (stage, entry_known): (StageId, bool), scribe: &mut Scribe<'s>) {
        let day = step.boundaries.get(step.now).map_or(0, |day| day.saturating_sub(1));
        self.at = Some(Standing { place: step.place(stage), entered: day, entry_known });
        if entry_known {
            scribe.entered(&mut self.pen, stage, i64::MAX);
        } else {
            scribe.found(&mut self.pen, stage);
        }
    }

    fn stay(&self, step: &Step<'s>, learned: &mut Learned) -> Option<Passage> {
        let standing = self.at.filter(|at| at.entry_known && at.place < step.n_open())?;
        let (first, n_days) = step.days()?;
        learned.stayed(standing.place, (first.saturating_sub(standing.entered), n_days));
        None
    }

    /// An open deal is missing.
    fn vanish(&mut self, step: &Step<'s>, scribe: &mut Scribe<'s>) -> Option<Passage> {
        let standing = self.at.filter(|at| at.place < step.n_open())?;
        if step.series.vanished() != Vanished::Lost {
            self.at = None;
            scribe.removed(&mut self.pen);
            return None;
        }
        let lost = scribe.first(StageKind::Lost)?;
        if let Some((_, n_days)) = step.days() {
            let interval = Interval { n_days, end: step.place(lost) };
            Some(Passage { interval, from: left(step, standing) })
        } else {
            self.find(step, (lost, true), scribe);
            None
        }
    }

    /// Its moves between two snapshots, by day of the interval and place, of which the last is the `end`.
    fn moved(&mut self, step: &Step<'s>, (moves, end): (&[(usize, usize)], Place), scribe: &mut Scribe<'s>) {
        let here = self.next.checked_sub(1).and_then(|i| self.track.get(i));
        let here = here.filter(|here| here.first == step.now).map(|here| here.stage);
        let Some(here) = here.or_else(|| scribe.first(StageKind::Lost)) else { return };
        let Some((first, _)) = step.days() else { return };
        let open =
            |place: usize| u8::try_from(place).ok().filter(|&place| place < step.n_open()).map(StageId);
        let day = |day: usize| first.saturating_add(i32::try_from(day).unwrap_or(0));
        let last_day = moves.last().map_or(first, |&(at, _)| day(at));
        let on_the_way = moves.iter().take(moves.len().saturating_sub(1));
        let mut days: Vec<(i32, StageId)> =
            on_the_way.filter_map(|&(at, place)| Some((day(at), open(place)?))).collect();
        days.push((last_day, here));
        self.at = Some(Standing { place: end, entered: last_day, entry_known: true });
        scribe.between(&mut self.pen, &days);
    }
}

/// The start of a passage out of a stage.
fn left(step: &Step<'_>, standing: Standing) -> From {
    let age = step.days().map_or(0, |(first, _)| first.saturating_sub(standing.entered));
    From::Stage { stage: standing.place, age, age_known: standing.entry_known }
}

/// The day of the interval on which a new deal was created, where its row says so.
fn created(step: &Step<'_>, here: &Sighting) -> Option<usize> {
    let (first, n_days) = step.days()?;
    let day = civil_day(seconds(here.row.created?)).checked_sub(first)?;
    usize::try_from(day).ok().filter(|&day| day < n_days)
}

impl Reconstruction {
    /// The log: as of the instant of each snapshot it shows what the snapshot shows.
    pub const fn log(&self) -> &DealLog {
        &self.log
    }

    /// The log, to keep.
    pub fn into_log(self) -> DealLog {
        self.log
    }

    /// The chance that a deal that has been in a stage for `age_days` whole days goes there on that day.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) for a stage that is not an open one.
    pub fn daily_chance(&self, (from, to): (&str, Next<'_>), age_days: u32) -> Result<Probability> {
        let n_open = self.process.open_stages().len();
        let to = match to {
            Next::Stage(name) => open_stage(&self.process, name)?.index(),
            Next::Won => n_open,
            Next::Lost => n_open + 1,
        };
        let from = open_stage(&self.process, from)?.index();
        let bin = ages::bin_of(i32::try_from(age_days).unwrap_or(i32::MAX));
        Ok(Probability::rounded(self.hazards.row(from, bin).get(to).copied().unwrap_or(0.0)))
    }

    /// The stages that deals pass too quickly for the snapshots: what is said of them rests on the model.
    pub fn coarse_stages(&self) -> &[CoarseStage] {
        &self.coarse
    }

    /// The usual number of days between two snapshots; `None` with one snapshot.
    pub const fn interval_days(&self) -> Option<u32> {
        self.interval_days
    }
}

impl fmt::Display for Reconstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let receipt = self.log.receipt();
        match self.interval_days {
            Some(days) => write!(f, "snapshots {days} days apart: ")?,
            None => write!(f, "one snapshot: ")?,
        }
        write!(f, "{} moves lie between two of them", receipt.count(Finding::BetweenSnapshots))?;
        if self.interval_days.is_some() {
            write!(f, ", {} deals vanished", receipt.count(Finding::Vanished))?;
        }
        for coarse in &self.coarse {
            write!(f, "\n{}: too quick for these snapshots, ", shortened(&coarse.stage, 32))?;
            write!(f, "{} of the stays were never seen", coarse.unseen)?;
        }
        Ok(())
    }
}
