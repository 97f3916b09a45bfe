//! Dynamics 365: the opportunity table. It keeps no history of stages, so its input are periodic exports.
//!
//! Won and lost are a matter of the state, not of the stage: the process has one stage `Won` and one `Lost` behind the
//! open ones. Estimated money may be negative; such an amount is dropped and counted, the row kept.

use super::cell::{self, Scale, amount, needed, probability, stated};
use super::exports::Exports;
use super::import::{Context, small};
use super::sighting::Sighting;
use super::stages::{Place, StageDefinition, Stages};
use crate::deals::{Cell, StageKind};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A row of `opportunity`.
///
/// # Example: five rows of one export
/// ```
/// use dealcast::crm::{Exports, Reading, dynamics};
/// use dealcast::deals::Vanished;
/// let text = "opportunityid,stepname,statecode,estimatedvalue,actualvalue,estimatedclosedate,actualclosedate,createdon\n\
///     5F1A0000-0000-0000-0000-000000000001,1-Qualify,0,500,,2026-04-30,,2026-02-20T08:00:00Z\n\
///     {5f1a0000-0000-0000-0000-000000000002},2-Develop,Open,-70,,2026-04-30,,2026-02-20T08:00:00Z\n\
///     5f1a0000-0000-0000-0000-000000000003,4-Close,1,900,880,2026-02-27,2026-02-26,2026-01-09T08:00:00Z\n\
///     5f1a0000-0000-0000-0000-000000000004,2-Develop,2,70,,2026-02-27,2026-02-26,2026-01-09T08:00:00Z\n\
///     5f1a0000-0000-0000-0000-000000000005,2-Develop,7,70,,2026-02-27,,2026-01-09T08:00:00Z\n";
/// let stages = dynamics::stages(["Qualify", "Develop", "Propose", "Close"])?;
/// let mut exports = Exports::new(&stages, Vanished::Removed, Reading::default());
/// let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
/// exports.dynamics(dealcast::time::date(2026, 3, 2)?, rows)?;
/// let series = exports.finish()?;
/// assert_eq!(series.receipt().rejected()[0].field(), "statecode");
/// assert_eq!(series.receipt().amount_dropped(), 1);
/// let book = series.snapshot(0).unwrap();
/// assert_eq!((book.n_open(), book.won().len(), book.lost().len()), (2, 1, 1));
/// assert_eq!(book.open()[0].id(), "5f1a0000-0000-0000-0000-000000000001");
/// # Ok::<(), dealcast::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Opportunity {
    /// The deal's id, with or without braces, in either case.
    pub opportunityid: Option<String>,
    /// What people call it; not kept.
    pub name: Option<String>,
    /// What it is thought to be worth.
    #[serde(deserialize_with = "cell::text")]
    pub estimatedvalue: Option<String>,
    /// What it was worth, once it is won.
    #[serde(deserialize_with = "cell::text")]
    pub actualvalue: Option<String>,
    /// The currency of both.
    #[serde(alias = "_transactioncurrencyid_value")]
    pub transactioncurrencyid: Option<String>,
    /// When it is expected to close.
    #[serde(deserialize_with = "cell::text")]
    pub estimatedclosedate: Option<String>,
    /// When it was won or lost.
    #[serde(deserialize_with = "cell::text")]
    pub actualclosedate: Option<String>,
    /// From 0 to 100.
    #[serde(deserialize_with = "cell::text")]
    pub closeprobability: Option<String>,
    /// 0 or `Open`, 1 or `Won`, 2 or `Lost`.
    #[serde(deserialize_with = "cell::text")]
    pub statecode: Option<String>,
    /// Its stage: a number and a name, `2-Develop`.
    pub stepname: Option<String>,
    /// Its stage by number from 0, used where there is no `stepname`.
    #[serde(deserialize_with = "cell::text")]
    pub salesstage: Option<String>,
    /// When it was created.
    #[serde(deserialize_with = "cell::text")]
    pub createdon: Option<String>,
    /// Whose deal it is.
    #[serde(alias = "_ownerid_value")]
    pub ownerid: Option<String>,
}

/// Open stages by name, in their order: those of the option set `salesstage`, which is
/// `["Qualify", "Develop", "Propose", "Close"]` unless it was changed, or of a business process flow. `Won` and `Lost`
/// follow.
///
/// # Errors
/// [`InvalidProcess`](ErrorKind::InvalidProcess) where the names form no process.
///
/// # Example
/// ```
/// let stages = dealcast::crm::dynamics::stages(["Qualify", "Develop", "Propose", "Close"])?;
/// assert_eq!(stages.process().to_string(), "Qualify > Develop > Propose > Close | Won | Lost");
/// # Ok::<(), dealcast::Error>(())
/// ```
pub fn stages<'n>(open: impl IntoIterator<Item = &'n str>) -> Result<Stages> {
    let open = open
        .into_iter()
        .enumerate()
        .map(|(number, name)| StageDefinition::new(format!("salesstage={number}"), name, StageKind::Open));
    let won = StageDefinition::new("statecode=1", "Won", StageKind::Won);
    let lost = StageDefinition::new("statecode=2", "Lost", StageKind::Lost);
    Stages::new(open.chain([won, lost]))
}

impl Exports<'_> {
    /// Rows of `opportunity` as they stood at an instant.
    ///
    /// # Errors
    /// With strict reading the first bad row.
    pub fn dynamics<E: std::error::Error>(
        &mut self,
        as_of: impl Into<chrono::NaiveDateTime>,
        rows: impl IntoIterator<Item = std::result::Result<Opportunity, E>>,
    ) -> Result<()> {
        self.each(as_of.into(), rows, Opportunity::sighting)
    }
}

impl Opportunity {
    fn sighting<'a>(&'a self, context: &Context<'_>) -> Result<Sighting<'a>> {
        small([&self.opportunityid, &self.stepname, &self.ownerid].map(Option::as_ref))?;
        let deal = guid(needed(self.opportunityid.as_ref(), "opportunityid")?);
        self.sighting_of(deal.clone(), context).map_err(|error| error.of_deal(&deal))
    }

    fn sighting_of<'a>(&'a self, deal: Cow<'a, str>, context: &Context<'_>) -> Result<Sighting<'a>> {
        let reading = &context.reading;
        probability(self.closeprobability.as_ref(), Scale::Percent, "closeprobability")?;
        let outcome = self.outcome()?;
        let place = match outcome {
            Some(kind) => context.stages.outcome(kind)?,
            None => self.stage(context.stages)?,
        };
        let expected = (self.estimatedclosedate.as_ref(), "estimatedclosedate");
        let actual = (self.actualclosedate.as_ref(), "actualclosedate");
        let (close, field) = if outcome.is_some() { actual } else { expected };
        let worth = match outcome {
            Some(StageKind::Won) if stated(self.actualvalue.as_ref()).is_some() => {
                cell::state(self.actualvalue.as_ref(), |text| amount(text, "actualvalue"))
            }
            _ => cell::state(self.estimatedvalue.as_ref(), |text| amount(text, "estimatedvalue")),
        };
        let close = cell::state(close, |text| reading.day(text, field));
        Ok(Sighting {
            deal,
            place: Some(place),
            created: reading.instant_if(self.createdon.as_ref(), "createdon")?,
            closed: Sighting::closing(outcome.is_some(), &close)?,
            amount: worth,
            close: if outcome.is_some() { Cell::Blank } else { close },
            currency: stated(self.transactioncurrencyid.as_ref()),
            attributes: stated(self.ownerid.as_ref()).map(|owner| ("ownerid", owner)).into_iter().collect(),
            ..Sighting::default()
        })
    }

    fn outcome(&self) -> Result<Option<StageKind>> {
        match needed(self.statecode.as_ref(), "statecode")? {
            "0" | "Open" => Ok(None),
            "1" | "Won" => Ok(Some(StageKind::Won)),
            "2" | "Lost" => Ok(Some(StageKind::Lost)),
            other => {
                let error = Error::new(ErrorKind::Unreadable, "0 (open), 1 (won) or 2 (lost)");
                Err(error.field("statecode").found(other))
            }
        }
    }

    /// The stage of an open deal: by the name behind the number of `stepname`, or by the number of `salesstage`.
    fn stage(&self, stages: &Stages) -> Result<Place> {
        if let Some(step) = stated(self.stepname.as_ref()) {
            let named = stages.find(None, step);
            let behind = || step.split_once('-').filter(|(n, _)| n.bytes().all(|byte| byte.is_ascii_digit()));
            return named
                .or_else(|error| behind().map_or(Err(error), |(_, name)| stages.find(None, name.trim())))
                .map_err(|error| error.field("stepname"));
        }
        let number = needed(self.salesstage.as_ref(), "stepname")?;
        stages.find(None, &format!("salesstage={number}")).map_err(|error| error.field("salesstage"))
    }
}

/// An id without braces and in small letters, where it is a GUID; anything else as it is.
fn guid(id: &str) -> Cow<'_, str> {
    let bare = id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).unwrap_or(id);
    let is_guid = bare.len() == 36
        && bare.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    match is_guid {
        true if bare.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(bare.to_ascii_lowercase()),
        true => Cow::Borrowed(bare),
        false => Cow::Borrowed(id),
    }
}
