//! What is kept of a source, and what carries it.

use std::collections::{BTreeMap, BTreeSet};

use agentslo::profiles;
use serde_json::{Value, json};

use super::{Dashboard, artifacts, carried, of_profile, rendered, source};
use crate::workspace;

/// Panels and queries of a dashboard.
fn queries(json: &Value) -> BTreeSet<(u64, String)> {
    let panels = json["panels"].as_array().expect("dashboards should have panels").iter();
    panels
        .flat_map(|panel| {
            let id = panel["id"].as_u64().expect("panels should have an id");
            let queries = panel["targets"].as_array().into_iter().flatten();
            queries.map(move |query| {
                (id, query["refId"].as_str().expect("queries should have an id").to_owned())
            })
        })
        .collect()
}

#[test]
fn every_query_of_a_source_is_kept_for_some_agent() {
    let mut boards: Vec<Value> = profiles::names()
        .into_iter()
        .flat_map(|profile| rendered(profile, &of_profile(profile)))
        .map(|dashboard| dashboard.json)
        .collect();
    boards.extend(super::in_jaeger().into_iter().map(|dashboard| dashboard.json));
    boards.extend(super::with_ledger("support-agent").into_iter().map(|dashboard| dashboard.json));
    for name in ["agent", "slo", "logs", "ledger"] {
        let source = source(name).json;
        let tag = format!("agentslo-{name}");
        let of_source = boards
            .iter()
            .filter(|board| board["tags"].as_array().is_some_and(|tags| tags.contains(&json!(tag))));
        let kept: BTreeSet<(u64, String)> = of_source.flat_map(queries).collect();
        let lost: Vec<_> = queries(&source).difference(&kept).cloned().collect();
        assert_eq!(lost, Vec::new(), "{name} has queries that no agent is asked");
    }
}

#[test]
fn a_panel_is_left_out_where_its_series_are_missing() {
    let titles = |profile: &str| -> BTreeSet<String> {
        let boards = rendered(profile, &of_profile(profile));
        let agent =
            boards.iter().find(|board| board.json["title"] == "Agent support-agent").expect("the agent");
        agent.panels().map(|panel| panel["title"].as_str().expect("a title").to_owned()).collect()
    };
    let (contract, native) = (titles("AgentMetrics"), titles("ClaudeCodeNative"));
    for title in ["Success", "Duration of runs", "Most used tools", "Latency"] {
        assert!(contract.contains(title) && !native.contains(title), "{title}: {native:?}");
    }
    for title in ["Spend an hour, now", "Tokens by type", "Cost and tokens"] {
        assert!(contract.contains(title) && native.contains(title), "{title}: {native:?}");
    }
}

#[test]
fn limits_of_guards_are_thresholds_and_without_guards_there_are_none() {
    let steps = |spec: &Value| -> BTreeMap<String, f64> {
        let boards = rendered("guards", spec);
        let charts: Vec<&Value> =
            boards.iter().filter(|board| is_of_agent(&board.json)).flat_map(Dashboard::charts).collect();
        let limits = charts.into_iter().filter_map(|panel| {
            let limit = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"].as_f64()?;
            Some((panel["title"].as_str()?.to_owned(), limit))
        });
        limits.collect()
    };
    let mut spec = of_profile("AgentMetrics");
    assert_eq!(steps(&spec), BTreeMap::new());
    spec["guards"] = json!({
        "spendRate": {"maxUSDPerHour": "8"},
        "spendBudget": {"amountUSD": "50"},
        "stuck": {"after": "30m"},
        "queue": {"maxDepth": 20},
        "slowShare": {"slowerThan": "45s", "percent": "5"},
    });
    let expected = [
        ("Waiting", 20.0),
        ("Oldest run", 1800.0),
        ("Slow runs, last 24 h", 0.05),
        ("Spend an hour, now", 8.0),
        ("Spend, last 24 h", 50.0),
    ];
    assert_eq!(steps(&spec), expected.map(|(title, limit)| (title.to_owned(), limit)).into());
    let boards = rendered("guards", &spec);
    let agent = boards.iter().find(|board| is_of_agent(&board.json)).expect("there should be the agent");
    let threshold = &agent.json["templating"]["list"][1];
    assert_eq!(threshold["current"]["value"], "45");
    assert_eq!(threshold["query"], "1,2,5,10,30,45,60,120,300,600,1200,1800,3600");
    spec["guards"] = json!({"spendBudget": {"amountUSD": "900", "period": "30d"}});
    assert_eq!(steps(&spec), BTreeMap::new(), "a month's budget is no limit of a day");
}

fn is_of_agent(json: &Value) -> bool {
    json["tags"].as_array().is_some_and(|tags| tags.contains(&json!("agentslo-agent")))
}

#[test]
fn every_slot_of_the_sources_is_explained() {
    let readme = workspace::read("dashboards/README.md");
    for name in ["agent", "slo", "logs", "ledger"] {
        let text = workspace::read(format!("dashboards/{name}.json"));
        for slot in text.split("<<").skip(1).map(|rest| rest.split(">>").next().unwrap_or_default()) {
            let slot = slot.split('[').next().unwrap_or_default();
            let mut words = slot.split('.');
            assert!(words.all(|word| readme.contains(word)), "dashboards/README.md does not explain {slot}");
        }
    }
}

#[test]
fn config_maps_carry_what_the_sidecar_looks_for_and_no_key_of_a_users() {
    let mut spec = of_profile("AgentMetrics");
    spec["dashboards"] = json!({"folder": "Agents"});
    let artifacts = artifacts(&spec);
    assert_eq!(artifacts.len(), 3);
    for artifact in &artifacts {
        let value = artifact.to_value();
        assert_eq!(value["kind"], "ConfigMap");
        assert_eq!(value["metadata"]["labels"]["grafana_dashboard"], "1");
        assert_eq!(value["metadata"]["annotations"]["grafana_folder"], "Agents");
        assert_eq!(value["metadata"]["namespace"], "support");
    }
    let keys: BTreeSet<String> = carried(&artifacts).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 3);
    for key in keys {
        let id = key.strip_suffix(".json").expect("keys should be JSON files");
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
}

#[test]
fn grafana_operator_gets_the_same_dashboards() {
    let mut spec = of_profile("AgentMetrics");
    let by_sidecar = carried(&artifacts(&spec));
    spec["dashboards"] = json!({"delivery": "GrafanaDashboard", "folder": "Agents"});
    let artifacts = artifacts(&spec);
    for artifact in &artifacts {
        let value = artifact.to_value();
        assert_eq!(value["kind"], "GrafanaDashboard");
        assert_eq!(value["spec"]["folder"], "Agents");
        assert_eq!(value["spec"]["instanceSelector"], json!({"matchLabels": {}}));
    }
    let texts =
        |carried: Vec<(String, String)>| carried.into_iter().map(|(_, text)| text).collect::<BTreeSet<_>>();
    assert_eq!(texts(carried(&artifacts)), texts(by_sidecar));
}

#[test]
fn without_dashboards_there_are_none() {
    assert_eq!(artifacts(&json!({"agent": "support-agent"})), Vec::new());
}
