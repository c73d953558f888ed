//! Counts that are exact where `increase` is not: it loses the value that a series is born with, which
//! with lazily created labels and short-lived processes is most failures, and it extrapolates.

use super::own;
use crate::api::v1alpha1::CounterBirths;
use crate::domain::decimal::Decimal;
use crate::domain::promql::{LabelMatcher, SeriesSelector, by_clause};
use crate::domain::slo::Slo;
use crate::domain::window::Window;
use crate::vocabulary::series;

/// Minutes back at which a series is looked for before it counts as new. Each is four times the one
/// before, up to sixteen hours: a series that was away for longer is bounded by [`birth_bound`].
const LADDER: [u32; 5] = [5, 15, 60, 240, 960];

/// Events that one new series may bring in a tile of five minutes without history.
const BIRTH_FLOOR: i64 = 20;
/// Share of the counted history that it may bring besides.
const BIRTH_SHARE: (i64, i64) = (1, 100);

/// A monotonic number that can be read at a time and over a window. No two of its series differ in their
/// name alone or in the spelling of a bound.
pub(super) enum Cumulative {
    /// A counter, or the `_count` of a classic histogram.
    Counter(SeriesSelector),
    /// Observations of a classic histogram up to a bound, of which this is an expression.
    ClassicAtMost(SeriesSelector, String),
    /// Observations of a native histogram.
    NativeCount(SeriesSelector),
    /// Observations of a native histogram up to a bound.
    NativeAtMost(SeriesSelector, Decimal),
    /// The second for each series that does not have the first.
    Either(Box<Self>, Box<Self>),
}

impl Cumulative {
    /// The second for each series that does not have the first.
    pub(super) fn or(self, other: Self) -> Self {
        Self::Either(Box::new(self), Box::new(other))
    }

    /// Its value, so far back; an empty text means now.
    fn at(&self, offset: &str) -> String {
        self.read(&|selector| format!("{selector}{offset}"))
    }

    /// Series that are there, and are reset, whenever it is, with the same labels.
    fn series(&self) -> Vec<SeriesSelector> {
        match self {
            Self::Counter(selector) | Self::NativeCount(selector) | Self::NativeAtMost(selector, _) => {
                vec![selector.clone()]
            }
            // Shorter than the bucket: its label of the bound need not be dropped.
            Self::ClassicAtMost(histogram, _) => vec![histogram.suffixed("_count")],
            Self::Either(one, other) => [one.series(), other.series()].concat(),
        }
    }

    /// The same labels where it was there, so far back, whatever the value.
    fn presence_at(&self, offset: &str) -> String {
        any(self.series().into_iter().map(|selector| format!("{selector}{offset}")))
    }

    /// How often it was reset within the window and a minute before it, so that no reset falls between two
    /// windows. It is looked at once a minute, which is cheaper than every sample.
    fn resets_in(&self, window: Window) -> String {
        let reach = Window::from_minutes(window.minutes() + 1);
        any(self.series().into_iter().map(|selector| format!("resets({selector}[{reach}:1m])")))
    }

    /// Its last value within the window, also of series that have ended since.
    fn last_in(&self, window: Window) -> String {
        match self {
            Self::Counter(_) | Self::ClassicAtMost(..) => {
                self.read(&|selector| format!("max_over_time({selector}[{window}])"))
            }
            Self::NativeCount(_) | Self::NativeAtMost(..) => {
                self.read(&|selector| format!("last_over_time({selector}[{window}])"))
            }
            Self::Either(one, other) => format!("({} or {})", one.last_in(window), other.last_in(window)),
        }
    }

    /// What Prometheus takes for its increase.
    fn increase_in(&self, window: Window) -> String {
        self.read(&|selector| format!("increase({selector}[{window}])"))
    }

    fn read(&self, read: &dyn Fn(&SeriesSelector) -> String) -> String {
        match self {
            Self::Counter(selector) => read(selector),
            // Without the bound the labels are those of the native form. The greater of two, because in
            // the minutes after an upgrade of Prometheus a bound is there in the old and the new spelling.
            Self::ClassicAtMost(histogram, le) => {
                let bucket = histogram.suffixed("_bucket").with([LabelMatcher::regex("le", le)]);
                format!("max without (le) ({})", read(&bucket))
            }
            Self::NativeCount(selector) => format!("histogram_count({})", read(selector)),
            // Without observations the share is NaN, which the comparison drops, and the count is zero.
            // Rounded, because a share times a count is a whole number only nearly.
            Self::NativeAtMost(selector, bound) => {
                let histogram = read(selector);
                let count = format!("histogram_count({histogram})");
                let share = format!("histogram_fraction(-Inf, {bound}, {histogram})");
                format!("(round({share} * {count}, 0.001) >= 0 or {count})")
            }
            Self::Either(one, other) => format!("({} or {})", one.read(read), other.read(read)),
        }
    }
}

/// The increase over a window, exactly: one series for each group, none where there are no raw series.
///
/// The first arm is exact for a series that was there at the start and was not reset, and such windows
/// telescope. The second takes the value of a series that is new. The third is for resets.
pub(super) fn increase(slo: &Slo, cumulative: &Cumulative, window: Window, unit: Decimal) -> String {
    let difference = format!(
        "(({} - {} >= 0) unless ({}) > 0)",
        cumulative.at(""),
        cumulative.at(&format!(" offset {window}")),
        cumulative.resets_in(window)
    );
    let births = match slo.counter_births() {
        CounterBirths::Count => format!("  or\n  {}\n", births(slo, cumulative, window, unit)),
        CounterBirths::Ignore => String::new(),
    };
    let resets = cumulative.increase_in(window);
    format!("sum{} (\n  {difference}\n{births}  or\n  {resets}\n)", by_clause(slo.group_by()))
}

fn births(slo: &Slo, cumulative: &Cumulative, window: Window, unit: Decimal) -> String {
    let rungs = LADDER
        .into_iter()
        .filter(|minutes| *minutes >= window.minutes())
        .map(|minutes| cumulative.presence_at(&format!(" offset {}", Window::from_minutes(minutes))));
    format!(
        "(({} unless ({})) <= on () group_left () ({}))",
        cumulative.last_in(window),
        any(rungs),
        birth_bound(slo, window, unit)
    )
}

fn any(vectors: impl Iterator<Item = String>) -> String {
    vectors.collect::<Vec<_>>().join(" or ")
}

/// Largest value with which a series may be born: above it, it is an old counter that is seen for the
/// first time. Without history of five minutes nothing counts as born.
fn birth_bound(slo: &Slo, window: Window, unit: Decimal) -> String {
    let history = own(slo, &format!("{}{}", series::TOTAL_COUNT, slo.window()));
    let tiles = i64::from(window.minutes() / Window::TILE.minutes());
    let floor = unit * Decimal::from_integer(BIRTH_FLOOR * tiles);
    let share = unit * Decimal::from_ratio(BIRTH_SHARE.0, BIRTH_SHARE.1);
    format!("{floor} + {share} * sum(last_over_time({history}[10m] offset 5m))")
}
