//! Ledger pages: postings from text, and outcomes, entries and balances as text.

use mizan_ledger::read::{Account, Transaction};
use mizan_ledger::{
    AccountRef, Authority, Leg, NewTransaction, Outcome, Posting, PostingKey, Side, TransactionKind,
};
use mizan_money::{Currency, Money, parse_amount};

use super::T0;

/// An amount in dirhams.
pub fn aed(amount: &str) -> Money {
    parse_amount(amount, Currency::AED).unwrap()
}

/// The account of a path.
pub fn account(path: &str) -> AccountRef {
    AccountRef::parse(path).unwrap()
}

/// One line per leg, such as `dr vendor_payable:V1:pending 47.25 AED`; also separated by `;`.
pub fn posting(page: &str) -> Posting {
    Posting::balanced(legs(page)).unwrap()
}

/// The legs of a page, whether they balance or not.
pub fn legs(page: &str) -> Vec<Leg> {
    let lines = page.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty());
    lines.map(leg).collect()
}

fn leg(line: &str) -> Leg {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [side, path, amount, currency] = words[..] else { panic!("`{line}` is not a leg") };
    let side = match side {
        "dr" => Side::Debit,
        "cr" => Side::Credit,
        other => panic!("`{other}` is neither dr nor cr in `{line}`"),
    };
    let amount = parse_amount(amount, Currency::parse(currency).unwrap()).unwrap();
    Leg { account: account(path), side, amount }
}

/// Something asked for, which a floor may refuse.
pub fn command(key: &str, page: &str) -> NewTransaction {
    asked(key, page, Authority::Command)
}

/// Something that has happened, which is booked whatever the balances are.
pub fn fact(key: &str, page: &str) -> NewTransaction {
    asked(key, page, Authority::Fact)
}

fn asked(key: &str, page: &str, authority: Authority) -> NewTransaction {
    NewTransaction {
        key: PostingKey::new(key).unwrap(),
        kind: TransactionKind::new("test.moved").unwrap(),
        effective_at: T0,
        posting: posting(page),
        authority,
        source: "tests".to_owned(),
        actor: "tests".to_owned(),
        metadata: serde_json::Map::new(),
        reverses: None,
    }
}

/// One line per outcome: `posted 3`, `posted 3 before`, `refused: …`, `key reused`.
pub fn answers(outcomes: &[Outcome]) -> String {
    let line = |outcome: &Outcome| match outcome {
        Outcome::Posted(posted) if posted.replayed => {
            format!("posted {} before\n", posted.position)
        }
        Outcome::Posted(posted) => format!("posted {}\n", posted.position),
        Outcome::Refused(refusal) => format!("refused: {refusal}\n"),
        Outcome::KeyReused => "key reused\n".to_owned(),
    };
    outcomes.iter().map(line).collect()
}

/// The entries of a transaction, in the form that [`posting`] reads.
pub fn entries(transaction: &Transaction) -> String {
    let line = |entry: &mizan_ledger::read::Entry| {
        let side = if entry.side == Side::Debit { "dr" } else { "cr" };
        format!("{side} {} {}\n", entry.account, entry.amount)
    };
    transaction.entries.iter().map(line).collect()
}

/// One line per account with entries, on its normal side: `bank:main 35.46 AED`.
pub fn balances(accounts: &[Account]) -> String {
    accounts.iter().map(|a| format!("{} {}\n", a.account, a.balance())).collect()
}

/// A page as tests write it, without indentation and empty lines.
pub fn page(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}
