//! A ledger that an AgentObservability asks for, on real servers: the operator makes its objects with the permissions of
//! the chart, its pods run as they are rendered, over TLS and with passwords, and what they find is in the status.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use agentslo::render::ArtifactKind;
use agentslo::vocabulary::{MANAGED_BY_LABEL, MANAGED_BY_VALUE};
use bed::otlp::{self, Sender};
use bed::{
    Authority, Bed, Collector, Configuration, Launch, Options, Part, Probe, Process, Target, eventually,
};
use serde_json::{Value, json};

use super::{Ledger, event, now, write_anew};
use crate::permissions::{OPERATOR, granted_by, requests, used};
use crate::stage;
use crate::support::{condition, program};

/// The operator with the permissions of the chart where ledgers are enabled.
const PERMISSIONS: &str = include_str!("../../../deploy/overlays/ledger/permissions.yaml");
/// Where a container's Secrets are.
const SECRETS: &str = "/var/run/agentslo";
/// The namespace of the agent.
const TEAM: &str = "support";
/// Longest wait for what passes through all servers.
const SOON: Duration = Duration::from_mins(2);

/// Roles that log in with a password, each in the role that it needs.
const ROLES: &str = "CREATE ROLE guarded;
    CREATE ROLE enters LOGIN PASSWORD 'one' IN ROLE guarded, ledger_writer;
    CREATE ROLE reads LOGIN PASSWORD 'two' IN ROLE guarded, ledger_reader;
    CREATE ROLE keeps LOGIN PASSWORD 'three' IN ROLE guarded, ledger_keeper";

type Secrets = BTreeMap<(&'static str, &'static str), String>;

struct Stage {
    ledger: Ledger,
    operator: Process,
    secrets: Secrets,
}

impl Stage {
    async fn start() -> Self {
        let options = Options::nothing()
            .with(Part::MonitoringCrds)
            .with(Part::Prometheus)
            .scrape_interval(Duration::from_secs(1))
            .user(OPERATOR, &[])
            .user("watcher", &[]);
        let bed = Bed::start(options).await.expect("the bed should start");
        stage::install(&bed, TEAM).await.expect("the CRDs should install");
        bed.apply_yaml(PERMISSIONS).await.expect("the permissions should apply");
        let ledger = Ledger::on(bed).await;
        ledger.admin.batch_execute(ROLES).await.expect("roles should be made");
        let platform = json!({
            "backends": [{"name": "ledger", "kind": "Postgres", "address": ledger.postgres.address("ledger")}],
            "collector": {"storageDirectory": ledger.bed.folder().join("queue")},
            "ledger": {
                "database": "ledger", "image": "registry.example/agentslo:0", "imagePullSecrets": ["registry"],
                "caSecret": {"name": "ledger-ca", "key": "ca.crt"},
                "writerSecret": "ledger-writer", "readerSecret": "ledger-reader", "keeperSecret": "ledger-keeper",
                "anchorKeySecret": {"name": "ledger-anchors", "key": "key.pem"},
                "pseudonymKeySecret": {"name": "ledger-pseudonyms", "key": "key"},
                "sinkCertificateSecret": "ledger-sink",
            },
        });
        stage::name_prometheus(&ledger.bed, &platform).await.expect("the platform should apply");
        let operator = stage::start_operator(&ledger.bed, program(), ("agentslo", OPERATOR), &["--ledger"]);
        let operator = operator.await.expect("the operator should start");
        let secrets = secrets(&ledger);
        Self { ledger, operator, secrets }
    }

    async fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let args = ["get", kind, "-n", TEAM, name, "-o", "json"];
        serde_json::from_str(&self.ledger.bed.kubectl(&args).await.ok()?).ok()
    }

    /// Waits until a condition has this status and reason.
    async fn wait_for(&self, type_: &str, status: &str, reason: &str) -> Value {
        let seen = async || {
            let object = self.get("agentobservability", "support-agent").await?;
            let condition = condition(&object, type_)?;
            (condition["status"] == status && condition["reason"] == reason).then_some(object)
        };
        let found = eventually(SOON, seen).await;
        let Some(found) = found else {
            let object = self.get("agentobservability", "support-agent").await.unwrap_or_default();
            panic!("{type_} is not {status} {reason}: {:#}", object["status"]);
        };
        found
    }

    /// What a key of a Secret holds.
    fn secret(&self, secret: &str, key: &str) -> &str {
        let found = self.secrets.iter().find(|((name, its), _)| *name == secret && *its == key);
        let (_, content) = found.unwrap_or_else(|| panic!("Secret {secret} should have {key}"));
        content
    }

    /// Plays kubelet: the container of a pod as a process, with its Secrets as files.
    fn container(&self, name: &str, pod: &Value) -> Container {
        let folder = self.ledger.bed.folder().join(name);
        for volume in pod["volumes"].as_array().into_iter().flatten() {
            let (at, secret) = (text(&volume["name"]), text(&volume["secret"]["secretName"]));
            let place = folder.join(&at);
            fs::create_dir_all(&place).expect("a folder should be made");
            let items = volume["secret"]["items"].as_array().cloned();
            let items: Vec<(String, String)> = match items {
                Some(items) => items.iter().map(|item| (text(&item["key"]), text(&item["path"]))).collect(),
                None => ["username", "password"].map(|key| (key.to_owned(), key.to_owned())).into(),
            };
            for (key, path) in items {
                fs::write(place.join(path), self.secret(&secret, &key)).expect("a Secret should be written");
            }
        }
        let container = &pod["containers"][0];
        let here = |text: &str| text.replace(SECRETS, &folder.display().to_string());
        let args = container["args"].as_array().into_iter().flatten().map(|arg| here(&text(arg))).collect();
        let variables = container["env"].as_array().into_iter().flatten();
        let env = variables.map(|one| (text(&one["name"]), here(&text(&one["value"])))).collect();
        Container { name: name.to_owned(), args, env }
    }

    /// A container that goes on, on free ports.
    async fn run(&self, container: Container, user: &str) -> (Process, Ports) {
        let port = || self.ledger.bed.port().expect("a port should be free");
        let ports = Ports { status: port(), otlp: port(), grpc: port() };
        let log = self.ledger.bed.logs().join(format!("{}.log", container.name));
        let ready = Probe::Url(format!("http://127.0.0.1:{}/readyz", ports.status));
        let mut launch = Launch::new(&container.name, program(), &log, ready).args(container.args.clone());
        launch = launch.args([format!("--listen=127.0.0.1:{}", ports.status)]);
        if container.args.iter().any(|arg| arg == "serve") {
            launch = launch.args([
                format!("--otlp-http=127.0.0.1:{}", ports.otlp),
                format!("--otlp-grpc=127.0.0.1:{}", ports.grpc),
            ]);
        } else {
            launch = launch.arg("--every=1m");
        }
        let kubeconfig = self.ledger.bed.kubeconfig(user).expect("there should be one");
        launch = launch.env("KUBECONFIG", kubeconfig.display().to_string());
        let launch = container.env.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let process = Process::launch(launch).await.expect("the container should become ready");
        (process, ports)
    }

    fn scrape(&self, job: &str, port: u16) {
        let target =
            Target::new(job, port).label("namespace", TEAM).label("agentslo_pipeline", "support-agent");
        self.ledger.bed.scrape(&target).expect("Prometheus should scrape it");
    }
}

/// What the Secrets that the platform names hold, by their name and key.
fn secrets(ledger: &Ledger) -> Secrets {
    let (key, _) = ledger.keys();
    let authority = Authority::new().expect("an authority should be made");
    let sink = authority.identify("sink").expect("a certificate should be made");
    let of = |(secret, key): (&'static str, &'static str), text: &str| ((secret, key), text.to_owned());
    [
        of(("ledger-writer", "username"), "enters"),
        of(("ledger-writer", "password"), "one"),
        of(("ledger-reader", "username"), "reads"),
        of(("ledger-reader", "password"), "two"),
        of(("ledger-keeper", "username"), "keeps"),
        of(("ledger-keeper", "password"), "three"),
        of(("ledger-ca", "ca.crt"), ledger.postgres.authority()),
        of(("ledger-anchors", "key.pem"), &fs::read_to_string(key).expect("there should be a key")),
        of(("ledger-pseudonyms", "key"), "a key that nobody guesses, of forty bytes"),
        of(("ledger-sink", "ca.crt"), &authority.root()),
        of(("ledger-sink", "tls.crt"), &sink.certificate),
        of(("ledger-sink", "tls.key"), &sink.key),
    ]
    .into()
}

struct Container {
    name: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

struct Ports {
    status: u16,
    otlp: u16,
    grpc: u16,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn agent_observability() -> Value {
    json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentObservability",
        "metadata": {"name": "support-agent", "namespace": TEAM},
        "spec": {
            "agent": "support-agent", "pipeline": {"redaction": {"contentCapture": "Redacted"}},
            "ledger": {"audit": "Hashes", "retention": {"audit": "30d", "cost": "60d"}},
        },
    })
}

/// The Collector of the pipeline, on free ports, with the sink where it is.
async fn collector(stage: &Stage, sink: u16) -> (Collector, String) {
    let map = stage.get("configmap", "support-agent-collector").await.expect("the pipeline should be there");
    let configuration = text(&map["data"]["collector.yaml"]);
    let address = || format!("127.0.0.1:{}", stage.ledger.bed.port().expect("a port should be free"));
    let http = address();
    let configuration = configuration
        .replace("https://support-agent-ledger.support.svc:4318", &format!("https://127.0.0.1:{sink}"));
    let over = json!({
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": address()}, "http": {"endpoint": &http}}}},
        "processors": {"batch": {"timeout": "200ms"}},
        "exporters": {"prometheus": {"endpoint": address()}},
    });
    let variables: Vec<Value> =
        serde_saphyr::from_str(&text(&map["data"]["env.yaml"])).expect("they should be YAML");
    let configuration = Configuration::new("pipeline", &configuration).over(over);
    let configuration = variables.iter().fold(configuration, |configuration, variable| {
        let of = &variable["valueFrom"]["secretKeyRef"];
        configuration.env(&text(&variable["name"]), stage.secret(&text(&of["name"]), &text(&of["key"])))
    });
    let collector = Collector::start(&stage.ledger.bed, &configuration).await;
    (collector.expect("the Collector should start"), format!("http://{http}"))
}

/// A call of a model, with a prompt.
fn call(number: usize) -> otlp::logs::v1::LogRecord {
    let attributes = json!({
        "model": "large", "cost_usd": 0.25, "input_tokens": 10 + number, "output_tokens": 7, "user.id": "alice",
        "prompt": "a secret",
    });
    let mut call = otlp::event("api_request", &attributes);
    call.time_unix_nano = now();
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_asked_for_enters_verifies_signs_and_is_heard() {
    let stage = Stage::start().await;
    stage.ledger.bed.apply_yaml(&agent_observability().to_string()).await.expect("it should be accepted");
    stage.wait_for("LedgerApplied", "True", "Applied").await;
    permissions_are_exact(&stage).await;

    let pod = async |kind: &str, name: &str, path: &str| {
        let object = stage.get(kind, name).await.unwrap_or_else(|| panic!("{kind} {name} should be there"));
        object.pointer(path).cloned().expect("it should have a pod")
    };
    let serve = pod("deployment", "support-agent-ledger", "/spec/template/spec").await;
    let (sink, at) = stage.run(stage.container("sink", &serve), "watcher").await;
    let (collector, otlp) = collector(&stage, at.otlp).await;
    let agent = Sender::to(&otlp).resource(&json!({"service.name": "support-agent"}));
    let calls: Vec<_> = (0..4).map(call).chain((0..3).map(event)).collect();
    agent.logs(calls).await.expect("the Collector should take them");
    let entered = async || (stage.ledger.count().await == 7).then_some(());
    eventually(SOON, entered).await.expect("all should be entered");
    let row = stage.ledger.admin.query_one(
        "SELECT string_agg(DISTINCT name, ','), bool_or(canonical LIKE '%a secret%'), \
         bool_or(canonical LIKE '%\"withheld\":{\"prompt\"%'), bool_or(canonical LIKE '%alice%') \
         FROM ledger.entry JOIN ledger.stream ON id = stream",
        &[],
    );
    let row = row.await.expect("it should be read");
    let (stream, plain, hashed, user): (String, bool, bool, bool) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!((stream.as_str(), plain, hashed, user), ("support/support-agent", false, true, false));

    let verify = pod("deployment", "support-agent-ledger-watch", "/spec/template/spec").await;
    let (watch, of_watch) = stage.run(stage.container("watch", &verify), "watcher").await;
    for (job, port) in [("sink", at.status), ("watch", of_watch.status)] {
        stage.scrape(job, port);
    }
    let object = stage.wait_for("AuditIntact", "True", "Intact").await;
    let audit = &object["status"]["audit"];
    assert_eq!((&audit["intact"], &audit["headSequence"]), (&json!("True"), &json!(7)), "{audit}");
    assert_eq!(text(&audit["headHash"]).len(), 64, "{audit}");
    let spend = &object["status"]["spend"];
    assert_eq!(
        (&spend["source"], &spend["estimatedLast24hUSD"]),
        (&json!("Ledger"), &json!("1.00")),
        "{spend}"
    );
    let anchors =
        stage.get("configmap", "support-agent-ledger-anchors").await.expect("anchors should be there");
    assert!(text(&anchors["data"]["anchors.jsonl"]).contains("\"sequence\":7"), "{anchors}");

    let keep = pod("cronjob", "support-agent-ledger-retain", "/spec/jobTemplate/spec/template/spec").await;
    let retain = stage.container("retain", &keep);
    let done = std::process::Command::new(program()).args(&retain.args).envs(retain.env.clone()).output();
    let done = done.expect("it should run");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    nothing_is_written_at_rest(&stage).await;
    let unguard = "ALTER TABLE ledger.entry DISABLE TRIGGER ALL; \
                   UPDATE ledger.entry SET canonical = replace(canonical, 'Bash', 'Read')";
    stage.ledger.admin.batch_execute(unguard).await.expect("a superuser may do anything");
    write_anew(&stage.ledger.admin, "support/support-agent").await;
    watch.stop().await;
    let (watch, again) = stage.run(stage.container("again", &verify), "watcher").await;
    stage.scrape("again", again.status);
    let object = stage.wait_for("AuditIntact", "False", "NotIntact").await;
    let audit = &object["status"]["audit"];
    assert_eq!((&audit["intact"], &audit["headSequence"]), (&json!("False"), &json!(7)), "{audit}");
    let events = ["get", "events", "-n", TEAM, "--field-selector=reason=AuditNotIntact", "-o", "name"];
    let said = async || (stage.ledger.bed.kubectl(&events).await.ok()?.lines().count() == 1).then_some(());
    eventually(SOON, said).await.expect("an Event should say it, once");
    what_is_not_asked_for_any_more_goes(&stage).await;
    for process in [&sink, &watch, &stage.operator] {
        process.stop().await;
    }
    drop(collector);
}

/// All goes but the signatures, and the operator has used all that it is granted for ledgers by then.
async fn what_is_not_asked_for_any_more_goes(stage: &Stage) {
    let mut without = agent_observability();
    without["spec"].as_object_mut().expect("it has a spec").remove("ledger");
    stage.ledger.bed.apply_yaml(&without.to_string()).await.expect("it should be accepted");
    let kinds: Vec<String> = ArtifactKind::OF_LEDGERS.map(|kind| kind.api_resource().plural).into();
    let ours = async || {
        let all = kinds.join(",");
        let label = format!("{MANAGED_BY_LABEL}={MANAGED_BY_VALUE}");
        let left =
            stage.ledger.bed.kubectl(&["get", &all, "-n", TEAM, "-l", &label, "-o", "name"]).await.ok()?;
        left.trim().is_empty().then_some(())
    };
    eventually(SOON, ours).await.expect("nothing should be left of the ledger");
    let anchors = stage.get("configmap", "support-agent-ledger-anchors").await;
    assert!(anchors.is_some(), "what was signed is proof for whoever looks later");
    let log = stage.ledger.bed.folder().join("logs/audit.log");
    let log = fs::read_to_string(&log).expect("there should be an audit log");
    let mut used = used(&log, OPERATOR);
    // An apply of what is not there yet is a patch that needs both.
    let created: Vec<_> = used.iter().filter(|(verb, _)| verb == "patch").cloned().collect();
    used.extend(created.into_iter().map(|(_, resource)| ("create".to_owned(), resource)));
    let of_ledgers = |uses: &BTreeSet<(String, String)>| -> BTreeSet<(String, String)> {
        uses.iter().filter(|(_, resource)| kinds.contains(resource)).cloned().collect()
    };
    let roles: Result<Vec<Value>, _> = serde_saphyr::from_multiple(PERMISSIONS);
    let granted = granted_by(roles.expect("the permissions should be YAML"));
    assert_eq!(of_ledgers(&used), of_ledgers(&granted), "no more is granted than is used");
}

/// Whoever signs may make ConfigMaps and read and change one, and whoever enters may do nothing.
async fn permissions_are_exact(stage: &Stage) {
    let can = async |account: &str, verb: &str, what: &str| {
        let account = format!("system:serviceaccount:{TEAM}:{account}");
        let args = ["auth", "can-i", verb, what, "-n", TEAM, "--as", &account, "-q"];
        stage.ledger.bed.kubectl(&args).await.is_ok()
    };
    let (watch, sink) = ("support-agent-ledger-watch", "support-agent-ledger");
    for (account, verb, what, is_allowed) in [
        (watch, "get", "configmap/support-agent-ledger-anchors", true),
        (watch, "update", "configmap/support-agent-ledger-anchors", true),
        (watch, "delete", "configmap/support-agent-ledger-anchors", false),
        (watch, "get", "configmap/support-agent-collector", false),
        (watch, "create", "configmaps", true),
        (watch, "get", "secrets", false),
        (sink, "get", "configmap/support-agent-ledger-anchors", false),
    ] {
        assert_eq!(can(account, verb, what).await, is_allowed, "{account} {verb} {what}");
    }
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "bed-watcher", "namespace": TEAM},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "support-agent-ledger-anchors"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "watcher"}],
    });
    stage.ledger.bed.apply_yaml(&binding.to_string()).await.expect("the watcher is who signs");
}

/// What the API server filled in is no drift, and neither is what a controller reports.
async fn nothing_is_written_at_rest(stage: &Stage) {
    let log = stage.ledger.bed.folder().join("logs/audit.log");
    let writes = || {
        let all = requests(&fs::read_to_string(&log).expect("there should be an audit log"));
        let is_of_child = |one: &&String| {
            one.starts_with("\"patch\"") && !one.contains("/status") && !one.contains("/events")
        };
        all.iter().filter(is_of_child).count()
    };
    let before = writes();
    assert!(before > 10, "the objects of the ledger were written");
    let args = ["scale", "deployment", "support-agent-ledger", "-n", TEAM, "--replicas=1"];
    stage.ledger.bed.kubectl(&args).await.expect("it has one already");
    let label = ["label", "deployment", "support-agent-ledger", "-n", TEAM, "cost-centre=agents"];
    stage.ledger.bed.kubectl(&label).await.expect("others may add to it");
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(writes(), before, "the objects of the ledger are as desired");
    let image = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil"}]);
    let args =
        ["patch", "deployment", "support-agent-ledger", "-n", TEAM, "--type=json", "-p", &image.to_string()];
    stage.ledger.bed.kubectl(&args).await.expect("somebody changes it");
    let healed = async || {
        let object = stage.get("deployment", "support-agent-ledger").await?;
        let image = object.pointer("/spec/template/spec/containers/0/image")?;
        (image == "registry.example/agentslo:0").then_some(())
    };
    eventually(SOON, healed).await.expect("the image should be put right");
}
