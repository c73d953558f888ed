//! `AlertmanagerConfig` of prometheus-operator, `monitoring.coreos.com/v1alpha1`. It has no time zones:
//! its times are UTC.

use serde::Serialize;

use super::ForeignObject;

/// Routes and receivers of a namespace.
pub type AlertmanagerConfig = ForeignObject<AlertmanagerConfigSpec>;

/// Routes and receivers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertmanagerConfigSpec {
    /// The route of which all others are children.
    pub route: Route,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// Which alerts hide which.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inhibit_rules: Vec<InhibitRule>,
    /// Times at which routes that name them are silent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<MuteTimeInterval>,
}

/// Which alerts go where.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Name of the receiver.
    pub receiver: String,
    /// Labels by which alerts become one message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Time before the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<String>,
    /// Time between messages about changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<String>,
    /// Time after which a message is repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<String>,
    /// Conditions on the labels, all of which must hold.
    pub matchers: Vec<Matcher>,
    /// Whether later routes of the same parent are tried too.
    #[serde(rename = "continue")]
    pub continue_: bool,
    /// Names of the times at which it is silent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<String>,
    /// Routes within it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// A condition on a label of an alert.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// Name of the label.
    pub name: String,
    /// How it is compared.
    pub match_type: MatchType,
    /// The value, or a regular expression that is anchored at both ends.
    pub value: String,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum MatchType {
    /// It is equal.
    #[serde(rename = "=")]
    Equal,
    /// It matches.
    #[serde(rename = "=~")]
    Regex,
}

/// Alerts that hide others while they fire.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InhibitRule {
    /// The alerts that hide.
    pub source_match: Vec<Matcher>,
    /// The alerts that are hidden.
    pub target_match: Vec<Matcher>,
    /// Labels that must be equal in both.
    pub equal: Vec<String>,
}

/// Times at which a route is silent: any of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MuteTimeInterval {
    /// Name.
    pub name: String,
    /// The times.
    pub time_intervals: Vec<TimeInterval>,
}

/// A time in UTC: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeInterval {
    /// Times of the day.
    pub times: Vec<TimeRange>,
    /// Days of the week, in English.
    pub weekdays: Vec<String>,
    /// Days of the month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days_of_month: Vec<DayRange>,
    /// Months as numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<String>,
}

/// A time of the day, without its end.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeRange {
    /// As `08:00`.
    pub start_time: String,
    /// As `24:00`.
    pub end_time: String,
}

/// Days of a month, both inclusive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayRange {
    /// First day.
    pub start: u8,
    /// Last day.
    pub end: u8,
}

/// Somebody who is told; one of the lists has one item.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receiver {
    /// Name.
    pub name: String,
    /// Channels of Slack.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slack_configs: Vec<SlackConfig>,
    /// Services of PagerDuty.
    #[serde(rename = "pagerdutyConfigs", skip_serializing_if = "Vec::is_empty")]
    pub pager_duty_configs: Vec<PagerDutyConfig>,
    /// Webhooks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook_configs: Vec<WebhookConfig>,
    /// Addresses of e-mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub email_configs: Vec<EmailConfig>,
    /// Teams of OpsGenie.
    #[serde(rename = "opsgenieConfigs", skip_serializing_if = "Vec::is_empty")]
    pub ops_genie_configs: Vec<OpsGenieConfig>,
    /// Channels of Microsoft Teams.
    #[serde(rename = "msteamsv2Configs", skip_serializing_if = "Vec::is_empty")]
    pub ms_teams_configs: Vec<MsTeamsConfig>,
}

/// A key of a Secret in the namespace of the AlertmanagerConfig.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SecretKeySelector {
    /// Name of the Secret.
    pub name: String,
    /// Key in it.
    pub key: String,
}

/// A name with a value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct KeyValue {
    /// The name.
    pub key: String,
    /// The value; a template.
    pub value: String,
}

/// A channel of Slack. Texts are templates, here and below.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SlackConfig {
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
    /// The incoming webhook.
    #[serde(rename = "apiURL")]
    pub api_url: SecretKeySelector,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Colour of the border.
    pub color: String,
    /// Title.
    pub title: String,
    /// Where the title leads.
    pub title_link: String,
    /// Text.
    pub text: String,
    /// What a notification on a phone shows.
    pub fallback: String,
}

/// A service of PagerDuty.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PagerDutyConfig {
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
    /// Integration key of Events API v2.
    pub routing_key: SecretKeySelector,
    /// Title of the incident.
    pub description: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// Who tells.
    pub client: String,
    /// Where the teller is.
    #[serde(rename = "clientURL")]
    pub client_url: String,
    /// What goes wrong, for grouping.
    pub class: String,
    /// Which part goes wrong.
    pub component: String,
    /// Whatever else helps.
    pub details: Vec<KeyValue>,
    /// Links; one without an address is left out.
    #[serde(rename = "pagerDutyLinkConfigs")]
    pub links: Vec<PagerDutyLink>,
}

/// A link of an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PagerDutyLink {
    /// The address.
    pub href: String,
    /// The text.
    pub alt: String,
}

/// A server that takes Alertmanager's webhook.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookConfig {
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
    /// The URL.
    pub url_secret: SecretKeySelector,
}

/// An address of e-mail.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EmailConfig {
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
    /// To whom.
    pub to: String,
    /// From whom.
    pub from: String,
    /// Host and port of the mail server.
    pub smarthost: String,
    /// Headers.
    pub headers: Vec<KeyValue>,
    /// Plain text.
    pub text: String,
    /// Rich text; none where empty.
    pub html: String,
}

/// A team of OpsGenie.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpsGenieConfig {
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
    /// The API key.
    pub api_key: SecretKeySelector,
    /// Title.
    pub message: String,
    /// Text.
    pub description: String,
    /// `P1` to `P5`.
    pub priority: String,
    /// Where it comes from.
    pub source: String,
    /// Who responds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<OpsGenieResponder>,
}

/// Who responds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpsGenieResponder {
    /// Name.
    pub name: String,
    /// `team`.
    #[serde(rename = "type")]
    pub type_: String,
}

/// A channel of Microsoft Teams.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MsTeamsConfig {
    /// Whether the end of an alert is told.
    pub send_resolved: bool,
    /// The workflow's webhook.
    #[serde(rename = "webhookURL")]
    pub webhook_url: SecretKeySelector,
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
}
