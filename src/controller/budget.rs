//! How many writes a second go into work that nobody waits for: news of budgets, and what follows from a
//! decision of the platform team. What a person has just changed is never put off.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Subject;
use super::poison::locked;

/// Time between two writes, in the long run: a hundred a second.
const EVERY: Duration = Duration::from_millis(10);
/// Writes at once after a rest.
const BURST: u32 = 200;

/// Gives out moments for writes.
pub(super) struct Budget {
    book: Mutex<Book>,
}

struct Book {
    /// The moment that is given out next.
    next: Instant,
    /// The moment that each has who waits for one.
    reserved: BTreeMap<Subject, Instant>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { book: Mutex::new(Book { next: Instant::now(), reserved: BTreeMap::new() }) }
    }

    /// Takes a write, or says how long to wait for it. Who comes back then is not put off again.
    pub(super) fn spend(&self, subject: &Subject, now: Instant) -> Result<(), Duration> {
        let mut book = locked(&self.book);
        let moment = match book.reserved.get(subject) {
            Some(reserved) => *reserved,
            None => book.give_out(now),
        };
        if moment <= now {
            book.reserved.remove(subject);
            return Ok(());
        }
        book.reserved.insert(subject.clone(), moment);
        Err(moment - now)
    }
}

impl Book {
    fn give_out(&mut self, now: Instant) -> Instant {
        let earliest = now.checked_sub(EVERY * BURST).unwrap_or(now);
        let moment = self.next.max(earliest);
        self.next = moment + EVERY;
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_each_has_its_moment() {
        let budget = Budget::new();
        let subject =
            |number: u32| Subject { kind: "AgentSLO", namespace: "a".to_owned(), name: number.to_string() };
        let now = Instant::now() + EVERY * BURST;
        let free = (0..BURST * 2).take_while(|number| budget.spend(&subject(*number), now).is_ok()).count();
        let free = u32::try_from(free).expect("there are few");
        assert!((BURST..=BURST + 1).contains(&free), "{free}");
        let late = subject(free);
        let wait = budget.spend(&late, now).expect_err("its moment is reserved");
        assert_eq!(budget.spend(&late, now), Err(wait), "it is the same one");
        assert!(budget.spend(&subject(9999), now).expect_err("it comes later") > wait);
        assert_eq!(budget.spend(&late, now + wait), Ok(()));
        assert!(budget.spend(&late, now + wait).is_err(), "each write is paid for");
    }
}
