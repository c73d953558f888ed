//! `AlertmanagerConfig` of prometheus-operator, `monitoring.coreos.com/v1alpha1`.

use serde::Serialize;

use super::ForeignObject;

/// Routes and receivers of a namespace.
pub type AlertmanagerConfig = ForeignObject<AlertmanagerConfigSpec>;

/// Routes and receivers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertmanagerConfigSpec {}
