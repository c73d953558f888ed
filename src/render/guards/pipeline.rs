//! What the Collector of the pipeline says of itself (names of 0.165, with and without `_total`): queues that
//! fill, and data that is lost.

use super::alert::{Text, alert, number, value_of};
use crate::domain::guard::Guard;
use crate::domain::observability::Observability;
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::foreign::Rule;
use crate::vocabulary::{alert as names, label};

/// How long a queue must be full.
const FULL_FOR: &str = "5m";
/// Share of its capacity from which on a queue counts as full.
const FULL: &str = "0.9";
/// Window in which losses are counted.
const LOST_OVER: &str = "15m";
/// How far back a counter is looked for, so that a gap in the scrapes makes no old loss look new.
const KNOWN_AT: [&str; 4] = [LOST_OVER, "1h", "6h", "1d"];

/// The signals, and what the Collector's metrics call their items.
const SIGNALS: [(&str, &str); 3] =
    [("traces", "spans"), ("logs", "log_records"), ("metrics", "metric_points")];

const QUEUE: &str = "The queue in front of a back end is nearly full; when it is, telemetry is lost.";
const TURNED_AWAY: &str = "The queue in front of a back end was full, and telemetry was lost.";
const EXPORT: &str = "A back end did not take telemetry, also when it was sent again, so it was lost.";
const REFUSED: &str = "The Collector refused telemetry of the agent, mostly for want of memory or because a \
                       queue is full. The agent sends it again for a while; then it is lost.";
const DROPPED: &str =
    "The Collector could not turn deltas into totals and dropped them, so counts are too low.";

/// An alert for each way in which telemetry is lost.
pub(super) fn rules(observability: &Observability, guard: &Guard) -> Vec<Rule> {
    let exporter = format!("exporter '{}'", value_of("exporter"));
    let receiver = format!("receiver '{}'", value_of("receiver"));
    let signal = value_of(label::SIGNAL);
    let loss = |name, metric: &str, by, happened: String, description| {
        let expr = lost(observability, metric, by);
        alert(observability, guard, name, expr, &Text { happened, description })
    };
    let items = format!("{} items of {signal}", number());
    vec![
        queue(observability, guard),
        loss(
            names::PIPELINE_OVERFLOW,
            "otelcol_exporter_enqueue_failed",
            "exporter",
            format!("{items} found the queue of {exporter} full in the last {LOST_OVER} and are lost"),
            TURNED_AWAY,
        ),
        loss(
            names::PIPELINE_EXPORT,
            "otelcol_exporter_send_failed",
            "exporter",
            format!("{items} could not be sent by {exporter} in the last {LOST_OVER} and are lost"),
            EXPORT,
        ),
        loss(
            names::PIPELINE_REFUSED,
            "otelcol_receiver_refused",
            "receiver",
            format!("{items} were refused by {receiver} in the last {LOST_OVER}"),
            REFUSED,
        ),
        dropped(observability, guard),
    ]
}

fn queue(observability: &Observability, guard: &Guard) -> Rule {
    let of =
        |name: &str| format!("max by (exporter, data_type) ({})", either_name(observability, name, None));
    let expr =
        format!("{} > {FULL} * {}", of("otelcol_exporter_queue_size"), of("otelcol_exporter_queue_capacity"));
    let happened = format!(
        "the queue of exporter '{}' for {} is full with {} items",
        value_of("exporter"),
        value_of("data_type"),
        number()
    );
    let text = Text { happened, description: QUEUE };
    let mut rule = alert(observability, guard, names::PIPELINE_QUEUE, expr, &text);
    rule.for_ = Some(FULL_FOR.to_owned());
    rule
}

/// Items that were lost, for each signal.
fn lost(observability: &Observability, metric: &str, by: &str) -> String {
    let arms = SIGNALS.map(|(signal, items)| {
        let lost = increase(&either_name(observability, &format!("{metric}_{items}"), None));
        format!("label_replace(sum by ({by}) ({lost}) > 0, \"{}\", \"{signal}\", \"\", \"\")", label::SIGNAL)
    });
    arms.join("\nor\n")
}

fn dropped(observability: &Observability, guard: &Guard) -> Rule {
    let failed = LabelMatcher::not_equal("error", "");
    let points = either_name(observability, "otelcol_deltatocumulative_datapoints", Some(&failed));
    let expr = format!("sum by (error) ({}) > 0", increase(&points));
    let happened =
        format!("{} data points were dropped in the last {LOST_OVER}: {}", number(), value_of("error"));
    alert(observability, guard, names::PIPELINE_DROPPED, expr, &Text { happened, description: DROPPED })
}

/// What a counter of the Collector went up by. Most are born with their first loss, and after a restart
/// they start anew: then their value is what was lost.
fn increase(series: &str) -> String {
    let known = KNOWN_AT.map(|offset| format!("{series} offset {offset}")).join(" or ");
    format!("{series} - ((({known}) <= {series}) or 0 * {series})")
}

/// A counter or gauge of this pipeline's Collector, with and without `_total`.
fn either_name(observability: &Observability, metric: &str, further: Option<&LabelMatcher>) -> String {
    let name = LabelMatcher::regex("__name__", format!("{metric}(_total)?"));
    let own = matchers(observability);
    let all = [name].into_iter().chain(own).chain(further.cloned());
    format!("{{{}}}", all.map(|matcher| matcher.to_string()).collect::<Vec<_>>().join(","))
}

/// A series of the targets at which this pipeline's Collector tells of itself.
pub(super) fn own(observability: &Observability, metric: &str) -> SeriesSelector {
    SeriesSelector::new(metric, matchers(observability))
}

/// The name of the pipeline, behind the fence around the namespace.
fn matchers(observability: &Observability) -> Vec<LabelMatcher> {
    let fence = observability.platform().namespace_label.as_ref();
    let fence = fence.map(|label| LabelMatcher::equal(label.clone(), observability.namespace()));
    let named = LabelMatcher::equal(label::PIPELINE, observability.name());
    [named].into_iter().chain(fence).collect()
}
