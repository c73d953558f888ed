//! Raw series in the notation of `promtool test rules`.

use super::counter::Sample;
use super::labels::Labels;
use crate::domain::promql::{LabelMatcher, SeriesSelector};

/// A raw series, scraped once a minute.
#[derive(Clone, Debug, PartialEq)]
pub struct RawSeries {
    pub(super) metric: String,
    pub(super) labels: Labels,
    pub(super) values: Values,
}

/// What is scraped.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers.
    Floats(Vec<Sample>),
    /// Native histograms with observations in two buckets of factor two.
    Histograms {
        /// Observations in the lower bucket.
        low: Vec<Sample>,
        /// Observations in the higher bucket; the series is there whenever the lower is.
        high: Vec<Sample>,
        /// Number of the lower bucket: it ends at two to this power.
        bucket: i32,
        /// How many buckets further the higher one is.
        distance: usize,
    },
}

impl RawSeries {
    /// Name and labels.
    #[must_use]
    pub fn name(&self) -> String {
        let labels = self.labels.iter();
        let matchers = labels.map(|(name, value)| LabelMatcher::equal(name.clone(), value.clone())).collect();
        SeriesSelector::new(self.metric.clone(), matchers).to_string()
    }

    /// Scrape by scrape.
    #[must_use]
    pub fn notation(&self) -> String {
        match &self.values {
            Values::Floats(samples) => runs(samples),
            Values::Histograms { low, high, bucket, distance } => {
                let print = |low: f64, high: f64| histogram(low, high, *bucket, *distance);
                let texts = low.iter().zip(high).map(|(low, high)| match (low, high) {
                    (Sample::Value(low), Sample::Value(high)) => print(*low, *high),
                    (Sample::Stale, _) => "stale".to_owned(),
                    (Sample::Value(_) | Sample::Missing, _) => "_".to_owned(),
                });
                texts.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

fn histogram(low: f64, high: f64, bucket: i32, distance: usize) -> String {
    let between = "0 ".repeat(distance - 1);
    let count = low + high;
    format!("{{{{schema:0 sum:{count} count:{count} offset:{bucket} buckets:[{low} {between}{high}]}}}}")
}

/// `a+bxn` for `n + 1` samples with the same step, `_xn` for `n` missing ones.
fn runs(samples: &[Sample]) -> String {
    let mut rest = samples;
    let mut texts = Vec::new();
    while let Some(first) = rest.first() {
        let (text, length) = match first {
            Sample::Stale => ("stale".to_owned(), 1),
            Sample::Missing => {
                let length = rest.iter().take_while(|sample| **sample == Sample::Missing).count();
                (format!("_x{length}"), length)
            }
            Sample::Value(start) => even_run(*start, rest),
        };
        texts.push(text);
        rest = &rest[length..];
    }
    texts.join(" ")
}

fn even_run(start: f64, samples: &[Sample]) -> (String, usize) {
    let step = match samples.get(1) {
        // Steps that are no whole numbers would gather rounding errors.
        Some(Sample::Value(second)) if (second - start).fract() == 0.0 && start.fract() == 0.0 => {
            second - start
        }
        _ => return (start.to_string(), 1),
    };
    let follows = |pair: &&[Sample]| matches!(pair, [Sample::Value(one), Sample::Value(next)] if (next - one - step).abs() < f64::EPSILON);
    let length = 1 + samples.windows(2).take_while(follows).count();
    let sign = if step < 0.0 { "" } else { "+" };
    (format!("{start}{sign}{step}x{}", length - 1), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_printed_in_runs() {
        use Sample::{Missing, Stale, Value};
        let samples =
            [Value(1.0), Value(2.0), Value(3.0), Stale, Missing, Missing, Value(0.5), Value(0.0), Value(0.0)];
        assert_eq!(runs(&samples), "1+1x2 stale _x2 0.5 0+0x1");
    }
}
