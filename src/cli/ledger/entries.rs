//! How entries are printed.

use std::fmt::Write as _;

use agentslo_ledger::entry::{Detail, Entry};
use agentslo_ledger::store::Stored;
use clap::ValueEnum;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::terminal::width;
use crate::inspect::text::{cut, escaped};

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Output {
    /// A line for people.
    #[default]
    Text,
    /// One JSON object in a line.
    Json,
}

impl Output {
    /// An entry, with the end of its line.
    pub(super) fn print(self, stored: &Stored) -> String {
        match self {
            Self::Text => cut(&text(stored), width().unwrap_or(usize::MAX)) + "\n",
            Self::Json => json(stored).to_string() + "\n",
        }
    }
}

fn entry(stored: &Stored) -> Option<Entry> {
    serde_json::from_str(&stored.link.content.as_ref()?.canonical).ok()
}

fn text(stored: &Stored) -> String {
    let Stored { stream, link, .. } = stored;
    let Some(entry) = entry(stored) else {
        return escaped(&format!("-  {stream} #{}  its content was taken out", link.sequence));
    };
    let at = entry.at.parse().ok().and_then(|at| Timestamp::from_nanosecond(at).ok());
    let at = at.map_or(entry.at, |at| format!("{at:.3}"));
    let mut text = format!("{at}  {stream} #{}  {}", link.sequence, entry.event);
    if let Some(session) = &entry.session {
        let _ = write!(text, "  session={session}");
    }
    for (name, value) in &entry.details {
        let value = match value {
            Detail::Text(text) => text.clone(),
            Detail::Flag(_) | Detail::Number(_) | Detail::List(_) | Detail::Map(_) => value.canonical(),
        };
        let _ = write!(text, " {name}={value}");
    }
    escaped(&text)
}

fn json(stored: &Stored) -> Value {
    let Stored { stream, link, entered_at } = stored;
    let entered = Timestamp::try_from(*entered_at).map(|time| time.to_string()).ok();
    json!({
        "stream": stream, "sequence": link.sequence, "hash": link.hash, "enteredAt": entered, "entry": entry(stored),
    })
}
