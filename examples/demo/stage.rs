//! The stage for demo and cluster tests: what a platform team installs, and the operator itself.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentslo::api::v1alpha1::custom_resource_definitions;
use bed::{Bed, Launch, Probe, Process};
use serde_json::{Value, json};

/// Whatever went wrong, for a person to read.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What the operator may do, made from the chart.
pub(crate) const RBAC: [&str; 5] = [
    include_str!("../../deploy/base/namespace.yaml"),
    include_str!("../../deploy/base/service-account.yaml"),
    include_str!("../../deploy/base/secrets.yaml"),
    include_str!("../../deploy/base/leases.yaml"),
    include_str!("../../deploy/overlays/cluster/permissions.yaml"),
];

/// The roles that the operator is granted: kind and name.
const ROLES: [(&str, &str); 3] =
    [("ClusterRole", "agentslo"), ("Role", "agentslo-secrets"), ("Role", "agentslo-leases")];

/// Installs the CRDs and the permissions, and a namespace for the agent's team.
pub(crate) async fn install(bed: &Bed, namespace: &str) -> Result<()> {
    for crd in custom_resource_definitions() {
        bed.apply_yaml(&serde_json::to_string(&crd)?).await?;
    }
    for crd in ["agentslos.agentslo.dev", "agentobservabilities.agentslo.dev", "agentplatforms.agentslo.dev"]
    {
        bed.kubectl(&["wait", "--for=condition=Established", &format!("crd/{crd}"), "--timeout=60s"]).await?;
    }
    for text in RBAC {
        bed.apply_yaml(text).await?;
    }
    permit(bed, "operator").await?;
    bed.apply_yaml(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n")).await?;
    Ok(())
}

/// Binds a user of the bed to exactly what the operator is granted.
pub(crate) async fn permit(bed: &Bed, user: &str) -> Result<()> {
    for (kind, role) in ROLES {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": format!("{kind}Binding"),
            "metadata": {
                "name": format!("bed-{user}-{role}"),
                "namespace": (kind == "Role").then_some("agentslo-system"),
            },
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        bed.apply_yaml(&binding.to_string()).await?;
    }
    Ok(())
}

/// Names the bed's Prometheus to the operator, and what else the platform team decides.
pub(crate) async fn name_prometheus(bed: &Bed, besides: &Value) -> Result<()> {
    let mut spec = besides.clone();
    spec["prometheus"] = json!({"address": bed.prometheus_url()});
    let platform = json!({
        "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentPlatform",
        "metadata": {"name": "default"}, "spec": spec,
    });
    bed.apply_yaml(&platform.to_string()).await?;
    Ok(())
}

/// Starts the operator under a name, as a user of the bed, with nothing but the permissions above.
pub(crate) async fn start_operator(
    bed: &Bed,
    program: &Path,
    (name, user): (&str, &str),
    args: &[&str],
) -> Result<Process> {
    let port = bed.port()?;
    let log = bed.logs().join(format!("{name}.log"));
    let listen = format!("127.0.0.1:{port}");
    let launch = Launch::new(name, program, &log, Probe::Url(format!("http://127.0.0.1:{port}/readyz")))
        .args(["run", "--listen", &listen, "--poll-interval", "5", "--log-format", "text"])
        .args(args.iter().copied())
        .env("KUBECONFIG", bed.kubeconfig(user)?.display().to_string())
        .env("POD_NAME", name)
        .deadline(Duration::from_mins(1));
    Ok(Process::launch(launch).await?)
}

/// Counts of one AgentSLO in the past: so many valid events in each five minutes, and how many of all
/// were bad.
pub(crate) struct Past {
    /// Name of the AgentSLO.
    pub slo: &'static str,
    /// Valid events in five minutes.
    pub per_tile: u32,
    /// One event in so many was bad.
    pub one_bad_in: u32,
}

/// Seconds of one recorded count.
const TILE: u64 = 300;
/// The same, as a step.
const TILE_STEP: usize = 300;

/// Seconds since the epoch.
// A stage is part of the shell, and the servers on it run by the same clock.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// The same, at the last five-minute mark.
pub(crate) fn last_mark() -> Result<u64> {
    Ok(now()? / TILE * TILE)
}

/// Writes the recorded counts of so many days, up to a five-minute mark, as OpenMetrics. The last six
/// hours have a count for every minute, as the rules make them.
pub(crate) fn write_history(file: &Path, namespace: &str, pasts: &[Past], days: u64, end: u64) -> Result<()> {
    let mut text = String::new();
    for series in ["agentslo:total:increase5m", "agentslo:bad:increase5m"] {
        writeln!(text, "# TYPE {series} unknown")?;
        for past in pasts {
            for at in times(days, end) {
                let value = value_of(series, past, end - at);
                writeln!(
                    text,
                    "{series}{{namespace=\"{namespace}\",agentslo=\"{}\"}} {value} {at}",
                    past.slo
                )?;
            }
        }
    }
    writeln!(text, "# EOF")?;
    std::fs::write(file, text)?;
    Ok(())
}

fn times(days: u64, end: u64) -> impl Iterator<Item = u64> {
    let every_minute = end - 6 * 3600;
    let begin = end - days * 24 * 3600;
    (begin..=every_minute).step_by(TILE_STEP).chain((every_minute + 60..=end).step_by(60))
}

/// Bad events are spread evenly and lie alike whatever the time of day: the last tile is as far from one
/// as it can be.
fn value_of(series: &str, past: &Past, seconds_ago: u64) -> u32 {
    if series == "agentslo:total:increase5m" {
        return past.per_tile;
    }
    let tiles_per_bad = u64::from(past.one_bad_in / past.per_tile);
    u32::from(seconds_ago.div_ceil(TILE) % tiles_per_bad == tiles_per_bad / 2)
}
