//! From the indicator on the wire to the series that it counts.

use std::time::Duration;

use super::findings::Findings;
use super::query::fence_query;
use super::telemetry::Telemetry;
use super::text::{money, parse_duration, plain_decimal};
use crate::api::v1alpha1::{self as api, CostMethod, HistogramType, LatencyOf, messages};
use crate::domain::decimal::Decimal;
use crate::domain::indicator::{Counter, GoodSide, Indicator, Measure, Numerator};
use crate::domain::platform::Platform;
use crate::domain::promql::{LabelMatcher, SeriesSelector};
use crate::domain::violation::Rule;
use crate::profiles::{Metric, Outcome, OutcomeLabel, Outcomes};

/// Validates an indicator; `None` where violations were found.
pub(super) fn parse(
    indicator: &api::Indicator,
    telemetry: &Telemetry,
    platform: &Platform,
    findings: &mut Findings,
) -> Option<Indicator> {
    let mut builder = Builder { telemetry, findings };
    match indicator {
        api::Indicator::Success(spec) => builder.success(spec),
        api::Indicator::Latency(spec) => builder.latency(spec),
        api::Indicator::TimeToFirstToken(spec) => builder.time_to_first_token(spec),
        api::Indicator::ToolSuccess(spec) => builder.tool_success(spec),
        api::Indicator::CostPerRun(spec) => builder.cost_per_run(spec),
        api::Indicator::TokensPerRun(spec) => builder.tokens_per_run(spec),
        api::Indicator::Turns(spec) => builder.turns(spec),
        api::Indicator::Evaluation(spec) => builder.evaluation(spec),
        api::Indicator::Guardrail(spec) => builder.guardrail(spec),
        api::Indicator::Availability(spec) => Some(builder.availability(spec)),
        api::Indicator::Ratio(spec) => builder.ratio(spec),
        api::Indicator::Histogram(spec) => builder.histogram(spec),
        api::Indicator::Raw(spec) => builder.raw(spec, platform),
    }
}

struct Builder<'a> {
    telemetry: &'a Telemetry,
    findings: &'a mut Findings,
}

impl Builder<'_> {
    fn success(&mut self, spec: &api::SuccessIndicator) -> Option<Indicator> {
        let what = "finished runs with an outcome";
        let runs = self.role(self.telemetry.profile.runs.as_ref(), "success", what)?;
        let measure = match &runs.outcome {
            Outcome::Label(label) => self.success_by_label(runs, label, spec),
            Outcome::Failed(_) | Outcome::Succeeded(_) | Outcome::Untold => {
                self.require_no_choice(spec);
                self.outcomes(runs, "success", what, &[])?
            }
        };
        Some(Indicator { kind: "success", measure, phrase: "runs failed".into() })
    }

    /// Success where the user may say which values of the label are good.
    fn success_by_label(
        &mut self,
        runs: &Outcomes,
        label: &OutcomeLabel,
        spec: &api::SuccessIndicator,
    ) -> Measure {
        let excluded = or_default(&spec.exclude_outcomes, &label.excluded);
        let good = or_default(&spec.good_outcomes, &label.good);
        self.require_disjoint(&good, &excluded, "spec.indicator.success.excludeOutcomes");
        let bad = label.bad.clone().filter(|_| spec.good_outcomes.is_empty());
        self.telemetry.series().outcomes_by_label(
            runs,
            &OutcomeLabel { name: label.name.clone(), good, excluded, bad },
            &[],
        )
    }

    /// Outcomes can only be chosen where there is a label with them.
    fn require_no_choice(&mut self, spec: &api::SuccessIndicator) {
        let message = format!(
            "profile '{}' has no outcome label, so outcomes cannot be chosen; remove it",
            self.telemetry.profile.name
        );
        let chosen = [("goodOutcomes", &spec.good_outcomes), ("excludeOutcomes", &spec.exclude_outcomes)];
        for (field, _) in chosen.into_iter().filter(|(_, values)| !values.is_empty()) {
            let path = format!("spec.indicator.success.{field}");
            self.findings.add(path, Rule::UnsupportedIndicator, message.clone());
        }
    }

    fn tool_success(&mut self, spec: &api::ToolSuccessIndicator) -> Option<Indicator> {
        let what = "tool executions with an outcome";
        let tools = self.role(self.telemetry.profile.tools.as_ref(), "toolSuccess", what)?;
        let measure = self.outcomes(tools, "toolSuccess", what, &spec.tools)?;
        Some(Indicator { kind: "toolSuccess", measure, phrase: "tool executions failed".into() })
    }

    fn guardrail(&mut self, spec: &api::GuardrailIndicator) -> Option<Indicator> {
        let what = "guardrail checks";
        let checks = self.role(self.telemetry.profile.guardrails.as_ref(), "guardrail", what)?;
        let measure = self.outcomes(checks, "guardrail", what, &spec.checks)?;
        Some(Indicator { kind: "guardrail", measure, phrase: "guardrail checks blocked the run".into() })
    }

    fn latency(&mut self, spec: &api::LatencyIndicator) -> Option<Indicator> {
        let profile = self.telemetry.profile;
        let (metric, events) = match spec.of {
            LatencyOf::Run => (&profile.run_duration, "runs"),
            LatencyOf::ModelCall => (&profile.model_call_duration, "model calls"),
            LatencyOf::Tool => (&profile.tool_duration, "tool executions"),
        };
        let bound = self.threshold(&spec.threshold, "spec.indicator.latency.threshold");
        let metric = self.role(metric.as_ref(), "latency", &format!("a duration histogram of {events}"))?;
        let phrase = format!("{events} took longer than {}", spec.threshold);
        let measure = self.at_most(metric, bound?, spec.histogram_type);
        Some(Indicator { kind: "latency", measure, phrase })
    }

    fn time_to_first_token(&mut self, spec: &api::TimeToFirstTokenIndicator) -> Option<Indicator> {
        let bound = self.threshold(&spec.threshold, "spec.indicator.timeToFirstToken.threshold");
        let metric = self.telemetry.profile.time_to_first_token.as_ref();
        let metric = self.role(metric, "timeToFirstToken", "a histogram of the time to the first token")?;
        let phrase = format!("model calls took longer than {} to their first token", spec.threshold);
        let measure = self.at_most(metric, bound?, spec.histogram_type);
        Some(Indicator { kind: "timeToFirstToken", measure, phrase })
    }

    fn tokens_per_run(&mut self, spec: &api::MaxIndicator) -> Option<Indicator> {
        let metric = self.telemetry.profile.run_tokens.as_ref();
        let metric = self.role(metric, "tokensPerRun", "a histogram of tokens of runs")?;
        let bound = self.maximum(spec, "spec.indicator.tokensPerRun.max")?;
        let phrase = format!("runs used more than {} tokens", spec.max);
        let measure = self.at_most(metric, bound, HistogramType::Auto);
        Some(Indicator { kind: "tokensPerRun", measure, phrase })
    }

    fn turns(&mut self, spec: &api::MaxIndicator) -> Option<Indicator> {
        let metric = self.telemetry.profile.run_turns.as_ref();
        let metric = self.role(metric, "turns", "a histogram of turns of runs")?;
        let bound = self.maximum(spec, "spec.indicator.turns.max")?;
        let phrase = format!("runs took more than {} turns", spec.max);
        let measure = self.at_most(metric, bound, HistogramType::Auto);
        Some(Indicator { kind: "turns", measure, phrase })
    }

    fn cost_per_run(&mut self, spec: &api::CostPerRunIndicator) -> Option<Indicator> {
        let limit = money(&spec.max_usd, "spec.indicator.costPerRun.maxUSD", self.findings);
        match spec.method {
            CostMethod::Events => {
                let metric = self.telemetry.profile.run_cost.as_ref();
                let metric = self.role(
                    metric,
                    "costPerRun",
                    "a histogram of the cost of runs; method 'HourlyMean' needs only a cost counter",
                )?;
                let phrase = format!("runs cost more than ${}", spec.max_usd);
                let measure = self.at_most(metric, limit?, HistogramType::Auto);
                Some(Indicator { kind: "costPerRun", measure, phrase })
            }
            CostMethod::HourlyMean => self.hourly_mean(limit?, &spec.max_usd),
        }
    }

    fn hourly_mean(&mut self, limit: Decimal, printed: &str) -> Option<Indicator> {
        let profile = self.telemetry.profile;
        let cost = self.role(profile.cost.as_ref(), "costPerRun", "a counter of cost");
        let runs = self.role(profile.runs.as_ref(), "costPerRun", "a counter of runs");
        let measure = Measure::HourlyMean {
            cost: self.telemetry.select_amount(cost?),
            runs: self.telemetry.series().events(&runs?.metric, Vec::new()),
            limit,
        };
        let phrase = format!("hours had a mean cost above ${printed} a run");
        Some(Indicator { kind: "costPerRun", measure, phrase })
    }

    fn evaluation(&mut self, spec: &api::EvaluationIndicator) -> Option<Indicator> {
        let path = "spec.indicator.evaluation";
        let one = spec.min_score.is_some() == spec.good_labels.is_empty();
        self.findings.require(one, path, Rule::NotExactlyOne, messages::ONE_CRITERION);
        match &spec.min_score {
            Some(score) => self.evaluation_score(spec, score),
            None => self.evaluation_labels(spec),
        }
    }

    fn evaluation_score(&mut self, spec: &api::EvaluationIndicator, score: &str) -> Option<Indicator> {
        let bound = plain_decimal(score, 6, 6);
        let path = "spec.indicator.evaluation.minScore";
        let bound = self.findings.expect(bound, path, Rule::InvalidThreshold, messages::SCORE);
        let scores = self.telemetry.profile.evaluation_score.as_ref();
        let scores = self.role(scores, "evaluation", "a histogram of evaluation scores")?;
        let name = LabelMatcher::equal(self.telemetry.label(&scores.name_label), spec.evaluator.clone());
        let measure = Measure::Distribution {
            histogram: self.telemetry.select(&scores.metric).with([name]),
            form: HistogramType::Auto,
            bound: bound?,
            good: GoodSide::Above,
        };
        let phrase = format!("runs scored at most {score} in '{}'", spec.evaluator);
        Some(Indicator { kind: "evaluation", measure, phrase })
    }

    fn evaluation_labels(&mut self, spec: &api::EvaluationIndicator) -> Option<Indicator> {
        let evaluations = self.telemetry.profile.evaluations.as_ref();
        let what = "a counter of evaluation results";
        let evaluations = self.role(evaluations, "evaluation", what)?;
        let label = self.role(evaluations.outcome.label(), "evaluation", what)?;
        let label = OutcomeLabel {
            name: label.name.clone(),
            good: spec.good_labels.clone(),
            excluded: label.excluded.clone(),
            bad: None,
        };
        let measure = self.telemetry.series().outcomes_by_label(
            evaluations,
            &label,
            std::slice::from_ref(&spec.evaluator),
        );
        let phrase = format!("runs were not good in '{}'", spec.evaluator);
        Some(Indicator { kind: "evaluation", measure, phrase })
    }

    fn availability(&mut self, spec: &api::Selector) -> Indicator {
        let gauge = self.selector(spec, "spec.indicator.availability");
        Indicator {
            kind: "availability",
            measure: Measure::Samples { gauge },
            phrase: "probe samples failed".into(),
        }
    }

    fn ratio(&mut self, spec: &api::RatioIndicator) -> Option<Indicator> {
        let path = "spec.indicator.ratio";
        let total = Counter::Plain(self.selector(&spec.total, "spec.indicator.ratio.total"));
        let same = [&spec.good, &spec.bad].into_iter().flatten().any(|part| *part == spec.total);
        self.findings.require(!same, path, Rule::Contradiction, messages::SAME_SELECTOR);
        let good = spec.good.as_ref().map(|good| self.selector(good, "spec.indicator.ratio.good"));
        let bad = spec.bad.as_ref().map(|bad| self.selector(bad, "spec.indicator.ratio.bad"));
        let numerator = match (good, bad) {
            (Some(good), None) => Some(Numerator::Good(Counter::Plain(good))),
            (None, Some(bad)) => Some(Numerator::Bad(Counter::Plain(bad))),
            (None, None) | (Some(_), Some(_)) => None,
        };
        let numerator =
            self.findings.expect(numerator, path, Rule::NotExactlyOne, messages::ONE_NUMERATOR)?;
        let measure = Measure::Events { total, numerator };
        Some(Indicator { kind: "ratio", measure, phrase: "events were bad".into() })
    }

    fn histogram(&mut self, spec: &api::HistogramIndicator) -> Option<Indicator> {
        let selector = api::Selector { metric: spec.metric.clone(), matchers: spec.matchers.clone() };
        let histogram = self.selector(&selector, "spec.indicator.histogram");
        let bound =
            parse_duration(&spec.threshold).map(seconds).or_else(|| plain_decimal(&spec.threshold, 9, 6));
        let path = "spec.indicator.histogram.threshold";
        let bound = self.findings.expect(
            bound,
            path,
            Rule::InvalidThreshold,
            messages::HISTOGRAM_THRESHOLD_FORMAT,
        )?;
        let measure =
            Measure::Distribution { histogram, form: spec.histogram_type, bound, good: GoodSide::AtMost };
        let phrase = format!("observations were above {}", spec.threshold);
        Some(Indicator { kind: "histogram", measure, phrase })
    }

    fn raw(&mut self, spec: &api::RawIndicator, platform: &Platform) -> Option<Indicator> {
        let forbidden = format!("raw queries are disabled by {}", platform.display_name());
        self.findings.require(platform.allows_raw, "spec.indicator.raw", Rule::NotPermitted, forbidden);
        self.findings.require(
            spec.bad != spec.total,
            "spec.indicator.raw",
            Rule::Contradiction,
            messages::SAME_SELECTOR,
        );
        let bad = self.query(&spec.bad, "spec.indicator.raw.bad");
        let total = self.query(&spec.total, "spec.indicator.raw.total");
        let measure = Measure::Raw { bad: bad?, total: total? };
        Some(Indicator { kind: "raw", measure, phrase: "events were bad".into() })
    }

    fn query(&mut self, text: &str, path: &str) -> Option<String> {
        self.findings.require(text.contains("$window"), path, Rule::InvalidQuery, messages::RAW_WINDOW);
        match fence_query(text, self.telemetry.fence()) {
            Ok(query) => Some(query),
            Err(message) => {
                let foreign = message.starts_with("selector conflicts");
                let rule = if foreign { Rule::NotPermitted } else { Rule::InvalidQuery };
                self.findings.add(path, rule, message);
                None
            }
        }
    }

    fn selector(&mut self, spec: &api::Selector, path: &str) -> SeriesSelector {
        self.telemetry.select_named(&spec.metric, &spec.matchers, path, self.findings)
    }

    /// The role that an indicator needs, or a violation if the profile has no such series.
    fn role<T>(&mut self, role: Option<T>, kind: &str, what: &str) -> Option<T> {
        let message = format!(
            "profile '{}' does not emit {what}; use `ratio` or `histogram`, or another profile",
            self.telemetry.profile.name
        );
        self.findings.expect(role, format!("spec.indicator.{kind}"), Rule::UnsupportedIndicator, message)
    }

    /// Events with an outcome, of these names or of all.
    fn outcomes(&mut self, role: &Outcomes, kind: &str, what: &str, names: &[String]) -> Option<Measure> {
        let measure = self.telemetry.series().outcomes(role, names);
        self.role(measure, kind, what)
    }

    /// Observations of the agent's histogram that are good up to a bound.
    fn at_most(&self, metric: &Metric, bound: Decimal, form: HistogramType) -> Measure {
        let histogram = self.telemetry.select(metric);
        Measure::Distribution { histogram, form, bound, good: GoodSide::AtMost }
    }

    /// A latency threshold, in seconds.
    fn threshold(&mut self, text: &str, path: &str) -> Option<Decimal> {
        let duration = parse_duration(text);
        let duration =
            self.findings.expect(duration, path, Rule::InvalidThreshold, messages::DURATION_FORMAT)?;
        let in_range = duration <= Duration::from_hours(24);
        self.findings.require(in_range, path, Rule::InvalidThreshold, messages::THRESHOLD_RANGE);
        Some(seconds(duration))
    }

    fn maximum(&mut self, spec: &api::MaxIndicator, path: &str) -> Option<Decimal> {
        let in_range = (1..=1_000_000_000).contains(&spec.max);
        let message = "must be between 1 and 1000000000";
        self.findings.require(in_range, path, Rule::InvalidThreshold, message);
        in_range.then(|| Decimal::from_integer(spec.max))
    }

    fn require_disjoint(&mut self, good: &[String], excluded: &[String], path: &str) {
        for outcome in excluded.iter().filter(|outcome| good.contains(outcome)) {
            let message =
                format!("'{outcome}' is good already; an outcome may not be both good and excluded");
            self.findings.add(path, Rule::Contradiction, message);
        }
    }
}

fn or_default(written: &[String], default: &[String]) -> Vec<String> {
    if written.is_empty() { default.to_vec() } else { written.to_vec() }
}

fn seconds(duration: Duration) -> Decimal {
    let milliseconds =
        i64::try_from(duration.as_millis()).expect("thresholds should fit, their text is short");
    Decimal::from_ratio(milliseconds, 1000)
}
