//! HTTP to the servers of the bed.

use std::time::Duration;

use rustls::crypto::ring::default_provider;

/// A client for servers on this machine: never by way of a proxy. Certificates are not verified:
/// the answer is of interest, and whose it is follows from the port, which is reserved.
pub(crate) fn client() -> reqwest::Client {
    install_crypto();
    reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        // A frozen server accepts connections and never answers.
        .timeout(Duration::from_secs(5))
        .build()
        .expect("a client without files and proxies can be built")
}

/// Chooses the cryptography of every TLS client in this process, the caller's too.
pub(crate) fn install_crypto() {
    // Refused if there is one already, which is as good.
    let _ = default_provider().install_default();
}
