//! What the rules of one objective cost a real Prometheus, and how fast they are made: ours beside Sloth's
//! and Pyrra's.
//!
//! ```text
//!  fleet ──► contenders ──► history ──► storage ──► server ──► cost ──► verdict
//!  raw       rule files     what they   blocks,     evaluates  times    table,
//!  series    of each tool   read        cached      each rule  an hour  bars
//! ```
//!
//! It asks Prometheus for each expression as an instant query with statistics. Samples are exact and
//! the same in every run; times are not, so each round times every contender, and ratios are taken
//! within rounds. `docs/benchmarks.md` tells how to run it and how to read what it prints.

// What a benchmark measures it prints.
#![allow(clippy::print_stdout)]

mod contenders;
mod cost;
mod fleet;
mod history;
mod rule_file;
mod server;
mod servers;
mod storage;
mod throughput;
mod verdict;

use std::error::Error;
use std::process::ExitCode;

use bed::{Bed, Options, Part};

use contenders::Contender;
use cost::Cost;
use fleet::Fleet;
use history::History;
use server::Server;

/// Rounds of timing. Odd, so that the median is one of them.
const ROUNDS: usize = 9;

/// Series of the agent that the bars are about: twenty pods, six series each.
const MANY: usize = 120;
/// Series of an agent of one pod.
const FEW: usize = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    // `cargo test --all-targets` runs benchmarks too, without this argument. This one takes minutes.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not run: only `cargo bench` runs this benchmark");
        return Ok(ExitCode::SUCCESS);
    }
    let details = std::env::args().any(|argument| argument == "--details");

    let bed = Bed::start(Options::nothing().with(Part::Prometheus)).await?;
    let many = contenders::all(&Fleet::new("support-agent", MANY), bed.folder())?;
    let few = contenders::main_three(&Fleet::new("small-agent", FEW), bed.folder())?;
    let history = History::of(many.iter().chain(&few));
    storage::fill(&bed, &history).await?;
    let server = Server::of(&bed)?;

    let many_costs = measure(&server, &many).await?;
    let few_costs = measure(&server, &few).await?;
    bed.stop().await;

    let version = servers::run("promtool", &["--version"])?;
    println!("{}", version.lines().next().unwrap_or_default());
    println!("{ROUNDS} rounds, scrapes every {} s, objective 99% over 30d", fleet::SCRAPE);
    println!("\n{MANY} raw series\n{}", verdict::table(&many_costs));
    println!("{FEW} raw series (for information)\n{}", verdict::table(&few_costs));
    if details {
        for cost in &many_costs {
            println!("{}", verdict::rules(cost));
        }
    }
    println!("{}", throughput::measure(ROUNDS)?);
    let (text, passed) = verdict::bars(&many_costs);
    println!("{text}");
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Costs in the order of the contenders, of which ours is the first.
async fn measure(server: &Server, contenders: &[Contender]) -> Result<Vec<Cost>, Box<dyn Error>> {
    let mut costs: Vec<Cost> = contenders.iter().map(Cost::of).collect();
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS} ...", round + 1);
        for cost in &mut costs {
            cost.add_round(server).await?;
        }
    }
    for (cost, contender) in costs.iter().zip(contenders) {
        cost.check(contender)?;
    }
    Ok(costs)
}
