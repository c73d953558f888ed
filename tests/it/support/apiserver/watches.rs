//! Watches: what changed since a version, and then every change as it happens, until they end well or badly.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use futures::stream;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use tower::BoxError;

use super::ApiServer;
use super::call::{Form, Pace};
use super::faults::Ending;
use super::store::{Selection, failure};

/// Time between two bookmarks, as on a real server.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);

/// Somebody who watches.
pub(super) struct Watch {
    pub(super) user: &'static str,
    pub(super) selection: Selection,
    /// The version up to which everything was told.
    pub(super) since: usize,
    pub(super) form: Form,
    pub(super) pace: Pace,
    pub(super) ending: Ending,
}

/// A watch under way.
struct Reading {
    server: ApiServer,
    changed: watch::Receiver<()>,
    watch: Watch,
    /// Which watch it is, in the order of their beginnings.
    number: u64,
    ends: Instant,
    next_bookmark: Instant,
    is_over: bool,
}

impl ApiServer {
    /// An answer that goes on for as long as somebody reads it, or until it ends.
    pub(super) fn watch(&self, mut watch: Watch) -> Response<Body> {
        let number = {
            let mut state = self.state();
            state.watches += 1;
            if !state.store.remembers(watch.since) {
                (watch.ending, watch.pace.lasts) = (Ending::Gone, Duration::ZERO);
            }
            state.watches
        };
        let reading = Reading {
            server: self.clone(),
            changed: self.changed.subscribe(),
            ends: Instant::now() + watch.pace.lasts,
            next_bookmark: Instant::now() + BOOKMARK_EVERY,
            watch,
            number,
            is_over: false,
        };
        let lines = stream::unfold(reading, async |mut reading| Some((reading.next().await?, reading)));
        Response::new(Body::from_stream(lines))
    }
}

impl Reading {
    /// The next lines, none where it is over.
    async fn next(&mut self) -> Option<Result<String, BoxError>> {
        while !self.is_over {
            self.server.let_pass(self.watch.user).await;
            self.changed.borrow_and_update();
            self.hear_of_the_end();
            if self.ends <= Instant::now() {
                self.is_over = true;
                return self.end().await;
            }
            let lines = self.news();
            if !lines.is_empty() {
                return Some(Ok(lines));
            }
            tokio::select! {
                biased;
                changed = self.changed.changed() => changed.ok()?,
                () = tokio::time::sleep_until(self.ends.min(self.next_bookmark)) => {}
            }
        }
        // What was told last was only half a line.
        (self.watch.ending == Ending::Truncated).then(|| Err("the connection broke".into()))
    }

    /// Somebody may have ended it before its time, or what it has not told yet is forgotten.
    fn hear_of_the_end(&mut self) {
        let plural = &self.watch.selection.collection.plural;
        let state = self.server.state();
        if let Some((until, ending)) = state.ended.get(plural)
            && self.number <= *until
        {
            (self.watch.ending, self.ends) = (*ending, Instant::now());
        }
        if !state.store.remembers(self.watch.since) {
            (self.watch.ending, self.ends) = (Ending::Gone, Instant::now());
        }
    }

    async fn end(&mut self) -> Option<Result<String, BoxError>> {
        match self.watch.ending {
            Ending::Closed => None,
            Ending::Truncated => Some(Ok(self.news() + "{\"type\":\"MODIFIED\",\"obj")),
            Ending::Silent => std::future::pending().await,
            Ending::Gone => {
                let (_, status) = failure(410, "too old resource version");
                Some(Ok(format!("{}\n", json!({"type": "ERROR", "object": status}))))
            }
        }
    }

    /// Changes since the last ones, one line of JSON for each, or a bookmark when it is time.
    fn news(&mut self) -> String {
        let Watch { selection, since, form, pace, .. } = &mut self.watch;
        let state = self.server.state();
        let until = state.visible(&selection.collection.plural, state.store.version());
        let changes = state.store.changes_between(*since, until, selection);
        *since = until.max(*since);
        let lines: Vec<String> = changes
            .into_iter()
            .map(|(kind, object)| format!("{}\n", json!({"type": kind, "object": form.shape(object)})))
            .collect();
        let lines = lines.concat();
        if self.next_bookmark > Instant::now() {
            return lines;
        }
        self.next_bookmark = Instant::now() + BOOKMARK_EVERY;
        let place = &selection.collection;
        let kind = place.kind().map_or("", |kind| kind.name);
        let bookmark = json!({"type": "BOOKMARK", "object": {
            "apiVersion": place.group_version, "kind": kind, "metadata": {"resourceVersion": since.to_string()},
        }});
        if pace.has_bookmarks { format!("{lines}{bookmark}\n") } else { lines }
    }
}
