//! How long Prometheus keeps its samples.

use k8s_openapi::jiff::Timestamp;
use prometheus_http_query::response::Data;
use serde::Deserialize;

use super::{Connection, QueryError};
use crate::domain::window::Window;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeInfo {
    /// Such as `15d`, `50GiB` or `15d or 50GiB`.
    #[serde(default)]
    storage_retention: String,
    start_time: Option<Timestamp>,
    server_time: Option<Timestamp>,
}

/// How long samples are kept; none where nobody can tell, as of a back end that is no Prometheus.
///
/// # Errors
/// See [`QueryError`].
pub async fn retention(connection: &Connection) -> Result<Option<Window>, QueryError> {
    let info: RuntimeInfo = match connection.get("api/v1/status/runtimeinfo").await {
        Err(QueryError::Status(_) | QueryError::NotPrometheus) => return Ok(None),
        answer => answer?,
    };
    let by_time = parse(&info.storage_retention);
    if !is_by_size(&info.storage_retention) {
        return Ok(by_time);
    }
    let oldest = oldest_sample(connection, &info).await?;
    Ok(by_time.into_iter().chain(oldest).min())
}

/// The first part that is a time.
fn parse(text: &str) -> Option<Window> {
    let time = text.split(" or ").next()?;
    let mut minutes = 0_u32;
    let mut rest = time;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: u32 = rest[..digits].parse().ok()?;
        let unit: String = rest[digits..].chars().take_while(char::is_ascii_alphabetic).collect();
        let factor = match unit.as_str() {
            "m" => 1,
            "h" => 60,
            "d" => 1440,
            "w" => 10_080,
            "y" => 525_600,
            _ => return None,
        };
        minutes = minutes.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[digits + unit.len()..];
    }
    (minutes > 0).then(|| Window::from_minutes(minutes))
}

fn is_by_size(text: &str) -> bool {
    text.split(" or ").any(|part| part.ends_with('B'))
}

/// The age of the oldest samples, in days, where that shows what is kept: if Prometheus has run for
/// longer, older ones were there and are gone.
async fn oldest_sample(connection: &Connection, info: &RuntimeInfo) -> Result<Option<Window>, QueryError> {
    let (Some(started), Some(now)) = (info.start_time, info.server_time) else { return Ok(None) };
    let answer = connection.query("count_over_time((group (up))[90d:1d])").await?;
    let Data::Vector(rows) = answer.data() else { return Err(QueryError::NotPrometheus) };
    // There are ninety to be counted, whatever is answered.
    let days = rows.first().map_or(0.0, |row| row.sample().value()).min(90.0);
    let ran_for_days = now.duration_since(started).as_secs_f64() / 86_400.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let window = Window::from_days(days as u32);
    Ok((days >= 1.0 && ran_for_days > days + 1.0).then_some(window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_is_read_as_prometheus_writes_it() {
        let cases = [
            ("15d", Some("15d"), false),
            ("1y2w", Some("379d"), false),
            ("1d12h or 50GiB", Some("36h"), true),
            ("512MB", None, true),
            ("", None, false),
            ("0s", None, false),
        ];
        for (text, time, by_size) in cases {
            assert_eq!(parse(text).map(|window| window.to_string()).as_deref(), time, "{text}");
            assert_eq!(is_by_size(text), by_size, "{text}");
        }
    }
}
