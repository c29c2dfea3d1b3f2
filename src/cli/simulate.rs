//! `mizan simulate`: the gateway simulator alone, on a loopback address.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use mizan::clock::Clock;
use mizan::config::{LogConfig, LogFormat};
use mizan::telemetry;
use mizan_simulator::{FaultPlan, SimClock, Simulator, SimulatorConfig};

use super::database::runtime;
use super::end::{CommandResult, End, Failure};
use super::output;
use super::signals::Ending;

/// How the simulator is started.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where it listens; a loopback address, port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// What goes wrong, in TOML: `[[rules]]` with `on` and `kind`
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Where webhooks go
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// The folder it keeps its money in; without it everything is gone at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The key that callers must present
    #[arg(long, value_name = "KEY", default_value = "sk_test_simulator")]
    secret_key: String,
    /// The secret that signs webhooks
    #[arg(long, value_name = "SECRET", default_value = "whsec_simulator")]
    webhook_secret: String,
    /// Run as if it were so many seconds later
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide = true)]
    clock_ahead: u32,
}

/// Runs the simulator until it is told to end.
pub fn run(args: &Args) -> CommandResult {
    let filter = "warn".to_owned();
    telemetry::start(&LogConfig { format: LogFormat::Auto, filter })?;
    let config = settings(args)?;
    runtime()?.block_on(simulate(args, config))
}

/// The simulator's time is the clock's.
pub fn sim_clock(clock: &Clock) -> SimClock {
    let clock = clock.clone();
    Arc::new(move || clock.now())
}

fn settings(args: &Args) -> Result<SimulatorConfig, Failure> {
    let mut config = SimulatorConfig::new(sim_clock(&Clock::system_ahead(args.clock_ahead)));
    if let Some(path) = &args.faults {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        config.faults = FaultPlan::from_toml(&text)?;
    }
    config.webhook_url = args.webhook_url.clone();
    config.data_dir = args.data.clone();
    config.stripe_secret_key = args.secret_key.clone();
    config.webhook_secret = args.webhook_secret.clone();
    Ok(config)
}

async fn simulate(args: &Args, config: SimulatorConfig) -> CommandResult {
    let mut ending = Ending::listen()?;
    let simulator = Simulator::start(config, args.listen).await?;
    simulator.spawn_delivery_loop();
    let url = simulator.url();
    let webhooks = match &args.webhook_url {
        Some(target) => format!("to {target}"),
        None => "nowhere: give --webhook-url, or post to /_sim/webhooks/endpoint".to_owned(),
    };
    output::print(&format!(
        "Stripe, simulated   {url}\n\
         secret key          {}\n\
         webhook secret      {}\n\
         webhooks go         {webhooks}\n\
         state and faults    {url}/_sim/state, {url}/_sim/faults, {url}/_sim/webhooks\n\n\
         A service that uses it:\n  \
         MIZAN_STRIPE_BASE_URL={url} MIZAN_STRIPE_SECRET_KEY={} \
         MIZAN_STRIPE_WEBHOOK_SECRETS={} mizan serve\n",
        args.secret_key, args.webhook_secret, args.secret_key, args.webhook_secret,
    ))?;
    ending.wait().await;
    simulator.stop().await;
    Ok(End::Done)
}
