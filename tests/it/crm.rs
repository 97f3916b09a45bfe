//! Laws of all sources: rows are conserved and named in dirty exports, days may be appended, currencies are converted as
//! each view knew the rates.

use crate::salesforce::{csv_rows, day};
use crate::{dynamics as of_dynamics, hubspot as of_hubspot, pipedrive as of_pipedrive};
use dealcast::crm::{Exports, Import, Reading, Stages, dynamics, hubspot, pipedrive, salesforce};
use dealcast::deals::{DealLog, Rates, Receipt, Vanished};
use dealcast::{Error, ErrorKind};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A cell, and whether a row with it can be taken.
type Dirt = (String, bool);

/// Mostly good cells, and all that real exports had in their place.
fn cell(good: &'static [&'static str], bad: &'static [&'static str]) -> impl Strategy<Value = Dirt> {
    let of = |texts: &'static [&'static str], good: bool| {
        proptest::sample::select(texts).prop_map(move |text| (text.to_owned(), good))
    };
    prop_oneof![4 => of(good, true), 1 => of(bad, false)]
}

fn id() -> impl Strategy<Value = Dirt> {
    let good = &[
        "006D000000KFupN",
        "006D000000KFupNIAT",
        "D-1",
        "D-2 ",
        "7",
        "\u{200d}x",
        "{5F1A0000-0000-0000-0000-00000000000A}",
    ];
    cell(good, &["", "null", "  "])
}

fn instant() -> impl Strategy<Value = Dirt> {
    let good = &[
        "2026-01-05T09:00:00.000+0000",
        "2026-01-06 6:49:18",
        "2026-01-07T23:30:00-12:00",
        "1767603600000",
        "2026-01-09",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
    ];
    cell(
        good,
        &["", "null", "05/01/2026", "2026-02-30", "20260105", "yesterday", "1e12", "2026-01-05T25:00:00Z"],
    )
}

fn percent() -> impl Strategy<Value = Dirt> {
    cell(&["", "0", "10", "100", "33.3", "null"], &["1000", "-1", "nan", "inf", "often", "10 %"])
}

fn flag() -> impl Strategy<Value = Dirt> {
    cell(&["", "true", "TRUE", "0", "Y", "no", "null"], &["maybe", "2", "ja"])
}

/// An amount never costs a row.
fn amount() -> impl Strategy<Value = String> {
    let cells =
        &["", "5", "50000.00", "1,250.5", "-5", "nan", "inf", "1e400", "1,5", "EUR 5", "null", "0", "0x1F"];
    proptest::sample::select(&cells[..]).prop_map(str::to_owned)
}

fn date() -> impl Strategy<Value = String> {
    let cells =
        &["", "2026-03-31", "2026-02-30", "31.03.2026", "2026-03-31T23:30:00Z", "never", "9999-12-31"];
    proptest::sample::select(&cells[..]).prop_map(str::to_owned)
}

/// Every row is accounted for; every refused one is named with field and reason, in the export.
fn check_receipt(receipt: &Receipt, n_records: usize, n_bad: usize) -> Result<(), TestCaseError> {
    prop_assert_eq!(receipt.rows_in(), receipt.accepted() + receipt.quarantined() + receipt.deduplicated());
    prop_assert_eq!((receipt.records(), receipt.quarantined()), (n_records as u64, n_bad as u64));
    prop_assert_eq!(receipt.rejected().len(), n_bad);
    for rejected in receipt.rejected() {
        prop_assert!((1..=n_records as u64).contains(&rejected.row()), "{rejected:?}");
        prop_assert!(rejected.field() != "row" && rejected.reason().contains("expected"), "{rejected:?}");
        prop_assert!(rejected.reason().contains(&format!("row {}", rejected.row())), "{rejected:?}");
    }
    Ok(())
}

/// Everything that can be asked of a log without its receipt: what was known at several instants.
fn answers(log: &DealLog) -> String {
    let days = [(1, 1), (1, 6), (1, 8), (2, 1), (12, 31)];
    let books = days.map(|(month, d)| serde_json::to_string(&log.as_of(day(month, d)).snapshot()).unwrap());
    format!("{books:?} {:?}", log.as_of(chrono::NaiveDateTime::MAX).snapshot())
}

fn salesforce_stages() -> Stages {
    let text = "ApiName,SortOrder,IsClosed,IsWon\nQualify,1,0,0\nPropose,2,0,0\nWon,3,1,1\nLost,4,1,0\n";
    salesforce::stages(csv_rows(text)).unwrap()
}

type SalesforceRow = (salesforce::OpportunityHistory, bool);

fn salesforce_row() -> impl Strategy<Value = SalesforceRow> {
    let stage = cell(&["Qualify", "Propose", "Won", "Lost"], &["", "Quality", "qualify", "Won "]);
    (id(), instant(), stage, amount(), date(), percent(), flag()).prop_map(
        |(id, at, stage, amount, close, probability, deleted)| {
            let good = id.1 && at.1 && stage.1 && probability.1 && deleted.1;
            let row = salesforce::OpportunityHistory {
                id: Some("008A".into()),
                opportunity_id: Some(id.0),
                created_date: Some(at.0),
                stage_name: Some(stage.0),
                amount: Some(amount),
                close_date: Some(close),
                probability: Some(probability.0),
                forecast_category: None,
                is_deleted: Some(deleted.0),
            };
            (row, good)
        },
    )
}

fn hubspot_deal() -> impl Strategy<Value = (Value, usize)> {
    let stage = cell(&["qualified", "contractsent", "1001", "closedwon", "1003"], &["", "gone", "Qualified"]);
    let unit = cell(&["", "0", "0.4", "1"], &["40", "1000", "-0.1", "nan"]);
    let version = (stage, instant());
    let money = (amount(), instant());
    (id(), instant(), unit, vec(version, 0..4), vec(money, 0..3), date()).prop_map(
        |(id, created, chance, stages, amounts, close)| {
            let versions: Vec<Value> =
                stages.iter().map(|((v, _), (t, _))| json!({"value": v, "timestamp": t})).collect();
            let money: Vec<Value> = amounts.iter().map(|(v, (t, _))| json!({"value": v, "timestamp": t})).collect();
            // A deal with a bad property or an unreadable creation is refused as a whole, a bad version alone.
            let whole = !chance.1 || !id.1 || !created.1 && !["", "null"].contains(&created.0.as_str());
            let bad = usize::from(!created.1)
                + stages.iter().filter(|(stage, at)| !(stage.1 && at.1)).count()
                + amounts.iter().filter(|(amount, at)| !at.1 || is_bad(amount)).count();
            let deal = json!({"id": id.0, "properties": {"createdate": created.0, "hs_deal_stage_probability": chance.0},
                "propertiesWithHistory": {"dealstage": versions, "amount": money,
                    "closedate": [{"value": close, "timestamp": "2026-01-07T09:00:00Z"}]}});
            // A close date that cannot be read leaves its version with nothing to say.
            let close_bad = ["2026-02-30", "31.03.2026", "never"].contains(&close.as_str());
            (deal, if whole { 1 } else { bad + usize::from(close_bad) })
        },
    )
}

/// Whether a row that carries nothing but this amount is refused.
fn is_bad(amount: &str) -> bool {
    ["-5", "nan", "inf", "1e400", "1,5", "EUR 5", "0x1F"].contains(&amount)
}

fn pipedrive_change() -> impl Strategy<Value = (Value, bool)> {
    let stage = cell(&["1", "2", "7"], &["", "99", "Offer"]);
    let status = cell(&["open", "won", "lost", "deleted"], &["", "closed"]);
    let field = prop_oneof![
        stage.prop_map(|(v, good)| ("stage_id", v, good)),
        amount().prop_map(|v| {
            let good = !is_bad(&v);
            ("value", v, good)
        }),
        cell(&["x"], &["x"]).prop_map(|(v, _)| ("title", v, true)),
        status.prop_map(|(v, good)| ("status", v, good)),
    ];
    (id(), field, instant()).prop_map(|(id, (field, value, good), at)| {
        let row = json!({"item_id": id.0, "field_key": field, "old_value": "1", "new_value": value, "log_time": at.0});
        (row, id.1 && at.1 && good)
    })
}

fn dynamics_row() -> impl Strategy<Value = (dynamics::Opportunity, bool)> {
    let step = cell(&["1-Qualify", "Develop", "4-Close"], &["", "9-Unheard", "develop"]);
    let state = cell(&["0", "Open"], &["", "3", "won"]);
    (id(), step, state, amount(), date(), percent(), instant()).prop_map(
        |(id, step, state, amount, close, probability, created)| {
            let unsaid = created.0.is_empty() || created.0 == "null";
            let good = id.1 && step.1 && state.1 && probability.1 && (created.1 || unsaid);
            let row = dynamics::Opportunity {
                opportunityid: Some(id.0),
                stepname: Some(step.0),
                statecode: Some(state.0),
                estimatedvalue: Some(amount),
                estimatedclosedate: Some(close),
                closeprobability: Some(probability.0),
                createdon: Some(created.0),
                ..dynamics::Opportunity::default()
            };
            (row, good)
        },
    )
}

fn salesforce_log(pieces: &[&[SalesforceRow]]) -> DealLog {
    let stages = salesforce_stages();
    pieces.iter().fold(DealLog::new(stages.process()), |log, rows| {
        let mut import = Import::onto(log, &stages, Reading::default()).unwrap();
        import.salesforce_history(rows.iter().map(|(row, _)| Ok::<_, Error>(row.clone()))).unwrap();
        import.finish().unwrap()
    })
}

fn hubspot_log(pieces: &[&[(Value, usize)]]) -> DealLog {
    let stages = of_hubspot::stages();
    pieces.iter().fold(DealLog::new(stages.process()), |log, rows| {
        let mut import = Import::onto(log, &stages, Reading::default()).unwrap();
        let deals = rows.iter().map(|(deal, _)| serde_json::from_value::<hubspot::Deal>(deal.clone()));
        import.hubspot(deals).unwrap();
        import.finish().unwrap()
    })
}

fn pipedrive_log(pieces: &[&[(Value, bool)]]) -> DealLog {
    let stages = of_pipedrive::stages();
    pieces.iter().fold(DealLog::new(stages.process()), |log, rows| {
        let mut import = Import::onto(log, &stages, Reading::default()).unwrap();
        let changes =
            rows.iter().map(|(row, _)| serde_json::from_value::<pipedrive::FieldChange>(row.clone()));
        import.pipedrive(changes, Vec::<Result<pipedrive::Deal, Error>>::new()).unwrap();
        import.finish().unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn dirty_exports_of_salesforce(rows in vec(salesforce_row(), 0..60)) {
        let bad = rows.iter().filter(|(_, good)| !good).count();
        check_receipt(salesforce_log(&[&rows]).receipt(), rows.len(), bad)?;
    }

    #[test]
    fn dirty_exports_of_hubspot(deals in vec(hubspot_deal(), 0..12)) {
        let bad = deals.iter().map(|(_, bad)| bad).sum();
        check_receipt(hubspot_log(&[&deals]).receipt(), deals.len(), bad)?;
    }

    /// A status that comes back to open needs the stage, which a list without one does not say; so statuses alone are
    /// counted by hand in the tests of the source, here the receipt balances and names what it refuses.
    #[test]
    fn dirty_exports_of_pipedrive(rows in vec(pipedrive_change(), 0..60)) {
        let log = pipedrive_log(&[&rows]);
        let (receipt, bad) = (log.receipt(), rows.iter().filter(|(_, good)| !good).count());
        prop_assert!(receipt.quarantined() + receipt.ignored() >= bad as u64);
        let n_bad = usize::try_from(receipt.quarantined()).unwrap();
        prop_assert_eq!(receipt.records(), receipt.rows_in() + receipt.ignored());
        check_receipt(receipt, rows.len(), n_bad)?;
        for (number, (_, good)) in (1..).zip(&rows) {
            let named = receipt.rejected().iter().any(|rejected| rejected.row() == number);
            prop_assert!(*good || named || receipt.ignored() > 0);
        }
    }

    #[test]
    fn dirty_exports_of_dynamics(rows in vec(dynamics_row(), 0..60)) {
        let stages = of_dynamics::stages();
        let mut exports = Exports::new(&stages, Vanished::Removed, Reading::default());
        exports.dynamics(day(2, 2), rows.iter().map(|(row, _)| Ok::<_, Error>(row.clone()))).unwrap();
        let series = exports.finish().unwrap();
        // Two rows of one deal in one export: the further one counts, the other is named.
        let receipt = series.receipt();
        let again = receipt.rejected().iter().filter(|r| r.reason().contains("one row a deal")).count();
        let bad = rows.iter().filter(|(_, good)| !good).count();
        check_receipt(receipt, rows.len(), bad + again)?;
    }

    /// Yesterday's log and today's rows are the log of all rows, receipt and all.
    #[test]
    fn appended_days_are_the_whole_of_salesforce(rows in vec(salesforce_row(), 0..40), cut in 0usize..40) {
        let (old, new) = rows.split_at(cut.min(rows.len()));
        prop_assert_eq!(salesforce_log(&[old, new]), salesforce_log(&[&rows]));
    }

    #[test]
    fn appended_days_are_the_whole_of_hubspot(deals in vec(hubspot_deal(), 0..12), cut in 0usize..12) {
        let (old, new) = deals.split_at(cut.min(deals.len()));
        prop_assert_eq!(hubspot_log(&[old, new]), hubspot_log(&[&deals]));
    }

    /// Pipedrive's lists are given whole: today's list of a deal holds yesterday's.
    #[test]
    fn appended_days_are_the_whole_of_pipedrive(
        moves in vec((1u8..4, 0u32..3), 1..8), cut in 0usize..8,
    ) {
        let stage = |n: u8| json!([1, 2, 7][usize::from(n - 1)]);
        let mut at = day(1, 6).and_hms_opt(9, 0, 0).unwrap();
        let mut here = 1u8;
        let mut changes = Vec::new();
        for (to, days) in moves {
            at += chrono::TimeDelta::days(days.into()) + chrono::TimeDelta::hours(1);
            changes.push(json!({"item_id": 1, "field_key": "stage_id", "old_value": stage(here),
                "new_value": stage(to), "log_time": at.to_string()}));
            here = to;
        }
        let stages = of_pipedrive::stages();
        let import = |log: DealLog, n: usize| {
            let last = n.checked_sub(1).map_or(json!(1), |last| changes[last]["new_value"].clone());
            let deal = json!({"id": 1, "value": 5, "stage_id": last, "status": "open", "add_time": "2026-01-05 09:00:00"});
            let mut import = Import::onto(log, &stages, Reading::default()).unwrap();
            let rows = changes[..n].iter().map(|row| serde_json::from_value::<pipedrive::FieldChange>(row.clone()));
            import.pipedrive(rows, [serde_json::from_value::<pipedrive::Deal>(deal)]).unwrap();
            import.finish().unwrap()
        };
        let empty = || DealLog::new(stages.process());
        let today = import(import(empty(), cut.min(changes.len())), changes.len());
        let whole = import(empty(), changes.len());
        prop_assert_eq!(answers(&today), answers(&whole));
        prop_assert_eq!(today.receipt().accepted(), whole.receipt().accepted());
    }

    #[test]
    fn arbitrary_json_never_panics(text in "[\\[\\]{}\":,a-z0-9.\\\\ -]{0,60}") {
        let _ = serde_json::from_str::<Vec<hubspot::Deal>>(&text);
        let _ = serde_json::from_str::<Vec<hubspot::Pipeline>>(&text).map(hubspot::stages);
        let _ = serde_json::from_str::<Vec<pipedrive::Deal>>(&text);
        let _ = serde_json::from_str::<Vec<salesforce::Opportunity>>(&text);
    }
}

const DEALS: &str = "Id,CreatedDate,IsClosed,CloseDate,CurrencyIsoCode\n";
const HISTORY: &str = "OpportunityId,CreatedDate,StageName,Amount\n\
    A,2026-01-05T09:00:00Z,Qualify,100\nB,2026-01-05T09:00:00Z,Qualify,100\nB,2026-02-10T09:00:00Z,Won,100\n\
    C,2026-01-05T09:00:00Z,Qualify,100\n";

fn in_currencies(deals: &str, reading: Reading<'_>) -> Result<DealLog, Error> {
    let stages = salesforce_stages();
    let mut import = Import::new(&stages, reading)?;
    import.salesforce_history(csv_rows(HISTORY))?;
    import.salesforce_opportunities(csv_rows(&format!("{DEALS}{deals}")))?;
    import.finish()
}

fn rates() -> Rates {
    let table = Rates::home("EUR").unwrap().and("USD", day(1, 1), 0.5).unwrap();
    table.and("USD", day(2, 1), 0.8).unwrap().and("USD", day(3, 1), 0.9).unwrap()
}

#[test]
fn open_deals_at_the_latest_rate_closed_ones_at_that_of_their_close() {
    let deals = "A,2026-01-05T09:00:00Z,0,,USD\nB,2026-01-05T09:00:00Z,1,2026-02-10,USD\nC,2026-01-05T09:00:00Z,0,,EUR\n";
    let table = rates();
    let log = in_currencies(deals, Reading::default().rates(&table)).unwrap();
    let amount = |id, month, d| log.as_of(day(month, d)).deal(id).unwrap().amount().unwrap().get();
    assert_eq!([amount("A", 1, 10), amount("A", 2, 20), amount("A", 3, 10)], [50.0, 80.0, 90.0]);
    assert_eq!([amount("B", 1, 10), amount("B", 2, 20), amount("B", 3, 10)], [50.0, 80.0, 80.0]);
    assert_eq!(amount("C", 3, 10), 100.0);
    // A rate counts from its first day on, and a view knows what was known before it.
    assert_eq!([amount("A", 3, 1), amount("A", 3, 2)], [80.0, 90.0]);
    let used = log.as_of(day(3, 10)).rates_used().unwrap();
    assert_eq!(
        used.to_string(),
        "amounts in EUR\n  1 USD = 0.8 since 2026-02-01: 1 deal\n  1 USD = 0.9 since 2026-03-01: 1 deal"
    );
    assert_eq!(log.as_of(day(3, 10)).snapshot().open_book().unwrap().amount().get(), 190.0);
}

#[test]
fn a_missing_rate_is_an_error_that_names_the_rows() {
    let deals = "A,2026-01-05T09:00:00Z,0,,USD\nB,2026-01-05T09:00:00Z,1,2025-12-31,USD\nC,2026-01-05T09:00:00Z,0,,GBP\n";
    let error = in_currencies(deals, Reading::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRate);
    assert_eq!(
        error.to_string(),
        "currency: expected one currency, or rates; GBP from row 7 on, USD from row 5 on, found GBP, USD"
    );
    let table = rates();
    let error = in_currencies(deals, Reading::default().rates(&table)).unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::MissingRate, Some(7)), "no rate of GBP at all");
    let table = rates().and("GBP", day(6, 1), 1.2).unwrap();
    let error = in_currencies(deals, Reading::default().rates(&table)).unwrap_err();
    assert_eq!(error.row(), Some(6), "closed before the first rate of USD");
    assert!(error.to_string().contains("rows 6"), "{error}");
    let one = "A,2026-01-05T09:00:00Z,0,,USD\nC,2026-01-05T09:00:00Z,0,,USD\n";
    assert!(in_currencies(one, Reading::default()).is_ok(), "one currency needs no rates");
}

/// An open deal whose currency has its first rate only later is in the book without a price, and said to be.
#[test]
fn before_the_first_rate_there_is_no_price() {
    let table = Rates::home("EUR").unwrap().and("USD", day(2, 1), 0.8).unwrap();
    let deals = "A,2026-01-05T09:00:00Z,0,,USD\n";
    let log = in_currencies(deals, Reading::default().rates(&table)).unwrap();
    let then = log.as_of(day(1, 10));
    assert_eq!((then.deal("A").unwrap().amount(), then.rates_used().unwrap().n_without_rate()), (None, 1));
    assert_eq!(log.as_of(day(2, 10)).deal("A").unwrap().amount().unwrap().get(), 80.0);
}

/// The rates of a log stay with it when rows are appended.
#[test]
fn appended_rows_are_converted_as_well() {
    let table = rates();
    let log = in_currencies("A,2026-01-05T09:00:00Z,0,,USD\n", Reading::default().rates(&table)).unwrap();
    let stages = salesforce_stages();
    let append = |deals: &str| {
        let mut import = Import::onto(log.clone(), &stages, Reading::default()).unwrap();
        import.salesforce_opportunities(csv_rows(&format!("{DEALS}{deals}"))).unwrap();
        import.finish()
    };
    let more = append("C,2026-01-05T09:00:00Z,0,,USD\n").unwrap();
    assert_eq!(more.as_of(day(2, 10)).deal("C").unwrap().amount().unwrap().get(), 80.0);
    assert_eq!(append("C,2026-01-05T09:00:00Z,0,,CHF\n").unwrap_err().kind(), ErrorKind::MissingRate);
}

#[test]
fn other_stages_are_refused() {
    let (one, other) = (salesforce_stages(), of_dynamics::stages());
    let error = Import::onto(DealLog::new(one.process()), &other, Reading::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidProcess);
}
