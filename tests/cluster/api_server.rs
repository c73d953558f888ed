//! An API server with our kinds, for tests that only ask whether it takes something.

use agentslo::api::v1alpha1::custom_resource_definitions;
use bed::{Bed, Options};
use tokio::sync::OnceCell;

/// An API server with our kinds, shared by the tests of this binary.
pub(crate) async fn api_server() -> &'static Bed {
    static BED: OnceCell<Bed> = OnceCell::const_new();
    BED.get_or_init(|| async {
        let bed = Bed::start(Options::default()).await.expect("etcd and kube-apiserver should start");
        let folder = tempfile::tempdir().expect("there should be room for a folder");
        for definition in custom_resource_definitions() {
            let file = folder.path().join("definition.json");
            let text = serde_json::to_string(&definition).expect("a definition should be JSON");
            std::fs::write(&file, text).expect("there should be room for a file");
            // Client-side apply: what most people do, with its limit of 256 kB.
            bed.kubectl(&["apply", "-f", &file.display().to_string()]).await.expect("the CRD should install");
        }
        bed.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"])
            .await
            .expect("the CRDs should be established");
        bed
    })
    .await
}

/// What the API server says to a document, without keeping it; none where it takes it.
pub(crate) async fn refusal(bed: &Bed, document: &str) -> Option<String> {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("there should be room for a file");
    std::fs::write(file.path(), document).expect("there should be room for a file");
    let path = file.path().display().to_string();
    let said = bed.kubectl(&["create", "--dry-run=server", "--validate=strict", "-f", &path]).await;
    said.err().map(|error| chain(&error))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
