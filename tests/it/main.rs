//! The hermetic rungs of the test ladder, in one binary: no network, no clock, no cluster.
//! The first five modules are what the others stand on.

mod crd;
mod example;
mod promql;
mod spec;
mod workspace;

mod admission;
mod admission_policies;
mod api_lint;
mod book;
mod conditions;
mod consumers;
mod dashboards;
mod generated;
mod golden;
mod guards;
mod hostile_prometheus;
mod krew;
mod largest;
mod ledger;
mod links;
mod observability_admission;
mod properties;
mod simulate_laws;

mod monitors;
mod reconcile;
mod route_model;
mod routes;
#[path = "../scenarios/mod.rs"]
mod scenarios;
mod support;

mod bad_input;
mod cli;
mod conformance;
mod discover;
mod faults;
#[path = "../bad_input/fixtures.rs"]
mod fixtures;
mod fuzz;
mod observability_conditions;
mod pipeline;
mod profiles;
mod tidy;
mod traffic;
mod upgrade;
mod warnings;
