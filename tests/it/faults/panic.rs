//! A mistake of ours that shows with one object only.

use std::time::Duration;

use serde_json::json;

use super::stage::{A_WHILE, Stage, namespace, on_a_jumping_clock, pass, slo};
use crate::scenarios::{condition, success_slo};

/// More than there are reconciliations at once.
const TIMES: usize = 20;

/// It is an error of that object for as long as it lasts, and keeps no other from its rules.
#[test]
fn a_panic_over_one_object_stops_no_other() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let rules = stage.only("PrometheusRule").expect("there should be rules");
        let name = rules["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("/apis/monitoring.coreos.com/v1/namespaces/team-a/prometheusrules/{name}");
        for _ in 0..TIMES {
            stage.server.panic_once("patch", &path);
        }
        stage.write(&slo("95"));
        pass(Duration::from_mins(5) * u32::try_from(TIMES - 1).unwrap_or_default()).await;
        assert_eq!(stage.objective(), "99", "what is in force stays");

        stage.write(&namespace("team-b", &json!({})));
        stage.write(&success_slo("team-b", "other"));
        pass(A_WHILE).await;
        let others = stage.server.all("agentslo.dev/v1alpha1", "agentslos");
        let other = others.iter().find(|slo| slo["metadata"]["name"] == "other");
        let applied = other.and_then(|slo| condition(slo, "RulesApplied"));
        assert_eq!(applied.map(|condition| condition["status"].clone()), Some(json!("True")));
        stage.server.delete_now(&success_slo("team-b", "other"));

        pass(Duration::from_mins(10)).await;
        assert_eq!(stage.objective(), "95", "the mistake is over");
    });
}
