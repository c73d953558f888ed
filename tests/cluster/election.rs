//! Several replicas on a real API server: one leads, the others stand by, and shards are shared.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bed::{Bed, Options, Part, Process, eventually};
use serde_json::{Value, json};

use crate::permissions::requests_of;
use crate::stage::{self, start_operator};
use crate::support::{SOON, program, success_slo};

/// How long a Lease is good for.
const LEASE: Duration = Duration::from_secs(15);

/// The API server, prometheus-operator's kinds, and replicas that each are a user of their own.
struct Replicas {
    bed: Bed,
    processes: Vec<Process>,
}

const LEASES: [&str; 5] = ["agentslo", "agentslo-0", "agentslo-1", "agentslo-2", "agentslo-3"];
const USERS: [&str; 3] = ["operator", "operator-2", "operator-3"];

impl Replicas {
    async fn start(count: usize, args: &[&str]) -> Self {
        let options = Options::nothing().with(Part::Apiserver).with(Part::PrometheusOperator);
        let options = USERS[1..].iter().fold(options, |options, user| options.user(user, &[]));
        let bed = Bed::start(options).await.expect("the bed should start");
        stage::install(&bed, "team").await.expect("the CRDs should install");
        // What the chart does with `shards`.
        let names = json!([{"op": "replace", "path": "/rules/1/resourceNames", "value": LEASES}]).to_string();
        let patch =
            ["patch", "role", "agentslo-leases", "-n", "agentslo-system", "--type=json", "-p", &names];
        bed.kubectl(&patch).await.expect("the role should name the Leases of all shards");
        let args = [&["--leader-elect"], args].concat();
        let mut processes = Vec::new();
        for user in &USERS[..count] {
            stage::permit(&bed, user).await.expect("the user should get the operator's rights");
            let replica = start_operator(&bed, program(), (user, user), &args).await;
            processes.push(replica.expect("a replica should be ready, also one that stands by"));
        }
        Self { bed, processes }
    }

    /// Who holds which Lease, by the number of the replica.
    async fn holders(&self) -> BTreeMap<String, usize> {
        // On a busy machine kubectl may wait for too long.
        let args = ["get", "leases", "-n", "agentslo-system", "-o", "json"];
        let list = eventually(SOON, async || self.bed.kubectl(&args).await.ok()).await;
        let list = list.expect("Leases should list");
        let list: Value = serde_json::from_str(&list).expect("it should be JSON");
        let leases = list["items"].as_array().cloned().unwrap_or_default();
        let holder = |lease: &Value| {
            let (name, holder) = (&lease["metadata"]["name"], lease["spec"]["holderIdentity"].as_str()?);
            let replica = USERS.iter().rposition(|user| holder.starts_with(&format!("{user}_")))?;
            Some((name.as_str()?.to_owned(), replica))
        };
        leases.iter().filter_map(holder).collect()
    }

    /// Waits until the holders are as wanted.
    async fn wait_for(&self, what: &str, is_so: impl Fn(&BTreeMap<String, usize>) -> bool) -> Vec<usize> {
        let seen = async || Some(self.holders().await).filter(|holders| is_so(holders));
        let Some(holders) = eventually(SOON, seen).await else {
            panic!("{what}: {:?}", self.holders().await);
        };
        holders.into_values().collect()
    }

    /// Creates an AgentSLO and waits for its rules; says how long that took.
    async fn reconcile(&self, namespace: &str, name: &str, objective: &str) -> Duration {
        let begin = Instant::now();
        self.bed.apply_yaml(&success_slo(namespace, name, objective)).await.expect("it should apply");
        let is_so = async || self.objective(namespace, name).await.filter(|found| found == objective);
        eventually(SOON, is_so).await.expect("the rules should say so");
        begin.elapsed()
    }

    /// Objective that the rules of an AgentSLO say.
    async fn objective(&self, namespace: &str, name: &str) -> Option<String> {
        let child = agentslo::domain::names::child_name("AgentSLO", namespace, name);
        let rules = self
            .bed
            .kubectl(&["get", "prometheusrules", "-n", namespace, &child, "-o", "json"])
            .await
            .ok()?;
        let rules: Value = serde_json::from_str(&rules).ok()?;
        let groups = rules["spec"]["groups"].as_array()?.clone();
        let all = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
        all.filter_map(|rule| rule["labels"]["objective"].as_str()).map(str::to_owned).next()
    }

    /// The rules of a namespace, but for what changes when prometheus-operator says that it took them.
    async fn rules(&self, namespace: &str) -> Value {
        let text = self.bed.kubectl(&["get", "prometheusrules", "-n", namespace, "-o", "json"]).await;
        let list: Value = serde_json::from_str(&text.expect("rules should list")).expect("it should be JSON");
        let mut rules = list["items"].clone();
        for object in rules.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            object.remove("status");
            let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
            metadata
                .expect("an object has metadata")
                .retain(|name, _| name != "resourceVersion" && name != "managedFields");
        }
        rules
    }

    /// Every time that a replica wrote rules.
    fn rule_writes(&self, replica: usize) -> Vec<String> {
        let mut writes = self.writes(replica);
        writes.retain(|request| request.contains("/prometheusrules/"));
        writes
    }

    /// Everything that a replica wrote but for Leases.
    fn writes(&self, replica: usize) -> Vec<String> {
        let log = std::fs::read_to_string(self.bed.logs().join("audit.log")).expect("there should be a log");
        let mut all = requests_of(USERS[replica], &log);
        all.retain(|request| {
            ["patch", "create", "update", "delete"]
                .iter()
                .any(|verb| request.starts_with(&format!("\"{verb}\"")))
                && !request.contains("/leases")
        });
        all
    }

    async fn stop(self) {
        for process in &self.processes {
            process.stop().await;
        }
        self.bed.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over() {
    let replicas = Replicas::start(2, &[]).await;
    let leader = replicas.wait_for("one should lead", |holders| holders.len() == 1).await[0];
    let standby = 1 - leader;
    replicas.reconcile("team", "first", "99").await;
    assert_eq!(replicas.writes(standby), Vec::<String>::new(), "who stands by writes nothing");

    replicas.processes[leader].stop().await;
    let took = replicas.reconcile("team", "second", "99").await;
    eprintln!("after a graceful stop: {took:?} to the first rules");
    assert!(took < LEASE, "a Lease that was given up should not be waited for: {took:?}");

    replicas.processes[leader].start().await.expect("it should start");
    replicas.processes[standby].kill9();
    let took = replicas.reconcile("team", "third", "99").await;
    eprintln!("after a kill: {took:?} to the first rules");
    let holders = replicas.holders().await;
    assert_eq!(holders.into_values().collect::<Vec<_>>(), [leader]);
    replicas.stop().await;
}

/// A leader that is frozen beyond its Lease still believes what it knew before. Nothing of that is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_wakes_up_late_writes_nothing() {
    let replicas = Replicas::start(2, &[]).await;
    let leader = replicas.wait_for("one should lead", |holders| holders.len() == 1).await[0];
    let other = 1 - leader;
    replicas.reconcile("team", "edited", "99").await;
    replicas.processes[leader].pause();
    replicas
        .wait_for("the other should lead", |holders| holders.values().all(|holder| *holder == other))
        .await;
    // The API server has long answered what was under way.
    let before = replicas.writes(leader);
    replicas.reconcile("team", "edited", "95").await;
    let (rules, by_the_other) = (replicas.rules("team").await, replicas.rule_writes(other));
    replicas.processes[leader].resume();
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(replicas.writes(leader), before, "it may not go on as if nothing had happened");
    assert_eq!(replicas.rules("team").await, rules, "{:#?}", replicas.writes(other));
    assert_eq!(replicas.rule_writes(other), by_the_other, "one edit is one write");
    assert_eq!(replicas.holders().await.into_values().collect::<Vec<_>>(), [other]);
    replicas.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_are_shared_and_moved() {
    let replicas = Replicas::start(2, &["--shards", "4"]).await;
    let share = |holders: &BTreeMap<String, usize>, replica: usize| {
        holders.values().filter(|holder| **holder == replica).count()
    };
    let is_even = |holders: &BTreeMap<String, usize>| share(holders, 0) == 2 && share(holders, 1) == 2;
    replicas.wait_for("each should have two", is_even).await;

    // Namespaces in every shard, all of them looked after.
    for number in 0..12 {
        let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: team-{number}}}\n");
        replicas.bed.apply_yaml(&namespace).await.expect("a namespace should apply");
        replicas.reconcile(&format!("team-{number}"), "one", "99").await;
    }
    let namespaces = |replica: usize| -> BTreeSet<String> {
        let writes = replicas.writes(replica);
        let of = |write: &String| Some(write.split("/namespaces/").nth(1)?.split('/').next()?.to_owned());
        writes.iter().filter_map(of).collect()
    };
    let (first, second) = (namespaces(0), namespaces(1));
    assert!(!first.is_empty() && !second.is_empty(), "both should work: {first:?} {second:?}");
    assert_eq!(first.intersection(&second).count(), 0, "nobody should write where another does");

    replicas.processes[1].kill9();
    replicas.wait_for("one should have all", |holders| share(holders, 0) == 4).await;
    for number in 0..12 {
        replicas.reconcile(&format!("team-{number}"), "one", "95").await;
    }
    replicas.processes[1].start().await.expect("it should start");
    replicas.wait_for("each should have two again", is_even).await;
    replicas.stop().await;
}
