//! Runs a sink until it is told to stop, and then until everything that it took is committed.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::FutureExt;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsServiceServer;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::http::routes;
use super::metrics::Metrics;
use super::queue::{Queue, write};
use super::take::Sink;
use crate::intake::Policy;
use crate::status;
use crate::store::{Access, Ledger};

/// Largest request, in bytes: what a Collector sends at once by default is far less.
pub(super) const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// Where a sink listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// For OTLP over gRPC.
    pub grpc: SocketAddr,
    /// For OTLP over HTTP.
    pub http: SocketAddr,
    /// For probes and metrics.
    pub status: SocketAddr,
}

/// Runs a sink until `stop` is done. Everything that was taken by then is committed before this returns, or was
/// answered with an error.
///
/// # Errors
/// If an address cannot be listened on.
pub async fn serve(
    addresses: Addresses,
    policy: Policy,
    access: Access,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (queue, waiting) = Queue::new();
    let metrics = Metrics::new();
    let sink = Sink { queue, policy: Arc::new(policy), metrics: metrics.clone() };
    let stop = stop.shared();
    let (http, grpc) = (TcpListener::bind(addresses.http).await?, TcpListener::bind(addresses.grpc).await?);
    let status = TcpListener::bind(addresses.status).await?;
    let status = axum::serve(status, status::routes(metrics.clone())).with_graceful_shutdown(stop.clone());
    let over_http = axum::serve(http, routes(sink.clone())).with_graceful_shutdown(stop.clone());
    let logs = LogsServiceServer::new(sink.clone())
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(LARGEST_REQUEST);
    let traces = TraceServiceServer::new(sink)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(LARGEST_REQUEST);
    let services = Server::builder().add_service(logs).add_service(traces);
    let over_grpc = services.serve_with_incoming_shutdown(TcpIncoming::from(grpc), stop);
    let connect = || async { Ok(Ledger::new(access.connect().await?)) };
    // The queue ends when neither way in is left, and the writer then.
    let (status, http, grpc, ()) = tokio::join!(
        async { status.await },
        async { over_http.await },
        over_grpc,
        write(waiting, connect, metrics)
    );
    grpc.map_err(std::io::Error::other)?;
    status.and(http)
}
