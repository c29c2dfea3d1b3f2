//! `mizan webhooks listen`: an ear on a loopback address that says what comes, and hands it on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan_providers::signature::MAX_BODY_BYTES;
use mizan_providers::{Headers, ProviderName, WebhookKeys, inspect, webhook_reader};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::cli::database::runtime;
use crate::cli::end::{CommandResult, End, Failure};
use crate::cli::gateways::{connection, webhook_secrets};
use crate::cli::output;
use crate::cli::signals::Ending;

/// How long whom it is handed on to may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to listen to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Hand each delivery on to this address, byte for byte, and answer what it answers. The path
    /// of the delivery is added
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// A signing secret, for every gateway; else those of the settings
    #[arg(long, value_name = "SECRET")]
    secret: Vec<String>,
    /// A file with settings
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

struct Ear {
    secrets: Vec<(String, Vec<SecretString>)>,
    given: Vec<SecretString>,
    forward_to: Option<String>,
    http: reqwest::Client,
}

/// Listens until it is told to end.
pub fn run(args: &Args) -> CommandResult {
    if !args.listen.ip().is_loopback() {
        return Err(format!("{} is no loopback address: use 127.0.0.1", args.listen).into());
    }
    let config = Config::load(args.config.as_deref())?;
    let ear = Ear {
        secrets: webhook_secrets(&config),
        given: args.secret.iter().cloned().map(SecretString::from).collect(),
        forward_to: args.forward_to.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        http: reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?,
    };
    runtime()?.block_on(listen(args.listen, ear))
}

async fn listen(at: SocketAddr, ear: Ear) -> CommandResult {
    let mut ending = Ending::listen()?;
    let listener = TcpListener::bind(at).await.map_err(|error| {
        Failure::from(format!("cannot listen on {at} ({error}): give --listen another"))
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    output::warn(&format!("listening on {url}/webhooks/GATEWAY/CONNECTION"));
    let app = Router::new()
        .fallback(hear)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(ear));
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        ending.wait().await;
    });
    server.await?;
    Ok(End::Done)
}

async fn hear(
    State(ear): State<Arc<Ear>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let read: Headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let named = uri.path().split('/').find_map(|part| part.parse::<ProviderName>().ok());
    let Some(name) = named else {
        let said = json!({ "path": uri.path(), "error": "its path names no gateway" });
        let _told = output::print(&format!("{said}\n"));
        return (StatusCode::NOT_FOUND, "the path names no gateway".to_owned());
    };
    let mut said = ear.judge(name, &read, &body).await;
    let answer = ear.hand_on(&uri, &headers, body).await;
    if let (Some(to), Value::Object(fields)) = (&ear.forward_to, &mut said) {
        let code = answer.as_ref().map_or(502, |(code, _)| code.as_u16());
        fields.insert("forwarded".to_owned(), json!({ "to": to, "status": code }));
    }
    // Nobody reading is no reason to refuse the gateway.
    let _told = output::print(&format!("{said}\n"));
    answer.unwrap_or_else(|problem| (StatusCode::BAD_GATEWAY, problem))
}

impl Ear {
    async fn judge(&self, name: ProviderName, headers: &Headers, body: &[u8]) -> Value {
        let own = self.secrets.iter().find(|(of, _)| of == connection(name));
        let secrets = match (self.given.is_empty(), own) {
            (false, _) => self.given.as_slice(),
            (true, Some((_, secrets))) => secrets.as_slice(),
            (true, None) => &[],
        };
        let reader = webhook_reader(name);
        let keys = WebhookKeys { secrets, certificates: &[] };
        let found = inspect(reader.as_ref(), headers, body, keys, Clock::system().now());
        json!({ "provider": name, "delivery": found })
    }

    async fn hand_on(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<(StatusCode, String), String> {
        let Some(to) = &self.forward_to else { return Ok((StatusCode::OK, "OK".to_owned())) };
        let mut request = self.http.post(format!("{to}{}", uri.path())).body(body);
        let own = ["host", "content-length", "connection", "transfer-encoding"];
        for (name, value) in headers.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        let code = answer.status();
        let text = answer.text().await.map_err(|error| error.without_url().to_string())?;
        Ok((code, text))
    }
}
