//! A stateful fake of Telr: hosted page, remote API, Service API, accounts API and messages.
//!
//! | surface | path | credentials |
//! |---|---|---|
//! | orders | `POST /gateway/order.json`, form or JSON | store and auth key in the body |
//! | hosted page | `GET /gateway/process.html?o={order}`, leads to `/hosted/telr/{order}` | |
//! | follow-ups, `cont` sales | `POST /gateway/remote.xml`, `.html`, `.json` | store, remote key |
//! | saved cards | `POST /gateway/savedcardslist.json` | store and auth key |
//! | transactions, reports | `GET /tools/api/xml/...`, XML | Basic, merchant and API key |
//! | accounts | `GET /api/v1/accounts/...`, JSON | Basic, merchant and API key |
//!
//! There is no idempotency key: a cart id makes one order, and nothing protects the rest. Advice
//! and the account's messages go to the configured endpoint, signed with its secret; callbacks go
//! to the order's `ivp_update_url` if that is on this machine, signed with the auth key.
//!
//! Repeat billing, `verify`, card data in remote calls and the newer REST orders are not here.

mod account;
mod ask;
mod card;
mod code;
mod event;
mod order;
mod remote;
mod service;
mod sha1;
mod sign;
mod transaction;
mod xml;

use serde_json::{Value, json};

use crate::bank::order as core;
use crate::bank::record::{CaptureMode, Metadata, Order, OrderState, Payment};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::{Answer, Call, Happened, Message, Seal, Sealed, Trouble, Wire};
use crate::bank::work::Work;
use crate::config::{SimulatorConfig, TelrKeys};
use crate::fault::odd::{self, Fields, UNKNOWN_STATE};
use crate::fault::{FaultKind, FaultPoint};
use crate::secret::same_secret;
use crate::webhook::{Delivery, Patience};

use account::Wrong;
use ask::{Ask, Family};
use code::Failure;
use remote::Dialect;

const FORM: &str = "application/x-www-form-urlencoded";
/// A state that no order has.
const UNKNOWN_CODE: i64 = 77;

/// Telr's words.
pub struct Telr {
    keys: TelrKeys,
}

/// Which part of Telr an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    Orders,
    Remote(Dialect),
    Cards,
    Service,
    Accounts,
    Page,
    Nowhere,
}

fn surface(request: &Request) -> Surface {
    match (request.verb(), request.segments().as_slice()) {
        ("POST", ["gateway", "order.json"]) => Surface::Orders,
        ("POST", ["gateway", "remote.xml"]) => Surface::Remote(Dialect::Xml),
        ("POST", ["gateway", "remote.html"]) => Surface::Remote(Dialect::Form),
        ("POST", ["gateway", "remote.json"]) => Surface::Remote(Dialect::Json),
        ("POST", ["gateway", "savedcardslist.json"]) => Surface::Cards,
        ("GET", ["gateway", "process.html"]) => Surface::Page,
        (_, ["tools", "api", "xml", ..]) => Surface::Service,
        (_, ["api", "v1", "accounts", ..]) => Surface::Accounts,
        _ => Surface::Nowhere,
    }
}

impl Telr {
    /// With the keys of the settings.
    pub fn new(config: &SimulatorConfig) -> Self {
        Self { keys: config.telr.clone() }
    }

    /// Whether the caller may come in, for surfaces that have the key in the body.
    fn admit(&self, surface: Surface, ask: Option<&Ask>) -> Result<(), Failure> {
        let ask = ask.ok_or_else(|| Failure::of(1))?;
        let fits = match surface {
            Surface::Remote(Dialect::Xml) => ask.family == Family::Xml,
            Surface::Remote(Dialect::Form) | Surface::Cards => ask.family == Family::Form,
            _ => ask.family != Family::Xml,
        };
        let (store, key, expected) = match surface {
            Surface::Remote(_) => {
                (["ivp_store", "store"], ["ivp_authkey", "key", "authkey"], &self.keys.remote_key)
            }
            Surface::Cards => {
                (["api_storeid", "api_storeid"], ["api_authkey"; 3], &self.keys.auth_key)
            }
            _ => {
                (["ivp_store", "store"], ["ivp_authkey", "authkey", "authkey"], &self.keys.auth_key)
            }
        };
        if !fits {
            return Err(Failure::of(1));
        }
        if ask.text(&store) != Some(self.keys.store.as_str()) {
            return Err(Failure::because(4, "Store not found"));
        }
        match same_secret(ask.text(&key).unwrap_or_default(), expected) {
            true => Ok(()),
            false => Err(Failure::because(1, "Authentication failed")),
        }
    }

    fn is_known(&self, request: &Request) -> bool {
        request.basic().is_some_and(|(user, password)| {
            same_secret(&user, &self.keys.merchant) & same_secret(&password, &self.keys.api_key)
        })
    }
}

fn method(request: &Request) -> String {
    let ask = Ask::read(request);
    let method = ask.as_ref().and_then(|ask| ask.text(&["ivp_method", "method"]));
    method.unwrap_or_default().to_owned()
}

/// A refusal in the words of the surface.
fn refuse(surface: Surface, request: &Request, failure: &Failure) -> Answer {
    match surface {
        Surface::Orders => {
            let error = json!({ "message": failure.text(), "note": failure.note });
            Answer::json(200, &json!({ "method": method(request), "error": error }))
        }
        Surface::Remote(dialect) => remote::refusal(dialect, failure),
        Surface::Cards => Answer::json(200, &card::refusal(failure)),
        Surface::Service => service::refusal(200, failure),
        Surface::Accounts => rest_error(500, "Internal Server Error", &failure.text()),
        Surface::Page | Surface::Nowhere => not_found(),
    }
}

fn rest_error(status: u16, word: &str, reason: &str) -> Answer {
    let body = json!({ "code": status, "status": word, "reason": reason, "errors": [] });
    Answer::json(status, &body)
}

fn not_found() -> Answer {
    let page = "<html><body><h1>Not found</h1></body></html>\n";
    Answer::new(404, "text/html; charset=utf-8", page.to_owned())
}

/// Where a fault can strike a request.
fn point(surface: Surface, request: &Request, ask: Option<&Ask>) -> Option<FaultPoint> {
    use FaultPoint as P;
    match surface {
        Surface::Orders => match method(request).as_str() {
            "create" => Some(P::Create),
            "check" => Some(P::Retrieve),
            _ => None,
        },
        Surface::Remote(_) => match ask.and_then(remote::kind)? {
            "capture" => Some(P::Capture),
            "refund" => Some(P::Refund),
            "void" | "release" => Some(P::Cancel),
            "sale" => Some(P::Token),
            _ => None,
        },
        Surface::Cards | Surface::Service | Surface::Accounts => Some(P::Retrieve),
        Surface::Page | Surface::Nowhere => None,
    }
}

/// What fault rules can match on: the cart id and the description of the order that is made,
/// named by its reference, or followed; a `cont` sale has its own.
fn matched(state: &State, request: &Request, ask: Option<&Ask>) -> Metadata {
    let text = |names: &[&str]| ask.and_then(|ask| ask.text(names));
    let named = text(&["order_ref", "order.ref"]).and_then(|id| state.orders.get(id));
    let segments = request.segments();
    let reference = ask.and_then(remote::parent).or_else(|| segments.get(4).copied());
    let followed = reference.and_then(|reference| transaction::root(state, reference));
    let followed = followed.and_then(|payment| state.orders.get(&payment.order));
    let by_cart = reference.and_then(|cart| state.orders_for(cart).next_back());
    let known = named.or(followed).or(by_cart);
    let mut matched = known.map(|order| order.metadata.clone()).unwrap_or_default();
    let own = text(&["ivp_cart", "order.cartid", "tran.cartid"]);
    matched.extend(own.map(|cart| ("cartid".to_owned(), cart.to_owned())));
    matched
}

impl Wire for Telr {
    fn name(&self) -> &'static str {
        "telr"
    }

    fn enter(&self, work: &Work<'_>, request: &Request) -> Result<Call, Answer> {
        let surface = surface(request);
        let mut ask = None;
        match surface {
            Surface::Orders | Surface::Remote(_) | Surface::Cards => {
                ask = Ask::read(request);
                self.admit(surface, ask.as_ref())
                    .map_err(|failure| refuse(surface, request, &failure))?;
            }
            // Who has no access to a service gets an empty page.
            Surface::Service if !self.is_known(request) => {
                return Err(Answer::new(403, "text/html", String::new()));
            }
            Surface::Accounts if !self.is_known(request) => {
                return Err(rest_error(401, "Unauthorized", "Invalid credentials"));
            }
            Surface::Service | Surface::Accounts | Surface::Page => {}
            Surface::Nowhere => return Err(not_found()),
        }
        let metadata = matched(work.state, request, ask.as_ref());
        Ok(Call { point: point(surface, request, ask.as_ref()), metadata, key: None })
    }

    fn execute(&self, work: &mut Work<'_>, request: &Request) -> Answer {
        let surface = surface(request);
        let ask = Ask::read(request);
        let done = match (surface, ask.as_ref()) {
            (Surface::Orders, Some(ask)) => match method(request).as_str() {
                "create" => order::create(work, ask).map(|body| Answer::json(200, &body)),
                "check" => order::check(work, ask).map(|body| Answer::json(200, &body)),
                _ => Err(Failure::of(52)),
            },
            (Surface::Remote(dialect), Some(ask)) => {
                remote::run(work, ask).map(|done| remote::answer(work, dialect, &done))
            }
            (Surface::Cards, Some(ask)) => {
                card::list(work.state, ask).map(|body| Answer::json(200, &body))
            }
            (Surface::Service, _) => Ok(service::get(work, &self.keys.store, request)),
            (Surface::Accounts, _) => Ok(match account::get(work.state, &self.keys, request) {
                Ok(body) => Answer::json(200, &body),
                Err(Wrong::Parameter) => rest_error(400, "Bad Request", "Invalid parameter"),
                Err(Wrong::Missing) => rest_error(404, "Not Found", "Invalid account"),
            }),
            (Surface::Page, _) => Ok(page(work, request)),
            _ => Err(Failure::of(1)),
        };
        done.unwrap_or_else(|failure| refuse(surface, request, &failure))
    }

    /// Only the status is known of trouble; the envelopes are those of refusals.
    fn trouble(&self, trouble: Trouble, request: &Request) -> Answer {
        let (status, code) = match trouble {
            Trouble::Internal => (500, 98),
            Trouble::TooManyRequests => (429, 99),
            Trouble::Down => return Answer::new(503, "text/html", String::new()),
            Trouble::TooLarge => (413, 1),
            Trouble::KeyInUse | Trouble::KeyMismatch => (409, 56),
        };
        Answer { status, ..refuse(surface(request), request, &Failure::of(code)) }
    }

    fn messages(&self, work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
        event::messages(self, work, happened, id)
    }

    /// The page is over once money is held, and waits no longer while somebody else decides.
    fn follow(&self, work: &mut Work<'_>, happened: Happened, id: &str) {
        let Some(payment) = work.state.payments.get(id).cloned() else { return };
        let Some(mut order) = work.state.orders.get(&payment.order).cloned() else { return };
        if order.state != OrderState::Open {
            return;
        }
        match happened {
            Happened::PaymentAuthorised if payment.capture == CaptureMode::Manual => {
                // Open orders can always be approved.
                let _ = core::approve(work, &order.id);
            }
            Happened::PaymentHeld | Happened::PaymentPending => {
                order.expires_at = None;
                work.put(order);
            }
            _ => {}
        }
    }

    fn seal(&self, delivery: &Delivery, seal: &Seal<'_>) -> Sealed {
        let pairs: sign::Pairs = serde_urlencoded::from_str(&delivery.body).unwrap_or_default();
        let kind = delivery.event_type.split('.').next().unwrap_or_default();
        let signed = match kind {
            "callback" if delivery.twist.rotated => {
                sign::callback(&format!("{}_next", self.keys.auth_key), pairs)
            }
            "callback" => sign::callback(&self.keys.auth_key, pairs),
            "account" => sign::account(seal.secret(), pairs),
            _ => sign::advice(seal.secret(), pairs),
        };
        let body = serde_urlencoded::to_string(signed).unwrap_or_default();
        Sealed { body, headers: vec![("content-type", FORM.to_owned())] }
    }

    fn fields(&self) -> Fields {
        Fields {
            amounts: &["amount", "tran_amount", "gross", "net"],
            currencies: &["currency", "tran_currency"],
            states: &["status", "tran_status", "tran_authstatus", "auth_status"],
        }
    }

    fn falsify(&self, kind: FaultKind, body: &mut String) {
        let fields = self.fields();
        if let Ok(mut json) = serde_json::from_str::<Value>(body) {
            odd::falsify(kind, &mut json, &fields);
            if kind == FaultKind::UnknownStatus && json["order"]["status"].is_object() {
                json["order"]["status"] = json!({ "code": UNKNOWN_CODE, "text": UNKNOWN_STATE });
            }
            *body = json.to_string();
            return;
        }
        let (names, change): (_, fn(&str) -> Option<String>) = match kind {
            FaultKind::WrongAmount => (fields.amounts, odd::raised),
            FaultKind::WrongCurrency => {
                (fields.currencies, |code| Some(odd::other_currency(code).to_owned()))
            }
            _ => (fields.states, |_| Some(UNKNOWN_STATE.to_owned())),
        };
        if body.starts_with('<') {
            *body = names.iter().fold(body.clone(), |body, name| xml::rewrite(&body, name, change));
            return;
        }
        let pairs: sign::Pairs = serde_urlencoded::from_str(body).unwrap_or_default();
        // A report is no form.
        if !pairs.iter().any(|(name, _)| names.contains(&name.as_str())) {
            return;
        }
        let wrong = pairs.into_iter().map(|(name, value)| {
            let change = names.contains(&name.as_str()).then(|| change(&value)).flatten();
            (name, change.unwrap_or(value))
        });
        *body = serde_urlencoded::to_string(wrong.collect::<sign::Pairs>()).unwrap_or_default();
    }

    fn offers_review(&self) -> bool {
        true
    }

    fn payment_id(&self, work: &mut Work<'_>, _: &Order) -> String {
        transaction::new_reference(work)
    }

    /// A sale is one transaction.
    fn capture_id(&self, work: &mut Work<'_>, payment: &Payment) -> String {
        match payment.capture {
            CaptureMode::Automatic => payment.id.clone(),
            CaptureMode::Manual => transaction::new_reference(work),
        }
    }

    fn token_id(&self, work: &mut Work<'_>) -> String {
        work.new_id("card_", 14)
    }

    fn dispute_id(&self, work: &mut Work<'_>) -> String {
        work.new_id("CB", 10)
    }

    fn settlement_id(&self, work: &mut Work<'_>) -> String {
        work.new_text(b"0123456789", 8)
    }

    /// Nothing is published. A few quick tries, so that polling has to find the rest.
    fn patience(&self) -> Patience {
        Patience { first_s: 60, attempts: 5, ..Patience::default() }
    }
}

/// The address of the hosted page leads to the simulator's own.
fn page(work: &Work<'_>, request: &Request) -> Answer {
    let order = request.query_value("o").unwrap_or_default();
    match work.state.orders.get(&order) {
        Some(order) => Answer::new(302, "text/html", String::new())
            .header("location", &work.page_url(&order.id)),
        None => not_found(),
    }
}
