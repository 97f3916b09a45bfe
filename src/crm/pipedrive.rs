//! Pipedrive: stages, deals, and the changes of their fields (`/deals/{id}/flow`, `/changelog`).
//!
//! Pipedrive keeps won and lost apart from the stage, in the deal's status; so the process has one stage `won` and one
//! `lost` behind the open stages of all pipelines. Instants are written without a zone and are UTC.

use super::cell::{self, Scale, amount, needed, probability, stated};
use super::changes::{Change, Changes, Names, Origin, Status, Today, What};
use super::exports::Exports;
use super::import::{Context, Import, small};
use super::sighting::Sighting;
use super::stages::{StageDefinition, Stages};
use crate::Result;
use crate::deals::{CURRENCY, StageKind};
use chrono::{Offset, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An object of `/stages`.
///
/// # Example: five stages in two pipelines
/// ```
/// use dealcast::crm::pipedrive;
/// let json = r#"[
///     {"id": 1, "name": "Lead", "order_nr": 0, "pipeline_id": 1, "pipeline_name": "New", "deal_probability": 100},
///     {"id": 2, "name": "Offer", "order_nr": 1, "pipeline_id": 1, "pipeline_name": "New", "deal_probability": 60},
///     {"id": 3, "name": "Contract", "order_nr": 2, "pipeline_id": 1, "pipeline_name": "New", "rotten_days": 10},
///     {"id": 7, "name": "Offer", "order_nr": 1, "pipeline_id": 2, "pipeline_name": "Renewal"},
///     {"id": 6, "name": "Due", "order_nr": 0, "pipeline_id": 2, "pipeline_name": "Renewal"}
/// ]"#;
/// let rows: Vec<pipedrive::Stage> = serde_json::from_str(json).unwrap();
/// let stages = pipedrive::stages(rows.into_iter().map(Ok::<_, dealcast::Error>))?;
/// assert_eq!(stages.process().to_string(), "Lead > New: Offer > Contract > Due > Renewal: Offer | won | lost");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stage {
    /// Its number, by which deals name it.
    #[serde(deserialize_with = "cell::text")]
    pub id: Option<String>,
    /// What people call it.
    #[serde(deserialize_with = "cell::text")]
    pub name: Option<String>,
    /// Its place in its pipeline.
    #[serde(deserialize_with = "cell::text")]
    pub order_nr: Option<String>,
    /// Its pipeline.
    #[serde(deserialize_with = "cell::text")]
    pub pipeline_id: Option<String>,
    /// What people call its pipeline.
    #[serde(deserialize_with = "cell::text")]
    pub pipeline_name: Option<String>,
    /// From 0 to 100.
    #[serde(deserialize_with = "cell::text")]
    pub deal_probability: Option<String>,
    /// After how many days a deal counts as rotten; not kept.
    #[serde(deserialize_with = "cell::text")]
    pub rotten_days: Option<String>,
}

/// An object of `/deals`: a deal as it stands today.
///
/// # Example: five deals as they stand on a Monday
/// ```
/// use dealcast::crm::{Exports, Reading, pipedrive};
/// use dealcast::deals::Vanished;
/// let stages = r#"[{"id": 1, "name": "Lead", "order_nr": 0}, {"id": 2, "name": "Offer", "order_nr": 1}]"#;
/// let stages: Vec<pipedrive::Stage> = serde_json::from_str(stages).unwrap();
/// let stages = pipedrive::stages(stages.into_iter().map(Ok::<_, dealcast::Error>))?;
/// let json = r#"[
///     {"id": 1, "value": 1200, "stage_id": 1, "status": "open", "add_time": "2026-01-05 09:00:00"},
///     {"id": 2, "value": "900.5", "stage_id": 2, "status": "won", "won_time": "2026-02-11 16:00:00"},
///     {"id": 3, "value": -5, "stage_id": 2, "status": "lost", "lost_time": "2026-02-12 16:00:00"},
///     {"id": 4, "value": null, "stage_id": 9, "status": "open", "add_time": "2026-01-05 09:00:00"},
///     {"id": 5, "value": 70, "stage_id": 1, "status": "deleted", "add_time": "2026-01-05 09:00:00"}
/// ]"#;
/// let rows: Vec<pipedrive::Deal> = serde_json::from_str(json).unwrap();
/// let mut exports = Exports::new(&stages, Vanished::Lost, Reading::default());
/// exports.pipedrive(dealcast::time::date(2026, 3, 2)?, rows.into_iter().map(Ok::<_, dealcast::Error>))?;
/// assert_eq!(exports.n_left_out(), 1);
/// let series = exports.finish()?;
/// assert_eq!(series.receipt().rejected()[0].field(), "stage_id");
/// let book = series.snapshot(0).unwrap();
/// assert_eq!((book.n_open(), book.won().len(), book.lost().len()), (1, 1, 1));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deal {
    /// Its number.
    #[serde(deserialize_with = "cell::text")]
    pub id: Option<String>,
    /// What people call it; not kept.
    #[serde(deserialize_with = "cell::text")]
    pub title: Option<String>,
    /// Its amount today.
    #[serde(deserialize_with = "cell::text")]
    pub value: Option<String>,
    /// The currency of its amount.
    #[serde(deserialize_with = "cell::text")]
    pub currency: Option<String>,
    /// Its stage today, also where it is won or lost.
    #[serde(deserialize_with = "cell::text")]
    pub stage_id: Option<String>,
    /// Its pipeline.
    #[serde(deserialize_with = "cell::text")]
    pub pipeline_id: Option<String>,
    /// `open`, `won`, `lost` or `deleted`.
    #[serde(deserialize_with = "cell::text")]
    pub status: Option<String>,
    /// From 0 to 100, where somebody set it.
    #[serde(deserialize_with = "cell::text")]
    pub probability: Option<String>,
    /// When it was created.
    #[serde(deserialize_with = "cell::text")]
    pub add_time: Option<String>,
    /// When it was last changed.
    #[serde(deserialize_with = "cell::text")]
    pub update_time: Option<String>,
    /// When it entered its stage.
    #[serde(deserialize_with = "cell::text")]
    pub stage_change_time: Option<String>,
    /// When it was won.
    #[serde(deserialize_with = "cell::text")]
    pub won_time: Option<String>,
    /// When it was lost.
    #[serde(deserialize_with = "cell::text")]
    pub lost_time: Option<String>,
    /// When it is expected to close.
    #[serde(deserialize_with = "cell::text")]
    pub expected_close_date: Option<String>,
    /// Whose deal it is.
    #[serde(deserialize_with = "cell::text")]
    pub owner_id: Option<String>,
}

/// A change of a deal's field: the `data` of a `dealChange` in `/deals/{id}/flow`, or an object of
/// `/deals/{id}/changelog` to which the caller adds the deal's number as `deal_id`.
///
/// # Example: five changes of one deal, newest first
/// ```
/// use dealcast::crm::{Import, Reading, pipedrive};
/// let stages = r#"[{"id": 1, "name": "Lead", "order_nr": 0}, {"id": 2, "name": "Offer", "order_nr": 1}]"#;
/// let stages: Vec<pipedrive::Stage> = serde_json::from_str(stages).unwrap();
/// let stages = pipedrive::stages(stages.into_iter().map(Ok::<_, dealcast::Error>))?;
/// let flow = r#"[
///     {"item_id": 7, "field_key": "status", "old_value": "open", "new_value": "won", "log_time": "2026-02-11 16:00:00"},
///     {"item_id": 7, "field_key": "value", "old_value": 900, "new_value": 850, "log_time": "2026-02-10 10:00:00"},
///     {"item_id": 7, "field_key": "title", "old_value": "A", "new_value": "B", "log_time": "2026-02-01 10:00:00"},
///     {"item_id": 7, "field_key": "stage_id", "old_value": "1", "new_value": "2", "log_time": "2026-01-20 10:00:00"},
///     {"item_id": 7, "field_key": "stage_id", "old_value": "1", "new_value": "2", "log_time": "yesterday"}
/// ]"#;
/// let deal = r#"[{"id": 7, "value": 850, "stage_id": 2, "status": "won", "add_time": "2026-01-05 09:00:00"}]"#;
/// let changes: Vec<pipedrive::FieldChange> = serde_json::from_str(flow).unwrap();
/// let deals: Vec<pipedrive::Deal> = serde_json::from_str(deal).unwrap();
/// let mut import = Import::new(&stages, Reading::default())?;
/// import.pipedrive(
///     changes.into_iter().map(Ok::<_, dealcast::Error>),
///     deals.into_iter().map(Ok::<_, dealcast::Error>),
/// )?;
/// let log = import.finish()?;
/// assert_eq!((log.receipt().ignored(), log.receipt().quarantined()), (1, 1));
/// let then = log.as_of(dealcast::time::date(2026, 1, 10)?).snapshot();
/// assert_eq!((then.open()[0].stage(), then.open()[0].amount().unwrap().get()), ("Lead", 900.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldChange {
    /// The deal's number.
    #[serde(alias = "deal_id", deserialize_with = "cell::text")]
    pub item_id: Option<String>,
    /// Which field.
    #[serde(deserialize_with = "cell::text")]
    pub field_key: Option<String>,
    /// Its value before.
    #[serde(deserialize_with = "cell::text")]
    pub old_value: Option<String>,
    /// Its value after.
    #[serde(deserialize_with = "cell::text")]
    pub new_value: Option<String>,
    /// When it was changed.
    #[serde(alias = "time", deserialize_with = "cell::text")]
    pub log_time: Option<String>,
}

/// The stages that `/stages` lists, of all pipelines, and `won` and `lost`.
///
/// # Errors
/// The first stage that cannot be read, with its number and field; [`InvalidProcess`](crate::ErrorKind::InvalidProcess) where
/// they form no process.
pub fn stages<E: std::error::Error>(
    rows: impl IntoIterator<Item = std::result::Result<Stage, E>>,
) -> Result<Stages> {
    let mut definitions = super::stages::every(rows, Stage::definition)?;
    definitions.push(StageDefinition::new("status=won", "won", StageKind::Won));
    definitions.push(StageDefinition::new("status=lost", "lost", StageKind::Lost));
    Stages::new(definitions)
}

impl Stage {
    fn definition(&self) -> Result<StageDefinition> {
        let id = needed(self.id.as_ref(), "id")?;
        let order = stated(self.order_nr.as_ref()).map(|text| cell::whole_number(text, "order_nr"));
        let chance = probability(self.deal_probability.as_ref(), Scale::Percent, "deal_probability")?;
        let definition = StageDefinition::new(id, needed(self.name.as_ref(), "name")?, StageKind::Open)
            .order(order.transpose()?.unwrap_or_default())
            .probability(chance);
        Ok(match stated(self.pipeline_id.as_ref()) {
            Some(pipeline) => {
                definition.pipeline(pipeline, stated(self.pipeline_name.as_ref()).unwrap_or(pipeline))
            }
            None => definition,
        })
    }
}

/// What the cells of changes and deals are called.
const NAMES: Names = Names {
    old: "old_value",
    new: "new_value",
    stage: "stage_id",
    amount: "value",
    close: "expected_close_date",
    closed: "won_time",
};

/// Pipedrive's clock stands at UTC, unless the caller says otherwise.
fn utc(mut context: Context<'_>) -> Context<'_> {
    context.reading.clock = context.reading.clock.or(Some(Utc.fix()));
    context
}

impl Import<'_> {
    /// Changes of fields, and the deals they belong to: a deal begins with the values that its first changes replaced, or
    /// today's where nothing changed. Give all changes of a deal, not a piece of them.
    ///
    /// # Errors
    /// [`TooLarge`](crate::ErrorKind::TooLarge) beyond 2^32 - 2 rows; strict reading also refuses the first bad row.
    pub fn pipedrive<E: std::error::Error, F: std::error::Error>(
        &mut self,
        changes: impl IntoIterator<Item = std::result::Result<FieldChange, E>>,
        deals: impl IntoIterator<Item = std::result::Result<Deal, F>>,
    ) -> Result<()> {
        self.context = utc(self.context);
        let mut all = Changes::of(NAMES);
        self.each(changes, |import, record, row: &FieldChange| {
            all.take(import, record, row.change(&import.context))
        })?;
        self.each(deals, |import, record, row: &Deal| match row.sighting(&import.context) {
            Ok(sighting) => {
                all.begin(record, Origin::of(&sighting, row.today()).with(row.status(&sighting)?));
                sighting.background(import, record)
            }
            Err(error) => import.row(record, Err(error)),
        })?;
        all.finish(self)
    }
}

impl Exports<'_> {
    /// Deals as they stood at an instant.
    ///
    /// # Errors
    /// With strict reading the first bad row.
    pub fn pipedrive<E: std::error::Error>(
        &mut self,
        as_of: impl Into<chrono::NaiveDateTime>,
        rows: impl IntoIterator<Item = std::result::Result<Deal, E>>,
    ) -> Result<()> {
        self.context = utc(self.context);
        self.each(as_of.into(), rows, Deal::sighting)
    }
}

impl Deal {
    fn today(&self) -> Today<'_> {
        Today {
            stage: stated(self.stage_id.as_ref()),
            amount: stated(self.value.as_ref()),
            close: stated(self.expected_close_date.as_ref()),
        }
    }

    /// The status today and since when.
    fn status(&self, sighting: &Sighting<'_>) -> Result<Option<(Status, Option<i64>)>> {
        let Some(text) = stated(self.status.as_ref()) else { return Ok(None) };
        let status = Status::read(text, "status")?;
        let since = if status == Status::Deleted { sighting.modified } else { sighting.closed };
        Ok(Some((status, since)))
    }

    fn sighting<'a>(&'a self, context: &Context<'_>) -> Result<Sighting<'a>> {
        small([&self.id, &self.owner_id, &self.value, &self.stage_id, &self.currency].map(Option::as_ref))?;
        let deal = needed(self.id.as_ref(), "id")?;
        self.sighting_of(deal, context).map_err(|error| error.of_deal(deal))
    }

    fn sighting_of<'a>(&'a self, deal: &'a str, context: &Context<'_>) -> Result<Sighting<'a>> {
        let reading = &context.reading;
        probability(self.probability.as_ref(), Scale::Percent, "probability")?;
        let status = stated(self.status.as_ref()).map(|text| Status::read(text, "status")).transpose()?;
        let stage = context.stages.find(None, needed(self.stage_id.as_ref(), "stage_id")?);
        let stage = stage.map_err(|error| error.field("stage_id"))?;
        let closed = match status {
            Some(Status::Closed(StageKind::Won)) => reading.instant_if(self.won_time.as_ref(), "won_time")?,
            Some(Status::Closed(_)) => reading.instant_if(self.lost_time.as_ref(), "lost_time")?,
            _ => None,
        };
        let place = match status {
            Some(Status::Closed(kind)) if context.stages.kind(stage).is_some() => {
                context.stages.outcome(kind)?
            }
            _ => stage,
        };
        Ok(Sighting {
            deal: Cow::Borrowed(deal),
            place: Some(place),
            created: reading.instant_if(self.add_time.as_ref(), "add_time")?,
            entered: reading.instant_if(self.stage_change_time.as_ref(), "stage_change_time")?,
            closed,
            modified: reading.instant_if(self.update_time.as_ref(), "update_time")?,
            deleted: status == Some(Status::Deleted),
            amount: cell::state(self.value.as_ref(), |text| amount(text, "value")),
            close: cell::state(self.expected_close_date.as_ref(), |text| {
                reading.day(text, "expected_close_date")
            }),
            category: None,
            names: ("add_time", "update_time"),
            currency: stated(self.currency.as_ref()),
            attributes: stated(self.owner_id.as_ref()).map(|owner| ("owner_id", owner)).into_iter().collect(),
        })
    }
}

impl FieldChange {
    /// What changed; `None` where a log does not keep it.
    fn change(&self, context: &Context<'_>) -> Result<Option<Change>> {
        small([&self.item_id, &self.old_value, &self.new_value].map(Option::as_ref))?;
        let deal = needed(self.item_id.as_ref(), "item_id")?;
        let what = match needed(self.field_key.as_ref(), "field_key").map_err(|error| error.of_deal(deal))? {
            "stage_id" => What::Stage,
            "status" => What::Status,
            "value" => What::Amount,
            "expected_close_date" => What::Close,
            "currency" => What::Attribute(CURRENCY),
            "owner_id" | "user_id" => What::Attribute("owner_id"),
            _ => return Ok(None),
        };
        let at = context.reading.at(self.log_time.as_ref(), "log_time");
        Ok(Some(Change {
            at: at.map_err(|error| error.of_deal(deal))?,
            deal: deal.to_owned(),
            what,
            old: stated(self.old_value.as_ref()).map(str::to_owned),
            new: stated(self.new_value.as_ref()).map(str::to_owned),
        }))
    }
}
