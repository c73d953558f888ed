//! Decides what a replica does with the Leases. Does nothing, and reads no clock.

use std::collections::BTreeMap;
use std::time::Duration;

/// How long a Lease is good for after it was renewed. Others wait that long, as they see it.
pub(super) const DURATION: Duration = Duration::from_secs(15);
/// How long its holder relies on it: less, so that what it began before is over when others may start.
pub(super) const RELIANCE: Duration = Duration::from_secs(10);
/// Time between two renewals.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How much longer a replica waits for a free Lease for each one that it has, so that those with fewer
/// come first.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a replica knows of one Lease.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Who holds it, by what it says; nobody where it was released or was never there.
    pub(super) holder: Option<String>,
    /// Who asks its holder to give it up.
    pub(super) wanted_by: Option<String>,
    /// How long it has said the same.
    pub(super) unchanged_for: Duration,
    /// How long ago this replica renewed it; none where it does not rely on it.
    pub(super) renewed: Option<Duration>,
}

impl Known {
    fn is_free(&self, patience: Duration) -> bool {
        let wait = if self.holder.is_some() { DURATION } else { Duration::ZERO };
        self.renewed.is_none() && self.unchanged_for >= wait + patience
    }

    fn live_holder(&self) -> Option<&str> {
        self.holder.as_deref().filter(|_| self.unchanged_for < DURATION)
    }
}

/// What to do with a Lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// Take it.
    Claim,
    /// Say that it is still held.
    Renew,
    /// Give it up to whoever comes first.
    Release,
    /// Ask its holder to give it up.
    Ask,
}

/// Decides what the replica `me` does now with each Lease. What is held comes first.
pub(super) fn decide(me: &str, leases: &[Known]) -> Vec<(usize, Step)> {
    let kept: Vec<(usize, Step)> =
        leases.iter().enumerate().filter_map(|(shard, known)| Some((shard, keep(me, known)?))).collect();
    let held = leases.iter().filter(|known| known.renewed.is_some()).count();
    let patience = PATIENCE * u32::try_from(held).unwrap_or(u32::MAX);
    let free = leases.iter().position(|known| known.is_free(patience)).map(|shard| (shard, Step::Claim));
    let wanted = || too_many(me, leases, held).map(|shard| (shard, Step::Ask));
    kept.into_iter().chain(free.or_else(wanted)).collect()
}

/// What to do with a Lease that is held.
fn keep(me: &str, known: &Known) -> Option<Step> {
    let renewed = known.renewed?;
    if known.wanted_by.as_deref().is_some_and(|other| other != me) {
        return Some(Step::Release);
    }
    (renewed >= RENEW_EVERY).then_some(Step::Renew)
}

/// A Lease of a replica that holds at least two more than this one, unless one was asked for already or
/// is about to become free.
fn too_many(me: &str, leases: &[Known], held: usize) -> Option<usize> {
    let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (shard, known) in leases.iter().enumerate() {
        if known.wanted_by.is_some() {
            return None;
        }
        holders.entry(known.live_holder()?).or_default().push(shard);
    }
    holders.remove(me);
    let richest = holders.into_values().max_by_key(Vec::len)?;
    (richest.len() >= held + 2).then(|| richest[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn free() -> Known {
        Known { unchanged_for: SECOND * 60, ..Known::default() }
    }

    fn of(holder: &str, unchanged_for: u32) -> Known {
        Known { holder: Some(holder.to_owned()), unchanged_for: SECOND * unchanged_for, ..Known::default() }
    }

    fn held(renewed: u32) -> Known {
        Known { renewed: Some(SECOND * renewed), ..of("me", renewed) }
    }

    fn wanted(by: &str, known: Known) -> Known {
        Known { wanted_by: Some(by.to_owned()), ..known }
    }

    #[test]
    fn a_lease_is_taken_when_nobody_holds_it_and_kept_while_it_is() {
        let cases = [
            (vec![free()], vec![(0, Step::Claim)]),
            (vec![of("other", 14)], vec![]),
            (vec![of("other", 15)], vec![(0, Step::Claim)]),
            (vec![held(4)], vec![]),
            (vec![held(5)], vec![(0, Step::Renew)]),
            // What this replica held and can no longer rely on it may take again like anybody else.
            (vec![of("me", 14)], vec![]),
            (vec![of("me", 15)], vec![(0, Step::Claim)]),
            // Who has one already lets others come first.
            (vec![held(0), of("dead", 15)], vec![]),
            (vec![held(0), of("dead", 16)], vec![(1, Step::Claim)]),
            (vec![held(5), free()], vec![(0, Step::Renew), (1, Step::Claim)]),
        ];
        for (leases, expected) in cases {
            assert_eq!(decide("me", &leases), expected, "{leases:?}");
        }
    }

    #[test]
    fn who_has_too_many_is_asked_for_one_and_gives_it_up() {
        let cases = [
            (vec![of("rich", 1), of("rich", 1)], vec![(0, Step::Ask)]),
            (vec![held(0), of("rich", 1), of("rich", 1)], vec![]),
            (vec![held(0), of("rich", 1), of("rich", 1), of("rich", 1)], vec![(1, Step::Ask)]),
            (vec![of("rich", 1), wanted("third", of("rich", 1))], vec![]),
            (vec![of("rich", 1), of("rich", 1), of("dying", 15)], vec![(2, Step::Claim)]),
            (vec![wanted("poor", held(0)), held(0)], vec![(0, Step::Release)]),
        ];
        for (leases, expected) in cases {
            assert_eq!(decide("me", &leases), expected, "{leases:?}");
        }
    }
    /// Replicas and the Leases that they share, second by second.
    struct World {
        now: u32,
        leases: Vec<Shared>,
        replicas: Vec<Replica>,
    }

    #[derive(Clone, Default)]
    struct Shared {
        holder: Option<usize>,
        wanted_by: Option<usize>,
        written: u32,
    }

    struct Replica {
        /// What it has seen of each Lease, and since when it says the same.
        seen: Vec<(Shared, u32)>,
        /// When it last renewed each.
        renewed: Vec<Option<u32>>,
        is_frozen: bool,
    }

    impl World {
        fn new(replicas: usize, leases: usize) -> Self {
            let replica = |_| Replica {
                seen: vec![(Shared::default(), 0); leases],
                renewed: vec![None; leases],
                is_frozen: false,
            };
            let replicas = (0..replicas).map(replica).collect();
            Self { now: 0, leases: vec![Shared::default(); leases], replicas }
        }

        fn tick(&mut self) {
            self.now += 1;
            for replica in 0..self.replicas.len() {
                if !self.replicas[replica].is_frozen {
                    self.turn(replica);
                }
            }
        }

        /// A replica sees the Leases and acts on what it saw. A write of what has changed since would be
        /// refused, and nobody is between here.
        fn turn(&mut self, replica: usize) {
            for (lease, (before, since)) in self.leases.iter().zip(&mut self.replicas[replica].seen) {
                if (before.holder, before.written) != (lease.holder, lease.written) {
                    *since = self.now;
                }
                *before = lease.clone();
            }
            let name = |replica: usize| format!("replica-{replica}");
            let relied: Vec<bool> = (0..self.leases.len()).map(|lease| self.relies(replica, lease)).collect();
            let of = &mut self.replicas[replica];
            let known: Vec<Known> = (0..self.leases.len())
                .map(|lease| Known {
                    holder: of.seen[lease].0.holder.map(name),
                    wanted_by: of.seen[lease].0.wanted_by.map(name),
                    unchanged_for: SECOND * (self.now - of.seen[lease].1),
                    renewed: of.renewed[lease].filter(|_| relied[lease]).map(|at| SECOND * (self.now - at)),
                })
                .collect();
            for (lease, step) in decide(&name(replica), &known) {
                let shared = &mut self.leases[lease];
                let written = self.now;
                match step {
                    Step::Ask => shared.wanted_by = Some(replica),
                    Step::Release => *shared = Shared { written, ..Shared::default() },
                    Step::Claim | Step::Renew => {
                        *shared = Shared { holder: Some(replica), wanted_by: None, written };
                    }
                }
                of.renewed[lease] = matches!(step, Step::Claim | Step::Renew).then_some(self.now);
            }
        }

        fn relies(&self, replica: usize, lease: usize) -> bool {
            let of = &self.replicas[replica];
            let renewed = of.renewed[lease].filter(|renewed| SECOND * (self.now - renewed) < RELIANCE);
            renewed.is_some() && self.leases[lease].holder == Some(replica) || {
                // Who is frozen has not seen that another took it, and relies on its own clock.
                renewed.is_some() && of.is_frozen
            }
        }

        fn relying(&self, lease: usize) -> usize {
            (0..self.replicas.len()).filter(|replica| self.relies(*replica, lease)).count()
        }

        fn held_by(&self, replica: usize) -> usize {
            (0..self.leases.len()).filter(|lease| self.relies(replica, *lease)).count()
        }
    }

    proptest::proptest! {
        #[test]
        fn two_never_rely_on_one_lease_and_in_the_end_all_have_their_share(
            (replicas, leases) in (1_usize..5, 1_usize..6),
            freezes in proptest::collection::vec((0_usize..5, 1_u32..40, 1_u32..40), 0..8),
        ) {
            let mut world = World::new(replicas, leases);
            for (replica, frozen_for, then) in freezes {
                let replica = replica % replicas;
                for (is_frozen, ticks) in [(true, frozen_for), (false, then)] {
                    world.replicas[replica].is_frozen = is_frozen;
                    for _ in 0..ticks {
                        world.tick();
                        for lease in 0..leases {
                            proptest::prop_assert!(world.relying(lease) <= 1, "{} at {}", lease, world.now);
                        }
                    }
                }
            }
            for _ in 0..60 {
                world.tick();
            }
            let held: Vec<usize> = (0..replicas).map(|replica| world.held_by(replica)).collect();
            proptest::prop_assert_eq!(held.iter().sum::<usize>(), leases);
            proptest::prop_assert!(held.iter().max().unwrap() - held.iter().min().unwrap() <= 1, "{:?}", held);
        }
    }
}
