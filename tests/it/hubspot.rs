//! Exports of HubSpot with every trap that real ones had.

use crate::salesforce::{csv_rows, day};
use dealcast::crm::{Exports, Import, Reading, Stages, hubspot};
use dealcast::deals::{DealLog, Finding, State, Vanished};
use dealcast::{Error, ErrorKind};
use serde_json::{Value, json};

pub(crate) fn pipelines() -> Value {
    let stage = |id: &str, label: &str, order: u8, closed: &str, p: &str| json!({"id": id, "label": label, "displayOrder": order, "metadata": {"isClosed": closed, "probability": p}});
    json!([
        {"id": "default", "label": "Sales", "stages": [
            stage("closedlost", "Lost", 9, "true", "0.0"),
            stage("qualified", "Qualified", 0, "false", "0.4"),
            stage("contractsent", "Contract", 1, "false", "0.9"),
            stage("closedwon", "Won", 8, "true", "1.0"),
        ]},
        {"id": "77", "label": "Renewals", "stages": [
            stage("1001", "Qualified", 0, "false", "0.8"),
            stage("1002", "Won", 1, "true", "1"),
            stage("1003", "Lost", 2, "true", "0"),
        ]},
    ])
}

pub(crate) fn stages() -> Stages {
    let pipelines: Vec<hubspot::Pipeline> = serde_json::from_value(pipelines()).unwrap();
    hubspot::stages(pipelines).unwrap()
}

fn read_with(stages: &Stages, deals: &Value, reading: Reading<'_>) -> Result<DealLog, Error> {
    let deals: Vec<hubspot::Deal> = serde_json::from_value(deals.clone()).unwrap();
    let mut import = Import::new(stages, reading)?;
    import.hubspot(deals.into_iter().map(Ok::<_, Error>))?;
    import.finish()
}

fn read(deals: &Value) -> DealLog {
    read_with(&stages(), deals, Reading::default()).unwrap()
}

fn fields(log: &DealLog) -> Vec<(u64, String)> {
    log.receipt().rejected().iter().map(|r| (r.row(), r.field().to_owned())).collect()
}

/// A deal created on 5 January with these versions of its stage, newest first.
fn deal(id: &str, versions: &[(&str, &str)]) -> Value {
    let versions: Vec<Value> = versions.iter().map(|(v, t)| json!({"value": v, "timestamp": t})).collect();
    json!({"id": id, "properties": {"createdate": "2026-01-05T09:00:00Z"}, "propertiesWithHistory": {"dealstage": versions}})
}

#[test]
fn labels_that_two_pipelines_share_are_told_apart() {
    let stages = stages();
    assert_eq!(
        stages.process().to_string(),
        "Sales: Qualified > Contract > Renewals: Qualified | Sales: Won | Renewals: Won | Sales: Lost | Renewals: Lost"
    );
    assert_eq!(stages.only("77").unwrap().process().to_string(), "Qualified | Won | Lost");
    assert_eq!(stages.only("Sales").unwrap().process().open_stages().len(), 2);
    assert_eq!(stages.only("Partners").unwrap_err().kind(), ErrorKind::UnknownStage);
}

#[test]
fn a_closed_stage_is_won_or_lost_by_its_probability() {
    let mut odd = pipelines();
    odd[0]["stages"][3]["metadata"]["probability"] = json!("0.9");
    let pipelines: Vec<hubspot::Pipeline> = serde_json::from_value(odd.clone()).unwrap();
    let error = hubspot::stages(pipelines).unwrap_err();
    assert_eq!((error.kind(), error.stage()), (ErrorKind::InvalidProcess, Some("Won")));
    odd[0]["stages"][3]["metadata"]["probability"] = json!("100");
    let pipelines: Vec<hubspot::Pipeline> = serde_json::from_value(odd).unwrap();
    assert_eq!(hubspot::stages(pipelines).unwrap_err().kind(), ErrorKind::OutOfRange);
}

#[test]
fn the_history_counts_newest_first_or_last_and_todays_stage_does_not() {
    let mut one = deal("1", &[("contractsent", "2026-02-01T09:00:00Z"), ("qualified", "1767603600000")]);
    one["properties"]["dealstage"] = json!("closedwon");
    let log = read(&json!([one]));
    let stage = |month, d| log.as_of(day(month, d)).deal("1").unwrap().stage().unwrap().name().to_owned();
    assert_eq!((stage(1, 20), stage(3, 1)), ("Sales: Qualified".into(), "Contract".into()));
    one["propertiesWithHistory"]["dealstage"].as_array_mut().unwrap().reverse();
    assert_eq!(read(&json!([one])).as_of(day(3, 1)).snapshot(), log.as_of(day(3, 1)).snapshot());
}

/// HubSpot keeps a limited number of versions.
#[test]
fn a_history_that_lost_its_first_versions_is_left_truncated() {
    let log = read(&json!([deal("1", &[("contractsent", "2026-02-01T09:00:00Z")])]));
    let state = |log: &DealLog| match log.as_of(day(3, 1)).deal("1").unwrap().state() {
        State::Open { exact, .. } => exact,
        other => panic!("{other:?}"),
    };
    assert!(!state(&log));
    assert!(state(&read(&json!([deal("1", &[("contractsent", "2026-01-05T09:00:05Z")])]))));
}

#[test]
fn a_deal_that_changes_pipelines_moves_on_or_out_of_sight() {
    let deals = json!([
        deal("1", &[("1001", "2026-02-01T09:00:00Z"), ("qualified", "2026-01-05T09:00:00Z")]),
        deal("2", &[("1002", "2026-02-01T09:00:00Z"), ("1001", "2026-01-05T09:00:00Z")]),
    ]);
    let both = read(&deals).as_of(day(3, 1)).snapshot();
    assert_eq!((both.n_open(), both.won().len()), (1, 1));
    let sales = stages().only("Sales").unwrap();
    let log = read_with(&sales, &deals, Reading::default()).unwrap();
    assert_eq!(log.receipt().quarantined(), 0);
    let counts =
        |d: chrono::NaiveDate| (log.as_of(d).snapshot().n_open(), log.as_of(d).snapshot().won().len());
    assert_eq!((counts(day(1, 20)), counts(day(3, 1))), ((1, 0), (0, 0)));
}

/// Nobody chose the last day of the month of creation: HubSpot did.
#[test]
fn the_default_close_date_says_nothing() {
    let mut deals = json!([deal("1", &[("qualified", "2026-01-05T09:00:00Z")])]);
    deals[0]["propertiesWithHistory"]["closedate"] = json!([
        {"value": "2026-01-31T23:00:00Z", "timestamp": "2026-01-05T09:00:00Z"}]);
    let log = read(&deals);
    assert_eq!(log.receipt().count(Finding::DefaultClose), 1);
    let close = |log: &DealLog| log.as_of(day(3, 1)).deal("1").unwrap().expected_close();
    assert_eq!(close(&log), None);
    // Set on a later day, or another day: somebody chose it.
    for (value, since) in
        [("2026-01-31T23:00:00Z", "2026-01-07T09:00:00Z"), ("2026-01-30", "2026-01-05T09:00:00Z")]
    {
        deals[0]["propertiesWithHistory"]["closedate"] = json!([{"value": value, "timestamp": since}]);
        let log = read(&deals);
        assert!(log.receipt().count(Finding::DefaultClose) == 0 && close(&log).is_some());
    }
}

#[test]
fn each_bad_version_is_named_and_the_others_count() {
    let mut deals = json!([
        deal("1", &[("closedwon", "2026-02-01T09:00:00Z"), ("nowhere", "2026-01-08T09:00:00Z"), ("qualified", "05/01/2026")]),
        deal("2", &[("", "2026-02-01T09:00:00Z")]),
        {"properties": {}},
        {"id": "4", "properties": {"hs_deal_stage_probability": "40", "createdate": "2026-01-05T09:00:00Z"}},
        {"id": "5", "properties": {"createdate": null}},
    ]);
    deals[0]["propertiesWithHistory"]["amount"] = json!([
        {"value": "900", "timestamp": 1_767_603_600_000_i64}, {"value": [], "timestamp": "2026-01-09T09:00:00Z"}]);
    let log = read(&deals);
    assert_eq!(
        fields(&log),
        [
            (1, "propertiesWithHistory.amount[1].value".to_owned()),
            (1, "propertiesWithHistory.dealstage[1].value".to_owned()),
            (1, "propertiesWithHistory.dealstage[2].timestamp".to_owned()),
            (2, "propertiesWithHistory.dealstage[0].value".to_owned()),
            (3, "id".to_owned()),
            (4, "hs_deal_stage_probability".to_owned()),
            (5, "createdate".to_owned()),
        ]
    );
    assert_eq!(log.receipt().records(), 5);
    let known = log.as_of(day(3, 1));
    assert_eq!(known.deal("1").unwrap().amount().unwrap().get(), 900.0);
    assert!(matches!(known.deal("1").unwrap().state(), State::Won { .. }));
}

#[test]
fn without_a_history_the_times_of_entering_stand_in() {
    let log = read(&json!([{"id": "1", "updatedAt": "2026-02-03T09:00:00Z", "properties": {
        "createdate": "2026-01-05T09:00:00Z", "amount": "500", "dealstage": "contractsent",
        "hs_date_entered_qualified": "2026-01-06T09:00:00Z", "hs_v2_date_entered_qualified": "2026-01-05T09:00:00Z",
        "hs_v2_date_entered_contractsent": "1769936400000", "hs_v2_date_entered_gone": "2026-01-05T09:00:00Z"}}]));
    assert_eq!(fields(&log), [(1, "hs_v2_date_entered_gone".into())]);
    let known = log.as_of(day(3, 1));
    let deal = known.deal("1").unwrap();
    assert_eq!((deal.created().date(), deal.stage().unwrap().name()), (day(1, 5), "Contract"));
    assert_eq!(
        (deal.amount().unwrap().get(), log.as_of(day(2, 2)).deal("1").unwrap().amount()),
        (500.0, None)
    );
}

#[test]
fn archived_and_merged_deals_leave() {
    let mut gone = deal("1", &[("qualified", "2026-01-05T09:00:00Z")]);
    gone["archived"] = json!(true);
    gone["archivedAt"] = json!("2026-01-20T09:00:00Z");
    let merged = deal("2", &[("qualified", "2026-01-05T09:00:00Z")]);
    let mut survivor = deal("3", &[("qualified", "2026-01-05T09:00:00Z")]);
    survivor["propertiesWithHistory"]["hs_merged_object_ids"] =
        json!([{"value": "2;9;3", "timestamp": "2026-01-22T09:00:00Z"}]);
    let log = read(&json!([gone, merged, survivor]));
    let open = |d| -> Vec<String> {
        log.as_of(day(1, d)).snapshot().open().iter().map(|deal| deal.id().to_owned()).collect()
    };
    assert_eq!(
        (open(10).len(), open(21), open(25)),
        (3, vec!["2".to_owned(), "3".into()], vec!["3".to_owned()])
    );
}

#[test]
fn weekly_exports_find_stages_by_label_and_pipeline() {
    let stages = stages();
    let head = "Record ID,Deal Stage,Pipeline,Amount,Close Date,Create Date\n";
    let mut exports = Exports::new(&stages, Vanished::Lost, Reading::default());
    let rows = "1,Qualified,Sales,5,2026-04-30,2026-01-05\n2,Qualified,Renewals,5,2026-04-30,2026-01-05\n\
                3,Contract,,5,,2026-01-05\n4,Qualified,,5,,2026-01-05\n5,Won,Renewals,7,2026-01-30,2026-01-05\n";
    exports.hubspot(day(2, 2), csv_rows(&format!("{head}{rows}"))).unwrap();
    exports.hubspot(day(2, 9), csv_rows(&format!("{head}1,Contract,Sales,5,,2026-01-05\n"))).unwrap();
    let series = exports.finish().unwrap();
    assert_eq!(series.receipt().rejected()[0].row(), 4, "which pipeline's?");
    assert_eq!((series.receipt().quarantined(), series.n_vanished()), (1, 2));
    let first = series.snapshot(0).unwrap();
    let open: Vec<&str> = first.open().iter().map(dealcast::deals::OpenDeal::stage).collect();
    assert_eq!(open, ["Sales: Qualified", "Renewals: Qualified", "Contract"]);
    assert_eq!((first.won()[0].stage(), first.won()[0].closed().date()), ("Renewals: Won", day(1, 30)));
}
