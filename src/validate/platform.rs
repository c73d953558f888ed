//! From an AgentPlatform to a [`Platform`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::findings::Findings;
use super::text::{budget_window, is_label_name, is_severity};
use super::{labels, ledger};
use crate::api::v1alpha1::{AgentPlatform, AgentPlatformSpec, Isolation, Permission, messages};
use crate::domain::platform::{Collectors, Grafana, Platform};
use crate::domain::violation::{Rule, Violations};

/// Validates an AgentPlatform.
///
/// # Errors
/// Every violation at once, in the order of their paths.
pub fn platform(resource: &AgentPlatform) -> Result<Platform, Violations> {
    let mut findings = Findings::default();
    let platform = parse(resource, &mut findings);
    Violations::unless_any(findings.into_vec(), platform)
}

fn parse(resource: &AgentPlatform, findings: &mut Findings) -> Option<Platform> {
    let spec = &resource.spec;
    check_addresses(spec, findings);
    check_labels(spec, findings);
    let safe = Platform::default();
    let tenancy = spec.tenancy.clone().unwrap_or_default();
    let limits = spec.limits.clone().unwrap_or_default();
    let defaults = spec.defaults.clone().unwrap_or_default();
    for (path, severity) in [
        ("spec.defaults.pageSeverity", &defaults.page_severity),
        ("spec.defaults.ticketSeverity", &defaults.ticket_severity),
    ] {
        let legal = severity.as_deref().is_none_or(is_severity);
        findings.require(legal, path, Rule::InvalidName, messages::SEVERITY);
    }
    let window = match &defaults.window {
        None => Some(safe.window),
        Some(text) => budget_window(text, "spec.defaults.window", findings),
    };
    let label = tenancy.namespace_label.unwrap_or_else(|| "namespace".to_owned());
    findings.require(
        is_label_name(&label),
        "spec.tenancy.namespaceLabel",
        Rule::InvalidName,
        messages::LABEL_NAME,
    );
    let mut group_by_deny_list = safe.group_by_deny_list;
    group_by_deny_list.extend(tenancy.group_by_deny_list);
    Some(Platform {
        name: resource.metadata.name.clone(),
        prometheus: spec.prometheus.clone().map(Arc::new),
        rule_labels: spec.rule_labels.clone(),
        monitor_labels: or_rule_labels(&spec.monitor_labels, spec),
        route_labels: or_rule_labels(&spec.route_labels, spec),
        mail: spec.mail.clone(),
        backends: spec.backends.clone(),
        ledger: ledger::offer(spec, findings).map(Arc::new),
        collectors: collectors(spec),
        grafana: grafana(spec),
        namespace_label: match tenancy.isolation {
            Isolation::Enforced => Some(label),
            Isolation::Off => None,
        },
        allows_raw: tenancy.raw_queries == Permission::Allowed,
        group_by_deny_list,
        series_per_rule: limits.series_per_rule.unwrap_or(safe.series_per_rule),
        slos_per_namespace: limits.slos_per_namespace.unwrap_or(safe.slos_per_namespace),
        window: window?,
        estimator: defaults.estimator.unwrap_or(safe.estimator),
        page_severity: defaults.page_severity.unwrap_or(safe.page_severity),
        ticket_severity: defaults.ticket_severity.unwrap_or(safe.ticket_severity),
        allowed_severities: defaults.allowed_severities,
    })
}

fn or_rule_labels(labels: &BTreeMap<String, String>, spec: &AgentPlatformSpec) -> BTreeMap<String, String> {
    if labels.is_empty() { spec.rule_labels.clone() } else { labels.clone() }
}

fn collectors(spec: &AgentPlatformSpec) -> Collectors {
    let safe = Collectors::default();
    let written = spec.collector.clone().unwrap_or_default();
    Collectors {
        endpoint: written.endpoint,
        sharing: written.sharing,
        storage_directory: written.storage_directory.unwrap_or(safe.storage_directory),
        memory_limit_mib: written.memory_limit_mib.unwrap_or(safe.memory_limit_mib),
    }
}

fn grafana(spec: &AgentPlatformSpec) -> Grafana {
    let safe = Grafana::default();
    let written = spec.dashboards.clone().unwrap_or_default();
    Grafana {
        sidecar_label: written.sidecar_label.unwrap_or(safe.sidecar_label),
        sidecar_label_value: written.sidecar_label_value.unwrap_or(safe.sidecar_label_value),
        folder_annotation: written.folder_annotation,
        allowed_folders: written.allowed_folders,
        instance_labels: written.grafana_labels,
        url: written.grafana_url,
    }
}

fn check_labels(spec: &AgentPlatformSpec, findings: &mut Findings) {
    labels::check(&spec.rule_labels, "spec.ruleLabels", findings);
    labels::check(&spec.monitor_labels, "spec.monitorLabels", findings);
    labels::check(&spec.route_labels, "spec.routeLabels", findings);
    if let Some(selector) = &spec.namespace_selector {
        labels::check(&selector.match_labels, "spec.namespaceSelector.matchLabels", findings);
        let path = "spec.namespaceSelector.matchExpressions";
        labels::check_requirements(&selector.match_expressions, path, findings);
    }
    if let Some(dashboards) = &spec.dashboards {
        labels::check_key(dashboards.sidecar_label.as_ref(), "spec.dashboards.sidecarLabel", findings);
        labels::check_key(
            dashboards.folder_annotation.as_ref(),
            "spec.dashboards.folderAnnotation",
            findings,
        );
        labels::check(&dashboards.grafana_labels, "spec.dashboards.grafanaLabels", findings);
    }
}

fn check_addresses(spec: &AgentPlatformSpec, findings: &mut Findings) {
    if let Some(prometheus) = &spec.prometheus {
        let legal = is_server_url(&prometheus.address, &["http://", "https://"]);
        findings.require(legal, "spec.prometheus.address", Rule::InvalidUrl, messages::SERVER_URL);
    }
    if let Some(url) = spec.dashboards.as_ref().and_then(|dashboards| dashboards.grafana_url.as_ref()) {
        let legal = is_server_url(url, &["http://", "https://"]);
        findings.require(legal, "spec.dashboards.grafanaURL", Rule::InvalidUrl, messages::SERVER_URL);
    }
    if let Some(endpoint) = spec.collector.as_ref().and_then(|collector| collector.endpoint.as_ref()) {
        let filled = endpoint.replace("{name}", "x").replace("{namespace}", "x");
        let legal = is_server_url(&filled, &["http://", "https://"]) && filled.matches('/').count() == 2;
        findings.require(legal, "spec.collector.endpoint", Rule::InvalidUrl, messages::COLLECTOR_URL);
    }
    for (index, backend) in spec.backends.iter().enumerate() {
        let schemes = ["http://", "https://", "postgres://", "postgresql://"];
        let legal = is_server_url(&backend.address, &schemes);
        findings.require(
            legal,
            format!("spec.backends[{index}].address"),
            Rule::InvalidUrl,
            messages::BACKEND_URL,
        );
        let is_used = backend.tls.is_none() || backend.address.starts_with("https://");
        findings.require(
            is_used,
            format!("spec.backends[{index}].tls"),
            Rule::Contradiction,
            "needs an address that begins with 'https://'",
        );
    }
}

/// One of the schemes, a host, perhaps a port and a plain path; no user information.
fn is_server_url(text: &str, schemes: &[&str]) -> bool {
    let Some(rest) = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)) else { return false };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "1"));
    let host_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let path_byte = |byte: u8| host_byte(byte) || matches!(byte, b'_' | b'/');
    !host.is_empty()
        && host.bytes().all(host_byte)
        && (1..=5).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && path.bytes().all(path_byte)
}

#[cfg(test)]
mod tests {
    use super::is_server_url;

    #[test]
    fn addresses_have_no_user_information() {
        let schemes = ["http://", "https://"];
        assert!(is_server_url("http://prometheus.monitoring.svc:9090/base", &schemes));
        for text in ["file:///etc/passwd", "http://u:p@h", "http://", "http://h:/", "http://h?x=1"] {
            assert!(!is_server_url(text, &schemes), "{text}");
        }
    }
}
