//! The test bed: real servers on free loopback ports, stopped when dropped.
//!
//! ```text
//!  etcd ── kube-apiserver ──┬── kube-controller-manager   (collects garbage)
//!             ▲   ▲         ├── prometheus-operator       (writes rule files and routes)
//!             │   │         └── admission webhook         (refuses what does not parse)
//!   your test ┘   │ watches
//!              kubelet ── copies files, reloads ──► Prometheus ──► Alertmanager ──► Receiver
//! ```
//!
//! There is no container, node or kubelet anywhere: prometheus-operator writes what it would mount
//! into a pod, and `kubelet.rs` plays the part that carries it to the real Prometheus.
//!
//! ```no_run
//! # async fn example() -> Result<(), bed::Error> {
//! use bed::{Bed, Options, Part};
//!
//! let bed = Bed::start(Options::default().with(Part::Prometheus)).await?;
//! bed.apply_yaml("{apiVersion: v1, kind: Namespace, metadata: {name: team-a}}").await?;
//! let client = bed.client("operator")?;
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`Bed`] (what runs), [`Options`] (what to ask for), [`Process`] (one server and
//! how to make it fail), [`Receiver`] (what Alertmanager sent). For telemetry: [`Collector`], [`Loki`]
//! and [`Jaeger`], each started on a bed, and [`otlp`] (what an agent sends).

mod admission;
mod alertmanager;
mod apply;
mod ask;
mod authority;
mod background;
mod bed;
mod collector;
mod crds;
mod error;
mod eventually;
mod jaeger;
mod kubelet;
mod kubernetes;
mod launch;
mod loki;
mod loopback;
mod options;
pub mod otlp;
mod port;
mod postgres;
mod process;
mod prometheus;
mod prometheus_operator;
mod receiver;
mod reload;
mod running;
mod servers;
mod site;
mod start;
mod watchdog;

pub use authority::{Authority, Identity};
pub use bed::Bed;
pub use collector::{Collector, Configuration};
pub use error::Error;
pub use eventually::eventually;
pub use jaeger::Jaeger;
pub use launch::{Launch, Probe};
pub use loki::Loki;
pub use options::{Options, Part, Target};
pub use postgres::Postgres;
pub use process::Process;
pub use receiver::{Alert, Message, Receiver, Status};
pub use servers::servers_folder;
