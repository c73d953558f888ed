//! `agentslo ledger prices`: what models cost, where telemetry does not say it.

use std::path::PathBuf;
use std::process::ExitCode;

use agentslo_ledger::money::{dollars, millionths};
use agentslo_ledger::store::{self, Price};
use clap::Args;
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::civil::Date;
use k8s_openapi::jiff::tz::TimeZone;
use serde::Deserialize;

use super::database::{Database, unreachable};
use crate::cli::cluster::{Stop, block_on};
use crate::cli::files::text_of;
use crate::cli::print::write_out;
use crate::cli::terminal::Look;
use crate::inspect::{Cell, Table, Tone};

const EXAMPLES: &str = "\
Examples:
  # What is in force
  agentslo ledger prices --database-url postgres://localhost/ledger

  # New prices, as a member of ledger_keeper
  agentslo ledger prices --database-url postgres://localhost/ledger --set prices.yaml

A file of prices, in US dollars for a million tokens:
  - model: example-large        # also for example-large-2026-01-01: the longest beginning decides
    from: 2026-01-01
    usdPerMillionTokens: {input: '3', output: '15', cacheRead: '0.3', cacheWrite: '3.75'}

A call whose telemetry has no cost is entered with what its tokens cost at its time. What is entered already stays as it is.

Exit codes:
  0  the prices were read or set
  2  the file cannot be used
  3  the database could not be reached, or refused";

/// Show or set what models cost, where telemetry does not say it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    look: Look,
    /// File with prices, in YAML. A price of the same model and day is replaced.
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,
}

/// A price as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    model: String,
    from: String,
    usd_per_million_tokens: Tokens,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Tokens {
    input: String,
    output: String,
    cache_read: String,
    cache_write: String,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let new = arguments.set.as_ref().map(|file| {
            let prices = text_of(file).and_then(|text| read(&text));
            prices.map_err(|why| Stop::Usage(format!("{}: {why}", file.display())))
        });
        let new = new.transpose()?;
        let mut client = arguments.database.connect().await?;
        if let Some(prices) = new {
            store::set_prices(&mut client, &prices).await.map_err(|error| unreachable(&error))?;
        }
        let prices = store::prices(&client).await.map_err(|error| unreachable(&error))?;
        write_out(&(arguments.look.table(&table(&prices)).join("\n") + "\n"));
        Ok(ExitCode::SUCCESS)
    })
}

fn read(text: &str) -> Result<Vec<Price>, String> {
    let written: Vec<Written> = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    written.into_iter().map(Written::price).collect()
}

impl Written {
    fn price(self) -> Result<Price, String> {
        let Self { model, from, usd_per_million_tokens: tokens } = self;
        let date: Date =
            from.parse().map_err(|_| format!("{model}: '{from}' should be a day, for example 2026-01-01"))?;
        let from = date.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        let amount = |text: &str| {
            millionths(text).ok_or_else(|| {
                format!("{model}: '{text}' should be an amount of US dollars, in quotes: '3.75'")
            })
        };
        Ok(Price {
            valid_from: from.timestamp().into(),
            input: amount(&tokens.input)?,
            output: amount(&tokens.output)?,
            cache_read: amount(&tokens.cache_read)?,
            cache_write: amount(&tokens.cache_write)?,
            model,
        })
    }
}

fn table(prices: &[Price]) -> Table {
    let mut table = Table::new(vec!["MODEL", "FROM", "INPUT", "OUTPUT", "CACHE-READ", "CACHE-WRITE"]);
    for price in prices {
        let from =
            Timestamp::try_from(price.valid_from).map(|from| from.to_zoned(TimeZone::UTC).date().to_string());
        let amounts = [price.input, price.output, price.cache_read, price.cache_write];
        let amounts = amounts.map(|amount| Cell::new(&dollars(amount), Tone::Plain));
        table.push(
            [Cell::of(Some(&price.model)), Cell::of(from.ok().as_deref())]
                .into_iter()
                .chain(amounts)
                .collect(),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_they_are_shown() {
        let text = "- model: large\n  from: 2026-01-01\n  \
                    usdPerMillionTokens: {input: '3', output: '15', cacheRead: '0.3', cacheWrite: '3.75'}\n";
        let prices = read(text).expect("it should read");
        assert_eq!((prices[0].input, prices[0].cache_write), (3_000_000, 3_750_000));
        for (good, bad) in [("2026-01-01", "first"), ("'15'", "'much'"), ("'0.3'", "'-0.3'")] {
            assert!(read(&text.replace(good, bad)).is_err(), "{bad}");
        }
        let unknown = read(&text.replace("output", "outputs")).expect_err("there is no such field");
        assert!(unknown.contains("outputs"), "{unknown}");
    }
}
