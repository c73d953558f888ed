//! `agentslo ledger cost`: what was spent, by whom, and what the month will come to.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use agentslo_ledger::money::{dollars, millionths};
use agentslo_ledger::projection::{Projection, project};
use agentslo_ledger::store::{self, By, Client, Period, Spent, StoreError};
use clap::{Args, ValueEnum};
use k8s_openapi::jiff::civil::Date;
use k8s_openapi::jiff::tz::TimeZone;
use k8s_openapi::jiff::{Timestamp, ToSpan, Zoned};
use serde_json::{Map, Value, json};

use super::database::{Database, unreachable};
use super::time::{before, now, parse_window};
use crate::cli::cluster::block_on;
use crate::cli::print::{write_note, write_out};
use crate::cli::terminal::Look;
use crate::domain::window::Window;
use crate::inspect::{Cell, Table, Tone};

const EXAMPLES: &str = "\
Examples:
  # Who spent most in the last 30 days, and what the month will come to
  agentslo ledger cost --database-url postgres://localhost/ledger --by agent,model --budget 500

  # For a spreadsheet
  agentslo ledger cost --database-url postgres://localhost/ledger --by day,agent --since 90d -o csv

Costs are what the agents' telemetry says, and where it says nothing what `agentslo ledger prices` makes of the tokens:
estimates both, and no bill. Months and days are those of UTC.

Exit codes:
  0  the costs were read, whatever they are
  1  the budget of the month is spent
  2  usage
  3  the database could not be reached";

/// Days from which a month is projected.
const DAYS: i32 = 28;
const MICROS: f64 = 1e6;

/// Show what was spent, by whom, and what the month will come to.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    look: Look,
    /// By what spending is told apart.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "agent", value_name = "WHAT")]
    by: Vec<Key>,
    /// How far back.
    #[arg(long, default_value = "30d", value_parser = parse_window, value_name = "DURATION")]
    since: Window,
    /// What may be spent in a month, in US dollars.
    #[arg(long, value_name = "DOLLARS", value_parser = parse_dollars)]
    budget: Option<i64>,
    /// Form of what is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// Streams, as `namespace/agent`. By default all of them.
    streams: Vec<String>,
}

/// By what spending is told apart.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Key {
    /// Agent, with its namespace.
    Agent,
    /// Model.
    Model,
    /// Whoever it was done for, under a pseudonym.
    User,
    /// Session.
    Session,
    /// How the call ended: answered, failed or refused.
    Outcome,
    /// What the call was for.
    Purpose,
    /// Day.
    Day,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Output {
    /// A table, and a sentence about the month.
    #[default]
    Table,
    /// Comma-separated values under a row of titles.
    Csv,
    /// One JSON object.
    Json,
}

impl Key {
    fn by(self) -> By {
        match self {
            Self::Agent => By::Agent,
            Self::Model => By::Model,
            Self::User => By::User,
            Self::Session => By::Session,
            Self::Outcome => By::Outcome,
            Self::Purpose => By::Purpose,
            Self::Day => By::Day,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Agent => "AGENT",
            Self::Model => "MODEL",
            Self::User => "USER",
            Self::Session => "SESSION",
            Self::Outcome => "OUTCOME",
            Self::Purpose => "PURPOSE",
            Self::Day => "DAY",
        }
    }
}

/// What a column holds, and under which title.
type Column = (&'static str, fn(&Spent) -> i64);

const COUNTS: [Column; 8] = [
    ("CALLS", |spent| spent.calls),
    ("FAILED", |spent| spent.failed),
    ("INPUT", |spent| spent.input_tokens),
    ("OUTPUT", |spent| spent.output_tokens),
    ("CACHE-READ", |spent| spent.cache_read_tokens),
    ("CACHE-WRITE", |spent| spent.cache_write_tokens),
    ("WITHOUT-COST", |spent| spent.without_cost),
    ("ESTIMATED", |spent| spent.estimated),
];

/// A month that is not over yet.
#[derive(Clone, Copy, Debug)]
struct Month {
    spent: i64,
    /// Whole days that it is projected from.
    days: usize,
    projection: Option<Projection>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let now = now();
        let client = arguments.database.connect().await?;
        let streams = arguments.streams.clone();
        let period = Period { since: before(now, arguments.since), until: now.into(), streams };
        let by: Vec<By> = arguments.by.iter().map(|key| key.by()).collect();
        let rows = store::spent(&client, &by, &period).await.map_err(|error| unreachable(&error))?;
        let month = month(&client, &arguments.streams, now).await.map_err(|error| unreachable(&error))?;
        match arguments.output {
            Output::Table => {
                write_out(&(arguments.look.table(&table(&arguments.by, &rows)).join("\n") + "\n"));
                write_note(&sentence(month, arguments.budget, now));
            }
            Output::Csv => write_out(&csv(&arguments.by, &rows)),
            Output::Json => {
                let rows: Vec<Value> = rows.iter().map(|row| object(&arguments.by, row)).collect();
                let month = month_object(month, arguments.budget);
                write_out(&format!("{:#}\n", json!({"rows": rows, "month": month})));
            }
        }
        let is_spent = arguments.budget.is_some_and(|budget| month.spent >= budget);
        Ok(if is_spent { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

fn parse_dollars(text: &str) -> Result<i64, &'static str> {
    millionths(text).ok_or("should be an amount of US dollars, for example 500 or 12.50")
}

/// What this month has cost so far, and what it will have cost.
async fn month(client: &Client, streams: &[String], now: Timestamp) -> Result<Month, StoreError> {
    let at = now.to_zoned(TimeZone::UTC);
    let today = midnight(at.date());
    let begin = midnight(at.date().first_of_month());
    let end = midnight(at.date().last_of_month().tomorrow().expect("it is not the end of all time"));
    let within = |since: SystemTime, until: SystemTime| Period { since, until, streams: streams.to_vec() };
    let spent = store::spent(client, &[], &within(begin.timestamp().into(), now.into())).await?;
    let spent = spent.iter().map(|spent| spent.micro_usd).sum();
    let first = today.checked_sub(DAYS.days()).expect("it is not the beginning of all time");
    let period = within(first.timestamp().into(), today.timestamp().into());
    let days = store::spent(client, &[By::Day], &period).await?;
    let amounts = whole_days(&days, today.date());
    let left = now.duration_until(end.timestamp()).as_secs_f64() / (24.0 * 3600.0);
    let projection = project(float(spent), &amounts, left);
    Ok(Month { spent, days: amounts.len(), projection })
}

fn midnight(date: Date) -> Zoned {
    date.to_zoned(TimeZone::UTC).expect("every day has a midnight in UTC")
}

/// What each day before `today` has cost, from the first on that has cost anything.
fn whole_days(days: &[Spent], today: Date) -> Vec<f64> {
    let amount = |date: Date| days.iter().find(|spent| spent.by == [date.to_string()]);
    let first = days.iter().filter_map(|spent| spent.by.first()?.parse::<Date>().ok()).min();
    let Some(first) = first else { return Vec::new() };
    let dates = first.series(1.day()).take_while(|date| *date < today);
    dates.map(|date| amount(date).map_or(0.0, |spent| float(spent.micro_usd))).collect()
}

/// Amounts of money are far below 2⁵³ millionths.
#[allow(clippy::cast_precision_loss)]
fn float(millionths: i64) -> f64 {
    millionths as f64
}

fn table(keys: &[Key], rows: &[Spent]) -> Table {
    let titles = keys.iter().map(|key| key.title()).chain(COUNTS.map(|(title, _)| title)).chain(["USD"]);
    let mut table = Table::new(titles.collect());
    for row in rows {
        let keys = row.by.iter().map(|key| Cell::of(Some(key)));
        let counts = COUNTS.map(|(_, count)| Cell::new(&count(row).to_string(), Tone::Plain));
        let money = Cell::new(&dollars(row.micro_usd), Tone::Strong);
        table.push(keys.chain(counts).chain([money]).collect());
    }
    table
}

fn csv(keys: &[Key], rows: &[Spent]) -> String {
    let titles =
        keys.iter().map(|key| key.title()).chain(COUNTS.map(|(title, _)| title)).chain(["MICRO-USD"]);
    let titles = titles.map(|title| title.to_lowercase().replace('-', "_")).collect::<Vec<_>>().join(",");
    let row = |row: &Spent| {
        let keys = row.by.iter().map(|key| quoted(key));
        let counts = COUNTS.map(|(_, count)| count(row).to_string());
        keys.chain(counts).chain([row.micro_usd.to_string()]).collect::<Vec<_>>().join(",")
    };
    std::iter::once(titles).chain(rows.iter().map(row)).map(|line| line + "\r\n").collect()
}

/// As RFC 4180 has it, and so that no spreadsheet takes it for a formula.
fn quoted(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn object(keys: &[Key], row: &Spent) -> Value {
    let name = |title: &str| title.to_lowercase().replace('-', "_");
    let mut object: Map<String, Value> =
        keys.iter().zip(&row.by).map(|(key, value)| (name(key.title()), json!(value))).collect();
    object.extend(COUNTS.map(|(title, count)| (name(title), json!(count(row)))));
    object.insert("micro_usd".to_owned(), json!(row.micro_usd));
    Value::Object(object)
}

fn month_object(month: Month, budget: Option<i64>) -> Value {
    let Month { spent, days, projection } = month;
    let whole = |amount: f64| dollars_of(amount);
    json!({
        "spentUSD": dollars(spent), "daysObserved": days, "budgetUSD": budget.map(dollars),
        "expectedUSD": projection.map(|projection| whole(projection.expected)),
        "intervalUSD": projection.and_then(|projection| projection.interval).map(|(low, high)| [whole(low), whole(high)]),
    })
}

/// Millionths, rounded, as dollars.
fn dollars_of(amount: f64) -> String {
    format!("{:.2}", amount / MICROS)
}

fn sentence(month: Month, budget: Option<i64>, now: Timestamp) -> String {
    let name = now.to_zoned(TimeZone::UTC).strftime("%B %Y").to_string();
    let mut text = format!("{name}: ${} so far", dollars(month.spent));
    match month.projection {
        Some(Projection { expected, interval }) => {
            let _ = write!(text, ", ${} expected by its end", dollars_of(expected));
            if let Some((low, high)) = interval {
                let _ = write!(text, " (${} to ${} in nine of ten)", dollars_of(low), dollars_of(high));
            }
            let _ = write!(text, ", from {} whole days", month.days);
        }
        None => text += ", and no whole day to project it from",
    }
    if let Some(budget) = budget {
        let share = 100.0 * float(month.spent) / float(budget.max(1));
        let will = month.projection.map_or("", |projection| {
            if projection.expected > float(budget) { ", and will be exceeded" } else { ", and will hold" }
        });
        let _ = write!(text, "; the budget of ${} is spent to {share:.0}%{will}", dollars(budget));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(by: &str, micro_usd: i64) -> Spent {
        Spent { by: vec![by.to_owned()], calls: 2, micro_usd, ..Spent::default() }
    }

    #[test]
    fn days_without_a_call_count() {
        let days = [spent("2026-11-03", 5), spent("2026-11-01", 1)];
        let today = "2026-11-05".parse().expect("it is a date");
        assert_eq!(whole_days(&days, today), [1.0, 0.0, 5.0, 0.0]);
        assert_eq!(whole_days(&[], today), [0.0; 0]);
    }

    #[test]
    fn a_spreadsheet_takes_no_name_for_a_formula() {
        let text = csv(&[Key::Agent], &[spent("=HYPERLINK(\"x\")", 5), spent("a,b", 1)]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(
            lines[0],
            "agent,calls,failed,input,output,cache_read,cache_write,without_cost,estimated,micro_usd"
        );
        assert_eq!(lines[1], "\"'=HYPERLINK(\"\"x\"\")\",2,0,0,0,0,0,0,0,5");
        assert_eq!(lines[2], "\"a,b\",2,0,0,0,0,0,0,0,1");
    }

    #[test]
    fn the_month_is_told_in_a_sentence() {
        let now = "2026-11-20T00:00:00Z".parse().expect("it is a time");
        let projection = Some(Projection { expected: 20e6, interval: Some((15e6, 25e6)) });
        let month = Month { spent: 12_300_000, days: 19, projection };
        assert_eq!(
            sentence(month, Some(15_000_000), now),
            "November 2026: $12.30 so far, $20.00 expected by its end ($15.00 to $25.00 in nine of ten), from 19 whole \
             days; the budget of $15.00 is spent to 82%, and will be exceeded"
        );
        let new = Month { spent: 0, days: 0, projection: None };
        assert_eq!(
            sentence(new, None, now),
            "November 2026: $0.00 so far, and no whole day to project it from"
        );
    }
}
