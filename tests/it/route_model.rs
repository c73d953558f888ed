//! What routing is meant to do, said without matchers and trees: a model against which the generated
//! configuration, amtool and a real Alertmanager are compared.

#![allow(dead_code, reason = "two test binaries read it, and each uses a part")]

use std::collections::BTreeMap;

use agentslo::domain::observability::Observability;

/// The labels of an alert.
pub(crate) type Labels = BTreeMap<String, String>;

/// Names of the alerts of AgentSLOs and guards.
pub(crate) const OURS: [&str; 23] = [
    "AgentSLOBudgetBurn",
    "AgentSLOBudgetExhausted",
    "AgentSLONoData",
    "AgentSpendRateHigh",
    "AgentSpendBudgetSpent",
    "AgentSpendBudgetForecast",
    "AgentInactive",
    "AgentRunStuck",
    "AgentQueueDeep",
    "AgentToolFailing",
    "AgentRunsSlow",
    "AgentTelemetryMissing",
    "AgentCardinalityOverflow",
    "AgentPipelineQueueFull",
    "AgentPipelineQueueOverflow",
    "AgentPipelineExportFailing",
    "AgentPipelineDataRefused",
    "AgentPipelineDataDropped",
    "AgentLedgerNotIntact",
    "AgentLedgerNotVerified",
    "AgentLedgerNotEntering",
    "AgentLedgerStopped",
    "AgentLedgerEventsRefused",
];

/// An alert of an agent.
pub(crate) fn alert(namespace: &str, agent: &str, name: &str, urgency: &str, slo: &str) -> Labels {
    let labels = [
        ("alertname", name),
        ("namespace", namespace),
        ("agent", agent),
        ("urgency", urgency),
        ("severity", if urgency == "page" { "critical" } else { "warning" }),
        ("agentslo", slo),
    ];
    let set = labels.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(label, value)| (label.to_owned(), value.to_owned())).collect()
}

fn of<'a>(labels: &'a Labels, label: &str) -> &'a str {
    labels.get(label).map_or("", String::as_str)
}

/// Whether an alert is one that this AgentObservability speaks of.
pub(crate) fn is_of(observability: &Observability, labels: &Labels) -> bool {
    of(labels, "namespace") == observability.namespace()
        && of(labels, "agent") == observability.agent()
        && OURS.contains(&of(labels, "alertname"))
}

/// Names of the receivers that are told of an alert, in order; none for alerts of others.
pub(crate) fn told(observability: &Observability, labels: &Labels) -> Vec<String> {
    let Some(routing) = observability.routing().filter(|_| is_of(observability, labels)) else {
        return Vec::new();
    };
    match of(labels, "urgency") {
        "page" => routing.page.clone(),
        "ticket" => routing.ticket.clone(),
        _ => Vec::new(),
    }
}

/// Whether an alert hides another.
pub(crate) fn hides(observability: &Observability, source: &Labels, target: &Labels) -> bool {
    let somebody_hears = !told(observability, source).is_empty();
    let is_ticket = is_of(observability, target) && of(target, "urgency") == "ticket";
    let same_slo = of(source, "agentslo") == of(target, "agentslo");
    let target_name = of(target, "alertname");
    let explains = match (of(source, "alertname"), of(source, "urgency")) {
        ("AgentSLOBudgetBurn", "page") => match target_name {
            "AgentSLOBudgetBurn" | "AgentSLOBudgetExhausted" => same_slo,
            name => ["AgentToolFailing", "AgentRunsSlow", "AgentQueueDeep"].contains(&name),
        },
        ("AgentSLOBudgetBurn", "ticket") => target_name == "AgentSLOBudgetExhausted" && same_slo,
        ("AgentTelemetryMissing", _) => target_name == "AgentSLONoData",
        _ => false,
    };
    somebody_hears && is_ticket && explains
}
