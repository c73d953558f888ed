//! From a ledger on the wire to one that the platform offers.

use super::findings::Findings;
use crate::api::v1alpha1::{
    self as api, AgentPlatformSpec, AuditLevel, BackendKind, ContentCapture, CostSource, Derivation, messages,
};
use crate::domain::ledger::{Accounts, Days, Ledger, Offer};
use crate::domain::platform::Platform;
use crate::domain::violation::Rule;

/// Longest time that something is kept, in days, unless it is kept for ever.
const LONGEST: u16 = 3650;

/// Validates what is to be entered; `None` where violations were found.
pub(super) fn parse(
    written: &api::Ledger,
    pipeline: Option<&api::Pipeline>,
    platform: &Platform,
    findings: &mut Findings,
) -> Option<Ledger> {
    findings.require(pipeline.is_some(), "spec.ledger", Rule::Contradiction, messages::LEDGER_PIPELINE);
    check_contents(written.audit, pipeline, findings);
    let message = format!("{} offers no ledger: it has no `spec.ledger`", platform.display_name());
    let offer = findings.expect(platform.ledger.as_deref(), "spec.ledger", Rule::NotPermitted, message);
    let retention = written.retention.clone().unwrap_or_default();
    let audit_kept = days(retention.audit.as_deref(), "spec.ledger.retention.audit", findings);
    let costs_kept = days(retention.cost.as_deref(), "spec.ledger.retention.cost", findings);
    let ledger = Ledger {
        offer: offer?.clone(),
        audit: written.audit,
        accounts: accounts(written.cost, pipeline),
        audit_kept,
        costs_kept,
    };
    let message = format!(
        "nothing can be let go: {} names no `ledger.keeperSecret`; leave out `retention`",
        platform.display_name()
    );
    let is_possible = !ledger.lets_go() || ledger.offer.written.keeper_secret.is_some();
    findings.require(is_possible, "spec.ledger.retention", Rule::NotPermitted, message);
    Some(ledger)
}

fn check_contents(audit: AuditLevel, pipeline: Option<&api::Pipeline>, findings: &mut Findings) {
    let Some(pipeline) = pipeline else { return };
    let capture = pipeline.redaction.as_ref().map_or(ContentCapture::None, |it| it.content_capture);
    let arrive = audit == AuditLevel::Metadata || capture != ContentCapture::None;
    findings.require(arrive, "spec.ledger.audit", Rule::Contradiction, messages::LEDGER_CONTENTS);
}

fn accounts(cost: CostSource, pipeline: Option<&api::Pipeline>) -> Accounts {
    let derives_from_spans =
        pipeline.is_some_and(|pipeline| pipeline.derive_metrics == Derivation::FromSpans);
    match cost {
        CostSource::Spans => Accounts::Spans,
        CostSource::Auto if derives_from_spans => Accounts::Spans,
        CostSource::Auto | CostSource::Events => Accounts::Events,
    }
}

fn days(written: Option<&str>, path: &str, findings: &mut Findings) -> Option<Days> {
    let written = written?;
    let number = written.strip_suffix('d').filter(|number| !number.starts_with(['0', '+']));
    let number = number.and_then(|number| number.parse().ok()).filter(|days| (1..=LONGEST).contains(days));
    findings.expect(number.map(Days), path, Rule::InvalidWindow, messages::RETENTION)
}

/// The ledgers that a platform offers, with the address of their database.
pub(super) fn offer(spec: &AgentPlatformSpec, findings: &mut Findings) -> Option<Offer> {
    let written = spec.ledger.clone()?;
    let databases = spec.backends.iter().filter(|backend| backend.kind == BackendKind::Postgres);
    let names: Vec<&str> = databases.clone().map(|backend| backend.name.as_str()).collect();
    let there = if names.is_empty() { "there is none".to_owned() } else { format!("such as '{}'", names[0]) };
    let message = format!(
        "'{}' should be the name of a back end of kind Postgres in `backends`; {there}",
        written.database
    );
    let database = databases.into_iter().find(|backend| backend.name == written.database);
    let database = findings.expect(database, "spec.ledger.database", Rule::UnknownReference, message)?;
    let path = |field: &str| {
        let index = spec.backends.iter().position(|backend| backend.name == written.database);
        format!("spec.backends[{}].{field}", index.unwrap_or_default())
    };
    let is_postgres = database.address.starts_with("postgres");
    let message =
        "must be the URL of a database, for example 'postgres://postgres.databases.svc:5432/ledger'";
    findings.require(is_postgres, path("address"), Rule::InvalidUrl, message);
    let has_none = database.credentials_secret.is_none() && database.tenant_header.is_none();
    let message = "leave `credentialsSecret` and `tenantHeader` out: `ledger` names a Secret for each role of the database";
    findings.require(has_none, path("credentialsSecret"), Rule::Contradiction, message);
    Some(Offer { database: database.address.clone(), written })
}
