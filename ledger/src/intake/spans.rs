//! From OTLP spans to what is entered: those of agents, by the semantic conventions for generative AI and by the names
//! of the programs that the pipeline knows. All others are no business of the ledger.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use super::attributes::Attributes;
use super::{Accounts, Intake, Policy, Received, charge, check, entry, hexadecimal, plausible, run, stream};
use crate::entry::Detail;

/// Takes the spans of agents out of a request that came `now`, in nanoseconds since the epoch.
#[must_use]
pub fn traces(request: &ExportTraceServiceRequest, policy: &Policy, now: u64) -> Intake {
    let mut intake = Intake::default();
    for resource_spans in &request.resource_spans {
        let resource = resource_spans.resource.as_ref().map(|resource| resource.attributes.as_slice());
        let resource = Attributes::of(resource.unwrap_or_default());
        for span in resource_spans.scope_spans.iter().flat_map(|scope| &scope.spans) {
            intake.note(received(&resource, span, policy, now));
        }
    }
    intake
}

/// What a span is about.
enum About {
    /// A run of an agent, or of one that it called.
    Run,
    /// A call of a model.
    Call,
    /// Something else that an agent does.
    Other,
}

fn received(
    resource: &Attributes,
    span: &Span,
    policy: &Policy,
    now: u64,
) -> Result<Option<Received>, String> {
    let own = Attributes::of(&span.attributes);
    let Some((event, about)) = named(span, &own) else { return Ok(None) };
    let stream = stream(resource, &own, policy).map_err(|why| format!("span '{event}': {why}"))?;
    let at = span.end_time_unix_nano;
    plausible(at, now).map_err(|why| format!("span '{event}' of '{stream}' {why}"))?;
    let is_failed = span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error);
    let length_us = at.saturating_sub(span.start_time_unix_nano) / 1000;
    let length_us = i64::try_from(length_us).unwrap_or(i64::MAX);
    let is_accounted = policy.accounts == Accounts::Spans;
    let is_root = span.parent_span_id.iter().all(|byte| *byte == 0);
    let (mut charge, mut run) = (None, None);
    match about {
        About::Call if is_accounted => charge = charge::of_span(is_failed, (at, length_us), &own),
        About::Run if is_accounted && is_root => run = Some(run::of_span(is_failed, (at, length_us), &own)),
        About::Call | About::Run | About::Other => {}
    }
    let mut entry = entry((event, at), (resource, &own), (&span.trace_id, &span.span_id), policy);
    entry.details.insert("duration_us".to_owned(), length_us.into());
    if is_failed {
        entry.details.insert("failed".to_owned(), Detail::Flag(true));
    }
    let parent = hexadecimal(&span.parent_span_id);
    entry.details.extend(parent.map(|parent| ("parent".to_owned(), Detail::Text(parent))));
    check(&stream, &entry)?;
    Received::checked(stream, entry, charge, run).map(Some)
}

/// What a span is called in the ledger, and what it is about.
fn named(span: &Span, own: &Attributes) -> Option<(String, About)> {
    if let Some(operation) = own.text("gen_ai.operation.name") {
        let about = match operation {
            "invoke_agent" => About::Run,
            "chat" | "text_completion" | "generate_content" | "embeddings" => About::Call,
            _ => About::Other,
        };
        return Some((format!("gen_ai.{operation}"), about));
    }
    match span.name.as_str() {
        name @ ("agent.query" | "claude_code.interaction") => Some((name.to_owned(), About::Run)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Status};
    use regex::Regex;

    use super::*;
    use crate::intake::{Contents, Outcome, RunOutcome};

    const NOW: u64 = 1_764_493_270_000_000_000;

    fn take(accounts: Accounts, spans: Vec<Span>) -> Intake {
        let content_keys = Regex::new("^gen_ai[.]input[.]messages$").expect("it should be a pattern");
        let policy =
            Policy { contents: Contents::Drop, content_keys, pseudonyms: None, stream: None, accounts };
        let attributes = pairs(&[("service.name", "support")]);
        let resource = Some(Resource { attributes, ..Resource::default() });
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        traces(&ExportTraceServiceRequest { resource_spans }, &policy, NOW)
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

    fn span(attributes: &[(&str, &str)], parent: u8) -> Span {
        Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            parent_span_id: vec![parent; 8],
            start_time_unix_nano: NOW - 2_000_000_000,
            end_time_unix_nano: NOW,
            attributes: pairs(attributes),
            ..Span::default()
        }
    }

    fn failed(span: Span) -> Span {
        let status = Status { code: StatusCode::Error.into(), ..Status::default() };
        Span { status: Some(status), ..span }
    }

    #[test]
    fn spans_of_agents_are_entered_and_accounted_where_they_are_asked_to() {
        let call = [
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "large"),
            ("gen_ai.usage.input_tokens", "12"),
            ("gen_ai.input.messages", "a secret"),
            ("gen_ai.conversation.id", "s-1"),
        ];
        let run = [("gen_ai.operation.name", "invoke_agent"), ("agent.cost_usd", "0.5")];
        let spans =
            || vec![span(&call, 3), failed(span(&run, 0)), span(&run, 3), span(&[("http.route", "/")], 0)];
        let intake = take(Accounts::Spans, spans());
        assert_eq!(
            (intake.received.len(), intake.passed_over, intake.refused.len()),
            (3, 1, 0),
            "{intake:?}"
        );
        let [call, run, nested] = &intake.received[..] else { panic!("three are entered") };
        assert_eq!((call.entry.event.as_str(), call.entry.session.as_deref()), ("gen_ai.chat", Some("s-1")));
        assert!(!call.canonical.contains("secret"), "{}", call.canonical);
        let charge = call.charge.as_ref().expect("it is a call of a model");
        assert_eq!(
            (charge.outcome, charge.input_tokens, charge.duration_us),
            (Outcome::Answered, 12, Some(2_000_000))
        );
        let of_run = run.run.as_ref().expect("it is a run");
        assert_eq!((of_run.outcome, of_run.micro_usd), (RunOutcome::Failed, Some(500_000)));
        assert_eq!(nested.run, None, "an agent that another called is a part of its run");
        let others = take(Accounts::Events, spans());
        assert!(others.received.iter().all(|received| received.charge.is_none() && received.run.is_none()));
    }
}
