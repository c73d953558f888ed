//! Faults at random, the same ones for the same seed: which one befalls a request depends on what it asks
//! for and on how often that was asked before, and not on what others ask for meanwhile.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::faults::{Ending, Fault, Moment};
use crate::scenarios::Request;

/// One request in so many goes wrong.
const ONE_IN: u64 = 5;
/// A read may be so many changes behind.
const MOST_BEHIND: u64 = 8;
/// Milliseconds that an answer may take.
const LONGEST_WAIT: u64 = 3_000;
/// Milliseconds after which a watch has ended.
const LONGEST_WATCH: u64 = 20_000;

/// Faults at random.
#[derive(Debug)]
pub(super) struct Weather {
    seed: u64,
    /// How often each thing was asked for.
    asked: BTreeMap<String, u64>,
}

impl Weather {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, asked: BTreeMap::new() }
    }

    /// What befalls a request, if it is one of an operator.
    pub(super) fn strike(&mut self, request: &Request, path: &str) -> Option<Fault> {
        if !super::OPERATORS.contains(&request.user.as_str()) {
            return None;
        }
        let mut dice = self.dice(request, path);
        if request.verb == "watch" {
            return watch_fault(&mut dice);
        }
        if dice.roll(ONE_IN) > 0 {
            return None;
        }
        let pause = |dice: &mut Dice| Duration::from_millis(dice.roll(LONGEST_WAIT));
        Some(match dice.roll(8) {
            0 => Fault::Late(Moment::Before, pause(&mut dice)),
            1 => Fault::Late(Moment::After, pause(&mut dice)),
            2 => Fault::Broken(Moment::Before),
            3 => Fault::Broken(Moment::After),
            4 => Fault::Refused(500),
            5 => Fault::Refused(429),
            _ if request.is_write() => Fault::Refused(409),
            _ => Fault::Behind(usize::try_from(dice.roll(MOST_BEHIND)).unwrap_or_default()),
        })
    }

    fn dice(&mut self, request: &Request, path: &str) -> Dice {
        let what = format!("{} {} {path}", request.user, request.verb);
        let mut hasher = DefaultHasher::new();
        let times = self.asked.entry(what.clone()).or_default();
        *times += 1;
        (self.seed, what, *times).hash(&mut hasher);
        Dice(hasher.finish())
    }
}

/// Most watches end early, each in its own way.
fn watch_fault(dice: &mut Dice) -> Option<Fault> {
    let after = Duration::from_millis(dice.roll(LONGEST_WATCH));
    match dice.roll(8) {
        0 | 1 => None,
        2 => Some(Fault::Refused(410)),
        3 => Some(Fault::Refused(429)),
        4 => Some(Fault::Ends(Ending::Gone, after)),
        5 => Some(Fault::Ends(Ending::Truncated, after)),
        6 => Some(Fault::Ends(Ending::Silent, after)),
        _ => Some(Fault::Ends(Ending::Closed, after)),
    }
}

/// Numbers that follow from one.
struct Dice(u64);

impl Dice {
    /// A number from nought to one below the sides.
    fn roll(&mut self, sides: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        self.0 = hasher.finish();
        self.0 % sides
    }
}
