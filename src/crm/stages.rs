//! Stage definitions of an export, and the sales process they make.

use crate::deals::{Flag, SalesProcess, Stage, StageId, StageKind, Step};
use crate::num::Probability;
use crate::{Error, ErrorKind, Result};

/// A stage as its CRM defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct StageDefinition {
    id: String,
    label: String,
    kind: StageKind,
    pipeline: Option<(String, String)>,
    order: i64,
    probability: Option<Probability>,
}

impl StageDefinition {
    /// A stage: the id that rows carry, and what people call it.
    pub fn new(id: impl Into<String>, label: impl Into<String>, kind: StageKind) -> Self {
        let (id, label) = (id.into(), label.into());
        Self { id, label, kind, pipeline: None, order: 0, probability: None }
    }

    /// Its pipeline: id and label.
    #[must_use]
    pub fn pipeline(mut self, id: impl Into<String>, label: impl Into<String>) -> Self {
        self.pipeline = Some((id.into(), label.into()));
        self
    }

    /// Its place in the order of display; stages of one place keep the order in which they are given.
    #[must_use]
    pub const fn order(mut self, order: i64) -> Self {
        self.order = order;
        self
    }

    /// The chance of winning that the CRM states for it.
    #[must_use]
    pub const fn probability(mut self, probability: Option<Probability>) -> Self {
        self.probability = probability;
        self
    }

    fn is_in(&self, pipeline: &str) -> bool {
        self.pipeline.as_ref().is_some_and(|(id, label)| id == pipeline || label == pipeline)
    }
}

/// The stages of an export: its [`SalesProcess`], and which stage each id or label of a row means.
///
/// # Meaning
/// What is won and what is lost is said by the definitions, never guessed from a name. Several pipelines become one
/// process, pipeline after pipeline, so that one log holds every deal and a deal that changes pipelines moves on; a label
/// that occurs more than once is preceded by its pipeline's.
///
/// # Example: two pipelines that both have a stage called Proposal
/// ```
/// use dealcast::crm::{StageDefinition, Stages};
/// use dealcast::deals::StageKind::{Lost, Open, Won};
/// let stages = Stages::new([
///     StageDefinition::new("11", "Proposal", Open).pipeline("1", "New"),
///     StageDefinition::new("12", "Contract", Open).pipeline("1", "New").order(1),
///     StageDefinition::new("21", "Proposal", Open).pipeline("2", "Renewal"),
///     StageDefinition::new("won", "Won", Won),
///     StageDefinition::new("lost", "Lost", Lost),
/// ])?;
/// assert_eq!(stages.process().to_string(), "New: Proposal > Contract > Renewal: Proposal | Won | Lost");
/// let renewals = stages.only("Renewal")?;
/// assert_eq!(renewals.process().to_string(), "Proposal | Won | Lost");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Stages {
    process: SalesProcess,
    definitions: Vec<(StageDefinition, Place)>,
    /// Former names, and the ids or labels they stand for.
    former: Vec<(String, String)>,
}

/// Where a stage lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    In(StageId),
    /// In a pipeline that is not looked at.
    Elsewhere,
}

impl Place {
    /// Being there, as a row says it. A deal that goes elsewhere leaves the pipeline without an outcome.
    pub(super) fn step(self, flag: Flag) -> Step {
        match self {
            Self::In(stage) => Step { flag, stage },
            Self::Elsewhere => Step { flag: Flag::Removed, stage: StageId::default() },
        }
    }
}

impl Stages {
    /// # Errors
    /// [`InvalidProcess`](ErrorKind::InvalidProcess) where an id occurs twice, or the stages form no [`SalesProcess`].
    pub fn new(definitions: impl IntoIterator<Item = StageDefinition>) -> Result<Self> {
        // As many as a process may have, and one more to be refused.
        let definitions: Vec<_> = definitions.into_iter().take(201).collect();
        for (i, definition) in definitions.iter().enumerate() {
            if definitions.iter().take(i).any(|other| other.id == definition.id) {
                let error = Error::new(ErrorKind::InvalidProcess, "a different id for every stage");
                return Err(error.in_stage(&definition.label).field("id").found(&definition.id));
            }
        }
        Self::of(definitions, None)
    }

    /// The same stages, looking at one pipeline (its id or label) and at stages without one. A deal in a stage of
    /// another pipeline is out of sight: it is in the log, but in no book and no forecast.
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) where no stage is in this pipeline.
    pub fn only(&self, pipeline: &str) -> Result<Self> {
        let definitions: Vec<_> = self.definitions.iter().map(|(definition, _)| definition.clone()).collect();
        if !definitions.iter().any(|definition| definition.is_in(pipeline)) {
            let error = Error::new(ErrorKind::UnknownStage, "a pipeline with stages").field("pipeline");
            return Err(error.found(pipeline));
        }
        Ok(Self { former: self.former.clone(), ..Self::of(definitions, Some(pipeline))? })
    }

    /// The same stages, one of which was called `former` in older rows and is found by `now` (its id or label).
    ///
    /// # Errors
    /// [`UnknownStage`](ErrorKind::UnknownStage) where there is no such stage.
    pub fn renamed(mut self, former: impl Into<String>, now: impl Into<String>) -> Result<Self> {
        let (former, now) = (former.into(), now.into());
        self.find(None, &now)?;
        self.former.push((former, now));
        Ok(self)
    }

    fn of(mut definitions: Vec<StageDefinition>, only: Option<&str>) -> Result<Self> {
        // Pipelines in the order in which they are first named, those without one last.
        let mut pipelines: Vec<String> = Vec::new();
        for (id, _) in definitions.iter().filter_map(|definition| definition.pipeline.as_ref()) {
            if !pipelines.contains(id) {
                pipelines.push(id.clone());
            }
        }
        let pipeline = |definition: &StageDefinition| {
            let id = definition.pipeline.as_ref().map(|(id, _)| id);
            pipelines.iter().position(|known| Some(known) == id).unwrap_or(pipelines.len())
        };
        definitions.sort_by_key(|definition| (pipeline(definition), definition.order));
        let seen = |definition: &StageDefinition| {
            only.is_none_or(|only| definition.pipeline.is_none() || definition.is_in(only))
        };
        let visible: Vec<&StageDefinition> =
            definitions.iter().filter(|definition| seen(definition)).collect();
        let name = |definition: &StageDefinition| name_among(definition, &visible);
        let process = SalesProcess::new(visible.iter().map(|definition| match definition.kind {
            StageKind::Open => Stage::open(name(definition)),
            StageKind::Won => Stage::won(name(definition)),
            StageKind::Lost => Stage::lost(name(definition)),
        }))?;
        let mut places = Vec::with_capacity(definitions.len());
        for definition in &definitions {
            let place =
                if seen(definition) { Place::In(process.find(&name(definition))?) } else { Place::Elsewhere };
            places.push(place);
        }
        Ok(Self { process, definitions: definitions.into_iter().zip(places).collect(), former: Vec::new() })
    }

    /// The process they make.
    pub const fn process(&self) -> &SalesProcess {
        &self.process
    }

    /// The chance of winning that the CRM states for each stage of the process, by the stage's name.
    pub fn probabilities(&self) -> impl Iterator<Item = (&str, Probability)> {
        self.definitions.iter().filter_map(|(definition, place)| match place {
            Place::In(stage) => Some((self.process.name(*stage), definition.probability?)),
            Place::Elsewhere => None,
        })
    }

    /// The stage a row names: by its id, by label and pipeline where the row says which, by a label that occurs once, or
    /// by a former name.
    pub(super) fn find(&self, pipeline: Option<&str>, stage: &str) -> Result<Place> {
        let all = || self.definitions.iter();
        let by_id = || all().find(|(definition, _)| definition.id == stage);
        let in_pipeline = || {
            let pipeline = pipeline?;
            all().find(|(definition, _)| definition.label == stage && definition.is_in(pipeline))
        };
        let by_label = || {
            let mut found = all().filter(|(definition, _)| definition.label == stage);
            let first = found.next()?;
            found.next().is_none().then_some(first)
        };
        if let Some((_, place)) = by_id().or_else(in_pipeline).or_else(by_label) {
            return Ok(*place);
        }
        match self.former.iter().find(|(former, now)| former == stage && now != stage) {
            Some((_, now)) if self.former.iter().all(|(former, _)| former != now) => self.find(pipeline, now),
            _ => Err(Error::new(ErrorKind::UnknownStage, "a stage of the export").found(stage)),
        }
    }

    /// The first stage that means won or lost and has no pipeline, where a source has a status of its own.
    pub(super) fn outcome(&self, kind: StageKind) -> Result<Place> {
        let found = self
            .definitions
            .iter()
            .find(|(definition, _)| definition.kind == kind && definition.pipeline.is_none());
        let missing = || Error::new(ErrorKind::UnknownStage, "a stage for won and one for lost deals");
        found.map(|(_, place)| *place).ok_or_else(missing)
    }

    /// What being in a place means; nothing for places out of sight.
    pub(super) fn kind(&self, place: Place) -> Option<StageKind> {
        match place {
            Place::In(stage) => Some(self.process.kind(stage)),
            Place::Elsewhere => None,
        }
    }
}

/// What every row of a table of definitions says, or the first row at fault.
pub(super) fn every<R, E: std::error::Error, T>(
    rows: impl IntoIterator<Item = std::result::Result<R, E>>,
    read: impl Fn(&R) -> Result<T>,
) -> Result<Vec<T>> {
    let read = |row: std::result::Result<R, E>| match row {
        Ok(row) => read(&row),
        Err(error) => Err(super::reading::unreadable_row(&error)),
    };
    (1..).zip(rows).map(|(number, row)| read(row).map_err(|error| error.at_row(number))).collect()
}

/// The label where it is the only one, else the pipeline's label before it, else the id after it.
fn name_among(definition: &StageDefinition, all: &[&StageDefinition]) -> String {
    let long = |definition: &StageDefinition| match &definition.pipeline {
        Some((_, pipeline)) => format!("{pipeline}: {}", definition.label),
        None => definition.label.clone(),
    };
    let once =
        |name: &str| all.iter().filter(|other| other.label == name || long(other) == name).count() == 1;
    let long = long(definition);
    if once(&definition.label) {
        definition.label.clone()
    } else if definition.pipeline.is_some() && once(&long) {
        long
    } else {
        format!("{long} ({})", definition.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StageKind::{Lost, Open, Won};

    fn definition(id: &str, label: &str, kind: StageKind) -> StageDefinition {
        StageDefinition::new(id, label, kind)
    }

    #[test]
    fn names_are_told_apart() {
        let stages = Stages::new([
            definition("1", "won", Open).pipeline("p", "P"),
            definition("2", "a", Open).pipeline("p", "P"),
            definition("3", "a", Open).pipeline("p", "P"),
            definition("4", "won", Won),
            definition("5", "lost", Lost),
        ])
        .unwrap();
        assert_eq!(stages.process().to_string(), "P: won > P: a (2) > P: a (3) | won (4) | lost");
        assert!(stages.find(None, "a").is_err(), "a label that occurs twice names no stage");
        assert!(stages.find(Some("P"), "won").is_ok());
        assert!(Stages::new([definition("1", "a", Open), definition("1", "b", Won)]).is_err());
    }

    #[test]
    fn former_names_are_followed_once() {
        let stages =
            Stages::new([definition("a", "A", Open), definition("w", "W", Won), definition("l", "L", Lost)]);
        let stages = stages.unwrap().renamed("Old", "A").unwrap();
        assert_eq!(stages.find(None, "Old"), stages.find(None, "a"));
        assert!(stages.clone().renamed("x", "nowhere").is_err());
        let circle = stages.renamed("B", "Old").unwrap();
        assert!(circle.find(None, "B").is_err());
    }
}
