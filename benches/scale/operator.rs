//! The operator as a process: what it uses, and what it asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bed::{Bed, Launch, Probe, Process};
use serde_json::Value;

use crate::apiserver::{ApiServer, OPERATOR};
use crate::model::Model;
use crate::{POLL_SECONDS, Result};

/// How long nothing was asked before it is taken to be at rest: longer than the minute in which it looks into
/// what is missing.
const SILENCE: Duration = Duration::from_secs(70);
/// Longest wait for rest.
const PATIENCE: u32 = 60;

/// The operator.
pub(crate) struct Operator {
    process: Process,
    metrics: String,
    witness: Witness,
}

/// Who saw what it asked for.
enum Witness {
    /// The API server's audit log.
    AuditLog(PathBuf),
    /// The API server in memory.
    Model(ApiServer),
}

impl Operator {
    /// Starts it on real servers and waits until it is ready.
    pub(crate) async fn start(bed: &Bed) -> Result<Self> {
        let witness = Witness::AuditLog(bed.logs().join("audit.log"));
        Self::launch(&bed.kubeconfig(OPERATOR)?, &bed.logs(), &["--leader-elect"], witness).await
    }

    /// Starts it on an API server in memory and waits until it is ready.
    pub(crate) async fn start_on_model(model: &Model) -> Result<Self> {
        Self::launch(&model.kubeconfig()?, model.folder(), &[], Witness::Model(model.server.clone())).await
    }

    async fn launch(kubeconfig: &Path, logs: &Path, args: &[&str], witness: Witness) -> Result<Self> {
        let listen = format!("127.0.0.1:{}", free_port()?);
        let ready = Probe::Url(format!("http://{listen}/readyz"));
        let poll = POLL_SECONDS.to_string();
        let launch = Launch::new("agentslo", &program()?, &logs.join("agentslo.log"), ready)
            .args(["run", "--listen", &listen, "--poll-interval", &poll])
            .args(args.iter().copied())
            .env("KUBECONFIG", kubeconfig.display().to_string())
            .env("POD_NAME", "agentslo")
            .deadline(Duration::from_mins(2));
        let process = Process::launch(launch).await?;
        Ok(Self { process, metrics: format!("http://{listen}/metrics"), witness })
    }

    pub(crate) async fn stop(&self) {
        self.process.stop().await;
    }

    pub(crate) async fn restart(&self) -> Result<()> {
        Ok(self.process.start().await?)
    }

    /// Memory that it has now.
    pub(crate) fn resident_mib(&self) -> Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most that it had since its start.
    pub(crate) fn highest_mib(&self) -> Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = text.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
        let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kibibytes / 1024.0)
    }

    /// CPU time that it has used since its start.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        // The name of the program may have spaces and ends with the last bracket.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| -> Result<f64> { Ok(fields.get(index).ok_or("too short")?.parse()?) };
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    fn pid(&self) -> Result<u32> {
        self.process.pid().ok_or_else(|| "the operator does not run".into())
    }

    /// Queries to Prometheus since its start.
    pub(crate) async fn queries(&self) -> Result<f64> {
        self.sum("agentslo_prometheus_queries_total").await
    }

    /// Waits until it has reconciled so many AgentSLOs since its start.
    pub(crate) async fn reconciled(&self, wanted: f64) -> Result<()> {
        while self.sum("agentslo_reconcile_total{kind=\"AgentSLO\"").await? < wanted {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn sum(&self, prefix: &str) -> Result<f64> {
        let page = reqwest::get(&self.metrics).await?.text().await?;
        let lines = page.lines().filter(|line| line.starts_with(prefix));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Its writes, and its reads other than watches, but for the Lease.
    pub(crate) fn requests(&self) -> Result<Vec<String>> {
        match &self.witness {
            Witness::AuditLog(path) => Ok(audited(&std::fs::read_to_string(path)?)),
            Witness::Model(server) => {
                let seen = server.log().into_iter().map(|line| line.request);
                let asked = seen.filter(|request| request.user == OPERATOR && request.verb != "watch");
                Ok(asked.map(|request| request.to_string()).collect())
            }
        }
    }

    /// Waits until it has asked for nothing for a while.
    pub(crate) async fn settled(&self) -> Result<()> {
        let mut before = usize::MAX;
        for _ in 0..PATIENCE {
            let now = self.requests()?.len();
            if now == before {
                return Ok(());
            }
            before = now;
            tokio::time::sleep(SILENCE).await;
        }
        Err("the operator does not come to rest".into())
    }
}

fn audited(log: &str) -> Vec<String> {
    let mine = log.lines().filter(|line| line.contains("\"username\":\"operator\""));
    let request = |line: &str| {
        let event: Value = serde_json::from_str(line).ok()?;
        let verb = event["verb"].as_str()?;
        let resource = event["objectRef"]["resource"].as_str()?;
        (verb != "watch" && resource != "leases")
            .then(|| format!("{verb} {}", event["requestURI"].as_str().unwrap_or_default()))
    };
    mine.filter_map(request).collect()
}

/// The operator as it ships.
fn program() -> Result<PathBuf> {
    let program = std::env::var_os("AGENTSLO_PROGRAM");
    let program =
        program.ok_or("AGENTSLO_PROGRAM does not name the operator as it ships; use `make bench-scale`")?;
    Ok(program.into())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// How many of the requests write AgentSLOs, their rules or Events about them. An AgentPlatform, of which
/// there is one, is told how many it governs.
pub(crate) fn writes(requests: &[String]) -> usize {
    let is_write = |request: &&String| {
        ["create ", "update ", "patch ", "delete "].iter().any(|verb| request.starts_with(verb))
    };
    requests.iter().filter(is_write).filter(|request| !request.contains("agentplatforms")).count()
}
