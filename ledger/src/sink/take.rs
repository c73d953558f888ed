//! What both ways in do with a request.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};

use super::metrics::Metrics;
use super::queue::{Busy, Queue};
use crate::intake::{self, Intake, Policy};

/// What a request needs. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    /// Where events wait.
    pub(super) queue: Queue,
    /// What of them is kept.
    pub(super) policy: Arc<Policy>,
    /// Where they are counted.
    pub(super) metrics: Metrics,
}

/// A request of OTLP.
pub(super) trait Telemetry {
    /// What it is answered with.
    type Answer;

    /// What of it is entered.
    fn intake(&self, policy: &Policy, now: u64) -> Intake;

    /// Says how many records could not be entered, and why the first could not; the rest was.
    fn answer(refused: i64, why: Option<String>) -> Self::Answer;
}

impl Telemetry for ExportLogsServiceRequest {
    type Answer = ExportLogsServiceResponse;

    fn intake(&self, policy: &Policy, now: u64) -> Intake {
        intake::logs(self, policy, now)
    }

    fn answer(rejected_log_records: i64, why: Option<String>) -> Self::Answer {
        let partial = |error_message| ExportLogsPartialSuccess { rejected_log_records, error_message };
        ExportLogsServiceResponse { partial_success: why.map(partial) }
    }
}

impl Telemetry for ExportTraceServiceRequest {
    type Answer = ExportTraceServiceResponse;

    fn intake(&self, policy: &Policy, now: u64) -> Intake {
        intake::traces(self, policy, now)
    }

    fn answer(rejected_spans: i64, why: Option<String>) -> Self::Answer {
        let partial = |error_message| ExportTracePartialSuccess { rejected_spans, error_message };
        ExportTraceServiceResponse { partial_success: why.map(partial) }
    }
}

impl Sink {
    /// Has what a request tells of entered, and says what could not be.
    ///
    /// # Errors
    /// If it was not, and should be sent again.
    pub(super) async fn take<T: Telemetry>(&self, request: &T) -> Result<T::Answer, Busy> {
        let now = u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
        let intake = request.intake(&self.policy, now);
        self.metrics.received(&intake);
        let refused = i64::try_from(intake.refused.len()).unwrap_or(i64::MAX);
        let entered = self.queue.enter(intake.received).await;
        entered.inspect_err(|_| self.metrics.turned_away())?;
        Ok(T::answer(refused, intake.refused.into_iter().next()))
    }
}

/// Since the epoch.
#[allow(clippy::disallowed_methods, reason = "a sink is part of the shell")]
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
