//! A bar on a terminal, for what takes long.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use agentslo_ledger::store::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar for so many entries, and how it is told. Where nobody looks there is none.
pub(super) fn bar(entries: u64) -> (ProgressBar, Progress) {
    let bar = if io::stderr().is_terminal() { drawn(entries) } else { ProgressBar::hidden() };
    let told = bar.clone();
    (bar, Arc::new(move |more| told.inc(more)))
}

fn drawn(entries: u64) -> ProgressBar {
    let template = "{wide_bar} {human_pos} of {human_len} entries, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template should do");
    ProgressBar::new(entries).with_style(style)
}
