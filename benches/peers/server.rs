//! The Prometheus that evaluates: what it says about a query and about itself.

use std::error::Error;

use bed::Bed;
use prometheus_http_query::Client;

use crate::fleet::NOW;

/// Enough of them for hundredths of a second to tell.
const QUESTIONS: u32 = 300;

/// A Prometheus.
pub(crate) struct Server {
    client: Client,
    http: reqwest::Client,
    metrics: String,
}

/// One evaluation of an expression.
pub(crate) struct Evaluation {
    /// Samples that it read.
    pub samples: i64,
    /// Most samples that it held at a time.
    pub peak: i64,
    /// Time that it took, by the clock.
    pub seconds: f64,
    /// The values of its result.
    pub results: Vec<f64>,
}

impl Server {
    /// The bed's.
    pub(crate) fn of(bed: &Bed) -> Result<Self, Box<dyn Error>> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = bed.prometheus_url();
        let client = Client::from(http.clone(), &url)?;
        Ok(Self { client, http, metrics: format!("{url}/metrics") })
    }

    /// Evaluates an expression once.
    pub(crate) async fn evaluate(&self, expr: &str) -> Result<Evaluation, Box<dyn Error>> {
        let answer = self.client.query(expr).at(NOW).stats().post().await?;
        let (data, stats) = answer.into_inner();
        let stats = stats.ok_or("Prometheus sent no statistics")?;
        let vector = data.into_vector().map_err(|_| "it is no instant vector")?;
        Ok(Evaluation {
            samples: stats.samples().total_queryable_samples(),
            peak: stats.samples().peak_samples(),
            seconds: stats.timings().eval_total_time(),
            results: vector.iter().map(|series| series.sample().value()).collect(),
        })
    }

    /// CPU time of a question whose evaluation is nothing.
    pub(crate) async fn cost_of_asking(&self) -> Result<f64, Box<dyn Error>> {
        let begin = self.cpu_seconds().await?;
        for _ in 0..QUESTIONS {
            self.evaluate("vector(1)").await?;
        }
        Ok((self.cpu_seconds().await? - begin) / f64::from(QUESTIONS))
    }

    /// CPU time that it has used since its start. Unlike time by the clock it does not depend on
    /// what else the machine does.
    pub(crate) async fn cpu_seconds(&self) -> Result<f64, Box<dyn Error>> {
        let page = self.http.get(&self.metrics).send().await?.error_for_status()?.text().await?;
        let value = page.lines().find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
        Ok(value.ok_or("Prometheus does not tell its CPU time")?.trim().parse()?)
    }
}
