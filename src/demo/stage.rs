//! What runs in a demo: the service on its database, the simulated gateway, one API key.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use mizan::app::{self, App};
use mizan::auth::{Mode, NewKey};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan_providers::ProviderName;
use mizan_simulator::{Simulator, SimulatorConfig, SimulatorError};
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::end::Failure;
use crate::cli::gateways::webhook_path;
use crate::cli::service::{self, TENANT};
use crate::cli::simulate::sim_clock;

/// What the first tenant is called.
pub const MARKETPLACE: &str = "Demo marketplace";

/// An address to listen on.
#[derive(Clone, Copy, Debug)]
pub enum Address {
    /// This one or none.
    Exactly(SocketAddr),
    /// This port of the loopback address, or a free one where it is taken.
    Rather(u16),
}

/// How to set the stage.
pub struct Plan {
    /// The time of the service and of the gateway.
    pub clock: Clock,
    /// Where the service listens.
    pub api: Address,
    /// Where the simulator listens.
    pub simulator: Address,
    /// Where the simulator keeps its money; `None`: in memory.
    pub simulator_data: Option<PathBuf>,
}

/// Everything that runs.
pub struct Stage {
    /// The service.
    pub app: App,
    /// The gateway.
    pub simulator: Simulator,
    /// Where the service answers.
    pub url: String,
    /// The key for calls.
    pub key: NewKey,
    /// What signs the gateway's webhooks.
    pub webhook_secret: String,
    server: JoinHandle<std::io::Result<()>>,
    closing: oneshot::Sender<()>,
}

impl Stage {
    /// Starts everything on the database at `database_url`.
    pub async fn set(database_url: &str, plan: Plan) -> Result<Self, Failure> {
        // What the environment says is meant for the real service, not for a demo.
        let mut config = Config::from_parts(None, [])?;
        let listener = plan.api.listen().await?;
        let address = listener.local_addr()?;
        let url = format!("http://{address}");
        let (secret_key, webhook_secret) = (chance("sk_test_")?, chance("whsec_")?);
        let mut simulated = SimulatorConfig::new(sim_clock(&plan.clock));
        simulated.data_dir = plan.simulator_data;
        simulated.stripe_secret_key = secret_key.clone();
        simulated.webhook_secret = webhook_secret.clone();
        simulated.webhook_url = Some(format!("{url}{}", webhook_path(ProviderName::Stripe)));
        let simulator = start_simulator(simulated, plan.simulator).await?;

        config.http.listen = address;
        config.tenant.name = MARKETPLACE.to_owned();
        config.stripe.base_url = simulator.url();
        config.stripe.secret_key = Some(SecretString::from(secret_key));
        config.stripe.webhook_secrets = vec![SecretString::from(webhook_secret.clone())];
        let app = service::prepare(database_url, config, plan.clock.clone()).await?;
        let key = service::make_key(&app.db, &plan.clock, TENANT, "demo", Mode::Test).await?;

        let (closing, closed) = oneshot::channel();
        let shutdown = async {
            // A stage that was dropped is closed as well.
            let _told = closed.await;
        };
        let server = tokio::spawn(app::serve(app.clone(), listener, shutdown));
        Ok(Self { app, simulator, url, key, webhook_secret, server, closing })
    }

    /// Ends everything: the service answers what it is at work on, then the gateway goes.
    pub async fn strike(self) -> Result<(), Failure> {
        // Nobody listening means that the service has ended already.
        let _told = self.closing.send(());
        self.server.await??;
        self.simulator.stop().await;
        Ok(())
    }
}

impl Address {
    fn first(self) -> SocketAddr {
        match self {
            Self::Exactly(address) => address,
            Self::Rather(port) => loopback(port),
        }
    }

    /// Where to try next, if anywhere.
    fn second(self) -> Option<SocketAddr> {
        match self {
            Self::Exactly(_) | Self::Rather(0) => None,
            Self::Rather(_) => Some(loopback(0)),
        }
    }

    async fn listen(self) -> Result<TcpListener, Failure> {
        match (TcpListener::bind(self.first()).await, self.second()) {
            (Err(_), Some(other)) => Ok(TcpListener::bind(other).await?),
            (result, _) => {
                result.map_err(|e| format!("cannot listen on {}: {e}", self.first()).into())
            }
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

async fn start_simulator(config: SimulatorConfig, at: Address) -> Result<Simulator, Failure> {
    match (Simulator::start(config.clone(), at.first()).await, at.second()) {
        (Err(SimulatorError::Bind { .. }), Some(other)) => {
            Ok(Simulator::start(config, other).await?)
        }
        (result, _) => Ok(result?),
    }
}

/// A secret for one run.
fn chance(prefix: &str) -> Result<String, Failure> {
    let mut bytes = [0; 16];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| "the system has no random bytes")?;
    Ok(format!("{prefix}{}", hex::encode(bytes)))
}
