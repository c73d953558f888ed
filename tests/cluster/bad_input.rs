//! The catalogue of bad input against a real API server.

use crate::fixtures::{self, Fixture};
use crate::{api_server, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_says_what_the_catalogue_says() {
    let bed = api_server().await;
    let mut wrong = Vec::new();
    for file in fixtures::files() {
        for fixture in fixtures::read(&file) {
            let said = refusal(bed, &fixture.document).await;
            wrong.extend(difference(&fixture, said.as_deref()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn difference(fixture: &Fixture, said: Option<&str>) -> Option<String> {
    let Some(said) = said else {
        let should_pass = matches!(fixture.layer.as_str(), "A" | "R");
        return (!should_pass).then(|| format!("{}: accepted", fixture.place));
    };
    let expected: Vec<&str> = match fixture.layer.as_str() {
        "S" => fixture.server.iter().map(String::as_str).collect(),
        "C" if !fixture.server.is_empty() => fixture.server.iter().map(String::as_str).collect(),
        "C" => fixture.expected.iter().filter_map(|line| Some(line.split_once(": ")?.1)).collect(),
        "K" => vec!["no matches for kind"],
        _ => return Some(format!("{}: refused: {said}", fixture.place)),
    };
    assert!(!expected.is_empty(), "{} says nothing about the server", fixture.place);
    let missing = expected.iter().find(|text| !said.contains(**text))?;
    Some(format!("{}: no '{missing}' in: {said}", fixture.place))
}
