//! Exports of Salesforce with every trap that real ones had.

use chrono::{FixedOffset, NaiveDate};
use dealcast::crm::{DateOrder, Exports, Import, Reading, Stages, salesforce};
use dealcast::deals::{DealLog, Finding, State, Vanished};
use dealcast::time::date;
use dealcast::{Error, ErrorKind};
use serde::de::DeserializeOwned;

/// The rows of a table of text.
pub(crate) fn csv_rows<R: DeserializeOwned>(text: &str) -> Vec<Result<R, csv::Error>> {
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().collect()
}

pub(crate) fn day(month: u32, day: u32) -> NaiveDate {
    date(2026, month, day).unwrap()
}

const STAGES: &str = "ApiName,MasterLabel,SortOrder,IsActive,IsClosed,IsWon,DefaultProbability\n\
    Qualify,Qualify,1,true,false,false,10\n\
    Propose,Propose,3,true,FALSE,0,50\n\
    Old_Demo,Demo,2,false,N,N,20\n\
    Closed Won,Closed Won,8,true,TRUE,Y,100\n\
    Closed Lost,Closed Lost,9,true,1,0,0\n";

fn stages() -> Stages {
    salesforce::stages(csv_rows(STAGES)).unwrap()
}

const HISTORY: &str =
    "Id,OpportunityId,CreatedDate,StageName,Amount,CloseDate,Probability,ForecastCategory,IsDeleted\n";

fn history(rows: &str) -> DealLog {
    history_read(rows, Reading::default()).unwrap()
}

fn history_read(rows: &str, reading: Reading<'_>) -> Result<DealLog, Error> {
    let stages = stages();
    let mut import = Import::new(&stages, reading)?;
    import.salesforce_history(csv_rows(&format!("{HISTORY}{rows}")))?;
    import.finish()
}

fn fields(log: &DealLog) -> Vec<(u64, String)> {
    log.receipt().rejected().iter().map(|r| (r.row(), r.field().to_owned())).collect()
}

#[test]
fn what_is_won_is_said_by_the_definitions() {
    let stages = stages();
    assert_eq!(stages.process().to_string(), "Qualify > Demo > Propose | Closed Won | Closed Lost");
    let chances: Vec<f64> = stages.probabilities().map(|(_, p)| p.get()).collect();
    assert_eq!(chances, [0.1, 0.2, 0.5, 1.0, 0.0]);
    let lying = "MasterLabel,SortOrder,IsClosed,IsWon\nWon it,1,false,true\n";
    let error = salesforce::stages(csv_rows(lying)).unwrap_err();
    assert_eq!(
        (error.kind(), error.row(), error.field_name()),
        (ErrorKind::InvalidProcess, Some(1), Some("IsWon"))
    );
    let odd = "MasterLabel,DefaultProbability\nA,1000\n";
    assert_eq!(salesforce::stages(csv_rows(odd)).unwrap_err().field_name(), Some("DefaultProbability"));
}

#[test]
fn old_rows_name_inactive_and_renamed_stages() {
    let rows = "1,D,2026-01-05T09:00:00Z,Old_Demo,5,,20,,\n\
                2,D,2026-01-06T09:00:00Z,Demo,5,,20,,\n\
                3,D,2026-01-07T09:00:00Z,Tender,5,,50,,\n";
    assert_eq!(fields(&history(rows)), [(3, "StageName".into())]);
    let renamed = stages().renamed("Tender", "Propose").unwrap();
    let mut import = Import::new(&renamed, Reading::default()).unwrap();
    import.salesforce_history(csv_rows(&format!("{HISTORY}{rows}"))).unwrap();
    let log = import.finish().unwrap();
    assert_eq!(log.receipt().quarantined(), 0);
    assert_eq!(log.as_of(day(2, 1)).snapshot().open()[0].stage(), "Propose");
}

#[test]
fn instants_as_they_look() {
    let log = history(
        "1,A,2026-01-05T09:00:00.000+0000,Qualify,1,,,,\n\
         2,B,2026-01-05T09:00:00Z,Qualify,1,,,,\n\
         3,C,2026-01-05 9:00:00,Qualify,1,,,,\n\
         4,D,1767603600000,Qualify,1,,,,\n\
         5,E,2026-01-05T11:00:00+02:00,Qualify,1,,,,\n\
         6,F,05/01/2026,Qualify,1,,,,\n\
         7,G,,Qualify,1,,,,\n\
         8,H,null,Qualify,1,,,,\n",
    );
    assert_eq!(log.receipt().accepted(), 5);
    let nine = day(1, 5).and_hms_opt(9, 0, 0).unwrap();
    assert!(log.as_of(day(2, 1)).deals().all(|deal| deal.created() == nine));
    assert_eq!(fields(&log), [6, 7, 8].map(|row| (row, "CreatedDate".to_owned())));
    let reading = Reading::default().dates(DateOrder::MonthFirst);
    let log = history_read("6,F,05/01/2026 6:49:18,Qualify,1,04/30/2026,,,\n", reading).unwrap();
    let deal = log.as_of(day(6, 1)).deal("F").map(|deal| (deal.created(), deal.expected_close()));
    assert_eq!(deal, Some((day(5, 1).and_hms_opt(6, 49, 18).unwrap(), Some(day(4, 30)))));
}

#[test]
fn the_last_evening_of_a_quarter_lies_in_the_quarter_of_the_business_zone() {
    let row = "1,A,2026-03-31T22:30:00Z,Closed Won,1,2026-03-31,100,,\n";
    let won = |log: &DealLog| match log.as_of(day(6, 1)).deal("A").unwrap().state() {
        State::Won { at, .. } => at.date(),
        other => panic!("{other:?}"),
    };
    assert_eq!(won(&history(row)), day(3, 31));
    let berlin = Reading::default().zone(FixedOffset::east_opt(2 * 3600).unwrap());
    assert_eq!(won(&history_read(row, berlin).unwrap()), day(4, 1));
}

#[test]
fn amounts_as_they_look() {
    let log = history(
        "1,A,2026-01-05T09:00:00Z,Qualify,50000.00,,,,\n\
         2,B,2026-01-05T09:00:00Z,Qualify,\"1,250,000.50\",,,,\n\
         3,C,2026-01-05T09:00:00Z,Qualify,,,,,\n\
         4,D,2026-01-05T09:00:00Z,Qualify,nan,,,,\n\
         5,E,2026-01-05T09:00:00Z,Qualify,inf,,,,\n\
         6,F,2026-01-05T09:00:00Z,Qualify,-5,,,,\n\
         7,G,2026-01-05T09:00:00Z,Qualify,\"1,5\",,,,\n\
         8,H,2026-01-05T09:00:00Z,Qualify,EUR 5,,,,\n",
    );
    assert_eq!((log.receipt().accepted(), log.receipt().amount_dropped()), (8, 5));
    assert!(log.receipt().dropped_cells().iter().all(|cell| cell.field().eq_ignore_ascii_case("amount")));
    let amounts: Vec<Option<f64>> =
        log.as_of(day(2, 1)).deals().map(|deal| deal.amount().map(dealcast::Amount::get)).collect();
    assert_eq!(amounts[..3], [Some(50_000.0), Some(1_250_000.5), None]);
    assert!(amounts[3..].iter().all(Option::is_none));
}

/// A row of the history gives the values after the change: an empty amount is one that was taken back.
#[test]
fn an_amount_that_is_taken_back_is_gone() {
    let log = history("1,A,2026-01-05T09:00:00Z,Qualify,500,,,,\n2,A,2026-01-09T09:00:00Z,Propose,,,,,\n");
    let amount = |d| log.as_of(day(1, d)).deal("A").unwrap().amount();
    assert_eq!((amount(6).map(dealcast::Amount::get), amount(10)), (Some(500.0), None));
}

#[test]
fn a_probability_is_a_percentage() {
    let log = history(
        "1,A,2026-01-05T09:00:00Z,Qualify,1,,100,,\n\
         2,B,2026-01-05T09:00:00Z,Qualify,1,,1000,,\n\
         3,C,2026-01-05T09:00:00Z,Qualify,1,,-1,,\n\
         4,D,2026-01-05T09:00:00Z,Qualify,1,,half,,\n\
         5,E,2026-01-05T09:00:00Z,Qualify,1,,0.1,,\n",
    );
    assert_eq!(fields(&log), [2, 3, 4].map(|row| (row, "Probability".to_owned())));
}

#[test]
fn flags_in_every_spelling() {
    let flag = |text: &str| format!("1,A,2026-01-05T09:00:00Z,Qualify,1,,,,{text}\n");
    for good in ["true", "TRUE", "1", "Y", "False", "0", "n", "", "null"] {
        assert_eq!(history(&flag(good)).receipt().quarantined(), 0, "{good}");
    }
    assert_eq!(fields(&history(&flag("maybe"))), [(1, "IsDeleted".into())]);
}

#[test]
fn ids_of_fifteen_and_eighteen_characters_are_one_deal() {
    let log = history(
        "1,006D000000KFupN,2026-01-05T09:00:00Z,Qualify,1,,,,\n\
         2,006D000000KFupNIAT,2026-01-09T09:00:00Z,Propose,1,,,,\n\
         3,006D000000KFupn,2026-01-09T09:00:00Z,Propose,1,,,,\n",
    );
    let known = log.as_of(day(2, 1));
    let ids: Vec<&str> = known.deals().map(|deal| deal.id()).collect();
    assert_eq!(ids, ["006D000000KFupNIAT", "006D000000KFupnIAD"], "small and capital letters differ");
    // The id of the row is not the deal's.
    assert_eq!(fields(&history("008A,,2026-01-05T09:00:00Z,Qualify,1,,,,\n")), [(1, "OpportunityId".into())]);
}

#[test]
fn a_line_that_is_no_row_is_named_and_the_rest_counts() {
    let log =
        history("1,A,2026-01-05T09:00:00Z,Qualify,1,,,,\n2,B\n3,C,2026-01-05T09:00:00Z,Qualify,1,,,,\n");
    assert_eq!((log.receipt().accepted(), fields(&log)), (2, vec![(2, "row".into())]));
}

/// Unknown columns are ignored, missing ones are empty, and REST's JSON is read as well as csv.
#[test]
fn json_and_other_columns() {
    let json = r#"[{"attributes": {"type": "OpportunityHistory"}, "OpportunityId": "006D000000KFupNIAT", "Custom__c": 5,
        "StageName": "Qualify", "Amount": 500.25, "Probability": 10, "IsDeleted": false, "CreatedDate": "2026-01-05T09:00:00.000+0000"},
        {"OpportunityId": "x", "StageName": "Qualify", "Amount": {"a": 1}, "CreatedDate": 1767603600000}]"#;
    let rows: Vec<salesforce::OpportunityHistory> = serde_json::from_str(json).unwrap();
    let stages = stages();
    let mut import = Import::new(&stages, Reading::default()).unwrap();
    import.salesforce_history(rows.into_iter().map(Ok::<_, Error>)).unwrap();
    let log = import.finish().unwrap();
    assert_eq!((log.receipt().accepted(), log.receipt().amount_dropped()), (2, 1));
    let known = log.as_of(day(2, 1));
    assert_eq!(known.deal("006D000000KFupNIAT").unwrap().amount().unwrap().get(), 500.25);
}

const DEALS: &str = "Id,StageName,Amount,CloseDate,CreatedDate,SystemModstamp,IsClosed,IsWon,IsDeleted,LeadSource,OwnerId,CurrencyIsoCode\n";

fn with_deals(rows: &str, deals: &str, reading: Reading<'_>) -> Result<DealLog, Error> {
    let stages = stages();
    let mut import = Import::new(&stages, reading)?;
    import.salesforce_history(csv_rows(&format!("{HISTORY}{rows}")))?;
    import.salesforce_opportunities(csv_rows(&format!("{DEALS}{deals}")))?;
    import.finish()
}

/// A history that starts with a sync: the deal was found in its first stage, the next stage it entered.
#[test]
fn a_deal_older_than_its_history_is_left_truncated() {
    let rows = "1,OLD,2026-01-05T09:00:00Z,Qualify,1,,,,\n2,OLD,2026-02-05T09:00:00Z,Propose,1,,,,\n\
                3,NEW,2026-01-05T09:00:00Z,Qualify,1,,,,\n";
    let deals = "OLD,Propose,1,,2025-03-01T09:00:00Z,,,,,,,\nNEW,Qualify,1,,2026-01-05T08:59:59Z,,,,,,,\n";
    let log = with_deals(rows, deals, Reading::default()).unwrap();
    let exact = |id, month, d| match log.as_of(day(month, d)).deal(id).unwrap().state() {
        State::Open { exact, .. } => exact,
        other => panic!("{other:?}"),
    };
    assert_eq!((exact("OLD", 1, 10), exact("NEW", 1, 10), exact("OLD", 3, 1)), (false, true, true));
    assert_eq!(log.receipt().count(Finding::SeenFirst), 1);
    assert_eq!(history(rows).receipt().count(Finding::SeenFirst), 0, "nothing is known without the deals");
}

#[test]
fn deleted_deals_count_until_they_are_deleted() {
    let rows = "1,A,2026-01-05T09:00:00Z,Qualify,1,,,,true\n";
    let deals = "A,Qualify,1,,2026-01-05T09:00:00Z,2026-01-20T09:00:00Z,0,0,1,,,\n";
    let log = with_deals(rows, deals, Reading::default()).unwrap();
    let n_open = |d| log.as_of(day(1, d)).snapshot().n_open();
    assert_eq!((n_open(10), n_open(25)), (1, 0));
    let undated =
        with_deals(rows, "A,Qualify,1,,2026-01-05T09:00:00Z,,0,0,1,,,\n", Reading::default()).unwrap();
    assert_eq!(fields(&undated), [(2, "SystemModstamp".into())]);
}

/// What a deal's row says today says nothing about the past, unless the caller knows that it never changes.
#[test]
fn todays_values_are_no_look_ahead() {
    let rows = "1,A,2026-01-05T09:00:00Z,Qualify,1,,,,\n";
    let deals = "A,Closed Won,999,2026-02-01,2026-01-05T09:00:00Z,2026-02-01T09:00:00Z,1,1,0,Web,U7,\n";
    let log = with_deals(rows, deals, Reading::default().fixed(&["LeadSource"])).unwrap();
    let then = log.as_of(day(1, 10));
    let deal = then.deal("A").unwrap();
    assert_eq!((deal.amount().unwrap().get(), deal.attributes()), (1.0, vec![("LeadSource", "Web")]));
    assert!(matches!(deal.state(), State::Open { stage: "Qualify", .. }));
    let now = log.as_of(day(2, 10));
    assert_eq!(now.deal("A").unwrap().attribute("OwnerId"), Some("U7"));
}

#[test]
fn field_history_begins_with_what_the_first_change_replaced() {
    let stages = stages();
    let head = "OpportunityId,Field,OldValue,NewValue,CreatedDate\n";
    let changes = "A,StageName,Propose,Closed Won,2026-02-11T09:00:00Z\n\
                   A,StageName,Qualify,Propose,2026-02-11T09:00:00Z\n\
                   A,Amount,100,120,2026-02-01T09:00:00Z\n\
                   A,CloseDate,2026-03-31,2026-02-11,2026-02-11T09:00:00Z\n\
                   A,Description,x,y,2026-02-11T09:00:00Z\n\
                   OLD,StageName,Qualify,Propose,2026-02-20T09:00:00Z\n";
    let deals = "A,Closed Won,120,2026-02-11,2026-01-05T09:00:00Z,,1,1,,,,\n\
                 OLD,Propose,50,,2025-01-05T09:00:00Z,,0,0,,,,\n\
                 STILL,Qualify,70,2026-06-30,2026-01-07T09:00:00Z,,0,0,,,,\n";
    let mut import = Import::new(&stages, Reading::default().history_since(day(1, 1))).unwrap();
    import
        .salesforce_field_history(csv_rows(&format!("{head}{changes}")), csv_rows(&format!("{DEALS}{deals}")))
        .unwrap();
    let log = import.finish().unwrap();
    assert_eq!((log.receipt().quarantined(), log.receipt().ignored()), (0, 1));
    let book = log.as_of(day(1, 20)).snapshot();
    let open: Vec<(&str, &str, bool, Option<f64>)> = book
        .open()
        .iter()
        .map(|d| (d.id(), d.stage(), d.is_exact(), d.amount().map(dealcast::Amount::get)))
        .collect();
    assert_eq!(
        open,
        [
            ("A", "Qualify", true, Some(100.0)),
            ("OLD", "Qualify", false, Some(50.0)),
            ("STILL", "Qualify", true, Some(70.0)),
        ]
    );
    assert_eq!(book.open()[0].expected_close(), Some(day(3, 31)));
    assert!(matches!(log.as_of(day(3, 1)).deal("A").unwrap().state(), State::Won { .. }));
}

#[test]
fn weekly_exports_of_opportunities_make_a_series() {
    let stages = stages();
    let mut exports = Exports::new(&stages, Vanished::Removed, Reading::default());
    let deals = "A,Qualify,5,2026-04-30,2026-01-05T09:00:00Z,,0,0,0,,,\nB,Propose,-1,,2026-01-05T09:00:00Z,,0,0,0,,,\n\
                 C,Qualify,5,,2026-01-05T09:00:00Z,,0,0,1,,,\n,Qualify,5,,2026-01-05T09:00:00Z,,0,0,0,,,\n";
    exports.salesforce(day(2, 2), csv_rows(&format!("{DEALS}{deals}"))).unwrap();
    let deals = "A,Closed Won,6,2026-02-05,2026-01-05T09:00:00Z,,1,1,0,,,\n";
    exports.salesforce(day(2, 9), csv_rows(&format!("{DEALS}{deals}"))).unwrap();
    assert_eq!(exports.n_left_out(), 1);
    let series = exports.finish().unwrap();
    let receipt = series.receipt();
    assert_eq!(
        (receipt.rows_in(), receipt.accepted(), receipt.quarantined(), receipt.amount_dropped()),
        (4, 3, 1, 1)
    );
    let book = series.snapshot(1).unwrap();
    assert_eq!((book.won()[0].closed().date(), book.won()[0].amount().unwrap().get()), (day(2, 5), 6.0));
}

#[test]
fn strict_reading_stops_at_the_first_bad_row() {
    let rows = "1,A,2026-01-05T09:00:00Z,Qualify,1,,,,\n2,B,2026-01-05T09:00:00Z,Quality,1,,,,\n";
    let error = history_read(rows, Reading::default().strict()).unwrap_err();
    assert_eq!((error.row(), error.deal(), error.field_name()), (Some(2), Some("B"), Some("StageName")));
}
