//! `mizan webhooks trigger`: a gateway's own deliveries, made by its simulator and signed for
//! real, sent to a service: once or often, in order or not, signed well or badly.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use mizan::clock::Clock;
use mizan::config::Config;
use mizan_providers::{ProviderEvent, ProviderName, webhook_reader};
use mizan_simulator::{Simulator, SimulatorConfig};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::net::TcpListener;

use super::story::play;
use crate::cli::database::runtime;
use crate::cli::end::{CommandResult, End, Failure};
use crate::cli::gateways::{gateways, webhook_path, webhook_secrets};
use crate::cli::output;
use crate::cli::simulate::sim_clock;
use crate::cli::simulated::{point, simulated};

/// Most deliveries of one call.
const TIMES_MAX: u32 = 1000;

/// What to send, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gateway, e.g. `stripe`
    provider: String,
    /// The gateway's own name of an event, e.g. `payment_intent.succeeded`, or ours, e.g.
    /// `payment.captured`, `refund.succeeded`; `list` says which there are
    event: String,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(TIMES_MAX)))]
    times: u32,
    /// Send it before the events that came before it
    #[arg(long)]
    out_of_order: bool,
    /// Change the body after it was signed
    #[arg(long)]
    bad_signature: bool,
    /// Where to; else http://127.0.0.1:8080 and the path of the gateway's connection
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// What it is signed with; else the first secret of the settings
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Where the simulator listens meanwhile; PayPal's certificate is fetched from there
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A file with settings
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

/// A delivery as the gateway sent it, and what it says.
#[derive(Clone)]
pub struct Sent {
    headers: HeaderMap,
    body: Bytes,
    events: Vec<ProviderEvent>,
}

impl Sent {
    /// The names it goes by: the gateway's and ours.
    fn names(&self) -> Vec<String> {
        let both = self.events.iter().flat_map(|event| {
            let ours = match event.status() {
                Some(status) => format!("{}.{status}", event.kind().as_str()),
                None => event.kind().as_str().to_owned(),
            };
            [event.event_type.clone(), ours]
        });
        both.collect()
    }
}

/// Runs the command.
pub fn run(args: &Args) -> CommandResult {
    let name: ProviderName = args.provider.parse()?;
    let config = Config::load(args.config.as_deref())?;
    runtime()?.block_on(trigger(args, name, &config))
}

async fn trigger(args: &Args, name: ProviderName, config: &Config) -> CommandResult {
    let sent = deliveries(args, name, config).await?;
    if args.event == "list" {
        let mut names: Vec<String> = sent.iter().flat_map(Sent::names).collect();
        names.sort();
        names.dedup();
        output::print(&format!("{}\n", names.join("\n")))?;
        return Ok(End::Done);
    }
    let place = sent.iter().position(|one| one.names().contains(&args.event)).ok_or_else(|| {
        let event: String = args.event.chars().take(60).collect();
        format!("{name} sends no `{event}`: `mizan webhooks trigger {name} list` says what it does")
    })?;
    let mut chosen = vec![sent[place].clone()];
    if args.out_of_order {
        chosen.extend(sent[..place].iter().cloned());
    }
    let to = match &args.to {
        Some(url) => url.clone(),
        None => format!("http://127.0.0.1:8080{}", webhook_path(name)),
    };
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
    let mut all_well = true;
    for one in &chosen {
        for _ in 0..args.times {
            all_well &= send(&http, &to, one, args.bad_signature).await?;
        }
    }
    Ok(if all_well { End::Done } else { End::Failed })
}

/// Sends one; answers whether the service did what it should.
async fn send(
    http: &reqwest::Client,
    to: &str,
    one: &Sent,
    bad_signature: bool,
) -> Result<bool, Failure> {
    let mut body = one.body.to_vec();
    if bad_signature {
        // One digit: the form stays, and only the signature can tell.
        let digit = body.iter_mut().rev().find(|byte| byte.is_ascii_digit());
        if let Some(digit) = digit {
            *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
        }
    }
    let mut request = http.post(to).body(body);
    for (name, value) in &one.headers {
        request = request.header(name, value);
    }
    let answer = request
        .send()
        .await
        .map_err(|error| Failure::from(format!("{to} did not answer: {}", error.without_url())))?;
    let code = answer.status();
    let text: String = answer.text().await?.chars().take(500).collect();
    let said = serde_json::from_str(&text).unwrap_or(json!(text));
    let line = json!({ "sent": one.names(), "status": code.as_u16(), "answer": said });
    output::print(&format!("{line}\n"))?;
    Ok(if bad_signature { code.as_u16() == 401 } else { code.is_success() })
}

/// Everything a gateway sends while a short story is played, in its order.
async fn deliveries(
    args: &Args,
    name: ProviderName,
    config: &Config,
) -> Result<Vec<Sent>, Failure> {
    let gateway = simulated(name).ok_or("this gateway has no simulator")?;
    let first = webhook_secrets(config)
        .into_iter()
        .find(|(of, _)| of == crate::cli::gateways::connection(name))
        .and_then(|(_, secrets)| secrets.first().map(|it| it.expose_secret().to_owned()));
    let secret = args.secret.clone().or(first).ok_or_else(|| {
        format!("no secret of {name} is configured: give --secret, or set it for the service too")
    })?;
    let (sink, kept) = sink().await?;
    let clock = Clock::manual(Clock::system().now());
    let mut settings = SimulatorConfig::for_gateway(gateway, sim_clock(&clock));
    settings.webhook_secret = secret;
    settings.webhook_url = Some(sink);
    let simulator = Simulator::start(settings.clone(), args.listen).await?;
    let mut own = Config::from_parts(None, [])?;
    point(&mut own, &settings, &simulator.url());
    let connections = gateways(&own)?;
    let connection = connections.iter().next().ok_or("the simulator cannot be reached")?;
    play(connection, &simulator, &clock).await?;
    simulator.stop().await;
    let reader = webhook_reader(name);
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = kept.drain(..).map(|(headers, body)| {
        let events = reader.events(&body).unwrap_or_default();
        Sent { headers, body, events }
    });
    Ok(sent.collect())
}

type Kept = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A listener that keeps what comes.
async fn sink() -> Result<(String, Kept), Failure> {
    let kept: Kept = Arc::default();
    let app = Router::new().fallback(keep).with_state(Arc::clone(&kept));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((url, kept))
}

async fn keep(State(kept): State<Kept>, mut headers: HeaderMap, body: Bytes) -> &'static str {
    for own in ["host", "content-length", "connection", "transfer-encoding"] {
        headers.remove(own);
    }
    kept.lock().unwrap_or_else(PoisonError::into_inner).push((headers, body));
    "OK"
}
