//! What messages say: templates of Alertmanager over our own labels and annotations. Every label that a
//! title uses is one by which alerts are grouped, or it would be empty as soon as two alerts differ in it.
//!
//! Where an address is wanted, prometheus-operator takes a template only with functions of Go's own, so the
//! addresses have none: what needs escaping is escaped here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::observability::Observability;
use crate::render::dashboards;

/// What a part of a URL holds as it is (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `Page: agent support-agent, AgentSLO support-success (AgentSLOBudgetBurn)`.
pub(super) const TITLE: &str = r#"{{ if eq .Status "resolved" }}Resolved{{ else if eq .CommonLabels.urgency "page" }}Page{{ else }}Ticket{{ end }}: agent {{ .CommonLabels.agent }}{{ with .CommonLabels.agentslo }}, AgentSLO {{ . }}{{ end }} ({{ .CommonLabels.alertname }})"#;

/// What happened, then links; those to the dashboard and to a silence are appended. A group of an AgentSLO with `groupBy`
/// can have hundreds of alerts.
const TEXT: &str = r#"{{ range $index, $alert := .Alerts }}{{ if lt $index 10 }}{{ if eq $alert.Status "resolved" }}Resolved: {{ end }}{{ $alert.Annotations.summary }}
{{ end }}{{ end }}{{ if gt (len .Alerts) 10 }}These are 10 of {{ len .Alerts }} alerts.
{{ end }}{{ with .CommonAnnotations.description }}{{ . }}
{{ end }}Namespace: {{ .CommonLabels.namespace }}
{{ with .CommonAnnotations.runbook_url }}Runbook: {{ . }}
{{ end }}"#;

/// What messages say of one agent.
pub(super) struct Texts {
    /// What happened, and links.
    pub(super) text: String,
    /// Where the dashboard is, if anywhere.
    pub(super) dashboard: Option<String>,
    /// Where a silence of the group is made.
    pub(super) silence: String,
    /// Where the group is seen.
    pub(super) source: String,
}

impl Texts {
    /// Of the agent of an AgentObservability.
    pub(super) fn of(observability: &Observability) -> Self {
        let filter = filter(observability);
        let silence = format!("{{{{ .ExternalURL }}}}/#/silences/new?filter={filter}");
        let source = format!("{{{{ .ExternalURL }}}}/#/alerts?filter={filter}");
        let dashboard = dashboard(observability);
        let line = dashboard.iter().map(|address| format!("Dashboard: {address}\n"));
        let text = format!("{TEXT}{}Silence: {silence}", line.collect::<String>());
        Self { text, dashboard, silence, source }
    }
}

/// Alerts of AgentSLOs lead to the dashboard of budgets, guards to that of the agent.
fn dashboard(observability: &Observability) -> Option<String> {
    let (agent, slo) = dashboards::addresses(observability)?;
    Some(format!("{{{{ if .CommonLabels.agentslo }}}}{slo}{{{{ else }}}}{agent}{{{{ end }}}}"))
}

/// The labels of the group, as Alertmanager's pages take them. Names of AgentSLOs and alerts need no
/// escaping.
fn filter(observability: &Observability) -> String {
    let agent = observability.agent().replace('\\', r"\\").replace('"', "\\\"");
    let fixed = format!("{{namespace=\"{}\",agent=\"{agent}\",agentslo=\"", observability.namespace());
    let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
    format!(
        "{}{{{{ .CommonLabels.agentslo }}}}{}{{{{ .CommonLabels.alertname }}}}{}",
        encoded(&fixed),
        encoded("\",alertname=\""),
        encoded("\"}"),
    )
}

/// What happened to the first alert, in a line.
pub(super) const SUMMARY: &str = "{{ with index .Alerts 0 }}{{ .Annotations.summary }}{{ end }}";

/// Address of the runbook, or empty.
pub(super) const RUNBOOK: &str = "{{ .CommonAnnotations.runbook_url }}";

/// One word for a page, another for a ticket.
pub(super) fn by_urgency(page: &str, ticket: &str) -> String {
    format!(r#"{{{{ if eq .CommonLabels.urgency "page" }}}}{page}{{{{ else }}}}{ticket}{{{{ end }}}}"#)
}

/// One word for the end of an alert, others while it fires.
pub(super) fn by_state(resolved: &str, page: &str, ticket: &str) -> String {
    let firing = by_urgency(page, ticket);
    format!(r#"{{{{ if eq .Status "resolved" }}}}{resolved}{{{{ else }}}}{firing}{{{{ end }}}}"#)
}
