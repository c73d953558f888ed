//! Heads that were signed, to be kept where nobody who may write the database can write. The key never comes near the
//! database. Ed25519, over the canonical text (RFC 8785) of what is signed.

use std::collections::BTreeMap;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use serde::{Deserialize, Serialize};

use crate::chain::{Head, VERSION};
use crate::hash::Sha256;

/// A head at a moment, signed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Anchor {
    /// What is signed.
    pub statement: Statement,
    /// Which key it was signed with: the SHA-256 of the public key.
    pub key: Sha256,
    /// The signature, in hexadecimal digits.
    pub signature: String,
}

/// What an anchor says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Statement {
    /// What is hashed, and how.
    pub version: String,
    /// Whose chain it is.
    pub stream: String,
    /// Where the chain ended.
    pub head: Head,
    /// When, by the clock of whoever signed: RFC 3339.
    pub at: String,
}

/// Signs heads.
#[derive(Debug)]
pub struct Signer(Ed25519KeyPair);

/// Knows a signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey(Vec<u8>);

/// Why an anchor proves nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoProof {
    /// Another key has signed it.
    #[error("the anchor of '{stream}' was signed with key {key}, which is not the one that is trusted")]
    OtherKey {
        /// Whose chain it is.
        stream: String,
        /// Which key.
        key: Sha256,
    },
    /// Something in it was changed.
    #[error("the signature of the anchor of '{stream}' at entry {sequence} does not fit it")]
    Forged {
        /// Whose chain it is.
        stream: String,
        /// Where the chain is said to have ended.
        sequence: u64,
    },
}

/// A key that cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoKey {
    /// Not one to sign with.
    #[error("not an Ed25519 key in PEM; `openssl genpkey -algorithm ed25519` makes one")]
    Private,
    /// Not one to know signatures by.
    #[error("not the public half of an Ed25519 key in PEM; `openssl pkey -pubout` makes one")]
    Public,
}

/// What a SubjectPublicKeyInfo of an Ed25519 key begins with: RFC 8410. The key is the rest.
const ED25519_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl Signer {
    /// From a key in PKCS#8 and PEM, as OpenSSL writes it.
    ///
    /// # Errors
    /// If it is no Ed25519 key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| NoKey::Private)?;
        Self::from_pkcs8(der.secret_pkcs8_der())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, NoKey> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self).map_err(|_| NoKey::Private)
    }

    /// What its signatures are known by.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_vec())
    }

    /// Signs where a chain ends.
    #[must_use]
    pub fn sign(&self, stream: &str, head: Head, at: &str) -> Anchor {
        let (version, stream, at) = (VERSION.to_owned(), stream.to_owned(), at.to_owned());
        let statement = Statement { version, stream, head, at };
        let signature = self.0.sign(statement.canonical().as_bytes());
        let signature = const_hex::encode(signature);
        Anchor { statement, key: self.public_key().id(), signature }
    }
}

impl PublicKey {
    /// From a public key in PEM, as OpenSSL writes it.
    ///
    /// # Errors
    /// If it is no Ed25519 key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoKey> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| NoKey::Public)?;
        let key = info.as_ref().strip_prefix(&ED25519_INFO).filter(|key| key.len() == 32);
        key.map(|key| Self(key.to_vec())).ok_or(NoKey::Public)
    }

    /// Its name: its SHA-256.
    #[must_use]
    pub fn id(&self) -> Sha256 {
        Sha256::of(&[&self.0])
    }

    /// The head that an anchor proves.
    ///
    /// # Errors
    /// If it was not signed with this key, or was changed since.
    pub fn open(&self, anchor: &Anchor) -> Result<Head, NoProof> {
        let Statement { stream, head, .. } = &anchor.statement;
        if anchor.key != self.id() {
            return Err(NoProof::OtherKey { stream: stream.clone(), key: anchor.key });
        }
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        let text = anchor.statement.canonical();
        let fits = const_hex::decode(&anchor.signature);
        let fits = fits.is_ok_and(|bytes| key.verify(text.as_bytes(), &bytes).is_ok());
        let forged = || NoProof::Forged { stream: stream.clone(), sequence: head.sequence };
        fits.then_some(*head).ok_or_else(forged)
    }
}

/// The heads that anchors prove, by stream. Anchors are lines of JSON, and empty lines say nothing.
///
/// # Errors
/// What is wrong with the first that proves nothing, and in which line.
pub fn proven(lines: &str, key: &PublicKey) -> Result<BTreeMap<String, Vec<Head>>, String> {
    let mut heads: BTreeMap<String, Vec<Head>> = BTreeMap::new();
    for (number, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |why: String| format!("line {}: {why}", number + 1);
        let anchor: Anchor = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let head = key.open(&anchor).map_err(|error| wrong(error.to_string()))?;
        heads.entry(anchor.statement.stream).or_default().push(head);
    }
    Ok(heads)
}

impl Statement {
    fn canonical(&self) -> String {
        serde_json_canonicalizer::to_string(self).expect("a statement should be JSON")
    }
}

/// Made by OpenSSL 3: `genpkey -algorithm ed25519`.
#[cfg(test)]
pub(crate) const KEY_FOR_TESTS: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIL3Ns8RRikDSOGl3zioqOA4Vy5puzVas8guI6KkL2U/H\n-----END PRIVATE KEY-----\n";

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    fn signer() -> Signer {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key should be made");
        Signer::from_pkcs8(key.as_ref()).expect("it should be a key")
    }

    /// Its public half: `pkey -pubout`.
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAytVJSwbTYf+IR2pa8MLXE4IL8HDRyfah+1fcAPhfvgI=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn keys_of_openssl_are_read() {
        let signer = Signer::from_pem(KEY_FOR_TESTS.as_bytes()).expect("it should be a key");
        let key = PublicKey::from_pem(PUBLIC.as_bytes()).expect("it should be a public key");
        assert_eq!(signer.public_key(), key);
        assert_eq!(Signer::from_pem(PUBLIC.as_bytes()).err(), Some(NoKey::Private));
        assert_eq!(PublicKey::from_pem(KEY_FOR_TESTS.as_bytes()).err(), Some(NoKey::Public));
    }

    #[test]
    fn only_what_the_key_has_signed_is_proof() {
        let signer = signer();
        let head = Head::of_empty("team-a/support").followed_by("team-a/support", Sha256::of(&[b"{}"]));
        let anchor = signer.sign("team-a/support", head, "2026-01-01T00:00:00Z");
        let key = signer.public_key();
        assert_eq!(key.open(&anchor), Ok(head));
        let text = serde_json::to_string(&anchor).expect("an anchor should be JSON");
        assert_eq!(serde_json::from_str::<Anchor>(&text).ok(), Some(anchor.clone()));

        let mut moved = anchor.clone();
        moved.statement.head.sequence = 2;
        let mut renamed = anchor.clone();
        renamed.statement.stream = "team-b/support".to_owned();
        let mut unsigned = anchor.clone();
        unsigned.signature = "00".to_owned();
        for forged in [moved, renamed, unsigned] {
            let result = key.open(&forged);
            assert!(matches!(result, Err(NoProof::Forged { .. })), "{result:?}");
        }
        let lines = format!("{text}\n\n{text}\n");
        assert_eq!(proven(&lines, &key).map(|heads| heads["team-a/support"].len()), Ok(2));
        let broken = proven(&format!("{text}\n{{}}"), &key).expect_err("a line says nothing");
        assert!(broken.starts_with("line 2: "), "{broken}");
        let other = self::signer().public_key().open(&anchor);
        assert!(matches!(other, Err(NoProof::OtherKey { .. })), "{other:?}");
    }
}
