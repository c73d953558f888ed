//! Every guard fires in the incident that it is for and is silent in all others, as promtool sees it; and a
//! fault in the rules shows.

use std::collections::BTreeMap;
use std::process::Command;

use agentslo::api::v1alpha1::AgentObservability;
use agentslo::domain::observability::Observability;
use agentslo::domain::platform::Platform;
use agentslo::domain::role::Role;
use agentslo::foreign::{PrometheusRuleSpec, Rule};
use agentslo::render::guards;
use agentslo::validate::{self, ObservabilityFacts};
use serde_json::{Value, json};

use crate::promtool::{Trial, failures, yaml};
use crate::scenarios::unpermitted;

/// What happens to an agent, minute by minute.
struct Story {
    name: &'static str,
    /// `spec.guards`.
    guards: &'static str,
    /// Roles of which there are series; empty for all of the profile.
    roles: &'static [Role],
    /// When it begins; empty for the epoch.
    start: &'static str,
    /// Series in promtool's notation, a sample each minute.
    series: &'static [(&'static str, &'static str)],
    /// How often its rules are evaluated.
    evaluation_interval: &'static str,
    /// Alert with further conditions, minute, and how many of it fire then.
    fires: &'static [(&'static str, u32, u32)],
}

/// Most stories begin at the epoch with all series that there can be.
const USUAL: Story =
    Story { name: "", guards: "", roles: &[], start: "", series: &[], evaluation_interval: "1m", fires: &[] };

/// A series of the pods of the agent's ledger.
macro_rules! ledger {
    ($metric:literal) => {
        concat!("agentslo_ledger_", $metric, "{namespace=\"support\",agentslo_pipeline=\"observed\"}")
    };
    ($metric:literal, $labels:literal) => {
        concat!(
            "agentslo_ledger_",
            $metric,
            "{namespace=\"support\",agentslo_pipeline=\"observed\",",
            $labels,
            "}"
        )
    };
}

/// The agent that is watched.
macro_rules! ours {
    ($metric:literal) => {
        concat!($metric, "{agent_name=\"support-agent\",namespace=\"support\"}")
    };
    ($metric:literal, $labels:literal) => {
        concat!($metric, "{agent_name=\"support-agent\",namespace=\"support\",", $labels, "}")
    };
}

const RATE: &str = "spendRate: {maxUSDPerHour: '6'}";
const USUAL_RATE: &str = "spendRate: {timesUsual: '4'}";
const BOTH_RATES: &str = "spendRate: {maxUSDPerHour: '6', timesUsual: '4'}";
const BUDGET: &str = "spendBudget: {amountUSD: '10', period: 24h}";
const ACTIVITY: &str = "activity: {expectedEvery: 2h}";
const WEEKEND: &str = "activity: {expectedEvery: 4h, activeHours: {days: [Saturday, Sunday], from: '08:00', to: '18:00', timeZone: Europe/Madrid}}";
const THURSDAY_AND_SATURDAY: &str = "activity: {expectedEvery: 4h, activeHours: {days: [Thursday, Saturday], from: '08:00', to: '18:00', timeZone: Europe/Madrid}}";
const NIGHT: &str =
    "activity: {expectedEvery: 1h, activeHours: {from: '22:00', to: '06:00', timeZone: America/New_York}}";
const STUCK: &str = "stuck: {after: 45m}";
const QUEUE: &str = "queue: {maxDepth: 100}";
const TOOLS: &str = "toolFailure: {}";
const MISSING: &str = "telemetryMissing: {}";
const OVERFLOW: &str = "cardinalityOverflow: {}";
const SLOW: &str = "slowShare: {slowerThan: 1800s}";
const LOSS: &str = "pipelineLoss: {}";
/// A ledger, which brings alerts of its own.
const LEDGER: &str = "ledger";
const WITHOUT_OLDEST: &[Role] = &[Role::Runs, Role::ActiveRuns];

const STORIES: &[Story] = &[
    Story {
        name: "spending-twice-the-limit",
        guards: RATE,
        // $3 an hour, $12 an hour, and $3 again.
        series: &[(ours!("agent_cost_usd_total"), "0+0.05x120 6.2+0.2x60 18.25+0.05x60")],
        fires: &[
            ("AgentSpendRateHigh", 100, 0),
            ("AgentSpendRateHigh", 124, 0),
            ("AgentSpendRateHigh", 132, 1),
            (
                "AgentSpendRateHigh{severity=\"critical\",urgency=\"page\",agent=\"support-agent\",namespace=\"support\"}",
                180,
                1,
            ),
            // Kept for a quarter of an hour after the quarter of an hour.
            ("AgentSpendRateHigh", 190, 1),
            ("AgentSpendRateHigh", 215, 0),
        ],
        ..USUAL
    },
    Story {
        name: "spending-by-models-and-pods-adds-up",
        guards: RATE,
        series: &[
            (ours!("agent_cost_usd_total", "model=\"a\""), "0+0.06x100"),
            (ours!("agent_cost_usd_total", "model=\"b\""), "0+0.06x100"),
        ],
        fires: &[("AgentSpendRateHigh", 90, 1)],
        ..USUAL
    },
    Story {
        name: "short-lived-pods-that-spend",
        guards: RATE,
        series: &[
            (ours!("agent_cost_usd_total", "pod=\"a\""), "3+0x200"),
            (ours!("agent_cost_usd_total", "pod=\"b\""), "_x60 0.9+0x3 stale"),
            (ours!("agent_cost_usd_total", "pod=\"c\""), "_x64 0.9+0x3 stale"),
        ],
        fires: &[("AgentSpendRateHigh", 62, 0), ("AgentSpendRateHigh", 68, 1)],
        ..USUAL
    },
    Story {
        name: "an-old-counter-seen-first-is-not-spending",
        guards: RATE,
        series: &[
            (ours!("agent_cost_usd_total", "pod=\"a\""), "3+0x200"),
            (ours!("agent_cost_usd_total", "pod=\"b\""), "_x60 500+0x100"),
        ],
        fires: &[("AgentSpendRateHigh", 63, 0), ("AgentSpendRateHigh", 70, 0)],
        ..USUAL
    },
    Story {
        name: "a-restart-is-not-spending",
        guards: RATE,
        series: &[(ours!("agent_cost_usd_total"), "50+0.05x100 0+0.05x100")],
        fires: &[
            ("AgentSpendRateHigh", 103, 0),
            ("AgentSpendRateHigh", 110, 0),
            ("AgentSpendRateHigh", 190, 0),
        ],
        ..USUAL
    },
    Story {
        name: "others-spend",
        guards: "{spendRate: {maxUSDPerHour: '6'}, spendBudget: {amountUSD: '10', period: 6h}}",
        series: &[
            ("agent_cost_usd_total{agent_name=\"other\",namespace=\"support\"}", "0+1x200"),
            ("agent_cost_usd_total{agent_name=\"support-agent\",namespace=\"elsewhere\"}", "0+1x200"),
            (ours!("agent_cost_usd_total"), "0+0.01x200"),
        ],
        fires: &[
            ("AgentSpendRateHigh", 150, 0),
            ("AgentSpendBudgetSpent", 150, 0),
            ("AgentSpendBudgetForecast", 150, 0),
        ],
        ..USUAL
    },
    Story {
        name: "five-times-the-usual",
        guards: USUAL_RATE,
        // $0.60 an hour for 30 hours, then $3.
        series: &[(ours!("agent_cost_usd_total"), "0+0.01x1800 18.05+0.05x120")],
        fires: &[
            ("AgentSpendRateHigh", 1790, 0),
            ("AgentSpendRateHigh", 1840, 0),
            ("AgentSpendRateHigh", 1855, 1),
        ],
        ..USUAL
    },
    Story {
        name: "a-busy-morning-after-an-idle-night",
        guards: USUAL_RATE,
        // $0.60 in each of twelve hours, nothing in the next twelve, and then $1.80: three times the usual,
        // and six times the mean of the day.
        series: &[(ours!("agent_cost_usd_total"), "0+0.01x720 7.2+0x720 7.23+0.03x200")],
        fires: &[
            ("AgentSpendRateHigh", 1500, 0),
            ("AgentSpendRateHigh", 1560, 0),
            ("AgentSpendRateHigh", 1640, 0),
        ],
        ..USUAL
    },
    Story {
        name: "nobody-knows-yet-what-is-usual",
        guards: USUAL_RATE,
        series: &[(ours!("agent_cost_usd_total"), "0+0.01x600 6.5+0.5x120")],
        fires: &[("AgentSpendRateHigh", 650, 0), ("AgentSpendRateHigh", 715, 0)],
        ..USUAL
    },
    Story {
        name: "the-limit-decides-while-nobody-knows-what-is-usual",
        guards: BOTH_RATES,
        series: &[(ours!("agent_cost_usd_total"), "0+0.01x600 6.5+0.5x120")],
        fires: &[("AgentSpendRateHigh", 590, 0), ("AgentSpendRateHigh", 615, 1)],
        ..USUAL
    },
    Story {
        name: "above-the-limit-as-usual",
        guards: BOTH_RATES,
        series: &[(ours!("agent_cost_usd_total"), "0+0.15x1900")],
        // Until a day is known, the limit alone decides.
        fires: &[("AgentSpendRateHigh", 1300, 1), ("AgentSpendRateHigh", 1800, 0)],
        ..USUAL
    },
    Story {
        name: "the-allowance-is-spent",
        guards: BUDGET,
        // $14.40 a day from the start, $10 of them after 1000 minutes.
        series: &[(ours!("agent_cost_usd_total"), "0+0.01x1200")],
        fires: &[
            ("AgentSpendBudgetForecast", 120, 0),
            ("AgentSpendBudgetForecast{urgency=\"ticket\",severity=\"warning\"}", 200, 1),
            ("AgentSpendBudgetForecast", 900, 1),
            ("AgentSpendBudgetSpent", 980, 0),
            ("AgentSpendBudgetSpent{urgency=\"ticket\",severity=\"warning\"}", 1015, 1),
            ("AgentSpendBudgetForecast", 1015, 0),
        ],
        ..USUAL
    },
    Story {
        name: "the-allowance-rolls",
        guards: "spendBudget: {amountUSD: '2', period: 1h, forecast: Off}",
        // $3 within 24 minutes, and nothing for the next hours.
        series: &[(ours!("agent_cost_usd_total"), "1+0x60 1.125+0.125x23 4+0x200")],
        fires: &[
            ("AgentSpendBudgetSpent", 75, 0),
            ("AgentSpendBudgetSpent", 85, 1),
            ("AgentSpendBudgetSpent", 100, 1),
            ("AgentSpendBudgetSpent", 150, 0),
            ("AgentSpendBudgetForecast", 75, 0),
        ],
        ..USUAL
    },
    Story {
        name: "no-run-for-two-hours",
        guards: ACTIVITY,
        series: &[(ours!("agent_queries_total", "status=\"success\""), "1+0x30 2+0x69 3+0x199 4+0x60")],
        fires: &[
            ("AgentInactive", 215, 0),
            ("AgentInactive{urgency=\"ticket\",severity=\"warning\"}", 230, 1),
            ("AgentInactive", 299, 1),
            ("AgentInactive", 303, 0),
            ("AgentInactive", 350, 0),
        ],
        ..USUAL
    },
    Story {
        name: "each-run-is-a-process-of-its-own",
        guards: ACTIVITY,
        series: &[
            (ours!("agent_queries_total", "pod=\"a\""), "1+0x400"),
            (ours!("agent_queries_total", "pod=\"b\""), "_x90 1 stale"),
            (ours!("agent_queries_total", "pod=\"c\""), "_x180 1 stale"),
            (ours!("agent_queries_total", "pod=\"d\""), "_x270 1 stale"),
        ],
        fires: &[
            ("AgentInactive", 130, 0),
            ("AgentInactive", 260, 0),
            ("AgentInactive", 350, 0),
            ("AgentInactive", 399, 1),
        ],
        ..USUAL
    },
    Story {
        name: "no-run-because-the-agent-is-gone",
        guards: ACTIVITY,
        series: &[(ours!("agent_queries_total"), "1+1x100 stale")],
        fires: &[("AgentInactive", 200, 0), ("AgentInactive", 235, 1)],
        ..USUAL
    },
    Story {
        name: "no-run-ever",
        guards: "{activity: {expectedEvery: 10m}, telemetryMissing: {after: 5m}}",
        series: &[
            ("agent_queries_total{agent_name=\"other\",namespace=\"support\"}", "1+0x200"),
            ("agent_queries_total{agent_name=\"support-agent\",namespace=\"elsewhere\"}", "1+0x100 stale"),
        ],
        fires: &[("AgentInactive", 190, 0), ("AgentTelemetryMissing", 190, 0)],
        ..USUAL
    },
    Story {
        name: "another-agent-works",
        guards: ACTIVITY,
        series: &[
            ("agent_queries_total{agent_name=\"other\",namespace=\"support\"}", "1+1x200"),
            (ours!("agent_queries_total"), "1+0x200"),
        ],
        fires: &[("AgentInactive", 135, 1)],
        ..USUAL
    },
    Story {
        name: "a-night-in-which-summer-time-begins",
        guards: WEEKEND,
        // The last run on Saturday at 16:00; four hours of work later it is Sunday, 10:00, 08:00 UTC.
        start: "2026-03-28T12:00:00Z",
        series: &[(ours!("agent_queries_total"), "1+0x179 2+0x1700")],
        fires: &[
            ("AgentInactive", 320, 0),
            ("AgentInactive", 700, 0),
            ("AgentInactive", 1195, 0),
            ("AgentInactive", 1210, 1),
            // 18:00 is 16:00 UTC.
            ("AgentInactive", 1675, 1),
            ("AgentInactive", 1685, 0),
        ],
        ..USUAL
    },
    Story {
        name: "a-night-in-which-summer-time-ends",
        guards: WEEKEND,
        // The last run on Saturday at 16:00; four hours of work later it is Sunday, 10:00, 09:00 UTC.
        start: "2026-10-24T12:00:00Z",
        series: &[(ours!("agent_queries_total"), "1+0x119 2+0x1700")],
        fires: &[
            ("AgentInactive", 1200, 0),
            ("AgentInactive", 1255, 0),
            ("AgentInactive", 1270, 1),
            ("AgentInactive", 1735, 1),
            ("AgentInactive", 1745, 0),
        ],
        ..USUAL
    },
    Story {
        name: "a-run-on-a-day-off-counts",
        guards: THURSDAY_AND_SATURDAY,
        // Runs on Thursday at 16:00 and on Friday at 13:00; on Saturday the four hours are over at 12:00, 11:00 UTC.
        start: "2026-03-26T12:00:00Z",
        series: &[(ours!("agent_queries_total"), "1+0x179 2+0x1259 3+0x1500")],
        fires: &[("AgentInactive", 1800, 0), ("AgentInactive", 2790, 0), ("AgentInactive", 2830, 1)],
        ..USUAL
    },
    Story {
        name: "nights-across-midnight",
        guards: NIGHT,
        // 22:00 in New York in June is 02:00 UTC; 06:00 is 10:00 UTC.
        start: "2026-06-07T00:00:00Z",
        series: &[(ours!("agent_queries_total"), "1+0x2000")],
        fires: &[
            ("AgentInactive", 170, 0),
            ("AgentInactive", 185, 1),
            ("AgentInactive", 595, 1),
            ("AgentInactive", 605, 0),
            ("AgentInactive", 1000, 0),
            ("AgentInactive", 1570, 1),
            // Monday, 02:00: the end of a night that began on Sunday.
            ("AgentInactive", 1800, 1),
        ],
        ..USUAL
    },
    Story {
        name: "a-run-that-does-not-end",
        guards: STUCK,
        series: &[
            // Began after an hour, and ended after three; another process is idle.
            (
                ours!("agent_oldest_active_query_start_timestamp_seconds", "pod=\"a\""),
                "0+0x59 3600+0x119 0+0x60",
            ),
            (ours!("agent_oldest_active_query_start_timestamp_seconds", "pod=\"b\""), "0+0x300"),
        ],
        fires: &[
            ("AgentRunStuck", 50, 0),
            ("AgentRunStuck", 104, 0),
            ("AgentRunStuck{urgency=\"ticket\",severity=\"warning\"}", 108, 1),
            ("AgentRunStuck", 178, 1),
            ("AgentRunStuck", 183, 0),
        ],
        ..USUAL
    },
    Story {
        name: "a-stuck-run-of-a-pod-that-was-killed",
        guards: STUCK,
        series: &[(ours!("agent_oldest_active_query_start_timestamp_seconds"), "3600+0x90 stale")],
        fires: &[("AgentRunStuck", 120, 0)],
        ..USUAL
    },
    Story {
        name: "runs-are-under-way-and-none-finishes",
        guards: STUCK,
        roles: WITHOUT_OLDEST,
        series: &[
            (ours!("agent_active_queries"), "0+0x59 1+0x120"),
            (ours!("agent_queries_total"), "5+0x200"),
        ],
        fires: &[("AgentRunStuck", 100, 0), ("AgentRunStuck", 108, 1)],
        ..USUAL
    },
    Story {
        name: "runs-are-under-way-and-finish",
        guards: STUCK,
        roles: WITHOUT_OLDEST,
        series: &[
            (ours!("agent_active_queries"), "3+0x200"),
            (ours!("agent_queries_total"), "0+0x29 1+0x29 2+0x29 3+0x29 4+0x29 5+0x29"),
        ],
        fires: &[("AgentRunStuck", 100, 0), ("AgentRunStuck", 170, 0)],
        ..USUAL
    },
    Story {
        name: "an-idle-agent-is-not-stuck",
        guards: STUCK,
        roles: WITHOUT_OLDEST,
        series: &[(ours!("agent_active_queries"), "0+0x200"), (ours!("agent_queries_total"), "5+0x200")],
        fires: &[("AgentRunStuck", 150, 0)],
        ..USUAL
    },
    Story {
        name: "a-deep-queue",
        guards: QUEUE,
        series: &[
            (ours!("agent_queue_depth", "pod=\"a\""), "60+0x9 90+0x60"),
            (ours!("agent_queue_depth", "pod=\"b\""), "30+0x100"),
            ("agent_queue_depth{agent_name=\"other\",namespace=\"support\"}", "5000+0x100"),
        ],
        fires: &[("AgentQueueDeep", 20, 0), ("AgentQueueDeep{urgency=\"ticket\"}", 30, 1)],
        ..USUAL
    },
    Story {
        name: "a-peak-in-the-queue",
        guards: QUEUE,
        series: &[(ours!("agent_queue_depth"), "60+0x9 900+0x9 60+0x9 900+0x9 100+0x60")],
        fires: &[("AgentQueueDeep", 20, 0), ("AgentQueueDeep", 40, 0), ("AgentQueueDeep", 80, 0)],
        ..USUAL
    },
    Story {
        name: "one-tool-fails",
        guards: TOOLS,
        series: &[
            (
                ours!("agent_tool_calls_total", "tool_name=\"Bash\",status=\"success\""),
                "100+0x59 101+1x3 105+0x100",
            ),
            // Born with its first failure.
            (ours!("agent_tool_calls_total", "tool_name=\"Bash\",status=\"error\""), "_x60 1+1x5 7+0x100"),
            (ours!("agent_tool_calls_total", "tool_name=\"Read\",status=\"success\""), "100+1x200"),
            (ours!("agent_tool_calls_total", "tool_name=\"Read\",status=\"error\""), "3+0x200"),
            (ours!("agent_tool_calls_total", "tool_name=\"Edit\",status=\"denied\""), "3+1x200"),
        ],
        fires: &[
            ("AgentToolFailing", 58, 0),
            ("AgentToolFailing{tool_name=\"Bash\",urgency=\"ticket\"}", 70, 1),
            ("AgentToolFailing", 70, 1),
            ("AgentToolFailing", 135, 0),
        ],
        ..USUAL
    },
    Story {
        name: "few-failures-of-a-tool",
        guards: TOOLS,
        series: &[
            (ours!("agent_tool_calls_total", "tool_name=\"Bash\",status=\"success\""), "100+0x200"),
            (ours!("agent_tool_calls_total", "tool_name=\"Bash\",status=\"error\""), "1+0x59 2+1x3 5+0x100"),
            // Half of the calls of another one, which is not more than half.
            (ours!("agent_tool_calls_total", "tool_name=\"Read\",status=\"success\""), "100+1x200"),
            (ours!("agent_tool_calls_total", "tool_name=\"Read\",status=\"error\""), "100+1x200"),
        ],
        fires: &[("AgentToolFailing", 75, 0), ("AgentToolFailing", 150, 0)],
        ..USUAL
    },
    Story {
        name: "tools-of-others-fail",
        guards: TOOLS,
        series: &[
            (
                "agent_tool_calls_total{agent_name=\"other\",namespace=\"support\",tool_name=\"Bash\",status=\"error\"}",
                "0+2x200",
            ),
            (
                "agent_tool_calls_total{agent_name=\"support-agent\",namespace=\"elsewhere\",tool_name=\"Bash\",status=\"error\"}",
                "0+1x200",
            ),
            (ours!("agent_tool_calls_total", "tool_name=\"Bash\",status=\"success\""), "0+1x200"),
        ],
        fires: &[("AgentToolFailing", 150, 0)],
        ..USUAL
    },
    Story {
        name: "telemetry-stops",
        guards: MISSING,
        series: &[
            (ours!("agent_queries_total"), "1+1x100 stale _x120 1+1x50"),
            (ours!("agent_queue_depth"), "0+0x300"),
            ("agent_queries_total{agent_name=\"other\",namespace=\"support\"}", "1+1x300"),
        ],
        fires: &[
            ("AgentTelemetryMissing", 90, 0),
            ("AgentTelemetryMissing", 113, 0),
            ("AgentTelemetryMissing{urgency=\"ticket\"}", 119, 1),
            ("AgentTelemetryMissing", 215, 1),
            ("AgentTelemetryMissing", 226, 0),
        ],
        ..USUAL
    },
    Story {
        name: "the-agent-goes-on-under-another-pod",
        guards: MISSING,
        series: &[
            (ours!("agent_queries_total", "pod=\"a\""), "1+1x100 stale"),
            (ours!("agent_query_duration_seconds_count", "pod=\"b\""), "_x104 0+0x200"),
        ],
        fires: &[("AgentTelemetryMissing", 125, 0), ("AgentTelemetryMissing", 250, 0)],
        ..USUAL
    },
    Story {
        name: "a-retired-agent-is-forgotten",
        guards: MISSING,
        series: &[(ours!("agent_queries_total"), "1+1x100 stale")],
        // A week of minutes would take longer than most of the other stories together.
        evaluation_interval: "5m",
        fires: &[("AgentTelemetryMissing", 10000, 1), ("AgentTelemetryMissing", 10250, 0)],
        ..USUAL
    },
    Story {
        name: "an-sdk-drops-labels",
        guards: OVERFLOW,
        series: &[
            (ours!("agent_queries_total", "status=\"error\""), "1+1x100"),
            (ours!("agent_queries_total", "otel_metric_overflow=\"true\""), "_x60 1+1x100"),
        ],
        fires: &[
            ("AgentCardinalityOverflow", 55, 0),
            ("AgentCardinalityOverflow{urgency=\"ticket\"}", 65, 1),
        ],
        ..USUAL
    },
    Story {
        name: "an-sdk-drops-the-name-of-the-agent",
        guards: OVERFLOW,
        series: &[("agent_tool_calls_total{namespace=\"support\",otel_metric_overflow=\"true\"}", "1+1x100")],
        fires: &[("AgentCardinalityOverflow", 65, 1)],
        ..USUAL
    },
    Story {
        name: "sdks-of-others-drop-labels",
        guards: OVERFLOW,
        series: &[
            (
                "agent_queries_total{agent_name=\"other\",namespace=\"support\",otel_metric_overflow=\"true\"}",
                "1+1x100",
            ),
            (
                "agent_queries_total{agent_name=\"support-agent\",namespace=\"elsewhere\",otel_metric_overflow=\"true\"}",
                "1+1x100",
            ),
            ("foreign_total{namespace=\"support\",otel_metric_overflow=\"true\"}", "1+1x100"),
            (ours!("agent_queries_total"), "1+1x100"),
        ],
        fires: &[("AgentCardinalityOverflow", 65, 0)],
        ..USUAL
    },
    Story {
        name: "one-run-in-ten-is-slow",
        guards: SLOW,
        series: &[
            (ours!("agent_query_duration_seconds_count"), "0+0x59 1+1x59 60+0x500"),
            (ours!("agent_query_duration_seconds_bucket", "le=\"1800.0\""), "0+0x59 0+0.9x60 54+0x500"),
            (ours!("agent_query_duration_seconds_bucket", "le=\"+Inf\""), "0+0x59 1+1x59 60+0x500"),
        ],
        fires: &[
            ("AgentRunsSlow", 58, 0),
            ("AgentRunsSlow{urgency=\"ticket\"}", 110, 1),
            ("AgentRunsSlow", 490, 0),
        ],
        ..USUAL
    },
    Story {
        name: "two-slow-runs",
        guards: SLOW,
        series: &[
            (ours!("agent_query_duration_seconds_count"), "0+0x59 1+0x29 2+0x29 3+0x100"),
            (ours!("agent_query_duration_seconds_bucket", "le=\"1800.0\""), "0+0x119 1+0x100"),
        ],
        fires: &[("AgentRunsSlow", 115, 0), ("AgentRunsSlow", 130, 0)],
        ..USUAL
    },
    Story {
        name: "no-bucket-of-this-bound",
        guards: SLOW,
        series: &[
            (ours!("agent_query_duration_seconds_count"), "0+1x200"),
            (ours!("agent_query_duration_seconds_bucket", "le=\"600.0\""), "0+0.2x200"),
        ],
        fires: &[("AgentRunsSlow", 150, 0)],
        ..USUAL
    },
    Story {
        name: "slow-runs-in-a-native-histogram",
        guards: SLOW,
        // Half of the runs in the bucket from 1024 to 2048 seconds, half in that from 2048 to 4096.
        series: &[(
            ours!("agent_query_duration_seconds"),
            "{{schema:0 sum:0 count:0 offset:11 buckets:[0 0]}}+{{schema:0 sum:5000 count:2 offset:11 buckets:[1 1]}}x100",
        )],
        fires: &[("AgentRunsSlow", 90, 1)],
        ..USUAL
    },
    Story {
        name: "a-queue-of-the-collector-fills",
        guards: LOSS,
        series: &[
            (
                "otelcol_exporter_queue_size{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/tempo\",data_type=\"traces\"}",
                "10+0x29 950+0x30",
            ),
            (
                "otelcol_exporter_queue_capacity{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/tempo\",data_type=\"traces\"}",
                "1000+0x100",
            ),
            (
                "otelcol_exporter_queue_size{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/tempo\",data_type=\"logs\"}",
                "10+0x100",
            ),
            (
                "otelcol_exporter_queue_capacity{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/tempo\",data_type=\"logs\"}",
                "1000+0x100",
            ),
        ],
        fires: &[
            ("AgentPipelineQueueFull", 32, 0),
            (
                "AgentPipelineQueueFull{exporter=\"otlp_http/tempo\",data_type=\"traces\",urgency=\"ticket\"}",
                40,
                1,
            ),
            ("AgentPipelineQueueFull", 40, 1),
        ],
        ..USUAL
    },
    Story {
        name: "the-collector-loses-data",
        guards: LOSS,
        series: &[
            // Born with the first loss, as the Collector does.
            (
                "otelcol_exporter_enqueue_failed_spans{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/tempo\"}",
                "_x30 7+0x100",
            ),
            (
                "otelcol_exporter_send_failed_log_records_total{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/loki\"}",
                "0+0x29 4+0x100",
            ),
            (
                "otelcol_exporter_send_failed_metric_points{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"otlp_http/loki\"}",
                "4+0x200",
            ),
            // After a restart.
            (
                "otelcol_receiver_refused_spans{namespace=\"support\",agentslo_pipeline=\"observed\",receiver=\"otlp\",transport=\"http\"}",
                "50+0x29 3+0x100",
            ),
            (
                "otelcol_deltatocumulative_datapoints{namespace=\"support\",agentslo_pipeline=\"observed\"}",
                "0+9x100",
            ),
            (
                "otelcol_deltatocumulative_datapoints{namespace=\"support\",agentslo_pipeline=\"observed\",error=\"delta.ErrOutOfOrder\"}",
                "_x30 5+0x100",
            ),
        ],
        fires: &[
            ("AgentPipelineQueueOverflow", 25, 0),
            ("AgentPipelineQueueOverflow{signal=\"traces\",exporter=\"otlp_http/tempo\"}", 35, 1),
            ("AgentPipelineQueueOverflow", 50, 0),
            ("AgentPipelineExportFailing", 25, 0),
            ("AgentPipelineExportFailing{signal=\"logs\",exporter=\"otlp_http/loki\"}", 35, 1),
            ("AgentPipelineExportFailing", 35, 1),
            ("AgentPipelineDataRefused", 25, 0),
            ("AgentPipelineDataRefused{signal=\"traces\",receiver=\"otlp\"}", 35, 1),
            ("AgentPipelineDataDropped", 25, 0),
            ("AgentPipelineDataDropped{error=\"delta.ErrOutOfOrder\"}", 35, 1),
            ("AgentPipelineDataDropped", 35, 1),
            ("AgentPipelineDataDropped", 50, 0),
        ],
        ..USUAL
    },
    Story {
        name: "other-collectors-lose-data",
        guards: LOSS,
        series: &[
            (
                "otelcol_exporter_send_failed_spans{namespace=\"support\",agentslo_pipeline=\"other\",exporter=\"x\"}",
                "0+1x100",
            ),
            (
                "otelcol_exporter_send_failed_spans{namespace=\"elsewhere\",agentslo_pipeline=\"observed\",exporter=\"x\"}",
                "0+1x100",
            ),
            ("otelcol_receiver_refused_spans{namespace=\"support\",receiver=\"otlp\"}", "0+1x100"),
        ],
        fires: &[("AgentPipelineExportFailing", 50, 0), ("AgentPipelineDataRefused", 50, 0)],
        ..USUAL
    },
    Story {
        name: "an-old-loss-after-a-gap-in-the-scrapes",
        guards: LOSS,
        series: &[(
            "otelcol_exporter_send_failed_spans{namespace=\"support\",agentslo_pipeline=\"observed\",exporter=\"x\"}",
            "9+0x60 stale _x40 9+0x100",
        )],
        fires: &[("AgentPipelineExportFailing", 80, 0), ("AgentPipelineExportFailing", 105, 0)],
        ..USUAL
    },
    Story {
        name: "somebody-tampers-with-the-ledger",
        guards: LEDGER,
        series: &[
            (ledger!("chain_intact", "stream=\"support/support-agent\""), "1x30 0x29 1x60"),
            (ledger!("chain_intact", "stream=\"support/other\""), "0x120"),
        ],
        fires: &[
            ("AgentLedgerNotIntact", 29, 0),
            ("AgentLedgerNotIntact{severity=\"critical\",urgency=\"page\",agent=\"support-agent\"}", 32, 1),
            ("AgentLedgerNotIntact", 62, 0),
        ],
        ..USUAL
    },
    Story {
        name: "nobody-verifies-the-ledger",
        guards: LEDGER,
        series: &[(
            ledger!("chain_verified_timestamp_seconds", "stream=\"support/support-agent\""),
            "0+60x30 stale",
        )],
        fires: &[
            ("AgentLedgerNotVerified", 58, 0),
            ("AgentLedgerNotVerified{urgency=\"ticket\"}", 66, 1),
            ("AgentLedgerNotVerified", 600, 1),
        ],
        ..USUAL
    },
    Story {
        name: "the-ledger-cannot-commit",
        guards: LEDGER,
        series: &[
            (ledger!("transactions_failed_total"), "0x30 3+3x59 180x100"),
            (
                "agentslo_ledger_transactions_failed_total{namespace=\"support\",agentslo_pipeline=\"other\"}",
                "0+1x30",
            ),
        ],
        fires: &[
            ("AgentLedgerNotEntering", 30, 0),
            ("AgentLedgerNotEntering", 36, 0),
            ("AgentLedgerNotEntering{urgency=\"ticket\"}", 50, 1),
            ("AgentLedgerNotEntering", 115, 0),
        ],
        ..USUAL
    },
    Story {
        name: "the-ledger-refuses-events",
        guards: LEDGER,
        series: &[
            (ledger!("events_total", "result=\"entered\""), "0+5x100"),
            (ledger!("events_total", "result=\"refused\""), "0x30 5x100"),
        ],
        fires: &[
            ("AgentLedgerEventsRefused", 29, 0),
            ("AgentLedgerEventsRefused{urgency=\"ticket\"}", 36, 1),
            ("AgentLedgerEventsRefused", 60, 0),
        ],
        ..USUAL
    },
    Story {
        name: "the-agent-runs-and-its-chain-does-not-grow",
        guards: LEDGER,
        series: &[
            (ours!("agent_queries_total"), "0+1x300"),
            (ledger!("chain_head_sequence", "stream=\"support/support-agent\""), "5x300"),
            (ledger!("chain_head_sequence", "stream=\"support/other\""), "0+1x300"),
        ],
        fires: &[
            ("AgentLedgerStopped", 85, 0),
            ("AgentLedgerStopped{urgency=\"ticket\",agent=\"support-agent\"}", 120, 1),
        ],
        ..USUAL
    },
    Story {
        name: "the-agent-runs-and-has-no-chain",
        guards: LEDGER,
        series: &[(ours!("agent_queries_total"), "0+1x300")],
        fires: &[("AgentLedgerStopped", 15, 0), ("AgentLedgerStopped", 60, 1)],
        ..USUAL
    },
    Story {
        name: "the-agent-runs-and-its-chain-grows",
        guards: LEDGER,
        series: &[
            (ours!("agent_queries_total"), "0+1x300"),
            // A chain that is new has grown from nothing.
            (ledger!("chain_head_sequence", "stream=\"support/support-agent\""), "_x15 3x60 3+1x220"),
        ],
        fires: &[
            ("AgentLedgerStopped", 60, 0),
            ("AgentLedgerStopped", 104, 0),
            ("AgentLedgerStopped", 250, 0),
        ],
        ..USUAL
    },
    Story {
        name: "neither-the-agent-nor-its-chain-does-anything",
        guards: LEDGER,
        series: &[
            (ours!("agent_queries_total"), "0+1x20 20x300"),
            (ledger!("chain_head_sequence", "stream=\"support/support-agent\""), "0+1x22 22x300"),
        ],
        fires: &[("AgentLedgerStopped", 60, 0), ("AgentLedgerStopped", 200, 0)],
        ..USUAL
    },
];

fn observability(guards: &str, roles: &[Role]) -> Observability {
    let asked = match guards {
        LEDGER => "  pipeline: {deriveMetrics: 'Off'}\n  ledger: {}\n".to_owned(),
        _ if guards.starts_with('{') => format!("  guards: {guards}\n"),
        _ => format!("  guards: {{{guards}}}\n"),
    };
    let text = format!(
        "apiVersion: agentslo.dev/v1alpha1\nkind: AgentObservability\n\
         metadata: {{name: observed, namespace: support}}\n\
         spec:\n  agent: support-agent\n{asked}"
    );
    let written: AgentObservability = serde_saphyr::from_str(&text).expect("the story should parse");
    let roles = (!roles.is_empty()).then(|| roles.iter().copied().collect());
    let facts = ObservabilityFacts { roles, platform: platform(), ..ObservabilityFacts::default() };
    validate::observability(&written, &facts)
        .unwrap_or_else(|violations| panic!("{guards}: {:?}", violations.first()))
}

/// It offers everything, and leaves severities as they are.
fn platform() -> Platform {
    let mut spec = unpermitted::everything();
    spec["defaults"] = json!({});
    unpermitted::judged(&spec).expect("the platform should be valid")
}

/// The rules of the guard on lost telemetry.
pub(crate) fn rules_of_loss() -> Vec<Rule> {
    guards::groups(&observability(LOSS, &[])).into_iter().flat_map(|group| group.rules).collect()
}

fn rules_of(story: &Story) -> PrometheusRuleSpec {
    PrometheusRuleSpec { groups: guards::groups(&observability(story.guards, story.roles)) }
}

fn trial(name: &str, story: &Story, rules: PrometheusRuleSpec) -> Trial {
    let series = story.series.iter().map(|(series, values)| json!({"series": series, "values": values}));
    let checks = story.fires.iter().map(|(alert, minute, count)| {
        let (alert, conditions) = alert.split_once('{').unwrap_or((alert, "}"));
        let expr = format!("count(ALERTS{{alertname=\"{alert}\",alertstate=\"firing\",{conditions})");
        let samples = if *count == 0 { json!([]) } else { json!([{"labels": "{}", "value": count}]) };
        json!({"expr": expr, "eval_time": format!("{minute}m"), "exp_samples": samples})
    });
    let mut test = json!({
        "name": name,
        "interval": "1m",
        "input_series": series.collect::<Vec<_>>(),
        "promql_expr_test": checks.collect::<Vec<_>>(),
    });
    if !story.start.is_empty() {
        test["start_timestamp"] = story.start.into();
    }
    Trial { name: name.to_owned(), test: yaml(&file(&rules, story.evaluation_interval, &test)), rules }
}

fn file(rules: &PrometheusRuleSpec, evaluation_interval: &str, test: &Value) -> Value {
    json!({
        "rule_files": ["rules.yaml"],
        "evaluation_interval": evaluation_interval,
        "group_eval_order": rules.groups.iter().map(|group| &group.name).collect::<Vec<_>>(),
        "tests": [test],
    })
}

#[test]
fn every_guard_fires_in_its_incident_and_in_no_other() {
    let trials = STORIES.iter().map(|story| trial(story.name, story, rules_of(story))).collect();
    let failures: BTreeMap<String, String> = failures(trials);
    let complaints: Vec<String> = failures.iter().map(|(name, said)| format!("{name}:\n{said}")).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What promtool would rather have otherwise is a mistake too.
#[test]
fn promtool_has_nothing_to_say_against_the_rules() {
    let folder = tempfile::tempdir().expect("a temporary folder should be possible");
    let promtool = bed::servers_folder().expect("the servers should be there").join("promtool");
    for (number, story) in STORIES.iter().enumerate() {
        let file = folder.path().join(format!("{number}.yaml"));
        std::fs::write(&file, yaml(&rules_of(story))).expect("a temporary file should be possible");
    }
    let mut check = Command::new(promtool);
    check.args(["check", "rules", "--lint=all", "--lint-fatal"]);
    check.args((0..STORIES.len()).map(|number| folder.path().join(format!("{number}.yaml"))));
    let output = check.output().expect("promtool should start");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && !said.to_lowercase().contains("warn"), "{said}");
}

/// A fault in the rules, and the story in which it shows.
struct Fault {
    name: &'static str,
    story: &'static str,
    /// Text of expressions, and what takes its place.
    instead: (&'static str, &'static str),
}

const fn fault(name: &'static str, story: &'static str, old: &'static str, new: &'static str) -> Fault {
    Fault { name, story, instead: (old, new) }
}

const FAULTS: &[Fault] = &[
    fault(
        "chains of others",
        "somebody-tampers-with-the-ledger",
        "stream=\"support/support-agent\"",
        "stream=~\".+\"",
    ),
    fault("a verification that is forgotten", "nobody-verifies-the-ledger", "[1d]", "[10m]"),
    fault("sinks of others", "the-ledger-cannot-commit", "agentslo_pipeline=\"observed\",", ""),
    fault("what was entered is refused", "the-ledger-refuses-events", "result=\"refused\"", "result=~\".+\""),
    fault(
        "chains of others grow",
        "the-agent-runs-and-its-chain-does-not-grow",
        "stream=\"support/support-agent\"",
        "stream=~\".+\"",
    ),
    fault(
        "no chain is a chain that grows",
        "the-agent-runs-and-has-no-chain",
        "unless on () (max",
        "and on () (max",
    ),
    fault(
        "a chain is never new",
        "the-agent-runs-and-its-chain-grows",
        "unless on () max(",
        "and on () max(",
    ),
    fault("idle is stopped", "neither-the-agent-nor-its-chain-does-anything", "> 0.5 unless", ">= 0 unless"),
    fault("another limit", "spending-twice-the-limit", "> 1.5", "> 2.5"),
    fault("a window too long", "spending-twice-the-limit", "[15m]", "[1h]"),
    fault("counts that overlap", "spending-twice-the-limit", " / 5", " / 1"),
    fault("one series alone", "spending-by-models-and-pods-adds-up", "sum (\n", "max (\n"),
    fault(
        "no births of dollars",
        "short-lived-pods-that-spend",
        "<= on () group_left ()",
        "< on () group_left () -1 *",
    ),
    fault("births of any size", "an-old-counter-seen-first-is-not-spending", "1.5 + 0.1", "1000 + 0.1"),
    fault(
        "the agent is not told apart",
        "others-spend",
        "agent_cost_usd_total{agent_name=\"support-agent\",",
        "agent_cost_usd_total{",
    ),
    fault(
        "the fence is down",
        "others-spend",
        "agent_name=\"support-agent\",namespace=\"support\"",
        "agent_name=\"support-agent\"",
    ),
    fault("a higher multiple", "five-times-the-usual", "> 4 *", "> 6 *"),
    fault("quiet hours are usual too", "a-busy-morning-after-an-idle-night", " > 0)[7d:1h]", " >= 0)[7d:1h]"),
    fault("usual after an hour", "nobody-knows-yet-what-is-usual", ">= 288", ">= 12"),
    fault(
        "silence while nobody knows",
        "the-limit-decides-while-nobody-knows-what-is-usual",
        "\nunless\n",
        "\nand\n",
    ),
    fault("the limit alone", "above-the-limit-as-usual", " <= 4 *", " <= 0 *"),
    fault("a longer period", "the-allowance-rolls", "[1h]", "[2h]"),
    fault("a forecast of what has come", "the-allowance-is-spent", "\nunless\n", "\nor\n"),
    fault("a forecast from another part", "the-allowance-is-spent", "6 * sum", "3 * sum"),
    fault("a run does not set it back", "no-run-for-two-hours", "0 * (sum", "7200 * (sum"),
    fault(
        "births are no runs",
        "each-run-is-a-process-of-its-own",
        "<= on () group_left ()",
        "< on () group_left () -1 *",
    ),
    fault(
        "the clock stops without telemetry",
        "no-run-because-the-agent-is-gone",
        "  or\nsum(agentslo:guard:idle_seconds",
        "  or\n0 * sum(agent_queries_total) + sum(agentslo:guard:idle_seconds",
    ),
    fault(
        "an agent that never was",
        "no-run-ever",
        "  or\n0 * sum(agentslo:guard:increase5m{namespace=\"support\",agent=\"support-agent\",event=\"run\"})",
        "  or\nvector(0)",
    ),
    fault("runs of others count", "another-agent-works", "agent_name=\"support-agent\",", ""),
    fault(
        "no summer time",
        "a-night-in-which-summer-time-begins",
        "+ 3600 * (time() >= bool 1774746000)",
        "",
    ),
    fault(
        "endless summer time",
        "a-night-in-which-summer-time-ends",
        "- 3600 * (time() >= bool 1792890000)",
        "",
    ),
    fault(
        "all hours count",
        "a-run-on-a-day-off-counts",
        "* sum(agentslo:guard:active",
        "+ 0 * sum(agentslo:guard:active",
    ),
    fault("alerts at rest", "nights-across-midnight", " == 1", " >= 0"),
    fault(
        "the end of a night is lost",
        "nights-across-midnight",
        "(sum(agentslo:guard:week_seconds{namespace=\"support\",agent=\"support-agent\"}) >= bool 0)",
        "0",
    ),
    fault("stuck too early", "a-run-that-does-not-end", "> 2700", "> 2000"),
    fault("no run is the oldest", "a-run-that-does-not-end", " > 0) >", ") >"),
    fault("busy is stuck", "runs-are-under-way-and-finish", "\nunless\n", "\nor\n"),
    fault("idle is stuck", "an-idle-agent-is-not-stuck", " > 0\nunless", " >= 0\nunless"),
    fault("one pod's queue", "a-deep-queue", "sum(agent_queue_depth", "max(agent_queue_depth"),
    fault("all tools in one", "one-tool-fails", "sum by (tool_name)", "sum"),
    fault("few failures are enough", "few-failures-of-a-tool", ">= 4.5", ">= 0.5"),
    fault("a smaller share is enough", "few-failures-of-a-tool", "> 0.5 *", "> 0.4 *"),
    fault("denied is failed", "one-tool-fails", "status!=\"denied\"", "status!=\"\""),
    fault("tools of others", "tools-of-others-fail", "agent_name=\"support-agent\",", ""),
    fault("absence for a moment", "telemetry-stops", "[15m]", "[5m]"),
    fault(
        "the queue is telemetry",
        "telemetry-stops",
        "agent_queries_total|",
        "agent_queries_total|agent_queue_depth|",
    ),
    fault(
        "one metric is all telemetry",
        "the-agent-goes-on-under-another-pod",
        "|agent_query_duration_seconds(_count)?|",
        "|",
    ),
    fault("waiting for ever", "a-retired-agent-is-forgotten", "[10095m:5m]", "[30d:5m]"),
    fault(
        "any series overflows",
        "sdks-of-others-drop-labels",
        "otel_metric_overflow=\"true\"",
        "otel_metric_overflow=\"\"",
    ),
    fault("overflow of others", "sdks-of-others-drop-labels", "agent_name=~\"(support\\\\-agent)?\",", ""),
    fault("the name must be there", "an-sdk-drops-the-name-of-the-agent", ")?\",otel", ")\",otel"),
    fault("a larger share is slow", "one-run-in-ten-is-slow", "> 0.05 *", "> 0.15 *"),
    fault("two are enough", "two-slow-runs", ">= 2.5", ">= 1.5"),
    fault("the bucket of everything", "one-run-in-ten-is-slow", "le=~\"1800(\\\\.0)?\"", "le=\"+Inf\""),
    fault(
        "no bucket is slow",
        "no-bucket-of-this-bound",
        "event=\"timed_run\"}) - (sum",
        "event=\"timed_run\"}) - (0 * absent(up) or sum",
    ),
    fault(
        "the largest queue is all",
        "a-queue-of-the-collector-fills",
        "by (exporter, data_type) ({__name__=~\"otelcol_exporter_queue_size",
        "by (exporter) ({__name__=~\"otelcol_exporter_queue_size",
    ),
    fault("no loss is new", "the-collector-loses-data", " or 0 * {", " or 1 * {"),
    fault("points without an error", "the-collector-loses-data", ",error!=\"\"", ""),
    fault("other names", "the-collector-loses-data", "(_total)?", ""),
    fault("other pipelines", "other-collectors-lose-data", ",agentslo_pipeline=\"observed\"", ""),
    fault("other namespaces", "other-collectors-lose-data", ",namespace=\"support\"", ""),
    fault("nothing is known from before", "an-old-loss-after-a-gap-in-the-scrapes", "offset 1h", "offset 2h"),
];

fn story(name: &str) -> &'static Story {
    STORIES
        .iter()
        .find(|story| story.name == name)
        .unwrap_or_else(|| panic!("there should be a story {name}"))
}

fn put_in(rules: &PrometheusRuleSpec, (old, new): (&str, &str)) -> PrometheusRuleSpec {
    let mut rules = rules.clone();
    for rule in rules.groups.iter_mut().flat_map(|group| &mut group.rules) {
        rule.expr = rule.expr.replace(old, new);
    }
    rules
}

#[test]
fn every_fault_in_a_guard_is_found() {
    let trials = FAULTS.iter().map(|fault| {
        let story = story(fault.story);
        let rules = rules_of(story);
        let wrong = put_in(&rules, fault.instead);
        assert_ne!(wrong, rules, "{}: the rules should be different", fault.name);
        trial(fault.name, story, wrong)
    });
    let found = failures(trials.collect());
    let missed: Vec<&str> =
        FAULTS.iter().map(|fault| fault.name).filter(|name| !found.contains_key(*name)).collect();
    assert_eq!(missed, Vec::<&str>::new(), "these faults went unnoticed");
    // A rule that does not parse would be found for the wrong reason.
    let unread: Vec<(&String, &String)> =
        found.iter().filter(|(_, said)| said.contains("parse error")).collect();
    assert_eq!(unread, [], "these faults were no valid rules");
}

/// What an alert of a story says at a minute.
struct Said {
    story: &'static str,
    alert: &'static str,
    minute: u32,
    /// Labels besides those of every alert.
    labels: &'static [(&'static str, &'static str)],
    summary: &'static str,
}

const SAID: &[Said] = &[
    Said {
        story: "spending-twice-the-limit",
        alert: "AgentSpendRateHigh",
        minute: 170,
        labels: &[],
        summary: "Agent 'support-agent' in support: $3.00 spent in the last 15m; allowed are $6 an hour.",
    },
    Said {
        story: "the-allowance-is-spent",
        alert: "AgentSpendBudgetForecast",
        minute: 600,
        labels: &[],
        summary: "Agent 'support-agent' in support: at the rate of the last 4h it will have spent $14.40 in 1d; \
                  allowed are $10.",
    },
    Said {
        story: "no-run-for-two-hours",
        alert: "AgentInactive",
        minute: 240,
        labels: &[],
        summary: "Agent 'support-agent' in support: no run finished for 2h 14m 0s; one is expected every 2h.",
    },
    Said {
        story: "a-run-that-does-not-end",
        alert: "AgentRunStuck",
        minute: 121,
        labels: &[],
        summary: "Agent 'support-agent' in support: a run is under way for 1h 0m 30s; 45m are allowed.",
    },
    Said {
        story: "one-tool-fails",
        alert: "AgentToolFailing",
        minute: 80,
        labels: &[("tool_name", "Bash")],
        summary: "Agent 'support-agent' in support: 7 calls of tool 'Bash' failed in the last 1h; 50% of them may.",
    },
    Said {
        story: "the-collector-loses-data",
        alert: "AgentPipelineQueueOverflow",
        minute: 35,
        labels: &[("exporter", "otlp_http/tempo"), ("signal", "traces")],
        summary: "Agent 'support-agent' in support: 7 items of traces found the queue of exporter \
                  'otlp_http/tempo' full in the last 15m and are lost.",
    },
];

#[test]
fn alerts_say_what_happened_with_its_numbers() {
    let trials = SAID.iter().map(|said| {
        let story = story(said.story);
        let rules = rules_of(story);
        let rule = rules.groups.iter().flat_map(|group| &group.rules);
        let rule = rule.clone().find(|rule| rule.alert.as_deref() == Some(said.alert));
        let test = saying(story, said, rule.expect("the story should have the alert"));
        Trial {
            name: said.alert.to_owned(),
            test: yaml(&file(&rules, story.evaluation_interval, &test)),
            rules,
        }
    });
    let failures = failures(trials.collect());
    let complaints: Vec<String> = failures.iter().map(|(name, said)| format!("{name}:\n{said}")).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn saying(story: &Story, said: &Said, rule: &Rule) -> Value {
    let mut labels = rule.labels.clone();
    labels.extend(said.labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut annotations = rule.annotations.clone();
    annotations.insert("summary".to_owned(), said.summary.to_owned());
    let series = story.series.iter().map(|(series, values)| json!({"series": series, "values": values}));
    json!({
        "name": said.alert,
        "interval": "1m",
        "input_series": series.collect::<Vec<_>>(),
        "alert_rule_test": [{
            "alertname": said.alert,
            "eval_time": format!("{}m", said.minute),
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": annotations}],
        }],
    })
}
