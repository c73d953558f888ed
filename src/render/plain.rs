//! Objects of Kubernetes itself. What they are is written as people write it: their types know a thousand fields that
//! we never set, and would be a part of the program that one can measure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::{Map, Value};

use super::ArtifactKind;

/// An object of one of Kubernetes' own kinds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plain {
    #[serde(skip)]
    of: ArtifactKind,
    api_version: String,
    kind: &'static str,
    pub(super) metadata: ObjectMeta,
    /// `spec` and its like.
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Plain {
    /// An object with these fields besides its metadata.
    #[must_use]
    pub(super) fn new(of: ArtifactKind, metadata: ObjectMeta, fields: Map<String, Value>) -> Self {
        Self { of, api_version: of.api_version(), kind: of.name(), metadata, fields }
    }

    /// Its kind.
    #[must_use]
    pub fn of(&self) -> ArtifactKind {
        self.of
    }
}
