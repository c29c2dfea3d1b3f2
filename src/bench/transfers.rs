//! Transfers between customers' wallets: two entries, a floor under each, amounts by chance.

use std::sync::Arc;

use mizan::books::{key_of, record};
use mizan::db::work;
use mizan_ledger::{
    AccountRef, Authority, NewTransaction, Outcome, Posting, TransactionKind, credit, debit,
};
use mizan_money::{ApiKeyId, Currency, Money, RequestId, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::place::Books;
use crate::cli::end::Failure;
use crate::cli::service::TENANT;

/// What each starts with: enough never to reach its floor in one run.
const START_MINOR: i64 = 1_000_000_000_000;
/// The largest transfer: 1,000.00.
const AMOUNT_MAX: i64 = 100_000;
/// How many wallets are filled by one group.
const FILLED_AT_ONCE: usize = 1_000;
const CURRENCY: Currency = Currency::AED;

/// Which accounts meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// Two wallets by chance.
    Spread,
    /// The gateway's clearing account and a wallet by chance: one account in every transfer.
    Hot,
}

/// The accounts of all transfers.
pub struct Accounts {
    wallets: Vec<AccountRef>,
    clearing: AccountRef,
}

/// Makes one transfer after the other, the same ones for the same seed.
pub struct Transfers {
    accounts: Arc<Accounts>,
    pattern: Pattern,
    chance: StdRng,
    actor: String,
}

/// Who gives and who gets, and how much in minor units.
struct Move<'a> {
    debited: &'a AccountRef,
    credited: &'a AccountRef,
    minor: i64,
    order: u32,
}

impl Accounts {
    /// So many wallets, and the clearing account. There are two at least.
    pub fn name(wallets: u32) -> Result<Arc<Self>, Failure> {
        let path = |n| AccountRef::parse(&format!("customer_wallet:C{n}:cash:spendable"));
        let wallets = (0..wallets.max(2)).map(path).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { wallets, clearing: AccountRef::parse("gateway_clearing:stripe")? }))
    }

    /// Fills every wallet, as facts.
    pub async fn fill(&self, books: &Books) -> Result<(), Failure> {
        let clock = &books.app.clock;
        let actor = ApiKeyId::generate(clock.now()).to_string();
        for part in self.wallets.chunks(FILLED_AT_ONCE) {
            let now = clock.now();
            let kind = TransactionKind::new("wallet.topped_up")?;
            let mut asked = Vec::with_capacity(part.len());
            for wallet in part {
                let moved = Move {
                    debited: &self.clearing,
                    credited: wallet,
                    minor: START_MINOR,
                    order: 0,
                };
                asked.push(NewTransaction {
                    authority: Authority::Fact,
                    ..moved.transaction(kind.clone(), actor.clone(), now)?
                });
            }
            let asked = &asked;
            let outcomes = books
                .app
                .db
                .transaction("fill_wallets", TENANT, |tx| {
                    work(async move { record(tx, TENANT, now, asked).await })
                })
                .await?;
            if !outcomes.iter().all(|outcome| matches!(outcome, Outcome::Posted(_))) {
                return Err("a wallet could not be filled".into());
            }
        }
        Ok(())
    }
}

impl Move<'_> {
    /// The transaction as the HTTP route would make it.
    fn transaction(
        &self,
        kind: TransactionKind,
        actor: String,
        now: Timestamp,
    ) -> Result<NewTransaction, Failure> {
        let amount = Money::new(self.minor, CURRENCY);
        let legs = vec![debit(self.debited.clone(), amount), credit(self.credited.clone(), amount)];
        Ok(NewTransaction {
            key: key_of(RequestId::generate(now))?,
            kind,
            effective_at: now,
            posting: Posting::balanced(legs)?,
            authority: Authority::Command,
            source: format!("order-{}", self.order),
            actor,
            metadata: serde_json::Map::new(),
            reverses: None,
        })
    }
}

impl Transfers {
    /// Transfers of one caller.
    pub fn new(accounts: &Arc<Accounts>, pattern: Pattern, seed: u64, now: Timestamp) -> Self {
        Self {
            accounts: Arc::clone(accounts),
            pattern,
            chance: StdRng::seed_from_u64(seed),
            actor: ApiKeyId::generate(now).to_string(),
        }
    }

    /// The next one, as the use case takes it.
    pub fn next(&mut self, now: Timestamp) -> Result<NewTransaction, Failure> {
        let (kind, actor) = (TransactionKind::new(self.kind())?, self.actor.clone());
        self.draw().transaction(kind, actor, now)
    }

    /// The next one, as the body of a request.
    pub fn next_body(&mut self) -> Value {
        let kind = self.kind();
        let Move { debited, credited, minor, order } = self.draw();
        let currency = CURRENCY.code();
        let entry = |account: &AccountRef, side: &str| {
            let account = account.path();
            json!({ "account": account, "side": side, "amount": minor, "currency": currency })
        };
        json!({
            "kind": kind,
            "source": format!("order-{order}"),
            "entries": [entry(debited, "debit"), entry(credited, "credit")],
        })
    }

    const fn kind(&self) -> &'static str {
        match self.pattern {
            Pattern::Spread => "wallet.transferred",
            Pattern::Hot => "wallet.topped_up",
        }
    }

    fn draw(&mut self) -> Move<'_> {
        let wallets = &self.accounts.wallets;
        let from = self.chance.random_range(0..wallets.len());
        // Any other wallet, but not the same.
        let to = (from + self.chance.random_range(1..wallets.len())) % wallets.len();
        Move {
            debited: match self.pattern {
                Pattern::Spread => &wallets[from],
                Pattern::Hot => &self.accounts.clearing,
            },
            credited: &wallets[to],
            minor: self.chance.random_range(1..=AMOUNT_MAX),
            order: self.chance.random_range(0..1_000_000),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_has_two_accounts_and_a_hot_one_always_the_same() {
        let accounts = Accounts::name(100).unwrap();
        for pattern in [Pattern::Spread, Pattern::Hot] {
            let mut transfers = Transfers::new(&accounts, pattern, 7, Timestamp::default());
            for _ in 0..1_000 {
                let body = transfers.next_body();
                let [gives, gets] = [&body["entries"][0], &body["entries"][1]];
                assert_ne!(gives["account"], gets["account"]);
                assert_eq!(gives["account"] == "gateway_clearing:stripe", pattern == Pattern::Hot);
            }
        }
    }
}
