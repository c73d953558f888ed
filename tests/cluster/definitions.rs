//! The CRDs on a real API server: they install, explain themselves, and fit a terminal.

use std::path::Path;
use std::time::Duration;

use bed::eventually;
use serde_json::Value;
use walkdir::WalkDir;

use crate::{api_server, refusal};

/// The law: CEL never refuses what `validate` accepts. The examples are all valid, as a hermetic test shows.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_takes_every_example() {
    let bed = api_server().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let path = entry.expect("the examples should be readable").into_path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("an example should be text");
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("an example should be YAML");
        for mut document in
            documents.into_iter().filter(|document| document["apiVersion"] == "agentslo.dev/v1alpha1")
        {
            if document["metadata"].get("namespace").is_some() {
                document["metadata"]["namespace"] = "default".into();
            }
            assert_eq!(refusal(bed, &document.to_string()).await, None, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} examples");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_explains_itself() {
    let bed = api_server().await;
    for field in ["agentslo.spec", "agentslo.spec.alerting", "agentslo.status", "agentplatform.spec.tenancy"]
    {
        // The API server publishes its description of a new kind a moment after the kind itself.
        let said =
            eventually(Duration::from_secs(30), || async { bed.kubectl(&["explain", field]).await.ok() });
        let said = said.await.expect("the kind should be described");
        assert!(said.contains("FIELDS:") && !said.contains("<no description>"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_fits_a_terminal() {
    let bed = api_server().await;
    let slo = "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {name: support-success-rate, namespace: default}\nspec: {agent: a, objective: '99.95', indicator: {success: {}}}\n";
    bed.apply_yaml(slo).await.expect("the AgentSLO should be taken");
    let status = r#"{"status": {"objective": "99.95%", "window": "30d", "sli": "99.912%",
        "budget": {"state": "Insufficient", "remaining": "-120%"}, "burn": {"state": "FastBurn"},
        "conditions": [{"type": "Ready", "status": "False", "reason": "Conflict", "message": "",
                        "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}"#;
    let patch =
        ["patch", "agentslo", "support-success-rate", "--subresource=status", "--type=merge", "-p", status];
    bed.kubectl(&patch).await.expect("the status should be taken");
    let said = bed.kubectl(&["get", "agentslo"]).await.expect("the AgentSLO should be there");
    let widest = said.lines().map(|line| line.trim_end().len()).max();
    assert!(widest <= Some(80), "{widest:?} columns:\n{said}");
    assert!(said.starts_with("NAME "), "{said}");
}
