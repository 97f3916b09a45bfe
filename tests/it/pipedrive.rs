//! Exports of Pipedrive with every trap that real ones had.

use crate::salesforce::day;
use chrono::FixedOffset;
use dealcast::Error;
use dealcast::crm::{Exports, Import, Reading, Stages, pipedrive};
use dealcast::deals::{DealLog, State, Vanished};
use serde_json::{Value, json};

pub(crate) fn stages() -> Stages {
    let stages = json!([
        {"id": 2, "name": "Offer", "order_nr": 1, "pipeline_id": 1, "pipeline_name": "New", "deal_probability": 60},
        {"id": 1, "name": "Lead", "order_nr": 0, "pipeline_id": 1, "pipeline_name": "New", "deal_probability": 10},
        {"id": 7, "name": "Offer", "order_nr": 0, "pipeline_id": 2, "pipeline_name": "Renewal", "rotten_days": 30},
    ]);
    let stages: Vec<pipedrive::Stage> = serde_json::from_value(stages).unwrap();
    pipedrive::stages(stages.into_iter().map(Ok::<_, Error>)).unwrap()
}

fn read_with(
    stages: &Stages,
    (changes, deals): (&Value, &Value),
    reading: Reading<'_>,
) -> Result<DealLog, Error> {
    let changes: Vec<pipedrive::FieldChange> = serde_json::from_value(changes.clone()).unwrap();
    let deals: Vec<pipedrive::Deal> = serde_json::from_value(deals.clone()).unwrap();
    let mut import = Import::new(stages, reading)?;
    import.pipedrive(changes.into_iter().map(Ok::<_, Error>), deals.into_iter().map(Ok::<_, Error>))?;
    import.finish()
}

fn read(changes: &Value, deals: &Value) -> DealLog {
    read_with(&stages(), (changes, deals), Reading::default()).unwrap()
}

fn change(field: &str, (old, new): (Value, Value), at: &str) -> Value {
    json!({"item_id": 1, "field_key": field, "old_value": old, "new_value": new, "log_time": at})
}

fn state(log: &DealLog, d: chrono::NaiveDate) -> String {
    let known = log.as_of(d);
    match known.deal("1").unwrap().state() {
        State::Open { stage, exact, .. } => format!("{stage}{}", if exact { "" } else { " (found)" }),
        State::Won { stage, .. } | State::Lost { stage, .. } => stage.to_owned(),
        State::Removed { .. } => "removed".to_owned(),
    }
}

fn one(status: &str) -> Value {
    json!([{"id": 1, "value": 100, "stage_id": 2, "status": status, "add_time": "2026-01-05 09:00:00",
        "update_time": "2026-02-20 09:00:00", "won_time": null, "lost_time": null}])
}

#[test]
fn won_and_lost_are_a_status_and_come_behind_the_stages() {
    assert_eq!(stages().process().to_string(), "Lead > New: Offer > Renewal: Offer | won | lost");
}

#[test]
fn a_deal_that_is_won_opened_again_moved_and_lost() {
    let changes = json!([
        change("status", (json!("open"), json!("lost")), "2026-03-01 09:00:00"),
        change("status", (json!("won"), json!("open")), "2026-02-15 09:00:00"),
        change("stage_id", (json!("2"), json!("7")), "2026-02-12 09:00:00"),
        change("status", (json!("open"), json!("won")), "2026-02-10 09:00:00"),
        change("stage_id", (json!(1), json!(2)), "2026-01-20 09:00:00"),
    ]);
    let log = read(&changes, &one("lost"));
    assert_eq!(
        (log.receipt().quarantined(), log.receipt().ignored()),
        (0, 1),
        "a stage changed while it was won"
    );
    let seen = [(1, 10), (2, 1), (2, 13), (2, 20), (3, 5)].map(|(month, d)| state(&log, day(month, d)));
    assert_eq!(seen, ["Lead", "New: Offer", "won", "Renewal: Offer", "lost"]);
}

#[test]
fn a_status_without_a_change_counts_from_the_deals_own_time() {
    let mut deals = one("won");
    deals[0]["won_time"] = json!("2026-02-11 16:00:00");
    let log = read(&json!([]), &deals);
    assert_eq!((state(&log, day(2, 1)), state(&log, day(2, 12))), ("New: Offer".into(), "won".into()));
    deals[0]["won_time"] = json!(null);
    let log = read(&json!([]), &deals);
    assert_eq!(log.receipt().rejected()[0].field(), "won_time");
    let log = read(&json!([]), &one("deleted"));
    assert_eq!((state(&log, day(2, 1)), state(&log, day(2, 21))), ("New: Offer".into(), "removed".into()));
}

#[test]
fn changes_of_one_second_keep_their_order_in_lists_that_are_newest_first() {
    let at = "2026-01-20 09:00:00";
    let there = [change("stage_id", (json!(1), json!(2)), at), change("stage_id", (json!(2), json!(7)), at)];
    let back = json!([there[1], there[0]]);
    for changes in [json!(there), back] {
        assert_eq!(state(&read(&changes, &one("open")), day(1, 10)), "Lead");
    }
}

#[test]
fn instants_without_a_zone_are_utc() {
    let changes = json!([change("status", (json!("open"), json!("won")), "2026-03-31 23:30:00")]);
    let berlin = Reading::default().zone(FixedOffset::east_opt(2 * 3600).unwrap());
    let won = |reading| {
        let log = read_with(&stages(), (&changes, &one("won")), reading).unwrap();
        match log.as_of(day(6, 1)).deal("1").unwrap().state() {
            State::Won { at, .. } => at.date(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((won(Reading::default()), won(berlin)), (day(3, 31), day(4, 1)));
}

#[test]
fn a_history_since_a_day_finds_older_deals_there() {
    let changes = json!([change("stage_id", (json!(1), json!(2)), "2026-02-01 09:00:00")]);
    let since =
        |d| read_with(&stages(), (&changes, &one("open")), Reading::default().history_since(d)).unwrap();
    assert_eq!(state(&since(day(1, 20)), day(1, 25)), "Lead (found)");
    assert_eq!(state(&since(day(1, 1)), day(1, 25)), "Lead");
}

#[test]
fn one_pipeline_alone() {
    let changes = json!([change("stage_id", (json!(7), json!(2)), "2026-02-01 09:00:00")]);
    let renewals = stages().only("Renewal").unwrap();
    let log = read_with(&renewals, (&changes, &one("won")), Reading::default()).unwrap();
    assert_eq!(log.as_of(day(1, 20)).snapshot().n_open(), 1);
    assert_eq!(state(&log, day(2, 20)), "removed", "it was won elsewhere");
}

#[test]
fn each_bad_row_is_named() {
    let changes = json!([
        change("stage_id", (json!(1), json!(99)), "2026-02-01 09:00:00"),
        change("status", (json!("open"), json!("maybe")), "2026-02-02 09:00:00"),
        change("value", (json!(1), json!("lots")), "2026-02-03 09:00:00"),
        change("value", (json!(1), json!(2)), "02/03/2026"),
        change("label", (json!(1), json!(2)), "2026-02-03 09:00:00"),
        {"field_key": "value", "new_value": 1, "log_time": "2026-02-03 09:00:00"},
    ]);
    let mut deals = one("open");
    deals.as_array_mut().unwrap().extend([
        json!({"id": 2, "stage_id": 1, "status": "closed", "add_time": "2026-01-05 09:00:00"}),
        json!({"id": 3, "stage_id": 1, "status": "open", "probability": 1000, "add_time": "2026-01-05 09:00:00"}),
        json!({"id": 4, "stage_id": 1, "status": "open", "user_id": {"id": 1}}),
        json!({"id": 5, "stage_id": null, "status": "open", "add_time": "2026-01-05 09:00:00"}),
    ]);
    let log = read(&changes, &deals);
    let mut rejected: Vec<(u64, &str)> =
        log.receipt().rejected().iter().map(|r| (r.row(), r.field())).collect();
    rejected.sort_unstable();
    assert_eq!(
        rejected,
        [
            (1, "new_value"),
            (2, "new_value"),
            (3, "new_value"),
            (4, "log_time"),
            (6, "item_id"),
            (8, "status"),
            (9, "probability"),
            (10, "add_time"),
            (11, "stage_id"),
        ]
    );
    assert_eq!((log.receipt().records(), log.receipt().ignored()), (11, 1));
}

#[test]
fn deals_as_they_stand_make_a_snapshot() {
    let stages = stages();
    let deals = json!([
        {"id": 1, "value": "1,200.50", "stage_id": 2, "status": "open", "stage_change_time": "2026-01-20 09:00:00",
         "add_time": "2026-01-05 09:00:00", "expected_close_date": "2026-04-30"},
        {"id": 2, "value": 10, "stage_id": 2, "status": "lost", "lost_time": "2026-01-20 09:00:00"},
        {"id": 3, "value": 10, "stage_id": 2, "status": "deleted"},
    ]);
    let deals: Vec<pipedrive::Deal> = serde_json::from_value(deals).unwrap();
    let mut exports = Exports::new(&stages, Vanished::Removed, Reading::default());
    exports.pipedrive(day(2, 2), deals.into_iter().map(Ok::<_, Error>)).unwrap();
    let book = exports.finish().unwrap().snapshot(0).unwrap();
    let open = &book.open()[0];
    assert_eq!((open.stage(), open.age_days(), open.is_exact()), ("New: Offer", 13, true));
    assert_eq!((open.expected_close(), book.lost().len()), (Some(day(4, 30)), 1));
}
