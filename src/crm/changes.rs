//! Lists of field changes (before, after), which say where a deal began only by what the first change replaced.

use super::cell::{self, amount};
use super::import::Import;
use super::sighting::Sighting;
use super::stages::Place;
use crate::deals::{Cells, Flag, StageId, StageKind, Step};
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Stage,
    /// Open, won, lost or deleted, where a source keeps that apart from the stage.
    Status,
    Amount,
    Close,
    Category,
    Attribute(&'static str),
}

/// A field of a deal before and after a change.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) deal: String,
    pub(super) at: i64,
    pub(super) what: What,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
}

/// What the deal's own row says of its beginning and of today.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    deal: String,
    created: Option<i64>,
    stage: Option<String>,
    amount: Option<String>,
    close: Option<String>,
    /// Its status today and since when, where that is no matter of the stage.
    status: Option<(Status, Option<i64>)>,
}

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Closed(StageKind),
    Deleted,
}

impl Status {
    pub(super) fn read(text: &str, field: &'static str) -> Result<Self> {
        match text {
            "open" => Ok(Self::Open),
            "won" => Ok(Self::Closed(StageKind::Won)),
            "lost" => Ok(Self::Closed(StageKind::Lost)),
            "deleted" => Ok(Self::Deleted),
            _ => {
                let error = Error::new(ErrorKind::Unreadable, "open, won, lost or deleted");
                Err(error.field(field).found(text))
            }
        }
    }
}

/// What a source calls the cells of changes and deals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) old: &'static str,
    pub(super) new: &'static str,
    pub(super) stage: &'static str,
    pub(super) amount: &'static str,
    pub(super) close: &'static str,
    pub(super) closed: &'static str,
}

/// All changes of all deals, and where each began.
#[derive(Debug)]
pub(super) struct Changes {
    names: Names,
    deals: BTreeMap<String, Track>,
}

#[derive(Debug, Default)]
struct Track {
    origin: Option<(u64, Origin)>,
    changes: Vec<(u64, Change)>,
}

/// The cells of a deal today whose former values the changes tell.
#[derive(Clone, Copy)]
pub(super) struct Today<'a> {
    pub(super) stage: Option<&'a str>,
    pub(super) amount: Option<&'a str>,
    pub(super) close: Option<&'a str>,
}

impl Origin {
    pub(super) fn of(sighting: &Sighting<'_>, today: Today<'_>) -> Self {
        Self {
            deal: sighting.deal.clone().into_owned(),
            created: sighting.created,
            stage: today.stage.map(str::to_owned),
            amount: today.amount.map(str::to_owned),
            close: today.close.map(str::to_owned),
            status: None,
        }
    }

    pub(super) fn with(self, status: Option<(Status, Option<i64>)>) -> Self {
        Self { status, ..self }
    }
}

impl Changes {
    pub(super) const fn of(names: Names) -> Self {
        Self { names, deals: BTreeMap::new() }
    }

    /// A change as it was read; `None` where a log keeps nothing of it.
    pub(super) fn take(
        &mut self,
        import: &mut Import<'_>,
        record: u64,
        change: Result<Option<Change>>,
    ) -> Result<()> {
        match change {
            Ok(Some(change)) => {
                let track = self.deals.entry(change.deal.clone()).or_default();
                track.changes.push((record, change));
                Ok(())
            }
            Ok(None) => {
                import.offer.ignore();
                Ok(())
            }
            Err(error) => import.row(record, Err(error)),
        }
    }

    pub(super) fn begin(&mut self, record: u64, origin: Origin) {
        let track = self.deals.entry(origin.deal.clone()).or_default();
        track.origin = Some((record, origin));
    }

    /// Hands in what all of them say, deal after deal.
    pub(super) fn finish(self, import: &mut Import<'_>) -> Result<()> {
        let Self { names, deals } = self;
        deals.into_iter().try_for_each(|(deal, track)| Walk::new(import, names, &deal).follow(track))
    }
}

/// Where a deal stands while its changes are walked through.
struct Walk<'w, 's> {
    import: &'w mut Import<'s>,
    names: Names,
    deal: &'w str,
    stage: Option<String>,
    status: Status,
}

impl<'w, 's> Walk<'w, 's> {
    const fn new(import: &'w mut Import<'s>, names: Names, deal: &'w str) -> Self {
        Self { import, names, deal, stage: None, status: Status::Open }
    }

    fn follow(mut self, mut track: Track) -> Result<()> {
        in_order(&mut track.changes);
        let has_status = track.changes.iter().any(|(_, change)| change.what == What::Status);
        if let Some((record, origin)) = &track.origin {
            self.begin(*record, origin, &track.changes)?;
        }
        for (record, change) in &track.changes {
            self.change(*record, change)?;
        }
        match track.origin {
            // The list of changes says nothing of the status: the deal's own row does.
            Some((record, Origin { status: Some((status, at)), .. }))
                if !has_status && status != Status::Open =>
            {
                let when = at.ok_or_else(|| {
                    Error::new(ErrorKind::Missing, "when the deal was closed").field(self.names.closed)
                });
                let row = when.and_then(|at| {
                    Ok(Cells { deal: self.deal, at, step: self.turn(status)?, ..Cells::default() })
                });
                self.import.row(record, row.map_err(|error| error.of_deal(self.deal)))
            }
            _ => Ok(()),
        }
    }

    /// The deal's first row: the values that the first changes replaced, or today's where nothing changed.
    fn begin(&mut self, record: u64, origin: &Origin, changes: &[(u64, Change)]) -> Result<()> {
        let Some(created) = origin.created else { return Ok(()) };
        let first = |what: What| changes.iter().map(|(_, change)| change).find(|change| change.what == what);
        let was = |what: What, today: &Option<String>| {
            first(what).map_or(today.clone(), |change| change.old.clone())
        };
        let reaches_back = |since: i64| first(What::Stage).is_some_and(|change| change.at < since);
        let since =
            self.import.context.reading.since.filter(|&since| created < since && !reaches_back(since));
        let (at, flag) = since.map_or((created, Flag::Entered), |since| (since, Flag::Seen));
        self.stage = was(What::Stage, &origin.stage);
        let (money, close) = (was(What::Amount, &origin.amount), was(What::Close, &origin.close));
        let name = |what: What, today| if first(what).is_some() { self.names.old } else { today };
        let stage_name = name(What::Stage, self.names.stage);
        let amount_name = name(What::Amount, self.names.amount);
        let close_name = name(What::Close, self.names.close);
        let row = self.here(flag, stage_name).map(|step| {
            let reading = &self.import.context.reading;
            Cells {
                deal: self.deal,
                at,
                step,
                amount: cell::change(money.as_ref(), |text| amount(text, amount_name)),
                close: cell::change(close.as_ref(), |text| reading.day(text, close_name)),
                ..Cells::default()
            }
        });
        self.import.row(record, row.map_err(|error| error.of_deal(self.deal)))
    }

    fn change(&mut self, record: u64, change: &Change) -> Result<()> {
        let mut cells = Cells { deal: self.deal, at: change.at, ..Cells::default() };
        let (reading, names) = (self.import.context.reading, self.names);
        let step = match change.what {
            What::Stage => {
                self.stage.clone_from(&change.new);
                if self.status != Status::Open {
                    // A closed deal stays where it is; if it is opened again, it comes back here.
                    self.import.offer.ignore();
                    return Ok(());
                }
                self.here(Flag::Entered, names.new)
            }
            What::Status => cell::needed(change.new.as_ref(), names.new)
                .and_then(|text| Status::read(text, names.new))
                .and_then(|status| self.turn(status)),
            _ => Ok(Step::default()),
        };
        let new = change.new.as_ref();
        match change.what {
            What::Stage | What::Status => {}
            What::Amount => cells.amount = cell::state(new, |text| amount(text, names.new)),
            What::Close => cells.close = cell::state(new, |text| reading.day(text, names.new)),
            What::Category => cells.category = Some(new.map_or("", String::as_str)),
            What::Attribute(name) => cells.attributes.push((name, new.map_or("", String::as_str))),
        }
        let row = step.map(|step| Cells { step, ..cells });
        self.import.row(record, row.map_err(|error| error.of_deal(self.deal)))
    }

    /// Being in the stage in which it is.
    fn here(&self, flag: Flag, field: &'static str) -> Result<Step> {
        let stage = cell::needed(self.stage.as_ref(), field)?;
        let place = self.import.context.stages.find(None, stage).map_err(|error| error.field(field))?;
        Ok(place.step(flag))
    }

    /// Taking a status. A deal whose stage is out of sight is so with any status.
    fn turn(&mut self, status: Status) -> Result<Step> {
        self.status = status;
        let removed = Step { flag: Flag::Removed, stage: StageId::default() };
        match status {
            Status::Open => self.here(Flag::Entered, self.names.stage),
            Status::Deleted => Ok(removed),
            Status::Closed(kind) => {
                let stages = self.import.context.stages;
                let here = self.stage.as_deref().map(|stage| stages.find(None, stage)).transpose();
                match here {
                    Ok(Some(Place::Elsewhere)) => Ok(removed),
                    _ => Ok(stages.outcome(kind)?.step(Flag::Entered)),
                }
            }
        }
    }
}

/// By instant. Of changes of one instant, lists that are newest first come the other way round: turned where each
/// replaces what the next one brings.
fn in_order(changes: &mut [(u64, Change)]) {
    changes.sort_by_key(|(record, change)| (change.at, *record));
    for group in changes.chunk_by_mut(|a, b| a.1.at == b.1.at && a.1.what == b.1.what) {
        let backwards = group.windows(2).all(|pair| match pair {
            [(_, first), (_, second)] => first.old == second.new && first.new != second.old,
            _ => false,
        });
        if group.len() > 1 && backwards {
            group.reverse();
        }
    }
}
