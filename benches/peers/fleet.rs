//! The agent whose runs are counted: its raw counters, each with a steady rate, known at every second.

use std::collections::BTreeMap;

use crate::history::Labels;

/// Seconds between scrapes.
pub(crate) const SCRAPE: i64 = 30;
/// The time at which everything is evaluated: 2026-01-01 00:57:37 UTC. Any would do; a fixed one lets
/// the blocks be kept, and one beside the round minutes has no edge in its favour.
pub(crate) const NOW: i64 = 1_767_229_057;
/// Length of the history: the window of the objective and a day.
pub(crate) const HISTORY: i64 = 31 * DAY;
const DAY: i64 = 86_400;

/// The metric.
pub(crate) const METRIC: &str = "agent_queries_total";
/// The namespace of the agent.
pub(crate) const NAMESPACE: &str = "support";

/// One in so many series counts failures.
const BAD_SHARE: usize = 6;
/// Runs a day of a series of good runs, and of one of failures. With one of each 0.4 % fail, with 120
/// fewer, so no alert fires and no alert's text is made.
const GOOD_A_DAY: i64 = 6000;
const BAD_A_DAY: i64 = 24;

/// All raw series of one agent.
#[derive(Clone)]
pub(crate) struct Fleet {
    /// Its name.
    pub agent: String,
    /// Its counters.
    pub counters: Vec<Counter>,
}

/// One raw series.
#[derive(Clone)]
pub(crate) struct Counter {
    /// Its labels.
    pub labels: Labels,
    /// Whether it counts failures.
    pub is_bad: bool,
    runs_a_day: i64,
    /// In parts of a day's seconds, so that the series do not step together.
    phase: i64,
}

/// Which events are counted.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    /// All that are valid.
    Total,
    /// Failures.
    Bad,
}

impl Fleet {
    /// An agent with so many series: in six (in two) one counts failures.
    pub(crate) fn new(agent: &str, series: usize) -> Self {
        let block = BAD_SHARE.min(series);
        let counters = (0..series).map(|index| Counter::new(agent, index / block, index % block)).collect();
        Self { agent: agent.to_owned(), counters }
    }

    /// Events between two times, as scraped.
    pub(crate) fn events(&self, side: Side, from: i64, to: i64) -> i64 {
        let counted = self.counters.iter().filter(|counter| match side {
            Side::Total => true,
            Side::Bad => counter.is_bad,
        });
        counted.map(|counter| counter.seen(to) - counter.seen(from)).sum()
    }

    /// Share of failures in the time before.
    pub(crate) fn ratio(&self, window: i64, time: i64) -> f64 {
        let count = |side| as_float(self.events(side, time - window, time));
        count(Side::Bad) / count(Side::Total)
    }
}

impl Counter {
    fn new(agent: &str, pod: usize, index: usize) -> Self {
        let is_bad = index == 0;
        let number = i64::try_from(pod * BAD_SHARE + index).expect("series should be few");
        let status = if !is_bad {
            "success"
        } else if pod.is_multiple_of(2) {
            "error"
        } else {
            "timeout"
        };
        let labels = [
            ("agent_name", agent.to_owned()),
            ("instance", format!("10.0.{}.{}:9090", pod / 250, pod % 250)),
            ("job", "agents".to_owned()),
            ("model", format!("model-{index}")),
            ("namespace", NAMESPACE.to_owned()),
            ("pod", format!("{agent}-6c9d8f7b5d-{pod:05}")),
            ("status", status.to_owned()),
        ];
        Self {
            labels: labels
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            is_bad,
            runs_a_day: if is_bad { BAD_A_DAY } else { GOOD_A_DAY + number },
            phase: number * 7919 % DAY,
        }
    }

    /// Its value at a scrape. It has been counting for a year.
    pub(crate) fn value(&self, scrape: i64) -> i64 {
        ((scrape - (NOW - 365 * DAY)) * self.runs_a_day + self.phase) / DAY
    }

    /// Its value as it was last scraped.
    fn seen(&self, time: i64) -> i64 {
        self.value(time - (time - first_scrape()).rem_euclid(SCRAPE))
    }
}

/// The scrape at which the history begins.
pub(crate) fn first_scrape() -> i64 {
    // A few seconds before the evaluation, as usual.
    NOW - HISTORY - 11
}

/// Exact for what is counted here.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub(crate) fn as_float(count: i64) -> f64 {
    count as f64
}
