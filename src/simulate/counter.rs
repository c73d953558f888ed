//! A raw counter as it is scraped, and its increase over a window as the rules define it: the
//! difference, the value of a new series, and for resets what `increase` makes of them.

use super::recorded::LOOKBACK;

const MINUTE: i64 = 60;
/// Minutes back at which a series must not be seen to count as new.
const LADDER: [i64; 5] = [5, 15, 60, 240, 960];

/// What one scrape yields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A value.
    Value(f64),
    /// Nothing; older values stay visible for five minutes.
    Missing,
    /// The end of the series, as Prometheus marks it when a target or a label set is gone.
    Stale,
}

impl Sample {
    pub(super) fn map(self, change: impl FnOnce(f64) -> f64) -> Self {
        match self {
            Self::Value(value) => Self::Value(change(value)),
            Self::Missing | Self::Stale => self,
        }
    }
}

/// What the value of a new series means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Births {
    /// Its value is a count up to this bound; none means that there is no history to bound it by.
    UpTo(Option<f64>),
    /// It is no count.
    Ignored,
    /// Only `increase`, as users write it themselves.
    OnlyIncrease,
}

/// A counter, scraped once a minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counter(pub Vec<Sample>);

impl Counter {
    /// Events in a window of so many minutes that ends at a time in seconds.
    #[must_use]
    pub fn increase(&self, now: i64, minutes: i64, births: Births) -> Option<f64> {
        let by_prometheus = || self.extrapolated_increase(now, minutes);
        match births {
            Births::OnlyIncrease => by_prometheus(),
            Births::Ignored => self.difference(now, minutes).or_else(by_prometheus),
            Births::UpTo(bound) => self
                .difference(now, minutes)
                .or_else(|| {
                    self.value_at_birth(now, minutes).filter(|value| bound.is_some_and(|most| *value <= most))
                })
                .or_else(by_prometheus),
        }
    }

    fn difference(&self, now: i64, minutes: i64) -> Option<f64> {
        let difference = self.at(now)? - self.at(now - minutes * MINUTE)?;
        (difference >= 0.0 && !self.is_reset(now, minutes + 1)).then_some(difference)
    }

    /// Whether it ever falls, looked at once a minute.
    fn is_reset(&self, now: i64, minutes: i64) -> bool {
        let first = (now - minutes * MINUTE).div_euclid(MINUTE) + 1;
        let seen: Vec<f64> =
            (first..=now.div_euclid(MINUTE)).filter_map(|minute| self.at(minute * MINUTE)).collect();
        seen.windows(2).any(|pair| pair[1] < pair[0])
    }

    fn value_at_birth(&self, now: i64, minutes: i64) -> Option<f64> {
        let rungs = LADDER.into_iter().filter(|rung| *rung >= minutes);
        let is_new = rungs.into_iter().all(|rung| self.at(now - rung * MINUTE).is_none());
        let highest = self.range(now, minutes).map(|(_, value)| value).reduce(f64::max);
        highest.filter(|_| is_new)
    }

    /// Prometheus' own `increase`: resets are added up, and what was seen is stretched to the window.
    fn extrapolated_increase(&self, now: i64, minutes: i64) -> Option<f64> {
        let seen: Vec<(i64, f64)> = self.range(now, minutes).collect();
        let [(first_at, first), .., (last_at, last)] = seen[..] else { return None };
        let resets: f64 = seen.windows(2).filter(|pair| pair[1].1 < pair[0].1).map(|pair| pair[0].1).sum();
        let increase = last - first + resets;
        let interval = seconds(last_at - first_at);
        let average = interval / f64::from(u32::try_from(seen.len() - 1).unwrap_or(u32::MAX));
        let reach = |gap: f64| if gap >= average * 1.1 { average / 2.0 } else { gap };
        let mut to_start = reach(seconds(first_at - (now - minutes * MINUTE)));
        if increase > 0.0 && first >= 0.0 {
            to_start = to_start.min(interval * (first / increase));
        }
        Some(increase * ((interval + to_start + reach(seconds(now - last_at))) / interval))
    }

    /// An instant read.
    pub(super) fn at(&self, now: i64) -> Option<f64> {
        let scrapes = ((now - LOOKBACK).div_euclid(MINUTE) + 1..=now.div_euclid(MINUTE)).rev();
        let newest =
            scrapes.filter_map(|minute| self.scrape_at(minute)).find(|sample| *sample != Sample::Missing)?;
        match newest {
            Sample::Value(value) => Some(value),
            Sample::Missing | Sample::Stale => None,
        }
    }

    /// Values in `(now - minutes, now]` with their times.
    pub(super) fn range(&self, now: i64, minutes: i64) -> impl Iterator<Item = (i64, f64)> + '_ {
        let first = (now - minutes * MINUTE).div_euclid(MINUTE) + 1;
        (first..=now.div_euclid(MINUTE)).filter_map(|minute| match self.scrape_at(minute)? {
            Sample::Value(value) => Some((minute * MINUTE, value)),
            Sample::Missing | Sample::Stale => None,
        })
    }

    fn scrape_at(&self, minute: i64) -> Option<Sample> {
        self.0.get(usize::try_from(minute).ok()?).copied()
    }
}

fn seconds(length: i64) -> f64 {
    f64::from(i32::try_from(length).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(values: &[f64]) -> Counter {
        Counter(values.iter().map(|value| Sample::Value(*value)).collect())
    }

    #[test]
    fn a_difference_is_exact_and_a_reset_is_stretched() {
        let steady = counter(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(steady.increase(390, 5, Births::Ignored), Some(5.0));
        let reset = counter(&[5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 3.0]);
        assert_eq!(reset.increase(390, 5, Births::Ignored), Some(5.0));
        assert_eq!(steady.increase(390, 5, Births::OnlyIncrease), Some(5.0));
    }

    #[test]
    fn a_new_series_counts_up_to_the_bound() {
        let mut born = vec![Sample::Missing; 20];
        born.push(Sample::Value(3.0));
        let born = Counter(born);
        assert_eq!(born.increase(1230, 5, Births::UpTo(Some(20.0))), Some(3.0));
        assert_eq!(born.increase(1230, 5, Births::UpTo(Some(2.0))), None);
        assert_eq!(born.increase(1230, 5, Births::UpTo(None)), None);
    }
}
