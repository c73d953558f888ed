//! The certificate that a sink shows. Whoever renews it writes the new one into the same files.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;

/// Time between two looks at the files.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// Where a sink finds its certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// File with the certificate, followed by those that lead to whoever is trusted.
    pub chain: PathBuf,
    /// File with its key.
    pub key: PathBuf,
}

impl Certificate {
    /// Reads both.
    pub(super) async fn read(&self) -> io::Result<RustlsConfig> {
        RustlsConfig::from_pem_file(&self.chain, &self.key).await.map_err(|error| self.unusable(&error))
    }

    /// Shows what the files hold by now until `stop` is done. What cannot be used leaves in force what could be.
    pub(super) async fn renew(self, shown: RustlsConfig, stop: impl Future<Output = ()>) {
        let renewals = async {
            loop {
                tokio::time::sleep(LOOKED_AT_EVERY).await;
                if let Err(error) = shown.reload_from_pem_file(&self.chain, &self.key).await {
                    let error = self.unusable(&error);
                    tracing::warn!(%error, "the certificate that was read before is still shown");
                }
            }
        };
        tokio::select! {
            () = stop => {}
            () = renewals => {}
        }
    }

    fn unusable(&self, error: &io::Error) -> io::Error {
        let Self { chain, key } = self;
        let why = format!(
            "{} should hold a certificate in PEM and {} its key: {error}",
            chain.display(),
            key.display()
        );
        io::Error::new(error.kind(), why)
    }
}
