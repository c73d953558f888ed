//! PodMonitors on real servers: the API server takes them, prometheus-operator makes scrape jobs of them,
//! promtool takes those, and a real Prometheus that is told of a pod by the labels that Kubernetes would
//! give it scrapes it, keeps its namespace, and knows whose Collector it is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use agentslo::domain::observability::Observability;
use agentslo::render::Part;
use bed::{Bed, Launch, Probe, Process, eventually};
use serde_json::{Value, json};

use crate::monitored::{apply, examples, generated, monitored, observability, prepare, rendered, tool};
use crate::support::SOON;

/// A Collector whose pods people label, and one that the OpenTelemetry operator runs.
fn piped() -> [Observability; 2] {
    let delivered = |delivery: &str| json!({"pipeline": {"delivery": delivery}});
    [
        observability("scraped", "by-people", &delivered("ConfigMap"), 25),
        observability("scraped", "by-operator", &delivered("OpenTelemetryCollector"), 25),
    ]
}

/// The examples that scrape, and both ways to run a Collector.
fn scraped() -> Vec<Observability> {
    let examples = examples().into_values();
    examples.chain(piped()).filter(|it| it.scrape().is_some() || it.pipeline().is_some()).collect()
}

fn monitors_of(observability: &Observability) -> Vec<Value> {
    rendered(observability, Part::Monitors).iter().map(agentslo::render::Artifact::to_value).collect()
}

/// As prometheus-operator calls the jobs of a PodMonitor.
fn jobs_of(monitor: &Value) -> Vec<String> {
    let endpoints = monitor["spec"]["podMetricsEndpoints"].as_array().map_or(0, Vec::len);
    let of = |field: &str| monitor["metadata"][field].as_str().unwrap_or_default();
    (0..endpoints).map(|index| format!("podMonitor/{}/{}/{index}", of("namespace"), of("name"))).collect()
}

/// The configuration that prometheus-operator writes once it knows all of these jobs.
async fn configuration(bed: &Bed, jobs: &[String]) -> Value {
    let complete = eventually(SOON, || async {
        let text = generated(bed, "prometheus-bed", "prometheus.yaml").await?;
        jobs.iter().all(|job| text.contains(&format!("job_name: {job}\n"))).then_some(text)
    });
    let text = complete.await.unwrap_or_else(|| panic!("prometheus-operator should write {jobs:#?}"));
    // The config reloader beside Prometheus fills in which of one shards it is.
    serde_saphyr::from_str(&text.replace("$(SHARD)", "0")).expect("a configuration should be YAML")
}

fn job<'a>(configuration: &'a Value, name: &str) -> &'a Value {
    let jobs = configuration["scrape_configs"].as_array().expect("there should be jobs");
    jobs.iter().find(|job| job["job_name"] == name).unwrap_or_else(|| panic!("there should be {name}"))
}

/// The job with targets from a file in the place of those that Kubernetes knows.
fn with_targets(job: &Value, targets: &Path) -> Value {
    let mut job = job.clone();
    let fields = job.as_object_mut().expect("a job should be an object");
    fields.remove("kubernetes_sd_configs").expect("a job should ask Kubernetes for its targets");
    fields.insert("file_sd_configs".to_owned(), json!([{"files": [targets.display().to_string()]}]));
    fields.insert("scrape_interval".to_owned(), json!("1s"));
    job
}

/// A configuration of jobs alone, where promtool and Prometheus read it.
fn write_configuration(folder: &Path, jobs: &[Value]) -> String {
    let file = folder.join("prometheus.yaml");
    let text = json!({"scrape_configs": jobs}).to_string();
    std::fs::write(&file, text).expect("there should be room for a file");
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_operator_makes_jobs_that_promtool_takes() {
    let bed = monitored().await;
    let folder = tempfile::tempdir().expect("there should be room for a folder");
    let monitors: Vec<Value> = scraped().iter().flat_map(monitors_of).collect();
    assert!(monitors.len() >= 3, "only {} PodMonitors", monitors.len());
    for monitor in &monitors {
        prepare(bed, monitor["metadata"]["namespace"].as_str().unwrap_or_default()).await;
        apply(bed, monitor).await;
    }
    let names: Vec<String> = monitors.iter().flat_map(jobs_of).collect();
    let configuration = configuration(bed, &names).await;
    let targets = folder.path().join("none.json");
    let mut jobs = Vec::new();
    for name in &names {
        let job = job(&configuration, name);
        assert_ne!(job["honor_labels"], true, "{name}");
        let spaces = &job["kubernetes_sd_configs"][0]["namespaces"]["names"];
        assert_eq!(*spaces, json!([name.split('/').nth(1)]), "{name} should look at its own namespace");
        jobs.push(with_targets(job, &targets));
    }
    let file = write_configuration(folder.path(), &jobs);
    let (is_legal, said) = tool("promtool", &["check", "config", &file]);
    assert!(is_legal, "{said}");
}

/// Serves an agent's metrics, with labels that claim what is not so, until the process ends.
fn serve(port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port should be free");
    let body = "agent_runs_total{agent_name=\"support-agent\",namespace=\"other\",job=\"x\",pod=\"y\"} 3\n";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            // A scraper that goes away is not worth failing for.
            let _ = stream.read(&mut request).and_then(|_| stream.write_all(answer.as_bytes()));
        }
    });
}

/// A pod as Kubernetes would tell of it: its labels, and its container's port by name and number.
fn pod(address: &str, port: (&str, u16), labels: &[(&str, &str)]) -> Value {
    let mut meta = json!({
        "__meta_kubernetes_namespace": "scraped",
        "__meta_kubernetes_pod_name": "pod-1",
        "__meta_kubernetes_pod_phase": "Running",
        "__meta_kubernetes_pod_container_name": "main",
        "__meta_kubernetes_pod_container_port_name": port.0,
        "__meta_kubernetes_pod_container_port_number": port.1.to_string(),
    });
    for (name, value) in labels {
        let name = name.replace(['.', '/', '-'], "_");
        meta[format!("__meta_kubernetes_pod_label_{name}")] = json!(value);
        meta[format!("__meta_kubernetes_pod_labelpresent_{name}")] = json!("true");
    }
    json!({"targets": [address], "labels": meta})
}

/// A Prometheus that does what prometheus-operator says, on targets of ours.
async fn start_prometheus(bed: &Bed, folder: &Path, jobs: &[Value]) -> (Process, String) {
    let port = bed.port().expect("a port should be free");
    let url = format!("http://127.0.0.1:{port}");
    let program = bed::servers_folder().expect("the servers should be there").join("prometheus");
    let log = bed.logs().join("prometheus-of-monitors.log");
    let launch = Launch::new("prometheus-of-monitors", &program, &log, Probe::Url(format!("{url}/-/ready")))
        .arg(format!("--config.file={}", write_configuration(folder, jobs)))
        .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    (Process::launch(launch).await.expect("Prometheus should start"), url)
}

/// The labels of each series that a query yields.
async fn series(url: &str, query: &str) -> Option<Vec<Value>> {
    let answer = reqwest::Client::new().get(format!("{url}/api/v1/query")).query(&[("query", query)]);
    let text = answer.send().await.ok()?.text().await.ok()?;
    let answer: Value = serde_json::from_str(&text).ok()?;
    let found: Vec<Value> =
        answer["data"]["result"].as_array()?.iter().map(|series| series["metric"].clone()).collect();
    (!found.is_empty()).then_some(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_cannot_speak_for_another_namespace_and_a_collector_is_known_by_its_name() {
    let bed = monitored().await;
    prepare(bed, "scraped").await;
    let scrape = json!({"scrape": {"selector": {"matchLabels": {"app": "agent"}}, "port": "metrics"}});
    let agent = observability("scraped", "plain-agent", &scrape, 25);
    let [by_people, by_operator] = piped();
    let all = [&agent, &by_people, &by_operator];
    let monitors: Vec<Value> = all.into_iter().flat_map(monitors_of).collect();
    for monitor in &monitors {
        apply(bed, monitor).await;
    }
    let names: Vec<String> = monitors.iter().flat_map(jobs_of).collect();
    let configuration = configuration(bed, &names).await;

    let port = bed.port().expect("a port should be free");
    serve(port);
    let address = format!("127.0.0.1:{port}");
    let ours = ("agentslo.dev/pipeline", "by-people");
    let theirs = [
        ("app.kubernetes.io/component", "opentelemetry-collector"),
        ("app.kubernetes.io/instance", "scraped.by-operator"),
    ];
    let pods = json!([
        pod(&address, ("metrics", 9090), &[("app", "agent")]),
        pod(&address, ("metrics", 9090), &[("app", "other")]),
        pod(&address, ("debug", 6060), &[("app", "agent")]),
        pod(&address, ("whatever", 8889), &[ours]),
        pod(&address, ("own", 8888), &[ours]),
        pod(&address, ("prometheus", 8889), &theirs),
        pod(&address, ("metrics", 8888), &theirs),
    ]);
    let folder = tempfile::tempdir().expect("there should be room for a folder");
    let targets = folder.path().join("pods.json");
    std::fs::write(&targets, pods.to_string()).expect("there should be room for a file");
    let jobs: Vec<Value> =
        names.iter().map(|name| with_targets(job(&configuration, name), &targets)).collect();
    let (prometheus, url) = start_prometheus(bed, folder.path(), &jobs).await;

    let all = eventually(Duration::from_secs(30), || async {
        series(&url, "agent_runs_total").await.filter(|series| series.len() == names.len())
    });
    let all = all.await;
    let Some(all) = all else {
        let targets = reqwest::get(format!("{url}/api/v1/targets")).await.expect("Prometheus should answer");
        panic!("{} series should come: {}", names.len(), targets.text().await.unwrap_or_default());
    };
    for labels in &all {
        assert_eq!(labels["namespace"], "scraped", "{labels}");
        assert_eq!(labels["exported_namespace"], "other", "{labels}");
        assert_eq!((&labels["agent_name"], &labels["pod"]), (&json!("support-agent"), &json!("pod-1")));
    }
    let mut pipelines: Vec<&str> =
        all.iter().filter_map(|labels| labels["agentslo_pipeline"].as_str()).collect();
    pipelines.sort_unstable();
    assert_eq!(pipelines, ["by-operator", "by-people"], "{all:#?}");
    prometheus.stop().await;
}
