//! What the writes of the operator take where no operator runs: the rules and the status of each AgentSLO as it
//! would write them, from as many connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agentslo::api::v1alpha1::AgentSlo;
use agentslo::domain::reading::Reading;
use agentslo::report::{self, Acceptance, Application, Judgement, Outcome};
use agentslo::validate::{self, SloFacts};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
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

/// What each objective of a crowd makes an operator write.
struct Writer {
    client: Client,
    slos: BTreeMap<(String, String), AgentSlo>,
}

impl Floor {
    /// Makes the writes of a cold start, and those of a flood of edits.
    pub(crate) async fn of(crowd: &Crowd) -> Result<Self> {
        let client = crowd.client.clone();
        let all = Api::<AgentSlo>::all(client.clone()).list(&ListParams::default()).await?;
        let named = |slo: AgentSlo| ((slo.namespace().unwrap_or_default(), slo.name_any()), slo);
        let writer = Arc::new(Writer { client, slos: all.into_iter().map(named).collect() });
        let begin = Instant::now();
        let all = stream::iter(0..crowd.size).map(|number| writer.start(number));
        all.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let cold = begin.elapsed();
        let flood = flood(crowd.size, |number| Arc::clone(&writer).follow(number)).await?;
        Ok(Self { cold, flood })
    }
}

impl Writer {
    async fn start(&self, number: usize) -> Result<()> {
        let slo = self.slo(number)?;
        self.write_rules(slo).await?;
        self.write_status(slo).await
    }

    /// Edits one and makes the writes that an operator would; says how long it took to the rules.
    async fn follow(self: Arc<Self>, number: usize) -> Result<f64> {
        let mut slo = self.slo(number)?.clone();
        "97".clone_into(&mut slo.spec.objective);
        let sent = edit(&self.client, number, &slo.spec.objective).await?;
        self.write_rules(&slo).await?;
        let latency = sent.elapsed().as_secs_f64() * 1000.0;
        self.write_status(&slo).await?;
        Ok(latency)
    }

    fn slo(&self, number: usize) -> Result<&AgentSlo> {
        Ok(self.slos.get(&place(number)).ok_or("it should have been created")?)
    }

    async fn write_rules(&self, slo: &AgentSlo) -> Result<()> {
        let artifacts = agentslo::render::slo(&valid(slo)?).owned_by(slo);
        let object = artifacts.0.first().ok_or("an AgentSLO becomes rules")?.to_value();
        let name = object["metadata"]["name"].as_str().ok_or("rules have a name")?;
        self.api(slo, &rules()).patch(name, &as_floor(), &Patch::Apply(&object)).await?;
        Ok(())
    }

    async fn write_status(&self, slo: &AgentSlo) -> Result<()> {
        let status = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {"name": slo.name_any()},
            "status": status(slo)?,
        });
        self.api(slo, &slos()).patch_status(&slo.name_any(), &as_floor(), &Patch::Apply(status)).await?;
        Ok(())
    }

    fn api(&self, slo: &AgentSlo, resource: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &slo.namespace().unwrap_or_default(), resource)
    }
}

fn as_floor() -> PatchParams {
    PatchParams::apply("floor").force()
}

fn valid(slo: &AgentSlo) -> Result<agentslo::domain::slo::Slo> {
    Ok(validate::slo(slo, &SloFacts::default()).map_err(|violations| format!("{violations:?}"))?)
}

/// What the operator says of it while no Prometheus is known.
fn status(slo: &AgentSlo) -> Result<Value> {
    let judgement = Judgement {
        slo: &valid(slo)?,
        application: &Application::AsDesired,
        acceptance: &Acceptance::NotReported,
        reading: &Reading::NoPrometheus,
        duplicate_of: None,
    };
    let generation = slo.metadata.generation.unwrap_or_default();
    let status = report::slo(Outcome::Judged(judgement), None, generation, Timestamp::UNIX_EPOCH);
    Ok(serde_json::to_value(status)?)
}
