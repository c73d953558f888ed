//! From an edit that the API server took to the rules that say it, one edit at a time and many.

use std::time::{Duration, Instant};

use agentslo::domain::names::child_name;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::crowd::{place, slos};
use crate::observer::Observer;
use crate::operator::Operator;
use crate::table::{Bound, Row};
use crate::{Result, count};

/// Edits one at a time.
const FEW: usize = 100;
/// Edits of the flood, and how many in a second.
const MANY: usize = 3_000;
const PER_SECOND: u64 = 150;
/// Longest wait for the rules of the last edit.
const PATIENCE: Duration = Duration::from_mins(2);

/// Latencies of edits.
pub(crate) async fn measure(
    size: usize,
    client: &Client,
    operator: &Operator,
    observer: &Observer,
) -> Result<Vec<Row>> {
    operator.settled().await?;
    let calm = run(client, observer, (size, FEW, Duration::from_millis(200)), "96").await?;
    let many = MANY.min(size);
    let pause = Duration::from_micros(1_000_000 / PER_SECOND);
    let flood = run(client, observer, (size, many, pause), "97").await?;
    Ok(vec![
        Row::new(size, "edit to rules, one at a time: p50, ms", percentile(&calm, 50), Bound::None),
        Row::new(size, "edit to rules, one at a time: p99, ms", percentile(&calm, 99), Bound::AtMost(250.0)),
        Row::new(size, "edit to rules, 150 a second: p50, ms", percentile(&flood, 50), Bound::None),
        Row::new(size, "edit to rules, 150 a second: p99, ms", percentile(&flood, 99), Bound::AtMost(1000.0)),
    ])
}

/// Edits so many of them, each another one, at a steady pace; says how long each took, in order of length.
async fn run(
    client: &Client,
    observer: &Observer,
    (size, edits, pause): (usize, usize, Duration),
    objective: &str,
) -> Result<Vec<f64>> {
    let mut ticks = tokio::time::interval(pause);
    let mut under_way = Vec::new();
    for number in (0..size).step_by(size / edits) {
        ticks.tick().await;
        under_way.push(tokio::spawn(edit(client.clone(), number, objective.to_owned())));
    }
    let mut latencies = Vec::new();
    for edit in under_way {
        let (rules, taken) = edit.await??;
        latencies.push(latency(observer, &rules, taken).await?);
    }
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}

/// Edits one; says what its rules are called and when the edit was taken.
async fn edit(client: Client, number: usize, objective: String) -> Result<(String, Instant)> {
    let (namespace, name) = place(number);
    let slos: Api<DynamicObject> = Api::namespaced_with(client, &namespace, &slos());
    let patch = json!({"spec": {"objective": objective}});
    let sent = Instant::now();
    slos.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    // The operator may be faster than the answer is read, so it is timed from when the edit was sent.
    Ok((child_name("AgentSLO", &namespace, &name), sent))
}

async fn latency(observer: &Observer, rules: &str, taken: Instant) -> Result<f64> {
    loop {
        if let Some(written) = observer.written(rules).filter(|written| *written >= taken) {
            return Ok((written - taken).as_secs_f64() * 1000.0);
        }
        if taken.elapsed() > PATIENCE {
            return Err(format!("the rules {rules} do not say what was edited").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn percentile(sorted: &[f64], percent: u32) -> f64 {
    let rank = (count(sorted.len()) * f64::from(percent) / 100.0).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
