//! Who may reach the pods, and whom they may reach.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Plan;
use super::pods::{STATUS_PORT, selector};
use super::sink::OTLP_PORT;
use crate::api::v1alpha1::CollectorSharing;
use crate::render::monitors::collector_pods;

/// Port of a PostgreSQL whose URL names none.
const POSTGRES_PORT: i32 = 5432;
/// Ports of API servers, behind their Service and as the Service has it.
const API_SERVER_PORTS: [i32; 2] = [443, 6443];
/// Port of name servers.
const DNS_PORT: i32 = 53;

/// Collectors send to it, Prometheus scrapes it, and it reaches the database.
pub(super) fn of_sink(plan: &Plan<'_>, suffix: &str, component: &str) -> NetworkPolicy {
    let sent = NetworkPolicyIngressRule {
        from: Some(vec![collector(plan)]),
        ports: Some(vec![port("TCP", OTLP_PORT.into())]),
    };
    policy(plan, (suffix, component), vec![sent, scraped()], vec![names(), database(plan)])
}

/// Prometheus scrapes it, and it reaches the database and the API server.
pub(super) fn of_watch(plan: &Plan<'_>, suffix: &str, component: &str) -> NetworkPolicy {
    let api_server = to(API_SERVER_PORTS.map(|number| port("TCP", number)).into());
    policy(plan, (suffix, component), vec![scraped()], vec![names(), database(plan), api_server])
}

/// Nobody reaches it, and it reaches the database.
pub(super) fn of_retain(plan: &Plan<'_>, suffix: &str, component: &str) -> NetworkPolicy {
    policy(plan, (suffix, component), Vec::new(), vec![names(), database(plan)])
}

fn policy(
    plan: &Plan<'_>,
    (suffix, component): (&str, &str),
    ingress: Vec<NetworkPolicyIngressRule>,
    egress: Vec<NetworkPolicyEgressRule>,
) -> NetworkPolicy {
    NetworkPolicy {
        metadata: plan.metadata(suffix),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(plan, component)),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: (!ingress.is_empty()).then_some(ingress),
            egress: Some(egress),
        }),
    }
}

/// The pods of the pipeline's Collector, or those of one that several namespaces share, which may be anywhere.
fn collector(plan: &Plan<'_>) -> NetworkPolicyPeer {
    let observability = plan.observability;
    let own = observability.pipeline().map(|pipeline| collector_pods(observability, pipeline).match_labels);
    match observability.platform().collectors.sharing {
        CollectorSharing::PerNamespace => NetworkPolicyPeer {
            pod_selector: Some(LabelSelector { match_labels: own, match_expressions: None }),
            ..NetworkPolicyPeer::default()
        },
        CollectorSharing::Shared => NetworkPolicyPeer {
            namespace_selector: Some(LabelSelector::default()),
            ..NetworkPolicyPeer::default()
        },
    }
}

fn scraped() -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule { from: None, ports: Some(vec![port("TCP", STATUS_PORT)]) }
}

fn names() -> NetworkPolicyEgressRule {
    to(["UDP", "TCP"].map(|protocol| port(protocol, DNS_PORT)).into())
}

fn database(plan: &Plan<'_>) -> NetworkPolicyEgressRule {
    let authority = plan.ledger.offer.database.split("://").nth(1).unwrap_or_default();
    let authority = authority.split('/').next().unwrap_or_default();
    let named = authority.rsplit_once(':').and_then(|(_, number)| number.parse().ok());
    to(vec![port("TCP", named.unwrap_or(POSTGRES_PORT))])
}

fn to(ports: Vec<NetworkPolicyPort>) -> NetworkPolicyEgressRule {
    NetworkPolicyEgressRule { to: None, ports: Some(ports) }
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(number)),
        end_port: None,
    }
}
