//! The real API server keeps the promises that the one in memory keeps.

use bed::{Bed, Options, Part};

use crate::scenarios::conformance::{self, Ground, every_promise};
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
    every_promise!(keep, bed);
    bed.stop().await;
}
