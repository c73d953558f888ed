//! Which series are the agent's: profile, matchers, and the fence around the tenant.

use super::findings::Findings;
use super::go_regex;
use super::text::{has_control, is_label_name};
use crate::api::v1alpha1::{CounterBirths, MatchOp, Matcher, TelemetrySource, messages};
use crate::domain::agent_series::AgentSeries;
use crate::domain::platform::Platform;
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::domain::violation::Rule;
use crate::profiles::{self, Metric, Profile};

/// How to select the series of one agent.
pub(super) struct Telemetry {
    /// What the agent emits.
    pub(super) profile: &'static Profile,
    /// What the first value of a counter means.
    pub(super) counter_births: CounterBirths,
    series: AgentSeries,
    matchers: Vec<LabelMatcher>,
    fence: Option<LabelMatcher>,
}

impl Telemetry {
    /// Reads the source of telemetry.
    pub(super) fn parse(
        source: &TelemetrySource,
        agent: &str,
        namespace: &str,
        platform: &Platform,
        findings: &mut Findings,
    ) -> Option<Self> {
        let name = source.profile.as_deref().unwrap_or(profiles::DEFAULT);
        let unknown = format!("'{name}' is not a profile; profiles are '{}'", profiles::names().join("', '"));
        let profile =
            findings.expect(profiles::find(name), "spec.telemetry.profile", Rule::UnknownProfile, unknown);
        let fence =
            platform.namespace_label.as_ref().map(|label| LabelMatcher::equal(label.clone(), namespace));
        let matchers = parse_matchers(&source.matchers, "spec.telemetry.matchers", fence.as_ref(), findings);
        let profile = profile?;
        let conditions = matchers.iter().chain(&fence).cloned().collect();
        let births = source.counter_births.unwrap_or(profile.counter_births);
        Some(Self {
            profile,
            counter_births: births,
            series: AgentSeries::new(profile, source.name_translation, births, agent, conditions),
            matchers,
            fence,
        })
    }

    /// The agent's series of a metric of the profile.
    pub(super) fn select(&self, metric: &Metric) -> SeriesSelector {
        self.series.select(metric)
    }

    /// The agent's series of an amount, such as dollars: a counter, or the sum of a histogram.
    pub(super) fn select_amount(&self, metric: &Metric) -> SeriesSelector {
        self.series.select_amount(metric)
    }

    /// The series of a metric that the user named.
    pub(super) fn select_named(
        &self,
        metric: &str,
        matchers: &[Matcher],
        path: &str,
        findings: &mut Findings,
    ) -> SeriesSelector {
        findings.require(
            super::text::is_metric_name(metric),
            format!("{path}.metric"),
            Rule::InvalidName,
            messages::METRIC_NAME,
        );
        let matchers = parse_matchers(matchers, &format!("{path}.matchers"), self.fence.as_ref(), findings);
        self.fenced(SeriesSelector::new(metric, matchers))
    }

    /// Which series are the agent's.
    pub(super) fn series(&self) -> &AgentSeries {
        &self.series
    }

    /// A label of the profile as Prometheus stores it.
    pub(super) fn label(&self, label: &str) -> String {
        self.series.label(label)
    }

    /// The matcher that every selector must carry.
    pub(super) fn fence(&self) -> Option<&LabelMatcher> {
        self.fence.as_ref()
    }

    /// Which series are the agent's.
    pub(super) fn into_series(self) -> AgentSeries {
        self.series
    }

    fn fenced(&self, selector: SeriesSelector) -> SeriesSelector {
        selector.with(self.matchers.iter().cloned()).with(self.fence.iter().cloned())
    }
}

fn parse_matchers(
    matchers: &[Matcher],
    path: &str,
    fence: Option<&LabelMatcher>,
    findings: &mut Findings,
) -> Vec<LabelMatcher> {
    matchers
        .iter()
        .enumerate()
        .map(|(index, matcher)| parse_matcher(matcher, &format!("{path}[{index}]"), fence, findings))
        .collect()
}

fn parse_matcher(
    matcher: &Matcher,
    path: &str,
    fence: Option<&LabelMatcher>,
    findings: &mut Findings,
) -> LabelMatcher {
    let label_path = format!("{path}.label");
    let value_path = format!("{path}.value");
    findings.require(
        is_label_name(&matcher.label),
        label_path.as_str(),
        Rule::InvalidName,
        messages::LABEL_NAME,
    );
    findings.require(
        !has_control(&matcher.value),
        value_path.as_str(),
        Rule::InvalidText,
        messages::NO_CONTROL,
    );
    if let Some(fence) = fence.filter(|fence| fence.label == matcher.label) {
        let message =
            format!("matcher conflicts with the enforced label {}='{}'; remove it", fence.label, fence.value);
        let same = matcher.op == MatchOp::Equal && matcher.value == fence.value;
        findings.require(same, label_path, Rule::NotPermitted, message);
    }
    if matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex)
        && let Err(message) =
            check_regex(&matcher.value).and_then(|()| go_regex::check_syntax(&matcher.value))
    {
        findings.add(value_path, Rule::InvalidRegex, message);
    }
    LabelMatcher { label: matcher.label.clone(), op: matcher.op, value: matcher.value.clone() }
}

/// Whether RE2 takes the expression; it has the same syntax as Rust's, without look-around and
/// back-references.
pub(super) fn check_regex(expression: &str) -> Result<(), String> {
    let parsed = regex_syntax::Parser::new().parse(expression);
    let (kind, column) = match parsed {
        Ok(_) => return Ok(()),
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), error.span().start.column),
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), error.span().start.column),
        Err(_) => ("it does not parse".to_owned(), 1),
    };
    let kind = kind.split(',').next().unwrap_or_default().to_owned();
    Err(format!("must be an RE2 regular expression: {kind} at position {column}"))
}

#[cfg(test)]
mod tests {
    use super::check_regex;

    #[test]
    fn expressions_that_re2_would_not_take_say_where() {
        let cases = [
            ("(", "must be an RE2 regular expression: unclosed group at position 1"),
            ("(?=x)", "must be an RE2 regular expression: look-around at position 1"),
        ];
        for (expression, message) in cases {
            assert_eq!(check_regex(expression), Err(message.to_owned()));
        }
        assert_eq!(check_regex("5..|eu-[0-9]+"), Ok(()));
    }
}
