//! The one HTTP client for all gateways: bounds on time and size, careful retries, an archive.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::error::{ClientError, SendError};
use crate::http::{Auth, Headers, HttpAnswer, HttpRequest, Method};
use crate::operation::Operation;
use crate::outcome::{Outcome, Rejection, RejectionReason, UnknownReason};
use crate::provider::Provider;

mod call;
pub mod redact;
mod token;

use call::{Call, may_repeat, retry_after};
use token::{Grant, Tokens};

/// How a client behaves. Every wait and size has a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// `https://api.stripe.com`, or a simulator's address.
    pub base_url: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest time for one call, its retries and waits included.
    pub total_timeout: Duration,
    /// Largest answer that is read, in bytes.
    pub max_body_bytes: usize,
    /// How often one call is repeated at most.
    pub max_retries: usize,
    /// The first wait before a retry; it doubles, with jitter.
    pub backoff_min: Duration,
    /// The longest wait before a retry. A gateway that asks for more gets no retry in this call.
    pub backoff_max: Duration,
}

impl ClientConfig {
    /// The usual bounds: 5 s to connect, 30 s in all, 1 MiB, two retries after 0.5 to 5 s.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(30),
            max_body_bytes: 1024 * 1024,
            max_retries: 2,
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(5),
        }
    }
}

/// What one call left behind, secrets and card data taken out: for the archive of operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The query string, redacted.
    pub query: Option<String>,
    /// The request's headers, authorisation left out.
    pub request_headers: Vec<(String, String)>,
    /// The request's body, redacted.
    pub request_body: String,
    /// SHA-256 of what was asked, before redaction.
    pub fingerprint: String,
    /// What came back, attempt by attempt.
    pub attempts: Vec<Attempt>,
}

/// One attempt of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The status code, where an answer came.
    pub status: Option<u16>,
    /// The answer's headers, cookies left out.
    pub headers: Vec<(String, String)>,
    /// The answer's body, redacted.
    pub body: Option<String>,
    /// Why no answer came.
    pub problem: Option<String>,
}

/// What one call came to.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The last answer, or why there is none.
    pub result: Result<HttpAnswer, SendError>,
    /// What was said.
    pub archive: Archive,
}

/// A client for one base address. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct GatewayClient {
    http: reqwest::Client,
    config: ClientConfig,
    tokens: Tokens,
}

impl GatewayClient {
    /// Makes a client. Redirects are never followed; a loopback address never goes by a proxy.
    ///
    /// # Errors
    /// When the base address is not an http or https address, or the library refuses.
    pub fn new(mut config: ClientConfig) -> Result<Self, ClientError> {
        let url = reqwest::Url::parse(&config.base_url).map_err(|_| ClientError::BaseUrl)?;
        let web = matches!(url.scheme(), "http" | "https");
        let bare = url.query().is_none() && url.fragment().is_none();
        let open = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().map(str::to_owned).ok_or(ClientError::BaseUrl)?;
        if !(web && bare && open) {
            return Err(ClientError::BaseUrl);
        }
        config.base_url.truncate(config.base_url.trim_end_matches('/').len());
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(config.connect_timeout)
            .user_agent(concat!("mizan/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&host) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(ClientError::Build)?;
        Ok(Self { http, config, tokens: Tokens::default() })
    }

    /// Sends a built operation and reads the answer: the whole call as one outcome.
    ///
    /// A connection that was never made is [`Outcome::Rejected`]; any later failure to get an
    /// answer is [`Outcome::Unknown`].
    pub async fn execute(
        &self,
        provider: &dyn Provider,
        op: &Operation,
        request: &HttpRequest,
    ) -> (Outcome, Archive) {
        let Exchange { result, archive } = self.send(request).await;
        let outcome = match result {
            Ok(answer) => provider.parse(op, &answer),
            Err(error) if error.is_before_send() => Outcome::Rejected(Rejection {
                reason: RejectionReason::NotSent,
                code: RejectionReason::NotSent.as_str().to_owned(),
                message: error.to_string(),
                retry_after: None,
            }),
            Err(error) => Outcome::Unknown(UnknownReason::NoAnswer(error).into()),
        };
        (outcome, archive)
    }

    /// Sends a request, repeating it where that is safe, all within the total limit.
    ///
    /// Repeated are: connections never made; and, where the request only reads or carries a key,
    /// broken connections and answers 409, 424, 429 and 5xx, unless the gateway's own header says
    /// otherwise. The answer says whether an earlier attempt may have been executed.
    pub async fn send(&self, request: &HttpRequest) -> Exchange {
        let mut call = Call { last: None, prior: request.prior, attempts: Vec::new() };
        let limit = self.config.total_timeout;
        if tokio::time::timeout(limit, self.attempt_all(request, &mut call)).await.is_err()
            && call.last.is_none()
        {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            call.record(Err(SendError::TimedOut { limit_ms }));
        }
        let archive = Archive {
            method: request.method.as_str(),
            path: request.path.clone(),
            query: request.query.as_deref().map(redact::form),
            request_headers: redact::headers(&request.headers),
            request_body: redact::body(request.body.as_str().as_bytes()),
            fingerprint: request.fingerprint(),
            attempts: std::mem::take(&mut call.attempts),
        };
        Exchange { result: call.finish(), archive }
    }

    /// Attempts until an answer stands. `call.last` is empty exactly while one is in flight.
    async fn attempt_all(&self, request: &HttpRequest, call: &mut Call) {
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(self.config.backoff_min)
            .with_max_delay(self.config.backoff_max)
            .with_max_times(self.config.max_retries)
            .with_jitter()
            .build();
        loop {
            let result = self.attempt(request).await;
            let again = may_repeat(request, &result);
            let asked = retry_after(&result);
            call.record(result);
            let (true, Some(own)) = (again, waits.next()) else { return };
            let wait = asked.unwrap_or(own);
            if wait > self.config.backoff_max {
                return;
            }
            tokio::time::sleep(wait).await;
            call.begin_again();
        }
    }

    async fn attempt(&self, request: &HttpRequest) -> Result<HttpAnswer, SendError> {
        match &request.auth {
            Auth::ClientCredentials { path, user, password } => {
                self.with_token(request, Grant { path, user, password }).await
            }
            _ => self.exchange(request).await,
        }
    }

    /// The tokens that calls were granted.
    pub(crate) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Fetches what stands at an absolute address, without credentials: a certificate.
    ///
    /// # Errors
    /// No complete answer with status 200 within the client's bounds.
    pub async fn fetch(&self, url: &str) -> Result<Vec<u8>, SendError> {
        let request = self.http.get(url).timeout(self.config.total_timeout).build();
        let answer = self.answer(request.map_err(send_error)?).await?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(SendError::Broken { problem: format!("answered {status}") }),
        }
    }

    /// One request and its answer.
    pub(crate) async fn exchange(&self, request: &HttpRequest) -> Result<HttpAnswer, SendError> {
        self.answer(self.to_reqwest(request)?).await
    }

    async fn answer(&self, request: reqwest::Request) -> Result<HttpAnswer, SendError> {
        let mut response = self.http.execute(request).await.map_err(send_error)?;
        let status = response.status().as_u16();
        let headers: Headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let limit = self.config.max_body_bytes;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(send_error)? {
            if body.len() + chunk.len() > limit {
                return Err(SendError::TooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer::new(status, headers, body))
    }

    fn to_reqwest(&self, request: &HttpRequest) -> Result<reqwest::Request, SendError> {
        let mut url = format!("{}{}", self.config.base_url, request.path);
        if let Some(query) = &request.query {
            url.push('?');
            url.push_str(query);
        }
        let mut builder = self.http.request(method(request.method), url);
        for (name, value) in request.headers.iter() {
            builder = builder.header(name, value);
        }
        builder = match &request.auth {
            // A token stands in its place by now; a key in the body goes with the body.
            Auth::None | Auth::ClientCredentials { .. } | Auth::InBody(_) => builder,
            Auth::Bearer(key) => builder.bearer_auth(key.expose_secret()),
            Auth::Basic { user, password } => {
                builder.basic_auth(user, Some(password.expose_secret()))
            }
            Auth::Header { name, value } => {
                builder.header(HeaderName::from_static(name), secret_value(value.expose_secret())?)
            }
        };
        if let Some(kind) = request.body.content_type() {
            builder = builder.header(CONTENT_TYPE, kind).body(request.body_to_send());
        }
        builder.build().map_err(send_error)
    }
}

/// Sorts a failure of the HTTP library: only what fails before a connection stands did nothing.
fn send_error(error: reqwest::Error) -> SendError {
    let before = error.is_connect() || error.is_builder();
    let problem = innermost(&error.without_url());
    if before { SendError::BeforeSend { problem } } else { SendError::Broken { problem } }
}

/// The text of the first cause, redacted and cut to 200 characters.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    redact::text(&cause.to_string()).chars().take(200).collect()
}

fn secret_value(text: &str) -> Result<HeaderValue, SendError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| SendError::BeforeSend {
        problem: "a credential holds characters no header can".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

const fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
