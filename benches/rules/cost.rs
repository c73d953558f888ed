//! What Prometheus does for the rules of one contender.

use std::error::Error;
use std::time::{Duration, Instant};

use prometheus_http_query::Client;

use crate::contenders::{Contender, Meaning};
use crate::fleet::{NOW, as_float};

/// In a round, each rule is asked for until one of these is reached; short ones need the repetition.
const ASKS: usize = 15;
const TIME: Duration = Duration::from_millis(60);

/// Windows from here on are long enough for `rate` to be near the truth.
const STEADY: i64 = 3600;

/// The cost of a contender.
pub struct Cost {
    /// What the table calls it.
    pub name: &'static str,
    /// Rule by rule.
    pub rules: Vec<RuleCost>,
}

/// The cost of one rule.
pub struct RuleCost {
    /// Name of the recording or the alert.
    pub name: String,
    expr: String,
    is_alert: bool,
    /// Evaluations an hour.
    pub evaluations: i64,
    /// Samples that one evaluation reads.
    pub samples: i64,
    /// Most samples that it holds at a time.
    pub peak: i64,
    /// What it yields.
    pub results: Vec<f64>,
    /// Seconds of one evaluation, for each round.
    pub seconds: Vec<f64>,
}

/// One evaluation.
struct Evaluation {
    samples: i64,
    peak: i64,
    seconds: f64,
    results: Vec<f64>,
}

impl Cost {
    /// Nothing measured yet.
    pub fn of(contender: &Contender) -> Self {
        let rules = contender.rules.iter().map(|(interval, rule)| RuleCost {
            name: rule.record.clone().or_else(|| rule.alert.clone()).unwrap_or_default(),
            expr: rule.expr.clone(),
            is_alert: rule.alert.is_some(),
            evaluations: 3600 / interval,
            samples: 0,
            peak: 0,
            results: Vec::new(),
            seconds: Vec::new(),
        });
        Self { name: contender.name, rules: rules.collect() }
    }

    /// Evaluates each rule, several times where that is quick.
    pub async fn add_round(&mut self, prometheus: &Client) -> Result<(), Box<dyn Error>> {
        for rule in &mut self.rules {
            rule.add_round(prometheus).await?;
        }
        Ok(())
    }

    /// Whether the rules found what they should: a rule that reads nothing is cheap.
    pub fn check(&self, contender: &Contender) -> Result<(), Box<dyn Error>> {
        for rule in &self.rules {
            rule.check(contender).map_err(|fault| format!("{}: {} {fault}", self.name, rule.name))?;
        }
        Ok(())
    }

    /// Samples that are read in an hour.
    pub fn samples(&self) -> i64 {
        self.rules.iter().map(|rule| rule.samples * rule.evaluations).sum()
    }

    /// Series that are recorded.
    pub fn series(&self) -> usize {
        self.rules.iter().filter(|rule| !rule.is_alert).map(|rule| rule.results.len()).sum()
    }

    /// Most samples that one evaluation holds at a time.
    pub fn peak(&self) -> i64 {
        self.rules.iter().map(|rule| rule.peak).max().unwrap_or_default()
    }

    /// Seconds of evaluation an hour, for each round.
    pub fn seconds(&self) -> Vec<f64> {
        let rounds = self.rules.iter().map(|rule| rule.seconds.len()).min().unwrap_or_default();
        let hour = |rule: &RuleCost, round: usize| rule.seconds[round] * as_float(rule.evaluations);
        (0..rounds).map(|round| self.rules.iter().map(|rule| hour(rule, round)).sum()).collect()
    }
}

impl RuleCost {
    async fn add_round(&mut self, prometheus: &Client) -> Result<(), Box<dyn Error>> {
        let begin = Instant::now();
        let mut times = Vec::new();
        while times.is_empty() || (times.len() < ASKS && begin.elapsed() < TIME) {
            let evaluation = evaluate(prometheus, &self.expr).await.map_err(|error| format!("{}: {error}", self.name))?;
            times.push(evaluation.seconds);
            (self.samples, self.peak, self.results) = (evaluation.samples, evaluation.peak, evaluation.results);
        }
        self.seconds.push(median(&times));
        Ok(())
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
        let tolerance = if is_short { contender.tolerance * 10.0 } else { contender.tolerance };
        let (is, should) = (self.results.iter().sum::<f64>(), meaning.at(&contender.fleet, NOW));
        if (is - should).abs() <= tolerance * should.abs() { Ok(()) } else { Err(format!("is {is} and should be {should}")) }
    }
}

async fn evaluate(prometheus: &Client, expr: &str) -> Result<Evaluation, Box<dyn Error>> {
    let answer = prometheus.query(expr).at(NOW).stats().post().await?;
    let (data, stats) = answer.into_inner();
    let stats = stats.ok_or("Prometheus sent no statistics")?;
    let samples = stats.samples();
    let results = match data.into_vector() {
        Ok(vector) => vector.iter().map(|series| series.sample().value()).collect(),
        Err(_) => return Err("it is no instant vector".into()),
    };
    Ok(Evaluation {
        samples: samples.total_queryable_samples(),
        peak: samples.peak_samples(),
        seconds: stats.timings().eval_total_time(),
        results,
    })
}

/// The middle one; of an even number, the upper of two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
