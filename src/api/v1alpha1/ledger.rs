//! The ledger of an agent: what is entered, and how long it is kept. Where the database is and who may do
//! what in it is the AgentPlatform's.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecretKey, messages};

/// What of an agent is entered into a ledger.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// What an entry holds of prompts, answers, and inputs and outputs of tools. Default: `Metadata`.
    #[serde(default)]
    pub audit: AuditLevel,
    /// What tells of calls of models and of runs, and so of what they cost. Default: `Auto`.
    #[serde(default)]
    pub cost: CostSource,
    /// How long what was entered is kept. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// What an entry holds of contents.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum AuditLevel {
    /// Nothing: who did what and when, not what was said.
    #[default]
    Metadata,
    /// Their SHA-256, so that somebody who has one can show that it was this one.
    Hashes,
    /// The contents, as far as the pipeline lets them pass.
    Contents,
}

/// What tells of calls of models and of runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CostSource {
    /// Spans where the pipeline derives everything from spans, else log events.
    #[default]
    Auto,
    /// Log events.
    Events,
    /// Spans.
    Spans,
}

/// How long what was entered is kept, in days.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.audit) || (self.audit.matches('^[1-9][0-9]{0,3}d$') && int(self.audit.substring(0, size(self.audit) - 1)) <= 3650)").message(messages::RETENTION).field_path(".audit"),
    validation = Rule::new("!has(self.cost) || (self.cost.matches('^[1-9][0-9]{0,3}d$') && int(self.cost.substring(0, size(self.cost) - 1)) <= 3650)").message(messages::RETENTION).field_path(".cost")
)]
pub struct Retention {
    /// Entries of the audit trail, 1d to 3650d. The last one always stays. Default: for ever.
    /// Example: `400d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    pub audit: Option<String>,
    /// Rows of costs, 1d to 3650d, which go by whole months. Default: for ever. Example: `800d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 5))]
    pub cost: Option<String>,
}

/// The ledgers that a platform offers. Secrets are read by the pods that are made, in the namespace of the
/// AgentObservability, and never by this operator. Those with credentials have the keys `username` and
/// `password`, as type `kubernetes.io/basic-auth` wants.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerOffer {
    /// Name of the back end of kind `Postgres` that holds the entries. Example: `ledger`.
    #[schemars(length(min = 1, max = 63))]
    pub database: String,
    /// Image of this program, which enters and verifies. Example: `registry.example/agentslo:0.1.0`.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"))]
    pub image: String,
    /// Secrets with credentials for the image's registry, in the namespace of each agent. Default: none.
    /// Example: `[registry]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")), extend("x-kubernetes-list-type" = "set"))]
    pub image_pull_secrets: Vec<String>,
    /// Certificates, in PEM, of whoever vouches for the database. Connections to it are encrypted.
    /// Example: `{name: ledger-ca, key: ca.crt}`.
    pub ca_secret: SecretKey,
    /// Secret with the credentials of a member of `ledger_writer`. Example: `ledger-writer`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub writer_secret: String,
    /// Secret with the credentials of a member of `ledger_reader`. Example: `ledger-reader`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub reader_secret: String,
    /// Secret with the credentials of a member of `ledger_keeper`, for retention. Default: none, so that
    /// everything is kept. Example: `ledger-keeper`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub keeper_secret: Option<String>,
    /// Ed25519 key, in PEM, that signs where chains end. Example: `{name: ledger-anchors, key: key.pem}`.
    pub anchor_key_secret: SecretKey,
    /// Secret of type `kubernetes.io/tls`, with `ca.crt`, whose certificate the ledger shows to Collectors: for the
    /// names `*.NAMESPACE.svc` of all namespaces that have one. Default: none, so that what Collectors send to it
    /// is not encrypted. Example: `ledger-sink`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub sink_certificate_secret: Option<String>,
    /// Key of the pseudonyms under which users are entered. Default: none, so that no user is.
    /// Example: `{name: ledger-pseudonyms, key: key}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym_key_secret: Option<SecretKey>,
}
