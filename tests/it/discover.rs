//! What is proposed for what a Prometheus has. The facts are made from what emitters expose; a real
//! Prometheus is asked in `tests/cluster`.

use std::collections::BTreeMap;

use agentslo::discover::{Facts, Fit, Proposal, Scope, Series, propose};
use agentslo::exposition;
use agentslo::validate::{self, SloFacts};

use crate::workspace;

/// What a Prometheus would have after it scraped these texts.
fn facts(texts: &[&str]) -> Facts {
    let (exposition, findings) = exposition::read(&texts.join("\n"));
    assert!(findings.is_empty(), "{findings:?}");
    let mut facts = Facts::default();
    let samples = exposition.families.into_values().flat_map(|family| family.samples);
    for sample in samples.filter(|sample| !sample.name.ends_with("_sum")) {
        let series = Series { labels: sample.labels, value: sample.value };
        match sample.name.strip_suffix("_bucket") {
            Some(base) => facts.buckets.entry(base.to_owned()).or_default().push(series),
            None => facts.series.entry(sample.name).or_default().push(series),
        }
    }
    facts
}

fn proposed(texts: &[&str], scope: &Scope) -> Proposal {
    let proposal = propose(&facts(texts), scope);
    for slo in &proposal.slos {
        let mut slo = slo.clone();
        slo.metadata.namespace.get_or_insert_with(|| "default".to_owned());
        let judged = validate::slo(&slo, &SloFacts::default());
        assert!(
            judged.is_ok(),
            "{slo:?} should be valid: {:?}",
            judged.err().map(|all| all.first().cloned())
        );
    }
    proposal
}

fn agents_by_profile(proposal: &Proposal) -> BTreeMap<&str, Vec<&str>> {
    let entry = |fit| {
        let Fit { profile, agents, .. }: &Fit = fit;
        (profile.name.as_str(), agents.iter().map(|agent| agent.agent.as_str()).collect())
    };
    proposal.fits.iter().map(entry).collect()
}

/// Name, objective and indicator of everything that is proposed.
fn summary(proposal: &Proposal) -> Vec<String> {
    let line = |slo: &agentslo::api::v1alpha1::AgentSlo| {
        let indicator = serde_json::to_string(&slo.spec.indicator).expect("an indicator should be JSON");
        let name = slo.metadata.name.as_deref().unwrap_or_default();
        format!("{name} {} {indicator}", slo.spec.objective)
    };
    proposal.slos.iter().map(line).collect()
}

const CALLS: &str = r#"
agent_queries_total{agent_name="support",namespace="a",status="success"} 985
agent_queries_total{agent_name="support",namespace="a",status="error"} 15
agent_queries_total{agent_name="support",namespace="a",status="cancelled"} 400
agent_queries_total{agent_name="young",namespace="b",status="success"} 3
agent_query_duration_seconds_bucket{agent_name="support",namespace="a",le="0.25"} 10
agent_query_duration_seconds_bucket{agent_name="support",namespace="a",le="30.0"} 940
agent_query_duration_seconds_bucket{agent_name="support",namespace="a",le="120.0"} 990
agent_query_duration_seconds_bucket{agent_name="support",namespace="a",le="+Inf"} 1000
agent_query_duration_seconds_count{agent_name="support",namespace="a"} 1000
agent_evaluation_score_bucket{agent_name="support",namespace="a",evaluator="tone",le="0.5"} 10
agent_evaluation_score_bucket{agent_name="support",namespace="a",evaluator="tone",le="0.7"} 30
agent_evaluation_score_bucket{agent_name="support",namespace="a",evaluator="tone",le="+Inf"} 1000
agent_evaluation_score_count{agent_name="support",namespace="a",evaluator="tone"} 1000
agent_cost_usd_total{agent_name="support",namespace="a",model="m"} 35
"#;

#[test]
fn thresholds_are_bounds_and_objectives_are_what_the_past_met() {
    let proposal = proposed(&[CALLS], &Scope::default());
    assert_eq!(
        summary(&proposal),
        [
            r#"support-success 98 {"success":{}}"#,
            r#"support-latency 99 {"latency":{"threshold":"2m","of":"Run","type":"Auto"}}"#,
            r#"support-cost-per-run 95 {"costPerRun":{"maxUSD":"0.05","method":"HourlyMean"}}"#,
            r#"support-evaluation 95 {"evaluation":{"evaluator":"tone","minScore":"0.7"}}"#,
            r#"young-success 95 {"success":{}}"#,
        ]
    );
    assert!(proposal.sightings.is_empty(), "{:?}", proposal.sightings);
}

#[test]
fn a_scope_leaves_out_other_agents_and_namespaces() {
    let names = |scope: &Scope| -> Vec<String> {
        let proposal = proposed(&[CALLS], scope);
        proposal.slos.into_iter().filter_map(|slo| slo.metadata.name).collect()
    };
    let of_agent = Scope { agent: Some("young".to_owned()), namespace: None };
    assert_eq!(names(&of_agent), ["young-success"]);
    let of_namespace = Scope { agent: None, namespace: Some("b".to_owned()) };
    assert_eq!(names(&of_namespace), ["young-success"]);
    let nowhere = Scope { agent: Some("nobody".to_owned()), namespace: None };
    assert!(proposed(&[CALLS], &nowhere).fits.is_empty());
}

#[test]
fn model_calls_are_written_out_as_two_counters() {
    let gateway = r#"
litellm_proxy_total_requests_metric_total{api_key_alias="key",namespace="a",status_code="200"} 100
litellm_proxy_failed_requests_metric_total{api_key_alias="key",namespace="a",exception_class="Timeout"} 4
"#;
    let route = r#"
agentgateway_requests_total{route="r",namespace="a",status="200"} 10
agentgateway_mcp_requests_total{route="r",namespace="a",resource="t"} 10
"#;
    let server = r#"
vllm:request_success_total{model_name="llama",namespace="a",finished_reason="stop"} 10
"#;
    let proposal = proposed(&[gateway, route, server], &Scope::default());
    let total = |metric: &str, own: &str| format!(r#""total":{{"metric":"{metric}","matchers":[{own}]}}"#);
    let key = r#"{"label":"api_key_alias","op":"Equal","value":"key"}"#;
    let route = r#"{"label":"route","op":"Equal","value":"r"}"#;
    let model = r#"{"label":"model_name","op":"Equal","value":"llama"}"#;
    let expected = [
        format!(
            r#"key-model-calls 95 {{"ratio":{{{},"bad":{{"metric":"litellm_proxy_failed_requests_metric_total","matchers":[{key}]}}}}}}"#,
            total("litellm_proxy_total_requests_metric_total", key)
        ),
        format!(
            r#"r-model-calls 95 {{"ratio":{{{},"bad":{{"metric":"agentgateway_requests_total","matchers":[{route},{{"label":"status","op":"Regex","value":"429|5..|unknown"}}]}}}}}}"#,
            total("agentgateway_requests_total", route)
        ),
        format!(
            r#"llama-model-calls 95 {{"ratio":{{{},"bad":{{"metric":"vllm:request_success_total","matchers":[{model},{{"label":"finished_reason","op":"NotRegex","value":"abort|stop|length"}}]}}}}}}"#,
            total(
                "vllm:request_success_total",
                &format!(r#"{model},{{"label":"finished_reason","op":"NotEqual","value":"abort"}}"#)
            )
        ),
    ];
    let mut said = summary(&proposal);
    said.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(said, expected);
}

#[test]
fn the_conventions_do_not_explain_what_an_emitter_explains() {
    let adk = r#"
gen_ai_invoke_agent_duration_seconds_count{job="app",namespace="a",gen_ai_agent_name="root"} 10
gen_ai_client_operation_duration_seconds_count{job="app",namespace="a",gen_ai_agent_name="root",gen_ai_provider_name="g"} 10
"#;
    let other = r#"
gen_ai_client_operation_duration_seconds_count{job="chat",namespace="a",gen_ai_provider_name="g"} 10
"#;
    let proposal = proposed(&[adk, other], &Scope::default());
    assert_eq!(
        agents_by_profile(&proposal),
        [("GoogleADK", vec!["root"]), ("GenAI137", vec!["chat"])].into()
    );
}

#[test]
fn runs_whose_end_nobody_tells_are_named() {
    let unset = "agent_runs_total{agent_name=\"coder\",namespace=\"a\",outcome=\"unset\"} 10\n\
                 agent_cost_usd_total{agent_name=\"coder\",namespace=\"a\"} 2\n";
    let named = |texts: &[&str]| -> Vec<&str> {
        proposed(texts, &Scope::default()).sightings.iter().map(|seen| seen.hazard).collect()
    };
    assert_eq!(named(&[unset]), ["OutcomeUnset"]);
    let told = "agent_runs_total{agent_name=\"coder\",namespace=\"a\",outcome=\"ok\"} 1\n";
    assert_eq!(named(&[unset, told]), [""; 0]);
}

#[test]
fn derived_metrics_without_what_only_events_tell_are_those_of_an_agent_of_spans() {
    let calls = |agent: &str| {
        format!(
            "agent_runs_total{{agent_name=\"{agent}\",namespace=\"a\",outcome=\"ok\"}} 10\n\
             agent_llm_calls_total{{agent_name=\"{agent}\",namespace=\"a\",outcome=\"ok\"}} 10\n\
             agent_tool_calls_total{{agent_name=\"{agent}\",namespace=\"a\",outcome=\"ok\"}} 10\n"
        )
    };
    let cost = "agent_cost_usd_total{agent_name=\"coder\",namespace=\"a\"} 2\n";
    let proposal = proposed(&[&calls("coder"), &calls("k8s-agent"), cost], &Scope::default());
    assert_eq!(
        agents_by_profile(&proposal),
        [("ClaudeCode", vec!["coder"]), ("Kagent", vec!["k8s-agent"])].into()
    );
}

#[test]
fn agents_whose_names_no_agentslo_takes_get_none() {
    let odd = "agent_queries_total{agent_name=\"{{ x }}\",namespace=\"a\",status=\"success\"} 1\n";
    let proposal = proposed(&[odd], &Scope::default());
    assert!(proposal.slos.is_empty() && proposal.fits[0].agents.len() == 1);
}

#[test]
fn what_an_agent_of_the_contract_exposes_is_recognised() {
    let good = workspace::read("tests/it/cli/metrics/good.prom");
    let proposal = proposed(&[&good], &Scope::default());
    assert_eq!(proposal.fits[0].profile.name, "AgentMetrics");
    let hazards: Vec<&str> = proposal.sightings.iter().map(|sighting| sighting.hazard).collect();
    assert_eq!(hazards, ["NoNamespaceLabel"], "before it is scraped");
}
