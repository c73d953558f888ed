//! From an endpoint to a connection: reads the Secrets that it refers to.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::context::Context;
use crate::api::v1alpha1::{PrometheusEndpoint, SecretKey};
use crate::prometheus::{Connection, QueryError, Secrets};

/// Connects to a Prometheus, with the Secrets of the operator's namespace.
pub(super) async fn connect(
    endpoint: &PrometheusEndpoint,
    operator_namespace: &str,
    ctx: &Context,
) -> Result<Connection, QueryError> {
    let ca = endpoint.tls.as_ref().and_then(|tls| tls.ca_secret.as_ref());
    let token =
        endpoint.credentials.as_ref().and_then(|credentials| credentials.bearer_token_secret.as_ref());
    let mut secrets = Secrets::default();
    if let Some(key) = ca {
        secrets.ca = Some(secret(key, operator_namespace, ctx).await?);
    }
    if let Some(key) = token {
        let token = String::from_utf8(secret(key, operator_namespace, ctx).await?);
        secrets.token =
            Some(token.map_err(|_| QueryError::Configuration("the token is not text".to_owned()))?);
    }
    Connection::open(endpoint, &secrets)
}

async fn secret(key: &SecretKey, namespace: &str, ctx: &Context) -> Result<Vec<u8>, QueryError> {
    let api: Api<Secret> = Api::namespaced(ctx.client.clone(), namespace);
    let secret = api.get_opt(&key.name).await.ok().flatten();
    let value = secret.and_then(|secret| secret.data?.remove(&key.key));
    let missing =
        || format!("Secret '{}' with key '{}' cannot be read in namespace '{namespace}'", key.name, key.key);
    value.map(|value| value.0).ok_or_else(|| QueryError::Configuration(missing()))
}
