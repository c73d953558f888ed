//! How a command reaches the database.

use std::path::PathBuf;

use agentslo_ledger::store::{Access, Client, Credentials, StoreError};
use clap::Args;

use crate::cli::cluster::Stop;
use crate::cli::files::text_of;

/// How to reach the database.
#[derive(Args, Debug)]
pub(super) struct Database {
    /// URL of the database. Example: `postgres://agentslo@db.example/ledger?sslmode=require`.
    #[arg(long = "database-url", env = "AGENTSLO_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    url: String,
    #[command(flatten)]
    secrets: Secrets,
}

/// What is needed beside a URL.
#[derive(Args, Debug)]
pub(super) struct Secrets {
    /// File with the name of the database role, where the URL has none.
    #[arg(long = "database-username-file", env = "AGENTSLO_DATABASE_USERNAME_FILE", value_name = "FILE")]
    username_file: Option<PathBuf>,
    /// File with the password, where the URL has none.
    #[arg(long = "database-password-file", env = "AGENTSLO_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with the certificates of whoever vouches for the database, in PEM.
    #[arg(long = "database-ca", env = "AGENTSLO_DATABASE_CA", value_name = "FILE")]
    authority: Option<PathBuf>,
}

impl Database {
    /// # Errors
    /// Why nobody could connect with these.
    pub(super) fn access(&self) -> Result<Access, String> {
        self.secrets.access(&self.url)
    }

    pub(super) async fn connect(&self) -> Result<Client, Stop> {
        connect(&self.access().map_err(Stop::Usage)?).await
    }
}

impl Secrets {
    /// # Errors
    /// Why nobody could connect with these and the URL.
    pub(super) fn access(&self, url: &str) -> Result<Access, String> {
        let user = self.username_file.as_deref().map(text_of).transpose()?;
        let password = self.password_file.as_deref().map(text_of).transpose()?;
        let credentials = Credentials {
            user: user.as_deref().map(str::trim_end),
            password: password.as_deref().map(str::trim_end),
        };
        Access::new(url, credentials, self.authority.as_deref()).map_err(|error| error.to_string())
    }
}

pub(super) async fn connect(access: &Access) -> Result<Client, Stop> {
    access.connect().await.map_err(|error| unreachable(&error))
}

/// Why a command ends that the database did not answer.
pub(super) fn unreachable(error: &StoreError) -> Stop {
    Stop::Unreachable(error.to_string())
}
