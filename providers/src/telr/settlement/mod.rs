//! Payouts and their transactions by the Accounts API.
//!
//! docs.telr.com publishes the addresses and bounds, not the names of the fields: those that Telr
//! uses for the same things elsewhere are tried in turn, and an answer with a line that lacks what
//! we need is not read at all. First the payouts of the time are listed, then each one's
//! transactions, page by page.

mod csv;
mod line;
mod report;

use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde_json::{Map, Value};

use crate::error::BuildError;
use crate::http::HttpRequest;
use crate::model::ProviderRef;
use crate::settlement::{ListSettlement, SettlementLine, SettlementPage};
use crate::telr::request::{get, unsupported};
use crate::telr::settings::Settings;

use line::{GULF_HOURS, Told};

pub use report::Columns;
pub(super) use report::read as read_report;

/// Most transactions of one page (docs.telr.com, Get payout transaction details).
const LIMIT: usize = 5_000;
/// Most payouts whose transactions are gone through.
const MAX_PAYOUTS: usize = 200;

/// Where a walk stands: the payouts still to be read, and how far the first one is.
struct Place {
    payouts: Vec<ProviderRef>,
    offset: usize,
}

impl Place {
    fn of(asked: &ListSettlement) -> Option<Self> {
        match (&asked.page, &asked.settlement) {
            (Some(page), _) => Self::read(page),
            (None, Some(only)) => Some(Self { payouts: vec![only.clone()], offset: 0 }),
            (None, None) => None,
        }
    }

    fn read(page: &str) -> Option<Self> {
        let (payouts, offset) = page.split_once('@')?;
        let payouts: Option<Vec<ProviderRef>> =
            payouts.split('+').map(|id| ProviderRef::parse(id).ok()).collect();
        let payouts = payouts.filter(|it| it.len() <= MAX_PAYOUTS)?;
        Some(Self { payouts, offset: offset.parse().ok()? })
    }

    fn write(&self) -> Option<String> {
        let ids: Vec<&str> = self.payouts.iter().map(ProviderRef::as_str).collect();
        (!ids.is_empty()).then(|| format!("{}@{}", ids.join("+"), self.offset))
    }
}

/// Asks for the payouts of the time, or for the transactions of one.
pub(super) fn request(access: &Settings, it: &ListSettlement) -> Result<HttpRequest, BuildError> {
    let account = access.service.as_ref().and_then(|it| Some((it, it.account.as_deref()?)));
    let without = "a list of settlements: the connection names no account";
    let (service, account) = account.map_or_else(|| unsupported(without), Ok)?;
    let payouts = format!("/api/v1/accounts/{account}/payouts");
    if it.page.is_none() && it.settlement.is_none() {
        let last = it.to.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(it.to);
        let query = format!("from_date={}&to_date={}", day(it.from), day(last));
        return Ok(get(service, payouts, Some(query)));
    }
    let problem = "it is no page of ours";
    let place = Place::of(it).ok_or(BuildError::Field { field: "page", problem })?;
    let id = place.payouts.first().ok_or(BuildError::Field { field: "page", problem })?;
    let query = format!("offset={}&limit={LIMIT}", place.offset);
    Ok(get(service, format!("{payouts}/{id}/transactions"), Some(query)))
}

/// The day in the Gulf.
fn day(time: Timestamp) -> String {
    let there = time.checked_add_signed(TimeDelta::hours(GULF_HOURS)).unwrap_or(time);
    there.format("%Y-%m-%d").to_string()
}

/// Reads a page.
pub(super) fn parse(asked: &ListSettlement, text: &str) -> Result<SettlementPage, String> {
    let body: Value = serde_json::from_str(text).map_err(|_| "it is no JSON")?;
    let items = list(&body).ok_or("it holds no list")?;
    match Place::of(asked) {
        Some(place) => transactions(place, items),
        None => payouts(items),
    }
}

fn list(body: &Value) -> Option<&Vec<Value>> {
    const NAMES: &[&str] = &["payouts", "transactions", "data", "items", "content", "results"];
    body.as_array().or_else(|| NAMES.iter().find_map(|name| body.get(name)?.as_array()))
}

fn payouts(items: &[Value]) -> Result<SettlementPage, String> {
    let mut lines = Vec::new();
    let mut place = Place { payouts: Vec::new(), offset: 0 };
    for item in items {
        let fields = Fields::of(item).ok_or("a payout is no object")?;
        let id = fields.get(&["payout_id", "payoutId", "id", "ref"]).ok_or("a payout has no id")?;
        let id = ProviderRef::parse(id).map_err(|error| error.to_string())?;
        let currency = fields.text(&["currency", "payout_currency", "payoutCurrency"]);
        let amount = fields.get(&["amount", "payout_amount", "payoutAmount", "net"]);
        let amount = line::cell(&amount.ok_or("a payout has no amount")?, &currency)?;
        let fee = line::cell(&fields.text(&["payout_fee", "payoutFee", "fee"]), &currency)?;
        let date = fields.text(&["date", "payout_date", "payoutDate"]);
        lines.push(line::payout(&id, amount, fee, &date).ok_or("a payout is too large")?);
        place.payouts.push(id);
    }
    if place.payouts.len() > MAX_PAYOUTS {
        return Err("it lists more than 200 payouts: ask for a shorter time".to_owned());
    }
    Ok(SettlementPage { lines, next: place.write(), complete_until: None })
}

fn transactions(mut place: Place, items: &[Value]) -> Result<SettlementPage, String> {
    let current = place.payouts.first().cloned().ok_or("no payout was asked about")?;
    let mut lines = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let fields = Fields::of(item).ok_or("a transaction is no object")?;
        lines.push(transaction(&fields, &current, place.offset.saturating_add(at))?);
    }
    if items.len() >= LIMIT {
        place.offset = place.offset.saturating_add(items.len());
    } else {
        place.payouts.remove(0);
        place.offset = 0;
    }
    Ok(SettlementPage { lines, next: place.write(), complete_until: None })
}

fn transaction(
    fields: &Fields<'_>,
    payout: &ProviderRef,
    row: usize,
) -> Result<SettlementLine, String> {
    let reference = fields.text(&["tran_ref", "transactionRef", "ref", "reference", "id"]);
    let word = fields.text(&["tran_type", "transactionType", "type"]);
    let cart = fields.text(&["tran_cartid", "cartId", "cartid", "cart_id"]);
    let currency = fields.text(&["settlement_currency", "settlementCurrency", "currency"]);
    let gross = fields.get(&["settlement_amount", "settlementAmount", "gross", "amount"]);
    let gross = gross.ok_or("a transaction has no amount")?;
    let (mdr, fee) = (fields.text(&["mdr"]), fields.text(&["fees", "fee"]));
    let tax = fields.text(&["tax", "vat"]);
    let net = fields.text(&["net", "net_amount", "netAmount"]);
    let date = fields.text(&["date", "tran_date", "transactionDate"]);
    let told = Told {
        reference: &reference,
        word: &word,
        cart: &cart,
        currency: &currency,
        gross: &gross,
        fees: vec![&mdr, &fee],
        tax: &tax,
        net: &net,
        original: None,
        date: &date,
    };
    line::line(&told, Some(payout), row)
}

/// An object's plain fields; names compare without case.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn of(item: &'a Value) -> Option<Self> {
        item.as_object().map(Self)
    }

    /// The first of the names that is there and says something.
    fn get(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let (_, value) = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            match value {
                Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        })
    }

    fn text(&self, names: &[&str]) -> String {
        self.get(names).unwrap_or_default()
    }
}
