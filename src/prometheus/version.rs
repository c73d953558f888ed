//! Which Prometheus it is.

use serde::Deserialize;

use super::{Connection, QueryError};

#[derive(Deserialize)]
struct BuildInfo {
    #[serde(default)]
    version: String,
}

/// The version; none where nobody tells, as of a back end that is no Prometheus.
///
/// # Errors
/// See [`QueryError`].
pub async fn version(connection: &Connection) -> Result<Option<String>, QueryError> {
    match connection.get::<BuildInfo>("api/v1/status/buildinfo").await {
        Ok(info) => Ok(Some(info.version).filter(|version| !version.is_empty())),
        Err(QueryError::Status(404) | QueryError::NotPrometheus) => Ok(None),
        Err(error) => Err(error),
    }
}
