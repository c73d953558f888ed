//! The past that Prometheus is given: the raw series, and every series that a rule has recorded and that
//! a rule reads, at its own interval and with the values that it would have.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::contenders::{Contender, Meaning};
use crate::fleet::{Counter, Fleet, HISTORY, METRIC, NOW, SCRAPE, first_scrape};

/// Labels of a series.
pub(crate) type Labels = BTreeMap<String, String>;

/// How much there is of a series of which rules read only the newest samples.
const RECENT: i64 = 3600;
/// Windows up to this one are recorded to be summed over the window of the objective.
const TILE: i64 = 300;

/// Series by their name and labels, as they are written: the same one of two contenders is there once.
pub(crate) struct History(BTreeMap<String, Content>);

enum Content {
    Raw(Counter),
    Recorded { meaning: Meaning, fleet: Fleet, every: i64, length: i64 },
}

impl History {
    /// All that the contenders' rules read.
    pub(crate) fn of<'a>(contenders: impl Iterator<Item = &'a Contender>) -> Self {
        let mut series = BTreeMap::new();
        for contender in contenders {
            for counter in &contender.fleet.counters {
                series.insert(identity(METRIC, &counter.labels), Content::Raw(counter.clone()));
            }
            for (every, rule) in &contender.rules {
                let Some(name) = &rule.record else { continue };
                let Some(meaning) = Meaning::of(name) else { continue };
                let length = if meaning.window() == Some(TILE) { HISTORY } else { RECENT };
                for (status, fleet) in meaning.parts(&contender.fleet) {
                    let mut labels = rule.labels.clone();
                    labels.extend(status.map(|status| ("status".to_owned(), status)));
                    let content = Content::Recorded { meaning, fleet, every: *every, length };
                    series.insert(identity(name, &labels), content);
                }
            }
        }
        Self(series)
    }

    /// Writes it as `OpenMetrics`, one series after the other.
    pub(crate) fn write(&self, mut file: impl Write) -> io::Result<()> {
        let mut line = String::new();
        for (identity, content) in &self.0 {
            for time in content.times() {
                line.clear();
                writeln!(line, "{identity} {} {time}", content.value(time)).expect("a String takes all text");
                file.write_all(line.as_bytes())?;
            }
        }
        file.write_all(b"# EOF\n")?;
        file.flush()
    }

    /// What tells it from another history: each series with its times and some of its values.
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::new();
        for (identity, content) in &self.0 {
            let times: Vec<i64> = content.times().collect();
            let (first, last) = (times.first(), times.last());
            let values: Vec<f64> = times.iter().step_by(1009).map(|time| content.value(*time)).collect();
            writeln!(text, "{identity} {first:?} {last:?} {} {values:?}", times.len())
                .expect("a String takes all text");
        }
        text
    }
}

impl Content {
    /// Times of its samples. Groups are evaluated a few seconds beside the scrapes.
    fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let (first, every) = match self {
            Self::Raw(_) => (first_scrape(), SCRAPE),
            Self::Recorded { every, length, .. } => {
                (NOW - every.min(&TILE) / 2 - (length / every) * every, *every)
            }
        };
        (0..).map(move |index| first + index * every).take_while(|time| *time <= NOW)
    }

    fn value(&self, time: i64) -> f64 {
        match self {
            Self::Raw(counter) => crate::fleet::as_float(counter.value(time)),
            Self::Recorded { meaning, fleet, .. } => meaning.at(fleet, time),
        }
    }
}

fn identity(name: &str, labels: &Labels) -> String {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{name}{{{}}}", labels.join(","))
}
