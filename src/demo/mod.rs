//! `mizan demo`: a marketplace on this machine, where only the gateways are simulated.
//!
//! | part | what it is |
//! |---|---|
//! | `interactive.rs` | stays up and prints what to try |
//! | `once.rs` | tells a story by itself, shows the books, checks them, and ends |
//! | `story.rs`, `story/` | the story, step by step, through the HTTP interface |
//! | `rules.rs` | which kind of payment goes to which gateway |
//! | `ear.rs` | what the gateways sent |
//! | `timeline.rs`, `books.rs`, `t_account.rs` | how it is shown, and what is compared |
//!
//! What runs in it is set up by [`crate::stage`]. The story's clock is its own and is moved by
//! hand; nothing in it waits for real time but the retries of a lost answer.

mod books;
mod ear;
mod interactive;
mod once;
mod rules;
mod story;
mod t_account;
mod timeline;

use std::net::SocketAddr;
use std::path::PathBuf;

use mizan::config::{LogConfig, LogFormat};
use mizan::telemetry;

use crate::cli::end::{CommandResult, Failure};

/// How the demo is started.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tell the story once, show the books, check them, and end
    #[arg(long, conflicts_with_all = ["json", "listen", "simulator", "data"])]
    once: bool,
    /// Print one line of JSON when everything is ready: url, api_key, webhook_secret, database_url,
    /// gateways
    #[arg(long)]
    json: bool,
    /// Where the service listens; without it port 8080, or a free one where that is taken
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where Stripe's simulator listens, the others on the ports that follow; without it port
    /// 8081, or free ones where those are taken
    #[arg(long, value_name = "ADDRESS")]
    simulator: Option<SocketAddr>,
    /// The folder in which the marketplace is kept between runs
    #[arg(long, value_name = "DIR", default_value = "data/demo")]
    data: PathBuf,
    /// Show the service's log on standard error
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the demo, interactively or once.
pub fn run(args: Args) -> CommandResult {
    start_log(&args)?;
    if args.once { once::run() } else { interactive::run(&args) }
}

fn start_log(args: &Args) -> Result<(), Failure> {
    let filter = match (args.verbose, args.once) {
        (true, _) => "info,sqlx=warn,hyper=warn",
        // The story provokes what would be warnings; it says itself what comes of them.
        (false, true) => "off",
        (false, false) => "error",
    };
    Ok(telemetry::start(&LogConfig { format: LogFormat::Auto, filter: filter.to_owned() })?)
}
