//! `mizan clock`: the time of a tenant that plays.

use chrono::TimeDelta;
use mizan::audit::{self, Doer};
use mizan::clock::Clock;
use mizan::db::{Db, work};
use mizan::finance::FinanceError;
use mizan::finance::test_clock::{Advance, TestClock, advance, read};
use mizan_money::{TenantId, Timestamp};
use serde_json::json;

use super::database::Place;
use super::end::CommandResult;
use super::ledger::show;
use super::ledger::time::moment;
use super::output::Format;
use super::service;

/// What is put down as the one who moved the clock here.
const ACTOR: &str = "command line";

/// The commands about test clocks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print what time it is for a tenant
    Show(Whose),
    /// Let the time of a tenant go on, forwards only
    ///
    /// A service that is running goes by it from its next request on, and does within seconds
    /// what is due by then. Tenants with keys for real money have the real time.
    Advance(AdvanceArgs),
}

/// Whose clock.
#[derive(Debug, clap::Args)]
pub struct Whose {
    /// The tenant whose time it is
    #[arg(long, default_value_t = service::TENANT.0)]
    tenant: i32,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// How far.
#[derive(Debug, clap::Args)]
pub struct AdvanceArgs {
    /// By how much, e.g. 90s, 15m, 36h, 14d
    #[arg(value_name = "BY", value_parser = span, required_unless_present = "to")]
    by: Option<TimeDelta>,
    /// To this moment, e.g. 2026-03-31T20:00:00Z
    #[arg(long, value_name = "MOMENT", value_parser = moment, conflicts_with = "by")]
    to: Option<Timestamp>,
    #[command(flatten)]
    whose: Whose,
}

fn span(text: &str) -> Result<TimeDelta, &'static str> {
    let refusal = "it must be a span such as 90s, 15m, 36h or 14d";
    let unit = text.chars().next_back().ok_or(refusal)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refusal),
    };
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| refusal)?;
    let all = number.checked_mul(seconds).filter(|all| *all > 0).ok_or(refusal)?;
    TimeDelta::try_seconds(all).ok_or(refusal)
}

/// Runs a command about test clocks.
pub fn run(command: Command) -> CommandResult {
    match command {
        Command::Show(whose) => whose.place.read(async |db| print(&whose, None, db).await),
        Command::Advance(args) => {
            let how = args.by.map(Advance::By).or(args.to.map(Advance::To));
            args.whose.place.read(async |db| print(&args.whose, how, db).await)
        }
    }
}

/// Moves the clock where that is asked for, and prints it.
async fn print(whose: &Whose, how: Option<Advance>, db: Db) -> CommandResult {
    let (tenant, real) = (TenantId(whose.tenant), Clock::system().now());
    if !db.tenant_ids().await?.contains(&tenant) {
        return Err(format!("there is no tenant {tenant}").into());
    }
    let clock = match how {
        None => {
            let found = db
                .read("test_clock", tenant, |tx| work(async move { read(tx, tenant, real).await }));
            found.await?
        }
        Some(how) => {
            let moved = db.transaction("advance_test_clock", tenant, |tx| {
                work(async move {
                    let clock = advance(tx, tenant, real, how, ACTOR).await?;
                    let doer = Doer::at_the_machine("clock advance", None);
                    let after = json!({ "ahead_seconds": clock.ahead.num_seconds() });
                    audit::note(tx, tenant, &doer, &after, real).await?;
                    Ok::<_, FinanceError>(clock)
                })
            });
            moved.await?
        }
    };
    let TestClock { now, ahead, moved_at } = clock;
    let json = json!({
        "tenant": tenant, "now": now, "ahead_seconds": ahead.num_seconds(), "moved_at": moved_at,
    });
    let text = format!(
        "{} for tenant {tenant}, {} s ahead",
        now.format("%Y-%m-%d %H:%M:%S UTC"),
        ahead.num_seconds()
    );
    show(whose.format, json, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!(span("90s"), Ok(TimeDelta::seconds(90)));
        assert_eq!(span("36h"), Ok(TimeDelta::hours(36)));
        assert_eq!(span("14d"), Ok(TimeDelta::days(14)));
        for wrong in ["", "d", "14", "-1d", "0s", "1 d", "1w", "99999999999999999d", "1\u{e9}"] {
            assert!(span(wrong).is_err(), "{wrong:?}");
        }
    }
}
