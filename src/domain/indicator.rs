//! What is counted, as series: every kind of indicator comes down to one of a few measures.

use super::decimal::Decimal;
use super::promql::SeriesSelector;
use crate::api::v1alpha1::HistogramType;

/// A validated indicator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Indicator {
    /// Its name on the wire, for example `success`.
    pub kind: &'static str,
    /// Which series, and what of them.
    pub measure: Measure,
    /// What happened to a bad event, for people: `runs failed`.
    pub phrase: String,
}

/// How valid and bad events are counted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Measure {
    /// Two counters.
    Events {
        /// All valid events.
        total: Counter,
        /// The bad or the good ones among them.
        numerator: Numerator,
    },
    /// Observations of a histogram on one side of a bound.
    Distribution {
        /// The histogram, without `_bucket` or `_count`.
        histogram: SeriesSelector,
        /// How it is stored.
        form: HistogramType,
        /// The bound, inclusive below.
        bound: Decimal,
        /// Which side is good.
        good: GoodSide,
    },
    /// Hours with traffic, good when the mean cost of their runs is within the limit.
    HourlyMean {
        /// Counter of cost, in US dollars.
        cost: SeriesSelector,
        /// Counter of runs.
        runs: Counter,
        /// Highest good mean, in US dollars.
        limit: Decimal,
    },
    /// Samples of a 0/1 gauge.
    Samples {
        /// The gauge.
        gauge: SeriesSelector,
    },
    /// The user's own PromQL, with `$window` where the window goes.
    Raw {
        /// Bad events in the window.
        bad: String,
        /// Valid events in the window.
        total: String,
    },
}

impl Measure {
    /// Most events an hour, where the measure itself limits them.
    #[must_use]
    pub fn most_events_per_hour(&self) -> Option<f64> {
        match self {
            Self::HourlyMean { .. } => Some(1.0),
            Self::Events { .. } | Self::Distribution { .. } | Self::Samples { .. } | Self::Raw { .. } => None,
        }
    }
}

impl Measure {
    /// The metrics whose increase is counted, as far as they are known by name.
    #[must_use]
    pub fn counted_metrics(&self) -> Vec<&str> {
        match self {
            Self::Events { total, numerator: Numerator::Bad(part) | Numerator::Good(part) } => {
                vec![total.metric(), part.metric()]
            }
            Self::Distribution { histogram, .. } => vec![histogram.metric.as_str()],
            Self::HourlyMean { cost, runs, .. } => vec![runs.metric(), cost.metric.as_str()],
            Self::Samples { .. } | Self::Raw { .. } => Vec::new(),
        }
    }
}

/// Which side of the bound is good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GoodSide {
    /// Values up to the bound.
    AtMost,
    /// Values above the bound.
    Above,
}

/// Which part of all events a second counter counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Numerator {
    /// The bad ones.
    Bad(Counter),
    /// The good ones; the others are bad.
    Good(Counter),
}

/// Something whose increments are events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Counter {
    /// A counter.
    Plain(SeriesSelector),
    /// The observations of a histogram, without `_count`.
    Observations(SeriesSelector, HistogramType),
}

impl Counter {
    /// Its metric; of a histogram, without `_count`.
    fn metric(&self) -> &str {
        match self {
            Self::Plain(selector) | Self::Observations(selector, _) => &selector.metric,
        }
    }
}
