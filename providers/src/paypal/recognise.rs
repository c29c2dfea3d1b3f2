//! Recorded exchanges: which operation of ours one belongs to, for checking recordings.
//!
//! The path of the request tells, else the shape of the answer. Amounts and references come from
//! the request, else from the answer, which then cannot contradict itself; what neither says is
//! made up.

use std::collections::BTreeMap;

use mizan_money::id::{OperationId, PaymentIntentId, PayoutId, RefundId};
use mizan_money::{Currency, Money, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dispute::{AcceptDispute, ContestDispute, ListDisputes, SyncDispute};
use crate::instrument::SyncInstrument;
use crate::instrument::{KeepInstrument, RemoveInstrument, SaveInstrument, SavedInstrument};
use crate::model::{CaptureMethod, Confirmation, Finality, ProviderRef, RefundReason, VoidReason};
use crate::operation::{
    CapturePayment, ConfirmPayment, CreatePayment, Operation, RefundPayment, SyncPayment,
    SyncRefund, VoidPayment,
};
use crate::payout::{CancelPayout, CreatePayout, PayoutDestination, SyncPayout};
use crate::paypal::facts::{self, named};
use crate::paypal::{order, wire};
use crate::provider::Recorded;
use crate::settlement::ListSettlement;

/// The operation of an exchange; none where it belongs to none of ours.
pub(super) fn operation(it: &Recorded) -> Option<Operation> {
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let path = it.request.as_ref().map(|request| request.path.as_str());
    let body = it.request.as_ref().map(|request| json(request.body.as_bytes()));
    let seen = Seen {
        asked: body.unwrap_or(Value::Null),
        told: json(&it.answer.body),
        status: it.answer.status,
        wanted: it.wanted,
    };
    let path = path.map(ToOwned::to_owned).or_else(|| seen.path(&it.kind))?;
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["v2", "checkout", "orders", rest @ ..] => seen.checkout(rest, &it.kind),
        ["v2", "payments", rest @ ..] => seen.payments(rest),
        ["v1", "payments", rest @ ..] => seen.payouts(rest),
        ["v1", "customer", "disputes", rest @ ..] => disputes(rest),
        ["v1", "reporting", "transactions"] => Some(settlement(query)),
        ["v3", "vault", rest @ ..] => vault(rest, &seen.asked),
        _ => None,
    }
}

/// What was recorded.
struct Seen {
    asked: Value,
    told: Value,
    status: u16,
    wanted: Option<Money>,
}

impl Seen {
    /// Where a request whose recording is lost must have gone.
    fn path(&self, kind: &str) -> Option<String> {
        let id = |field: &str| self.told.get(field).and_then(Value::as_str);
        let own: Vec<wire::Link> = self.told.get("links").and_then(read).unwrap_or_default();
        let own = wire::link(&own, "self").unwrap_or_default();
        let path = if self.status >= 400 {
            self.refused(kind)?.to_owned()
        } else if let Some(batch) = self.told.pointer("/batch_header/payout_batch_id") {
            let asked = self.told.get("items").is_some() || kind.contains("query");
            let batch = batch.as_str().filter(|_| asked).unwrap_or_default();
            format!("/v1/payments/payouts/{batch}")
        } else if let Some(item) = id("payout_item_id") {
            format!("/v1/payments/payouts-item/{item}")
        } else if let Some(dispute) = id("dispute_id") {
            format!("/v1/customer/disputes/{dispute}")
        } else if self.told.pointer("/items/0/dispute_id").is_some() {
            "/v1/customer/disputes".to_owned()
        } else if self.told.get("transaction_details").is_some() {
            "/v1/reporting/transactions".to_owned()
        } else if own.contains("/setup-tokens/") {
            "/v3/vault/setup-tokens".to_owned()
        } else if own.contains("/payment-tokens/") {
            "/v3/vault/payment-tokens".to_owned()
        } else if self.told.get("purchase_units").is_some() || own.contains("/checkout/orders/") {
            self.order_path(kind, id("id")?)
        } else if own.contains("/refunds/") || self.told.get("seller_payable_breakdown").is_some() {
            match kind {
                "refund" => format!("/v2/payments/captures/{}/refund", self.parent()?),
                _ => format!("/v2/payments/refunds/{}", id("id")?),
            }
        } else if own.contains("/captures/") {
            format!("/v2/payments/captures/{}", id("id")?)
        } else if kind == "void" {
            "/v2/payments/authorizations/HELD/void".to_owned()
        } else {
            return None;
        };
        Some(path)
    }

    fn order_path(&self, kind: &str, order: &str) -> String {
        match kind {
            _ if kind.starts_with("create") => "/v2/checkout/orders".to_owned(),
            "capture" | "confirm" => format!("/v2/checkout/orders/{order}/capture"),
            "authorise" | "authorize" => format!("/v2/checkout/orders/{order}/authorize"),
            _ => format!("/v2/checkout/orders/{order}"),
        }
    }

    /// Where a refused request went, by what was found wrong with it.
    fn refused(&self, kind: &str) -> Option<&'static str> {
        let issues = self.told.get("details").map(ToString::to_string).unwrap_or_default();
        let has = |part: &str| issues.contains(part) || kind.contains(part);
        Some(if has("REFUND") || has("refund") {
            "/v2/payments/captures/TAKEN/refund"
        } else if has("VOIDED") || has("void") {
            "/v2/payments/authorizations/HELD/void"
        } else if has("AUTHORIZATION") || has("MAX_CAPTURE") {
            "/v2/payments/authorizations/HELD/capture"
        } else if has("query") || self.status == 404 {
            "/v2/checkout/orders/ORDER"
        } else if has("ORDER") || has("INSTRUMENT") || has("PAYER") || has("TRANSACTION") {
            "/v2/checkout/orders/ORDER/capture"
        } else if self.told.get("name").or(self.told.get("error")).is_some() {
            "/v2/checkout/orders"
        } else {
            return None;
        })
    }

    fn checkout(&self, rest: &[&str], kind: &str) -> Option<Operation> {
        let payment = self.payment()?;
        let amount = self.amount()?;
        let intent = self.asked.get("intent").or(self.told.get("intent")).and_then(Value::as_str);
        let held = self.told.pointer("/purchase_units/0/payments/authorizations").is_some();
        let capture = match (intent, rest) {
            (_, [_, "authorize"]) | (Some("AUTHORIZE"), _) => CaptureMethod::Manual,
            (None, [..]) if held => CaptureMethod::Manual,
            _ => CaptureMethod::Automatic,
        };
        Some(match rest {
            [order] if !kind.starts_with("create") => Operation::Sync(SyncPayment {
                payment,
                provider_ref: id(order)?,
                charge_ref: None,
                amount,
            }),
            [] | [_] => Operation::Create(CreatePayment {
                payment,
                operation: attempt(None)?,
                amount,
                capture,
                payment_method: None,
                confirmation: Confirmation::Now,
                return_url: None,
                description: None,
                metadata: BTreeMap::new(),
                instrument: None,
                keep: None,
            }),
            [order, "capture" | "authorize"] => Operation::Confirm(ConfirmPayment {
                payment,
                operation: attempt(None)?,
                provider_ref: id(order)?,
                amount,
                capture,
                payment_method: None,
                return_url: None,
            }),
            _ => return None,
        })
    }

    fn payments(&self, rest: &[&str]) -> Option<Operation> {
        let (payment, operation) = (self.payment()?, attempt(None)?);
        let order = read::<wire::Transaction>(&self.told).and_then(|it| facts::order_of(&it));
        let (told, asked) = (amount_in(&self.told), amount_in(&self.asked));
        let amount = asked.or(self.wanted).or(told).or_else(some_money)?;
        Some(match rest {
            ["authorizations", hold, "capture"] | ["captures", hold] => {
                let by_hold = rest.len() == 3;
                Operation::Capture(CapturePayment {
                    payment,
                    operation,
                    provider_ref: order.or_else(|| id(hold))?,
                    charge_ref: if by_hold { Some(id(hold)?) } else { None },
                    authorised: self.wanted.unwrap_or(amount),
                    captured_before: Money::zero(amount.currency()),
                    amount,
                    finality: Finality::Final,
                })
            }
            ["authorizations", hold, "void"] => Operation::Void(VoidPayment {
                payment,
                operation,
                provider_ref: order.or_else(|| id(hold))?,
                charge_ref: Some(id(hold)?).filter(|it| it.as_str() != "HELD"),
                amount: self.wanted.or(told).or_else(some_money)?,
                reason: VoidReason::RequestedByCustomer,
            }),
            ["captures", capture, "refund"] => Operation::Refund(RefundPayment {
                payment: self.refunded_payment()?,
                refund: self.refund()?,
                operation,
                provider_ref: order.or_else(|| id(capture))?,
                charge_ref: Some(id(capture)?),
                amount,
                reason: RefundReason::Other,
                known_refunds: Vec::new(),
            }),
            ["refunds", refund] => Operation::SyncRefund(SyncRefund {
                refund: self.refund()?,
                provider_ref: id(refund)?,
                payment_ref: order.or_else(|| id(refund))?,
                charge_ref: self.parent().and_then(|text| id(&text)),
                amount: self.wanted.or(told).or_else(some_money)?,
            }),
            _ => return None,
        })
    }

    fn payouts(&self, rest: &[&str]) -> Option<Operation> {
        let text =
            |at: &str| self.told.pointer(at).or(self.asked.pointer(at)).and_then(Value::as_str);
        let item = text("/payout_item/sender_item_id")
            .or_else(|| text("/items/0/payout_item/sender_item_id"));
        let batch = text("/batch_header/sender_batch_header/sender_batch_id")
            .or_else(|| text("/sender_batch_header/sender_batch_id"));
        let reference = item.or(batch);
        let payout = named(PayoutId::PREFIX, reference.unwrap_or_default())?;
        let amount = self.wanted.or(amount_in(&self.asked)).or(amount_in(&self.told));
        let amount = amount.or_else(some_money)?;
        let destination = PayoutDestination::Email("vendor@example.com".to_owned());
        let sync = |provider_ref| SyncPayout {
            payout,
            provider_ref,
            amount,
            destination: destination.clone(),
        };
        Some(match rest {
            ["payouts"] => Operation::Payout(CreatePayout {
                payout,
                operation: attempt(reference)?,
                amount,
                destination,
                description: None,
            }),
            ["payouts", batch] => Operation::SyncPayout(sync(id(&format!("batch:{batch}"))?)),
            ["payouts-item", item] => Operation::SyncPayout(sync(id(item)?)),
            ["payouts-item", item, "cancel"] => Operation::CancelPayout(CancelPayout {
                payout,
                provider_ref: id(item)?,
                amount,
                destination,
            }),
            _ => return None,
        })
    }

    /// What was wanted; else asked for; else told.
    fn amount(&self) -> Option<Money> {
        let told = || {
            let read = read::<wire::Order>(&self.told)?;
            order::order(&read, None).ok().map(|it| it.facts.amount)
        };
        let asked = self.wanted.or_else(|| amount_in(&self.asked));
        asked.or_else(told).or_else(|| amount_in(&self.told)).or_else(some_money)
    }

    /// The payment: by the reference that was sent, else by the one that came back.
    fn payment(&self) -> Option<PaymentIntentId> {
        let text = |of: &Value, field: &str| {
            let unit = of.pointer(&format!("/purchase_units/0/{field}"));
            unit.or(of.get(field)).and_then(Value::as_str).map(ToOwned::to_owned)
        };
        let order = read::<wire::Order>(&self.told);
        let order = order.and_then(|it| order::order(&it, Some(some_money()?)).ok());
        let text = text(&self.asked, "custom_id")
            .or_else(|| order.and_then(|told| told.ours))
            .or_else(|| text(&self.told, "custom_id"))
            .or_else(|| text(&self.told, "invoice_id"))
            .or_else(|| text(&self.asked, "invoice_id"));
        text.map_or_else(made_up_payment, |text| named(PaymentIntentId::PREFIX, &text))
    }

    /// The refund, in the same way.
    fn refund(&self) -> Option<RefundId> {
        let text = |field: &str| self.asked.get(field).and_then(Value::as_str).map(str::to_owned);
        let told = read::<wire::Transaction>(&self.told);
        let told = told.and_then(|it| facts::refund(&it, some_money()).ok());
        let text = text("custom_id")
            .or_else(|| told.and_then(|told| told.ours))
            .or_else(|| text("invoice_id"))
            .unwrap_or_default();
        named(RefundId::PREFIX, &text)
    }

    /// The payment of a refund, which only counts where it comes back.
    fn refunded_payment(&self) -> Option<PaymentIntentId> {
        let text = |field: &str| self.told.get(field).and_then(Value::as_str);
        facts::payment_id(text("custom_id"), text("invoice_id")).or_else(made_up_payment)
    }

    /// What the answer belongs to.
    fn parent(&self) -> Option<String> {
        let links: Vec<wire::Link> = read(self.told.get("links")?)?;
        match wire::parent(&links)? {
            wire::Parent::Order(id)
            | wire::Parent::Authorization(id)
            | wire::Parent::Capture(id) => Some(id.to_owned()),
        }
    }
}

fn disputes(rest: &[&str]) -> Option<Operation> {
    Some(match rest {
        [] => Operation::ListDisputes(ListDisputes { since: Timestamp::UNIX_EPOCH, page: None }),
        [dispute] => Operation::SyncDispute(SyncDispute { provider_ref: id(dispute)? }),
        [dispute, "accept-claim"] => Operation::AcceptDispute(AcceptDispute {
            operation: attempt(None)?,
            provider_ref: id(dispute)?,
        }),
        [dispute, "provide-evidence"] => Operation::ContestDispute(ContestDispute {
            operation: attempt(None)?,
            provider_ref: id(dispute)?,
            evidence: BTreeMap::new(),
        }),
        _ => return None,
    })
}

fn settlement(query: &str) -> Operation {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let at = |name: &str| get(name).and_then(|text| wire::time(text));
    Operation::ListSettlement(ListSettlement {
        from: at("start_date").unwrap_or(Timestamp::UNIX_EPOCH),
        to: at("end_date").unwrap_or(Timestamp::UNIX_EPOCH),
        settlement: None,
        page: get("page").cloned(),
    })
}

fn vault(rest: &[&str], asked: &Value) -> Option<Operation> {
    let setup = asked.pointer("/payment_source/token/id").and_then(Value::as_str);
    Some(match rest {
        ["setup-tokens"] => Operation::SaveInstrument(SaveInstrument {
            operation: attempt(None)?,
            keep: KeepInstrument { customer: named("cus", "")?, customer_ref: None },
            currency: some_money()?.currency(),
            payment_method: None,
            return_url: None,
        }),
        ["payment-tokens"] => Operation::SyncInstrument(SyncInstrument {
            provider_ref: id(setup.unwrap_or("SETUP"))?,
        }),
        ["payment-tokens", token] => Operation::RemoveInstrument(RemoveInstrument {
            instrument: SavedInstrument { token: id(token)?, customer: None, first_charge: None },
        }),
        _ => return None,
    })
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn id(text: &str) -> Option<ProviderRef> {
    ProviderRef::parse(text).ok()
}

/// The operation that ends a reference of ours, else one made up.
fn attempt(reference: Option<&str>) -> Option<OperationId> {
    let tail = reference.and_then(|text| text.split_once('-')).map_or("1", |(_, tail)| tail);
    let padded = |tail: &str| format!("op_{tail:0>32}").parse().ok();
    padded(tail).or_else(|| padded("1"))
}

fn made_up_payment() -> Option<PaymentIntentId> {
    named(PaymentIntentId::PREFIX, "")
}

fn some_money() -> Option<Money> {
    Some(Money::new(10_000, Currency::parse("USD").ok()?))
}

/// The first amount that stands anywhere under a name of its own.
fn amount_in(value: &Value) -> Option<Money> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("amount").and_then(read::<wire::Amount>);
            let own = own.and_then(|it| facts::amount(&it).ok());
            own.or_else(|| fields.values().find_map(amount_in))
        }
        Value::Array(items) => items.iter().find_map(amount_in),
        _ => None,
    }
}
