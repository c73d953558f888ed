//! Validated routing: every receiver that is meant exists.

use crate::api::v1alpha1::{MuteTime, Receiver};

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
