//! Who may reach the pods, and whom they may reach.

use serde_json::{Value, json};

use super::Plan;
use super::pods::{STATUS_PORT, selector};
use super::sink::OTLP_PORT;
use crate::api::v1alpha1::CollectorSharing;
use crate::render::monitors::collector_pods;

/// Port of a PostgreSQL whose URL names none.
const POSTGRES_PORT: u16 = 5432;
/// Ports of API servers, behind their Service and as the Service has it.
const API_SERVER_PORTS: [u16; 2] = [443, 6443];
/// Port of name servers.
const DNS_PORT: u16 = 53;

/// Collectors send to it, Prometheus scrapes it, and it reaches the database.
pub(super) fn of_sink(plan: &Plan<'_>, component: &str) -> Value {
    let sent = json!({"from": [collector(plan)], "ports": [tcp(OTLP_PORT)]});
    policy(plan, component, Some(json!([sent, scraped()])), &json!([names(), database(plan)]))
}

/// Prometheus scrapes it, and it reaches the database and the API server.
pub(super) fn of_signer(plan: &Plan<'_>, component: &str) -> Value {
    let api_server = json!({"ports": API_SERVER_PORTS.map(tcp)});
    policy(plan, component, Some(json!([scraped()])), &json!([names(), database(plan), api_server]))
}

/// Nobody reaches it, and it reaches the database.
pub(super) fn of_retain(plan: &Plan<'_>, component: &str) -> Value {
    policy(plan, component, None, &json!([names(), database(plan)]))
}

fn policy(plan: &Plan<'_>, component: &str, ingress: Option<Value>, egress: &Value) -> Value {
    let mut policy = json!({"spec": {
        "podSelector": selector(plan, component), "policyTypes": ["Ingress", "Egress"], "egress": egress,
    }});
    if let Some(ingress) = ingress {
        policy["spec"]["ingress"] = ingress;
    }
    policy
}

/// The pods of the pipeline's Collector, or those of one that several namespaces share, which may be anywhere.
fn collector(plan: &Plan<'_>) -> Value {
    let observability = plan.observability;
    let own = observability.pipeline().map(|pipeline| collector_pods(observability, pipeline).match_labels);
    match observability.platform().collectors.sharing {
        CollectorSharing::PerNamespace => json!({"podSelector": {"matchLabels": own}}),
        CollectorSharing::Shared => json!({"namespaceSelector": {}}),
    }
}

fn scraped() -> Value {
    json!({"ports": [tcp(STATUS_PORT)]})
}

fn names() -> Value {
    json!({"ports": [{"port": DNS_PORT, "protocol": "UDP"}, tcp(DNS_PORT)]})
}

fn database(plan: &Plan<'_>) -> Value {
    let authority = plan.ledger.offer.database.split("://").nth(1).unwrap_or_default();
    let authority = authority.split('/').next().unwrap_or_default();
    let named = authority.rsplit_once(':').and_then(|(_, number)| number.parse().ok());
    json!({"ports": [tcp(named.unwrap_or(POSTGRES_PORT))]})
}

fn tcp(port: u16) -> Value {
    json!({"port": port, "protocol": "TCP"})
}
