//! A request's way: the door, faults, idempotency, execution, the answer.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;

use super::{Bank, lock};
use crate::bank::record::StoredAnswer;
use crate::bank::request::Request;
use crate::bank::wire::{Answer, Call, Trouble};
use crate::bank::work::Work;
use crate::connection::Connection;
use crate::fault::odd::{self, Odd};
use crate::fault::{Fault, FaultKind};
use crate::journal::Broken;

const BODY_MAX: usize = 1024 * 1024;

pub fn router(bank: Arc<Bank>) -> Router {
    Router::new().fallback(handle).with_state(bank)
}

/// The gateway's answer, or a fault's that is not the gateway's.
enum Reply {
    Own(Answer),
    Odd(Odd),
}

async fn handle(
    Shared(bank): Shared<Arc<Bank>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
    let body = to_bytes(body, BODY_MAX).await;
    let fits = body.is_ok();
    let request = Request { method, uri, headers, body: body.unwrap_or_default() };
    if !fits {
        return respond(bank.wire.trouble(Trouble::TooLarge, &request));
    }
    // A task of its own: a gateway goes on working when the caller has hung up.
    let work = tokio::spawn(async move { bank.answer(request).await });
    match work.await {
        Ok(Some(Reply::Own(answer))) => respond(answer),
        Ok(Some(Reply::Odd(odd))) => odd.into_response(),
        Ok(None) | Err(_) => {
            // Whatever is returned here never reaches the caller.
            connection.cut();
            Response::default()
        }
    }
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut builder = Response::builder().status(status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(answer.body)).unwrap_or_default()
}

/// Marks a key as running for as long as it lives.
struct Running<'a> {
    bank: &'a Bank,
    key: String,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.bank.running).remove(&self.key);
    }
}

impl Bank {
    /// `None`: the connection ends without an answer.
    async fn answer(&self, request: Request) -> Option<Reply> {
        if lock(&self.faults).is_down(self.now()) {
            return Some(Reply::Own(self.wire.trouble(Trouble::Down, &request)));
        }
        let entered = self.transact(|work| self.wire.enter(work, &request)).ok()?;
        let call = match entered {
            Ok(call) => call,
            Err(refusal) => return Some(Reply::Own(refusal)),
        };
        let key = call.key.as_ref().map(|key| format!("{}\n{}", key.scope, key.key));
        let running = match self.start(key.as_deref(), &request) {
            Ok(running) => running,
            Err(refusal) => return Some(Reply::Own(refusal)),
        };
        let fault = self.draw(&call);
        if let Some(reply) = fault.and_then(|fault| self.reply_instead(fault, &request)) {
            return Some(reply);
        }
        let kind = fault.map(|fault| fault.kind);
        let delay = fault.and_then(|fault| fault.delay).unwrap_or_default();
        if kind == Some(FaultKind::Delay) {
            tokio::time::sleep(delay).await;
        }
        let mut answer = self.run(&request, key, fault).ok()?;
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
            Some(
                kind @ (FaultKind::WrongAmount
                | FaultKind::WrongCurrency
                | FaultKind::UnknownStatus),
            ) => self.wire.falsify(kind, &mut answer.body),
            _ => {}
        }
        Some(Reply::Own(answer))
    }

    /// Takes the key for this request.
    fn start(&self, key: Option<&str>, request: &Request) -> Result<Option<Running<'_>>, Answer> {
        let Some(key) = key else { return Ok(None) };
        if !lock(&self.running).insert(key.to_owned()) {
            return Err(self.wire.trouble(Trouble::KeyInUse, request));
        }
        Ok(Some(Running { bank: self, key: key.to_owned() }))
    }

    fn draw(&self, call: &Call) -> Option<Fault> {
        lock(&self.faults).draw(call.point?, None, &call.metadata)
    }

    /// The reply of a fault that leaves everything undone.
    fn reply_instead(&self, fault: Fault, request: &Request) -> Option<Reply> {
        let own = |trouble: Trouble| Some(Reply::Own(self.wire.trouble(trouble, request)));
        match fault.kind {
            FaultKind::Http500 => own(Trouble::Internal),
            FaultKind::ErrorIn200 => {
                let answer = self.wire.trouble(Trouble::Internal, request);
                Some(Reply::Own(Answer { status: 200, ..answer }))
            }
            FaultKind::Http429 => {
                let answer = self.wire.trouble(Trouble::TooManyRequests, request);
                let seconds = odd::retry_after(fault).to_string();
                Some(Reply::Own(answer.header("retry-after", &seconds)))
            }
            FaultKind::Down => {
                let ahead = fault.delay.and_then(|delay| TimeDelta::from_std(delay).ok());
                lock(&self.faults).go_down(self.now() + ahead.unwrap_or_default());
                own(Trouble::Down)
            }
            FaultKind::Html | FaultKind::Redirect => odd::instead(fault.kind).map(Reply::Odd),
            _ => None,
        }
    }

    /// Replays the stored answer of the key, or executes the request and stores its answer.
    fn run(
        &self,
        request: &Request,
        key: Option<String>,
        fault: Option<Fault>,
    ) -> Result<Answer, Broken> {
        let fingerprint = request.fingerprint();
        self.transact(|work| {
            let key = key.filter(|_| self.wire.replays());
            let stored = key.as_deref().and_then(|key| work.state.answers.get(key));
            if let Some(stored) = stored {
                return match stored.fingerprint == fingerprint {
                    true => stored.answer.clone(),
                    false => self.wire.trouble(Trouble::KeyMismatch, request),
                };
            }
            work.fault = fault;
            let mut answer = self.wire.execute(work, request);
            if fault.is_some_and(|fault| fault.kind == FaultKind::Http500After) && answer.is_kept {
                answer = self.wire.trouble(Trouble::Internal, request);
                answer.is_kept = true;
            }
            if let Some(key) = key.filter(|_| answer.is_kept) {
                keep(work, key, fingerprint, &answer);
            }
            answer
        })
    }
}

fn keep(work: &mut Work<'_>, key: String, fingerprint: String, answer: &Answer) {
    let (stored_at, answer) = (work.now, answer.clone());
    work.put(StoredAnswer { key, stored_at, fingerprint, answer });
}
