//! The parts of an order's amount must add up.

use mizan_money::Currency;
use serde_json::Value;

use super::amount;
use super::error::Error;

const ADDED: [&str; 5] = ["item_total", "shipping", "handling", "tax_total", "insurance"];
const TAKEN_OFF: [&str; 2] = ["shipping_discount", "discount"];

/// A part of the breakdown; without it, nothing.
fn part(value: &Value, currency: Currency, field: &str) -> Result<i64, Error> {
    if value.is_null() {
        return Ok(0);
    }
    let (minor, its) = amount::read_any(value, field)?;
    match its == currency {
        true => Ok(minor),
        false => {
            let text = "Multiple differing values of currency_code are not supported.";
            Err(Error::issue("MULTI_CURRENCY_ORDER", text).at(field))
        }
    }
}

/// What the items say of one of their amounts, times their quantities.
fn of_items(unit: &Value, name: &str, currency: Currency) -> Result<Option<i64>, Error> {
    let Some(items) = unit["items"].as_array() else { return Ok(None) };
    let mut sum = 0_i64;
    for item in items {
        let field = format!("/purchase_units/items/{name}");
        let each = part(&item[name], currency, &field)?;
        let text = item["quantity"].as_str().unwrap_or_default();
        let quantity: i64 =
            text.parse().map_err(|_| Error::unknown_value("/purchase_units/items/quantity"))?;
        sum = sum.saturating_add(each.saturating_mul(quantity));
    }
    Ok(Some(sum))
}

/// Compares the parts of a purchase unit with its amount.
pub fn check(unit: &Value, total: i64, currency: Currency) -> Result<(), Error> {
    let parts = &unit["amount"]["breakdown"];
    let read = |name: &str| {
        let field = format!("/purchase_units/amount/breakdown/{name}");
        part(&parts[name], currency, &field)
    };
    let pairs = [
        ("unit_amount", "item_total", "ITEM_TOTAL_MISMATCH"),
        ("tax", "tax_total", "TAX_TOTAL_MISMATCH"),
    ];
    for (each, sum, issue) in pairs {
        if let Some(items) = of_items(unit, each, currency)?
            && items != read(sum)?
        {
            let text = "Should equal the sum over all items for a given purchase unit.";
            return Err(Error::issue(issue, text));
        }
    }
    if parts.is_null() {
        return Ok(());
    }
    let mut sum = 0_i64;
    for name in ADDED {
        sum = sum.saturating_add(read(name)?);
    }
    for name in TAKEN_OFF {
        sum = sum.saturating_sub(read(name)?);
    }
    if sum != total {
        let text = "Should equal item_total + tax_total + shipping + handling + insurance - \
                    shipping_discount - discount.";
        return Err(Error::issue("AMOUNT_MISMATCH", text));
    }
    Ok(())
}
