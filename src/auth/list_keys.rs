//! Listing keys by their public side.

use mizan_money::{ApiKeyId, TenantId, Timestamp};

use super::store;
use crate::db::{Db, DbError, work};

/// A key without its secret, which nobody has but who was shown it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its public name.
    pub id: ApiKeyId,
    /// For people: where it is used.
    pub name: String,
    /// `test` or `live`.
    pub mode: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when nobody can call with it.
    pub revoked_at: Option<Timestamp>,
}

/// The keys of a tenant, newest first, at most 500.
///
/// # Errors
/// [`DbError`] of reading.
pub async fn list_keys(db: &Db, tenant: TenantId) -> Result<Vec<ListedKey>, DbError> {
    db.read("list_keys", tenant, |tx| work(async move { Ok(store::list(tx, tenant).await?) })).await
}
