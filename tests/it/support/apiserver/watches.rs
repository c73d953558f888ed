//! Watches: what changed since a version, and then every change as it happens.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::Response;
use futures::stream;
use serde_json::json;

use super::ApiServer;
use super::call::Form;
use super::store::Selection;

impl ApiServer {
    /// An answer that goes on for as long as somebody reads it.
    pub(super) fn watch(&self, selection: Selection, since: usize, form: Form) -> Response<Body> {
        let changed = self.changed.subscribe();
        let start = (self.clone(), changed, since);
        let lines = stream::unfold(start, move |(server, mut changed, mut since)| {
            let selection = selection.clone();
            async move {
                loop {
                    changed.borrow_and_update();
                    let lines = server.news(&selection, &mut since, form);
                    if !lines.is_empty() {
                        return Some((Ok::<_, Infallible>(lines), (server, changed, since)));
                    }
                    changed.changed().await.ok()?;
                }
            }
        });
        Response::new(Body::from_stream(lines))
    }

    /// Changes after a version, one line of JSON for each.
    fn news(&self, selection: &Selection, since: &mut usize, form: Form) -> String {
        let state = self.state();
        let changes = state.store.changes_after(*since, selection);
        *since = state.store.version();
        let lines = changes
            .into_iter()
            .map(|(kind, object)| format!("{}\n", json!({"type": kind, "object": form.shape(object)})));
        lines.collect()
    }
}
