//! What the operator must be allowed to do: what the folders of `deploy` grant, asked of the API server one
//! by one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::super::text::counted;
use super::Check;

/// What is granted to the operator where it is installed from this repository.
const GRANTS: [&str; 3] = [
    include_str!("../../../deploy/base/secrets.yaml"),
    include_str!("../../../deploy/base/leases.yaml"),
    include_str!("../../../deploy/overlays/cluster/permissions.yaml"),
];
/// Most permissions that a line lists.
const MOST_LISTED: usize = 4;

/// Whom the operator acts as.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Account {
    /// The account of the operator where it is installed from this repository.
    #[must_use]
    pub fn usual() -> Self {
        Self { namespace: "agentslo-system".to_owned(), name: "agentslo".to_owned() }
    }

    /// How the API server names it.
    #[must_use]
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }

    /// The groups that it is in.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let own = format!("system:serviceaccounts:{}", self.namespace);
        vec!["system:serviceaccounts".to_owned(), own, "system:authenticated".to_owned()]
    }
}

/// One thing that the operator must be allowed to do.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Need {
    /// Whether the operator's own namespace is enough; else it is the whole cluster.
    pub is_own_namespace: bool,
    /// API group.
    pub group: String,
    /// Resource in plural, with its subresource.
    pub resource: String,
    /// Verb.
    pub verb: String,
    /// The one object that it is about, where it is not about all of them.
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    kind: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
    #[serde(default)]
    resource_names: Vec<String>,
}

/// Everything that the operator must be allowed to do.
///
/// # Panics
/// Never: the grants are part of the program.
#[must_use]
pub fn needs() -> Vec<Need> {
    let documents = GRANTS.iter().flat_map(|grants| {
        let documents: Result<Vec<Document>, _> = serde_saphyr::from_multiple(grants);
        documents.expect("the grants in the program should be YAML")
    });
    let mut needs: Vec<Need> = documents
        .flat_map(|document| {
            let is_own_namespace = document.kind == "Role";
            document.rules.into_iter().flat_map(move |rule| rule.needs(is_own_namespace))
        })
        .collect();
    needs.sort();
    needs
}

impl Rule {
    fn needs(&self, is_own_namespace: bool) -> Vec<Need> {
        let mut needs = Vec::new();
        for group in &self.api_groups {
            for resource in &self.resources {
                needs.extend(self.verbs.iter().map(|verb| Need {
                    is_own_namespace,
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                    name: self.resource_names.first().cloned(),
                }));
            }
        }
        needs
    }
}

/// Whether the account may do everything; none where the API server does not tell.
#[must_use]
pub fn permissions(account: &Account, missing: Option<&[Need]>) -> Check {
    let about = "permissions";
    let user = format!("ServiceAccount {}/{}", account.namespace, account.name);
    match missing {
        None => Check::unknown(
            about,
            format!("the API server does not tell what {user} may do"),
            "ask somebody who may create SubjectAccessReviews to run this",
        ),
        Some([]) => Check::ok(about, format!("{user} may do all that the operator does")),
        Some(missing) => {
            let listed: Vec<String> = missing
                .iter()
                .take(MOST_LISTED)
                .map(|need| format!("{} {}", need.verb, need.resource))
                .collect();
            let rest = if missing.len() > MOST_LISTED { ", ..." } else { "" };
            let found =
                format!("{user} lacks {}: {}{rest}", counted(missing.len(), "permission"), listed.join(", "));
            Check::problem(about, found, "add the rules that are printed below")
        }
    }
}

/// What grants the rest: roles and their bindings, as YAML.
#[must_use]
pub fn missing_rules(account: &Account, missing: &[Need]) -> String {
    let cluster: Vec<&Need> = missing.iter().filter(|need| !need.is_own_namespace).collect();
    let own: Vec<&Need> = missing.iter().filter(|need| need.is_own_namespace).collect();
    let roles = [("ClusterRole", cluster), ("Role", own)];
    let documents: Vec<String> = roles
        .into_iter()
        .filter(|(_, needs)| !needs.is_empty())
        .map(|(kind, needs)| role(kind, account, &needs))
        .collect();
    documents.join("---\n")
}

fn role(kind: &str, account: &Account, needs: &[&Need]) -> String {
    let name = "agentslo-missing";
    let metadata = match kind {
        "Role" => format!("{{name: {name}, namespace: {}}}", account.namespace),
        _ => format!("{{name: {name}}}"),
    };
    let header = |kind: &str| {
        format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {metadata}\n")
    };
    let subject = json!([{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}]);
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let (role, binding) = (header(kind), header(&format!("{kind}Binding")));
    format!("{role}rules:\n{}---\n{binding}roleRef: {reference}\nsubjects: {subject}\n", rules(needs))
}

/// Verbs of one resource in one rule.
fn rules(needs: &[&Need]) -> String {
    let mut verbs: BTreeMap<(&str, &str, Option<&str>), Vec<&str>> = BTreeMap::new();
    for need in needs {
        verbs.entry((&need.group, &need.resource, need.name.as_deref())).or_default().push(&need.verb);
    }
    let rule = |((group, resource, name), verbs): ((&str, &str, Option<&str>), Vec<&str>)| {
        let verbs = verbs.join(", ");
        let names = name.map(|name| format!(", resourceNames: [{name}]")).unwrap_or_default();
        format!("  - {{apiGroups: [\"{group}\"], resources: [{resource}]{names}, verbs: [{verbs}]}}\n")
    };
    let lines: Vec<String> = verbs.into_iter().map(rule).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn the_rules_that_are_printed_grant_what_is_missing() {
        let all = needs();
        assert!(all.len() > 40, "only {} needs were read", all.len());
        let printed = missing_rules(&Account::usual(), &all);
        let documents: Vec<serde_json::Value> =
            serde_saphyr::from_multiple(&printed).expect("what is printed should be YAML");
        let kinds: Vec<&str> = documents.iter().filter_map(|document| document["kind"].as_str()).collect();
        assert_eq!(kinds, ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]);
        let granted: usize = documents
            .iter()
            .flat_map(|document| document["rules"].as_array().cloned().unwrap_or_default())
            .map(|rule| rule["verbs"].as_array().map_or(0, Vec::len))
            .sum();
        assert_eq!(granted, all.len());
    }

    #[test]
    fn what_the_api_server_does_not_tell_is_not_granted() {
        let account = Account::usual();
        assert_eq!(permissions(&account, None).verdict, Verdict::Unknown);
        assert_eq!(permissions(&account, Some(&[])).verdict, Verdict::Ok);
        let check = permissions(&account, Some(&needs()));
        assert_eq!(check.verdict, Verdict::Problem);
        assert!(check.found.ends_with(", ..."), "{}", check.found);
    }
}
