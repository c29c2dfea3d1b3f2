//! Route: transfers to linked accounts, with an order, from a payment or from the balance.

use mizan_money::Currency;
use serde_json::{Value, json};

use super::error::Error;
use super::params::{Fields, Paging, all};
use super::view;
use crate::bank::cash::{Transfer, TransferState};
use crate::bank::record::{Document, Metadata};
use crate::bank::request::Request;
use crate::bank::transfer::{self, NewTransfer};
use crate::bank::work::{Refusal, Work};

const AMOUNT_MIN: i64 = 100;
/// 0.25 % and 18 % tax on that, on top of the amount.
const FEE_BP: i64 = 25;
const TAX_PERCENT: i64 = 18;

fn fee(amount: i64) -> (i64, i64) {
    let fee = (amount * FEE_BP + 5_000) / 10_000;
    (fee, (fee * TAX_PERCENT + 50) / 100)
}

/// `POST /v2/accounts`: a vendor's linked account.
pub fn create_account(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    for name in ["email", "legal_business_name", "business_type"] {
        fields.required(name)?;
    }
    let mut body = request.json().unwrap_or_default();
    let id = work.new_id("acc_", 14);
    body["id"] = id.as_str().into();
    body["type"] = "route".into();
    body["status"] = "created".into();
    body["created_at"] = work.now.timestamp().into();
    let kind = "linked_account".to_owned();
    work.put(Document { id, kind, created: work.now, body: body.clone() });
    Ok(body)
}

/// `GET /v2/accounts/{id}`.
pub fn get_account(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    let found = work.state.documents.get(id).filter(|it| it.kind == "linked_account");
    found.map(|account| account.body.clone()).ok_or_else(Error::missing)
}

/// One transfer as it is asked for.
struct Asked {
    account: String,
    amount: i64,
    metadata: Metadata,
    wire: Value,
}

fn read(item: &Value) -> Result<Asked, Error> {
    let fields = Fields::of(item);
    let amount = fields.required_amount("amount")?;
    if amount < AMOUNT_MIN {
        return Err(Error::field("amount", "The amount must be at least INR 1.00"));
    }
    if fields.currency()? != Currency::INR {
        return Err(Error::field("currency", "The selected currency is invalid."));
    }
    let or = |name: &str, default: Value| fields.value(name).cloned().unwrap_or(default);
    Ok(Asked {
        account: fields.required("account")?.to_owned(),
        amount,
        metadata: fields.notes()?,
        wire: json!({
            "linked_account_notes": or("linked_account_notes", json!([])),
            "on_hold": fields.is_on("on_hold"),
            "on_hold_until": or("on_hold_until", Value::Null),
        }),
    })
}

fn read_all(transfers: Option<&Value>) -> Result<Vec<Asked>, Error> {
    let items = transfers.and_then(Value::as_array).into_iter().flatten();
    items.map(read).collect()
}

fn make(work: &mut Work<'_>, asked: Asked, payment: Option<&str>) -> Result<Transfer, Refusal> {
    let new = NewTransfer {
        id: work.new_id("trf_", 14),
        payment: payment.map(str::to_owned),
        recipient: asked.account,
        amount: asked.amount,
        currency: Currency::INR,
        fee: fee(asked.amount),
        metadata: asked.metadata,
        wire: asked.wire,
    };
    transfer::create(work, new)
}

/// Checks the transfers of an order: INR only, and no more than the order.
pub fn check_order(amount: i64, currency: &str, transfers: Option<&Value>) -> Result<(), Error> {
    let asked = read_all(transfers)?;
    if !asked.is_empty() && currency != "INR" {
        return Err(Error::field("transfers", "Transfers are made in INR only."));
    }
    if asked.iter().map(|transfer| transfer.amount).sum::<i64>() > amount {
        let text = "The sum of amount requested for transfer is greater than the order amount";
        return Err(Error::field("transfers", text));
    }
    Ok(())
}

/// Makes the transfers of an order as soon as it is paid.
pub fn of_paid_order(work: &mut Work<'_>, order: &str) {
    let transfers = work.state.orders.get(order).map(|order| order.wire["transfers"].clone());
    let Some(payment) = work.state.payment(order).map(|payment| payment.id.clone()) else { return };
    for asked in read_all(transfers.as_ref()).unwrap_or_default() {
        if let Err(refusal) = make(work, asked, Some(&payment)) {
            tracing::warn!(%refusal, order, "a transfer of an order was not made");
        }
    }
}

/// `POST /v1/payments/{id}/transfers`: all of them or none.
pub fn create_of(work: &mut Work<'_>, request: &Request, payment: &str) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let asked = read_all(fields.value("transfers"))?;
    if asked.is_empty() {
        return Err(Error::field("transfers", "The transfers field is required."));
    }
    let found = work.state.payments.get(payment).ok_or_else(Error::missing)?;
    if found.captured == 0 {
        return Err(Error::state("The payment status should be captured for action to be taken"));
    }
    let sum: i64 = asked.iter().map(|transfer| transfer.amount).sum();
    if found.currency != Currency::INR || sum > transfer::transferable(work, payment) {
        let text = "The sum of amount requested for transfer is greater than the captured amount";
        return Err(Error::field("amount", text));
    }
    let mut made = Vec::new();
    for asked in asked {
        let transfer = make(work, asked, Some(payment));
        let transfer = transfer.map_err(|refusal| Error::state(&refusal.to_string()))?;
        made.push(view::transfer(&transfer));
    }
    Ok(all(made.into_iter()))
}

/// `POST /v1/transfers`: from the balance.
pub fn create(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let asked = read(&request.json().unwrap_or_default())?;
    match make(work, asked, None) {
        Ok(transfer) => Ok(view::transfer(&transfer)),
        Err(_) => {
            let text = "Your account does not have enough balance to carry out the transfer \
                        operation.";
            Err(Error::state(text))
        }
    }
}

/// `GET /v1/transfers/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    work.state.transfers.get(id).map(view::transfer).ok_or_else(Error::missing)
}

/// `GET /v1/transfers`, newest first.
pub fn list(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    let transfers = work.state.transfers.newest_first();
    Ok(paging.page(transfers.map(|it| (it.created, view::transfer(it)))))
}

/// `PATCH /v1/transfers/{id}`: hold or release the vendor's settlement of it.
pub fn modify(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let mut transfer = work.state.transfers.get(id).cloned().ok_or_else(Error::missing)?;
    transfer.wire["on_hold"] = fields.is_on("on_hold").into();
    transfer.wire["on_hold_until"] = fields.value("on_hold_until").cloned().unwrap_or_default();
    work.put(transfer.clone());
    Ok(view::transfer(&transfer))
}

/// `POST /v1/transfers/{id}/reversals`.
pub fn reverse(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let amount = fields.amount("amount")?;
    let notes = fields.notes()?;
    let new_id = work.new_id("rvrsl_", 14);
    match transfer::reverse(work, id, new_id, amount) {
        Ok(reversal) => Ok(view::reversal(&reversal, &notes)),
        Err(Refusal::Missing) => Err(Error::missing()),
        Err(_) => {
            let text = "The reversal amount is greater than the amount that can be reversed";
            Err(Error::field("amount", text))
        }
    }
}

/// `GET /v1/transfers/{id}/reversals`.
pub fn reversals(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    work.state.transfers.get(id).ok_or_else(Error::missing)?;
    let reversals = work.state.reversals.oldest_first().filter(|it| it.transfer == id);
    Ok(all(reversals.map(|reversal| view::reversal(reversal, &Metadata::new()))))
}

/// Takes the transfers of a payment back with its refund: all of them for a full refund, a part
/// when there is exactly one.
pub fn reverse_all(work: &mut Work<'_>, payment: &str, amount: Option<i64>) -> Result<(), Error> {
    let standing = work.state.transfers_of(payment);
    let standing = standing.filter(|it| it.state == TransferState::Paid);
    let ids: Vec<_> = standing.map(|transfer| (transfer.id.clone(), transfer.amount)).collect();
    if amount.is_some() && ids.len() != 1 {
        let text = "reverse_all needs a full refund unless there is exactly one transfer";
        return Err(Error::field("reverse_all", text));
    }
    for (id, transferred) in ids {
        let new_id = work.new_id("rvrsl_", 14);
        let part = amount.map(|amount| amount.min(transferred));
        transfer::reverse(work, &id, new_id, part)
            .map_err(|refusal| Error::state(&refusal.to_string()))?;
    }
    Ok(())
}
