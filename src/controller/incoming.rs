//! An object that people write, as it arrives from a watch and as it is kept: there are thousands, and each
//! is looked at once in minutes, so what it says is kept compressed, which takes a third of the space or less.

use std::borrow::Cow;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The fastest level: the usual one, 6, saves six hundredths more.
const LEVEL: u8 = 1;

/// A kind that people write and that is kept.
pub(super) trait Kept: Resource<DynamicType = ()> + DeserializeOwned {
    /// The generation that its status is about.
    fn observed_generation(&self) -> Option<i64>;

    /// What others look it up by.
    fn looked_up_by(&self) -> Option<&str>;
}

/// One object. One that does not fit its schema must not stop the others, so it arrives as well.
#[derive(Clone, Debug)]
pub(super) struct Incoming<K> {
    metadata: ObjectMeta,
    content: Result<Content, Arc<str>>,
    kind: PhantomData<fn() -> K>,
}

/// What an object says, with what is asked of all of them at once beside it.
#[derive(Clone, Debug)]
struct Content {
    observed_generation: Option<i64>,
    looked_up_by: Option<Arc<str>>,
    /// Its JSON without metadata.
    packed: Arc<[u8]>,
}

impl<K: Kept> Incoming<K> {
    /// The object itself.
    ///
    /// # Errors
    /// If it does not fit its schema, with the reason.
    pub(super) fn object(&self) -> Result<K, &str> {
        let content = self.content.as_ref().map_err(|error| &**error)?;
        let json = decompress_to_vec(&content.packed).expect("what was compressed here should be whole");
        let mut object: K = serde_json::from_slice(&json).expect("what was read once should be read again");
        *object.meta_mut() = self.metadata.clone();
        Ok(object)
    }

    /// Whether nothing was said of the present spec yet. Of one that does not fit its schema nothing can be.
    pub(super) fn is_unobserved(&self) -> bool {
        self.content.as_ref().is_ok_and(|content| content.observed_generation != self.metadata.generation)
    }

    /// What others look it up by, where it fits its schema and has such a thing.
    pub(super) fn looked_up_by(&self) -> Option<&str> {
        self.content.as_ref().ok()?.looked_up_by.as_deref()
    }
}

impl<'de, K: Kept> Deserialize<'de> for Incoming<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut whole = Map::deserialize(deserializer)?;
        let metadata = whole.insert("metadata".to_owned(), Value::Object(Map::new())).unwrap_or_default();
        let metadata = ObjectMeta::deserialize(metadata).map_err(D::Error::custom)?;
        let whole = Value::Object(whole);
        let content = match K::deserialize(&whole) {
            Ok(object) => Ok(Content {
                observed_generation: object.observed_generation(),
                looked_up_by: object.looked_up_by().map(Arc::from),
                packed: compress_to_vec(whole.to_string().as_bytes(), LEVEL).into(),
            }),
            Err(error) => Err(error.to_string().into()),
        };
        Ok(Self { metadata: essential(metadata), content, kind: PhantomData })
    }
}

/// What is read of metadata. The rest is most of it: who manages which field, and annotations of tools that
/// hold the object a second time.
fn essential(metadata: ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        generation: metadata.generation,
        creation_timestamp: metadata.creation_timestamp,
        deletion_timestamp: metadata.deletion_timestamp,
        ..ObjectMeta::default()
    }
}

impl<K: Resource> Resource for Incoming<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::v1alpha1::AgentSlo;

    fn slo(objective: &Value) -> Value {
        json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {
                "namespace": "team-a", "name": "one", "uid": "u", "resourceVersion": "7", "generation": 3,
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {
                "agent": "support", "objective": objective, "indicator": {"success": {}},
                "observabilityRef": {"name": "support"},
            },
            "status": {"observedGeneration": 2, "objective": "99%"},
        })
    }

    fn arrive(object: Value) -> Incoming<AgentSlo> {
        serde_json::from_value(object).expect("every object with metadata should arrive")
    }

    #[test]
    fn an_object_comes_back_as_it_was_but_for_metadata_that_nobody_reads() {
        let written = slo(&json!("99"));
        let arrived = arrive(written.clone());
        assert!(arrived.is_unobserved());
        assert_eq!(arrived.looked_up_by(), Some("support"));
        let mut expected: AgentSlo = serde_json::from_value(written).expect("it fits its schema");
        expected.metadata.annotations = None;
        expected.metadata.managed_fields = None;
        let kept = arrived.object().expect("it fits its schema");
        let json = |slo: &AgentSlo| serde_json::to_value(slo).expect("it should be JSON");
        assert_eq!(json(&kept), json(&expected));
    }

    #[test]
    fn one_that_does_not_fit_its_schema_arrives_with_the_reason() {
        let arrived = arrive(slo(&json!({"percent": 99})));
        assert_eq!(arrived.meta().name.as_deref(), Some("one"));
        assert!(!arrived.is_unobserved());
        assert_eq!(arrived.looked_up_by(), None);
        let error = arrived.object().expect_err("an objective is a text");
        assert!(error.contains("expected a string"), "{error}");
    }
}
