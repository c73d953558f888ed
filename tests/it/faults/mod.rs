//! What may go wrong, and what must hold all the same: every field set, changed and unset; every mistake
//! made and put right; every fault of the API server, alone and in random company.

mod contest;
mod crash;
mod differential;
mod events;
mod fields;
pub(crate) mod leaves;
mod moment;
mod outcome;
mod panic;
mod recovery;
pub(crate) mod stage;
mod stale;
mod steps;
mod storm;
mod unseen;
pub(crate) mod values;
mod world;
