//! From an edit that the API server took to the rules that say it, one edit at a time and many.

use std::time::{Duration, Instant};

use agentslo::domain::names::child_name;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::crowd::{place, slos};
use crate::observer::Observer;
use crate::table::{Bound, Row};
use crate::{Result, count};

/// Edits one at a time, and the time between two.
const FEW: usize = 100;
const CALM: Duration = Duration::from_millis(200);
/// Edits of the flood, and how many in a second.
const MANY: usize = 3_000;
const PER_SECOND: u64 = 150;
/// Longest wait for the rules of the last edit.
const PATIENCE: Duration = Duration::from_mins(2);

/// Latencies of edits that are made to an operator at rest; `floor` are those of a flood without an operator.
pub(crate) async fn measure(
    size: usize,
    client: &Client,
    observer: &Observer,
    floor: Option<&[f64]>,
) -> Result<Vec<Row>> {
    let one =
        |objective: &'static str| move |number| followed(client.clone(), observer.clone(), number, objective);
    let calm = steadily((size, FEW.min(size)), CALM, one("96")).await?;
    let flood = flood(size, one("97")).await?;
    let bare = floor.map(|floor| percentile(floor, 99));
    // Either bound will do: a slow machine needs long for the writes alone.
    let longest = bare.map_or(1000.0, |bare| 1000.0_f64.max(1.3 * bare));
    let mut rows = vec![
        Row::new(size, "edit to rules, one at a time: p50, ms", percentile(&calm, 50), Bound::None),
        Row::new(size, "edit to rules, one at a time: p99, ms", percentile(&calm, 99), Bound::AtMost(250.0)),
        Row::new(size, "edit to rules, 150 a second: p50, ms", percentile(&flood, 50), Bound::None),
        Row::new(
            size,
            "edit to rules, 150 a second: p99, ms",
            percentile(&flood, 99),
            Bound::AtMost(longest),
        ),
    ];
    rows.extend(bare.map(|bare| Row::new(size, "the same without an operator: p99, ms", bare, Bound::None)));
    Ok(rows)
}

/// Carries out many edits, 150 a second.
pub(crate) async fn flood<F>(size: usize, edit: impl Fn(usize) -> F) -> Result<Vec<f64>>
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    let pause = Duration::from_micros(1_000_000 / PER_SECOND);
    steadily((size, MANY.min(size)), pause, edit).await
}

/// Carries out so many edits, each of another one, at a steady pace; says how long each took, in order of
/// length.
async fn steadily<F>(
    (size, edits): (usize, usize),
    pause: Duration,
    edit: impl Fn(usize) -> F,
) -> Result<Vec<f64>>
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    let mut ticks = tokio::time::interval(pause);
    let mut under_way = Vec::new();
    for number in (0..size).step_by(size / edits) {
        ticks.tick().await;
        under_way.push(tokio::spawn(edit(number)));
    }
    let mut latencies = Vec::new();
    for edit in under_way {
        latencies.push(edit.await??);
    }
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}

/// Edits one; says when it was sent, for the operator may be faster than the answer is read.
pub(crate) async fn edit(client: &Client, number: usize, objective: &str) -> Result<Instant> {
    let (namespace, name) = place(number);
    let slos: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &slos());
    let patch = json!({"spec": {"objective": objective}});
    let sent = Instant::now();
    slos.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(sent)
}

/// Edits one; says how many milliseconds it took until the rules were seen to say it.
async fn followed(client: Client, observer: Observer, number: usize, objective: &str) -> Result<f64> {
    let sent = edit(&client, number, objective).await?;
    let (namespace, name) = place(number);
    let rules = child_name("AgentSLO", &namespace, &name);
    loop {
        if let Some(written) = observer.written(&rules).filter(|written| *written >= sent) {
            return Ok((written - sent).as_secs_f64() * 1000.0);
        }
        if sent.elapsed() > PATIENCE {
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
