//! Validated routing: every receiver that is meant exists, and somebody means it.

use std::collections::BTreeSet;

use super::yearly_zone::YearlyZone;
use crate::api::v1alpha1::{MailServer, MsTeams, OpsGenie, PagerDuty, Slack, Webhook, Weekday};

/// Who is told of alerts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Routing {
    /// Receivers of pages.
    pub page: Vec<String>,
    /// Receivers of tickets.
    pub ticket: Vec<String>,
    /// All receivers.
    pub receivers: Vec<Receiver>,
    /// Time before the first message, as Alertmanager writes it.
    pub group_wait: String,
    /// Time between messages about changes.
    pub group_interval: String,
    /// Time after which a message is repeated.
    pub repeat_interval: String,
    /// Times at which tickets are not sent.
    pub mute_times: Vec<MuteTime>,
}

/// Somebody who is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receiver {
    /// Name by which it is meant.
    pub name: String,
    /// How.
    pub way: Way,
}

/// How somebody is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// In a channel of Slack.
    Slack(Slack),
    /// By a service of PagerDuty.
    PagerDuty(PagerDuty),
    /// By any server that takes Alertmanager's webhook.
    Webhook(Webhook),
    /// By e-mail.
    Email {
        /// The address.
        to: String,
        /// Who sends it.
        server: MailServer,
    },
    /// By a team of OpsGenie.
    OpsGenie(OpsGenie),
    /// In a channel of Microsoft Teams.
    MsTeams(MsTeams),
}

/// Times at which tickets are not sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MuteTime {
    /// Name.
    pub name: String,
    /// Days on which the time begins; never empty.
    pub days: BTreeSet<Weekday>,
    /// First minute, counted from midnight.
    pub from: u16,
    /// End, counted from midnight, exclusive; before `from` it is of the next day.
    pub to: u16,
    /// Where the clock hangs.
    pub zone: YearlyZone,
}
