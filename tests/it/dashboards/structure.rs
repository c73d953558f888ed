//! What a dashboard must be, whoever it is for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::grafana::{interpolated, texts, variables};
use super::{Dashboard, HOSTILE, all, values, with_ledger};
use crate::promql::{demands, parsed, selectors};

/// Largest dashboard, so that three of them and their metadata stay far from what etcd takes.
const LARGEST: usize = 256 * 1024;
/// Variables of a data link, which Grafana fills from the row that was clicked.
const OF_LINKS: [&str; 2] = ["__value", "__data"];

#[test]
fn panels_tile_the_grid_and_have_ids_of_their_own() {
    for dashboard in all() {
        let ids: Vec<u64> =
            dashboard.panels().map(|panel| panel["id"].as_u64().expect("panels should have an id")).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}: {ids:?}", dashboard.name);
        let mut cells = BTreeSet::new();
        let mut bottom = 0;
        for panel in dashboard.panels() {
            let place = |what: &str| panel["gridPos"][what].as_u64().expect("panels should have a place");
            let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
            assert!(x + w <= 24, "{}: {} sticks out", dashboard.name, panel["title"]);
            for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row))) {
                assert!(cells.insert(cell), "{}: {} overlaps", dashboard.name, panel["title"]);
            }
            bottom = bottom.max(y + h);
        }
        let area = usize::try_from(bottom * 24).expect("dashboards should be small");
        assert_eq!(cells.len(), area, "{} has gaps", dashboard.name);
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for dashboard in all() {
        for panel in dashboard.charts() {
            let (name, title) = (&dashboard.name, &panel["title"]);
            let defaults = &panel["fieldConfig"]["defaults"];
            let is_said = |text: &Value| text.as_str().is_some_and(|text| !text.is_empty());
            assert!(is_said(&panel["description"]) && is_said(title), "{name}: {title} is not described");
            assert!(is_said(&defaults["unit"]), "{name}: {title} has no unit");
            assert!(!panel["targets"].as_array().expect("charts have queries").is_empty(), "{name}: {title}");
            let steps = defaults["thresholds"]["steps"].as_array().expect("there should be thresholds");
            assert!(steps[0]["value"].is_null(), "{name}: the first threshold of {title} is the base");
            let misplaced = ["thresholds", "minValue", "maxValue", "min", "max", "unit"];
            assert!(misplaced.iter().all(|key| panel["options"][key].is_null()), "{name}: {title}");
            assert_ne!(panel["type"], "text", "{name} has a panel for free text");
        }
    }
}

#[test]
fn every_query_parses_once_grafana_has_filled_it() {
    for dashboard in all() {
        for query in queries(&dashboard) {
            parsed(&query);
        }
    }
}

/// Every PromQL text with its variables filled: of panels, annotations and variables.
pub(super) fn queries(dashboard: &Dashboard) -> Vec<String> {
    let values = values(dashboard);
    let list = |name: &str| dashboard.json[name]["list"].as_array().into_iter().flatten();
    let of_prometheus = |query: &&Value| query["datasource"]["type"] == "prometheus";
    let targets = dashboard.targets().filter(of_prometheus);
    let annotations = list("annotations").filter(of_prometheus).map(|annotation| &annotation["target"]);
    let shown =
        targets.chain(annotations).map(|query| query["expr"].as_str().expect("there should be a query"));
    let variables = list("templating").filter_map(|variable| variable["query"]["query"].as_str());
    let listed = variables.map(|definition| {
        let inside = definition.strip_prefix("label_values(").and_then(|text| text.rsplit_once(", "));
        inside.expect("variables should list values of a label").0
    });
    shown.chain(listed).map(|query| interpolated(query, &values)).collect()
}

#[test]
fn every_variable_is_defined_and_used() {
    for dashboard in all() {
        let list = dashboard.json["templating"]["list"].as_array().expect("there should be variables");
        let defined: BTreeSet<String> =
            list.iter().map(|variable| variable["name"].as_str().expect("a name").to_owned()).collect();
        assert_eq!(defined.len(), list.len(), "{}", dashboard.name);
        let mut used: BTreeSet<String> = ["panels", "annotations", "templating"]
            .into_iter()
            .flat_map(|part| texts(&dashboard.json[part]))
            .flat_map(variables)
            .collect();
        used.retain(|name| !name.starts_with("__"));
        assert_eq!(used, defined, "{}", dashboard.name);
        assert!(!defined.contains("user_id"), "users are no label");
    }
}

#[test]
fn rates_follow_the_zoom_or_say_their_window() {
    for dashboard in all() {
        for query in dashboard.targets().filter_map(|target| target["expr"].as_str()) {
            assert!(!query.contains("$__interval") && !query.contains("[1m]"), "{query}");
        }
    }
}

#[test]
fn bar_charts_ask_for_one_moment() {
    for dashboard in all() {
        for panel in dashboard.charts().filter(|panel| panel["type"] == "barchart") {
            for target in panel["targets"].as_array().expect("charts should have queries") {
                let is_table = target["instant"] == true && target["format"] == "table";
                assert!(
                    is_table || target["queryType"] == "instant",
                    "{}: {}",
                    dashboard.name,
                    panel["title"]
                );
            }
        }
    }
}

#[test]
fn every_data_source_is_the_viewers_choice() {
    for dashboard in all() {
        for query in dashboard.targets() {
            let uid = query["datasource"]["uid"].as_str().expect("queries should name their data source");
            let kind = query["datasource"]["type"].as_str().expect("data sources should have a kind");
            // A name with a hyphen is none of a variable.
            let variable = if kind == "grafana-postgresql-datasource" { "ledger" } else { kind };
            assert_eq!(uid, format!("${{{variable}}}"), "{}", dashboard.name);
        }
    }
}

#[test]
fn links_stay_in_grafana() {
    for dashboard in all() {
        let links = texts_of(&dashboard.json, "url");
        for url in links.iter().filter(|url| !url.is_empty()) {
            assert!(url.starts_with("/d/agentslo-") || url.starts_with("/dashboards?"), "{url}");
            let foreign: Vec<String> = variables(url)
                .into_iter()
                .filter(|name| !OF_LINKS.contains(&name.as_str()) && name != "__url_time_range")
                .collect();
            assert_eq!(foreign, Vec::<String>::new(), "{url}");
        }
    }
}

fn texts_of(value: &Value, key: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| match field.as_str() {
                Some(text) if name == key => vec![text.to_owned()],
                _ => texts_of(field, key),
            })
            .collect(),
        Value::Array(elements) => elements.iter().flat_map(|element| texts_of(element, key)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn dashboards_are_small_and_nothing_is_left_unfilled() {
    for dashboard in all() {
        let text = serde_json::to_string_pretty(&dashboard.json).expect("JSON should print");
        assert!(text.len() < LARGEST, "{} has {} bytes", dashboard.name, text.len());
        let unfilled =
            texts(&dashboard.json).into_iter().find(|text| text.replace(HOSTILE, "").contains("<<"));
        let by_user = unfilled.is_some_and(|text| text.contains("up{x="));
        assert!(unfilled.is_none() || by_user, "{}: {unfilled:?}", dashboard.name);
        let uid = dashboard.json["uid"].as_str().expect("dashboards should have a uid");
        assert!(uid.len() <= 40 && dashboard.json["schemaVersion"] == 42, "{uid}");
    }
}

#[test]
fn the_name_of_an_agent_is_never_read_by_grafana_or_prometheus() {
    let hostile: Vec<Dashboard> =
        all().into_iter().filter(|dashboard| dashboard.name.starts_with("hostile")).collect();
    assert_eq!(hostile.len(), 6);
    for dashboard in hostile {
        let title = dashboard.json["title"].as_str().expect("dashboards should have a title");
        assert!(title.ends_with(HOSTILE), "{title}");
        for query in queries(&dashboard) {
            let of_agent =
                |name: &str| name.starts_with("agent_") || name == "agentslo:slo:info" || name == "ALERTS";
            for selector in selectors(&parsed(&query)) {
                let is_named =
                    demands(&selector, "agent_name", HOSTILE) || demands(&selector, "agent", HOSTILE);
                let is_slo = demands(&selector, "agentslo", "WRONG");
                assert!(is_named || is_slo || !of_agent(&crate::promql::metric(&selector)), "{query}");
            }
        }
        let literal =
            format!("{:?}", HOSTILE.replace('é', "e")).replace('$', "\\x24").replace("[[", "\\x5b\\x5b");
        let literal = literal.trim_end_matches('"').trim_end_matches('e').trim_start_matches('"');
        for stream in dashboard.targets().filter(|target| target["datasource"]["type"] == "loki") {
            let query = stream["expr"].as_str().expect("Loki should be asked something");
            assert!(query.contains(literal), "{query}\n{literal}");
        }
    }
}

#[test]
fn the_name_of_an_agent_is_never_read_by_the_database() {
    let boards = with_ledger(HOSTILE);
    let statements: Vec<String> = boards.iter().flat_map(|board| texts_of(&board.json, "rawSql")).collect();
    assert!(statements.len() > 5, "{statements:?}");
    for statement in statements {
        let text = interpolated(&statement, &values(&boards[0]));
        let outside: String = text.split('\'').step_by(2).collect();
        assert_eq!(text.matches('\'').count() % 2, 0, "{text}");
        assert!(!outside.contains("slo") && !outside.contains(['`', '"', '\\']), "{outside}");
    }
}
