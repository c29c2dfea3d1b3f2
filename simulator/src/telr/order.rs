//! Orders of the hosted page: made, and asked for.

use chrono::TimeDelta;
use mizan_money::{Money, Timestamp};
use serde_json::{Map, Value, json};

use super::ask::{Ask, TEXT_MAX};
use super::code::Failure;
use super::transaction;
use crate::bank::order::{self, NewOrder};
use crate::bank::record::{
    CaptureMode, Metadata, Order, OrderState, Payment, PaymentState, Returns,
};
use crate::bank::state::State;
use crate::bank::work::Work;

const DIGITS_OF_A_REFERENCE: &[u8] = b"0123456789ABCDEF";
/// How long a page waits. One integrator says half an hour; Telr does not say.
const PAGE: TimeDelta = TimeDelta::minutes(30);
/// How long an authorisation holds. Telr does not say; the card networks commonly give a week.
const HOLD: TimeDelta = TimeDelta::days(7);
/// The time zone of the dates.
const GULF: TimeDelta = TimeDelta::hours(4);

/// The parts of a bill: the name in messages, in forms, and the path in JSON.
pub const BILL: [(&str, &str, &str); 13] = [
    ("title", "bill_title", "customer.name.title"),
    ("fname", "bill_fname", "customer.name.forenames"),
    ("sname", "bill_sname", "customer.name.surname"),
    ("addr1", "bill_addr1", "customer.address.line1"),
    ("addr2", "bill_addr2", "customer.address.line2"),
    ("addr3", "bill_addr3", "customer.address.line3"),
    ("city", "bill_city", "customer.address.city"),
    ("region", "bill_region", "customer.address.state"),
    ("country", "bill_country", "customer.address.country"),
    ("zip", "bill_zip", "customer.address.areacode"),
    ("email", "bill_email", "customer.email"),
    ("phone1", "bill_phone1", "customer.phone"),
    ("phone1", "bill_tel", "customer.phone"),
];

/// A date as `check` writes it: `04 Aug 2022 12:56 GST`.
pub fn date(at: Timestamp) -> String {
    (at + GULF).format("%d %b %Y %H:%M GST").to_string()
}

/// The day in the Gulf.
pub fn day(at: Timestamp) -> chrono::NaiveDate {
    (at + GULF).date_naive()
}

/// What every answer carries for Telr's support.
pub fn trace(work: &Work<'_>) -> String {
    format!("4001/{}/{:08x}", work.state.counter, work.now.timestamp())
}

/// The cart id, which must be new in the store.
///
/// # Errors
/// Missing, too long, or used before.
pub fn new_cart(state: &State, cart: Option<&str>) -> Result<String, Failure> {
    let cart = cart.ok_or_else(|| Failure::of(3))?;
    if cart.chars().count() > TEXT_MAX {
        return Err(Failure::because(1, "Cart ID is too long"));
    }
    if state.orders_for(cart).next().is_some() {
        return Err(Failure::because(56, "Cart ID must be unique"));
    }
    Ok(cart.to_owned())
}

/// `ivp_method=create`.
///
/// # Errors
/// A field that is missing or cannot be used; nothing was made.
pub fn create(work: &mut Work<'_>, ask: &Ask) -> Result<Value, Failure> {
    let reference = new_cart(work.state, ask.text(&["ivp_cart", "order.cartid"]))?;
    let (amount, currency) =
        ask.money(&["ivp_amount", "order.amount"], &["ivp_currency", "order.currency"])?;
    let description = ask.text(&["ivp_desc", "order.description"]);
    let description = description.ok_or_else(|| Failure::of(48))?;
    if description.chars().count() > TEXT_MAX {
        return Err(Failure::because(1, "Description is too long"));
    }
    let capture = match ask.text(&["ivp_trantype", "order.trantype"]) {
        None | Some("sale") => CaptureMode::Automatic,
        Some("auth") => CaptureMode::Manual,
        Some(_) => return Err(Failure::of(40)),
    };
    let address = |names: &[&str]| ask.text(names).map(str::to_owned);
    let new = NewOrder {
        id: work.new_text(DIGITS_OF_A_REFERENCE, 64),
        metadata: matched(&reference, description),
        reference,
        amount,
        currency,
        capture,
        returns: Returns {
            paid: address(&["return_auth", "return.authorised"]),
            declined: address(&["return_decl", "return.declined"]),
            cancelled: address(&["return_can", "return.cancelled"]),
        },
        notify_url: address(&["ivp_update_url"]).filter(|url| is_loopback(url)),
        expires_at: Some(work.now + PAGE),
        hold: Some(HOLD),
        customer: address(&["bill_custref", "customer.ref"]),
        wire: json!({
            "test": ask.flag(&["ivp_test", "order.test"]).unwrap_or_default(),
            "class": "ecom",
            "description": description,
            "bill": bill(ask),
            "names_order": ask.family == super::ask::Family::Json,
        }),
    };
    let order = order::open(work, new);
    Ok(json!({
        "method": "create",
        "trace": trace(work),
        "order": { "ref": order.id, "url": page(work, &order.id) },
    }))
}

/// What a fault rule can match on.
pub fn matched(cart: &str, description: &str) -> Metadata {
    let pairs = [("cartid", cart), ("description", description)];
    pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// Messages never leave the machine.
fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_local = |host: &str| host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "http" && (host == "localhost" || is_local(host))
}

fn bill(ask: &Ask) -> Map<String, Value> {
    let mut bill = Map::new();
    for (name, form, path) in BILL {
        if let Some(text) = ask.text(&[form, path]) {
            bill.insert(name.to_owned(), text.into());
        }
    }
    bill
}

fn page(work: &Work<'_>, order: &str) -> String {
    format!("{}/gateway/process.html?o={order}", work.settings.public_url)
}

/// `ivp_method=check`.
///
/// # Errors
/// There is no such order.
pub fn check(work: &Work<'_>, ask: &Ask) -> Result<Value, Failure> {
    let reference = ask.text(&["order_ref", "order.ref"]).unwrap_or_default();
    let order = work.state.orders.get(reference).ok_or_else(|| Failure::of(22))?;
    let view = view(work, order);
    Ok(json!({ "method": "check", "trace": trace(work), "order": view }))
}

/// The order's code and text.
fn status(order: &Order, payment: Option<&Payment>) -> (i64, &'static str) {
    let ended = match order.state {
        OrderState::Cancelled => (-2, "Cancelled"),
        OrderState::Expired => (-1, "Expired"),
        _ => (1, "Pending"),
    };
    let Some(payment) = payment else { return ended };
    match payment.state {
        PaymentState::RequiresAction => ended,
        PaymentState::Authorised | PaymentState::Held => (2, "Authorised"),
        PaymentState::Captured => (3, "Paid"),
        PaymentState::Processing if payment.instrument.kind == "card" => (3, "Paid"),
        PaymentState::Processing => (4, "Payment requested"),
        PaymentState::Cancelled | PaymentState::Reversed => (-2, "Cancelled"),
        PaymentState::Expired => (-1, "Expired"),
        PaymentState::Failed if order.state == OrderState::Open => (-3, "Declined"),
        PaymentState::Failed => ended,
    }
}

fn view(work: &Work<'_>, order: &Order) -> Value {
    let payment = work.state.payment(&order.id);
    let (code, text) = status(order, payment);
    let mut view = json!({
        "ref": order.id,
        "cartid": order.reference,
        "test": u8::from(order.wire["test"] == true),
        "amount": Money::new(order.amount, order.currency).major_string(),
        "currency": order.currency.code(),
        "description": order.wire["description"],
        "status": { "code": code, "text": text },
    });
    let tried = payment.and_then(|payment| transaction::of_payment(work.state, payment));
    if let (Some(payment), Some(tried)) = (payment, tried) {
        view["transaction"] = json!({
            "ref": tried.reference,
            "date": date(tried.created),
            "type": tried.kind,
            "class": if order.wire["class"] == "cont" { "Cont" } else { "ECom" },
            "status": tried.letter,
            "code": tried.code,
            "message": tried.message,
        });
        let is_card = payment.instrument.kind == "card";
        view["paymethod"] =
            if is_card { "Card".into() } else { payment.instrument.kind.clone().into() };
        if is_card && matches!(tried.letter, "A" | "H") {
            view["card"] = json!({
                "type": format!("{} Credit", payment.instrument.brand),
                "last4": payment.instrument.last4,
                "first6": "411111",
                "country": "AE",
                "expiry": { "month": 12, "year": 2030 },
            });
        }
        view["customer"] = customer(&order.wire["bill"]);
    }
    if code == 1 {
        view["url"] = page(work, &order.id).into();
    }
    view
}

fn customer(bill: &Value) -> Value {
    json!({
        "email": bill["email"],
        "name": { "forenames": bill["fname"], "surname": bill["sname"] },
        "address": {
            "line1": bill["addr1"],
            "city": bill["city"],
            "country": bill["country"],
            "mobile": bill["phone1"],
        },
    })
}
