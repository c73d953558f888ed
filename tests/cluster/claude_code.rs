//! Claude Code itself, the program, in the environment that is rendered and through the pipeline that is
//! rendered: what it really sends becomes the metrics of profile `ClaudeCode`, and no text of it leaves.

mod model;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::instrument::toolchain::node_modules;
use crate::pipeline::stand::{Stand, environment, observability};

/// The longest wait for one prompt.
const PATIENCE: Duration = Duration::from_mins(2);
const KEY: &str = "sk-ant-api03-planted-key-of-the-agent";

/// An agent that runs Claude Code.
struct Agent {
    program: PathBuf,
    model: String,
    home: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Agent {
    async fn of(stand: &Stand, pipeline: &Value) -> Self {
        let platform = json!({
            "backends": [{"name": "sink", "kind": "Otlp", "protocol": "Http", "address": "http://sink:4318"}],
            "collector": {"endpoint": stand.otlp},
        });
        let rendered = environment(&observability(pipeline, &platform));
        Self {
            program: program(),
            model: model::start().await,
            home: tempfile::tempdir().expect("a folder should be made"),
            environment: rendered.into_iter().collect(),
        }
    }

    /// One process with one prompt: what it prints at its end.
    async fn run(&self, prompt: &str) -> Value {
        let mut command = Command::new(&self.program);
        command.args(["--print", "--output-format", "json", "--allowedTools", "Bash", "--", prompt]);
        command.current_dir(self.home.path()).env_clear().envs(self.environment.iter().cloned());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home.path());
        command.env("ANTHROPIC_BASE_URL", &self.model).env("ANTHROPIC_API_KEY", KEY);
        command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output()).await;
        let output = output.expect("Claude Code should end").expect("Claude Code should start");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&said)
            .unwrap_or_else(|_| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// The program for this platform, which is a package of its own.
fn program() -> PathBuf {
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/claude_code");
    let packages = node_modules("claude-code", &pinned).join("@anthropic-ai");
    let packages = std::fs::read_dir(packages).expect("the packages should be installed").flatten();
    let programs = packages.map(|package| package.path().join("claude"));
    programs.into_iter().find(|program| program.is_file()).expect("there should be one for this platform")
}

/// Runs with a tool that succeeds, one that fails, and one that is not allowed; and a run that the model
/// refuses. All but the last ask the model twice.
async fn counted_by(derivation: &str) -> Stand {
    let pipeline = json!({
        "deriveMetrics": derivation, "logs": {"backends": ["sink"]}, "traces": {"backends": ["sink"]},
    });
    let stand = Stand::start(&pipeline).await;
    let agent = Agent::of(&stand, &pipeline).await;
    let mut dollars = 0.0;
    for (prompt, is_refused) in
        [(model::GOOD, false), (model::BAD, false), (model::DENIED, false), (model::REFUSED, true)]
    {
        let result = agent.run(prompt).await;
        assert_eq!(result["is_error"], json!(is_refused), "{result}");
        dollars += result["total_cost_usd"].as_f64().expect("it should tell its cost");
    }
    assert!(dollars > 0.0, "it should have cost something");
    stand.wait_for("agent_llm_calls_total", &[r#"outcome="ok""#], 6.0).await;
    stand.wait_for("agent_llm_calls_total", &[r#"outcome="error""#], 1.0).await;
    stand.wait_for("agent_tokens_total", &[r#"type="input""#], f64::from(6 * model::INPUT)).await;
    stand.wait_for("agent_tokens_total", &[r#"type="output""#], f64::from(6 * model::OUTPUT)).await;
    stand.wait_for("agent_tokens_total", &[r#"type="cache_read""#], f64::from(6 * model::CACHE_READ)).await;
    if derivation != "FromSpans" {
        stand.wait_for("agent_cost_usd_total", &[], dollars).await;
        stand.wait_for("agent_prompts_total", &[], 4.0).await;
    }
    no_text_left(&stand);
    stand
}

/// Neither the key nor what was asked, answered, called with or printed by a tool is in any back end.
fn no_text_left(stand: &Stand) {
    assert!(!stand.sink.logs().is_empty() && !stand.sink.spans().is_empty(), "the back end should have both");
    let text = stand.sink.text();
    for secret in [KEY, "prompt-text", "answer-text", "tool-input-text", "tool-output-text"] {
        assert!(!text.contains(secret), "{secret} has left the agent");
    }
}

const BASH: &str = r#"tool_name="Bash""#;

#[tokio::test(flavor = "multi_thread")]
async fn claude_codes_events_become_metrics_and_no_text_leaves() {
    let stand = counted_by("RunsFromSpans").await;
    stand.wait_for("agent_tool_calls_total", &[BASH, r#"outcome="ok""#], 1.0).await;
    stand.wait_for("agent_tool_calls_total", &[BASH, r#"outcome="error""#], 1.0).await;
    stand.wait_for("agent_tool_calls_total", &[r#"tool_name="WebFetch""#, r#"outcome="denied""#], 1.0).await;
    stand.wait_for("agent_tool_duration_seconds_count", &[BASH], 2.0).await;
    // One of the four failed, and its span does not say so: nothing may call it good.
    stand.wait_for("agent_runs_total", &[r#"outcome="unset""#], 4.0).await;
    stand.wait_for("agent_run_duration_seconds_count", &[], 4.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_codes_spans_become_metrics_and_no_text_leaves() {
    let stand = counted_by("FromSpans").await;
    stand.wait_for("agent_runs_total", &[r#"outcome="unset""#], 4.0).await;
    stand.wait_for("agent_tool_calls_total", &[r#"outcome="ok""#], 1.0).await;
    stand.wait_for("agent_tool_calls_total", &[r#"outcome="error""#], 1.0).await;
    stand.wait_for("agent_tool_duration_seconds_count", &[], 2.0).await;
}
