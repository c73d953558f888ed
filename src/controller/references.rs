//! What the AgentObservability that an AgentSLO refers to has to give. One that is not valid changes nothing, so
//! its last valid form is kept.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};

use super::context::Context;
use super::incoming::Incoming;
use super::poison::locked;
use super::sightings::ObservabilityKey;
use crate::api::v1alpha1::{AgentObservability, AgentSlo};
use crate::domain::platform::Platform;
use crate::domain::violation::{Rule, Violation, Violations};
use crate::validate::{self, ObservabilityFacts, Referred};

/// The last valid form of each AgentObservability that is referred to, and the UID of which it is.
#[derive(Debug, Default)]
pub(super) struct References(Mutex<BTreeMap<ObservabilityKey, (Option<String>, Referred)>>);

impl References {
    /// Notes what a valid spec has to give, and returns what is in force: where the spec is not valid, what was
    /// noted before of the same object.
    fn in_force(
        &self,
        key: &ObservabilityKey,
        uid: Option<&str>,
        valid: Option<Referred>,
    ) -> Option<Referred> {
        let mut noted = locked(&self.0);
        if let Some(valid) = valid {
            noted.insert(key.clone(), (uid.map(str::to_owned), valid));
        }
        noted.get(key).filter(|(of, _)| of.as_deref() == uid).map(|(_, referred)| referred.clone())
    }

    /// Forgets those that are gone.
    pub(super) fn retain(&self, is_there: impl Fn(&ObservabilityKey) -> bool) {
        locked(&self.0).retain(|key, _| is_there(key));
    }
}

/// What is in force of the AgentObservability that an AgentSLO refers to; none where there is none of that name.
///
/// # Errors
/// Where it is not valid, and no valid form is known from before. Nobody knows then which series the rules that
/// are in force select.
pub(super) fn referred(
    slo: &AgentSlo,
    platform: &Platform,
    ctx: &Context,
) -> Result<Option<Referred>, Violations> {
    let Some(reference) = &slo.spec.observability_ref else { return Ok(None) };
    let key = (slo.namespace().unwrap_or_default(), reference.name.clone());
    let Some(incoming) = ctx.observabilities.get(&ObjectRef::new(&key.1).within(&key.0)) else {
        return Ok(None);
    };
    let in_force = ctx.references.in_force(&key, incoming.meta().uid.as_deref(), valid(&incoming, platform));
    if in_force.is_some() {
        return Ok(in_force);
    }
    let message =
        format!("AgentObservability '{}' is not valid; the rules stay as they are until it is", key.1);
    let path = "spec.observabilityRef.name".to_owned();
    Violations::unless_any(vec![Violation { path, rule: Rule::UnknownReference, message }], None)
}

/// What it has to give, if it is valid. An older one of the same agent does not matter here.
fn valid(incoming: &Incoming<AgentObservability>, platform: &Platform) -> Option<Referred> {
    let written = incoming.object().ok()?;
    let facts = ObservabilityFacts { platform: platform.clone(), ..ObservabilityFacts::default() };
    validate::observability(&written, &facts).ok()?;
    Some(Referred::of(&written.spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_valid_stays_in_force_for_the_same_object_only() {
        let references = References::default();
        let key = ("team-a".to_owned(), "support".to_owned());
        let in_force = |uid: &str, valid| references.in_force(&key, Some(uid), valid);
        let [first, second] = ["first", "second"]
            .map(|url| Some(Referred { runbook_url: Some(url.to_owned()), ..Referred::default() }));
        assert_eq!(in_force("1", None), None);
        assert_eq!(in_force("1", first.clone()), first);
        assert_eq!(in_force("1", None), first);
        assert_eq!(in_force("2", None), None, "a namesake never was valid");
        assert_eq!(in_force("2", second.clone()), second);
        assert_eq!(in_force("2", None), second);
        references.retain(|_| false);
        assert_eq!(in_force("2", None), None);
    }
}
