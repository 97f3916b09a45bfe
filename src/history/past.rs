//! The history of a log in civil days, and the view of it from an earlier day.

use super::classes::Classes;
use super::counts::StageCounts;
use super::said::{Dated, Said};
use super::visits::{CENSORED, Place, STILL_OPEN, Visit};
use crate::deals::{DealView, Flag, Known, SalesProcess, StageKind};
use crate::time::civil_day;
use std::sync::OnceLock;

/// What was known of a log at an origin, in civil days and columns.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Number of open stages; won is this number as a place, lost the next.
    pub n_open: u8,
    /// The first day on which a deal was in a stage.
    first: Option<i32>,
    /// The day of the origin: the first day of which not everything is known.
    pub day: i32,
    /// Position of each deal in its log, the same in every history of that log.
    pub places: Vec<usize>,
    /// Deal after deal, each deal's in order.
    pub visits: Vec<Visit>,
    /// The visits that are arrivals, by stage, class and first amount: the order in which a fit puts them together.
    arrivals: Vec<Visit>,
    pub classes: Classes,
    amounts: Dated<f64>,
    pub said: Said,
    counts: OnceLock<StageCounts>,
}

impl History {
    /// One pass over what is known.
    pub(crate) fn of(known: &Known<'_>) -> Self {
        let process = known.process();
        let n_open = u8::try_from(process.open_stages().len()).unwrap_or(u8::MAX);
        let day = civil_day(known.until());
        let mut visits = Vec::new();
        let (mut amounts, mut tags, mut places) = (Dated::default(), Vec::new(), Vec::new());
        for (deal, view) in (0..).zip(known.deals()) {
            Walk { process, n_open, deal, visits: &mut visits }.follow(&view);
            amounts.push(view.amounts());
            places.push(view.place());
            let mut born_with: Vec<(&str, &str)> = view.born_with().collect();
            born_with.sort_unstable();
            born_with.dedup_by_key(|tag| tag.0);
            tags.push(born_with);
        }
        let classes = Classes::of(tags);
        let (arrivals, counts) = (Vec::new(), OnceLock::new());
        let said = Said::of(known);
        let first = visits.iter().map(|v| v.entered).min();
        let mut history =
            Self { n_open, first, day, places, visits, arrivals, classes, amounts, said, counts };
        let place = |v: &Visit| {
            let amount = history.amount_before(v.deal, v.entered.saturating_add(1)).unwrap_or(-1.0);
            ((v.stage, history.class(v.deal)), amount)
        };
        let mut arrivals: Vec<_> =
            history.visits.iter().filter(|v| v.arrival).map(|v| (place(v), *v)).collect();
        arrivals.sort_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        history.arrivals = arrivals.into_iter().map(|(_, visit)| visit).collect();
        history
    }

    /// What is fitted; counted when it is first asked for, as not every reader of a history fits.
    pub(crate) fn counts(&self) -> &StageCounts {
        let Self { day, visits, classes, n_open, .. } = self;
        self.counts.get_or_init(|| StageCounts::before(*day, visits, &classes.of_deal, *n_open))
    }

    /// The place of deals that are won.
    pub(crate) const fn won(&self) -> Place {
        self.n_open
    }

    /// The amount of a deal as last stated before a day.
    pub(crate) fn amount_before(&self, deal: u32, day: i32) -> Option<f64> {
        self.amounts.before(deal, day)
    }

    /// The position of a deal in its log.
    pub(crate) fn place(&self, deal: u32) -> Option<usize> {
        self.places.get(usize::try_from(deal).ok()?).copied()
    }

    /// The class of a deal.
    pub(crate) fn class(&self, deal: u32) -> u32 {
        usize::try_from(deal).ok().and_then(|deal| self.classes.of_deal.get(deal)).map_or(0, |&class| class)
    }

    /// The history as it stood at the start of a day that lies a whole number of weeks before the origin.
    pub(crate) fn at(&self, day: i32) -> Past<'_> {
        Past { history: self, day: day.min(self.day) }
    }
}

/// The history as it stood at the start of a day: every question is answered from facts before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past<'a> {
    pub history: &'a History,
    pub day: i32,
}

impl<'a> Past<'a> {
    /// Visits that had begun, each as it then looked.
    pub(crate) fn visits(self) -> impl Iterator<Item = Visit> + 'a {
        let day = self.day;
        self.history
            .visits
            .iter()
            .filter(move |v| v.entered < day)
            .map(move |v| if v.left < day { *v } else { Visit { left: STILL_OPEN, to: CENSORED, ..*v } })
    }

    /// Arrivals before the day, by stage, class and first amount.
    pub(crate) fn arrivals(self) -> impl Iterator<Item = &'a Visit> {
        self.history.arrivals.iter().filter(move |v| v.entered < self.day)
    }

    /// First day on which anything happened.
    pub(crate) fn first_day(self) -> Option<i32> {
        self.history.first.filter(|&first| first < self.day)
    }
}

/// Turns the moves of one deal into visits.
struct Walk<'v> {
    process: &'v SalesProcess,
    n_open: u8,
    deal: u32,
    visits: &'v mut Vec<Visit>,
}

impl Walk<'_> {
    fn follow(&mut self, view: &DealView<'_>) {
        // The place it is in, and the last day on which it was seen there.
        let mut current: Option<Place> = None;
        let mut confirmed = 0;
        // A deal that was found in a stage is older than its history: it was created on an unknown day.
        let mut arrives = view.moves().next().is_some_and(|first| first.step.flag != Flag::Seen);
        for (n, moved) in view.moves().enumerate() {
            let day = civil_day(moved.at);
            let to = match moved.step.flag {
                Flag::Removed | Flag::Created | Flag::None => None,
                Flag::Entered | Flag::Seen => Some(self.place(moved.step.stage)),
            };
            if to == current {
                confirmed = day;
                continue;
            }
            self.leave(current, day, to, (moved.step.flag == Flag::Seen).then_some(confirmed));
            arrives |= n > 0 && current.is_none_or(|place| place >= self.n_open);
            if let Some(place) = to.filter(|&place| place <= self.n_open) {
                self.visits.push(Visit {
                    deal: self.deal,
                    entered: day,
                    left: STILL_OPEN,
                    stage: place,
                    to: CENSORED,
                    entry_known: moved.step.flag == Flag::Entered,
                    arrival: arrives,
                });
                arrives = false;
            }
            (current, confirmed) = (to, day);
        }
    }

    /// Ends the visit to a place. Where the next stage was only found, not seen entered, the deal left on an unknown
    /// day after the last on which it was seen here.
    fn leave(&mut self, from: Option<Place>, day: i32, to: Option<Place>, unseen_since: Option<i32>) {
        let (Some(from), Some(visit)) = (from, self.visits.last_mut()) else { return };
        if from > self.n_open {
            return;
        }
        (visit.left, visit.to) = match (unseen_since, to) {
            (None, Some(to)) if from < self.n_open => (day, to),
            (None, _) => (day, CENSORED),
            (Some(confirmed), _) => (confirmed, CENSORED),
        };
    }

    fn place(&self, stage: crate::deals::StageId) -> Place {
        match self.process.kind(stage) {
            StageKind::Open => stage.0,
            StageKind::Won => self.n_open,
            StageKind::Lost => self.n_open + 1,
        }
    }
}
