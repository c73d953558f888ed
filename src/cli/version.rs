//! `agentslo version`: of this program, of the cluster, and of the kinds that are installed.

use std::process::ExitCode;

use clap::Args;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt;
use kube::api::Api;

use super::cluster::{Stop, Target, block_on};
use super::print::{escaped, write_out};
use crate::api::v1alpha1::custom_resource_definitions;
use crate::inspect::doctor::Definition;

const EXAMPLES: &str = "\
Examples:
  kubectl agentslo version
  kubectl agentslo version --client

Exit codes:
  0  the versions were read
  2  usage
  3  the cluster could not be reached";

/// Print the versions of this program, of the cluster, and of the kinds in it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only that of this program.
    #[arg(long)]
    client: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    write_out(&format!("client: {}\n", env!("CARGO_PKG_VERSION")));
    if arguments.client {
        return ExitCode::SUCCESS;
    }
    block_on(async {
        let cluster = arguments.target.open().await?;
        let version = cluster.client.apiserver_version().await;
        let version = version.map_err(|error| Stop::of("the API server", &error))?;
        write_out(&format!("server: {}\n", escaped(&version.git_version)));
        let api: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
        for wanted in custom_resource_definitions() {
            let live = api.get_opt(&wanted.name_any()).await;
            let live = live.map_err(|error| Stop::of("CustomResourceDefinitions", &error))?;
            write_out(&format!("{}: {}\n", wanted.spec.names.kind, state(&wanted, live.as_ref())));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The versions that are served, and whether they are those of this program.
fn state(wanted: &CustomResourceDefinition, live: Option<&CustomResourceDefinition>) -> String {
    let versions = live.into_iter().flat_map(|live| &live.spec.versions);
    let served: Vec<&str> =
        versions.filter(|version| version.served).map(|version| version.name.as_str()).collect();
    let served = escaped(&served.join(", "));
    match Definition::of(wanted, live) {
        Definition::Missing => "not installed".to_owned(),
        Definition::NotServed => format!("{served}, not served"),
        Definition::Same => format!("{served}, as this client has it"),
        Definition::Different => format!("{served}, of another version of agentslo"),
    }
}
