//! What every answer gets, also a refusal: its id, its time, its headers and its line in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mizan_money::RequestId;
use tracing::Instrument;

use super::Problem;
use super::rate::Told;
use crate::app::App;
use crate::clock::Monotonic;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const CALLERS_ID_CHARS_MAX: usize = 64;

/// Set unless the route has set its own: pages bring a policy that lets their style through.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Adds up what a request waits for gateways, so that `Server-Timing` tells it from our time.
/// A handler takes it as an argument and hands it to whatever calls a gateway.
#[derive(Clone, Debug, Default)]
pub struct GatewayTime {
    micros: Arc<AtomicU64>,
}

impl GatewayTime {
    /// Counts one more wait.
    pub fn add(&self, wait: Duration) {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn total(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for GatewayTime {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get_or_insert_default::<Self>().clone())
    }
}

/// The outermost layer.
pub(super) async fn wrap(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let watch = Monotonic::start();
    let id = RequestId::generate(app.clock.now());
    let gateway = GatewayTime::default();
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(gateway.clone());
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        method = %request.method(),
        // The pattern, not the path: a path can hold what should not be in a log.
        route = route.as_deref().unwrap_or("-"),
    );
    if let Some(theirs) = callers_id(request.headers()) {
        tracing::debug!(parent: &span, callers_request_id = theirs, "named by the caller");
    }
    let response = counted(&app, request, next).instrument(span.clone()).await;
    let code = response.extensions().get::<Problem>().map(|problem| problem.code().as_str());
    let mut response = with_request_id(response, id);
    let (whole, waited) = (watch.elapsed(), gateway.total());
    decorate(response.headers_mut(), id, whole, waited);
    told.write(response.headers_mut());
    tracing::info!(
        parent: &span,
        status = response.status().as_u16(),
        code,
        ms = %in_ms(whole),
        gateway_ms = %in_ms(waited),
        "answered"
    );
    response
}

/// Counts who comes without a good key by the address: before the answer where there is no key at
/// all, afterwards where it was none. With a good key the caller is counted by it, and webhooks are
/// not counted.
async fn counted(app: &App, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/webhooks/") {
        return next.run(request).await;
    }
    let from = app.rates.from(request.extensions(), request.headers());
    let told = request.extensions().get::<Told>().cloned().unwrap_or_default();
    let keyless = !request.headers().contains_key(header::AUTHORIZATION);
    if keyless && let Err(problem) = app.rates.address(from, &told) {
        return problem.into_response();
    }
    let response = next.run(request).await;
    if !keyless
        && response.status() == StatusCode::UNAUTHORIZED
        && let Err(problem) = app.rates.address(from, &told)
    {
        return problem.into_response();
    }
    response
}

/// Writes a problem again, now that the request has an id.
fn with_request_id(mut response: Response, id: RequestId) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let mut written = problem.respond(Some(id));
    for (name, value) in response.headers() {
        if !written.headers().contains_key(name) && name != header::CONTENT_LENGTH {
            written.headers_mut().append(name, value.clone());
        }
    }
    written
}

fn decorate(headers: &mut HeaderMap, id: RequestId, whole: Duration, gateway: Duration) {
    let ours = whole.saturating_sub(gateway);
    let mut timing = format!("app;dur={}", in_ms(ours));
    if !gateway.is_zero() {
        timing.push_str(&format!(", gateway;dur={}", in_ms(gateway)));
    }
    for (name, text) in [(REQUEST_ID, id.to_string()), (SERVER_TIMING, timing)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
}

/// What the caller calls the request: good for a log line, not trusted for anything.
fn callers_id(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(REQUEST_ID).or_else(|| headers.get("x-request-id"))?.to_str().ok()?;
    let harmless = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (harmless && (1..=CALLERS_ID_CHARS_MAX).contains(&text.len())).then_some(text)
}

fn in_ms(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_in_milliseconds() {
        assert_eq!(in_ms(Duration::from_micros(12_034)), "12.034");
        assert_eq!(in_ms(Duration::from_micros(7)), "0.007");
    }
}
