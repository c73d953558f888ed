//! `agentslo` turns an `AgentSLO`, an objective for one AI agent, into recording rules and burn-rate
//! alerts, and reports the error budget back.
//!
//! ```text
//!             ┌──────────── shell ────────────┐ ┌───────────────── pure ─────────────────┐
//!  watch ──▶  gather ─────────────────────────▶ validate ──▶ render ──▶ plan
//!             facts: refs, owned, installed       │  Slo       Artifacts    Plan
//!                                                 ▼                          │
//!                                             Violations                     ▼
//!             apply  ◀───────────────────────────┼──────────────────── (apply, prune, cannot)
//!               │ Applied                        │
//!             measure ──▶ Reading                │
//!               │                                ▼
//!               └───────────────────────────▶ report(outcome, old status, now) ──▶ Option<Status>
//!             publish ◀──────────────────────────────────────────────────────────────┘
//! ```
//!
//! The rooms, in reading order:
//!
//! - *What others see*: [`vocabulary`], every name that we put into other systems; [`api`], what people
//!   write; [`foreign`], what we write of other projects' kinds; [`profiles`], which series an agent emits;
//!   [`collector_versions`], what each release of the Collector calls its components.
//! - *What we know to be true*: [`domain`], values that cannot be wrong once they exist.
//! - *What we decide*: [`validate`], from what was written to what is true, or every violation at once;
//!   [`render`], from what is true to artifacts; [`plan`], what to do with them; [`report`], what to say;
//!   [`simulate`], what every alert does in an incident; [`discover`], which profile fits what is
//!   there; [`exposition`], what is wrong with what an agent exposes; [`inspect`], what to tell people of a
//!   cluster.
//! - *What we do*: [`controller`], the watches and the effects; [`prometheus`], the client; [`server`],
//!   probes; [`metrics`], the operator's own numbers; [`cli`], one file per command.
//!
//! All but the last are pure: no IO, no `async`, no clock, no environment. A tidy test keeps them so.

pub mod api;
pub mod collector_versions;
pub mod foreign;
pub mod profiles;
pub mod vocabulary;

pub mod domain;

pub mod discover;
pub mod exposition;
pub mod inspect;
pub mod plan;
pub mod preview;
pub mod redact;
pub mod render;
pub mod report;
pub mod simulate;
pub mod validate;

pub mod cli;
pub mod controller;
pub mod metrics;
pub mod prometheus;
pub mod server;
