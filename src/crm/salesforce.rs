//! Salesforce: `OpportunityStage`, `Opportunity`, `OpportunityHistory`, `OpportunityFieldHistory`.
//!
//! The history of a log comes from `OpportunityHistory` (a row whenever stage, amount, probability or close date
//! changed, with the values after it) or, where it is all there is, from `OpportunityFieldHistory`. `Opportunity` adds
//! what the history does not say: when a deal was created, its currency, and that it was deleted. Its other columns hold
//! today's values; see [`Reading::fixed`](super::Reading::fixed).
//!
//! Ids of 15 and of 18 characters name the same record; a log holds the form of 18.

use super::cell::{self, Scale, amount, flag, needed, probability, stated};
use super::changes::{Change, Changes, Names, Origin, Today, What};
use super::exports::Exports;
use super::import::{Context, Import, small};
use super::sighting::Sighting;
use super::stages::{StageDefinition, Stages};
use crate::deals::{CURRENCY, Cells, Flag, StageKind};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A row of `OpportunityStage`: a stage and what it means.
///
/// # Example: five rows
/// ```
/// use dealcast::crm::salesforce;
/// let text = "ApiName,MasterLabel,SortOrder,IsActive,IsClosed,IsWon,DefaultProbability,ForecastCategoryName\n\
///             Qualification,Qualification,2,true,false,false,10,Pipeline\n\
///             Prospecting,Prospecting,1,true,FALSE,0,5,Pipeline\n\
///             Proposal,Proposal/Quote,3,true,false,false,60,Best Case\n\
///             Closed Won,Closed Won,8,true,true,true,100,Closed\n\
///             Closed Lost,Closed Lost,9,true,true,false,0,Omitted\n";
/// let stages = salesforce::stages(csv::Reader::from_reader(text.as_bytes()).into_deserialize())?;
/// assert_eq!(
///     stages.process().to_string(),
///     "Prospecting > Qualification > Proposal/Quote | Closed Won | Closed Lost"
/// );
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct OpportunityStage {
    /// What people call it.
    pub master_label: Option<String>,
    /// What rows call it; the label where there is none.
    pub api_name: Option<String>,
    /// Its place.
    #[serde(deserialize_with = "cell::text")]
    pub sort_order: Option<String>,
    /// Whether it can still be chosen; older rows name it all the same.
    #[serde(deserialize_with = "cell::text")]
    pub is_active: Option<String>,
    /// Whether it ends a deal.
    #[serde(deserialize_with = "cell::text")]
    pub is_closed: Option<String>,
    /// Whether it ends it well.
    #[serde(deserialize_with = "cell::text")]
    pub is_won: Option<String>,
    /// From 0 to 100.
    #[serde(deserialize_with = "cell::text")]
    pub default_probability: Option<String>,
    /// Its forecast category.
    pub forecast_category_name: Option<String>,
}

/// A row of `Opportunity`: a deal as it stands today.
///
/// # Example: five rows, of which one is deleted and one has no id
/// ```
/// use dealcast::crm::{Import, Reading, salesforce};
/// let stages = "MasterLabel,SortOrder,IsClosed,IsWon\nQualify,1,false,false\nWon,2,true,true\nLost,3,true,false\n";
/// let stages = salesforce::stages(csv::Reader::from_reader(stages.as_bytes()).into_deserialize())?;
/// let deals = "Id,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,IsDeleted,LeadSource,SystemModstamp\n\
///     006Qy000000001AIAQ,Qualify,1200,2026-04-30,2026-01-05T09:00:00.000+0000,false,false,false,Web,\n\
///     006Qy000000002AIAQ,Won,900.50,2026-02-11,2026-01-07T09:00:00.000+0000,true,true,false,Event,\n\
///     006Qy000000003AIAQ,Lost,,2026-02-12,2026-01-08T09:00:00.000+0000,TRUE,FALSE,FALSE,Web,\n\
///     006Qy000000004AIAQ,Qualify,70,2026-05-31,2026-01-09T09:00:00.000+0000,0,0,1,Web,2026-01-10T08:00:00Z\n\
///     ,Qualify,70,2026-05-31,2026-01-09T09:00:00.000+0000,0,0,0,Web,\n";
/// let rows = csv::Reader::from_reader(deals.as_bytes()).into_deserialize();
/// let mut import = Import::new(&stages, Reading::default().fixed(&["LeadSource"]))?;
/// import.salesforce_opportunities(rows)?;
/// let log = import.finish()?;
/// assert_eq!((log.receipt().records(), log.receipt().quarantined()), (5, 1));
/// assert_eq!(log.receipt().rejected()[0].field(), "Id");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Opportunity {
    /// The deal's id.
    pub id: Option<String>,
    /// What people call it; not kept.
    pub name: Option<String>,
    /// Whose deal it is.
    pub owner_id: Option<String>,
    /// Its stage today.
    pub stage_name: Option<String>,
    /// Its amount today.
    #[serde(deserialize_with = "cell::text")]
    pub amount: Option<String>,
    /// From 0 to 100.
    #[serde(deserialize_with = "cell::text")]
    pub probability: Option<String>,
    /// Amount times probability; not kept.
    #[serde(deserialize_with = "cell::text")]
    pub expected_revenue: Option<String>,
    /// A date: expected while it is open, actual once it is closed.
    pub close_date: Option<String>,
    /// When it was created.
    #[serde(deserialize_with = "cell::text")]
    pub created_date: Option<String>,
    /// When a person last changed it.
    #[serde(deserialize_with = "cell::text")]
    pub last_modified_date: Option<String>,
    /// When a person or the system last changed it.
    #[serde(deserialize_with = "cell::text")]
    pub system_modstamp: Option<String>,
    /// When its stage last changed.
    #[serde(deserialize_with = "cell::text")]
    pub last_stage_change_date: Option<String>,
    /// Whether it is won or lost.
    #[serde(deserialize_with = "cell::text")]
    pub is_closed: Option<String>,
    /// Whether it is won.
    #[serde(deserialize_with = "cell::text")]
    pub is_won: Option<String>,
    /// Whether it is in the recycle bin.
    #[serde(deserialize_with = "cell::text")]
    pub is_deleted: Option<String>,
    /// New or existing business.
    pub r#type: Option<String>,
    /// Where it came from.
    pub lead_source: Option<String>,
    /// Its forecast category.
    pub forecast_category: Option<String>,
    /// The same by the name that people gave it.
    pub forecast_category_name: Option<String>,
    /// Its record type.
    pub record_type_id: Option<String>,
    /// Its currency, in organisations with several.
    pub currency_iso_code: Option<String>,
    /// How often its close date was pushed; not kept.
    #[serde(deserialize_with = "cell::text")]
    pub push_count: Option<String>,
}

/// A row of `OpportunityHistory`: a deal's values after a change.
///
/// # Example: five rows
/// ```
/// use dealcast::crm::{Import, Reading, salesforce};
/// let stages = "MasterLabel,SortOrder,IsClosed,IsWon\nQualify,1,false,false\nWon,2,true,true\nLost,3,true,false\n";
/// let stages = salesforce::stages(csv::Reader::from_reader(stages.as_bytes()).into_deserialize())?;
/// let history = "Id,OpportunityId,CreatedDate,StageName,Amount,CloseDate,Probability,ForecastCategory,IsDeleted\n\
///     008A,006Qy000000001AIAQ,2026-01-05T09:00:00.000+0000,Qualify,1200,2026-04-30,10,Pipeline,false\n\
///     008B,006Qy000000001A,2026-02-11 6:49:18,Won,1150,2026-02-11,100,Closed,false\n\
///     008C,006Qy000000002AIAQ,1767776400000,Qualify,\"1,500.00\",2026-04-30,10,Pipeline,false\n\
///     008D,006Qy000000003AIAQ,05/01/2026,Qualify,900,2026-04-30,10,Pipeline,false\n\
///     008E,006Qy000000003AIAQ,2026-01-07T09:00:00Z,Qualify,900,2026-04-30,1000,Pipeline,false\n";
/// let rows = csv::Reader::from_reader(history.as_bytes()).into_deserialize();
/// let mut import = Import::new(&stages, Reading::default())?;
/// import.salesforce_history(rows)?;
/// let log = import.finish()?;
/// let fields: Vec<&str> = log.receipt().rejected().iter().map(|rejected| rejected.field()).collect();
/// assert_eq!((log.receipt().accepted(), fields), (3, vec!["CreatedDate", "Probability"]));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct OpportunityHistory {
    /// The id of this row, not of the deal; not kept.
    pub id: Option<String>,
    /// The deal's id.
    pub opportunity_id: Option<String>,
    /// When the change was made.
    #[serde(deserialize_with = "cell::text")]
    pub created_date: Option<String>,
    /// The stage from then on.
    pub stage_name: Option<String>,
    /// The amount from then on; none where it is empty.
    #[serde(deserialize_with = "cell::text")]
    pub amount: Option<String>,
    /// The expected close from then on.
    pub close_date: Option<String>,
    /// From 0 to 100.
    #[serde(deserialize_with = "cell::text")]
    pub probability: Option<String>,
    /// The forecast category from then on.
    pub forecast_category: Option<String>,
    /// Whether the deal was deleted later. The row is kept: it was true then; when the deal went is said by
    /// [`Opportunity`].
    #[serde(deserialize_with = "cell::text")]
    pub is_deleted: Option<String>,
}

/// A row of `OpportunityFieldHistory`: one field of a deal before and after a change.
///
/// # Example: five rows
/// ```
/// use dealcast::crm::{Import, Reading, salesforce};
/// let stages = "MasterLabel,SortOrder,IsClosed,IsWon\nQualify,1,false,false\nPropose,2,0,0\nWon,3,1,1\nLost,4,1,0\n";
/// let stages = salesforce::stages(csv::Reader::from_reader(stages.as_bytes()).into_deserialize())?;
/// let changes = "OpportunityId,Field,OldValue,NewValue,CreatedDate\n\
///     006Qy000000001AIAQ,created,,,2026-01-05T09:00:00Z\n\
///     006Qy000000001AIAQ,StageName,Qualify,Propose,2026-01-12T09:00:00Z\n\
///     006Qy000000001AIAQ,Amount,1200,1500,2026-01-15T09:00:00Z\n\
///     006Qy000000001AIAQ,StageName,Propose,Won,2026-02-11T09:00:00Z\n\
///     006Qy000000001AIAQ,Amount,1500,lots,2026-02-12T09:00:00Z\n";
/// let deals = "Id,StageName,Amount,CreatedDate\n006Qy000000001A,Won,1500,2026-01-05T09:00:00Z\n";
/// let mut import = Import::new(&stages, Reading::default())?;
/// import.salesforce_field_history(
///     csv::Reader::from_reader(changes.as_bytes()).into_deserialize(),
///     csv::Reader::from_reader(deals.as_bytes()).into_deserialize(),
/// )?;
/// let log = import.finish()?;
/// let then = log.as_of(dealcast::time::date(2026, 1, 10)?).snapshot();
/// assert_eq!((then.open()[0].stage(), then.open()[0].amount().unwrap().get()), ("Qualify", 1200.0));
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct OpportunityFieldHistory {
    /// The id of this row, not of the deal; not kept.
    pub id: Option<String>,
    /// The deal's id.
    pub opportunity_id: Option<String>,
    /// Which field.
    pub field: Option<String>,
    /// Its value before.
    #[serde(deserialize_with = "cell::text")]
    pub old_value: Option<String>,
    /// Its value after.
    #[serde(deserialize_with = "cell::text")]
    pub new_value: Option<String>,
    /// When it was changed.
    #[serde(deserialize_with = "cell::text")]
    pub created_date: Option<String>,
    /// Whether the deal was deleted later.
    #[serde(deserialize_with = "cell::text")]
    pub is_deleted: Option<String>,
}

/// A row of `DatedConversionRate`: how many units of a currency one unit of the corporate currency is worth from a day on.
/// [`rates`] turns them round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DatedConversionRate {
    /// The currency.
    pub iso_code: Option<String>,
    /// The first day of the rate.
    pub start_date: Option<String>,
    /// Units of the currency for one unit of the corporate currency.
    #[serde(deserialize_with = "cell::text")]
    pub conversion_rate: Option<String>,
}

/// The stages that `OpportunityStage` defines.
///
/// # Errors
/// The first row that cannot be read, with its number and field; [`InvalidProcess`](ErrorKind::InvalidProcess) where the
/// rows form no process.
pub fn stages<E: std::error::Error>(
    rows: impl IntoIterator<Item = std::result::Result<OpportunityStage, E>>,
) -> Result<Stages> {
    Stages::new(super::stages::every(rows, OpportunityStage::definition)?)
}

/// The rates of `DatedConversionRate`, into a corporate currency.
///
/// # Errors
/// The first row that cannot be read, with its number and field.
///
/// # Example
/// ```
/// use dealcast::crm::salesforce;
/// let text = "IsoCode,StartDate,NextStartDate,ConversionRate\nUSD,2026-01-01,2026-02-01,1.25\n";
/// let rates = salesforce::rates("EUR", csv::Reader::from_reader(text.as_bytes()).into_deserialize())?;
/// assert_eq!(rates.on("USD", dealcast::time::date(2026, 1, 20)?), Some(0.8));
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn rates<E: std::error::Error>(
    corporate: &str,
    rows: impl IntoIterator<Item = std::result::Result<DatedConversionRate, E>>,
) -> Result<crate::deals::Rates> {
    let reading = super::Reading::default();
    let read = |row: &DatedConversionRate| {
        let day = reading.day(needed(row.start_date.as_ref(), "StartDate")?, "StartDate")?;
        let rate = amount(needed(row.conversion_rate.as_ref(), "ConversionRate")?, "ConversionRate")?;
        Ok((needed(row.iso_code.as_ref(), "IsoCode")?.to_owned(), crate::time::civil_date(day), rate))
    };
    let read = super::stages::every(rows, read)?;
    read.into_iter().try_fold(crate::deals::Rates::home(corporate)?, |rates, (currency, day, rate)| {
        rates.and(currency, day, 1.0 / rate)
    })
}

impl OpportunityStage {
    fn definition(&self) -> Result<StageDefinition> {
        let label = needed(self.master_label.as_ref().or(self.api_name.as_ref()), "MasterLabel")?;
        let closed = flag(self.is_closed.as_ref(), "IsClosed")?;
        let kind = match (closed, flag(self.is_won.as_ref(), "IsWon")?) {
            (true, true) => StageKind::Won,
            (true, false) => StageKind::Lost,
            (false, false) => StageKind::Open,
            (false, true) => {
                let error = Error::new(ErrorKind::InvalidProcess, "a stage that is won only if it is closed");
                return Err(error.field("IsWon").in_stage(label));
            }
        };
        let order = stated(self.sort_order.as_ref()).map(|text| cell::whole_number(text, "SortOrder"));
        let chance = probability(self.default_probability.as_ref(), Scale::Percent, "DefaultProbability")?;
        Ok(StageDefinition::new(stated(self.api_name.as_ref()).unwrap_or(label), label, kind)
            .order(order.transpose()?.unwrap_or_default())
            .probability(chance))
    }
}

impl Import<'_> {
    /// Rows of `OpportunityHistory`, in any order.
    ///
    /// # Errors
    /// [`TooLarge`](ErrorKind::TooLarge) beyond 2^32 - 2 rows; strict reading also refuses the first bad row.
    pub fn salesforce_history<E: std::error::Error>(
        &mut self,
        rows: impl IntoIterator<Item = std::result::Result<OpportunityHistory, E>>,
    ) -> Result<()> {
        self.each(rows, |import, record, row: &OpportunityHistory| {
            let mut id = IdBuffer::default();
            let cells = row.cells(&import.context, &mut id);
            import.offer.row(record, cells)
        })
    }

    /// Rows of `Opportunity`, for what the history does not say: when a deal was created, its attributes, its currency,
    /// and that it was deleted. Their stage and amount are those of today and say nothing about the past.
    ///
    /// # Errors
    /// As [`salesforce_history`](Self::salesforce_history).
    pub fn salesforce_opportunities<E: std::error::Error>(
        &mut self,
        rows: impl IntoIterator<Item = std::result::Result<Opportunity, E>>,
    ) -> Result<()> {
        self.each(rows, |import, record, row: &Opportunity| match row.sighting(&import.context) {
            Ok(sighting) => sighting.background(import, record),
            Err(error) => import.row(record, Err(error)),
        })
    }

    /// Rows of `OpportunityFieldHistory`, and of the `Opportunity` rows of the same deals: a deal begins with the values
    /// that its first changes replaced, or today's where nothing changed. Give all changes of a deal, not a piece of them.
    /// Where tracking began later than the deals, say so by [`Reading::history_since`](super::Reading::history_since).
    ///
    /// # Errors
    /// As [`salesforce_history`](Self::salesforce_history).
    pub fn salesforce_field_history<E: std::error::Error, F: std::error::Error>(
        &mut self,
        changes: impl IntoIterator<Item = std::result::Result<OpportunityFieldHistory, E>>,
        deals: impl IntoIterator<Item = std::result::Result<Opportunity, F>>,
    ) -> Result<()> {
        let mut all = Changes::of(NAMES);
        self.each(changes, |import, record, row: &OpportunityFieldHistory| {
            all.take(import, record, row.change(&import.context))
        })?;
        self.each(deals, |import, record, row: &Opportunity| match row.sighting(&import.context) {
            Ok(sighting) => {
                all.begin(record, Origin::of(&sighting, row.today()));
                sighting.background(import, record)
            }
            Err(error) => import.row(record, Err(error)),
        })?;
        all.finish(self)
    }
}

impl OpportunityHistory {
    fn cells<'a>(&'a self, context: &Context<'_>, buffer: &'a mut IdBuffer) -> Result<Cells<'a>> {
        small([&self.opportunity_id, &self.stage_name, &self.forecast_category].map(Option::as_ref))?;
        let deal = long_id(needed(self.opportunity_id.as_ref(), "OpportunityId")?, buffer);
        self.cells_of(deal, context).map_err(|error| error.of_deal(deal))
    }

    fn cells_of<'a>(&'a self, deal: &'a str, context: &Context<'_>) -> Result<Cells<'a>> {
        let reading = &context.reading;
        let stage = needed(self.stage_name.as_ref(), "StageName")?;
        let place = context.stages.find(None, stage).map_err(|error| error.field("StageName"))?;
        probability(self.probability.as_ref(), Scale::Percent, "Probability")?;
        flag(self.is_deleted.as_ref(), "IsDeleted")?;
        Ok(Cells {
            deal,
            at: reading.at(self.created_date.as_ref(), "CreatedDate")?,
            step: place.step(Flag::Entered),
            amount: cell::state(self.amount.as_ref(), |text| amount(text, "Amount")),
            close: cell::state(self.close_date.as_ref(), |text| reading.day(text, "CloseDate")),
            category: stated(self.forecast_category.as_ref()),
            ..Cells::default()
        })
    }
}

impl Opportunity {
    /// The deal as it stands.
    pub(super) fn sighting<'a>(&'a self, context: &Context<'_>) -> Result<Sighting<'a>> {
        let cells = [&self.id, &self.owner_id, &self.r#type, &self.lead_source, &self.record_type_id];
        small(cells.map(Option::as_ref))?;
        let deal = owned_id(needed(self.id.as_ref(), "Id")?);
        self.sighting_of(deal.clone(), context).map_err(|error| error.of_deal(&deal))
    }

    fn today(&self) -> Today<'_> {
        Today {
            stage: stated(self.stage_name.as_ref()),
            amount: stated(self.amount.as_ref()),
            close: stated(self.close_date.as_ref()),
        }
    }

    fn sighting_of<'a>(&'a self, deal: Cow<'a, str>, context: &Context<'_>) -> Result<Sighting<'a>> {
        let reading = &context.reading;
        probability(self.probability.as_ref(), Scale::Percent, "Probability")?;
        let closed = flag(self.is_closed.as_ref(), "IsClosed")?;
        let close = cell::state(self.close_date.as_ref(), |text| reading.day(text, "CloseDate"));
        let modified = reading.instant_if(self.system_modstamp.as_ref(), "SystemModstamp")?;
        let by_person = reading.instant_if(self.last_modified_date.as_ref(), "LastModifiedDate")?;
        let place = stated(self.stage_name.as_ref())
            .map(|stage| context.stages.find(None, stage).map_err(|error| error.field("StageName")))
            .transpose()?;
        let attributes = [
            ("OwnerId", &self.owner_id),
            ("Type", &self.r#type),
            ("LeadSource", &self.lead_source),
            ("RecordTypeId", &self.record_type_id),
        ];
        let category = self.forecast_category.as_ref().or(self.forecast_category_name.as_ref());
        Ok(Sighting {
            deal,
            place,
            created: reading.instant_if(self.created_date.as_ref(), "CreatedDate")?,
            entered: reading.instant_if(self.last_stage_change_date.as_ref(), "LastStageChangeDate")?,
            closed: Sighting::closing(closed, &close)?,
            modified: modified.or(by_person),
            deleted: flag(self.is_deleted.as_ref(), "IsDeleted")?,
            amount: cell::state(self.amount.as_ref(), |text| amount(text, "Amount")),
            close,
            category: stated(category),
            names: ("CreatedDate", "SystemModstamp"),
            currency: stated(self.currency_iso_code.as_ref()),
            attributes: attributes
                .iter()
                .filter_map(|(name, cell)| Some((*name, stated(cell.as_ref())?)))
                .collect(),
        })
    }
}

impl Exports<'_> {
    /// Rows of `Opportunity` as they stood at an instant.
    ///
    /// # Errors
    /// With strict reading the first bad row.
    pub fn salesforce<E: std::error::Error>(
        &mut self,
        as_of: impl Into<chrono::NaiveDateTime>,
        rows: impl IntoIterator<Item = std::result::Result<Opportunity, E>>,
    ) -> Result<()> {
        self.each(as_of.into(), rows, Opportunity::sighting)
    }
}

impl OpportunityFieldHistory {
    /// What changed; `None` where a log does not keep it.
    fn change(&self, context: &Context<'_>) -> Result<Option<Change>> {
        small([&self.opportunity_id, &self.old_value, &self.new_value].map(Option::as_ref))?;
        let deal = owned_id(needed(self.opportunity_id.as_ref(), "OpportunityId")?);
        let what = match needed(self.field.as_ref(), "Field").map_err(|error| error.of_deal(&deal))? {
            "StageName" => What::Stage,
            "Amount" => What::Amount,
            "CloseDate" => What::Close,
            "ForecastCategoryName" | "ForecastCategory" => What::Category,
            "Owner" | "OwnerId" => What::Attribute("OwnerId"),
            "CurrencyIsoCode" => What::Attribute(CURRENCY),
            _ => return Ok(None),
        };
        let at = context.reading.at(self.created_date.as_ref(), "CreatedDate");
        Ok(Some(Change {
            at: at.map_err(|error| error.of_deal(&deal))?,
            deal: deal.into_owned(),
            what,
            old: stated(self.old_value.as_ref()).map(str::to_owned),
            new: stated(self.new_value.as_ref()).map(str::to_owned),
        }))
    }
}

/// What the cells of changes and deals are called.
const NAMES: Names = Names {
    old: "OldValue",
    new: "NewValue",
    stage: "StageName",
    amount: "Amount",
    close: "CloseDate",
    closed: "CloseDate",
};

/// Room for an id of 18 characters.
#[derive(Default)]
struct IdBuffer([u8; 18]);

/// The form of 18 characters of an opportunity's id: a form of 15 gets its three check characters; anything else is
/// taken as it is. Each check character tells which of five characters are capitals.
fn long_id<'a>(id: &'a str, buffer: &'a mut IdBuffer) -> &'a str {
    const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let bytes = id.as_bytes();
    if bytes.len() != 15 || !id.starts_with("006") || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return id;
    }
    let (short, check) = buffer.0.split_at_mut(15);
    short.copy_from_slice(bytes);
    for (slot, five) in check.iter_mut().zip(bytes.chunks(5)) {
        let capitals =
            five.iter().rev().fold(0_usize, |bits, byte| 2 * bits + usize::from(byte.is_ascii_uppercase()));
        *slot = CHECK.get(capitals).copied().unwrap_or(b'A');
    }
    std::str::from_utf8(&buffer.0).unwrap_or(id)
}

fn owned_id(id: &str) -> Cow<'_, str> {
    let mut buffer = IdBuffer::default();
    match long_id(id, &mut buffer) {
        long if long.len() == id.len() => Cow::Borrowed(id),
        long => Cow::Owned(long.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_id_are_one() {
        // The example of Salesforce's documentation of the algorithm, with the prefix of an opportunity.
        for (short, long) in
            [("006D000000KFupN", "006D000000KFupNIAT"), ("0060Y00000aBcDe", "0060Y00000aBcDeQAK")]
        {
            assert_eq!(owned_id(short), long);
            assert_eq!(owned_id(long), long);
        }
        for other in ["", "D-1", "001D000000IRt53", "006D000000KFup!", "006é00000KFupN"] {
            assert_eq!(owned_id(other), other);
        }
    }
}
