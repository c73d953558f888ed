//! From OTLP to what is entered: from log records, of which an event is one that has a name and all others are log
//! lines, and from the spans of agents.

mod attributes;
mod charge;
mod policy;
mod run;
mod spans;

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use self::attributes::Attributes;
pub use self::charge::{Charge, Outcome};
pub use self::policy::{Accounts, Contents, Policy, PseudonymKey, pseudonym};
pub use self::run::{Run, RunOutcome};
pub use self::spans::traces;
use crate::deed::OWN;
use crate::entry::{Detail, Entry};
use crate::hash::Sha256;

/// Longest canonical text of an entry, in bytes; a record that is larger is refused.
pub const LONGEST_ENTRY: usize = 64 * 1024;
/// Longest name of an event, a session or a stream, in bytes: they are in indexes.
const LONGEST_NAME: usize = 256;

const DAY: u64 = 24 * 3600 * 1_000_000_000;
/// An event may have happened so long ago, in nanoseconds; one that is older is of a clock that is wrong. Each month
/// has a partition, so nobody should be able to ask for any month.
const OLDEST: u64 = 400 * DAY;
/// A clock may be so far ahead.
const AHEAD: u64 = DAY;

/// An event, ready to be entered.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// Namespace and agent: `namespace/agent`, and `-` for a namespace that nobody names.
    pub stream: String,
    /// The same for the same event when it is sent again.
    pub id: Sha256,
    /// What is entered.
    pub entry: Entry,
    /// Its canonical text.
    pub canonical: String,
    /// What it cost, where it is a call of a model.
    pub charge: Option<Charge>,
    /// The run that it is the end of.
    pub run: Option<Run>,
}

impl Received {
    /// An entry, ready to be entered.
    #[must_use]
    pub fn new(stream: String, entry: Entry, charge: Option<Charge>, run: Option<Run>) -> Self {
        let canonical = entry.canonical();
        let id = Sha256::of(&[stream.as_bytes(), b"\n", canonical.as_bytes()]);
        Self { stream, id, entry, canonical, charge, run }
    }

    /// The same, unless it is too large.
    fn checked(
        stream: String,
        entry: Entry,
        charge: Option<Charge>,
        run: Option<Run>,
    ) -> Result<Self, String> {
        let received = Self::new(stream, entry, charge, run);
        let size = received.canonical.len();
        if size <= LONGEST_ENTRY {
            return Ok(received);
        }
        let Self { stream, entry: Entry { event, .. }, .. } = received;
        Err(format!(
            "event '{event}' of '{stream}' would have {size} bytes; at most {LONGEST_ENTRY} are entered"
        ))
    }
}

/// What became of the records of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// Those that are entered, in the order in which they came.
    pub received: Vec<Received>,
    /// Log lines, which are not events.
    pub passed_over: usize,
    /// Why events cannot be entered, one text for each.
    pub refused: Vec<String>,
}

impl Intake {
    fn note(&mut self, record: Result<Option<Received>, String>) {
        match record {
            Ok(Some(received)) => self.received.push(received),
            Ok(None) => self.passed_over += 1,
            Err(why) => self.refused.push(why),
        }
    }
}

/// Takes the events out of a request that came `now`, in nanoseconds since the epoch.
#[must_use]
pub fn logs(request: &ExportLogsServiceRequest, policy: &Policy, now: u64) -> Intake {
    let mut intake = Intake::default();
    for resource_logs in &request.resource_logs {
        let resource = resource_logs.resource.as_ref().map(|resource| resource.attributes.as_slice());
        let resource = Attributes::of(resource.unwrap_or_default());
        for record in resource_logs.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            intake.note(received(&resource, record, policy, now));
        }
    }
    intake
}

fn received(
    resource: &Attributes,
    record: &LogRecord,
    policy: &Policy,
    now: u64,
) -> Result<Option<Received>, String> {
    let own = Attributes::of(&record.attributes);
    let Some(event) = name_of(record, &own) else { return Ok(None) };
    let stream = stream(resource, &own, policy).map_err(|why| format!("event '{event}': {why}"))?;
    let at = time(record, now).map_err(|why| format!("event '{event}' of '{stream}' {why}"))?;
    let is_accounted = policy.accounts == Accounts::Events;
    let charge = charge::of_event(&event, at, &own).filter(|_| is_accounted);
    let run = run::of_event(&event, at, &own).filter(|_| is_accounted);
    let entry = entry((event, at), (resource, &own), (&record.trace_id, &record.span_id), policy);
    check(&stream, &entry)?;
    Received::checked(stream, entry, charge, run).map(Some)
}

/// Names are in indexes, and some are the ledger's own.
fn check(stream: &str, entry: &Entry) -> Result<(), String> {
    let names = [
        ("stream", Some(stream)),
        ("event", Some(entry.event.as_str())),
        ("session", entry.session.as_deref()),
    ];
    for (what, name) in names {
        if name.is_some_and(|name| name.len() > LONGEST_NAME || name.chars().any(char::is_control)) {
            return Err(format!(
                "a name of a {what} has at most {LONGEST_NAME} bytes and no control characters"
            ));
        }
    }
    if entry.event.starts_with(OWN) {
        return Err(format!("an event '{}' is the ledger's own, and nobody sends it", entry.event));
    }
    Ok(())
}

/// When it happened, or when somebody first saw it.
fn time(record: &LogRecord, now: u64) -> Result<u64, String> {
    let times = [record.time_unix_nano, record.observed_time_unix_nano];
    let at = times.into_iter().find(|time| *time > 0).ok_or("has no time")?;
    plausible(at, now)?;
    Ok(at)
}

fn plausible(at: u64, now: u64) -> Result<(), String> {
    let is_plausible = at <= now.saturating_add(AHEAD) && at >= now.saturating_sub(OLDEST);
    is_plausible.then_some(()).ok_or_else(|| {
        let (oldest, ahead) = (OLDEST / DAY, AHEAD / DAY);
        format!(
            "should have happened in the last {oldest} days, or in the next {ahead} by a clock that is ahead"
        )
    })
}

/// The name of an event, without the prefix that some builds of Claude Code give it.
fn name_of(record: &LogRecord, own: &Attributes) -> Option<String> {
    let body = match record.body.as_ref() {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) if text.starts_with("claude_code.") => {
            Some(text)
        }
        _ => None,
    };
    let named = Some(&record.event_name).filter(|name| !name.is_empty());
    let name = named.map(String::as_str).or_else(|| own.text("event.name")).or_else(|| own.text("event"));
    let name = name.or(body.map(String::as_str))?;
    Some(name.strip_prefix("claude_code.").unwrap_or(name).to_owned())
}

/// Whose stream it is.
fn stream(resource: &Attributes, own: &Attributes, policy: &Policy) -> Result<String, String> {
    if let Some(stream) = &policy.stream {
        return Ok(stream.clone());
    }
    let agent = ["gen_ai.agent.name", "agent_name", "agent.name"].into_iter().find_map(|key| own.text(key));
    let agent =
        agent.or_else(|| resource.text("gen_ai.agent.name")).or_else(|| resource.text("service.name"));
    let agent = agent.filter(|agent| !agent.is_empty());
    let agent = agent.ok_or("nothing says which agent it is; set `service.name` or `gen_ai.agent.name`")?;
    let namespace =
        ["k8s.namespace.name", "service.namespace"].into_iter().find_map(|key| resource.text(key));
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    Ok(format!("{}/{agent}", namespace.unwrap_or("-").replace('/', "-")))
}

/// Attributes that have a place of their own in an entry.
const PLACED: [&str; 14] = [
    "event.name",
    "event",
    "event.timestamp",
    "session.id",
    "session_id",
    "gen_ai.conversation.id",
    "user.id",
    "user_id",
    "user.email",
    "user.account_uuid",
    "user.account_id",
    "organization.id",
    "trace_id",
    "span_id",
];

/// Attributes of a resource that say which program it was.
const OF_PROGRAM: [&str; 4] = ["service.name", "service.version", "service.instance.id", "k8s.pod.name"];

fn entry(
    (event, at): (String, u64),
    (resource, own): (&Attributes, &Attributes),
    (trace, span): (&[u8], &[u8]),
    policy: &Policy,
) -> Entry {
    let first = |keys: &[&str]| keys.iter().find_map(|key| own.text(key)).map(str::to_owned);
    let user = first(&["user.id", "user_id", "user.account_uuid", "user.email"]);
    let mut entry = Entry {
        at: at.to_string(),
        event,
        session: first(&["session.id", "session_id", "gen_ai.conversation.id"]),
        user: user.and_then(|user| policy.pseudonym(&user)),
        trace: hexadecimal(trace).or_else(|| first(&["trace_id"])),
        span: hexadecimal(span).or_else(|| first(&["span_id"])),
        details: resource.only(&OF_PROGRAM),
        withheld: BTreeMap::new(),
    };
    for (key, value) in own.iter().filter(|(key, _)| !PLACED.contains(&key.as_str())) {
        policy.place(key, value, &mut entry);
    }
    entry
}

fn hexadecimal(id: &[u8]) -> Option<String> {
    let is_set = id.iter().any(|byte| *byte != 0);
    is_set.then(|| const_hex::encode(id))
}

impl Detail {
    /// The text of it, where it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use regex::Regex;

    use super::*;

    const NOW: u64 = 1_764_493_270_000_000_000;

    fn policy(contents: Contents) -> Policy {
        let content_keys = Regex::new("^prompt$").expect("it should be a pattern");
        Policy { contents, content_keys, pseudonyms: None, stream: None, accounts: Accounts::Events }
    }

    fn pairs(attributes: &[(&str, &str)]) -> Vec<KeyValue> {
        let value = |text: &str| Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) });
        let pair = |(key, text): &(&str, &str)| KeyValue {
            key: (*key).to_owned(),
            value: value(text),
            ..KeyValue::default()
        };
        attributes.iter().map(pair).collect()
    }

    fn take(resource: &[(&str, &str)], attributes: &[(&str, &str)], time: u64, contents: Contents) -> Intake {
        let record =
            LogRecord { time_unix_nano: time, attributes: pairs(attributes), ..LogRecord::default() };
        let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
        let resource = Some(Resource { attributes: pairs(resource), ..Resource::default() });
        let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
        logs(&ExportLogsServiceRequest { resource_logs }, &policy(contents), NOW)
    }

    const AGENT: [(&str, &str); 2] = [("service.name", "support"), ("k8s.namespace.name", "team-a")];

    fn received(attributes: &[(&str, &str)], contents: Contents) -> Received {
        let mut intake = take(&AGENT, attributes, NOW, contents);
        assert_eq!((intake.received.len(), intake.refused.len()), (1, 0), "{intake:?}");
        intake.received.remove(0)
    }

    #[test]
    fn an_event_goes_to_the_stream_of_its_agent_without_its_contents() {
        let attributes = [
            ("event.name", "claude_code.user_prompt"),
            ("prompt", "a secret"),
            ("session.id", "s-1"),
            ("n", "1"),
        ];
        let dropped = received(&attributes, Contents::Drop);
        assert_eq!(
            (dropped.stream.as_str(), dropped.entry.event.as_str()),
            ("team-a/support", "user_prompt")
        );
        assert_eq!(dropped.entry.session.as_deref(), Some("s-1"));
        assert!(!dropped.entry.canonical().contains("secret"), "{}", dropped.entry.canonical());
        let hashed = received(&attributes, Contents::Hash);
        assert_eq!(hashed.entry.withheld.get("prompt"), Some(&Sha256::of(&[b"a secret"])));
        let kept = received(&attributes, Contents::Keep);
        assert!(kept.entry.canonical().contains("a secret"));
        assert_eq!(received(&attributes, Contents::Drop), dropped, "the same event is the same entry");
    }

    #[test]
    fn a_call_of_a_model_is_charged_also_where_it_failed() {
        let answered = [
            ("event.name", "api_request"),
            ("model", "opus"),
            ("cost_usd", "0.25"),
            ("input_tokens", "12"),
            ("duration_ms", "1500"),
        ];
        let charge = received(&answered, Contents::Drop).charge.expect("it is a call of a model");
        assert_eq!(
            (charge.micro_usd, charge.input_tokens, charge.duration_us),
            (Some(250_000), 12, Some(1_500_000))
        );
        let failed = received(&[("event.name", "api_error"), ("model", "opus")], Contents::Drop);
        assert_eq!(
            failed.charge.map(|charge| (charge.outcome, charge.micro_usd)),
            Some((Outcome::Failed, None))
        );
        assert_eq!(received(&[("event.name", "tool_result")], Contents::Drop).charge, None);
    }

    #[test]
    fn a_run_is_told_by_its_end_however_it_ended() {
        let ended = |event: &str| {
            let attributes =
                [("event.name", event), ("duration_seconds", "1680.5"), ("cost_usd", "1.5"), ("turns", "7")];
            received(&attributes, Contents::Drop).run.expect("it is the end of a run")
        };
        let failed = ended("query_failed");
        assert_eq!(
            (failed.outcome, failed.micro_usd, failed.turns),
            (RunOutcome::Failed, Some(1_500_000), Some(7))
        );
        assert_eq!(failed.duration_us, Some(1_680_500_000));
        assert_eq!(ended("query_cancelled").outcome, RunOutcome::Cancelled);
        assert_eq!(received(&[("event.name", "query_started")], Contents::Drop).run, None);
    }

    #[test]
    fn what_cannot_be_entered_is_refused_by_itself() {
        let named = [("event.name", "tool_result")];
        let long = "x".repeat(LONGEST_NAME + 1);
        let huge = "x".repeat(LONGEST_ENTRY);
        let refused = [
            take(&[], &named, NOW, Contents::Drop),
            take(&AGENT, &named, 0, Contents::Drop),
            take(&AGENT, &named, NOW + 2 * DAY, Contents::Drop),
            take(&AGENT, &named, NOW - 401 * DAY, Contents::Drop),
            take(&[("service.name", &long)], &named, NOW, Contents::Drop),
            take(&[("service.name", "two\nlines")], &named, NOW, Contents::Drop),
            take(&AGENT, &[named[0], ("session.id", &long)], NOW, Contents::Drop),
            take(&AGENT, &[named[0], ("tool", &huge)], NOW, Contents::Drop),
            take(&AGENT, &[("event.name", "ledger.erased")], NOW, Contents::Drop),
        ];
        for intake in refused {
            assert_eq!((intake.received.len(), intake.refused.len()), (0, 1), "{intake:?}");
        }
        let line = take(&AGENT, &[("level", "info")], NOW, Contents::Drop);
        assert_eq!((line.passed_over, line.refused.len()), (1, 0), "a line of a log is no event");
        let nameless = take(&[("service.name", "support")], &named, NOW, Contents::Drop);
        assert_eq!(nameless.received[0].stream, "-/support");
    }
}
