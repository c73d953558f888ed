//! What the scenarios share: a bed with the operator on it, and a way to read what it reports.

use std::path::Path;
use std::time::Duration;

use bed::{Bed, Options, Process, eventually};
use serde_json::Value;

use crate::stage;

pub(crate) use crate::scenarios::condition;

/// Longest wait for the API server, the operator and prometheus-operator.
pub(crate) const SOON: Duration = Duration::from_mins(3);
/// Longest wait for a count: a five-minute mark, two evaluations, and a busy machine.
pub(crate) const COUNTED: Duration = Duration::from_secs(560);

/// A bed with the operator on it.
pub(crate) struct Stage {
    pub(crate) bed: Bed,
    pub(crate) operator: Process,
}

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_agentslo"))
}

impl Stage {
    /// Every server, the CRDs, the permissions, an AgentPlatform and the operator.
    pub(crate) async fn start(options: Options, namespace: &str) -> Self {
        Self::start_with(options, namespace, &[]).await
    }

    /// The same, with arguments of the operator.
    pub(crate) async fn start_with(options: Options, namespace: &str, args: &[&str]) -> Self {
        let bed = Bed::start(options).await.expect("the bed should start");
        stage::install(&bed, namespace).await.expect("the CRDs should install");
        stage::name_prometheus(&bed, &serde_json::json!({})).await.expect("the platform should apply");
        let operator = stage::start_operator(&bed, program(), ("agentslo", "operator"), args).await;
        let operator = operator.expect("the operator should start");
        Self { bed, operator }
    }

    pub(crate) async fn apply(&self, yaml: &str) {
        self.bed.apply_yaml(yaml).await.expect("the object should be accepted");
    }

    /// An object as JSON; `None` where it does not exist.
    pub(crate) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let text = self.bed.kubectl(&["get", kind, "-n", namespace, name, "-o", "json"]).await.ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Waits until a condition of an AgentSLO has this status and reason.
    pub(crate) async fn wait_for_condition(
        &self,
        namespace: &str,
        name: &str,
        wanted: (&str, &str, &str),
    ) -> Value {
        let seen = async || {
            let slo = self.get("agentslo", namespace, name).await?;
            let condition = condition(&slo, wanted.0)?;
            (condition["status"] == wanted.1 && condition["reason"] == wanted.2).then_some(condition)
        };
        let found = eventually(COUNTED, seen).await;
        let Some(found) = found else {
            let slo = self.get("agentslo", namespace, name).await.unwrap_or_default();
            panic!("{wanted:?} did not come to be: {:#}", slo["status"]["conditions"]);
        };
        found
    }

    /// The PrometheusRules of a namespace.
    pub(crate) async fn rules(&self, namespace: &str) -> Vec<Value> {
        let text = self.bed.kubectl(&["get", "prometheusrules", "-n", namespace, "-o", "json"]).await;
        let list: Value =
            serde_json::from_str(&text.expect("rules should list")).expect("kubectl should print JSON");
        list["items"].as_array().cloned().unwrap_or_default()
    }
}

/// A small AgentSLO.
pub(crate) fn success_slo(namespace: &str, name: &str, objective: &str) -> String {
    format!(
        "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{agent: support-agent, objective: \"{objective}\", indicator: {{success: {{}}}}}}\n"
    )
}
