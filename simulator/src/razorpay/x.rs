//! RazorpayX: contacts, fund accounts, payouts and the bank book. INR only.

use serde_json::{Value, json};

use super::error::Error;
use super::params::{Fields, Paging, notes};
use super::view;
use crate::bank::book::{Book, Row};
use crate::bank::cash::PayoutState;
use crate::bank::payout::{self, NewPayout, Shortage};
use crate::bank::record::Document;
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::work::Work;

const AMOUNT_MIN: i64 = 100;
const MODES: [&str; 5] = ["IMPS", "NEFT", "RTGS", "UPI", "card"];
const NARRATION_MAX: usize = 30;
const REFERENCE_MAX: usize = 40;
/// 5.00 and 18 % tax for a payout, on top of the amount.
const FEE: (i64, i64) = (500, 90);

fn keep(work: &mut Work<'_>, kind: &str, body: Value) -> Value {
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    let created = work.now;
    work.put(Document { id, kind: kind.to_owned(), created, body: body.clone() });
    body
}

fn document(state: &State, kind: &str, id: &str) -> Result<Value, Error> {
    let found = state.documents.get(id).filter(|document| document.kind == kind);
    found.map(|document| document.body.clone()).ok_or_else(Error::missing)
}

/// `POST /v1/contacts`.
pub fn create_contact(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let name = fields.required("name")?.to_owned();
    let metadata = fields.notes()?;
    let body = json!({
        "id": work.new_id("cont_", 14), "entity": "contact", "name": name,
        "contact": fields.text("contact"), "email": fields.text("email"),
        "type": fields.text("type"), "reference_id": fields.text("reference_id"),
        "batch_id": null, "active": true, "notes": notes(&metadata),
        "created_at": work.now.timestamp(),
    });
    Ok(keep(work, "contact", body))
}

/// `GET /v1/contacts/{id}`.
pub fn get_contact(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    document(work.state, "contact", id)
}

/// `POST /v1/fund_accounts`.
pub fn create_fund_account(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let contact = fields.required("contact_id")?;
    document(work.state, "contact", contact)?;
    let kind = fields.required("account_type")?;
    if !matches!(kind, "bank_account" | "vpa" | "card" | "wallet") {
        return Err(Error::field("account_type", "The selected account type is invalid."));
    }
    let details = fields.value(kind).cloned();
    let required = || Error::field(kind, "The account's details are required.");
    let mut details = details.ok_or_else(required)?;
    let inner = Fields::of(&details);
    match kind {
        "bank_account" => {
            for name in ["name", "ifsc", "account_number"] {
                inner.required(name)?;
            }
            details["bank_name"] = "HDFC Bank".into();
            details["notes"] = json!([]);
        }
        "vpa" => {
            inner.required("address")?;
        }
        _ => {}
    }
    let mut body = json!({
        "id": work.new_id("fa_", 14), "entity": "fund_account", "contact_id": contact,
        "account_type": kind, "active": true, "batch_id": null,
        "created_at": work.now.timestamp(),
    });
    body[kind] = details;
    Ok(keep(work, "fund_account", body))
}

/// `GET /v1/fund_accounts/{id}`.
pub fn get_fund_account(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    document(work.state, "fund_account", id)
}

/// `POST /v1/payouts`.
pub fn create_payout(
    work: &mut Work<'_>,
    request: &Request,
    account_number: &str,
) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let account = fields.required("account_number")?;
    if account != account_number {
        return Err(Error::field("account_number", "The account number is invalid."));
    }
    let destination = fields.required("fund_account_id")?.to_owned();
    document(work.state, "fund_account", &destination)?;
    let amount = fields.required_amount("amount")?;
    if amount < AMOUNT_MIN {
        return Err(Error::field("amount", "The amount must be at least INR 1.00"));
    }
    let currency = fields.currency()?;
    if currency.code() != "INR" {
        return Err(Error::field("currency", "The selected currency is invalid."));
    }
    let mode = fields.required("mode")?;
    if !MODES.contains(&mode) {
        return Err(Error::field("mode", "Payout mode is invalid"));
    }
    let purpose = fields.required("purpose")?;
    let narration = fields.text("narration");
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
    if narration.is_some_and(|text| text.len() > NARRATION_MAX || !plain(text)) {
        return Err(Error::field("narration", "The narration format is invalid."));
    }
    let reference = fields.text("reference_id");
    if reference.is_some_and(|text| text.len() > REFERENCE_MAX) {
        return Err(Error::field("reference_id", "The reference id is too long."));
    }
    let queues = fields.is_on("queue_if_low_balance");
    let wire = json!({
        "mode": mode, "purpose": purpose, "narration": narration, "reference_id": reference,
        "account_number": account,
    });
    let new = NewPayout {
        id: work.new_id("pout_", 14),
        reference: reference.unwrap_or_default().to_owned(),
        amount,
        currency,
        fee: FEE,
        destination,
        metadata: fields.notes()?,
        shortage: if queues { Shortage::Queues } else { Shortage::Refuses },
        wire,
    };
    match payout::create(work, new) {
        Ok(payout) => Ok(view::payout(&payout)),
        Err(_) => Err(Error::state(
            "Your account does not have enough balance to carry out the \
                                    payout operation.",
        )),
    }
}

/// `GET /v1/payouts/{id}`.
pub fn get_payout(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    work.state.payouts.get(id).map(view::payout).ok_or_else(Error::missing)
}

/// `GET /v1/payouts?account_number=&reference_id=&fund_account_id=`, newest first.
pub fn payouts(
    work: &mut Work<'_>,
    request: &Request,
    account_number: &str,
) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    check_account(request, account_number)?;
    let (reference, to) =
        (request.query_value("reference_id"), request.query_value("fund_account_id"));
    let payouts = work.state.payouts.newest_first();
    let fitting = payouts.filter(|payout| {
        reference.as_ref().is_none_or(|reference| payout.reference == *reference)
            && to.as_ref().is_none_or(|to| payout.destination == *to)
    });
    Ok(paging.page(fitting.map(|payout| (payout.created, view::payout(payout)))))
}

fn check_account(request: &Request, account_number: &str) -> Result<(), Error> {
    match request.query_value("account_number") {
        Some(account) if account == account_number => Ok(()),
        Some(_) => Err(Error::field("account_number", "The account number is invalid.")),
        None => Err(Error::field("account_number", "The account number field is required.")),
    }
}

/// `POST /v1/payouts/{id}/cancel`: only while it is queued.
pub fn cancel_payout(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    work.state.payouts.get(id).ok_or_else(Error::missing)?;
    match payout::turn(work, id, PayoutState::Cancelled, None) {
        Ok(payout) => Ok(view::payout(&payout)),
        Err(_) => Err(Error::state("Only queued payouts can be cancelled")),
    }
}

/// A line of the bank book. Its amount is what moved, fees and tax included.
pub fn transaction(state: &State, row: &Row) -> Value {
    let net = row.net();
    let before = state.rows.oldest_first().take_while(|other| other.id != row.id);
    let before = before.filter(|other| other.book == Book::Payouts);
    let balance = before.map(Row::net).sum::<i64>() + net;
    let source = state.payouts.get(&row.source).map(|payout| {
        let mut source = view::payout(payout);
        if net > 0 {
            source["entity"] = "reversal".into();
        }
        source
    });
    let account = state.payouts.get(&row.source).map(|it| it.wire["account_number"].clone());
    json!({
        "id": row.id,
        "entity": "transaction",
        "account_number": account,
        "amount": net.abs(),
        "currency": row.currency.code(),
        "credit": net.max(0),
        "debit": (-net).max(0),
        "balance": balance,
        "source": source,
        "created_at": row.created.timestamp(),
    })
}

/// `GET /v1/transactions?account_number=`, newest first.
pub fn transactions(
    work: &mut Work<'_>,
    request: &Request,
    account_number: &str,
) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    check_account(request, account_number)?;
    let state = &*work.state;
    let rows = state.rows.newest_first().filter(|row| row.book == Book::Payouts);
    Ok(paging.page(rows.map(|row| {
        let mut transaction = transaction(state, row);
        transaction["account_number"] = account_number.into();
        (row.created, transaction)
    })))
}
