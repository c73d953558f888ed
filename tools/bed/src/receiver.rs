//! The end of the line: an HTTP server that keeps what Alertmanager sends, to webhooks and to the services
//! that it stands for (Slack, PagerDuty and others, whose addresses a configuration may set).

use std::{collections::BTreeMap, io, net::Ipv4Addr, time::Duration};

use axum::{Router, extract::State, http::Uri, routing::post};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::{net::TcpListener, runtime::Handle, sync::watch};

use crate::{Error, site::Site};

/// Whether an alert has begun or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has begun.
    Firing,
    /// It is over.
    Resolved,
}

/// One alert of one notification. The same alert comes again whenever Alertmanager says it again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// The path it was posted to: tells routes with URLs of their own apart.
    #[serde(skip)]
    pub path: String,
    /// The name of Alertmanager's receiver, such as `team-a/agent/page`.
    #[serde(skip)]
    pub receiver: String,
    /// Begun or over.
    pub status: Status,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// When it began (RFC 3339).
    pub starts_at: String,
    /// When it was over; in the year 1 while it is not.
    pub ends_at: String,
    /// Alertmanager's identity of its labels.
    pub fingerprint: String,
}

/// One request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The path it was posted to.
    pub path: String,
    /// What was posted.
    pub body: String,
}

/// The body of a webhook, version 4.
#[derive(Debug, Deserialize)]
struct Notification {
    receiver: String,
    alerts: Vec<Alert>,
}

/// Listens until the bed is gone.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    kept: watch::Receiver<Kept>,
}

/// What came so far, in order of arrival.
#[derive(Debug, Default)]
struct Kept {
    messages: Vec<Message>,
    /// The alerts of those messages that are webhooks.
    alerts: Vec<Alert>,
}

impl Receiver {
    pub(crate) fn start(site: &Site, runtime: &Handle) -> Result<Self, Error> {
        let port = site.port()?;
        let (sender, kept) = watch::channel(Kept::default());
        let router = Router::new().fallback(post(keep)).with_state(sender);
        let listener = listen(port).map_err(Error::io("start the receiver"))?;
        runtime.spawn(async move { axum::serve(TcpListener::from_std(listener)?, router).await });
        Ok(Self { port, kept })
    }

    /// Where it listens. Every path below is accepted too.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Every alert so far, in order of arrival.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.kept.borrow().alerts.clone()
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.kept.borrow().messages.clone()
    }

    /// The first alert, past or future, that is as wanted; none if the deadline passes before.
    pub async fn wait_for(&self, deadline: Duration, is_wanted: impl Fn(&Alert) -> bool) -> Option<Alert> {
        let mut kept = self.kept.clone();
        let wanted = kept.wait_for(|kept| kept.alerts.iter().any(&is_wanted));
        let kept = tokio::time::timeout(deadline, wanted).await.ok()?.ok()?;
        kept.alerts.iter().find(|alert| is_wanted(alert)).cloned()
    }

    /// Every alert, past and future, each as it comes.
    pub fn stream(&self) -> impl Stream<Item = Alert> + Send + use<> {
        stream::unfold((self.kept.clone(), 0), async |(mut kept, next)| {
            let alert = kept.wait_for(|kept| kept.alerts.len() > next).await.ok()?.alerts[next].clone();
            Some((alert, (kept, next + 1)))
        })
    }
}

/// Bound outside the runtime that serves, so that a failure is the caller's.
fn listen(port: u16) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Slack wants to hear `ok`; the others do not mind.
async fn keep(State(kept): State<watch::Sender<Kept>>, uri: Uri, body: String) -> &'static str {
    let path = uri.path().to_owned();
    let notification: Option<Notification> = serde_json::from_str(&body).ok();
    kept.send_modify(|kept| {
        kept.alerts.extend(notification.into_iter().flat_map(|notification| named(notification, &path)));
        kept.messages.push(Message { path: path.clone(), body });
    });
    "ok"
}

/// The alerts of a notification, each with where it came from.
fn named(notification: Notification, path: &str) -> Vec<Alert> {
    let Notification { receiver, alerts } = notification;
    let named = |alert| Alert { path: path.to_owned(), receiver: receiver.clone(), ..alert };
    alerts.into_iter().map(named).collect()
}
