//! PromQL of people, in the indicator `raw`: what is accepted stays in the namespace and parses with what was
//! put around it.

use std::cell::Cell;

use serde_json::json;

use super::changes::changed;
use super::judgement::{Documents, Judgement, resource};
use super::{consumers, fuzz};
use crate::example;
use crate::faults::values;
use crate::promql::{demands, parsed, rules_of, selectors, texts};

pub(super) const TARGET: &str = "queries";

/// Longest query that is begun with; people do not write longer ones.
const LONGEST_SEED: usize = 600;

/// Queries as people write them, and as the examples' rules have them.
fn seeds() -> Vec<Vec<u8>> {
    let own = [
        "sum(increase(errors_total[$window]))",
        "sum by (model) (increase(requests_total{code=~\"5..\", team!=\"x\"}[$window]))",
        "sum(increase(a_total[$window])) - sum(increase(b_total[$window] offset 5m)) or vector(0)",
        "sum(increase({\"http.errors\", env=\"prod\"}[$window]))",
        "histogram_count(sum(increase(latency_seconds[$window]))) * 0.5",
        "sum(max_over_time((up == 0)[$window:1m]) unless on (job) absent(up{job='a'}))",
        "count_values(\"v\", topk(3, label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\"))) > bool 1 and on () x @ end()",
    ];
    // As if the rules of the examples had been written by hand, for this namespace.
    let rendered = example::all().into_iter().flat_map(|example| rules_of(&example.slo)).map(|rule| {
        rule.expr.replace("[5m]", "[$window]").replace("namespace=\"support\"", "namespace=\"team-a\"")
    });
    let rendered = rendered.filter(|query| query.contains("$window") && query.len() < LONGEST_SEED);
    own.map(str::to_owned).into_iter().chain(rendered).map(String::into_bytes).collect()
}

#[test]
fn whatever_query_is_accepted_stays_in_its_namespace() {
    let accepted = Cell::new(0_u32);
    fuzz(TARGET, 250, &changed(seeds(), 3), |query| {
        let query = String::from_utf8_lossy(query).into_owned();
        let total = "sum(increase(requests_total[$window]))";
        let spec = json!({
            "agent": "support-agent",
            "objective": "99",
            "window": "30d",
            "indicator": {"raw": {"bad": query, "total": total}},
        });
        let judgement = Judgement::of(&Documents {
            platform: resource("AgentPlatform", "default", &values::platform()),
            observability: resource("AgentObservability", "support", &json!({"agent": "support-agent"})),
            slo: resource("AgentSLO", "checkout", &spec),
        });
        judgement.check_refusals()?;
        judgement.check_admission()?;
        judgement.artifacts().iter().try_for_each(consumers::check)?;
        let Some(slo) = &judgement.slo else { return Ok(()) };
        accepted.set(accepted.get() + 1);
        for text in rules_of(slo).iter().flat_map(texts) {
            for selector in selectors(&parsed(&text)) {
                if !demands(&selector, "namespace", "team-a") {
                    return Err(format!("a selector is not bound to the namespace: {text}"));
                }
            }
        }
        Ok(())
    });
    assert!(accepted.get() > 50, "too few queries are accepted for this to mean anything: {accepted:?}");
}
