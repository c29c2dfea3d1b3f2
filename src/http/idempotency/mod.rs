//! Idempotency keys: a repeated request changes nothing and hears the same bytes again.
//!
//! The effects and the stored answer commit together, so a crash leaves either both or nothing.
//! While a request runs, its key is held by an advisory lock of its transaction: others with the
//! key are told to wait, and never wait themselves. A key's row is written once, with its answer
//! or with the operation that will bring one.
//!
//! Kept are successes and refusals by a rule (402, 409, 422 as the catalogue says); malformed
//! requests and failures of ours are not, so they can be sent again.

mod group;
mod key;
mod store;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mizan_money::{RequestId, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

use self::store::KnownKey;
use super::code::Keep;
use super::problem::PROBLEM_JSON;
use super::{Code, Problem, extract};
use crate::app::App;
use crate::audit::Doer;
use crate::auth::Caller;
use crate::db::{DbError, Work, work};

pub use group::{GroupClaim, Heard, claim_group};
pub use key::{Fingerprint, IDEMPOTENCY_KEY, IdempotencyKey};

/// Set on an answer that was given before.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A request's key and fingerprint, and its id for the answers that are kept.
#[derive(Clone, Debug)]
pub struct Idempotent {
    key: IdempotencyKey,
    fingerprint: Fingerprint,
    request_id: Option<RequestId>,
    doer: Option<Doer>,
}

/// Extracts the key, the fingerprint and the JSON body of a request that moves money.
#[derive(Clone, Debug)]
pub struct IdempotentJson<T> {
    /// The key and the fingerprint.
    pub idempotency: Idempotent,
    /// The body, read strictly.
    pub body: T,
}

/// What the key says about a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Nobody used the key, nor can before this transaction ends: go ahead, and [`finish`] in
    /// it, or [`attach_operation`] that answers later.
    Fresh,
    /// The first request with the key is at work in this moment: 409.
    InFlight,
    /// The key belongs to another request: 422.
    Mismatch,
    /// The first request committed, and its answer is still to come.
    Running {
        /// What to ask for the state of things.
        operation_id: Option<Uuid>,
        /// When the first request came.
        created_at: Timestamp,
    },
    /// The first request was answered: the same again.
    Replay(StoredAnswer),
}

/// An answer as it was given the first time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The exact bytes.
    pub body: Vec<u8>,
}

impl Idempotent {
    /// From a key and what it stands for.
    #[must_use]
    pub const fn new(
        key: IdempotencyKey,
        fingerprint: Fingerprint,
        request_id: Option<RequestId>,
    ) -> Self {
        Self { key, fingerprint, request_id, doer: None }
    }

    /// Who commands it; none where nobody is to be noted.
    #[must_use]
    pub const fn doer(&self) -> Option<&Doer> {
        self.doer.as_ref()
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// The fingerprint.
    #[must_use]
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The request's id, for the answers that are kept.
    #[must_use]
    pub const fn request_id(&self) -> Option<RequestId> {
        self.request_id
    }
}

impl<T, S> FromRequest<S> for IdempotentJson<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let key = IdempotencyKey::from_headers(request.headers())?;
        let request_id = request.extensions().get::<RequestId>().copied();
        let doer = request.extensions().get::<Doer>().cloned();
        // The bounds of the body travel in the extensions; the headers stay here.
        let (mut head, body) = request.into_parts();
        let mut rest = Request::new(body);
        *rest.extensions_mut() = std::mem::take(&mut head.extensions);
        let bytes: Bytes = extract::read_body(rest, state).await?;
        let path = head.uri.path_and_query().map_or("", |path| path.as_str());
        let fingerprint = Fingerprint::of(head.method.as_str(), path, &bytes);
        let body = extract::parse_body(&head.headers, &bytes)?;
        let idempotency = Idempotent { doer, ..Idempotent::new(key, fingerprint, request_id) };
        Ok(Self { idempotency, body })
    }
}

impl StoredAnswer {
    /// An answer to keep: a success with its JSON.
    ///
    /// # Errors
    /// 500 when the value cannot be written as JSON.
    pub fn success(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self { status, body })
    }

    /// A refusal to keep.
    ///
    /// # Errors
    /// 500 when the problem cannot be written as JSON.
    pub fn refusal(problem: &Problem, request_id: Option<RequestId>) -> Result<Self, Problem> {
        Self::success(problem.status(), &problem.body(request_id))
    }

    /// The answer, marked when it was given before.
    #[must_use]
    pub fn respond(self, replay: Replay) -> Response {
        let mut response = (self.status, Body::from(self.body)).into_response();
        let json = HeaderValue::from_static("application/json");
        let kind = if self.status.is_success() { json } else { PROBLEM_JSON };
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if replay == Replay::Again {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Whether an answer is given for the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replay {
    /// It is the request's own.
    First,
    /// It was given before.
    Again,
}

/// Claims the key for this transaction. First thing in it, before any row is locked.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn claim(
    conn: &mut PgConnection,
    tenant: TenantId,
    request: &Idempotent,
) -> Result<Claim, DbError> {
    let taken = store::take_keys(conn, tenant, &[&request.key]).await?.pop();
    Ok(taken.map_or(Claim::Fresh, |taken| Claim::of(request, taken.known.as_ref())))
}

/// Keeps the answer under the key, in the transaction that makes it true. A key that has an
/// answer keeps that one.
///
/// # Errors
/// [`DbError`]; of a status below 200 or above 499 the constraint
/// `idempotency_status_is_final`.
pub async fn finish(
    conn: &mut PgConnection,
    tenant: TenantId,
    request: &Idempotent,
    answer: &StoredAnswer,
    now: Timestamp,
) -> Result<(), DbError> {
    Ok(store::write_answers(conn, tenant, &[(request, answer)], now).await.map(drop)?)
}

/// Leaves the key to an operation that answers for it until [`finish`].
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn attach_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    request: &Idempotent,
    operation_id: Uuid,
    now: Timestamp,
) -> Result<(), DbError> {
    Ok(store::attach_operation(conn, tenant, request, operation_id, now).await?)
}

impl Claim {
    /// What a key that is not simply free says about a request.
    fn of(request: &Idempotent, known: Option<&KnownKey>) -> Self {
        let Some(known) = known else { return Self::InFlight };
        if known.fingerprint != request.fingerprint.as_bytes() {
            return Self::Mismatch;
        }
        let (operation_id, created_at) = (known.operation_id, known.created_at);
        match known.answer.clone() {
            Some((status, body)) => Self::Replay(StoredAnswer { status, body }),
            None => Self::Running { operation_id, created_at },
        }
    }

    /// The problem of a claim that cannot go ahead and has no answer to repeat.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::InFlight | Self::Running { .. } => Some(Problem::new(
                Code::IdempotencyKeyInFlight,
                "The first request with this key has not been answered yet.",
            )),
            Self::Mismatch => Some(Problem::new(
                Code::IdempotencyKeyReused,
                "This key was used with another method, path or body.",
            )),
            Self::Fresh | Self::Replay(_) => None,
        }
    }
}

/// Runs a use case of one transaction under the request's key, and answers.
///
/// The use case's effects and the answer commit together. When it refuses, its effects are
/// rolled back; a refusal by a rule is then kept in a transaction of its own, unless another
/// request with the key came in between: then that one's answer is given. `run` may run more
/// than once and must do nothing but use the database.
///
/// # Errors
/// What `run` refused, the problem of the claim, or a failure of the database.
pub async fn idempotent<'env, T, F>(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    name: &'static str,
    run: F,
) -> Result<Response, Problem>
where
    F: for<'t> Fn(&'t mut PgConnection) -> Work<'t, 'env, Result<(StatusCode, T), Problem>>
        + Send
        + Sync,
    T: Serialize + Send + 'env,
{
    let (tenant, now, run) = (caller.tenant(), caller.now(app), &run);
    let first = app
        .db
        .transaction(name, tenant, |tx| {
            work(async move {
                let claim = claim(tx, tenant, request).await?;
                if let Claim::Replay(answer) = claim {
                    return Ok((answer, Replay::Again));
                }
                if let Some(problem) = claim.problem() {
                    return Err(problem);
                }
                let (status, body) = run(tx).await?;
                let answer = StoredAnswer::success(status, &body)?;
                finish(tx, tenant, request, &answer, now).await?;
                Ok((answer, Replay::First))
            })
        })
        .await;
    let (answer, replay) = match first {
        Err(refusal) if refusal.keep() == Keep::Answer => {
            keep_refusal(app, tenant, request, &refusal, now).await?
        }
        other => other?,
    };
    Ok(answer.respond(replay))
}

/// Keeps a refusal under the key in a transaction of its own.
///
/// # Errors
/// The problem of the claim when another request holds the key, or a failure of the database.
pub async fn keep_refusal(
    app: &App,
    tenant: TenantId,
    request: &Idempotent,
    refusal: &Problem,
    now: Timestamp,
) -> Result<(StoredAnswer, Replay), Problem> {
    let answer = &StoredAnswer::refusal(refusal, request.request_id)?;
    app.db
        .transaction("keep_refusal", tenant, |tx| {
            work(async move {
                let claim = claim(tx, tenant, request).await?;
                if let Claim::Replay(earlier) = claim {
                    return Ok((earlier, Replay::Again));
                }
                if let Some(problem) = claim.problem() {
                    return Err(problem);
                }
                finish(tx, tenant, request, answer, now).await?;
                Ok((answer.clone(), Replay::First))
            })
        })
        .await
}

#[cfg(test)]
mod tests;
