//! OTLP over gRPC. What is answered with `UNAVAILABLE` is to be sent again.

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::LogsService;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use tonic::{Request, Response, Status};

use super::take::Sink;

#[tonic::async_trait]
impl LogsService for Sink {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let answer = self.take(request.get_ref()).await;
        answer.map(Response::new).map_err(|busy| Status::unavailable(busy.to_string()))
    }
}
