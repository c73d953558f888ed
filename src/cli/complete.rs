//! What kubectl offers after TAB: commands, flags, and names of AgentSLOs. kubectl 1.26 and later runs
//! `kubectl_complete-agentslo` with the words so far, and expects one candidate a line, then a directive.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap_complete::engine::{CompletionCandidate, complete};
use kube::ResourceExt;
use kube::api::{Api, ListParams};

use super::cluster::{Cluster, Target};
use super::print::{escaped, write_out};
use crate::api::v1alpha1::AgentSlo;

/// The script that kubectl looks for.
pub(super) const SCRIPT: &str = "#!/usr/bin/env sh\n\
    # kubectl 1.26 and later runs this for `kubectl agentslo <TAB>`; it must be executable, in PATH, and be\n\
    # called kubectl_complete-agentslo.\n\
    exec kubectl-agentslo __complete \"$@\"\n";

/// Directives of cobra, by which kubectl completes: no file names; no blank after the candidate.
const NO_FILES: u8 = 4;
const NO_BLANK: u8 = 2;
/// Longest that anybody waits after TAB.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most names that are offered.
const MOST: u32 = 500;

/// Candidates for the last of these words.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

pub(super) fn run(arguments: &Arguments, mut command: clap::Command) -> ExitCode {
    let mut words = vec![OsString::from("agentslo")];
    words.extend(arguments.words.iter().cloned());
    if words.len() == 1 {
        words.push(OsString::new());
    }
    let last = words.len() - 1;
    // The engine offers flags for an empty word too, among which names would be lost.
    let wants_flags = words[last].as_encoded_bytes().starts_with(b"-");
    let folder = std::env::current_dir().ok();
    let candidates = complete(&mut command, words, last, folder.as_deref()).unwrap_or_default();
    let is_flag =
        |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
    let is_shown =
        |candidate: &&CompletionCandidate| !candidate.is_hide_set() && (wants_flags || !is_flag(candidate));
    let shown: Vec<&CompletionCandidate> = candidates.iter().filter(is_shown).collect();
    let ends_in_slash =
        |candidate: &&CompletionCandidate| candidate.get_value().as_encoded_bytes().ends_with(b"/");
    let directive = if shown.iter().any(ends_in_slash) { NO_FILES | NO_BLANK } else { NO_FILES };
    let lines: String = shown.into_iter().map(line).collect();
    write_out(&format!("{lines}:{directive}\n"));
    ExitCode::SUCCESS
}

fn line(candidate: &CompletionCandidate) -> String {
    let value = escaped(&candidate.get_value().to_string_lossy());
    let help = candidate.get_help().map(ToString::to_string);
    match help.as_deref().and_then(|help| help.lines().next()) {
        Some(help) => format!("{value}\t{help}\n"),
        None => format!("{value}\n"),
    }
}

/// Names of the AgentSLOs of the namespace that the words so far mean. Whatever goes wrong, there are none.
pub(super) fn slo_names(start: &OsStr) -> Vec<CompletionCandidate> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let target = Target {
        namespace: flag(&words, &["-n", "--namespace"]),
        context: flag(&words, &["--context"]),
        kubeconfig: flag(&words, &["--kubeconfig"]).map(Into::into),
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Vec::new();
    };
    let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, names(&target)).await });
    let names = names.ok().flatten().unwrap_or_default();
    let start = start.to_string_lossy();
    names.into_iter().filter(|name| name.starts_with(start.as_ref())).map(CompletionCandidate::new).collect()
}

async fn names(target: &Target) -> Option<Vec<String>> {
    let Cluster { client, namespace } = target.open().await.ok()?;
    let api: Api<AgentSlo> = Api::namespaced(client, &namespace);
    let slos = api.list_metadata(&ListParams::default().limit(MOST)).await.ok()?;
    Some(slos.items.iter().map(ResourceExt::name_any).collect())
}

/// The value of a flag among words, in either of its forms.
fn flag(words: &[String], names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let at = words.iter().position(|word| word == name);
        let after = at.and_then(|at| words.get(at + 1)).filter(|value| !value.is_empty());
        let joined = || words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        after.map(String::as_str).or_else(joined).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::flag;

    #[test]
    fn flags_are_found_in_both_forms() {
        let words: Vec<String> =
            ["status", "-n", "team-a", "--context=prod", ""].into_iter().map(str::to_owned).collect();
        assert_eq!(flag(&words, &["-n", "--namespace"]).as_deref(), Some("team-a"));
        assert_eq!(flag(&words, &["--context"]).as_deref(), Some("prod"));
        assert_eq!(flag(&words, &["--kubeconfig"]), None);
    }
}
