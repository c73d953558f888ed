//! Work that does not end, piles up, fails or takes long.

use super::alert::{Text, alert, number, time, value_of};
use super::counts::{Event, counted, recorded, tool_label};
use crate::domain::decimal::Decimal;
use crate::domain::guard::Guard;
use crate::domain::observability::Observability;
use crate::domain::window::Window;
use crate::foreign::Rule;
use crate::profiles::Metric;
use crate::vocabulary::alert as names;

/// How long a queue must be too deep.
const DEEP_FOR: &str = "15m";
/// Window in which failures of tools are counted.
const TOOLS_OVER: Window = Window::from_hours(1);
/// Window in which slow runs are counted.
const SLOW_OVER: Window = Window::from_hours(6);

const STUCK: &str = "A run is under way for longer than the guard stuck of the AgentObservability allows.";
const QUEUE: &str = "More work waits than the guard queue of the AgentObservability allows.";
const TOOLS: &str =
    "A larger share of a tool's calls fails than the guard toolFailure of the AgentObservability allows.";
const SLOW: &str =
    "A larger share of the runs is slow than the guard slowShare of the AgentObservability allows.";

/// A share that is too large, and the fewest events that count.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub(super) percent: Decimal,
    pub(super) least: i32,
}

impl Share {
    /// The part is too large for the whole. Counts may be fractional, hence the half.
    fn is_exceeded(self, part: &str, whole: &str) -> String {
        let least = Decimal::from_integer(self.least.into()) - Decimal::from_ratio(1, 2);
        let share = self.percent.divided_by(Decimal::from_integer(100));
        format!("({part} >= {least})\n> {share} * ({whole})")
    }
}

/// By the start of the oldest run where it is known, else by runs that are under way while none finishes.
pub(super) fn stuck(observability: &Observability, guard: &Guard, after: Window) -> Rule {
    let profile = observability.series().profile();
    let oldest = profile.oldest_active_run_start.as_ref();
    match oldest.filter(|_| observability.has(crate::domain::role::Role::OldestActiveRunStart)) {
        Some(oldest) => oldest_run(observability, guard, after, oldest),
        None => none_finishes(observability, guard, after),
    }
}

fn oldest_run(observability: &Observability, guard: &Guard, after: Window, oldest: &Metric) -> Rule {
    let start = observability.series().select(oldest);
    let seconds = u64::from(after.minutes()) * 60;
    let happened = format!("a run is under way for {}; {after} are allowed", time());
    let text = Text { happened, description: STUCK };
    alert(observability, guard, names::STUCK, format!("time() - min({start} > 0) > {seconds}"), &text)
}

fn none_finishes(observability: &Observability, guard: &Guard, after: Window) -> Rule {
    let active = observability.series().profile().active_runs.as_ref();
    let active = active.map(|metric| observability.series().select(metric).to_string()).unwrap_or_default();
    let finished = recorded(observability, Event::Run);
    let happened = format!("{} runs are under way, and none finished for {after}", number());
    let text = Text { happened, description: STUCK };
    let expr = format!("sum({active}) > 0\nunless\nsum({finished}) > 0");
    let mut rule = alert(observability, guard, names::STUCK, expr, &text);
    rule.for_ = Some(after.to_string());
    rule
}

/// All that waits, in every process.
pub(super) fn queue(observability: &Observability, guard: &Guard, max_depth: i32) -> Rule {
    let depth = observability.series().profile().queue_depth.as_ref();
    let depth = depth.map(|metric| observability.series().select(metric).to_string()).unwrap_or_default();
    let happened = format!("{} items wait; {max_depth} may", number());
    let text = Text { happened, description: QUEUE };
    let mut rule = alert(observability, guard, names::QUEUE, format!("sum({depth}) > {max_depth}"), &text);
    rule.for_ = Some(DEEP_FOR.to_owned());
    rule
}

/// Each tool by itself.
pub(super) fn tools(
    observability: &Observability,
    guard: &Guard,
    percent: Decimal,
    min_failures: i32,
) -> Rule {
    let by = tool_label(observability);
    let failures = counted(observability, Event::ToolFailure, TOOLS_OVER, &by);
    let calls = counted(observability, Event::ToolCall, TOOLS_OVER, &by);
    let which = by.first().map(|label| format!(" of tool '{}'", value_of(label))).unwrap_or_default();
    let happened =
        format!("{} calls{which} failed in the last {TOOLS_OVER}; {percent}% of them may", number());
    let share = Share { percent, least: min_failures };
    let expr = share.is_exceeded(&failures, &calls);
    alert(observability, guard, names::TOOL, expr, &Text { happened, description: TOOLS })
}

/// Runs that took longer than a bound of their histogram.
pub(super) fn slow(observability: &Observability, guard: &Guard, slower_than: Decimal, share: Share) -> Rule {
    let slow = counted(observability, Event::SlowRun, SLOW_OVER, &[]);
    let all = counted(observability, Event::TimedRun, SLOW_OVER, &[]);
    let happened = format!(
        "{} runs took longer than {slower_than}s in the last {SLOW_OVER}; {}% of them may",
        number(),
        share.percent
    );
    let expr = share.is_exceeded(&slow, &all);
    alert(observability, guard, names::SLOW, expr, &Text { happened, description: SLOW })
}
