//! Who is to be looked at, and whose turn it is. So many reconciliations at once, and never two of one object;
//! what a person waits for comes first, and namespaces take turns, so that none is held up by the work of
//! another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use tokio::time::Instant;

use super::pace::Subject;

/// Reconciliations at once.
const PLACES: usize = 16;

/// Whether somebody waits for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Urgency {
    /// A person has just changed or deleted something.
    Change,
    /// Nothing was changed by a person: a start, news of Prometheus, a look for what was missed.
    Routine,
}

impl Urgency {
    pub(super) const ALL: [Self; 2] = [Self::Change, Self::Routine];

    /// For the metric.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Routine => "routine",
        }
    }
}

/// Those who wait, those who are being looked at, and those who come later.
pub(super) struct WorkQueue {
    free: usize,
    lanes: BTreeMap<Urgency, Lane>,
    /// The lane of each who waits.
    waiting: BTreeMap<Arc<Subject>, Urgency>,
    running: BTreeSet<Arc<Subject>>,
    /// Who is to be looked at once more after the look that is under way.
    again: BTreeMap<Arc<Subject>, Urgency>,
    later: Later,
}

impl WorkQueue {
    pub(super) fn new() -> Self {
        Self::with_places(PLACES)
    }

    fn with_places(free: usize) -> Self {
        Self {
            free,
            lanes: Urgency::ALL.map(|urgency| (urgency, Lane::default())).into(),
            waiting: BTreeMap::new(),
            running: BTreeSet::new(),
            again: BTreeMap::new(),
            later: Later::default(),
        }
    }

    /// Somebody is to be looked at. Who waits already keeps their place, or gets a better one.
    pub(super) fn enter(&mut self, subject: Arc<Subject>, urgency: Urgency) {
        self.later.remove(&subject);
        if self.running.contains(&subject) {
            let again = self.again.entry(subject).or_insert(urgency);
            *again = urgency.min(*again);
            return;
        }
        match self.waiting.get(&subject).copied() {
            Some(present) if present <= urgency => return,
            Some(present) => self.lane(present).leave(&subject),
            None => {}
        }
        self.waiting.insert(Arc::clone(&subject), urgency);
        self.lane(urgency).wait(subject);
    }

    /// Who comes next, if there is a place. It is theirs until they are done.
    pub(super) fn next(&mut self) -> Option<Arc<Subject>> {
        if self.free == 0 {
            return None;
        }
        let next = self.lanes.values_mut().find_map(Lane::next)?;
        self.free -= 1;
        self.waiting.remove(&next);
        self.running.insert(Arc::clone(&next));
        Some(next)
    }

    /// A look is over. The next is due at a moment, or never, unless somebody asked for one meanwhile.
    pub(super) fn done(&mut self, subject: &Arc<Subject>, due: Option<Instant>) {
        if self.running.remove(subject) {
            self.free += 1;
        }
        match (self.again.remove(subject), due) {
            (Some(urgency), _) => self.enter(Arc::clone(subject), urgency),
            (None, Some(due)) => self.later.insert(Arc::clone(subject), due),
            (None, None) => {}
        }
    }

    /// The next moment at which somebody is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.later.first()
    }

    /// Somebody who is due; they are expected to enter.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Arc<Subject>> {
        self.later.take(now)
    }

    /// How many wait.
    pub(super) fn waiting(&self, urgency: Urgency) -> usize {
        self.lanes.get(&urgency).map_or(0, |lane| lane.length)
    }

    fn lane(&mut self, urgency: Urgency) -> &mut Lane {
        self.lanes.entry(urgency).or_default()
    }
}

/// Those of one urgency, by namespace.
#[derive(Default)]
struct Lane {
    waiting: BTreeMap<String, VecDeque<Arc<Subject>>>,
    /// How many they are.
    length: usize,
    /// The namespace that came last.
    last: String,
}

impl Lane {
    fn wait(&mut self, subject: Arc<Subject>) {
        self.waiting.entry(subject.namespace.clone()).or_default().push_back(subject);
        self.length += 1;
    }

    fn leave(&mut self, subject: &Subject) {
        let Some(of_namespace) = self.waiting.get_mut(&subject.namespace) else { return };
        let before = of_namespace.len();
        of_namespace.retain(|waiting| **waiting != *subject);
        self.length -= before - of_namespace.len();
        if of_namespace.is_empty() {
            self.waiting.remove(&subject.namespace);
        }
    }

    /// The first of the namespace after the one that came last.
    fn next(&mut self) -> Option<Arc<Subject>> {
        let after = (Bound::Excluded(self.last.as_str()), Bound::Unbounded);
        let next = self.waiting.range::<str, _>(after).next().or_else(|| self.waiting.iter().next());
        self.last = next?.0.clone();
        let of_namespace = self.waiting.get_mut(&self.last)?;
        let next = of_namespace.pop_front();
        self.length -= usize::from(next.is_some());
        if of_namespace.is_empty() {
            self.waiting.remove(&self.last);
        }
        next
    }
}

/// Those who come later, each at a moment.
#[derive(Default)]
struct Later {
    moments: BTreeMap<Arc<Subject>, Instant>,
    order: BTreeSet<(Instant, Arc<Subject>)>,
}

impl Later {
    fn insert(&mut self, subject: Arc<Subject>, due: Instant) {
        self.remove(&subject);
        self.moments.insert(Arc::clone(&subject), due);
        self.order.insert((due, subject));
    }

    fn remove(&mut self, subject: &Arc<Subject>) {
        if let Some(due) = self.moments.remove(subject) {
            self.order.remove(&(due, Arc::clone(subject)));
        }
    }

    fn first(&self) -> Option<Instant> {
        self.order.first().map(|(due, _)| *due)
    }

    fn take(&mut self, now: Instant) -> Option<Arc<Subject>> {
        let (_, subject) = self.order.first().filter(|(due, _)| *due <= now)?;
        let subject = Arc::clone(subject);
        self.remove(&subject);
        Some(subject)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn subject(namespace: &str, name: &str) -> Arc<Subject> {
        Arc::new(Subject { kind: "AgentSLO", namespace: namespace.to_owned(), name: name.to_owned() })
    }

    fn name(next: Option<Arc<Subject>>) -> Option<String> {
        next.map(|subject| subject.name.clone())
    }

    #[test]
    fn changes_come_first_and_namespaces_take_turns() {
        let mut queue = WorkQueue::with_places(9);
        let waiting = [
            ("flood", Urgency::Routine, "flood-1"),
            ("flood", Urgency::Routine, "flood-2"),
            ("flood", Urgency::Routine, "flood-3"),
            ("flood", Urgency::Routine, "flood-4"),
            ("calm", Urgency::Routine, "calm-1"),
            ("zeal", Urgency::Routine, "zeal-1"),
            ("flood", Urgency::Change, "flood-5"),
            ("calm", Urgency::Change, "calm-2"),
            // Edited while it waits, and looked for while it waits for what a person has changed.
            ("flood", Urgency::Change, "flood-3"),
            ("flood", Urgency::Routine, "flood-5"),
        ];
        for (namespace, urgency, name) in waiting {
            queue.enter(subject(namespace, name), urgency);
        }
        assert_eq!(Urgency::ALL.map(|urgency| queue.waiting(urgency)), [3, 5]);
        let order: Vec<String> = std::iter::from_fn(|| name(queue.next())).collect();
        let expected = "calm-2 flood-5 flood-3 calm-1 flood-1 zeal-1 flood-2 flood-4";
        assert_eq!(order.join(" "), expected);
        assert_eq!(Urgency::ALL.map(|urgency| queue.waiting(urgency)), [0, 0]);
    }

    #[test]
    fn nobody_is_looked_at_twice_at_once_and_nobody_is_forgotten() {
        let mut queue = WorkQueue::with_places(1);
        let [one, other] = ["one", "other"].map(|name| subject("team", name));
        queue.enter(Arc::clone(&one), Urgency::Routine);
        assert_eq!(name(queue.next()).as_deref(), Some("one"));
        queue.enter(Arc::clone(&one), Urgency::Routine);
        queue.enter(Arc::clone(&other), Urgency::Routine);
        assert_eq!(name(queue.next()), None, "the only place is taken");
        queue.done(&one, None);
        assert_eq!(name(queue.next()).as_deref(), Some("other"));
        queue.done(&other, None);
        assert_eq!(name(queue.next()).as_deref(), Some("one"), "something happened while it was looked at");
        queue.done(&one, None);
        assert_eq!(name(queue.next()), None);
    }

    #[test]
    fn who_is_due_comes_at_that_moment_and_not_again_when_they_came_before() {
        let mut queue = WorkQueue::with_places(1);
        let [one, other] = ["one", "other"].map(|name| subject("team", name));
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for (subject, due) in [(&one, 20), (&other, 10)] {
            queue.enter(Arc::clone(subject), Urgency::Routine);
            queue.next();
            queue.done(subject, Some(at(due)));
        }
        assert_eq!(queue.next_due(), Some(at(10)));
        assert_eq!(name(queue.take_due(at(9))), None);
        assert_eq!(name(queue.take_due(at(10))).as_deref(), Some("other"));
        queue.enter(one, Urgency::Change);
        assert_eq!(queue.next_due(), None);
        assert_eq!(name(queue.take_due(at(60))), None);
    }
}
