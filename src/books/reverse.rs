//! Takes a transaction back by another one on the opposite sides.

use mizan_ledger::{Authority, NewTransaction, PostingKey, TransactionKind, read};
use mizan_money::id::{DisputeId, PaymentIntentId, PayoutId, RefundId};
use mizan_money::{TenantId, Timestamp, TransactionId};
use sqlx::PgConnection;

use super::error::BooksError;
use super::input::Metadata;
use super::record::json_pairs;
use crate::wallets::LotId;

/// The kind of every reversal that is asked for here; `reverses` names the original.
pub(super) const KIND: &str = "transaction.reversed";

/// How to take it back.
#[derive(Debug, Clone)]
pub struct Reversal {
    /// When the taking back is true in the world.
    pub effective_at: Timestamp,
    /// Whether a floor may refuse it.
    pub authority: Authority,
    /// The caller's own pairs.
    pub metadata: Metadata,
}

/// Makes the transaction that takes `id` back, to be posted under `key`. Whether it was
/// reversed before is the ledger's to say, when it is posted.
///
/// # Errors
/// No such transaction; one that was written with a payment; the database.
pub async fn reverse(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: TransactionId,
    asked: &Reversal,
    key: PostingKey,
    actor: String,
) -> Result<NewTransaction, BooksError> {
    let original = read::transaction(conn, tenant, id).await?.ok_or(BooksError::NotFound { id })?;
    if is_owned(&original.source) {
        return Err(BooksError::Owned { id, owner: original.source });
    }
    let kind = TransactionKind::new(KIND)?;
    let mut back = original.reversal(key, kind, asked.authority, asked.effective_at, actor)?;
    back.metadata = json_pairs(&asked.metadata);
    Ok(back)
}

/// Whether a source is an object that writes its entries itself: what it says and what they
/// say must stay the same.
pub(super) fn is_owned(source: &str) -> bool {
    source.parse::<PaymentIntentId>().is_ok()
        || source.parse::<RefundId>().is_ok()
        || source.parse::<DisputeId>().is_ok()
        || source.parse::<PayoutId>().is_ok()
        || source.parse::<LotId>().is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_of_ours_makes_an_entry_belong_to_something() {
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        assert!(is_owned(&PaymentIntentId::generate(now).to_string()));
        assert!(is_owned(&RefundId::generate(now).to_string()));
        assert!(is_owned(&LotId::generate(now).to_string()));
        for free in ["", "order-7", "pi_7", "po_", &TransactionId::generate(now).to_string()] {
            assert!(!is_owned(free), "{free}");
        }
    }
}
