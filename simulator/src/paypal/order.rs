//! Orders: created, approved by the buyer, then captured or authorised by the shop.

use serde_json::Value;

use super::amount;
use super::breakdown;
use super::buyer;
use super::error::Error;
use super::extra::{self, Fate, OrderExtra, PaymentExtra};
use super::once::{self, Made};
use super::paid::HOLD_DAYS;
use super::time::{days, hours};
use super::view::{Extent, View};
use super::{new_id, object};
use crate::bank::order::{self as core, NewOrder};
use crate::bank::payment;
use crate::bank::record::{
    CaptureMode, Instrument, Metadata, Order, OrderState, PaymentState, Returns, Token,
};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::token;
use crate::bank::wire::Answer;
use crate::bank::work::Work;

const TEXT_MAX: usize = 127;
const REFERENCE_MAX: usize = 256;
/// How long the buyer, and then the shop, may take.
const LIFE_HOURS: i64 = 3;

/// An order, and not a setup token.
pub fn found(state: &State, id: &str) -> Result<Order, Error> {
    let order = state.orders.get(id).filter(|order| !OrderExtra::of(order).setup);
    order.cloned().ok_or_else(Error::missing)
}

/// How much of the answer the caller wants.
pub fn extent(request: &Request) -> Extent {
    let prefer = request.header("prefer").unwrap_or_default();
    if prefer.contains("return=representation") { Extent::Full } else { Extent::Minimal }
}

/// `GET /v2/checkout/orders/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let order = found(work.state, id)?;
    Ok(Answer::json(200, &View::of(work).order(&order, Extent::Full)))
}

/// The order that a call has made or changed. With a `payment_source` a new one is 200.
fn answer(work: &Work<'_>, request: &Request, made: &Made) -> Result<Answer, Error> {
    let order = found(work.state, &made.id)?;
    let body = View::of(work).order(&order, extent(request));
    let waits = body["status"] == "PAYER_ACTION_REQUIRED";
    Ok(Answer::json(if waits { 200 } else { made.status() }, &body))
}

/// `POST /v2/checkout/orders`.
pub fn create(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let made = once::once(work, request, once::order_window(), |work| make(work, request))?;
    answer(work, request, &made)
}

/// `POST /v2/checkout/orders/{id}/capture` and `/authorize`.
pub fn take(
    work: &mut Work<'_>,
    request: &Request,
    id: &str,
    mode: CaptureMode,
) -> Result<Answer, Error> {
    object(request)?;
    let made = once::once(work, request, once::order_window(), |work| {
        let order = found(work.state, id)?;
        check_taking(work, &order, mode)?;
        pay(work, &order)?;
        Ok(order.id)
    })?;
    answer(work, request, &made)
}

fn text(value: &Value, field: &str, most: usize) -> Result<Option<String>, Error> {
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(None) };
    match text.chars().count() > most {
        true => Err(Error::too_long(field)),
        false => Ok(Some(text.to_owned())),
    }
}

/// The one unit of an order. Several are possible at PayPal; this fake has one.
fn unit(body: &Value) -> Result<&Value, Error> {
    let missing = || Error::missing_field("/purchase_units");
    let units = body["purchase_units"].as_array().ok_or_else(missing)?;
    let first = units.first().ok_or_else(missing)?;
    let code = |unit: &Value| unit["amount"]["currency_code"].clone();
    if units.iter().any(|unit| code(unit) != code(first)) {
        let text = "Multiple differing values of currency_code are not supported.";
        return Err(Error::issue("MULTI_CURRENCY_ORDER", text));
    }
    match units.len() {
        1 => Ok(first),
        _ => Err(Error::issue("NOT_SUPPORTED", "The simulator takes one purchase unit.")),
    }
}

/// What an order says of its payment.
struct Source {
    kind: Option<String>,
    token: Option<Token>,
    saves: bool,
    customer: Option<String>,
    returns: Returns,
}

fn source(work: &Work<'_>, request: &Request, body: &Value) -> Result<Source, Error> {
    let given = body["payment_source"].as_object().and_then(|source| source.iter().next());
    let address = |context: &Value, name: &str| context[name].as_str().map(str::to_owned);
    let returns = |context: &Value| Returns {
        paid: address(context, "return_url"),
        declined: address(context, "cancel_url"),
        cancelled: address(context, "cancel_url"),
    };
    let Some((kind, fields)) = given else {
        let returns = returns(&body["application_context"]);
        return Ok(Source { kind: None, token: None, saves: false, customer: None, returns });
    };
    if once::id(request).is_none() {
        let text = "A PayPal-Request-Id is required if you are trying to process payment for an \
                    Order.";
        let field = "PayPal-Request-Id";
        return Err(Error::invalid("PAYPAL_REQUEST_ID_REQUIRED", field, text));
    }
    let vault = fields["vault_id"].as_str().or(fields["id"].as_str().filter(|_| kind == "token"));
    let token = vault.map(|id| {
        let token = work.state.tokens.get(id).filter(|token| token.active).cloned();
        let text = "Specified token was not found.";
        token.ok_or_else(|| Error::issue("TOKEN_ID_NOT_FOUND", text))
    });
    let token = token.transpose()?;
    if token.is_none() && kind != "paypal" {
        let text = "The simulator takes a PayPal account or a saved instrument.";
        return Err(Error::issue("PAYMENT_SOURCE_CANNOT_BE_USED", text));
    }
    let attributes = &fields["attributes"];
    Ok(Source {
        kind: Some(if kind == "token" { "paypal".to_owned() } else { kind.clone() }),
        saves: attributes["vault"]["store_in_vault"] == "ON_SUCCESS",
        customer: attributes["customer"]["id"].as_str().map(str::to_owned),
        returns: returns(&fields["experience_context"]),
        token,
    })
}

fn make(work: &mut Work<'_>, request: &Request) -> Result<String, Error> {
    let body = object(request)?;
    let capture = match body["intent"].as_str() {
        Some("CAPTURE") => CaptureMode::Automatic,
        Some("AUTHORIZE") => CaptureMode::Manual,
        None => return Err(Error::missing_field("/intent")),
        Some(_) => return Err(Error::unknown_value("/intent")),
    };
    let unit = unit(&body)?;
    let field = "/purchase_units/@reference_id=='default'";
    let (amount, currency) = amount::read(&unit["amount"], &format!("{field}/amount"))?;
    breakdown::check(unit, amount, currency)?;
    let named = |name: &str, most: usize| text(&unit[name], &format!("{field}/{name}"), most);
    let source = source(work, request, &body)?;
    let mut extra = OrderExtra {
        reference_id: named("reference_id", REFERENCE_MAX)?.unwrap_or_else(|| "default".into()),
        custom_id: named("custom_id", TEXT_MAX)?,
        invoice_id: named("invoice_id", TEXT_MAX)?,
        description: named("description", TEXT_MAX)?,
        amount: unit["amount"].clone(),
        source: source.kind,
        vault_id: source.token.as_ref().map(|token| token.id.clone()),
        saves: source.saves,
        ..OrderExtra::default()
    };
    check_invoice(work.state, &extra, "")?;
    if let Some(token) = &source.token {
        if let Some(issue) = token.wire["refuses"].as_str() {
            return Err(refusal(issue));
        }
        extra.approved = true;
        extra.method = Some(token.instrument.kind.clone());
    }
    let known = extra.custom_id.clone().or(extra.invoice_id.clone());
    let reference = known.unwrap_or_default();
    let token = source.token.map(|token| (token.id, token.customer));
    let by_token = token.as_ref().and_then(|(_, customer)| customer.clone());
    let new = NewOrder {
        id: new_id(work),
        reference,
        amount,
        currency,
        capture,
        metadata: metadata(&extra),
        returns: source.returns,
        notify_url: None,
        expires_at: Some(work.now + hours(LIFE_HOURS)),
        hold: Some(days(HOLD_DAYS)),
        customer: source.customer.or(by_token),
        wire: extra.wire(),
    };
    let order = core::open(work, new);
    if let Some((token, _)) = token {
        token::charge_order(work, &token, &order.id).map_err(|_| Error::missing())?;
        never_expires(work, &order.id);
    }
    Ok(order.id)
}

/// What a fault rule can match on.
fn metadata(extra: &OrderExtra) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert("reference_id".to_owned(), extra.reference_id.clone());
    let named = [("custom_id", &extra.custom_id), ("invoice_id", &extra.invoice_id)];
    for (name, value) in named {
        metadata.extend(value.as_ref().map(|value| (name.to_owned(), value.clone())));
    }
    metadata
}

/// One invoice number is paid once.
fn check_invoice(state: &State, extra: &OrderExtra, own: &str) -> Result<(), Error> {
    let Some(invoice) = &extra.invoice_id else { return Ok(()) };
    let paid = |order: &Order| {
        let lives = |state: PaymentState| {
            !matches!(state, PaymentState::Failed | PaymentState::Cancelled | PaymentState::Expired)
        };
        extra::shown(state, &order.id).any(|payment| lives(payment.state))
    };
    let same = |order: &&Order| {
        order.id != own && OrderExtra::of(order).invoice_id.as_ref() == Some(invoice)
    };
    match state.orders.newest_first().filter(same).any(paid) {
        true => {
            let text = "Duplicate Invoice ID detected.";
            Err(Error::issue("DUPLICATE_INVOICE_ID", text))
        }
        false => Ok(()),
    }
}

fn check_taking(work: &Work<'_>, order: &Order, mode: CaptureMode) -> Result<(), Error> {
    let extra = OrderExtra::of(order);
    if order.capture != mode {
        let text = "Order was created with a different intent.";
        return Err(Error::issue("ACTION_DOES_NOT_MATCH_INTENT", text));
    }
    if extra::shown(work.state, &order.id).next().is_some() {
        return Err(match mode {
            CaptureMode::Automatic => {
                Error::issue("ORDER_ALREADY_CAPTURED", "Order already captured.")
            }
            CaptureMode::Manual => {
                Error::issue("ORDER_ALREADY_AUTHORIZED", "Order already authorized.")
            }
        });
    }
    match order.state {
        OrderState::Approved => check_invoice(work.state, &extra, &order.id),
        OrderState::Expired => Err(Error::issue("ORDER_EXPIRED", "Order is expired.")),
        OrderState::Open => {
            let text = "Payer has not yet approved the Order for payment.";
            Err(Error::issue("ORDER_NOT_APPROVED", text))
        }
        OrderState::Paid | OrderState::Cancelled => {
            let text = "Order is voided or completed and hence cannot be captured.";
            Err(Error::issue("ORDER_COMPLETED_OR_VOIDED", text))
        }
    }
}

/// The refusal of a payment, in PayPal's words.
fn refusal(issue: &str) -> Error {
    let text = match issue {
        "INSTRUMENT_DECLINED" => {
            "The instrument presented was either declined by the processor or bank, or it can't \
             be used for this payment."
        }
        _ => "The payment was refused.",
    };
    Error::issue(issue, text)
}

/// Takes the money that the buyer approved, or does what else was chosen.
fn pay(work: &mut Work<'_>, order: &Order) -> Result<(), Error> {
    let extra = OrderExtra::of(order);
    let kind = extra.method.clone().unwrap_or_else(|| "paypal".to_owned());
    let mut attempt = match core::waiting(work, &order.id) {
        Some(challenged) => challenged,
        None => payment::attempt(work, order, instrument(&kind)),
    };
    attempt.instrument = instrument(&kind);
    let mut shown = PaymentExtra::default();
    match &extra.fate {
        Fate::Refused(issue) => {
            shown.hidden = true;
            attempt.wire = shown.wire();
            payment::fail(work, attempt, issue);
            let refused = refusal(issue);
            if super::view::lets_choose_again(&extra.fate) {
                buyer::ask_again(work, order);
                return Err(refused.link("redirect", &View::of(work).page(&order.id)));
            }
            return Err(refused);
        }
        Fate::Declined => {
            attempt.wire = shown.wire();
            payment::fail(work, attempt, "capture_declined");
        }
        Fate::Pending(reason) => {
            shown.pending = Some(reason.clone());
            attempt.wire = shown.wire();
            payment::wait(work, attempt, PaymentState::Processing);
        }
        Fate::Done => {
            attempt.wire = shown.wire();
            buyer::finish(work, &extra, attempt);
        }
    }
    never_expires(work, &order.id);
    Ok(())
}

/// What was paid with.
pub fn instrument(kind: &str) -> Instrument {
    let text = |text: &str| if kind == "card" { text.to_owned() } else { String::new() };
    Instrument { brand: text("Visa"), last4: text("1111"), kind: kind.to_owned() }
}

/// From now on the order's payments say how it goes on, and no buyer is asked any more.
fn never_expires(work: &mut Work<'_>, id: &str) {
    if let Some(mut order) = work.state.orders.get(id).cloned() {
        order.expires_at = None;
        if order.state == OrderState::Open {
            order.state = OrderState::Approved;
        }
        work.put(order);
    }
}
