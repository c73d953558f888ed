//! Operators on an API server in memory and on a clock that jumps to whatever comes next, so that nobody
//! waits for a back-off. There is no Prometheus: what is asked over a network takes time.

use std::time::Duration;

use agentslo::controller::{self, Election, Settings};
use agentslo::domain::shard::Shards;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::scenarios::{objective_of, success_slo};
use crate::support::{ApiServer, OPERATORS};

/// Runs something on a clock that jumps.
pub(crate) fn on_a_jumping_clock<T>(run: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime should be built").block_on(run)
}

/// Lets time pass.
pub(crate) async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// An API server and up to two operators, both of which believe that they are alone.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) server: ApiServer,
    operators: [Option<Operator>; 2],
}

struct Operator {
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Stage {
    /// Starts an operator, if it does not run.
    pub(crate) fn start(&mut self, which: usize) {
        self.start_with(which, Settings::default());
    }

    /// Starts an operator that works while it holds the Lease.
    pub(crate) fn start_candidate(&mut self, which: usize) {
        let identity = OPERATORS[which].to_owned();
        let election = Election { lease: "agentslo".to_owned(), shards: Shards::ONE, identity };
        self.start_with(which, Settings { election: Some(election), ..Settings::default() });
    }

    fn start_with(&mut self, which: usize, settings: Settings) {
        let client = self.server.client(OPERATORS[which]);
        self.operators[which].get_or_insert_with(|| {
            let (stop, stopped) = oneshot::channel();
            let told_to_stop = async move { drop(stopped.await) };
            Operator { stop, task: tokio::spawn(controller::run(client, settings, told_to_stop)) }
        });
    }

    /// Ends an operator in the middle of whatever it does.
    pub(crate) async fn kill(&mut self, which: usize) {
        if let Some(operator) = self.operators[which].take() {
            assert!(!operator.task.is_finished(), "an operator should run until it is stopped");
            operator.task.abort();
            let _ = operator.task.await;
        }
    }

    /// Tells an operator to stop, and waits until it has.
    pub(crate) async fn stop(&mut self, which: usize) {
        if let Some(Operator { stop, task }) = self.operators[which].take() {
            stop.send(()).expect("the operator should listen");
            task.await.expect("the operator should not panic").expect("the operator should end well");
        }
    }

    /// Writes an object as somebody who owns what is in it.
    pub(crate) fn write(&self, object: &Value) {
        self.server.apply_now("somebody", object);
    }

    /// What the operators wrote since a point in the log, but for Events.
    pub(crate) fn writes_since(&self, start: usize) -> Vec<String> {
        let log = self.server.log_since(start);
        let written = log.iter().map(|line| &line.request).filter(|request| {
            request.is_write() && request.resource != "events" && OPERATORS.contains(&request.user.as_str())
        });
        written.map(ToString::to_string).collect()
    }
}

/// A resource of the operator's own kinds.
pub(crate) fn resource(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    let mut resource = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    });
    if !namespace.is_empty() {
        resource["metadata"]["namespace"] = namespace.into();
    }
    resource
}

/// A namespace.
pub(crate) fn namespace(name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

/// Long enough for everything that follows from an edit where nothing goes wrong.
pub(crate) const A_WHILE: Duration = Duration::from_secs(40);
/// Long enough for a watch that went silent to be given up.
pub(crate) const SILENCE: Duration = Duration::from_mins(6);

impl Stage {
    /// A namespace with an AgentSLO in force.
    pub(crate) async fn given_slo() -> Self {
        let mut stage = Self::default();
        stage.write(&namespace("team-a", &json!({})));
        stage.write(&slo("99"));
        stage.start(0);
        pass(A_WHILE).await;
        assert_eq!(stage.objective(), "99");
        stage
    }

    /// The only object of a kind in the cluster, if there is one.
    pub(crate) fn only(&self, kind: &str) -> Option<Value> {
        let mut objects = self.server.everything();
        objects.retain(|object| object["kind"] == kind);
        assert!(objects.len() < 2, "there should be one {kind}: {objects:#?}");
        objects.pop()
    }

    /// The objective that the only rules say.
    pub(crate) fn objective(&self) -> String {
        self.only("PrometheusRule").map_or_else(|| "no rules".to_owned(), |rules| objective_of(&rules))
    }

    /// Writes of a kind since a point in the log that were carried out.
    pub(crate) fn written(&self, start: usize, resource: &str) -> usize {
        let of_kind = format!("{resource} ");
        let writes = self.writes_since(start);
        writes.iter().filter(|write| write.contains(&of_kind) && write.ends_with(" 200")).count()
    }
}

/// The AgentSLO that the stage is about, with an objective.
pub(crate) fn slo(objective: &str) -> Value {
    let mut slo = success_slo("team-a", "one");
    slo["spec"]["objective"] = objective.into();
    slo
}
