//! `period`: the months, quarters and years of a company.

use crate::answer::{Answer, Refusal, answer, parse};
use chrono::{Month, Weekday};
use dealcast::FiscalCalendar;
use dealcast::time::WeekPattern;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    scheme: Value,
    year: i32,
    quarter: Option<u32>,
    month: Option<u32>,
    fiscal_start_month: Option<u8>,
    week_starts: Option<String>,
}

pub(crate) fn period(request: Value) -> Answer {
    let request: Request = parse(request)?;
    let first_month = request.fiscal_start_month.unwrap_or(1);
    let first_month = Month::try_from(first_month)
        .map_err(|_| Refusal::malformed(format!("no month {first_month} to start the year")))?;
    let first_day = request.week_starts.as_deref().unwrap_or("sunday");
    let first_day: Weekday =
        first_day.parse().map_err(|_| Refusal::malformed(format!("no weekday {first_day}")))?;
    let calendar = FiscalCalendar::starting(first_month);
    let in_weeks = |pattern| calendar.in_weeks(pattern, first_day);
    let scheme = request.scheme.as_str().map_or_else(|| request.scheme.to_string(), str::to_owned);
    let calendar = match scheme.as_str() {
        "calendar" => calendar,
        "445" => in_weeks(WeekPattern::W445),
        "454" => in_weeks(WeekPattern::W454),
        "544" => in_weeks(WeekPattern::W544),
        other => return Err(Refusal::malformed(format!("no scheme {other}"))),
    };
    answer(&match (request.quarter, request.month) {
        (None, None) => calendar.year(request.year)?,
        (Some(quarter), None) => calendar.quarter(request.year, quarter)?,
        (None, Some(month)) => calendar.month(request.year, month)?,
        (Some(_), Some(_)) => return Err(Refusal::malformed("quarter or month, not both")),
    })
}
