//! What the keeper of a ledger does to it is entered itself, in the stream that it is done to. So nothing goes without
//! a trace, and `verify` tells what a keeper took out from what somebody else did.

use std::collections::BTreeMap;

use crate::entry::{Detail, Entry};
use crate::ranges::Ranges;

/// Events whose names begin with this are the ledger's own, and nobody sends them.
pub const OWN: &str = "ledger.";
const ERASED: &str = "ledger.erased";
const LET_GO: &str = "ledger.let_go";

/// Ranges that one entry names, so that it is never too long.
pub const MOST_RANGES: usize = 2_000;

/// Something that a keeper did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Deed {
    /// The contents of these links were taken out; the links stay. First and last of each range.
    Erased(Vec<(u64, u64)>),
    /// The links up to this one were let go.
    LetGo(u64),
}

impl Deed {
    /// The entry that tells of it: at a time in nanoseconds since the epoch, and why.
    #[must_use]
    pub fn entry(&self, at: u64, why: &str) -> Entry {
        let (event, what) = match self {
            Self::Erased(ranges) => (ERASED, ("ranges", Detail::List(ranges.iter().map(range).collect()))),
            Self::LetGo(through) => (LET_GO, ("through", number(*through))),
        };
        Entry {
            at: at.to_string(),
            event: event.to_owned(),
            session: None,
            user: None,
            trace: None,
            span: None,
            details: [(what.0.to_owned(), what.1), ("reason".to_owned(), why.into())].into(),
            withheld: BTreeMap::new(),
        }
    }

    /// What the canonical text of an entry tells of; most tell of something else.
    #[must_use]
    pub fn told_by(canonical: &str) -> Option<Self> {
        // Few are ours, and all are read.
        if !canonical.contains(r#""event":"ledger."#) {
            return None;
        }
        let entry: Entry = serde_json::from_str(canonical).ok()?;
        match entry.event.as_str() {
            ERASED => match entry.details.get("ranges")? {
                Detail::List(ranges) => Some(Self::Erased(ranges.iter().filter_map(ends).collect())),
                Detail::Flag(_) | Detail::Number(_) | Detail::Text(_) | Detail::Map(_) => None,
            },
            LET_GO => Some(Self::LetGo(place(entry.details.get("through")?)?)),
            _ => None,
        }
    }
}

/// The places whose contents were taken out, as deeds tell.
#[must_use]
pub fn erased(deeds: &[Deed]) -> Ranges {
    let ranges = deeds.iter().flat_map(|deed| match deed {
        Deed::Erased(ranges) => ranges.as_slice(),
        Deed::LetGo(_) => &[],
    });
    Ranges::of(ranges.copied().collect())
}

fn range((first, last): &(u64, u64)) -> Detail {
    Detail::List(vec![number(*first), number(*last)])
}

fn number(place: u64) -> Detail {
    i64::try_from(place).unwrap_or(i64::MAX).into()
}

fn ends(range: &Detail) -> Option<(u64, u64)> {
    match range {
        Detail::List(ends) => match ends.as_slice() {
            [first, last] => Some((place(first)?, place(last)?)),
            _ => None,
        },
        Detail::Flag(_) | Detail::Number(_) | Detail::Text(_) | Detail::Map(_) => None,
    }
}

fn place(detail: &Detail) -> Option<u64> {
    match detail {
        Detail::Number(number) => u64::try_from(*number).ok(),
        Detail::Flag(_) | Detail::Text(_) | Detail::List(_) | Detail::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_is_told_by_its_entry_and_by_no_other() {
        for deed in [Deed::Erased(vec![(3, 5), (9, 9)]), Deed::LetGo(7)] {
            let entry = deed.entry(1, "asked for by the user");
            assert_eq!(Deed::told_by(&entry.canonical()), Some(deed));
        }
        let mut other = Deed::LetGo(7).entry(1, "");
        other.event = "tool_result".to_owned();
        other.details.insert("text".to_owned(), r#""event":"ledger.let_go""#.into());
        assert_eq!(Deed::told_by(&other.canonical()), None);
    }

    #[test]
    fn the_longest_fits_into_an_entry() {
        let far = u64::from(u32::MAX);
        let ranges = (0..).map(|place| (far + 3 * place, far + 3 * place + 1)).take(MOST_RANGES).collect();
        let text = Deed::Erased(ranges).entry(u64::MAX, &"x".repeat(1000)).canonical();
        assert!(text.len() < crate::intake::LONGEST_ENTRY, "{}", text.len());
    }
}
