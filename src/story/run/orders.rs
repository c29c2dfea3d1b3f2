//! Orders: lines, discounts, what the customer pays, and what becomes of the goods.

use mizan_money::{Currency, Money, Rate, Rounding, allocate};
use serde_json::{Value, json};

use super::api::Body;
use super::{Done, Runner, Stop};
use crate::story::text::{Statement, Value as Said};

/// A line's price and tax, for the sum.
struct Priced {
    amount: Money,
    tax: Rate,
    /// Discounts are taken off items unless they name their lines.
    is_item: bool,
}

impl Runner<'_> {
    pub async fn order(&mut self, verb: &str, it: &Statement) -> Done {
        let name = it.name("order").to_owned();
        if verb != "order" {
            let body = Body::default().set("status", verb).fields(it, &["lines"]);
            self.post(&format!("/v1/orders/{name}/deliveries"), body).await?;
            return Ok(());
        }
        let lines = lines(it)?;
        let priced = priced(&lines, it)?;
        let Some(currency) = priced.first().map(|line| line.amount.currency()) else {
            return Err(Stop::Broken(format!("order {name} has no line")));
        };
        let amount = match it.money("amount") {
            Some(amount) => Some(amount),
            None if self.needs("NewPaymentIntent", "amount") => Some(total(it, priced, currency)?),
            None => None,
        };
        let customer = it.word("customer");
        let state =
            it.word("state").or(customer.and_then(|it| self.states.get(it)?.as_str().into()));
        let mut body = Body::default()
            .maybe("amount", amount.map(Money::minor))
            .set("currency", currency.code())
            .set("lines", lines)
            .set("metadata", json!({ "order": name }))
            .set("return_url", "https://shop.example/thanks")
            .maybe("customer_state", state)
            .fields(it, &["customer", "country", "affiliate"])
            .maybe("affiliate_code", it.word("code"));
        if self.knows("NewPaymentIntent", "order") {
            body = body.set("order", name.as_str());
        }
        body = body.maybe("payment_method_type", self.kind_of(&name));
        if it.word("prices") == Some("exclusive") {
            body = body.set("prices", "tax_exclusive");
        }
        if it.has("captured by hand") {
            body = body.set("capture_method", "manual");
        }
        let wallet = Body::default()
            .maybe("cash", it.money("wallet_cash").map(Money::minor))
            .maybe("promo", it.money("wallet_promo").map(Money::minor))
            .value();
        if wallet != json!({}) {
            body = body.set("wallet", wallet);
        }
        let discounts: Vec<Value> = discounts(it).map(discount).collect();
        if !discounts.is_empty() {
            body = body.set("discounts", discounts);
        }
        let answer = self.post("/v1/payment_intents", body).await?;
        self.keep(&name, &answer)?;
        let id = self.id(&name)?;
        self.orders.insert(name, id);
        Ok(())
    }
}

fn discounts(it: &Statement) -> impl Iterator<Item = &Statement> {
    it.children.iter().filter(|child| child.form.verb().starts_with("discount"))
}

fn discount(it: &Statement) -> Value {
    Body::default().fields(it, &["funded_by", "amount", "percent", "lines"]).value()
}

/// The lines as the interface takes them.
fn lines(it: &Statement) -> Result<Vec<Value>, Stop> {
    let mut lines = Vec::new();
    for child in &it.children {
        let verb = child.form.verb();
        if verb.starts_with("discount") {
            continue;
        }
        let amount = child.money("amount").ok_or_else(|| Stop::Broken("no amount".to_owned()))?;
        let line = |kind: Option<&str>, amount: Money| {
            Body::default()
                .maybe("kind", kind)
                .set("amount", amount.minor())
                .fields(child, &["vendor", "item", "category", "description", "quantity"])
                .fields(child, &["contract"])
                .maybe("tax_percent", percent(child, "tax"))
                .maybe("commission_percent", percent(child, "commission"))
        };
        match verb.as_str() {
            "line" => lines.push(line(None, amount).value()),
            "bundle of" => {
                let vendors = match child.get("vendors") {
                    Some(Said::Words(vendors)) => vendors.clone(),
                    _ => Vec::new(),
                };
                let parts = allocate(amount, &vec![1; vendors.len()])?;
                for (vendor, part) in vendors.iter().zip(parts) {
                    lines.push(line(None, part).set("vendor", vendor.as_str()).value());
                }
            }
            "top up" => lines.push(line(Some("top_up"), amount).value()),
            kind => lines.push(line(Some(kind), amount).value()),
        }
    }
    Ok(lines)
}

fn percent<'a>(it: &'a Statement, field: &str) -> Option<&'a str> {
    match it.get(field)? {
        Said::Percent(text) => Some(text),
        _ => None,
    }
}

fn priced(lines: &[Value], it: &Statement) -> Result<Vec<Priced>, Stop> {
    let currencies = it.children.iter().filter_map(|child| child.money("amount"));
    let mut currencies = currencies.map(Money::currency);
    let Some(currency) = currencies.next() else { return Ok(Vec::new()) };
    if currencies.any(|other| other != currency) {
        return Err(Stop::Broken("an order has one currency".to_owned()));
    }
    let price = |line: &Value| {
        let tax = line["tax_percent"].as_str().unwrap_or("0");
        let amount = Money::new(line["amount"].as_i64().unwrap_or_default(), currency);
        let is_item = line.get("kind").is_none();
        Ok(Priced { amount, tax: Rate::percent(tax)?, is_item })
    };
    lines.iter().map(price).collect()
}

/// What the customer pays: the lines after discounts, and the tax on them where prices are
/// without it.
fn total(it: &Statement, mut lines: Vec<Priced>, currency: Currency) -> Result<Money, Stop> {
    for discount in discounts(it) {
        let named = discount.numbers("lines");
        let counts = |place: usize, line: &Priced| {
            let number = i64::try_from(place + 1).unwrap_or_default();
            named.as_ref().map_or(line.is_item, |numbers| numbers.contains(&number))
        };
        let weights: Vec<i64> = lines
            .iter()
            .enumerate()
            .map(|(place, line)| if counts(place, line) { line.amount.minor() } else { 0 })
            .collect();
        let base = Money::new(weights.iter().sum(), currency);
        let off = match (discount.money("amount"), percent(discount, "percent")) {
            (Some(amount), _) => amount,
            (None, Some(rate)) => Rate::percent(rate)?.of(base, Rounding::HalfUp)?,
            (None, None) => Money::zero(currency),
        };
        for (line, part) in lines.iter_mut().zip(allocate(off, &weights)?) {
            line.amount = line.amount.checked_sub(part)?;
        }
    }
    let mut total = Money::zero(currency);
    for line in lines {
        total = total.checked_add(line.amount)?;
        if it.word("prices") == Some("exclusive") {
            total = total.checked_add(line.tax.of(line.amount, Rounding::HalfUp)?)?;
        }
    }
    Ok(total)
}
