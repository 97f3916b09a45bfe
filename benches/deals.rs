//! Building a log from text cells, and asking it what was known: 1e5 and 1e6 events of made-up deals.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dealcast::time::date;
use dealcast::{DealLog, SalesProcess, tidy};
use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

const STAGES: [&str; 5] = ["qualify", "discover", "propose", "negotiate", "close"];

/// About four rows a deal, in the order of time as an export gives them.
fn rows(n: u32) -> Vec<tidy::StageRow> {
    let mut state = 1u64;
    let mut draw = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut rows: Vec<(u64, tidy::StageRow)> = Vec::new();
    for deal in 0..n / 4 {
        let mut at = draw(1_200 * 86_400);
        for step in 0..4 {
            let stage = match (step, draw(10)) {
                (3, 0..=2) => "won",
                (3, 3..=8) => "lost",
                (step, _) => STAGES[step],
            };
            let day = date(2022, 1, 1).unwrap().checked_add_days(chrono::Days::new(at / 86_400)).unwrap();
            let (hour, minute, second) = (at / 3_600 % 24, at / 60 % 60, at % 60);
            let row = tidy::StageRow {
                deal_id: Some(format!("0061x{deal:010}AAA")),
                stage: Some(stage.into()),
                entered_at: Some(format!("{day}T{hour:02}:{minute:02}:{second:02}Z")),
                amount: Some(format!("{}.{:02}", draw(90_000), draw(100))),
                ..tidy::StageRow::default()
            };
            rows.push((at, row));
            at += draw(40 * 86_400);
        }
    }
    rows.sort_by_key(|&(at, _)| at);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn csv_text(rows: &[tidy::StageRow]) -> String {
    let mut text = String::from("deal_id,stage,entered_at,amount\n");
    for row in rows {
        let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
        text += &[cell(&row.deal_id), cell(&row.stage), cell(&row.entered_at), cell(&row.amount)].join(",");
        text.push('\n');
    }
    text
}

fn log(c: &mut Criterion) {
    let process = SalesProcess::open(STAGES).unwrap();
    for n in [100_000u32, 1_000_000] {
        let rows = rows(n);
        let text = csv_text(&rows);
        let mut group = c.benchmark_group(format!("log of {n} events"));
        group
            .throughput(Throughput::Elements(n.into()))
            .sample_size(10)
            .measurement_time(Duration::from_secs(5));
        group.bench_function("build from cells", |b| {
            let build = |rows: Vec<tidy::StageRow>| {
                DealLog::from_rows(&process, rows.into_iter().map(Ok::<_, Infallible>)).unwrap()
            };
            b.iter_batched(|| rows.clone(), build, BatchSize::PerIteration);
        });
        group.bench_function("build from csv", |b| {
            b.iter(|| {
                let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<tidy::StageRow>();
                DealLog::from_rows(&process, rows).unwrap()
            });
        });
        let reader = csv::Reader::from_reader(text.as_bytes());
        let log = DealLog::from_rows(&process, reader.into_deserialize::<tidy::StageRow>()).unwrap();
        println!("{n} events: {:.1} bytes an event", log.memory_bytes() as f64 / f64::from(n));
        let known = log.as_of(date(2024, 6, 15).unwrap());
        group.bench_function("state and amount of every deal", |b| {
            b.iter(|| {
                let each = |deal: dealcast::deals::DealView<'_>| black_box((deal.state(), deal.amount()));
                known.deals().map(each).count()
            });
        });
        group.bench_function("snapshot", |b| b.iter(|| known.snapshot()));
    }
}

criterion_group!(benches, log);
criterion_main!(benches);
