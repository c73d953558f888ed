//! `kubectl agentslo` on real servers: what it says of a cluster is so, and each fault that doctor looks
//! for is found.

mod past;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use bed::{Bed, Options, Part, eventually, servers_folder};
use serde_json::{Value, json};

use self::terminal::Terminal;
use crate::stage;
use crate::support::{COUNTED, SOON, Stage, program, success_slo};

const NAMESPACE: &str = "plugin";

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_tells_what_is_so_and_doctor_finds_each_fault() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let history = folder.path().join("history.txt");
    past::write(&history, NAMESPACE);
    let stage = Stage::start(Options::everything().hastened().history(&history), NAMESPACE).await;
    let plugin = Plugin::install(&stage.bed, folder.path());
    stage.apply(&success_slo(NAMESPACE, "checkout", "99.5")).await;
    stage.apply(&success_slo(NAMESPACE, "search", "99").replace("support-agent", "search-agent")).await;
    for name in ["checkout", "search"] {
        stage.wait_for_condition(NAMESPACE, name, ("Ready", "True", "Ready")).await;
        counted(&stage, name).await;
    }
    status_shows_the_budgets(&stage, &plugin).await;
    colours_are_for_terminals(&plugin);
    a_watch_redraws_on_a_terminal_and_appends_in_a_pipe(&stage, &plugin).await;
    explain_gives_the_numbers_of_the_status(&stage, &plugin).await;
    the_most_urgent_is_on_top(&plugin);
    a_month_is_reported_with_what_it_lacks(&stage, &plugin).await;
    a_difference_is_shown_before_it_is_made(&stage, &plugin).await;
    kubectl_finds_the_plugin_and_completes_names(&plugin);
    credentials_may_come_from_a_program(&stage, &plugin, folder.path());
    doctor_finds_each_fault(&stage, &plugin).await;
    stage.operator.stop().await;
    stage.bed.stop().await;
}

/// The plugin as it is installed: in PATH, beside its completion.
struct Plugin {
    path: String,
    kubeconfig: PathBuf,
}

impl Plugin {
    fn install(bed: &Bed, folder: &Path) -> Self {
        let bin = folder.join("bin");
        std::fs::create_dir(&bin).expect("a folder should be made");
        std::os::unix::fs::symlink(program(), bin.join("kubectl-agentslo")).expect("a link should be made");
        let script = Command::new(program()).args(["completion", "kubectl"]).output().expect("it should run");
        let file = bin.join("kubectl_complete-agentslo");
        std::fs::write(&file, script.stdout).expect("the script should be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&file, mode).expect("the script should be executable");
        let servers = servers_folder().expect("the servers should be there");
        let rest = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{rest}", bin.display(), servers.display());
        Self { path, kubeconfig: bed.kubeconfig("admin").expect("there should be an admin") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig).env("PATH", &self.path);
        command.env_remove("NO_COLOR").env("TERM", "xterm");
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().expect("the plugin should run"))
    }

    fn kubectl(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new("kubectl");
        let command = command.args(arguments).env("KUBECONFIG", &self.kubeconfig).env("PATH", &self.path);
        Said::of(&command.output().expect("kubectl should run"))
    }
}

/// What a command printed.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    notes: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            notes: text(&output.stderr),
        };
        // What is printed is what the guide shows; with --nocapture it can be read.
        eprintln!("{}\n{}(exit {})\n", said.out, said.notes, said.code);
        said
    }

    #[track_caller]
    fn has(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        // How wide a column is and where a line ends is the business of other tests.
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in texts {
            assert!(
                squeezed(&self.out).contains(&squeezed(text)),
                "'{text}' is missing in\n{}\n{}",
                self.out,
                self.notes
            );
        }
    }
}

/// Waits until the status of an AgentSLO tells how many events there were.
async fn counted(stage: &Stage, name: &str) -> Value {
    let seen = async || {
        let status = stage.get("agentslo", NAMESPACE, name).await?["status"].clone();
        let is_counted = status["events"]["coverage"].is_string() && status["burn"]["rates"].is_array();
        is_counted.then_some(status)
    };
    eventually(COUNTED, seen).await.expect("events should be counted")
}

async fn status_shows_the_budgets(stage: &Stage, plugin: &Plugin) {
    let said = plugin.run(&["status", "-n", NAMESPACE]);
    said.has(0, &["NAME       OBJECTIVE   WINDOW   BUDGET", "TREND", "checkout   99.5%       30d"]);
    let trend = said.out.lines().find(|line| line.starts_with("search")).expect("search has a row");
    assert!(trend.contains("Exhausted") && trend.contains("▅▅▅▅"), "{trend}");
    assert!(said.out.lines().all(|line| line.chars().count() <= 100), "{}", said.out);
    plugin.run(&["status", "-A", "-o", "wide"]).has(0, &["NAMESPACE", "INDICATOR", "support-agent"]);
    let object = plugin.run(&["status", "checkout", "-n", NAMESPACE, "-o", "json"]);
    let object: Value = serde_json::from_str(&object.out).expect("it should be JSON");
    assert_eq!(object["kind"], "AgentSLO");
    let live = stage.get("agentslo", NAMESPACE, "checkout").await.expect("it should be there");
    assert_eq!(object["status"]["objective"], live["status"]["objective"]);
    let list = plugin.run(&["status", "-n", NAMESPACE, "-o", "yaml"]);
    let list: Value = serde_saphyr::from_str(&list.out).expect("it should be YAML");
    assert_eq!((list["kind"].as_str(), list["items"].as_array().map(Vec::len)), (Some("List"), Some(2)));
    assert_eq!(plugin.run(&["status", "nobody", "-n", NAMESPACE]).code, 1);
    assert_eq!(plugin.run(&["status", "--context", "nobody"]).code, 2);
    let mut away = plugin.command(&["status"]);
    let gone = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "x", "user": {}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    });
    let file = stage.bed.folder().join("gone");
    std::fs::write(&file, gone.to_string()).expect("a file should be written");
    let said = Said::of(&away.env("KUBECONFIG", &file).output().expect("it should run"));
    assert_eq!(said.code, 3, "{said:?}");
    let dark = plugin.run(&["status", "-n", NAMESPACE, "--prometheus", "http://127.0.0.1:1"]);
    assert!(!dark.out.contains("TREND") && dark.notes.contains("no trend from"), "{dark:?}");
}

fn colours_are_for_terminals(plugin: &Plugin) {
    let arguments = ["status", "-n", NAMESPACE];
    let on_terminal = |mut command: Command, columns: u16| {
        command.env_remove("COLUMNS");
        Terminal::start(command, columns).finish()
    };
    let shown = on_terminal(plugin.command(&arguments), 120);
    assert!(shown.contains("\x1b[31mExhausted\x1b[0m"), "no colour on a terminal: {shown:?}");
    let mut plain = plugin.command(&arguments);
    plain.env("NO_COLOR", "1");
    assert!(!on_terminal(plain, 120).contains('\x1b'), "NO_COLOR is not honoured");
    let never = plugin.command(&["status", "-n", NAMESPACE, "--color=never"]);
    assert!(!on_terminal(never, 120).contains('\x1b'), "--color=never is not honoured");
    assert!(!plugin.run(&arguments).out.contains('\x1b'), "there are colours in a pipe");
    let always = plugin.run(&["status", "-n", NAMESPACE, "--color=always"]);
    assert!(always.out.contains('\x1b'), "--color=always is not honoured");
    let mut narrow = plugin.command(&arguments);
    narrow.env("NO_COLOR", "1");
    let shown = on_terminal(narrow, 40);
    let rows: Vec<&str> = shown.lines().filter(|line| !line.starts_with("note")).collect();
    assert!(rows.iter().all(|row| row.trim_end().chars().count() <= 40), "{shown}");
}

async fn a_watch_redraws_on_a_terminal_and_appends_in_a_pipe(stage: &Stage, plugin: &Plugin) {
    let arguments = ["status", "-n", NAMESPACE, "--watch"];
    let terminal = Terminal::start(plugin.command(&arguments), 120);
    let mut piped = plugin.command(&arguments);
    let file = stage.bed.folder().join("watched");
    let out = std::fs::File::create(&file).expect("a file should be made");
    let mut piped = piped.stdout(out).spawn().expect("the plugin should run");
    let appended = || std::fs::read_to_string(&file).unwrap_or_default();
    let both = |text: &'static str| {
        let (terminal, appended) = (&terminal, &appended);
        async move {
            let seen = async || (terminal.shown().contains(text) && appended().contains(text)).then_some(());
            let found = eventually(SOON, seen).await;
            assert!(found.is_some(), "no '{text}' in {:?} or {:?}", terminal.shown(), appended());
        }
    };
    both("checkout").await;
    assert!(terminal.shown().starts_with("\x1b[2J\x1b[H"), "{:?}", terminal.shown());
    stage.apply(&success_slo(NAMESPACE, "later", "97.25")).await;
    both("97.25%").await;
    let (drawn, lines) = (terminal.shown(), appended());
    assert!(drawn.matches("\x1b[HN").count() + drawn.matches("\x1b[H\x1b[1mNAME").count() >= 2, "{drawn:?}");
    assert!(!lines.contains('\x1b'), "{lines:?}");
    assert_eq!(lines.matches("OBJECTIVE").count(), 1, "one row of titles: {lines}");
    assert!(lines.matches("\nlater ").count() >= 1, "{lines}");
    piped.kill().expect("it should end");
    piped.wait().expect("it should end");
    stage.bed.kubectl(&["delete", "agentslo", "-n", NAMESPACE, "later"]).await.expect("it should go");
}

async fn explain_gives_the_numbers_of_the_status(stage: &Stage, plugin: &Plugin) {
    let status = counted(stage, "search").await;
    let said = plugin.run(&["explain", "search", "-n", NAMESPACE]);
    let events =
        format!("{} events were counted", status["events"]["total"].as_str().expect("events were counted"));
    let left = format!("{} is left", status["budget"]["remaining"].as_str().expect("a budget is known"));
    said.has(0, &["AgentSLO plugin/search: 99% of the events of agent 'search-agent'", &events, &left]);
    said.has(0, &["ALERTS", "Page     14.4x", "WHAT TO DO", "NEXT\n  kubectl agentslo "]);
    said.has(0, &["firing"]);
    the_windows_are_those_of_prometheus(stage, plugin).await;
    let dark = plugin.run(&["explain", "search", "-n", NAMESPACE, "--prometheus", "http://127.0.0.1:1"]);
    dark.has(0, &[&events, "What they see now is not known: Prometheus does not answer"]);
    assert_eq!(plugin.run(&["explain", "nobody", "-n", NAMESPACE]).code, 1);
}

/// The counts of a day, asked of Prometheus in other words.
async fn the_windows_are_those_of_prometheus(stage: &Stage, plugin: &Plugin) {
    let agree = async || {
        let bad = asked(stage, "sum_over_time(agentslo:bad:increase5m{agentslo=\"search\"}[1d:5m])").await?;
        let all =
            asked(stage, "sum_over_time(agentslo:total:increase5m{agentslo=\"search\"}[1d:5m])").await?;
        let said = plugin.run(&["explain", "search", "-n", NAMESPACE]);
        let row = said.out.lines().find(|line| line.contains(" 1d "))?;
        row.split_whitespace().any(|cell| cell == format!("{bad}/{all}")).then_some(())
    };
    assert!(eventually(SOON, agree).await.is_some(), "the counts of a day should be those of Prometheus");
}

/// The one value of a query.
async fn asked(stage: &Stage, query: &str) -> Option<String> {
    let url = format!("{}/api/v1/query", stage.bed.prometheus_url());
    let answer = reqwest::Client::new().get(url).query(&[("query", query)]).send().await.ok()?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
    answer["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
}

fn the_most_urgent_is_on_top(plugin: &Plugin) {
    let first = |order: &str| {
        let said = plugin.run(&["top", "-A", "--sort-by", order]);
        let row = said.out.lines().nth(1).unwrap_or_default().to_owned();
        (row, said)
    };
    let (row, said) = first("burn");
    assert!(row.starts_with("plugin      search "), "{said:?}");
    assert!(said.notes.contains("recorded samples read an hour"), "{said:?}");
    assert!(first("budget").0.contains(" search "));
    first("cost").1.has(0, &["SAMPLES/H", "0."]);
}

async fn a_month_is_reported_with_what_it_lacks(stage: &Stage, plugin: &Plugin) {
    stage.apply(&success_slo(NAMESPACE, "unseen", "99")).await;
    let month = &*past::MONTH;
    let arguments = ["report", "-n", NAMESPACE, "--month", &month.name];
    plugin.run(&arguments).has(
        0,
        &[
            "| support-agent | plugin/checkout | 99.5% | Met | 99.",
            "| search-agent | plugin/search | 99% | Missed | ",
            "| plugin/support-agent | 6.00 |",
            "plugin/unseen: Prometheus has no counts of this month.",
        ],
    );
    let json = plugin.run(&[&arguments[..], &["-o", "json"]].concat());
    let report: Value = serde_json::from_str(&json.out).expect("it should be JSON");
    let rows = report["objectives"].as_array().expect("there are rows");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("there is a row").clone();
    assert_eq!(row("search")["pages"], 2);
    assert_eq!(row("unseen")["outcome"], "NoData");
    assert_eq!(row("unseen")["goodPercent"], Value::Null, "nothing is 100 % by absence");
    // Five events in each five minutes; the last tiles may be of the present, which has none.
    let tiles = u64::try_from(month.seconds() / 300).expect("it has passed");
    let events = row("checkout")["events"].as_u64().expect("events were counted");
    assert!(events <= 5 * tiles && events + 50 >= 5 * tiles, "{events} of {}", 5 * tiles);
    // One of a thousand was bad, wherever the month began.
    let bad = row("checkout")["bad"].as_u64().expect("bad events were counted");
    assert!(bad.abs_diff(events / 1000) <= 1, "{bad} of {events}");
    assert_eq!(plugin.run(&["report", "--month", "2026-13"]).code, 2);
    let dark = plugin.run(&["report", "-n", NAMESPACE, "--prometheus", "http://127.0.0.1:1"]);
    assert_eq!(dark.code, 3, "{dark:?}");
    stage.bed.kubectl(&["delete", "agentslo", "-n", NAMESPACE, "unseen"]).await.expect("it should go");
}

async fn a_difference_is_shown_before_it_is_made(stage: &Stage, plugin: &Plugin) {
    let folder = stage.bed.folder().join("diff");
    std::fs::create_dir(&folder).expect("a folder should be made");
    let file = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a file should be written");
        file.display().to_string()
    };
    let before = versions(stage).await;
    let same = file("same.yaml", &success_slo(NAMESPACE, "checkout", "99.5"));
    let said = plugin.run(&["diff", "-f", &same]);
    said.has(0, &[]);
    assert_eq!((said.out.as_str(), said.notes.as_str()), ("", "0 resources would change, 1 would not\n"));
    let stricter = file("stricter.yaml", &success_slo(NAMESPACE, "checkout", "99.9"));
    plugin.run(&["diff", "-f", &stricter]).has(
        1,
        &[
            "AgentSLO plugin/checkout\n",
            "  ~ alert AgentSLOBudgetBurn (page): annotations, expr\n",
            "~ page over 1h and 5m fires above 1.44% bad (14.4x the budget), was 7.2% bad (14.4x the budget)\n",
        ],
    );
    let new = file("new.yaml", &success_slo(NAMESPACE, "new", "95"));
    plugin.run(&["diff", "-f", &new]).has(1, &["  + PrometheusRule agentslo-new-", "cost: ", "+ page over"]);
    let wrong = file("wrong.yaml", &success_slo(NAMESPACE, "wrong", "101"));
    let said = plugin.run(&["diff", "-f", &wrong]);
    assert_eq!(said.code, 2);
    assert!(said.notes.contains("wrong.yaml:4: spec.objective: "), "{said:?}");
    let policy = format!(
        "apiVersion: agentslo.dev/v1alpha1\nkind: AgentPlatform\nmetadata: {{name: default}}\n\
         spec: {{prometheus: {{address: \"{}\"}}, ruleLabels: {{release: stack}}, defaults: {{window: 7d}}}}\n",
        stage.bed.prometheus_url()
    );
    let policy = file("policy.yaml", &policy);
    plugin.run(&["diff", "-f", &policy]).has(
        1,
        &[
            "AgentSLO plugin/checkout\n",
            "AgentSLO plugin/search\n",
            "+ record agentslo:total:count7d",
            "- record agentslo:total:count30d",
        ],
    );
    assert_eq!(versions(stage).await, before, "diff writes nothing");
}

/// Our PrometheusRules and their versions, once the garbage of deleted AgentSLOs is collected.
async fn versions(stage: &Stage) -> Vec<Value> {
    let two = async || {
        let rules = stage.rules(NAMESPACE).await;
        let versions = rules.iter().map(|rule| rule["metadata"]["resourceVersion"].clone());
        (rules.len() == 2).then(|| versions.collect())
    };
    eventually(SOON, two).await.expect("there should be two PrometheusRules")
}

fn kubectl_finds_the_plugin_and_completes_names(plugin: &Plugin) {
    plugin.kubectl(&["agentslo", "status", "-n", NAMESPACE]).has(0, &["checkout"]);
    plugin.kubectl(&["agentslo", "--help"]).has(0, &["Usage: kubectl agentslo "]);
    let complete = |words: &[&str]| plugin.kubectl(&[&["__complete", "agentslo"], words].concat());
    complete(&["explain", "-n", NAMESPACE, ""]).has(0, &["checkout\n", "search\n", ":4\n"]);
    complete(&["explain", "-n", NAMESPACE, "ch"]).has(0, &["checkout\n"]);
    complete(&["sta"]).has(0, &["status\tShow how much budget is left"]);
    complete(&["top", "--sort-by", ""]).has(0, &["burn\t", "budget\t", "cost\t"]);
    plugin.run(&["version"]).has(
        0,
        &["client: ", "server: v", "AgentSLO: v1alpha1, as this client has it\n", "AgentPlatform: v1alpha1"],
    );
}

/// Kubeconfigs of clouds name a program that prints the credentials.
fn credentials_may_come_from_a_program(stage: &Stage, plugin: &Plugin, folder: &Path) {
    let admin = stage.bed.kubeconfig("admin").expect("there should be an admin");
    let admin = std::fs::read_to_string(admin).expect("it should be readable");
    let mut kubeconfig: Value = serde_json::from_str(&admin).expect("the bed writes JSON");
    let token = kubeconfig["users"][0]["user"]["token"].as_str().expect("it has a token").to_owned();
    let api_version = "client.authentication.k8s.io/v1";
    let credential = json!({"apiVersion": api_version, "kind": "ExecCredential", "status": {"token": token}});
    let script = format!("cat <<'END'\n{credential}\nEND\n");
    kubeconfig["users"][0]["user"] = json!({"exec": {
        "apiVersion": api_version, "command": "sh", "args": ["-c", script], "interactiveMode": "Never",
    }});
    kubeconfig["contexts"][0]["context"]["namespace"] = json!(NAMESPACE);
    let file = folder.join("exec.kubeconfig");
    std::fs::write(&file, kubeconfig.to_string()).expect("a file should be written");
    // The namespace is that of the context.
    plugin.run(&["status", "--kubeconfig", &file.display().to_string()]).has(0, &["checkout"]);
}

async fn doctor_finds_each_fault(stage: &Stage, plugin: &Plugin) {
    let well = plugin.run(&["doctor"]);
    well.has(
        0,
        &[
            "kind AgentSLO             ok        agentslos.agentslo.dev is installed",
            "permissions               ok        ServiceAccount agentslo-system/agentslo may do all",
            "Prometheus monitoring/bed takes 2 of 2 PrometheusRules",
            "the rules of 2 AgentSLOs are loaded, and none fails",
            "the operator has looked at 2 AgentSLOs",
            "0 problems, 1 could not be told",
        ],
    );
    permissions_that_are_missing_are_printed(stage, plugin).await;
    a_prometheus_that_selects_nothing_is_found(stage, plugin).await;
    stage.bed.kubectl(&["delete", "crd", "agentobservabilities.agentslo.dev"]).await.expect("it should go");
    plugin.run(&["doctor"]).has(
        1,
        &[
            "kind AgentObservability   problem   agentobservabilities.agentslo.dev is not installed",
            "agentslo crds | kubectl apply",
        ],
    );
    plugin.run(&["version"]).has(0, &["AgentObservability: not installed\n"]);
    deployment_without_pods_is_found(stage, plugin).await;
}

async fn permissions_that_are_missing_are_printed(stage: &Stage, plugin: &Plugin) {
    stage.bed.kubectl(&["delete", "clusterrolebinding", "agentslo"]).await.expect("it should go");
    let asked = async || Some(plugin.run(&["doctor", "-o", "json"])).filter(|said| said.code == 1);
    let said = eventually(SOON, asked).await.expect("the permissions should be missed");
    let report: Value = serde_json::from_str(&said.out).expect("it should be JSON");
    let checks = report["checks"].as_array().expect("there are checks");
    let check = checks.iter().find(|check| check["about"] == "permissions").expect("it is looked at");
    assert_eq!(check["verdict"], "problem", "{check}");
    let rules = report["missingRules"].as_str().expect("what is missing is printed");
    assert!(rules.contains("prometheusrules"), "{rules}");
    stage.apply(rules).await;
    let asked = async || Some(plugin.run(&["doctor"])).filter(|said| said.code == 0);
    assert!(eventually(SOON, asked).await.is_some(), "what is printed should be enough");
}

async fn a_prometheus_that_selects_nothing_is_found(stage: &Stage, plugin: &Plugin) {
    let select = async |selector: &Value| {
        let patch = json!({"spec": {"ruleSelector": selector}}).to_string();
        let arguments =
            ["patch", "prometheus", "-n", "monitoring", "bed", "--type=merge", "-p", patch.as_str()];
        stage.bed.kubectl(&arguments).await.expect("the Prometheus should be patched");
    };
    select(&json!({"matchLabels": {"release": "stack"}})).await;
    let asked = async || {
        let said = plugin.run(&["doctor", "-n", NAMESPACE]);
        (said.code == 1 && said.out.contains("the rules of 2 AgentSLOs are not loaded")).then_some(said)
    };
    let said = eventually(SOON, asked).await.expect("rules that are not selected should be missed");
    let fix = "`ruleLabels: {release: stack}` in the AgentPlatform";
    assert!(said.out.contains("no Prometheus takes 2 PrometheusRules"), "{}", said.out);
    assert!(said.out.replace("\n    ", " ").contains(fix), "{}", said.out);
    select(&json!({"matchLabels": null})).await;
    let asked = async || (plugin.run(&["doctor"]).code == 0).then_some(());
    assert!(eventually(SOON, asked).await.is_some(), "all should be well again");
}

async fn deployment_without_pods_is_found(stage: &Stage, plugin: &Plugin) {
    let labels = json!({"app.kubernetes.io/name": "agentslo"});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "agentslo", "namespace": "agentslo-system", "labels": labels},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"serviceAccountName": "agentslo", "containers": [{"name": "agentslo", "image": "agentslo"}]},
        }},
    });
    stage.apply(&deployment.to_string()).await;
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "agentslo", "namespace": "agentslo-system"},
        "spec": {"holderIdentity": "agentslo-0", "renewTime": "2026-01-01T00:00:00.000000Z"},
    });
    stage.apply(&lease.to_string()).await;
    plugin.run(&["doctor"]).has(
        1,
        &[
            "agentslo-system/agentslo has 0 of 2 pods ready",
            "agentslo-0 holds Lease agentslo-system/agentslo, renewed ",
        ],
    );
}

/// The address of a Service is of no use outside the cluster; the API server is.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_is_reached_with_kubectls_access_alone() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let history = folder.path().join("history.txt");
    past::write(&history, NAMESPACE);
    let options = Options::default().with(Part::Prometheus).history(&history);
    let bed = Bed::start(options).await.expect("the bed should start");
    stage::install(&bed, NAMESPACE).await.expect("the CRDs should install");
    let plugin = Plugin::install(&bed, folder.path());
    let port = forward(bed.prometheus_url()).await;
    let apply =
        async |object: &Value| bed.apply_yaml(&object.to_string()).await.expect("it should be accepted");
    apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}})).await;
    let address = outside_address();
    // The API server forwards only to the address of a pod.
    apply(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "prometheus-0", "namespace": "monitoring"},
        "spec": {"containers": [{"name": "prometheus", "image": "prometheus"}]},
    }))
    .await;
    let status = json!({"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}});
    let patch =
        ["patch", "pod", "-n", "monitoring", "prometheus-0", "--subresource=status", "--type=merge", "-p"];
    let patched = plugin.kubectl(&[&patch[..], &[&status.to_string()]].concat());
    assert_eq!(patched.code, 0, "{patched:?}");
    apply(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "prometheus", "namespace": "monitoring"},
        "spec": {"clusterIP": "None", "ports": [{"name": "web", "port": 9090, "targetPort": port}]},
    }))
    .await;
    apply(&json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": "prometheus", "namespace": "monitoring",
            "labels": {"kubernetes.io/service-name": "prometheus"},
        },
        "endpoints": [{
            "addresses": [address], "conditions": {"ready": true},
            "targetRef": {"kind": "Pod", "name": "prometheus-0", "namespace": "monitoring"},
        }],
        "ports": [{"name": "web", "port": port}],
    }))
    .await;
    apply(&json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform", "metadata": {"name": "default"},
        "spec": {"prometheus": {"address": "http://prometheus.monitoring.svc:9090"}},
    }))
    .await;
    bed.apply_yaml(&success_slo(NAMESPACE, "search", "99")).await.expect("it should be accepted");
    let raw = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/status/buildinfo";
    let asked = async || {
        let said = plugin.kubectl(&["get", "--raw", raw]);
        (said.code == 0).then_some(())
    };
    assert!(eventually(Duration::from_mins(1), asked).await.is_some(), "the API server should forward");
    plugin.run(&["explain", "search", "-n", NAMESPACE]).has(0, &["Page 14.4x", "NOW is bad of valid"]);
    let month = &past::MONTH.name;
    plugin.run(&["report", "-n", NAMESPACE, "--month", month]).has(0, &["plugin/search | 99% | Missed"]);
    plugin
        .run(&["doctor"])
        .has(1, &["Prometheus ok the Prometheus of AgentPlatform 'default' answers, version "]);
    let denied = "User \"operator\" cannot";
    let said = plugin.run(&[
        "report",
        "-n",
        NAMESPACE,
        "--kubeconfig",
        &bed.kubeconfig("operator").expect("it is there").display().to_string(),
    ]);
    assert!(said.code == 3 && said.notes.contains(denied) || said.notes.contains("403"), "{said:?}");
    bed.stop().await;
}

/// An address of this machine that is not loopback, to which the API server would not forward.
fn outside_address() -> String {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket should be made");
    // Nothing is sent: connecting only chooses the address to send from.
    socket.connect("192.0.2.1:9").expect("the machine should have a route");
    socket.local_addr().expect("it has an address").ip().to_string()
}

/// Listens on every address, and forwards to a server that listens on loopback only.
async fn forward(url: String) -> u16 {
    let to = url.trim_start_matches("http://").to_owned();
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a port should be free");
    let port = listener.local_addr().expect("it listens").port();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let to = to.clone();
            tokio::spawn(async move {
                let Ok(mut to) = tokio::net::TcpStream::connect(to).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    port
}
