//! `mizan simulate`: the gateway simulator alone, on a loopback address.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use mizan::clock::Clock;
use mizan::config::{LogConfig, LogFormat};
use mizan::telemetry;
use mizan_simulator::{FaultPlan, Gateway, SimClock, Simulator, SimulatorConfig};

use super::database::runtime;
use super::end::{CommandResult, End, Failure};
use super::output;
use super::signals::Ending;

/// How the simulator is started.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which gateway, or `all` of them on ports that follow each other
    #[arg(long, value_name = "NAME", default_value = "stripe")]
    gateway: String,
    /// Where it listens; a loopback address, port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// What goes wrong, in TOML: `[[rules]]` with `on` and `kind`
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Where webhooks go; `{gateway}` in it becomes the gateway's name
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// The folder it keeps its money in; without it everything is gone at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The key that callers of Stripe must present
    #[arg(long, value_name = "KEY", default_value = "sk_test_simulator")]
    secret_key: String,
    /// The secret that signs webhooks, instead of each gateway's own
    #[arg(long, value_name = "SECRET")]
    webhook_secret: Option<String>,
    /// Run as if it were so many seconds later
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide = true)]
    clock_ahead: u32,
}

/// Runs the simulator until it is told to end.
pub fn run(args: &Args) -> CommandResult {
    let filter = "warn".to_owned();
    telemetry::start(&LogConfig { format: LogFormat::Auto, filter })?;
    let configs = settings(args)?;
    runtime()?.block_on(simulate(args, configs))
}

/// The simulator's time is the clock's.
pub fn sim_clock(clock: &Clock) -> SimClock {
    let clock = clock.clone();
    Arc::new(move || clock.now())
}

fn settings(args: &Args) -> Result<Vec<SimulatorConfig>, Failure> {
    let faults = match &args.faults {
        None => FaultPlan::default(),
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            FaultPlan::from_toml(&text)?
        }
    };
    let clock = sim_clock(&Clock::system_ahead(args.clock_ahead));
    let of = |gateway: Gateway| {
        let mut config = SimulatorConfig::for_gateway(gateway, Arc::clone(&clock));
        config.faults = faults.clone();
        let url = args.webhook_url.as_ref();
        config.webhook_url = url.map(|url| url.replace("{gateway}", gateway.name()));
        config.data_dir = args.data.clone();
        config.stripe_secret_key = args.secret_key.clone();
        if let Some(secret) = &args.webhook_secret {
            config.webhook_secret = secret.clone();
        }
        config
    };
    Ok(gateways(&args.gateway)?.into_iter().map(of).collect())
}

fn gateways(name: &str) -> Result<Vec<Gateway>, Failure> {
    if name == "all" {
        return Ok(Gateway::ALL.to_vec());
    }
    let names = Gateway::ALL.map(Gateway::name).join(", ");
    let unknown = || format!("there is no gateway {name}: choose all, {names}");
    Ok(vec![Gateway::named(name).ok_or_else(unknown)?])
}

/// The address of the gateway with this place in the list; port 0 is any free one for each.
pub fn address(first: SocketAddr, place: u16) -> Result<SocketAddr, Failure> {
    let mut address = first;
    if first.port() != 0 {
        let port = first.port().checked_add(place);
        address.set_port(port.ok_or("the ports end at 65535: choose a lower --listen")?);
    }
    Ok(address)
}

async fn simulate(args: &Args, configs: Vec<SimulatorConfig>) -> CommandResult {
    let mut ending = Ending::listen()?;
    let mut running = Vec::new();
    for (place, config) in (0_u16..).zip(configs) {
        let shown = config.clone();
        let simulator = Simulator::start(config, address(args.listen, place)?).await?;
        simulator.spawn_delivery_loop();
        output::print(&needs(&shown, &simulator.url()))?;
        running.push(simulator);
    }
    ending.wait().await;
    for simulator in running {
        simulator.stop().await;
    }
    Ok(End::Done)
}

fn telr_keys(config: &SimulatorConfig) -> String {
    let keys = &config.telr;
    format!(
        "store               {}\nauth key            {}\nremote key          {}\n\
         merchant            {}\nAPI key             {}\naccount             {}",
        keys.store, keys.auth_key, keys.remote_key, keys.merchant, keys.api_key, keys.account
    )
}

/// What a service needs to use it.
fn needs(config: &SimulatorConfig, url: &str) -> String {
    let webhooks = match &config.webhook_url {
        Some(target) => format!("to {target}"),
        None => "nowhere: give --webhook-url, or post to /_sim/webhooks/endpoint".to_owned(),
    };
    let secret = &config.webhook_secret;
    let (keys, service) = match config.gateway {
        Gateway::Stripe => {
            let key = &config.stripe_secret_key;
            let service = format!(
                "\nA service that uses it:\n  \
                 MIZAN_STRIPE_BASE_URL={url} MIZAN_STRIPE_SECRET_KEY={key} \
                 MIZAN_STRIPE_WEBHOOK_SECRETS={secret} mizan serve\n"
            );
            (format!("secret key          {key}"), service)
        }
        Gateway::Razorpay => {
            let keys = &config.razorpay;
            let text = format!(
                "key id              {}\nkey secret          {}\naccount number      {}",
                keys.key_id, keys.key_secret, keys.account_number
            );
            (text, String::new())
        }
        Gateway::Telr => (telr_keys(config), String::new()),
        Gateway::PayTabs => {
            let keys = &config.paytabs;
            let text = format!(
                "profile id          {}\nserver key          {secret}\nclient key          {}\n\
                 statements          {url}/_sim/statements",
                keys.profile_id, keys.client_key
            );
            (text, String::new())
        }
        Gateway::PayPal => {
            let keys = &config.paypal;
            let text = format!(
                "client id           {}\nclient secret       {}\n\
                 webhook root        {url}/_sim/root.pem",
                keys.client_id, keys.client_secret
            );
            (text, String::new())
        }
    };
    format!(
        "{}, simulated {url}\n{keys}\n\
         webhook secret      {secret}\n\
         webhooks go         {webhooks}\n\
         state and faults    {url}/_sim/state, {url}/_sim/faults, {url}/_sim/webhooks\n{service}\n",
        config.gateway.title()
    )
}
