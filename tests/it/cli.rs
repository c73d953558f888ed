//! What the commands print, where, and with which exit code.

#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes them")]

use std::fs;

use snapbox::cmd::{Command, cargo_bin};
use snapbox::{file, str};

fn agentslo(arguments: &[&str]) -> Command {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli");
    Command::new(cargo_bin!("agentslo")).args(arguments).current_dir(folder).env("COLUMNS", "100")
}

#[test]
fn without_a_command_the_help_is_printed() {
    agentslo(&[]).assert().code(2).stderr_eq(file!["cli/help.txt"]);
    agentslo(&["--help"]).assert().success().stdout_eq(file!["cli/help.txt"]);
}

#[test]
fn every_command_has_help_with_examples() {
    agentslo(&["validate", "--help"]).assert().success().stdout_eq(file!["cli/help-validate.txt"]);
    agentslo(&["test", "--help"]).assert().success().stdout_eq(file!["cli/help-test.txt"]);
    agentslo(&["preview", "--help"]).assert().success().stdout_eq(file!["cli/help-preview.txt"]);
    agentslo(&["discover", "--help"]).assert().success().stdout_eq(file!["cli/help-discover.txt"]);
    agentslo(&["check-metrics", "--help"]).assert().success().stdout_eq(file!["cli/help-check-metrics.txt"]);
    agentslo(&["redact", "--help"]).assert().success().stdout_eq(file!["cli/help-redact.txt"]);
    agentslo(&["render", "--help"]).assert().success().stdout_eq(file!["cli/help-render.txt"]);
    agentslo(&["crds", "--help"]).assert().success().stdout_eq(file!["cli/help-crds.txt"]);
    agentslo(&["status", "--help"]).assert().success().stdout_eq(file!["cli/help-status.txt"]);
    agentslo(&["explain", "--help"]).assert().success().stdout_eq(file!["cli/help-explain.txt"]);
    agentslo(&["top", "--help"]).assert().success().stdout_eq(file!["cli/help-top.txt"]);
    agentslo(&["report", "--help"]).assert().success().stdout_eq(file!["cli/help-report.txt"]);
    agentslo(&["diff", "--help"]).assert().success().stdout_eq(file!["cli/help-diff.txt"]);
    agentslo(&["doctor", "--help"]).assert().success().stdout_eq(file!["cli/help-doctor.txt"]);
    agentslo(&["version", "--help"]).assert().success().stdout_eq(file!["cli/help-version.txt"]);
    agentslo(&["completion", "--help"]).assert().success().stdout_eq(file!["cli/help-completion.txt"]);
}

#[test]
fn a_cluster_that_is_not_there_is_told_from_a_wrong_argument() {
    let without = |arguments: &[&str]| agentslo(arguments).env("KUBECONFIG", "nowhere").assert();
    for command in ["status", "top", "doctor", "version", "report"] {
        without(&[command])
            .code(3)
            .stderr_eq("error: there is no kubeconfig; set KUBECONFIG, or name one with --kubeconfig\n");
    }
    without(&["status", "--kubeconfig", "nowhere"]).code(2);
    without(&["explain"]).code(2);
    without(&["report", "--month", "2026-13"]).code(2).stderr_eq(str![[r#"
error: '2026-13' must be a month such as 2026-11

"#]]);
    without(&["diff", "-f", "slos/other.yaml"]).code(2).stderr_eq(str![[r#"
error: there is no AgentSLO, AgentObservability or AgentPlatform

"#]]);
    without(&["version", "--client"]).success().stdout_eq("client: [..]\n");
}

#[test]
fn kubectl_is_given_candidates_and_a_directive() {
    let complete = |words: &[&str]| {
        agentslo(&[&["__complete"], words].concat()).env("KUBECONFIG", "nowhere").assert().success()
    };
    complete(&["exp"]).stdout_eq(str![[r#"
explain	Explain one AgentSLO: what was counted, what its alerts see, what blocks, and what to do
:4

"#]]);
    // Without a cluster there are no names, and nobody is told of an error in the middle of a line.
    complete(&["explain", ""])
        .stdout_eq(str![[r#"
:4

"#]])
        .stderr_eq("");
    complete(&["report", "-o", "m"]).stdout_eq(str![[r#"
markdown	A page of Markdown
:4

"#]]);
}

#[test]
fn violations_go_to_stdout_with_file_and_line_and_the_count_to_stderr() {
    agentslo(&["validate", "-f", "slos"])
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
slos/nested/list.json:8: items[0].spec.window: must be at least 1 day and at most 90 days, for example '30d'
slos/two.yaml:9: spec.objective: must be of type string, write it in quotes: "99.9"
slos/two.yaml:10: spec.alerting.burnRate: unknown field; did you mean `burnRates`?
slos/two.yaml:20: must not have the key 'agent' twice

"#]])
        .stderr_eq(str![[r#"
3 resources checked, 4 violations; 1 document of other kinds left alone

"#]]);
}

#[test]
fn what_is_valid_passes() {
    agentslo(&["validate", "-f", "slos/good.yml"]).assert().success().stdout_eq("").stderr_eq(str![[r#"
1 resource checked, all valid

"#]]);
}

#[test]
fn nothing_to_check_is_not_valid() {
    agentslo(&["validate", "-f", "slos/other.yaml"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: no AgentSLO, AgentObservability or AgentPlatform; 1 document of other kinds left alone

"#]]);
    agentslo(&["render", "-f", "nowhere"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: cannot read 'nowhere': [..]

"#]]);
    agentslo(&["validate"]).assert().code(2);
}

#[test]
fn standard_input_is_a_file() {
    let text = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/slos/two.yaml")).unwrap();
    agentslo(&["validate", "-f", "-"]).stdin(text).assert().code(1).stdout_eq(str![[r#"
stdin:9: spec.objective: must be of type string, write it in quotes: "99.9"
stdin:10: spec.alerting.burnRate: unknown field; did you mean `burnRates`?
stdin:20: must not have the key 'agent' twice

"#]]);
}

#[test]
fn files_that_are_no_text_or_too_large_do_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("binary.yaml"), [0xff, 0xfe, 0, 1]).unwrap();
    fs::write(path("large.yaml"), "#".repeat(4 * 1024 * 1024 + 1)).unwrap();
    fs::write(path("tabs.yaml"), "a:\n\tb: 1\n").unwrap();
    fs::write(path("empty.yaml"), "").unwrap();
    fs::write(path("ignored.txt"), "a: [").unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/slos/good.yml"), path("good.yml")).unwrap();
    agentslo(&["validate", "-f", "."])
        .current_dir(folder.path())
        .assert()
        .code(1)
        .stdout_eq(str![[r#"
./binary.yaml:1: must be text in UTF-8
./large.yaml:1: file is larger than 4 MiB
./tabs.yaml:2: must be valid YAML: [..]

"#]])
        .stderr_eq("1 resource checked, 3 violations\n");
}

#[test]
fn text_of_users_cannot_move_the_cursor() {
    let text = "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {name: a}\nspec: {\"\\e[2J\\n\\u202E\": 1}\n";
    let output = agentslo(&["validate", "-f", "-"]).stdin(text).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("spec.\\u{1b}[2J\\n\\u{202e}: unknown field"), "{said}");
    assert!(!said.contains(['\x1b', '\u{202e}']), "{said}");
}

#[test]
fn the_platform_decides_what_is_permitted() {
    let raw = "../../../examples/raw/agentslo.yaml";
    agentslo(&["validate", "-f", raw]).assert().code(1).stdout_eq(str![[r#"
../../../examples/raw/agentslo.yaml:[..]: spec.indicator.raw: raw queries are disabled by the default policy (there is no AgentPlatform)

"#]]);
    agentslo(&["validate", "-f", raw, "--platform", "../../../examples/raw/platform.yaml"])
        .assert()
        .success();
    agentslo(&["validate", "-f", "../../../examples/raw"]).assert().success();
    agentslo(&["validate", "-f", raw, "--platform", raw]).assert().code(2);
}

#[test]
fn an_invalid_platform_permits_nothing_and_forbids_nothing() {
    let platform = "apiVersion: agentslo.dev/v1alpha1\nkind: AgentPlatform\nmetadata: {name: p}\nspec: {defaults: {window: 1y}}\n";
    let raw = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/raw/agentslo.yaml")).unwrap();
    agentslo(&["render", "-f", "-"])
        .stdin(format!("{platform}---\n{raw}"))
        .assert()
        .code(1)
        .stdout_eq("")
        .stderr_eq(str![[r#"
stdin:4: spec.defaults.window: must be a whole number with a unit 'm', 'h', 'd' or 'w', for example '30d'
2 resources checked, 1 violation

"#]]);
}

#[test]
fn render_prints_the_valid_and_names_the_others() {
    let arguments = ["render", "-f", "slos/good.yml", "-f", "slos/two.yaml"];
    let first = agentslo(&arguments).output().unwrap();
    let text = String::from_utf8(first.stdout.clone()).unwrap();
    assert!(text.starts_with("---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"), "{text}");
    assert_eq!(text.matches("---\n").count(), 1);
    assert_eq!(first.status.code(), Some(1));
    assert!(String::from_utf8(first.stderr).unwrap().contains("slos/two.yaml:9: spec.objective"));
    assert_eq!(first.stdout, agentslo(&arguments).output().unwrap().stdout);
}

#[test]
fn yaml_and_json_say_the_same() {
    let parse = |format: &str, command: &[&str]| -> Vec<serde_json::Value> {
        let output = agentslo(&[command, &["-o", format]].concat()).output().unwrap();
        assert!(output.status.success());
        match format {
            "json" => {
                serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect()
            }
            _ => serde_saphyr::from_multiple(std::str::from_utf8(&output.stdout).unwrap()).unwrap(),
        }
    };
    for command in [&["crds"][..], &["render", "-f", "slos/good.yml"]] {
        let yaml = parse("yaml", command);
        assert!(!yaml.is_empty());
        assert_eq!(yaml, parse("json", command));
    }
}

#[test]
fn a_namespace_can_be_given() {
    let output = agentslo(&["render", "-f", "slos/good.yml", "-n", "team-a"]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("namespace: team-a"));
}

#[test]
fn windows_can_be_fitted_to_few_events() {
    let rendered = |arguments: &[&str]| {
        let arguments = [&["render", "-f", "slos/good.yml"], arguments].concat();
        String::from_utf8(agentslo(&arguments).output().unwrap().stdout).unwrap()
    };
    assert!(!rendered(&[]).contains("[45m]"));
    assert!(rendered(&["--traffic-per-hour", "4"]).contains("[45m]"));
    assert_eq!(rendered(&["--traffic-per-hour", "4.9"]), rendered(&["--traffic-per-hour", "4"]));
    assert_eq!(rendered(&["--traffic-per-hour", "1000"]), rendered(&[]));
    for number in ["0", "NaN", "many"] {
        agentslo(&["render", "-f", "slos/good.yml", "--traffic-per-hour", number]).assert().code(2);
    }
}

#[test]
fn every_shell_gets_a_completion() {
    for shell in ["bash", "zsh", "fish"] {
        let output = agentslo(&["completion", shell]).output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().contains("validate"), "{shell}");
    }
}

#[test]
#[cfg(unix)]
fn kubectl_finds_its_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-agentslo");
    std::os::unix::fs::symlink(cargo_bin!("agentslo"), &plugin).unwrap();
    let output = Command::new(&plugin).args(["validate", "--help"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Usage: kubectl agentslo validate"), "{said}");
}

const FIRST_EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/success/agentslo.yaml");

/// `agentslo test` where neither PATH nor the environment leads to a promtool.
fn test_without_promtool(arguments: &[&str]) -> Command {
    let arguments = [&["test", "-f", FIRST_EXAMPLE], arguments].concat();
    agentslo(&arguments).env_remove("AGENTSLO_SERVERS").env("PATH", "")
}

#[test]
fn tests_are_written_even_where_there_is_no_promtool_to_run_them() {
    test_without_promtool(&[]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
error: there is no promtool; name one with --promtool, or keep the tests with --output

"#]]);
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    let output = folder.path().to_str().expect("temporary folders should have plain names");
    test_without_promtool(&["--output", output]).assert().success().stdout_eq(str![[r#"
support/support-success: 12 tests written

"#]]);
    let written =
        fs::read_dir(folder.path().join("support/support-success")).expect("tests should be written");
    assert_eq!(written.count(), 13);
}

#[cfg(unix)]
#[test]
fn what_promtool_complains_of_is_a_finding() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    let promtool = folder.path().join("promtool");
    fs::write(&promtool, "#!/bin/sh\necho '  FAILED: the page'\nexit 1\n")
        .expect("a script should be writable");
    fs::set_permissions(&promtool, fs::Permissions::from_mode(0o755)).expect("a script should be executable");
    let promtool = promtool.to_str().expect("temporary folders should have plain names");
    test_without_promtool(&["--promtool", promtool]).assert().code(1).stdout_eq(str![[r#"
support/support-success: total-outage: FAILED
  FAILED: the page
...
"#]]);
}

#[test]
fn an_agent_that_keeps_to_the_contract_passes() {
    agentslo(&["check-metrics", "metrics/good.prom"]).assert().success().stdout_eq("").stderr_eq(str![[r#"
not exposed, which is no fault: agent_llm_calls_total (modelCalls), agent_tool_calls_total (tools), agent_evaluations_total (evaluations), agent_guardrail_checks_total (guardrails), agent_llm_call_duration_seconds (modelCallDuration), agent_tool_duration_seconds (toolDuration), agent_time_to_first_token_seconds (timeToFirstToken), agent_query_cost_usd (runCost), agent_tokens_per_query (runTokens), agent_query_turns (runTurns), agent_evaluation_score (evaluationScore), agent_cost_usd_total (cost), agent_tokens_total (tokens), agent_oldest_active_query_start_timestamp_seconds (oldestActiveRunStart), agent_queue_depth (queueDepth), agent_errors_total (errors)
4 metrics checked against AgentMetrics, 0 findings

"#]]);
}

#[test]
fn what_an_agent_exposes_wrongly_is_said_line_by_line() {
    agentslo(&["check-metrics", "metrics/faulty.prom"]).assert().code(1).stdout_eq(str![[r#"
metrics/faulty.prom:1: agent_queries_total: label user_id has a value for every user; leave it out, it belongs in logs and traces
metrics/faulty.prom:1: agent_queries_total: label user_id is not in the contract; leave it out, it multiplies the series
metrics/faulty.prom:3: agent_queries_total: no series with status 'error' and 'cancelled'; create it at start with the value 0, or its first event is lost
metrics/faulty.prom:4: agent_queries_total: no series with status 'error' and 'cancelled'; create it at start with the value 0, or its first event is lost
metrics/faulty.prom:5: agent_tool_calls_total: has no HELP; say in a sentence what it counts, and in which unit
metrics/faulty.prom:5: agent_tool_calls_total: label tool_use_id has a value for every call; leave it out, it belongs in logs and traces
metrics/faulty.prom:5: agent_tool_calls_total: label tool_use_id is not in the contract; leave it out, it multiplies the series
metrics/faulty.prom:6: agent_tool_calls_total: no series with status 'success' and 'error'; create it at start with the value 0, or its first event is lost
metrics/faulty.prom:8: agent_tokens_used_total: a histogram named _total, which is for counters; name it agent_tokens_used
metrics/faulty.prom:13: agent_query_duration_seconds: has 2 different lists of buckets; give all label sets the same bounds
metrics/faulty.prom:13: agent_query_duration_seconds: has no bucket for the threshold 60 of the contract; add the bound to 1, 5, 30
metrics/faulty.prom:13: agent_query_duration_seconds: {agent_name="other"} has no bucket le="+Inf"; a client library adds it
metrics/faulty.prom:13: agent_query_duration_seconds: {agent_name="support-agent"} _count is 11, the last bucket 12; they count the same
metrics/faulty.prom:13: agent_query_duration_seconds: {agent_name="support-agent"} the buckets do not ascend; each counts all that is at most its bound
metrics/faulty.prom:22: agent_cost_usd_total: a gauge named _total, which is for counters; name it agent_cost_usd
metrics/faulty.prom:22: agent_cost_usd_total: is a gauge; make it a counter
metrics/faulty.prom:24: agent_cost_usd_total: the series is there twice; give each set of labels once
metrics/faulty.prom:27: agent_errors_total: the value -1 is none that a counter can have; count up from 0
metrics/faulty.prom:30: agent_active_queries: has no label agent_name; name the agent in it, on every series
metrics/faulty.prom:31: 'agent_runs 3 of 4' is no sample; write `name{label="value"} number`
metrics/faulty.prom:32: 'agent_broken{x=1} 2' is no sample; write `name{label="value"} number`

"#]]);
}

#[test]
fn thresholds_that_are_promised_must_be_bounds() {
    let arguments = ["check-metrics", "metrics/open.prom", "--slo", "metrics/slos.yaml"];
    agentslo(&arguments).assert().code(1).stdout_eq(str![[r#"
metrics/open.prom: agent_query_cost_usd: is not exposed; AgentSLO 'support-cost' counts it
metrics/open.prom:1: agent_queries_total: no series is the one that AgentSLO 'other-success' selects; compare the agent's name
metrics/open.prom:7: agent_query_duration_seconds: has no bucket for the threshold 60 of AgentSLO 'support-latency'; add the bound to 30

"#]]);
    agentslo(&["check-metrics", "metrics/open.prom"]).assert().code(1).stdout_eq(str![[r#"
metrics/open.prom:7: agent_query_duration_seconds: has no bucket for the threshold 60 of the contract; add the bound to 30

"#]]);
}

#[test]
fn other_emitters_are_held_against_their_own_profile() {
    let arguments = ["check-metrics", "metrics/litellm.prom", "--profile", "LiteLLM"];
    agentslo(&arguments).assert().success().stdout_eq("").stderr_eq(str![[r#"
not exposed, which is no fault: litellm_llm_api_time_to_first_token_metric (timeToFirstToken), litellm_spend_metric_total (cost), litellm_input_tokens_metric_total (tokens), litellm_output_tokens_metric_total (tokens), litellm_proxy_failed_requests_metric_total (errors)
2 metrics checked against LiteLLM, 0 findings

"#]]);
}

#[test]
fn what_is_no_exposition_is_refused() {
    agentslo(&["check-metrics", "metrics/nowhere.prom"]).assert().code(2).stderr_eq(str![[r#"
error: cannot read 'metrics/nowhere.prom': [..]

"#]]);
    agentslo(&["check-metrics", "-"]).stdin("").assert().code(2).stderr_eq("error: '-' exposes nothing\n");
    agentslo(&["check-metrics", "-"]).stdin(&[0xff_u8, 0xfe][..]).assert().code(2);
    agentslo(&["check-metrics", "-", "--profile", "Datadog"]).assert().code(2);
    agentslo(&["check-metrics", "-"]).stdin("<html>\x1b[2J\n").assert().code(1).stdout_eq(str![[r#"
stdin: agent_queries_total: is not exposed; expose it as a counter, it has the role runs
stdin: agent_query_duration_seconds: is not exposed; expose it as a histogram, it has the role runDuration
stdin:1: '<html>/u{1b}[2J' is no sample; write `name{label="value"} number`

"#]]);
}

#[test]
fn samples_are_run_through_the_patterns_of_a_pipeline() {
    let arguments = ["redact", "--test", "-f", "redact/observability.yaml", "redact/agent.log"];
    agentslo(&arguments).assert().success().stdout_eq(file!["cli/redact/left.log"]).stderr_eq(str![[r#"
Credentials/Assignments: 2
Credentials/ModelKeys: 1
Credentials/UsersInUrls: 1
Personal/Addresses: 2
Personal/Cards: 1
SecretKeys: 1
keyPatterns[0]: 2
patterns[0]: 3
patterns[1]: 0
8 lines, 6 with something taken out

"#]]);
    let quiet = ["redact", "-f", "redact/observability.yaml", "redact/agent.log"];
    agentslo(&quiet).assert().success().stdout_eq(file!["cli/redact/left.log"]).stderr_eq("");
}

#[test]
fn without_a_resource_the_built_in_sets_are_in_force() {
    agentslo(&["redact", "--test"])
        .stdin("mail a@b.example, CUST-20261124\n{\"prompt\":\"hello\",\"n\":1}\n")
        .assert()
        .success()
        .stdout_eq(str![[r#"
mail ****, CUST-20261124
{"n":1}

"#]])
        .stderr_eq(str![[r#"
ContentKeys: 1
Personal/Addresses: 1
2 lines, 2 with something taken out

"#]]);
}

#[test]
fn a_redaction_must_be_valid_and_the_one_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("several.yaml");
    let named = |name: &str, pattern: &str| {
        format!(
            "---\napiVersion: agentslo.dev/v1alpha1\nkind: AgentObservability\nmetadata: {{name: {name}}}\n\
             spec: {{agent: {name}, pipeline: {{redaction: {{patterns: ['{pattern}']}}}}}}\n"
        )
    };
    let path = file.to_str().unwrap();
    let run = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let arguments = [&["redact", "-f", path], more].concat();
        agentslo(&arguments).stdin("a one and a two\n").assert()
    };
    let two = [named("one", "one"), named("two", "two")].concat();
    run(&two, &["--name", "two"]).success().stdout_eq("a one and a ****\n");
    run(&two, &[]).code(2).stderr_eq("error: name one of one, two with --name\n");
    run(&two, &["--name", "three"])
        .code(2)
        .stderr_eq("error: the files have no AgentObservability 'three'\n");
    run(&named("one", "(?=one)"), &[]).code(1).stdout_eq("").stderr_eq(str![[r#"
[..]/several.yaml:5: spec.pipeline.redaction.patterns[0]: must be an RE2 regular expression: look-around at position 1

"#]]);
    run(&named("one", "(.{1,30}x{30}){30}"), &[]).success();
    run(&named("one", r"(\pL{1,30}x){30}"), &[]).code(2).stderr_eq(str![[r#"
error: patterns[0]: the pattern is too large to be tried here

"#]]);
    let plain = "apiVersion: agentslo.dev/v1alpha1\nkind: AgentObservability\nmetadata: {name: a}\nspec: {agent: a}\n";
    run(plain, &[]).code(2).stderr_eq("error: AgentObservability 'a' has no pipeline\n");
    agentslo(&["redact", "-f", "-"]).stdin(two).assert().code(2).stderr_eq(str![[r#"
error: standard input is either the samples or a resource; name a file for one

"#]]);
    agentslo(&["redact", "redact/nowhere.log"]).assert().code(2);
}
