//! Two tenants on a real API server: what one does changes nothing outside its namespace.

use bed::{Bed, Options, Part, eventually};
use serde_json::json;

use crate::reconcile::{NEIGHBOURS, RealCluster, TENANT};
use crate::refusal;
use crate::scenarios::{self, success_slo};
use crate::stage;
use crate::support::{SOON, Stage, program};

/// What a tenant may do besides writing our kinds: the scenario has it claim children of its neighbour.
const BESIDES: [(&str, &str); 1] = [("monitoring.coreos.com", "prometheusrules")];

/// Where the scenario has its tenant.
const TENANTS_NAMESPACE: &str = "a-b";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_changes_nothing_outside_its_namespace() {
    let options = Options::nothing().with(Part::ControllerManager).with(Part::MonitoringCrds);
    let bed = Bed::start(options.user(TENANT, &[TENANTS_NAMESPACE])).await.expect("the bed should start");
    stage::install(&bed, TENANTS_NAMESPACE).await.expect("the CRDs should install");
    bed.apply_yaml(NEIGHBOURS).await.expect("the kinds of neighbours should install");
    permit_tenant(&bed).await;
    let operator = stage::start_operator(&bed, program(), ("agentslo", "operator"), &[]).await;
    let operator = operator.expect("the operator should start");
    let cluster = RealCluster::over(Stage { bed, operator });
    scenarios::a_tenant_changes_nothing_outside_its_namespace(&cluster).await;
    cluster.stop().await;
}

/// The Role of the guide, and what the scenario needs besides.
async fn permit_tenant(bed: &Bed) {
    let role = guide().into_iter().find(|block| block.contains("kind: RoleBinding"));
    let role = role.expect("the guide should have a RoleBinding").replace("team-a", TENANTS_NAMESPACE);
    bed.apply_yaml(&role).await.expect("the guide's Role should be accepted");
    let metadata = json!({"name": "besides", "namespace": TENANTS_NAMESPACE});
    let rules: Vec<_> = BESIDES
        .iter()
        .map(|(group, plural)| json!({"apiGroups": [group], "resources": [plural], "verbs": ["create"]}))
        .collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "besides"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": TENANT}],
    });
    for object in [role, binding] {
        bed.apply_yaml(&object.to_string()).await.expect("the tenant should be permitted");
    }
}

/// The YAML of the guide on tenants.
fn guide() -> Vec<String> {
    let guide = include_str!("../../docs/guides/tenants.md");
    let blocks =
        guide.split("```yaml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()));
    blocks.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guide_shows_is_accepted_and_does_what_it_says() {
    let bed = Bed::start(Options::default()).await.expect("the bed should start");
    stage::install(&bed, "team-a").await.expect("the CRDs should install");
    let objects: Vec<String> = guide().into_iter().filter(|block| block.contains("kind: ")).collect();
    assert!(objects.len() > 3, "the guide should show objects: {objects:?}");
    for block in objects {
        bed.apply_yaml(&block).await.unwrap_or_else(|error| panic!("{block}: {error:?}"));
    }
    let mut slo = success_slo("team-a", "checkout");
    let refused = async || refusal(&bed, &slo.to_string()).await;
    let said = eventually(SOON, refused).await.expect("an AgentSLO without a team should be refused");
    assert!(said.contains("spec.alerting.labels must have 'team', for example {team: support}"), "{said}");
    slo["spec"]["alerting"] = json!({"labels": {"team": "support"}});
    assert_eq!(refusal(&bed, &slo.to_string()).await, None);
    bed.stop().await;
}
