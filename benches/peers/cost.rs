//! What Prometheus does for the rules of one contender.

use std::error::Error;

use crate::contenders::{Contender, Meaning};
use crate::fleet::{NOW, as_float};
use crate::server::Server;

/// A round evaluates what is due in so many seconds, in which each interval here fits whole times, ...
const SLICE: i64 = 300;
/// ... and again until it took so many seconds, since CPU time is counted in hundredths.
const LEAST: f64 = 0.5;
const SLICES_AN_HOUR: f64 = 12.0;

/// Windows from here on have enough failures for `rate` to be near the truth. Below, what extrapolates
/// may be anything.
const STEADY: i64 = 86_400;
/// Largest relative error of a recorded value: the edges of 30 days, and what `rate` makes of a day.
const EXACT: f64 = 0.001;
const EXTRAPOLATED: f64 = 0.05;

/// The cost of a contender.
pub(crate) struct Cost {
    /// What the table calls it.
    pub name: &'static str,
    /// Rule by rule.
    pub rules: Vec<RuleCost>,
    /// Seconds of CPU time an hour, for each round: all that the server did, such as collecting
    /// garbage, except for taking questions and sending answers, which rules do not need.
    pub cpu: Vec<f64>,
}

/// The cost of one rule.
pub(crate) struct RuleCost {
    /// Name of the recording or the alert.
    pub name: String,
    expr: String,
    is_alert: bool,
    /// Evaluations in a slice.
    evaluations: i64,
    /// Samples that one evaluation reads.
    pub samples: i64,
    /// Most samples that it holds at a time.
    pub peak: i64,
    /// What it yields.
    pub results: Vec<f64>,
    /// Seconds of one evaluation, for each round.
    pub seconds: Vec<f64>,
    /// Seconds of each evaluation of this round.
    times: Vec<f64>,
}

impl Cost {
    /// Nothing measured yet.
    pub(crate) fn of(contender: &Contender) -> Self {
        let rules = contender.rules.iter().map(|(interval, rule)| RuleCost {
            name: rule.record.clone().or_else(|| rule.alert.clone()).unwrap_or_default(),
            expr: rule.expr.clone(),
            is_alert: rule.alert.is_some(),
            evaluations: SLICE / interval,
            samples: 0,
            peak: 0,
            results: Vec::new(),
            seconds: Vec::new(),
            times: Vec::new(),
        });
        Self { name: contender.name, rules: rules.collect(), cpu: Vec::new() }
    }

    /// Evaluates the rules as often as an hour would, in proportion.
    pub(crate) async fn add_round(&mut self, server: &Server) -> Result<(), Box<dyn Error>> {
        let asking = server.cost_of_asking().await?;
        let begin = server.cpu_seconds().await?;
        let (mut slices, mut asked, mut waited) = (0, 0, 0.0);
        while waited < LEAST {
            for rule in &mut self.rules {
                waited += rule.evaluate(server).await.map_err(|error| format!("{}: {error}", rule.name))?;
                asked += rule.evaluations;
            }
            slices += 1;
        }
        let spent = server.cpu_seconds().await? - begin - asking * as_float(asked);
        self.rules.iter_mut().for_each(RuleCost::end_round);
        self.cpu.push(spent / as_float(slices) * SLICES_AN_HOUR);
        Ok(())
    }

    /// Whether the rules found what they should: a rule that reads nothing is cheap.
    pub(crate) fn check(&self, contender: &Contender) -> Result<(), Box<dyn Error>> {
        for rule in &self.rules {
            rule.check(contender).map_err(|fault| format!("{}: {} {fault}", self.name, rule.name))?;
        }
        Ok(())
    }

    /// Samples that are read in an hour.
    pub(crate) fn samples(&self) -> i64 {
        self.rules.iter().map(|rule| rule.samples * rule.an_hour()).sum()
    }

    /// Series that are recorded.
    pub(crate) fn series(&self) -> usize {
        self.rules.iter().filter(|rule| !rule.is_alert).map(|rule| rule.results.len()).sum()
    }

    /// Most samples that one evaluation holds at a time.
    pub(crate) fn peak(&self) -> i64 {
        self.rules.iter().map(|rule| rule.peak).max().unwrap_or_default()
    }

    /// Seconds of evaluation an hour, for each round.
    pub(crate) fn seconds(&self) -> Vec<f64> {
        let rounds = self.rules.iter().map(|rule| rule.seconds.len()).min().unwrap_or_default();
        let hour = |rule: &RuleCost, round: usize| rule.seconds[round] * as_float(rule.an_hour());
        (0..rounds).map(|round| self.rules.iter().map(|rule| hour(rule, round)).sum()).collect()
    }
}

impl RuleCost {
    /// Evaluations an hour.
    pub(crate) fn an_hour(&self) -> i64 {
        self.evaluations * 3600 / SLICE
    }

    /// As often as is due in a slice; returns the seconds that it took.
    async fn evaluate(&mut self, server: &Server) -> Result<f64, Box<dyn Error>> {
        let mut sum = 0.0;
        for _ in 0..self.evaluations {
            let evaluation = server.evaluate(&self.expr).await?;
            sum += evaluation.seconds;
            self.times.push(evaluation.seconds);
            (self.samples, self.peak, self.results) =
                (evaluation.samples, evaluation.peak, evaluation.results);
        }
        Ok(sum)
    }

    fn end_round(&mut self) {
        self.seconds.push(median(&self.times));
        self.times.clear();
    }

    fn check(&self, contender: &Contender) -> Result<(), String> {
        if self.is_alert {
            return if self.results.is_empty() { Ok(()) } else { Err("fires".to_owned()) };
        }
        if self.results.is_empty() {
            return Err("yields nothing".to_owned());
        }
        let Some(meaning) = Meaning::of(&self.name) else { return Ok(()) };
        let is_short = meaning.window().is_some_and(|window| window < STEADY);
        if is_short && !contender.is_exact {
            return Ok(());
        }
        let tolerance = if contender.is_exact { EXACT } else { EXTRAPOLATED };
        let (is, should) = (self.results.iter().sum::<f64>(), meaning.at(&contender.fleet, NOW));
        if (is - should).abs() <= tolerance * should.abs() {
            Ok(())
        } else {
            Err(format!("is {is} and should be {should}"))
        }
    }
}

/// The middle one; of an even number, the upper of two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
