//! `mizan trace`: from any id to everything that belongs to its chain.

use mizan::trace::{text, trace};
use mizan_money::TenantId;

use crate::cli::database::Place;
use crate::cli::end::{CommandResult, End};
use crate::cli::output::{self, Format};
use crate::cli::service;

/// What is asked about.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Any id (pi_…, re_…, po_…, txn_…, whd_…), a gateway's own reference, the shop's order, or
    /// `vendor:ID`, `affiliate:ID`, `customer:ID`
    id: String,
    /// The tenant whose it is
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Prints the chain.
pub fn run(args: &Args) -> CommandResult {
    args.place.read(async |db| {
        let told = trace(&db, TenantId(args.tenant), &args.id).await?;
        match args.format.json {
            true => output::print_json(&told)?,
            false => output::print(&text(&told))?,
        }
        Ok(End::Done)
    })
}
