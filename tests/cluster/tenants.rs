//! Two tenants on a real API server: what one does changes nothing outside its namespace.

use bed::{Bed, Options, Part};
use serde_json::json;

use crate::reconcile::{NEIGHBOURS, RealCluster, TENANT};
use crate::scenarios;
use crate::stage;
use crate::support::{Stage, program};

/// What a tenant may do besides writing our kinds: the scenario has it claim children of its neighbour.
const BESIDES: [(&str, &str); 1] = [("monitoring.coreos.com", "prometheusrules")];

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_changes_nothing_outside_its_namespace() {
    let options = Options::nothing().with(Part::ControllerManager).with(Part::MonitoringCrds);
    let bed = Bed::start(options.user(TENANT, &[])).await.expect("the bed should start");
    stage::install(&bed, "a-b").await.expect("the CRDs should install");
    bed.apply_yaml(NEIGHBOURS).await.expect("the kinds of neighbours should install");
    permit_tenant(&bed).await;
    let operator = stage::start_operator(&bed, program(), ("agentslo", "operator"), &[]).await;
    let operator = operator.expect("the operator should start");
    let cluster = RealCluster::over(Stage { bed, operator });
    scenarios::a_tenant_changes_nothing_outside_its_namespace(&cluster).await;
    cluster.stop().await;
}

async fn permit_tenant(bed: &Bed) {
    let mut rules: Vec<_> = BESIDES
        .iter()
        .map(|(group, plural)| json!({"apiGroups": [group], "resources": [plural], "verbs": ["create", "patch"]}))
        .collect();
    rules.push(json!({
        "apiGroups": ["agentslo.dev"], "resources": ["agentslos", "agentobservabilities"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    }));
    let metadata = json!({"name": TENANT, "namespace": "a-b"});
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": TENANT},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": TENANT}],
    });
    for object in [role, binding] {
        bed.apply_yaml(&object.to_string()).await.expect("the tenant should be permitted");
    }
}
