//! Reads that lag behind: what is decided on old news must not undo what is newer.

use std::time::Duration;

use serde_json::{Value, json};

use super::stage::{A_WHILE, Stage, namespace, on_a_jumping_clock, pass, resource, slo};
use crate::scenarios::condition;
use crate::support::{Ending, OPERATORS};

/// ST1.
#[test]
fn a_list_that_is_behind_never_takes_a_child_back() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        let old = stage.server.version();
        stage.write(&slo("95"));
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "95");
        stage.kill(0).await;
        stage.server.freeze("agentslos", old);
        stage.start(0);
        let start = stage.server.logged();
        pass(A_WHILE).await;
        assert_eq!(stage.written(start, "prometheusrules"), 0);
        assert_eq!(stage.objective(), "95");
        stage.server.thaw();
        pass(A_WHILE).await;
        assert_eq!((stage.objective().as_str(), observed(&stage)), ("95", Some(2)));
    });
}

/// ST2.
#[test]
fn what_was_made_for_a_namesake_is_not_touched() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        stage.server.freeze("agentslos", stage.server.version());
        stage.server.delete_now(&slo("99"));
        stage.write(&slo("95"));
        stage.server.thaw();
        pass(A_WHILE).await;
        let made = stage.only("PrometheusRule");
        let old = stage.server.version();
        // Another operator, which believes in the one that was deleted.
        stage.server.freeze("agentslos", old - 1);
        stage.start(1);
        let namespaces = namespace("team-a", &json!({"tier": "any"}));
        stage.write(&namespaces);
        pass(A_WHILE).await;
        assert_eq!(stage.only("PrometheusRule"), made);
    });
}

/// ST3: an operator that has something to say of an old generation does not say it of the new one.
#[test]
fn a_status_is_about_the_generation_that_it_names() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        let old = stage.server.version();
        stage.write(&slo("95"));
        pass(A_WHILE).await;
        stage.server.freeze("agentslos", old);
        let broken = json!({"defaults": {"pageSeverity": "not a severity"}});
        stage.write(&resource("AgentPlatform", "", "default", &broken));
        stage.start(1);
        pass(Duration::from_mins(15)).await;
        let accepted = stage.only("AgentSLO").and_then(|slo| condition(&slo, "Accepted"));
        assert_eq!(accepted.map(|accepted| accepted["status"].clone()), Some(json!("False")));
        let generations = generations_seen(&stage);
        assert_eq!(generations.last(), Some(&2));
        assert!(generations.is_sorted(), "{generations:?}");
    });
}

/// ST4: of two AgentObservabilities for one agent the older is in force, also while the list is on its way.
#[test]
fn a_list_on_its_way_is_not_taken_for_the_whole() {
    on_a_jumping_clock(async {
        let mut stage = Stage::default();
        stage.write(&namespace("team-a", &json!({})));
        for name in ["a-older", "newer"] {
            let spec = json!({"agent": "support-agent", "guards": {"toolFailure": {}}});
            stage.write(&resource("AgentObservability", "team-a", name, &spec));
        }
        stage.start(0);
        pass(A_WHILE).await;
        let before = stage.only("PrometheusRule");
        assert!(before.is_some(), "the older should have its rules");
        for _ in 0..6 {
            stage.server.fail_once("list", "/apis/agentslo.dev/v1alpha1/agentobservabilities", 500);
        }
        stage.server.end_watches("agentobservabilities", Ending::Gone);
        for tier in ["one", "two", "three"] {
            stage.write(&namespace("team-a", &json!({"tier": tier})));
            pass(Duration::from_secs(5)).await;
            assert_eq!(stage.only("PrometheusRule"), before);
        }
        pass(Duration::from_mins(2)).await;
        assert_eq!(stage.only("PrometheusRule"), before);
    });
}

/// ST5.
#[test]
fn a_write_that_is_not_seen_yet_is_not_made_again() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let start = stage.server.logged();
        stage.server.freeze("prometheusrules", stage.server.version());
        stage.server.freeze("agentslos", stage.server.version() + 1);
        stage.write(&slo("95"));
        for tier in ["one", "two", "three"] {
            pass(Duration::from_secs(3)).await;
            stage.write(&namespace("team-a", &json!({"tier": tier})));
        }
        pass(A_WHILE).await;
        stage.server.thaw();
        pass(A_WHILE).await;
        assert_eq!((stage.objective().as_str(), stage.written(start, "prometheusrules")), ("95", 1));
        let events = stage.server.everything();
        let applied = events.iter().filter(|event| event["reason"] == "RulesApplied");
        let told: Vec<i64> = applied.map(|event| event["series"]["count"].as_i64().unwrap_or(1)).collect();
        assert_eq!(told, [1], "it is said once");
    });
}

/// ST6.
#[test]
fn a_leader_that_slept_writes_nothing_old() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        stage.start(1);
        pass(A_WHILE).await;
        let start = stage.server.logged();
        stage.server.hold(OPERATORS[0], Duration::from_secs(30));
        for objective in ["95", "90"] {
            stage.write(&slo(objective));
            pass(Duration::from_secs(10)).await;
        }
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "90");
        let generation = stage.only("PrometheusRule").map(|rules| rules["metadata"]["generation"].clone());
        assert_eq!(generation, Some(json!(3)), "each edit changes the rules once");
        let writes = stage.written(start, "prometheusrules");
        assert_eq!(writes, 2, "what comes late is refused");
    });
}

/// ST6: it sleeps after its status was written and before it has heard so.
#[test]
fn a_leader_that_slept_goes_on_with_nothing() {
    on_a_jumping_clock(async {
        let mut stage = Stage::default();
        stage.write(&namespace("team-a", &json!({})));
        stage.start_candidate(0);
        pass(A_WHILE).await;
        stage.start_candidate(1);
        pass(A_WHILE).await;
        let status = "/apis/agentslo.dev/v1alpha1/namespaces/team-a/agentslos/one/status";
        stage.server.delay_once("patch", status, Duration::from_secs(1));
        stage.write(&slo("99"));
        pass(Duration::from_millis(500)).await;
        assert_eq!(stage.objective(), "99");
        let start = stage.server.logged();
        stage.server.hold(OPERATORS[0], Duration::from_mins(1));
        pass(Duration::from_mins(2)).await;
        let log = stage.server.log_since(start);
        let by = |operator: &str| -> Vec<String> {
            let requests = log.iter().map(|line| &line.request);
            let own = requests.filter(|request| {
                request.user == operator && request.is_write() && request.resource != "leases"
            });
            own.map(ToString::to_string).collect()
        };
        assert_eq!(by(OPERATORS[0]), Vec::<String>::new());
        stage.write(&slo("95"));
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "95", "the other is responsible now");
    });
}

/// ST8: the clock of the operator is months ahead of the API server's, and then years behind it.
#[test]
fn transitions_are_dated_by_the_clock_of_the_api_server() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        let told = transitions(&stage);
        assert!(told.iter().all(|time| time.starts_with("2026-01-01T00:00:")), "{told:?}");
        stage.kill(0).await;
        stage.server.set_clock("2050-01-01T00:00:00Z");
        stage.start(0);
        let mut refused = slo("99");
        refused["spec"]["objective"] = "not an objective".into();
        stage.write(&refused);
        pass(A_WHILE).await;
        let told = transitions(&stage);
        assert!(told.iter().any(|time| time.starts_with("2050-01-01T00:00:")), "{told:?}");
        let is_from_the_pod = |time: &String| !time.starts_with("2026-01-01") && !time.starts_with("2050");
        assert!(!told.iter().any(is_from_the_pod), "{told:?}");
    });
}

/// Transition times of the AgentSLO.
fn transitions(stage: &Stage) -> Vec<String> {
    let slo = stage.only("AgentSLO").expect("it should be there");
    let conditions = slo["status"]["conditions"].as_array().cloned().unwrap_or_default();
    assert!(!conditions.is_empty(), "there should be conditions");
    let times = conditions.iter().map(|condition| condition["lastTransitionTime"].as_str());
    times.map(|time| time.unwrap_or_default().to_owned()).collect()
}

fn observed(stage: &Stage) -> Option<i64> {
    stage.only("AgentSLO")?["status"]["observedGeneration"].as_i64()
}

/// Every generation that a status named, in the order of time.
fn generations_seen(stage: &Stage) -> Vec<i64> {
    let versions = 1..=stage.server.version();
    let slos = versions.flat_map(|version| stage.server.everything_at(version));
    slos.filter(|object| object["kind"] == "AgentSLO")
        .filter_map(|slo: Value| {
            let about = condition(&slo, "Ready")?["observedGeneration"].as_i64();
            assert_eq!(about, slo["status"]["observedGeneration"].as_i64());
            about
        })
        .collect()
}

/// A child is read once at a start, when the list of children says that it is there: before, nothing would tell
/// that what was read is still so, and it would be read again.
#[test]
fn a_start_waits_for_the_lists_of_children() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        stage.kill(0).await;
        let start = stage.server.logged();
        stage.server.fail_once("list", "/apis/monitoring.coreos.com/v1/prometheusrules", 500);
        stage.start(0);
        pass(A_WHILE).await;
        let log = stage.server.log();
        let of_rules = log[start..].iter().filter(|line| line.request.resource == "prometheusrules");
        let looks = of_rules.map(|line| (line.request.verb.as_str(), line.request.code));
        let looks: Vec<(&str, u16)> = looks.filter(|(verb, _)| *verb != "watch").collect();
        assert_eq!(looks, [("list", 500), ("list", 200), ("get", 200)]);
    });
}
