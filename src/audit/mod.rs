//! Who changed what: a row for each command, written in the transaction that obeys it.
//!
//! - Commands under an Idempotency-Key are noted together with their answer, so that no handler
//!   can forget it; other changes call [`note`].
//! - What was answered stands once, under the key; a row leads there.
//! - What something was before is said by [`was`], inside the transaction.
//! - Rows are added and never changed: the database refuses it.

mod http;
mod store;

use mizan_money::{ApiKeyId, RequestId, TenantId, Timestamp};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Role;
use crate::auth::policy::Rule;
use crate::db::DbError;

pub use http::routes;
pub use store::{Entry, Search, search};

mizan_money::typed_id! {
    /// A row of the audit log.
    pub struct AuditId("aud");
}

/// Who does something, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    /// `key_…`, or `command line`.
    pub actor: String,
    /// What they are to the marketplace.
    pub role: Option<Role>,
    /// The route, or the command.
    pub action: String,
    /// What it is about, as far as the path says so.
    pub object: Option<String>,
    /// The request.
    pub request: Option<RequestId>,
}

impl Doer {
    /// Somebody at the machine itself.
    #[must_use]
    pub fn at_the_machine(action: &str, object: Option<String>) -> Self {
        let (actor, action) = ("command line".to_owned(), action.to_owned());
        Self { actor, role: None, action, object, request: None }
    }

    /// Who holds a key, on a route.
    #[must_use]
    pub fn on_route(
        (key, role): (ApiKeyId, Role),
        rule: &Rule,
        object: Option<String>,
        request: Option<RequestId>,
    ) -> Self {
        let action = format!("{} {}", rule.method, rule.path);
        Self { actor: key.to_string(), role: Some(role), action, object, request }
    }
}

/// Says what something was before it changed, for the row that this transaction writes.
///
/// # Errors
/// The database.
pub async fn was(conn: &mut PgConnection, before: &impl Serialize) -> Result<(), DbError> {
    let text = serde_json::to_string(before);
    let text = text.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    Ok(store::keep_before(conn, &text).await?)
}

/// Notes a change that comes without an Idempotency-Key.
///
/// # Errors
/// The database.
pub async fn note(
    conn: &mut PgConnection,
    tenant: TenantId,
    doer: &Doer,
    after: &impl Serialize,
    now: Timestamp,
) -> Result<(), DbError> {
    let after = serde_json::to_value(after);
    let after = after.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    Ok(store::note(conn, tenant, doer, &after, now).await?)
}

/// What a row about an answer says besides: the id that the answer begins with, else what the
/// path names.
#[must_use]
pub(crate) fn object_of(answer: &[u8], doer: &Doer) -> Option<String> {
    let begins = answer.get(..96).unwrap_or(answer);
    let id = std::str::from_utf8(begins).ok().and_then(|text| text.strip_prefix("{\"id\":\""));
    let id = id.and_then(|rest| rest.split_once('"')).map(|(id, _)| id.to_owned());
    id.or_else(|| doer.object.clone())
}

/// A new row's id.
pub(crate) fn new_id(now: Timestamp) -> Uuid {
    AuditId::generate(now).uuid()
}
