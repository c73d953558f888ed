//! Many places of a chain, as ranges.

/// Places as first and last of each range, in order, none beside the next.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Of ranges in any order, which may overlap.
    #[must_use]
    pub fn of(mut all: Vec<(u64, u64)>) -> Self {
        all.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (first, last) in all {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                Some(_) | None => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    /// Of single places.
    #[must_use]
    pub fn of_places(places: &[u64]) -> Self {
        Self::of(places.iter().map(|place| (*place, *place)).collect())
    }

    /// Whether a place is among them.
    #[must_use]
    pub fn contains(&self, place: u64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= place);
        after.checked_sub(1).is_some_and(|index| place <= self.0[index].1)
    }

    /// First and last of each.
    #[must_use]
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_follow_each_other_are_one_range() {
        assert_eq!(Ranges::of_places(&[]).as_slice(), []);
        assert_eq!(Ranges::of_places(&[9, 1, 2, 3, 7, 10]).as_slice(), [(1, 3), (7, 7), (9, 10)]);
        assert_eq!(
            Ranges::of(vec![(4, 9), (1, 6), (20, 21), (11, 11)]).as_slice(),
            [(1, 9), (11, 11), (20, 21)]
        );
    }

    #[test]
    fn a_place_is_in_a_range_or_not() {
        let ranges = Ranges::of(vec![(2, 4), (7, 7)]);
        let inside: Vec<u64> = (0..10).filter(|place| ranges.contains(*place)).collect();
        assert_eq!(inside, [2, 3, 4, 7]);
    }
}
