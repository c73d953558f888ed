//! The operator as `agentslo run` starts it, on stand-ins for the API server and Prometheus.

use std::sync::Arc;
use std::time::Duration;

use agentslo::controller::{self, Settings};
use agentslo::render::ArtifactKind;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use super::apiserver::{ApiServer, Logged, OPERATOR};
use super::prometheus::FakePrometheus;
use crate::scenarios::{Cluster, Request};

/// Time between two polls of Prometheus: short, for nobody should wait for it here.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The operator and what it talks to.
pub(crate) struct FakeCluster {
    pub(crate) server: ApiServer,
    prometheus: Mutex<FakePrometheus>,
    operator: Mutex<Option<Operator>>,
}

struct Operator {
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl FakeCluster {
    /// Every server, an AgentPlatform that names Prometheus, and the operator.
    pub(crate) async fn start() -> Self {
        let cluster = Self::without_operator().await;
        cluster.start_operator().await;
        cluster
    }

    /// The same, where prometheus-operator is not installed.
    pub(crate) async fn start_bare() -> Self {
        let cluster = Self::without_operator().await;
        cluster.server.uninstall("prometheusrules");
        cluster.start_operator().await;
        cluster
    }

    /// The same without the operator.
    pub(crate) async fn without_operator() -> Self {
        // The client of Prometheus needs one; another test may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = ApiServer::new();
        let evaluated = server.clone();
        let prometheus = FakePrometheus::start(Arc::new(move || groups_in_force(&evaluated))).await;
        let platform = json!({
            "apiVersion": "agentslo.dev/v1alpha1",
            "kind": "AgentPlatform",
            "metadata": {"name": "default"},
            "spec": {"prometheus": {"address": prometheus.url()}},
        });
        let cluster = Self { server, prometheus: Mutex::new(prometheus), operator: Mutex::default() };
        cluster.apply(&platform).await;
        cluster
    }

    /// Ends the operator in the middle of whatever it does.
    pub(crate) async fn kill_operator(&self) {
        let operator = self.operator.lock().await.take().expect("the operator should run");
        operator.task.abort();
        let _ = operator.task.await;
    }

    /// What the operator has asked for so far, with paths and times.
    pub(crate) fn log(&self) -> Vec<Logged> {
        let mut log = self.server.log();
        log.retain(|line| line.request.user == OPERATOR);
        log
    }
}

impl Cluster for FakeCluster {
    fn client(&self) -> Client {
        self.server.client("somebody")
    }

    fn tenant(&self) -> Client {
        self.server.client("tenant")
    }

    async fn everything(&self) -> Vec<Value> {
        self.server.everything()
    }

    fn requests(&self) -> Vec<Request> {
        self.log().into_iter().map(|line| line.request).collect()
    }

    async fn start_operator(&self) {
        let kinds = ArtifactKind::ALL.into();
        let settings = Settings { poll_interval: POLL_INTERVAL, kinds, ..Settings::default() };
        let (stop, stopped) = oneshot::channel();
        let told_to_stop = async move { drop(stopped.await) };
        let task = tokio::spawn(controller::run(self.server.client(OPERATOR), settings, told_to_stop));
        *self.operator.lock().await = Some(Operator { stop, task });
    }

    async fn stop_operator(&self) {
        let Operator { stop, task } = self.operator.lock().await.take().expect("the operator should run");
        stop.send(()).expect("the operator should listen");
        task.await.expect("the operator should not panic").expect("the operator should end well");
    }

    async fn queries(&self) -> usize {
        self.prometheus.lock().await.queries()
    }

    async fn stop_prometheus(&self) {
        self.prometheus.lock().await.stop().await;
    }

    async fn start_prometheus(&self) {
        self.prometheus.lock().await.resume().await;
    }

    async fn forbid(&self, verb: &str, resource: &str) {
        self.server.forbid(verb, resource);
    }

    async fn permit(&self, verb: &str, resource: &str) {
        self.server.permit(verb, resource);
    }

    async fn install_prometheus_operator(&self) {
        self.server.install("prometheusrules");
    }
}

fn groups_in_force(server: &ApiServer) -> Vec<Value> {
    let rules = server.all("monitoring.coreos.com/v1", "prometheusrules");
    rules.iter().flat_map(|rule| rule["spec"]["groups"].as_array().cloned().unwrap_or_default()).collect()
}
