//! What a rail says of a payout: paid, failed, returned, and what it took for it.

use mizan_ledger::postings::{FxRealised, PayoutFee, PayoutPaid, PayoutReturned};
use mizan_money::id::PayoutId;
use mizan_money::{Money, Timestamp};
use sqlx::PgConnection;

use super::act::{locked, taken_back};
use super::desk::{ACTOR, Desk, event};
use super::error::PayoutError;
use super::payout::{Payout, State, Trouble};
use super::reason::Reason;
use super::store;
use crate::payments::plan::Plan;

/// What became of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It left our account.
    Paid,
    /// It never left.
    Failed,
    /// It came back.
    Returned,
}

/// What a rail says.
#[derive(Debug, Clone)]
pub struct Word {
    /// What became of it.
    pub fate: Fate,
    /// Why, in the rail's words or ours.
    pub code: Option<String>,
    /// Which of our bank accounts moved; else the main one of the currency.
    pub bank: Option<String>,
    /// What left it, or what came back into it, where that is of the balance's currency.
    pub cost: Option<Money>,
    /// What the rail took for its work; below zero what it gave back.
    pub fee: Option<Money>,
    /// When.
    pub occurred_at: Timestamp,
}

/// Books what a rail says.
///
/// # Errors
/// A state in which it cannot be true, a cost of a third currency, the database.
pub async fn tell(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    id: PayoutId,
    word: &Word,
) -> Result<Payout, PayoutError> {
    let mut payout = locked(conn, desk, id).await?;
    let mut plan = Plan::new(desk.now, ACTOR);
    match word.fate {
        Fate::Paid => paid(&mut plan, &mut payout, word)?,
        Fate::Failed => failed(&mut plan, desk, &mut payout, word)?,
        Fate::Returned => returned(&mut plan, desk, &mut payout, word)?,
    }
    if let Some(fee) = word.fee.filter(|fee| !fee.is_zero()) {
        charge(&mut plan, &mut payout, fee, word)?;
    }
    if let (State::Returned, Some(version)) = (payout.state, payout.bank_version) {
        let code = word.code.as_deref().unwrap_or("without a reason");
        let why = format!("a payout to them was returned ({code}).");
        let mark = (desk.now, why.as_str());
        store::block_details(conn, desk.tenant, &payout.payee, version, mark).await?;
    }
    let posted = plan.post_all(conn, desk.tenant).await?;
    store::save(conn, desk.tenant, &payout, desk.now).await?;
    desk.steps(conn, &payout, &[(payout.state.as_str(), word.code.clone())]).await?;
    plan.announce_all(conn, desk.tenant, &posted).await?;
    Ok(payout)
}

fn paid(plan: &mut Plan, payout: &mut Payout, word: &Word) -> Result<(), PayoutError> {
    if !payout.state.is_on_its_way() {
        return Err(payout.refuse("the news that it was paid", "one that is on its way"));
    }
    let cost = cost(payout, word)?;
    let from = payout.till(word.bank.as_deref(), cost.currency());
    let (name, id) = (from.clone(), payout.id);
    let posting = PayoutPaid { rail: payout.rail.clone(), from, amount: payout.pays, cost };
    let (key, source) = (format!("{id}:paid"), id.to_string());
    let entry = plan.post("payout.paid", key, source, word.occurred_at, posting.posting()?)?;
    (payout.state, payout.paid_at) = (State::Paid, Some(word.occurred_at));
    payout.till = name.account()?.dimension(0).map(str::to_owned);
    payout.cost = (cost != payout.pays).then_some(cost);
    plan.announce("payout.paid", id.to_string(), Some(entry), event(payout));
    if cost.currency() != payout.pays.currency() {
        realise(plan, payout, (payout.amount, cost), word.occurred_at)?;
    }
    Ok(())
}

fn failed(
    plan: &mut Plan,
    desk: &Desk<'_>,
    payout: &mut Payout,
    word: &Word,
) -> Result<(), PayoutError> {
    if !payout.state.is_on_its_way() {
        let needs = "one that is on its way; what was paid and came back is `returned`";
        return Err(payout.refuse("the news that it failed", needs));
    }
    let (key, source) = (format!("{}:failed", payout.id), payout.id.to_string());
    let posting = taken_back(payout).posting()?;
    let entry = plan.post("payout.failed", key, source.clone(), word.occurred_at, posting)?;
    (payout.state, payout.ended_at) = (State::Failed, Some(desk.now));
    payout.trouble = Some(trouble(word));
    plan.announce("payout.failed", source, Some(entry), event(payout));
    Ok(())
}

fn returned(
    plan: &mut Plan,
    desk: &Desk<'_>,
    payout: &mut Payout,
    word: &Word,
) -> Result<(), PayoutError> {
    if payout.state != State::Paid {
        let needs = "one that was paid; what never left is `failed`";
        return Err(payout.refuse("the news that it came back", needs));
    }
    let received = cost(payout, word)?;
    let bank = word.bank.clone().or_else(|| {
        payout
            .till
            .clone()
            .filter(|_| payout.cost.unwrap_or(payout.pays).currency() == received.currency())
    });
    let into = payout.till(bank.as_deref(), received.currency());
    let posting =
        PayoutReturned { payee: payout.payee.clone(), into, amount: payout.amount, received };
    let (key, source) = (format!("{}:returned", payout.id), payout.id.to_string());
    let at = word.occurred_at;
    let entry = plan.post("payout.returned", key, source.clone(), at, posting.posting()?)?;
    (payout.state, payout.ended_at) = (State::Returned, Some(desk.now));
    payout.trouble = Some(trouble(word));
    plan.announce("payout.returned", source, Some(entry), event(payout));
    Ok(())
}

/// Books what the rail took for its work; below zero what it gave back with the payout.
fn charge(
    plan: &mut Plan,
    payout: &mut Payout,
    fee: Money,
    word: &Word,
) -> Result<(), PayoutError> {
    let (id, at) = (payout.id, word.occurred_at);
    let from = payout.till(word.bank.as_deref(), fee.currency());
    let (kind, event_kind, posting) = match fee.is_negative() {
        false => {
            let posting = PayoutFee { from, amount: fee }.posting()?;
            ("payout.fee", "payout.fee_charged", posting)
        }
        true => {
            let posting = PayoutFee { from, amount: fee.checked_neg()? }.given_back()?;
            ("payout.fee_returned", "payout.fee_returned", posting)
        }
    };
    let key = format!("{id}:fee:{}", payout.state.as_str());
    let entry = plan.post(kind, key, id.to_string(), at, posting)?;
    // The fees of a payout that comes back add up, where they are of one currency.
    let before = payout.fee.filter(|it| it.currency() == fee.currency());
    payout.fee = Some(before.map_or(Ok(fee), |before| before.checked_add(fee))?);
    plan.announce(event_kind, id.to_string(), Some(entry), event(payout));
    Ok(())
}

/// What left our account, or came back into it: what the payee receives, unless the rail says
/// another amount. The bank took it, or gave it, in the balance's currency then.
fn cost(payout: &Payout, word: &Word) -> Result<Money, PayoutError> {
    let (own, pays) = (payout.amount.currency(), payout.pays.currency());
    match word.cost {
        None => Ok(payout.pays),
        Some(cost) if own != pays && cost.currency() == own => Ok(cost),
        Some(cost) if cost == payout.pays => Ok(cost),
        Some(cost) => {
            let message = format!(
                "{cost} is no cost of this payout: it is {} in {pays}, or an amount of {own} that \
                 the bank took for it; name what it took for its work as `fee`.",
                payout.pays
            );
            Err(PayoutError::Currencies { param: "cost", message })
        }
    }
}

/// What is left of this payout's conversion is gain or loss.
fn realise(
    plan: &mut Plan,
    payout: &Payout,
    (charged, cost): (Money, Money),
    at: Timestamp,
) -> Result<(), PayoutError> {
    if charged == cost {
        return Ok(());
    }
    let posting = FxRealised { charged, cost }.posting()?;
    let (key, source) = (format!("{}:realised", payout.id), payout.id.to_string());
    let entry = plan.post("fx.realised", key, source.clone(), at, posting)?;
    plan.announce("fx.realised", source, Some(entry), event(payout));
    Ok(())
}

fn trouble(word: &Word) -> Trouble {
    let reason = word.code.as_deref().map_or(Reason::Unknown, Reason::of_code);
    Trouble { reason, code: word.code.clone() }
}
