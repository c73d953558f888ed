//! What is kept of a source, and what carries it.

use std::collections::BTreeSet;

use agentslo::profiles;
use serde_json::{Value, json};

use super::{artifacts, carried, of_profile, rendered, source};
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
    for name in ["agent", "slo", "logs"] {
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
fn every_slot_of_the_sources_is_explained() {
    let readme = workspace::read("dashboards/README.md");
    for name in ["agent", "slo", "logs"] {
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
