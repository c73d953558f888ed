//! Every query for Prometheus, of panels, annotations and variables, yields data.

use agentslo::api::v1alpha1::PrometheusEndpoint;
use agentslo::foreign::dashboard::{Dashboard, Target};
use agentslo::preview::{Span, Variables};
use agentslo::prometheus::{Connection, Secrets};
use agentslo::render::rules;
use agentslo::vocabulary::series;
use bed::{Bed, Options, Part, eventually};
use serde_json::{Value, json};

use super::{day, json_of, of_profile, read, typed};
use crate::proofs;
use crate::stage::now;
use crate::support::SOON;

/// When a day ends of which only its existence counts.
const END: i64 = 1_767_722_400;
/// The AgentSLO of the example.
const SLO: &str = "support-success";
const DAY: u32 = 24 * 3600;

/// A Prometheus that holds the day before this moment, and how to ask it.
pub(super) async fn holding(end: i64) -> (Bed, Connection) {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let history = folder.path().join("day.txt");
    std::fs::write(&history, day::until(end)).expect("the day should be written");
    let options = Options::nothing().with(Part::Prometheus).history(&history);
    let bed = Bed::start(options).await.expect("a Prometheus should start");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = PrometheusEndpoint { address: bed.prometheus_url(), ..PrometheusEndpoint::default() };
    let connection = Connection::open(&endpoint, &Secrets::default()).expect("the address should be right");
    (bed, connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_every_panel_yields_data() {
    let end = i64::try_from(now().expect("the clock should be past 1970")).expect("it should fit") / 60 * 60;
    let (bed, connection) = holding(end).await;
    the_rules_record_what_the_dashboards_read(&bed, &connection, end).await;
    let mut asked = 0;
    let mut empty = Vec::new();
    for json in [json_of(&read("dashboards/fleet.json")), json_of(&read("dashboards/operator.json"))]
        .into_iter()
        .chain(of_profile("AgentMetrics"))
    {
        let dashboard = typed(&json);
        let span = Span { end, seconds: DAY };
        let variables = chosen(&dashboard, &connection, end).await;
        for (what, target, step) in queries(&dashboard, &json, span) {
            let query = variables.of_panel(span, step).fill(&target.expr);
            let answer = if target.instant {
                connection.query_at(&query, end).await
            } else {
                connection.query_range(&query, (span.start(), end), step).await
            };
            let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}: {query}"));
            asked += 1;
            if answer.data().is_empty() {
                empty.push(format!("{}: {what}: {query}", dashboard.title));
            }
        }
    }
    assert!(empty.is_empty(), "queries without data:\n{}", empty.join("\n"));
    assert!(asked > 90, "only {asked} queries were asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_for_every_profile_is_one_that_prometheus_takes() {
    let (_bed, connection) = holding(END).await;
    for profile in agentslo::profiles::names() {
        for json in of_profile(profile) {
            let mut variables = Variables::given(&[("slo".to_owned(), SLO.to_owned())]);
            variables.set("objective", "99");
            variables.set("budget_window", "30d");
            let dashboard = typed(&json);
            for variable in &dashboard.templating.list {
                variables.settle(variable);
            }
            let span = Span { end: END, seconds: DAY };
            for (what, target, step) in queries(&dashboard, &json, span) {
                let query = variables.of_panel(span, step).fill(&target.expr);
                let answer = connection.query_at(&query, END).await;
                assert!(answer.is_ok(), "{profile}: {what}: {answer:?}: {query}");
            }
        }
    }
}

/// The example's rules, evaluated every few seconds, record under the same names.
async fn the_rules_record_what_the_dashboards_read(bed: &Bed, connection: &Connection, end: i64) {
    let slo = proofs::success();
    assert_eq!((slo.namespace(), slo.name(), slo.agent()), (day::NAMESPACE, SLO, day::AGENT));
    let mut groups = serde_json::to_value(rules::groups(&slo)).expect("rules should be JSON");
    for group in groups.as_array_mut().expect("there should be groups") {
        group["interval"] = "5s".into();
    }
    let file = json!({"groups": groups}).to_string();
    bed.load_rules("success", &file).await.expect("the rules should load");
    let window = slo.window();
    let names = [
        series::TOTAL_5M.to_owned(),
        series::BAD_5M.to_owned(),
        format!("{}{window}", series::TOTAL_COUNT),
        format!("{}{window}", series::BAD_COUNT),
        series::REMAINING.to_owned(),
        series::BURN_RATE.to_owned(),
        series::INFO.to_owned(),
    ];
    for name in names {
        let query = format!("timestamp({name}{{agentslo=\"{SLO}\",namespace=\"support\"}}) > {end}");
        let recorded = async || {
            let answer = connection.query(&query).await.expect("Prometheus should answer");
            (!answer.data().is_empty()).then_some(())
        };
        assert!(eventually(SOON, recorded).await.is_some(), "the rules never recorded {name}");
    }
}

/// The first value of each variable.
async fn chosen(dashboard: &Dashboard, connection: &Connection, end: i64) -> Variables {
    let mut variables = Variables::given(&[("slo".to_owned(), SLO.to_owned())]);
    for variable in &dashboard.templating.list {
        let Some(listing) = variables.settle(variable) else { continue };
        let answer = connection.query_at(&listing.query, end).await.expect("Prometheus should answer");
        let vector = answer.data().as_vector().expect("a selection should be a vector");
        let value = vector.first().and_then(|one| one.metric().get(&listing.label));
        variables.set(&variable.name, value.unwrap_or_else(|| panic!("no value of {}", variable.name)));
    }
    variables
}

/// Every query for Prometheus: where it is, itself, and the step in which it is asked.
fn queries(dashboard: &Dashboard, json: &Value, span: Span) -> Vec<(String, Target, u32)> {
    let panels = dashboard.panels.iter().flat_map(|panel| {
        let targets = panel.targets.iter().filter(|target| target.datasource.kind == "prometheus");
        targets.map(|target| (panel.title.clone(), target.clone(), span.step(panel.interval.as_deref())))
    });
    let annotations = json["annotations"]["list"].as_array().into_iter().flatten();
    let annotations = annotations.filter(|annotation| annotation["datasource"]["type"] == "prometheus");
    let annotations = annotations.map(|annotation| {
        let mut target = annotation["target"].clone();
        target["datasource"] = annotation["datasource"].clone();
        let name = annotation["name"].as_str().unwrap_or_default().to_owned();
        (name, serde_json::from_value(target).expect("annotations should have a query"), span.step_of_marks())
    });
    panels.chain(annotations).collect()
}
