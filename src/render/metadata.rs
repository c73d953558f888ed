//! The metadata that everything we make carries.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::vocabulary::{ARGOCD_IGNORE_UPDATES, MANAGED_BY_LABEL, MANAGED_BY_VALUE};

/// Metadata of an artifact, with labels besides our own.
pub(super) fn metadata(name: String, namespace: &str, labels: &BTreeMap<String, String>) -> ObjectMeta {
    let mut labels = labels.clone();
    labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGED_BY_VALUE.to_owned());
    let annotations = [(ARGOCD_IGNORE_UPDATES.to_owned(), "true".to_owned())];
    ObjectMeta {
        name: Some(name),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels),
        annotations: Some(annotations.into_iter().collect()),
        ..ObjectMeta::default()
    }
}
