//! Exports of Dynamics 365 with every trap that real ones had.

use crate::salesforce::{csv_rows, day};
use dealcast::crm::{Exports, Reading, Stages, dynamics};
use dealcast::deals::{Rates, SnapshotSeries, Vanished};
use dealcast::{Error, ErrorKind};

pub(crate) fn stages() -> Stages {
    dynamics::stages(["Qualify", "Develop", "Propose", "Close"]).unwrap()
}

const HEAD: &str = "opportunityid,stepname,salesstage,statecode,estimatedvalue,actualvalue,transactioncurrencyid,\
    estimatedclosedate,actualclosedate,closeprobability,createdon\n";

fn read(weeks: &[(u32, &str)], reading: Reading<'_>) -> Result<SnapshotSeries, Error> {
    let stages = stages();
    let mut exports = Exports::new(&stages, Vanished::Removed, reading);
    for &(d, rows) in weeks {
        exports.dynamics(day(2, d), csv_rows(&format!("{HEAD}{rows}")))?;
    }
    exports.finish()
}

#[test]
fn a_deal_goes_through_weekly_exports() {
    let series = read(
        &[
            (2, "A,1-Qualify,0,0,500,,,2026-04-30,,20,2026-01-27T08:00:00Z\n"),
            (9, "A,2-Develop,1,0,500,,,2026-04-30,,40,2026-01-27T08:00:00Z\n"),
            (16, "A,4-Close,3,1,500,450,,2026-04-30,2026-02-12,100,2026-01-27T08:00:00Z\n"),
        ],
        Reading::default(),
    )
    .unwrap();
    assert_eq!((series.n_snapshots(), series.receipt().accepted()), (3, 3));
    let stage = |week| series.snapshot(week).unwrap().open().first().map(|deal| deal.stage().to_owned());
    assert_eq!((stage(0), stage(1), stage(2)), (Some("Qualify".into()), Some("Develop".into()), None));
    let last = series.snapshot(2).unwrap();
    let won = &last.won()[0];
    assert_eq!(
        (won.closed().date(), won.amount().unwrap().get()),
        (day(2, 12), 450.0),
        "what it was worth in the end"
    );
}

#[test]
fn stages_by_step_by_name_and_by_number() {
    let series = read(
        &[(2, "A,2-Develop,,0,1,,,,,,\nB,Develop,,0,1,,,,,,\nC,,1,0,1,,,,,,\nD,9-Unheard,,0,1,,,,,,\nE,,9,0,1,,,,,,\nF,,,0,1,,,,,,\n")],
        Reading::default(),
    )
    .unwrap();
    let book = series.snapshot(0).unwrap();
    assert!(book.n_open() == 3 && book.open().iter().all(|deal| deal.stage() == "Develop"));
    let rejected: Vec<(u64, &str)> =
        series.receipt().rejected().iter().map(|r| (r.row(), r.field())).collect();
    assert_eq!(rejected, [(4, "stepname"), (5, "salesstage"), (6, "stepname")]);
}

#[test]
fn bad_cells_and_bad_rows() {
    let series = read(
        &[(
            2,
            "A,1-Qualify,,0,-500,,,2026-04-30,,20,\n\
             B,1-Qualify,,0,500,,,30.4.2026,,20,\n\
             C,1-Qualify,,7,500,,,,,20,\n\
             D,1-Qualify,,,500,,,,,20,\n\
             E,1-Qualify,,0,500,,,,,1000,\n\
             F,1-Qualify,,1,500,,,,last week,,\n\
             ,1-Qualify,,0,500,,,,,,\n\
             A,2-Develop,,0,500,,,,,,\n\
             G,1-Qualify,,Won,500,,,,2026-03-30,,\n",
        )],
        Reading::default(),
    )
    .unwrap();
    let receipt = series.receipt();
    let mut rejected: Vec<(u64, &str)> = receipt.rejected().iter().map(|r| (r.row(), r.field())).collect();
    rejected.sort_unstable();
    let expected = [
        (1, "deal_id"),
        (3, "statecode"),
        (4, "statecode"),
        (5, "closeprobability"),
        (6, "actualclosedate"),
        (7, "opportunityid"),
    ];
    assert_eq!(rejected, expected);
    assert_eq!((receipt.rows_in(), receipt.accepted(), receipt.quarantined()), (9, 3, 6));
    assert_eq!(receipt.dropped_cells().len(), 2, "the negative amount and the close date");
    let book = series.snapshot(0).unwrap();
    assert_eq!(book.won()[0].closed().date(), day(2, 2), "closed in the future: found closed at the export");
}

#[test]
fn guids_in_any_form_are_one_deal() {
    let row = |id: &str| format!("{id},1-Qualify,,0,5,,,,,,\n");
    let forms = ["5F1A0000-0000-0000-0000-00000000000A", "{5f1a0000-0000-0000-0000-00000000000A}"];
    let series = read(&[(2, &row(forms[0])), (9, &row(forms[1]))], Reading::default()).unwrap();
    assert_eq!((series.n_deals(), series.n_vanished()), (1, 0));
}

#[test]
fn each_export_is_converted_as_it_knew_the_rates() {
    let rows =
        "A,1-Qualify,,0,100,,USD,,,,\nB,1-Qualify,,1,100,,USD,,2026-01-20,,\nC,1-Qualify,,0,100,,EUR,,,,\n";
    let error = read(&[(2, rows)], Reading::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRate);
    assert!(error.expected().contains("EUR from row 3 on, USD from row 1 on"), "{error}");
    let table = Rates::home("EUR").unwrap();
    let table = table.and("USD", day(1, 1), 0.5).unwrap().and("USD", day(2, 1), 0.8).unwrap();
    let table = table.and("USD", day(2, 8), 0.9).unwrap();
    let reading = Reading::default().rates(&table);
    let series = read(&[(2, rows), (9, rows)], reading).unwrap();
    let amounts = |week| {
        let book = series.snapshot(week).unwrap();
        let open: Vec<f64> = book.open().iter().map(|deal| deal.amount().unwrap().get()).collect();
        (open, book.won()[0].amount().unwrap().get())
    };
    assert_eq!(amounts(0), (vec![80.0, 100.0], 50.0));
    assert_eq!(amounts(1), (vec![90.0, 100.0], 50.0));
    let early = "A,1-Qualify,,1,100,,USD,,2025-01-20,,\nB,1-Qualify,,0,100,,GBP,,,,\n";
    let error = read(&[(2, early)], reading).unwrap_err();
    assert_eq!((error.kind(), error.row()), (ErrorKind::MissingRate, Some(2)));
}
