//! Somebody else keeps changing a child.

use std::time::Duration;

use serde_json::json;

use super::stage::{A_WHILE, Stage, on_a_jumping_clock, pass};
use crate::scenarios::condition;

#[test]
fn who_keeps_changing_a_child_is_named_and_not_written_against_all_the_time() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let rules = stage.only("PrometheusRule").expect("there should be rules");
        let start = stage.server.logged();
        for _ in 0..120 {
            stage.server.edit_now(&rules, &json!({"spec": {"groups": []}}));
            pass(Duration::from_secs(1)).await;
        }
        let writes = stage.written(start, "prometheusrules");
        assert!((5..=7).contains(&writes), "{writes}: three at once, then after 10, 30 and 90 seconds");
        let (status, reason, message) = rules_applied(&stage);
        assert_eq!((status.as_str(), reason.as_str()), ("False", "Contested"));
        assert!(message.contains("somebody else (somebody) keeps changing it"), "{message}");
        let rules = stage.only("PrometheusRule").expect("they are there");
        assert_eq!(rules["spec"]["groups"], json!([]), "they had the last word so far");
        pass(Duration::from_mins(5) + A_WHILE).await;
        assert_eq!(stage.objective(), "99", "we have it when they leave off");
        let (status, reason, _) = rules_applied(&stage);
        assert_eq!((status.as_str(), reason.as_str()), ("True", "Applied"));
    });
}

#[test]
fn a_change_of_somebody_is_said_also_when_putting_it_right_was_refused_at_first() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let rules = stage.only("PrometheusRule").expect("there should be rules");
        let name = rules["metadata"]["name"].as_str().expect("it has a name");
        let path = format!("/apis/monitoring.coreos.com/v1/namespaces/team-a/prometheusrules/{name}");
        for refusal in [409, 503] {
            pass(Duration::from_hours(2)).await;
            stage.server.fail_once("patch", &path, refusal);
            stage.server.edit_now(&rules, &json!({"spec": {"groups": []}}));
            pass(A_WHILE).await;
            assert_eq!(stage.objective(), "99");
        }
        let events = stage.server.everything();
        let drifts = events.iter().filter(|event| event["reason"] == "DriftCorrected");
        let told: Vec<i64> = drifts.map(|event| event["series"]["count"].as_i64().unwrap_or(1)).collect();
        assert_eq!(told, [2], "somebody changed it twice");
    });
}

/// Status, reason and message of the condition about the rules.
fn rules_applied(stage: &Stage) -> (String, String, String) {
    let slo = stage.only("AgentSLO").expect("it should be there");
    let condition = condition(&slo, "RulesApplied").expect("it is always there");
    let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}
