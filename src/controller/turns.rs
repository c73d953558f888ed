//! Whose turn it is. So many reconciliations at once; what a person waits for comes first, and namespaces
//! take turns, so that none is held up by the work of another.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::pace::Subject;
use super::poison::locked;
use crate::metrics::{Metrics, OfUrgency};

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
    const ALL: [Self; 2] = [Self::Change, Self::Routine];

    fn label(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Routine => "routine",
        }
    }
}

/// The places, and who waits for one.
pub(super) struct Turns {
    queue: Mutex<Queue<oneshot::Sender<()>>>,
    metrics: Metrics,
}

/// A place that is taken, until it is dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
}

impl Turns {
    pub(super) fn new(metrics: Metrics) -> Arc<Self> {
        Arc::new(Self { queue: Mutex::new(Queue::new(PLACES)), metrics })
    }

    /// Waits for a place.
    pub(super) async fn turn(self: &Arc<Self>, subject: &Subject, urgency: Urgency) -> Turn {
        let called = {
            let mut queue = locked(&self.queue);
            if queue.take() {
                None
            } else {
                let (call, called) = oneshot::channel();
                queue.wait(subject, urgency, call);
                Some(called)
            }
        };
        if let Some(called) = called {
            self.waiting(urgency).inc();
            // Counted down also where whoever waits is dropped before.
            let _counted = Counted { turns: self, urgency };
            // The other end is in the queue, which lives as long as the operator.
            let _ = called.await;
        }
        Turn { turns: Arc::clone(self) }
    }

    /// Somebody has changed an object, which may be waiting as if nobody had.
    pub(super) fn hurry(&self, subject: &Subject) {
        locked(&self.queue).hurry(subject);
    }

    /// Whether somebody waits for what they have just changed.
    pub(super) fn are_wanted(&self) -> bool {
        locked(&self.queue).has_waiting(Urgency::Change)
    }

    fn waiting(&self, urgency: Urgency) -> prometheus_client::metrics::gauge::Gauge {
        self.metrics.waiting.get_or_create(&OfUrgency { urgency: urgency.label() }).clone()
    }
}

struct Counted<'a> {
    turns: &'a Turns,
    urgency: Urgency,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.turns.waiting(self.urgency).dec();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = locked(&self.turns.queue);
        // Who waited may be gone by now, and then it is the turn of the next.
        while let Some(call) = queue.next() {
            if call.send(()).is_ok() {
                return;
            }
        }
        queue.give_back();
    }
}

/// Those who wait, in the order in which they come.
struct Queue<T> {
    free: usize,
    lanes: BTreeMap<Urgency, Lane<T>>,
}

impl<T> Queue<T> {
    fn new(places: usize) -> Self {
        Self { free: places, lanes: Urgency::ALL.map(|urgency| (urgency, Lane::default())).into() }
    }

    /// Takes a free place, if there is one. While anybody waits there is none.
    fn take(&mut self) -> bool {
        let is_free = self.free > 0;
        self.free -= usize::from(is_free);
        is_free
    }

    fn give_back(&mut self) {
        self.free += 1;
    }

    fn wait(&mut self, subject: &Subject, urgency: Urgency, who: T) {
        self.lanes.entry(urgency).or_default().wait(subject, who);
    }

    fn has_waiting(&self, urgency: Urgency) -> bool {
        self.lanes.get(&urgency).is_some_and(|lane| !lane.waiting.is_empty())
    }

    fn hurry(&mut self, subject: &Subject) {
        if let Some(who) = self.lanes.get_mut(&Urgency::Routine).and_then(|lane| lane.leave(subject)) {
            self.wait(subject, Urgency::Change, who);
        }
    }

    /// Who comes next.
    fn next(&mut self) -> Option<T> {
        self.lanes.values_mut().find_map(Lane::next)
    }
}

/// Those of one urgency, by namespace.
struct Lane<T> {
    waiting: BTreeMap<String, VecDeque<(Subject, T)>>,
    /// The namespace that came last.
    last: String,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), last: String::new() }
    }
}

impl<T> Lane<T> {
    fn wait(&mut self, subject: &Subject, who: T) {
        self.waiting.entry(subject.namespace.clone()).or_default().push_back((subject.clone(), who));
    }

    fn leave(&mut self, subject: &Subject) -> Option<T> {
        let of_namespace = self.waiting.get_mut(&subject.namespace)?;
        let position = of_namespace.iter().position(|(waiting, _)| waiting == subject)?;
        let (_, who) = of_namespace.remove(position)?;
        if of_namespace.is_empty() {
            self.waiting.remove(&subject.namespace);
        }
        Some(who)
    }

    /// The first of the namespace after the one that came last.
    fn next(&mut self) -> Option<T> {
        let after = (std::ops::Bound::Excluded(self.last.clone()), std::ops::Bound::Unbounded);
        let next = self.waiting.range(after).next().or_else(|| self.waiting.iter().next());
        self.last = next?.0.clone();
        let of_namespace = self.waiting.get_mut(&self.last)?;
        let who = of_namespace.pop_front();
        if of_namespace.is_empty() {
            self.waiting.remove(&self.last);
        }
        who.map(|(_, who)| who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(namespace: &str, name: &str) -> Subject {
        Subject { kind: "AgentSLO", namespace: namespace.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn changes_come_first_and_namespaces_take_turns() {
        let mut queue = Queue::new(0);
        let waiting = [
            ("flood", Urgency::Routine, "flood-1"),
            ("flood", Urgency::Routine, "flood-2"),
            ("flood", Urgency::Routine, "flood-3"),
            ("flood", Urgency::Routine, "flood-4"),
            ("calm", Urgency::Routine, "calm-1"),
            ("zeal", Urgency::Routine, "zeal-1"),
            ("flood", Urgency::Change, "flood-5"),
            ("calm", Urgency::Change, "calm-2"),
        ];
        for (namespace, urgency, name) in waiting {
            queue.wait(&subject(namespace, name), urgency, name);
        }
        // Edited while it waits, and one that does not wait.
        queue.hurry(&subject("flood", "flood-3"));
        queue.hurry(&subject("flood", "flood-9"));
        let order: Vec<&str> = std::iter::from_fn(|| queue.next()).collect();
        let expected = "calm-2 flood-5 flood-3 calm-1 flood-1 zeal-1 flood-2 flood-4";
        assert_eq!(order.join(" "), expected);
    }

    #[tokio::test]
    async fn nobody_gets_a_place_that_is_taken_and_who_gave_up_is_passed_over() {
        let turns = Turns::new(Metrics::default());
        let mut taken = Vec::new();
        for _ in 0..PLACES {
            taken.push(turns.turn(&subject("a", "one"), Urgency::Routine).await);
        }
        let waiting = |urgency| {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move { turns.turn(&subject("a", "one"), urgency).await })
        };
        let gave_up = waiting(Urgency::Change);
        let waits = waiting(Urgency::Routine);
        while turns.waiting(Urgency::Change).get() + turns.waiting(Urgency::Routine).get() < 2 {
            tokio::task::yield_now().await;
        }
        gave_up.abort();
        let _ = gave_up.await;
        assert!(!waits.is_finished());
        taken.pop();
        let got = waits.await.expect("it should get the place that was given back");
        assert_eq!(turns.waiting(Urgency::Change).get(), 0);
        drop((got, taken));
        assert_eq!(locked(&turns.queue).free, PLACES);
    }
}
