//! What a link holds: the text of an entry, and a salt. The chain carries only the hash of both, so a text can be
//! taken out of it without breaking it, and nobody can guess from the hash what it was.

use std::fmt;
use std::str::FromStr;

use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::hash::Sha256;

/// Sixteen bytes that nobody can guess, as text in hexadecimal digits.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Salt([u8; 16]);

/// What a link holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Content {
    /// Known to whoever knows the text.
    pub salt: Salt,
    /// Canonical text of the entry.
    pub canonical: String,
}

impl Content {
    /// The hash that the chain carries: of the salt in hexadecimal digits, a line feed, and the text.
    #[must_use]
    pub fn hash(&self) -> Sha256 {
        hash_of(self.salt, &self.canonical)
    }
}

/// The same of a text that is not owned.
#[must_use]
pub fn hash_of(salt: Salt, canonical: &str) -> Sha256 {
    let mut digits = [0; 33];
    // A buffer of the right length takes them.
    let _ = const_hex::encode_to_slice(salt.0, &mut digits[..32]);
    digits[32] = b'\n';
    Sha256::of(&[&digits, canonical.as_bytes()])
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

impl Salt {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn random(source: &SystemRandom) -> Result<Self, NoRandom> {
        let mut bytes = [0; 16];
        source.fill(&mut bytes).map_err(|_| NoRandom)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Salt {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&const_hex::encode(self.0))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        salt.to_string()
    }
}

/// Not a salt.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("'{0}' is not a salt: it should have 32 hexadecimal digits")]
pub struct NoSalt(String);

impl FromStr for Salt {
    type Err = NoSalt;

    fn from_str(text: &str) -> Result<Self, NoSalt> {
        const_hex::decode_to_array(text).map(Self).map_err(|_| NoSalt(text.to_owned()))
    }
}

impl TryFrom<String> for Salt {
    type Error = NoSalt;

    fn try_from(text: String) -> Result<Self, NoSalt> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_another_hash_with_another_salt() {
        let text = |salt: [u8; 16]| Content { salt: salt.into(), canonical: "{}".to_owned() };
        let (zeros, ones) = (text([0; 16]), text([1; 16]));
        // printf '%032d\n{}' 0 | sha256sum
        assert_eq!(zeros.hash(), Sha256::of(&[b"00000000000000000000000000000000\n{}"]));
        assert_ne!(zeros.hash(), ones.hash());
        let (one, other) = (Salt::random(&SystemRandom::new()), Salt::random(&SystemRandom::new()));
        assert_ne!(one, other);
    }

    #[test]
    fn it_reads_back() {
        let salt = Salt::from([7; 16]);
        assert_eq!(salt.to_string().parse(), Ok(salt));
        for bad in ["", "07", &"g".repeat(32), &"0".repeat(34)] {
            assert!(bad.parse::<Salt>().is_err(), "{bad}");
        }
    }
}
