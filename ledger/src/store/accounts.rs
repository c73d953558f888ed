//! Enters what the new entries of a batch cost, and the runs that they end, in the tables that are divided by months.

use std::time::{Duration, SystemTime};

use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;

use super::StoreError;
use super::append::New;
use crate::intake::{Charge, Outcome, Run, RunOutcome};

/// Enters both.
pub(super) async fn enter(transaction: &Transaction<'_>, new: &[New<'_>]) -> Result<(), StoreError> {
    let charges: Vec<(&New<'_>, &Charge)> =
        new.iter().filter_map(|new| Some((new, new.received.charge.as_ref()?))).collect();
    let runs: Vec<(&New<'_>, &Run)> =
        new.iter().filter_map(|new| Some((new, new.received.run.as_ref()?))).collect();
    let moments = charges.iter().map(|(_, charge)| charge.at).chain(runs.iter().map(|(_, run)| run.at));
    ensure_months(transaction, moments.map(moment).collect()).await?;
    enter_charges(transaction, &charges).await?;
    enter_runs(transaction, &runs).await
}

fn moment(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// Months that have no partitions yet get them.
async fn ensure_months(transaction: &Transaction<'_>, moments: Vec<SystemTime>) -> Result<(), StoreError> {
    if moments.is_empty() {
        return Ok(());
    }
    let statement = "SELECT ledger.ensure_month(month) FROM \
                     (SELECT DISTINCT date_trunc('month', unnest($1::timestamptz[]), 'UTC') AS month) AS months";
    transaction.execute(statement, &[&moments]).await?;
    Ok(())
}

async fn enter_charges(
    transaction: &Transaction<'_>,
    charged: &[(&New<'_>, &Charge)],
) -> Result<(), StoreError> {
    if charged.is_empty() {
        return Ok(());
    }
    let entries = || charged.iter().map(|(new, _)| &new.received.entry);
    let charges = || charged.iter().map(|(_, charge)| *charge);
    let columns: [&(dyn ToSql + Sync); 15] = [
        &charges().map(|charge| moment(charge.at)).collect::<Vec<_>>(),
        &charged.iter().map(|(new, _)| new.stream).collect::<Vec<_>>(),
        &charged.iter().map(|(new, _)| new.after.sequence.cast_signed()).collect::<Vec<_>>(),
        &charges().map(|charge| charge.model.as_str()).collect::<Vec<_>>(),
        &charges().map(|charge| outcome(charge.outcome)).collect::<Vec<_>>(),
        &entries().map(|entry| entry.session.as_deref()).collect::<Vec<_>>(),
        &entries().map(|entry| entry.user.as_deref()).collect::<Vec<_>>(),
        &entries().map(|entry| entry.trace.as_deref()).collect::<Vec<_>>(),
        &charges().map(|charge| charge.purpose.as_deref()).collect::<Vec<_>>(),
        &charges().map(|charge| charge.duration_us).collect::<Vec<_>>(),
        &charges().map(|charge| charge.input_tokens).collect::<Vec<_>>(),
        &charges().map(|charge| charge.output_tokens).collect::<Vec<_>>(),
        &charges().map(|charge| charge.cache_read_tokens).collect::<Vec<_>>(),
        &charges().map(|charge| charge.cache_write_tokens).collect::<Vec<_>>(),
        &charges().map(|charge| charge.micro_usd).collect::<Vec<_>>(),
    ];
    transaction.execute(INSERT_CHARGES, &columns).await?;
    Ok(())
}

/// What nobody says a cost of is estimated, where a price is known.
const INSERT_CHARGES: &str = "
    INSERT INTO ledger.charge (at, stream, sequence, model, outcome, session, user_pseudonym, trace, purpose,
        duration_us, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, cost_source)
    SELECT at, stream, sequence, model, outcome, session, user_pseudonym, trace, purpose, duration_us, input, output,
        cache_read, cache_write, coalesce(said, estimated),
        CASE WHEN said IS NOT NULL THEN 'telemetry' WHEN estimated IS NOT NULL THEN 'prices' END
    FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
        $15::bigint[]) AS new (at, stream, sequence, model, outcome, session, user_pseudonym, trace, purpose,
        duration_us, input, output, cache_read, cache_write, said)
    CROSS JOIN LATERAL (SELECT CASE WHEN said IS NULL
        THEN ledger.estimate(model, at, input, output, cache_read, cache_write) END AS estimated) AS estimate";

async fn enter_runs(transaction: &Transaction<'_>, ended: &[(&New<'_>, &Run)]) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    let entries = || ended.iter().map(|(new, _)| &new.received.entry);
    let runs = || ended.iter().map(|(_, run)| *run);
    let columns: [&(dyn ToSql + Sync); 10] = [
        &runs().map(|run| moment(run.at)).collect::<Vec<_>>(),
        &ended.iter().map(|(new, _)| new.stream).collect::<Vec<_>>(),
        &ended.iter().map(|(new, _)| new.after.sequence.cast_signed()).collect::<Vec<_>>(),
        &runs().map(|run| run_outcome(run.outcome)).collect::<Vec<_>>(),
        &entries().map(|entry| entry.session.as_deref()).collect::<Vec<_>>(),
        &entries().map(|entry| entry.user.as_deref()).collect::<Vec<_>>(),
        &entries().map(|entry| entry.trace.as_deref()).collect::<Vec<_>>(),
        &runs().map(|run| run.duration_us).collect::<Vec<_>>(),
        &runs().map(|run| run.turns).collect::<Vec<_>>(),
        &runs().map(|run| run.micro_usd).collect::<Vec<_>>(),
    ];
    transaction.execute(INSERT_RUNS, &columns).await?;
    Ok(())
}

const INSERT_RUNS: &str = "
    INSERT INTO ledger.run (at, stream, sequence, outcome, session, user_pseudonym, trace, duration_us, turns, micro_usd)
    SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::bigint[], $10::bigint[])";

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Failed => "failed",
        Outcome::Refused => "refused",
    }
}

fn run_outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Failed => "failed",
        RunOutcome::Cancelled => "cancelled",
    }
}
