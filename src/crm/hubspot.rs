//! HubSpot: pipelines, deals with the history of their properties, and the rows of a table that people export.
//!
//! A deal is an object of `/crm/v3/objects/deals`, best fetched with `propertiesWithHistory=dealstage,amount,closedate`;
//! HubSpot keeps a limited number of versions, so that a history may begin later than its deal. Properties are texts or
//! null; `closedate` is rewritten when a deal closes, and until somebody chooses one it is the last day of the month in
//! which the deal was created: such a date says nothing and is not kept ([`Finding::DefaultClose`]).

use super::cell::{self, Scale, amount, flag, needed, probability, stated};
use super::exports::Exports;
use super::import::{Context, Import, small};
use super::sighting::Sighting;
use super::stages::{StageDefinition, Stages};
use crate::deals::{Cell, Cells, Finding, Flag, StageId, StageKind, Step};
use crate::time::{civil_date, civil_day};
use crate::{Error, ErrorKind, Result};
use chrono::Datelike;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An object of `/crm/v3/pipelines/deals`.
///
/// # Example: five stages in two pipelines
/// ```
/// use dealcast::crm::hubspot;
/// let json = r#"[
///     {"id": "default", "label": "Sales", "stages": [
///         {"id": "closedwon", "label": "Won", "displayOrder": 2, "metadata": {"isClosed": "true", "probability": "1.0"}},
///         {"id": "closedlost", "label": "Lost", "displayOrder": 3, "metadata": {"isClosed": "true", "probability": "0.0"}},
///         {"id": "qualified", "label": "Qualified", "displayOrder": 1, "metadata": {"isClosed": "false", "probability": "0.4"}}
///     ]},
///     {"id": "77", "label": "Renewals", "stages": [
///         {"id": "1002", "label": "Qualified", "displayOrder": 0, "metadata": {"isClosed": "false", "probability": "0.8"}},
///         {"id": "1003", "label": "Renewed", "displayOrder": 1, "metadata": {"isClosed": "true", "probability": "1.0"}}
///     ]}
/// ]"#;
/// let pipelines: Vec<hubspot::Pipeline> = serde_json::from_str(json).unwrap();
/// let stages = hubspot::stages(pipelines)?;
/// assert_eq!(stages.process().to_string(), "Sales: Qualified > Renewals: Qualified | Won | Renewed | Lost");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pipeline {
    /// Its id.
    #[serde(deserialize_with = "cell::text")]
    pub id: Option<String>,
    /// What people call it.
    #[serde(deserialize_with = "cell::text")]
    pub label: Option<String>,
    /// Its stages.
    pub stages: Vec<Stage>,
}

/// A stage of a [`Pipeline`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Stage {
    /// Its id, by which deals name it: a word or a number.
    #[serde(deserialize_with = "cell::text")]
    pub id: Option<String>,
    /// What people call it; two pipelines may have the same.
    #[serde(deserialize_with = "cell::text")]
    pub label: Option<String>,
    /// Its place in its pipeline.
    #[serde(deserialize_with = "cell::text")]
    pub display_order: Option<String>,
    /// `isClosed` and `probability` (from 0 to 1).
    #[serde(deserialize_with = "cell::texts")]
    pub metadata: BTreeMap<String, String>,
}

/// A deal with the history of its properties.
///
/// # Example: five deals, one of them archived, one merged into another
/// ```
/// use dealcast::crm::{Import, Reading, hubspot};
/// let pipelines = r#"[{"id": "default", "label": "Sales", "stages": [
///     {"id": "qualified", "label": "Qualified", "metadata": {"isClosed": "false", "probability": "0.4"}},
///     {"id": "closedwon", "label": "Won", "metadata": {"isClosed": "true", "probability": "1.0"}},
///     {"id": "closedlost", "label": "Lost", "metadata": {"isClosed": "true", "probability": "0.0"}}]}]"#;
/// let pipelines: Vec<hubspot::Pipeline> = serde_json::from_str(pipelines).unwrap();
/// let stages = hubspot::stages(pipelines)?;
/// let json = r#"[
///     {"id": "1", "properties": {"createdate": "2026-01-05T09:00:00Z", "amount": "1200"}, "propertiesWithHistory": {
///         "dealstage": [{"value": "closedwon", "timestamp": "2026-02-11T16:00:00Z"},
///                       {"value": "qualified", "timestamp": "2026-01-05T09:00:00Z"}],
///         "amount": [{"value": "1200", "timestamp": "2026-01-05T09:00:00Z"}]}},
///     {"id": "2", "properties": {"createdate": "2026-01-06T09:00:00Z", "hs_v2_date_entered_qualified": "1767690000000"}},
///     {"id": "3", "properties": {"createdate": "2026-01-07T09:00:00Z"}, "archived": true,
///         "archivedAt": "2026-01-20T09:00:00Z", "propertiesWithHistory": {
///         "dealstage": [{"value": "qualified", "timestamp": "2026-01-07T09:00:00Z"}]}},
///     {"id": "4", "properties": {"createdate": "2026-01-08T09:00:00Z", "hs_merged_object_ids": "2"},
///         "updatedAt": "2026-01-25T09:00:00Z", "propertiesWithHistory": {
///         "dealstage": [{"value": "qualified", "timestamp": "2026-01-08T09:00:00Z"}]}},
///     {"id": "5", "properties": {"createdate": "2026-01-09T09:00:00Z"}, "propertiesWithHistory": {
///         "dealstage": [{"value": "qualifed", "timestamp": "2026-01-09T09:00:00Z"}]}}
/// ]"#;
/// let deals: Vec<hubspot::Deal> = serde_json::from_str(json).unwrap();
/// let mut import = Import::new(&stages, Reading::default())?;
/// import.hubspot(deals.into_iter().map(Ok::<_, dealcast::Error>))?;
/// let log = import.finish()?;
/// assert_eq!((log.receipt().records(), log.receipt().quarantined()), (5, 1));
/// assert_eq!(log.receipt().rejected()[0].field(), "propertiesWithHistory.dealstage[0].value");
/// let book = log.as_of(dealcast::time::date(2026, 3, 1)?).snapshot();
/// assert_eq!((book.n_open(), book.won().len()), (1, 1));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Deal {
    /// Its id.
    #[serde(deserialize_with = "cell::text")]
    pub id: Option<String>,
    /// Its properties today.
    #[serde(deserialize_with = "cell::texts")]
    pub properties: BTreeMap<String, String>,
    /// Former values of properties, newest first.
    pub properties_with_history: Option<BTreeMap<String, Vec<Version>>>,
    /// When it was last changed.
    #[serde(deserialize_with = "cell::text")]
    pub updated_at: Option<String>,
    /// Whether it is deleted.
    #[serde(deserialize_with = "cell::text")]
    pub archived: Option<String>,
    /// Since when.
    #[serde(deserialize_with = "cell::text")]
    pub archived_at: Option<String>,
}

/// A value of a property, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Version {
    /// The value from then on.
    #[serde(deserialize_with = "cell::text")]
    pub value: Option<String>,
    /// Since when: an instant, or milliseconds since 1970.
    #[serde(deserialize_with = "cell::text")]
    pub timestamp: Option<String>,
}

/// A row of the table that HubSpot exports from its pages: a deal as it stands, stages and pipelines by label.
///
/// # Example: five rows
/// ```
/// use dealcast::crm::{Exports, Reading, hubspot};
/// use dealcast::deals::Vanished;
/// let pipelines = r#"[{"id": "default", "label": "Sales", "stages": [
///     {"id": "qualified", "label": "Qualified", "metadata": {"isClosed": "false", "probability": "0.4"}},
///     {"id": "closedwon", "label": "Won", "metadata": {"isClosed": "true", "probability": "1.0"}},
///     {"id": "closedlost", "label": "Lost", "metadata": {"isClosed": "true", "probability": "0.0"}}]}]"#;
/// let pipelines: Vec<hubspot::Pipeline> = serde_json::from_str(pipelines).unwrap();
/// let stages = hubspot::stages(pipelines)?;
/// let text = "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Create Date\n\
///             101,A,Qualified,Sales,\"1,200\",2026-04-30 12:00,2026-02-01 10:00\n\
///             102,B,Won,Sales,900,2026-02-20 12:00,2026-01-09 10:00\n\
///             103,C,Lost,Sales,,2026-02-21 12:00,2026-01-09 10:00\n\
///             104,D,Qualified,Sales,n/a,2026-04-30 12:00,2026-01-09 10:00\n\
///             105,E,Qualifed,Sales,70,2026-04-30 12:00,2026-01-09 10:00\n";
/// let mut exports = Exports::new(&stages, Vanished::Lost, Reading::default());
/// let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
/// exports.hubspot(dealcast::time::date(2026, 3, 2)?, rows)?;
/// let series = exports.finish()?;
/// assert_eq!((series.receipt().rejected()[0].field(), series.receipt().amount_dropped()), ("Deal Stage", 1));
/// assert_eq!(series.snapshot(0).unwrap().n_open(), 2);
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportRow {
    /// The deal's id.
    #[serde(rename = "Record ID", alias = "Deal ID")]
    pub record_id: Option<String>,
    /// What people call it; not kept.
    #[serde(rename = "Deal Name")]
    pub deal_name: Option<String>,
    /// The label of its stage.
    #[serde(rename = "Deal Stage")]
    pub deal_stage: Option<String>,
    /// The label of its pipeline.
    #[serde(rename = "Pipeline")]
    pub pipeline: Option<String>,
    /// Its amount.
    #[serde(rename = "Amount")]
    pub amount: Option<String>,
    /// Its currency.
    #[serde(rename = "Currency")]
    pub currency: Option<String>,
    /// When it is expected to close, or did.
    #[serde(rename = "Close Date")]
    pub close_date: Option<String>,
    /// When it was created.
    #[serde(rename = "Create Date")]
    pub create_date: Option<String>,
    /// Its forecast category.
    #[serde(rename = "Forecast category")]
    pub forecast_category: Option<String>,
    /// Whose deal it is.
    #[serde(rename = "Deal owner")]
    pub deal_owner: Option<String>,
}

/// The stages of all pipelines. A closed stage is won where its probability is 1 and lost where it is 0.
///
/// # Errors
/// The first pipeline that cannot be read, with its number and field; [`InvalidProcess`](ErrorKind::InvalidProcess) where
/// they form no process.
pub fn stages(pipelines: impl IntoIterator<Item = Pipeline>) -> Result<Stages> {
    let mut definitions = Vec::new();
    for (number, pipeline) in (1..).zip(pipelines) {
        for stage in &pipeline.stages {
            definitions.push(stage.definition(&pipeline).map_err(|error| error.at_row(number))?);
        }
    }
    Stages::new(definitions)
}

impl Stage {
    fn definition(&self, pipeline: &Pipeline) -> Result<StageDefinition> {
        let label = needed(self.label.as_ref(), "label")?;
        let chance = probability(self.metadata.get("probability"), Scale::Unit, "probability")?;
        let kind =
            match (flag(self.metadata.get("isClosed"), "isClosed")?, chance.map(crate::Probability::get)) {
                (false, _) => StageKind::Open,
                (true, Some(1.0)) => StageKind::Won,
                (true, Some(0.0)) => StageKind::Lost,
                (true, found) => {
                    let expected = "the probability 1 (won) or 0 (lost) of a closed stage";
                    let error =
                        Error::new(ErrorKind::InvalidProcess, expected).field("probability").in_stage(label);
                    return Err(found.map_or(error.clone(), |found| error.found(found)));
                }
            };
        let order = stated(self.display_order.as_ref()).map(|text| cell::whole_number(text, "displayOrder"));
        let id = needed(pipeline.id.as_ref(), "id")?;
        Ok(StageDefinition::new(needed(self.id.as_ref(), "id")?, label, kind)
            .pipeline(id, stated(pipeline.label.as_ref()).unwrap_or(id))
            .order(order.transpose()?.unwrap_or_default())
            .probability(chance))
    }
}

impl Import<'_> {
    /// Deals with the history of their properties. Where there is none, the times at which each stage was last entered
    /// (`hs_v2_date_entered_...`) stand in: one visit a stage survives there.
    ///
    /// # Errors
    /// [`TooLarge`](ErrorKind::TooLarge) beyond 2^32 - 2 rows; strict reading also refuses the first bad row.
    pub fn hubspot<E: std::error::Error>(
        &mut self,
        rows: impl IntoIterator<Item = std::result::Result<Deal, E>>,
    ) -> Result<()> {
        self.each(rows, |import, record, row: &Deal| match row.sighting(&import.context) {
            Ok(sighting) => {
                sighting.background(import, record)?;
                let reader = Reader { import, record, deal: &sighting.deal, created: sighting.created };
                reader.history(row)
            }
            Err(error) => import.row(record, Err(error)),
        })
    }
}

impl Exports<'_> {
    /// Rows of the table that HubSpot exports from its pages, as they stood at an instant.
    ///
    /// # Errors
    /// With strict reading the first bad row.
    pub fn hubspot<E: std::error::Error>(
        &mut self,
        as_of: impl Into<chrono::NaiveDateTime>,
        rows: impl IntoIterator<Item = std::result::Result<ExportRow, E>>,
    ) -> Result<()> {
        self.each(as_of.into(), rows, ExportRow::sighting)
    }

    /// Deals as they stood at an instant.
    ///
    /// # Errors
    /// With strict reading the first bad row.
    pub fn hubspot_deals<E: std::error::Error>(
        &mut self,
        as_of: impl Into<chrono::NaiveDateTime>,
        rows: impl IntoIterator<Item = std::result::Result<Deal, E>>,
    ) -> Result<()> {
        self.each(as_of.into(), rows, Deal::sighting)
    }
}

/// Properties that are no attribute of a deal: those read by name, and free text.
const READ: [&str; 9] = [
    "amount",
    "closedate",
    "createdate",
    "deal_currency_code",
    "dealname",
    "dealstage",
    "description",
    "hs_manual_forecast_category",
    "hs_object_id",
];

impl Deal {
    fn sighting<'a>(&'a self, context: &Context<'_>) -> Result<Sighting<'a>> {
        small([self.id.as_ref()].into_iter().chain(self.properties.values().map(Some)))?;
        let deal = needed(self.id.as_ref(), "id")?;
        self.sighting_of(deal, context).map_err(|error| error.of_deal(deal))
    }

    fn sighting_of<'a>(&'a self, deal: &'a str, context: &Context<'_>) -> Result<Sighting<'a>> {
        let reading = &context.reading;
        let of = |name: &str| self.properties.get(name);
        probability(of("hs_deal_stage_probability"), Scale::Unit, "hs_deal_stage_probability")?;
        let stage = stated(of("dealstage"));
        let place = stage.map(|stage| context.stages.find(stated(of("pipeline")), stage)).transpose();
        let place = place.map_err(|error| error.field("dealstage"))?;
        let is_closed = flag(of("hs_is_closed"), "hs_is_closed")?
            || place.and_then(|place| context.stages.kind(place)).is_some_and(|kind| kind != StageKind::Open);
        let close = reading.instant_if(of("closedate"), "closedate");
        let entered = stage.and_then(|stage| {
            let names = ["hs_v2_date_entered_", "hs_date_entered_"].map(|start| format!("{start}{stage}"));
            names.iter().find_map(|name| self.properties.get(name))
        });
        let archived = flag(self.archived.as_ref(), "archived")?;
        let changed = if archived {
            self.archived_at.as_ref().or(self.updated_at.as_ref())
        } else {
            self.updated_at.as_ref()
        };
        let attributes = self.properties.iter().filter(|(name, _)| {
            // HubSpot's own bookkeeping begins with hs_.
            !READ.contains(&name.as_str())
                && (!name.starts_with("hs_") || reading.fixed.contains(&name.as_str()))
        });
        Ok(Sighting {
            deal: Cow::Borrowed(deal),
            place,
            created: reading.instant_if(of("createdate"), "createdate")?,
            entered: reading.instant_if(entered, "hs_v2_date_entered")?,
            closed: if is_closed { close.clone()? } else { None },
            modified: reading.instant_if(changed, "updatedAt")?,
            deleted: archived,
            amount: cell::state(of("amount"), |text| amount(text, "amount")),
            close: match close {
                Ok(None) => Cell::Cleared,
                Ok(Some(at)) => Cell::Given(civil_day(at)),
                Err(error) => Cell::Bad(error),
            },
            category: stated(of("hs_manual_forecast_category")),
            names: ("createdate", if archived { "archivedAt" } else { "updatedAt" }),
            currency: stated(of("deal_currency_code")),
            attributes: attributes.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        })
    }
}

impl ExportRow {
    fn sighting<'a>(&'a self, context: &Context<'_>) -> Result<Sighting<'a>> {
        small([&self.record_id, &self.deal_stage, &self.deal_owner].map(Option::as_ref))?;
        let deal = needed(self.record_id.as_ref(), "Record ID")?;
        self.sighting_of(deal, context).map_err(|error| error.of_deal(deal))
    }

    fn sighting_of<'a>(&'a self, deal: &'a str, context: &Context<'_>) -> Result<Sighting<'a>> {
        let reading = &context.reading;
        let stage = needed(self.deal_stage.as_ref(), "Deal Stage")?;
        let place = context.stages.find(stated(self.pipeline.as_ref()), stage);
        let place = place.map_err(|error| error.field("Deal Stage"))?;
        let close = cell::state(self.close_date.as_ref(), |text| reading.day(text, "Close Date"));
        let is_closed = context.stages.kind(place).is_some_and(|kind| kind != StageKind::Open);
        Ok(Sighting {
            deal: Cow::Borrowed(deal),
            place: Some(place),
            created: reading.instant_if(self.create_date.as_ref(), "Create Date")?,
            closed: Sighting::closing(is_closed, &close)?,
            amount: cell::state(self.amount.as_ref(), |text| amount(text, "Amount")),
            close,
            category: stated(self.forecast_category.as_ref()),
            currency: stated(self.currency.as_ref()),
            attributes: stated(self.deal_owner.as_ref())
                .map(|owner| ("Deal owner", owner))
                .into_iter()
                .collect(),
            ..Sighting::default()
        })
    }
}

/// Hands in the history of one deal.
struct Reader<'r, 's, 'd> {
    import: &'r mut Import<'s>,
    record: u64,
    deal: &'d str,
    created: Option<i64>,
}

impl<'d> Reader<'_, '_, 'd> {
    fn history(mut self, row: &'d Deal) -> Result<()> {
        let history = row.properties_with_history.as_ref();
        let tells = |name: &str| history.is_some_and(|history| history.contains_key(name));
        for (name, versions) in history.into_iter().flatten() {
            let property = match name.as_str() {
                "dealstage" => Property::Stage,
                "amount" => Property::Amount,
                "closedate" => Property::Close,
                "hs_manual_forecast_category" => Property::Category,
                "hs_merged_object_ids" => Property::Merged,
                _ => continue,
            };
            for (number, version) in versions.iter().enumerate() {
                // The error says which cell of the version; here is where the version lies.
                let place = |error: Error| {
                    let cell = error.field_name().unwrap_or("value").to_owned();
                    error.field(format!("propertiesWithHistory.{name}[{number}].{cell}"))
                };
                match self.version(property, version) {
                    Ok(None) => {}
                    Ok(Some(Said::Cells(mut cells))) => {
                        if let Cell::Bad(error) = cells.amount {
                            cells.amount = Cell::Bad(place(error));
                        }
                        if let Cell::Bad(error) = cells.close {
                            cells.close = Cell::Bad(place(error));
                        }
                        self.import.row(self.record, Ok(cells))?;
                    }
                    Ok(Some(Said::Merged(ids, at))) => self.merged(ids, at)?,
                    Err(error) => self.import.row(self.record, Err(place(error).of_deal(self.deal)))?,
                }
            }
        }
        if !tells("dealstage") {
            self.stages_entered(row)?;
        }
        if !tells("amount") {
            self.amount_today(row)?;
        }
        if !tells("hs_merged_object_ids")
            && let Some(ids) = row.properties.get("hs_merged_object_ids")
        {
            let at = self.import.context.reading.at(row.updated_at.as_ref(), "updatedAt");
            match at {
                Ok(at) => self.merged(ids, at)?,
                Err(error) => self.import.row(self.record, Err(error.of_deal(self.deal)))?,
            }
        }
        Ok(())
    }

    /// What a version of a property says.
    fn version(&mut self, property: Property, version: &'d Version) -> Result<Option<Said<'d>>> {
        let reading = self.import.context.reading;
        let at = reading.at(version.timestamp.as_ref(), "timestamp")?;
        let value = version.value.as_ref();
        let mut cells = Cells { deal: self.deal, at, ..Cells::default() };
        match property {
            Property::Stage => {
                let stage = needed(value, "value")?;
                let place =
                    self.import.context.stages.find(None, stage).map_err(|error| error.field("value"))?;
                cells.step = place.step(Flag::Entered);
            }
            Property::Amount => cells.amount = cell::state(value, |text| amount(text, "value")),
            Property::Close => {
                cells.close = cell::state(value, |text| reading.day(text, "value"));
                if self.is_default(&cells) {
                    self.import.note(Finding::DefaultClose);
                    cells.close = Cell::Cleared;
                }
            }
            Property::Category => cells.category = Some(stated(value).unwrap_or("")),
            Property::Merged => return Ok(stated(value).map(|ids| Said::Merged(ids, at))),
        }
        Ok(Some(Said::Cells(cells)))
    }

    /// Whether an expected close is the last day of the month in which the deal was created, set on that day.
    fn is_default(&self, cells: &Cells<'_>) -> bool {
        let (Cell::Given(close), Some(created)) = (&cells.close, self.created) else { return false };
        let (last, first) = (civil_date(*close), civil_date(civil_day(created)));
        let month = |date: chrono::NaiveDate| (date.year(), date.month());
        civil_day(cells.at) == civil_day(created)
            && month(last) == month(first)
            && last.succ_opt().is_some_and(|next| next.day() == 1)
    }

    /// The last time each stage was entered, which properties of their own tell.
    fn stages_entered(&mut self, row: &Deal) -> Result<()> {
        const NEW: &str = "hs_v2_date_entered_";
        const OLD: &str = "hs_date_entered_";
        for (name, at) in &row.properties {
            let stage = match (name.strip_prefix(NEW), name.strip_prefix(OLD)) {
                (Some(stage), _) => stage,
                (None, Some(stage)) if !row.properties.contains_key(&format!("{NEW}{stage}")) => stage,
                _ => continue,
            };
            let context = self.import.context;
            let cells = context.stages.find(None, stage).and_then(|place| {
                let at = context.reading.instant(at, "")?;
                Ok(Cells { deal: self.deal, at, step: place.step(Flag::Entered), ..Cells::default() })
            });
            let cells = cells.map_err(|error| error.field(name.clone()).of_deal(self.deal));
            self.import.row(self.record, cells)?;
        }
        Ok(())
    }

    /// Its amount of today, known to hold since its last change.
    fn amount_today(&mut self, row: &Deal) -> Result<()> {
        let money = cell::state(row.properties.get("amount"), |text| amount(text, "amount"));
        if let (Ok(Some(at)), Cell::Given(_) | Cell::Bad(_)) =
            (self.import.context.reading.instant_if(row.updated_at.as_ref(), "updatedAt"), &money)
        {
            self.import
                .row(self.record, Ok(Cells { deal: self.deal, at, amount: money, ..Cells::default() }))?;
        }
        Ok(())
    }

    /// Deals that were merged into this one leave the pipeline.
    fn merged(&mut self, ids: &str, at: i64) -> Result<()> {
        let removed = Step { flag: Flag::Removed, stage: StageId::default() };
        for id in ids.split([';', ',']).map(str::trim).filter(|id| !id.is_empty() && *id != self.deal) {
            self.import.row(self.record, Ok(Cells { deal: id, at, step: removed, ..Cells::default() }))?;
        }
        Ok(())
    }
}

/// What a version of a property says.
enum Said<'v> {
    Cells(Cells<'v>),
    /// These deals were merged into this one, then.
    Merged(&'v str, i64),
}

#[derive(Clone, Copy)]
enum Property {
    Stage,
    Amount,
    Close,
    Category,
    Merged,
}
