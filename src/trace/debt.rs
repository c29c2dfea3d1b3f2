//! Which debt was paid by what: the oldest first, as the account of the debt says.
//!
//! A vendor's debt is one balance, and whatever pays it pays some of all of it. People ask which
//! refund a later order paid for, and the answer that everybody uses is kept to: what was owed
//! first is paid first.

use std::collections::VecDeque;

use mizan_ledger::read::{self, StatementLine, Transaction};
use mizan_ledger::{Role, Side};
use mizan_money::{Money, TransactionId};
use sqlx::PgConnection;

use super::error::TraceError;
use super::graph::{Graph, Knot};
use super::name;

/// So many entries of a debt's account are read before and behind the one that is asked about.
const LINES_AROUND: i64 = 500;

/// What of a debt was paid by what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Paid {
    /// What made the debt; none where that lies too far back.
    made: Option<TransactionId>,
    paid: TransactionId,
    minor: i64,
}

/// Whether entries on an account make and pay debts.
fn is_debt(role: Role) -> bool {
    matches!(role, Role::VendorReceivable | Role::AffiliateReceivable)
}

/// Links what made debts with what paid them, whichever of both this is, and goes on to the
/// things that the other side belongs to.
///
/// # Errors
/// The database.
pub(super) async fn follow(
    conn: &mut PgConnection,
    graph: &mut Graph,
    transactions: &[Transaction],
) -> Result<(), TraceError> {
    let tenant = graph.tenant;
    for transaction in transactions {
        for entry in transaction.entries.iter().filter(|it| is_debt(it.account.role())) {
            let around = ((entry.seq - LINES_AROUND).max(0), entry.seq + LINES_AROUND);
            let lines = read::lines_between(conn, tenant, entry.account_id, around).await?;
            let mut others = Vec::new();
            for Paid { made, paid, minor } in pay_oldest_first(&lines) {
                let Some(made) = made else { continue };
                match (made == transaction.id, paid == transaction.id) {
                    (true, _) => others.push(paid),
                    (_, true) => others.push(made),
                    _ => continue,
                }
                let amount = Money::new(minor, entry.amount.currency());
                let why = format!("{amount} of the debt on {} is paid by this", entry.account);
                graph.link(made, paid, why);
            }
            go_on(conn, graph, others).await?;
        }
    }
    Ok(())
}

async fn go_on(
    conn: &mut PgConnection,
    graph: &mut Graph,
    mut others: Vec<TransactionId>,
) -> Result<(), TraceError> {
    others.sort_unstable();
    others.dedup();
    others.retain(|id| !graph.has(&id.to_string()));
    for other in read::transactions_by_id(conn, graph.tenant, &others).await? {
        let home = name::home(conn, graph.tenant, &other.source).await?;
        graph.visit(home.unwrap_or(Knot::Transaction(other.id)));
    }
    Ok(())
}

/// Matches the entries of a debt's account, oldest first: debits make a debt, credits pay what
/// was owed longest.
fn pay_oldest_first(lines: &[StatementLine]) -> Vec<Paid> {
    let Some(first) = lines.first() else { return Vec::new() };
    let before = match first.side {
        Side::Debit => first.balance_after.minor() - first.amount.minor(),
        Side::Credit => first.balance_after.minor() + first.amount.minor(),
    };
    let mut owed: VecDeque<(Option<TransactionId>, i64)> = VecDeque::new();
    if before > 0 {
        owed.push_back((None, before));
    }
    let mut found = Vec::new();
    for line in lines {
        let mut left = line.amount.minor();
        if line.side == Side::Debit {
            owed.push_back((Some(line.transaction), left));
            continue;
        }
        while left > 0 {
            let Some((made, rest)) = owed.front_mut() else { break };
            let minor = left.min(*rest);
            found.push(Paid { made: *made, paid: line.transaction, minor });
            left -= minor;
            *rest -= minor;
            if *rest == 0 {
                owed.pop_front();
            }
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use mizan_money::Currency;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: usize) -> TransactionId {
        TransactionId::from_uuid(Uuid::from_u128(n as u128))
    }

    /// Lines of signed amounts, a debt above zero, on what was owed before.
    fn lines(before: i64, moves: &[i64]) -> Vec<StatementLine> {
        let mut balance = before;
        let line = |(n, amount): (usize, &i64)| {
            balance += amount;
            StatementLine {
                transaction: id(n),
                position: 1,
                kind: String::new(),
                source: String::new(),
                effective_at: Default::default(),
                recorded_at: Default::default(),
                seq: 1,
                side: if *amount > 0 { Side::Debit } else { Side::Credit },
                amount: Money::new(amount.abs(), Currency::AED),
                balance_after: Money::new(balance, Currency::AED),
            }
        };
        moves.iter().enumerate().map(line).collect()
    }

    fn check(before: i64, moves: &[i64], pairs: &[(Option<usize>, usize, i64)]) {
        let found = pay_oldest_first(&lines(before, moves));
        let pair = |(made, paid, minor): &(Option<usize>, usize, i64)| Paid {
            made: made.map(id),
            paid: id(*paid),
            minor: *minor,
        };
        assert_eq!(found, pairs.iter().map(pair).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_owed_first_is_paid_first() {
        check(0, &[100, -100], &[(Some(0), 1, 100)]);
        check(0, &[100, 50, -120, -30], &[(Some(0), 2, 100), (Some(1), 2, 20), (Some(1), 3, 30)]);
        check(70, &[30, -80], &[(None, 1, 70), (Some(0), 1, 10)]);
        check(0, &[], &[]);
    }

    proptest! {
        #[test]
        fn no_debt_is_paid_twice_and_no_payment_is_lost(
            moves in prop::collection::vec(-500_i64..500, 1..40), before in 0_i64..300,
        ) {
            let mut balance = before;
            let mut kept = Vec::new();
            for amount in moves.into_iter().filter(|amount| *amount != 0) {
                let amount = amount.max(-balance);
                if amount != 0 {
                    balance += amount;
                    kept.push(amount);
                }
            }
            let found = pay_oldest_first(&lines(before, &kept));
            for (n, amount) in kept.iter().enumerate() {
                let sum = |of: fn(&Paid) -> Option<TransactionId>| -> i64 {
                    found.iter().filter(|it| of(it) == Some(id(n))).map(|it| it.minor).sum()
                };
                if *amount > 0 {
                    prop_assert!(sum(|it| it.made) <= *amount);
                } else {
                    prop_assert_eq!(sum(|it| Some(it.paid)), -amount);
                }
            }
            let open: i64 = kept.iter().filter(|it| **it > 0).sum::<i64>() + before
                - found.iter().map(|it| it.minor).sum::<i64>();
            prop_assert_eq!(open, balance);
        }
    }
}
