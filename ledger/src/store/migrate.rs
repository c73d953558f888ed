//! Makes the tables, and brings them up to date.

use tokio_postgres::Client;

use super::StoreError;

mod embedded {
    refinery::embed_migrations!("src/store/migrations");
}

/// Brings the tables up to date, as somebody who may make roles and schemas. What is up to date stays as it is.
///
/// # Errors
/// If the database refuses, or was brought up to date by a newer version.
pub async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    embedded::migrations::runner().run_async(client).await.map_err(Box::new)?;
    Ok(())
}
