//! One Prometheus: how it is reached, and what it is trusted with.

use std::time::Duration;

use prometheus_http_query::Client;
use prometheus_http_query::response::PromqlResult;
use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::QueryError;
use super::proxied::Proxied;
use crate::api::v1alpha1::PrometheusEndpoint;

/// Longest time that an answer may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer, unpacked; a budget of ten thousand AgentSLOs has about half of it.
pub(super) const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// What the Secrets of an endpoint hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Secrets {
    /// PEM certificates of further authorities.
    pub ca: Option<Vec<u8>>,
    /// Bearer token.
    pub token: Option<String>,
}

/// A client of one Prometheus.
#[derive(Clone)]
pub struct Connection {
    road: Road,
}

/// How requests travel.
#[derive(Clone)]
enum Road {
    /// To the server itself.
    Direct(Client),
    /// Through the API server of a cluster, which forwards them to a Service.
    Proxied(Proxied),
}

/// An answer as it came in, and when the server made it by its own clock.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) at: Option<f64>,
    pub(super) body: Vec<u8>,
}

/// The envelope of every answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<T> {
    status: String,
    data: Option<T>,
    error_type: Option<String>,
    #[serde(default)]
    warnings: Vec<serde::de::IgnoredAny>,
}

impl Connection {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`QueryError::Configuration`] where address or credentials cannot be used.
    pub fn open(endpoint: &PrometheusEndpoint, secrets: &Secrets) -> Result<Self, QueryError> {
        let refuse = |what: &str| QueryError::Configuration(what.to_owned());
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .default_headers(headers(endpoint, secrets)?);
        if let Some(pem) = &secrets.ca {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|_| refuse("the CA Secret holds no PEM certificates"))?;
            builder = certificates.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        let http = builder.build().map_err(|_| refuse("the HTTP client cannot be built"))?;
        let client = Client::from(http, &endpoint.address).map_err(|_| refuse("the address is not a URL"))?;
        Ok(Self { road: Road::Direct(client) })
    }

    /// Goes through the API server, to a Service of its cluster.
    ///
    /// # Errors
    /// [`QueryError::Configuration`] where the address is not that of a Service.
    pub fn through(cluster: kube::Client, endpoint: &PrometheusEndpoint) -> Result<Self, QueryError> {
        Ok(Self { road: Road::Proxied(Proxied::new(cluster, endpoint)?) })
    }

    /// Evaluates a query now.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn query(&self, query: &str) -> Result<PromqlResult, QueryError> {
        Ok(self.query_dated(query).await?.data)
    }

    /// Evaluates a query at a time, in seconds since the epoch.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn query_at(&self, query: &str, at: i64) -> Result<PromqlResult, QueryError> {
        let received = match &self.road {
            Road::Direct(client) => receive(client.query(query).at(at).post_raw().await).await,
            Road::Proxied(proxied) => {
                proxied.get("api/v1/query", &[("query", query), ("time", &at.to_string())]).await
            }
        };
        Ok(unpack(&received?)?.data)
    }

    /// Evaluates a query at every step of a range of time, in seconds since the epoch.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn query_range(
        &self,
        query: &str,
        (start, end): (i64, i64),
        step: u32,
    ) -> Result<PromqlResult, QueryError> {
        let received = match &self.road {
            Road::Direct(client) => {
                receive(client.query_range(query, start, end, f64::from(step)).post_raw().await).await
            }
            Road::Proxied(proxied) => {
                let (start, end, step) = (start.to_string(), end.to_string(), step.to_string());
                let range = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
                proxied.get("api/v1/query_range", &range).await
            }
        };
        Ok(unpack(&received?)?.data)
    }

    /// Evaluates a query now, and says when that was.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub(super) async fn query_dated(&self, query: &str) -> Result<Dated<PromqlResult>, QueryError> {
        let received = match &self.road {
            Road::Direct(client) => receive(client.query(query).post_raw().await).await,
            Road::Proxied(proxied) => proxied.get("api/v1/query", &[("query", query)]).await,
        };
        unpack(&received?)
    }

    /// Reads another path of the API.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, QueryError> {
        Ok(unpack(&self.send(path).await?)?.data)
    }

    /// Reads a path of the API with a limit in it, and says whether more than that was there.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub(super) async fn get_limited<T: DeserializeOwned>(&self, path: &str) -> Result<(T, bool), QueryError> {
        let (dated, is_cut) = unpack_any(&self.send(path).await?)?;
        Ok((dated.data, is_cut))
    }

    async fn send(&self, path: &str) -> Result<Received, QueryError> {
        let client = match &self.road {
            Road::Direct(client) => client,
            Road::Proxied(proxied) => return proxied.get(path, &[]).await,
        };
        let base = client.base_url().as_str().trim_end_matches('/').to_owned();
        let response = client.inner().get(format!("{base}/{path}")).send().await;
        collect(response.map_err(|error| QueryError::Unreachable(cause_of(&error)))?).await
    }
}

/// An answer with the time at which the server made it, in seconds since the epoch by its own clock.
pub(super) struct Dated<T> {
    pub(super) at: Option<f64>,
    pub(super) data: T,
}

async fn receive(
    response: Result<reqwest::Response, prometheus_http_query::Error>,
) -> Result<Received, QueryError> {
    collect(response.map_err(|error| QueryError::Unreachable(cause(&error)))?).await
}

async fn collect(response: reqwest::Response) -> Result<Received, QueryError> {
    let status = response.status().as_u16();
    let at = date(response.headers());
    Ok(Received { status, at, body: read_body(response).await? })
}

fn unpack<T: DeserializeOwned>(received: &Received) -> Result<Dated<T>, QueryError> {
    match unpack_any(received)? {
        (dated, false) => Ok(dated),
        (_, true) => Err(QueryError::Partial),
    }
}

/// The answer, and whether it is only a part of what is there.
fn unpack_any<T: DeserializeOwned>(received: &Received) -> Result<(Dated<T>, bool), QueryError> {
    let answer: Result<Answer<T>, _> = serde_json::from_slice(&received.body);
    let is_success = (200..300).contains(&received.status);
    match answer {
        Ok(Answer { status: said, data: Some(data), warnings, .. }) if said == "success" => {
            Ok((Dated { at: received.at, data }, !warnings.is_empty()))
        }
        Ok(Answer { error_type: Some(kind), .. }) if kind == "bad_data" || kind == "execution" => {
            Err(QueryError::Refused(kind))
        }
        Ok(_) | Err(_) if !is_success => Err(QueryError::Status(received.status)),
        Ok(_) | Err(_) => Err(QueryError::NotPrometheus),
    }
}

pub(super) fn date(headers: &HeaderMap) -> Option<f64> {
    let text = headers.get(DATE)?.to_str().ok()?;
    let time = httpdate::parse_http_date(text).ok()?;
    time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs_f64())
}

fn headers(endpoint: &PrometheusEndpoint, secrets: &Secrets) -> Result<HeaderMap, QueryError> {
    let refuse = |what: &str| QueryError::Configuration(what.to_owned());
    let mut headers = HeaderMap::new();
    if let Some(token) = &secrets.token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| refuse("the token holds characters that no header may have"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some(tenant) = &endpoint.tenant_header {
        let name = HeaderName::from_bytes(tenant.name.as_bytes())
            .map_err(|_| refuse("the tenant header has no legal name"))?;
        let value = HeaderValue::from_str(&tenant.value)
            .map_err(|_| refuse("the tenant header has no legal value"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, QueryError> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|_| QueryError::Unreachable("the answer broke off"))?;
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(QueryError::TooLarge(LARGEST_ANSWER));
        }
        body.extend_from_slice(&chunk);
    }
}

/// The kind of a failure, without anything that a server said.
fn cause(error: &prometheus_http_query::Error) -> &'static str {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<reqwest::Error>())
        .map_or("the connection failed", cause_of)
}

fn cause_of(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() { "no answer within 10 s" } else { "the connection failed" }
}
