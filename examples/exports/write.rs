//! One made-up company as four CRMs export it.

use chrono::{Days, NaiveDate, NaiveDateTime};
use dealcast::deals::{Change, DealEvent};
use dealcast::synthetic::{
    Arrivals, Company, Destination, Exit, Market, Signals, StageTruth, Stay, Truth, World,
};
use dealcast::time::date;
use dealcast::{Period, Probability, Result, Seed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

/// The open stages, and the chance of winning that the CRM states for each.
const STAGES: [(&str, u8); 4] = [("Qualify", 10), ("Develop", 30), ("Propose", 60), ("Close", 90)];

/// A company with so many deals a day, from the start of 2025 to 9 March 2026.
fn company(daily: f64) -> Result<Company> {
    use Destination::{Lost, Stage, Won};
    let about = |median_days| Stay::LogNormal { median_days, spread: 0.8 };
    let stage = |at: usize, (to, onward, days): (Destination, f64, f64), lost_days: f64| StageTruth {
        name: STAGES[at].0.to_owned(),
        exits: vec![
            Exit { to, weight: onward, stay: about(days) },
            Exit { to: Lost, weight: 1.0 - onward, stay: about(lost_days) },
        ],
        stale: Probability::ZERO,
    };
    let base = World::Stationary.truth();
    let truth = Truth {
        stages: vec![
            stage(0, (Stage(1), 0.7, 9.0), 16.0),
            stage(1, (Stage(2), 0.75, 10.0), 20.0),
            stage(2, (Stage(3), 0.8, 12.0), 25.0),
            stage(3, (Won, 0.85, 10.0), 20.0),
        ],
        arrivals: Arrivals { daily, ..base.arrivals },
        market: Market { drift: 1.0, shock: 0.2 },
        signals: Signals::Informative { error_days: 14.0, mistaken: Probability::new(0.2)? },
        ..base
    };
    Company::new(truth, Period::new(date(2025, 1, 1)?, date(2026, 3, 10)?)?, Seed::new(2026))
}

/// No deal is expected later than this.
const LAST: NaiveDate = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();

/// A row of the company's history: what holds after it.
struct Row {
    deal: u32,
    at: NaiveDateTime,
    stage: String,
    amount: f64,
    close: NaiveDate,
    commit: bool,
}

/// What the rows say, in the order of time.
fn history(events: Vec<DealEvent>) -> Vec<Row> {
    let row = |event: DealEvent| {
        let mut row = Row {
            deal: event.deal.trim_start_matches("D-").parse().unwrap_or_default(),
            at: event.at,
            stage: String::new(),
            amount: 0.0,
            // A closed deal's date is that of its close.
            close: event.at.date(),
            commit: false,
        };
        for change in event.changes {
            match change {
                Change::Entered(stage) => row.stage = stage,
                Change::Amount(amount) => row.amount = amount.unwrap_or_default(),
                Change::ExpectedClose(day) => row.close = day.unwrap_or(row.close).min(LAST),
                Change::Category(category) => row.commit = category == "commit",
                _ => {}
            }
        }
        row
    };
    events.into_iter().map(row).collect()
}

impl Row {
    fn place(&self) -> Option<usize> {
        STAGES.iter().position(|(name, _)| *name == self.stage)
    }

    fn is_won(&self) -> bool {
        self.stage == "won"
    }

    fn salesforce_stage(&self) -> &str {
        match self.place() {
            Some(_) => &self.stage,
            None if self.is_won() => "Closed Won",
            None => "Closed Lost",
        }
    }
}

/// A deal: its rows in the order of time.
fn by_deal(rows: &[Row]) -> BTreeMap<u32, Vec<&Row>> {
    let mut deals: BTreeMap<u32, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        deals.entry(row.deal).or_default().push(row);
    }
    deals
}

/// Every committed file: its path below `examples/data`, and its text.
pub(crate) fn files() -> Result<Vec<(String, String)>> {
    let rows = history(company(0.35)?.events()?);
    let deals = by_deal(&rows);
    let mut files = vec![
        ("salesforce/OpportunityStage.csv".to_owned(), opportunity_stage()),
        ("salesforce/OpportunityHistory.csv".to_owned(), {
            let mut text = Vec::new();
            // Writing into memory does not fail.
            let _ = opportunity_history(&rows, &mut text);
            String::from_utf8(text).unwrap_or_default()
        }),
        ("salesforce/Opportunity.csv".to_owned(), opportunity(&deals)),
        ("hubspot/pipelines.json".to_owned(), lines(&hubspot_pipelines())),
        (
            "hubspot/deals.json".to_owned(),
            lines(&deals.iter().map(|(id, rows)| hubspot_deal(*id, rows)).collect::<Vec<_>>()),
        ),
        ("pipedrive/stages.json".to_owned(), lines(&pipedrive_stages())),
        ("pipedrive/flow.json".to_owned(), lines(&pipedrive_flow(&deals))),
        (
            "pipedrive/deals.json".to_owned(),
            lines(&deals.iter().map(|(id, rows)| pipedrive_deal(*id, rows)).collect::<Vec<_>>()),
        ),
    ];
    // Weekly exports on Mondays, of the last nine months.
    let mut monday = date(2025, 6, 9)?;
    while monday <= date(2026, 3, 9)? {
        files.push((format!("dynamics/{monday}.csv"), dynamics(&deals, monday)));
        monday = monday + Days::new(7);
    }
    Ok(files)
}

fn lines(objects: &[Value]) -> String {
    let objects: Vec<String> = objects.iter().map(Value::to_string).collect();
    format!("[\n{}\n]\n", objects.join(",\n"))
}

pub(crate) fn opportunity_stage() -> String {
    let mut text =
        "MasterLabel,ApiName,SortOrder,IsActive,IsClosed,IsWon,DefaultProbability,ForecastCategoryName\n"
            .to_owned();
    for (order, (name, chance)) in STAGES.iter().enumerate() {
        let _ = writeln!(text, "{name},{name},{},true,false,false,{chance},Pipeline", order + 1);
    }
    text + "Closed Won,Closed Won,8,true,true,true,100,Closed\nClosed Lost,Closed Lost,9,true,true,false,0,Omitted\n"
}

fn salesforce_id(deal: u32) -> String {
    // One capital, the fourth of five characters: so the check characters are known.
    format!("006Qy0000{deal:06}IAA")
}

fn opportunity_history(rows: &[Row], out: &mut impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        "Id,OpportunityId,CreatedDate,StageName,Amount,CloseDate,Probability,ForecastCategory,PrevAmount,PrevCloseDate,IsDeleted"
    )?;
    for (number, row) in rows.iter().enumerate() {
        let chance = row.place().map_or(if row.is_won() { 100 } else { 0 }, |at| STAGES[at].1);
        let category = match row.place() {
            Some(_) if row.commit => "Commit",
            Some(_) => "Pipeline",
            None if row.is_won() => "Closed",
            None => "Omitted",
        };
        writeln!(
            out,
            "008Qy{number:010}AAA,{},{}.000+0000,{},{:.2},{},{chance},{category},,,false",
            salesforce_id(row.deal),
            row.at.format("%Y-%m-%dT%H:%M:%S"),
            row.salesforce_stage(),
            row.amount,
            row.close,
        )?;
    }
    Ok(())
}

fn opportunity(deals: &BTreeMap<u32, Vec<&Row>>) -> String {
    let mut text =
        "Id,StageName,Amount,CloseDate,CreatedDate,IsClosed,IsWon,IsDeleted,LeadSource\n".to_owned();
    for (deal, rows) in deals {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { continue };
        let source = ["Web", "Event", "Partner"][usize::try_from(deal % 3).unwrap_or_default()];
        let _ = writeln!(
            text,
            "{},{},{:.2},{},{}.000+0000,{},{},false,{source}",
            salesforce_id(*deal),
            last.salesforce_stage(),
            last.amount,
            last.close,
            first.at.format("%Y-%m-%dT%H:%M:%S"),
            last.place().is_none(),
            last.is_won(),
        );
    }
    text
}

pub(crate) fn hubspot_pipelines() -> Vec<Value> {
    let stage = |id: &str, label: &str, order: usize, closed: bool, chance: u8| {
        json!({"id": id, "label": label, "displayOrder": order,
            "metadata": {"isClosed": closed.to_string(), "probability": format!("{}", f64::from(chance) / 100.0)}})
    };
    let mut stages: Vec<Value> = STAGES
        .iter()
        .enumerate()
        .map(|(at, (name, chance))| stage(&(1000 + at).to_string(), name, at, false, *chance))
        .collect();
    stages.push(stage("closedwon", "Closed won", 8, true, 100));
    stages.push(stage("closedlost", "Closed lost", 9, true, 0));
    vec![json!({"id": "default", "label": "Sales", "displayOrder": 0, "stages": stages})]
}

fn hubspot_deal(deal: u32, rows: &[&Row]) -> Value {
    let instant = |at: NaiveDateTime| at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let stage = |row: &Row| match row.place() {
        Some(at) => (1000 + at).to_string(),
        None if row.is_won() => "closedwon".to_owned(),
        None => "closedlost".to_owned(),
    };
    // Versions newest first, each only where the value changed.
    let versions = |value: &dyn Fn(&Row) -> String| {
        let mut all: Vec<(String, NaiveDateTime)> = rows.iter().map(|row| (value(row), row.at)).collect();
        all.dedup_by(|later, first| later.0 == first.0);
        let version = |(value, at): (String, NaiveDateTime)| json!({"value": value, "timestamp": instant(at), "sourceType": "CRM_UI"});
        all.into_iter().rev().map(version).collect::<Vec<_>>()
    };
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Value::Null };
    json!({
        "id": deal.to_string(),
        "properties": {
            "amount": format!("{:.2}", last.amount), "closedate": instant(last.close.into()),
            "createdate": instant(first.at), "dealname": format!("Deal {deal}"), "dealstage": stage(last),
            "hs_is_closed": last.place().is_none().to_string(), "pipeline": "default",
        },
        "propertiesWithHistory": {
            "amount": versions(&|row| format!("{:.2}", row.amount)),
            "closedate": versions(&|row| instant(row.close.into())),
            "dealstage": versions(&stage),
        },
        "createdAt": instant(first.at), "updatedAt": instant(last.at), "archived": false,
    })
}

fn pipedrive_stages() -> Vec<Value> {
    let stage = |(at, (name, chance)): (usize, &(&str, u8))| {
        json!({"id": at + 1, "name": name, "order_nr": at, "pipeline_id": 1, "pipeline_name": "Sales",
            "deal_probability": chance, "rotten_days": 30})
    };
    STAGES.iter().enumerate().map(stage).collect()
}

/// The changes of every deal, newest first.
fn pipedrive_flow(deals: &BTreeMap<u32, Vec<&Row>>) -> Vec<Value> {
    let mut flow = Vec::new();
    for (deal, rows) in deals {
        let mut of_deal = Vec::new();
        for pair in rows.windows(2) {
            let [before, after] = pair else { continue };
            let mut change = |field: &str, old: Value, new: Value| {
                let time = after.at.format("%Y-%m-%d %H:%M:%S").to_string();
                of_deal.push(json!({"item_id": deal, "field_key": field, "old_value": old, "new_value": new, "log_time": time}));
            };
            match (before.place(), after.place()) {
                (Some(from), Some(to)) => {
                    change("stage_id", json!((from + 1).to_string()), json!((to + 1).to_string()));
                }
                _ => change("status", json!("open"), json!(after.stage)),
            }
            if before.close != after.close && after.place().is_some() {
                change(
                    "expected_close_date",
                    json!(before.close.to_string()),
                    json!(after.close.to_string()),
                );
            }
        }
        flow.extend(of_deal.into_iter().rev());
    }
    flow
}

fn pipedrive_deal(deal: u32, rows: &[&Row]) -> Value {
    let time = |at: NaiveDateTime| at.format("%Y-%m-%d %H:%M:%S").to_string();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Value::Null };
    let open = rows.iter().rev().find(|row| row.place().is_some());
    let closed = |status: &str| if last.stage == status { json!(time(last.at)) } else { Value::Null };
    json!({
        "id": deal, "title": format!("Deal {deal}"), "value": last.amount, "currency": "EUR",
        "stage_id": open.and_then(|row| row.place()).map(|at| at + 1), "pipeline_id": 1,
        "status": if last.place().is_some() { "open" } else { &last.stage },
        "probability": null, "add_time": time(first.at), "update_time": time(last.at),
        "won_time": closed("won"), "lost_time": closed("lost"),
        "expected_close_date": open.map(|row| row.close.to_string()),
    })
}

/// The deals as they stood on a Monday: those open, and those closed in the week before.
fn dynamics(deals: &BTreeMap<u32, Vec<&Row>>, monday: NaiveDate) -> String {
    let mut text = "opportunityid,stepname,statecode,estimatedvalue,actualvalue,estimatedclosedate,actualclosedate,closeprobability,createdon\n".to_owned();
    for (deal, rows) in deals {
        let seen = |row: &&&Row| row.at < NaiveDateTime::from(monday);
        let open = rows.iter().filter(seen).rfind(|row| row.place().is_some());
        let (Some(last), Some(open), Some(first)) = (rows.iter().rfind(seen), open, rows.first()) else {
            continue;
        };
        let is_open = last.place().is_some();
        if !is_open && last.at < NaiveDateTime::from(monday - Days::new(7)) {
            continue;
        }
        let at = open.place().unwrap_or_default();
        let _ = writeln!(
            text,
            "5f1a0000-0000-4000-8000-{deal:012},{}-{},{},{:.2},{},{},{},{},{}Z",
            at + 1,
            open.stage,
            if is_open {
                0
            } else if last.is_won() {
                1
            } else {
                2
            },
            open.amount,
            if last.is_won() { format!("{:.2}", last.amount) } else { String::new() },
            open.close,
            if is_open { String::new() } else { last.at.date().to_string() },
            STAGES[at].1,
            first.at.format("%Y-%m-%dT%H:%M:%S"),
        );
    }
    text
}

/// A Salesforce history of about `n` rows.
pub(crate) fn many_opportunity_rows(
    n: f64,
    out: &mut impl io::Write,
) -> std::result::Result<usize, Box<dyn std::error::Error>> {
    let rows = history(company(n / ROWS_OF_ONE_A_DAY)?.events()?);
    opportunity_history(&rows, out)?;
    Ok(rows.len())
}

/// About `n` HubSpot deals with their history.
pub(crate) fn many_hubspot_deals(
    n: f64,
    out: &mut impl io::Write,
) -> std::result::Result<usize, Box<dyn std::error::Error>> {
    let rows = history(company(n / DEALS_OF_ONE_A_DAY)?.events()?);
    let deals = by_deal(&rows);
    let mut separator = "[\n";
    for (deal, rows) in &deals {
        write!(out, "{separator}{}", hubspot_deal(*deal, rows))?;
        separator = ",\n";
    }
    writeln!(out, "\n]")?;
    Ok(deals.len())
}

/// Rows and deals of a company that creates one deal a day, as measured.
const ROWS_OF_ONE_A_DAY: f64 = 1512.0;
const DEALS_OF_ONE_A_DAY: f64 = 433.0;
