//! The one way in which we write objects: server-side apply under our name, forced. An API server reads it as
//! YAML 1.1, whatever was sent: some characters would be folded like line breaks and others refused, so they
//! travel as escapes, which JSON and YAML have in common.

use std::fmt::Debug;
use std::fmt::Write as _;

use kube::api::{Patch, PatchParams, Request};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::vocabulary::FIELD_MANAGER;

/// Applies an object, whichever other manager has its fields. A plan only writes what is ours or what is not
/// there.
pub(super) async fn apply<K: Resource + Clone + Debug + DeserializeOwned>(
    api: &Api<K>,
    name: &str,
    object: &Value,
) -> Result<K, kube::Error> {
    let request = Request::new(api.resource_url()).patch(name, &ours(), &Patch::Apply(object));
    send(api, request).await
}

/// Applies the status of an object.
pub(super) async fn apply_status<K: Resource + Clone + Debug + DeserializeOwned>(
    api: &Api<K>,
    name: &str,
    object: &Value,
) -> Result<K, kube::Error> {
    let request =
        Request::new(api.resource_url()).patch_subresource("status", name, &ours(), &Patch::Apply(object));
    send(api, request).await
}

fn ours() -> PatchParams {
    PatchParams::apply(FIELD_MANAGER).force()
}

async fn send<K: Resource + Clone + Debug + DeserializeOwned>(
    api: &Api<K>,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<K, kube::Error> {
    let request = request.map_err(kube::Error::BuildRequest)?.map(|body| escaped(&body));
    api.clone().into_client().request(request).await
}

/// JSON with escapes for what YAML does not take as it is. Outside of strings JSON has only ASCII.
fn escaped(json: &[u8]) -> Vec<u8> {
    let json = std::str::from_utf8(json).expect("JSON that was just made should be UTF-8");
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if is_kept_by_yaml(character) {
            safe.push(character);
        } else {
            write!(safe, "\\u{:04x}", u32::from(character)).expect("writing to a string should not fail");
        }
    }
    safe.into_bytes()
}

/// The others are DEL, the controls above ASCII, with NEL among them, the two separators that are line breaks,
/// the byte-order mark, and what is no character at all.
fn is_kept_by_yaml(character: char) -> bool {
    !matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_would_change_is_escaped_and_nothing_else() {
        let text = "a\"\\\n{}é😀\u{a0}\u{e000}\u{10ffff} \u{7f}\u{80}\u{85}\u{9f}\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}";
        let json = Value::from(text).to_string();
        let sent = String::from_utf8(escaped(json.as_bytes())).expect("it should be text");
        assert_eq!(serde_json::from_str::<String>(&sent).as_deref().ok(), Some(text));
        assert!(sent.chars().all(is_kept_by_yaml), "{sent}");
        let (same, _) = json.split_once('\u{7f}').expect("the text has it");
        assert!(sent.starts_with(same), "{sent}");
    }
}
