//! An incident as the raw series of one indicator: what is scraped, which of it counts for what, and
//! bystanders that must not count at all.

// A scene is written from the parts of one measure; a struct for each would say their names twice.
#![allow(clippy::too_many_arguments)]

use std::collections::BTreeMap;

use super::counter::{Counter, Sample};
use super::incident::{Incident, Outcome, Script, Source};
use super::labels::{self, Labels, matching, matching_but_not};
use super::series::{RawSeries, Values};
use crate::api::v1alpha1::HistogramType;
use crate::domain::decimal::Decimal;
use crate::domain::indicator::{self, GoodSide, Measure, Numerator};
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::domain::slo::Slo;

/// How histograms are stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// There are no histograms.
    Floats,
    /// A series for each bucket.
    Classic,
    /// A histogram in each sample.
    Native,
}

impl Form {
    /// Its name in file names; none where there is no choice.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Floats => None,
            Self::Classic => Some("classic"),
            Self::Native => Some("native"),
        }
    }
}

/// Why no series can be made up for an AgentSLO.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unprovable(pub String);

/// What is scraped during an incident, and what the rules may count of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Number of minutes.
    pub minutes: usize,
    /// Everything that is scraped.
    pub series: Vec<RawSeries>,
    /// The group of `groupBy` to which the incident happens, then a healthy one, if any.
    pub groups: Vec<Group>,
}

/// What the rules may count for one group of `groupBy`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Values of the `groupBy` labels.
    pub labels: Labels,
    pub(super) counted: Counted,
}

/// Raw counters by the part that they play.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Counted {
    /// Two sums of counters.
    Events { total: Vec<Counter>, numerator: Vec<Counter>, meaning: Meaning },
    /// Cost and runs.
    HourlyMean { runs: Vec<Counter>, cost: Vec<Counter>, limit: Decimal },
    /// Gauges of 0 and 1.
    Samples(Vec<Counter>),
}

/// What the numerator counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// Bad events.
    Bad,
    /// Good events.
    Good,
    /// Observations up to a bound, which are good.
    AtMostGood,
    /// Observations up to a bound, which are bad.
    AtMostBad,
    /// Bad events, by `increase` alone.
    BadByIncrease,
}

/// The forms in which the indicator's series may be stored; the rules must do for each.
#[must_use]
pub fn forms(slo: &Slo) -> Vec<Form> {
    let form = match &slo.indicator().measure {
        Measure::Distribution { form, .. }
        | Measure::Events { total: indicator::Counter::Observations(_, form), .. }
        | Measure::HourlyMean { runs: indicator::Counter::Observations(_, form), .. } => Some(*form),
        Measure::Events { .. }
        | Measure::HourlyMean { .. }
        | Measure::Samples { .. }
        | Measure::Raw { .. } => None,
    };
    match form {
        None => vec![Form::Floats],
        Some(HistogramType::Classic) => vec![Form::Classic],
        Some(HistogramType::Native) => vec![Form::Native],
        Some(HistogramType::Auto) => vec![Form::Classic, Form::Native],
    }
}

/// The raw series of an incident.
///
/// # Errors
/// If no label set can satisfy the indicator's selectors, or if its own PromQL is not a sum of increases.
pub fn scene(slo: &Slo, incident: Incident, form: Form) -> Result<Scene, Unprovable> {
    of_script(slo, &incident.script(slo), form)
}

pub(super) fn of_script(slo: &Slo, script: &Script, form: Form) -> Result<Scene, Unprovable> {
    let measure = counted_measure(&slo.indicator().measure)?;
    let mut stage = Stage { slo, form, minutes: script.minutes, series: Vec::new() };
    let calm = Script::calm(script.minutes);
    let group_labels = stage.group_labels(&measure)?;
    let mut groups = Vec::new();
    for (labels, script) in group_labels.into_iter().zip([script, &calm]) {
        let counted = stage.play(&measure, script, &labels)?;
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        groups.push(Group { labels, counted });
    }
    stage.add_bystanders(&measure);
    Ok(Scene { minutes: script.minutes, series: stage.series, groups })
}

/// The measure with the user's own PromQL taken apart.
enum Plain {
    Known(Measure),
    Increases { bad: SeriesSelector, total: SeriesSelector },
}

fn counted_measure(measure: &Measure) -> Result<Plain, Unprovable> {
    match measure {
        Measure::Raw { bad, total } => Ok(Plain::Increases {
            bad: super::labels::increased(bad)?,
            total: super::labels::increased(total)?,
        }),
        known @ (Measure::Events { .. }
        | Measure::Distribution { .. }
        | Measure::HourlyMean { .. }
        | Measure::Samples { .. }) => Ok(Plain::Known(known.clone())),
    }
}

impl Plain {
    /// Everything that is selected; the total first.
    fn selectors(&self) -> Vec<&SeriesSelector> {
        match self {
            Self::Increases { bad, total } => vec![total, bad],
            Self::Known(Measure::Events { total, numerator }) => {
                vec![selector(total), selector(counter(numerator))]
            }
            Self::Known(Measure::Distribution { histogram, .. }) => vec![histogram],
            Self::Known(Measure::HourlyMean { cost, runs, .. }) => vec![selector(runs), cost],
            Self::Known(Measure::Samples { gauge }) => vec![gauge],
            Self::Known(Measure::Raw { .. }) => Vec::new(),
        }
    }
}

fn selector(counter: &indicator::Counter) -> &SeriesSelector {
    match counter {
        indicator::Counter::Plain(selector) | indicator::Counter::Observations(selector, _) => selector,
    }
}

fn counter(numerator: &Numerator) -> &indicator::Counter {
    match numerator {
        Numerator::Bad(counter) | Numerator::Good(counter) => counter,
    }
}

/// Where series are made up.
struct Stage<'a> {
    slo: &'a Slo,
    form: Form,
    minutes: usize,
    series: Vec<RawSeries>,
}

impl Stage<'_> {
    /// Values of the `groupBy` labels for the group in trouble and for a healthy one.
    fn group_labels(&self, measure: &Plain) -> Result<Vec<Labels>, Unprovable> {
        let names = self.slo.group_by();
        if names.is_empty() {
            return Ok(vec![Labels::new()]);
        }
        let all: Vec<LabelMatcher> =
            measure.selectors().into_iter().flat_map(|one| one.matchers.clone()).collect();
        let on_groups: Vec<LabelMatcher> = names
            .iter()
            .flat_map(|name| {
                let written = all.iter().filter(|matcher| matcher.label == *name).cloned();
                written.chain([LabelMatcher::not_equal(name.clone(), "")]).collect::<Vec<_>>()
            })
            .collect();
        let first = matching(&on_groups).ok_or_else(impossible)?;
        let other = |name: &String| LabelMatcher::not_equal(name.clone(), first[name].clone());
        let second = names.iter().find_map(|name| {
            // The expression suggests a value.
            let different = [other(name), LabelMatcher::regex(name.clone(), ".*")];
            matching(&[on_groups.clone(), different.to_vec()].concat())
        });
        Ok(std::iter::once(first.clone()).chain(second).collect())
    }

    fn play(&mut self, measure: &Plain, script: &Script, group: &Labels) -> Result<Counted, Unprovable> {
        let replica_label = labels::free_label(&measure.selectors(), self.slo.group_by());
        let at = Place { group: equal(group), replica_label };
        match measure {
            Plain::Increases { bad, total } => {
                let (total, bad) =
                    (indicator::Counter::Plain(total.clone()), indicator::Counter::Plain(bad.clone()));
                self.events(&total, &Numerator::Bad(bad), Meaning::BadByIncrease, script, &at)
            }
            Plain::Known(Measure::Events { total, numerator }) => {
                let meaning = match numerator {
                    Numerator::Bad(_) => Meaning::Bad,
                    Numerator::Good(_) => Meaning::Good,
                };
                self.events(total, numerator, meaning, script, &at)
            }
            Plain::Known(Measure::Distribution { histogram, bound, good, .. }) => {
                self.distribution(histogram, *bound, *good, script, &at)
            }
            Plain::Known(Measure::HourlyMean { cost, runs, limit }) => {
                self.hourly_mean(cost, runs, *limit, script, &at)
            }
            Plain::Known(Measure::Samples { gauge }) => self.samples(gauge, script, &at),
            Plain::Known(Measure::Raw { .. }) => Err(impossible()),
        }
    }

    fn events(
        &mut self,
        total: &indicator::Counter,
        numerator: &Numerator,
        meaning: Meaning,
        script: &Script,
        at: &Place,
    ) -> Result<Counted, Unprovable> {
        let part = counter(numerator);
        let (all, some) = (selector(total), selector(part));
        let is_one_metric = all.metric == some.metric;
        let (mut totals, mut numerators) = (Vec::new(), Vec::new());
        for source in &script.sources {
            let in_part = (source.outcome == Outcome::Good) == matches!(numerator, Numerator::Good(_));
            let valid = [all.matchers.clone(), at.matchers(source)].concat();
            let labels = match (is_one_metric, in_part) {
                (true, true) => matching(&[valid, some.matchers.clone()].concat()),
                (true, false) => matching_but_not(&valid, &some.matchers),
                (false, _) => matching(&valid),
            };
            let samples = source.samples();
            self.write_counter(total, labels.ok_or_else(impossible)?, &samples);
            totals.push(Counter(samples.clone()));
            if in_part {
                numerators.push(Counter(samples.clone()));
            }
            if in_part && !is_one_metric {
                let labels = matching(&[some.matchers.clone(), at.matchers(source)].concat());
                self.write_counter(part, labels.ok_or_else(impossible)?, &samples);
            }
        }
        Ok(Counted::Events { total: totals, numerator: numerators, meaning })
    }

    fn distribution(
        &mut self,
        histogram: &SeriesSelector,
        bound: Decimal,
        good: GoodSide,
        script: &Script,
        at: &Place,
    ) -> Result<Counted, Unprovable> {
        let (mut totals, mut numerators) = (Vec::new(), Vec::new());
        for (replica, sources) in by_replica(script) {
            let labels = matching(&[histogram.matchers.clone(), at.numbered(&replica.to_string())].concat());
            let labels = labels.ok_or_else(impossible)?;
            let of =
                |outcome| sum_of(sources.iter().filter(|source| source.outcome == outcome), self.minutes);
            let both = sum_of(sources.iter(), self.minutes);
            let (low, high) = match good {
                GoodSide::AtMost => (of(Outcome::Good), of(Outcome::Bad)),
                GoodSide::Above => (of(Outcome::Bad), of(Outcome::Good)),
            };
            let (low, high) = (as_visible(&low, &both), as_visible(&high, &both));
            self.write_histogram(&histogram.metric, &labels, bound, &low, &high);
            totals.push(Counter(both));
            numerators.push(Counter(low));
        }
        let meaning = match good {
            GoodSide::AtMost => Meaning::AtMostGood,
            GoodSide::Above => Meaning::AtMostBad,
        };
        Ok(Counted::Events { total: totals, numerator: numerators, meaning })
    }

    /// A good run costs half the limit, a bad one three times as much.
    fn hourly_mean(
        &mut self,
        cost: &SeriesSelector,
        runs: &indicator::Counter,
        limit: Decimal,
        script: &Script,
        at: &Place,
    ) -> Result<Counted, Unprovable> {
        let (mut counted, mut costs) = (Vec::new(), Vec::new());
        for source in &script.sources {
            let unit = limit.to_f64() * if source.outcome == Outcome::Good { 0.5 } else { 3.0 };
            let samples = source.samples();
            let dollars: Vec<Sample> = samples.iter().map(|sample| sample.map(|runs| runs * unit)).collect();
            let run_labels = matching(&[selector(runs).matchers.clone(), at.matchers(source)].concat());
            let cost_labels = matching(&[cost.matchers.clone(), at.matchers(source)].concat());
            self.write_counter(runs, run_labels.ok_or_else(impossible)?, &samples);
            self.write_floats(&cost.metric, cost_labels.ok_or_else(impossible)?, dollars.clone());
            counted.push(Counter(samples));
            costs.push(Counter(dollars));
        }
        Ok(Counted::HourlyMean { runs: counted, cost: costs, limit })
    }

    /// As many gauges as there are events in a minute.
    fn samples(
        &mut self,
        gauge: &SeriesSelector,
        script: &Script,
        at: &Place,
    ) -> Result<Counted, Unprovable> {
        let events = |minute: usize, outcome: Outcome| -> u32 {
            let scraped =
                script.sources.iter().filter(|source| source.outcome == outcome && source.is_scraped(minute));
            scraped.map(|source| source.events(minute)).sum()
        };
        let most = (0..self.minutes)
            .map(|minute| events(minute, Outcome::Good) + events(minute, Outcome::Bad))
            .max();
        let mut gauges = Vec::new();
        for number in 0..most.unwrap_or(0) {
            let value = |minute| {
                let (good, bad) = (events(minute, Outcome::Good), events(minute, Outcome::Bad));
                match number {
                    number if number < good => Sample::Value(1.0),
                    number if number < good + bad => Sample::Value(0.0),
                    _ => Sample::Missing,
                }
            };
            let samples: Vec<Sample> = (0..self.minutes).map(value).collect();
            let labels = matching(&[gauge.matchers.clone(), at.numbered(&number.to_string())].concat());
            self.write_floats(&gauge.metric, labels.ok_or_else(impossible)?, samples.clone());
            gauges.push(Counter(samples));
        }
        Ok(Counted::Samples(gauges))
    }

    /// Series that differ from the indicator's in one condition, and rise three times as fast.
    fn add_bystanders(&mut self, measure: &Plain) {
        let rising: Vec<Sample> =
            (0_u32..).take(self.minutes).map(|minute| Sample::Value(f64::from(3 * minute))).collect();
        let selectors = measure.selectors();
        let Some(total) = selectors.first() else { return };
        for one in &selectors {
            let conditions = if one.metric == total.metric { &total.matchers } else { &one.matchers };
            for violated in conditions {
                let others: Vec<LabelMatcher> =
                    one.matchers.iter().filter(|matcher| *matcher != violated).cloned().collect();
                let labels = matching_but_not(&others, std::slice::from_ref(violated));
                let is_selected = |labels: &Labels| {
                    let same = selectors.iter().filter(|other| other.metric == one.metric);
                    same.into_iter().any(|other| labels::is_matched(labels, &other.matchers))
                };
                if let Some(labels) = labels.filter(|labels| !is_selected(labels)) {
                    self.write_bystander(measure, &one.metric, labels, &rising);
                }
            }
        }
    }

    fn write_bystander(&mut self, measure: &Plain, metric: &str, labels: Labels, rising: &[Sample]) {
        match measure {
            Plain::Known(Measure::Distribution { bound, .. }) => {
                self.write_histogram(metric, &labels, *bound, rising, rising);
            }
            Plain::Known(Measure::Events { total, .. }) => self.write_counter(total, labels, rising),
            Plain::Known(Measure::HourlyMean { runs, .. }) if selector(runs).metric == metric => {
                self.write_counter(runs, labels, rising);
            }
            Plain::Known(Measure::HourlyMean { .. } | Measure::Samples { .. } | Measure::Raw { .. })
            | Plain::Increases { .. } => self.write_floats(metric, labels, rising.to_vec()),
        }
    }

    fn write_counter(&mut self, counter: &indicator::Counter, labels: Labels, samples: &[Sample]) {
        match (counter, self.form) {
            (indicator::Counter::Plain(selector), _) => {
                self.write_floats(&selector.metric, labels, samples.to_vec());
            }
            (indicator::Counter::Observations(selector, _), Form::Native) => {
                let none = samples.iter().map(|sample| sample.map(|_| 0.0)).collect();
                let values = Values::Histograms { low: samples.to_vec(), high: none, bucket: 0, distance: 1 };
                self.write(&selector.metric, labels, values);
            }
            (indicator::Counter::Observations(selector, _), Form::Floats | Form::Classic) => {
                self.write_floats(&format!("{}_count", selector.metric), labels, samples.to_vec());
            }
        }
    }

    fn write_histogram(
        &mut self,
        metric: &str,
        labels: &Labels,
        bound: Decimal,
        low: &[Sample],
        high: &[Sample],
    ) {
        if self.form == Form::Native {
            let bucket = bucket_below(bound);
            let distance = if 2_f64.powi(bucket) < bound.to_f64() { 2 } else { 1 };
            let values = Values::Histograms { low: low.to_vec(), high: high.to_vec(), bucket, distance };
            self.write(metric, labels.clone(), values);
            return;
        }
        let both: Vec<Sample> = low.iter().zip(high).map(|(low, high)| add(*low, *high)).collect();
        let le = |value: &str| labels.iter().map(pair).chain([("le".to_owned(), value.to_owned())]).collect();
        self.write_floats(&format!("{metric}_bucket"), le(&spelling(bound)), low.to_vec());
        self.write_floats(&format!("{metric}_bucket"), le("+Inf"), both.clone());
        self.write_floats(&format!("{metric}_count"), labels.clone(), both);
    }

    fn write_floats(&mut self, metric: &str, labels: Labels, samples: Vec<Sample>) {
        self.write(metric, labels, Values::Floats(samples));
    }

    fn write(&mut self, metric: &str, labels: Labels, values: Values) {
        let series = RawSeries { metric: metric.to_owned(), labels, values };
        let is_new =
            !self.series.iter().any(|other| other.metric == series.metric && other.labels == series.labels);
        if is_new {
            self.series.push(series);
        }
    }
}

/// Which group and which process.
struct Place {
    group: Vec<LabelMatcher>,
    replica_label: String,
}

impl Place {
    fn matchers(&self, source: &Source) -> Vec<LabelMatcher> {
        let outcome = match source.outcome {
            Outcome::Good => "good",
            Outcome::Bad => "bad",
        };
        self.numbered(&format!("{}-{outcome}", source.replica))
    }

    fn numbered(&self, number: &str) -> Vec<LabelMatcher> {
        [self.group.clone(), vec![LabelMatcher::equal(self.replica_label.clone(), number)]].concat()
    }
}

fn equal(labels: &Labels) -> Vec<LabelMatcher> {
    labels.iter().map(|(name, value)| LabelMatcher::equal(name.clone(), value.clone())).collect()
}

fn pair((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
}

fn impossible() -> Unprovable {
    Unprovable("no series can match the selectors of the indicator as they are".to_owned())
}

fn by_replica(script: &Script) -> BTreeMap<u32, Vec<&Source>> {
    let mut replicas: BTreeMap<u32, Vec<&Source>> = BTreeMap::new();
    for source in &script.sources {
        replicas.entry(source.replica).or_default().push(source);
    }
    replicas
}

fn sum_of<'a>(sources: impl Iterator<Item = &'a &'a Source>, minutes: usize) -> Vec<Sample> {
    let nothing = vec![Sample::Missing; minutes];
    sources.map(|source| source.samples()).fold(nothing, |sum, samples| {
        sum.into_iter().zip(samples).map(|(one, other)| add(one, other)).collect()
    })
}

fn add(one: Sample, other: Sample) -> Sample {
    match (one, other) {
        (Sample::Value(one), Sample::Value(other)) => Sample::Value(one + other),
        (value @ Sample::Value(_), _) | (_, value @ Sample::Value(_)) => value,
        (Sample::Stale, _) | (_, Sample::Stale) => Sample::Stale,
        (Sample::Missing, Sample::Missing) => Sample::Missing,
    }
}

/// Zero where the histogram is there without observations on this side.
fn as_visible(side: &[Sample], both: &[Sample]) -> Vec<Sample> {
    let visible = |(side, both): (&Sample, &Sample)| match (side, both) {
        (Sample::Value(value), _) => Sample::Value(*value),
        (_, Sample::Value(_)) => Sample::Value(0.0),
        (_, gone) => *gone,
    };
    side.iter().zip(both).map(visible).collect()
}

/// The highest power of two up to the bound.
#[allow(clippy::cast_possible_truncation)]
fn bucket_below(bound: Decimal) -> i32 {
    bound.to_f64().log2().floor() as i32
}

/// As Prometheus 3 stores a bound.
fn spelling(bound: Decimal) -> String {
    let plain = bound.to_string();
    if plain.contains('.') { plain } else { format!("{plain}.0") }
}
