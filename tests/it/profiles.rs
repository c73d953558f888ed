//! Every telemetry profile under every indicator: valid exactly where the profile has the role, and then
//! rendered to PromQL that parses, in each of the four translations of names.

use std::collections::BTreeMap;

use agentslo::discover::is_looked_for;
use agentslo::profiles::{self, Profile};
use serde_json::{Value, json};

use crate::promql::{parsed, rules_of, texts};
use crate::spec::{valid, validated};
use crate::workspace;

const GUIDE: &str = "docs/guides/profiles.md";

const TRANSLATIONS: [&str; 4] = [
    "UnderscoreEscapingWithSuffixes",
    "UnderscoreEscapingWithoutSuffixes",
    "NoUTF8EscapingWithSuffixes",
    "NoTranslation",
];

/// What an AgentSLO can be put on, and the name that the guide has for it.
fn indicators() -> Vec<(&'static str, Value)> {
    vec![
        ("success", json!({"success": {}})),
        ("toolSuccess", json!({"toolSuccess": {"tools": ["search", "Bash"]}})),
        ("latency", json!({"latency": {"threshold": "60s"}})),
        ("latency of ModelCall", json!({"latency": {"threshold": "10s", "of": "ModelCall"}})),
        ("latency of Tool", json!({"latency": {"threshold": "10s", "of": "Tool"}})),
        ("timeToFirstToken", json!({"timeToFirstToken": {"threshold": "1s"}})),
        ("costPerRun", json!({"costPerRun": {"maxUSD": "0.10"}})),
        ("costPerRun by HourlyMean", json!({"costPerRun": {"maxUSD": "0.10", "method": "HourlyMean"}})),
        ("tokensPerRun", json!({"tokensPerRun": {"max": 65536}})),
        ("turns", json!({"turns": {"max": 16}})),
        ("evaluation", json!({"evaluation": {"evaluator": "helpfulness", "minScore": "0.7"}})),
        ("guardrail", json!({"guardrail": {}})),
    ]
}

fn spec(profile: &Profile, translation: &str, indicator: &Value) -> Value {
    let telemetry = json!({"profile": profile.name, "nameTranslation": translation});
    json!({"agent": "support-agent", "objective": "99", "telemetry": telemetry, "indicator": indicator})
}

fn all() -> impl Iterator<Item = &'static Profile> {
    profiles::names().into_iter().filter_map(profiles::find)
}

/// The indicators that validate on a profile.
fn supported(profile: &Profile) -> Vec<&'static str> {
    let validates = |indicator: &Value| validated(&spec(profile, TRANSLATIONS[0], indicator)).is_ok();
    indicators().into_iter().filter(|(_, indicator)| validates(indicator)).map(|(name, _)| name).collect()
}

#[test]
fn what_validates_on_a_profile_renders_in_every_translation() {
    for profile in all() {
        for (name, indicator) in indicators() {
            if !supported(profile).contains(&name) {
                continue;
            }
            for translation in TRANSLATIONS {
                let rules = rules_of(&valid(&spec(profile, translation, &indicator)));
                assert!(!rules.is_empty(), "{} {name} {translation}", profile.name);
                for text in rules.iter().flat_map(texts) {
                    parsed(&text);
                }
            }
        }
    }
}

#[test]
fn a_profile_without_the_role_says_so() {
    for profile in all() {
        for (name, indicator) in indicators() {
            let Err(violations) = validated(&spec(profile, TRANSLATIONS[0], &indicator)) else { continue };
            for violation in violations.iter() {
                let said = violation.to_string();
                let what = format!("profile '{}' does not emit", profile.name);
                assert!(said.contains(&what), "{} {name}: {said}", profile.name);
            }
        }
    }
}

/// Rows of the first table of the guide: the profile, and what an AgentSLO can be put on.
fn rows() -> BTreeMap<String, Vec<String>> {
    let guide = workspace::read(GUIDE);
    let rows = guide.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        profiles::find(name)?;
        let listed = cells.nth(1)?.split(',').map(|word| word.trim().replace('`', ""));
        Some((name.to_owned(), listed.filter(|word| !word.is_empty() && word != "none").collect()))
    });
    rows.collect()
}

#[test]
fn the_guide_lists_what_each_profile_can_be_asked() {
    let rows = rows();
    for profile in all() {
        let listed = rows.get(&profile.name).unwrap_or_else(|| panic!("{GUIDE} has no {}", profile.name));
        assert_eq!(*listed, supported(profile), "{} in {GUIDE}", profile.name);
    }
}

#[test]
fn the_guide_tells_of_every_hazard() {
    let guide = workspace::read(GUIDE);
    for profile in all() {
        for hazard in &profile.hazards {
            assert!(guide.contains(&format!("`{}`", hazard.name)), "{GUIDE} has no {}", hazard.name);
        }
    }
}

/// Names in the first column of the table under a heading.
fn column(guide: &str, heading: &str) -> Vec<String> {
    let after = guide.split_once(&format!("| {heading} |")).expect("the table should be there").1;
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).expect("a name should be quoted").to_owned()).collect()
}

#[test]
fn the_guide_tells_which_hazards_are_looked_for() {
    let guide = workspace::read(GUIDE);
    for name in column(&guide, "hazard") {
        assert!(is_looked_for(&name), "{name} is in the wrong table");
    }
    for name in column(&guide, "hazard of one emitter") {
        assert!(!is_looked_for(&name), "{name} is in the wrong table");
    }
}

#[test]
fn failures_with_a_metric_of_their_own_are_selected_there() {
    let tools = |profile: &str, tools: Value| {
        let profile = profiles::find(profile).expect("the profile should be there");
        let slo = valid(&spec(profile, TRANSLATIONS[0], &json!({"toolSuccess": {"tools": tools}})));
        rules_of(&slo).iter().flat_map(texts).collect::<Vec<String>>().join("\n")
    };
    let strands = tools("Strands", json!(["search"]));
    let of_search = r#"job="support-agent",namespace="team-a",tool_name="search""#;
    for metric in ["strands_tool_call_count_Count_total", "strands_tool_error_count_Count_total"] {
        assert!(strands.contains(&format!("{metric}{{{of_search}")), "{metric} in {strands}");
    }
    let openlit = tools("OpenLIT", json!([]));
    assert!(openlit.contains(r#"mcp_errors_total{job="support-agent",mcp_tool_name!="""#), "{openlit}");
    assert!(openlit.contains(r#"mcp_tool_calls_total{job="support-agent""#), "{openlit}");
}

#[test]
fn each_metric_is_selected_where_it_names_the_agent_and_by_what_it_amounts_to() {
    let texts_of = |profile: &str, indicator: Value| {
        let profile = profiles::find(profile).expect("the profile should be there");
        let rules = rules_of(&valid(&spec(profile, TRANSLATIONS[0], &indicator)));
        rules.iter().flat_map(texts).collect::<Vec<String>>().join("\n")
    };
    let of_calls = texts_of("GenAI", json!({"latency": {"threshold": "10s", "of": "ModelCall"}}));
    assert!(
        of_calls.contains(r#"gen_ai_client_inference_duration_seconds_count{job="support-agent""#),
        "{of_calls}"
    );
    let of_runs = texts_of("GenAI", json!({"latency": {"threshold": "10s"}}));
    assert!(of_runs.contains(r#"{gen_ai_agent_name="support-agent""#), "{of_runs}");
    let cost = texts_of("OpenLIT", json!({"costPerRun": {"maxUSD": "0.10", "method": "HourlyMean"}}));
    assert!(cost.contains(r#"gen_ai_usage_cost_USD_sum{job="support-agent""#), "{cost}");
    let tools = texts_of("Kagent", json!({"toolSuccess": {}}));
    assert!(tools.contains(r#"agent_tool_calls_total{agent_name="support-agent""#), "{tools}");
}

#[test]
fn outcomes_are_chosen_only_where_a_label_has_them() {
    let profile = profiles::find("ClaudeCodeNative").expect("the profile should be there");
    let indicator = json!({"success": {"goodOutcomes": ["ok"]}});
    let violations = validated(&spec(profile, TRANSLATIONS[0], &indicator)).expect_err("it has no outcomes");
    let said: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|said| said.contains("spec.indicator.success.goodOutcomes")), "{said:?}");
}
