//! The table, and whether ours is as cheap as it must be.

use std::fmt::Write as _;

use crate::contenders::{OURS, PYRRA, SLOTH};
use crate::cost::{Cost, RuleCost, median};
use crate::fleet::as_float;

/// Most samples that our rules may read in an hour.
const MOST_SAMPLES: f64 = 700_000.0;
/// How many times as many the others must read.
const SAMPLES: [(&str, f64); 2] = [(SLOTH, 300.0), (PYRRA, 600.0)];
/// How many times as long their evaluation must take.
const SECONDS: [(&str, f64); 2] = [(SLOTH, 15.0), (PYRRA, 15.0)];

/// One line for each contender; ratios are to the first one. Of times, the median of the rounds, and the
/// smallest and the largest.
pub fn table(costs: &[Cost]) -> String {
    let mut text = format!(
        "{:<32} {:>5} {:>6} {:>12} {:>8} {:>10} {:>24} {:>9} {:>22}\n",
        "", "rules", "series", "samples/h", "x ours", "peak", "evaluation s/h", "", "x ours"
    );
    for cost in costs {
        let (seconds, times) = (cost.seconds(), times_ours(cost, &costs[0]));
        let samples = as_float(cost.samples());
        writeln!(
            text,
            "{:<32} {:>5} {:>6} {:>12} {:>8.1} {:>10} {:>24} {:>9} {:>22}",
            cost.name,
            cost.rules.len(),
            cost.series(),
            cost.samples(),
            samples / as_float(costs[0].samples()),
            cost.peak(),
            spread(&seconds, 3),
            "",
            spread(&times, 1),
        )
        .expect("a String takes all text");
    }
    text
}

/// One line for each rule of a contender.
pub fn rules(cost: &Cost) -> String {
    let mut text = format!("{}\n", cost.name);
    let line = |rule: &RuleCost| {
        let samples = rule.samples * rule.evaluations;
        let milliseconds = median(&rule.seconds) * 1000.0;
        let hour = milliseconds * as_float(rule.evaluations) / 1000.0;
        format!(
            "  {:<42} {:>4} times an hour: {:>9} samples, {:>8.3} ms; an hour {:>10} samples, {:>7.3} s\n",
            rule.name, rule.evaluations, rule.samples, milliseconds, samples, hour
        )
    };
    text.extend(cost.rules.iter().map(line));
    text
}

/// Each bar with what was measured; false when one of the exact ones was missed.
pub fn bars(costs: &[Cost]) -> (String, bool) {
    let find = |name: &str| costs.iter().find(|cost| cost.name == name).expect("the three should be measured");
    let ours = find(OURS);
    let samples = as_float(ours.samples());
    let mut lines = vec![line(samples <= MOST_SAMPLES, &format!("samples an hour, {OURS}: {samples} <= {MOST_SAMPLES}"))];
    for (name, bar) in SAMPLES {
        let ratio = as_float(find(name).samples()) / samples;
        lines.push(line(ratio >= bar, &format!("samples, {name} / {OURS}: {ratio:.0} >= {bar}")));
    }
    let passed = lines.iter().all(|(passed, _)| *passed);
    for (name, bar) in SECONDS {
        let times = times_ours(find(name), ours);
        let text = format!("evaluation time, {name} / {OURS}: {} >= {bar} (not a reason to fail)", spread(&times, 1));
        lines.push(line(median(&times) >= bar, &text));
    }
    (lines.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n"), passed)
}

fn line(passed: bool, text: &str) -> (bool, String) {
    (passed, format!("{} {text}", if passed { "PASS" } else { "FAIL" }))
}

/// How many times ours a contender took, for each round.
fn times_ours(cost: &Cost, ours: &Cost) -> Vec<f64> {
    cost.seconds().iter().zip(ours.seconds()).map(|(theirs, ours)| theirs / ours).collect()
}

/// `12.3 (11.0 to 14.9)`: median, smallest, largest.
fn spread(values: &[f64], digits: usize) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.digits$} ({least:.digits$} to {most:.digits$})", median(values))
}
