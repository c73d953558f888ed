//! An operator that dies at any of its writes, before it is carried out or after it. Its successor ends where
//! an undisturbed one does, and at no moment is there less in force than there should be.

use std::time::Duration;

use serde_json::{Value, json};

use super::outcome::{differences, outcome};
use super::stage::{Stage, namespace, on_a_jumping_clock, pass, resource};
use crate::scenarios::{condition, success_slo};
use crate::support::Moment;

/// Long enough for whatever a dead one left to be found.
const A_WHILE: Duration = Duration::from_mins(2);

/// What is asked for at first and then, and what must hold at every moment from then on.
struct Scenario {
    before: Vec<Value>,
    after: Vec<Value>,
    holds: fn(&[Value]) -> Result<(), String>,
}

impl Scenario {
    /// Has the operator die at every write in turn.
    fn survives(&self) {
        let expected = on_a_jumping_clock(async {
            let stage = self.begin().await;
            pass(A_WHILE).await;
            outcome(&stage.server)
        });
        let mut write = 1;
        while self.dies_at(write, Moment::Before, &expected) {
            assert!(self.dies_at(write, Moment::After, &expected), "write {write} should happen again");
            write += 1;
        }
        assert!(write > 2, "there should be several writes, not {}", write - 1);
    }

    /// Says whether there were so many writes.
    fn dies_at(&self, write: usize, moment: Moment, expected: &super::outcome::Outcome) -> bool {
        on_a_jumping_clock(async {
            let mut stage = self.begin().await;
            let from = stage.server.version();
            let broken = stage.server.cut(write, moment);
            pass(A_WHILE).await;
            let was_broken = *broken.borrow();
            stage.kill(0).await;
            stage.server.mend();
            stage.start(0);
            pass(A_WHILE).await;
            let wrong = differences(&outcome(&stage.server), expected);
            assert!(wrong.is_empty(), "died {moment:?} write {write}: {}", wrong.join("\n"));
            for version in from..=stage.server.version() {
                let holds = (self.holds)(&stage.server.everything_at(version));
                holds.unwrap_or_else(|why| panic!("died {moment:?} write {write}: {why}"));
            }
            was_broken
        })
    }

    /// At rest, and then asked for something else.
    async fn begin(&self) -> Stage {
        let mut stage = Stage::default();
        stage.write(&namespace("team-a", &json!({})));
        self.before.iter().for_each(|object| stage.write(object));
        stage.start(0);
        pass(A_WHILE).await;
        self.after.iter().for_each(|object| stage.write(object));
        stage
    }
}

/// IM1.
#[test]
fn nothing_is_ready_before_its_children_are_there() {
    let after = vec![slo("99"), observability(&json!({"guards": {"toolFailure": {}}, "dashboards": {}}))];
    Scenario {
        before: Vec::new(),
        after,
        holds: |objects| {
            for owner in objects.iter().filter(|object| is_ready(object)) {
                if children(objects, owner).next().is_none() {
                    return Err(format!("{} is ready without children", owner["metadata"]["name"]));
                }
            }
            Ok(())
        },
    }
    .survives();
}

/// IM2 and IM8: rules are replaced in one write, and whichever version of the operator comes next finds old
/// ones or new ones and goes on from there.
#[test]
fn alerts_are_in_force_while_they_are_replaced() {
    let guards = |percent: &str| observability(&json!({"guards": {"toolFailure": {"percent": percent}}}));
    Scenario {
        before: vec![slo("99"), guards("20")],
        after: vec![slo("95"), guards("30")],
        holds: |objects| {
            let with_alerts = objects.iter().filter(|object| {
                object["kind"] == "PrometheusRule" && object.to_string().contains("\"alert\":")
            });
            let count = with_alerts.count();
            if count == 2 { Ok(()) } else { Err(format!("{count} of 2 have alerts")) }
        },
    }
    .survives();
}

/// IM3: what comes under another name is there before what it replaces goes.
#[test]
fn one_form_of_a_dashboard_is_there_while_it_is_replaced_by_another() {
    let delivered = |how: &str| observability(&json!({"dashboards": {"delivery": how}}));
    Scenario {
        before: vec![delivered("ConfigMap")],
        after: vec![delivered("GrafanaDashboard")],
        holds: |objects| {
            let is_dashboard =
                |object: &&Value| object["kind"] == "GrafanaDashboard" || object["kind"] == "ConfigMap";
            let count = objects.iter().filter(is_dashboard).count();
            if count > 0 { Ok(()) } else { Err("there is no dashboard".to_owned()) }
        },
    }
    .survives();
}

/// IM4.
#[test]
fn routes_go_and_come_without_those_of_others() {
    let routed = json!({
        "routing": {
            "page": ["pager"],
            "receivers": [{"name": "pager", "webhook": {"url": {"secret": "pager", "key": "url"}}}],
        },
        "guards": {"toolFailure": {}},
    });
    let theirs = json!({
        "apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "AlertmanagerConfig",
        "metadata": {"namespace": "team-a", "name": "theirs"}, "spec": {"route": {}},
    });
    let is_theirs_there: fn(&[Value]) -> Result<(), String> = |objects| {
        let is_there = objects.iter().any(|object| object["metadata"]["name"] == "theirs");
        if is_there { Ok(()) } else { Err("the route of somebody else is gone".to_owned()) }
    };
    let bare = observability(&json!({"guards": {"toolFailure": {}}}));
    let on = observability(&routed);
    for (before, after) in [(&on, &bare), (&bare, &on)] {
        let before = vec![before.clone(), theirs.clone()];
        Scenario { before, after: vec![after.clone()], holds: is_theirs_there }.survives();
    }
}

fn slo(objective: &str) -> Value {
    let mut slo = success_slo("team-a", "one");
    slo["spec"]["objective"] = objective.into();
    slo
}

fn observability(parts: &Value) -> Value {
    let mut spec = parts.clone();
    spec["agent"] = "support-agent".into();
    resource("AgentObservability", "team-a", "support", &spec)
}

fn is_ready(object: &Value) -> bool {
    condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
}

fn children<'a>(objects: &'a [Value], owner: &'a Value) -> impl Iterator<Item = &'a Value> {
    let uid = &owner["metadata"]["uid"];
    objects.iter().filter(move |object| object["metadata"]["ownerReferences"][0]["uid"] == *uid)
}
