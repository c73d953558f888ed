//! Certificate authorities: the bed has one, trusted by each of its clients, and a test may make others.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::Error;

/// A root that signs certificates for servers on the loopback interface.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// A new root.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "agentslo bed");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self(issuer))
    }

    /// The root certificate, as PEM.
    #[must_use]
    pub fn root(&self) -> String {
        self.0.pem()
    }

    /// A fresh certificate for a server on 127.0.0.1.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn identify(&self, name: &str) -> Result<Identity, Error> {
        let mut params = CertificateParams::new(["127.0.0.1".into(), "localhost".into()])?;
        // Without a name of its own it would be taken for the root itself.
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A pair of keys for `ServiceAccount` tokens (ECDSA on P-256), as PEM.
///
/// The apiserver takes a private key in PKCS#8 to sign with, but not to verify with.
pub(crate) struct TokenKeys {
    pub(crate) private: String,
    pub(crate) public: String,
}

impl TokenKeys {
    pub(crate) fn generate() -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        Ok(Self { private: key.serialize_pem(), public: key.public_key_pem() })
    }
}
