//! Stories: what happens to a marketplace, as finance writes it, run through the real interface.
//!
//! | part | what it is |
//! |---|---|
//! | `command.rs` | what can be asked of it on the command line |
//! | `forms/` | the language, one table: every statement, what it does, an example |
//! | `text/` | how any form is read, written and refused |
//! | `run/` | a story on a stage: calls of the interface, browsers, gateways, time |
//! | `outcome.rs` | what the books show at the end, and how differences are shown |
//! | `reference.rs` | `docs/STORIES.md`, made from the forms |
//!
//! A story never writes to the database: what it does goes through `/v1`, through the gateways'
//! pages and their signed webhooks, and through the clock of the service.

mod command;
mod forms;
mod outcome;
mod reference;
mod run;
mod text;

use std::path::Path;

use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use serde_json::json;

use crate::cli::database::runtime;
use crate::cli::end::{CommandResult, End, Failure};
use crate::cli::output;
use crate::stage::scratch::Scratch;
use text::Story;

pub use command::Command;
use outcome::Outcome;
use reference::reference;

/// Reads a story.
fn read(path: &Path) -> Result<Story, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let story = text::parse(&text, forms::all());
    Ok(story.map_err(|error| format!("{}: {error}", path.display()))?)
}

/// Runs the story of a file on a marketplace of its own, and shows what came of it.
fn run(path: &Path, as_json: bool) -> CommandResult {
    let story = match read(path) {
        Err(failure) if as_json => {
            let error = json!({ "text": failure.to_string() });
            output::print_json(&json!({ "ok": false, "balances": [], "error": error }))?;
            return Ok(End::Failed);
        }
        other => other?,
    };
    let outcome = on_a_new_marketplace(&story)?;
    let shown = if as_json { outcome.json() } else { outcome.text(path) };
    output::print(&shown)?;
    Ok(if outcome.holds() { End::Done } else { End::Failed })
}

/// Writes a story in its standard form.
fn format(path: &Path) -> CommandResult {
    output::print(&read(path)?.to_string())?;
    Ok(End::Done)
}

fn on_a_new_marketplace(story: &Story) -> Result<Outcome, Failure> {
    let scratch = Scratch::make()?;
    let cluster = PrivateCluster::start_or_attach(ClusterOptions::throwaway(scratch.path()))?;
    let runtime = runtime()?;
    let result = runtime.block_on(run::play(story, &cluster.url(), scratch.path()));
    drop(runtime);
    let stopped = cluster.stop();
    let outcome = result?;
    stopped?;
    Ok(outcome)
}
