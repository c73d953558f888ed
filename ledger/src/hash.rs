//! SHA-256, as text in hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use const_hex::Buffer;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// A SHA-256.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Of parts, one after the other with nothing in between.
    ///
    /// # Panics
    /// Never: a SHA-256 has 32 bytes.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        Self(context.finish().as_ref().try_into().expect("a SHA-256 should have 32 bytes"))
    }

    /// Its hexadecimal digits.
    pub fn digits(&self) -> Buffer<32> {
        let mut digits = Buffer::new();
        digits.format(&self.0);
        digits
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.digits().as_str())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> Self {
        hash.to_string()
    }
}

/// Not a SHA-256.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("'{0}' is not a SHA-256: it should have 64 hexadecimal digits")]
pub struct NoHash(String);

impl FromStr for Sha256 {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let bytes = const_hex::decode_to_array(text).map_err(|_| NoHash(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NoHash;

    fn try_from(text: String) -> Result<Self, NoHash> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_everybody_computes_and_reads_back() {
        // The example of FIPS 180-4.
        let hash = Sha256::of(&[b"a", b"bc"]);
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.parse(), Ok(hash));
        for bad in ["", "ba78", &text.replace('b', "g"), &format!("{text}00")] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad}");
        }
    }
}
