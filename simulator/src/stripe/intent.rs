//! PaymentIntents: create, change, confirm, cancel.

use serde_json::{Value, json};

use super::charge::{self, Session};
use super::instrument;
use super::state::{CaptureMethod, Intent, IntentStatus, Metadata, PaymentMethod};
use super::wire::error::StripeError;
use super::wire::params::{Params, required};
use super::wire::view;
use super::work::Work;
use super::{amount, customer};

const ECHOED: &[&str] = &[
    "description",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
];
const CAPTURE_METHODS: &[&str] = &["automatic", "automatic_async", "manual"];
const CANCEL_REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer", "abandoned"];

/// What a request may say about any intent.
#[derive(Default)]
struct Changes {
    payment_method: Option<String>,
    customer: Option<String>,
    capture_method: Option<CaptureMethod>,
    method_types: Option<Vec<String>>,
    method_options: Option<Value>,
    echoes: Vec<(String, Value)>,
    metadata: Option<Metadata>,
}

impl Changes {
    fn take(params: &mut Params, old: &Metadata) -> Result<Self, StripeError> {
        let capture = params.word("capture_method", CAPTURE_METHODS)?;
        let method_types = params.texts("payment_method_types")?;
        if let Some(types) = &method_types {
            check_types(types)?;
        }
        params.word("confirmation_method", &["automatic"])?;
        params.flag("use_stripe_sdk")?;
        let echoed = ECHOED.iter().filter_map(|name| {
            params.anything(name).map(|value| {
                let value = if value == "" { Value::Null } else { value };
                ((*name).to_owned(), value)
            })
        });
        let echoes = echoed.collect();
        Ok(Self {
            payment_method: params.text("payment_method")?,
            customer: params.text("customer")?,
            capture_method: capture.map(|word| match word.as_str() {
                "manual" => CaptureMethod::Manual,
                "automatic_async" => CaptureMethod::AutomaticAsync,
                _ => CaptureMethod::Automatic,
            }),
            method_types,
            method_options: params.anything("payment_method_options"),
            echoes,
            metadata: Some(params.merge_metadata(old)?),
        })
    }

    /// Puts the changes in; ids are looked up, test tokens become payment methods.
    fn apply(self, work: &mut Work<'_>, intent: &mut Intent) -> Result<(), StripeError> {
        if let Some(id) = self.customer {
            if work.state.customers.get(&id).is_none() {
                return Err(StripeError::missing(400, "customer", &id, "customer"));
            }
            intent.customer = Some(id);
        }
        if let Some(id) = self.payment_method {
            intent.payment_method = Some(resolve_method(work, &id, intent)?);
            if intent.status == IntentStatus::RequiresPaymentMethod {
                intent.status = IntentStatus::RequiresConfirmation;
            }
        }
        intent.capture_method = self.capture_method.unwrap_or(intent.capture_method);
        if let Some(types) = self.method_types {
            intent.method_types = types;
            intent.automatic_methods = None;
        }
        if let Some(options) = self.method_options {
            intent.method_options = options;
        }
        intent.echoes.extend(self.echoes);
        if let Some(metadata) = self.metadata {
            intent.metadata = metadata;
        }
        Ok(())
    }
}

fn check_types(types: &[String]) -> Result<(), StripeError> {
    let known = types.iter().all(|kind| ["card", "us_bank_account"].contains(&kind.as_str()));
    if known && !types.is_empty() {
        return Ok(());
    }
    let message = "This account takes the payment method types card and us_bank_account.";
    Err(StripeError::param("payment_method_types", "parameter_invalid", message))
}

/// The payment method with this id, or a new one from a test token.
fn resolve_method(work: &mut Work<'_>, id: &str, intent: &Intent) -> Result<String, StripeError> {
    if let Some(method) = work.state.methods.get(id) {
        let foreign = method.customer.is_some() && method.customer != intent.customer;
        if foreign {
            let message = "The payment method belongs to another customer.";
            return Err(StripeError::state("payment_method_unexpected_state", message));
        }
        return Ok(id.to_owned());
    }
    if instrument::find(id).is_none() {
        return Err(StripeError::missing(400, "PaymentMethod", id, "payment_method"));
    }
    let method = PaymentMethod {
        id: work.new_id("pm"),
        created: work.now,
        token: id.to_owned(),
        customer: None,
    };
    work.put(method.clone());
    Ok(method.id)
}

/// How a confirmation is asked for.
struct Confirmation {
    session: Session,
    return_url: Option<String>,
}

impl Confirmation {
    fn take(params: &mut Params) -> Result<Self, StripeError> {
        let off_session = params.flag("off_session")? == Some(true);
        let return_url = params.text("return_url")?;
        if let Some(url) = &return_url {
            check_return_url(url)?;
        }
        let session = if off_session { Session::BuyerAbsent } else { Session::BuyerPresent };
        Ok(Self { session, return_url })
    }
}

fn check_return_url(url: &str) -> Result<(), StripeError> {
    let is_web = reqwest::Url::parse(url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    if is_web && url.len() <= 2048 {
        return Ok(());
    }
    Err(StripeError::param("return_url", "url_invalid", "`return_url` is not a web address."))
}

/// Methods that may redirect need somewhere to come back to.
fn check_way_back(intent: &Intent) -> Result<(), StripeError> {
    let Some(automatic) = &intent.automatic_methods else { return Ok(()) };
    if intent.return_url.is_some() || automatic["allow_redirects"] == "never" {
        return Ok(());
    }
    let message = "Automatic payment methods may redirect the buyer: give a `return_url`, or set \
                   `automatic_payment_methods[allow_redirects]` to `never`.";
    Err(StripeError::invalid(message).with("param", "return_url"))
}

fn take_automatic(params: &mut Params, listed: bool) -> Result<Option<Value>, StripeError> {
    let every = json!({ "enabled": true, "allow_redirects": "always" });
    let Some(mut inside) = params.inside("automatic_payment_methods")? else {
        return Ok((!listed).then_some(every));
    };
    let enabled = required(inside.flag("enabled")?, "automatic_payment_methods[enabled]")?;
    let redirects = inside.word("allow_redirects", &["always", "never"])?;
    inside.finish()?;
    if enabled && listed {
        let message = "Give `payment_method_types` or `automatic_payment_methods`, not both.";
        return Err(StripeError::invalid(message));
    }
    let redirects = redirects.unwrap_or_else(|| "always".to_owned());
    Ok(enabled.then(|| json!({ "enabled": true, "allow_redirects": redirects })))
}

/// `POST /v1/payment_intents`.
pub fn create(work: &mut Work<'_>, mut params: Params) -> Result<Value, StripeError> {
    let amount = required(params.integer("amount")?, "amount")?;
    let currency = amount::currency(&required(params.text("currency")?, "currency")?)?;
    amount::check_charge(amount, &currency)?;
    let confirms = params.flag("confirm")? == Some(true);
    let confirmation = Confirmation::take(&mut params)?;
    let changes = Changes::take(&mut params, &Metadata::new())?;
    let automatic = take_automatic(&mut params, changes.method_types.is_some())?;
    params.finish()?;
    if !confirms && confirmation.return_url.is_some() {
        let message = "`return_url` is only for requests that confirm.";
        return Err(StripeError::param("return_url", "parameter_invalid", message));
    }

    let mut intent = blank(work, amount, currency);
    intent.automatic_methods = automatic;
    intent.return_url = confirmation.return_url;
    if confirms {
        check_way_back(&intent)?;
    }
    changes.apply(work, &mut intent)?;
    work.put(intent.clone());
    work.emit("payment_intent.created", view::intent(&intent), None);
    if confirms {
        intent = charge::confirm(work, intent, confirmation.session)?;
    }
    Ok(view::intent(&intent))
}

fn blank(work: &mut Work<'_>, amount: i64, currency: String) -> Intent {
    let id = work.new_id("pi");
    let secret = work.new_id("secret");
    Intent {
        client_secret: format!("{id}_{secret}"),
        id,
        created: work.now,
        amount,
        currency,
        status: IntentStatus::RequiresPaymentMethod,
        capture_method: CaptureMethod::Automatic,
        automatic_methods: None,
        method_types: vec!["card".to_owned()],
        method_options: json!({}),
        amount_capturable: 0,
        amount_received: 0,
        payment_method: None,
        customer: None,
        metadata: Metadata::new(),
        echoes: std::collections::BTreeMap::new(),
        return_url: None,
        challenge: None,
        latest_charge: None,
        last_error: None,
        canceled_at: None,
        cancellation_reason: None,
        turns_at: None,
    }
}

/// The intent that the path names.
pub fn find(work: &Work<'_>, id: &str) -> Result<Intent, StripeError> {
    let found = work.state.intents.get(id).cloned();
    found.ok_or_else(|| StripeError::missing(404, "payment_intent", id, "intent"))
}

/// The refusal of an action that the intent's status does not allow.
pub fn unexpected_state(intent: &Intent, verb: &str) -> StripeError {
    let status = intent.status.word();
    let message = format!("This PaymentIntent cannot be {verb}: its status is {status}.");
    let refusal = StripeError::state("payment_intent_unexpected_state", &message);
    refusal.with("payment_intent", view::intent(intent))
}

fn is_open(status: IntentStatus) -> bool {
    use IntentStatus as S;
    matches!(status, S::RequiresPaymentMethod | S::RequiresConfirmation | S::RequiresAction)
}

/// `POST /v1/payment_intents/{id}`.
pub fn update(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut intent = find(work, id)?;
    let amount = params.integer("amount")?;
    let currency = params.text("currency")?.map(|text| amount::currency(&text)).transpose()?;
    let changes = Changes::take(&mut params, &intent.metadata)?;
    params.finish()?;
    let touches_money = amount.is_some()
        || currency.is_some()
        || changes.payment_method.is_some()
        || changes.capture_method.is_some();
    if touches_money && !is_open(intent.status) {
        return Err(unexpected_state(&intent, "changed in this way"));
    }
    intent.amount = amount.unwrap_or(intent.amount);
    intent.currency = currency.unwrap_or(intent.currency);
    if touches_money {
        amount::check_charge(intent.amount, &intent.currency)?;
    }
    if touches_money && intent.status == IntentStatus::RequiresAction {
        intent.challenge = None;
        intent.status = IntentStatus::RequiresConfirmation;
    }
    changes.apply(work, &mut intent)?;
    work.put(intent.clone());
    Ok(view::intent(&intent))
}

/// `POST /v1/payment_intents/{id}/confirm`.
pub fn confirm(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut intent = find(work, id)?;
    let confirmation = Confirmation::take(&mut params)?;
    let changes = Changes::take(&mut params, &intent.metadata)?;
    params.finish()?;
    if !is_open(intent.status) {
        return Err(unexpected_state(&intent, "confirmed"));
    }
    intent.return_url = confirmation.return_url.or(intent.return_url);
    check_way_back(&intent)?;
    changes.apply(work, &mut intent)?;
    intent = charge::confirm(work, intent, confirmation.session)?;
    Ok(view::intent(&intent))
}

/// `POST /v1/payment_intents/{id}/cancel`.
pub fn cancel(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let intent = find(work, id)?;
    let reason = params.word("cancellation_reason", CANCEL_REASONS)?;
    params.finish()?;
    if !is_open(intent.status) && intent.status != IntentStatus::RequiresCapture {
        return Err(unexpected_state(&intent, "canceled"));
    }
    Ok(view::intent(&close(work, intent, reason)))
}

/// Ends an intent and releases what it held.
pub fn close(work: &mut Work<'_>, mut intent: Intent, reason: Option<String>) -> Intent {
    intent.status = IntentStatus::Canceled;
    intent.canceled_at = Some(work.now);
    intent.cancellation_reason = reason;
    intent.amount_capturable = 0;
    intent.challenge = None;
    intent.turns_at = None;
    work.put(intent.clone());
    work.emit("payment_intent.canceled", view::intent(&intent), None);
    intent
}

/// Remembers the payment method for later, when that was asked for.
pub fn save_method(work: &mut Work<'_>, intent: &Intent) {
    let saves = intent.echoes.get("setup_future_usage").is_some_and(|usage| !usage.is_null());
    let (true, Some(customer)) = (saves, &intent.customer) else { return };
    let Some(id) = &intent.payment_method else { return };
    customer::attach(work, id, customer);
}
