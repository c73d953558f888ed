//! Which AgentSLOs promise what an older one in their namespace promises already.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::domain::slo::Slo;
use crate::prometheus::SloKey;

/// AgentSLOs of one agent that repeat none.
type Firsts = Vec<(SloKey, Arc<Slo>)>;

/// For each AgentSLO that repeats an older one, the name of the oldest.
pub(super) fn duplicates(mut slos: Vec<(Option<Time>, SloKey, Arc<Slo>)>) -> BTreeMap<SloKey, String> {
    slos.sort_by(|(one, one_key, _), (other, other_key, _)| (one, one_key).cmp(&(other, other_key)));
    let mut firsts: BTreeMap<(String, String), Firsts> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (_, key, slo) in slos {
        let of_agent = firsts.entry((key.namespace.clone(), slo.agent().to_owned())).or_default();
        match of_agent.iter().find(|(_, first)| first.repeats(&slo)) {
            Some((first, _)) => {
                found.insert(key, first.name.clone());
            }
            None => of_agent.push((key, slo)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1alpha1::AgentSlo;
    use crate::validate::{self, SloFacts};
    use serde_json::json;

    fn slo(name: &str, namespace: &str, change: &serde_json::Value) -> (Option<Time>, SloKey, Arc<Slo>) {
        let mut spec = json!({"agent": "a", "objective": "99", "indicator": {"success": {}}});
        let change = change.as_object().expect("changes should be an object").clone();
        change.into_iter().for_each(|(field, value)| spec[field] = value);
        let written: AgentSlo = serde_json::from_value(json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        }))
        .expect("the spec should have the shape");
        let valid = validate::slo(&written, &SloFacts::default()).expect("the spec should be valid");
        (None, SloKey { namespace: namespace.to_owned(), name: name.to_owned() }, Arc::new(valid))
    }

    #[test]
    fn only_the_same_promise_in_the_same_namespace_is_a_repetition() {
        let same = json!({});
        let slos = vec![
            slo("c", "team", &json!({"objective": "95", "description": "other words"})),
            slo("b", "team", &same),
            slo("a", "team", &same),
            slo("d", "team", &json!({"window": "7d"})),
            slo("e", "team", &json!({"agent": "b"})),
            slo("f", "team", &json!({"groupBy": ["model"]})),
            slo("g", "team", &json!({"indicator": {"latency": {"threshold": "60s"}}})),
            slo("h", "other", &same),
        ];
        let found: Vec<(String, String)> =
            duplicates(slos).into_iter().map(|(key, first)| (key.name, first)).collect();
        assert_eq!(found, [("b", "a"), ("c", "a")].map(|(one, other)| (one.to_owned(), other.to_owned())));
    }
}
