//! What is drawn: panels with the answers to their queries.

use std::collections::BTreeMap;

use crate::foreign::dashboard::{Panel, Target};

/// A panel and the answers to its queries.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The panel.
    pub panel: Panel,
    /// One answer for each query that Prometheus was asked.
    pub answers: Vec<Answer>,
}

/// A moment that is marked on every panel with an axis of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Seconds since the epoch.
    pub at: f64,
    /// Grafana's name of the colour.
    pub color: String,
}

/// A query and what it yielded.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The query.
    pub target: Target,
    /// Its series, sorted by their labels.
    pub series: Vec<Series>,
}

/// A series of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Seconds since the epoch, and the value then.
    pub points: Vec<(f64, f64)>,
}

/// A series with the name that the legend has for it.
pub(super) struct Named<'a> {
    pub(super) name: String,
    pub(super) series: &'a Series,
}

impl Picture {
    /// All series with their names.
    pub(super) fn named(&self) -> Vec<Named<'_>> {
        let of_answer = |answer: &'_ Answer| -> Vec<(String, usize)> {
            let names = answer.series.iter().enumerate();
            names.map(|(index, series)| (legend(&answer.target, series), index)).collect()
        };
        self.answers
            .iter()
            .flat_map(|answer| {
                let names = of_answer(answer).into_iter();
                names.map(|(name, index)| Named { name, series: &answer.series[index] })
            })
            .collect()
    }

    /// What the panel says about a series of this name, by the path of a property.
    pub(super) fn property(&self, name: &str, path: &str) -> Option<&serde_json::Value> {
        let overrides = self.panel.field_config.overrides.iter();
        let mut properties = overrides
            .filter(|own| own.matcher.id == "byName" && own.matcher.options == name)
            .flat_map(|own| &own.properties);
        properties.find(|property| property.id == path).map(|property| &property.value)
    }

    /// What the panel says about all series, by its name in `custom`.
    pub(super) fn custom(&self, name: &str) -> &serde_json::Value {
        &self.panel.field_config.defaults.custom[name]
    }
}

impl Series {
    /// The newest value.
    pub(super) fn last(&self) -> Option<f64> {
        self.points.iter().rev().map(|(_, value)| *value).find(|value| value.is_finite())
    }

    /// Values of its labels but the name of the metric.
    pub(super) fn label_values(&self) -> String {
        let labels = self.labels.iter().filter(|(name, _)| *name != "__name__");
        labels.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// The template with labels filled in, or all labels where there is none.
fn legend(target: &Target, series: &Series) -> String {
    if target.legend_format.is_empty() || target.legend_format == "__auto" {
        return series.label_values();
    }
    let mut parts = target.legend_format.split("{{");
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (label, rest) = part.split_once("}}").unwrap_or((part, ""));
        name.push_str(series.labels.get(label.trim()).map_or("", String::as_str));
        name.push_str(rest);
    }
    name.trim().to_owned()
}
