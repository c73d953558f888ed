//! A real Prometheus whose clock is wrong, and one whose disk is full: what the status says is true, and every
//! rule stays.

use std::time::Duration;

use bed::{Options, Part, eventually};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};

use crate::other_time::{OtherTime, Time};
use crate::stage::{Past, last_mark, write_history};
use crate::support::{COUNTED, Stage, condition};

const NAMESPACE: &str = "ailing";
/// One in a hundred of these runs failed, and one in twenty may.
const PAST: Past = Past { slo: "steady", per_tile: 10, one_bad_in: 100 };

/// So many days of them, a day less than the window: none falls out of it while the test runs, and no figure changes
/// for that reason.
const DAYS: u64 = 29;

struct Ailing {
    stage: Stage,
    time: OtherTime,
}

impl Ailing {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder should be made");
        let history = folder.path().join("history.txt");
        let end = last_mark().expect("the clock should be past 1970");
        write_history(&history, NAMESPACE, &[PAST], DAYS, end).expect("the history should be written");
        let stage = Stage::start(Options::everything().hastened().history(&history), NAMESPACE).await;
        let time = OtherTime::before(stage.bed.prometheus_url()).await;
        let platform = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform",
            "metadata": {"name": "default"}, "spec": {"prometheus": {"address": time.url()}},
        });
        stage.apply(&platform.to_string()).await;
        let slo = "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {name: steady, namespace: ailing}\n\
                   spec: {agent: support-agent, objective: \"95\", queryOffset: 0s, indicator: {success: {}}}\n";
        stage.apply(slo).await;
        Self { stage, time }
    }

    async fn status(&self) -> Value {
        let slo = self.stage.get("agentslo", NAMESPACE, "steady").await;
        slo.expect("it should exist")["status"].clone()
    }

    /// What the status says of the budget, and of what it rests on.
    async fn verdict(&self) -> Value {
        let status = self.status().await;
        let conditions = ["Ready", "RulesAccepted", "DataAvailable", "BudgetHealthy"].map(|type_| {
            let condition = condition(&json!({"status": status}), type_).expect("it is always there");
            json!([type_, condition["status"], condition["reason"]])
        });
        json!({"budget": status["budget"], "sli": status["sli"], "conditions": conditions})
    }

    async fn wait_for(&self, type_: &str, status: &str, reason: &str) -> Value {
        self.stage.wait_for_condition(NAMESPACE, "steady", (type_, status, reason)).await
    }

    /// Errors of rules, as Prometheus tells them.
    async fn errors(&self) -> Vec<String> {
        let answer = reqwest::get(format!("{}/api/v1/rules", self.stage.bed.prometheus_url())).await;
        let answer = answer.expect("Prometheus should answer").bytes().await.expect("all of it");
        let answer: Value = serde_json::from_slice(&answer).expect("Prometheus should speak JSON");
        let groups = answer["data"]["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        rules.filter_map(|rule| rule["lastError"].as_str()).map(str::to_owned).collect()
    }

    /// Lets Prometheus write files of so many bytes at most, as a full disk would.
    fn limit_files(&self, bytes: Option<u64>) {
        let pid = self.stage.bed.server(Part::Prometheus).pid().expect("Prometheus should run");
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let maximum = getrlimit(Resource::Fsize).maximum;
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum })
            .expect("a process of ours may be limited");
    }
}

/// Time for two polls, and some.
const TWO_POLLS: Duration = Duration::from_secs(12);
/// Seconds after which a count is too old, and some.
const TOO_LONG: f64 = 1200.0;

#[tokio::test(flavor = "multi_thread")]
async fn what_ails_prometheus_is_told_and_costs_no_rule() {
    let ailing = Ailing::start().await;
    ailing.wait_for("DataAvailable", "True", "Data").await;
    ailing.wait_for("Ready", "True", "Ready").await;
    let rules = rules(&ailing).await;
    a_wrong_clock_changes_nothing(&ailing).await;
    a_full_disk_is_told(&ailing).await;
    assert_eq!(self::rules(&ailing).await, rules);
    ailing.stage.operator.stop().await;
    ailing.stage.bed.stop().await;
}

async fn a_wrong_clock_changes_nothing(ailing: &Ailing) {
    let before = ailing.verdict().await;
    assert_eq!(before["budget"]["state"], "Met", "{before:#}");
    for seconds in [TOO_LONG, -TOO_LONG] {
        ailing.time.set(Time::Ahead(seconds));
        tokio::time::sleep(TWO_POLLS).await;
        assert_eq!(ailing.verdict().await, before, "{seconds} s ahead");
    }
    ailing.time.set(Time::True);
}

/// What is recorded no more is missed after a quarter of an hour, for which nobody waits here: Prometheus is asked
/// what it will answer then if it goes on like this.
async fn a_full_disk_is_told(ailing: &Ailing) {
    let before = ailing.verdict().await;
    ailing.limit_files(Some(0));
    let fails = async || {
        let errors = ailing.errors().await;
        errors.iter().any(|error| error.contains("file too large")).then_some(())
    };
    eventually(COUNTED, fails).await.expect("rules should fail, because nothing can be written");
    ailing.time.set(Time::Later(TOO_LONG));
    ailing.wait_for("DataAvailable", "False", "SamplesTooOld").await;
    let accepted = ailing.wait_for("RulesAccepted", "False", "RuleFailed").await;
    assert!(accepted["message"].to_string().contains("file too large"), "{accepted}");
    let status = ailing.status().await;
    assert_eq!(status["budget"]["state"], "Stale", "{status:#}");
    assert_eq!(status["sli"], before["sli"], "it is that of the last count");
    let healthy = condition(&json!({"status": status}), "BudgetHealthy").expect("it is always there");
    assert_eq!(healthy["status"], "Unknown");

    ailing.limit_files(None);
    ailing.time.set(Time::True);
    let is_over = async || (ailing.verdict().await == before).then_some(());
    let is_over = eventually(COUNTED, is_over).await;
    assert!(is_over.is_some(), "it should be as before: {:#}", ailing.verdict().await);
}

async fn rules(ailing: &Ailing) -> Vec<Value> {
    let rules = ailing.stage.rules(NAMESPACE).await;
    rules.into_iter().map(|rules| json!([rules["metadata"]["generation"], rules["spec"]])).collect()
}
