//! An API server in memory, which listens: for more AgentSLOs than a real one on two cores takes in time.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use kube::client::Body;
use serde_json::json;
use tempfile::TempDir;

use crate::Result;
use crate::apiserver::{ApiServer, OPERATOR};

/// Changes that it remembers, which is far more than anybody is behind. Each holds two objects.
const CHANGES: usize = 20_000;

/// It, and where it listens.
pub(crate) struct Model {
    pub(crate) server: ApiServer,
    address: SocketAddr,
    folder: TempDir,
}

impl Model {
    /// Lets the operator in on a free port.
    pub(crate) async fn start() -> Result<Self> {
        let server = ApiServer::new();
        server.remember(CHANGES);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let served = server.clone();
        let answer = move |request: axum::extract::Request| answer(served.clone(), request);
        let routes = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { server, address, folder: tempfile::tempdir()? })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A kubeconfig of the operator.
    pub(crate) fn kubeconfig(&self) -> Result<PathBuf> {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "model",
            "clusters": [{"name": "model", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": OPERATOR, "user": {}}],
            "contexts": [{"name": "model", "context": {"cluster": "model", "user": OPERATOR}}],
        });
        let file = self.folder().join("kubeconfig");
        std::fs::write(&file, kubeconfig.to_string())?;
        Ok(file)
    }
}

async fn answer(server: ApiServer, request: axum::extract::Request) -> Response {
    let (head, body) = request.into_parts();
    let answer = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => server.answer(OPERATOR, Request::from_parts(head, Body::from(body))).await,
        Err(error) => Err(error.into()),
    };
    answer.unwrap_or_else(|error| (StatusCode::BAD_REQUEST, error.to_string()).into_response())
}
