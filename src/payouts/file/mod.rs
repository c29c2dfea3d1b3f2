//! The files that banks are given: the payouts of a run that go to bank accounts, handed over
//! together.
//!
//! A file is made once and holds the same payouts for ever: asked for again it is the same, with
//! the same names in it, by which a bank knows a repetition. What was reserved since is another
//! file.

mod csv;
mod latin;
mod pain;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use mizan_money::id::{PayoutFileId, PayoutId};
use mizan_money::{Money, Timestamp};
use sqlx::PgConnection;

use super::bank_account::{Details, Number};
use super::desk::{ACTOR, Desk, event};
use super::error::{PayoutError, corrupt};
use super::payout::{Payout, State};
use super::run::Run;
use super::store;
use crate::payments::plan::Plan;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// ISO 20022, pain.001.001.09.
    Pain001,
    /// A table with a line of headings, as in RFC 4180.
    Csv,
}

impl Format {
    /// The format of its word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "pain.001" | "pain.001.001.09" => Some(Self::Pain001),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The type of its bytes.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pain001 => "application/xml",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// How its name ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pain001 => "xml",
            Self::Csv => "csv",
        }
    }
}

/// One payment of a file.
#[derive(Debug, Clone)]
struct Payment {
    payout: PayoutId,
    payee: String,
    rail: String,
    amount: Money,
    to: Details,
}

/// What a file says.
#[derive(Debug, Clone)]
struct Contents {
    id: PayoutFileId,
    made_at: Timestamp,
    /// The first day from then on that is no Saturday and no Sunday.
    execution: NaiveDate,
    payments: Vec<Payment>,
}

/// The name of a payment at banks, which comes back in their answers: at most 35 characters, of
/// those that every bank takes.
fn end_to_end(payout: PayoutId) -> String {
    format!("PO-{}", payout.uuid().simple())
}

/// The file of a run: the one named, else one of what is reserved, else the newest. What it holds
/// counts as handed over from then on.
///
/// # Errors
/// A file that is not known, nothing to be written, what a format cannot say, the database.
pub async fn file_of(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    run: &Run,
    wanted: Option<PayoutFileId>,
    format: Format,
) -> Result<(PayoutFileId, String), PayoutError> {
    let made = store::files_of_run(conn, desk.tenant, run.id).await?;
    let named = |id: PayoutFileId| made.iter().copied().find(|it| it.0 == id);
    let (id, made_at) =
        match wanted {
            Some(id) => named(id).ok_or_else(|| PayoutError::NotFound { id: id.to_string() })?,
            None => match hand_over(conn, desk, run).await? {
                Some(file) => file,
                // Whoever came first has made one meanwhile.
                None => *store::files_of_run(conn, desk.tenant, run.id).await?.first().ok_or_else(
                    || PayoutError::Unwritable {
                        message: format!("No payout of {} is reserved for a bank account.", run.id),
                    },
                )?,
            },
        };
    let payouts = store::file_members(conn, desk.tenant, id).await?;
    let mut payments = Vec::with_capacity(payouts.len());
    for it in payouts {
        let found = store::bank_account(conn, desk.tenant, &it.payee, it.bank_version).await?;
        let account = found.ok_or_else(|| corrupt(format!("{} has no account", it.id)))?;
        payments.push(Payment {
            payout: it.id,
            payee: it.payee.id().to_owned(),
            rail: it.rail,
            amount: it.pays,
            to: account.details,
        });
    }
    let day = store::day_of(conn, desk.tenant, made_at).await?;
    let contents = Contents { id, made_at, execution: working_day(day), payments };
    let text = match format {
        Format::Pain001 => pain::write(&contents, desk.rules)?,
        Format::Csv => csv::write(&contents),
    };
    Ok((id, text))
}

/// Banks work from Monday to Friday nearly everywhere; they move what falls on a holiday.
fn working_day(day: NaiveDate) -> NaiveDate {
    let wait = match day.weekday() {
        Weekday::Sat => 2,
        Weekday::Sun => 1,
        _ => 0,
    };
    day.checked_add_days(Days::new(wait)).unwrap_or(day)
}

/// Puts what is reserved into a new file; none where nothing is.
async fn hand_over(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    run: &Run,
) -> Result<Option<(PayoutFileId, Timestamp)>, PayoutError> {
    let waits = |it: &Payout| it.state == State::Reserved && it.gateway().is_none();
    let mut payouts = store::payouts_of_run(conn, desk.tenant, run.id).await?;
    payouts.retain(waits);
    let mut payees: Vec<_> = payouts.iter().map(|it| &it.payee).collect();
    payees.sort();
    payees.dedup();
    for payee in payees {
        store::lock_payee(conn, desk.tenant, payee).await?;
    }
    let mut ready = Vec::new();
    for before in &payouts {
        let Some(payout) = store::lock_payout(conn, desk.tenant, before.id).await? else {
            continue;
        };
        let to_a_bank = is_to_a_bank(conn, desk, &payout).await?;
        if waits(&payout) && to_a_bank && desk.held_back(conn, &payout).await?.is_none() {
            ready.push(payout);
        }
    }
    if ready.is_empty() {
        return Ok(None);
    }
    let file = PayoutFileId::generate(desk.now);
    let mark = (desk.now, desk.actor.as_str());
    store::insert_file(conn, desk.tenant, file, Some(run.id), mark).await?;
    let ids: Vec<PayoutId> = ready.iter().map(|it| it.id).collect();
    store::put_into_file(conn, desk.tenant, file, &ids, desk.now).await?;
    let mut plan = Plan::new(desk.now, ACTOR);
    for mut payout in ready {
        payout.state = State::Submitted;
        let detail = Some(format!("in {file}"));
        desk.steps(conn, &payout, &[("submitted", detail)]).await?;
        plan.announce("payout.submitted", payout.id.to_string(), None, event(&payout));
    }
    plan.announce_all(conn, desk.tenant, &[]).await?;
    Ok(Some((file, desk.now)))
}

async fn is_to_a_bank(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    payout: &Payout,
) -> Result<bool, PayoutError> {
    let found = store::bank_account(conn, desk.tenant, &payout.payee, payout.bank_version).await?;
    Ok(found.is_some_and(|it| !matches!(it.details.number, Number::Gateway { .. })))
}

#[cfg(test)]
mod tests;
