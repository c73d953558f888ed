//! Laws of alert text: what people wrote arrives as they wrote it, and never runs as a template.

use proptest::prelude::*;
use serde_json::json;

use crate::promql::rules_of;
use crate::spec::{hostile_text, spec, valid, validated, with_indicator};

proptest! {
    #[test]
    fn annotations_of_people_arrive_as_written(text in hostile_text()) {
        let mut spec = with_indicator(&json!({"success": {}}));
        spec["description"] = text.clone().into();
        spec["alerting"] = json!({"annotations": {"note": text.clone()}, "labels": {"team": text.clone()}});
        for rule in rules_of(&valid(&spec)).iter().filter(|rule| rule.alert.is_some()) {
            prop_assert_eq!(&rule.annotations["note"], &text);
            prop_assert_eq!(&rule.annotations["description"], &text);
            prop_assert_eq!(&rule.labels["team"], &text);
        }
    }

    #[test]
    fn every_template_is_closed(spec in spec()) {
        for rule in rules_of(&valid(&spec)) {
            for text in rule.annotations.values() {
                prop_assert_eq!(text.matches("{{ with ").count(), text.matches("{{ end }}").count(), "{}", text);
            }
        }
    }

    #[test]
    fn text_with_braces_is_refused(before in hostile_text(), after in hostile_text()) {
        let text = format!("{before}{{{{ query `up` }}}}{after}");
        let places = [
            json!({"agent": text}),
            json!({"description": text}),
            json!({"alerting": {"labels": {"team": text}}}),
            json!({"alerting": {"annotations": {"note": text}}}),
        ];
        for place in places {
            let mut spec = with_indicator(&json!({"success": {}}));
            for (key, value) in place.as_object().expect("places should be objects") {
                spec[key] = value.clone();
            }
            prop_assert!(validated(&spec).is_err(), "{}", spec);
        }
    }
}

/// The only way to braces is by filling in a place-holder: both halves are legal, the whole is not.
#[test]
fn an_agents_name_is_one_part_of_a_runbook_url_whatever_it_holds() {
    let mut spec = with_indicator(&json!({"success": {}}));
    spec["agent"] = "{b/c d?é}".into();
    spec["alerting"] = json!({"runbookURL": "https://runbooks.example/{agent}/x-{agent}"});
    for rule in rules_of(&valid(&spec)).iter().filter(|rule| rule.alert.is_some()) {
        let part = "%7Bb%2Fc%20d%3F%C3%A9%7D";
        assert_eq!(rule.annotations["runbook_url"], format!("https://runbooks.example/{part}/x-{part}"));
    }
}
