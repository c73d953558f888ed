//! The real API server keeps the promises that the one in memory keeps.

use bed::{Bed, Options, Part};

use crate::scenarios::conformance::{self, Ground};
use crate::stage;

/// Keeps what is promised, one after the other, each in a namespace of its own.
macro_rules! keep {
    ($bed:expr, $($name:ident),+ $(,)?) => {
        $(
            eprintln!("promise {}", stringify!($name));
            let namespace = stringify!($name).replace('_', "-");
            let namespace = &namespace[..namespace.len().min(60)];
            let yaml = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
            $bed.apply_yaml(&yaml).await.expect("the namespace should be accepted");
            let client = $bed.client("admin").expect("the bed should know its admin");
            conformance::$name(&Ground::new(&client, namespace)).await;
        )+
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_server_keeps_every_promise() {
    let bed =
        Bed::start(Options::nothing().with(Part::ControllerManager)).await.expect("the bed should start");
    stage::install(&bed, "team").await.expect("the CRDs should install");
    keep! {
        bed,
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
    bed.stop().await;
}
