//! `AgentPlatform`: what only the platform team may decide. Cluster-scoped.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AgentPlatformStatus, Estimator, LedgerOffer, SecretKey, messages};

/// What only the platform team may decide, for the namespaces that it selects.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "agentslo.dev",
    version = "v1alpha1",
    kind = "AgentPlatform",
    plural = "agentplatforms",
    singular = "agentplatform",
    shortname = "agplat",
    category = "agents",
    category = "observability",
    status = "AgentPlatformStatus",
    derive = "PartialEq",
    doc = "AgentPlatform holds what only the platform team may decide: where Prometheus is, which back ends exist, what tenants may do, and defaults.",
    printcolumn(
        name = "Prometheus",
        type_ = "string",
        json_path = ".spec.prometheus.address",
        description = "Where budgets are read."
    ),
    printcolumn(
        name = "SLOs",
        type_ = "integer",
        json_path = ".status.slos",
        description = "AgentSLOs that it governs."
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether it is in force."
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = "1",
        description = "Why it is, or is not, in force."
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
pub struct AgentPlatformSpec {
    /// Namespaces that the platform governs. Without one it governs every namespace that no other
    /// platform selects. Of several that fit, the oldest wins. Default: none.
    /// Example: `{matchLabels: {tier: agents}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<NamespaceSelector>,
    /// The Prometheus, Thanos or Mimir from which budgets are read. Without one, rules are rendered but
    /// budgets stay unknown. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<PrometheusEndpoint>,
    /// Back ends that AgentObservability may name. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub backends: Vec<Backend>,
    /// Labels that every generated PrometheusRule carries, so that Prometheus selects it.
    /// Default: none. Example: `{release: kube-prometheus-stack}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::object_labels")]
    pub rule_labels: BTreeMap<String, String>,
    /// Labels that every generated PodMonitor carries, so that Prometheus selects it.
    /// Default: those of `ruleLabels`. Example: `{release: kube-prometheus-stack}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::object_labels")]
    pub monitor_labels: BTreeMap<String, String>,
    /// Labels that every generated AlertmanagerConfig carries, so that Alertmanager selects it.
    /// Default: those of `ruleLabels`. Example: `{alertmanager: main}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::object_labels")]
    pub route_labels: BTreeMap<String, String>,
    /// The mail server of alerts. Without one, nobody can be told by e-mail: an Alertmanager that knows no
    /// server would refuse the routes of every tenant. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailServer>,
    /// How generated Collector pipelines are run. Default: one Collector for each AgentObservability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector: Option<Collector>,
    /// Ledgers that AgentObservabilities may ask for. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerOffer>,
    /// How Grafana finds dashboards. Default: label `grafana_dashboard: "1"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboards: Option<Dashboards>,
    /// What a tenant may do. Default: the safest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenancy: Option<Tenancy>,
    /// Bounds on what is generated. Default: 200 series for each rule, 1500 AgentSLOs in each namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Values for what an AgentSLO leaves open. Default: the documented default of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
}

/// A mail server that Alertmanager uses. Where it wants credentials, they are those of Alertmanager's own
/// configuration.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailServer {
    /// Host and port. Example: `smtp.example.com:587`.
    #[schemars(
        length(min = 3, max = 260),
        regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}$")
    )]
    pub smarthost: String,
    /// Address of the sender. Example: `alerts@example.com`.
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$"))]
    pub from: String,
}

/// Which namespaces are meant; all conditions must hold.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels with the values that they must have. Default: none. Example: `{tier: agents}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::object_labels")]
    pub match_labels: BTreeMap<String, String>,
    /// Further conditions on labels. Default: none. Example: `[{key: tier, operator: Exists}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub match_expressions: Vec<LabelRequirement>,
}

/// One condition on a label of a namespace.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelRequirement {
    /// Key of the label. Example: `tier`.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// How the label is compared. Example: `In`.
    pub operator: LabelOperator,
    /// Values for `In` and `NotIn`. Default: none. Example: `[agents]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)), extend("x-kubernetes-list-type" = "atomic"))]
    pub values: Vec<String>,
}

/// How a label of a namespace is compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum LabelOperator {
    /// The value is one of `values`.
    In,
    /// The label is missing, or its value is none of `values`.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
}

/// A server with Prometheus' HTTP API.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.address.matches('^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?$')").message(messages::SERVER_URL).field_path(".address")
)]
pub struct PrometheusEndpoint {
    /// Base URL of the API, without user information. Example: `http://prometheus.monitoring.svc:9090`.
    #[schemars(length(min = 1, max = 512))]
    pub address: String,
    /// How the server is trusted. Default: the root certificates of the operator's image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// How the operator shows who it is. Default: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// A header that names the tenant, for Mimir and its kin. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_header: Option<TenantHeader>,
}

/// How a server is trusted.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTls {
    /// PEM certificates of the authorities that are trusted besides the usual ones.
    /// Default: none. Example: `{name: monitoring-ca, key: ca.crt}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<SecretKey>,
}

/// How the operator shows who it is.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// Token that is sent as `Authorization: Bearer …`. Default: none.
    /// Example: `{name: prometheus-token, key: token}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token_secret: Option<SecretKey>,
}

/// A header that names the tenant.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantHeader {
    /// Name of the header. Example: `X-Scope-OrgID`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9-]+$"))]
    pub name: String,
    /// Its value. Example: `agents`.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9._|-]+$"))]
    pub value: String,
}

/// What a back end speaks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum BackendKind {
    /// OTLP over gRPC or HTTP.
    Otlp,
    /// Grafana Loki, by its OTLP endpoint.
    Loki,
    /// Elasticsearch, by its own API or by Elastic's OTLP endpoint.
    Elasticsearch,
    /// Grafana Tempo, by OTLP.
    Tempo,
    /// Jaeger, by OTLP.
    Jaeger,
    /// Zipkin.
    Zipkin,
    /// Honeycomb, by OTLP with its team header.
    Honeycomb,
    /// Sentry, by its OTLP endpoint.
    Sentry,
    /// Prometheus remote write.
    PrometheusRemoteWrite,
    /// PostgreSQL, for the audit and cost ledger.
    Postgres,
}

/// A back end that tenants may name but not address.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.address.matches('^(https?|postgres|postgresql)://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?$')").message(messages::BACKEND_URL).field_path(".address")
)]
pub struct Backend {
    /// Name by which tenants ask for it. Example: `tempo`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What it speaks. Example: `Tempo`.
    pub kind: BackendKind,
    /// Its URL, without user information. Example: `http://tempo.monitoring.svc:4317`.
    #[schemars(length(min = 1, max = 512))]
    pub address: String,
    /// Whether OTLP goes over gRPC or HTTP, for kinds that take both: `Otlp`, `Tempo`, `Jaeger`, and
    /// `Elasticsearch`, whose managed OTLP endpoint it then is. Default: `Grpc`; for `Elasticsearch` its own
    /// API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::shared_schema::optional_word::<OtlpProtocol>")]
    pub protocol: Option<OtlpProtocol>,
    /// Credentials that are sent to it, in the form that its kind wants. The Secret must exist where the
    /// Collector runs; this operator never reads it. Default: none. Example: `{name: honeycomb, key: team}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<SecretKey>,
    /// How it is trusted, where its URL begins with `https://`. The Secret must exist where the Collector runs; this
    /// operator never reads it. Default: the usual authorities are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
    /// A header that names the tenant, for Loki, Tempo and Mimir. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_header: Option<TenantHeader>,
}

/// How OTLP travels.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum OtlpProtocol {
    /// Over gRPC, in most on port 4317.
    #[default]
    Grpc,
    /// Over HTTP, in most on port 4318.
    Http,
}

/// How generated Collector pipelines are run.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.endpoint) || self.endpoint.replace('{name}', 'x').replace('{namespace}', 'x').matches('^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$')").message(messages::COLLECTOR_URL).field_path(".endpoint")
)]
pub struct Collector {
    /// Where agents send OTLP over HTTP; `{name}` and `{namespace}` of the AgentObservability are replaced.
    /// Default: the Service of the generated `OpenTelemetryCollector`, and one of the same name for a
    /// ConfigMap. Example: `http://otel-gateway.observability.svc:4318`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub endpoint: Option<String>,
    /// Whether a Collector serves more than one namespace. Default: `PerNamespace`.
    #[serde(default)]
    pub sharing: CollectorSharing,
    /// Directory for the persistent queues, on a volume that outlives the container.
    /// Default: `/var/lib/otelcol`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 200), regex(pattern = r"^/[A-Za-z0-9._/-]+$"))]
    pub storage_directory: Option<String>,
    /// Memory from which on the Collector refuses data, in MiB. Default: `400`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "memoryLimitMiB")]
    #[schemars(range(min = 64, max = 65_536))]
    pub memory_limit_mib: Option<i32>,
}

/// Whether a Collector serves more than one namespace.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum CollectorSharing {
    /// It serves its own: what arrives is stamped with the namespace of the AgentObservability, whatever
    /// the sender claims.
    #[default]
    PerNamespace,
    /// It serves several: the namespace is looked up by the address of the sending pod, and what does not
    /// come from the AgentObservability's is left out.
    Shared,
}

/// How Grafana finds dashboards.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.grafanaURL) || self.grafanaURL.matches('^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?$')").message(messages::SERVER_URL).field_path(".grafanaURL")
)]
pub struct Dashboards {
    /// Label by which the sidecar finds dashboard ConfigMaps. Default: `grafana_dashboard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$"))]
    pub sidecar_label: Option<String>,
    /// Value of that label. Default: `"1"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"))]
    pub sidecar_label_value: Option<String>,
    /// Annotation that names the folder. Default: none, so dashboards land in the sidecar's folder.
    /// Example: `grafana_folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$"))]
    pub folder_annotation: Option<String>,
    /// Labels of the `Grafana` resources of grafana-operator, in whatever namespace, that show the dashboards
    /// of tenants. Default: none, so only those in the namespace of the AgentObservability.
    /// Example: `{dashboards: agents}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::shared_schema::object_labels")]
    pub grafana_labels: BTreeMap<String, String>,
    /// Base URL of Grafana, for links from alerts to dashboards. Default: none, so no links.
    /// Example: `https://grafana.example`.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "grafanaURL")]
    #[schemars(length(min = 1, max = 512))]
    pub grafana_url: Option<String>,
    /// Folders that tenants may choose. Default: none. Example: `[Agents]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9 _-]+$")), extend("x-kubernetes-list-type" = "set"))]
    pub allowed_folders: Vec<String>,
}

/// Whether something is allowed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Permission {
    /// It is refused with a message.
    #[default]
    Forbidden,
    /// It is accepted.
    Allowed,
}

/// Whether each selector is bound to the tenant's own series.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Isolation {
    /// Every selector carries the namespace label with the AgentSLO's namespace.
    #[default]
    Enforced,
    /// Selectors are as written. Any tenant can then count any series.
    Off,
}

/// What a tenant may do.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.namespaceLabel) || (self.namespaceLabel.matches('^[a-zA-Z_][a-zA-Z0-9_.]*$') && !self.namespaceLabel.startsWith('__'))").message(messages::LABEL_NAME).field_path(".namespaceLabel")
)]
pub struct Tenancy {
    /// Whether each selector is bound to the AgentSLO's namespace. Default: `Enforced`.
    #[serde(default)]
    pub isolation: Isolation,
    /// Label that holds the namespace of a series, set by the scrape and not by the workload.
    /// Default: `namespace`. Example: `k8s_namespace_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub namespace_label: Option<String>,
    /// Whether `raw` indicators are accepted. Default: `Forbidden`.
    #[serde(default)]
    pub raw_queries: Permission,
    /// Labels by which no AgentSLO may group, besides ids that are never allowed (`trace_id`,
    /// `span_id`, `session_id`, `request_id`, `pod_uid`). Default: none. Example: `[user_id]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128)), extend("x-kubernetes-list-type" = "set"))]
    pub group_by_deny_list: Vec<String>,
}

/// Bounds on what is generated.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Most series that one rule of an AgentSLO may produce, that is, most groups of `groupBy`; above
    /// it Prometheus fails the rule. Default: `200`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub series_per_rule: Option<i32>,
    /// Most AgentSLOs in one namespace whose rules are generated; later ones are not accepted.
    /// Default: `1500`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub slos_per_namespace: Option<i32>,
}

/// Values for what an AgentSLO leaves open.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.window) || self.window.matches('^[1-9][0-9]{0,5}(m|h|d|w)$')").message(messages::WINDOW_FORMAT).field_path(".window"),
    validation = Rule::new("!has(self.window) || !self.window.matches('^[1-9][0-9]{0,5}(m|h|d|w)$') || [self.window].map(w, int(w.substring(0, size(w) - 1)) * (w.endsWith('w') ? 10080 : w.endsWith('d') ? 1440 : w.endsWith('h') ? 60 : 1)).all(m, m >= 1440 && m <= 129600)").message(messages::WINDOW_RANGE).field_path(".window"),
    validation = Rule::new("!has(self.pageSeverity) || self.pageSeverity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".pageSeverity"),
    validation = Rule::new("!has(self.ticketSeverity) || self.ticketSeverity.matches('^[a-z][a-z0-9-]*$')").message(messages::SEVERITY).field_path(".ticketSeverity")
)]
pub struct Defaults {
    /// Window of budgets. Default: `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 7))]
    pub window: Option<String>,
    /// Estimator of burn alerts. Default: `Smoothed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::shared_schema::optional_word::<Estimator>")]
    pub estimator: Option<Estimator>,
    /// Value of the label `severity` of pages. Default: `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub page_severity: Option<String>,
    /// Value of the label `severity` of tickets. Default: `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32))]
    pub ticket_severity: Option<String>,
    /// Severities that AgentSLOs may use. Default: any. Example: `[critical, warning, info]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 32), regex(pattern = r"^[a-z][a-z0-9-]*$")), extend("x-kubernetes-list-type" = "set"))]
    pub allowed_severities: Vec<String>,
}
