//! Burn-rate pairs: how much of the budget, spent how fast, is too much.

use super::decimal::Decimal;
use super::objective::Objective;
use super::window::Window;

/// How urgent the alert of a pair is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Urgency {
    /// Somebody is woken.
    Page,
    /// It waits for working hours.
    Ticket,
}

impl Urgency {
    /// Value of label `urgency`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// A pair of windows with the share of the budget that is too much to spend in the long one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Which alert it belongs to.
    pub urgency: Urgency,
    /// Share of the budget, in percent.
    pub budget_percent: Decimal,
    /// Window in which the share is counted.
    pub long: Window,
    /// Window that must still burn.
    pub short: Window,
}

/// A policy made concrete for an objective and a window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pair {
    /// Which alert it belongs to.
    pub urgency: Urgency,
    /// Window in which the burn rate is measured.
    pub long: Window,
    /// Window that must still burn.
    pub short: Window,
    /// Burn rate above which the pair is true.
    pub factor: Decimal,
    /// The policy's burn rate, where `factor` had to be lowered for total failure to exceed it with certainty.
    pub lowered_from: Option<Decimal>,
}

impl Pair {
    /// Bad share of events above which the pair is true, given the budget.
    #[must_use]
    pub fn threshold(&self, objective: Objective) -> Decimal {
        self.factor * objective.budget()
    }
}

/// The SRE Workbook's recommendation (chapter 5, table 5-8) for windows of three weeks and more.
const LONG_WINDOWS: [(Urgency, i64, Window, Window); 4] = [
    (Urgency::Page, 2, Window::from_hours(1), Window::from_minutes(5)),
    (Urgency::Page, 5, Window::from_hours(6), Window::from_minutes(30)),
    (Urgency::Ticket, 10, Window::from_days(1), Window::from_hours(2)),
    (Urgency::Ticket, 10, Window::from_days(3), Window::from_hours(6)),
];

/// Larger shares for shorter windows: with the Workbook's, the factors would fall below one, and the
/// alert would fire while the objective is being met.
const SHORT_WINDOWS: [(Urgency, i64, Window, Window); 4] = [
    (Urgency::Page, 5, Window::from_hours(1), Window::from_minutes(5)),
    (Urgency::Page, 15, Window::from_hours(6), Window::from_minutes(30)),
    (Urgency::Ticket, 30, Window::from_days(1), Window::from_hours(2)),
    (Urgency::Ticket, 50, Window::from_days(3), Window::from_hours(6)),
];

/// From this window on the Workbook's shares apply.
const SHARES_CHANGE_AT: Window = Window::from_days(21);

/// The default policies for a window; those that make no sense in it are left out.
#[must_use]
pub fn catalogue(window: Window) -> Vec<Policy> {
    let rows = if window >= SHARES_CHANGE_AT { LONG_WINDOWS } else { SHORT_WINDOWS };
    rows.into_iter()
        .map(|(urgency, percent, long, short)| Policy {
            urgency,
            budget_percent: Decimal::from_integer(percent),
            long,
            short,
        })
        .filter(|policy| policy.long.minutes() <= window.minutes() / 3)
        .filter(|policy| factor(*policy, window) >= Decimal::from_ratio(9, 10))
        .collect()
}

/// The burn rate that spends the policy's share of the budget in its long window, in thousandths.
#[must_use]
pub fn factor(policy: Policy, window: Window) -> Decimal {
    let length = Decimal::from_integer(window.minutes().into());
    let long = Decimal::from_integer(policy.long.minutes().into());
    (policy.budget_percent * length).divided_by(long * Decimal::from_integer(100)).rounded(3)
}

/// The highest burn rate there is: every event is bad.
#[must_use]
pub fn highest(objective: Objective) -> Decimal {
    Decimal::ONE.divided_by(objective.budget())
}

/// Largest bad share of events that any pair waits for. Closer to one, a single good event among a few
/// would keep the alert of an outage from firing.
const LARGEST_THRESHOLD: (i64, i64) = (4, 5);

/// The pair for a policy. A factor that asks for more than four fifths of the events to be bad is lowered
/// to that, so that the threshold never jumps with the objective.
#[must_use]
pub fn pair(policy: Policy, objective: Objective, window: Window) -> Pair {
    let wanted = factor(policy, window);
    let (numerator, denominator) = LARGEST_THRESHOLD;
    let largest = Decimal::from_ratio(numerator, denominator).divided_by(objective.budget()).rounded(3);
    Pair {
        urgency: policy.urgency,
        long: policy.long,
        short: policy.short,
        factor: wanted.min(largest),
        lowered_from: (wanted > largest).then_some(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(window: Window) -> Vec<String> {
        catalogue(window).into_iter().map(|policy| factor(policy, window).to_string()).collect()
    }

    #[test]
    fn factors_follow_the_window() {
        assert_eq!(factors(Window::from_days(30)), ["14.4", "6", "3", "1"]);
        assert_eq!(factors(Window::from_days(28)), ["13.44", "5.6", "2.8", "0.933"]);
        assert_eq!(factors(Window::from_days(7)), ["8.4", "4.2", "2.1"]);
        assert_eq!(factors(Window::from_days(9)), ["10.8", "5.4", "2.7", "1.5"]);
        assert_eq!(factors(Window::from_days(1)), ["1.2"]);
    }

    fn pairs(objective: &str) -> Vec<(Decimal, Pair)> {
        let objective = Objective::parse(objective).expect("test data should parse");
        let window = Window::from_days(30);
        let pairs = catalogue(window).into_iter().map(|policy| pair(policy, objective, window));
        pairs.map(|pair| (pair.threshold(objective), pair)).collect()
    }

    #[test]
    fn a_pair_that_asks_for_nearly_every_event_to_fail_is_lowered() {
        let lowered = |objective| {
            let lowered = pairs(objective).into_iter().filter(|(_, pair)| pair.lowered_from.is_some());
            lowered.map(|(_, pair)| pair.factor.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(lowered("94.45"), Vec::<String>::new());
        assert_eq!(lowered("94.44"), ["14.388"]);
        assert_eq!(lowered("93.06"), ["11.527"]);
        assert_eq!(lowered("93.05"), ["11.511"]);
        assert_eq!(lowered("80"), ["4", "4"]);
    }

    #[test]
    fn thresholds_do_not_jump_with_the_objective() {
        let hundredths = |hundredths: u32| format!("{}.{:02}", hundredths / 100, hundredths % 100);
        for objective in 5000..9999 {
            let (laxer, stricter) = (pairs(&hundredths(objective)), pairs(&hundredths(objective + 1)));
            for ((wide, pair), (narrow, _)) in laxer.into_iter().zip(stricter) {
                let step = wide - narrow;
                // A hundredth of a percent of budget times the highest burn rate, and the rounding.
                let most = pair.factor * Decimal::from_ratio(1, 10_000) + Decimal::from_ratio(1, 1000);
                assert!(step > Decimal::ZERO - most && step <= most, "{objective}: {wide} to {narrow}");
                assert!(wide <= Decimal::from_ratio(801, 1000), "{objective}: {wide}");
            }
        }
    }
}
