//! Makes and revokes API keys.

use chrono::TimeDelta;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use sqlx::PgConnection;

use super::list_keys::ListedKey;
use super::role::Role;
use super::scope::Scope;
use super::{ApiKey, KeyError, Mode, store};
use crate::db::{DbError, Retry, Retryable};

/// What to call a new key, and what it may do.
#[derive(Clone, Debug)]
pub struct CreateKey {
    /// For people: where it is used. 1 to 100 characters.
    pub name: String,
    /// Play money or real money.
    pub mode: Mode,
    /// What its holder is to the marketplace.
    pub role: Role,
    /// What it is narrowed to; none: all that the role may do.
    pub scopes: Vec<Scope>,
    /// Which customer, vendor or affiliate its holder is; needed for these, and only for these.
    pub subject: Option<String>,
    /// From when on it is no key any more.
    pub expires_at: Option<Timestamp>,
    /// The key that it takes the place of.
    pub rolled_from: Option<ApiKeyId>,
    /// Who makes it.
    pub by: String,
}

impl CreateKey {
    /// A key that may do all that its role may, for ever.
    #[must_use]
    pub fn new(name: &str, mode: Mode, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            mode,
            role,
            scopes: Vec::new(),
            subject: None,
            expires_at: None,
            rolled_from: None,
            by: "command line".to_owned(),
        }
    }
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

/// A key of `tenant`, locked until the transaction ends.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn lock_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
) -> Result<Option<ListedKey>, DbError> {
    Ok(store::find(conn, tenant, id).await?)
}

/// Makes a key that takes the place of another, which is good for `overlap` longer.
///
/// # Errors
/// [`CreateKeyError`].
pub async fn roll_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    old: &ListedKey,
    (overlap, by): (TimeDelta, &str),
    now: Timestamp,
) -> Result<NewKey, CreateKeyError> {
    let command = CreateKey {
        name: old.name.clone(),
        mode: old.mode,
        role: old.role,
        scopes: old.scopes.clone(),
        subject: old.subject.clone(),
        expires_at: old.expires_at,
        rolled_from: Some(old.id),
        by: by.to_owned(),
    };
    store::expire(conn, tenant, old.id, now + overlap).await.map_err(DbError::from)?;
    create_key(conn, tenant, &command, now).await
}
