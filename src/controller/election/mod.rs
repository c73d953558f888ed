//! Which replica is responsible for which namespaces: one Lease for each shard. Leader election is the
//! case of one shard; the replicas without it keep their caches warm and wait.

mod decide;
mod keeper;
mod tenure;

pub(super) use keeper::Keeper;
pub(super) use tenure::Tenure;
