//! Who got what of a line, and who gave what back of it, as they are stored.

use mizan_ledger::AccountRef;
use mizan_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::{Result, corrupt};
use crate::payments::line::{Component, Part};
use crate::payments::split::GivenBack;

/// A part of a line. Amounts are minor units of the order's currency.
#[derive(Debug, Serialize, Deserialize)]
struct StoredPart {
    component: String,
    account: String,
    amount: i64,
    back: i64,
    #[serde(default)]
    kept: i64,
}

/// What a line gave back.
#[derive(Debug, Serialize, Deserialize)]
struct StoredGift {
    n: i16,
    paid: i64,
    coupon: i64,
    kept: bool,
    parts: Vec<(String, i64)>,
}

fn component(word: &str) -> Result<Component> {
    Component::parse(word).ok_or_else(|| corrupt(format!("component `{word}`")))
}

/// The parts of a line for its column.
pub(super) fn parts_to_json(parts: &[Part]) -> Result<serde_json::Value> {
    let stored = |part: &Part| StoredPart {
        component: part.component.as_str().to_owned(),
        account: part.account.path().to_owned(),
        amount: part.amount.minor(),
        back: part.back.minor(),
        kept: part.kept.minor(),
    };
    serde_json::to_value(parts.iter().map(stored).collect::<Vec<_>>()).map_err(corrupt)
}

/// The parts of a line out of its column.
pub(super) fn parts_from_json(value: serde_json::Value, of: Currency) -> Result<Vec<Part>> {
    let stored: Vec<StoredPart> = serde_json::from_value(value).map_err(corrupt)?;
    let part = |it: StoredPart| {
        Ok(Part {
            component: component(&it.component)?,
            account: AccountRef::parse(&it.account).map_err(corrupt)?,
            amount: Money::new(it.amount, of),
            back: Money::new(it.back, of),
            kept: Money::new(it.kept, of),
        })
    };
    stored.into_iter().map(part).collect()
}

/// What the lines of a refund gave back, for its column.
pub(super) fn given_to_json(given: &[GivenBack]) -> Result<serde_json::Value> {
    let part =
        |(component, amount): &(Component, Money)| (component.as_str().to_owned(), amount.minor());
    let stored = |it: &GivenBack| StoredGift {
        n: it.n,
        paid: it.paid.minor(),
        coupon: it.coupon.minor(),
        kept: it.kept,
        parts: it.parts.iter().map(part).collect(),
    };
    serde_json::to_value(given.iter().map(stored).collect::<Vec<_>>()).map_err(corrupt)
}

/// What the lines of a refund gave back, out of its column.
///
/// # Errors
/// Words that are not known.
pub fn given_from_json(value: serde_json::Value, of: Currency) -> Result<Vec<GivenBack>> {
    let stored: Vec<StoredGift> = serde_json::from_value(value).map_err(corrupt)?;
    let part = |(word, minor): (String, i64)| Ok((component(&word)?, Money::new(minor, of)));
    let gift = |it: StoredGift| {
        Ok(GivenBack {
            n: it.n,
            paid: Money::new(it.paid, of),
            coupon: Money::new(it.coupon, of),
            kept: it.kept,
            parts: it.parts.into_iter().map(part).collect::<Result<_>>()?,
        })
    };
    stored.into_iter().map(gift).collect()
}
