//! Disputes, settlements, and the rows behind a settlement.

use chrono::Datelike;
use serde_json::{Value, json};

use super::error::Error;
use super::params::{Fields, Paging, notes};
use super::view;
use crate::bank::book::{Row, RowKind};
use crate::bank::dispute;
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::work::{Refusal, Work};

const RECON_MAX: usize = 1000;

/// `GET /v1/disputes`, newest first.
pub fn disputes(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    let state = &*work.state;
    let disputes = state.disputes.newest_first();
    Ok(paging.page(disputes.map(|it| (it.created, view::dispute(state, it)))))
}

/// `GET /v1/disputes/{id}`.
pub fn dispute(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    let dispute = work.state.disputes.get(id).ok_or_else(Error::missing)?;
    Ok(view::dispute(work.state, dispute))
}

/// `POST /v1/disputes/{id}/accept`: the shop gives in, so it is lost.
pub fn accept(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    match dispute::lose(work, id) {
        Ok(dispute) => Ok(view::dispute(work.state, &dispute)),
        Err(Refusal::Missing) => Err(Error::missing()),
        Err(_) => Err(Error::state("Action not allowed. Dispute is in a closed state.")),
    }
}

/// `PATCH /v1/disputes/{id}/contest`: a draft keeps the evidence, a submission sends it.
pub fn contest(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let mut found = work.state.disputes.get(id).cloned().ok_or_else(Error::missing)?;
    if found.state.is_closed() {
        return Err(Error::state("Action not allowed. Dispute is in a closed state."));
    }
    let submits = match fields.text("action") {
        None | Some("draft") => false,
        Some("submit") => true,
        Some(_) => return Err(Error::field("action", "The selected action is invalid.")),
    };
    let mut evidence = request.json().unwrap_or_default();
    if let Some(evidence) = evidence.as_object_mut() {
        evidence.remove("action");
        let at = if submits { Value::from(work.now.timestamp()) } else { Value::Null };
        evidence.insert("submitted_at".to_owned(), at);
    }
    found.wire = evidence;
    work.put(found);
    if submits {
        dispute::review(work, id)
            .map_err(|_| Error::state("Action not allowed. Dispute is under review."))?;
    }
    dispute(work, id)
}

/// `GET /v1/settlements`, newest first.
pub fn settlements(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    let settlements = work.state.settlements.newest_first();
    Ok(paging.page(settlements.map(|it| (it.created, view::settlement(it)))))
}

/// `GET /v1/settlements/{id}`.
pub fn settlement(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    work.state.settlements.get(id).map(view::settlement).ok_or_else(Error::missing)
}

/// `GET /v1/settlements/recon/combined?year=&month=[&day=]`: the rows settled in that time.
pub fn recon(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let number = |name: &str, most: u32| {
        let text = request.query_value(name);
        let given = text.map(|text| text.parse::<u32>().ok().filter(|n| (1..=most).contains(n)));
        let refusal = format!("The {name} is not a valid {name}.");
        match given {
            Some(None) => Err(Error::field(name, &refusal)),
            Some(Some(number)) => Ok(Some(number)),
            None => Ok(None),
        }
    };
    let required = |name: &str| Error::field(name, &format!("The {name} field is required."));
    let year = number("year", 9_999)?.ok_or_else(|| required("year"))?;
    let month = number("month", 12)?.ok_or_else(|| required("month"))?;
    let day = number("day", 31)?;
    let paging = Paging::read(request, RECON_MAX)?;
    let state = &*work.state;
    let settled = state.settlements.oldest_first().filter(|settlement| {
        let made = settlement.created;
        u32::try_from(made.year()) == Ok(year)
            && made.month() == month
            && day.is_none_or(|day| made.day() == day)
    });
    let rows = settled.flat_map(|settlement| {
        let rows = settlement.rows.iter().filter_map(|id| state.rows.get(id));
        rows.map(|row| {
            let mut entity = recon_row(state, row);
            entity["settlement_id"] = settlement.id.as_str().into();
            entity["settlement_utr"] = settlement.bank_reference.as_str().into();
            entity["settled_at"] = settlement.created.timestamp().into();
            (settlement.created, entity)
        })
    });
    Ok(paging.page(rows))
}

/// One row. The fee includes the tax; what is neither payment, refund nor transfer is an
/// adjustment.
fn recon_row(state: &State, row: &Row) -> Value {
    let (kind, entity) = match row.kind {
        RowKind::Charge => ("payment", row.payment.as_deref().unwrap_or(&row.source)),
        RowKind::Refund => ("refund", row.source.as_str()),
        RowKind::Transfer => ("transfer", row.source.as_str()),
        _ => ("adjustment", row.id.as_str()),
    };
    let entity =
        if kind == "adjustment" { entity.replacen("txn_", "adj_", 1) } else { entity.into() };
    let net = row.net();
    let payment = row.payment.as_deref().and_then(|id| state.payments.get(id));
    let order = payment.and_then(|payment| state.orders.get(&payment.order));
    let is_paid_by_card = payment.is_some_and(|it| it.instrument.kind == "card");
    let names_payment = kind != "payment" && kind != "adjustment";
    let dispute = state.disputes.get(&row.source).map(|dispute| dispute.id.as_str());
    let mut entity = json!({
        "entity_id": entity,
        "type": kind,
        "debit": (-net).max(0),
        "credit": net.max(0),
        "amount": row.gross.abs(),
        "currency": row.currency.code(),
        "fee": row.fee + row.tax,
        "tax": row.tax,
        "on_hold": false,
        "settled": true,
        "created_at": row.created.timestamp(),
        "posted_at": null,
        "description": null,
        "notes": state.refunds.get(&row.source).map_or(json!([]), |it| notes(&it.metadata)),
        "payment_id": payment.filter(|_| names_payment).map(|payment| payment.id.as_str()),
        "order_id": order.map(|order| order.id.as_str()),
        "order_receipt": order.map(|order| order.wire["receipt"].clone()),
        "method": payment.map(|payment| payment.instrument.kind.as_str()),
        "card_network": payment.filter(|_| is_paid_by_card).map(|it| it.instrument.brand.as_str()),
        "card_issuer": null,
        "card_type": is_paid_by_card.then_some("credit"),
        "dispute_id": dispute,
    });
    if kind != "adjustment" {
        entity["credit_type"] = "default".into();
    }
    entity
}
