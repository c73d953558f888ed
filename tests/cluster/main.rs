//! Scenarios on real servers: kube-apiserver, prometheus-operator, Prometheus, Alertmanager. Each has a
//! namespace of its own; those that break a server have a bed of their own.

mod api_server;
mod bad_input;
mod budget;
mod definitions;
mod exact_counts;
mod faults;
#[path = "../bad_input/fixtures.rs"]
mod fixtures;
mod lifecycle;
mod permissions;
mod promtool;
mod proofs;
#[path = "../../examples/demo/stage.rs"]
#[allow(dead_code)]
mod stage;
mod support;
mod survey;
mod warnings;

use api_server::{api_server, refusal};
