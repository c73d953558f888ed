//! Events that are lost, and watches that end badly.

use std::time::Duration;

use agentslo::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};
use serde_json::{Value, json};

use super::stage::{A_WHILE, SILENCE, Stage, namespace, on_a_jumping_clock, pass, resource, slo};
use crate::scenarios::condition;
use crate::support::{Ending, OPERATORS};

/// UN1: the watch is given up when it has been silent for long enough, and goes on where it was.
#[test]
fn an_edit_of_a_child_that_nobody_told_of_is_healed() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let rules = rules(&stage);
        stage.server.end_watches("prometheusrules", Ending::Silent);
        stage.server.edit_now(&rules, &json!({"spec": {"groups": []}}));
        pass(SILENCE).await;
        assert_eq!(stage.objective(), "99");
    });
}

/// UN1: a watch that the server has forgotten begins with a list, and no event tells of what that lacks.
#[test]
fn a_child_that_a_later_list_does_not_have_is_made_anew() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let rules = rules(&stage);
        stage.server.end_watches("prometheusrules", Ending::Gone);
        stage.server.delete_now(&rules);
        stage.server.compact();
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "99");
    });
}

/// UN2.
#[test]
fn a_child_that_somebody_took_meanwhile_is_a_conflict() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let rules = rules(&stage);
        stage.server.freeze("prometheusrules", stage.server.version());
        stage.server.delete_now(&rules);
        let mut theirs = json!({
            "apiVersion": rules["apiVersion"], "kind": rules["kind"], "spec": {"groups": []},
            "metadata": {"name": rules["metadata"]["name"], "namespace": "team-a"},
        });
        stage.write(&theirs);
        stage.server.thaw();
        pass(A_WHILE).await;
        assert_eq!(
            stage.only("PrometheusRule").map(|rules| rules["spec"].clone()),
            Some(json!({"groups": []}))
        );
        assert_eq!(reason(&stage, "RulesApplied"), "Conflict");

        // Ours, by whoever made it: it becomes what it should be.
        stage.server.delete_now(&theirs);
        theirs["metadata"]["ownerReferences"] = rules["metadata"]["ownerReferences"].clone();
        stage.write(&theirs);
        pass(Duration::from_mins(15)).await;
        assert_eq!((stage.objective().as_str(), reason(&stage, "RulesApplied").as_str()), ("99", "Applied"));
    });
}

/// UN3.
#[test]
fn a_spec_that_came_and_went_unseen_leaves_nothing() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let before = stage.only("PrometheusRule");
        let start = stage.server.logged();
        stage.server.freeze("agentslos", stage.server.version());
        for objective in ["95", "99"] {
            stage.write(&slo(objective));
            pass(A_WHILE).await;
        }
        stage.server.thaw();
        pass(A_WHILE).await;
        assert_eq!(stage.only("PrometheusRule"), before);
        assert_eq!(stage.written(start, "prometheusrules"), 0);
        let seen = stage.only("AgentSLO").expect("it should be there");
        assert_eq!(seen["status"]["observedGeneration"], seen["metadata"]["generation"]);
    });
}

/// UN4: the garbage of one that was deleted is in the way for a moment.
#[test]
fn a_namesake_gets_its_rules_when_the_garbage_is_gone() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        stage.kill(0).await;
        stage.server.set_littered(true);
        stage.server.delete_now(&slo("99"));
        stage.write(&slo("95"));
        stage.start(0);
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "99", "it is another's");
        stage.server.collect_garbage();
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "95");
        pass(Duration::from_mins(15)).await;
        assert_eq!(reason(&stage, "RulesApplied"), "Applied");
    });
}

/// UN5.
#[test]
fn a_label_that_went_unseen_takes_its_policy_with_it() {
    on_a_jumping_clock(async {
        let stage = Stage::given_slo().await;
        let spec = json!({
            "ruleLabels": {"release": "canary"}, "namespaceSelector": {"matchLabels": {"tier": "canary"}},
        });
        stage.write(&resource("AgentPlatform", "", "canary", &spec));
        stage.write(&namespace("team-a", &json!({"tier": "canary"})));
        pass(A_WHILE).await;
        let release =
            || stage.only("PrometheusRule").map(|rules| rules["metadata"]["labels"]["release"].clone());
        assert_eq!(release(), Some(json!("canary")));
        stage.server.end_watches("namespaces", Ending::Silent);
        stage.write(&namespace("team-a", &json!({})));
        pass(SILENCE).await;
        assert_eq!(release(), Some(Value::Null));
    });
}

/// UN6.
#[test]
fn however_a_watch_ends_nothing_is_lost_and_nobody_is_hammered() {
    const ALL: [&str; 4] = ["agentslos", "namespaces", "agentplatforms", "prometheusrules"];
    for ending in [Ending::Closed, Ending::Gone, Ending::Truncated, Ending::Silent] {
        on_a_jumping_clock(async {
            let stage = Stage::given_slo().await;
            let start = stage.server.logged();
            for plural in ALL {
                stage.server.end_watches(plural, ending);
                // Too many requests, and then a burst of errors.
                for code in [429, 500, 500, 500] {
                    stage.server.fail_once("watch", path(plural), code);
                    stage.server.fail_once("list", path(plural), code);
                }
            }
            stage.write(&slo("95"));
            pass(SILENCE * 2).await;
            assert_eq!(stage.objective(), "95", "{ending:?}");
            assert_eq!(stage.written(start, "prometheusrules"), 1, "{ending:?}");
            let log = stage.server.log();
            let asked = log.iter().skip(start).filter(|line| {
                line.request.user == OPERATORS[0] && ["list", "watch"].contains(&line.request.verb.as_str())
            });
            let asked = asked.count();
            assert!(asked < 100, "{ending:?}: {asked} lists and watches");
        });
    }
}

/// Where all objects of a kind are.
fn path(plural: &str) -> &'static str {
    match plural {
        "namespaces" => "/api/v1/namespaces",
        "agentslos" => "/apis/agentslo.dev/v1alpha1/agentslos",
        "agentplatforms" => "/apis/agentslo.dev/v1alpha1/agentplatforms",
        _ => "/apis/monitoring.coreos.com/v1/prometheusrules",
    }
}

/// UN7.
#[test]
fn a_kind_that_comes_and_goes_is_a_condition() {
    on_a_jumping_clock(async {
        let mut stage = Stage::default();
        stage.server.uninstall("prometheusrules");
        stage.write(&namespace("team-a", &json!({})));
        stage.write(&slo("99"));
        stage.start(0);
        for objective in ["95", "90"] {
            pass(A_WHILE).await;
            assert_eq!(reason(&stage, "RulesApplied"), "DependencyMissing");
            stage.server.install("prometheusrules");
            pass(Duration::from_mins(1)).await;
            assert_eq!(reason(&stage, "RulesApplied"), "Applied");
            stage.server.uninstall("prometheusrules");
            stage.write(&slo(objective));
        }
    });
}

/// UN8: nobody asks for a kind of which something is left, and whether it is installed cannot be learned at the start.
#[test]
fn what_is_left_of_a_kind_goes_once_it_is_known_to_be_there() {
    on_a_jumping_clock(async {
        let mut stage = Stage::given_slo().await;
        stage.kill(0).await;
        let owner = stage.only("AgentSLO").expect("it should be there");
        let leftover = json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor",
            "metadata": {
                "name": "left", "namespace": "team-a", "labels": {MANAGED_BY_LABEL: MANAGED_BY_VALUE},
                "ownerReferences": [{
                    "apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": true,
                    "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
                }],
            },
        });
        stage.write(&leftover);
        for _ in 0..4 {
            stage.server.fail_once("get", "/apis/monitoring.coreos.com/v1", 500);
        }
        stage.start(0);
        pass(A_WHILE * 2).await;
        assert_eq!(stage.only("PodMonitor"), None);
        assert_eq!((stage.objective().as_str(), reason(&stage, "RulesApplied").as_str()), ("99", "Applied"));
    });
}

fn rules(stage: &Stage) -> Value {
    stage.only("PrometheusRule").expect("there should be rules")
}

fn reason(stage: &Stage, type_: &str) -> String {
    let slo = stage.only("AgentSLO").expect("it should be there");
    let condition = condition(&slo, type_).expect("it is always there");
    condition["reason"].as_str().unwrap_or_default().to_owned()
}
