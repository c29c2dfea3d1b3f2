//! A request's way: key, parameters, faults, idempotency, execution, answer.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use chrono::TimeDelta;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::route::Call;
use super::state::StoredAnswer;
use super::wire::error::{Stage, StripeError};
use super::wire::expand;
use super::wire::params::Params;
use super::wire::view::API_VERSION;
use super::work::{RequestMark, Work, falsify};
use super::{StripeGateway, lock};
use crate::connection::Connection;
use crate::fault::odd::{self, Odd};
use crate::fault::{Fault, FaultKind};
use crate::secret::{decode_base64, same_secret};

const BODY_MAX: usize = 128 * 1024;
const KEY_MAX: usize = 255;
const KEEP_ANSWERS_HOURS: i64 = 24;

pub fn router(gateway: Arc<StripeGateway>) -> Router {
    Router::new().route("/v1/{*path}", any(handle)).with_state(gateway)
}

/// What is sent back, before it is bytes.
struct Answer {
    status: u16,
    body: Value,
    request_id: String,
    /// For 429, in seconds.
    retry_after: Option<u64>,
    /// The request whose stored answer this is.
    replayed_from: Option<String>,
}

impl Answer {
    fn refusal(error: &StripeError, request_id: &str) -> Self {
        let body = error.envelope();
        let request_id = request_id.to_owned();
        Self { status: error.status, body, request_id, retry_after: None, replayed_from: None }
    }

    fn into_response(self, key: Option<&str>) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut builder = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CACHE_CONTROL, "no-cache, no-store")
            .header("Request-Id", self.request_id)
            .header("Stripe-Version", API_VERSION);
        if let Some(key) = key {
            builder = builder.header("Idempotency-Key", key);
        }
        if let Some(seconds) = self.retry_after {
            builder = builder.header(header::RETRY_AFTER, seconds);
        }
        if let Some(original) = self.replayed_from {
            builder = builder.header("Idempotent-Replayed", "true");
            builder = builder.header("Original-Request", original);
        }
        builder.body(Body::from(format!("{:#}", self.body))).unwrap_or_default()
    }
}

/// Stripe's answer, or a fault's that is not Stripe's.
enum Reply {
    Own(Answer),
    Odd(Odd),
}

/// A request whose door checks are done.
struct Checked {
    call: Call,
    params: Params,
    expand: Vec<String>,
    key: Option<String>,
    fingerprint: String,
}

async fn handle(
    Shared(gateway): Shared<Arc<StripeGateway>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let request_id = {
        let Ok(id) = gateway.transact(|work| work.new_id("req")) else {
            return cut(&connection);
        };
        id
    };
    if lock(&gateway.faults).is_down(gateway.now()) {
        return Answer::refusal(&StripeError::down(), &request_id).into_response(None);
    }
    let (parts, body) = request.into_parts();
    let checked = match to_bytes(body, BODY_MAX).await {
        Ok(bytes) => {
            let query = parts.uri.query().unwrap_or_default();
            gateway.check(&parts.method, parts.uri.path(), query, &parts.headers, &bytes)
        }
        Err(_) => Err(StripeError::too_large()),
    };
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => return Answer::refusal(&error, &request_id).into_response(None),
    };
    let key = checked.key.clone();
    // A task of its own: a gateway goes on working when the caller has hung up.
    let work = tokio::spawn(async move { gateway.answer(checked, &request_id).await });
    match work.await {
        Ok(Some(Reply::Own(answer))) => answer.into_response(key.as_deref()),
        Ok(Some(Reply::Odd(odd))) => odd.into_response(),
        Ok(None) | Err(_) => cut(&connection),
    }
}

/// Ends the connection: whatever is returned here never reaches the caller.
fn cut(connection: &Connection) -> Response {
    connection.cut();
    Response::default()
}

/// Marks a key as running for as long as it lives.
struct Running<'a> {
    gateway: &'a StripeGateway,
    key: String,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.gateway.running).remove(&self.key);
    }
}

impl StripeGateway {
    fn check(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Checked, StripeError> {
        self.authenticate(headers)?;
        let call = Call::parse(method, path)
            .ok_or_else(|| StripeError::unknown_path(method.as_str(), path))?;
        let is_post = *method == Method::POST;
        let form = if is_post { check_form(headers, body)? } else { query.as_bytes() };
        let mut params = Params::parse(form)?;
        let expand = params.texts("expand")?.unwrap_or_default();
        expand::check(&expand, call.answers_with(), call.is_list())?;
        let key = if is_post { idempotency_key(headers)? } else { None };
        let mut digest = Sha256::new();
        for part in [path.as_bytes(), form] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let fingerprint = hex::encode(digest.finalize());
        Ok(Checked { call, params, expand, key, fingerprint })
    }

    /// Bearer, or Basic with the key as user name and an empty password.
    fn authenticate(&self, headers: &HeaderMap) -> Result<(), StripeError> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = given.and_then(|given| match given.split_once(' ')? {
            (scheme, key) if scheme.eq_ignore_ascii_case("bearer") => Some(key.trim().to_owned()),
            (scheme, text) if scheme.eq_ignore_ascii_case("basic") => basic_user(text.trim()),
            _ => None,
        });
        match key {
            None => Err(StripeError::unauthorized(
                "No API key was given: use HTTP Basic or Bearer authentication.",
            )),
            Some(key) if !same_secret(&key, &self.settings.secret_key) => {
                Err(StripeError::unauthorized("The API key is not valid for this account."))
            }
            Some(_) => Ok(()),
        }
    }

    /// `None`: the connection ends without an answer.
    async fn answer(&self, checked: Checked, request_id: &str) -> Option<Reply> {
        let running = match self.start(checked.key.as_deref()) {
            Ok(running) => running,
            Err(error) => return Some(Reply::Own(Answer::refusal(&error, request_id))),
        };
        let fault = self.draw_fault(&checked)?;
        let kind = fault.map(|fault| fault.kind);
        let delay = fault.and_then(|fault| fault.delay).unwrap_or_default();
        if let Some(reply) = fault.and_then(|fault| self.reply_instead(fault, request_id)) {
            return Some(reply);
        }
        if kind == Some(FaultKind::Delay) {
            tokio::time::sleep(delay).await;
        }
        let mut answer = self.transact(|work| run(work, checked, request_id, kind)).ok()?;
        drop(running);
        match kind {
            Some(FaultKind::LostAnswer) => return None,
            Some(FaultKind::Timeout) => {
                tokio::time::sleep(delay).await;
                return None;
            }
            Some(FaultKind::EmptyBody) => {
                return odd::instead(FaultKind::EmptyBody).map(Reply::Odd);
            }
            Some(kind) => falsify(kind, &mut answer.body),
            None => {}
        }
        Some(Reply::Own(answer))
    }

    /// The reply of a fault that leaves everything undone.
    fn reply_instead(&self, fault: Fault, request_id: &str) -> Option<Reply> {
        let refusal = |error: StripeError| Some(Answer::refusal(&error, request_id));
        let answer = match fault.kind {
            FaultKind::Http500 => refusal(StripeError::internal()),
            FaultKind::ErrorIn200 => {
                refusal(StripeError::internal()).map(|answer| Answer { status: 200, ..answer })
            }
            FaultKind::Http429 => refusal(StripeError::too_many_requests()).map(|answer| {
                let retry_after = Some(odd::retry_after(fault));
                Answer { retry_after, ..answer }
            }),
            FaultKind::Down => {
                let ahead = fault.delay.and_then(|delay| TimeDelta::from_std(delay).ok());
                lock(&self.faults).go_down(self.now() + ahead.unwrap_or_default());
                refusal(StripeError::down())
            }
            FaultKind::Html | FaultKind::Redirect => {
                return odd::instead(fault.kind).map(Reply::Odd);
            }
            _ => None,
        };
        answer.map(Reply::Own)
    }

    /// Takes the key for this request.
    fn start(&self, key: Option<&str>) -> Result<Option<Running<'_>>, StripeError> {
        let Some(key) = key else { return Ok(None) };
        if !lock(&self.running).insert(key.to_owned()) {
            return Err(StripeError::key_in_use());
        }
        Ok(Some(Running { gateway: self, key: key.to_owned() }))
    }

    /// The fault that strikes this request; the outer `None` means the state cannot be read.
    fn draw_fault(&self, checked: &Checked) -> Option<Option<Fault>> {
        let Some(point) = checked.call.fault_point() else { return Some(None) };
        let metadata = self.read(|state, _| checked.call.metadata(state, &checked.params)).ok()?;
        Some(lock(&self.faults).draw(point, None, &metadata))
    }
}

/// Replays the stored answer of the key, or executes the call and stores its answer.
fn run(
    work: &mut Work<'_>,
    checked: Checked,
    request_id: &str,
    fault: Option<FaultKind>,
) -> Answer {
    let Checked { call, params, expand, key, fingerprint } = checked;
    let oldest = work.now - TimeDelta::hours(KEEP_ANSWERS_HOURS);
    let stored = key.as_deref().and_then(|key| work.state.answers.get(key));
    if let Some(stored) = stored.filter(|stored| stored.stored_at > oldest) {
        if stored.fingerprint != fingerprint {
            return Answer::refusal(&StripeError::key_mismatch(), request_id);
        }
        return Answer {
            status: stored.status,
            body: stored.body.clone(),
            request_id: request_id.to_owned(),
            retry_after: None,
            replayed_from: Some(stored.request_id.clone()),
        };
    }
    let mark = RequestMark { id: Some(request_id.to_owned()), idempotency_key: key.clone() };
    work.mark = mark;
    let outcome = call.execute(work, params);
    let stage = outcome.as_ref().err().map_or(Stage::Execution, |error| error.stage);
    let mut answer = match outcome {
        Ok(body) => {
            let request_id = request_id.to_owned();
            Answer { status: 200, body, request_id, retry_after: None, replayed_from: None }
        }
        Err(error) => Answer::refusal(&error, request_id),
    };
    expand::apply(work.state, work.now, &mut answer.body, &expand);
    if fault == Some(FaultKind::Http500After) && stage == Stage::Execution {
        answer = Answer::refusal(&StripeError::internal(), request_id);
    }
    if let Some(key) = key.filter(|_| stage == Stage::Execution) {
        work.put(StoredAnswer {
            key,
            stored_at: work.now,
            fingerprint,
            request_id: request_id.to_owned(),
            status: answer.status,
            body: answer.body.clone(),
        });
    }
    answer
}

fn check_form<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a [u8], StripeError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if body.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(body);
    }
    Err(StripeError::invalid("Send the parameters as application/x-www-form-urlencoded."))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, StripeError> {
    let Some(value) = headers.get("Idempotency-Key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(StripeError::invalid("An idempotency key has 1 to 255 characters.")),
    }
}

/// The user name of HTTP Basic credentials.
fn basic_user(text: &str) -> Option<String> {
    let decoded = decode_base64(text)?;
    let (user, password) = decoded.split_once(':')?;
    password.is_empty().then(|| user.to_owned())
}
