//! From policies to the pairs in force: what the objective, the measure and the traffic make of them.

use crate::api::v1alpha1::Estimator;
use crate::domain::alerting::LeftOut;
use crate::domain::burn_rate::{self, Pair, Policy, Urgency};
use crate::domain::estimator::LongTest;

use super::alerting::Target;

/// The pairs in force, and what became of the others.
#[derive(Default)]
pub(super) struct InForce {
    pub(super) pairs: Vec<Pair>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) unfed: Vec<Pair>,
}

/// What decides whether a pair can fire.
pub(super) struct Judge<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) estimator: Estimator,
    pub(super) min_failures: i32,
}

impl Judge<'_> {
    /// The pairs of policies that a user wrote: their windows are as they were written.
    pub(super) fn written(&self, policies: Vec<Policy>) -> InForce {
        self.sort_out(self.pairs(policies), Vec::new())
    }

    /// The pairs of the catalogue, with windows for the traffic.
    pub(super) fn fitted(&self, policies: Vec<Policy>) -> InForce {
        let mut pairs = self.pairs(policies);
        if let Some(traffic) = self.target.traffic {
            // One that cannot fire waits for better times, and then its windows are right.
            for pair in pairs.iter_mut().filter(|pair| self.is_fed(pair)) {
                pair.short = traffic.short_window(pair.short, pair.long);
            }
        }
        let (pairs, moved) = self.move_pages(&pairs);
        self.sort_out(pairs, moved)
    }

    fn pairs(&self, policies: Vec<Policy>) -> Vec<Pair> {
        let (objective, window) = (self.target.objective, self.target.window);
        policies.into_iter().map(|policy| burn_rate::pair(policy, objective, window)).collect()
    }

    /// Lets a page whose long window has too few events look at the next longer one that has enough.
    /// Where none has, it stays: traffic may come back.
    fn move_pages(&self, pairs: &[Pair]) -> (Vec<Pair>, Vec<LeftOut>) {
        let (mut kept, mut moved): (Vec<Pair>, Vec<LeftOut>) = (Vec::new(), Vec::new());
        for pair in pairs {
            let longer = || pairs.iter().find(|other| other.long > pair.long && self.is_fed(other));
            let instead = (pair.urgency == Urgency::Page && !self.is_fed(pair)).then(longer).flatten();
            moved.extend(instead.map(|longer| LeftOut { pair: *pair, instead: Some(longer.long) }));
            let pair = instead.map_or(*pair, |longer| Pair { urgency: pair.urgency, ..*longer });
            if !kept.contains(&pair) {
                kept.push(pair);
            }
        }
        kept.sort_by_key(|pair| (pair.urgency, pair.long));
        (kept, moved)
    }

    /// Leaves out what the measure makes impossible, and notes what the traffic does.
    fn sort_out(&self, pairs: Vec<Pair>, mut left_out: Vec<LeftOut>) -> InForce {
        let (pairs, impossible): (Vec<Pair>, Vec<Pair>) = pairs.into_iter().partition(|pair| {
            let most = self.target.indicator.measure.most_events_per_hour();
            self.can_fire(pair, most)
        });
        left_out.extend(impossible.into_iter().map(|pair| LeftOut { pair, instead: None }));
        let unfed = pairs.iter().filter(|pair| !self.is_fed(pair)).copied().collect();
        InForce { pairs, left_out, unfed }
    }

    /// Whether a total outage has events enough to fire the pair, as far as is known.
    fn is_fed(&self, pair: &Pair) -> bool {
        let traffic = self.target.traffic.map(crate::domain::traffic::Traffic::events_per_hour);
        self.can_fire(pair, self.target.indicator.measure.most_events_per_hour())
            && self.can_fire(pair, traffic)
    }

    fn can_fire(&self, pair: &Pair, events_per_hour: Option<f64>) -> bool {
        let test = LongTest::of(pair, self.target.objective, self.estimator, self.min_failures);
        events_per_hour.is_none_or(|per_hour| {
            let most = (per_hour * pair.long.hours()).floor();
            test.is_exceeded(most, most)
        })
    }
}
