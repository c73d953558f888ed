//! The table, and whether ours is as cheap as it must be.

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
pub(crate) fn table(costs: &[Cost]) -> String {
    let line = |columns: [String; 10]| {
        let [name, rules, series, samples, ratio, peak, seconds, times, cpu, cpu_times] = columns;
        format!(
            "{name:<31} {rules:>5} {series:>6} {samples:>10} {ratio:>6} {peak:>6} {seconds:>23} {times:>21} {cpu:>23} {cpu_times:>21}\n"
        )
    };
    let head = [
        "",
        "rules",
        "series",
        "samples/h",
        "x ours",
        "peak",
        "evaluation s/h",
        "x ours",
        "CPU s/h",
        "x ours",
    ];
    let mut text = line(head.map(str::to_owned));
    let ours = &costs[0];
    text.extend(costs.iter().map(|cost| {
        line([
            cost.name.to_owned(),
            cost.rules.len().to_string(),
            cost.series().to_string(),
            cost.samples().to_string(),
            format!("{:.1}", as_float(cost.samples()) / as_float(ours.samples())),
            cost.peak().to_string(),
            spread(&cost.seconds(), 2),
            spread(&times(&cost.seconds(), &ours.seconds()), 1),
            spread(&cost.cpu, 2),
            spread(&times(&cost.cpu, &ours.cpu), 1),
        ])
    }));
    text
}

/// One line for each rule of a contender.
pub(crate) fn rules(cost: &Cost) -> String {
    let mut text = format!("{}\n", cost.name);
    let line = |rule: &RuleCost| {
        let samples = rule.samples * rule.an_hour();
        let milliseconds = median(&rule.seconds) * 1000.0;
        let hour = milliseconds * as_float(rule.an_hour()) / 1000.0;
        format!(
            "  {:<42} {:>4} times an hour: {:>9} samples, {:>8.3} ms; an hour {:>10} samples, {:>7.3} s\n",
            rule.name,
            rule.an_hour(),
            rule.samples,
            milliseconds,
            samples,
            hour
        )
    };
    text.extend(cost.rules.iter().map(line));
    text
}

/// Each bar with what was measured; false when one of the exact ones was missed.
pub(crate) fn bars(costs: &[Cost]) -> (String, bool) {
    let find =
        |name: &str| costs.iter().find(|cost| cost.name == name).expect("the three should be measured");
    let ours = find(OURS);
    let samples = as_float(ours.samples());
    let mut lines =
        vec![line(samples <= MOST_SAMPLES, &format!("samples an hour, {OURS}: {samples} <= {MOST_SAMPLES}"))];
    for (name, bar) in SAMPLES {
        let ratio = as_float(find(name).samples()) / samples;
        lines.push(line(ratio >= bar, &format!("samples, {name} / {OURS}: {ratio:.0} >= {bar}")));
    }
    let passed = lines.iter().all(|(passed, _)| *passed);
    for (name, bar) in SECONDS {
        let theirs = find(name);
        let measures = [
            ("evaluation", times(&theirs.seconds(), &ours.seconds())),
            ("CPU", times(&theirs.cpu, &ours.cpu)),
        ];
        for (measure, times) in measures {
            let text = format!(
                "{measure} time, {name} / {OURS}: {} >= {bar} (no reason to fail)",
                spread(&times, 1)
            );
            lines.push(line(median(&times) >= bar, &text));
        }
    }
    (lines.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n"), passed)
}

fn line(passed: bool, text: &str) -> (bool, String) {
    (passed, format!("{} {text}", if passed { "PASS" } else { "FAIL" }))
}

/// How many times ours a contender took, for each round.
pub(crate) fn times(theirs: &[f64], ours: &[f64]) -> Vec<f64> {
    theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect()
}

/// `12.3 (11.0 to 14.9)`: median, smallest, largest.
pub(crate) fn spread(values: &[f64], digits: usize) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.digits$} ({least:.digits$} to {most:.digits$})", median(values))
}
