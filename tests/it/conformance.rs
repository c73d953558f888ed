//! The API server in memory keeps the promises that the real one keeps.

use crate::faults::stage::{Stage, namespace, on_a_jumping_clock};
use crate::scenarios::conformance::{self, Ground};

macro_rules! promises {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                on_a_jumping_clock(async {
                    let stage = Stage::default();
                    stage.write(&namespace("team-a", &serde_json::json!({})));
                    stage.write(&namespace("team-b", &serde_json::json!({})));
                    stage.server.compact();
                    conformance::$name(&Ground::new(&stage.server.client("somebody"), "team-a")).await;
                });
            }
        )+
    };
}

promises! {
    a_generation_counts_edits_of_the_spec,
    a_status_is_written_by_its_own_door,
    each_keeps_the_fields_that_it_applied,
    items_with_a_key_are_merged,
    what_has_changed_is_not_written_over_or_deleted,
    what_has_a_finalizer_waits_for_it,
    what_nobody_owns_any_more_is_collected,
    a_watch_tells_what_came_after_a_version,
    a_watch_from_what_is_forgotten_is_refused,
    a_bookmark_tells_how_far_a_watch_has_come,
    a_dry_run_leaves_nothing,
}
