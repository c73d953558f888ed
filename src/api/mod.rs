//! What people write: the wire types of the custom resources, by API version.

pub mod v1alpha1;
