//! The sink: takes what the Collector sends, and answers when it is committed.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{ContainerPort, Service, ServiceAccount, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pods::{Work, file, labels, selector, template};
use super::{Plan, network};
use crate::api::v1alpha1::AuditLevel;
use crate::domain::ledger::Accounts;
use crate::render::Artifact;

/// Port for OTLP over HTTP.
pub(super) const OTLP_PORT: u16 = 4318;
/// Its name.
const OTLP: &str = "otlp-http";
/// What its pods do.
const COMPONENT: &str = "sink";
/// What is in its names.
const SUFFIX: &str = "ledger";
/// Memory that it may have: what it takes when as much waits as may.
const MEMORY: &str = "256Mi";

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    vec![
        Artifact::ServiceAccount(account(plan)),
        Artifact::NetworkPolicy(network::of_sink(plan, SUFFIX, COMPONENT)),
        Artifact::Service(service(plan)),
        Artifact::Deployment(Box::new(deployment(plan))),
    ]
}

/// Nobody who runs under it may do anything in the cluster.
fn account(plan: &Plan<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: plan.metadata(SUFFIX),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

fn service(plan: &Plan<'_>) -> Service {
    let port = ServicePort {
        name: Some(OTLP.to_owned()),
        port: OTLP_PORT.into(),
        target_port: Some(IntOrString::String(OTLP.to_owned())),
        protocol: Some("TCP".to_owned()),
        ..ServicePort::default()
    };
    Service {
        metadata: plan.metadata(SUFFIX),
        spec: Some(ServiceSpec {
            selector: Some(labels(plan, COMPONENT)),
            ports: Some(vec![port]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn deployment(plan: &Plan<'_>) -> Deployment {
    let written = &plan.ledger.offer.written;
    let port = ContainerPort {
        name: Some(OTLP.to_owned()),
        container_port: OTLP_PORT.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let work = Work {
        component: COMPONENT,
        account: plan.name(SUFFIX),
        has_token: false,
        arguments: arguments(plan),
        credentials: &written.writer_secret,
        files: written.pseudonym_key_secret.iter().map(|key| ("pseudonym-key", key)).collect(),
        ports: Some(vec![port]),
        memory: MEMORY,
    };
    Deployment {
        metadata: plan.metadata(SUFFIX),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            selector: selector(plan, COMPONENT),
            template: template(plan, &work),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn arguments(plan: &Plan<'_>) -> Vec<String> {
    let contents = match plan.ledger.audit {
        AuditLevel::Metadata => "drop",
        AuditLevel::Hashes => "hash",
        AuditLevel::Contents => "keep",
    };
    let accounts = match plan.ledger.accounts {
        Accounts::Events => "events",
        Accounts::Spans => "spans",
    };
    let mut arguments = vec![
        "serve".to_owned(),
        format!("--stream={}", plan.observability.stream()),
        format!("--contents={contents}"),
        format!("--accounts={accounts}"),
    ];
    let has_key = plan.ledger.offer.written.pseudonym_key_secret.is_some();
    arguments.extend(has_key.then(|| format!("--pseudonym-key-file={}", file("pseudonym-key"))));
    arguments
}
