//! Access tokens by client credentials (RFC 6749, 4.4): fetched when needed, kept until refused.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use serde::Deserialize;

use crate::client::GatewayClient;
use crate::error::SendError;
use crate::http::{Auth, Body, Headers, HttpAnswer, HttpRequest, Method, Prior, Replay};

/// The tokens of a client, by client id. No clock: a token is good until a call answers 401.
#[derive(Clone, Default)]
pub(crate) struct Tokens {
    by_client: Arc<Mutex<BTreeMap<String, SecretString>>>,
}

impl Tokens {
    fn get(&self, client: &str) -> Option<SecretString> {
        let tokens = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(client).cloned()
    }

    fn put(&self, client: &str, token: SecretString) {
        let mut tokens = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(client.to_owned(), token);
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

/// What tokens are fetched with.
#[derive(Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub path: &'static str,
    pub user: &'a str,
    pub password: &'a SecretString,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

impl GatewayClient {
    /// Sends a request with a token. One that was kept and is refused is renewed once: a 401 says
    /// that nothing was done. A refused grant is the answer.
    pub(crate) async fn with_token(
        &self,
        request: &HttpRequest,
        grant: Grant<'_>,
    ) -> Result<HttpAnswer, SendError> {
        if let Some(kept) = self.tokens().get(grant.user) {
            let answer = self.exchange(&bearing(request, kept)).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
        }
        match self.grant(grant).await? {
            Ok(token) => {
                self.tokens().put(grant.user, token.clone());
                self.exchange(&bearing(request, token)).await
            }
            Err(refusal) => Ok(refusal),
        }
    }

    /// Fetches a token; the inner error is a refusal by the gateway. Whatever else goes wrong,
    /// the request itself was not sent.
    async fn grant(&self, grant: Grant<'_>) -> Result<Result<SecretString, HttpAnswer>, SendError> {
        let not_sent = |problem: String| SendError::BeforeSend { problem };
        let auth = Auth::Basic { user: grant.user.to_owned(), password: grant.password.clone() };
        let request = HttpRequest {
            method: Method::Post,
            path: grant.path.to_owned(),
            query: None,
            headers: Headers::new(),
            auth,
            body: Body::Form("grant_type=client_credentials".to_owned()),
            replay: Replay::Query,
            prior: Prior::None,
            retry_header: None,
        };
        let answer = self.exchange(&request).await;
        let answer = answer.map_err(|error| not_sent(format!("no access token: {error}")))?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body)
                .map(|granted: Granted| Ok(granted.access_token.into()))
                .map_err(|_| not_sent("the access token is not readable".to_owned())),
            400 | 401 | 403 => Ok(Err(answer)),
            status => Err(not_sent(format!("no access token: answered {status}"))),
        }
    }
}

fn bearing(request: &HttpRequest, token: SecretString) -> HttpRequest {
    HttpRequest { auth: Auth::Bearer(token), ..request.clone() }
}
