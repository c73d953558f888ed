//! Events are a courtesy, and nothing waits for one.

use std::time::Duration;

use serde_json::json;

use super::stage::{A_WHILE, Stage, namespace, on_a_jumping_clock, pass, slo};

#[test]
fn an_edit_does_not_wait_for_the_event_about_the_one_before() {
    on_a_jumping_clock(async {
        let mut stage = Stage::default();
        stage.write(&namespace("team-a", &json!({})));
        let path = "/apis/events.k8s.io/v1/namespaces/team-a/events";
        stage.server.delay_once("create", path, Duration::from_mins(2));
        stage.write(&slo("99"));
        stage.start(0);
        pass(A_WHILE).await;
        stage.write(&slo("95"));
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "95");
    });
}
