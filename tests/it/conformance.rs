//! The API server in memory keeps the promises that the real one keeps.

use crate::faults::stage::{Stage, namespace, on_a_jumping_clock};
use crate::scenarios::conformance::{self, Ground, every_promise};

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

every_promise!(promises);
