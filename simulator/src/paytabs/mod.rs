//! A stateful fake of PayTabs (PT2): payment page, tokens, follow-ups, callback and IPN.
//!
//! `redirect_url` is `/payment/page/..` as at PayTabs and leads to `/hosted/paytabs/{tran_ref}`.
//! From there the browser posts the signed fields to `return`. One page is one `tran_ref`, with
//! all its attempts. A payment request (Fawry, Aman) stays pending; what is paid for it is a sale
//! with its own `tran_ref` and the request as `previous_tran_ref`, and after three days the
//! request expires.
//!
//! - The server key is the webhook secret; older ones are taken and sign too.
//! - IPNs go to the endpoint, results to each request's `callback` as well, but only to loopback
//!   addresses. For fault rules a message's `event` is type and status: `sale.A`,
//!   `payment_request.P`. Rules match on `cart_id`, `tran_ref` and what `user_defined` has.
//! - Refunds of cards are done at once, of every other method pending first.
//! - A `reason` is a code or a word of [`verdict`]; `error` is PayTabs' own failure, status E. Who
//!   pays, saves the card and gives a reason saves a card that is declined for it later.
//! - `GET /_sim/statements` is the statement of what was settled.

mod create;
mod error;
mod event;
mod fields;
mod follow_up;
mod page;
mod query;
mod statement;
mod transaction;
mod verdict;
mod view;

use serde_json::Value;

use crate::bank::order::{self, Choice};
use crate::bank::record::{CaptureMode, Metadata, Order, Payment};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::{Answer, Back, Call, Happened, Message, Page, Seal, Sealed, Trouble, Wire};
use crate::bank::work::{Refusal, Work};
use crate::config::{PayTabsKeys, SimulatorConfig};
use crate::fault::FaultPoint;
use crate::fault::odd;
use crate::secret::same_secret;
use crate::webhook::{Delivery, Patience};

use error::Error;
use fields::Fields;

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789ABCDEF";
const PAYMENT_TYPES: &[&str] = &["sale", "auth", "register"];
const FOLLOW_UP_TYPES: &[&str] = &["capture", "void", "release", "refund"];

/// PayTabs' words.
pub struct PayTabs {
    keys: PayTabsKeys,
    /// Newest first.
    server_keys: Vec<String>,
}

impl PayTabs {
    /// With the keys of the settings.
    pub fn new(config: &SimulatorConfig) -> Self {
        let mut server_keys = vec![config.webhook_secret.clone()];
        server_keys.extend(config.older_webhook_secrets.iter().cloned());
        Self { keys: config.paytabs.clone(), server_keys }
    }

    fn run(&self, work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
        let (fields, profile) = (Fields::read(request)?, self.keys.profile_id);
        match request.segments().as_slice() {
            ["payment", "request"] => match fields.word("tran_type", PAYMENT_TYPES) {
                Ok(tran_type) => create::create(work, &fields, tran_type, profile),
                Err(_) => {
                    let tran_type = fields.word("tran_type", FOLLOW_UP_TYPES)?;
                    follow_up::run(work, &fields, tran_type, profile)
                }
            },
            ["payment", "query"] => query::query(work, &fields, profile),
            ["payment", "token"] => query::token(work, &fields),
            ["payment", "token", "delete"] => query::delete_token(work, &fields),
            _ => Err(Error::unknown_path()),
        }
    }

    fn check(&self, request: &Request) -> Result<Fields, Error> {
        let presented = request.header("authorization").unwrap_or_default();
        let known =
            self.server_keys.iter().fold(false, |known, key| known | same_secret(presented, key));
        if !known {
            return Err(Error::unauthorised());
        }
        let fields = Fields::read(request)?;
        match fields.text("profile_id") == Some(self.keys.profile_id.to_string()) {
            true => Ok(fields),
            false => Err(Error::unauthorised()),
        }
    }
}

/// The id that PayTabs' support asks for: time and number.
fn trace(work: &Work<'_>) -> String {
    format!("PMNT0404.{:08X}.{:08X}", work.now.timestamp(), work.state.counter)
}

/// What is looked at without a key: the page's address, and the statements.
fn public(work: &Work<'_>, request: &Request) -> Option<Answer> {
    match (request.verb(), request.segments().as_slice()) {
        ("GET", ["payment", "page", page]) => {
            let found = work.state.documents.get(&create::page_key(page))?;
            let url = work.page_url(found.body["order"].as_str()?);
            let answer = Answer::new(302, "text/html; charset=utf-8", String::new());
            Some(answer.header("location", &url))
        }
        ("GET", ["_sim", "statements"]) => statement::statement(work.state, None),
        ("GET", ["_sim", "statements", id]) => statement::statement(work.state, Some(id)),
        _ => None,
    }
}

/// Where a fault can strike a request.
fn point(request: &Request, fields: &Fields) -> Option<FaultPoint> {
    let types = [PAYMENT_TYPES, FOLLOW_UP_TYPES].concat();
    match request.segments().as_slice() {
        ["payment", "query"] => Some(FaultPoint::Retrieve),
        ["payment", "token", ..] => Some(FaultPoint::Token),
        ["payment", "request"] => match fields.word("tran_type", &types).ok()? {
            "capture" => Some(FaultPoint::Capture),
            "void" | "release" => Some(FaultPoint::Cancel),
            "refund" => Some(FaultPoint::Refund),
            _ if fields.text("token").is_some() => Some(FaultPoint::Token),
            _ => Some(FaultPoint::Create),
        },
        _ => None,
    }
}

/// What a fault rule can match on: both references, and the shop's own fields.
fn matched(state: &State, tran_ref: &str) -> Metadata {
    let Some(tran) = transaction::find(state, tran_ref) else { return Metadata::new() };
    let mut matched = tran.order.metadata.clone();
    matched.insert("cart_id".to_owned(), tran.cart.id);
    matched.insert("tran_ref".to_owned(), tran.tran_ref);
    matched
}

/// The same for a request: what it names, and what it brings along.
fn matched_by(state: &State, fields: &Fields) -> Metadata {
    let named = fields.text("tran_ref");
    let mut metadata = named.map(|named| matched(state, &named)).unwrap_or_default();
    metadata.extend(fields.user_defined());
    metadata.extend(fields.text("cart_id").map(|cart| ("cart_id".to_owned(), cart)));
    metadata
}

impl Wire for PayTabs {
    fn name(&self) -> &'static str {
        "paytabs"
    }

    fn enter(&self, work: &Work<'_>, request: &Request) -> Result<Call, Answer> {
        if public(work, request).is_some() {
            return Ok(Call::default());
        }
        let refused = |error: Error| error.answer(&trace(work));
        if !(request.verb() == "POST" && request.uri.path().starts_with("/payment/")) {
            return Err(refused(Error::unknown_path()));
        }
        let fields = self.check(request).map_err(refused)?;
        let metadata = matched_by(work.state, &fields);
        Ok(Call { point: point(request, &fields), metadata, key: None })
    }

    fn execute(&self, work: &mut Work<'_>, request: &Request) -> Answer {
        if let Some(answer) = public(work, request) {
            return answer;
        }
        match self.run(work, request) {
            Ok(body) => Answer::json(200, &body),
            Err(error) => error.answer(&trace(work)),
        }
    }

    /// There are no idempotency keys, so there is no trouble with them.
    fn trouble(&self, trouble: Trouble, _: &Request) -> Answer {
        let error = match trouble {
            Trouble::Internal => Error::internal(500),
            Trouble::Down => Error::internal(503),
            Trouble::TooManyRequests => Error::too_many_requests(),
            Trouble::TooLarge => Error::too_large(),
            Trouble::KeyInUse | Trouble::KeyMismatch => Error::duplicate(),
        };
        error.answer("PMNT0400.00000000.00000000")
    }

    fn messages(&self, work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
        event::messages(work, happened, id, self.keys.profile_id)
    }

    /// Who has authorised has done with the page.
    fn follow(&self, work: &mut Work<'_>, happened: Happened, id: &str) {
        let payment = work.state.payments.get(id).filter(|it| it.capture == CaptureMode::Manual);
        if happened == Happened::PaymentAuthorised
            && let Some(order) = payment.map(|payment| payment.order.clone())
        {
            let _ = order::approve(work, &order);
        }
    }

    fn seal(&self, delivery: &Delivery, seal: &Seal<'_>) -> Sealed {
        event::seal(delivery, seal, &self.keys.client_key)
    }

    fn fields(&self) -> odd::Fields {
        odd::Fields {
            amounts: &["cart_amount", "tran_total"],
            currencies: &["cart_currency", "tran_currency"],
            states: &["response_status"],
        }
    }

    fn choose(&self, work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
        page::choose(work, order, choice)
    }

    fn back(&self, work: &Work<'_>, page: &Page<'_>) -> Back {
        page::back(work, page, self.server_keys.first().map_or("", String::as_str))
    }

    fn offers_review(&self) -> bool {
        true
    }

    /// An attempt is known to the acquirer only; the page has the `tran_ref`.
    fn payment_id(&self, work: &mut Work<'_>, _: &Order) -> String {
        work.state.counter += 1;
        format!("TRAN0001.{:08X}.{:08X}", work.now.timestamp(), work.state.counter)
    }

    /// What a sale takes has the page's reference, what is captured later that of its request.
    fn capture_id(&self, work: &mut Work<'_>, payment: &Payment) -> String {
        let order = work.state.orders.get(&payment.order);
        let deferred = order.is_some_and(|order| create::Terms::of(order).deferred);
        match (payment.capture, payment.wire["follow_up"].as_str()) {
            (CaptureMode::Manual, Some(follow_up)) => follow_up.to_owned(),
            (CaptureMode::Automatic, _) if !deferred => payment.order.clone(),
            _ => create::new_ref(work),
        }
    }

    fn token_id(&self, work: &mut Work<'_>) -> String {
        work.new_text(HEX, 32)
    }

    fn dispute_id(&self, work: &mut Work<'_>) -> String {
        format!("CB{}", work.new_text(DIGITS, 10))
    }

    fn settlement_id(&self, work: &mut Work<'_>) -> String {
        format!("PO{}", work.new_text(DIGITS, 10))
    }

    /// Five more tries, each after a longer wait. No source says how long.
    fn patience(&self) -> Patience {
        Patience { first_s: 60, attempts: 6, ..Patience::default() }
    }
}
