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
