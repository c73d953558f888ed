//! Durations of a scripted agent's runs, as a classic histogram to scrape, and as an exponential one that
//! is pushed by OpenTelemetry's protocol.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::now;

/// From one push to the next; a scrape of the bed is as often.
const PUSH_INTERVAL: Duration = Duration::from_secs(5);

/// Runs so far. The fast take 12 seconds, the others 90: with a bound of 60 neither is in a bucket that the
/// bound divides, so that also the counts of exponential buckets are exact.
#[derive(Clone, Copy, Default)]
pub(crate) struct Durations {
    pub(crate) fast: u64,
    pub(crate) runs: u64,
}

impl Durations {
    pub(crate) fn plus(self, fast: u64, slow: u64) -> Self {
        Self { fast: self.fast + fast, runs: self.runs + fast + slow }
    }

    fn sum(self) -> u64 {
        12 * self.fast + 90 * (self.runs - self.fast)
    }

    pub(crate) fn classic(self, agent: &str) -> String {
        let Self { fast, runs } = self;
        let (name, agent) = ("agent_query_duration_seconds", format!("agent_name=\"{agent}\""));
        format!(
            "# TYPE {name} histogram\n\
             {name}_bucket{{{agent},le=\"60.0\"}} {fast}\n\
             {name}_bucket{{{agent},le=\"+Inf\"}} {runs}\n\
             {name}_sum{{{agent}}} {}\n\
             {name}_count{{{agent}}} {runs}\n",
            self.sum()
        )
    }

    /// Eight buckets to a factor of two, as the SDKs choose for durations such as these. Bucket 28 ends at
    /// 12.3 and holds the fast, bucket 51 ends at 90.5 and holds the slow, and 47 would hold the bound.
    fn exponential(self) -> Value {
        let mut counts = [0; 24];
        counts[0] = self.fast;
        counts[23] = self.runs - self.fast;
        json!({
            "count": self.runs.to_string(),
            "sum": self.sum(),
            "scale": 3,
            "zeroCount": "0",
            "positive": {"offset": 28, "bucketCounts": counts.iter().map(u64::to_string).collect::<Vec<_>>()},
        })
    }
}

/// Pushes an agent's durations to Prometheus, for ever.
pub(crate) async fn push(
    prometheus: String,
    agent: &'static str,
    namespace: &'static str,
    durations: impl Fn() -> Durations,
) {
    let url = format!("{prometheus}/api/v1/otlp/v1/metrics");
    let begin = nanoseconds();
    loop {
        let body = request(agent, namespace, durations().exponential(), &begin);
        let request = reqwest::Client::new().post(&url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("Prometheus should answer");
        assert!(answer.status().is_success(), "{:?}", answer.text().await);
        tokio::time::sleep(PUSH_INTERVAL).await;
    }
}

fn request(agent: &str, namespace: &str, mut point: Value, begin: &str) -> Value {
    let attributes = |pairs: [(&str, &str); 2]| -> Value {
        pairs.map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).into_iter().collect()
    };
    point["attributes"] = attributes([("agent.name", agent), ("namespace", namespace)]);
    point["startTimeUnixNano"] = begin.into();
    point["timeUnixNano"] = nanoseconds().into();
    let metric = json!({
        "name": "agent.query.duration",
        "unit": "s",
        "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [point]},
    });
    json!({"resourceMetrics": [{
        "resource": {"attributes": attributes([("service.name", agent), ("service.instance.id", "one")])},
        "scopeMetrics": [{"metrics": [metric]}],
    }]})
}

pub(crate) fn nanoseconds() -> String {
    let seconds = now().expect("the clock should be past 1970");
    format!("{seconds}000000000")
}
