//! What messages say: templates of Alertmanager over our own labels and annotations. Every label that a
//! title uses is one by which alerts are grouped, or it would be empty as soon as two alerts differ in it.

/// The labels of the group, as Alertmanager's pages take them. `urlquery` writes a space as `+`, which
/// those pages read as a plus.
macro_rules! filter {
    () => {
        r#"{{ printf "{namespace=%q,agent=%q,agentslo=%q,alertname=%q}" .CommonLabels.namespace .CommonLabels.agent .CommonLabels.agentslo .CommonLabels.alertname | urlquery | reReplaceAll "\\+" "%20" }}"#
    };
}

macro_rules! silence {
    () => {
        concat!("{{ .ExternalURL }}/#/silences/new?filter=", filter!())
    };
}

/// `Page: agent support-agent, AgentSLO support-success (AgentSLOBudgetBurn)`.
pub(super) const TITLE: &str = r#"{{ if eq .Status "resolved" }}Resolved{{ else if eq .CommonLabels.urgency "page" }}Page{{ else }}Ticket{{ end }}: agent {{ .CommonLabels.agent }}{{ with .CommonLabels.agentslo }}, AgentSLO {{ . }}{{ end }} ({{ .CommonLabels.alertname }})"#;

/// What happened, then links. A group of an AgentSLO with `groupBy` can have hundreds of alerts.
pub(super) const TEXT: &str = concat!(
    r#"{{ range $index, $alert := .Alerts }}{{ if lt $index 10 }}{{ if eq $alert.Status "resolved" }}Resolved: {{ end }}{{ $alert.Annotations.summary }}
{{ end }}{{ end }}{{ if gt (len .Alerts) 10 }}These are 10 of {{ len .Alerts }} alerts.
{{ end }}{{ with .CommonAnnotations.description }}{{ . }}
{{ end }}Namespace: {{ .CommonLabels.namespace }}
{{ with .CommonAnnotations.runbook_url }}Runbook: {{ . }}
{{ end }}{{ with .CommonAnnotations.dashboard_url }}Dashboard: {{ . }}
{{ end }}Silence: "#,
    silence!()
);

/// Where a silence of the group is made.
pub(super) const SILENCE: &str = silence!();

/// Where the group is seen.
pub(super) const SOURCE: &str = concat!("{{ .ExternalURL }}/#/alerts?filter=", filter!());

/// What happened to the first alert, in a line.
pub(super) const SUMMARY: &str = "{{ with index .Alerts 0 }}{{ .Annotations.summary }}{{ end }}";

/// Address of the runbook, or empty.
pub(super) const RUNBOOK: &str = "{{ .CommonAnnotations.runbook_url }}";

/// Address of the dashboard, or empty.
pub(super) const DASHBOARD: &str = "{{ .CommonAnnotations.dashboard_url }}";

/// One word for a page, another for a ticket.
pub(super) fn by_urgency(page: &str, ticket: &str) -> String {
    format!(r#"{{{{ if eq .CommonLabels.urgency "page" }}}}{page}{{{{ else }}}}{ticket}{{{{ end }}}}"#)
}

/// One word for the end of an alert, others while it fires.
pub(super) fn by_state(resolved: &str, page: &str, ticket: &str) -> String {
    let firing = by_urgency(page, ticket);
    format!(r#"{{{{ if eq .Status "resolved" }}}}{resolved}{{{{ else }}}}{firing}{{{{ end }}}}"#)
}
