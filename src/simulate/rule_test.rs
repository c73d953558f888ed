//! A test file for `promtool test rules`: the raw series of an incident, and what the rules must make of
//! them. Every alert is asked for right before and right at each change of its state, to the minute,
//! and for the number of minutes for which it fires in all.

use serde::Serialize;

use super::answer::{Answer, Firing, GroupAnswer, answer};
use super::incident::Incident;
use super::labels::Labels;
use super::recorded::{Recorded, Timetable};
use super::scene::{Form, Scene, Unprovable, scene};
use crate::domain::burn_rate::Urgency;
use crate::domain::promql::{LabelMatcher, SeriesSelector, quoted};
use crate::domain::slo::Slo;
use crate::render::rules::group_name;
use crate::vocabulary::{alert, label, series};

/// Reads one recorded series from an answer.
type ReadRecorded = fn(&GroupAnswer) -> &Recorded;

/// How far a count may be from the simulated one.
const EXACTNESS: f64 = 1e-6;

/// One test file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleTest {
    rule_files: Vec<String>,
    evaluation_interval: &'static str,
    group_eval_order: Vec<String>,
    tests: Vec<TestGroup>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct TestGroup {
    name: String,
    interval: &'static str,
    input_series: Vec<InputSeries>,
    promql_expr_test: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct InputSeries {
    series: String,
    values: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Check {
    expr: String,
    eval_time: String,
    exp_samples: Vec<Expected>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Expected {
    labels: String,
    value: f64,
}

/// Writes the test of an incident, for rules in a file of this name.
///
/// # Errors
/// See [`scene`].
pub fn rule_test(slo: &Slo, incident: Incident, form: Form, rule_file: &str) -> Result<RuleTest, Unprovable> {
    let scene = scene(slo, incident, form)?;
    let answer = answer(slo, &scene);
    let input_series = scene.series.iter();
    Ok(RuleTest {
        rule_files: vec![rule_file.to_owned()],
        evaluation_interval: "1m",
        group_eval_order: ["counts", "budget"].map(|part| group_name(slo, part)).to_vec(),
        tests: vec![TestGroup {
            name: incident.name().to_owned(),
            interval: "1m",
            input_series: input_series
                .map(|series| InputSeries { series: series.name(), values: series.notation() })
                .collect(),
            promql_expr_test: checks(slo, &scene, &answer),
        }],
    })
}

fn checks(slo: &Slo, scene: &Scene, answer: &Answer) -> Vec<Check> {
    let checker =
        Checker { slo, timetable: Timetable::behind_by(slo.query_offset()), end: scene.minutes - 1 };
    checker.alerts(answer).into_iter().chain(checker.recordings(answer)).collect()
}

struct Checker<'a> {
    slo: &'a Slo,
    timetable: Timetable,
    /// The last evaluation.
    end: usize,
}

impl Checker<'_> {
    fn alerts(&self, answer: &Answer) -> Vec<Check> {
        let severities =
            [Urgency::Page, Urgency::Ticket].map(|urgency| self.slo.alerting().severity_of(urgency));
        let [page, ticket] = severities;
        let no_data = &self.slo.alerting().no_data_severity;
        let of = |firing: fn(&GroupAnswer) -> &Firing| -> Vec<(Labels, &Firing)> {
            answer.groups.iter().map(|group| (group.labels.clone(), firing(group))).collect()
        };
        let alerts = [
            self.alert(alert::BURN, Urgency::Page, page, &of(|group| &group.page)),
            self.alert(alert::BURN, Urgency::Ticket, ticket, &of(|group| &group.ticket)),
            self.alert(alert::EXHAUSTED, Urgency::Ticket, ticket, &of(|group| &group.exhausted)),
            self.alert(alert::NO_DATA, Urgency::Ticket, no_data, &[(Labels::new(), &answer.no_data)]),
        ];
        alerts.into_iter().flatten().collect()
    }

    fn recordings(&self, answer: &Answer) -> Vec<Check> {
        let window = self.slo.window();
        let (total_count, bad_count) =
            (format!("{}{window}", series::TOTAL_COUNT), format!("{}{window}", series::BAD_COUNT));
        let recordings: [(&str, ReadRecorded); 5] = [
            (series::TOTAL_5M, |group| &group.total),
            (series::BAD_5M, |group| &group.bad),
            (&total_count, |group| &group.total_count),
            (&bad_count, |group| &group.bad_count),
            (series::REMAINING, |group| &group.remaining),
        ];
        let recorded = recordings.into_iter().flat_map(|(name, of)| self.recording(name, &answer.groups, of));
        recorded.chain([self.is_number(series::BURN_RATE)]).collect()
    }

    /// State right before and at each transition, and minutes of firing in all.
    fn alert(
        &self,
        name: &str,
        urgency: Urgency,
        severity: &str,
        groups: &[(Labels, &Firing)],
    ) -> Vec<Check> {
        let matchers = vec![
            LabelMatcher::equal("alertname", name),
            LabelMatcher::equal("alertstate", "firing"),
            LabelMatcher::equal(label::SLO, self.slo.name()),
            LabelMatcher::equal(label::URGENCY, urgency.label()),
        ];
        let alerts = SeriesSelector::new("ALERTS", matchers);
        let own = self.alert_labels(urgency, severity);
        // Without the labels that say which alert it is: they are in the selector.
        let expected = |value: &dyn Fn(&Firing) -> Option<f64>| -> Vec<Expected> {
            groups
                .iter()
                .filter_map(|(labels, firing)| Some(expect(&[&own, labels], value(firing)?)))
                .collect()
        };
        let without = "sum without (alertname, alertstate)";
        let mut moments: Vec<usize> =
            groups.iter().flat_map(|(_, firing)| firing.transitions()).flat_map(|at| [at - 1, at]).collect();
        moments.push(self.end);
        moments.sort_unstable();
        moments.dedup();
        let states = moments.into_iter().filter(|minute| self.timetable.stamp(*minute) >= 0).map(|minute| {
            let fires = |firing: &Firing| firing.states()[minute].then_some(1.0);
            self.check(format!("{without} ({alerts})"), minute, expected(&fires))
        });
        let minutes = |firing: &Firing| {
            let minutes = firing.states().iter().filter(|fires| **fires).count();
            (minutes > 0).then(|| number(minutes))
        };
        let in_all = format!("{without} (count_over_time({}))", self.whole(&alerts));
        let in_all = self.check(in_all, self.end, expected(&minutes));
        states.chain([in_all]).collect()
    }

    fn alert_labels(&self, urgency: Urgency, severity: &str) -> Labels {
        let alerting = self.slo.alerting();
        let ours = [
            (label::AGENT, self.slo.agent()),
            (label::SEVERITY, severity),
            (label::URGENCY, urgency.label()),
            (label::NAMESPACE, self.slo.namespace()),
            (label::SLO, self.slo.name()),
        ];
        let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
        alerting.labels.clone().into_iter().chain(ours).collect()
    }

    /// Sum and number of all samples, the newest one, and no NaN.
    fn recording(&self, name: &str, groups: &[GroupAnswer], of: fn(&GroupAnswer) -> &Recorded) -> Vec<Check> {
        let own = self.own(name);
        let over = self.whole(&own);
        let sum = |values: &[Option<f64>]| {
            let seen: Vec<f64> = values.iter().copied().flatten().collect();
            (!seen.is_empty()).then(|| seen.iter().sum())
        };
        let count = |values: &[Option<f64>]| {
            let seen = values.iter().flatten().count();
            (seen > 0).then(|| number(seen))
        };
        let newest = |values: &[Option<f64>]| values.last().copied().flatten();
        let near = |expression: String, value: &dyn Fn(&[Option<f64>]) -> Option<f64>, minute: usize| {
            self.nearly(&expression, minute, groups, &|group| value(&of(group).values()[..=minute]))
        };
        let (middle, end) = (self.end / 2, self.end);
        [
            near(format!("sum_over_time({over})"), &sum, end),
            near(format!("count_over_time({over})"), &count, end),
            near(own.to_string(), &newest, end),
            near(own.to_string(), &newest, middle),
        ]
        .into_iter()
        .flatten()
        .chain([self.is_number(name)])
        .collect()
    }

    /// One check for each group: the value is as simulated, and is there only if it should be.
    fn nearly(
        &self,
        expression: &str,
        minute: usize,
        groups: &[GroupAnswer],
        value: &dyn Fn(&GroupAnswer) -> Option<f64>,
    ) -> Vec<Check> {
        let one = |group: &GroupAnswer| {
            let narrowed = self.narrowed(expression, &group.labels);
            let expected = value(group);
            let expr = match expected {
                Some(value) => format!("abs({narrowed} - ({value})) < bool {EXACTNESS}"),
                None => narrowed,
            };
            let identity = [(label::NAMESPACE, self.slo.namespace()), (label::SLO, self.slo.name())];
            let identity: Labels = identity.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let samples = expected.map(|_| expect(&[&identity, &group.labels], 1.0));
            self.check(expr, minute, samples.into_iter().collect())
        };
        groups.iter().map(one).collect()
    }

    /// The same query for one group.
    fn narrowed(&self, expression: &str, group: &Labels) -> String {
        let matchers = self.identity();
        let with_group: Vec<LabelMatcher> = matchers
            .iter()
            .cloned()
            .chain(group.iter().map(|(name, value)| LabelMatcher::equal(name.clone(), value.clone())))
            .collect();
        let inside = |matchers: &[LabelMatcher]| {
            matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        expression.replace(&inside(&matchers), &inside(&with_group))
    }

    fn is_number(&self, name: &str) -> Check {
        let sum = format!("sum by (agentslo) (sum_over_time({}))", self.whole(&self.own(name)));
        self.check(format!("{sum} != {sum}"), self.end, Vec::new())
    }

    /// All samples of a series, also those before zero, where a query offset puts the first.
    fn whole(&self, series: &SeriesSelector) -> String {
        format!("{series}[{}m]", self.end + 20)
    }

    fn identity(&self) -> Vec<LabelMatcher> {
        vec![
            LabelMatcher::equal(label::SLO, self.slo.name()),
            LabelMatcher::equal(label::NAMESPACE, self.slo.namespace()),
        ]
    }

    fn own(&self, name: &str) -> SeriesSelector {
        SeriesSelector::new(name, self.identity())
    }

    fn check(&self, expr: String, minute: usize, exp_samples: Vec<Expected>) -> Check {
        // promtool evaluates until the last time that is asked for, not until its samples' time.
        let seconds = if minute == self.end {
            Timetable::default().stamp(minute)
        } else {
            self.timetable.stamp(minute)
        };
        Check { expr, eval_time: format!("{seconds}s"), exp_samples }
    }
}

fn expect(labels: &[&Labels], value: f64) -> Expected {
    let all: Labels = labels
        .iter()
        .flat_map(|labels| labels.iter())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let pairs: Vec<String> = all
        .iter()
        .map(|(name, value)| format!("{}={}", crate::domain::promql::quoted_name(name), quoted(value)))
        .collect();
    Expected { labels: format!("{{{}}}", pairs.join(",")), value }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
