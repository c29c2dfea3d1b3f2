//! A stateful fake of PayPal: orders, payments, the vault, payouts, disputes, reports, webhooks.
//!
//! The buyer approves an order on the hosted page, `/hosted/paypal/{order id}`, and the shop takes
//! the money with a call of its own. Webhooks are signed with test keys whose root is at
//! `/_sim/root.pem`; the endpoint's secret is the webhook's id. Money stays on the balance of its
//! currency until the control plane withdraws it; payouts are made from the same balance.

mod amount;
mod breakdown;
mod buyer;
mod dispute;
mod door;
mod error;
mod event;
mod extra;
mod notify;
mod once;
mod order;
mod paid;
mod payment;
mod payout;
mod report;
mod signature;
mod time;
mod vault;
mod view;

use mizan_money::Currency;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bank::cash::Withdrawal;
use crate::bank::order::Choice;
use crate::bank::record::{CaptureMode, Order, Payment};
use crate::bank::request::Request;
use crate::bank::wire::{Answer, Back, Call, Happened, Message, Page, Seal, Sealed, Trouble, Wire};
use crate::bank::work::{Refusal, Work};
use crate::config::{PayPalKeys, SimulatorConfig};
use crate::fault::odd::Fields;
use crate::webhook::{Delivery, Patience};

use error::Error;
use signature::Signer;

/// The letters of PayPal's ids.
const UPPER: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
const ID_CHARS: usize = 17;
const DAY_S: i64 = 24 * 3600;

/// PayPal's words.
pub struct PayPal {
    keys: PayPalKeys,
    base: String,
    signers: [Signer; 2],
}

/// A new id.
fn new_id(work: &mut Work<'_>) -> String {
    work.new_text(UPPER, ID_CHARS)
}

/// The body as an object; none is an empty one.
fn object(request: &Request) -> Result<Value, Error> {
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    let body = request.json().filter(|body| body.is_object());
    body.ok_or_else(|| {
        let text = "The request JSON is not well formed.";
        Error::invalid("MALFORMED_REQUEST_JSON", "/", text)
    })
}

impl PayPal {
    /// With the keys of the settings, at this base address.
    pub fn new(config: &SimulatorConfig, base: &str) -> Self {
        let (keys, signers) = (config.paypal.clone(), signature::signers());
        Self { keys, base: base.to_owned(), signers }
    }

    fn run(&self, work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
        let path = request.segments();
        match (request.verb(), path.as_slice()) {
            ("POST", ["v1", "oauth2", "token"]) => door::token(work, request, &self.keys),
            (verb, ["v2", rest @ ..]) => checkout(work, request, verb, rest),
            (verb, ["v3", "vault", rest @ ..]) => saved(work, request, verb, rest),
            (verb, ["v1", "notifications", rest @ ..]) => self.notify(work, request, verb, rest),
            ("POST", ["v1", "payments", "payouts"]) => payout::create(work, request),
            ("GET", ["v1", "payments", "payouts", id]) => payout::get_batch(work, request, id),
            ("GET", ["v1", "payments", "payouts-item", id]) => payout::get_item(work, id),
            ("POST", ["v1", "payments", "payouts-item", id, "cancel"]) => {
                payout::cancel_item(work, id)
            }
            ("GET", ["v1", "customer", "disputes"]) => dispute::list(work, request),
            ("GET", ["v1", "customer", "disputes", id]) => dispute::get(work, id),
            ("POST", ["v1", "customer", "disputes", id, "accept-claim"]) => {
                dispute::accept(work, id)
            }
            ("POST", ["v1", "customer", "disputes", id, "provide-evidence"]) => {
                dispute::provide(work, request, id)
            }
            ("GET", ["v1", "reporting", "transactions"]) => report::transactions(work, request),
            ("GET", ["v1", "reporting", "balances"]) => report::balances(work, request),
            ("GET", ["_sim", "root.pem"]) => Ok(notify::root()),
            ("GET", ["_sim", "settlement"]) => report::download(work, request),
            _ => Err(Error::missing()),
        }
    }

    fn notify(
        &self,
        work: &mut Work<'_>,
        request: &Request,
        verb: &str,
        path: &[&str],
    ) -> Result<Answer, Error> {
        match (verb, path) {
            ("GET", ["certs", name]) => notify::certificate(&self.signers, name),
            ("POST", ["verify-webhook-signature"]) => notify::verify(&self.signers, request),
            ("GET", ["webhooks-events"]) => notify::events(work, request),
            ("GET", ["webhooks-events", id]) => notify::event(work, id),
            ("POST", ["webhooks-events", id, "resend"]) => notify::resend(work, id),
            _ => Err(Error::missing()),
        }
    }
}

fn checkout(
    work: &mut Work<'_>,
    request: &Request,
    verb: &str,
    path: &[&str],
) -> Result<Answer, Error> {
    match (verb, path) {
        ("POST", ["checkout", "orders"]) => order::create(work, request),
        ("GET", ["checkout", "orders", id]) => order::get(work, id),
        ("POST", ["checkout", "orders", id, "capture"]) => {
            order::take(work, request, id, CaptureMode::Automatic)
        }
        ("POST", ["checkout", "orders", id, "authorize"]) => {
            order::take(work, request, id, CaptureMode::Manual)
        }
        ("GET", ["payments", "authorizations", id]) => payment::get_authorization(work, id),
        ("POST", ["payments", "authorizations", id, "capture"]) => {
            payment::capture(work, request, id)
        }
        ("POST", ["payments", "authorizations", id, "void"]) => payment::void(work, request, id),
        ("POST", ["payments", "authorizations", id, "reauthorize"]) => {
            payment::reauthorize(work, request, id)
        }
        ("GET", ["payments", "captures", id]) => payment::get_capture(work, id),
        ("POST", ["payments", "captures", id, "refund"]) => payment::refund(work, request, id),
        ("GET", ["payments", "refunds", id]) => payment::get_refund(work, id),
        _ => Err(Error::missing()),
    }
}

fn saved(
    work: &mut Work<'_>,
    request: &Request,
    verb: &str,
    path: &[&str],
) -> Result<Answer, Error> {
    match (verb, path) {
        ("POST", ["setup-tokens"]) => vault::create_setup(work, request),
        ("GET", ["setup-tokens", id]) => vault::get_setup(work, id),
        ("POST", ["payment-tokens"]) => vault::create(work, request),
        ("GET", ["payment-tokens"]) => vault::list(work, request),
        ("GET", ["payment-tokens", id]) => vault::get(work, id),
        ("DELETE", ["payment-tokens", id]) => vault::remove(work, id),
        _ => Err(Error::missing()),
    }
}

/// An id of a transmission: the same for the same delivery.
fn transmission_id(delivery: &Delivery) -> String {
    let digest = hex::encode(Sha256::digest(format!("{}{}", delivery.event_id, delivery.id)));
    let lengths = [8, 4, 4, 4, 12];
    let mut letters = digest.chars();
    let parts = lengths.map(|length| letters.by_ref().take(length).collect::<String>());
    parts.join("-")
}

impl Wire for PayPal {
    fn name(&self) -> &'static str {
        "paypal"
    }

    fn enter(&self, work: &Work<'_>, request: &Request) -> Result<Call, Answer> {
        door::enter(work, request).map_err(|error| error.answer(request))
    }

    fn execute(&self, work: &mut Work<'_>, request: &Request) -> Answer {
        match self.run(work, request) {
            Ok(answer) => answer.header("paypal-debug-id", &error::debug_id(request)),
            Err(error) => error.answer(request),
        }
    }

    fn trouble(&self, trouble: Trouble, request: &Request) -> Answer {
        let error = match trouble {
            Trouble::Internal => Error::server(500),
            Trouble::Down => Error::server(503),
            Trouble::TooManyRequests => Error::too_many_requests(),
            Trouble::TooLarge => Error::too_long("body"),
            Trouble::KeyInUse | Trouble::KeyMismatch => Error::in_progress(),
        };
        error.answer(request)
    }

    fn messages(&self, work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
        event::messages(work, happened, id)
    }

    fn follow(&self, work: &mut Work<'_>, happened: Happened, id: &str) {
        event::follow(work, happened, id);
    }

    /// A rotated key is the successor's, whose certificate is at another address.
    fn seal(&self, delivery: &Delivery, seal: &Seal<'_>) -> Sealed {
        let [first, second] = &self.signers;
        let signer = if delivery.twist.rotated { second } else { first };
        let (id, time) = (transmission_id(delivery), time::iso(seal.now));
        let text = signature::text(&id, &time, seal.secret(), delivery.body.as_bytes());
        let address = format!("{}/v1/notifications/certs/{}", self.base, signer.name);
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "PayPal/AUHD-214.0-simulator".to_owned()),
            ("paypal-transmission-id", id),
            ("paypal-transmission-time", time),
            ("paypal-transmission-sig", signer.sign(&text)),
            ("paypal-cert-url", address),
            ("paypal-auth-algo", signature::ALGORITHM.to_owned()),
            ("paypal-auth-version", "v2".to_owned()),
            ("correlation-id", delivery.id.clone()),
        ];
        Sealed { body: delivery.body.clone(), headers }
    }

    fn fields(&self) -> Fields {
        Fields {
            amounts: &["value"],
            currencies: &["currency_code", "currency"],
            states: &["status", "transaction_status", "batch_status"],
        }
    }

    fn choose(&self, work: &mut Work<'_>, order: &Order, choice: &Choice) -> Result<(), Refusal> {
        buyer::choose(work, order, choice)
    }

    fn back(&self, _: &Work<'_>, page: &Page<'_>) -> Back {
        buyer::back(page)
    }

    fn offers_review(&self) -> bool {
        true
    }

    fn payment_id(&self, work: &mut Work<'_>, _: &Order) -> String {
        new_id(work)
    }

    /// A capture without an authorisation is the payment itself.
    fn capture_id(&self, work: &mut Work<'_>, payment: &Payment) -> String {
        match payment.capture {
            CaptureMode::Automatic => payment.id.clone(),
            CaptureMode::Manual => new_id(work),
        }
    }

    fn token_id(&self, work: &mut Work<'_>) -> String {
        vault::token_id(work)
    }

    fn dispute_id(&self, work: &mut Work<'_>) -> String {
        let parts = [0; 4].map(|_| work.new_text(DIGITS, 3));
        format!("PP-{}", parts.join("-"))
    }

    fn settlement_id(&self, work: &mut Work<'_>) -> String {
        new_id(work)
    }

    /// Whole units that PayPal can write: no fee has a part of a forint.
    fn units_per_major(&self, currency: Currency) -> i64 {
        amount::units_per_major(currency)
    }

    fn withdrawal(&self) -> Withdrawal {
        Withdrawal::AtLoss
    }

    /// Money stays on the balance until somebody withdraws it.
    fn settles(&self) -> bool {
        false
    }

    fn replays(&self) -> bool {
        false
    }

    fn root_pem(&self) -> Option<&'static str> {
        Some(signature::ROOT)
    }

    /// At most 25 times within three days.
    fn patience(&self) -> Patience {
        Patience { give_up_after_s: 3 * DAY_S, attempts: 25, ..Patience::default() }
    }
}
