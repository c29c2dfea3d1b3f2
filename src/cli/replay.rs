//! `mizan webhooks replay`: what was kept, verified and applied once more.

use std::time::Duration;

use mizan::clock::Clock;
use mizan::db::{Db, DbOptions};
use mizan::replay::{Readers, Rebuilt, Replayed, Tally, prepare, rebuild, replay};
use mizan_money::Timestamp;

use super::database::{Absent, Opened, Place, runtime};
use super::end::{CommandResult, End, Failure};
use super::gateways::{gateways, webhook_secrets};
use super::output::{self, Format};
use super::webhooks::moment;

/// How long one statement of a rebuild may run, and the source may wait for the copy.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is to be replayed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Only deliveries that came since this time (RFC 3339, or seconds since 1970)
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "into")]
    since: Option<Timestamp>,
    /// Write the books again into this database, which must be empty, and compare
    #[arg(long, value_name = "URL")]
    into: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Replays on the books as they are, or into an empty database.
pub fn run(args: &Args) -> CommandResult {
    let opened = args.place.open(Absent::Refuse)?;
    let result = runtime()?.block_on(async {
        let db = opened.connect().await?;
        let readers = readers(&opened)?;
        let result = match &args.into {
            None => again(&db, &readers, args).await,
            Some(url) => into_copy(&opened, &readers, url, args.format).await,
        };
        db.close().await;
        result
    });
    let closed = opened.close();
    let end = result?;
    closed?;
    Ok(end)
}

fn readers(opened: &Opened) -> Result<Readers, Failure> {
    Ok(Readers::new(webhook_secrets(&opened.config)).over(&gateways(&opened.config)?))
}

async fn again(db: &Db, readers: &Readers, args: &Args) -> CommandResult {
    let replayed = replay(db, readers, args.since, Clock::system().now()).await?;
    match args.format.json {
        true => output::print_json(&replayed)?,
        false => output::print(&again_lines(&replayed))?,
    }
    Ok(match replayed.iter().all(|one| one.findings.count == 0) {
        true => End::Done,
        false => End::Broken,
    })
}

async fn into_copy(
    opened: &Opened,
    readers: &Readers,
    url: &str,
    format: Format,
) -> Result<End, Failure> {
    let options = DbOptions {
        statement: PATIENCE,
        idle_in_transaction: PATIENCE,
        ..opened.config.db_options()
    };
    let mut owner = prepare(url, opened.config.tenant.first(), Clock::system().now()).await?;
    let source = Db::connect(&opened.url, &options).await?;
    let target = Db::connect(url, &options).await?;
    let rebuilt = rebuild(&source, &target, &mut owner, readers).await;
    source.close().await;
    target.close().await;
    let rebuilt = rebuilt?;
    match format.json {
        true => output::print_json(&rebuilt)?,
        false => output::print(&copy_lines(&rebuilt))?,
    }
    Ok(if rebuilt.iter().all(Rebuilt::agrees) { End::Done } else { End::Broken })
}

fn tally_line(tally: &Tally) -> String {
    let Tally { replayed, applied, stale, ignored, parked, unverifiable } = tally;
    format!(
        "  {replayed} deliveries: {applied} applied, {stale} stale, {ignored} ignored, \
         {parked} parked, {unverifiable} unverifiable\n"
    )
}

fn finding_lines(count: u64, named: &[String]) -> String {
    let mut text: String = named.iter().map(|finding| format!("    {finding}\n")).collect();
    if count > named.len() as u64 {
        text.push_str(&format!("    and {} more\n", count - named.len() as u64));
    }
    text
}

/// A replay on the books as they are, as text.
fn again_lines(replayed: &[Replayed]) -> String {
    let mut text = String::new();
    for one in replayed {
        text.push_str(&format!("Tenant {}, nothing changed\n", one.tenant));
        text.push_str(&tally_line(&one.tally));
        text.push_str(&finding_lines(one.findings.count, &one.findings.named));
    }
    text
}

/// A copy, as text.
fn copy_lines(rebuilt: &[Rebuilt]) -> String {
    let mut text = String::new();
    for one in rebuilt {
        let word = if one.agrees() { "agrees" } else { "DIFFERS" };
        text.push_str(&format!("Tenant {}: the copy {word}\n", one.tenant));
        text.push_str(&tally_line(&one.tally));
        text.push_str(&format!(
            "  {} commands, {} answers of gateways, {} plain transactions\n",
            one.commands, one.answers, one.plain
        ));
        text.push_str(&format!(
            "  {} transactions, {} in the copy; {} accounts alike, {} differ\n",
            one.transactions, one.transactions_again, one.accounts_alike, one.differing.count
        ));
        text.push_str(&finding_lines(one.failed.count, &one.failed.named));
        text.push_str(&finding_lines(one.differing.count, &one.differing.named));
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_differs_names_the_accounts() {
        let mut one = Rebuilt::default();
        (one.tenant, one.transactions, one.transactions_again) = (1, 3, 2);
        one.differing.count = 2;
        one.differing.named = vec!["bank:main AED: debits 5 and credits 0 became 0 and 0".into()];
        let text = copy_lines(&[one]);
        assert!(text.contains("DIFFERS") && text.contains("bank:main AED"), "{text}");
        assert!(text.contains("3 transactions, 2 in the copy"), "{text}");
        assert!(text.contains("and 1 more"), "{text}");
        assert!(copy_lines(&[Rebuilt::default()]).contains("agrees"));
    }
}
