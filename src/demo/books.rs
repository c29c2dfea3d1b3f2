//! The books as they stand: the journal, the trial balance, and the gateways' money beside them.

use std::collections::{BTreeMap, BTreeSet};

use mizan::db::{Db, work};
use mizan::payments::PaymentError;
use mizan_ledger::AccountRef;
use mizan_ledger::chart::Role;
use mizan_ledger::read::{self, Cursor, Detail, Page, Transaction, TrialLine};
use mizan_money::{Currency, Money, TenantId};
use mizan_providers::ProviderName;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::end::Failure;
use crate::cli::ledger::wide;
use crate::cli::output::grouped;
use crate::cli::simulated::title;

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

/// The trial balance of each currency with its sums, and whether they agree in all.
pub fn trial_table(lines: &[TrialLine]) -> (String, bool) {
    let width = lines.iter().map(|line| line.path.len()).max().unwrap_or_default();
    let row = |name: &str, debit: &str, credit: &str| {
        let row = format!("  {name:<width$}  {debit:>14}  {credit:>14}");
        format!("{}\n", row.trim_end())
    };
    let (mut text, mut agree) = (row("", "debit", "credit"), true);
    let currencies: BTreeSet<Currency> = lines.iter().map(|line| line.currency).collect();
    for (place, currency) in currencies.into_iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        let mut sum = (0, 0);
        for line in lines.iter().filter(|line| line.currency == currency) {
            sum.0 += line.debit;
            sum.1 += line.credit;
            let (debit, credit) = (wide(line.debit, currency), wide(line.credit, currency));
            text.push_str(&row(&line.path, &debit, &credit));
        }
        agree &= sum.0 == sum.1;
        let beam = "─".repeat(14);
        text.push_str(&row("", &beam, &beam));
        text.push_str(&row(currency.code(), &wide(sum.0, currency), &wide(sum.1, currency)));
    }
    (text, agree)
}

/// What the simulator's state says of its money, by currency.
pub fn gateway_totals(state: &Value) -> Result<BTreeMap<Currency, Totals>, Failure> {
    let by_code: BTreeMap<String, Totals> = Deserialize::deserialize(&state["totals"])?;
    let by_code = by_code.into_iter();
    by_code.map(|(code, sums)| Ok((Currency::parse(&code.to_uppercase())?, sums))).collect()
}

/// A gateway's own sum beside what the books say it owes, per currency, and whether they agree.
/// Where the gateway tells its fees only with its settlement, the books do not have them yet, and
/// they are left out of both.
pub fn compare(
    of: ProviderName,
    fees_are_told: bool,
    gateway: &BTreeMap<Currency, Totals>,
    books: &[TrialLine],
) -> Result<(String, bool), Failure> {
    let account = AccountRef::new(Role::GatewayClearing, &[of.as_str()])?;
    let owed = |currency: Currency| {
        let line = books.iter().find(|l| l.path == account.path() && l.currency == currency);
        line.map_or(0, |line| line.debit - line.credit)
    };
    let (mut text, mut agree) = (String::new(), true);
    for (currency, Totals { charged, refunded, fees }) in gateway {
        let show = |minor: i64| grouped(Money::new(minor, *currency));
        let mut rest = i128::from(*charged) - i128::from(*refunded);
        let (mut less, mut later) = (String::new(), "");
        if fees_are_told {
            rest -= i128::from(*fees);
            less = format!(" − {} fees", show(*fees));
        } else {
            later = ", fees come with the settlement";
        }
        let equal = rest == owed(*currency);
        agree &= equal;
        text.push_str(&format!(
            "  {:<12}  {} charged − {} refunded{less} = {} {currency}{later}\n  \
             the books     {} = {} {currency}   {}\n",
            title(of),
            show(*charged),
            show(*refunded),
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
        let books = |debit| [line("gateway_clearing:stripe", debit, 0)];
        let compare = |told, gateway: &BTreeMap<_, _>, books: &[TrialLine]| {
            compare(ProviderName::Stripe, told, gateway, books).unwrap()
        };
        let (text, agree) = compare(true, &gateway, &books(95_974));
        assert!(agree && text.contains("1,102.50 charged − 105.00 refunded − 37.76 fees = 959.74"));
        assert!(!compare(true, &gateway, &books(95_973)).1);
        assert!(!compare(true, &gateway, &[]).1);
        let nothing = BTreeMap::new();
        assert!(!compare(true, &nothing, &[]).1);
        // Fees that come later are in neither.
        assert!(compare(false, &gateway, &books(99_750)).1);
        assert!(!compare(false, &gateway, &books(95_974)).1);
    }
}
