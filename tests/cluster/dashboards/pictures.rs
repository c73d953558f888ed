//! The pictures in `docs/pictures/` are what `agentslo preview` draws of a made-up day.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::prometheus::holding;
use super::read;
use crate::support::program;

/// When the day ends: six in the evening, UTC.
const END: (i64, &str) = (1_767_722_400, "2026-01-06T18:00:00Z");
const PICTURES: [&str; 4] =
    ["fleet", "operator", "support-agent-agent-dashboard", "support-agent-slo-dashboard"];

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_what_preview_draws_of_a_day() {
    let (bed, _) = holding(END.0).await;
    let folder = tempfile::tempdir().expect("a folder should be made");
    let output = preview(&bed.prometheus_url(), folder.path());
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    for name in PICTURES {
        let drawn = std::fs::read_to_string(folder.path().join(format!("{name}.svg")));
        let drawn = drawn.unwrap_or_else(|error| panic!("{name} should be drawn: {error}\n{said}"));
        let file = format!("docs/pictures/{name}.svg");
        if std::env::var_os("BLESS").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
            std::fs::create_dir_all(path.parent().expect("it should be in a folder"))
                .expect("it should be made");
            std::fs::write(&path, drawn).expect("the picture should be written");
            continue;
        }
        assert!(!drawn.contains("No data"), "{name} has a panel without data");
        assert!(read(&file) == drawn, "{file} is stale; run `make bless` and look at it");
    }
}

#[test]
fn preview_says_why_it_cannot_draw() {
    let folder = tempfile::tempdir().expect("a folder should be made");
    let output = preview("http://127.0.0.1:1", folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("Prometheus does not answer: the connection failed"), "{said}");
}

fn preview(prometheus: &str, output: &Path) -> std::process::Output {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Command::new(program())
        .args(["preview", "-f", "examples/dashboards", "--prometheus", prometheus, "--end", END.1])
        .args(["--dashboard", "dashboards/fleet.json", "--dashboard", "dashboards/operator.json"])
        .args(["--variable", "slo=support-success", "--output"])
        .arg(output)
        .current_dir(root)
        .output()
        .expect("the program should start")
}
