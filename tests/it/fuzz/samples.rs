//! What agents expose and log: metrics for `check-metrics`, lines for `redact --test`.

use agentslo::domain::pipeline::Redaction;
use agentslo::exposition::{self, Expectation};
use agentslo::redact::{Hits, Sieve};
use agentslo::{profiles, render};

use super::changes::changed;
use super::{LARGEST_OUTPUT, fuzz};
use crate::workspace;

pub(super) const EXPOSITION: &str = "expositions";
pub(super) const LOG: &str = "logs";

fn seeds(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let files = workspace::files(folder).into_iter().filter(|file| workspace::has_extension(file, extension));
    files.map(|file| workspace::read(file).into_bytes()).collect()
}

#[test]
fn whatever_is_exposed_is_read() {
    let profiles: Vec<_> = profiles::names().into_iter().filter_map(profiles::find).collect();
    assert!(profiles.len() > 10, "the profiles should be found");
    fuzz(EXPOSITION, 400, &changed(seeds("tests/it/cli/metrics", "prom"), 6), |text| {
        let text = String::from_utf8_lossy(text);
        let (exposition, mut findings) = exposition::read(&text);
        let profile = profiles[text.len() % profiles.len()];
        findings.extend(exposition::lint(&exposition, &Expectation::new(profile, &[], &exposition)));
        let said: usize = findings.iter().map(|finding| finding.to_string().len()).sum();
        if said > LARGEST_OUTPUT { Err(format!("{said} bytes are said about it")) } else { Ok(()) }
    });
}

#[test]
fn whatever_is_logged_goes_through_the_sieve() {
    let sieve =
        Sieve::new(&render::patterns(&Redaction::default())).expect("the built-in patterns should compile");
    let json = br#"{"event": "tool_result", "password": "x", "nested": [{"authorization": "Bearer abc"}, 4111111111111111]}"#;
    let seeds = seeds("tests/it/cli/redact", "log").into_iter().chain([json.to_vec()]).collect();
    fuzz(LOG, 400, &changed(seeds, 6), |text| {
        let text = String::from_utf8_lossy(text);
        let mut hits = Hits::new();
        let left: usize = text.lines().map(|line| sieve.line(line, &mut hits).len()).sum();
        if left > LARGEST_OUTPUT { Err(format!("{left} bytes are left of it")) } else { Ok(()) }
    });
}
