//! Payments: a page for the buyer, or the charge of a saved card.

use chrono::{Datelike, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::Error;
use super::fields::{Cart, Fields};
use super::transaction::find;
use super::{trace, view};
use crate::bank::order::{self, NewOrder};
use crate::bank::payment;
use crate::bank::record::{CaptureMode, Document, Order, Returns, Token};
use crate::bank::token;
use crate::bank::work::Work;

/// How long the same request again is a duplicate.
const DUPLICATE_WITHIN: TimeDelta = TimeDelta::minutes(2);
const HEX: &[u8] = b"0123456789ABCDEF";
const PAGE_LETTERS: usize = 56;
/// What is paid later, at a till, with a reference number.
const DEFERRED: &[&str] = &["fawry", "aman"];
/// `tokenise`: a token of this format.
const TOKEN_FORMAT: &str = "2";
const CLASSES: &[&str] = &["ecom", "moto", "recurring"];
const REFERENCE_MAX: usize = 64;

/// What the shop asked for that the bank's order has no field for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Terms {
    /// `sale`, `auth`, `register`.
    pub tran_type: String,
    /// `ecom`, `moto`, `recurring`.
    pub tran_class: String,
    /// `cart_description`.
    pub description: String,
    /// `customer_details`, made up where the shop gave none.
    pub customer: Value,
    /// The last part of the page's address; a charge without the buyer has none.
    pub page: Option<String>,
    /// Which methods the page offers; empty: all.
    pub payment_methods: Vec<String>,
    /// Whether the card is saved without a question.
    pub tokenise: bool,
    /// Whether the buyer may save it.
    pub show_save_card: bool,
    /// The saved card that is charged.
    pub token: Option<String>,
    /// The transaction that saved it.
    pub previous: Option<String>,
    /// Whether it became a payment request, to be paid at a till.
    pub deferred: bool,
    /// Whether the browser goes back by GET.
    pub return_using_get: bool,
}

impl Terms {
    /// Those of an order.
    pub fn of(order: &Order) -> Self {
        serde_json::from_value(order.wire.clone()).unwrap_or_default()
    }

    /// As the order keeps them.
    pub fn wire(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether only the card is checked.
    pub fn is_register(&self) -> bool {
        self.tran_type == "register"
    }

    /// What is paid for.
    pub fn cart(&self, order: &Order) -> Cart {
        Cart {
            id: order.reference.clone(),
            description: self.description.clone(),
            amount: order.amount,
            currency: order.currency,
        }
    }
}

/// Whether this method gives the buyer a number to pay with at a till.
pub fn is_deferred(method: &str) -> bool {
    DEFERRED.contains(&method)
}

/// A new transaction reference: test, year, day of the year, number.
pub fn new_ref(work: &mut Work<'_>) -> String {
    work.state.counter += 1;
    let (year, day) = (work.now.year().rem_euclid(100), work.now.ordinal());
    format!("TST{year:02}{day:03}{:08}", work.state.counter % 100_000_000)
}

/// The id of the document that knows which order a page is for.
pub fn page_key(page: &str) -> String {
    format!("page {page}")
}

/// What makes a request the same as another: everything that says which money moves.
pub fn sameness(fields: &Fields, cart: &Cart) -> String {
    let word = |name: &str| fields.text(name).unwrap_or_default().to_ascii_lowercase();
    let Cart { id, amount, currency, .. } = cart;
    let (of, how) = (word("tran_type"), word("tran_class"));
    let (parent, token) = (word("tran_ref"), word("token"));
    format!("request {of} {how} {amount} {} {parent} {token} {id}", currency.code())
}

/// Refuses the same request within two minutes, whatever became of the first, and else remembers
/// it. There is no other idempotency: later it is a new transaction.
///
/// # Errors
/// It is a duplicate.
pub fn once(work: &mut Work<'_>, id: String) -> Result<(), Error> {
    let earlier = work.state.documents.get(&id);
    if earlier.is_some_and(|earlier| earlier.created + DUPLICATE_WITHIN > work.now) {
        return Err(Error::duplicate());
    }
    work.put(Document { id, kind: "request".to_owned(), created: work.now, body: Value::Null });
    Ok(())
}

/// `sale`, `auth`, `register`.
pub fn create(
    work: &mut Work<'_>,
    fields: &Fields,
    tran_type: &str,
    profile: u64,
) -> Result<Value, Error> {
    let tran_class = class(fields)?;
    let cart = Cart::read(fields)?;
    let saved = saved_card(work, fields)?;
    // Without the buyer only a saved card can be charged, and a saved one is not saved again.
    if (saved.is_none() && tran_class == "recurring")
        || (saved.is_some() && tran_type == "register")
    {
        return Err(Error::field("token"));
    }
    // A contract of its own with PayTabs, which this profile does not have.
    if fields.value("split_payout").is_some() {
        return Err(Error::field("split_payout"));
    }
    // With the buyer there, the bank may want 3-D Secure, so there is a page.
    let page = (saved.is_none() || tran_class == "ecom").then(|| work.new_text(HEX, PAGE_LETTERS));
    let mut terms = Terms {
        tran_type: tran_type.to_owned(),
        tran_class: tran_class.to_owned(),
        description: cart.description.clone(),
        customer: customer(fields),
        page,
        payment_methods: fields.words("payment_methods"),
        tokenise: fields.text("tokenise").as_deref() == Some(TOKEN_FORMAT),
        show_save_card: fields.is_on("show_save_card"),
        return_using_get: fields.is_on("return_using_get"),
        ..Terms::default()
    };
    if let Some((token, previous)) = &saved {
        terms.token = Some(token.id.clone());
        terms.previous = Some(previous.clone());
    }
    let manual = tran_type != "sale";
    let new = NewOrder {
        id: new_ref(work),
        reference: cart.id.clone(),
        amount: cart.amount,
        currency: cart.currency,
        capture: if manual { CaptureMode::Manual } else { CaptureMode::Automatic },
        metadata: fields.user_defined(),
        returns: Returns { paid: fields.back()?, ..Returns::default() },
        notify_url: fields.callback()?,
        expires_at: None,
        hold: None,
        customer: None,
        wire: terms.wire(),
    };
    once(work, sameness(fields, &cart))?;
    let id = new.id.clone();
    match (terms.page, saved) {
        (None, Some((token, _))) => {
            charge(work, &token, new);
            let tran = find(work.state, &id).ok_or_else(|| Error::internal(500))?;
            Ok(view::answer(&tran, profile, &trace(work)))
        }
        (page, _) => Ok(open_page(work, new, &page.unwrap_or_default(), profile)),
    }
}

fn open_page(work: &mut Work<'_>, new: NewOrder, page: &str, profile: u64) -> Value {
    let order = order::open(work, new);
    work.put(Document {
        id: page_key(page),
        kind: "page".to_owned(),
        created: work.now,
        body: json!({ "order": order.id }),
    });
    let url = format!("{}/payment/page/{page}", work.settings.public_url);
    let tran = find(work.state, &order.id);
    tran.map_or(Value::Null, |tran| view::redirect(&tran, profile, &url, &trace(work)))
}

/// The saved card that is to be charged, and the transaction that saved it, which must be named
/// where the buyer is not there.
fn saved_card(work: &Work<'_>, fields: &Fields) -> Result<Option<(Token, String)>, Error> {
    let Some(id) = fields.text("token") else { return Ok(None) };
    let token = work.state.tokens.get(&id).filter(|token| token.active);
    let token = token.cloned().ok_or_else(|| Error::field("token"))?;
    let saved_by = work.state.payments.get(&token.payment).map(|payment| payment.order.clone());
    let saved_by = saved_by.ok_or_else(|| Error::field("token"))?;
    let named = fields.text("tran_ref");
    let may_be_left_out =
        fields.text("tran_class").is_some_and(|it| it.eq_ignore_ascii_case("ecom"));
    match named {
        Some(named) if named == saved_by => Ok(Some((token, saved_by))),
        None if may_be_left_out => Ok(Some((token, saved_by))),
        _ => Err(Error::field("tran_ref")),
    }
}

/// Charges a card without the buyer. One that was saved with a reason is declined for it.
fn charge(work: &mut Work<'_>, token: &Token, new: NewOrder) {
    let order = order::open(work, new);
    if let Some(reason) = token.wire["declines"].as_str() {
        let mut attempt = payment::attempt(work, &order, token.instrument.clone());
        attempt.token = Some(token.id.clone());
        payment::fail(work, attempt, reason);
    } else if let Err(refusal) = token::charge_order(work, &token.id, &order.id) {
        tracing::error!(%refusal, id = order.id, "a saved card cannot be charged");
    }
}

/// What the buyer told the shop, and what the buyer would fill in on the page.
fn customer(fields: &Fields) -> Value {
    let mut customer = json!({
        "name": "Test Buyer",
        "email": "buyer@example.com",
        "phone": "0500000000",
        "street1": "1 Example St",
        "city": "Dubai",
        "state": "DU",
        "country": "AE",
        "ip": "192.0.2.10",
    });
    let given = fields.value("customer_details").and_then(Value::as_object);
    for (name, value) in given.into_iter().flatten() {
        if value.as_str().is_some_and(|text| !text.is_empty()) {
            customer[name.as_str()] = value.clone();
        }
    }
    customer
}

/// The reference of the transaction that a request names.
///
/// # Errors
/// It names none.
pub fn named(fields: &Fields) -> Result<String, Error> {
    fields.required("tran_ref", REFERENCE_MAX)
}

/// The class of a request.
///
/// # Errors
/// It is none of PayTabs'.
pub fn class(fields: &Fields) -> Result<&'static str, Error> {
    fields.word("tran_class", CLASSES)
}
