//! A vendor, an affiliate or a customer: what stands in the books for it, and its newest things.

use mizan_ledger::{AccountRef, Role, read};
use sqlx::PgConnection;

use super::error::TraceError;
use super::graph::{Graph, Knot, Party};
use super::node::{Kind, Node};
use super::store;
use crate::payments::PaymentError;
use crate::payouts::store as payouts;
use crate::payouts::store::Listing;

/// The newest payouts of a party that are told.
const PAYOUTS_MAX: usize = 5;
/// Its newest payments.
const PAYMENTS_MAX: usize = 8;

/// Tells a party: its balances, its newest payouts and payments.
///
/// # Errors
/// The database.
pub(super) async fn tell(
    conn: &mut PgConnection,
    graph: &mut Graph,
    party: &Party,
) -> Result<(), TraceError> {
    let tenant = graph.tenant;
    let (kind, name) = match party {
        Party::Payee(payee) => (payee.kind(), payee.id()),
        Party::Customer(name) => ("customer", name.as_str()),
    };
    let id = format!("{kind}:{name}");
    let accounts = accounts_of(kind, name).map_err(PaymentError::from)?;
    let accounts = read::accounts_at(conn, tenant, &accounts).await?;
    let balances: Vec<String> = accounts
        .iter()
        .filter(|account| !account.balance().is_zero())
        .map(|account| format!("{} {}", account.account, account.balance()))
        .collect();
    let says = match balances.is_empty() {
        true => format!("{kind} {name}; nothing stands in the books"),
        false => format!("{kind} {name}; {}", balances.join(", ")),
    };
    graph.add(Node::new(Kind::Party, &id, None).says(says));
    if let Party::Payee(payee) = party {
        let limit = PAYOUTS_MAX as i64 + 1;
        let listing = Listing { limit, payee: Some(payee.clone()), ..Listing::default() };
        let mut found = payouts::payouts(conn, tenant, &listing).await?;
        graph.cut(&mut found, PAYOUTS_MAX);
        for payout in found {
            graph.link(&id, payout.id, "is paid by this");
            graph.visit(Knot::Payout(payout.id));
        }
    }
    let limit = PAYMENTS_MAX as i64;
    let mut found = store::payments_of_party(conn, tenant, (kind, name), limit).await?;
    graph.cut(&mut found, PAYMENTS_MAX);
    for payment in found {
        graph.link(&id, payment, "has a part in this");
        graph.visit(Knot::Payment(payment));
    }
    Ok(())
}

/// The accounts that are a party's own.
fn accounts_of(kind: &str, name: &str) -> Result<Vec<AccountRef>, mizan_ledger::AccountError> {
    let buckets = |role, words: &[&[&str]]| -> Result<Vec<AccountRef>, _> {
        words.iter().map(|words| AccountRef::new(role, &[&[name], *words].concat())).collect()
    };
    Ok(match kind {
        "vendor" => [
            buckets(Role::VendorPayable, &[&["pending"], &["available"], &["reserve"], &["held"]])?,
            buckets(Role::VendorReceivable, &[&[]])?,
        ]
        .concat(),
        "affiliate" => [
            buckets(Role::AffiliatePayable, &[&["pending"], &["available"]])?,
            buckets(Role::AffiliateReceivable, &[&[]])?,
        ]
        .concat(),
        _ => buckets(
            Role::CustomerWallet,
            &[
                &["cash", "spendable"],
                &["cash", "held"],
                &["promo", "spendable"],
                &["promo", "held"],
            ],
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_of_a_party_is_one_of_the_chart() {
        for (kind, many) in [("vendor", 5), ("affiliate", 3), ("customer", 4)] {
            assert_eq!(accounts_of(kind, "X1").map(|accounts| accounts.len()), Ok(many), "{kind}");
        }
    }
}
