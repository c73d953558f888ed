//! Counts that are exact where `increase` is not: it loses the value that a series is born with, which
//! with lazily created labels and short-lived processes is most failures, and it extrapolates.

use crate::api::v1alpha1::HistogramType;
use crate::domain::decimal::Decimal;
use crate::domain::indicator::Counter;
use crate::domain::promql::{LabelMatcher, SeriesSelector, by_clause};
use crate::domain::window::Window;

/// Minutes back at which a series is looked for before it counts as new. Each is four times the one
/// before, up to sixteen hours: a series that was away for longer is bounded by [`Births::UpTo`].
const LADDER: [u32; 5] = [5, 15, 60, 240, 960];

/// What the first value of a series means.
pub(super) enum Births {
    /// Nothing is known of it.
    Ignore,
    /// It is a count if it is at most this: PromQL that yields one value, and none without history.
    UpTo(String),
}

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
    /// Something whose increments are events.
    pub(super) fn events(counter: &Counter) -> Self {
        match counter {
            Counter::Plain(selector) => Self::Counter(selector.clone()),
            Counter::Observations(histogram, form) => either(
                *form,
                || Self::NativeCount(histogram.clone()),
                || Self::Counter(histogram.suffixed("_count")),
            ),
        }
    }

    /// Observations up to a bound.
    pub(super) fn at_most(histogram: &SeriesSelector, form: HistogramType, bound: Decimal) -> Self {
        either(
            form,
            || Self::NativeAtMost(histogram.clone(), bound),
            || Self::ClassicAtMost(histogram.clone(), le_spellings(bound)),
        )
    }

    /// The second for each series that does not have the first.
    fn or(self, other: Self) -> Self {
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

/// One of the two forms; with `Auto` the one that a series has, also while it changes.
fn either(
    form: HistogramType,
    native: impl Fn() -> Cumulative,
    classic: impl Fn() -> Cumulative,
) -> Cumulative {
    match form {
        HistogramType::Native => native(),
        HistogramType::Classic => classic(),
        HistogramType::Auto => native().or(classic()),
    }
}

/// The increase over a window, exactly: one series for each group, none where there are no raw series.
///
/// The first arm is exact for a series that was there at the start and was not reset, and such windows
/// telescope. The second takes the value of a series that is new. The third is for resets.
pub(super) fn increase(cumulative: &Cumulative, window: Window, births: &Births, by: &[String]) -> String {
    let difference = format!(
        "(({} - {} >= 0) unless ({}) > 0)",
        cumulative.at(""),
        cumulative.at(&format!(" offset {window}")),
        cumulative.resets_in(window)
    );
    let births = match births {
        Births::UpTo(bound) => format!("  or\n  {}\n", born(cumulative, window, bound)),
        Births::Ignore => String::new(),
    };
    let resets = cumulative.increase_in(window);
    format!("sum{} (\n  {difference}\n{births}  or\n  {resets}\n)", by_clause(by))
}

fn born(cumulative: &Cumulative, window: Window, bound: &str) -> String {
    let rungs = LADDER
        .into_iter()
        .filter(|minutes| *minutes >= window.minutes())
        .map(|minutes| cumulative.presence_at(&format!(" offset {}", Window::from_minutes(minutes))));
    format!("(({} unless ({})) <= on () group_left () ({bound}))", cumulative.last_in(window), any(rungs))
}

fn any(vectors: impl Iterator<Item = String>) -> String {
    vectors.collect::<Vec<_>>().join(" or ")
}

/// An expression for every spelling of a bucket bound: client libraries write `60` or `60.0`,
/// Prometheus 3 writes `60.0`, and Go writes large and small numbers with an exponent.
fn le_spellings(bound: Decimal) -> String {
    let plain = regex_syntax::escape(&bound.to_string());
    let plain = if plain.contains('.') { plain } else { format!("{plain}(\\.0)?") };
    match exponent_spelling(bound) {
        None => plain,
        Some(exponent) => format!("{plain}|{}", regex_syntax::escape(&exponent)),
    }
}

/// How Go's shortest format spells a number of a million and more, or below a ten-thousandth.
fn exponent_spelling(bound: Decimal) -> Option<String> {
    let value = bound.to_f64();
    if value == 0.0 || (1e-4..1e6).contains(&value) {
        return None;
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{mantissa}e{sign}{:02}", exponent.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_found_in_every_spelling() {
        let cases = [
            ("60", r"60(\.0)?"),
            ("0.1", r"0\.1"),
            ("65536", r"65536(\.0)?"),
            ("1048576", r"1048576(\.0)?|1\.048576e\+06"),
            ("2000000", r"2000000(\.0)?|2e\+06"),
            ("0.00005", r"0\.00005|5e\-05"),
        ];
        for (bound, expression) in cases {
            let bound = Decimal::parse(bound).expect("test data should parse");
            assert_eq!(le_spellings(bound), expression);
        }
    }
}
