//! `agentslo preview`: draws dashboards from what a Prometheus answers to their queries.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use prometheus_http_query::response::{Data, PromqlResult};

use super::check::{Input, check};
use super::files::text_of;
use super::print::{escaped, refuse, write_note, write_out};
use crate::api::v1alpha1::PrometheusEndpoint;
use crate::foreign::dashboard::{Dashboard, Panel, Target};
use crate::preview::{self, Answer, Mark, Picture, Series, Span, Variables};
use crate::prometheus::{Connection, QueryError, Secrets};
use crate::render::{self, Artifact, Part};

const EXAMPLES: &str = "\
Examples:
  # What the dashboards of an agent look like now
  agentslo preview -f agentobservability.yaml --prometheus http://127.0.0.1:9090 --output pictures/

  # A week of another AgentSLO, and the fleet beside it
  agentslo preview -f agentobservability.yaml --dashboard dashboards/fleet.json --range 7d --variable slo=latency --prometheus http://127.0.0.1:9090 --output pictures/

Exit codes:
  0  every dashboard is drawn
  1  violations
  2  a file cannot be read or written, or there is nothing to draw
  3  Prometheus does not answer, or refuses a query";

/// Draw the dashboards of AgentObservabilities as SVG, without Grafana.
///
/// Every query of every panel is put to the Prometheus. Panels of logs and traces are Grafana's alone.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Dashboard in Grafana's JSON to draw besides; repeatable.
    #[arg(long = "dashboard", value_name = "FILE")]
    dashboards: Vec<PathBuf>,
    /// Base URL of the Prometheus that is asked.
    #[arg(long, value_name = "URL")]
    prometheus: String,
    /// Directory for the pictures.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// How much time is shown.
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = parse_range)]
    range: Duration,
    /// When it ends, for example `2026-01-06T12:00:00Z`. Default: now.
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    end: Option<i64>,
    /// Value of a variable of the dashboards; repeatable. Default: the first that Prometheus knows.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    variables: Vec<(String, String)>,
}

fn parse_range(text: &str) -> Result<Duration, &'static str> {
    preview::parse_duration(text).ok_or("must be a duration, for example 24h")
}

fn parse_end(text: &str) -> Result<i64, &'static str> {
    preview::parse_time(text).ok_or("must be a time, for example 2026-01-06T12:00:00Z")
}

fn parse_variable(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Exit code when Prometheus cannot be asked.
const UNREACHABLE: u8 = 3;

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let checked = match check(&arguments.input, None) {
        Ok(checked) => checked,
        Err(message) => return refuse(&message),
    };
    for finding in &checked.findings {
        write_note(&finding.print());
    }
    let rendered = checked.observabilities.iter().flat_map(|observability| {
        render::observability(observability).remove(&Part::Dashboards).unwrap_or_default().0
    });
    let mut dashboards: BTreeMap<String, Dashboard> =
        rendered.filter_map(|artifact| carried(&artifact)).collect();
    for path in &arguments.dashboards {
        match read(path) {
            Ok((name, dashboard)) => drop(dashboards.insert(name, dashboard)),
            Err(message) => return refuse(&message),
        }
    }
    dashboards.retain(|_, dashboard| dashboard.panels.iter().any(|panel| queries(panel).next().is_some()));
    if dashboards.is_empty() {
        return refuse("there is no AgentObservability with `dashboards`, so nothing to draw");
    }
    match ask_and_draw(&dashboards, arguments) {
        Ok(()) => checked.exit_code(),
        Err(code) => code,
    }
}

/// The dashboard in an artifact, under the name of the artifact.
fn carried(artifact: &Artifact) -> Option<(String, Dashboard)> {
    let json = match artifact {
        Artifact::ConfigMap(map) => map.data.as_ref()?.values().next()?,
        Artifact::GrafanaDashboard(dashboard) => &dashboard.spec.json,
        Artifact::PrometheusRule(_)
        | Artifact::OpenTelemetryCollector(_)
        | Artifact::PodMonitor(_)
        | Artifact::AlertmanagerConfig(_)
        | Artifact::Plain(_) => return None,
    };
    let dashboard = serde_json::from_str(json).expect("what is rendered should be a dashboard");
    Some((artifact.name().to_owned(), dashboard))
}

fn read(path: &Path) -> Result<(String, Dashboard), String> {
    let text = text_of(path)?;
    let dashboard = serde_json::from_str(&text).map_err(|error| {
        format!("'{}' is no dashboard in Grafana's classic JSON: {error}", path.display())
    })?;
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    Ok((name, dashboard))
}

/// The queries of a panel that are for Prometheus.
fn queries(panel: &Panel) -> impl Iterator<Item = &Target> {
    panel.targets.iter().filter(|target| target.datasource.kind == "prometheus")
}

fn ask_and_draw(dashboards: &BTreeMap<String, Dashboard>, arguments: &Arguments) -> Result<(), ExitCode> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    let endpoint =
        PrometheusEndpoint { address: arguments.prometheus.clone(), ..PrometheusEndpoint::default() };
    let connection =
        Connection::open(&endpoint, &Secrets::default()).map_err(|error| refuse(&error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| refuse(&format!("cannot start the runtime: {error}")))?;
    fs::create_dir_all(&arguments.output)
        .map_err(|error| refuse(&format!("cannot write '{}': {error}", arguments.output.display())))?;
    let reader = Reader { connection, span: span(arguments) };
    for (name, dashboard) in dashboards {
        let read = runtime.block_on(reader.read(dashboard, &arguments.variables));
        let (pictures, marks) = read.map_err(|message| {
            write_note(&escaped(&format!("error: {name}: {message}")));
            ExitCode::from(UNREACHABLE)
        })?;
        let file = arguments.output.join(format!("{name}.svg"));
        fs::write(&file, preview::draw(&dashboard.title, &pictures, &marks, reader.span))
            .map_err(|error| refuse(&format!("cannot write '{}': {error}", file.display())))?;
        write_out(&format!("{}\n", file.display()));
    }
    Ok(())
}

fn span(arguments: &Arguments) -> Span {
    let end = arguments.end.unwrap_or_else(now);
    Span { end, seconds: u32::try_from(arguments.range.as_secs()).unwrap_or(u32::MAX) }
}

/// The last full minute, in seconds since the epoch.
fn now() -> i64 {
    #[allow(clippy::disallowed_methods, reason = "the command line is part of the shell")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs() / 60 * 60).unwrap_or(i64::MAX)
}

/// Reads a span of time from one Prometheus.
struct Reader {
    connection: Connection,
    span: Span,
}

impl Reader {
    /// Every panel with the answers to its queries, and the moments that are marked.
    async fn read(
        &self,
        dashboard: &Dashboard,
        given: &[(String, String)],
    ) -> Result<(Vec<Picture>, Vec<Mark>), String> {
        let variables = self.variables(dashboard, given).await.map_err(|error| error.to_string())?;
        let mut pictures = Vec::new();
        for panel in &dashboard.panels {
            let answers = self.answers(panel, &variables).await;
            let answers = answers.map_err(|error| format!("panel '{}': {error}", panel.title))?;
            let mut panel = panel.clone();
            panel.title = variables.fill(&panel.title);
            pictures.push(Picture { panel, answers });
        }
        let marks = self.marks(dashboard, &variables).await.map_err(|error| error.to_string())?;
        Ok((pictures, marks))
    }

    /// The beginning of each stretch of time in which an annotation yields something.
    async fn marks(&self, dashboard: &Dashboard, variables: &Variables) -> Result<Vec<Mark>, QueryError> {
        let step = self.span.step_of_marks();
        let mut marks = Vec::new();
        for annotation in dashboard.annotations.list.iter().filter(|one| one.datasource.kind == "prometheus")
        {
            let query = variables.of_panel(self.span, step).fill(&annotation.target.expr);
            let answer =
                self.connection.query_range(&query, (self.span.start(), self.span.end), step).await?;
            for series in series(&answer) {
                let moments: Vec<f64> = series.points.iter().map(|(at, _)| *at).collect();
                let stretches = moments.chunk_by(|one, next| next - one < f64::from(step) * 1.5);
                let begins = stretches.filter_map(|stretch| stretch.first().copied());
                marks.extend(begins.map(|at| Mark { at, color: annotation.icon_color.clone() }));
            }
        }
        Ok(marks)
    }

    async fn variables(
        &self,
        dashboard: &Dashboard,
        given: &[(String, String)],
    ) -> Result<Variables, QueryError> {
        let mut variables = Variables::given(given);
        for variable in &dashboard.templating.list {
            let Some(listing) = variables.settle(variable) else { continue };
            let answer = self.connection.query_at(&listing.query, self.span.end).await?;
            let known =
                series(&answer).into_iter().find_map(|series| series.labels.get(&listing.label).cloned());
            variables.set(&variable.name, &known.unwrap_or_default());
        }
        Ok(variables)
    }

    async fn answers(&self, panel: &Panel, variables: &Variables) -> Result<Vec<Answer>, QueryError> {
        let step = self.span.step(panel.interval.as_deref());
        let variables = variables.of_panel(self.span, step);
        let mut answers = Vec::new();
        for target in queries(panel) {
            let query = variables.fill(&target.expr);
            let answer = if target.instant {
                self.connection.query_at(&query, self.span.end).await?
            } else {
                // Steps at round times, so that a picture does not depend on the minute it is made in.
                let (start, step_seconds) = (self.span.start(), i64::from(step));
                let start = start.div_euclid(step_seconds) * step_seconds + step_seconds;
                self.connection.query_range(&query, (start, self.span.end), step).await?
            };
            let target = Target { legend_format: variables.fill(&target.legend_format), ..target.clone() };
            answers.push(Answer { target, series: series(&answer) });
        }
        Ok(answers)
    }
}

/// The series of an answer, sorted by their labels.
fn series(answer: &PromqlResult) -> Vec<Series> {
    let mut all: Vec<Series> = match answer.data() {
        Data::Vector(vector) => vector
            .iter()
            .map(|one| Series {
                labels: one.metric().clone().into_iter().collect(),
                points: vec![(one.sample().timestamp(), one.sample().value())],
            })
            .collect(),
        Data::Matrix(matrix) => matrix
            .iter()
            .map(|one| Series {
                labels: one.metric().clone().into_iter().collect(),
                points: one.samples().iter().map(|sample| (sample.timestamp(), sample.value())).collect(),
            })
            .collect(),
        Data::Scalar(sample) => {
            vec![Series { labels: BTreeMap::new(), points: vec![(sample.timestamp(), sample.value())] }]
        }
    };
    all.sort_by(|one, other| one.labels.cmp(&other.labels));
    all
}
