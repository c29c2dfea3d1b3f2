//! The command line: what can be asked of the program, and what its end says.
//!
//! | command | file | needs a database |
//! |---|---|---|
//! | `demo`, `story`, `bench` | `crate::demo`, `crate::story`, `crate::bench` | makes its own |
//! | `serve`, `migrate` | `serve.rs` | yes; makes the private one |
//! | `verify`, `trace`, `audit`, `ledger`, `clock`, `keys` | by name | yes, one that is there |
//! | `webhooks replay` | `replay.rs` | yes, one that is there; and an empty one |
//! | `simulate`, `webhooks inspect`, `openapi`, `doctor` | by their names | no |
//!
//! Output is data on standard output; the log and everything said to people in passing go to
//! standard error. The private PostgreSQL is started before the async runtime and stopped after
//! it, whatever the command came to.

pub mod audit;
mod bench;
mod clock;
pub mod database;
mod doctor;
pub mod end;
pub mod gateways;
mod keys;
pub mod ledger;
pub mod output;
mod providers;
mod replay;
mod route;
mod serve;
pub mod service;
pub mod signals;
pub mod simulate;
pub mod simulated;
pub mod webhooks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::audit::{trace, verify};
use crate::{demo, story};
use end::{CommandResult, End};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it could not be done, or a webhook is not believed; standard error says why
  2  the command line cannot be understood
  3  the books break a law, or do not agree with the gateway";

/// The payments, billing and payout ledger that a marketplace runs.
#[derive(Debug, Parser)]
#[command(name = "mizan", version, after_help = EXIT_CODES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a marketplace to play with, or tell its story once
    Demo(demo::Args),
    /// Run stories that finance writes, end to end
    #[command(subcommand)]
    Story(story::Command),
    /// Run the service
    Serve(serve::Args),
    /// Bring the database to the version of this program
    Migrate(database::Place),
    /// Measure the books on a private database of its own
    Bench(bench::Args),
    /// Run the gateway simulator alone
    Simulate(simulate::Args),
    /// Prove the laws of the books on the live database
    ///
    /// One line per law: whether it holds, how much was checked, how long it took. It reads one
    /// snapshot, takes no lock, and may run while the service works.
    ///
    /// Without an option everything is proved, from the first transaction on, and what was proved
    /// before must still read the same. When every law holds, a mark is stored up to where the
    /// books are proved.
    ///
    /// A law that is broken names up to 20 rows, stores no mark, and ends the program with 3.
    Verify(verify::Args),
    /// Tell the chain of a thing, from a gateway's bytes to a payout and back
    ///
    /// From any id: a payment, attempt, operation, refund, dispute, payout, run, file,
    /// transaction, journal, settlement, webhook or event; from a gateway's own reference; from
    /// the shop's order; or from `vendor:ID`, `affiliate:ID`, `customer:ID`. It reads one
    /// snapshot, and tells at most some hundred things and how many it left out.
    Trace(trace::Args),
    /// Look at what gateways send
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Look at gateways: what they can do, and what is made of recordings
    #[command(subcommand)]
    Providers(providers::Command),
    /// Say over which gateway a payment would go, and why
    #[command(subcommand)]
    Route(route::Command),
    /// Read the books
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Read the time of a tenant that plays, or let it go on
    #[command(subcommand)]
    Clock(clock::Command),
    /// Make, list, roll and revoke API keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Say who commanded what, newest first
    Audit(audit::log::Args),
    /// Print the description of the HTTP interface
    Openapi,
    /// Say what is missing on this machine
    Doctor(doctor::Args),
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    // A second installation only fails when a first one stands, which is as good.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let result = dispatch(Cli::parse().command);
    match result {
        Ok(end) => end.into(),
        Err(failure) => {
            output::warn(&failure.to_string());
            End::Failed.into()
        }
    }
}

fn dispatch(command: Command) -> CommandResult {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Story(command) => command.obey(),
        Command::Serve(args) => serve::run(&args),
        Command::Migrate(place) => serve::migrate_only(&place),
        Command::Bench(args) => bench::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Webhooks(command) => webhooks::run(&command),
        Command::Providers(command) => providers::run(&command),
        Command::Route(command) => route::run(command),
        Command::Ledger(command) => ledger::run(command),
        Command::Clock(command) => clock::run(command),
        Command::Keys(command) => keys::run(command),
        Command::Audit(args) => audit::log::run(&args),
        Command::Openapi => {
            output::print_json(&mizan::http::openapi())?;
            Ok(End::Done)
        }
        Command::Doctor(args) => doctor::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }
}
