//! The payouts of a day: one for each payee and currency whose schedule is due, however often and
//! by however many it is run.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use mizan_ledger::AccountRef;
use mizan_ledger::postings::Payee;
use mizan_ledger::read;
use mizan_money::id::PayoutRunId;
use mizan_money::{Currency, Timestamp};
use sqlx::PgConnection;

use super::act::cancel;
use super::create::{NewPayout, create_or_look_again};
use super::desk::Desk;
use super::error::{PayoutError, corrupt, invalid};
use super::payout::{Payout, State};
use super::store;
use crate::app::App;
use crate::db::work;

/// Payees that one transaction pays at most; the rest follows with the next turn.
const PAYEES_MAX: usize = 500;

/// The payouts of one day.
#[derive(Debug, Clone)]
pub struct Run {
    /// `prun_…`
    pub id: PayoutRunId,
    /// The day, in the tenant's time zone.
    pub on: NaiveDate,
    /// When it was begun.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// Somebody who was due and got no payout.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// Whose money.
    pub payee: Payee,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    pub why: String,
}

/// Runs a day: today where none is named.
///
/// # Errors
/// A day that has not begun, the database.
pub async fn run(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    on: Option<NaiveDate>,
) -> Result<(Run, Vec<Payout>, Vec<LeftOut>), PayoutError> {
    let today = store::day_of(conn, desk.tenant, desk.now).await?;
    let on = on.unwrap_or(today);
    if on > today {
        return Err(invalid("on", format!("It is {today}: {on} has not begun.")));
    }
    let new = Run {
        id: PayoutRunId::generate(desk.now),
        on,
        created_at: desk.now,
        created_by: desk.actor.clone(),
    };
    store::insert_run(conn, desk.tenant, &new).await?;
    let kept = store::run_on(conn, desk.tenant, on).await?;
    let run = kept.ok_or_else(|| corrupt("a run that was added and is not there"))?;
    let left_out = pay(conn, desk, &run).await?;
    let payouts = store::payouts_of_run(conn, desk.tenant, run.id).await?;
    Ok((run, payouts, left_out))
}

/// Makes the payouts that are due and not there yet, and looks again at those that are at a gate.
async fn pay(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    run: &Run,
) -> Result<Vec<LeftOut>, PayoutError> {
    let due = due(conn, desk, run.on).await?;
    let gated = store::payouts_of_run(conn, desk.tenant, run.id).await?;
    let gated = gated.iter().filter(|it| it.state == State::Gated).map(|it| &it.payee);
    let payees: BTreeSet<&Payee> = due.iter().map(|(payee, _)| payee).chain(gated).collect();
    for payee in payees {
        store::lock_payee(conn, desk.tenant, payee).await?;
    }
    // Another run may have come first: what it made is seen under the locks.
    let paid = paid_on(conn, desk, run.on).await?;
    let due: Vec<_> = due.into_iter().filter(|it| !paid.contains(it)).collect();
    let gated = store::lock_gated(conn, desk.tenant, run.id).await?;
    let command = |(payee, currency): &(Payee, Currency)| NewPayout {
        payee: payee.clone(),
        currency: *currency,
        asked: None,
        rail: None,
        pay_currency: None,
        rate: None,
        retry_of: None,
        run: Some((run.id, run.on)),
    };
    let commands: Vec<NewPayout> = due.iter().map(command).collect();
    let made = create_or_look_again(conn, desk, &commands, gated).await?;
    // Behind the book, which nothing here waits for: their payees are locked.
    for (payee, currency) in &due {
        let stale = store::lock_stale(conn, desk.tenant, payee, *currency, run.on).await?;
        for id in stale {
            let why = format!("the run of {} takes its place", run.on);
            cancel(conn, desk, id, Some(why)).await?;
        }
    }
    let left_out = |((payee, currency), made): (_, Result<Payout, PayoutError>)| {
        made.err().map(|refusal| LeftOut { payee, currency, why: refusal.to_string() })
    };
    Ok(due.into_iter().zip(made).filter_map(left_out).collect())
}

/// Who has a payout of a day.
async fn paid_on(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    on: NaiveDate,
) -> Result<BTreeSet<(Payee, Currency)>, PayoutError> {
    Ok(store::days_that_paid(conn, desk.tenant, on).await?.into_iter().collect())
}

/// Who is due on a day and has something, in the order in which payees are locked.
async fn due(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    on: NaiveDate,
) -> Result<Vec<(Payee, Currency)>, PayoutError> {
    let paid = paid_on(conn, desk, on).await?;
    let scheduled = store::payees_with_schedule(conn, desk.tenant).await?;
    let due = scheduled.into_iter().filter(|(_, terms)| terms.schedule.is_due(on));
    let payees: Vec<Payee> = due.map(|(payee, _)| payee).collect();
    let paths: Vec<AccountRef> = payees.iter().map(Payee::available).collect::<Result<_, _>>()?;
    let accounts = read::accounts_above_zero(conn, desk.tenant, &paths).await?;
    let mut found = Vec::new();
    for (payee, path) in payees.into_iter().zip(paths) {
        let own = accounts.iter().filter(|it| it.account == path);
        found.extend(own.map(|it| (payee.clone(), it.currency)));
    }
    found.retain(|it| !paid.contains(it));
    found.truncate(PAYEES_MAX);
    Ok(found)
}

/// Whether somebody is due today who was not paid for it.
async fn is_due(conn: &mut PgConnection, desk: &Desk<'_>) -> Result<bool, PayoutError> {
    let today = store::day_of(conn, desk.tenant, desk.now).await?;
    Ok(!due(conn, desk, today).await?.is_empty())
}

/// Runs today for every tenant that has somebody who is due. Answers how many ran.
///
/// # Errors
/// The database.
pub async fn run_today(app: &App) -> Result<usize, PayoutError> {
    let mut ran = 0;
    for tenant in app.db.tenant_ids().await? {
        let now = app.clock.now_for(tenant);
        let rules = &app.config.payouts;
        let desk = &Desk { tenant, now, actor: "schedule".to_owned(), rules };
        let ran_here = app.db.transaction("payout_run", tenant, |tx| {
            work(async move {
                if !is_due(tx, desk).await? {
                    return Ok::<_, PayoutError>(false);
                }
                run(tx, desk, None).await?;
                Ok(true)
            })
        });
        ran += usize::from(ran_here.await?);
    }
    Ok(ran)
}
