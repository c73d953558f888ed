//! A source may change how it stores a histogram while it is counted. `type: Auto` reads whichever form a
//! series has, so that nothing is lost and nothing is counted twice, as promtool counts it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::exact_counts::{Count, trial};
use crate::promtool::failures;
use crate::proofs;

/// How a histogram is stored.
#[derive(Clone, Copy)]
enum Shape {
    /// Classic, with this spelling of the bound.
    Classic(&'static str),
    /// Native with the classic bounds, as Prometheus converts it.
    Custom,
    /// Native with exponential buckets: the fast in one that ends at 32 s, the slow in one that begins
    /// at 64 s, so that none is near the bound.
    Exponential,
}

use Shape::{Classic, Custom, Exponential};

/// One process of the agent. Each half minute of the busy half hour brings it three fast runs and a slow
/// one, as long as it lives.
struct Process {
    pod: &'static str,
    /// Fast and slow runs that it had counted when it was first scraped.
    before: (u32, u32),
    /// Scrapes in which it is there.
    life: RangeInclusive<u32>,
    /// Scrapes in which it has which shape.
    shapes: &'static [(RangeInclusive<u32>, Shape)],
}

/// A change of form, with what the rules count. There are 240 runs, 60 of them slow, or twice as many.
struct Change {
    name: &'static str,
    processes: &'static [Process],
    total: f64,
    bad: f64,
}

/// Scrapes that bring runs.
const BUSY: RangeInclusive<u32> = 20..=79;
const LAST: u32 = 119;
const EXACTLY: f64 = 1e-6;

const CHANGES: [Change; 9] = [
    Change {
        name: "Prometheus begins to convert",
        processes: &[Process {
            pod: "a",
            before: (900, 50),
            life: 0..=LAST,
            shapes: &[(0..=45, Classic("60.0")), (46..=LAST, Custom)],
        }],
        total: 240.0,
        bad: 60.0,
    },
    Change {
        name: "Prometheus converts no longer",
        processes: &[Process {
            pod: "a",
            before: (900, 50),
            life: 0..=LAST,
            shapes: &[(0..=45, Custom), (46..=LAST, Classic("60.0"))],
        }],
        total: 240.0,
        bad: 60.0,
    },
    Change {
        name: "Prometheus begins to scrape the native form",
        processes: &[Process {
            pod: "a",
            before: (900, 50),
            life: 0..=LAST,
            shapes: &[(0..=45, Classic("60.0")), (46..=LAST, Exponential)],
        }],
        total: 240.0,
        bad: 60.0,
    },
    Change {
        name: "a small agent is converted",
        processes: &[Process {
            pod: "a",
            before: (12, 3),
            life: 0..=LAST,
            shapes: &[(0..=45, Classic("60.0")), (46..=LAST, Custom)],
        }],
        total: 240.0,
        bad: 60.0,
    },
    Change {
        name: "the native form joins the classic one",
        processes: &[Process {
            pod: "a",
            before: (900, 50),
            life: 0..=LAST,
            shapes: &[(0..=LAST, Classic("60.0")), (46..=LAST, Custom)],
        }],
        total: 240.0,
        bad: 60.0,
    },
    Change {
        name: "one process of two is converted",
        processes: &[
            Process { pod: "a", before: (900, 50), life: 0..=LAST, shapes: &[(0..=LAST, Classic("60.0"))] },
            Process {
                pod: "b",
                before: (900, 50),
                life: 0..=LAST,
                shapes: &[(0..=45, Classic("60.0")), (46..=LAST, Custom)],
            },
        ],
        total: 480.0,
        bad: 120.0,
    },
    Change {
        name: "a new version of the agent has the native form",
        processes: &[
            Process { pod: "a", before: (900, 50), life: 0..=49, shapes: &[(0..=49, Classic("60.0"))] },
            Process { pod: "b", before: (0, 0), life: 50..=LAST, shapes: &[(50..=LAST, Exponential)] },
        ],
        total: 240.0,
        bad: 60.0,
    },
    Change {
        name: "it restarts under the same labels with the native form",
        processes: &[
            Process { pod: "a", before: (900, 50), life: 0..=45, shapes: &[(0..=45, Classic("60.0"))] },
            Process { pod: "a", before: (0, 0), life: 46..=LAST, shapes: &[(46..=LAST, Exponential)] },
        ],
        // What remains: of the five minutes around it only what the new form saw is counted, 214 of 240.
        total: 214.0,
        bad: 53.5,
    },
    Change {
        name: "Prometheus 3 spells the bound anew",
        processes: &[Process {
            pod: "a",
            before: (900, 50),
            life: 0..=LAST,
            shapes: &[(0..=45, Classic("60")), (46..=LAST, Classic("60.0"))],
        }],
        total: 240.0,
        bad: 60.0,
    },
];

#[test]
fn a_change_of_form_is_counted_as_the_table_says() {
    let slo = proofs::named("latency");
    let trials = CHANGES.iter().map(|change| {
        let series: Vec<Value> = change.processes.iter().flat_map(Process::series).collect();
        let minutes = LAST.div_ceil(2);
        let count = |series, counted| Count { series, minutes, counted, within: EXACTLY };
        trial(&slo, change.name, 30, &series, &[count("total", change.total), count("bad", change.bad)])
    });
    let failures = failures(trials.collect());
    let complaints: Vec<String> = failures.iter().map(|(name, said)| format!("{name}:\n{said}")).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

impl Process {
    fn series(&self) -> impl Iterator<Item = Value> {
        let mut series = BTreeMap::<String, Vec<Option<String>>>::new();
        for scrape in self.life.clone() {
            for (_, shape) in self.shapes.iter().filter(|(scrapes, _)| scrapes.contains(&scrape)) {
                for (name, value) in self.scraped(scrape, *shape) {
                    let values = series.entry(name).or_insert_with(|| vec![None; LAST as usize + 1]);
                    values[scrape as usize] = Some(value);
                }
            }
        }
        series.into_iter().map(|(name, values)| json!({"series": name, "values": notation(&values)}))
    }

    /// Series and their values.
    fn scraped(&self, scrape: u32, shape: Shape) -> Vec<(String, String)> {
        let busy = (*self.life.start()..=scrape).filter(|scrape| BUSY.contains(scrape)).count();
        let busy = u32::try_from(busy).expect("an hour has few scrapes");
        let (fast, slow) = (self.before.0 + 3 * busy, self.before.1 + busy);
        let count = fast + slow;
        let name = |suffix: &str, le: &str| {
            let labels =
                format!("agent_name=\"support-agent\",namespace=\"support\",pod=\"{}\"{le}", self.pod);
            format!("agent_query_duration_seconds{suffix}{{{labels}}}")
        };
        match shape {
            Classic(bound) => vec![
                (name("_count", ""), count.to_string()),
                (name("_bucket", ",le=\"+Inf\""), count.to_string()),
                (name("_bucket", &format!(",le=\"{bound}\"")), fast.to_string()),
            ],
            Custom => {
                let buckets = format!("custom_values:[60] buckets:[{fast} {slow}]");
                vec![(name("", ""), format!("{{{{schema:-53 sum:{count} count:{count} {buckets}}}}}"))]
            }
            Exponential => {
                let buckets = format!("offset:5 buckets:[{fast} 0 {slow}]");
                vec![(name("", ""), format!("{{{{schema:0 sum:{count} count:{count} {buckets}}}}}"))]
            }
        }
    }
}

/// As promtool reads it; a series that ends is marked as stale.
fn notation(values: &[Option<String>]) -> String {
    let before = std::iter::once(&None).chain(values);
    let texts = before.zip(values).map(|(before, value)| match (before, value) {
        (_, Some(value)) => value,
        (Some(_), None) => "stale",
        (None, None) => "_",
    });
    texts.collect::<Vec<_>>().join(" ")
}
