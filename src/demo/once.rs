//! The demo that ends by itself: the story, then its books, proved in three ways.

use std::path::Path;

use mizan::clock::{Clock, Monotonic};
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use mizan::verify::prove as prove_laws;
use mizan_ledger::verify::Mode;
use mizan_money::Timestamp;
use mizan_simulator::FeeSchedule;

use super::books;
use super::story::{Story, gateway_state};
use super::t_account::t_accounts;
use super::timeline::Timeline;
use crate::cli::audit::verify as laws;
use crate::cli::database::runtime;
use crate::cli::end::{CommandResult, End};
use crate::cli::output;
use crate::cli::service::TENANT;
use crate::cli::signals::Ending;
use crate::stage::scratch::Scratch;
use crate::stage::{Address, Plan, Stage};

/// 2026-03-02T09:00:00Z: when the story begins.
const BEGINNING: Timestamp = match chrono::DateTime::from_timestamp(1_772_442_000, 0) {
    Some(time) => time,
    None => panic!("a time within range"),
};

/// Tells the story on a database of its own, which is gone at the end.
pub fn run() -> CommandResult {
    let watch = Monotonic::start();
    let scratch = Scratch::make()?;
    let cluster = PrivateCluster::start_or_attach(ClusterOptions::new(scratch.path()))?;
    let runtime = runtime()?;
    let result = runtime.block_on(play(&cluster.url(), scratch.path()));
    drop(runtime);
    let stopped = cluster.stop();
    drop(scratch);
    let end = result?;
    stopped?;
    let seconds = watch.elapsed().as_secs();
    output::print(&match end {
        End::Done => format!("\nEverything adds up. ({seconds} s)\n"),
        _ => "\nThe books are NOT right; the lines above say where.\n".to_owned(),
    })?;
    Ok(end)
}

async fn play(database_url: &str, folder: &Path) -> CommandResult {
    let mut ending = Ending::listen()?;
    let plan = Plan {
        clock: Clock::manual(BEGINNING),
        api: Address::Rather(0),
        simulator: Address::Rather(0),
        simulator_data: None,
        folder: folder.to_owned(),
        fees: FeeSchedule::default(),
    };
    let stage = Stage::set(database_url, plan).await?;
    let told = tokio::select! {
        told = tell(&stage) => told,
        () = ending.wait() => Err("the story was interrupted".into()),
    };
    let struck = stage.strike().await;
    let end = told?;
    struck?;
    Ok(end)
}

async fn tell(stage: &Stage) -> CommandResult {
    let mut story = Story::new(stage)?;
    story.tell().await?;
    prove(stage, &story).await
}

/// Shows the books and proves them: by their own sums, by the laws, and by the gateways' money.
async fn prove(stage: &Stage, story: &Story<'_>) -> CommandResult {
    let (db, clock) = (&stage.app.db, &stage.app.clock);
    let page = Timeline::new(clock.clone());
    page.chapter("The journal: debits on the left, credits on the right")?;
    let journal = books::journal(db, TENANT).await?;
    output::print(&t_accounts(&journal, &story.names))?;

    page.chapter("The trial balance")?;
    let trial = books::trial_balance(db, TENANT).await?;
    let (text, balanced) = books::trial_table(&trial);
    output::print(&text)?;

    page.chapter("The laws of the books, proved on the database")?;
    let proved = prove_laws(db, clock, Mode::Full).await?;
    output::print(&laws::lines(&proved))?;

    page.chapter("The gateways' money and ours")?;
    let mut agree = true;
    for (of, simulator) in stage.gateways() {
        let gateway = books::gateway_totals(&gateway_state(of, simulator).await?)?;
        let told = stage.tells_fees_at_once(of);
        let (text, equal) = books::compare(of, told, &gateway, &trial)?;
        output::print(&text)?;
        agree &= equal;
    }
    Ok(if balanced && agree { laws::end(&proved) } else { End::Broken })
}
