//! The conformance driver answers every line, good or bad, and keeps answering.

use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where cargo puts the example: `target/<profile>/examples`, two folders up from `target/<profile>/deps/<this test>`.
fn driver() -> Option<PathBuf> {
    let this = std::env::current_exe().unwrap();
    let name = format!("conformance{}", std::env::consts::EXE_SUFFIX);
    let path = this.parent()?.parent()?.join("examples").join(name);
    let built = path.is_file();
    if !built {
        println!("skipped: the example `conformance` is not built");
    }
    built.then_some(path)
}

/// The answers to these lines, one each; none where the driver is not built.
fn answers(lines: Vec<String>) -> Option<Vec<Value>> {
    let mut child = Command::new(driver()?).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let n = lines.len();
    let mut input = child.stdin.take().unwrap();
    // A thread of its own, so that neither side waits for the other with a full pipe.
    let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| writeln!(input, "{line}")));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), n);
    Some(answers)
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("no error")
}

#[test]
fn ingest_as_of_and_period() {
    let events = json!([
        {"deal": "D-1", "at": "2026-01-05", "stage": "qualify", "amount": 1200},
        {"deal": "D-1", "at": "2026-02-11T16:20:00Z", "stage": "won", "amount": "1150"},
        {"deal": "D-2", "at": "2026-01-07", "stage": "qualify", "expected_close": "2026-03-31"},
        {"deal": "D-2", "at": "2026-01-07", "stage": "qualify", "expected_close": "2026-03-31"},
        {"deal": "D-3", "at": "05/01/2026", "stage": "qualify"},
        {"deal": "D-4", "at": "2026-01-09", "stage": "quality"},
    ]);
    let process = json!({"open": ["qualify", "propose"]});
    let request = |cmd: &str, more: Value| {
        let mut request = json!({"cmd": cmd, "process": process, "events": events});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request.to_string()
    };
    let Some(answers) = answers(vec![
        request("ingest", json!({})),
        request("ingest", json!({"mode": "strict"})),
        request("as_of", json!({"at": "2026-02-11"})),
        request("as_of", json!({"at": "2026-03-01"})),
        json!({"cmd": "period", "scheme": "calendar", "year": 2026, "quarter": 2, "fiscal_start_month": 2})
            .to_string(),
    ]) else {
        return;
    };
    let [collected, strict, before, after, period] = &answers[..] else { unreachable!() };
    // Six rows: one repeats another, one date is ambiguous, one stage is misspelt.
    let counts = ["rows_in", "accepted", "quarantined", "deduplicated"].map(|name| collected[name].as_u64());
    assert_eq!(counts, [Some(6), Some(3), Some(2), Some(1)]);
    assert_eq!(collected["rejected"][0]["row"], 5);
    assert_eq!(
        (&collected["rejected"][0]["field"], &collected["rejected"][1]["field"]),
        (&json!("at"), &json!("stage"))
    );
    assert_eq!((code(strict), &strict["error"]["row"]), ("unreadable", &json!(5)));
    // On the morning of the day D-1 is won it is still open: 37 days after 5 January, 35 after the 7th.
    let ages = |answer: &Value| -> Vec<(String, u64)> {
        let open = answer["open"].as_array().unwrap().iter();
        open.map(|d| (d["deal"].as_str().unwrap().to_owned(), d["age_days"].as_u64().unwrap())).collect()
    };
    assert_eq!(ages(before), [("D-1".to_owned(), 37), ("D-2".to_owned(), 35)]);
    assert_eq!(before["open"][1]["expected_close"], "2026-03-31");
    assert_eq!((&before["open"][1]["amount"], &before["booked"]), (&Value::Null, &json!(0.0)));
    assert_eq!(ages(after), [("D-2".to_owned(), 53)]);
    assert_eq!((&after["won"], &after["lost"], &after["booked"]), (&json!(1), &json!(0), &json!(1150.0)));
    // A fiscal year that begins in February has May to July as its second quarter.
    assert_eq!((&period["start"], &period["end"]), (&json!("2026-05-01"), &json!("2026-08-01")));
}

#[test]
fn a_refused_line_is_answered_and_the_next_one_too() {
    let lines = [
        (r#"{"cmd":"no such thing"}"#.to_owned(), "unknown_command"),
        (r#"{"cmd":"period","scheme":"calendar""#.to_owned(), "malformed_request"),
        ("nonsense".to_owned(), "malformed_request"),
        ("[1, 2]".to_owned(), "malformed_request"),
        (r#"{"year":2026}"#.to_owned(), "malformed_request"),
        (r#"{"cmd":7}"#.to_owned(), "malformed_request"),
        // Deep enough to overflow the stack of a reader that follows it down.
        ("[".repeat(1_000_000), "malformed_request"),
        (r#"{"a":"#.repeat(200_000), "malformed_request"),
        (r#"{"cmd":"period","scheme":"calendar","year":2026,"qarter":1}"#.to_owned(), "malformed_request"),
        (r#"{"cmd":"period","scheme":"calendar","year":2147483647}"#.to_owned(), "invalid_period"),
        (
            r#"{"cmd":"as_of","process":{"open":[]},"events":[],"at":"2026-01-01"}"#.to_owned(),
            "invalid_process",
        ),
        (r#"{"cmd":"as_of","process":{"open":["a"]},"events":[],"at":"soon"}"#.to_owned(), "unreadable"),
        (
            r#"{"cmd":"ingest","process":{"open":["a"]},"events":{"csv":"/no/such/file"}}"#.to_owned(),
            "malformed_request",
        ),
        (r#"{"cmd":"version"}"#.to_owned(), "no error"),
    ];
    let (lines, expected): (Vec<String>, Vec<&str>) = lines.into_iter().unzip();
    let Some(answers) = answers(lines) else { return };
    assert_eq!(answers.iter().map(code).collect::<Vec<_>>(), expected);
    assert_eq!(answers.last().unwrap()["version"], env!("CARGO_PKG_VERSION"));
}

/// By hand: a deal of 100 at 1/2 and one of 50 at 3/10 against 100; eight more of 50 at 1/2 against 200 make
/// (247/256 + 163/256) / 2 = .80078, seven .71875; one deal grows and moves on, one is won, one is created.
#[test]
fn gap_required_pipeline_and_waterfall() {
    let events = json!([
        {"deal": "x", "at": "2026-01-01", "stage": "a", "amount": 10},
        {"deal": "x", "at": "2026-02-01", "stage": "b", "amount": 15},
        {"deal": "y", "at": "2026-01-01", "stage": "a", "amount": 7},
        {"deal": "y", "at": "2026-02-02", "stage": "won"},
        {"deal": "z", "at": "2026-02-03", "stage": "a", "amount": 4},
    ]);
    let required = |deals: Value, win_probability: f64| {
        json!({"cmd": "required_pipeline", "deals": deals, "target": 200, "confidence": 0.8,
            "win_probability": win_probability, "deal_amount": 50})
        .to_string()
    };
    let a = json!({"deal": "a", "p": 0.5, "amount": 100});
    let Some(answers) = answers(vec![
        json!({"cmd": "gap", "deals": [a, {"deal": "b", "p": 0.3, "amount": 50}], "target": 100}).to_string(),
        required(json!([a]), 0.5),
        required(json!([]), 0.0),
        json!({"cmd": "waterfall", "process": {"open": ["a", "b"]}, "events": events, "from": "2026-01-15",
            "to": "2026-03-01"})
        .to_string(),
    ]) else {
        return;
    };
    let [gap, reached, never, waterfall] = &answers[..] else { unreachable!() };
    // Sums of a few products of exact fractions: some units in the last place.
    let close = |found: &Value, expected: f64| {
        assert!((found.as_f64().unwrap() - expected).abs() < 1e-12, "{found}, not {expected}");
    };
    close(&gap["chance"], 0.5);
    close(&gap["coverage"], 1.5);
    close(&gap["shortfall_mean"], 35.0);
    close(&gap["expected_shortfall"], 0.5 * (0.3 * 50.0 + 0.7 * 100.0));
    close(&gap["lose_biggest_chance"], 0.0);
    for (deal, (won, lost)) in [(0, (1.0, 0.0)), (1, (0.5, 0.5))] {
        close(&gap["swing"][deal]["given_won"], won);
        close(&gap["swing"][deal]["given_lost"], lost);
    }
    assert_eq!((reached["n_deals"].as_u64(), reached["amount"].as_f64()), (Some(8), Some(400.0)));
    close(&reached["chance_reached"], (247.0 + 163.0) / 512.0);
    assert!(never["n_deals"].is_null() && never["amount"].is_null());
    let bar = |name: &str| (waterfall[name]["amount"].as_f64().unwrap(), waterfall[name]["n"].as_u64());
    assert_eq!(bar("opening"), (17.0, Some(2)));
    assert_eq!(bar("created"), (4.0, Some(1)));
    assert_eq!(bar("amount_up"), (5.0, Some(1)));
    assert_eq!(bar("moved_forward"), (0.0, Some(1)));
    assert_eq!(bar("won"), (-7.0, Some(1)));
    assert_eq!(bar("closing"), (19.0, Some(2)));
}

/// A deal a week, created on Mondays and won a week later, of 10, 20, 10, 20, ... in turn; four windows of two weeks.
#[test]
fn backtest_with_every_method() {
    let monday = |week: i64| {
        let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        first.checked_add_days(chrono::Days::new(u64::try_from(7 * week).unwrap())).unwrap()
    };
    let rows = (0..30).flat_map(|week| {
        let (deal, amount) = (format!("D{week:02}"), 10 + 10 * (week % 2));
        [
            json!({"deal": deal, "at": monday(week), "stage": "a", "amount": amount}),
            json!({"deal": deal, "at": monday(week + 1), "stage": "won"}),
        ]
    });
    let rows: Vec<Value> = rows.collect();
    let request = |more: Value| {
        let mut request = json!({"cmd": "backtest", "process": {"open": ["a"]}, "events": rows, "horizon_days": 14,
            "origins": {"from": monday(20), "to": monday(26), "step_days": 14}});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request.to_string()
    };
    let models = [
        "default",
        "last_period",
        "same_period_last_year",
        "run_rate",
        "crm_stages",
        "closed_only",
        "landmark",
        "past_windows",
    ];
    let mut lines: Vec<String> = models.map(|model| request(json!({"model": model}))).into();
    lines.push(request(json!({"targets_k": 2})));
    lines.push(request(json!({"targets_k": 0})));
    lines.push(request(json!({"model": "oracle"})));
    lines.push(request(json!({"model": "run_rate", "horizon_days": 0})));
    let Some(answers) = answers(lines) else { return };
    let fields = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    for (answer, model) in answers.iter().zip(models) {
        assert_eq!(fields(answer), "origins seconds summary", "{model}: {answer}");
        let summary = "bias brier cov50 cov80 cov95 n_ncrps ncrps wape width80";
        assert_eq!(fields(&answer["summary"]), summary);
        assert!(answer["summary"].as_object().unwrap().values().all(Value::is_number), "{model}");
        assert_eq!(answer["origins"].as_array().unwrap().len(), 4);
        for (origin, number) in answer["origins"].as_array().unwrap().iter().zip(0..) {
            let names = "actual chance crps mean n_actual n_crps n_mean n_q10 n_q50 n_q90 origin q025 q05 q10 q25 \
                q50 q75 q90 q95 q975";
            assert_eq!(fields(origin), names, "{model}");
            assert_eq!(origin["origin"], monday(20 + 2 * number).to_string());
            assert_eq!((&origin["actual"], &origin["n_actual"]), (&json!(30.0), &json!(2.0)), "{model}");
            // Targets of 27, 30 and 33: what past windows brought is 30.
            let chance: Vec<f64> =
                origin["chance"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
            assert_eq!(chance.len(), 3, "{model}");
            assert!(chance.is_sorted_by(|a, b| a >= b) && chance.iter().all(|p| (0.0..=1.0).contains(p)));
        }
    }
    // Two weeks always bring 30 and two deals: these say so, and are never off.
    for i in [1, 2, 7] {
        let summary = &answers[i]["summary"];
        for name in ["wape", "bias", "ncrps", "width80", "brier", "n_ncrps"] {
            assert!(summary[name].as_f64().unwrap().abs() < 1e-12, "{} {name}: {summary}", models[i]);
        }
        assert_eq!(answers[i]["origins"][0]["chance"], json!([1.0, 1.0, 0.0]));
    }
    // So does the run rate, with a spread that it has from its first windows, when hardly anything had been created.
    for name in ["wape", "bias"] {
        assert!(
            answers[3]["summary"][name].as_f64().unwrap().abs() < 1e-12,
            "{name}: {}",
            answers[3]["summary"]
        );
    }
    let [.., two, none, unknown, no_day] = &answers[..] else { unreachable!() };
    assert_eq!(two["origins"][3]["chance"].as_array().unwrap().len(), 3);
    assert_eq!((&none["origins"][0]["chance"], &none["summary"]["brier"]), (&json!([]), &Value::Null));
    assert_eq!((code(unknown), code(no_day)), ("out_of_range", "invalid_period"));
}
