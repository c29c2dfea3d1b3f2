//! Where payouts are decided: the facts under their locks, the gates, and the reserve.
//!
//! Lock order: payees (sorted) → payouts → heads of accounts → book. Two payouts at once, or a
//! refund meanwhile, therefore see each other's outcome, and the floor of the ledger decides.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use mizan_ledger::chart::Role;
use mizan_ledger::postings::PayoutInitiated;
use mizan_ledger::read::{self, StatementLine};
use mizan_ledger::{AccountRef, Held, Posted, Side, hold};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::error::{PayoutError, corrupt};
use super::gates::{self, Facts, Gate, Known};
use super::payout::{Payout, State};
use super::store::{self, Item};
use crate::config::PayoutsConfig;
use crate::payments::plan::{EntryAt, Plan};

/// Who acts in the ledger.
pub(super) const ACTOR: &str = "payouts";

/// Entries that put the money of a payout back: its own items are itemised again.
const PUT_BACK: [&str; 3] = ["payout.failed", "payout.returned", "payout.cancelled"];

/// Whoever decides: for whom, when, in whose name and by which settings.
#[derive(Debug, Clone)]
pub struct Desk<'a> {
    /// The marketplace.
    pub tenant: TenantId,
    /// The time.
    pub now: Timestamp,
    /// The key that asked, or the job.
    pub actor: String,
    /// The settings.
    pub rules: &'a PayoutsConfig,
}

/// The accounts of payouts as they are under their locks.
pub(super) type Heads = BTreeMap<(AccountRef, Currency), Held>;

impl Desk<'_> {
    /// Locks the heads that payouts may move.
    pub(super) async fn hold(
        &self,
        conn: &mut PgConnection,
        payouts: &[Payout],
    ) -> Result<Heads, PayoutError> {
        let mut wanted = Vec::new();
        for payout in payouts {
            let (own, pays) = (payout.amount.currency(), payout.pays.currency());
            wanted.push((payout.payee.available()?, own));
            wanted.push((AccountRef::new(Role::PayoutsInTransit, &[&payout.rail])?, pays));
            if own != pays {
                let position = AccountRef::new(Role::FxClearing, &[])?;
                wanted.extend([(position.clone(), own), (position, pays)]);
            }
        }
        Ok(hold(conn, self.tenant, self.now, &wanted).await?)
    }

    /// What a payout can be paid from, under its lock.
    pub(super) fn held(heads: &Heads, payout: &Payout) -> Result<Held, PayoutError> {
        let key = (payout.payee.available()?, payout.amount.currency());
        heads.get(&key).copied().ok_or_else(|| corrupt("a head that is not held"))
    }

    /// Looks at the gates of payouts whose payees, rows and heads are locked; reserves the money
    /// of those that pass, and keeps what was found for the others.
    pub(super) async fn settle(
        &self,
        conn: &mut PgConnection,
        mut payouts: Vec<Payout>,
        heads: &Heads,
    ) -> Result<Vec<Payout>, PayoutError> {
        let today = store::day_of(conn, self.tenant, self.now).await?;
        let mut plan = Plan::new(self.now, ACTOR);
        let mut reserved: Vec<(usize, EntryAt, Vec<Item>)> = Vec::new();
        for (n, payout) in payouts.iter_mut().enumerate() {
            let held = Self::held(heads, payout)?;
            let gates = self.look(conn, payout, held, today).await?;
            store::keep_gates(conn, self.tenant, payout.id, &gates, self.now).await?;
            if gates.iter().any(|gate| !gate.passed) {
                payout.state = State::Gated;
                plan.announce("payout.gated", payout.id.to_string(), None, event(payout));
                continue;
            }
            let items = self.items(conn, payout, held).await?;
            (payout.state, payout.reserved_at) = (State::Reserved, Some(self.now));
            let entry = plan.post(
                "payout.initiated",
                format!("{}:initiated", payout.id),
                payout.id.to_string(),
                self.now,
                initiated(payout).posting()?,
            )?;
            plan.announce("payout.reserved", payout.id.to_string(), Some(entry), event(payout));
            reserved.push((n, entry, items));
        }
        let posted = plan.post_all(conn, self.tenant).await?;
        for ((n, _, items), posted) in reserved.iter().zip(&posted) {
            let payout = &mut payouts[*n];
            payout.cut = Some((payout.cut.map_or(0, |cut| cut.0), own_entry(payout, posted)?));
            store::insert_items(conn, self.tenant, payout.id, items).await?;
        }
        for payout in &payouts {
            store::save(conn, self.tenant, payout, self.now).await?;
            let steps: &[&str] = match payout.state {
                State::Reserved => &["approved", "reserved"],
                _ => &["gated"],
            };
            let steps: Vec<_> = steps.iter().map(|state| (*state, None)).collect();
            self.steps(conn, payout, &steps).await?;
        }
        plan.announce_all(conn, self.tenant, &posted).await?;
        Ok(payouts)
    }

    /// Keeps steps that a payout took now.
    pub(super) async fn steps(
        &self,
        conn: &mut PgConnection,
        payout: &Payout,
        steps: &[(&str, Option<String>)],
    ) -> Result<(), PayoutError> {
        let by = (self.now, self.actor.as_str());
        store::keep_steps(conn, self.tenant, payout.id, steps, by).await
    }

    async fn look(
        &self,
        conn: &mut PgConnection,
        payout: &mut Payout,
        held: Held,
        today: NaiveDate,
    ) -> Result<Vec<Gate>, PayoutError> {
        let (tenant, payee, currency) = (self.tenant, &payout.payee, payout.amount.currency());
        let terms = store::terms(conn, tenant, payee).await?.unwrap_or_default();
        let kyc = store::kyc(conn, tenant, payee).await?;
        let account = store::bank_account(conn, tenant, payee, None).await?;
        let blocks = store::blocks(conn, tenant, payee).await?;
        let debt = read::account_at(conn, tenant, &payee.receivable()?, currency).await?;
        let of = |amounts: &BTreeMap<String, i64>| amounts.get(currency.code()).copied();
        let found = gates::look(&Facts {
            payee: Known {
                kyc: kyc.as_ref(),
                account: account.as_ref(),
                blocks: &blocks,
                rail: &payout.rail,
                today,
            },
            amount: payout.amount,
            available: held.balance,
            debt: debt.map_or(Money::zero(currency), |it| it.balance()),
            minimum: of(&terms.minimum).unwrap_or_default(),
            limit: of(&self.rules.amount_max),
            approval_above: of(&self.rules.approval_above),
            approval: payout.approval.as_ref(),
            cooling: TimeDelta::hours(self.rules.cooling_hours.into()),
            now: self.now,
        });
        payout.bank_version = account.map(|it| it.version);
        Ok(found)
    }

    /// Why a payout whose money is reserved may not be handed over after all.
    pub(super) async fn held_back(
        &self,
        conn: &mut PgConnection,
        payout: &Payout,
    ) -> Result<Option<String>, PayoutError> {
        let (tenant, payee) = (self.tenant, &payout.payee);
        let kyc = store::kyc(conn, tenant, payee).await?;
        let account = store::bank_account(conn, tenant, payee, payout.bank_version).await?;
        let blocks = store::blocks(conn, tenant, payee).await?;
        Ok(gates::held_back(&Known {
            kyc: kyc.as_ref(),
            account: account.as_ref(),
            blocks: &blocks,
            rail: &payout.rail,
            today: store::day_of(conn, tenant, self.now).await?,
        }))
    }

    /// What a payout pays: every entry of the payee's account since the last payout's, what that
    /// one left behind, and what this one leaves. Their sum is the payout's amount.
    async fn items(
        &self,
        conn: &mut PgConnection,
        payout: &mut Payout,
        held: Held,
    ) -> Result<Vec<Item>, PayoutError> {
        let (tenant, currency) = (self.tenant, payout.amount.currency());
        let from = store::last_cut(conn, tenant, &payout.payee, currency).await?;
        payout.cut = Some((from, held.entries));
        let lines = read::lines_between(conn, tenant, held.id, (from, held.entries)).await?;
        let (mut items, mut moved) = (Vec::new(), 0_i64);
        for line in &lines {
            let amount = signed(line);
            moved = moved.checked_add(amount).ok_or_else(|| corrupt("items beyond 64 bits"))?;
            let again = match line.source.parse() {
                Ok(earlier) if PUT_BACK.contains(&line.kind.as_str()) => {
                    store::items(conn, tenant, earlier).await?
                }
                _ => Vec::new(),
            };
            if again.iter().map(|it| it.amount).sum::<i64>() == amount {
                items.extend(again);
            } else {
                items.push(item(line, amount));
            }
        }
        let carried = |kind: &str, amount| Item {
            kind: kind.to_owned(),
            source: String::new(),
            amount,
            seq: None,
            transaction: None,
            effective_at: None,
        };
        let before = held.balance.minor() - moved;
        if before != 0 {
            items.insert(0, carried("carried_in", before));
        }
        let after = held.balance.checked_sub(payout.amount)?.minor();
        if after != 0 {
            items.push(carried("carried_out", -after));
        }
        let sum: i128 = items.iter().map(|it| i128::from(it.amount)).sum();
        match sum == i128::from(payout.amount.minor()) {
            true => Ok(items),
            false => {
                Err(corrupt(format!("{} pays {} and itemises {sum}", payout.id, payout.amount)))
            }
        }
    }
}

/// The money goes from what is available to the rail.
pub(super) fn initiated(payout: &Payout) -> PayoutInitiated {
    PayoutInitiated {
        payee: payout.payee.clone(),
        rail: payout.rail.clone(),
        amount: payout.amount,
        pays: payout.pays,
    }
}

/// What a consumer of events learns.
pub(super) fn event(payout: &Payout) -> Value {
    json!({
        "payout": payout.id.to_string(),
        payout.payee.kind(): payout.payee.id(),
        "status": payout.state.as_str(),
        "amount": payout.amount.minor(),
        "currency": payout.amount.currency().code(),
        "pay_amount": payout.pays.minor(),
        "pay_currency": payout.pays.currency().code(),
        "rail": payout.rail,
        "reason": payout.trouble.as_ref().map(|it| it.reason.as_str()),
    })
}

/// The sequence number of a payout's own entry in the payee's account.
fn own_entry(payout: &Payout, posted: &Posted) -> Result<i64, PayoutError> {
    let account = payout.payee.available()?;
    let own = posted.entries.iter().find(|entry| entry.account == account);
    own.map(|entry| entry.seq).ok_or_else(|| corrupt("a payout without its own entry"))
}

/// Above zero what came in.
fn signed(line: &StatementLine) -> i64 {
    match line.side {
        Side::Credit => line.amount.minor(),
        Side::Debit => -line.amount.minor(),
    }
}

fn item(line: &StatementLine, amount: i64) -> Item {
    Item {
        kind: line.kind.clone(),
        source: line.source.clone(),
        amount,
        seq: Some(line.seq),
        transaction: Some(line.transaction),
        effective_at: Some(line.effective_at),
    }
}
