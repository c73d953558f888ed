//! What enters an agent's events into a ledger and watches over it: a sink, somebody who verifies and signs, and
//! somebody who lets go what is old. All run in the agent's namespace, each with a database role of its own,
//! and only who signs may do anything in the cluster: keep the ConfigMap of its signatures.

mod network;
mod pods;
mod retain;
mod signer;
mod sink;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::metadata::metadata;
use super::plain::Plain;
use super::{Artifact, ArtifactKind};
use crate::api::v1alpha1::{Backend, BackendKind, ClientTls, OtlpProtocol};
use crate::domain::ledger::Ledger;
use crate::domain::names::{dns_label, short_hash};
use crate::domain::observability::Observability;

pub(super) use self::pods::{STATUS, scraped_pods};

/// Name under which the Collector knows the sink. No back end of a platform has an underscore in its name.
const SINK: &str = "agentslo_ledger";
/// Longest name of a CronJob, so that its Jobs have room for theirs.
const LONGEST_NAME: usize = 52;

/// What the AgentObservability asks for, in the order in which each needs what is before it.
pub(super) fn artifacts(observability: &Observability) -> Vec<Artifact> {
    let Some(ledger) = observability.ledger() else { return Vec::new() };
    let plan = Plan { observability, ledger };
    [sink::artifacts(&plan), signer::artifacts(&plan), retain::artifacts(&plan)].concat()
}

/// The sink as the Collector sees it, where there is one.
pub(super) fn backend(observability: &Observability) -> Option<Backend> {
    let plan = Plan { observability, ledger: observability.ledger()? };
    let service = plan.name(sink::SUFFIX);
    let tls = sink::authority(&plan).map(|ca_secret| ClientTls { ca_secret: Some(ca_secret) });
    let scheme = if tls.is_some() { "https" } else { "http" };
    Some(Backend {
        name: SINK.to_owned(),
        kind: BackendKind::Otlp,
        address: format!("{scheme}://{service}.{}.svc:{}", observability.namespace(), sink::OTLP_PORT),
        protocol: Some(OtlpProtocol::Http),
        credentials_secret: None,
        tls,
        tenant_header: None,
    })
}

/// What all of it is made for.
struct Plan<'a> {
    observability: &'a Observability,
    ledger: &'a Ledger,
}

impl Plan<'_> {
    /// The name of an object, by what it is for. That of a Service does not begin with a digit.
    fn name(&self, suffix: &str) -> String {
        let name = self.observability.name();
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            return format!("a{}-{suffix}", short_hash(name));
        }
        format!("{}-{suffix}", dns_label(name, LONGEST_NAME - 1 - suffix.len()))
    }

    /// An object with these fields besides its metadata.
    fn object(&self, kind: ArtifactKind, suffix: &str, fields: Value) -> Artifact {
        let metadata = metadata(self.name(suffix), self.observability.namespace(), &BTreeMap::new());
        let Value::Object(fields) = fields else { unreachable!("fields should have names") };
        Artifact::Plain(Box::new(Plain::new(kind, metadata, fields)))
    }

    /// An account whose pods may do nothing in the cluster, unless they ask for its token and somebody grants it
    /// something.
    fn account(&self, suffix: &str) -> Artifact {
        self.object(ArtifactKind::ServiceAccount, suffix, json!({"automountServiceAccountToken": false}))
    }
}
