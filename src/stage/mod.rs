//! What runs in a demo and in a story: the service on its database, the simulated gateways, one
//! API key.

pub mod scratch;
pub mod shop;

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use mizan::app::{self, App};
use mizan::auth::{CreateKey, Mode, NewKey, Role};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan_money::Currency;
use mizan_providers::{ProviderName, Support};
use mizan_simulator::{FeeSchedule, Gateway, Simulator, SimulatorConfig, SimulatorError};
use rand::TryRngCore;
use rand::rngs::OsRng;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::end::Failure;
use crate::cli::gateways::webhook_path;
use crate::cli::service::{self, TENANT};
use crate::cli::simulate::{address, sim_clock};
use crate::cli::simulated::{point, simulated};

/// What the first tenant is called.
pub const MARKETPLACE: &str = "Demo marketplace";

/// The gateways beside Stripe, and what the shop charges in at each.
pub const OTHERS: [(ProviderName, Currency); 4] = [
    (ProviderName::Razorpay, Currency::INR),
    (ProviderName::Telr, Currency::AED),
    (ProviderName::Paytabs, Currency::AED),
    (ProviderName::Paypal, Currency::USD),
];

/// The file of the root that PayPal's certificates lead to.
const PAYPAL_ROOT: &str = "paypal-root.pem";

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
    /// The time of the service and of the gateways.
    pub clock: Clock,
    /// Where the service listens.
    pub api: Address,
    /// Where Stripe's simulator listens; the others take the ports that follow.
    pub simulator: Address,
    /// Where the simulators keep their money; `None`: in memory.
    pub simulator_data: Option<PathBuf>,
    /// The folder of the demo, which is there.
    pub folder: PathBuf,
    /// What the gateways keep for their work.
    pub fees: FeeSchedule,
}

/// Everything that runs.
pub struct Stage {
    /// The service.
    pub app: App,
    /// Stripe.
    pub simulator: Simulator,
    /// Every other gateway.
    pub others: BTreeMap<ProviderName, Simulator>,
    /// Where the service answers.
    pub url: String,
    /// The key for calls.
    pub key: NewKey,
    /// What signs Stripe's webhooks.
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
        config.http.listen = address;
        config.tenant.name = MARKETPLACE.to_owned();

        let stripe = settings(ProviderName::Stripe, &plan, &url)?;
        let webhook_secret = stripe.webhook_secret.clone();
        let simulator = open(stripe, plan.simulator, &mut config).await?;
        let mut others = BTreeMap::new();
        for (place, (name, _)) in (1_u16..).zip(OTHERS) {
            let at = plan.simulator.follower(place)?;
            let other = open(settings(name, &plan, &url)?, at, &mut config).await?;
            if let Some(root) = other.webhook_root_pem() {
                let path = plan.folder.join(PAYPAL_ROOT);
                fs::write(&path, root)
                    .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
                config.paypal.trust_roots = Some(path.to_string_lossy().into_owned());
            }
            others.insert(name, other);
        }
        let app = service::prepare(database_url, config, plan.clock.clone()).await?;
        let demo = CreateKey::new("demo", Mode::Test, Role::SuperAdmin);
        let key = service::make_key(&app.db, &plan.clock, TENANT, &demo).await?;

        let (closing, closed) = oneshot::channel();
        let shutdown = async {
            // A stage that was dropped is closed as well.
            let _told = closed.await;
        };
        let server = tokio::spawn(app::serve(app.clone(), listener, shutdown));
        Ok(Self { app, simulator, others, url, key, webhook_secret, server, closing })
    }

    /// Every gateway with its name, Stripe first.
    pub fn gateways(&self) -> impl Iterator<Item = (ProviderName, &Simulator)> {
        let others = OTHERS.iter().filter_map(|(name, _)| Some((*name, self.others.get(name)?)));
        [(ProviderName::Stripe, &self.simulator)].into_iter().chain(others)
    }

    /// Whether a gateway says at once what it keeps for its work, or only with its settlement.
    pub fn tells_fees_at_once(&self, of: ProviderName) -> bool {
        let connections = self.app.gateways.iter().filter(|it| it.provider.name() == of);
        let mut sheets = connections.map(|it| it.provider.capabilities());
        sheets.any(|sheet| sheet.fee_at_once == Support::Yes)
    }

    /// Ends everything: the service answers what it is at work on, then the gateways go.
    pub async fn strike(self) -> Result<(), Failure> {
        // Nobody listening means that the service has ended already.
        let _told = self.closing.send(());
        self.server.await??;
        self.simulator.stop().await;
        for other in self.others.into_values() {
            other.stop().await;
        }
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

    /// Where the gateway with this place in the list listens.
    fn follower(self, place: u16) -> Result<Self, Failure> {
        let at = address(self.first(), place)?;
        Ok(match self {
            Self::Exactly(_) => Self::Exactly(at),
            Self::Rather(_) => Self::Rather(at.port()),
        })
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

/// What a gateway's simulator is started with. What signs its webhooks is good for this run.
fn settings(of: ProviderName, plan: &Plan, url: &str) -> Result<SimulatorConfig, Failure> {
    let gateway = simulated(of).ok_or_else(|| format!("{of} has no simulator"))?;
    let mut config = SimulatorConfig::for_gateway(gateway, sim_clock(&plan.clock));
    config.data_dir = plan.simulator_data.clone();
    config.fees = plan.fees;
    config.webhook_url = Some(format!("{url}{}", webhook_path(of)));
    config.webhook_secret = chance(if gateway == Gateway::Stripe { "whsec_" } else { "" })?;
    config.stripe_secret_key = chance("sk_test_")?;
    // It signs as well as it opens.
    config.telr.auth_key = chance("")?;
    Ok(config)
}

/// Starts a gateway, and tells the service of it.
async fn open(
    settings: SimulatorConfig,
    at: Address,
    config: &mut Config,
) -> Result<Simulator, Failure> {
    let simulator = start_simulator(settings.clone(), at).await?;
    point(config, &settings, &simulator.url());
    Ok(simulator)
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
