//! What goes wrong: once, always, for ever after a certain write, or as the weather has it.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch;

use super::weather::Weather;
use crate::scenarios::Request;

/// Every fault that is prepared.
#[derive(Debug, Default)]
pub(super) struct Faults {
    once: Vec<Once>,
    forbidden: BTreeSet<(String, String)>,
    cut: Option<Cut>,
    pub(super) weather: Option<Weather>,
}

#[derive(Debug)]
struct Once {
    verb: String,
    path: String,
    fault: Fault,
}

/// The connection of a user breaks at one of its writes and stays broken.
#[derive(Debug)]
struct Cut {
    user: &'static str,
    writes_before: usize,
    moment: Moment,
    is_broken: watch::Sender<bool>,
}

/// When a connection breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// Before the write is carried out.
    Before,
    /// After it, so that only the answer is lost.
    After,
}

/// What befalls a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Refused(u16),
    Broken(Moment),
    /// The answer is what it would have been so many changes ago.
    Behind(usize),
    /// It takes its time, before it is carried out or after it.
    Late(Moment, Duration),
    /// A watch ends in the middle.
    Ends(Ending, Duration),
    /// Whoever asks panics, and nothing is carried out.
    Panic,
}

/// How a watch ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// As it should.
    Closed,
    /// What it would go on from is forgotten.
    Gone,
    /// In the middle of a line.
    Truncated,
    /// It does not end, and nothing comes any more.
    Silent,
}

impl Faults {
    pub(super) fn befall_once(&mut self, verb: &str, path: &str, fault: Fault) {
        self.once.push(Once { verb: verb.to_owned(), path: path.to_owned(), fault });
    }

    pub(super) fn forbid(&mut self, verb: &str, resource: &str) {
        self.forbidden.insert((verb.to_owned(), resource.to_owned()));
    }

    pub(super) fn permit(&mut self, verb: &str, resource: &str) {
        self.forbidden.remove(&(verb.to_owned(), resource.to_owned()));
    }

    /// Prepares to break the connection of a user at a write, counted from one. The receiver learns when
    /// it is broken.
    pub(super) fn cut(&mut self, user: &'static str, write: usize, moment: Moment) -> watch::Receiver<bool> {
        let (is_broken, broken) = watch::channel(false);
        self.cut = Some(Cut { user, writes_before: write, moment, is_broken });
        broken
    }

    pub(super) fn mend(&mut self) {
        self.cut = None;
    }

    /// What befalls a request to a path.
    pub(super) fn strike(&mut self, request: &Request, path: &str) -> Option<Fault> {
        self.break_off(request)
            .or_else(|| self.befall(request, path))
            .or_else(|| self.weather.as_mut()?.strike(request, path))
    }

    fn break_off(&mut self, request: &Request) -> Option<Fault> {
        let cut = self.cut.as_mut().filter(|cut| cut.user == request.user)?;
        if *cut.is_broken.borrow() {
            return Some(Fault::Broken(Moment::Before));
        }
        if request.is_write() {
            cut.writes_before -= 1;
        }
        (cut.writes_before == 0).then(|| {
            cut.is_broken.send_replace(true);
            Fault::Broken(cut.moment)
        })
    }

    fn befall(&mut self, request: &Request, path: &str) -> Option<Fault> {
        if request.user != super::OPERATOR {
            return None;
        }
        let is_due = |once: &Once| once.verb == request.verb && once.path == path;
        if let Some(index) = self.once.iter().position(is_due) {
            return Some(self.once.remove(index).fault);
        }
        let right = (request.verb.clone(), request.resource.clone());
        self.forbidden.contains(&right).then_some(Fault::Refused(403))
    }
}
