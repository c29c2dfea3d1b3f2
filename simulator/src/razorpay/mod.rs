//! A stateful fake of Razorpay: the payment gateway with Route, and RazorpayX.
//!
//! Orders are paid on the hosted page, `/hosted/razorpay/{order id}?callback_url=..`, which stands
//! for checkout: back at the shop the browser posts `razorpay_payment_id`, `razorpay_order_id` and
//! `razorpay_signature`. Both products share one key pair, one webhook endpoint and one secret
//! here; at Razorpay they are separate accounts. Payments in other currencies are settled in INR
//! at a fixed rate.

mod error;
mod event;
mod order;
mod params;
mod party;
mod payment;
mod report;
mod transfer;
mod view;
mod x;

use mizan_money::Currency;
use serde_json::{Value, json};

use crate::bank::book::Book;
use crate::bank::cash::Withdrawal;
use crate::bank::order::{self as core, Choice, Outcome};
use crate::bank::record::{Metadata, Order, Payment};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::{
    Answer, Back, Call, Ending, Exchange, Happened, IdempotencyKey, Message, Page, Seal, Sealed,
    Trouble, Wire,
};
use crate::bank::work::{Refusal, Work};
use crate::config::{RazorpayKeys, SimulatorConfig};
use crate::fault::FaultPoint;
use crate::fault::odd::Fields;
use crate::secret::{hmac_sha256, same_secret};
use crate::webhook::{Delivery, Patience};

use error::Error;

/// The account's own id.
const ACCOUNT: &str = "acc_SimulatorAcct1";
/// What one major unit of another currency is worth, in paise.
const PAISE_PER_MAJOR: i64 = 2_300;
const DAY_S: i64 = 24 * 3600;

/// Razorpay's words.
pub struct Razorpay {
    keys: RazorpayKeys,
}

impl Razorpay {
    /// With the keys of the settings.
    pub fn new(config: &SimulatorConfig) -> Self {
        Self { keys: config.razorpay.clone() }
    }

    /// What proves to the shop that checkout gave it this payment: signed with the key secret.
    fn checkout_signature(&self, order: &str, payment: &str) -> String {
        let text = format!("{order}|{payment}");
        hex::encode(hmac_sha256(self.keys.key_secret.as_bytes(), text.as_bytes()))
    }

    fn run(&self, work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
        let account = self.keys.account_number.as_str();
        match (request.verb(), request.segments().as_slice()) {
            ("POST", ["v1", "orders"]) => order::create(work, request),
            ("GET", ["v1", "orders"]) => order::list(work, request),
            ("GET", ["v1", "orders", id]) => order::get(work, id),
            ("GET", ["v1", "orders", id, "payments"]) => order::payments(work, id),
            ("POST", ["v1", "payments", "create", "recurring"]) => {
                party::charge(work, request, |order, id| self.checkout_signature(order, id))
            }
            ("GET", ["v1", "payments"]) => payment::list(work, request),
            ("GET", ["v1", "payments", id]) => payment::get(work, id),
            ("POST", ["v1", "payments", id, "capture"]) => payment::capture(work, request, id),
            ("POST", ["v1", "payments", id, "refund"]) => payment::refund(work, request, id),
            ("GET", ["v1", "payments", id, "refunds"]) => payment::refunds_of(work, request, id),
            ("GET", ["v1", "payments", _, "refunds", id]) => payment::get_refund(work, id),
            ("POST", ["v1", "payments", id, "transfers"]) => transfer::create_of(work, request, id),
            ("GET", ["v1", "payments", id, "transfers"]) => payment::transfers_of(work, id),
            ("GET", ["v1", "refunds"]) => payment::refunds(work, request),
            ("GET", ["v1", "refunds", id]) => payment::get_refund(work, id),
            ("POST", ["v1", "customers"]) => party::create(work, request),
            ("GET", ["v1", "customers", id]) => party::get(work, id),
            ("GET", ["v1", "customers", id, "tokens"]) => party::tokens(work, id),
            ("GET", ["v1", "customers", of, "tokens", id]) => party::token(work, of, id),
            ("DELETE", ["v1", "customers", of, "tokens", id]) => party::remove_token(work, of, id),
            ("GET", ["v1", "disputes"]) => report::disputes(work, request),
            ("GET", ["v1", "disputes", id]) => report::dispute(work, id),
            ("POST", ["v1", "disputes", id, "accept"]) => report::accept(work, id),
            ("PATCH", ["v1", "disputes", id, "contest"]) => report::contest(work, request, id),
            ("GET", ["v1", "settlements"]) => report::settlements(work, request),
            ("GET", ["v1", "settlements", "recon", "combined"]) => report::recon(work, request),
            ("GET", ["v1", "settlements", id]) => report::settlement(work, id),
            ("POST", ["v1", "transfers"]) => transfer::create(work, request),
            ("GET", ["v1", "transfers"]) => transfer::list(work, request),
            ("GET", ["v1", "transfers", id]) => transfer::get(work, id),
            ("PATCH", ["v1", "transfers", id]) => transfer::modify(work, request, id),
            ("POST", ["v1", "transfers", id, "reversals"]) => transfer::reverse(work, request, id),
            ("GET", ["v1", "transfers", id, "reversals"]) => transfer::reversals(work, id),
            ("POST", ["v2", "accounts"]) => transfer::create_account(work, request),
            ("GET", ["v2", "accounts", id]) => transfer::get_account(work, id),
            ("POST", ["v1", "contacts"]) => x::create_contact(work, request),
            ("GET", ["v1", "contacts", id]) => x::get_contact(work, id),
            ("POST", ["v1", "fund_accounts"]) => x::create_fund_account(work, request),
            ("GET", ["v1", "fund_accounts", id]) => x::get_fund_account(work, id),
            ("POST", ["v1", "payouts"]) => x::create_payout(work, request, account),
            ("GET", ["v1", "payouts"]) => x::payouts(work, request, account),
            ("GET", ["v1", "payouts", id]) => x::get_payout(work, id),
            ("POST", ["v1", "payouts", id, "cancel"]) => x::cancel_payout(work, id),
            ("GET", ["v1", "transactions"]) => x::transactions(work, request, account),
            _ => Err(Error::unknown_path()),
        }
    }
}

/// Where a fault can strike a request.
fn point(request: &Request) -> Option<FaultPoint> {
    use FaultPoint as P;
    Some(match (request.verb(), request.segments().as_slice()) {
        ("POST", ["v1", "orders"]) => P::Create,
        ("POST", ["v1", "payments", "create", "recurring"])
        | (_, ["v1", "customers", _, "tokens", ..]) => P::Token,
        ("POST", ["v1", "payments", _, "capture"]) => P::Capture,
        ("POST", ["v1", "payments", _, "refund"]) => P::Refund,
        ("POST" | "PATCH", ["v1", "transfers", ..] | ["v1", "payments", _, "transfers"]) => {
            P::Transfer
        }
        ("POST", ["v1", "payouts", _, "cancel"]) => P::Cancel,
        ("POST", ["v1", "payouts"]) => P::Payout,
        ("GET", _) => P::Retrieve,
        _ => return None,
    })
}

/// What a fault rule can match on: the notes of an order and its receipt.
fn matched(state: &State, order: &str) -> Metadata {
    let Some(order) = state.orders.get(order) else { return Metadata::new() };
    let mut matched = order.metadata.clone();
    matched.insert("receipt".to_owned(), order.reference.clone());
    matched
}

/// The same for a request: what it names, and what it brings along.
fn matched_by(state: &State, request: &Request) -> Metadata {
    let mut matched = Metadata::new();
    for id in request.segments() {
        let order = state.order(id).map(|order| order.id.as_str());
        let of = state.refunds.get(id).and_then(|refund| state.order(&refund.payment));
        if let Some(order) = order.or(of.map(|order| order.id.as_str())) {
            matched.extend(self::matched(state, order));
        }
        if let Some(payout) = state.payouts.get(id) {
            matched.extend(payout.metadata.clone());
        }
    }
    if let Ok(fields) = params::Fields::read(request) {
        matched.extend(fields.notes().unwrap_or_default());
        for name in ["receipt", "reference_id"] {
            let text = fields.text(name).map(|text| (name.to_owned(), text.to_owned()));
            matched.extend(text);
        }
    }
    matched
}

/// Which header carries the idempotency key, and how long the key is.
fn key(request: &Request) -> Result<Option<IdempotencyKey>, Error> {
    let (header, least, most) = match (request.verb(), request.segments().as_slice()) {
        ("POST", ["v1", "payments", _, "refund"]) => ("X-Refund-Idempotency", 10, 255),
        ("POST", ["v1", "transfers"]) => ("X-Transfer-Idempotency", 4, 36),
        ("POST", ["v1", "payouts"]) => ("X-Payout-Idempotency", 4, 36),
        _ => return Ok(None),
    };
    let Some(key) = request.header(header).filter(|key| !key.is_empty()) else {
        let text = "Idempotency key is missing. Include idempotency header and key in the request.";
        return match header {
            "X-Payout-Idempotency" => Err(Error::field(header, text)),
            _ => Ok(None),
        };
    };
    let spaces = header == "X-Transfer-Idempotency";
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (spaces && c == ' ');
    if !(least..=most).contains(&key.len()) || !key.chars().all(fits) {
        return Err(Error::field(header, "The idempotency key is invalid."));
    }
    let scope = format!("{header} {}", request.uri.path());
    Ok(Some(IdempotencyKey { scope, key: key.to_owned() }))
}

impl Wire for Razorpay {
    fn name(&self) -> &'static str {
        "razorpay"
    }

    fn enter(&self, work: &Work<'_>, request: &Request) -> Result<Call, Answer> {
        let known = request.basic().is_some_and(|(user, password)| {
            same_secret(&user, &self.keys.key_id) & same_secret(&password, &self.keys.key_secret)
        });
        if !known {
            return Err(Error::unauthorised().answer());
        }
        let key = key(request).map_err(|error| error.answer())?;
        Ok(Call { point: point(request), metadata: matched_by(work.state, request), key })
    }

    fn execute(&self, work: &mut Work<'_>, request: &Request) -> Answer {
        match self.run(work, request) {
            Ok(body) => Answer::json(200, &body),
            Err(error) => error.answer(),
        }
    }

    fn trouble(&self, trouble: Trouble, request: &Request) -> Answer {
        let error = match trouble {
            Trouble::Internal => Error::server(500),
            Trouble::Down => Error::server(503),
            Trouble::TooManyRequests => Error::too_many_requests(),
            Trouble::TooLarge => Error::state("The request body is too large"),
            Trouble::KeyInUse => {
                let text = "Another request with the same idempotency key is still in progress.";
                Error::conflict(text)
            }
            Trouble::KeyMismatch if request.uri.path() == "/v1/payouts" => {
                Error::state("Different request body sent for the same Idempotency Header")
            }
            Trouble::KeyMismatch => {
                let text = "Different request with the same idempotency key has already been \
                            processed.";
                Error::conflict(text)
            }
        };
        error.answer()
    }

    fn messages(&self, work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
        event::messages(work, happened, id)
    }

    fn follow(&self, work: &mut Work<'_>, happened: Happened, id: &str) {
        if happened == Happened::OrderPaid {
            transfer::of_paid_order(work, id);
        }
    }

    fn seal(&self, delivery: &Delivery, seal: &Seal<'_>) -> Sealed {
        let mut body = delivery.body.clone();
        if !seal.skew.is_zero()
            && let Ok(mut json) = serde_json::from_str::<Value>(&body)
        {
            let made = json["created_at"].as_i64().unwrap_or_default();
            json["created_at"] = (made + seal.skew.num_seconds()).into();
            body = json.to_string();
        }
        let signature = hex::encode(hmac_sha256(seal.secret().as_bytes(), body.as_bytes()));
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Razorpay-Webhook/v1 (mizan simulator)".to_owned()),
            ("x-razorpay-signature", signature),
            ("x-razorpay-event-id", delivery.event_id.clone()),
        ];
        Sealed { body, headers }
    }

    fn fields(&self) -> Fields {
        Fields {
            amounts: &["amount", "amount_paid", "amount_refunded"],
            currencies: &["currency"],
            states: &["status"],
        }
    }

    /// An order is never cancelled here: who leaves checkout leaves a failed payment.
    fn choose(&self, work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
        let outcome = match choice.outcome {
            Outcome::Cancelled => Choice {
                outcome: Outcome::Declined,
                reason: Some("payment_cancelled".to_owned()),
                ..choice.clone()
            },
            Outcome::Held => Choice { outcome: Outcome::Pending, ..choice.clone() },
            _ => choice.clone(),
        };
        core::choose(work, order, &outcome)
    }

    fn back(&self, work: &Work<'_>, page: &Page<'_>) -> Back {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(page.query).unwrap_or_default();
        let url = pairs.into_iter().find(|(name, _)| name == "callback_url").map(|(_, url)| url);
        let payment = work.state.payment(&page.order.id);
        let (Some(url), Some(payment)) = (url, payment) else { return Back::Stay };
        let (order, id) = (page.order.id.as_str(), payment.id.as_str());
        let fields = match page.ending {
            Ending::Paid => vec![
                ("razorpay_payment_id", id.to_owned()),
                ("razorpay_order_id", order.to_owned()),
                ("razorpay_signature", self.checkout_signature(order, id)),
            ],
            Ending::Declined | Ending::Cancelled => {
                let entity = view::payment(work.state, payment);
                let text = |name: &str| entity[name].as_str().unwrap_or_default().to_owned();
                let metadata = json!({ "payment_id": id, "order_id": order });
                vec![
                    ("error[code]", text("error_code")),
                    ("error[description]", text("error_description")),
                    ("error[source]", text("error_source")),
                    ("error[step]", text("error_step")),
                    ("error[reason]", text("error_reason")),
                    ("error[metadata]", metadata.to_string()),
                ]
            }
        };
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        Back::Form { url, fields: fields.collect() }
    }

    fn payment_id(&self, work: &mut Work<'_>, _: &Order) -> String {
        work.new_id("pay_", 14)
    }

    fn capture_id(&self, work: &mut Work<'_>, _: &Payment) -> String {
        work.new_id("cap_", 14)
    }

    fn token_id(&self, work: &mut Work<'_>) -> String {
        work.new_id("token_", 14)
    }

    fn dispute_id(&self, work: &mut Work<'_>) -> String {
        work.new_id("disp_", 14)
    }

    fn settlement_id(&self, work: &mut Work<'_>) -> String {
        work.new_id("setl_", 14)
    }

    fn exchange(&self, currency: Currency) -> Exchange {
        let per_major = currency.minor_per_major();
        let numerator = if currency == Currency::INR { per_major } else { PAISE_PER_MAJOR };
        Exchange { currency: Currency::INR, numerator, denominator: per_major }
    }

    fn payout_book(&self) -> Book {
        Book::Payouts
    }

    fn withdrawal(&self) -> Withdrawal {
        Withdrawal::AtLoss
    }

    /// Nothing at Razorpay takes a captured payment back but refunds and disputes.
    fn reverses_payments(&self) -> bool {
        false
    }

    /// For 24 hours.
    fn patience(&self) -> Patience {
        Patience { give_up_after_s: DAY_S, ..Patience::default() }
    }
}
