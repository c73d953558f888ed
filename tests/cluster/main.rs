//! Scenarios on real servers: kube-apiserver, prometheus-operator, Prometheus, Alertmanager. Each has a
//! namespace of its own; those that break a server have a bed of their own.

mod budget;
mod exact_counts;
mod faults;
mod lifecycle;
mod permissions;
mod promtool;
mod proofs;
#[path = "../../examples/demo/stage.rs"]
#[allow(dead_code)]
mod stage;
mod support;
