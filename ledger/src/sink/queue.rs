//! Where events wait for the next transaction. Its length is what bounds the memory of a sink: whoever finds it full
//! is told to come back later.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::metrics::Metrics;
use super::take::now;
use crate::intake::Received;
use crate::store::{Appended, Ledger, StoreError};

/// Requests that wait at most.
const PLACES: usize = 256;
/// Kilobytes of events that wait at most.
const MOST_KILOBYTES: u32 = 64 * 1024;
/// Events after which a transaction takes no further requests.
const BATCH: usize = 2_000;
/// Pause before a batch that could not be committed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause before a connection that nobody needs yet is tried again.
const IDLE: Duration = Duration::from_secs(5);
/// Times that a batch is tried before whoever sent it is told to come back.
const ATTEMPTS: u32 = 3;

/// Why events were not entered. Whoever sent them should send them again.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Busy {
    /// Too many wait.
    #[error("too many events wait to be written; send them again in a while")]
    Full,
    /// The database does not commit.
    #[error("the events could not be written; send them again in a while: {0}")]
    Unwritten(String),
}

/// The way in. Clones lead to the same place.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    places: Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// Events of one request, and whoever waits for them.
#[derive(Debug)]
pub(super) struct Waiting {
    events: Vec<Received>,
    answer: oneshot::Sender<Result<(), Busy>>,
    /// The room that they take, for as long as they wait.
    room: OwnedSemaphorePermit,
}

impl Queue {
    /// And where they wait.
    #[must_use]
    pub(super) fn new() -> (Self, Receiver<Waiting>) {
        let (sender, receiver) = channel(PLACES);
        (Self { places: sender, room: Arc::new(Semaphore::new(MOST_KILOBYTES as usize)) }, receiver)
    }

    /// Has events entered; done when they are committed.
    ///
    /// # Errors
    /// If they were not.
    pub(super) async fn enter(&self, events: Vec<Received>) -> Result<(), Busy> {
        if events.is_empty() {
            return Ok(());
        }
        let room = Arc::clone(&self.room).try_acquire_many_owned(kilobytes(&events));
        let room = room.map_err(|_| Busy::Full)?;
        let (answer, answered) = oneshot::channel();
        self.places.try_send(Waiting { events, answer, room }).map_err(|_| Busy::Full)?;
        answered.await.unwrap_or(Err(Busy::Full))
    }
}

/// The room that events take; one request can always have all of it.
fn kilobytes(events: &[Received]) -> u32 {
    let bytes: usize = events.iter().map(|event| event.canonical.len()).sum();
    u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(MOST_KILOBYTES)
}

/// Writes what waits until nobody is left who could send more. `connect` makes a new connection when the one before
/// is of no use any more.
pub(super) async fn write<F, C>(mut waiting: Receiver<Waiting>, connect: C, metrics: Metrics)
where
    C: Fn() -> F,
    F: Future<Output = Result<Ledger, StoreError>>,
{
    let mut writer = Writer { connect, ledger: None, metrics };
    writer.try_to_connect().await;
    loop {
        tokio::select! {
            first = waiting.recv() => {
                let Some(first) = first else { return };
                let Batch { events, answers, rooms } = batch(first, &mut waiting);
                let written = writer.persist(&events).await;
                drop((events, rooms));
                for answer in answers {
                    // Whoever does not wait any more will send again.
                    let _ = answer.send(written.clone());
                }
            }
            () = tokio::time::sleep(IDLE), if writer.ledger.is_none() => writer.try_to_connect().await,
        }
    }
}

/// What is written in one transaction, and who waits for it.
struct Batch {
    events: Vec<Received>,
    answers: Vec<oneshot::Sender<Result<(), Busy>>>,
    rooms: Vec<OwnedSemaphorePermit>,
}

/// The first and as many that wait behind it as fit into a transaction.
fn batch(first: Waiting, waiting: &mut Receiver<Waiting>) -> Batch {
    let mut batch = Batch { events: first.events, answers: vec![first.answer], rooms: vec![first.room] };
    while batch.events.len() < BATCH
        && let Ok(next) = waiting.try_recv()
    {
        batch.events.extend(next.events);
        batch.answers.push(next.answer);
        batch.rooms.push(next.room);
    }
    batch
}

struct Writer<C> {
    connect: C,
    ledger: Option<Ledger>,
    metrics: Metrics,
}

impl<F, C> Writer<C>
where
    C: Fn() -> F,
    F: Future<Output = Result<Ledger, StoreError>>,
{
    /// Has a connection before anybody needs it, so that whoever asks knows whether there will be one.
    async fn try_to_connect(&mut self) {
        match (self.connect)().await {
            Ok(ledger) => self.ledger = Some(ledger),
            Err(error) => tracing::warn!(%error, "there is no connection to the database"),
        }
        self.metrics.connected(self.ledger.is_some());
    }

    async fn persist(&mut self, events: &[Received]) -> Result<(), Busy> {
        let mut attempt = 1;
        loop {
            let begin = Instant::now();
            match self.attempt(events).await {
                Ok(appended) => {
                    self.metrics.committed(appended, begin.elapsed(), now().as_secs_f64());
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!(%error, attempt, "events could not be entered");
                    self.ledger = None;
                    self.metrics.failed();
                    if attempt == ATTEMPTS {
                        return Err(Busy::Unwritten(error.to_string()));
                    }
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn attempt(&mut self, events: &[Received]) -> Result<Appended, StoreError> {
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => (self.connect)().await?,
        };
        self.ledger.insert(ledger).append(events).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::entry::Entry;

    /// An event of so many kilobytes.
    fn event(kilobytes: usize) -> Received {
        let entry = Entry {
            at: "0".to_owned(),
            event: "x".repeat(kilobytes * 1024),
            session: None,
            user: None,
            trace: None,
            span: None,
            details: BTreeMap::new(),
            withheld: BTreeMap::new(),
        };
        Received::new("team-a/support".to_owned(), entry, None, None)
    }

    #[tokio::test]
    async fn whoever_finds_no_room_is_told_to_come_back() {
        let (queue, mut waiting) = Queue::new();
        let half = MOST_KILOBYTES as usize / 2 + 1;
        let first = tokio::spawn({
            let queue = queue.clone();
            async move { queue.enter(vec![event(half)]).await }
        });
        let taken = waiting.recv().await.expect("the first should wait");
        assert_eq!(queue.enter(vec![event(half)]).await, Err(Busy::Full), "there is no room for a second");
        taken.answer.send(Ok(())).expect("somebody should wait for the answer");
        drop(taken.room);
        assert_eq!(first.await.expect("it should end"), Ok(()));
        let second = queue.enter(vec![event(half)]);
        let answered = async { waiting.recv().await.expect("the second should wait").answer.send(Ok(())) };
        assert_eq!(tokio::join!(second, answered).0, Ok(()), "the room is given back");
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let (queue, _waiting) = Queue::new();
        let senders: Vec<_> = (0..PLACES)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.enter(vec![event(1)]).await })
            })
            .collect();
        while queue.places.capacity() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(queue.enter(vec![event(1)]).await, Err(Busy::Full));
        senders.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
