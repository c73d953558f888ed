//! The sink: takes what the Collector sends, and answers when it is committed.

use serde_json::{Value, json};

use super::pods::{Work, file, labels, selector, template};
use super::{Plan, network};
use crate::api::v1alpha1::{AuditLevel, SecretKey};
use crate::domain::ledger::Accounts;
use crate::render::{Artifact, ArtifactKind};

/// Port for OTLP over HTTP.
pub(super) const OTLP_PORT: u16 = 4318;
/// Its name.
const OTLP: &str = "otlp-http";
/// What its pods do.
const COMPONENT: &str = "sink";
/// What is in its names.
pub(super) const SUFFIX: &str = "ledger";
/// Memory that it may have: what it takes when as much waits as may.
const MEMORY: &str = "256Mi";

pub(super) fn artifacts(plan: &Plan<'_>) -> Vec<Artifact> {
    vec![
        plan.account(SUFFIX),
        plan.object(ArtifactKind::NetworkPolicy, SUFFIX, network::of_sink(plan, COMPONENT)),
        plan.object(ArtifactKind::Service, SUFFIX, service(plan)),
        plan.object(ArtifactKind::Deployment, SUFFIX, deployment(plan)),
    ]
}

fn service(plan: &Plan<'_>) -> Value {
    json!({"spec": {
        "selector": labels(plan, COMPONENT),
        "ports": [{"name": OTLP, "port": OTLP_PORT, "targetPort": OTLP, "protocol": "TCP"}],
    }})
}

fn deployment(plan: &Plan<'_>) -> Value {
    let work = Work {
        component: COMPONENT,
        account: plan.name(SUFFIX),
        has_token: false,
        arguments: arguments(plan),
        credentials: &plan.ledger.offer.written.writer_secret,
        files: files(plan),
        ports: Some(vec![(OTLP, OTLP_PORT)]),
        memory: MEMORY,
    };
    json!({"spec": {
        "replicas": 1,
        "selector": selector(plan, COMPONENT),
        "template": template(plan, &work),
    }})
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
    let given = files(plan).into_iter().map(|(name, _)| name);
    arguments.extend(given.map(|name| format!("--{name}-file={}", file(name))));
    arguments
}

/// What it is given besides the database, under the name of the option that takes it.
fn files(plan: &Plan<'_>) -> Vec<(&'static str, SecretKey)> {
    let pseudonyms = plan.ledger.offer.written.pseudonym_key_secret.clone().map(|key| ("pseudonym-key", key));
    let [certificate, key] = [("tls-cert", "tls.crt"), ("tls-private-key", "tls.key")]
        .map(|(name, key)| Some((name, of_certificate(plan, key)?)));
    [pseudonyms, certificate, key].into_iter().flatten().collect()
}

/// Whose certificates a Collector trusts that sends to it, where that is encrypted.
pub(super) fn authority(plan: &Plan<'_>) -> Option<SecretKey> {
    of_certificate(plan, "ca.crt")
}

/// A key of the Secret with the certificate, of those that Secrets with certificates have.
fn of_certificate(plan: &Plan<'_>, key: &str) -> Option<SecretKey> {
    let name = plan.ledger.offer.written.sink_certificate_secret.clone()?;
    Some(SecretKey { name, key: key.to_owned() })
}
