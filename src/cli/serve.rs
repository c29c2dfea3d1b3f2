//! `mizan serve` and `mizan migrate`: the service on its database, until it is told to end.

use mizan::app;
use mizan::auth::{CreateKey, Mode, Role, list_keys};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan::db::migrate;
use mizan::{jobs, telemetry};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use super::database::{Absent, Opened, Place, runtime};
use super::end::{CommandResult, End, Failure};
use super::gateways::{self, webhook_path};
use super::output;
use super::service::{self, TENANT};
use super::signals::Ending;

/// What `mizan serve` is told. Everything else is a setting.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Run as if it were so many seconds later, for rehearsals; refused with a key for real money
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide = true)]
    clock_ahead: u32,
}

/// Runs the service until it is told to end; the private PostgreSQL stops last.
pub fn run(args: &Args) -> CommandResult {
    // The log comes first, so that the start of the database is in it.
    telemetry::start(&Config::load(args.place.config.as_deref())?.log)?;
    let opened = args.place.open(Absent::Make)?;
    let runtime = runtime()?;
    let result = runtime.block_on(serve(&opened, args.clock_ahead));
    drop(runtime);
    let closed = opened.close();
    let end = result?;
    closed?;
    Ok(end)
}

async fn serve(opened: &Opened, clock_ahead: u32) -> CommandResult {
    let mut ending = Ending::listen()?;
    let (clock, config) = (Clock::system_ahead(clock_ahead), opened.config.clone());
    if clock_ahead > 0 && mode_of(&config) == Mode::Live {
        return Err(
            "real money is not moved by a clock that runs ahead: leave --clock-ahead".into()
        );
    }
    let missing = gateways::missing(&config);
    let app = service::prepare(&opened.url, config, clock.clone()).await?;
    let listener = listen(&app.config).await?;
    if list_keys(&app.db, TENANT, None, 1).await?.is_empty() {
        // Whoever runs the machine says who else does.
        let first = CreateKey::new("first key", mode_of(&app.config), Role::SuperAdmin);
        let made = service::make_key(&app.db, &clock, TENANT, &first).await?;
        let key = made.key.secret().expose_secret();
        output::print(&format!("API key of tenant {TENANT}, shown this once: {key}\n"))?;
    }
    let public_url = app.config.public_url();
    tracing::info!(url = %public_url, "listening");
    for gateway in app.gateways.iter() {
        let path = webhook_path(gateway.provider.name());
        tracing::info!(connection = gateway.connection, webhooks = path, "a gateway");
    }
    for missing in missing {
        tracing::warn!("not set: {missing}");
    }
    let _jobs = jobs::spawn(&app);
    app::serve(app, listener, async move { ending.wait().await }).await?;
    tracing::info!("ended");
    Ok(End::Done)
}

async fn listen(config: &Config) -> Result<TcpListener, Failure> {
    let address = config.http.listen;
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address} ({error}): set MIZAN_HTTP_LISTEN to another").into()
    })
}

/// A key for real money only where a gateway's is for real money.
fn mode_of(config: &Config) -> Mode {
    if gateways::is_live(config) { Mode::Live } else { Mode::Test }
}

/// `mizan migrate`: brings the schema to this program's version, as its owner.
pub fn migrate_only(place: &Place) -> CommandResult {
    let opened = place.open(Absent::Make)?;
    let now = Clock::system().now();
    let result = runtime()?.block_on(migrate(&opened.url, opened.config.tenant.first(), now));
    let closed = opened.close();
    result?;
    closed?;
    output::print("The schema is up to date.\n")?;
    Ok(End::Done)
}
