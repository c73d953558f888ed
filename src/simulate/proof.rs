//! Everything that a proof of one AgentSLO consists of: its rules, and a test for each incident.

use super::incident::Incident;
use super::rule_test::{RuleTest, rule_test};
use super::scene::{Form, Unprovable, forms};
use crate::domain::slo::Slo;
use crate::foreign::PrometheusRuleSpec;
use crate::render::rules::groups;

/// Name of the file with the rules, to which the tests refer.
pub const RULE_FILE: &str = "rules.yaml";

/// Rules and their tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The rules as rendered.
    pub rules: PrometheusRuleSpec,
    /// One test for each incident and form.
    pub cases: Vec<Case>,
}

/// The test of one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What happens.
    pub incident: Incident,
    /// How histograms are stored.
    pub form: Form,
    /// What must come of it.
    pub test: RuleTest,
}

impl Case {
    /// `total-outage`, or `total-outage.native` where histograms may be stored in two forms.
    #[must_use]
    pub fn name(&self) -> String {
        let form = self.form.name().map(|form| format!(".{form}")).unwrap_or_default();
        format!("{}{form}", self.incident.name())
    }

    /// Name of the test file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.test.yaml", self.name())
    }
}

/// The proof for every incident that can befall the indicator.
///
/// # Errors
/// If no series can be made up for the indicator.
pub fn proof(slo: &Slo, incidents: &[Incident]) -> Result<Proof, Unprovable> {
    let mut cases = Vec::new();
    for form in forms(slo) {
        for incident in incidents.iter().filter(|incident| incident.applies_to(&slo.indicator().measure)) {
            let test = rule_test(slo, *incident, form, RULE_FILE)?;
            cases.push(Case { incident: *incident, form, test });
        }
    }
    Ok(Proof { rules: PrometheusRuleSpec { groups: groups(slo) }, cases })
}
