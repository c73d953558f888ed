//! What the writes of the operator take where no operator runs: rules and a status of each AgentSLO, of the
//! sizes that the operator's have, from as many connections.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::Result;
use crate::crowd::{AT_ONCE, Crowd, place, rules, slos};
use crate::edits::{edit, flood};

/// What the API server alone takes.
pub(crate) struct Floor {
    /// Time for the writes of a cold start.
    pub(crate) cold: Duration,
    /// Milliseconds from each edit of a flood to the rules that follow it, in order of length.
    pub(crate) flood: Vec<f64>,
}

impl Floor {
    /// Makes the writes of a cold start, and those of a flood of edits.
    pub(crate) async fn of(crowd: &Crowd) -> Result<Self> {
        let client = &crowd.client;
        let (namespace, name) = place(0);
        let sample: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &slos());
        let rules = rules_of(&sample.get(&name).await?)?;
        let begin = Instant::now();
        let all = stream::iter(0..crowd.size).map(|number| start(client, &rules, number));
        all.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let cold = begin.elapsed();
        let flood = flood(crowd.size, |number| follow(client.clone(), rules.clone(), number)).await?;
        Ok(Self { cold, flood })
    }
}

async fn start(client: &Client, rules: &Value, number: usize) -> Result<()> {
    write_rules(client, rules, number, "start").await?;
    write_status(client, number, "start").await
}

/// Edits one and makes the writes that an operator would; says how long it took to the rules.
async fn follow(client: Client, rules: Value, number: usize) -> Result<f64> {
    let sent = edit(&client, number, "97").await?;
    write_rules(&client, &rules, number, "flood").await?;
    let latency = sent.elapsed().as_secs_f64() * 1000.0;
    write_status(&client, number, "flood").await?;
    Ok(latency)
}

async fn write_rules(client: &Client, rules: &Value, number: usize, occasion: &str) -> Result<()> {
    let (namespace, name) = place(number);
    let mut rules = rules.clone();
    rules["metadata"]["name"] = json!(name);
    rules["metadata"]["namespace"] = json!(namespace);
    rules["metadata"]["annotations"] = json!({"occasion": occasion});
    api(client, &namespace, &self::rules()).patch(&name, &as_floor(), &Patch::Apply(&rules)).await?;
    Ok(())
}

async fn write_status(client: &Client, number: usize, occasion: &str) -> Result<()> {
    let (namespace, name) = place(number);
    let status = status(&name, occasion);
    api(client, &namespace, &slos()).patch_status(&name, &as_floor(), &Patch::Apply(status)).await?;
    Ok(())
}

fn api(client: &Client, namespace: &str, resource: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, resource)
}

fn as_floor() -> PatchParams {
    PatchParams::apply("floor").force()
}

/// The rules that the operator makes of an AgentSLO.
fn rules_of(slo: &DynamicObject) -> Result<Value> {
    let slo: agentslo::api::v1alpha1::AgentSlo = serde_json::from_value(serde_json::to_value(slo)?)?;
    let valid = agentslo::validate::slo(&slo, &agentslo::validate::SloFacts::default());
    let valid = valid.map_err(|violations| format!("{violations:?}"))?;
    let artifacts = agentslo::render::slo(&valid);
    Ok(artifacts.0.first().ok_or("an AgentSLO becomes rules")?.to_value())
}

/// A status as large as a usual one.
fn status(name: &str, occasion: &str) -> Value {
    let condition = |type_: &str| {
        json!({
            "type": type_, "status": "True", "reason": "Applied", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "message": format!("what was asked for is in force, on the occasion of a {occasion}"),
        })
    };
    let conditions = [
        "Accepted",
        "RulesApplied",
        "RulesAccepted",
        "DataAvailable",
        "BudgetHealthy",
        "TrafficSufficient",
        "Ready",
    ];
    json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
        "metadata": {"name": name},
        "status": {"observedGeneration": 1, "conditions": conditions.map(condition)},
    })
}
