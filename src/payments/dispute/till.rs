//! What has to be read before a dispute can be weighed: vendors' balances, and losses as booked.

use std::collections::BTreeMap;

use mizan_ledger::{AccountRef, Role, lock_balances, read};
use mizan_money::id::DisputeId;
use mizan_money::{Currency, Money, TenantId};
use sqlx::PgConnection;

use super::Booked;
use crate::payments::error::PaymentError;
use crate::payments::intent::Payment;

/// The buckets out of which a vendor's money can be held.
const BUCKETS: [&str; 2] = ["pending", "available"];

/// Balances that stand until the transaction ends, and losses that may have to be taken back.
#[derive(Debug, Clone, Default)]
pub struct Till {
    balances: BTreeMap<(AccountRef, Currency), Money>,
    losses: BTreeMap<DisputeId, read::Transaction>,
}

impl Till {
    /// Locks and reads what the disputes of locked payments may need.
    ///
    /// # Errors
    /// The database.
    pub async fn open(
        conn: &mut PgConnection,
        tenant: TenantId,
        payments: &[&Payment],
    ) -> Result<Till, PaymentError> {
        let (mut accounts, mut lost) = (Vec::new(), Vec::new());
        for payment in payments {
            for vendor in payment.lines.iter().filter_map(|line| line.vendor.as_deref()) {
                for bucket in BUCKETS {
                    let account = AccountRef::new(Role::VendorPayable, &[vendor, bucket])?;
                    accounts.push((account, payment.intent.currency));
                }
            }
            let booked = payment.disputes.iter().filter(|it| it.booked == Booked::Lost);
            lost.extend(booked.map(|it| (it.id, it.loss_key())));
        }
        let mut losses = BTreeMap::new();
        for (id, key) in lost {
            let loss = read::transaction_by_key(conn, tenant, &key).await?;
            losses.extend(loss.map(|loss| (id, loss)));
        }
        Ok(Till { balances: lock_balances(conn, tenant, accounts).await?, losses })
    }

    /// The loss of a dispute as it was booked, where it is in the journal already.
    pub(super) fn loss(&self, dispute: DisputeId) -> Option<&read::Transaction> {
        self.losses.get(&dispute)
    }

    /// Takes so much out of an account as is there; answers how much that is.
    pub(super) fn take(&mut self, account: &AccountRef, wanted: Money) -> Money {
        let key = (account.clone(), wanted.currency());
        let left = self.balances.get(&key).map_or(0, |balance| balance.minor()).max(0);
        let taken = wanted.minor().clamp(0, left);
        let currency = wanted.currency();
        self.balances.insert(key, Money::new(left - taken, currency));
        Money::new(taken, currency)
    }

    /// Puts back into an account.
    pub(super) fn put(&mut self, account: &AccountRef, amount: Money) {
        let key = (account.clone(), amount.currency());
        let balance = self.balances.entry(key).or_insert(Money::zero(amount.currency()));
        *balance = Money::new(balance.minor().saturating_add(amount.minor()), amount.currency());
    }
}
