//! Events are written when there is time: nobody's rules and no status wait for them. So many may wait, as with
//! other controllers of Kubernetes, and one that finds no place is dropped: the status says all of it, too.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;
use kube::runtime::events::{Event, Recorder, Reporter};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::context::Context;
use crate::vocabulary::FIELD_MANAGER;

/// Events that wait at most, which is what client-go has. The recorder keeps each for six minutes, and it is
/// after a start with thousands of new AgentSLOs that this would be memory.
const MOST: usize = 1_000;

/// Where Events wait.
pub(super) struct Events(Sender<Told>);

/// Those that wait.
pub(super) struct Waiting(Receiver<Told>);

struct Told {
    about: ObjectReference,
    event: Event,
}

impl Events {
    pub(super) fn new() -> (Self, Waiting) {
        let (sender, receiver) = channel(MOST);
        (Self(sender), Waiting(receiver))
    }

    /// Has an Event about an object written. False where there is no place for it.
    pub(super) fn tell(&self, subject: &impl Resource<DynamicType = ()>, event: Event) -> bool {
        self.0.try_send(Told { about: subject.object_ref(&()), event }).is_ok()
    }
}

impl Waiting {
    /// Writes them, one after the other, for as long as it is polled.
    pub(super) async fn write(mut self, ctx: Arc<Context>) {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: None };
        let recorder = Recorder::new(ctx.client.clone(), reporter);
        while let Some(told) = self.0.recv().await {
            told.write(&recorder, &ctx).await;
        }
    }
}

impl Told {
    async fn write(&self, recorder: &Recorder, ctx: &Context) {
        let Self { about, event } = self;
        if ctx.may_write(about.namespace.as_deref()).is_err() {
            return;
        }
        if let Err(error) = recorder.publish(event, about).await {
            let ObjectReference { namespace, name, .. } = about;
            tracing::warn!(namespace, name, %error, "could not write an Event");
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::runtime::events::EventType;

    use super::*;
    use crate::api::v1alpha1::{AgentPlatform, AgentPlatformSpec};

    #[test]
    fn of_too_many_the_last_is_dropped() {
        let (events, mut waiting) = Events::new();
        let platform = AgentPlatform::new("default", AgentPlatformSpec::default());
        let tell = || {
            let event = Event {
                type_: EventType::Normal,
                reason: "RulesApplied".to_owned(),
                note: None,
                action: "Apply".to_owned(),
                secondary: None,
            };
            events.tell(&platform, event)
        };
        assert!((0..MOST).all(|_| tell()));
        assert!(!tell());
        assert!(waiting.0.try_recv().is_ok());
        assert!(tell(), "there is a place again");
    }
}
