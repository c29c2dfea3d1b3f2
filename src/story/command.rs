//! `mizan story`: stories that finance writes, run end to end.

use std::path::PathBuf;

use super::{format, reference, run};
use crate::cli::end::{CommandResult, End};
use crate::cli::output;

const EXAMPLE: &str = "\
Example:
  mizan story run tests/stories/S01.story
  mizan story run my.story --json
  mizan story format my.story
  mizan story grammar

A story begins like this; docs/STORIES.md lists every statement:
  story \"One order\"
  on 2026-03-02
  order O1
    line V1 525.00 AED tax 5% commission 10%
  pay O1 by stripe fee 16.23 AED + 0.81 AED tax
  balances
    vendor_payable V1 pending 472.50 AED";

/// What to do with stories.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLE)]
pub enum Command {
    /// Run a story on a marketplace of its own
    ///
    /// A private PostgreSQL, the service and the simulated gateways are started for it and are
    /// gone afterwards; its clock is set by hand. Ends with 0 when everything in it holds, else
    /// with 1 and shows the accounts that differ.
    #[command(after_help = EXAMPLE)]
    Run {
        /// The story
        file: PathBuf,
        /// Print {"ok", "balances": [{"account", "dims", "currency", "minor"}]}: debits are
        /// positive, zeros are left out; with "differences" and "error" where it does not hold
        #[arg(long)]
        json: bool,
    },
    /// Read a story and print it in its standard form
    Format {
        /// The story
        file: PathBuf,
    },
    /// Print the language: docs/STORIES.md
    Grammar,
}

impl Command {
    /// Does it.
    pub fn obey(self) -> CommandResult {
        match self {
            Self::Run { file, json } => run(&file, json),
            Self::Format { file } => format(&file),
            Self::Grammar => {
                output::print(&reference())?;
                Ok(End::Done)
            }
        }
    }
}
