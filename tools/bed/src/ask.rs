//! Asking a server of the bed over HTTP, and telling its reason when it refuses.

use reqwest::{Response, StatusCode, Url};
use serde_json::Value;

use crate::{Error, loopback};

/// The JSON at an address; none where the server says that there is nothing.
pub(crate) async fn find(url: &str, parameters: &[(&str, &str)]) -> Result<Option<Value>, Error> {
    let address = Url::parse_with_params(url, parameters).expect("the bed's addresses are URLs");
    let answer = loopback::client().get(address).send().await.map_err(reached(url))?;
    if answer.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let text = answered(url, answer).await?.text().await.map_err(reached(url))?;
    let broken = |error| Error::Answer { url: url.to_owned(), said: format!("{error}: {text}") };
    serde_json::from_str(&text).map(Some).map_err(broken)
}

/// The text at an address.
pub(crate) async fn text(url: &str) -> Result<String, Error> {
    let answer = loopback::client().get(url).send().await.map_err(reached(url))?;
    answered(url, answer).await?.text().await.map_err(reached(url))
}

/// The answer, unless it is a refusal.
pub(crate) async fn answered(url: &str, answer: Response) -> Result<Response, Error> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let said = answer.bytes().await.map_err(reached(url))?;
    let said = format!("{status}: {}", String::from_utf8_lossy(&said));
    Err(Error::Answer { url: url.to_owned(), said })
}

/// Names who could not be reached.
pub(crate) fn reached(url: &str) -> impl Fn(reqwest::Error) -> Error + use<> {
    let url = url.to_owned();
    move |source| Error::Unreached { url: url.clone(), source }
}
