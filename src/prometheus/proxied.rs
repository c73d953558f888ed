//! The road to a Prometheus through the API server, for whoever has kubectl and nothing else. The API
//! server forwards requests to a Service, and takes the credentials for itself: none reach Prometheus.

use http::Request;
use http::header::{HeaderName, HeaderValue};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use tokio::time::timeout;

use super::QueryError;
use super::connection::{LARGEST_ANSWER, Received, TIMEOUT, date};
use crate::api::v1alpha1::PrometheusEndpoint;

/// A Service behind an API server.
#[derive(Clone)]
pub(super) struct Proxied {
    cluster: kube::Client,
    path: String,
    tenant: Option<(HeaderName, HeaderValue)>,
}

impl Proxied {
    pub(super) fn new(cluster: kube::Client, endpoint: &PrometheusEndpoint) -> Result<Self, QueryError> {
        let refuse = |what: &str| QueryError::Configuration(what.to_owned());
        let path = service_path(&endpoint.address).ok_or_else(|| refuse("the address is not a Service's"))?;
        let tenant = endpoint.tenant_header.as_ref().map(|tenant| {
            let name = HeaderName::from_bytes(tenant.name.as_bytes());
            Some((name.ok()?, HeaderValue::from_str(&tenant.value).ok()?))
        });
        let tenant = tenant.map(|tenant| tenant.ok_or_else(|| refuse("the tenant header is not legal")));
        Ok(Self { cluster, path, tenant: tenant.transpose()? })
    }

    /// Asks by GET: what only reads needs no more than permission to read.
    pub(super) async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Received, QueryError> {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = Request::get(format!("{}/{path}{mark}{}", self.path, query.join("&")));
        if let Some((name, value)) = &self.tenant {
            request = request.header(name, value);
        }
        let request = request
            .body(Body::empty())
            .map_err(|_| QueryError::Configuration("the address is not a URL".to_owned()))?;
        timeout(TIMEOUT, self.send(request))
            .await
            .map_err(|_| QueryError::Unreachable("no answer within 10 s"))?
    }

    async fn send(&self, request: Request<Body>) -> Result<Received, QueryError> {
        let response = self.cluster.send(request).await;
        let response = response.map_err(|_| QueryError::Unreachable("the API server does not forward"))?;
        let (status, at) = (response.status().as_u16(), date(response.headers()));
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let body = body.map_err(|_| QueryError::Unreachable("the answer broke off or is too large"))?;
        Ok(Received { status, at, body: body.to_bytes().to_vec() })
    }
}

/// The path by which the API server forwards to a Service with this address within the cluster; none
/// where it is no Service's.
pub(super) fn service_path(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let mut host = url.host_str()?.split('.');
    let (service, namespace, svc) = (host.next()?, host.next()?, host.next()?);
    let is_service = svc == "svc" && !service.is_empty() && !namespace.is_empty();
    let scheme = if url.scheme() == "https" { "https:" } else { "" };
    let port = url.port_or_known_default()?;
    let path = url.path().trim_end_matches('/');
    is_service
        .then(|| format!("/api/v1/namespaces/{namespace}/services/{scheme}{service}:{port}/proxy{path}"))
}

#[cfg(test)]
mod tests {
    use super::service_path;

    #[test]
    fn only_the_address_of_a_service_goes_through_the_api_server() {
        let cases = [
            ("http://prometheus.monitoring.svc:9090", Some("monitoring/services/prometheus:9090/proxy")),
            ("http://p.m.svc.cluster.local/select/0/", Some("m/services/p:80/proxy/select/0")),
            ("https://p.m.svc", Some("m/services/https:p:443/proxy")),
            ("http://127.0.0.1:9090", None),
            ("https://prometheus.example.com", None),
            ("http://prometheus:9090", None),
            ("nonsense", None),
        ];
        for (address, expected) in cases {
            let expected = expected.map(|path| format!("/api/v1/namespaces/{path}"));
            assert_eq!(service_path(address), expected, "{address}");
        }
    }
}
