//! Starting and stopping a simulator.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::config::SimulatorConfig;
use crate::connection::{Connection, CuttableListener};
use crate::control::{self, Plane};
use crate::error::SimulatorError;
use crate::fault::{FaultEngine, FaultPlan};
use crate::running::Running;

const DELIVERY_INTERVAL: Duration = Duration::from_millis(500);
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// A running simulator.
///
/// Dropping it is like a crash: connections may end without an answer, and whatever was answered
/// is in the journal.
pub struct Simulator {
    addr: SocketAddr,
    gateway: Running,
    faults: Arc<Mutex<FaultEngine>>,
    stopping: Arc<Notify>,
    server: Option<JoinHandle<()>>,
    loops: Mutex<Vec<JoinHandle<()>>>,
}

impl Simulator {
    /// Starts listening on a loopback address; port 0 takes any free port.
    ///
    /// # Errors
    /// Not a loopback address, the port or the data folder is in use, or the journal is damaged.
    pub async fn start(config: SimulatorConfig, bind: SocketAddr) -> Result<Self, SimulatorError> {
        if !bind.ip().is_loopback() {
            return Err(SimulatorError::NotLoopback { addr: bind });
        }
        let on_bind = |source| SimulatorError::Bind { addr: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(on_bind)?;
        let addr = listener.local_addr().map_err(on_bind)?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let faults = Arc::new(Mutex::new(FaultEngine::new(&config.faults)));
        let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{addr}"));
        let public_url = public_url.trim_end_matches('/').to_owned();
        let gateway = Running::open(&config, public_url, Arc::clone(&faults), client)?;
        let plane = Plane { gateway: gateway.clone(), faults: Arc::clone(&faults) };
        let app = gateway
            .router()
            .merge(control::router(plane))
            .into_make_service_with_connect_info::<Connection>();
        let stopping = Arc::new(Notify::new());
        let stop = Arc::clone(&stopping);
        let server = tokio::spawn(async move {
            let serving = axum::serve(CuttableListener(listener), app);
            let served = serving.with_graceful_shutdown(async move { stop.notified().await });
            if let Err(failure) = served.await {
                tracing::error!(%failure, "the simulator's server ended");
            }
        });
        let (server, loops) = (Some(server), Mutex::new(Vec::new()));
        Ok(Self { addr, gateway, faults, stopping, server, loops })
    }

    /// The base address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where webhooks go from now on, the ones that are waiting included.
    pub fn set_webhook_url(&self, url: Option<String>) {
        self.gateway.set_endpoint(url, None);
    }

    /// Replaces the fault plan.
    pub fn set_faults(&self, plan: &FaultPlan) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        *faults = FaultEngine::new(plan);
    }

    /// Sends every webhook that is due by the clock, and returns how many attempts were made.
    pub async fn deliver_due(&self) -> usize {
        self.gateway.deliver_due().await
    }

    /// The check of its own books: what does not add up, currency by currency. Empty: charged,
    /// less what was refunded, taken as fees and paid out, is the balance.
    ///
    /// # Errors
    /// The journal could not be written, so nothing is known.
    pub fn imbalance(&self) -> Result<Vec<String>, SimulatorError> {
        self.gateway.imbalance().map_err(|_| SimulatorError::JournalBroken)
    }

    /// The root certificate that a receiver of the webhooks has to trust, in PEM. `None`: the
    /// gateway signs without certificates. PayPal's fake also shows it at `/_sim/root.pem`.
    #[must_use]
    pub fn webhook_root_pem(&self) -> Option<&'static str> {
        self.gateway.root_pem()
    }

    /// Sends due webhooks every half second until the simulator stops.
    pub fn spawn_delivery_loop(&self) {
        let gateway = self.gateway.clone();
        let handle = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(DELIVERY_INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                gateway.deliver_due().await;
            }
        });
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }

    /// Answers what is running, for at most five seconds, and stops.
    pub async fn stop(mut self) {
        self.stopping.notify_one();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP_WITHIN, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
        for handle in self.loops.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            handle.abort();
        }
        self.gateway.close();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("addr", &self.addr).finish_non_exhaustive()
    }
}
