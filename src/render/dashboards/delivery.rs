//! How a dashboard reaches Grafana: in a ConfigMap that the sidecar finds by a label, or as a
//! `GrafanaDashboard`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::board::Board;
use crate::api::v1alpha1::{DashboardDelivery, DashboardKind};
use crate::domain::names::suffixed_name;
use crate::domain::observability::Observability;
use crate::foreign::{GrafanaDashboard, GrafanaDashboardSpec, InstanceSelector};
use crate::render::artifact::{Artifact, ArtifactKind};
use crate::render::metadata::metadata;

/// The object that carries a dashboard.
pub(super) fn artifact(
    observability: &Observability,
    delivery: &DashboardDelivery,
    board: Board,
    json: &str,
) -> Artifact {
    match delivery.delivery {
        DashboardKind::ConfigMap => Artifact::ConfigMap(config_map(observability, delivery, board, json)),
        DashboardKind::GrafanaDashboard => {
            Artifact::GrafanaDashboard(grafana_dashboard(observability, delivery, board, json))
        }
    }
}

/// The key has one fixed shape: the sidecar would download what a key on `.url` names.
fn config_map(
    observability: &Observability,
    delivery: &DashboardDelivery,
    board: Board,
    json: &str,
) -> ConfigMap {
    let grafana = &observability.platform().grafana;
    let label = (grafana.sidecar_label.clone(), grafana.sidecar_label_value.clone());
    let mut metadata = named(observability, board, &BTreeMap::from([label]));
    if let (Some(annotation), Some(folder)) = (&grafana.folder_annotation, &delivery.folder) {
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(annotation.clone(), folder.clone());
    }
    let key = format!("{}.json", board.id(observability.namespace(), observability.name()));
    ConfigMap { metadata, data: Some(BTreeMap::from([(key, json.to_owned())])), ..ConfigMap::default() }
}

fn grafana_dashboard(
    observability: &Observability,
    delivery: &DashboardDelivery,
    board: Board,
    json: &str,
) -> GrafanaDashboard {
    let instances = observability.platform().grafana.instance_labels.clone();
    GrafanaDashboard {
        api_version: ArtifactKind::GrafanaDashboard.api_version(),
        kind: ArtifactKind::GrafanaDashboard.name().to_owned(),
        metadata: named(observability, board, &BTreeMap::new()),
        spec: GrafanaDashboardSpec {
            // Only the platform team may send a tenant's dashboards to Grafanas elsewhere.
            allow_cross_namespace_import: !instances.is_empty(),
            instance_selector: InstanceSelector { match_labels: instances },
            folder: delivery.folder.clone(),
            json: json.to_owned(),
        },
    }
}

fn named(observability: &Observability, board: Board, labels: &BTreeMap<String, String>) -> ObjectMeta {
    let name = suffixed_name(observability.name(), &format!("{}-dashboard", board.name()));
    metadata(name, observability.namespace(), labels)
}
