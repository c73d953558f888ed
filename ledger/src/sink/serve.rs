//! Runs a sink until it is told to stop, and then until everything that it took is committed.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Control, Handle};
use futures::FutureExt;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsServiceServer;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceServiceServer;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use super::certificate::Certificate;
use super::http;
use super::metrics::Metrics;
use super::queue::{Queue, write};
use super::take::Sink;
use crate::intake::Policy;
use crate::status;
use crate::store::{Access, Ledger};

/// Largest request, in bytes: what a Collector sends at once by default is far less.
pub(super) const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// Where a sink listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// For OTLP over gRPC.
    pub grpc: SocketAddr,
    /// For OTLP over HTTP.
    pub http: SocketAddr,
    /// For probes and metrics, in plain text.
    pub status: SocketAddr,
    /// What encrypts OTLP; without it, it is taken in plain text.
    pub certificate: Option<Certificate>,
}

/// Runs a sink until `stop` is done. Everything that was taken by then is committed before this returns, or was
/// answered with an error.
///
/// # Errors
/// If an address cannot be listened on, or the certificate cannot be used.
pub async fn serve(
    addresses: Addresses,
    policy: Policy,
    access: Access,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (queue, waiting) = Queue::new();
    let metrics = Metrics::new();
    let sink = Sink { queue, policy: Arc::new(policy), metrics: metrics.clone() };
    let (stop, control) = (stop.shared(), Control::new());
    let tls = shown(addresses.certificate, stop.clone()).await?;
    let status = listen(addresses.status, status::routes(metrics.clone()), None, &control)?;
    let http = listen(addresses.http, http::routes(sink.clone()), tls.clone(), &control)?;
    let grpc = listen(addresses.grpc, grpc(sink), tls, &control)?;
    tokio::spawn(stop.map(move |()| control.graceful_shutdown(None)));
    let connect = || async { Ok(Ledger::new(access.connect().await?)) };
    // The queue ends when neither way in is left, and the writer then.
    let (status, http, grpc, ()) = tokio::join!(status, http, grpc, write(waiting, connect, metrics));
    status.and(http).and(grpc)
}

/// The certificate, renewed until `stop` is done.
async fn shown(
    certificate: Option<Certificate>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Option<RustlsConfig>> {
    let Some(certificate) = certificate else { return Ok(None) };
    let shown = certificate.read().await?;
    tokio::spawn(certificate.renew(shown.clone(), stop));
    Ok(Some(shown))
}

/// The services of OTLP.
fn grpc(sink: Sink) -> Router {
    let logs = LogsServiceServer::new(sink.clone())
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(LARGEST_REQUEST);
    let traces = TraceServiceServer::new(sink)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(LARGEST_REQUEST);
    Routes::new(logs).add_service(traces).into_axum_router()
}

/// Listens at once, and answers while what is returned is polled: until it is told to stop, and then until nobody waits
/// for an answer.
fn listen(
    address: SocketAddr,
    routes: Router,
    tls: Option<RustlsConfig>,
    control: &Control,
) -> io::Result<impl Future<Output = io::Result<()>> + use<>> {
    let server = axum_server::from_tcp(TcpListener::bind(address)?)?;
    let server = server.handle(Handle::with_control(control.clone()));
    let service = routes.into_make_service();
    Ok(async move {
        match tls {
            Some(tls) => {
                server.acceptor(RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor)).serve(service).await
            }
            None => server.acceptor(NoDelayAcceptor).serve(service).await,
        }
    })
}
