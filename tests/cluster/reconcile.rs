//! The scenarios on real servers: kube-apiserver with its garbage collector, prometheus-operator and
//! Prometheus. One bed for all of them, for it is dear; each has a namespace of its own.

use std::collections::BTreeSet;

use agentslo::render::ArtifactKind;
use bed::{Bed, Options, Part, eventually};
use kube::api::ListParams;
use kube::core::DynamicObject;
use kube::discovery::{Discovery, verbs};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::permissions::{OPERATOR, granted, used};
use crate::scenarios::{self, Cluster, Request};
use crate::stage;
use crate::support::{SOON, Stage, program};

/// Runs scenarios one after the other, and says which one it is.
macro_rules! run {
    ($cluster:expr, $($name:ident in $namespace:literal),+ $(,)?) => {
        $(
            eprintln!("scenario {}", stringify!($name));
            scenarios::$name($cluster, $namespace).await;
        )+
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_holds_on_real_servers() {
    let cluster = RealCluster::over({
        let options = Options::everything().hastened();
        Stage::start_with(options, "life", &["--leader-elect"]).await
    });
    cluster.stage.apply(NEIGHBOURS).await;
    run! {
        &cluster,
        reconciling_twice_writes_nothing in "twice",
        a_new_slo_gets_its_rules in "new",
        a_changed_child_is_healed in "healed",
        what_is_unset_while_nobody_looks_goes in "unset",
        what_is_added_to_an_alert_is_taken_out in "silenced",
        a_start_writes_no_child_anew in "started",
        an_invalid_edit_keeps_the_old_rules_and_says_why in "edited",
        a_dropped_feature_prunes_only_what_we_own in "pruned",
        prometheus_down_leaves_rules_untouched in "unread",
        forbidden_names_the_permission in "forbidden",
        a_foreign_field_manager_is_left_alone in "shared",
        a_rule_of_somebody_else_is_left_alone in "taken",
        text_of_people_arrives_byte_for_byte in "worded",
        deleting_needs_nothing_from_us in "deleted",
        who_edits_all_the_time_is_told_once in "restless",
        of_two_for_one_agent_the_older_is_in_force in "agents",
        an_agent_that_is_left_goes_to_the_next_in_line in "left",
        an_agent_slo_follows_its_observability in "referring",
        a_refused_observability_changes_no_rule in "referred",
        an_agent_gets_all_that_is_asked_for_and_no_more in "everything",
    }
    prometheus_operator_says_that_it_took_the_rules(&cluster).await;
    credentials_are_read_from_the_operators_namespace(&cluster).await;
    permissions_are_exactly_what_is_used(&cluster);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_prometheus_operator_is_a_condition_not_an_error() {
    let options = Options::nothing().with(Part::Apiserver);
    let bed = Bed::start(options).await.expect("the bed should start");
    stage::install(&bed, "bare").await.expect("the CRDs should install");
    let operator = stage::start_operator(&bed, program(), ("agentslo", "operator"), &[]).await;
    let operator = operator.expect("the operator should start without prometheus-operator");
    let cluster = RealCluster::over(Stage { bed, operator });
    scenarios::a_missing_prometheus_operator_is_a_condition_not_an_error(&cluster, "bare").await;
    cluster.stop().await;
}

async fn prometheus_operator_says_that_it_took_the_rules(cluster: &RealCluster) {
    cluster.wait_for("new", "new", ("RulesAccepted", "True", "Bound")).await;
}

pub(crate) async fn credentials_are_read_from_the_operators_namespace(cluster: &RealCluster) {
    let platform = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: prometheus, namespace: agentslo-system}}\nstringData: {{token: secret}}\n---\n\
         apiVersion: agentslo.dev/v1alpha1\nkind: AgentPlatform\nmetadata: {{name: default}}\n\
         spec:\n  prometheus:\n    address: \"{}\"\n    credentials: {{bearerTokenSecret: {{name: prometheus, key: token}}}}\n",
        cluster.stage.bed.prometheus_url()
    );
    cluster.stage.apply(&platform).await;
    let read = async || {
        used(&cluster.audit_log(), &cluster.user).contains(&("get".into(), "secrets".into())).then_some(())
    };
    eventually(SOON, read).await.expect("the operator should read the token");
}

/// Both ways: nothing is used that is not granted, and nothing is granted that is not used.
fn permissions_are_exactly_what_is_used(cluster: &RealCluster) {
    assert_eq!(cluster.used(), granted());
}

/// A bed with the operator on it.
pub(crate) struct RealCluster {
    pub(crate) stage: Stage,
    client: Client,
    /// Who the operator is to the API server.
    user: String,
}

impl RealCluster {
    pub(crate) fn over(stage: Stage) -> Self {
        Self::over_as(stage, OPERATOR)
    }

    pub(crate) fn over_as(stage: Stage, user: &str) -> Self {
        let client = stage.bed.client("admin").expect("the bed should know its admin");
        Self { stage, client, user: user.to_owned() }
    }

    /// What the operator has done so far, as verbs on resources.
    pub(crate) fn used(&self) -> BTreeSet<(String, String)> {
        let mut used = used(&self.audit_log(), &self.user);
        // An apply that creates needs both verbs; the audit log has one line for it.
        for plural in ArtifactKind::ALL.map(|kind| kind.api_resource().plural) {
            if used.contains(&("patch".to_owned(), plural.clone())) {
                used.insert(("create".to_owned(), plural));
            }
        }
        used
    }

    pub(crate) async fn stop(self) {
        self.stage.operator.stop().await;
        self.stage.bed.stop().await;
    }

    fn audit_log(&self) -> String {
        std::fs::read_to_string(self.stage.bed.logs().join("audit.log"))
            .expect("the API server should keep an audit log")
    }

    /// Waits until the API server agrees that the operator may do something, or may not.
    async fn wait_for_right(&self, verb: &str, resource: &str, wanted: &str) {
        let args = ["auth", "can-i", verb, resource, "--as", &self.user, "-n", "default"];
        let said = async || {
            // It ends with an error where the answer is no.
            let answer = if self.stage.bed.kubectl(&args).await.is_ok() { "yes" } else { "no" };
            (answer == wanted).then_some(())
        };
        eventually(SOON, said).await.expect("the API server should learn of its roles");
    }
}

impl Cluster for RealCluster {
    fn client(&self) -> Client {
        self.client.clone()
    }

    fn tenant(&self) -> Client {
        self.stage.bed.client(TENANT).expect("the options should name the tenant")
    }

    async fn everything(&self) -> Vec<Value> {
        let discovery = Discovery::new(self.client()).run().await.expect("the API server should answer");
        let mut found = Vec::new();
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                if !capabilities.supports_operation(verbs::LIST) || RENEWED.contains(&resource.kind.as_str())
                {
                    continue;
                }
                let api: Api<DynamicObject> = Api::all_with(self.client(), &resource);
                let list = api.list(&ListParams::default()).await.expect("the admin may list everything");
                let with_type = list.items.into_iter().map(|object| {
                    let mut object = serde_json::to_value(object).expect("an object should be JSON");
                    object["kind"] = resource.kind.clone().into();
                    object["apiVersion"] = resource.api_version.clone().into();
                    object
                });
                found.extend(with_type);
            }
        }
        found
    }

    fn requests(&self) -> Vec<Request> {
        let log = self.audit_log();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events
            .filter(|event| event["user"]["username"] == *self.user && event["stage"] == "ResponseComplete")
            .filter_map(|event| request(&event))
            .collect()
    }

    async fn start_operator(&self) {
        self.stage.operator.start().await.expect("the operator should start");
    }

    async fn stop_operator(&self) {
        self.stage.operator.stop().await;
    }

    async fn queries(&self) -> usize {
        let url = format!("{}/metrics", self.stage.bed.prometheus_url());
        let answer = reqwest::get(url).await.expect("Prometheus should answer");
        let text = answer.text().await.expect("metrics should be text");
        let of_queries = |line: &&str| {
            line.starts_with("prometheus_http_requests_total{")
                && line.contains("handler=\"/api/v1/query\"")
                && line.contains("code=\"200\"")
        };
        let line = text.lines().find(of_queries).unwrap_or_default();
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    async fn stop_prometheus(&self) {
        self.stage.bed.server(Part::Prometheus).stop().await;
    }

    async fn start_prometheus(&self) {
        self.stage.bed.server(Part::Prometheus).start().await.expect("Prometheus should come back");
    }

    async fn forbid(&self, verb: &str, resource: &str) {
        let [.., permissions] = stage::RBAC;
        let documents: Vec<Value> = serde_saphyr::from_multiple(permissions).expect("RBAC should parse");
        let role = documents.into_iter().find(|document| document["kind"] == "ClusterRole");
        let mut role = role.expect("RBAC should have a ClusterRole");
        for rule in role["rules"].as_array_mut().expect("a role has rules") {
            let covers = rule["resources"].as_array().is_some_and(|all| all.contains(&json!(resource)));
            if let Some(verbs) = rule["verbs"].as_array_mut().filter(|_| covers) {
                verbs.retain(|granted| granted != verb);
            }
        }
        self.stage.apply(&role.to_string()).await;
        self.wait_for_right(verb, resource, "no").await;
    }

    async fn permit(&self, verb: &str, resource: &str) {
        for text in stage::RBAC {
            self.stage.apply(text).await;
        }
        self.wait_for_right(verb, resource, "yes").await;
    }

    async fn install_prometheus_operator(&self) {
        let crd = "prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml";
        let file = bed::servers_folder().expect("the servers should be found").join(crd);
        let text = std::fs::read_to_string(file).expect("the CRD should be there");
        self.stage.apply(&text).await;
    }
}

/// The bed's user that may write our kinds in one namespace.
pub(crate) const TENANT: &str = "tenant";

/// Kinds of which servers renew their own without a reason.
const RENEWED: [&str; 2] = ["Lease", "ComponentStatus"];

/// The kinds of operators that this one writes for and that no registry has.
pub(crate) const NEIGHBOURS: &str = include_str!("neighbours.yaml");

/// A line of the audit log.
fn request(event: &Value) -> Option<Request> {
    let object = event.get("objectRef")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subresource = object["subresource"].as_str().map(|name| format!("/{name}")).unwrap_or_default();
    Some(Request {
        user: text(&event["user"]["username"]),
        verb: text(&event["verb"]),
        resource: format!("{}{subresource}", text(&object["resource"])),
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: event["responseStatus"]["code"].as_u64().and_then(|code| code.try_into().ok()).unwrap_or(0),
    })
}
