//! What the condition of a part of an AgentObservability says: whether its children are as desired, and what
//! is known of those who should use them. That they are not used is said, and takes nothing from `Ready`:
//! others have to do it, and may be about to.

use super::Application;
use super::conditions::{Claim, contested, find};
use crate::api::v1alpha1::ConditionStatus::{False, True};
use crate::api::v1alpha1::{Condition, PipelineDelivery};
use crate::domain::observability::Observability;
use crate::domain::role::Role;
use crate::domain::sighting::Sighting;
use crate::plan::{ChildName, Obstacle};
use crate::profiles;
use crate::render::guards::{self, Lack};
use crate::render::{ArtifactKind, Part};
use crate::vocabulary::{PIPELINE_POD_LABEL, reason};

/// Profiles that are named as having what another lacks.
const MOST_PROFILES: usize = 3;

/// What is known of the use of children that are as desired, added to the claim that they are.
pub(super) fn in_use(
    part: Part,
    claim: Claim,
    observability: &Observability,
    sighting: &Sighting,
    old: &[Condition],
) -> Claim {
    let is_applied = claim.reason == reason::APPLIED;
    match part {
        // Where every guard is left out nothing is written, and that must not read as if none were asked for.
        Part::Guards if is_applied || claim.reason == reason::NOT_REQUESTED => {
            without_series(claim, observability)
        }
        _ if !is_applied => claim,
        Part::Pipeline if observability.pipeline().is_some() => run(&claim, observability, sighting, old),
        Part::Routes => {
            let message = "nobody tells whether an Alertmanager selects it: its \
                           `alertmanagerConfigSelector` must match, see the guide on routing";
            with(&claim, reason::APPLIED, message)
        }
        Part::Pipeline | Part::Monitors | Part::Guards | Part::Dashboards | Part::Ledger => claim,
    }
}

fn with(claim: &Claim, reason: &str, message: &str) -> Claim {
    Claim::new(claim.type_, claim.status, reason, format!("{}; {message}", claim.message))
}

/// A configuration that no Collector runs looks as if all were well.
fn run(claim: &Claim, observability: &Observability, sighting: &Sighting, old: &[Condition]) -> Claim {
    match sighting {
        Sighting::NoPrometheus => {
            let message = "no AgentPlatform names a Prometheus, so nobody looks whether a Collector runs it";
            with(claim, reason::APPLIED, message)
        }
        Sighting::Seen(seen) if seen.has_collector => {
            with(claim, reason::APPLIED, "Prometheus scrapes a Collector of it")
        }
        Sighting::Seen(_) => with(claim, reason::NOT_OBSERVED, &not_run(observability)),
        // What was seen of the same children holds until somebody looks again.
        Sighting::Pending | Sighting::Failed { .. } => {
            let before = find(old, claim.type_);
            let of_the_same =
                |before: &&Condition| before.message.starts_with(&format!("{}; ", claim.message));
            before
                .filter(of_the_same)
                .map_or_else(|| claim.clone(), |before| Claim::repeated(claim.type_, before))
        }
    }
}

fn not_run(observability: &Observability) -> String {
    let delivery = observability.pipeline().map(|pipeline| pipeline.delivery);
    let start = match delivery {
        Some(PipelineDelivery::OpenTelemetryCollector) => "let the OpenTelemetry operator run it".to_owned(),
        Some(PipelineDelivery::ConfigMap) | None => {
            format!("run one whose pods are labelled `{PIPELINE_POD_LABEL}: {}`", observability.name())
        }
    };
    format!(
        "Prometheus scraped no Collector of it in the last 5 minutes: {start}, and let Prometheus select its \
         PodMonitor, see the guide on the pipeline"
    )
}

/// A guard without series is left out; saying so is better than an alert that can never fire.
fn without_series(claim: Claim, observability: &Observability) -> Claim {
    let missing = guards::missing(observability);
    // The first is what only an edit of the spec can mend, the last what may come by itself.
    let reasons = [reason::NO_SUCH_BUCKET, reason::UNSUPPORTED_GUARD, reason::SERIES_MISSING];
    let reason =
        reasons.into_iter().find(|reason| missing.iter().any(|(_, lack)| reason_of(*lack) == *reason));
    let Some(reason) = reason else { return claim };
    let all: Vec<String> =
        missing.iter().map(|(alert, lack)| format!("{alert} {}", explained(*lack, observability))).collect();
    let message = format!("left out: {}", all.join("; "));
    if claim.reason == reason::APPLIED {
        with(&claim, reason, &message)
    } else {
        Claim::new(claim.type_, claim.status, reason, message)
    }
}

fn reason_of(lack: Lack) -> &'static str {
    match lack {
        Lack::Bucket(..) => reason::NO_SUCH_BUCKET,
        Lack::Role(_) | Lack::Outcome(_) => reason::UNSUPPORTED_GUARD,
        Lack::Series(_) => reason::SERIES_MISSING,
    }
}

fn explained(lack: Lack, observability: &Observability) -> String {
    let profile = &observability.series().profile().name;
    match lack {
        Lack::Series(role) => format!("has no series for {}", role.name()),
        Lack::Role(role) => format!(
            "can never fire, for profile {profile} has no {}: remove the guard, or let the agent emit what {} \
             has and set `telemetry.profile`",
            role.name(),
            offered(role)
        ),
        Lack::Outcome(role) => {
            format!(
                "can never fire, for profile {profile} does not tell how {} end: remove the guard",
                role.name()
            )
        }
        Lack::Bucket(role, bound) => {
            let there: Vec<String> = observability.run_buckets().iter().map(ToString::to_string).collect();
            format!(
                "can never fire, for the histogram of {} has no bucket of {bound}s: name one of those that it \
                 has, in seconds {}",
                role.name(),
                there.join(", ")
            )
        }
    }
}

/// The first profiles with series for a role, the default before all.
fn offered(role: Role) -> String {
    let plays = |name: &&str| profiles::find(name).is_some_and(|profile| !role.metrics(profile).is_empty());
    let mut names: Vec<&str> = profiles::names().into_iter().filter(plays).collect();
    names.sort_by_key(|name| *name != profiles::DEFAULT);
    names.truncate(MOST_PROFILES);
    names.join(" or ")
}

/// Whether the children of a part are as desired.
pub(super) fn applied(type_: &'static str, children: &[(ChildName, Application)]) -> Claim {
    if children.is_empty() {
        return Claim::new(type_, True, reason::NOT_REQUESTED, "nothing of the kind is asked for");
    }
    let amiss = children.iter().find_map(|(name, application)| match application {
        Application::AsDesired => None,
        Application::Contested { by } => {
            Some(Claim::new(type_, False, reason::CONTESTED, contested(&display(name), by)))
        }
        Application::Failed { reason, message } => Some(Claim::new(type_, False, *reason, message.clone())),
        Application::Obstructed(obstacle) => Some(obstructed(type_, name, obstacle)),
    });
    amiss.unwrap_or_else(|| {
        let names: Vec<String> = children.iter().map(|(name, _)| display(name)).collect();
        Claim::new(type_, True, reason::APPLIED, format!("as desired: {}", names.join(", ")))
    })
}

fn obstructed(type_: &'static str, name: &ChildName, obstacle: &Obstacle) -> Claim {
    let (kind, _) = name;
    match obstacle {
        Obstacle::NotInstalled if ArtifactKind::OF_LEDGERS.contains(kind) => {
            let message = format!(
                "this operator may make no {}: start it with `--ledger`, which the chart does with \
                 `ledger.enabled: true`",
                kind.name()
            );
            Claim::new(type_, False, reason::NOT_ALLOWED, message)
        }
        Obstacle::NotInstalled => {
            let provider = kind.provider().unwrap_or("its provider");
            let message = format!(
                "kind {} is not installed in this cluster; install the CRDs of {provider}, the rest follows by itself",
                kind.name()
            );
            Claim::new(type_, False, reason::DEPENDENCY_MISSING, message)
        }
        Obstacle::Foreign { controller } => {
            let message = format!(
                "{} is not controlled by this AgentObservability but by {controller}; rename or delete one of them",
                display(name)
            );
            Claim::new(type_, False, reason::CONFLICT, message)
        }
        Obstacle::TooLarge { bytes } => {
            let message = format!(
                "{} would have {bytes} bytes, more than its reader takes; shorten matchers and patterns",
                display(name)
            );
            Claim::new(type_, False, reason::TOO_LARGE, message)
        }
    }
}

fn display((kind, name): &ChildName) -> String {
    format!("{} '{name}'", kind.name())
}
