//! The admission policies of `deploy/admission`, evaluated here: what they refuse is what validation calls not
//! permitted, in the same words, and they refuse nothing else.

use std::collections::BTreeMap;

use kube_cel::{CompiledVapExpression, VapError, VapEvaluator, VapExpression};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scenarios::unpermitted::{self, NAMESPACE_LABELS, verdict};
use crate::spec::spec;
use crate::workspace;

thread_local! {
    /// Compiled once for each test, which is far slower than evaluating.
    static POLICIES: Vec<Policy> = policies();
}

/// One policy, with its variables put in their places.
struct Policy {
    kind: &'static str,
    validation: Compiled,
    is_new: Compiled,
}

type Compiled = [Result<CompiledVapExpression, VapError>; 1];

fn policies() -> Vec<Policy> {
    let text = workspace::read("deploy/admission/policies.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("the policies should parse");
    let policies = documents.iter().filter(|document| document["kind"] == "ValidatingAdmissionPolicy");
    policies.map(policy).collect()
}

fn policy(document: &Value) -> Policy {
    let spec = &document["spec"];
    let plural = spec["matchConstraints"]["resourceRules"][0]["resources"][0].as_str();
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    for variable in spec["variables"].as_array().expect("a policy should have variables") {
        let expression = inlined(text(&variable["expression"]), &variables);
        variables.insert(text(&variable["name"]), expression);
    }
    let validations = spec["validations"].as_array().expect("a policy should have validations");
    assert_eq!(validations.len(), 1, "the API server shows the message of one");
    let compiled = |condition: &Value, message: &Value| {
        let expression = VapExpression {
            expression: inlined(text(condition), &variables),
            message: None,
            message_expression: message.as_str().map(|message| inlined(message, &variables)),
        };
        let mut compiled = VapEvaluator::builder().build().compile_expressions(&[expression]);
        [compiled.pop().expect("one expression should be compiled")]
    };
    Policy {
        kind: if plural == Some("agentslos") { "AgentSLO" } else { "AgentObservability" },
        validation: compiled(&validations[0]["expression"], &validations[0]["messageExpression"]),
        is_new: compiled(&spec["matchConditions"][0]["expression"], &Value::Null),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it should be text")
}

/// An expression with that of each variable in its place, the longest names first.
fn inlined(expression: &str, variables: &BTreeMap<&str, String>) -> String {
    let mut names: Vec<&&str> = variables.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(expression.to_owned(), |expression, name| {
        expression.replace(&format!("variables.{name}"), &format!("({})", variables[name]))
    })
}

/// What the policies say to an object that is applied for the first time.
fn refusal(platform: &Value, object: &Value) -> Option<String> {
    let labels: BTreeMap<&str, &str> = NAMESPACE_LABELS.into();
    let evaluator = VapEvaluator::builder()
        .object(object.clone())
        .params(platform.clone())
        .namespace_object(json!({"metadata": {"name": "team-a", "labels": labels}}))
        .build();
    let result = POLICIES.with(|policies| {
        let policy = policies.iter().find(|policy| object["kind"] == policy.kind);
        let policy = policy.expect("there should be a policy for each kind of a tenant");
        evaluator.evaluate_compiled(&policy.validation).remove(0)
    });
    (!result.passed).then(|| result.message.unwrap_or_default())
}

#[test]
fn policies_say_what_the_condition_says() {
    let (mut refused, mut accepted) = (0, 0);
    for (name, platform) in unpermitted::platforms() {
        for object in unpermitted::objects("team-a") {
            let expected = verdict(&platform, &object);
            assert_eq!(refusal(&platform, &object), expected, "{name}: {object}");
            *if expected.is_some() { &mut refused } else { &mut accepted } += 1;
        }
    }
    assert!(refused > 50 && accepted > 50, "{refused} refused, {accepted} accepted");
}

/// Whoever takes a finalizer off an object, or labels it, may do so whatever the platform says by then.
#[test]
fn only_a_new_spec_is_looked_at() {
    let object = unpermitted::objects("team-a").remove(1);
    let mut labelled = object.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let mut edited = object.clone();
    edited["spec"]["objective"] = "95".into();
    for policy in policies() {
        let is_looked_at = |old: &Value, new: &Value| {
            let evaluator = VapEvaluator::builder().object(new.clone()).old_object(old.clone()).build();
            evaluator.evaluate_compiled(&policy.is_new).remove(0).passed
        };
        assert!(is_looked_at(&Value::Null, &object));
        assert!(is_looked_at(&object, &edited));
        assert!(!is_looked_at(&object, &labelled));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn policies_refuse_nothing_that_validation_takes(spec in spec()) {
        let object = json!({
            "apiVersion": "agentslo.dev/v1alpha1", "kind": "AgentSLO",
            "metadata": {"name": "checkout", "namespace": "team-a"}, "spec": spec,
        });
        let platform = unpermitted::platform(&json!({}));
        prop_assert_eq!(refusal(&platform, &object), None);
    }
}
