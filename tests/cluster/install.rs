//! The ways in: the chart by Helm itself, the folders of `deploy/` by kubectl, and what Argo CD makes of
//! both, against a real API server where there is something to accept.

mod alerts;
mod chart;
mod folders;
mod gitops;
mod health;
mod helm;
mod installed;
mod release;
