//! What each emitter exposes, as its sources say: metrics to push by OpenTelemetry's protocol, and texts to
//! scrape.

use serde_json::{Value, json};

use crate::durations::nanoseconds;

/// An emitter that pushes, and what of it shall be found.
pub(crate) struct Pushed {
    /// The profile that fits.
    pub(crate) profile: &'static str,
    /// Name of the agent in its series.
    pub(crate) agent: &'static str,
    /// Name of its service, which becomes the label `job`.
    pub(crate) service: &'static str,
    /// Its metrics, one in a line: kind, unit, name, attributes.
    pub(crate) metrics: &'static str,
}

/// The bounds of an SDK that is told none.
const SDK_BOUNDS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0];

/// Every emitter that pushes. Kinds are `h` for a histogram in seconds, `w` for one of whole numbers, `d`
/// for one with the bounds of the SDK, and `c` for a counter; `-` is no unit.
pub(crate) const PUSHED: [Pushed; 10] = [
    Pushed {
        profile: "GenAI",
        agent: "planner",
        service: "planner",
        metrics: "h s gen_ai.invoke_agent.duration gen_ai.agent.name=planner
            h s gen_ai.invoke_agent.duration gen_ai.agent.name=planner,error.type=timeout
            h s gen_ai.execute_tool.duration gen_ai.agent.name=planner,gen_ai.tool.name=search
            h s gen_ai.client.inference.duration gen_ai.provider.name=anthropic,gen_ai.request.model=m
            h s gen_ai.client.inference.time_to_first_chunk gen_ai.provider.name=anthropic
            c {token} gen_ai.client.inference.usage.input_tokens gen_ai.token.modality=text
            c {token} gen_ai.client.inference.usage.output_tokens gen_ai.token.modality=text
            w {call} gen_ai.invoke_agent.inference_calls gen_ai.agent.name=planner",
    },
    Pushed {
        profile: "GenAI137",
        agent: "summarizer",
        service: "summarizer",
        metrics: "h s gen_ai.client.operation.duration gen_ai.provider.name=openai,gen_ai.request.model=m
            h s gen_ai.client.operation.time_to_first_chunk gen_ai.provider.name=openai
            w {token} gen_ai.client.token.usage gen_ai.provider.name=openai,gen_ai.token.type=input",
    },
    Pushed {
        profile: "GenAI136",
        agent: "translator",
        service: "translator",
        metrics: "h s gen_ai.client.operation.duration gen_ai.system=openai,gen_ai.request.model=m
            w {token} gen_ai.client.token.usage gen_ai.system=openai,gen_ai.token.type=input",
    },
    Pushed {
        profile: "GoogleADK",
        agent: "researcher",
        service: "adk-app",
        metrics: "h s gen_ai.invoke_agent.duration gen_ai.agent.name=researcher
            h s gen_ai.invoke_agent.duration gen_ai.agent.name=researcher,error.type=ValueError
            h s gen_ai.execute_tool.duration gen_ai.agent.name=researcher,gen_ai.tool.name=search,gen_ai.tool.type=function
            h s gen_ai.client.operation.duration gen_ai.agent.name=researcher,gen_ai.provider.name=gemini,gen_ai.request.model=m
            w {token} gen_ai.client.token.usage gen_ai.agent.name=researcher,gen_ai.provider.name=gemini,gen_ai.token.type=input
            w {token} gen_ai.client.token.usage gen_ai.agent.name=researcher,gen_ai.provider.name=gemini,gen_ai.token.type=output
            w 1 gen_ai.invoke_agent.inference_calls gen_ai.agent.name=researcher
            w 1 gen_ai.invoke_agent.tool_calls gen_ai.agent.name=researcher",
    },
    Pushed {
        profile: "MicrosoftAgentFramework",
        agent: "clerk",
        service: "clerk",
        metrics: "h s gen_ai.client.operation.duration gen_ai.provider.name=azure,gen_ai.request.model=m
            h s agent_framework.function.invocation.duration agent_framework.function.name=search,gen_ai.tool.call.id=call_1
            h s agent_framework.function.invocation.duration agent_framework.function.name=search,gen_ai.tool.call.id=call_2
            w tokens gen_ai.client.token.usage gen_ai.provider.name=azure,gen_ai.token.type=input",
    },
    Pushed {
        profile: "OpenLLMetry",
        agent: "chatbot",
        service: "chatbot",
        metrics: "d s gen_ai.client.operation.duration gen_ai.system=openai,gen_ai.response.model=m
            w token gen_ai.client.token.usage gen_ai.system=openai,gen_ai.token.type=input
            d s gen_ai.server.time_to_first_token gen_ai.system=openai
            c choice gen_ai.client.generation.choices gen_ai.system=openai
            c time llm.openai.chat_completions.exceptions gen_ai.system=openai,error.type=APIError",
    },
    Pushed {
        profile: "OpenLIT",
        agent: "analyst",
        service: "analyst",
        metrics: "h s gen_ai.agent.operation.duration gen_ai.agent.name=analyst
            h s gen_ai.client.operation.duration gen_ai.provider.name=openai,gen_ai.request.model=m
            h s gen_ai.client.operation.time_to_first_chunk gen_ai.provider.name=openai
            h s gen_ai.server.time_to_first_token gen_ai.provider.name=openai
            h s gen_ai.server.request.duration gen_ai.provider.name=openai
            w {token} gen_ai.client.token.usage gen_ai.provider.name=openai,gen_ai.token.type=input
            d USD gen_ai.usage.cost gen_ai.provider.name=openai
            c 1 mcp.tool.calls mcp.tool.name=search
            c 1 mcp.errors mcp.tool.name=search,mcp.error=false
            h s mcp.client.operation.duration mcp.tool.name=search",
    },
    Pushed {
        profile: "Strands",
        agent: "weather-bot",
        service: "weather-bot",
        metrics: "c Count strands.event_loop.cycle_count event_loop_cycle_id=6d0f8a5e-aaaa
            c Count strands.tool.call_count tool_name=search,tool_use_id=tooluse_1
            c Count strands.tool.call_count tool_name=search,tool_use_id=tooluse_2
            c Count strands.tool.error_count tool_name=search,tool_use_id=tooluse_2
            d s strands.tool.duration tool_name=search,tool_use_id=tooluse_1
            d ms strands.model.time_to_first_token -
            w token strands.event_loop.input.tokens -
            w token strands.event_loop.output.tokens -",
    },
    Pushed {
        profile: "EnvoyAIGateway",
        agent: "gateway-agent",
        service: "ai-gateway",
        metrics: "h s gen_ai.server.request.duration gen_ai.agent.name=gateway-agent,gen_ai.original.model=m,gen_ai.request.model=m,gen_ai.provider.name=openai
            h s gen_ai.server.request.duration gen_ai.agent.name=gateway-agent,gen_ai.original.model=m,gen_ai.request.model=m,error.type=_OTHER
            h s gen_ai.server.time_to_first_token gen_ai.agent.name=gateway-agent,gen_ai.original.model=m
            w token gen_ai.client.token.usage gen_ai.agent.name=gateway-agent,gen_ai.original.model=m,gen_ai.token.type=cached_input
            h - mcp.request.duration gen_ai.agent.name=gateway-agent
            c - mcp.method.count gen_ai.agent.name=gateway-agent,mcp.method.name=tools/call,status=success",
    },
    Pushed {
        profile: "ClaudeCodeNative",
        agent: "coder",
        service: "coder",
        metrics: "c - claude_code.session.count start_type=fresh
            c USD claude_code.cost.usage model=opus
            c tokens claude_code.token.usage model=opus,type=input
            c tokens claude_code.token.usage model=opus,type=cacheRead
            c s claude_code.active_time.total type=cli",
    },
];

/// Emitters that are scraped, with their agent.
pub(crate) const SCRAPED: [(&str, &str); 6] = [
    ("AgentMetrics", "support-agent"),
    ("ClaudeCode", "reviewer"),
    ("Kagent", "k8s-agent"),
    ("LiteLLM", "billing-key"),
    ("AgentGateway", "billing-route"),
    ("VLLM", "llama"),
];

/// What they expose.
pub(crate) fn exposed() -> String {
    let histogram = |name: &str, labels: &str| {
        format!(
            "# TYPE {name} histogram\n{name}_bucket{{{labels},le=\"5.0\"}} 40\n{name}_bucket{{{labels},le=\"60.0\"}} 97\n\
             {name}_bucket{{{labels},le=\"+Inf\"}} 100\n{name}_sum{{{labels}}} 900\n{name}_count{{{labels}}} 100\n"
        )
    };
    let plain = "\
# TYPE agent_queries_total counter
agent_queries_total{agent_name=\"support-agent\",status=\"success\"} 97
agent_queries_total{agent_name=\"support-agent\",status=\"error\"} 3
# TYPE agent_active_queries gauge
agent_active_queries{agent_name=\"support-agent\"} 1
# TYPE agent_runs_total counter
agent_runs_total{agent_name=\"reviewer\",outcome=\"ok\"} 9
agent_runs_total{agent_name=\"k8s-agent\",outcome=\"ok\"} 99
# TYPE agent_tool_calls_total counter
agent_tool_calls_total{agent_name=\"support-agent\",tool_name=\"search\",status=\"success\"} 9
agent_tool_calls_total{agent_name=\"reviewer\",tool_name=\"Bash\",outcome=\"ok\"} 9
agent_tool_calls_total{agent_name=\"k8s-agent\",tool_name=\"apply\",outcome=\"ok\"} 9
# TYPE agent_llm_calls_total counter
agent_llm_calls_total{agent_name=\"reviewer\",model=\"m\",outcome=\"ok\"} 9
agent_llm_calls_total{agent_name=\"k8s-agent\",model=\"m\",outcome=\"ok\"} 9
# TYPE agent_cost_usd_total counter
agent_cost_usd_total{agent_name=\"reviewer\",model=\"m\"} 2.4
# TYPE agent_tokens_total counter
agent_tokens_total{agent_name=\"reviewer\",model=\"m\",type=\"input\"} 2400
# TYPE litellm_proxy_total_requests_metric_total counter
litellm_proxy_total_requests_metric_total{api_key_alias=\"billing-key\",requested_model=\"m\",status_code=\"200\"} 99
# TYPE litellm_proxy_failed_requests_metric_total counter
litellm_proxy_failed_requests_metric_total{api_key_alias=\"billing-key\",requested_model=\"m\",exception_class=\"Timeout\",exception_status=\"408\"} 1
# TYPE litellm_spend_metric_total counter
litellm_spend_metric_total{api_key_alias=\"billing-key\",model=\"m\"} 1.5
# TYPE agentgateway_requests_total counter
agentgateway_requests_total{route=\"billing-route\",backend=\"openai\",status=\"200\",reason=\"Upstream\"} 9
agentgateway_requests_total{route=\"billing-route\",backend=\"openai\",status=\"503\",reason=\"NoHealthyBackend\"} 1
# TYPE agentgateway_mcp_requests_total counter
agentgateway_mcp_requests_total{route=\"billing-route\",method=\"tools/call\",server=\"s\",resource=\"search\"} 9
# TYPE vllm:request_success_total counter
vllm:request_success_total{model_name=\"llama\",engine=\"0\",finished_reason=\"stop\"} 9
vllm:request_success_total{model_name=\"llama\",engine=\"0\",finished_reason=\"abort\"} 1
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name=\"llama\",engine=\"0\"} 1
";
    let histograms = [
        ("agent_query_duration_seconds", "agent_name=\"support-agent\""),
        ("agent_run_duration_seconds", "agent_name=\"reviewer\""),
        ("litellm_request_total_latency_metric", "api_key_alias=\"billing-key\",model=\"m\""),
        ("agentgateway_gen_ai_server_request_duration", "route=\"billing-route\""),
        ("vllm:e2e_request_latency_seconds", "model_name=\"llama\",engine=\"0\""),
    ];
    histograms.iter().fold(plain.to_owned(), |text, (name, labels)| text + &histogram(name, labels))
}

/// The request that pushes all metrics of an emitter, each with ten events.
pub(crate) fn request(emitter: &Pushed, namespace: &str) -> Value {
    let metrics: Vec<Value> = emitter.metrics.lines().map(|line| metric(line.trim(), namespace)).collect();
    json!({"resourceMetrics": [{
        "resource": {"attributes": attributes(&format!("service.name={}", emitter.service))},
        "scopeMetrics": [{"metrics": metrics}],
    }]})
}

fn metric(line: &str, namespace: &str) -> Value {
    let mut words = line.split(' ');
    let mut word = || words.next().expect("a line should have four words");
    let (kind, unit, name, labels) = (word(), word(), word(), word());
    let unit = if unit == "-" { "" } else { unit };
    let labels = if labels == "-" { String::new() } else { format!("{labels},") };
    let labels = attributes(&format!("{labels}namespace={namespace}"));
    let mut point = json!({"attributes": labels, "timeUnixNano": nanoseconds(), "startTimeUnixNano": "1"});
    let Some(bounds) = bounds(kind) else {
        point["asDouble"] = json!(10.0);
        let sum = json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]});
        return json!({"name": name, "unit": unit, "sum": sum});
    };
    let mut counts = vec!["0"; bounds.len() + 1];
    counts[2] = "10";
    point["count"] = json!("10");
    point["sum"] = json!(8.0);
    point["bucketCounts"] = json!(counts);
    point["explicitBounds"] = json!(bounds);
    json!({"name": name, "unit": unit, "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}})
}

/// Bounds of a kind of histogram; a counter has none.
fn bounds(kind: &str) -> Option<&'static [f64]> {
    match kind {
        "h" => Some(&[0.1, 0.5, 1.0, 5.0, 10.0, 60.0]),
        "w" => Some(&[1.0, 4.0, 16.0, 64.0, 256.0]),
        "d" => Some(&SDK_BOUNDS),
        _ => None,
    }
}

fn attributes(pairs: &str) -> Value {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').expect("an attribute should have a value");
        json!({"key": key, "value": {"stringValue": value}})
    };
    pairs.split(',').map(pair).collect()
}
