//! Values for the leaves of which the schema does not say enough, and what must be beside a leaf for it to
//! matter.

use serde_json::{Value, json};

/// Leaves of which the end of the path decides: two values for each.
const BY_ENDING: &[(&str, [&str; 2])] = &[
    ("agent", ["support-agent", "billing-agent"]),
    ("description", ["Conversations end well.", "Runs end well."]),
    ("runbookURL", ["https://runbooks.example/{name}", "https://runbooks.example/agents"]),
    ("severity", ["info", "notice"]),
    ("matchers[].label", ["cluster", "region"]),
    ("matchers[].value", ["eu-1", "eu-2"]),
    ("activeHours.from", ["08:00", "09:00"]),
    ("activeHours.to", ["18:00", "19:00"]),
    ("timeZone", ["Europe/Madrid", "America/New_York"]),
    ("matchExpressions[].key", ["canary", "tier"]),
    ("matchExpressions[].values[]", ["yes", "no"]),
    ("matchLabels.*", ["support-agent", "billing-agent"]),
    ("Labels.*", ["one", "another"]),
];

/// Leaves with values of their own.
const BY_PATH: &[(&str, [&str; 2])] = &[
    ("AgentSLO.objective", ["99", "95"]),
    ("AgentSLO.window", ["7d", "14d"]),
    ("AgentSLO.queryOffset", ["30s", "90s"]),
    ("AgentSLO.groupBy[]", ["model", "region"]),
    ("AgentSLO.observabilityRef.name", ["support", "second"]),
    ("AgentSLO.telemetry.profile", ["ClaudeCode", "GenAI"]),
    ("AgentSLO.alerting.annotations.*", ["one", "another"]),
    ("AgentSLO.alerting.labels.*", ["support", "billing"]),
    ("AgentSLO.alerting.burnRates[].severity", ["Page", "Ticket"]),
    ("AgentSLO.alerting.burnRates[].budgetPercent", ["2", "3"]),
    ("AgentSLO.alerting.burnRates[].longWindow", ["1h", "2h"]),
    ("AgentSLO.alerting.burnRates[].shortWindow", ["5m", "10m"]),
    ("AgentSLO.alerting.noData.after", ["8h", "12h"]),
    ("AgentSLO.indicator.availability.metric", ["probe_success", "agent_up"]),
    ("AgentSLO.indicator.costPerRun.maxUSD", ["0.10", "0.50"]),
    ("AgentSLO.indicator.evaluation.evaluator", ["judge", "critic"]),
    ("AgentSLO.indicator.evaluation.goodLabels[]", ["pass", "good"]),
    ("AgentSLO.indicator.evaluation.minScore", ["0.7", "0.8"]),
    ("AgentSLO.indicator.guardrail.checks[]", ["pii", "toxicity"]),
    ("AgentSLO.indicator.histogram.metric", ["queue_wait_seconds", "answer_seconds"]),
    ("AgentSLO.indicator.histogram.threshold", ["0.5", "1"]),
    ("AgentSLO.indicator.latency.threshold", ["60s", "30s"]),
    ("AgentSLO.indicator.timeToFirstToken.threshold", ["2s", "1s"]),
    ("AgentSLO.indicator.ratio.total.metric", ["requests_total", "calls_total"]),
    ("AgentSLO.indicator.ratio.good.metric", ["answers_total", "replies_total"]),
    ("AgentSLO.indicator.ratio.bad.metric", ["errors_total", "failures_total"]),
    (
        "AgentSLO.indicator.raw.bad",
        [
            "sum(increase(errors_total{namespace=\"team-a\"}[$window]))",
            "sum(increase(failures_total{namespace=\"team-a\"}[$window]))",
        ],
    ),
    (
        "AgentSLO.indicator.raw.total",
        [
            "sum(increase(requests_total{namespace=\"team-a\"}[$window]))",
            "sum(increase(calls_total{namespace=\"team-a\"}[$window]))",
        ],
    ),
    ("AgentSLO.indicator.success.excludeOutcomes[]", ["abandoned", "postponed"]),
    ("AgentSLO.indicator.success.goodOutcomes[]", ["answered", "solved"]),
    ("AgentSLO.indicator.toolSuccess.tools[]", ["search", "browse"]),
    ("AgentObservability.dashboards.folder", ["Agents", "Night"]),
    ("AgentObservability.guards.activity.expectedEvery", ["6h", "12h"]),
    ("AgentObservability.guards.slowShare.percent", ["1", "2"]),
    ("AgentObservability.guards.slowShare.slowerThan", ["60s", "120s"]),
    ("AgentObservability.guards.spendBudget.amountUSD", ["50", "60"]),
    ("AgentObservability.guards.spendBudget.period", ["7d", "48h"]),
    ("AgentObservability.guards.spendRate.maxUSDPerHour", ["5", "6"]),
    ("AgentObservability.guards.spendRate.timesUsual", ["4", "5"]),
    ("AgentObservability.guards.stuck.after", ["45m", "30m"]),
    ("AgentObservability.guards.telemetryMissing.after", ["20m", "30m"]),
    ("AgentObservability.guards.toolFailure.percent", ["20", "30"]),
    ("AgentObservability.pipeline.collectorVersion", ["0.158", "0.165"]),
    ("AgentObservability.pipeline.logs.backends[]", ["loki", "honeycomb"]),
    ("AgentObservability.pipeline.metrics.backends[]", ["mimir", "honeycomb"]),
    ("AgentObservability.pipeline.traces.backends[]", ["tempo", "honeycomb"]),
    ("AgentObservability.pipeline.redaction.keyPatterns[]", ["^customer[.]", "^account[.]"]),
    ("AgentObservability.pipeline.redaction.patterns[]", ["CUST-[0-9]{8}", "ACC-[0-9]{6}"]),
    ("AgentObservability.pipeline.traces.sampling.costlierThanUSD", ["1", "2"]),
    ("AgentObservability.pipeline.traces.sampling.decisionWait", ["1m", "3m"]),
    ("AgentObservability.pipeline.traces.sampling.percentOfRest", ["20", "30"]),
    ("AgentObservability.pipeline.traces.sampling.slowerThan", ["60s", "30s"]),
    ("AgentObservability.routing.groupInterval", ["10m", "15m"]),
    ("AgentObservability.routing.groupWait", ["1m", "2m"]),
    ("AgentObservability.routing.repeatInterval", ["8h", "12h"]),
    ("AgentObservability.routing.muteTimes[].from", ["20:00", "21:00"]),
    ("AgentObservability.routing.muteTimes[].to", ["08:00", "07:00"]),
    ("AgentObservability.routing.receivers[].name", ["pager", "other"]),
    ("AgentObservability.routing.page[]", ["pager", "other"]),
    ("AgentObservability.routing.ticket[]", ["pager", "other"]),
    ("AgentObservability.ledger.retention.audit", ["30d", "60d"]),
    ("AgentObservability.ledger.retention.cost", ["90d", "120d"]),
    ("AgentObservability.scrape.interval", ["15s", "20s"]),
    ("AgentObservability.telemetry.profile", ["ClaudeCode", "GenAI"]),
    ("AgentPlatform.backends[].name", ["tempo", "jaeger"]),
    ("AgentPlatform.backends[].kind", ["Tempo", "Otlp"]),
    ("AgentPlatform.backends[].address", ["http://tempo.monitoring.svc:4317", "http://tempo.other.svc:4317"]),
    (
        "AgentPlatform.collector.endpoint",
        ["http://collector.monitoring.svc:4317", "https://otel.example:4317"],
    ),
    ("AgentPlatform.dashboards.allowedFolders[]", ["Agents", "Night"]),
    ("AgentPlatform.dashboards.grafanaURL", ["https://grafana.example", "https://grafana.other.example"]),
    ("AgentPlatform.defaults.allowedSeverities[]", ["critical", "warning"]),
    ("AgentPlatform.defaults.pageSeverity", ["urgent", "page"]),
    ("AgentPlatform.defaults.ticketSeverity", ["ticket", "notice"]),
    ("AgentPlatform.defaults.window", ["7d", "14d"]),
    ("AgentPlatform.ledger.database", ["postgres", "archive"]),
    ("AgentPlatform.ledger.image", ["registry.example/agentslo:1", "registry.example/agentslo:2"]),
    ("AgentPlatform.ledger.writerSecret", ["writer", "other-writer"]),
    ("AgentPlatform.ledger.readerSecret", ["reader", "other-reader"]),
    ("AgentPlatform.ledger.keeperSecret", ["keeper", "other-keeper"]),
    ("AgentPlatform.mail.smarthost", ["smtp.example.com:587", "mail.example.com:25"]),
    ("AgentPlatform.prometheus.address", ["http://prometheus.example:9090", "http://thanos.example:9090"]),
    ("AgentPlatform.tenancy.groupByDenyList[]", ["model", "region"]),
    ("AgentPlatform.tenancy.namespaceLabel", ["kubernetes_namespace", "exported_namespace"]),
];

/// Two values that somebody chose, if the schema does not say enough.
pub(crate) fn written(kind: &str, path: &str) -> Option<[Value; 2]> {
    let name = format!("{kind}.{path}");
    if name == "AgentPlatform.limits.slosPerNamespace" {
        // One AgentSLO is older than those that are looked at.
        return Some([json!(1), json!(2)]);
    }
    let by_path = BY_PATH.iter().find(|(known, _)| *known == name);
    let chosen = by_path.or_else(|| BY_ENDING.iter().find(|(ending, _)| path.ends_with(ending)))?;
    Some(chosen.1.map(Value::from))
}

/// Key of a map of which the values are the leaves.
pub(crate) fn map_key(path: &str) -> &'static str {
    if path.ends_with("matchLabels.*") { "app" } else { "team" }
}

/// Two specs for a leaf that cannot change alone.
pub(super) fn whole(kind: &str, path: &str) -> Option<[Value; 2]> {
    let routing = |page: &[&str], ticket: &[&str]| {
        let receivers: Vec<Value> = page.iter().chain(ticket).map(|name| webhook(name)).collect();
        json!({"agent": "support-agent", "routing": {"page": page, "ticket": ticket, "receivers": receivers}})
    };
    match (kind, path) {
        ("AgentObservability", "routing.receivers[].name") => {
            Some([routing(&["pager"], &[]), routing(&["other"], &[])])
        }
        ("AgentObservability", "routing.page[]" | "routing.ticket[]") => {
            Some([routing(&["pager"], &["other"]), routing(&["other"], &["pager"])])
        }
        _ => None,
    }
}

/// The spec into which a leaf is written.
pub(super) fn context(kind: &str, path: &str) -> Value {
    match kind {
        "AgentSLO" => context_of_slo(path),
        "AgentObservability" => context_of_observability(path),
        _ => context_of_platform(path),
    }
}

fn context_of_slo(path: &str) -> Value {
    let of = |indicator: Value| json!({"agent": "support-agent", "objective": "99", "indicator": indicator});
    let selector = |metric: &str| json!({"metric": metric});
    if path.starts_with("indicator.ratio.good") {
        return of(
            json!({"ratio": {"total": selector("requests_total"), "good": selector("answers_total")}}),
        );
    }
    if path.starts_with("indicator.ratio") {
        return of(json!({"ratio": {"total": selector("requests_total"), "bad": selector("errors_total")}}));
    }
    if path.starts_with("indicator.evaluation.goodLabels") {
        return of(json!({"evaluation": {"evaluator": "judge", "goodLabels": ["fine"]}}));
    }
    if path.starts_with("indicator.evaluation") {
        return of(json!({"evaluation": {"evaluator": "judge", "minScore": "0.6"}}));
    }
    let mut spec = of(json!({"success": {}}));
    if path == "telemetry.nameTranslation" {
        // The names of other profiles are without a dot.
        spec["telemetry"] = json!({"profile": "GenAI"});
    }
    spec
}

fn context_of_observability(path: &str) -> Value {
    let with = |field: &str, value: Value| json!({"agent": "support-agent", field: value});
    if let Some(rest) = path.strip_prefix("routing.receivers[].") {
        let way = rest.split('.').next().unwrap_or_default();
        let secret = || json!({"secret": "pager", "key": "url"});
        let receiver = match way {
            "slack" => json!({"name": "pager", "slack": {"apiURL": secret()}}),
            "pagerDuty" => json!({"name": "pager", "pagerDuty": {"routingKey": secret()}}),
            "opsGenie" => json!({"name": "pager", "opsGenie": {"apiKey": secret()}}),
            "msTeams" => json!({"name": "pager", "msTeams": {"webhookURL": secret()}}),
            "email" => json!({"name": "pager", "email": {"to": "agents@example.com"}}),
            _ => webhook("pager"),
        };
        return with("routing", json!({"page": ["pager"], "receivers": [receiver]}));
    }
    if path.starts_with("routing") {
        return with("routing", json!({"ticket": ["pager"], "receivers": [webhook("pager")]}));
    }
    if path.starts_with("guards.spendRate") {
        return with("guards", json!({"spendRate": {"maxUSDPerHour": "8"}}));
    }
    if path.starts_with("workload") {
        return with("dashboards", json!({}));
    }
    if path.starts_with("pipeline.traces") {
        return with("pipeline", json!({"traces": {"backends": ["tempo"]}}));
    }
    if path.starts_with("pipeline.logs") {
        return with("pipeline", json!({"logs": {"backends": ["loki"]}}));
    }
    if path == "pipeline.collectorVersion" {
        return with("pipeline", json!({"redaction": {"contentCapture": "Full"}}));
    }
    if path.starts_with("ledger") {
        return json!({
            "agent": "support-agent", "pipeline": {"redaction": {"contentCapture": "Redacted"}}, "ledger": {},
        });
    }
    if path.starts_with("pipeline") || path == "environment" {
        return with("pipeline", json!({}));
    }
    if path == "scrape.selector.matchExpressions[].key" {
        let selector = json!({"matchExpressions": [{"key": "other", "operator": "Exists"}]});
        return with("scrape", json!({"port": "metrics", "selector": selector}));
    }
    if path == "scrape.selector.matchExpressions[].operator" {
        let selector = json!({"matchExpressions": [{"key": "canary", "operator": "In", "values": ["yes"]}]});
        return with("scrape", json!({"port": "metrics", "selector": selector}));
    }
    if path.starts_with("scrape") {
        let selector = json!({"matchLabels": {"tier": "agents"}});
        return with("scrape", json!({"port": "metrics", "selector": selector}));
    }
    if path == "telemetry.nameTranslation" {
        return json!({
            "agent": "support-agent", "telemetry": {"profile": "GenAI"}, "guards": {"toolFailure": {}},
        });
    }
    if path.starts_with("telemetry") {
        return with("guards", json!({"stuck": {"after": "45m"}, "toolFailure": {}}));
    }
    json!({"agent": "support-agent"})
}

fn context_of_platform(path: &str) -> Value {
    if path.starts_with("collector") {
        return json!({"backends": [tempo()]});
    }
    if path.starts_with("backends[].tls") {
        let authority = json!({"caSecret": {"name": "first-ca", "key": "ca"}});
        return json!({"backends": [
            {"name": "tempo", "kind": "Tempo", "address": "https://tempo.monitoring.svc:4317", "tls": authority},
        ]});
    }
    if path.starts_with("ledger") {
        return json!({"backends": databases(), "ledger": ledger()});
    }
    if path.starts_with("namespaceSelector.matchExpressions[]") {
        let condition = json!({"key": "canary", "operator": "In", "values": ["yes"]});
        return json!({"namespaceSelector": {"matchExpressions": [condition]}});
    }
    if path.starts_with("dashboards.folder") {
        return json!({"dashboards": {"allowedFolders": ["Agents"]}});
    }
    json!({})
}

/// The AgentPlatform as the leaves of the other kinds meet it: it offers everything that they ask for.
pub(crate) fn platform() -> Value {
    json!({
        "prometheus": {"address": "http://prometheus.example:9090"},
        "backends": [
            tempo(),
            {"name": "loki", "kind": "Loki", "address": "http://loki.monitoring.svc:3100"},
            {"name": "mimir", "kind": "PrometheusRemoteWrite", "address": "http://mimir.monitoring.svc/api/v1/push"},
            {
                "name": "honeycomb", "kind": "Honeycomb", "address": "https://api.honeycomb.io",
                "credentialsSecret": {"name": "honeycomb", "key": "team"},
            },
            databases()[0],
        ],
        "ledger": ledger(),
        "mail": {"smarthost": "smtp.example.com:587", "from": "alerts@example.com"},
        "tenancy": {"rawQueries": "Allowed"},
        "dashboards": {"allowedFolders": ["Agents", "Night"], "folderAnnotation": "grafana_folder"},
    })
}

/// The AgentObservability as the leaves of an AgentPlatform meet it.
pub(super) fn observability_under(platform_leaf: &str) -> Value {
    let mut spec = json!({
        "agent": "support-agent",
        "scrape": {"selector": {"matchLabels": {"app": "support"}}, "port": "metrics"},
        "routing": {"page": ["pager"], "receivers": [webhook("pager")]},
    });
    let part = platform_leaf.split(['.', '[']).next().unwrap_or_default();
    match part {
        "backends" | "collector" => spec["pipeline"] = json!({"traces": {"backends": ["tempo"]}}),
        "ledger" => {
            spec["pipeline"] = json!({});
            spec["ledger"] = json!({"retention": {"audit": "30d"}});
            spec["dashboards"] = json!({});
        }
        "mail" => {
            spec["routing"]["receivers"] = json!([{"name": "pager", "email": {"to": "agents@example.com"}}]);
        }
        _ if platform_leaf.to_lowercase().contains("folder") => {
            spec["dashboards"] = json!({"folder": "Agents"});
        }
        _ if platform_leaf.contains("grafanaLabels") => {
            spec["dashboards"] = json!({"delivery": "GrafanaDashboard"});
        }
        _ => spec["dashboards"] = json!({}),
    }
    spec
}

/// The AgentSLO as the leaves of an AgentPlatform meet it.
pub(super) fn slo_under(platform_leaf: &str) -> Value {
    let mut spec = context_of_slo("");
    match platform_leaf {
        "tenancy.rawQueries" => {
            let query = |metric: &str| format!("sum(increase({metric}{{namespace=\"team-a\"}}[$window]))");
            spec["indicator"] =
                json!({"raw": {"bad": query("errors_total"), "total": query("requests_total")}});
        }
        "tenancy.groupByDenyList[]" => spec["groupBy"] = json!(["model"]),
        "defaults.allowedSeverities[]" => {
            spec["alerting"] = json!({"page": {"severity": "critical"}, "ticket": {"severity": "critical"}});
        }
        _ => {}
    }
    spec
}

fn databases() -> [Value; 2] {
    ["postgres", "archive"].map(|name| {
        json!({"name": name, "kind": "Postgres", "address": format!("postgres://{name}.databases.svc/ledger")})
    })
}

fn ledger() -> Value {
    json!({
        "database": "postgres", "image": "registry.example/agentslo:0", "writerSecret": "first-writer",
        "readerSecret": "first-reader", "keeperSecret": "first-keeper",
        "caSecret": {"name": "first-ca", "key": "ca"}, "anchorKeySecret": {"name": "first-key", "key": "pem"},
    })
}

fn tempo() -> Value {
    json!({"name": "tempo", "kind": "Tempo", "address": "http://tempo.monitoring.svc:4317"})
}

fn webhook(name: &str) -> Value {
    json!({"name": name, "webhook": {"url": {"secret": "pager", "key": "url"}}})
}
