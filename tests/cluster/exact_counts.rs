//! Counts are exact where `increase` is not: what the rendered rule makes of the lives that counters lead,
//! as promtool counts it.

use agentslo::domain::slo::Slo;
use agentslo::simulate::proof;
use serde_json::{Value, json};

use crate::promtool::{Trial, failures, yaml};
use crate::proofs;

/// One life of counters.
struct Life {
    name: &'static str,
    /// Seconds between scrapes.
    interval: u32,
    /// Values of the counters of several processes, in promtool's notation.
    processes: &'static [&'static str],
    minutes: u32,
    /// Events that there were.
    truth: f64,
    /// Events that the rule counts.
    counted: f64,
    /// How far off it may be.
    within: f64,
}

/// An old, idle series: with it there is history, and nothing to count.
const IDLE: &str = "1000+0x2600";

const EXACTLY: f64 = 1e-6;

const LIVES: [Life; 19] = [
    Life {
        name: "four label sets, each born at 1 and never moving",
        interval: 30,
        processes: &[IDLE, "_x120 1+0x300", "_x124 1+0x300", "_x141 1+0x300", "_x162 1+0x300"],
        minutes: 120,
        truth: 4.0,
        counted: 4.0,
        within: EXACTLY,
    },
    Life {
        name: "a pod born at 0 grows to 3",
        interval: 30,
        processes: &[IDLE, "_x121 0+0x2 1 2+0x7 3+0x300"],
        minutes: 120,
        truth: 3.0,
        counted: 3.0,
        within: EXACTLY,
    },
    Life {
        name: "a pod born at 2",
        interval: 30,
        processes: &[IDLE, "_x121 2+0x300"],
        minutes: 120,
        truth: 2.0,
        counted: 2.0,
        within: EXACTLY,
    },
    Life {
        name: "six short-lived processes, one scrape each",
        interval: 30,
        processes: &[
            IDLE,
            "_x101 1 stale",
            "_x113 1 stale",
            "_x126 1 stale",
            "_x150 1 stale",
            "_x151 1 stale",
            "_x180 1 stale",
        ],
        minutes: 120,
        truth: 6.0,
        counted: 6.0,
        within: EXACTLY,
    },
    Life {
        name: "one step a minute for two hours",
        interval: 30,
        processes: &["0+0x60 @0 120+0x60"],
        minutes: 180,
        truth: 120.0,
        counted: 120.0,
        within: EXACTLY,
    },
    Life {
        name: "one step a minute for two hours, the other phase",
        interval: 30,
        processes: &["0+0x61 @0 120+0x60"],
        minutes: 180,
        truth: 120.0,
        counted: 120.0,
        within: EXACTLY,
    },
    Life {
        name: "one step a minute, a scrape a minute",
        interval: 60,
        processes: &["0+0x30 1+1x119 120+0x60"],
        minutes: 190,
        truth: 120.0,
        counted: 120.0,
        within: EXACTLY,
    },
    Life {
        name: "a restart under the same labels, then three more",
        interval: 30,
        processes: &["100+0x120 101 102+0x19 0 1+0x30 2+0x30 3+0x120"],
        minutes: 160,
        truth: 5.0,
        counted: 5.4,
        within: 0.3,
    },
    Life {
        name: "resets that pass the old value within five minutes",
        interval: 30,
        // Three lives of six minutes with four events each, after one with three.
        processes: &[IDLE, "_x120 3+0x9 1 2 3 3 4 4 4+0x5 1 2 3 3 4 4 4+0x5 1 2 3 3 4 4 4+0x60"],
        minutes: 120,
        truth: 15.0,
        counted: 15.2,
        within: 0.3,
    },
    Life {
        name: "a crash every three minutes, each after two events",
        interval: 30,
        processes: &[IDLE, "_x120 @crash"],
        minutes: 120,
        // What a life is born with is lost where the one before it was seen at the start of the window.
        truth: 40.0,
        counted: 30.7,
        within: 0.3,
    },
    Life {
        name: "a counter at 50,000 gone for twelve hours, back at 50,010",
        interval: 60,
        processes: &[IDLE, "50000+0x480 stale _x719 50010+0x60"],
        minutes: 1250,
        // Ten were not seen by anybody.
        truth: 0.0,
        counted: 0.0,
        within: EXACTLY,
    },
    Life {
        name: "the same when it had lived only an hour before",
        interval: 60,
        processes: &[IDLE, "50000+0x60 stale _x719 50010+0x60"],
        minutes: 830,
        truth: 0.0,
        counted: 0.0,
        within: EXACTLY,
    },
    Life {
        name: "first deployment beside old counters",
        interval: 30,
        processes: &["10500+0x240", "10500+0x240", "_x5 10500+0x240"],
        minutes: 100,
        truth: 0.0,
        counted: 0.0,
        within: EXACTLY,
    },
    Life {
        name: "hourly jobs only, no other series",
        interval: 30,
        processes: &[
            "_x60 1+0x4 stale",
            "_x180 1+0x4 stale",
            "_x300 1+0x4 stale",
            "_x420 1+0x4 stale",
            "_x540 1+0x4 stale",
            "_x660 1+0x4 stale",
            "_x780 1+0x4 stale",
            "_x900 1+0x4 stale",
        ],
        minutes: 480,
        truth: 8.0,
        // The first comes before there is any history.
        counted: 7.0,
        within: EXACTLY,
    },
    Life {
        name: "a relabelled series of 250,000",
        interval: 30,
        processes: &["250000+0x120 stale", "_x121 250000+0x120"],
        minutes: 110,
        truth: 0.0,
        counted: 0.0,
        within: EXACTLY,
    },
    Life {
        name: "a relabelled series of 75",
        interval: 30,
        processes: &["75+0x120 stale", "_x121 75+0x120"],
        minutes: 110,
        truth: 0.0,
        counted: 0.0,
        within: EXACTLY,
    },
    Life {
        name: "a relabelled series of 75 beside 6,000 counted runs",
        interval: 30,
        processes: &["0+100x60 6000+0x120", "75+0x150 stale", "_x151 75+0x120"],
        minutes: 110,
        // What remains: a series as small as this, against the history, passes for a new one.
        truth: 6000.0,
        counted: 6075.0,
        within: EXACTLY,
    },
    Life {
        name: "a relabelled series of 15",
        interval: 30,
        processes: &["15+0x120 stale", "_x121 15+0x120"],
        minutes: 110,
        truth: 0.0,
        counted: 15.0,
        within: EXACTLY,
    },
    Life {
        name: "Prometheus down for thirty minutes",
        interval: 30,
        processes: &[
            "0+0x59 1+0x19 2+0x19 3+0x19 4+0x19 5+0x19 6+0x19 7+0x9 _x60 10+0x9 11+0x19 12+0x19 13+0x19 14+0x19 15+0x19 16+0x19 17+0x19 18+0x40",
        ],
        minutes: 230,
        // Three of them were unseen.
        truth: 18.0,
        counted: 15.0,
        within: EXACTLY,
    },
];

#[test]
fn what_is_counted_is_near_the_truth() {
    // Where the two differ the table says why, and it is never by more than a small series.
    let far: Vec<&str> =
        LIVES.iter().filter(|life| (life.counted - life.truth).abs() > 75.0).map(|life| life.name).collect();
    assert_eq!(far, Vec::<&str>::new());
}

#[test]
fn counters_are_counted_as_the_table_says() {
    let slo = proofs::success();
    let failures = failures(LIVES.iter().map(|life| counting(&slo, life)).collect());
    let complaints: Vec<String> = failures.iter().map(|(name, said)| format!("{name}:\n{said}")).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A new process may bring more in an hour than in five minutes: the bound of a birth grows with the window.
#[test]
fn a_mean_over_an_hour_counts_what_a_busy_new_process_brings() {
    let slo = proofs::named("cost-hourly-mean");
    let of = |metric: &str, pod: u8, values: &str| {
        let labels = format!("agent_name=\"support-agent\",namespace=\"support\",pod=\"{pod}\"");
        json!({"series": format!("{metric}{{{labels}}}"), "values": values})
    };
    let input = vec![
        of("agent_queries_total", 0, "100+1x300"),
        of("agent_cost_usd_total", 0, "5+0.05x300"),
        // A hundred runs before its first scrape, at 18 cents each, beside sixty an hour at five cents.
        of("agent_queries_total", 1, "_x120 100+0x180"),
        of("agent_cost_usd_total", 1, "_x120 18+0x180"),
    ];
    let one_hour_is_bad = Count { series: "bad", minutes: 210, counted: 1.0, within: EXACTLY };
    let failures = failures(vec![trial(&slo, "busy-new-process", 60, &input, &[one_hour_is_bad])]);
    assert!(failures.is_empty(), "{failures:#?}");
}

/// What a recorded series should sum up to.
pub(crate) struct Count {
    /// `total` or `bad`.
    pub(crate) series: &'static str,
    pub(crate) minutes: u32,
    pub(crate) counted: f64,
    pub(crate) within: f64,
}

fn counting(slo: &Slo, life: &Life) -> Trial {
    let input: Vec<Value> = life.processes.iter().enumerate().map(series).collect();
    let Life { minutes, counted, within, .. } = *life;
    trial(slo, life.name, life.interval, &input, &[Count { series: "total", minutes, counted, within }])
}

/// That raw series, scraped every so many seconds, are counted so.
pub(crate) fn trial(slo: &Slo, name: &str, interval: u32, input: &[Value], counts: &[Count]) -> Trial {
    let rules = proof(slo, &[]).expect("the example should be provable").rules;
    let own = format!("{{namespace=\"{}\",agentslo=\"{}\"}}", slo.namespace(), slo.name());
    let expectations = counts.iter().flat_map(|count| {
        let Count { series, minutes, counted, within } = *count;
        let sum = format!("sum(sum_over_time(agentslo:{series}:increase5m{own}[{minutes}m:5m]))");
        [
            json!({
                "expr": format!("abs({sum} - {counted}) < bool {within}"),
                "eval_time": format!("{minutes}m"),
                "exp_samples": [{"labels": "{}", "value": 1}],
            }),
            json!({
                // Says the number where it is another.
                "expr": format!("{sum} unless abs({sum} - {counted}) < {within}"),
                "eval_time": format!("{minutes}m"),
                "exp_samples": [],
            }),
        ]
    });
    let test = json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "group_eval_order": rules.groups.iter().map(|group| &group.name).collect::<Vec<_>>(),
        "tests": [{
            "name": name,
            "interval": format!("{interval}s"),
            "input_series": input,
            "promql_expr_test": expectations.collect::<Vec<_>>(),
        }],
    });
    Trial { name: name.to_owned(), rules, test: yaml(&test) }
}

fn series((number, values): (usize, &&str)) -> Value {
    let labels =
        format!("agent_name=\"support-agent\",namespace=\"support\",status=\"success\",pod=\"{number}\"");
    json!({"series": format!("agent_queries_total{{{labels}}}"), "values": with_steps(values)})
}

/// `@0` stands for a counter that counts from there to 120, a step in every second scrape; `@crash` for
/// twenty lives with two events each, under the same labels.
fn with_steps(values: &str) -> String {
    let steps: Vec<String> = (1..=120).map(|value| format!("{value}+0x1")).collect();
    let crashes = ["1 1 2 2 stale _"; 20].join(" ");
    values.replace("@0", &steps.join(" ")).replace("@crash", &crashes)
}
