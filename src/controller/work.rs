//! Looks at whom it is time to look at, for as long as the operator runs.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::runtime::reflector::Store;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::context::Context;
use super::incoming::Incoming;
use super::pace::{LONGEST_PAUSE, Subject};
use super::poison::locked;
use super::visit::{Visited, subject, urgency, visit};
use super::workqueue::Urgency;
use crate::metrics::OfUrgency;

/// A moment that never comes while a loop waits for something else.
const FAR: Duration = Duration::from_hours(1);

/// The looks that are under way.
struct Work {
    ctx: Arc<Context>,
    looks: JoinSet<Option<Duration>>,
    running: Vec<(Id, Arc<Subject>)>,
}

/// Works until `stop` is done, and then ends what is under way. Whoever is woken is looked at, and all of them
/// whenever something happened that concerns all.
pub(super) async fn work(
    ctx: Arc<Context>,
    mut woken: UnboundedReceiver<Subject>,
    mut concerns_all: impl Stream<Item = ()> + Unpin,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    tokio::select! {
        () = ctx.caches_full.wait() => {}
        () = &mut stop => return,
    }
    let mut work = Work { ctx, looks: JoinSet::new(), running: Vec::new() };
    loop {
        work.begin();
        let due = locked(&work.ctx.queue).next_due().unwrap_or_else(|| Instant::now() + FAR);
        tokio::select! {
            Some(subject) = woken.recv() => work.enter(subject),
            Some(()) = concerns_all.next() => work.enter_all(),
            Some(ended) = work.looks.join_next_with_id() => work.end(ended),
            () = tokio::time::sleep_until(due) => work.enter_due(),
            () = &mut stop => break,
        }
    }
    while work.looks.join_next().await.is_some() {}
}

impl Work {
    /// Gives the free places to those whose turn it is.
    fn begin(&mut self) {
        let mut queue = locked(&self.ctx.queue);
        while let Some(subject) = queue.next() {
            let look = self.looks.spawn(visit(Arc::clone(&subject), Arc::clone(&self.ctx)));
            self.running.push((look.id(), subject));
        }
        for urgency in Urgency::ALL {
            let waiting = i64::try_from(queue.waiting(urgency)).unwrap_or(i64::MAX);
            self.ctx.metrics.waiting.get_or_create(&OfUrgency { urgency: urgency.label() }).set(waiting);
        }
    }

    fn enter(&self, subject: impl Into<Arc<Subject>>) {
        let subject = subject.into();
        let urgency = urgency(&subject, &self.ctx);
        locked(&self.ctx.queue).enter(subject, urgency);
    }

    fn enter_all(&self) {
        self.enter_all_of(&self.ctx.slos);
        self.enter_all_of(&self.ctx.observabilities);
    }

    fn enter_all_of<K: Visited>(&self, cache: &Store<Incoming<K>>) {
        cache.state().iter().for_each(|incoming| self.enter(subject(incoming)));
    }

    fn enter_due(&self) {
        let now = Instant::now();
        let due = || locked(&self.ctx.queue).take_due(now);
        std::iter::from_fn(due).for_each(|subject| self.enter(subject));
    }

    fn end(&mut self, ended: Result<(Id, Option<Duration>), JoinError>) {
        let (id, pause) = match ended {
            Ok((id, pause)) => (id, pause),
            // What is wrong with one object must not stop the work on all others.
            Err(error) => {
                tracing::error!(%error, "a reconciliation ended in the middle; will try again");
                (error.id(), Some(LONGEST_PAUSE))
            }
        };
        if let Some(index) = self.running.iter().position(|(running, _)| *running == id) {
            let (_, subject) = self.running.swap_remove(index);
            locked(&self.ctx.queue).done(&subject, pause.map(|pause| Instant::now() + pause));
        }
    }
}
