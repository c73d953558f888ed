//! The operator's permissions: exactly what it uses, seen by the API server's own audit log.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::stage;

/// A verb on a resource.
type Use = (String, String);

/// The bed's user that has the operator's permissions.
pub(crate) const OPERATOR: &str = "operator";

/// What the audit log says that a user did.
pub(crate) fn used(audit_log: &str, user: &str) -> BTreeSet<Use> {
    audit_log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["user"]["username"] == user)
        .filter_map(|event| {
            let object = event.get("objectRef")?;
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let resource = text(&object["resource"])?;
            let subresource = text(&object["subresource"]).map(|name| format!("/{name}")).unwrap_or_default();
            Some((text(&event["verb"])?, format!("{resource}{subresource}")))
        })
        .collect()
}

/// Writes of the operator, and its reads other than watches: what each was and what it was done to.
pub(crate) fn requests(audit_log: &str) -> Vec<String> {
    requests_of(OPERATOR, audit_log)
}

/// The same of a user.
pub(crate) fn requests_of(user: &str, audit_log: &str) -> Vec<String> {
    audit_log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["user"]["username"] == user && event.get("objectRef").is_some())
        .filter(|event| event["verb"] != "watch")
        .map(|event| format!("{} {}", event["verb"], event["requestURI"]))
        .collect()
}

/// What `deploy/` grants.
pub(crate) fn granted() -> BTreeSet<Use> {
    let documents = stage::RBAC.iter().flat_map(|text| serde_saphyr::from_multiple(text));
    granted_by(documents.flatten())
}

/// What roles grant; other objects grant nothing.
pub(crate) fn granted_by(objects: impl IntoIterator<Item = Value>) -> BTreeSet<Use> {
    #[derive(Deserialize)]
    struct Role {
        #[serde(default)]
        rules: Vec<Rule>,
    }
    #[derive(Deserialize)]
    struct Rule {
        resources: Vec<String>,
        verbs: Vec<String>,
    }
    let roles = objects
        .into_iter()
        .map(|object| serde_json::from_value::<Role>(object).expect("an object should have a role's shape"));
    roles
        .flat_map(|role| role.rules)
        .flat_map(|rule| {
            let verbs = rule.verbs;
            rule.resources
                .into_iter()
                .flat_map(move |resource| verbs.clone().into_iter().map(move |verb| (verb, resource.clone())))
        })
        .collect()
}
