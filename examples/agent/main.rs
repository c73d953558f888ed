//! A small live agent: it speaks the contract metrics over HTTP, and breaks and heals on request. Healed,
//! it works off its backlog twenty times as fast. With `--otlp` it tells a Collector of each tool call, too,
//! and is careless enough to put a key into its input.
//!
//! `agent --listen 127.0.0.1:23000`, then `POST /break`, `POST /heal`, `GET /metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use bed::otlp::{self, Sender};
use clap::Parser;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde_json::json;

/// Run a small live agent.
#[derive(Parser)]
struct Arguments {
    /// Where metrics and switches are served.
    #[arg(long)]
    listen: SocketAddr,
    /// Milliseconds from one run to the next.
    #[arg(long, default_value_t = 2000)]
    every: u64,
    /// URL of a Collector that takes OTLP over HTTP.
    #[arg(long)]
    otlp: Option<String>,
}

/// What no back end should ever see. It opens nothing.
const CARELESS: &str =
    "curl -H 'authorization: Bearer sk-demo-0123456789abcdef0123456789' https://crm.example";

/// Tells of a tool call and a model call in Claude Code's words. A Collector that is away loses it.
async fn tell(sender: Option<Sender>, is_good: bool) {
    let Some(sender) = sender else { return };
    let tool = json!({
        "tool_name": "crm_lookup", "success": if is_good { "true" } else { "false" },
        "command": CARELESS,
    });
    let call = json!({"model": "claude-sonnet", "cost_usd": "0.04", "input_tokens": "900"});
    let _ = sender.logs(vec![otlp::event("tool_result", &tool), otlp::event("api_request", &call)]).await;
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Run {
    agent_name: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OfAgent {
    agent_name: &'static str,
}

const AGENT: OfAgent = OfAgent { agent_name: "support-agent" };
const DURATION_BUCKETS: [f64; 9] = [5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0];
const COST_BUCKETS: [f64; 10] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

struct Agent {
    registry: Registry,
    runs: Family<Run, Counter>,
    duration: Family<OfAgent, Histogram>,
    cost: Family<OfAgent, Histogram>,
    is_broken: AtomicBool,
    has_backlog: AtomicBool,
    count: AtomicU64,
}

/// Runs with a backlog for each run without.
const BACKLOG_SPEED: u64 = 20;

impl Agent {
    fn new() -> Self {
        let mut registry = Registry::default();
        let runs = Family::<Run, Counter>::default();
        let duration =
            Family::new_with_constructor((|| Histogram::new(DURATION_BUCKETS)) as fn() -> Histogram);
        let cost = Family::new_with_constructor((|| Histogram::new(COST_BUCKETS)) as fn() -> Histogram);
        registry.register("agent_queries", "Finished runs by outcome", runs.clone());
        registry.register("agent_query_duration_seconds", "Duration of runs", duration.clone());
        registry.register("agent_query_cost_usd", "Cost of runs", cost.clone());
        // Every label set exists from the start, so that a first failure is an increase.
        for status in ["success", "error", "cancelled"] {
            drop(runs.get_or_create(&Run { agent_name: AGENT.agent_name, status }));
        }
        drop(duration.get_or_create(&AGENT));
        drop(cost.get_or_create(&AGENT));
        Self {
            registry,
            runs,
            duration,
            cost,
            is_broken: AtomicBool::new(false),
            has_backlog: AtomicBool::new(false),
            count: AtomicU64::new(0),
        }
    }

    /// One run, and whether it was good. Durations and costs repeat in a fixed pattern, most of them good.
    fn run(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let is_broken = self.is_broken.load(Ordering::Relaxed);
        let status = if is_broken { "error" } else { "success" };
        self.runs.get_or_create(&Run { agent_name: AGENT.agent_name, status }).inc();
        let seconds = if number % 40 == 39 { 90.0 } else { 12.0 };
        self.duration.get_or_create(&AGENT).observe(seconds);
        let dollars = if is_broken { 0.3 } else { 0.04 };
        self.cost.get_or_create(&AGENT).observe(dollars);
        !is_broken
    }

    fn expose(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string should not fail");
        text
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let agent = Arc::new(Agent::new());
    let runner = Arc::clone(&agent);
    let sender = arguments.otlp.as_deref().map(|url| {
        let name = AGENT.agent_name;
        Sender::to(url).resource(&json!({"service.name": name, "gen_ai.agent.name": name}))
    });
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(arguments.every / BACKLOG_SPEED));
        let mut beat = 0_u64;
        loop {
            ticks.tick().await;
            beat += 1;
            if runner.has_backlog.load(Ordering::Relaxed) || beat.is_multiple_of(BACKLOG_SPEED) {
                let is_good = runner.run();
                tokio::spawn(tell(sender.clone(), is_good));
            }
        }
    });
    let content_type = [("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    let routes = Router::new()
        .route("/metrics", get(async move |State(agent): State<Arc<Agent>>| (content_type, agent.expose())))
        .route(
            "/break",
            post(async |State(agent): State<Arc<Agent>>| agent.is_broken.store(true, Ordering::Relaxed)),
        )
        .route(
            "/heal",
            post(async |State(agent): State<Arc<Agent>>| {
                agent.is_broken.store(false, Ordering::Relaxed);
                agent.has_backlog.store(true, Ordering::Relaxed);
            }),
        )
        .with_state(agent);
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    axum::serve(listener, routes).await
}
