//! What a running service consists of, and how it starts and ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mizan_money::{TenantId, Timestamp};
use tokio::net::TcpListener;

use crate::auth::KeyLookUps;
use crate::books::PostRequests;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::http::{self, InFlight, RateLimits};
use crate::inbox::{self, Inbox};
use crate::lane::{Lane, LaneLimits};
use crate::metrics::Metrics;
use crate::payments::gateway::Gateways;

/// Everything a handler or a job needs. Clones share all of it.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// The look-ups of API keys.
    pub keys: KeyLookUps,
    /// The requests that post to the ledger, in groups.
    pub post_requests: Lane<PostRequests>,
    /// The webhooks on their way in, in groups.
    pub inbox: Lane<Inbox>,
    /// The requests that are at work.
    pub requests: InFlight,
    /// How many requests somebody may send.
    pub rates: RateLimits,
    /// The connections to gateways.
    pub gateways: Gateways,
    /// What it tells about itself in figures.
    pub metrics: Metrics,
}

impl App {
    /// A service on an open database.
    #[must_use]
    pub fn new(db: Db, clock: Clock, config: Arc<Config>) -> Self {
        let requests = InFlight::new(config.http.requests_in_flight_max);
        let keys = KeyLookUps::new(db.clone());
        let metrics = Metrics::new();
        let post_requests =
            Lane::new(db.clone(), PostRequests, LaneLimits::default(), metrics.clone());
        let inbox =
            Lane::new(db.clone(), Inbox::new(clock.clone()), inbox::LIMITS, metrics.clone());
        let gateways = Gateways::default();
        let http = &config.http;
        let (by_key, by_address) = (http.key_requests_per_minute, http.address_requests_per_minute);
        let rates = RateLimits::new(by_key, by_address, http.proxies_in_front, &clock);
        Self { db, clock, config, keys, post_requests, inbox, requests, rates, gateways, metrics }
    }

    /// The time now for a tenant: what every job and every word of a gateway goes by.
    #[must_use]
    pub fn now_for(&self, tenant: TenantId) -> Timestamp {
        self.clock.now_for(tenant)
    }

    /// The same service with connections to gateways.
    #[must_use]
    pub fn with_gateways(mut self, gateways: Gateways) -> Self {
        self.gateways = gateways;
        self
    }
}

/// Answers requests on `listener` until `shutdown` completes; then lets those at work come to
/// their end, for as long as the settings allow.
///
/// # Errors
/// [`io::Error`] when the listener fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let limit = Duration::from_secs(app.config.http.shutdown_seconds_max);
    let (requests, db) = (app.requests.clone(), app.db.clone());
    let (ending, mut ended) = tokio::sync::watch::channel(());
    let router = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        // Nobody listening is no reason not to shut down.
        let _ = ending.send(());
    });
    let overtime = async {
        let _ = ended.changed().await;
        tokio::time::sleep(limit).await;
    };
    tokio::select! {
        result = server => result?,
        () = overtime => tracing::warn!("connections are still open at the end; they are cut"),
    }
    if !requests.drain(limit).await {
        tracing::warn!("requests were still at work at the end; their keys will tell");
    }
    // A connection that is still in use would keep this waiting for ever.
    if tokio::time::timeout(limit, db.close()).await.is_err() {
        tracing::warn!("connections to the database were still in use at the end");
    }
    Ok(())
}
