//! What of an event is kept, and under which name a user is.

use regex::Regex;
use ring::hmac;

use crate::entry::{Detail, Entry};
use crate::hash::Sha256;

/// What becomes of contents: prompts, answers, inputs and outputs of tools.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Contents {
    /// Nothing of them is kept.
    #[default]
    Drop,
    /// Their hash is kept, by which somebody who has the content can show that it was this one. A short content can be
    /// guessed from it.
    Hash,
    /// They are kept.
    Keep,
}

/// What of an event is kept.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What becomes of contents.
    pub contents: Contents,
    /// Names of the attributes that are contents.
    pub content_keys: Regex,
    /// Makes pseudonyms of users; without it no user is kept.
    pub pseudonyms: Option<PseudonymKey>,
    /// Whose everything is, whatever it says of itself; none where it says so itself.
    pub stream: Option<String>,
    /// What tells of calls and runs. The other tells of the same ones, and is entered without being accounted.
    pub accounts: Accounts,
}

/// What tells of calls of models and of runs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Accounts {
    /// Events.
    #[default]
    Events,
    /// Spans.
    Spans,
}

/// What pseudonyms of users are made with.
pub type PseudonymKey = hmac::Key;

/// The name under which a user is kept: the same for the same user and key, and of no use without the key.
#[must_use]
pub fn pseudonym(key: &PseudonymKey, user: &str) -> String {
    let digits = const_hex::encode(hmac::sign(key, user.as_bytes()));
    digits.chars().take(PSEUDONYM_DIGITS).collect()
}

/// Fewest bytes of a key that nobody guesses.
const SHORTEST_KEY: usize = 32;
/// Hexadecimal digits of a pseudonym.
const PSEUDONYM_DIGITS: usize = 32;

impl Policy {
    /// A key of pseudonyms.
    ///
    /// # Errors
    /// If it is so short that it could be guessed.
    pub fn pseudonyms(key: &[u8]) -> Result<PseudonymKey, String> {
        if key.len() < SHORTEST_KEY {
            return Err(format!(
                "a key of pseudonyms should have {SHORTEST_KEY} bytes or more, not {}",
                key.len()
            ));
        }
        Ok(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The name under which a user is kept, if any is.
    pub(super) fn pseudonym(&self, user: &str) -> Option<String> {
        Some(pseudonym(self.pseudonyms.as_ref()?, user))
    }

    /// Puts an attribute where it belongs in an entry.
    pub(super) fn place(&self, key: &str, value: &Detail, entry: &mut Entry) {
        let is_content = self.content_keys.is_match(key);
        match self.contents {
            Contents::Drop if is_content => {}
            Contents::Hash if is_content => {
                let text = value.text().map_or_else(|| value.canonical(), str::to_owned);
                entry.withheld.insert(key.to_owned(), Sha256::of(&[text.as_bytes()]));
            }
            Contents::Drop | Contents::Hash | Contents::Keep => {
                entry.details.insert(key.to_owned(), value.clone());
            }
        }
    }
}
