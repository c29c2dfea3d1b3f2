//! The routes of API keys.

use std::sync::Mutex;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::create_key::{CreateKey, CreateKeyError, NewKey, create_key, lock_key, revoke_key};
use super::role::Role;
use super::scope::{Access, Area, Scope, Scopes};
use super::{ApiKey, Caller, ListedKey, list_keys, roll_key};
use crate::app::App;
use crate::db::work;
use crate::http::{
    ApiPath, ApiQuery, Code, IDEMPOTENT_REPLAYED, IdempotentJson, List, PageRequest, Problem,
    idempotent,
};

/// The longest time for which two keys are good at once.
const OVERLAP_SECONDS_MAX: u32 = 7 * 86_400;

/// Every route of API keys.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(roll)).routes(routes!(revoke))
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
struct KeyBody {
    /// For people: where it is used.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What its holder is to the marketplace; not more than you are.
    role: Role,
    /// What it is narrowed to, such as `payments:read`; without, all that the role may do.
    #[serde(default)]
    #[schema(max_items = 40)]
    scopes: Vec<String>,
    /// Your id of the customer, vendor or affiliate that its holder is; needed for these roles.
    #[schema(max_length = 80)]
    subject: Option<String>,
    /// From when on it is no key any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// How a key is rolled.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RollApiKey)]
struct RollBody {
    /// For how long the old key stays good beside the new one.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 604_800, default = 0)]
    overlap_seconds: u32,
}

/// A body without fields.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RevokeApiKey)]
struct Nothing {}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct KeyView {
    /// `key_…`, its public name.
    id: String,
    /// Always `api_key`.
    object: &'static str,
    /// For people: where it is used.
    name: String,
    /// `test` or `live`.
    mode: &'static str,
    /// What its holder is to the marketplace.
    role: Role,
    /// What it is narrowed to; empty: all that the role may do.
    scopes: Vec<String>,
    /// Your id of the customer, vendor or affiliate that its holder is.
    subject: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By whom.
    created_by: String,
    /// From when on it is no key any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When somebody last called with it, a minute or so late.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// Since when nobody can call with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// The key that it took the place of.
    rolled_from: Option<String>,
    /// The key itself, in the one answer that makes it. A repetition under the same
    /// Idempotency-Key does not show it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<ListedKey> for KeyView {
    fn from(key: ListedKey) -> Self {
        Self {
            id: key.id.to_string(),
            object: "api_key",
            name: key.name,
            mode: key.mode.as_str(),
            role: key.role,
            scopes: key.scopes.iter().map(Scope::to_string).collect(),
            subject: key.subject,
            created: key.created_at,
            created_by: key.created_by,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
            rolled_from: key.rolled_from.map(|id| id.to_string()),
            secret: None,
        }
    }
}

fn invalid(param: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidField, detail).param(param)
}

impl From<CreateKeyError> for Problem {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::Key(error) => Self::internal(&error),
            CreateKeyError::Db(error) => error.into(),
        }
    }
}

impl KeyBody {
    fn check(self, caller: &Caller, now: Timestamp) -> Result<CreateKey, Problem> {
        let fits = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && !text.contains(char::is_control)
        };
        if !fits(&self.name, 100) {
            return Err(invalid("name", "A name has 1 to 100 characters, none of control."));
        }
        if self.role.is_outside() != self.subject.is_some() {
            let detail = "Customers, vendors and affiliates are named by `subject`; others not.";
            return Err(invalid("subject", detail));
        }
        if self.subject.as_deref().is_some_and(|it| !fits(it, 80)) {
            return Err(invalid("subject", "A subject has 1 to 80 characters."));
        }
        let parsed = self.scopes.iter().enumerate().map(|(n, word)| {
            word.parse::<Scope>().map_err(|error| invalid(&format!("scopes[{n}]"), error))
        });
        let scopes: Vec<Scope> = parsed.collect::<Result<_, _>>()?;
        if scopes.len() > 40 {
            return Err(invalid("scopes", "At most 40 scopes."));
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(invalid("expires_at", "It expires in the future."));
        }
        hands_out(caller, self.role, &scopes, self.expires_at)?;
        Ok(CreateKey {
            scopes,
            subject: self.subject,
            expires_at: self.expires_at,
            by: caller.key().to_string(),
            ..CreateKey::new(&self.name, caller.mode(), self.role)
        })
    }
}

/// Nobody hands out more than they have.
fn within(caller: &Caller, role: Role, scopes: &[Scope]) -> Result<(), Problem> {
    let not = |detail: &str| Err(Problem::new(Code::NotAllowed, detail));
    if role > caller.role() {
        return not("A key cannot be of a higher role than its maker.");
    }
    let narrowed = caller.scopes() != Scopes::All;
    if narrowed && (scopes.is_empty() || !scopes.iter().all(|it| caller.scopes().hold(*it))) {
        return not("A key that is narrowed makes only keys that are narrowed as much.");
    }
    Ok(())
}

/// Nobody hands out a key that goes further or lasts longer than the own one, and only a super
/// admin one that may approve: else who made something would make the second person's key too.
fn hands_out(
    caller: &Caller,
    role: Role,
    scopes: &[Scope],
    expires_at: Option<Timestamp>,
) -> Result<(), Problem> {
    within(caller, role, scopes)?;
    let approves = Scope::new(Area::Approvals, Access::Write);
    let may_approve = role.may(approves) && Scopes::of(scopes).hold(approves);
    if may_approve && caller.role() != Role::SuperAdmin {
        let detail = "Only a super_admin hands out keys that may approve: name `scopes` without \
                      `approvals:write`, or ask one.";
        return Err(Problem::new(Code::NotAllowed, detail));
    }
    match caller.expires_at() {
        Some(own) if expires_at.is_none_or(|end| end > own) => {
            let own = own.to_rfc3339();
            let detail = format!("Your key expires at {own}: name an `expires_at` up to then.");
            Err(Problem::new(Code::NotAllowed, detail))
        }
        _ => Ok(()),
    }
}

/// Answers with the secret, which is kept nowhere: what is stored under the idempotency key goes
/// without.
fn with_secret(answer: Response, made: &Mutex<Option<(KeyView, ApiKey)>>) -> Response {
    let made = made.lock().ok().and_then(|mut made| made.take());
    match made {
        Some((view, key)) if !answer.headers().contains_key(IDEMPOTENT_REPLAYED) => {
            let secret = Some(key.secret().expose_secret().to_owned());
            (answer.status(), Json(KeyView { secret, ..view })).into_response()
        }
        _ => answer,
    }
}

async fn shown(
    conn: &mut PgConnection,
    tenant: TenantId,
    made: NewKey,
    keep: &Mutex<Option<(KeyView, ApiKey)>>,
) -> Result<(StatusCode, KeyView), Problem> {
    let view = |it: ListedKey| KeyView::from(it);
    let found = lock_key(conn, tenant, made.id).await?.ok_or_else(Problem::not_found)?;
    if let Ok(mut keep) = keep.lock() {
        *keep = Some((view(found.clone()), made.key));
    }
    Ok((StatusCode::CREATED, view(found)))
}

/// Create an API key
///
/// The answer shows the key, this once; only its digest is kept.
#[utoipa::path(
    post,
    path = "/v1/api_keys",
    operation_id = "create_api_key",
    tag = "keys",
    params(("Idempotency-Key" = String, Header, description = "New for each key")),
    request_body = KeyBody,
    responses((status = 201, description = "Created", body = KeyView)),
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    IdempotentJson { idempotency, body }: IdempotentJson<KeyBody>,
) -> Result<Response, Problem> {
    let (tenant, now) = (caller.tenant(), app.clock.now());
    let command = &body.check(&caller, now)?;
    let made = &Mutex::new(None);
    let answer = idempotent(&app, &caller, &idempotency, "create_api_key", |tx| {
        work(async move {
            let key = create_key(tx, tenant, command, now).await?;
            shown(tx, tenant, key, made).await
        })
    });
    Ok(with_secret(answer.await?, made))
}

/// Where the list goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct KeysQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    starting_after: Option<ApiKeyId>,
}

/// List API keys
///
/// Newest first, without their secrets, those that are revoked included.
#[utoipa::path(
    get,
    path = "/v1/api_keys",
    operation_id = "list_api_keys",
    tag = "keys",
    params(KeysQuery),
    responses((status = 200, description = "A page", body = List<KeyView>)),
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ApiQuery(query): ApiQuery<KeysQuery>,
) -> Result<Json<List<KeyView>>, Problem> {
    let page = PageRequest::new(query.limit, query.starting_after, None)?;
    let keys = list_keys(&app.db, caller.tenant(), query.starting_after, page.rows()).await?;
    Ok(Json(page.list(keys.into_iter().map(KeyView::from).collect(), "/v1/api_keys")))
}

/// Roll an API key
///
/// Makes a key that may do the same, and lets the old one end: at once, or after a while in which
/// both are good, so that nothing stands still while the new one is carried to where it is used.
#[utoipa::path(
    post,
    path = "/v1/api_keys/{id}/roll",
    operation_id = "roll_api_key",
    tag = "keys",
    params(
        ("id" = ApiKeyId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each roll"),
    ),
    request_body = RollBody,
    responses((status = 201, description = "The new key", body = KeyView)),
)]
async fn roll(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<ApiKeyId>,
    IdempotentJson { idempotency, body }: IdempotentJson<RollBody>,
) -> Result<Response, Problem> {
    if body.overlap_seconds > OVERLAP_SECONDS_MAX {
        return Err(invalid("overlap_seconds", "Two keys are good at once for 7 days at most."));
    }
    let (tenant, now) = (caller.tenant(), app.clock.now());
    let how = (TimeDelta::seconds(body.overlap_seconds.into()), caller.key().to_string());
    let (caller_in, how) = (&caller, &how);
    let made = &Mutex::new(None);
    let answer = idempotent(&app, &caller, &idempotency, "roll_api_key", |tx| {
        work(async move {
            let old = lock_key(tx, tenant, id).await?.ok_or_else(Problem::not_found)?;
            hands_out(caller_in, old.role, &old.scopes, old.expires_at)?;
            if !old.is_good(now) {
                let detail = "This key is no good any more: create another.";
                return Err(Problem::new(Code::WrongState, detail));
            }
            let key = roll_key(tx, tenant, &old, (how.0, &how.1), now).await?;
            shown(tx, tenant, key, made).await
        })
    });
    Ok(with_secret(answer.await?, made))
}

/// Revoke an API key
///
/// From now on nobody can call with it. Revoking it again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/api_keys/{id}/revoke",
    operation_id = "revoke_api_key",
    tag = "keys",
    params(
        ("id" = ApiKeyId, Path),
        ("Idempotency-Key" = String, Header, description = "New for each key"),
    ),
    request_body = Nothing,
    responses((status = 200, description = "Revoked", body = KeyView)),
)]
async fn revoke(
    State(app): State<App>,
    caller: Caller,
    ApiPath(id): ApiPath<ApiKeyId>,
    IdempotentJson { idempotency, body: Nothing {} }: IdempotentJson<Nothing>,
) -> Result<Response, Problem> {
    let (tenant, now, caller_in) = (caller.tenant(), app.clock.now(), &caller);
    idempotent(&app, &caller, &idempotency, "revoke_api_key", |tx| {
        work(async move {
            let key = lock_key(tx, tenant, id).await?.ok_or_else(Problem::not_found)?;
            within(caller_in, key.role, &key.scopes)?;
            revoke_key(tx, tenant, id, now).await?;
            let key = lock_key(tx, tenant, id).await?.ok_or_else(Problem::not_found)?;
            Ok((StatusCode::OK, KeyView::from(key)))
        })
    })
    .await
}
