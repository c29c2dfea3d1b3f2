//! Settlement lines, from the cells of a file or the fields of an answer.

use chrono::{DateTime, NaiveDate, TimeDelta};
use mizan_money::{Money, Timestamp};

use crate::model::ProviderRef;
use crate::reference;
use crate::settlement::{SettlementKind, SettlementLine};
use crate::telr::amount::from_wire;
use crate::telr::status;

/// What one line says, as text.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) reference: &'a str,
    pub(super) word: &'a str,
    pub(super) cart: &'a str,
    pub(super) currency: &'a str,
    pub(super) gross: &'a str,
    /// Added up.
    pub(super) fees: Vec<&'a str>,
    pub(super) tax: &'a str,
    pub(super) net: &'a str,
    /// What the customer paid, and its currency.
    pub(super) original: Option<(&'a str, &'a str)>,
    pub(super) date: &'a str,
}

/// Makes a line. `row` names one that has no number of its own.
///
/// What is certain is the net. Whether a refund's amount and the fees are written with a sign is
/// not published, so the signs are those with which `net = gross - fee - tax` holds; where there
/// are none, the line is refused.
///
/// # Errors
/// What is wrong with it.
pub(super) fn line(
    told: &Told<'_>,
    settlement: Option<&ProviderRef>,
    row: usize,
) -> Result<SettlementLine, String> {
    let read = |text: &str| cell(text, told.currency);
    let listed = |texts: &[&str]| -> Result<Money, String> {
        let mut sum = Money::zero(read("0")?.currency());
        for text in texts {
            sum = sum.checked_add(read(text)?).map_err(|error| error.to_string())?;
        }
        Ok(sum)
    };
    let (gross, fee, tax) = (read(told.gross)?, listed(&told.fees)?, read(told.tax)?);
    let (gross, fee, tax, net) = if told.net.trim().is_empty() {
        let net = rest(gross, fee, tax).ok_or("it is too large")?;
        (gross, fee, tax, net)
    } else {
        let net = read(told.net)?;
        let (gross, fee, tax) =
            balance(gross, fee, tax, net).ok_or("net is not gross less fee and tax")?;
        (gross, fee, tax, net)
    };
    let word = told.word.trim();
    let source = told.reference.trim();
    let original = told.original.map(|(amount, currency)| cell(amount, currency)).transpose()?;
    let named = format!("{}/{row}", settlement.map_or("-", ProviderRef::as_str));
    Ok(SettlementLine {
        line_ref: if source.is_empty() { named } else { format!("{source}/{word}") },
        kind: status::settlement(word),
        word: word.chars().take(100).collect(),
        source_ref: ProviderRef::parse(source).ok(),
        payment_ref: None,
        reference: reference::payment(told.cart.trim()),
        gross,
        fee,
        tax,
        net,
        original: original.filter(|it| it.currency() != gross.currency()),
        settlement_ref: settlement.cloned(),
        bank_reference: None,
        occurred_at: time(told.date.trim()),
        available_at: None,
    })
}

/// A payout to our bank, as a line of its own.
pub(super) fn payout(
    reference: &ProviderRef,
    amount: Money,
    fee: Money,
    date: &str,
) -> Option<SettlementLine> {
    let gross = amount.checked_neg().ok()?;
    let tax = Money::zero(amount.currency());
    Some(SettlementLine {
        line_ref: format!("{reference}/payout"),
        kind: SettlementKind::Payout,
        word: "payout".to_owned(),
        source_ref: Some(reference.clone()),
        payment_ref: None,
        reference: None,
        gross,
        fee,
        tax,
        net: rest(gross, fee, tax)?,
        original: None,
        settlement_ref: Some(reference.clone()),
        bank_reference: None,
        occurred_at: time(date),
        available_at: None,
    })
}

fn rest(gross: Money, fee: Money, tax: Money) -> Option<Money> {
    gross.checked_sub(fee).and_then(|it| it.checked_sub(tax)).ok()
}

/// The amounts with the signs that make the net of them.
fn balance(gross: Money, fee: Money, tax: Money, net: Money) -> Option<(Money, Money, Money)> {
    let signed =
        |money: Money, plus: bool| if plus { Some(money) } else { money.checked_neg().ok() };
    for (of_gross, of_fee) in [(true, true), (false, true), (true, false), (false, false)] {
        let (gross, fee, tax) =
            (signed(gross, of_gross)?, signed(fee, of_fee)?, signed(tax, of_fee)?);
        if rest(gross, fee, tax)? == net {
            return Some((gross, fee, tax));
        }
    }
    None
}

/// An amount as people write it: an empty cell is nothing, commas part thousands, brackets mean
/// less than nothing.
pub(super) fn cell(text: &str, currency: &str) -> Result<Money, String> {
    let text = text.trim();
    let inner = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    let plain = inner.unwrap_or(text).replace(',', "");
    let plain = if plain.is_empty() { "0" } else { plain.as_str() };
    let money = from_wire(plain, currency).map_err(|error| error.to_string())?;
    match inner {
        Some(_) => money.checked_neg().map_err(|error| error.to_string()),
        None => Ok(money),
    }
}

/// A time, where it is written so that nobody can misread it. Days are those of the Gulf, as the
/// times are that Telr prints.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let day: NaiveDate = text.parse().ok()?;
    let midnight = day.and_hms_opt(0, 0, 0)?.and_utc();
    midnight.checked_sub_signed(TimeDelta::hours(GULF_HOURS))
}

/// How far the Gulf's clocks are ahead of UTC.
pub(super) const GULF_HOURS: i64 = 4;
