//! Listing keys by their public side.

use mizan_money::{ApiKeyId, TenantId, Timestamp};

use super::role::Role;
use super::scope::Scope;
use super::{Mode, store};
use crate::db::{Db, DbError, work};

/// A key without its secret, which nobody has but who was shown it.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Its public name.
    pub id: ApiKeyId,
    /// For people: where it is used.
    pub name: String,
    /// Play money or real money.
    pub mode: Mode,
    /// What its holder is to the marketplace.
    pub role: Role,
    /// What it is narrowed to; none: all that the role may do.
    pub scopes: Vec<Scope>,
    /// Which customer, vendor or affiliate its holder is.
    pub subject: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// From when on it is no key any more.
    pub expires_at: Option<Timestamp>,
    /// When somebody last called with it, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when nobody can call with it.
    pub revoked_at: Option<Timestamp>,
    /// The key that it took the place of.
    pub rolled_from: Option<ApiKeyId>,
}

impl ListedKey {
    /// Whether somebody can call with it.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The keys of a tenant, newest first, from behind one.
///
/// # Errors
/// [`DbError`] of reading.
pub async fn list_keys(
    db: &Db,
    tenant: TenantId,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ListedKey>, DbError> {
    let read = db.read("list_keys", tenant, |tx| {
        work(async move { Ok(store::list(tx, tenant, after, limit).await?) })
    });
    read.await
}
