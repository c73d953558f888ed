//! The pure stages around a map instead of a cluster: what is asked for goes in, children and statuses are
//! what comes out. It knows an AgentPlatform, two AgentObservabilities and two AgentSLOs, one of which refers
//! to an AgentObservability.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::api::v1alpha1::{
    AgentObservability, AgentObservabilityStatus, AgentPlatform, AgentPlatformStatus, AgentSlo,
    AgentSloStatus,
};
use agentslo::domain::platform::Platform;
use agentslo::domain::reading::Reading;
use agentslo::domain::sighting::Sighting;
use agentslo::plan::{ChildName, Existing, child_name, plan};
use agentslo::render::{self, ArtifactKind, Artifacts};
use agentslo::report::{
    self, Acceptance, Application, Judgement, ObservabilityOutcome, Outcome, PlatformOutcome,
};
use agentslo::validate::{self, ObservabilityFacts, Referred, SloFacts};
use agentslo::vocabulary::FIELD_MANAGER;
use k8s_openapi::jiff::Timestamp;
use kube::Resource;
use serde::Serialize;
use serde_json::{Value, json};

use super::values;
use crate::support::ApiServer;

/// The specs of a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    pub(crate) platform: Value,
    pub(crate) observability: Value,
    pub(crate) slo: Value,
}

impl Scene {
    /// A scene in which a spec of one kind is looked at.
    pub(crate) fn around(kind: &str, path: &str, spec: &Value) -> Self {
        let mut scene = Self {
            platform: values::platform(),
            observability: json!({"agent": "support-agent"}),
            slo: values::context("AgentSLO", ""),
        };
        match kind {
            "AgentSLO" => scene.slo = spec.clone(),
            "AgentObservability" => scene.observability = spec.clone(),
            _ => {
                scene.platform = spec.clone();
                scene.observability = values::observability_under(path);
                scene.slo = values::slo_under(path);
            }
        }
        scene
    }
}

/// Name of an owner and of one of its children.
pub(crate) type Owned = (String, ChildName);

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Where the children are.
    server: ApiServer,
    children: BTreeMap<Owned, Value>,
    platform: Platform,
    slos: BTreeMap<String, AgentSloStatus>,
    observability: Option<AgentObservabilityStatus>,
    /// What AgentObservability `support` had to give when it was last valid.
    referred: Option<Referred>,
    platform_status: Option<AgentPlatformStatus>,
    generation: i64,
    /// Those whose last spec was refused, and why.
    pub(crate) refused: BTreeMap<String, String>,
    /// Those that go by what something was before it was refused: the AgentPlatform, or what they refer to.
    pub(crate) behind: BTreeSet<String>,
}

impl World {
    /// Reconciles everything, as the operator would.
    pub(crate) fn reconcile(&mut self, scene: &Scene) {
        self.generation += 1;
        self.refused.clear();
        self.behind.clear();
        self.reconcile_platform(&scene.platform);
        if self.refused.contains_key("default") {
            self.behind.extend(["support", "checkout", "referring"].map(str::to_owned));
        }
        self.reconcile_observability(&scene.observability);
        let mut referring = values::context("AgentSLO", "");
        referring["observabilityRef"] = json!({"name": "support"});
        self.reconcile_slo("checkout", &scene.slo);
        self.reconcile_slo("referring", &referring);
    }

    /// What the statuses say, but for times and generations.
    pub(crate) fn statuses(&self) -> BTreeMap<String, Value> {
        let mut statuses: BTreeMap<String, Value> =
            self.slos.iter().map(|(name, status)| (name.clone(), timeless(status))).collect();
        statuses.insert("support".to_owned(), timeless(&self.observability));
        statuses.insert("default".to_owned(), timeless(&self.platform_status));
        statuses
    }

    /// Everything that there is, without versions.
    pub(crate) fn children(&self) -> BTreeMap<Owned, Value> {
        self.children.iter().map(|(name, object)| (name.clone(), content(object))).collect()
    }

    fn reconcile_platform(&mut self, spec: &Value) {
        let written: AgentPlatform = match resource("AgentPlatform", "default", spec) {
            Ok(written) => written,
            Err(error) => return self.refuse("default", error),
        };
        let verdict = validate::platform(&written);
        let outcome = PlatformOutcome { violations: verdict.as_ref().err(), prometheus: None, slos: 2 };
        let status = report::platform(outcome, self.platform_status.as_ref(), self.generation, now());
        self.platform_status = status.or(self.platform_status.take());
        match verdict {
            Ok(platform) => self.platform = platform,
            Err(violations) => self.refuse("default", joined(&violations)),
        }
    }

    fn reconcile_observability(&mut self, spec: &Value) {
        let written: AgentObservability = match resource("AgentObservability", "support", spec) {
            Ok(written) => written,
            Err(error) => return self.refuse("support", error),
        };
        let facts = ObservabilityFacts { platform: self.platform.clone(), ..ObservabilityFacts::default() };
        let verdict = validate::observability(&written, &facts);
        if verdict.is_ok() {
            self.referred = Some(Referred::of(&written.spec));
        }
        let (old, generation) = (self.observability.clone(), self.generation);
        let say = |outcome| report::observability(outcome, old.as_ref(), generation, now()).or(old.clone());
        if written.spec.suspend {
            self.observability = say(ObservabilityOutcome::Suspended);
            return;
        }
        match verdict {
            Ok(valid) => {
                let parts = render::observability(&valid);
                let became = |artifacts: &Artifacts| {
                    artifacts.0.iter().map(|one| (child_name(one), Application::AsDesired)).collect()
                };
                let applications = parts.iter().map(|(part, artifacts)| (*part, became(artifacts))).collect();
                let sighting = if self.platform.prometheus.is_some() {
                    Sighting::Pending
                } else {
                    Sighting::NoPrometheus
                };
                self.observability = say(ObservabilityOutcome::Judged {
                    observability: &valid,
                    applications: &applications,
                    sighting: &sighting,
                });
                let artifacts = Artifacts(parts.into_values().flat_map(|part| part.0).collect());
                self.enforce("support", artifacts, &written);
            }
            Err(violations) => {
                self.observability = say(ObservabilityOutcome::Rejected(&violations));
                self.refuse("support", joined(&violations));
            }
        }
    }

    fn reconcile_slo(&mut self, name: &str, spec: &Value) {
        let written: AgentSlo = match resource("AgentSLO", name, spec) {
            Ok(written) => written,
            Err(error) => return self.refuse(name, error),
        };
        let refers = written.spec.observability_ref.as_ref().is_some_and(|of| of.name == "support");
        if refers && self.refused.contains_key("support") {
            self.behind.insert(name.to_owned());
        }
        let (old, generation) = (self.slos.get(name).cloned(), self.generation);
        let facts = SloFacts {
            platform: self.platform.clone(),
            observability: self.referred(&written),
            older_in_namespace: 1,
            traffic: None,
        };
        let reading =
            if self.platform.prometheus.is_some() { Reading::Pending } else { Reading::NoPrometheus };
        let verdict = validate::slo(&written, &facts);
        let outcome = match &verdict {
            _ if written.spec.suspend => Outcome::Suspended,
            Ok(slo) => Outcome::Judged(Judgement {
                slo,
                application: &Application::AsDesired,
                acceptance: &Acceptance::NotReported,
                reading: &reading,
                duplicate_of: None,
            }),
            Err(violations) => Outcome::Rejected { violations, in_force: None },
        };
        let status = report::slo(outcome, old.as_ref(), generation, now());
        self.slos.extend(status.map(|status| (name.to_owned(), status)));
        match verdict {
            _ if written.spec.suspend => {}
            Ok(slo) => self.enforce(name, render::slo(&slo), &written),
            Err(violations) => self.refuse(name, joined(&violations)),
        }
    }

    /// What an AgentSLO finds where it refers to.
    fn referred(&self, slo: &AgentSlo) -> Option<Referred> {
        match slo.spec.observability_ref.as_ref()?.name.as_str() {
            "support" => self.referred.clone(),
            "second" => {
                let spec = json!({"agent": "support-agent", "telemetry": {"profile": "GenAI"}});
                let second: AgentObservability = resource("AgentObservability", "second", &spec).ok()?;
                Some(Referred::of(&second.spec))
            }
            _ => None,
        }
    }

    fn enforce<K: Resource<DynamicType = ()>>(&mut self, name: &str, artifacts: Artifacts, owner: &K) {
        let owner = owner.controller_owner_ref(&()).expect("every resource here has a name and a UID");
        let artifacts = artifacts.0.into_iter().map(|artifact| artifact.owned_by(owner.clone()));
        let live = |object: &Value| Existing::Live { object: object.clone(), known: None };
        let existing: BTreeMap<ChildName, Existing> = self
            .children
            .iter()
            .filter(|((owner, _), _)| owner == name)
            .map(|((_, child), object)| (child.clone(), live(object)))
            .collect();
        let installed: BTreeSet<ArtifactKind> = ArtifactKind::ALL.into();
        let plan = plan(Artifacts(artifacts.collect()), &existing, &installed);
        assert_eq!(plan.cannot, [], "everything is installed and nobody else is here");
        for artifact in plan.apply {
            let applied = self.server.apply_now(FIELD_MANAGER, &artifact.to_value());
            self.children.insert((name.to_owned(), child_name(&artifact)), applied);
        }
        for pruned in plan.prune {
            let gone = self.children.remove(&(name.to_owned(), pruned));
            self.server.delete_now(&gone.expect("only what is there should be pruned"));
        }
    }

    fn refuse(&mut self, name: &str, why: String) {
        self.refused.insert(name.to_owned(), why);
    }
}

/// What was asked for, and who asked for it; not which version of the object it is.
fn content(object: &Value) -> Value {
    let mut content = object.clone();
    let metadata = content["metadata"].as_object_mut().expect("an object should have metadata");
    metadata.retain(|name, _| {
        !["resourceVersion", "generation", "uid", "creationTimestamp"].contains(&name.as_str())
    });
    content
}

fn resource<K: serde::de::DeserializeOwned>(kind: &str, name: &str, spec: &Value) -> Result<K, String> {
    let mut metadata = json!({"name": name, "uid": format!("uid-of-{name}")});
    if kind != "AgentPlatform" {
        metadata["namespace"] = "team-a".into();
    }
    let resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec,
    });
    serde_json::from_value(resource).map_err(|error| error.to_string())
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn joined(violations: &agentslo::domain::violation::Violations) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn timeless(status: &impl Serialize) -> Value {
    let mut status = serde_json::to_value(status).expect("a status should serialise");
    if let Some(fields) = status.as_object_mut() {
        fields.remove("observedGeneration");
    }
    for condition in
        status["conditions"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
    {
        condition.retain(|name, _| name != "observedGeneration" && name != "lastTransitionTime");
    }
    status
}
