//! Asking Prometheus or Alertmanager to read its files again.

use crate::loopback;

/// What came of it.
pub(crate) enum Reload {
    /// The files are in force.
    Done,
    /// The old ones stay in force; why.
    Refused(String),
}

/// Asks once.
///
/// # Errors
/// If there is no answer.
pub(crate) async fn reload(url: &str) -> Result<Reload, reqwest::Error> {
    let answer = loopback::client().post(format!("{url}/-/reload")).send().await?;
    if answer.status().is_success() {
        return Ok(Reload::Done);
    }
    Ok(Reload::Refused(answer.text().await?))
}
