//! Receivers, one for each that is written. Secrets are named, never read: prometheus-operator fetches
//! them from the namespace of the AlertmanagerConfig.

use super::texts::{self, RUNBOOK, SUMMARY, TITLE, Texts};
use crate::api::v1alpha1::{LocalSecretKey, MailServer, MsTeams, OpsGenie, PagerDuty, Slack, Webhook};
use crate::domain::routing::{self, Way};
use crate::foreign::{
    EmailConfig, KeyValue, MsTeamsConfig, OpsGenieConfig, OpsGenieResponder, PagerDutyConfig, PagerDutyLink,
    Receiver, SecretKeySelector, SlackConfig, WebhookConfig,
};

/// A receiver, by the name that routes use.
pub(super) fn receiver(receiver: &routing::Receiver, texts: &Texts) -> Receiver {
    let named = Receiver { name: receiver.name.clone(), ..Receiver::default() };
    match &receiver.way {
        Way::Slack(slack) => Receiver { slack_configs: vec![slack_config(slack, texts)], ..named },
        Way::PagerDuty(duty) => {
            Receiver { pager_duty_configs: vec![pager_duty_config(duty, texts)], ..named }
        }
        Way::Webhook(webhook) => Receiver { webhook_configs: vec![webhook_config(webhook)], ..named },
        Way::Email { to, server } => {
            Receiver { email_configs: vec![email_config(to, server, texts)], ..named }
        }
        Way::OpsGenie(genie) => Receiver { ops_genie_configs: vec![ops_genie_config(genie, texts)], ..named },
        Way::MsTeams(teams) => Receiver { ms_teams_configs: vec![ms_teams_config(teams, texts)], ..named },
    }
}

fn secret(key: &LocalSecretKey) -> SecretKeySelector {
    SecretKeySelector { name: key.secret.clone(), key: key.key.clone() }
}

fn slack_config(slack: &Slack, texts: &Texts) -> SlackConfig {
    SlackConfig {
        send_resolved: true,
        api_url: secret(&slack.api_url),
        channel: slack.channel.clone(),
        color: texts::by_state("good", "danger", "warning"),
        title: TITLE.to_owned(),
        title_link: texts.source.clone(),
        text: texts.text.clone(),
        fallback: TITLE.to_owned(),
    }
}

/// Severities of ours may be any word; PagerDuty takes four.
fn pager_duty_config(duty: &PagerDuty, texts: &Texts) -> PagerDutyConfig {
    let detail = |key: &str, value: &str| KeyValue { key: key.to_owned(), value: value.to_owned() };
    let link = |alt: &str, href: &str| PagerDutyLink { href: href.to_owned(), alt: alt.to_owned() };
    PagerDutyConfig {
        send_resolved: true,
        routing_key: secret(&duty.routing_key),
        description: format!("{TITLE}: {SUMMARY}"),
        severity: texts::by_urgency("critical", "warning"),
        client: "Alertmanager".to_owned(),
        client_url: texts.source.clone(),
        class: "{{ .CommonLabels.alertname }}".to_owned(),
        component: "{{ .CommonLabels.agent }}".to_owned(),
        details: vec![detail("text", &texts.text)],
        links: vec![link("Runbook", RUNBOOK), link("Silence", &texts.silence)]
            .into_iter()
            .chain(texts.dashboard.iter().map(|address| link("Dashboard", address)))
            .collect(),
    }
}

fn webhook_config(webhook: &Webhook) -> WebhookConfig {
    WebhookConfig { send_resolved: true, url_secret: secret(&webhook.url) }
}

/// With a server of its own: one that neither it nor Alertmanager names stops prometheus-operator from
/// writing any routes, those of other tenants too.
fn email_config(to: &str, server: &MailServer, texts: &Texts) -> EmailConfig {
    EmailConfig {
        send_resolved: true,
        to: to.to_owned(),
        from: server.from.clone(),
        smarthost: server.smarthost.clone(),
        headers: vec![KeyValue { key: "Subject".to_owned(), value: TITLE.to_owned() }],
        text: texts.text.clone(),
        html: String::new(),
    }
}

fn ops_genie_config(genie: &OpsGenie, texts: &Texts) -> OpsGenieConfig {
    let responder = |name: &String| OpsGenieResponder { name: name.clone(), type_: "team".to_owned() };
    OpsGenieConfig {
        send_resolved: true,
        api_key: secret(&genie.api_key),
        message: TITLE.to_owned(),
        description: texts.text.clone(),
        priority: texts::by_urgency("P1", "P3"),
        source: texts.source.clone(),
        responders: genie.team.iter().map(responder).collect(),
    }
}

/// Teams reads Markdown, in which a single end of line is a space.
fn ms_teams_config(teams: &MsTeams, texts: &Texts) -> MsTeamsConfig {
    MsTeamsConfig {
        send_resolved: true,
        webhook_url: secret(&teams.webhook_url),
        title: TITLE.to_owned(),
        text: texts.text.replace('\n', "\n\n"),
    }
}
