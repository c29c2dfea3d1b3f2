//! Makes and revokes API keys.

use mizan_money::{ApiKeyId, TenantId, Timestamp};
use sqlx::PgConnection;

use super::{ApiKey, KeyError, Mode, store};
use crate::db::{DbError, Retry, Retryable};

/// What to call a new key, and what it may move.
#[derive(Clone, Debug)]
pub struct CreateKey {
    /// For people: where it is used. 1 to 100 characters.
    pub name: String,
    /// Play money or real money.
    pub mode: Mode,
}

/// A key that was just made: the only moment in which the secret is known.
#[derive(Debug)]
pub struct NewKey {
    /// Its public name.
    pub id: ApiKeyId,
    /// The secret, to show once.
    pub key: ApiKey,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The system gave no random bytes.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database refused, by `api_key_name_bounds` for a name of no or too many characters.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Retryable for CreateKeyError {
    fn retry(&self) -> Retry {
        match self {
            Self::Key(_) => Retry::Never,
            Self::Db(error) => error.retry(),
        }
    }
}

/// Makes a key of `tenant`, inside its transaction.
///
/// # Errors
/// [`CreateKeyError`].
pub async fn create_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    command: &CreateKey,
    now: Timestamp,
) -> Result<NewKey, CreateKeyError> {
    let (id, key) = (ApiKeyId::generate(now), ApiKey::generate(command.mode)?);
    store::insert(conn, tenant, id, command, &key.digest(), now).await.map_err(DbError::from)?;
    Ok(NewKey { id, key })
}

/// Revokes a key of `tenant`; from the commit on nobody can call with it. Returns whether there
/// was such a key and it was still good.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn revoke_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(store::revoke(conn, tenant, id, now).await?)
}
