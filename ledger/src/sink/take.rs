//! What both ways in do with a request.

use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};

use super::queue::{Busy, Queue};
use crate::intake::{self, Intake, Policy};

/// What a request needs. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    /// Where events wait.
    pub(super) queue: Queue,
    /// What of them is kept.
    pub(super) policy: Arc<Policy>,
}

impl Sink {
    /// Has the events of a request entered, and says which could not be.
    ///
    /// # Errors
    /// If they were not, and should be sent again.
    pub(super) async fn take(
        &self,
        request: &ExportLogsServiceRequest,
    ) -> Result<ExportLogsServiceResponse, Busy> {
        let intake = intake::logs(request, &self.policy, now());
        let answer = answer(&intake);
        self.queue.enter(intake.received).await?;
        Ok(answer)
    }
}

/// Nanoseconds since the epoch.
#[allow(clippy::disallowed_methods, reason = "a sink is part of the shell")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Says what could not be entered; the rest was.
fn answer(intake: &Intake) -> ExportLogsServiceResponse {
    let partial_success = intake.refused.first().map(|first| ExportLogsPartialSuccess {
        rejected_log_records: i64::try_from(intake.refused.len()).unwrap_or(i64::MAX),
        error_message: first.clone(),
    });
    ExportLogsServiceResponse { partial_success }
}
