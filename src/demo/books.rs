//! The books as they stand: the journal, the trial balance, and the gateway's money beside them.

use std::collections::BTreeMap;

use mizan::db::{Db, work};
use mizan::payments::PaymentError;
use mizan_ledger::AccountRef;
use mizan_ledger::chart::Role;
use mizan_ledger::read::{self, Cursor, Detail, Page, Transaction, TrialLine};
use mizan_money::{Currency, Money, TenantId};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::end::Failure;
use crate::cli::ledger::wide;
use crate::cli::output::grouped;

/// Transactions that are read at once.
const PAGE: u16 = 500;

/// What the gateway says of its money in one currency, in minor units.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Totals {
    charged: i64,
    refunded: i64,
    fees: i64,
}

/// The journal from its first transaction to its last.
pub async fn journal(db: &Db, tenant: TenantId) -> Result<Vec<Transaction>, PaymentError> {
    let (mut all, mut cursor) = (Vec::<Transaction>::new(), Cursor::Start);
    loop {
        let page = Page { limit: PAGE, cursor };
        let listed = db
            .read("journal", tenant, |tx| {
                work(async move {
                    Ok::<_, PaymentError>(read::transactions(tx, tenant, None, None, page).await?)
                })
            })
            .await?;
        let Some(listed) = listed else { break };
        all.extend(listed.data);
        match all.last() {
            Some(last) if listed.has_more => cursor = Cursor::After(last.id.uuid()),
            _ => break,
        }
    }
    all.reverse();
    Ok(all)
}

/// The trial balance, account by account.
pub async fn trial_balance(db: &Db, tenant: TenantId) -> Result<Vec<TrialLine>, PaymentError> {
    db.read("trial_balance", tenant, |tx| {
        work(async move { Ok(read::trial_balance(tx, tenant, Detail::Account).await?) })
    })
    .await
}

/// The trial balance with its sums, and whether they agree in every currency.
pub fn trial_table(lines: &[TrialLine]) -> (String, bool) {
    let width = lines.iter().map(|line| line.path.len()).max().unwrap_or_default();
    let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
    let mut text = format!("  {:<width$}  {:>14}  {:>14}\n", "", "debit", "credit");
    for line in lines {
        let sum = sums.entry(line.currency).or_default();
        sum.0 += line.debit;
        sum.1 += line.credit;
        let (debit, credit) = (wide(line.debit, line.currency), wide(line.credit, line.currency));
        let row = format!("  {:<width$}  {debit:>14}  {credit:>14}", line.path);
        text.push_str(&format!("{}\n", row.trim_end()));
    }
    for (currency, (debit, credit)) in &sums {
        let (debit, credit) = (wide(*debit, *currency), wide(*credit, *currency));
        text.push_str(&format!(
            "  {:<width$}  {:>14}  {:>14}\n",
            "",
            "─".repeat(14),
            "─".repeat(14)
        ));
        text.push_str(&format!("  {:<width$}  {debit:>14}  {credit:>14}\n", currency.code()));
    }
    (text, sums.values().all(|(debit, credit)| debit == credit))
}

/// What the simulator's state says of its money, by currency.
pub fn gateway_totals(state: &Value) -> Result<BTreeMap<Currency, Totals>, Failure> {
    let by_code: BTreeMap<String, Totals> = Deserialize::deserialize(&state["totals"])?;
    let by_code = by_code.into_iter();
    by_code.map(|(code, sums)| Ok((Currency::parse(&code.to_uppercase())?, sums))).collect()
}

/// The gateway's own sum beside what the books say it owes, per currency, and whether they agree.
pub fn compare(
    gateway: &BTreeMap<Currency, Totals>,
    books: &[TrialLine],
) -> Result<(String, bool), Failure> {
    let account = AccountRef::new(Role::GatewayClearing, &["stripe"])?;
    let owed = |currency: Currency| {
        let line = books.iter().find(|l| l.path == account.path() && l.currency == currency);
        line.map_or(0, |line| line.debit - line.credit)
    };
    let (mut text, mut agree) = (String::new(), true);
    for (currency, Totals { charged, refunded, fees }) in gateway {
        let rest = i128::from(*charged) - i128::from(*refunded) - i128::from(*fees);
        let equal = rest == owed(*currency);
        agree &= equal;
        let show = |minor: i64| grouped(Money::new(minor, *currency));
        text.push_str(&format!(
            "  the gateway   {} charged − {} refunded − {} fees = {} {currency}\n  \
             the books     {} = {} {currency}   {}\n",
            show(*charged),
            show(*refunded),
            show(*fees),
            wide(rest, *currency),
            account.path(),
            wide(owed(*currency), *currency),
            if equal { "equal" } else { "DIFFERENT" },
        ));
    }
    let known =
        |line: &&TrialLine| line.path != account.path() || gateway.contains_key(&line.currency);
    agree &= books.iter().all(|line| known(&line));
    Ok((text, agree && !gateway.is_empty()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use serde_json::json;

    use super::*;

    fn line(path: &str, debit: i128, credit: i128) -> TrialLine {
        let line = AccountRef::parse(path).unwrap().role().line();
        TrialLine { path: path.to_owned(), line, currency: Currency::AED, debit, credit }
    }

    #[test]
    fn a_trial_balance_whose_sums_differ_is_noticed() {
        let clearing = line("gateway_clearing:stripe", 95_974, 0);
        let vendor = |credit| line("vendor_payable:V1:pending", 0, credit);
        assert!(trial_table(&[clearing.clone(), vendor(95_974)]).1);
        assert!(!trial_table(&[clearing, vendor(95_973)]).1);
    }

    #[test]
    fn the_gateways_money_and_the_books_are_compared_to_the_last_fils() {
        let state = json!({"totals": {"aed": {
            "charged": 110_250, "refunded": 10_500, "fees": 3_776, "balance": 95_974,
        }}});
        let gateway = gateway_totals(&state).unwrap();
        let (text, agree) =
            compare(&gateway, &[line("gateway_clearing:stripe", 95_974, 0)]).unwrap();
        assert!(agree && text.contains("1,102.50 charged − 105.00 refunded − 37.76 fees = 959.74"));
        assert!(!compare(&gateway, &[line("gateway_clearing:stripe", 95_973, 0)]).unwrap().1);
        assert!(!compare(&gateway, &[]).unwrap().1);
        assert!(!compare(&BTreeMap::new(), &[]).unwrap().1);
    }
}
