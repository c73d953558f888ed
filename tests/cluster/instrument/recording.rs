//! One life of each agent, recorded: what it served, printed and sent. All tests look at the same two.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bed::{Bed, Launch, Options, Probe, Process, eventually};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use super::exposition::Exposition;
use super::sink::Sink;
use super::toolchain;

/// The flags that the expectations follow from.
const FLAGS: &str = "--runs 20 --fail 8 --cancel 2 --tool-fail 2 --tool-deny 1 --evaluation-fail 1 \
                     --continued 3 --block 2 --in-flight 1 --hold";

/// Twenty runs take two seconds; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What one agent did.
pub(super) struct Recording {
    pub(super) language: &'static str,
    /// Before its first run.
    pub(super) idle: Exposition,
    pub(super) metrics: Exposition,
    /// Seconds since the epoch.
    pub(super) scraped_at: f64,
    /// What it printed, line by line.
    pub(super) lines: Vec<Value>,
    pub(super) spans: Vec<Span>,
    pub(super) records: Vec<LogRecord>,
    scrape: String,
    output: String,
    bodies: Vec<u8>,
}

impl Recording {
    /// All bytes that left the agent, by where they went.
    pub(super) fn everything(&self) -> [(&'static str, &[u8]); 3] {
        [("metrics", self.scrape.as_bytes()), ("output", self.output.as_bytes()), ("OTLP", &self.bodies)]
    }
}

/// Both agents, after the run of the flags.
pub(super) fn recordings() -> &'static [Recording] {
    static RECORDINGS: LazyLock<Vec<Recording>> = LazyLock::new(|| block_on(record()));
    &RECORDINGS
}

/// A runtime of its own, for a recording that outlives the test that asked first.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime should start").block_on(work)
}

struct Agent {
    language: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

fn agents(bed: &Bed) -> [Agent; 2] {
    let (program, arguments) = toolchain::python();
    let python = Agent { language: "Python", program, arguments };
    let build = bed.folder().join("typescript");
    std::fs::create_dir_all(&build).expect("the folder of the bed should be writable");
    let (program, arguments) = toolchain::typescript(&build);
    [python, Agent { language: "TypeScript", program, arguments }]
}

async fn record() -> Vec<Recording> {
    let bed = Bed::start(Options::nothing()).await.expect("an empty bed should start");
    let [python, typescript] = agents(&bed);
    let (python, typescript) = tokio::join!(record_one(&bed, &python), record_one(&bed, &typescript));
    vec![python, typescript]
}

// The age of a run is told by the clock that it started by.
#[allow(clippy::disallowed_methods)]
async fn record_one(bed: &Bed, agent: &Agent) -> Recording {
    let idle = Life::start(bed, agent, "idle", "--runs 0 --hold", ("OTEL_SDK_DISABLED", "true")).await;
    let idle = Exposition::parse(&idle.scrape().await);
    let (sink, url) = Sink::start().await;
    let life = Life::start(bed, agent, "recorded", FLAGS, ("OTEL_EXPORTER_OTLP_ENDPOINT", &url)).await;
    let ended = eventually(PATIENCE, async || {
        let scrape = life.scrape().await;
        let metrics = Exposition::parse(&scrape);
        let is_in_flight = metrics.value("agent_active_queries", &[]) == Some(1.0);
        let checks = metrics.value("agent_query_duration_seconds_count", &[]) == Some(18.0);
        (is_in_flight && checks && life.output().contains("simulation_ended")).then_some(scrape)
    });
    let scrape =
        ended.await.unwrap_or_else(|| panic!("{} did not end its runs:\n{}", agent.language, life.output()));
    let scraped_at =
        SystemTime::now().duration_since(UNIX_EPOCH).expect("now should be after 1970").as_secs_f64();
    // It sends what is batched, then ends.
    life.process.stop().await;
    let (output, received) = (life.output(), sink.received());
    let lines = output.lines().map(|line| {
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{} printed no JSON: {line} ({error})", agent.language))
    });
    Recording {
        language: agent.language,
        idle,
        metrics: Exposition::parse(&scrape),
        scraped_at,
        lines: lines.collect(),
        spans: received.spans,
        records: received.records,
        scrape,
        output: output.clone(),
        bodies: received.bodies,
    }
}

/// An agent that runs.
struct Life {
    process: Process,
    url: String,
}

impl Life {
    async fn start(bed: &Bed, agent: &Agent, name: &str, flags: &str, variable: (&str, &str)) -> Self {
        let port = bed.port().expect("a port should be free");
        let url = format!("http://127.0.0.1:{port}/metrics");
        let log = bed.logs().join(format!("{name}-{}.log", agent.language));
        let launch = Launch::new(agent.language, &agent.program, &log, Probe::Url(url.clone()))
            .args(agent.arguments.clone())
            .args(["--listen".to_owned(), format!("127.0.0.1:{port}")])
            .args(flags.split_whitespace())
            .env(variable.0, variable.1)
            .env("OTEL_SERVICE_NAME", "support-agent")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .env("OTEL_METRICS_EXPORTER", "none")
            .grace(Duration::from_secs(20))
            .deadline(PATIENCE);
        Self { process: Process::launch(launch).await.expect("the agent should start"), url }
    }

    async fn scrape(&self) -> String {
        let answer = reqwest::Client::builder().no_proxy().build().expect("a client should be possible");
        let answer = answer.get(&self.url).send().await.expect("the agent should answer");
        answer.text().await.expect("the answer should be text")
    }

    fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.process.log()).unwrap_or_default()).into_owned()
    }
}
