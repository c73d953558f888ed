//! Connects to the database, over TLS wherever it is not on this machine.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// How to reach a database.
#[derive(Clone, Debug)]
pub struct Access {
    config: Config,
    /// File with the certificates of whoever vouches for it.
    authority: Option<PathBuf>,
}

/// Who connects, where the URL does not say it.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// Name of the role.
    pub user: Option<&'a str>,
    /// Its password.
    pub password: Option<&'a str>,
}

/// Why a database cannot be reached as it was asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoAccess {
    /// The URL says nothing useful.
    #[error(
        "not the URL of a database: {0}; an example is postgres://agentslo@db.example:5432/ledger?sslmode=require"
    )]
    Url(String),
    /// It would go over a network in plain text.
    #[error("the database '{0}' would be reached in plain text; set sslmode=require and --database-ca")]
    PlainText(String),
    /// Nobody says who vouches for it.
    #[error(
        "sslmode=require needs --database-ca: a file with the certificates of whoever vouches for the database"
    )]
    NoAuthority,
    /// The file says nothing useful.
    #[error("{file} has no certificates in PEM: {why}")]
    Authority {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Access {
    /// Reads a URL. Credentials may come beside it, so that they are in no list of processes.
    ///
    /// # Errors
    /// If nobody could connect with that, or should not.
    pub fn new(url: &str, credentials: Credentials<'_>, authority: Option<&Path>) -> Result<Self, NoAccess> {
        let mut config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| NoAccess::Url(error.to_string()))?;
        if let Some(user) = credentials.user {
            config.user(user);
        }
        if let Some(password) = credentials.password {
            config.password(password);
        }
        config.application_name("agentslo-ledger");
        let is_secured = config.get_ssl_mode() == SslMode::Require;
        if is_secured && authority.is_none() {
            return Err(NoAccess::NoAuthority);
        }
        if let Some(host) = config.get_hosts().iter().find_map(remote).filter(|_| !is_secured) {
            return Err(NoAccess::PlainText(host));
        }
        let access = Self { config, authority: authority.map(Path::to_owned) };
        access.tls()?;
        Ok(access)
    }

    /// Connects. The connection ends when the client is dropped.
    ///
    /// # Errors
    /// If the database does not let anybody in.
    pub async fn connect(&self) -> Result<Client, StoreError> {
        if let Some(tls) = self.tls()? {
            let (client, connection) = self.config.connect(MakeRustlsConnect::new(tls)).await?;
            drive(connection);
            return Ok(client);
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        drive(connection);
        Ok(client)
    }

    fn tls(&self) -> Result<Option<ClientConfig>, NoAccess> {
        let Some(file) = self.authority.as_ref().filter(|_| self.config.get_ssl_mode() != SslMode::Disable)
        else {
            return Ok(None);
        };
        let unusable = |why: String| NoAccess::Authority { file: file.display().to_string(), why };
        let mut roots = RootCertStore::empty();
        let certificates =
            CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("it is empty".to_owned()));
        }
        Ok(Some(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    }
}

/// A host that is not this machine.
fn remote(host: &Host) -> Option<String> {
    match host {
        Host::Tcp(name) if !["localhost", "127.0.0.1", "::1"].contains(&name.as_str()) => Some(name.clone()),
        Host::Tcp(_) | Host::Unix(_) => None,
    }
}

fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the database ended");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_over_a_network_in_plain_text() {
        let new = |url: &str| Access::new(url, Credentials::default(), None).err();
        assert_eq!(new("postgres://agentslo@127.0.0.1:5432/ledger"), None);
        let remote = new("postgres://agentslo@db.example/ledger");
        assert_eq!(remote, Some(NoAccess::PlainText("db.example".to_owned())));
        assert_eq!(new("postgres://agentslo@db.example/ledger?sslmode=require"), Some(NoAccess::NoAuthority));
        let bad = new("ledger").map(|error| error.to_string()).unwrap_or_default();
        assert!(bad.contains("not the URL of a database"), "{bad}");
        let missing = Access::new(
            "postgres://a@db.example/l?sslmode=require",
            Credentials::default(),
            Some(Path::new("/none")),
        );
        assert!(matches!(missing, Err(NoAccess::Authority { .. })), "{missing:?}");
    }
}
