//! OTLP over gRPC. What is answered with `UNAVAILABLE` is to be sent again.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsService;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use tonic::{Request, Response, Status};

use super::http::{answer, now};
use super::queue::Queue;
use crate::intake::{self, Policy};

/// Receives logs.
#[derive(Clone, Debug)]
pub(super) struct LogsSink {
    /// Where events wait.
    pub(super) queue: Queue,
    /// What of them is kept.
    pub(super) policy: Arc<Policy>,
}

#[tonic::async_trait]
impl LogsService for LogsSink {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let intake = intake::logs(request.get_ref(), &self.policy, now());
        let answer = answer(&intake);
        match self.queue.enter(intake.received).await {
            Ok(()) => Ok(Response::new(answer)),
            Err(busy) => Err(Status::unavailable(busy.to_string())),
        }
    }
}
