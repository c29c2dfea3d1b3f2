//! A transaction as bookkeepers draw it: debits on the left of a T, credits on its right.

use std::collections::BTreeMap;

use mizan_ledger::Side;
use mizan_ledger::read::{Entry, Transaction};

use crate::cli::output::grouped;

/// Left of everything.
const MARGIN: &str = "      ";

/// How wide the columns must be for all transactions to stand below each other.
#[derive(Clone, Copy)]
struct Widths {
    debit_path: usize,
    credit_path: usize,
    amount: usize,
}

/// Each transaction as a T. `names` says what the sources are called.
pub fn t_accounts(journal: &[Transaction], names: &BTreeMap<String, String>) -> String {
    let widths = Widths::of(journal);
    let draw = |transaction: &Transaction| {
        let source = names.get(&transaction.source).unwrap_or(&transaction.source);
        let currency = transaction.entries.first().map(|entry| entry.amount.currency());
        let currency = currency.map(|it| format!(", {it}")).unwrap_or_default();
        let kind = &transaction.kind;
        let title = format!("{:>4}  {kind}, {source}{currency}", transaction.position);
        let time = transaction.recorded_at.format("%H:%M:%S").to_string();
        let gap = widths.total().saturating_sub(title.chars().count());
        format!("\n{title}{time:>gap$}\n{}", widths.draw(&transaction.entries))
    };
    journal.iter().map(draw).collect()
}

impl Widths {
    fn of(journal: &[Transaction]) -> Self {
        let entries = || journal.iter().flat_map(|transaction| &transaction.entries);
        let path = |side| {
            let of_side = entries().filter(move |entry| entry.side == side);
            of_side.map(|entry| entry.account.path().len()).max().unwrap_or_default()
        };
        let amount = entries().map(|entry| grouped(entry.amount).len()).max().unwrap_or_default();
        Self { debit_path: path(Side::Debit), credit_path: path(Side::Credit), amount }
    }

    /// A path, two spaces and an amount.
    const fn column(self, side: Side) -> usize {
        let path = match side {
            Side::Debit => self.debit_path,
            Side::Credit => self.credit_path,
        };
        path + 2 + self.amount
    }

    const fn total(self) -> usize {
        MARGIN.len() + self.column(Side::Debit) + 3 + self.column(Side::Credit)
    }

    fn draw(self, entries: &[Entry]) -> String {
        let beam = |side| "─".repeat(self.column(side) + 1);
        let mut text = format!("{MARGIN}{}┬{}\n", beam(Side::Debit), beam(Side::Credit));
        let (debits, credits) =
            (self.cells(entries, Side::Debit), self.cells(entries, Side::Credit));
        for row in 0..debits.len().max(credits.len()) {
            let cell = |cells: &[String]| cells.get(row).cloned().unwrap_or_default();
            let (debit, credit) = (cell(&debits), cell(&credits));
            let width = self.column(Side::Debit);
            let line = format!("{MARGIN}{debit:<width$} │ {credit}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn cells(self, entries: &[Entry], side: Side) -> Vec<String> {
        let path = self.column(side) - self.amount;
        let cell = |entry: &Entry| {
            let (account, figure) = (entry.account.path(), grouped(entry.amount));
            format!("{account:<path$}{figure:>amount$}", amount = self.amount)
        };
        entries.iter().filter(|entry| entry.side == side).map(cell).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use mizan_ledger::AccountRef;
    use mizan_money::{AccountId, Currency, Money, Timestamp, TransactionId};

    use super::*;

    fn entry(side: Side, path: &str, minor: i64) -> Entry {
        let amount = Money::new(minor, Currency::AED);
        Entry {
            account_id: AccountId::generate(Timestamp::UNIX_EPOCH),
            account: AccountRef::parse(path).unwrap(),
            seq: 1,
            side,
            amount,
            balance_after: amount,
        }
    }

    #[test]
    fn a_transaction_is_drawn_as_a_t() {
        let now = Timestamp::UNIX_EPOCH;
        let transaction = Transaction {
            id: TransactionId::generate(now),
            position: 2,
            kind: "provider.fee".to_owned(),
            effective_at: now,
            recorded_at: now,
            source: "pi_1".to_owned(),
            actor: "tests".to_owned(),
            reverses: None,
            metadata: None,
            entries: vec![
                entry(Side::Debit, "gateway_fees:stripe", 2_232),
                entry(Side::Debit, "vat_input_recoverable:AE", 111),
                entry(Side::Credit, "gateway_clearing:stripe", 2_343),
            ],
        };
        let names = BTreeMap::from([("pi_1".to_owned(), "order A".to_owned())]);
        assert_eq!(
            t_accounts(&[transaction], &names),
            "
   2  provider.fee, order A, AED                              00:00:00
      ────────────────────────────────┬───────────────────────────────
      gateway_fees:stripe       22.32 │ gateway_clearing:stripe  23.43
      vat_input_recoverable:AE   1.11 │
"
        );
    }
}
