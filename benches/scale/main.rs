//! What the operator needs for a thousand and for ten thousand AgentSLOs on a real API server, beside what
//! it may need.
//!
//! ```text
//!  floor ────► cold start ──► answers ──► rest ──► restart ──► edits ──► deletion
//!  the same    until all are  Prometheus  nothing  nothing     one by    by the
//!  writes      Ready          is named    happens  is written  one, and  garbage
//!  without us                                                  150/s     collector
//! ```
//!
//! Times depend on the machine, so the cold start stands beside what another API server of the same kind
//! needs for the same writes without us, measured in the same run. What is measured is the operator as it
//! ships. `docs/scale.md` tells how to read what is printed.

// What a benchmark measures it prints.
#![allow(clippy::print_stdout)]

#[path = "../../tests/it/support/apiserver/mod.rs"]
#[allow(dead_code)]
mod apiserver;
mod crowd;
mod edits;
mod floor;
mod model;
mod observer;
mod operator;
#[path = "../../tests/scenarios/cluster.rs"]
#[allow(dead_code)]
mod scenarios;
#[path = "../../examples/demo/stage.rs"]
#[allow(dead_code)]
mod stage;
mod table;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bed::{Bed, Options, Part};

use crowd::Crowd;
use floor::Floor;
use model::Model;
use observer::Observer;
use operator::Operator;
use table::{Bound, Row, Table};

/// How long nothing happens while rest is measured.
const REST: Duration = Duration::from_mins(2);
/// Larger crowds are on the API server in memory only.
const MOST_ON_REAL_SERVERS: usize = 20_000;
/// Time between two polls of Prometheus in this run.
const POLL_SECONDS: u32 = 30;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> std::result::Result<ExitCode, Box<dyn Error + Send + Sync>> {
    // `cargo test --all-targets` runs benchmarks too, without this argument. This one takes minutes.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not run: only `cargo bench` runs this benchmark");
        return Ok(ExitCode::SUCCESS);
    }
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let only_in_memory = std::env::args().any(|argument| argument == "--only-in-memory");
    let mut table = Table::default();
    table.add([empty().await?]);
    for size in sizes {
        println!("{size} AgentSLOs");
        if size <= MOST_ON_REAL_SERVERS && !only_in_memory {
            measure(size, &mut table).await?;
        }
        measure_on_model(size, &mut table).await?;
    }
    println!("\n{table}");
    Ok(if table.is_within() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Servers with the CRDs and the permissions, and no Prometheus named yet.
async fn bed() -> Result<Bed> {
    let options = Options::nothing()
        .with(Part::Apiserver)
        .with(Part::ControllerManager)
        .with(Part::MonitoringCrds)
        .with(Part::Prometheus);
    let bed = Bed::start(options).await?;
    stage::install(&bed, "team-0").await?;
    Ok(bed)
}

/// What the operator needs where there is nothing to do.
async fn empty() -> Result<Row> {
    let bed = bed().await?;
    stage::name_prometheus(&bed, &serde_json::json!({})).await?;
    let operator = Operator::start(&bed).await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let resident = operator.resident_mib()?;
    operator.stop().await;
    bed.stop().await;
    Ok(Row::new(0, "resident memory, MiB", resident, Bound::AtMost(24.0)))
}

async fn measure(size: usize, table: &mut Table) -> Result<()> {
    let floor = floor(size).await?;
    let bed = bed().await?;
    let client = bed.client("admin")?;
    let crowd = Crowd::create(client.clone(), size).await?;
    println!("  created at {:.0}/s", crowd.created_per_second);
    let observer = Observer::start(client.clone(), size);
    let begin = Instant::now();
    let operator = Operator::start(&bed).await?;
    observer.all_ready().await?;
    table.add(cold_start(size, begin.elapsed(), floor.cold));
    table.add(answered(size, &bed, &operator).await?);
    table.add(at_rest(size, &operator).await?);
    table.add(restarted(size, &operator).await?);
    table.add(edits::measure(size, &client, &observer, Some(&floor.flood)).await?);
    table.add(deleted(size, &crowd, &operator, &observer).await?);
    operator.stop().await;
    bed.stop().await;
    Ok(())
}

/// The same on the API server in memory, without a Prometheus and without the deletion.
async fn measure_on_model(size: usize, table: &mut Table) -> Result<()> {
    let model = Model::start().await?;
    let client = model.server.client("somebody");
    Crowd::create(client.clone(), size).await?;
    let observer = Observer::start(client.clone(), size);
    let begin = Instant::now();
    let operator = Operator::start_on_model(&model).await?;
    observer.all_ready().await?;
    let seconds = begin.elapsed().as_secs_f64();
    operator.settled().await?;
    let made = operator.requests()?;
    let writes = count(operator::writes(&made));
    let begun = [
        Row::new(size, "cold start until all are Ready, s", seconds, Bound::None),
        Row::new(size, "writes of each", writes / count(size), Bound::AtMost(3.0)),
    ];
    table.add(begun.map(Row::in_memory));
    table.add(at_rest(size, &operator).await?.into_iter().map(Row::in_memory));
    table.add(restarted(size, &operator).await?.into_iter().map(Row::in_memory));
    table.add(edits::measure(size, &client, &observer, None).await?.into_iter().map(Row::in_memory));
    operator.stop().await;
    Ok(())
}

/// What the API server alone takes for the same writes.
async fn floor(size: usize) -> Result<Floor> {
    let bed = bed().await?;
    let floor = Floor::of(&Crowd::create(bed.client("admin")?, size).await?).await?;
    println!("  the API server alone needs {:.1} s for the writes", floor.cold.as_secs_f64());
    bed.stop().await;
    Ok(floor)
}

/// What a first answer of Prometheus sets off: it has no data yet, and every status says so.
async fn answered(size: usize, bed: &Bed, operator: &Operator) -> Result<Vec<Row>> {
    operator.settled().await?;
    let before = operator.requests()?.len();
    stage::name_prometheus(bed, &serde_json::json!({})).await?;
    // Two polls, and what they set off.
    tokio::time::sleep(Duration::from_secs((2 * POLL_SECONDS).into())).await;
    operator.settled().await?;
    let made = operator.requests()?.split_off(before);
    let writes = operator::writes(&made);
    let per_slo = count(writes) / count(size);
    Ok(vec![Row::new(size, "writes of each when Prometheus first answers", per_slo, Bound::AtMost(2.0))])
}

fn cold_start(size: usize, cold: Duration, floor: Duration) -> Vec<Row> {
    let seconds = cold.as_secs_f64();
    let ratio = seconds / floor.as_secs_f64();
    // Either bound will do: a slow machine needs long for the writes alone.
    let bound = if seconds <= 120.0 { Bound::None } else { Bound::AtMost(1.3) };
    vec![
        Row::new(size, "cold start until all are Ready, s", seconds, Bound::None),
        Row::new(size, "the same over the bare API server's time (1.3, or 120 s)", ratio, bound),
    ]
}

/// It should have come to rest before.
async fn at_rest(size: usize, operator: &Operator) -> Result<Vec<Row>> {
    let (cpu, asked) = (operator.cpu_seconds()?, operator.queries().await?);
    let before = operator.requests()?.len();
    tokio::time::sleep(REST).await;
    let made = operator.requests()?.split_off(before);
    for request in &made {
        println!("  at rest: {request}");
    }
    let seconds = REST.as_secs_f64();
    let millicores = (operator.cpu_seconds()? - cpu) / seconds * 1000.0;
    let queries = (operator.queries().await? - asked) / (seconds / f64::from(POLL_SECONDS));
    Ok(vec![
        Row::new(size, "resident memory, MiB", operator.resident_mib()?, Bound::of_memory(size)),
        Row::new(size, "its highest, MiB", operator.highest_mib()?, Bound::None),
        Row::new(size, "requests at rest, but for the Lease", count(made.len()), Bound::AtMost(0.0)),
        Row::new(size, "CPU at rest, millicores", millicores, Bound::AtMost(20.0)),
        Row::new(size, "queries to Prometheus in a poll", queries, Bound::AtMost(3.0)),
    ])
}

async fn restarted(size: usize, operator: &Operator) -> Result<Vec<Row>> {
    operator.stop().await;
    let before = operator.requests()?.len();
    let begin = Instant::now();
    operator.restart().await?;
    let full = begin.elapsed().as_secs_f64();
    operator.reconciled(count(size)).await?;
    let seen = begin.elapsed().as_secs_f64();
    operator.settled().await?;
    let made = operator.requests()?.split_off(before);
    let writes = operator::writes(&made);
    Ok(vec![
        Row::new(size, "restart: caches full after, s", full, Bound::AtMost(10.0)),
        Row::new(size, "restart: all looked at after, s", seen, Bound::None),
        Row::new(size, "restart: writes", count(writes), Bound::AtMost(0.0)),
        Row::new(size, "restart: reads", count(made.len() - writes), Bound::None),
    ])
}

async fn deleted(size: usize, crowd: &Crowd, operator: &Operator, observer: &Observer) -> Result<Vec<Row>> {
    operator.settled().await?;
    let before = operator.requests()?.len();
    let begin = Instant::now();
    crowd.delete().await?;
    observer.no_rules().await?;
    let seconds = begin.elapsed().as_secs_f64();
    let made = operator.requests()?.split_off(before);
    let writes = operator::writes(&made);
    Ok(vec![
        Row::new(size, "deletion until all rules are gone, s", seconds, Bound::None),
        Row::new(size, "deletion: writes of the operator", count(writes), Bound::AtMost(0.0)),
    ])
}

/// As a number of the table.
#[allow(clippy::cast_precision_loss)]
fn count(number: usize) -> f64 {
    number as f64
}
