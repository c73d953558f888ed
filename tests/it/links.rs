//! Links of alerts lead to what is there: the dashboard that is delivered, the runbook that somebody named.

use std::collections::BTreeSet;

use agentslo::api::v1alpha1::{AgentObservability, AgentObservabilitySpec};
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::foreign::Rule;
use agentslo::render::{self, Artifact, Part, guards, rules};
use agentslo::validate::{self, ObservabilityFacts, Referred, SloFacts};
use serde_json::{Value, json};

use crate::spec::written;

/// What the platform team says: where Grafana is.
fn platform(grafana: Option<&str>) -> Platform {
    let mut platform = Platform::default();
    platform.grafana.url = grafana.map(str::to_owned);
    platform
}

fn observability(spec: &Value, grafana: Option<&str>) -> Observability {
    let spec: AgentObservabilitySpec =
        serde_json::from_value(spec.clone()).expect("it should have the shape");
    let mut resource = AgentObservability::new("support", spec);
    resource.metadata.namespace = Some("team-a".to_owned());
    let facts = ObservabilityFacts { platform: platform(grafana), ..ObservabilityFacts::default() };
    validate::observability(&resource, &facts).expect("the AgentObservability should be valid")
}

/// Alerts of AgentSLO `checkout` that refers to AgentObservability `support`.
fn alerts(referred: &Value, alerting: &Value, grafana: Option<&str>) -> Vec<Rule> {
    let slo = json!({
        "agent": "a b", "objective": "99", "indicator": {"success": {}},
        "observabilityRef": {"name": "support"}, "alerting": alerting,
    });
    let referred: AgentObservabilitySpec =
        serde_json::from_value(referred.clone()).expect("it should have the shape");
    let facts = SloFacts {
        platform: platform(grafana),
        observability: Some(Referred::of(&referred)),
        ..SloFacts::default()
    };
    let slo = validate::slo(&written(&slo), &facts).expect("the AgentSLO should be valid");
    let rules = rules::groups(&slo).into_iter().flat_map(|group| group.rules);
    rules.filter(|rule| rule.alert.is_some()).collect()
}

fn links(alerts: &[Rule], name: &str) -> BTreeSet<Option<String>> {
    alerts.iter().map(|rule| rule.annotations.get(name).cloned()).collect()
}

/// Identifiers of the dashboards that are delivered.
fn delivered(observability: &Observability) -> BTreeSet<String> {
    let artifacts = render::observability(observability).remove(&Part::Dashboards).unwrap_or_default().0;
    let texts = artifacts.into_iter().flat_map(|artifact| match artifact {
        Artifact::ConfigMap(map) => map.data.unwrap_or_default().into_values().collect::<Vec<_>>(),
        Artifact::PrometheusRule(_)
        | Artifact::OpenTelemetryCollector(_)
        | Artifact::PodMonitor(_)
        | Artifact::AlertmanagerConfig(_)
        | Artifact::GrafanaDashboard(_)
        | Artifact::Plain(_) => Vec::new(),
    });
    let uid = |text: String| -> Option<String> {
        let dashboard: Value = serde_json::from_str(&text).ok()?;
        Some(dashboard["uid"].as_str()?.to_owned())
    };
    texts.filter_map(uid).collect()
}

#[test]
fn an_alert_leads_to_a_dashboard_that_is_delivered() {
    let spec = json!({"agent": "a b", "dashboards": {}, "guards": {"queue": {"maxDepth": 9}}});
    let grafana = Some("https://grafana.example/");
    let observability = observability(&spec, grafana);
    let delivered = delivered(&observability);
    assert_eq!(delivered.len(), 3, "{delivered:?}");
    let of_guards = guards::groups(&observability).into_iter().flat_map(|group| group.rules);
    let of_guards: Vec<Rule> = of_guards.filter(|rule| rule.alert.is_some()).collect();
    let of_slo = alerts(&spec, &json!({}), grafana);
    assert_eq!((of_guards.len(), of_slo.len() > 2), (1, true), "{of_slo:?}");
    let mut led_to = BTreeSet::new();
    for (alerts, end) in [(of_guards, ""), (of_slo, "?var-slo=checkout")] {
        for link in links(&alerts, "dashboard_url") {
            let link = link.expect("every alert should have a link");
            let address = link.strip_prefix("https://grafana.example/d/").expect("it should lead to Grafana");
            let uid = address.strip_suffix(end).expect("it should lead to the AgentSLO");
            assert!(delivered.contains(uid), "{link}: {delivered:?}");
            led_to.insert(uid.to_owned());
        }
    }
    assert_eq!(led_to.len(), 2, "guards lead to the agent, AgentSLOs to the budgets");
}

#[test]
fn nothing_is_linked_to_that_is_not_there() {
    let with = json!({"agent": "a b", "dashboards": {}});
    let without = json!({"agent": "a b"});
    let grafana = Some("https://grafana.example");
    for (referred, grafana) in [(&with, None), (&without, grafana)] {
        let alerts = alerts(referred, &json!({}), grafana);
        assert_eq!(links(&alerts, "dashboard_url"), [None].into(), "{referred}");
        assert_eq!(links(&alerts, "runbook_url"), [None].into(), "{referred}");
    }
    let own = json!({"annotations": {"dashboard_url": "mine"}});
    let alerts = alerts(&with, &own, grafana);
    assert_eq!(links(&alerts, "dashboard_url"), [Some("mine".to_owned())].into(), "what people wrote wins");
}

#[test]
fn runbooks_come_with_the_reference_unless_there_are_own_ones() {
    let referred = json!({
        "agent": "a b",
        "guards": {"runbookURL": "https://r.example/{namespace}/{name}/{agent}/{alert}"},
    });
    let of_one = |alerting: &Value| -> BTreeSet<Option<String>> {
        let alerts = alerts(&referred, alerting, None);
        let spent =
            alerts.into_iter().filter(|rule| rule.alert.as_deref() == Some("AgentSLOBudgetExhausted"));
        links(&spent.collect::<Vec<_>>(), "runbook_url")
    };
    let theirs = "https://r.example/team-a/support/a%20b/AgentSLOBudgetExhausted";
    assert_eq!(of_one(&json!({})), [Some(theirs.to_owned())].into());
    let own = json!({"runbookURL": "https://own.example/{name}/{alert}"});
    let ours = "https://own.example/checkout/AgentSLOBudgetExhausted";
    assert_eq!(of_one(&own), [Some(ours.to_owned())].into());
}
