//! What the program says of documents: as `agentslo validate` and the controller judge them, then what CEL says
//! of what they accept.

use std::collections::BTreeMap;

use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::domain::slo::Slo;
use agentslo::domain::violation::{Violation, Violations};
use agentslo::render::{self, Artifact};
use agentslo::validate::schema::{self, Structure};
use agentslo::validate::{self, ObservabilityFacts, Referred, SloFacts};
use kube_cel::{CompiledSchema, Validator, compile_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Input;
use crate::crd;

/// One document of each kind. Each is judged under the others as far as they are valid.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Documents {
    pub(super) platform: Value,
    pub(super) observability: Value,
    pub(super) slo: Value,
}

impl Input for Documents {
    fn from_bytes(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).expect("kept documents should be JSON")
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("documents should have only string keys")
    }
}

/// A resource around a spec.
pub(super) fn resource(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "team-a"},
        "spec": spec,
    })
}

/// What is accepted, and what is said of the rest.
#[derive(Default)]
pub(super) struct Judgement {
    pub(super) platform: Option<Platform>,
    pub(super) observability: Option<Observability>,
    pub(super) slo: Option<Slo>,
    /// Kind of what is refused, with why.
    pub(super) refused: BTreeMap<&'static str, Vec<Violation>>,
    /// Resources that are accepted, without nulls, which the API server drops first.
    accepted: Vec<(&'static str, Value)>,
}

impl Judgement {
    pub(super) fn of(documents: &Documents) -> Self {
        let mut judgement = Self::default();
        let judged = settle(schema::read_platform(&documents.platform), validate::platform);
        judgement.platform = judgement.note("AgentPlatform", judged);
        let platform = judgement.platform.clone().unwrap_or_default();

        let structure = schema::read_observability(&documents.observability);
        let referred = structure.resource.as_ref().map(|resource| Referred::of(&resource.spec));
        let facts = ObservabilityFacts { platform: platform.clone(), ..ObservabilityFacts::default() };
        let judged = settle(structure, |resource| validate::observability(resource, &facts));
        judgement.observability = judgement.note("AgentObservability", judged);

        let facts = SloFacts { platform, observability: referred, ..SloFacts::default() };
        let judged = settle(schema::read_slo(&documents.slo), |slo| validate::slo(slo, &facts));
        judgement.slo = judgement.note("AgentSLO", judged);
        judgement
    }

    fn note<T>(&mut self, kind: &'static str, judged: Result<(T, Value), Vec<Violation>>) -> Option<T> {
        match judged {
            Ok((valid, resource)) => {
                self.accepted.push((kind, resource));
                Some(valid)
            }
            Err(violations) => {
                self.refused.insert(kind, violations);
                None
            }
        }
    }

    /// Everything that is rendered of what is accepted.
    pub(super) fn artifacts(&self) -> Vec<Artifact> {
        let of_slo = self.slo.iter().flat_map(|slo| render::slo(slo).0);
        let of_observability = self.observability.iter().flat_map(|observability| {
            render::observability(observability).into_values().flat_map(|part| part.0)
        });
        of_slo.chain(of_observability).collect()
    }

    /// Every refusal says where and what, within what a terminal and a condition can show.
    pub(super) fn check_refusals(&self) -> Result<(), String> {
        for (kind, violations) in &self.refused {
            if violations.is_empty() {
                return Err(format!("{kind} is refused without a word"));
            }
            for violation in violations {
                let Violation { path, message, .. } = violation;
                let begins =
                    ["spec", "metadata", "status", "nobodyKnows"].iter().any(|root| path.starts_with(root));
                if !begins || message.is_empty() || message.len() > LONGEST_MESSAGE {
                    return Err(format!("{kind} is refused at '{path}' with: {message}"));
                }
            }
        }
        Ok(())
    }

    /// Whoever passes validation passes admission: the operator asks for nothing that the API server forbids.
    pub(super) fn check_admission(&self) -> Result<(), String> {
        for (kind, resource) in &self.accepted {
            let refused = refused_by_cel(kind, resource);
            if !refused.is_empty() {
                return Err(format!("{kind} is accepted, and refused by CEL: {refused:?}"));
            }
        }
        Ok(())
    }
}

/// Longest message, in bytes: paths and values of users are in it.
const LONGEST_MESSAGE: usize = 1024;

/// The valid form of what was written with how it is stored, or all that is wrong with it.
fn settle<R: Serialize, T>(
    structure: Structure<R>,
    judge: impl FnOnce(&R) -> Result<T, Violations>,
) -> Result<(T, Value), Vec<Violation>> {
    let judged = structure.resource.as_ref().map(|resource| (judge(resource), resource));
    match judged {
        Some((Ok(valid), resource)) if structure.violations.is_empty() => {
            Ok((valid, serde_json::to_value(resource).expect("resources should have only string keys")))
        }
        Some((Err(meaning), _)) => Err(structure.and(meaning.iter())),
        Some((Ok(_), _)) | None => Err(structure.and([])),
    }
}

thread_local! {
    /// Compiled once, which is far slower than evaluating.
    static RULES: (Validator, BTreeMap<String, CompiledSchema>) = {
        let compile = |crd: &Value| (crd::kind_of(crd).to_owned(), compile_schema(crd::schema(crd)));
        (Validator::new(), crd::all().iter().map(compile).collect())
    };
}

fn refused_by_cel(kind: &str, resource: &Value) -> Vec<String> {
    RULES.with(|(validator, compiled)| match validator.validate_compiled(&compiled[kind], resource, None) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    })
}
