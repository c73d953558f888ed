//! Scenarios on real servers: kube-apiserver, prometheus-operator, Prometheus, Alertmanager. Each has a
//! namespace of its own; those that break a server have a bed of their own.

mod admission_policies;
mod agent_to_budget;
#[cfg(target_os = "linux")]
mod ailing_prometheus;
mod api_server;
mod bad_input;
mod broken_wires;
mod budget;
mod check_metrics;
mod claude_code;
mod conformance;
mod dashboards;
mod definitions;
mod discover;
mod durations;
mod election;
mod emitters;
mod exact_counts;
mod faults;
#[path = "../bad_input/fixtures.rs"]
mod fixtures;
mod guards;
mod histogram_forms;
mod install;
mod instrument;
#[cfg(feature = "ledger")]
mod ledger;
mod mailbox;
mod monitored;
mod monitors;
#[cfg(target_os = "linux")]
mod other_time;
mod permissions;
mod pipeline;
mod pipeline_loss;
mod plugin;
mod promtool;
mod proofs;
mod reconcile;
#[path = "../it/route_model.rs"]
mod route_model;
mod routes;
#[path = "../scenarios/mod.rs"]
mod scenarios;
#[path = "../it/spec.rs"]
#[allow(dead_code)]
mod spec;
#[path = "../../examples/demo/stage.rs"]
#[allow(dead_code)]
mod stage;
mod support;
mod survey;
mod tenants;
mod warnings;
mod wire;

use api_server::{api_server, refusal};
