//! Dashboards as Grafana reads them: for every profile, for a hostile agent, and the two that are imported
//! as they are.

mod grafana;
mod kept;
mod structure;

use std::collections::BTreeMap;
use std::sync::Arc;

use agentslo::api::v1alpha1::{AgentObservability, Backend, BackendKind};
use agentslo::domain::ledger::Offer;
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::profiles;
use agentslo::render::{self, Artifact, Part};
use agentslo::validate::{self, ObservabilityFacts};
use serde_json::{Value, json};

use crate::workspace;

/// Text that tries to end every literal, and to be a variable of Grafana's.
const HOSTILE: &str = "a\"} or up{x=\"\\ $slo ${slo} [[slo]] $__range ${__from} <<runs[5m]>> `' é";

/// A dashboard and where it comes from.
struct Dashboard {
    name: String,
    json: Value,
}

impl Dashboard {
    fn panels(&self) -> impl Iterator<Item = &Value> {
        self.json["panels"].as_array().expect("dashboards should have panels").iter()
    }

    /// Panels that show something.
    fn charts(&self) -> impl Iterator<Item = &Value> {
        self.panels().filter(|panel| panel["type"] != "row")
    }

    fn targets(&self) -> impl Iterator<Item = &Value> {
        self.charts().flat_map(|panel| panel["targets"].as_array().expect("charts should have queries"))
    }
}

/// The AgentObservability of a spec, validated with a platform that allows a folder and has a Jaeger and a ledger.
fn observability(spec: &Value) -> Observability {
    under(Platform::default(), spec)
}

/// The same with what else a platform decides.
fn under(mut platform: Platform, spec: &Value) -> Observability {
    platform.grafana.allowed_folders = vec!["Agents".to_owned()];
    platform.grafana.folder_annotation = Some("grafana_folder".to_owned());
    platform.backends = vec![Backend {
        name: "jaeger".to_owned(),
        kind: BackendKind::Jaeger,
        address: "http://jaeger:4317".to_owned(),
        protocol: None,
        credentials_secret: None,
        tenant_header: None,
        tls: None,
    }];
    platform.ledger = Some(Arc::new(offer()));
    let resource: AgentObservability = serde_json::from_value(json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": "AgentObservability",
        "metadata": {"namespace": "support", "name": "support-agent"},
        "spec": spec,
    }))
    .expect("the spec should have the shape");
    let facts = ObservabilityFacts { platform, ..ObservabilityFacts::default() };
    validate::observability(&resource, &facts).unwrap_or_else(|violations| {
        panic!("{spec} should be valid: {}", violations.first().expect("violations are never none"))
    })
}

fn offer() -> Offer {
    let written = json!({
        "database": "ledger", "image": "agentslo:1", "writerSecret": "writer", "readerSecret": "reader",
        "caSecret": {"name": "ca", "key": "ca"}, "anchorKeySecret": {"name": "key", "key": "pem"},
    });
    let written = serde_json::from_value(written).expect("the ledger should have the shape");
    Offer { written, database: "postgres://db.databases.svc/ledger".to_owned() }
}

fn artifacts(spec: &Value) -> Vec<Artifact> {
    render::observability(&observability(spec)).remove(&Part::Dashboards).unwrap_or_default().0
}

/// The dashboards that objects carry, by their key or name.
fn carried(artifacts: &[Artifact]) -> Vec<(String, String)> {
    let mut carried = Vec::new();
    for artifact in artifacts {
        let value = artifact.to_value();
        if let Some(data) = value["data"].as_object() {
            let text = |text: &Value| text.as_str().expect("data should be text").to_owned();
            carried.extend(data.iter().map(|(key, json)| (key.clone(), text(json))));
        } else {
            let json = value["spec"]["json"].as_str().expect("the spec should have JSON");
            carried.push((artifact.name().to_owned(), json.to_owned()));
        }
    }
    carried
}

fn rendered(name: &str, spec: &Value) -> Vec<Dashboard> {
    let parse = |(key, text): (String, String)| Dashboard {
        name: format!("{name} {key}"),
        json: serde_json::from_str(&text).expect("dashboards should be JSON"),
    };
    carried(&artifacts(spec)).into_iter().map(parse).collect()
}

fn source(name: &str) -> Dashboard {
    let text = workspace::read(format!("dashboards/{name}.json"));
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name} should be JSON: {error}"));
    Dashboard { name: name.to_owned(), json }
}

fn of_profile(profile: &str) -> Value {
    json!({"agent": "support-agent", "dashboards": {}, "telemetry": {"profile": profile}})
}

/// Those of an agent whose traces go to Jaeger.
fn in_jaeger() -> Vec<Dashboard> {
    let mut spec = of_profile("ClaudeCode");
    spec["pipeline"] = json!({"traces": {"backends": ["jaeger"]}});
    rendered("Jaeger", &spec)
}

/// Those of an agent with a ledger.
fn with_ledger(agent: &str) -> Vec<Dashboard> {
    let mut spec = of_profile("ClaudeCode");
    spec["agent"] = agent.into();
    spec["pipeline"] = json!({});
    spec["ledger"] = json!({});
    rendered("ledger", &spec)
}

/// Every dashboard that there can be, by and large.
fn all() -> Vec<Dashboard> {
    let mut all = vec![source("fleet"), source("operator")];
    for profile in profiles::names() {
        all.extend(rendered(profile, &of_profile(profile)));
    }
    all.extend(in_jaeger());
    all.extend(with_ledger("support-agent"));
    for translation in ["NoTranslation", "NoUTF8EscapingWithSuffixes"] {
        let mut spec = of_profile("GenAI");
        spec["telemetry"]["nameTranslation"] = translation.into();
        spec["telemetry"]["matchers"] = json!([{"label": "k8s.cluster", "value": HOSTILE}]);
        all.extend(rendered(translation, &spec));
    }
    for profile in ["AgentMetrics", "ClaudeCode"] {
        let mut spec = of_profile(profile);
        spec["agent"] = HOSTILE.into();
        all.extend(rendered("hostile", &spec));
    }
    all
}

/// Every PromQL text of a dashboard with its variables filled.
pub(crate) fn queries_of(json: Value) -> Vec<String> {
    structure::queries(&Dashboard { name: String::new(), json })
}

/// What Grafana puts in for the variables of a dashboard, besides its own.
fn values(dashboard: &Dashboard) -> BTreeMap<String, String> {
    let value = |variable: &Value| {
        let name = variable["name"].as_str().expect("variables should have a name").to_owned();
        let known = match name.as_str() {
            "objective" => "99.5",
            "budget_window" => "30d",
            "threshold" => variable["current"]["value"].as_str().expect("it should have a value"),
            _ => "WRONG",
        };
        (name, known.to_owned())
    };
    let variables = dashboard.json["templating"]["list"].as_array().into_iter().flatten();
    let own = [
        ("__rate_interval", "5m"),
        ("__range", "1d"),
        ("__auto", "1m"),
        ("__interval", "1m"),
        ("__from", "0"),
    ];
    variables.map(value).chain(own.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

#[test]
fn only_the_platform_sends_dashboards_to_grafanas_elsewhere() {
    let spec = json!({"agent": "support-agent", "dashboards": {"delivery": "GrafanaDashboard"}});
    let labels = BTreeMap::from([("dashboards".to_owned(), "agents".to_owned())]);
    for (labels, is_elsewhere) in [(BTreeMap::new(), false), (labels, true)] {
        let mut platform = Platform::default();
        platform.grafana.instance_labels.clone_from(&labels);
        let mut parts = render::observability(&under(platform, &spec));
        let artifacts = parts.remove(&Part::Dashboards).unwrap_or_default().0;
        assert!(artifacts.len() > 1, "there should be dashboards");
        for artifact in artifacts {
            let spec = &artifact.to_value()["spec"];
            assert_eq!(spec["allowCrossNamespaceImport"], is_elsewhere);
            assert_eq!(spec["instanceSelector"]["matchLabels"], json!(labels));
        }
    }
}
