//! Variables of a dashboard and their values, put into queries as Grafana does.

use std::collections::BTreeMap;

use super::time::Span;
use crate::foreign::dashboard::Variable;

/// Values by the names of their variables.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

/// What must be asked for the value of a variable: a query, of which the first value of a label counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listing {
    /// Selects the series.
    pub query: String,
    /// Whose value counts.
    pub label: String,
}

impl Variables {
    /// Those that were given.
    #[must_use]
    pub fn given(values: &[(String, String)]) -> Self {
        Self(values.iter().cloned().collect())
    }

    /// Gives a variable a value, unless it has one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }

    /// What to ask for the value of a variable; where nothing need be asked, it has one now.
    pub fn settle(&mut self, variable: &Variable) -> Option<Listing> {
        if self.0.contains_key(&variable.name) {
            return None;
        }
        if let Some(all) = &variable.all_value {
            self.set(&variable.name, all);
            return None;
        }
        if variable.kind == "query" {
            let inside =
                variable.query["query"].as_str()?.strip_prefix("label_values(")?.strip_suffix(')')?;
            let (selector, label) = inside.rsplit_once(", ")?;
            let query = format!("group by ({label}) (last_over_time({}[1h]))", self.fill(selector));
            return Some(Listing { query, label: label.to_owned() });
        }
        if let Some(chosen) = variable.current["value"].as_str() {
            self.set(&variable.name, chosen);
        }
        None
    }

    /// The same and those that Grafana makes for a panel.
    #[must_use]
    pub fn of_panel(&self, span: Span, step: u32) -> Self {
        let mut all = self.clone();
        all.set("__rate_interval", &format!("{}s", Span::rate_interval(step)));
        all.set("__interval", &format!("{step}s"));
        all.set("__range", &format!("{}s", span.seconds));
        all
    }

    /// A text with the values of its variables. Longest names first, since one may begin another.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        let mut names: Vec<&String> = self.0.keys().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.into_iter().fold(text.to_owned(), |text, name| {
            let value = &self.0[name];
            text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
        })
    }
}
