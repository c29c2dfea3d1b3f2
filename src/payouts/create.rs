//! Makes payouts, many at once: locks, decides, reserves.

use chrono::NaiveDate;
use mizan_ledger::postings::Payee;
use mizan_money::id::{PayoutId, PayoutRunId};
use mizan_money::{Currency, Money};
use mizan_providers::ProviderName;
use sqlx::PgConnection;

use super::convert::FxRate;
use super::desk::Desk;
use super::error::{PayoutError, corrupt, invalid};
use super::payout::{Conversion, Payout};
use super::store;

/// Gateways that pay out.
const PAYING: [ProviderName; 3] =
    [ProviderName::Stripe, ProviderName::Razorpay, ProviderName::Paypal];

/// A payout to be made.
#[derive(Debug, Clone)]
pub struct NewPayout {
    /// Whose money.
    pub payee: Payee,
    /// From which balance.
    pub currency: Currency,
    /// How much, in minor units; else all there is.
    pub asked: Option<i64>,
    /// How; else as the payee's terms say.
    pub rail: Option<String>,
    /// In which currency; else as the payee's terms say, else the balance's own.
    pub pay_currency: Option<Currency>,
    /// By which rate and who says so; else the newest that is stored.
    pub rate: Option<(FxRate, String)>,
    /// The payout of which it is a new attempt.
    pub retry_of: Option<PayoutId>,
    /// The run that makes it, and its date.
    pub run: Option<(PayoutRunId, NaiveDate)>,
}

/// Makes payouts, each of another payee or currency. Each is reserved where its gates let it
/// through, kept with its reasons where they do not, or refused by itself.
///
/// # Errors
/// The database; the caller rolls back.
pub async fn create_payouts(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    commands: &[NewPayout],
) -> Result<Vec<Result<Payout, PayoutError>>, PayoutError> {
    create_or_look_again(conn, desk, commands, Vec::new()).await
}

/// The same, and with them payouts that are locked and at their gates are looked at again: all
/// heads are taken before the first posting. Answers those that are made.
pub(super) async fn create_or_look_again(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    commands: &[NewPayout],
    gated: Vec<Payout>,
) -> Result<Vec<Result<Payout, PayoutError>>, PayoutError> {
    let mut payees: Vec<&Payee> = commands.iter().map(|it| &it.payee).collect();
    payees.sort();
    payees.dedup();
    for payee in payees {
        store::add_payee(conn, desk.tenant, payee, desk.now).await?;
        store::lock_payee(conn, desk.tenant, payee).await?;
    }
    let mut drafts = Vec::new();
    for command in commands {
        match draft(conn, desk, command).await {
            Err(PayoutError::Db(error)) => return Err(PayoutError::Db(error)),
            draft => drafts.push(draft),
        }
    }
    let made = drafts.iter().filter_map(|it| it.as_ref().ok());
    let moved: Vec<Payout> = made.chain(&gated).cloned().collect();
    let heads = desk.hold(conn, &moved).await?;
    let (mut answers, mut accepted) = (Vec::new(), Vec::new());
    for draft in drafts {
        let filled = draft.and_then(|payout| {
            let available = Desk::held(&heads, &payout)?.balance;
            fill(payout, available)
        });
        match filled {
            Ok(payout) => {
                store::insert_payout(conn, desk.tenant, &payout).await?;
                desk.steps(conn, &payout, &[("draft", None)]).await?;
                answers.push(None);
                accepted.push(payout);
            }
            Err(refusal) => answers.push(Some(refusal)),
        }
    }
    for payout in gated {
        let available = Desk::held(&heads, &payout)?.balance;
        accepted.push(price_again(payout, available)?);
    }
    let mut settled = desk.settle(conn, accepted, &heads).await?.into_iter();
    let lost = || corrupt("a payout was lost on the way");
    answers
        .into_iter()
        .map(|answer| match answer {
            Some(refusal) => Ok(Err(refusal)),
            None => settled.next().map(Ok).ok_or_else(lost),
        })
        .collect()
}

/// What everything comes to by now, where that was asked for.
pub(super) fn price_again(mut payout: Payout, available: Money) -> Result<Payout, PayoutError> {
    if payout.asked.is_none() && available.is_positive() {
        price(&mut payout, available)?;
    }
    Ok(payout)
}

/// What was asked for, or all there is.
fn fill(mut payout: Payout, available: Money) -> Result<Payout, PayoutError> {
    let (payee, currency) = (payout.payee.id().to_owned(), available.currency());
    if !available.is_positive() {
        return Err(PayoutError::Nothing { payee, currency: currency.code() });
    }
    let asked = payout.asked.map_or(available, |asked| Money::new(asked, currency));
    if asked.minor() > available.minor() {
        return Err(PayoutError::NotEnough { payee, left: available, asked });
    }
    price(&mut payout, asked)?;
    Ok(payout)
}

/// Sets the amount, and what it comes to for the payee.
fn price(payout: &mut Payout, amount: Money) -> Result<(), PayoutError> {
    let pays = payout.worth(amount).filter(|pays| pays.is_positive() || amount.is_zero());
    let into = payout.pays.currency();
    payout.pays = pays.ok_or_else(|| {
        invalid("amount", format!("{amount} comes to no amount of {into} that can be paid."))
    })?;
    payout.amount = amount;
    Ok(())
}

async fn draft(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    command: &NewPayout,
) -> Result<Payout, PayoutError> {
    command.payee.available()?;
    let terms = store::terms(conn, desk.tenant, &command.payee).await?.unwrap_or_default();
    let rail = command.rail.clone().unwrap_or(terms.rail);
    if rail.parse::<ProviderName>().is_ok_and(|gateway| !PAYING.contains(&gateway)) {
        return Err(PayoutError::NoSuchRail { rail });
    }
    let own = command.currency;
    let pays = command.pay_currency.or(terms.pay_currency).unwrap_or(own);
    let conversion = match (&command.rate, own == pays) {
        (None, true) => None,
        (Some(_), true) => {
            let message = format!("A payout of {own} in {own} has no rate.");
            return Err(PayoutError::Currencies { param: "rate", message });
        }
        (Some((rate, source)), false) => {
            Some(Conversion { rate: rate.clone(), source: source.clone(), at: desk.now })
        }
        (None, false) => {
            let newest = store::newest_rate(conn, desk.tenant, (own, pays), desk.now).await?;
            let missing = PayoutError::NoRate { from: own.code(), to: pays.code() };
            Some(newest.ok_or(missing)?)
        }
    };
    let amounts = (Money::zero(own), Money::zero(pays));
    let id = PayoutId::generate(desk.now);
    Ok(Payout {
        asked: command.asked,
        conversion,
        created_by: desk.actor.clone(),
        retry_of: command.retry_of,
        run: command.run,
        ..Payout::draft(id, command.payee.clone(), &rail, amounts, desk.now)
    })
}
