//! Routing: who is told of an agent's alerts. Secrets are named, never written, and only those of the
//! same namespace.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Weekday, messages};

/// Who is told of the agent's alerts.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.page) && size(self.page) > 0) || (has(self.ticket) && size(self.ticket) > 0)").message(messages::ROUTE_TO_SOMEBODY),
    validation = Rule::new("self.groupWait.matches('^[0-9]{1,5}(s|m|h)$')").message(messages::ROUTE_DURATION).field_path(".groupWait"),
    validation = Rule::new("self.groupInterval.matches('^[1-9][0-9]{0,4}(s|m|h)$')").message(messages::ROUTE_DURATION).field_path(".groupInterval"),
    validation = Rule::new("self.repeatInterval.matches('^[1-9][0-9]{0,4}(s|m|h)$')").message(messages::ROUTE_DURATION).field_path(".repeatInterval")
)]
pub struct Routing {
    /// Names of receivers that are told of pages, each of them. Default: none. Example: `[pager]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub page: Vec<String>,
    /// Names of receivers that are told of tickets, each of them. Default: none. Example: `[slack]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub ticket: Vec<String>,
    /// The receivers.
    /// Example: `[{name: slack, slack: {apiURL: {secret: slack, key: url}}}]`.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub receivers: Vec<Receiver>,
    /// Time to wait for further alerts before the first message. Default: `30s`.
    #[serde(default = "default_group_wait")]
    #[schemars(length(min = 2, max = 6))]
    pub group_wait: String,
    /// Time between messages about changes of a group. Default: `5m`.
    #[serde(default = "default_group_interval")]
    #[schemars(length(min = 2, max = 6))]
    pub group_interval: String,
    /// Time after which a message about alerts that still fire is repeated. Default: `4h`.
    #[serde(default = "default_repeat_interval")]
    #[schemars(length(min = 2, max = 6))]
    pub repeat_interval: String,
    /// Times at which tickets are not sent; pages always are. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub mute_times: Vec<MuteTime>,
}

fn default_group_wait() -> String {
    "30s".to_owned()
}

fn default_group_interval() -> String {
    "5m".to_owned()
}

fn default_repeat_interval() -> String {
    "4h".to_owned()
}

/// Somebody who is told. Exactly one way.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.slack), has(self.pagerDuty), has(self.webhook), has(self.email), has(self.opsGenie), has(self.msTeams)].filter(x, x).size() == 1").message(messages::ONE_RECEIVER)
)]
pub struct Receiver {
    /// Name by which `page` and `ticket` mean it. Example: `slack`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// A channel of Slack. Set this or another way. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<Slack>,
    /// A service of PagerDuty. Set this or another way. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pager_duty: Option<PagerDuty>,
    /// Any server that takes Alertmanager's webhook. Set this or another way. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// An address of e-mail. Set this or another way. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// A team of OpsGenie. Set this or another way. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ops_genie: Option<OpsGenie>,
    /// A channel of Microsoft Teams, by a workflow's webhook. Set this or another way. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms_teams: Option<MsTeams>,
}

/// A key of a Secret in the same namespace. Alertmanager's operator reads it; this operator may not.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalSecretKey {
    /// Name of the Secret. Example: `slack`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub secret: String,
    /// Key in the Secret. Example: `url`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// A channel of Slack.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Slack {
    /// Where the URL of the incoming webhook is kept.
    #[serde(rename = "apiURL")]
    pub api_url: LocalSecretKey,
    /// The channel. Default: the webhook's own. Example: `"#agents"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 80), regex(pattern = r"^[#@]?[A-Za-z0-9._-]+$"))]
    pub channel: Option<String>,
}

/// A service of PagerDuty.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PagerDuty {
    /// Where the integration key of Events API v2 is kept.
    pub routing_key: LocalSecretKey,
}

/// Any server that takes Alertmanager's webhook.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Where the URL is kept.
    pub url: LocalSecretKey,
}

/// An address of e-mail. The server is the AgentPlatform's.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Email {
    /// The address. Example: `agents@example.com`.
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$"))]
    pub to: String,
}

/// A team of OpsGenie.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpsGenie {
    /// Where the API key is kept.
    pub api_key: LocalSecretKey,
    /// Name of the team. Default: the key's own. Example: `agents`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9 ._-]+$"))]
    pub team: Option<String>,
}

/// A channel of Microsoft Teams.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MsTeams {
    /// Where the URL of the workflow's webhook is kept.
    #[serde(rename = "webhookURL")]
    pub webhook_url: LocalSecretKey,
}

/// Times at which tickets are not sent.
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.from.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')").message(messages::TIME_OF_DAY).field_path(".from"),
    validation = Rule::new("self.to.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$') && self.to != self.from").message(messages::TIME_OF_DAY).field_path(".to")
)]
pub struct MuteTime {
    /// Name. Example: `nights`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// Days of the week. Default: all. Example: `[Saturday, Sunday]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days: Vec<Weekday>,
    /// First minute of the time. Example: `20:00`.
    #[schemars(length(min = 5, max = 5))]
    pub from: String,
    /// End of the time; a time before `from` is of the next day. Example: `07:00`.
    #[schemars(length(min = 5, max = 5))]
    pub to: String,
    /// Time zone of the two, by its IANA name. It becomes times in UTC, which are an hour off for up to a day
    /// around a change of the clocks. Default: `UTC`. Example: `Europe/Madrid`.
    #[serde(default = "super::guards::default_zone")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"))]
    pub time_zone: String,
}
